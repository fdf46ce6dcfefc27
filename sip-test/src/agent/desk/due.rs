//! What an agent does by the clock: ready, first word, identity, hang-up, disposition.

use serde_json::json;

use super::{AGAIN_MS, Action, Ask, Desk, Ears, LEG_WAIT_MS, OFFLINE_MS, RENEW_MS};
use crate::agent::behaviour::Who;
use crate::agent::verdict::{Told, verdict};

impl Desk {
    /// What is due now.
    pub(in crate::agent) fn tick(&mut self, now: u64, ears: &Ears) -> Vec<Action> {
        self.listen(ears);
        let mut out = Vec::new();
        match self.state.as_str() {
            "paused" => self.paused(now, &mut out),
            "preview" => self.previewing(now, &mut out),
            "talking" | "hold" => self.talking(now, ears, &mut out),
            "wrapup" => self.wrapping(now, &mut out),
            "offline" if now >= self.state_since + OFFLINE_MS => {
                self.state_since = now;
                out.push(Action::Reconnect);
            }
            _ => {}
        }
        if !self.state.is_empty() && !self.me.registered() && now >= self.renew_at {
            self.renew_at = now + RENEW_MS;
            out.push(Action::Renew);
        }
        out
    }

    fn ask(&mut self, ask: Ask, now: u64, out: &mut Vec<Action>) -> bool {
        if self.asked.is_some() || now < self.quiet_until {
            return false;
        }
        self.asked = Some(ask.clone());
        out.push(Action::Ask(ask));
        true
    }

    fn paused(&mut self, now: u64, out: &mut Vec<Action>) {
        let leg = self.me.leg_up() || now >= self.state_since + LEG_WAIT_MS;
        if self.leaving || !leg || self.ready_at.is_none_or(|at| now < at) {
            return;
        }
        out.push(Action::Forget);
        if self.ask(Ask::Ready, now, out) {
            self.ready_at = Some(now + AGAIN_MS);
        }
    }

    fn previewing(&mut self, now: u64, out: &mut Vec<Action>) {
        let Some((item, _)) = self.preview.clone().filter(|(_, at)| now >= *at) else {
            return;
        };
        let dial = !self.next.skips && !self.leaving;
        out.push(Action::Forget);
        if self.ask(Ask::Preview { item, dial }, now, out) {
            self.preview = None;
            if !dial {
                self.draw_next();
            }
        }
    }

    fn talking(&mut self, now: u64, ears: &Ears, out: &mut Vec<Action>) {
        let (silence_ms, machine_ms) = (self.behaviour.silence_ms, self.behaviour.machine_ms);
        let Some(talk) = self.talk.as_mut() else {
            return;
        };
        let card = self.popped.as_ref().filter(|p| p.attempt == talk.attempt);
        let unknown = card.is_some_and(|p| p.card.unknown_caller.is_some());
        let into = now.saturating_sub(talk.since);
        if !talk.speaks && into >= talk.manner.first_word_ms {
            talk.speaks = true;
            out.push(Action::Speak(true));
        }
        let heard = ears.last_debtor_ms.unwrap_or(0).max(talk.since);
        let silent = now.saturating_sub(heard) >= silence_ms;
        let machine = talk.beep.is_some_and(|at| now >= at + machine_ms);
        let over = into >= talk.manner.talk_ms || silent || machine || self.leaving;
        let (attempt, titular) = (talk.attempt.clone(), talk.manner.who == Who::Titular);
        if over && now >= talk.hang_up_after {
            talk.hang_up_after = now + AGAIN_MS;
            self.ask(Ask::HangUp { attempt }, now, out);
        } else if !talk.identity_asked
            && titular
            && !unknown
            && talk.beep.is_none()
            // Nobody is asked who he is before he was heard.
            && talk.voice.is_some()
            && into >= talk.manner.identity_ms
        {
            let asked = self.ask(Ask::Identity { attempt }, now, out);
            if let Some(talk) = self.talk.as_mut() {
                talk.identity_asked = asked;
            }
        }
    }

    fn wrapping(&mut self, now: u64, out: &mut Vec<Action>) {
        let server_now = self.ahead.saturating_add_unsigned(now);
        let Some(talk) = self.talk.as_ref().filter(|talk| !talk.written) else {
            return;
        };
        let Some(ended) = talk.ended_at else { return };
        if now < ended + talk.manner.wrap_ms && !self.leaving {
            return;
        }
        let told = Told {
            length_ms: ended.saturating_sub(talk.since),
            identified_ms: talk.identified_at.map(|at| at.saturating_sub(talk.since)),
            voice: talk.voice.is_some(),
            beep: talk.beep.is_some(),
            by_debtor: talk.by_debtor,
            plainly: talk.plainly,
        };
        let card = self
            .popped
            .as_ref()
            .filter(|popped| popped.attempt == talk.attempt);
        let (code, mut body) = verdict(
            &told,
            &talk.manner,
            card.map(|popped| &popped.card),
            server_now,
        );
        let rests = talk.manner.takes_break || self.leaving;
        body["then"] = json!(if rests { "paused" } else { "ready" });
        if rests {
            body["pause_code"] = json!("break");
        }
        let attempt = talk.attempt.clone();
        if self.ask(
            Ask::Dispose {
                attempt,
                code,
                body,
            },
            now,
            out,
        ) {
            self.breaks = rests;
            // From the answer on a new call may be put through. What was heard is in the talk.
            out.insert(0, Action::Forget);
        }
    }
}
