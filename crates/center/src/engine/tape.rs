//! Recordings: opened with the answer, sealed or failed.

use super::Engine;
use crate::closing;
use crate::live::{CallCtx, Tape};
use crate::scribe::Step;
use crate::shared::persist;
use dialer::Gate;
use domain::entity::{RecordMode, Recording, RecordingOutcome};
use domain::ids::{AttemptId, RecordingId};
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

/// Why there is silence where a recording stood still.
const PAUSE: &str = "pause";
/// Most pauses that an open row keeps.
const PAUSES_KEPT: usize = 200;

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

/// The row of a recording that is being made.
fn open_row(ctx: &CallCtx, started_at: UtcMs) -> Recording {
    Recording {
        id: ctx.recording_id,
        attempt_id: ctx.id,
        client_id: ctx.stocked.setting.client.id,
        key: ctx.recording_key.clone(),
        outcome: RecordingOutcome::Open,
        sha256: None,
        duration_ms: 0,
        bytes: 0,
        gaps: Vec::new(),
        started_at,
        sealed_at: None,
    }
}

/// Pauses that the row of an open recording had when its process died, and what the repair found: one
/// list. A pause that was still on lasts to the end of what is left.
pub(crate) fn with_pauses(
    noted: &[(i64, i64, String)],
    found: Vec<(i64, i64, String)>,
    duration_ms: i64,
) -> Vec<(i64, i64, String)> {
    let mut all = found;
    for (n, (from, to, why)) in noted.iter().enumerate() {
        let on = to <= from && n + 1 == noted.len();
        let to = if on {
            duration_ms
        } else {
            (*to).min(duration_ms)
        };
        let gap = (*from, to, why.clone());
        if *from < to && !all.contains(&gap) {
            all.push(gap);
        }
    }
    all.sort();
    all
}

impl Engine {
    /// A pause began or ended: the open row keeps it. The recorder writes its marks at the file's end,
    /// which a kill would take away.
    pub(super) fn note_pause(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(entry) = self.calls.get_mut(&attempt).filter(|e| e.tape_open) else {
            return;
        };
        let started_at = entry.answered_at.unwrap_or(now);
        let at = now.since_ms(started_at);
        let open = entry
            .tape_gaps
            .last_mut()
            .filter(|(from, to, _)| to <= from);
        match (entry.tape == Tape::Paused, open) {
            (false, Some(gap)) => gap.1 = at.max(gap.0 + 1),
            (true, None) => {}
            // Asked again while it stands still, or runs.
            (true, Some(_)) | (false, None) => return,
        }
        if entry.tape == Tape::Paused {
            if entry.tape_gaps.len() >= PAUSES_KEPT {
                return;
            }
            entry.tape_gaps.push((at, at, PAUSE.to_owned()));
        }
        let row = Recording {
            gaps: entry.tape_gaps.clone(),
            ..open_row(&entry.ctx, started_at)
        };
        self.step(attempt, Step::PutRecording(Box::new(row), Vec::new()));
    }

    /// The recorder runs: its row is opened.
    pub(super) fn open_tape(&mut self, attempt: AttemptId, at: UtcMs) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        entry.tape = Tape::On;
        entry.tape_open = true;
        let row = open_row(&entry.ctx, at);
        let data = json!({"recording_id": row.id});
        let actor = self.shared.actor();
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let event = closing::event(&self.shared, &entry.ctx, actor, "recording.started", data);
        self.write(entry, Step::OpenRecording(Box::new(row), vec![event]));
    }

    /// An answer that only the end told of: nobody was on the line, and nothing was recorded. Its row says
    /// so, until a seal says better.
    pub(super) fn no_tape(&self, attempt: AttemptId, at: UtcMs) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        if entry.tape != Tape::Off || entry.ctx.task.rules.record != RecordMode::All {
            return;
        }
        let row = Recording {
            id: entry.ctx.recording_id,
            attempt_id: attempt,
            client_id: entry.ctx.stocked.setting.client.id,
            key: entry.ctx.recording_key.clone(),
            outcome: RecordingOutcome::Failed,
            sha256: None,
            duration_ms: 0,
            bytes: 0,
            gaps: vec![(0, 0, "ended_at_the_answer".to_owned())],
            started_at: at,
            sealed_at: Some(at),
        };
        let data = json!({"recording_id": row.id, "duration_ms": 0});
        let actor = self.shared.actor();
        let kind = "recording.gap_found";
        let event = closing::event(&self.shared, &entry.ctx, actor, kind, data);
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
            // A whole recording is better news than none; a repeat is none.
            let better =
                row.outcome == RecordingOutcome::Failed && how.outcome == RecordingOutcome::Sealed;
            if row.outcome != RecordingOutcome::Open && !better {
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

    /// The pause after the `nth` failure is over; a later failure has one of its own.
    fn recorder_rested(&mut self, now: UtcMs, nth: u64) {
        if nth == self.recorder_fails {
            self.gate(now, Gate::Recorder, false);
        }
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
        self.recorder_fails += 1;
        let (post, nth) = (self.shared.post.clone(), self.recorder_fails);
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(RECORDER_PAUSE_MS)).await;
            post.tell(move |engine, now| engine.recorder_rested(now, nth))
                .await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from: i64, to: i64, why: &str) -> (i64, i64, String) {
        (from, to, why.to_owned())
    }

    #[test]
    fn a_dead_process_leaves_its_pauses() {
        let noted = [gap(1_000, 3_000, PAUSE), gap(8_000, 8_000, PAUSE)];
        let cut = gap(9_500, 9_500, "cut");
        let expected = [
            gap(1_000, 3_000, PAUSE),
            gap(8_000, 9_500, PAUSE),
            cut.clone(),
        ];
        assert_eq!(with_pauses(&noted, vec![cut.clone()], 9_500), expected);
        // What was lost took the second pause with it; the first is cut where the sound is.
        assert_eq!(
            with_pauses(&noted, vec![], 2_500),
            [gap(1_000, 2_500, PAUSE)]
        );
        // The file's own marks say the same: once is enough.
        let own = vec![gap(1_000, 3_000, PAUSE)];
        assert_eq!(with_pauses(&noted[..1], own.clone(), 9_500), own);
        assert_eq!(with_pauses(&[], vec![cut.clone()], 9_500), [cut]);
    }
}
