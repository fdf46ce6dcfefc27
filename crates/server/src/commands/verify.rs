//! `marcador verify recordings`: every answered, recordable call has a playable recording whose hash
//! matches, as stored and as heard.

use super::{read_config, say};
use crate::cli::VerifyCommand;
use crate::failure::Failure;
use crate::node::recordings::Shelves;
use domain::entity::{Attempt, RecordMode, Recording, RecordingOutcome, RecordingPlace};
use domain::ids::CampaignId;
use domain::law::RuleBook;
use domain::ports::store::{AttemptFilter, PageRequest};
use domain::ports::{Store, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// Attempts looked at in one query.
const PAGE: u32 = 500;
/// Difference between what a row and a file say of the length, ms: a row's is rounded.
const LENGTH_MS: i64 = 20;

/// What was found.
#[derive(Debug, Default)]
struct Count {
    attempts: u64,
    recordable: u64,
    whole: u64,
    sealed: u64,
    repaired: u64,
    /// Recordings whose time was over, deleted as planned.
    ended: u64,
    faults: u64,
    first: Option<String>,
}

impl Count {
    fn fault(&mut self, attempt: &Attempt, what: impl std::fmt::Display) {
        self.faults += 1;
        self.first
            .get_or_insert_with(|| format!("attempt {}: {what}", attempt.id));
    }

    fn told(&self) -> String {
        format!(
            "{} attempts, {} answered and recordable, {} recordings whole ({} of them sealed, {} repaired), \
             {} deleted when their time was over, {} faults",
            self.attempts,
            self.recordable,
            self.whole,
            self.sealed,
            self.repaired,
            self.ended,
            self.faults
        )
    }
}

/// Carries it out.
pub(crate) async fn run(what: VerifyCommand) -> Result<(), Failure> {
    let args = match what {
        VerifyCommand::Recordings(args) => args,
        VerifyCommand::Audit(args) => return super::verify_audit::run(args).await,
    };
    let config = read_config(&args)?;
    let store = crate::node::open_store(&config.database).await?;
    let shelves = Shelves::look(&config)?;
    let book = crate::node::rule_book(&config.law)?;
    let count = walk(&store, &shelves, &book).await?;
    say(count.told());
    match count.first {
        None => Ok(()),
        Some(first) => Err(Failure::Failed(anyhow::anyhow!("first fault: {first}"))),
    }
}

/// Whether the law let the recording of a call begin only once the debtor had agreed.
async fn asks_first(
    store: &Arc<dyn Store>,
    book: &RuleBook,
    attempt: &Attempt,
) -> anyhow::Result<bool> {
    let at = attempt.answered_at.unwrap_or(attempt.opened_at);
    match store.contact_facts(attempt.debtor_id, at).await {
        Ok(facts) => Ok(book.duties(&facts, at).all_party_consent),
        // The debtor was erased: no law speaks for him any more.
        Err(StoreError::NotFound(_)) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

async fn walk(store: &Arc<dyn Store>, shelves: &Shelves, book: &RuleBook) -> anyhow::Result<Count> {
    let mut count = Count::default();
    let mut modes: HashMap<CampaignId, RecordMode> = HashMap::new();
    let mut page = PageRequest {
        limit: PAGE,
        cursor: None,
    };
    loop {
        let rows = store
            .list_attempts(&AttemptFilter::default(), &page)
            .await?;
        for attempt in rows.items {
            count.attempts += 1;
            if attempt.answered_at.is_none() || attempt.ended_at.is_none() {
                continue;
            }
            let mode = match attempt.campaign_id {
                None => RecordMode::All,
                Some(id) => match modes.get(&id) {
                    Some(mode) => *mode,
                    None => {
                        let mode = store.get_campaign(id).await?.params.record;
                        modes.insert(id, mode);
                        mode
                    }
                },
            };
            // On demand: only those that were switched on have a recording.
            let expected = attempt.recording_id.is_some()
                || (mode == RecordMode::All && !asks_first(store, book, &attempt).await?);
            if expected {
                count.recordable += 1;
                check(store, shelves, &attempt, &mut count).await?;
            }
        }
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(count),
        }
    }
}

async fn check(
    store: &Arc<dyn Store>,
    shelves: &Shelves,
    attempt: &Attempt,
    count: &mut Count,
) -> anyhow::Result<()> {
    let Some(id) = attempt.recording_id else {
        count.fault(attempt, "answered without a recording");
        return Ok(());
    };
    let recording = store.get_recording(id).await?;
    let keep = match store.get_keep(id).await {
        Ok(keep) => Some(keep),
        Err(StoreError::NotFound(_)) => None,
        Err(other) => return Err(other.into()),
    };
    let ended = keep
        .as_ref()
        .is_some_and(|k| matches!(k.place, RecordingPlace::Deleting | RecordingPlace::Deleted));
    match recording.outcome {
        _ if ended => count.ended += 1,
        RecordingOutcome::Open => count.fault(attempt, "its recording is still open"),
        RecordingOutcome::Failed => count.fault(attempt, "its recording failed"),
        RecordingOutcome::Sealed | RecordingOutcome::Repaired => {
            let stored = keep.map(|k| k.stored_sha256);
            match fault_of(shelves, &recording, stored.as_deref()).await {
                Err(fault) => count.fault(attempt, format!("recording {id}: {fault}")),
                Ok(sealed) => {
                    count.whole += 1;
                    count.sealed += u64::from(sealed);
                    count.repaired += u64::from(recording.outcome == RecordingOutcome::Repaired);
                }
            }
        }
    }
    Ok(())
}

/// Reads a recording to its end; whether it is sealed, or what is wrong with it first.
async fn fault_of(
    shelves: &Shelves,
    recording: &Recording,
    stored: Option<&str>,
) -> Result<bool, String> {
    let (blob, key) = (&*shelves.stored, recording.key.as_str());
    let found = store::check_recording(blob, &shelves.keys, key)
        .await
        .map_err(|e| e.to_string())?;
    if Some(&found.sha256) != recording.sha256.as_ref() {
        return Err("the hash differs".to_owned());
    }
    if (found.duration_ms - recording.duration_ms).abs() > LENGTH_MS {
        return Err("the length differs".to_owned());
    }
    if let Some(expected) = stored {
        let there = store::stored_hash(blob, key).await;
        let (there, _) = there.map_err(|e| e.to_string())?;
        if there != expected {
            return Err("the hash of the stored bytes differs".to_owned());
        }
    }
    Ok(found.sealed)
}
