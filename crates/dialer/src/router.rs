//! Who gets the call: the agent it was reserved for, the owner of an agreed call-back, else of those who are free
//! and speak his language the one who has been ready longest, or has had the fewest calls.

use crate::session::Session;
use crate::spec::{CampaignSpec, Item};
use domain::entity::{Language, NextAgent};
use domain::ids::AgentId;
use std::collections::BTreeMap;

/// Whether an agent speaks a language: his skills may name some (`es`, `en`, `pt`), else he is taken to speak them all.
fn speaks(session: &Session, language: Language) -> bool {
    let skills = &session.spec.skills;
    let named = |l: &Language| skills.iter().any(|skill| skill == l.as_str());
    named(&language) || !Language::ALL.iter().any(named)
}

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
        .min_by_key(|(id, s)| (!speaks(s, item.language), had(s), s.machine.since(), **id))
        .map(|(id, _)| *id)
}
