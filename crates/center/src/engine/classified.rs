//! What the sound of an answered call is taken for: kept beside what the agent says of it, and acted on
//! where the campaign wants it.

use super::Engine;
use super::over::KNOWN;
use crate::amd::spares_mailboxes;
use crate::closing;
use crate::live::{CallCtx, CallEntry};
use crate::shared::{Shared, persist};
use dialer::{Heard, Input};
use domain::entity::{AmdAction, AmdMode};
use domain::ids::AttemptId;
use domain::ports::SoundVerdict;
use domain::ports::store::HeardCall;
use domain::rules::detector::{Acted, Truth, is_checked, is_mailbox, is_person, result_of_class};
use domain::rules::limited::may_be_left;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

/// A verdict as it is kept.
fn kept(attempt: AttemptId, at: UtcMs, verdict: &SoundVerdict, acted: Acted) -> HeardCall {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a likelihood in thousandths"
    )]
    let confidence_pm = (verdict.confidence * 1_000.0).round() as i64;
    HeardCall {
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
        acted,
        truth: None,
    }
}

impl Engine {
    /// A verdict came, or the beep of one before: acted on where the campaign wants it, and kept with
    /// its reasons and what was done.
    pub(super) fn classified(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        at: UtcMs,
        verdict: &SoundVerdict,
    ) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let acted = match entry.heard.as_ref().map(|h| h.acted) {
            // Its beep follows.
            Some(acted) => {
                if verdict.beep_ms.is_some() {
                    self.take(now, Input::Beep(attempt));
                }
                acted
            }
            None if decides(&self.shared, &entry.ctx, now) => {
                self.act_on(now, attempt, at, verdict)
            }
            None => Acted::Shadow,
        };
        let heard = kept(attempt, at, verdict, acted);
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        entry.heard = Some(heard.clone());
        self.dirty.extend(entry.agent);
        let trunk = entry.carrier();
        let met = entry.print.clone().filter(|_| heard.reason == KNOWN);
        let data = json!({
            "campaign_id": entry.ctx.stocked.setting.id(),
            "trunk_id": trunk,
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
            if let Some(print) = met {
                crate::amd::heard_again(&shared, trunk, attempt, print).await;
            }
        });
    }

    /// Tells the brain, and what it made of it.
    fn act_on(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        at: UtcMs,
        verdict: &SoundVerdict,
    ) -> Acted {
        let machine = result_of_class(verdict.class, verdict.beep_ms.is_some());
        let leave = verdict.class == "machine" && self.may_leave(now, attempt);
        let end = verdict.onset_ms.zip(verdict.speech_ms);
        // Counted back from the verdict: media may have begun long after the answer.
        let greeting_end = end.map(|(onset, speech)| {
            let since_ms = i64::from(verdict.decided_ms) - i64::from(onset) - i64::from(speech);
            at.plus_ms(-since_ms)
        });
        let heard = Heard {
            machine,
            greeting_end,
            leave,
            beep: verdict.beep_ms.is_some(),
        };
        self.take(now, Input::Judged { attempt, heard });
        let call = self.brain.call(attempt);
        let decided = call.is_some_and(|call| call.machine.is_some());
        let alone = call.is_some_and(dialer::Call::hears_message);
        match (decided, leave) {
            (true, true) => Acted::Message,
            (true, false) => Acted::Hangup,
            // The message goes on, and no agent gets the call.
            (false, _) if alone => Acted::Shadow,
            (false, _) if machine.is_some() && is_checked(attempt) => Acted::Checked,
            (false, _) => Acted::Agent,
        }
    }

    /// Whether a message may be left: the campaign has an approved one in the debtor's language, and his
    /// packs let this one be.
    fn may_leave(&self, now: UtcMs, attempt: AttemptId) -> bool {
        let Some(entry) = self.calls.get(&attempt) else {
            return false;
        };
        let stocked = &entry.ctx.stocked;
        let (setting, language) = (&stocked.setting, stocked.facts.debtor.language);
        let wanted = setting.campaign.params.amd_action == AmdAction::Message;
        let template = setting.voicemail.as_ref();
        let Some(template) = template.filter(|v| wanted && v.language == language) else {
            return false;
        };
        // Who may be called with an agent only hears no recorded voice.
        if entry.ctx.task.item.agent_only {
            return false;
        }
        let duties = self.shared.out.law.duties(&stocked.facts, now);
        let allowed = may_be_left(template, &self.shared.config.company, &duties);
        if let Err(reason) = allowed {
            tracing::info!(attempt = %attempt, reason, "no message for this mailbox");
        }
        allowed.is_ok()
    }

    /// The machine's beep was heard: its message is counted, then said.
    pub(super) fn leave_message(&self, attempt: AttemptId) {
        if let Some(entry) = self.calls.get(&attempt) {
            let (shared, ctx) = (Arc::clone(&self.shared), Arc::clone(&entry.ctx));
            tokio::spawn(crate::amd::leave(shared, ctx));
        }
    }

    /// The first second of what a call's far end said.
    pub(super) fn printed(&mut self, attempt: AttemptId, print: Vec<u8>) {
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.print = Some(print);
        }
    }

    /// An agent said by his code what the call was: its recording is learned, or forgotten.
    pub(super) fn learn_print(&mut self, attempt: AttemptId, code: &str) {
        let was = if is_mailbox(code) {
            Truth::Machine
        } else if is_person(code) {
            Truth::Person
        } else {
            return;
        };
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        let Some(print) = entry.print.take() else {
            return;
        };
        let trunk = entry.carrier();
        let new = first_mailbox_of_number(entry);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            crate::amd::learn(&shared, trunk, print, was, new).await;
        });
    }
}

/// Whether what is heard decides the call's fate.
fn decides(shared: &Shared, ctx: &CallCtx, now: UtcMs) -> bool {
    ctx.stocked.setting.campaign.params.amd == AmdMode::On || spares_mailboxes(shared, ctx, now)
}

/// Whether no earlier call to the same number met a mailbox: what one number repeats is its own.
fn first_mailbox_of_number(entry: &CallEntry) -> bool {
    let phone = entry.ctx.stocked.point.value.reveal();
    let before = |a: &domain::entity::Attempt| {
        a.id != entry.ctx.id
            && a.phone.reveal() == phone
            && a.disposition.as_deref().is_some_and(is_mailbox)
    };
    let known = entry.ctx.card.get();
    known.is_none_or(|source| !source.attempts.iter().any(before))
}
