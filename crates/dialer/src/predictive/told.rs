//! What a host tells all at once, beside the events: puts right what they left out.

use super::calls::Stage;
use super::{AgentState, CallPhase, Key, Predictive};

/// A call in flight as a host sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flight {
    /// Whose.
    pub id: Key,
    /// Where it stands.
    pub phase: CallPhase,
    /// Since its launch, s.
    pub launched_s: f64,
    /// Since it rings, s.
    pub ringing_s: Option<f64>,
    /// Estimate that a person answers, where there is one.
    pub estimate: Option<f64>,
}

impl Predictive {
    /// All agents who are signed in, as the host sees them: id, state, seconds in it, length of the
    /// last talk. Puts right what events did not tell.
    pub fn agents_are(&mut self, t: f64, all: &[(Key, AgentState, f64, f64)]) {
        let known: std::collections::BTreeSet<Key> = all.iter().map(|a| a.0).collect();
        self.agents.keep(|id| known.contains(&id));
        for (id, state, in_state, talk) in all {
            self.agents.set(t, *id, *state, *in_state, *talk);
        }
    }

    /// All calls in flight as the host sees them. Puts right what events did not tell: calls that are
    /// not known, and those that are further than they were told to be.
    pub fn calls_are(&mut self, t: f64, all: &[Flight]) {
        let known: std::collections::BTreeSet<Key> = all.iter().map(|c| c.id).collect();
        self.calls.keep(|id| known.contains(&id));
        for call in all {
            match self.calls.stage(call.id) {
                Some(stage) => self.catch_up(t, call, stage),
                None => self.adopt(t, call),
            }
        }
    }

    fn catch_up(&mut self, t: f64, call: &Flight, stage: Stage) {
        if stage == Stage::Setup && call.phase != CallPhase::Setup {
            let began = t - call.ringing_s.unwrap_or(0.0).max(0.0);
            self.calls.ringing(began, call.id);
        }
        match (stage, call.phase) {
            (Stage::Setup | Stage::Ring, CallPhase::Detect) => self.calls.answered(t, call.id),
            (Stage::Setup | Stage::Ring | Stage::Detect(_), CallPhase::Wait) => {
                self.calls.live(t, call.id);
            }
            _ => {}
        }
    }

    fn adopt(&mut self, t: f64, call: &Flight) {
        let rung = call.ringing_s.unwrap_or(0.0);
        let (stage, age) = match call.phase {
            CallPhase::Setup => (Stage::Setup, call.launched_s),
            CallPhase::Ring => (Stage::Ring, rung),
            CallPhase::Detect => (Stage::Detect(rung), 0.0),
            CallPhase::Wait => (Stage::Wait, 0.0),
        };
        let odds = call.estimate.map_or(1.0, |e| self.numbers.odds(e));
        self.calls
            .adopt(t, call.id, stage, age, (call.estimate, odds));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CallEvent, Settings};
    use super::*;

    fn policy() -> Predictive {
        let settings = Settings {
            target: 0.028,
            limit_s: 2.0,
            ring_timeout_s: 25.0,
        };
        Predictive::new(settings).unwrap()
    }

    const fn flight(id: Key, phase: CallPhase, launched_s: f64, ringing_s: Option<f64>) -> Flight {
        Flight {
            id,
            phase,
            launched_s,
            ringing_s,
            estimate: None,
        }
    }

    #[test]
    fn rows_say_the_same_as_the_events_they_stand_for() {
        let (mut told, mut shown) = (policy(), policy());
        for id in 1..=3 {
            told.call(0.0, id, CallEvent::Launched(None));
            shown.call(0.0, id, CallEvent::Launched(None));
        }
        told.call(2.0, 2, CallEvent::Ringing);
        told.call(2.0, 3, CallEvent::Ringing);
        told.call(6.0, 3, CallEvent::Live);
        shown.calls_are(
            6.0,
            &[
                flight(1, CallPhase::Setup, 6.0, None),
                flight(2, CallPhase::Ring, 6.0, Some(4.0)),
                flight(3, CallPhase::Wait, 6.0, Some(4.0)),
            ],
        );
        let chances = |p: &Predictive| p.outlook(6.0).map(|o| o[2]).collect::<Vec<f64>>();
        assert_eq!(chances(&told).len(), 2);
        for (a, b) in chances(&told).iter().zip(chances(&shown)) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        assert_eq!(told.in_flight(), shown.in_flight());
    }

    #[test]
    fn unknown_calls_are_taken_over_and_missing_ones_let_go() {
        let mut policy = policy();
        policy.call(0.0, 1, CallEvent::Launched(None));
        policy.calls_are(3.0, &[flight(2, CallPhase::Ring, 3.0, Some(1.0))]);
        assert_eq!(policy.in_flight(), 1);
        assert!(policy.demand(3.0) > 0.0);
        policy.calls_are(3.5, &[]);
        assert_eq!(policy.in_flight(), 0);
    }
}
