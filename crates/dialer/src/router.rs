//! Who gets the call: the agent it was reserved for, the owner of an agreed call-back, else the one
//! who has been ready longest.

use crate::session::Session;
use crate::spec::{CampaignSpec, Item};
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
    agents
        .iter()
        .filter(|(_, s)| fits(s))
        .min_by_key(|(id, s)| (s.machine.since(), **id))
        .map(|(id, _)| *id)
}
