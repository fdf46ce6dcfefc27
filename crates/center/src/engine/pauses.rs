//! Pauses of recordings: asked for, for a card, and their end by the clock (faults.md §4, PCI).

use super::Engine;
use crate::asks::Actor;
use crate::closing;
use crate::error::CenterError;
use crate::live::{CallEntry, Tape, TapePause};
use domain::entity::RecordMode;
use domain::ids::AttemptId;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

impl Engine {
    /// What the recording is to do while a card is told (`false` = stand still), when it has to change.
    pub(crate) fn card_entry(
        &mut self,
        actor: Actor,
        attempt: AttemptId,
        open: bool,
    ) -> Result<Option<bool>, CenterError> {
        self.may_order(actor, attempt)?;
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return Ok(None);
        };
        if entry.ctx.task.rules.record == RecordMode::None {
            return Ok(None);
        }
        Ok(match (open, entry.tape, &mut entry.tape_pause) {
            (true, Tape::On, _) => Some(false),
            // A pause that was asked for becomes the card's: it must not end while a card is told.
            (true, Tape::Paused, Some(pause)) => {
                pause.card = true;
                None
            }
            (false, Tape::Paused, Some(pause)) if pause.card => Some(true),
            _ => None,
        })
    }

    /// The recording stands still or runs from now on; `why`: `asked`, `card`, `limit`.
    pub(crate) fn recording_set(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        on: bool,
        actor: Actor,
        why: &'static str,
    ) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        let agent = entry.agent;
        let fresh = on && entry.tape == Tape::Off;
        let before = entry.tape_pause.take();
        entry.tape = match (on, entry.tape) {
            (true, _) => Tape::On,
            (false, Tape::Off) => Tape::Off,
            (false, _) => Tape::Paused,
        };
        if entry.tape == Tape::Paused {
            let since = before.map_or(now, |p| p.since);
            let card = why == "card" || before.is_some_and(|p| p.card);
            let ending = false;
            entry.tape_pause = Some(TapePause {
                since,
                card,
                ending,
            });
        }
        if fresh {
            self.open_tape(attempt, now);
        } else if let Some(entry) = self.calls.get(&attempt) {
            let kind = if on {
                "recording.resumed"
            } else {
                "recording.masked"
            };
            let paused_ms = before.map(|p| now.since_ms(p.since));
            let data = json!({"on": on, "why": why, "paused_ms": paused_ms});
            let event = closing::event(&self.shared, &entry.ctx, actor, kind, data);
            self.shared.journal(event);
            self.note_pause(now, attempt);
        }
        self.dirty.extend(agent);
    }

    /// Ends pauses that have lasted as long as they may.
    pub(super) fn end_long_pauses(&mut self, now: UtcMs) {
        let longest = self.shared.config.recording_pause_ms;
        for (attempt, entry) in &mut self.calls {
            let Some(pause) = &mut entry.tape_pause else {
                continue;
            };
            if pause.ending || entry.over.is_some() || now.since_ms(pause.since) < longest {
                continue;
            }
            pause.ending = true;
            tracing::warn!(attempt = %attempt, longest_ms = longest, "recording goes on: its pause was too long");
            let (shared, attempt) = (Arc::clone(&self.shared), *attempt);
            tokio::spawn(async move {
                let done = shared.out.trunk.record(attempt, true).await;
                if let Err(reason) = done {
                    tracing::debug!(%attempt, %reason, "recording not resumed: its call is over");
                    return;
                }
                shared
                    .post
                    .tell(move |engine, now| {
                        engine.recording_set(now, attempt, true, Actor::System, "limit");
                    })
                    .await;
            });
        }
    }
}

/// When the pause ends by itself, epoch ms.
pub(super) fn pause_end(entry: &CallEntry, longest_ms: i64) -> Option<i64> {
    let pause = entry.tape_pause.filter(|_| entry.over.is_none())?;
    Some(pause.since.plus_ms(longest_ms).0)
}
