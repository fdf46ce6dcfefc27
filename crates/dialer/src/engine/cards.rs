//! Cards before answers where lines are dialed ahead: a free agent is kept while a call rings, and whichever
//! call is answered first takes him.

use super::Dialer;
use crate::call::Call;
use domain::ids::{AgentId, AttemptId};
use domain::rules::agent_state::AgentState;
use std::collections::BTreeMap;

impl Dialer {
    /// Agents who only have the card of a call that rings, and that call.
    pub(super) fn lent(&self) -> BTreeMap<AgentId, AttemptId> {
        let lent = self.calls.values().filter(|c| c.lends_its_agent());
        lent.filter_map(|c| Some((c.agent?, c.attempt))).collect()
    }

    /// An agent who only has the card of a call that rings, for one that is answered: of the youngest ring.
    pub(super) fn borrowed(&self, call: &Call) -> Option<AgentId> {
        let run = self.campaigns.get(&call.item.campaign)?;
        let lent = self.calls.values().filter(|c| c.lends_its_agent());
        let fits = |id: &AgentId| {
            self.agents.get(id).is_some_and(|s| {
                s.state() == AgentState::Reserved
                    && s.link_up
                    && s.voice_ok()
                    && s.serves(&run.spec)
            })
        };
        lent.filter_map(|c| Some((c.ordered_at, c.agent.filter(fits)?)))
            .max_by_key(|(at, _)| *at)
            .map(|(_, agent)| agent)
    }

    /// The call whose card he had goes on ringing for whoever is free then.
    pub(super) fn give_up_card(&mut self, taken_for: AttemptId, agent: AgentId) {
        let had =
            |c: &&mut Call| c.attempt != taken_for && c.agent == Some(agent) && c.lends_its_agent();
        if let Some(call) = self.calls.values_mut().find(had) {
            call.agent = None;
        }
    }
}
