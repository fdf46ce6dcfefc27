//! Recordings: opened with the answer, sealed or failed.

use super::Engine;
use crate::closing;
use crate::live::Tape;
use crate::scribe::Step;
use crate::shared::persist;
use dialer::Gate;
use domain::entity::{Recording, RecordingOutcome};
use domain::ids::{AttemptId, RecordingId};
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

/// Pause of new calls after a recording failed, ms.
const RECORDER_PAUSE_MS: u64 = 30_000;

/// How a recording ended.
pub(super) struct Sealed {
    outcome: RecordingOutcome,
    sha256: Option<String>,
    duration_ms: i64,
    bytes: i64,
    gaps: Vec<(i64, i64, String)>,
}

impl Sealed {
    const fn event(&self) -> &'static str {
        match self.outcome {
            RecordingOutcome::Failed => "recording.gap_found",
            _ => "recording.sealed",
        }
    }

    pub(super) fn whole(
        sha256: String,
        duration_ms: i64,
        bytes: i64,
        gaps: Vec<(i64, i64, String)>,
    ) -> Self {
        Self {
            outcome: RecordingOutcome::Sealed,
            sha256: Some(sha256),
            duration_ms,
            bytes,
            gaps,
        }
    }
}

impl Engine {
    /// The recorder runs: its row is opened.
    pub(super) fn open_tape(&mut self, attempt: AttemptId, at: UtcMs) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        entry.tape = Tape::On;
        entry.tape_open = true;
        let row = Recording {
            id: entry.ctx.recording_id,
            attempt_id: attempt,
            client_id: entry.ctx.stocked.setting.client.id,
            key: entry.ctx.recording_key.clone(),
            outcome: RecordingOutcome::Open,
            sha256: None,
            duration_ms: 0,
            bytes: 0,
            gaps: Vec::new(),
            started_at: at,
            sealed_at: None,
        };
        let data = json!({"recording_id": row.id});
        let actor = self.shared.actor();
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let event = closing::event(&self.shared, &entry.ctx, actor, "recording.started", data);
        self.write(entry, Step::OpenRecording(Box::new(row), vec![event]));
    }

    pub(super) fn sealed(
        &mut self,
        at: UtcMs,
        attempt: AttemptId,
        recording: RecordingId,
        how: Sealed,
    ) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            self.seal_late(at, recording, how);
            return;
        };
        // Without a row the answer's own report was lost; sealed already: this one is a repeat.
        let never_opened = entry.tape == Tape::Off;
        if !entry.tape_open && !never_opened {
            return;
        }
        if never_opened {
            self.open_tape(attempt, at.plus_ms(-how.duration_ms));
        }
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        entry.tape_open = false;
        let ctx = Arc::clone(&entry.ctx);
        let started_at = entry.answered_at.unwrap_or(at.plus_ms(-how.duration_ms));
        self.count_tape(&how);
        let data = json!({"recording_id": recording, "duration_ms": how.duration_ms});
        let event = closing::event(&self.shared, &ctx, self.shared.actor(), how.event(), data);
        let row = Recording {
            id: recording,
            attempt_id: attempt,
            client_id: ctx.stocked.setting.client.id,
            key: ctx.recording_key.clone(),
            outcome: how.outcome,
            sha256: how.sha256,
            duration_ms: how.duration_ms,
            bytes: how.bytes,
            gaps: how.gaps,
            started_at,
            sealed_at: Some(at),
        };
        self.step(attempt, Step::PutRecording(Box::new(row), vec![event]));
    }

    fn count_tape(&mut self, how: &Sealed) {
        if how.outcome == RecordingOutcome::Failed {
            self.totals.recordings_failed += 1;
        } else {
            self.totals.recordings += 1;
            self.totals.recording_ms += u64::try_from(how.duration_ms).unwrap_or(0);
        }
    }

    /// The attempt is forgotten already: the stored row is completed, once.
    fn seal_late(&self, at: UtcMs, recording: RecordingId, how: Sealed) {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let Ok(row) = persist!(shared, shared.out.store.get_recording(recording)) else {
                shared.fault("sealed recording has no row", &recording);
                return;
            };
            if row.outcome != RecordingOutcome::Open {
                return;
            }
            let subject = format!("attempt:{}", row.attempt_id);
            let data = json!({"recording_id": recording, "duration_ms": how.duration_ms});
            let actor = shared.actor();
            let event = shared.event(Some(row.client_id), actor, how.event(), subject, data);
            let row = Recording {
                outcome: how.outcome,
                sha256: how.sha256.clone(),
                duration_ms: how.duration_ms,
                bytes: how.bytes,
                gaps: how.gaps.clone(),
                sealed_at: Some(at),
                ..row
            };
            let events = [event];
            if let Err(error) = persist!(shared, shared.out.store.put_recording(&row, &events)) {
                shared.fault("sealed recording not written", &error);
            }
            shared
                .post
                .tell(move |engine, _| engine.count_tape(&how))
                .await;
        });
    }

    /// Calls that cannot be recorded are not made: new ones wait a while, with an alarm.
    pub(super) fn recording_failed(
        &mut self,
        now: UtcMs,
        at: UtcMs,
        attempt: AttemptId,
        recording: RecordingId,
        reason: String,
    ) {
        tracing::error!(recording = %recording, attempt = %attempt, reason, "recording failed");
        let how = Sealed {
            outcome: RecordingOutcome::Failed,
            sha256: None,
            duration_ms: 0,
            bytes: 0,
            gaps: vec![(0, 0, reason)],
        };
        self.sealed(at, attempt, recording, how);
        self.gate(now, Gate::Recorder, true);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(RECORDER_PAUSE_MS)).await;
            post.tell(|engine, now| engine.gate(now, Gate::Recorder, false))
                .await;
        });
    }
}
