//! Assignment: who works a debtor now, and the rules that say so.

use super::{Agent, Language};
use crate::ids::{AgentId, AssignmentRuleId, CampaignId, ClientId, DebtorId, SegmentId, TeamId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// To what debtors are assigned.
    pub enum AssignmentTarget {
        /// A campaign: no other one dials them.
        Queue = "queue",
        /// A team: its members get them first.
        Team = "team",
        /// One agent each.
        Agent = "agent",
    }
}

/// Debtors of a segment go to a target; rules are tried in their order, the first that has a debtor wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentRule {
    /// Identity.
    pub id: AssignmentRuleId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// Order among the client's rules, lowest first.
    pub position: i32,
    /// Whom it is about.
    pub segment_id: SegmentId,
    /// To what.
    pub target: AssignmentTarget,
    /// The campaign, for `queue`.
    pub campaign_id: Option<CampaignId>,
    /// The team, for `team`; for `agent` its members take turns when no agents are named.
    pub team_id: Option<TeamId>,
    /// The agents who take turns, for `agent`.
    pub agents: Vec<AgentId>,
    /// Most debtors of one agent by this rule, for `agent`.
    pub most: Option<i32>,
    /// Skills an agent must have to get one of its debtors, for `agent`.
    pub skills: Vec<String>,
    /// Whether an agent gets only debtors whose language he speaks, for `agent`.
    pub by_language: bool,
    /// Whether it is in force.
    pub enabled: bool,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

impl AssignmentRule {
    /// Whether an agent may get a debtor of that language by this rule; `None` where the rule asks for none.
    #[must_use]
    pub fn may_take(&self, agent: &Agent, language: Option<Language>) -> bool {
        self.skills.iter().all(|skill| agent.skills.contains(skill))
            && language.is_none_or(|language| language.spoken_with(&agent.skills))
    }
}

/// Who works a debtor now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The debtor.
    pub debtor_id: DebtorId,
    /// Owner.
    pub client_id: ClientId,
    /// The rule behind it; `None` = a person did it.
    pub rule_id: Option<AssignmentRuleId>,
    /// Only this campaign dials him.
    pub campaign_id: Option<CampaignId>,
    /// Members of this team get him first.
    pub team_id: Option<TeamId>,
    /// He gets him first.
    pub agent_id: Option<AgentId>,
    /// Since.
    pub assigned_at: UtcMs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;
    use uuid::Uuid;

    fn agent(skills: &[&str]) -> Agent {
        Agent {
            id: AgentId(Uuid::from_u128(1)),
            user_id: UserId(Uuid::from_u128(2)),
            team_id: None,
            name: "Ana".into(),
            sip_user: "ana".into(),
            sip_password: "secreto".into(),
            campaigns: Vec::new(),
            skills: skills.iter().map(|s| (*s).to_owned()).collect(),
            created_at: UtcMs(0),
        }
    }

    #[test]
    fn an_agent_takes_what_he_has_the_skills_and_the_language_for() {
        let rule = AssignmentRule {
            id: AssignmentRuleId(Uuid::from_u128(3)),
            client_id: ClientId(Uuid::from_u128(4)),
            name: "Hipotecas".into(),
            position: 1,
            segment_id: SegmentId(Uuid::from_u128(5)),
            target: AssignmentTarget::Agent,
            campaign_id: None,
            team_id: None,
            agents: Vec::new(),
            most: None,
            skills: vec!["hipotecas".into(), "legal".into()],
            by_language: true,
            enabled: true,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        };
        let en = Some(Language::En);
        for (skills, language, may) in [
            (&["hipotecas", "legal", "en"][..], en, true),
            (&["legal", "hipotecas", "es", "en"], en, true),
            (&["hipotecas", "legal", "es"], en, false),
            (&["hipotecas", "en"], en, false),
            // Who names no language is taken to speak them all, as where calls are given out.
            (&["hipotecas", "legal"], en, true),
            (&["hipotecas", "legal", "es"], None, true),
            (&[], en, false),
        ] {
            let got = rule.may_take(&agent(skills), language);
            assert_eq!(got, may, "{skills:?} {language:?}");
        }
    }
}
