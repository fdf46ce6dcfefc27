//! The evidence of one debtor in one archive: what was done, by which decision, with which number, what was
//! allowed and asked for, what was said, and who looked at it.

mod agreed;
mod found;
mod page;
mod paper;
mod sections;
mod zip;

pub use self::zip::ARCHIVE_MAX;

use self::found::{Found, is_whole};
use self::zip::Zip;
use crate::routes::history::export_row::{Format, Names, header, row};
use domain::entity::{Complaint, Message, Payment, Recording, RecordingOutcome};
use domain::ids::DebtorId;
use domain::import::reference::own_reference;
use domain::ports::{Blob, Store, StoreError};
use domain::time::UtcMs;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Bytes of a recording read at once.
const PART_BYTES: u64 = 1 << 20;

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

/// A message with the hash of what was sent.
#[derive(Serialize)]
struct MessageRow<'a> {
    #[serde(flatten)]
    message: &'a Message,
    /// SHA-256 of subject, a line feed and text, hex.
    text_sha256: String,
}

impl<'a> MessageRow<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            text_sha256: text_hash(message),
            message,
        }
    }
}

/// SHA-256 of subject, a line feed and text of a message, hex.
fn text_hash(message: &Message) -> String {
    let text = format!("{}\n{}", message.subject, message.body.reveal());
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The archive's bytes.
///
/// # Errors
/// The database away; an archive over [`ARCHIVE_MAX`].
pub async fn archive(ask: &Ask<'_>) -> Result<Vec<u8>, EvidenceError> {
    let mut found = found::read(ask).await?;
    let mut out = Parcel {
        zip: Zip::default(),
        manifest: Vec::new(),
    };
    sounds(ask, &mut found, &mut out).await?;
    tables(ask, &found, &mut out).await?;
    let sections = sections::all(&found, &out.manifest);
    let page = page::index(ask, &found, &sections);
    let paper = paper::index(ask, &found, &sections);
    out.put("index.html", page.as_bytes())?;
    out.put("index.pdf", &paper)?;
    let chains: Vec<Value> = found
        .chains
        .iter()
        .map(|(debtor, chain)| {
            json!({"debtor_id": debtor, "decisions": chain.len(), "whole": is_whole(chain),
                "last_decision_hash": chain.last().map(|l| l.hash.clone())})
        })
        .collect();
    let own = found.chains.first().and_then(|(_, chain)| chain.last());
    let manifest = json!({
        "made_at": ask.now, "made_by": ask.made_by, "debtor_id": ask.debtor,
        "complaint_id": ask.complaint.as_ref().map(|c| c.id),
        "decisions": found.decisions(), "chain_whole": found.chain_is_whole(),
        "last_decision_hash": own.map(|l| l.hash.clone()), "chains": chains,
        "files": out.manifest,
    });
    let text =
        serde_json::to_vec_pretty(&manifest).map_err(|e| EvidenceError::Write(e.to_string()))?;
    out.zip.add("manifest.json", &text)?;
    out.zip.close()
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
    let links = found.chains.iter();
    let chain: Vec<Value> = links
        .flat_map(|(debtor, chain)| chain.iter().map(move |l| (debtor, l)))
        .map(|(debtor, l)| {
            json!({"debtor_id": debtor, "seq": l.seq, "id": l.id, "prev_hash": l.prev_hash, "hash": l.hash, "whole": l.whole})
        })
        .collect();
    out.json("decision-chain.json", &chain)?;
    out.json("ledger.json", &found.ledger)?;
    out.json("merges.json", &found.merges)?;
    out.json("merged-files.json", &found.others)?;
    let messages: Vec<MessageRow<'_>> = found.messages.iter().map(MessageRow::of).collect();
    out.json("messages.json", &messages)?;
    out.json("messages-received.json", &found.inbox)?;
    out.put("numbers-shown.csv", sections::shown_csv(found).as_bytes())?;
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
    let mut add = |kind: &str, ids: Vec<String>| {
        all.extend(ids.into_iter().map(|id| format!("{kind}:{id}")));
    };
    macro_rules! of {
        ($kind:literal $rows:expr) => {
            add($kind, $rows.iter().map(|row| row.id.to_string()).collect());
        };
    }
    of!("debtor" found.others);
    of!("attempt" found.attempts);
    of!("message" found.messages);
    of!("inbox" found.inbox);
    of!("consent" found.file.consents);
    of!("preference" found.preferences);
    of!("hold" found.file.holds);
    of!("suppression" found.suppressions);
    of!("dnc-list" found.suppressions);
    of!("promise" found.file.promises);
    of!("payment" found.file.payments);
    of!("complaint" found.complaints);
    let sounds = found.recordings.iter().map(|(r, _)| r.id.to_string());
    add("recording", sounds.collect());
    all
}
