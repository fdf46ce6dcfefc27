//! The agent's head: messages, instants and what is heard go in, actions come out.

mod due;

use serde_json::Value;

use super::AgentFigures;
use super::behaviour::{Behaviour, Manner};
use super::wire::{Card, Me, Message};

/// Longest time an agent takes to end his call and write it down when he is to stop, ms.
pub const MAX_LEAVE_MS: u64 = 6_000;
/// Wait before a refused or failed request is made again, ms.
const AGAIN_MS: u64 = 3_000;
/// He asks for calls after this even if his leg seems down: the server opens it then, ms.
const LEG_WAIT_MS: u64 = 5_000;
/// How often his phone registers anew while the server misses it, ms.
const RENEW_MS: u64 = 5_000;
/// Tries to dispose of one call.
const MAX_TRIES: u32 = 4;
/// Signed out by the server for so long, he connects again, ms.
const OFFLINE_MS: u64 = 5_000;

/// What is heard on his leg since the last [`Action::Forget`], ms of the desk's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ears {
    /// First voice of a debtor.
    pub first_debtor_ms: Option<u64>,
    /// Last voice of a debtor.
    pub last_debtor_ms: Option<u64>,
    /// A machine's beep.
    pub beep_ms: Option<u64>,
}

/// A request, one at a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ask {
    Ready,
    Identity {
        attempt: String,
    },
    HangUp {
        attempt: String,
    },
    Dispose {
        attempt: String,
        code: &'static str,
        body: Value,
    },
    Preview {
        item: String,
        dial: bool,
    },
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// Done; the body, or null.
    Done(Value),
    /// Refused with a problem code.
    Refused(String),
    /// It never arrived, or its answer did not.
    Fault,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// Acknowledge a card.
    Ack(String),
    /// Subscribe, with what is known where something is.
    Subscribe(Option<(String, u64)>),
    /// Forget what was heard: a new call may come.
    Forget,
    /// Speak or fall silent.
    Speak(bool),
    /// Register the phone anew.
    Renew,
    /// Close the socket and come back.
    Reconnect,
    /// Send a request.
    Ask(Ask),
}

#[derive(Debug)]
struct Talk {
    attempt: String,
    manner: Manner,
    since: u64,
    speaks: bool,
    identity_asked: bool,
    identified_at: Option<u64>,
    ended_at: Option<u64>,
    by_debtor: bool,
    hang_up_after: u64,
    voice: Option<u64>,
    beep: Option<u64>,
    tries: u32,
    plainly: bool,
    written: bool,
}

#[derive(Debug)]
struct Popped {
    attempt: String,
    at: u64,
    card: Card,
}

/// One agent's head.
#[derive(Debug)]
pub(super) struct Desk {
    behaviour: Behaviour,
    seed: u64,
    name: String,
    index: u64,
    next: Manner,
    me: Me,
    boot: Option<String>,
    seq: Option<u64>,
    /// The server's clock less ours, ms.
    ahead: i64,
    state: String,
    state_since: u64,
    talk: Option<Talk>,
    popped: Option<Popped>,
    preview: Option<(String, u64)>,
    ready_at: Option<u64>,
    renew_at: u64,
    asked: Option<Ask>,
    quiet_until: u64,
    breaks: bool,
    leaving: bool,
    pub(super) figures: AgentFigures,
}

impl Desk {
    pub(super) fn new(behaviour: Behaviour, seed: u64, name: &str) -> Self {
        Self {
            next: Manner::draw(&behaviour, seed, name, 0),
            behaviour,
            seed,
            name: name.to_owned(),
            index: 0,
            me: Me::default(),
            boot: None,
            seq: None,
            ahead: 0,
            state: String::new(),
            state_since: 0,
            talk: None,
            popped: None,
            preview: None,
            ready_at: None,
            renew_at: 0,
            asked: None,
            quiet_until: 0,
            breaks: false,
            leaving: false,
            figures: AgentFigures::default(),
        }
    }

    /// A socket was opened.
    pub(super) fn connected(&mut self) {
        self.figures.connections += 1;
    }

