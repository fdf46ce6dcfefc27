//! Who gets the call: the agent it was reserved for, the owner of an agreed call-back, else of those who are free
//! and speak his language the one who has been ready longest, or has had the fewest calls.

use crate::session::Session;
use crate::spec::{CampaignSpec, Item};
use domain::entity::NextAgent;
use domain::ids::AgentId;
use std::collections::BTreeMap;

/// The agent for an item now, if any is free. Without a campaign (stopped meanwhile) any agent whose
/// list names it, or who serves all, will do.
pub(crate) fn choose(
    agents: &BTreeMap<AgentId, Session>,
    campaign: Option<&CampaignSpec>,
    item: &Item,
) -> Option<AgentId> {
    let fits = |s: &Session| {
        s.takes_calls()
            && campaign.map_or_else(
                || s.spec.campaigns.is_empty() || s.spec.campaigns.contains(&item.campaign),
                |c| s.serves(c),
            )
    };
    if let Some(owner) = item.own_agent
        && agents.get(&owner).is_some_and(fits)
    {
        return Some(owner);
    }
    if item.own_only {
        return None;
    }
    let fewest = campaign.is_some_and(|c| c.next_agent == NextAgent::FewestCalls);
    let had = |s: &Session| if fewest { s.joined } else { 0 };
    agents
        .iter()
        .filter(|(_, s)| fits(s))
        .min_by_key(|(id, s)| {
            (
                !item.language.spoken_with(&s.spec.skills),
                had(s),
                s.machine.since(),
                **id,
            )
        })
        .map(|(id, _)| *id)
}
