//! What is heard before any answer: kept, and believed where the campaign lets sounds decide.

use super::Engine;
use crate::shared::persist;
use dialer::Input;
use domain::entity::AmdMode;
use domain::ids::AttemptId;
use domain::ports::SoundVerdict;
use domain::ports::store::{AttemptChange, EarlySound};
use domain::rules::results::of_tone;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

impl Engine {
    /// A tone of the network, or somebody who speaks before the answer.
    pub(super) fn early(&mut self, now: UtcMs, attempt: AttemptId, verdict: &SoundVerdict) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let acts = entry.ctx.stocked.setting.campaign.params.amd == AmdMode::On;
        let result = of_tone(verdict.class).filter(|_| acts);
        let data = json!({
            "early": true,
            "class": verdict.class,
            "confidence": verdict.confidence,
            "reason": verdict.reason,
            "decided_ms": verdict.decided_ms,
            "result": result,
        });
        let sound = EarlySound {
            attempt_id: attempt,
            trunk_id: entry.carrier(),
            at: now,
            class: verdict.class.to_owned(),
        };
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            if let Err(error) = persist!(shared, shared.out.store.put_early(&sound)) {
                shared.fault("what was heard before an answer was not written", &error);
            }
        });
        self.note(attempt, AttemptChange::default(), "amd.classified", data);
        if let Some(result) = result {
            self.take(now, Input::Toned { attempt, result });
        }
    }
}
