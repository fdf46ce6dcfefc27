//! What an agent did and measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::phone::PhoneState;

/// Figures of one agent, or of several together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentFigures {
    /// Sign-ins that succeeded.
    pub sign_ins: u64,
    /// Websockets opened; above one, he came back.
    pub connections: u64,
    /// Cards that popped, repeats not counted.
    pub cards: u64,
    /// Cards that were read before the debtor was first heard on the leg.
    pub cards_before_voice: u64,
    /// Cards that came after the voice, and voices without a card.
    pub cards_after_voice: u64,
    /// Calls in which the debtor was never heard.
    pub silent_calls: u64,
    /// Least lead of a card over the voice, ms; negative where the voice was first.
    pub least_lead_ms: Option<i64>,
    /// Calls he talked in.
    pub calls: u64,
    /// Identities he ticked.
    pub identities: u64,
    /// Calls he hung up.
    pub hang_ups: u64,
    /// Calls in which he heard a machine's beep.
    pub machines: u64,
    /// Promises the server took.
    pub promises: u64,
    /// Dispositions the server took, by code.
    pub dispositions: BTreeMap<String, u64>,
    /// Requests the server refused, by problem code.
    pub refused: BTreeMap<String, u64>,
    /// Requests and connections that failed on the way.
    pub faults: u64,
    /// Calls his phone answered.
    pub phone_calls: u64,
    /// Registrations of his phone, renewals too.
    pub registrations: u64,
}

impl AgentFigures {
    /// Adds another agent's figures.
    pub fn add(&mut self, other: &Self) {
        self.sign_ins += other.sign_ins;
        self.connections += other.connections;
        self.cards += other.cards;
        self.cards_before_voice += other.cards_before_voice;
        self.cards_after_voice += other.cards_after_voice;
        self.silent_calls += other.silent_calls;
        self.least_lead_ms = [self.least_lead_ms, other.least_lead_ms]
            .into_iter()
            .flatten()
            .min();
        self.calls += other.calls;
        self.identities += other.identities;
        self.hang_ups += other.hang_ups;
        self.machines += other.machines;
        self.promises += other.promises;
        for (code, count) in &other.dispositions {
            *self.dispositions.entry(code.clone()).or_default() += count;
        }
        for (code, count) in &other.refused {
            *self.refused.entry(code.clone()).or_default() += count;
        }
        self.faults += other.faults;
        self.phone_calls += other.phone_calls;
        self.registrations += other.registrations;
    }

    pub(super) fn phone(&mut self, state: &PhoneState) {
        self.phone_calls = state.calls;
        self.registrations = state.registrations;
    }

    /// Counts whether the card of a call came before its voice. Instants in ms of one clock.
    pub(super) fn judge(&mut self, popped: Option<u64>, voice: Option<u64>) {
        let Some(voice) = voice else {
            self.silent_calls += 1;
            return;
        };
        let Some(popped) = popped else {
            self.cards_after_voice += 1;
            return;
        };
        let lead =
            i64::try_from(voice).unwrap_or(i64::MAX) - i64::try_from(popped).unwrap_or(i64::MAX);
        self.least_lead_ms = Some(self.least_lead_ms.map_or(lead, |least| least.min(lead)));
        if lead >= 0 {
            self.cards_before_voice += 1;
        } else {
            self.cards_after_voice += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_held_against_voices() {
        let mut figures = AgentFigures::default();
        figures.judge(Some(100), Some(140));
        figures.judge(Some(100), Some(100));
        figures.judge(Some(100), Some(90));
        figures.judge(None, Some(10));
        figures.judge(Some(5), None);
        assert_eq!(
            (figures.cards_before_voice, figures.cards_after_voice),
            (2, 2)
        );
        assert_eq!(
            (figures.silent_calls, figures.least_lead_ms),
            (1, Some(-10))
        );
        let mut both = AgentFigures {
            least_lead_ms: Some(7),
            ..AgentFigures::default()
        };
        both.add(&figures);
        both.add(&AgentFigures::default());
        assert_eq!(
            (both.cards_before_voice, both.least_lead_ms),
            (2, Some(-10))
        );
    }
}
