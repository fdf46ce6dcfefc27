//! The evidence of one debtor in one archive: what was done, by which decision, with which number, what was
//! allowed and asked for, what was said, and who looked at it.

mod agreed;
mod page;
mod zip;

pub use self::zip::ARCHIVE_MAX;

use self::zip::Zip;
use crate::routes::history::export_row::{Format, Names, header, row};
use domain::entity::{
    Attempt, Complaint, Payment, Preference, Recording, RecordingOutcome, Suppression, Verdict,
};
use domain::ids::DebtorId;
use domain::import::reference::own_reference;
use domain::ports::store::{
    AttemptFilter, ChainLink, DebtorFile, ListFilter, PAGE_LIMIT_MAX, PageRequest,
};
use domain::ports::{Blob, Store, StoreError};
use domain::time::UtcMs;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Bytes of a recording read at once.
const PART_BYTES: u64 = 1 << 20;
/// Most decisions of one debtor in an archive.
const VERDICTS_MAX: u32 = 100_000;

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The database failed.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// It would not fit.
    #[error("the archive would hold more than {0} bytes or files: ask without recordings")]
    TooLarge(usize),
    /// A file of it could not be written.
    #[error("evidence: {0}")]
    Write(String),
}

/// What goes into an archive.
pub struct Ask<'a> {
    /// Facts at rest.
    pub store: &'a dyn Store,
    /// Recordings; `None` leaves their sound out and keeps their hashes.
    pub sound: Option<&'a dyn Blob>,
    /// Whose.
    pub debtor: DebtorId,
    /// The complaint it is for.
    pub complaint: Option<Complaint>,
    /// Made at.
    pub now: UtcMs,
    /// Who made it (`user:…`, `command line`).
    pub made_by: String,
}

/// Everything read of a debtor.
pub(crate) struct Found {
    pub(crate) file: DebtorFile,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) chain: Vec<ChainLink>,
    pub(crate) recordings: Vec<(Recording, Option<String>)>,
    pub(crate) preferences: Vec<Preference>,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) complaints: Vec<Complaint>,
}

impl Found {
    /// Whether each decision follows from the one before and is what was stored.
    pub(crate) fn chain_is_whole(&self) -> bool {
        let follows = |pair: &[ChainLink]| {
            pair[1].prev_hash == pair[0].hash && pair[1].seq == pair[0].seq + 1
        };
        self.chain.iter().all(|l| l.whole) && self.chain.windows(2).all(follows)
    }
}

/// Files with their hashes, for the manifest.
struct Parcel {
    zip: Zip,
    manifest: Vec<Value>,
}

impl Parcel {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        self.zip.add(name, bytes)?;
        let sha256 = hex::encode(Sha256::digest(bytes));
        self.manifest
            .push(json!({"file": name, "bytes": bytes.len(), "sha256": sha256}));
        Ok(())
    }

    fn json<T: Serialize>(&mut self, name: &str, rows: &T) -> Result<(), EvidenceError> {
        let text =
            serde_json::to_vec_pretty(rows).map_err(|e| EvidenceError::Write(e.to_string()))?;
        self.put(name, &text)
    }
}

/// A payment with its reference as the payer and his bank know it.
#[derive(Serialize)]
struct PaymentRow<'a> {
    #[serde(flatten)]
    payment: &'a Payment,
    own_reference: String,
}

impl<'a> PaymentRow<'a> {
    fn of(payment: &'a Payment) -> Self {
        Self {
            own_reference: own_reference(&payment.reference),
            payment,
        }
    }
}

/// The archive's bytes.
///
/// # Errors
/// The database away; an archive over [`ARCHIVE_MAX`].
pub async fn archive(ask: &Ask<'_>) -> Result<Vec<u8>, EvidenceError> {
    let mut found = read(ask).await?;
    let mut out = Parcel {
        zip: Zip::default(),
        manifest: Vec::new(),
    };
    sounds(ask, &mut found, &mut out).await?;
    tables(ask, &found, &mut out).await?;
    let page = page::index(ask, &found, &out.manifest);
    out.put("index.html", page.as_bytes())?;
    let manifest = json!({
        "made_at": ask.now, "made_by": ask.made_by, "debtor_id": ask.debtor,
        "complaint_id": ask.complaint.as_ref().map(|c| c.id),
        "decisions": found.chain.len(), "chain_whole": found.chain_is_whole(),
        "last_decision_hash": found.chain.last().map(|l| l.hash.clone()),
        "files": out.manifest,
    });
    let text =
        serde_json::to_vec_pretty(&manifest).map_err(|e| EvidenceError::Write(e.to_string()))?;
    out.zip.add("manifest.json", &text)?;
    out.zip.close()
}

