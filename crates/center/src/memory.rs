//! What forecasts learned, carried over a restart: one setting a campaign, written each minute and at
//! the end, read when the campaign is taken up first.

use crate::shared::Shared;
use crate::tasks::pause;
use dialer::Input;
use dialer::predictive::Memory;
use domain::ids::CampaignId;
use domain::ports::store::StoreError;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Between two writings, ms.
const EVERY_MS: u64 = 60_000;
/// Longest stored memory, bytes; a forecast's is about 30,000.
const BYTES_MAX: usize = 200_000;

/// A memory as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// When, epoch ms.
    at: i64,
    parts: BTreeMap<String, Vec<f64>>,
}

fn key(campaign: CampaignId) -> String {
    format!("pacing_memory:{campaign}")
}

fn text(memory: &Memory, at: UtcMs) -> Option<String> {
    // Thousandths of a call or a second are finer than anything learned.
    let round = |x: &f64| (x * 1000.0).round() / 1000.0;
    let parts = memory.parts.iter();
    let kept = Kept {
        at: at.0,
        parts: parts
            .map(|(name, figures)| (name.clone(), figures.iter().map(round).collect()))
            .collect(),
    };
    serde_json::to_string(&kept)
        .ok()
        .filter(|text| text.len() <= BYTES_MAX)
}

fn parse(text: &str, now: UtcMs) -> Option<(Memory, i64)> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let kept: Kept = serde_json::from_str(text).ok()?;
    let memory = Memory {
        parts: kept.parts.into_iter().collect(),
    };
    Some((memory, now.since_ms(UtcMs(kept.at)).max(0)))
}

/// Hands a campaign that was just taken up what it knew before. Without it the forecast starts from its
/// priors: nothing is refused for it.
pub(crate) async fn recall(shared: &Shared, campaign: CampaignId) {
    let stored = match shared.out.store.get_setting(&key(campaign)).await {
        Ok(stored) => stored,
        Err(error) => return shared.mind(&error).await,
    };
    let Some((memory, age_ms)) = stored.and_then(|text| parse(&text, shared.now())) else {
        return;
    };
    shared
        .post
        .tell(move |engine, now| {
            let memory = Box::new(memory);
            engine.take(
                now,
                Input::Recall {
                    campaign,
                    memory,
                    age_ms,
                },
            );
        })
        .await;
}

/// Writes what every forecast knows now.
async fn keep(shared: &Shared) -> Result<(), StoreError> {
    let Ok(all) = shared.post.call(|engine, _| engine.memories()).await else {
        return Ok(());
    };
    for (campaign, memory) in all {
        if let Some(text) = text(&memory, shared.now()) {
            shared.out.store.put_setting(&key(campaign), &text).await?;
        }
    }
    Ok(())
}

/// Writes each minute until the center stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    while pause(&mut stop, EVERY_MS).await {
        if let Err(error) = keep(&shared).await {
            shared.mind(&error).await;
        }
    }
}

/// Writes once more before the engine is gone.
pub(crate) async fn at_the_end(shared: &Shared) {
    if let Err(error) = keep(shared).await {
        tracing::warn!(reason = %error, "what the forecasts learned since the last minute is not kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_comes_back_with_its_age() {
        let memory = Memory {
            parts: vec![
                ("bank".into(), vec![-3.912, 1.5, 0.0]),
                ("ring".into(), vec![0.0; 200]),
            ],
        };
        let text = text(&memory, UtcMs(1_000)).unwrap();
        assert!(text.len() < 1_000);
        assert_eq!(parse(&text, UtcMs(61_000)), Some((memory, 60_000)));
    }

    #[test]
    fn what_is_no_memory_is_none() {
        for text in ["", "{}", "[1]", "{\"at\":1,\"parts\":{\"ring\":[\"x\"]}}"] {
            assert_eq!(parse(text, UtcMs(0)), None);
        }
        let long = format!(
            "{{\"at\":1,\"parts\":{{}},\"x\":\"{}\"}}",
            "y".repeat(BYTES_MAX)
        );
        assert_eq!(parse(&long, UtcMs(0)), None);
    }
}
