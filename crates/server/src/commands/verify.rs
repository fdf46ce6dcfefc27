//! `marcador verify recordings`: every answered, recordable call has a playable recording whose hash
//! matches.

use super::{read_config, say};
use crate::cli::VerifyCommand;
use crate::config::Config;
use crate::failure::Failure;
use domain::entity::{Attempt, RecordMode, RecordingOutcome};
use domain::ids::CampaignId;
use domain::ports::Store;
use domain::ports::store::{AttemptFilter, PageRequest};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Attempts looked at in one query.
const PAGE: u32 = 500;

/// What was found.
#[derive(Debug, Default)]
struct Count {
    attempts: u64,
    recordable: u64,
    whole: u64,
    repaired: u64,
    faults: u64,
    first: Option<String>,
}

impl Count {
    fn fault(&mut self, attempt: &Attempt, what: impl std::fmt::Display) {
        self.faults += 1;
        self.first
            .get_or_insert_with(|| format!("attempt {}: {what}", attempt.id));
    }
}

/// Carries it out.
pub(crate) async fn run(what: VerifyCommand) -> Result<(), Failure> {
    let VerifyCommand::Recordings(args) = what;
    let config = read_config(&args)?;
    let store = crate::node::open_store(&config.database.url).await?;
    let count = walk(&store, &config).await?;
    say(format!(
        "{} attempts, {} answered and recordable, {} recordings whole ({} of them repaired), {} faults",
        count.attempts, count.recordable, count.whole, count.repaired, count.faults
    ));
    match count.first {
        None => Ok(()),
        Some(first) => Err(Failure::Failed(anyhow::anyhow!("first fault: {first}"))),
    }
}

async fn walk(store: &Arc<dyn Store>, config: &Config) -> anyhow::Result<Count> {
    let dir = config.recordings_dir();
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
            if mode == RecordMode::All {
                count.recordable += 1;
                check(store, &dir, &attempt, &mut count).await?;
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
    dir: &Path,
    attempt: &Attempt,
    count: &mut Count,
) -> anyhow::Result<()> {
    let Some(id) = attempt.recording_id else {
        count.fault(attempt, "answered without a recording");
        return Ok(());
    };
    let recording = store.get_recording(id).await?;
    match recording.outcome {
        RecordingOutcome::Open => count.fault(attempt, "its recording is still open"),
        RecordingOutcome::Failed => count.fault(attempt, "its recording failed"),
        RecordingOutcome::Sealed | RecordingOutcome::Repaired => {
            let path = dir.join(&recording.key);
            match file_facts(&path) {
                Err(e) => count.fault(attempt, format!("recording {id}: {e}")),
                Ok((hash, _)) if Some(&hash) != recording.sha256.as_ref() => {
                    count.fault(attempt, format!("recording {id}: the hash differs"));
                }
                Ok((_, duration_ms)) if (duration_ms - recording.duration_ms).abs() > 20 => {
                    count.fault(attempt, format!("recording {id}: the length differs"));
                }
                Ok(_) => {
                    count.whole += 1;
                    count.repaired += u64::from(recording.outcome == RecordingOutcome::Repaired);
                }
            }
        }
    }
    Ok(())
}

/// Hash and length of a file; an error when it is no playable WAV of two channels at 8 kHz.
fn file_facts(path: &Path) -> anyhow::Result<(String, i64)> {
    use sha2::Digest as _;
    let bytes = std::fs::read(path)?;
    let reader = hound::WavReader::new(bytes.as_slice())?;
    let spec = reader.spec();
    if (spec.channels, spec.sample_rate, spec.bits_per_sample) != (2, 8_000, 16) {
        anyhow::bail!("not 8 kHz, 16 bit, two channels");
    }
    let duration_ms = i64::from(reader.duration()) / 8;
    if reader.into_samples::<i16>().any(|s| s.is_err()) {
        anyhow::bail!("cannot be played to its end");
    }
    let hash = hex::encode(sha2::Sha256::digest(&bytes));
    Ok((hash, duration_ms))
}
