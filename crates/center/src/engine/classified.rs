//! What the sound of an answered call is taken for: kept beside what the agent says of it.

use super::Engine;
use crate::closing;
use crate::shared::persist;
use domain::ids::AttemptId;
use domain::ports::SoundVerdict;
use domain::ports::store::HeardCall;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

impl Engine {
    /// A verdict came: it is kept with its reasons. In shadow mode nobody acts on it.
    pub(super) fn classified(&self, attempt: AttemptId, at: UtcMs, verdict: &SoundVerdict) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a likelihood in thousandths"
        )]
        let confidence_pm = (verdict.confidence * 1_000.0).round() as i64;
        let heard = HeardCall {
            attempt_id: attempt,
            at,
            class: verdict.class.to_owned(),
            confidence_pm,
            reason: verdict.reason.to_owned(),
            decided_ms: i64::from(verdict.decided_ms),
            onset_ms: verdict.onset_ms.map(i64::from),
            speech_ms: verdict.speech_ms.map(i64::from),
            pauses: verdict.pauses.map(i64::from),
            beep_ms: verdict.beep_ms.map(i64::from),
        };
        let data = json!({
            "campaign_id": entry.ctx.stocked.setting.id(),
            "trunk_id": entry.moved_to.unwrap_or(entry.ctx.task.trunk),
            "heard": heard,
        });
        let actor = self.shared.actor();
        let event = closing::event(&self.shared, &entry.ctx, actor, "amd.classified", data);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let events = [event];
            if let Err(error) = persist!(shared, shared.out.store.put_heard(&heard, &events)) {
                shared.fault("verdict on a call's sound not written", &error);
            }
        });
    }
}