    /// He is to go home.
    pub(super) const fn leave(&mut self) {
        self.leaving = true;
    }

    /// True when nothing keeps him.
    pub(super) fn may_go(&self) -> bool {
        let written = self.talk.as_ref().is_none_or(|talk| talk.written);
        self.leaving
            && written
            && !matches!(
                self.state.as_str(),
                "reserved" | "ringing" | "talking" | "hold"
            )
    }

    pub(super) fn message(&mut self, message: Message, now: u64, ears: &Ears) -> Vec<Action> {
        let mut out = Vec::new();
        match message {
            Message::Hello { boot } => self.hello(boot, &mut out),
            Message::Snap {
                seq,
                now: theirs,
                data,
            } => {
                self.me.replace(data);
                self.numbered(seq, theirs, now);
                self.follow(now, ears, &mut out);
            }
            Message::Delta {
                seq,
                now: theirs,
                data,
            } => {
                let hole = self.seq.is_none_or(|last| last + 1 != seq);
                self.me.merge(data);
                self.numbered(seq, theirs, now);
                self.follow(now, ears, &mut out);
                if hole {
                    out.push(Action::Subscribe(None));
                }
            }
            Message::Pop(card) => self.pop(card, now, &mut out),
            Message::Card(card) => self.card(card),
            Message::Preview { item } => {
                self.preview = Some((item, now + self.next.preview_ms));
            }
            Message::Pong | Message::Other => {}
        }
        out
    }

    fn hello(&mut self, boot: String, out: &mut Vec<Action>) {
        let same = self.boot.as_ref() == Some(&boot);
        if !same {
            self.seq = None;
            // A server that was started again has forgotten where the phone is.
            if self.boot.is_some() {
                out.push(Action::Renew);
            }
        }
        let known = self.seq.map(|seq| (boot.clone(), seq));
        self.boot = Some(boot);
        out.push(Action::Subscribe(known));
    }

    fn numbered(&mut self, seq: u64, theirs: i64, now: u64) {
        self.seq = Some(seq);
        self.ahead = theirs.saturating_sub_unsigned(now);
    }

    fn pop(&mut self, card: Card, now: u64, out: &mut Vec<Action>) {
        let Some(attempt) = card.attempt.clone() else {
            return;
        };
        out.push(Action::Ack(attempt.clone()));
        if self
            .popped
            .as_ref()
            .is_some_and(|popped| popped.attempt == attempt)
        {
            self.card(card);
            return;
        }
        self.figures.cards += 1;
        self.popped = Some(Popped {
            attempt,
            at: now,
            card,
        });
    }

    fn card(&mut self, card: Card) {
        if let Some(popped) = &mut self.popped
            && card.attempt.as_ref() == Some(&popped.attempt)
        {
            popped.card = card;
        }
    }

    /// Takes over what `me` says.
    fn follow(&mut self, now: u64, ears: &Ears, out: &mut Vec<Action>) {
        self.listen(ears);
        let state = self.me.state().to_owned();
        let attempt = self
            .me
            .attempt()
            .map(|(id, identified)| (id.to_owned(), identified));
        if matches!(state.as_str(), "talking" | "hold" | "wrapup") {
            if let Some((attempt, identified)) = attempt
                && self
                    .talk
                    .as_ref()
                    .is_none_or(|talk| talk.attempt != attempt)
            {
                self.begin(attempt, identified, now, out);
            }
        } else {
            self.finish(out);
        }
        if state == "wrapup"
            && let Some(talk) = self.talk.as_mut().filter(|talk| talk.ended_at.is_none())
        {
            talk.ended_at = Some(now);
            talk.by_debtor = self.me.ended_by_debtor();
            talk.speaks = false;
            out.push(Action::Speak(false));
        }
        if state != self.state {
            self.state = state;
            self.state_since = now;
            self.entered(now);
        }
    }

