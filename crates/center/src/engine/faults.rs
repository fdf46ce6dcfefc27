//! Faults of the telephone side: one that ended a call is an alarm, and its end is a closed gate.

use super::Engine;
use dialer::{EndReport, Gate, Input};
use domain::ids::{AgentId, AttemptId};
use domain::time::{MINUTE_MS, UtcMs};

/// Name and kind of the alarm.
const ALARM: &str = "voice_fault";
/// How long the alarm stays up after the latest fault, ms.
const ALARM_MS: i64 = 10 * MINUTE_MS;

impl Engine {
    /// The work of a call or of an agent's leg broke off; its end is told by itself.
    pub(super) fn voice_fault(&mut self, now: UtcMs, attempt: Option<AttemptId>) {
        match attempt {
            Some(attempt) => self.shared.fault("a call broke off", &attempt),
            None => self
                .shared
                .fault("the telephone side", &"a leg or message broke off"),
        }
        self.fault_at = Some(now);
        let words = (
            "una falla interna terminó una llamada o descartó un mensaje SIP: avise a soporte"
                .to_owned(),
            "an internal fault ended a call or dropped a SIP message: tell support".to_owned(),
        );
        self.alarm(now, ALARM.to_owned(), ALARM, words);
    }

    /// The alarm goes once no fault has followed for a while.
    pub(super) fn fault_over(&mut self, now: UtcMs) {
        if self.fault_at.is_some_and(|at| now.since_ms(at) >= ALARM_MS) {
            self.fault_at = None;
            self.clear_alarm(ALARM);
        }
    }

    /// No report will come any more. While the node drains that is its end, else the telephone side is gone. What
    /// became of calls that are still up is not known.
    pub(super) fn reports_closed(&mut self, now: UtcMs) {
        if !self.brain.closed_gates().any(|gate| gate == Gate::Draining) {
            self.shared
                .fault("the telephone side ended", &"no report comes any more");
            self.gate(now, Gate::Voice, true);
        }
        let up: Vec<AttemptId> = self.brain.calls().map(|call| call.attempt).collect();
        for attempt in up {
            self.take(
                now,
                Input::Ended {
                    attempt,
                    end: EndReport::default(),
                },
            );
        }
        let agents: Vec<AgentId> = self.brain.agents().map(|(agent, _)| agent).collect();
        for agent in agents {
            self.leg(now, agent, false);
        }
    }
}
