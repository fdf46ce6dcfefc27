//! Agents' time as figures see it.

use super::{KpiFact, KpiRows, View};
use crate::entity::AgentSpell;
use crate::ids::DebtorId;
use crate::rules::agent_state::AgentState as S;

impl KpiRows {
    /// Whether time in a state belongs to rows of agents' time: all of it, that of conversations with what
    /// follows them, or that in which an agent serves.
    #[must_use]
    pub const fn counts(self, state: S) -> bool {
        let busy = matches!(state, S::Talking | S::Hold | S::Wrapup);
        match self {
            Self::LoginTime => !matches!(state, S::Offline),
            Self::BusyTime => busy,
            Self::ServingTime => busy || matches!(state, S::Ready | S::Reserved | S::Ringing),
            _ => false,
        }
    }
}

impl View<'_> {
    /// Spells that reach into the period; weight: what of each lies in it.
    pub(super) fn time(&self, rows: KpiRows) -> Vec<KpiFact> {
        let (ask, period) = (self.ask, &self.ask.period);
        let wanted = |s: &&AgentSpell| {
            let of = ask
                .agents
                .as_ref()
                .is_none_or(|agents| agents.contains(&s.agent_id));
            s.client_id == ask.client && of && rows.counts(s.state)
        };
        let reaches = |s: &&AgentSpell| s.from < period.to && s.to > period.from;
        let all = self.world.spells.values();
        all.filter(wanted)
            .filter(reaches)
            .map(|s| KpiFact {
                at: s.from,
                id: s.id,
                debtor_id: DebtorId(s.agent_id.0),
                amount: 0,
                weight: s.to.min(period.to).since_ms(s.from.max(period.from)),
            })
            .collect()
    }
}