    fn entered(&mut self, now: u64) {
        self.ready_at = match (self.state.as_str(), self.me.pause_code()) {
            ("paused", "break") if self.breaks => Some(now + self.behaviour.break_ms),
            ("paused", "login" | "lagged" | "no_answer" | "wrap_timeout") => {
                Some(now + self.next.ready_ms)
            }
            // Another pause is somebody's wish, and his to end.
            _ => None,
        };
        if self.state != "preview" {
            self.preview = None;
        }
    }

    fn begin(&mut self, attempt: String, identified: bool, now: u64, out: &mut Vec<Action>) {
        let manner = self.next;
        self.draw_next();
        self.figures.calls += 1;
        // The call before went over into this one without a pause between.
        self.finish(out);
        self.talk = Some(Talk {
            attempt,
            manner,
            since: now,
            speaks: false,
            identity_asked: identified,
            identified_at: identified.then_some(now),
            ended_at: None,
            by_debtor: false,
            hang_up_after: 0,
            voice: None,
            beep: None,
            tries: 0,
            plainly: false,
            written: false,
        });
    }

    fn draw_next(&mut self) {
        self.index += 1;
        self.next = Manner::draw(&self.behaviour, self.seed, &self.name, self.index);
    }

    fn listen(&mut self, ears: &Ears) {
        if let Some(talk) = self.talk.as_mut().filter(|talk| talk.ended_at.is_none()) {
            talk.voice = talk.voice.or(ears.first_debtor_ms);
            talk.beep = talk.beep.or(ears.beep_ms);
        }
    }

    /// The call is behind him: card and voice are compared.
    fn finish(&mut self, out: &mut Vec<Action>) {
        let Some(talk) = self.talk.take() else { return };
        let popped = self
            .popped
            .as_ref()
            .filter(|popped| popped.attempt == talk.attempt);
        self.figures
            .judge(popped.map(|popped| popped.at), talk.voice);
        self.figures.machines += u64::from(talk.beep.is_some());
        if talk.speaks {
            out.push(Action::Speak(false));
        }
    }

    /// What came of the request under way.
    pub(super) fn answered(&mut self, answer: Answer, now: u64) {
        let Some(ask) = self.asked.take() else { return };
        match &answer {
            Answer::Refused(code) => {
                *self.figures.refused.entry(code.clone()).or_default() += 1;
            }
            Answer::Fault => {
                self.figures.faults += 1;
                self.quiet_until = now + AGAIN_MS / 3;
            }
            Answer::Done(_) => {}
        }
        match (ask, answer) {
            (Ask::Identity { attempt }, Answer::Done(body)) => self.identified(&attempt, body, now),
            (Ask::Identity { attempt }, Answer::Fault) => {
                self.on(&attempt, |t| t.identity_asked = false)
            }
            (Ask::HangUp { .. }, Answer::Done(_)) => self.figures.hang_ups += 1,
            (
                Ask::Dispose {
                    attempt,
                    code,
                    body,
                },
                Answer::Done(_),
            ) => {
                *self
                    .figures
                    .dispositions
                    .entry(code.to_owned())
                    .or_default() += 1;
                self.figures.promises += u64::from(!body["promise"].is_null());
                self.on(&attempt, |talk| talk.written = true);
            }
            (Ask::Dispose { attempt, .. }, Answer::Refused(_)) => {
                self.quiet_until = now + AGAIN_MS / 6;
                self.on(&attempt, |talk| {
                    talk.plainly = true;
                    talk.tries += 1;
                    talk.written = talk.tries >= MAX_TRIES;
                });
            }
            _ => {}
        }
    }

    fn identified(&mut self, attempt: &str, body: Value, now: u64) {
        self.figures.identities += 1;
        self.on(attempt, |talk| talk.identified_at = Some(now));
        if let Ok(card) = serde_json::from_value(body) {
            self.card(card);
        }
    }

    fn on(&mut self, attempt: &str, change: impl FnOnce(&mut Talk)) {
        if let Some(talk) = self.talk.as_mut().filter(|talk| talk.attempt == attempt) {
            change(talk);
        }
    }
}

#[cfg(test)]
mod tests;