async fn read(ask: &Ask<'_>) -> Result<Found, EvidenceError> {
    let (store, debtor) = (ask.store, ask.debtor);
    let file = store.debtor_file(debtor).await?;
    let filter = AttemptFilter {
        debtor_id: Some(debtor),
        ..AttemptFilter::default()
    };
    let mut attempts = Vec::new();
    let mut page = first_page();
    loop {
        let rows = store.list_attempts(&filter, &page).await?;
        attempts.extend(rows.items);
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => break,
        }
    }
    let mut recordings = Vec::new();
    for attempt in &attempts {
        if let Some(id) = attempt.recording_id {
            recordings.push((store.get_recording(id).await?, None));
        }
    }
    let of_debtor = ListFilter {
        debtor_id: Some(debtor),
        ..ListFilter::default()
    };
    let mut verdicts = store.verdicts_of(debtor, VERDICTS_MAX).await?;
    verdicts.reverse();
    Ok(Found {
        verdicts,
        chain: store.verdict_chain(debtor).await?,
        recordings,
        preferences: store
            .list_preferences(&of_debtor, &first_page())
            .await?
            .items,
        suppressions: store.contact_facts(debtor, ask.now).await?.suppressions,
        complaints: store
            .list_complaints(&of_debtor, &first_page())
            .await?
            .items,
        attempts,
        file,
    })
}

const fn first_page() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

/// The recordings' sound, each with the hash of what was put in.
async fn sounds(ask: &Ask<'_>, found: &mut Found, out: &mut Parcel) -> Result<(), EvidenceError> {
    let Some(blob) = ask.sound else {
        return Ok(());
    };
    for (recording, put) in &mut found.recordings {
        let whole = matches!(
            recording.outcome,
            RecordingOutcome::Sealed | RecordingOutcome::Repaired
        );
        if !whole {
            continue;
        }
        // Deleted when its time was over, or out of reach: its row and hash stay.
        let Ok(size) = blob.size(&recording.key).await else {
            continue;
        };
        let mut sound = Vec::new();
        while (sound.len() as u64) < size {
            match blob
                .read(&recording.key, sound.len() as u64, PART_BYTES)
                .await
            {
                Ok(part) if !part.is_empty() => sound.extend(part),
                _ => break,
            }
            if out.zip.len() + sound.len() > ARCHIVE_MAX {
                return Err(EvidenceError::TooLarge(ARCHIVE_MAX));
            }
        }
        if sound.len() as u64 == size {
            let name = format!("recordings/{}.wav", recording.id);
            out.put(&name, &sound)?;
            *put = Some(name);
        }
    }
    Ok(())
}

async fn tables(ask: &Ask<'_>, found: &Found, out: &mut Parcel) -> Result<(), EvidenceError> {
    let store = ask.store;
    let mut csv = header(Format::Csv)
        .map_err(EvidenceError::Write)?
        .unwrap_or_default();
    let mut names = Names::default();
    for attempt in &found.attempts {
        let named = names.of(store, attempt).await?;
        csv.extend(row(Format::Csv, attempt, &named).map_err(EvidenceError::Write)?);
    }
    out.put("attempts.csv", &csv)?;
    out.json("attempts.json", &found.attempts)?;
    out.json("decisions.json", &found.verdicts)?;
    let chain: Vec<Value> = found
        .chain
        .iter()
        .map(|l| {
            json!({"seq": l.seq, "id": l.id, "prev_hash": l.prev_hash, "hash": l.hash, "whole": l.whole})
        })
        .collect();
    out.json("decision-chain.json", &chain)?;
    out.json("ledger.json", &store.ledger_of(ask.debtor).await?)?;
    out.json("consents.json", &found.file.consents)?;
    out.json("preferences.json", &found.preferences)?;
    out.json("holds.json", &found.file.holds)?;
    out.json("do-not-call.json", &found.suppressions)?;
    out.json("promises.json", &found.file.promises)?;
    let payments: Vec<PaymentRow<'_>> = found.file.payments.iter().map(PaymentRow::of).collect();
    out.json("payments.json", &payments)?;
    out.json("debts.json", &found.file.debts)?;
    out.json("points.json", &found.file.points)?;
    out.json("complaints.json", &found.complaints)?;
    let recordings: Vec<&Recording> = found.recordings.iter().map(|r| &r.0).collect();
    out.json("recordings.json", &recordings)?;
    let mut about = subjects(ask.debtor, found);
    about.extend(agreed::put(ask, found, out).await?);
    out.json("audit.json", &store.events_about(&about).await?)
}

/// Everything of the debtor that events may be about.
fn subjects(debtor: DebtorId, found: &Found) -> Vec<String> {
    let mut all = vec![format!("debtor:{debtor}")];
    all.extend(found.attempts.iter().map(|a| format!("attempt:{}", a.id)));
    all.extend(
        found
            .recordings
            .iter()
            .map(|r| format!("recording:{}", r.0.id)),
    );
    all.extend(
        found
            .file
            .consents
            .iter()
            .map(|c| format!("consent:{}", c.id)),
    );
    all.extend(
        found
            .preferences
            .iter()
            .map(|p| format!("preference:{}", p.id)),
    );
    all.extend(found.file.holds.iter().map(|h| format!("hold:{}", h.id)));
    all.extend(
        found
            .suppressions
            .iter()
            .map(|s| format!("suppression:{}", s.id)),
    );
    all.extend(
        found
            .file
            .promises
            .iter()
            .map(|p| format!("promise:{}", p.id)),
    );
    all.extend(
        found
            .file
            .payments
            .iter()
            .map(|p| format!("payment:{}", p.id)),
    );
    all.extend(
        found
            .complaints
            .iter()
            .map(|c| format!("complaint:{}", c.id)),
    );
    all
}
