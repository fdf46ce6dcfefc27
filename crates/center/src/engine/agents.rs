//! Agents: sign-in, links, voice legs, changes of state.

use super::Engine;
use crate::live::AgentEntry;
use crate::stats::Today;
use dialer::{AgentSpec, Input};
use domain::entity::Agent;
use domain::ids::{AgentId, CampaignId, ClientId};
use domain::rules::agent_state::AgentState;
use domain::time::{SECOND_MS, UtcMs};
use serde_json::{Map, json};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Time in which an ordered leg should come up before it is ordered again, ms.
const LEG_WAIT_MS: i64 = 10 * SECOND_MS;

impl Engine {
    fn spec(&self, agent: &Agent) -> AgentSpec {
        AgentSpec {
            id: agent.id,
            campaigns: agent.campaigns.clone(),
            skills: agent.skills.clone(),
            needs_leg: self.shared.config.require_leg,
        }
    }

    /// The agent's screen opened.
    pub(crate) fn agent_in(&mut self, now: UtcMs, agent: Agent) {
        let id = agent.id;
        let spec = self.spec(&agent);
        match self.agents.get_mut(&id) {
            Some(entry) => entry.agent = agent,
            None => {
                self.agents.insert(
                    id,
                    AgentEntry {
                        agent,
                        seq: 0,
                        last: Map::new(),
                        kept: VecDeque::new(),
                        today: Today::default(),
                        past: (0, 0),
                        registered: false,
                        leg_wait: None,
                        rtt_ms: None,
                        preview: None,
                        seen: AgentState::Offline,
                        seen_at: now,
                        ready_since: None,
                    },
                );
            }
        }
        self.take(now, Input::AgentIn(Box::new(spec)));
        self.dirty.insert(id);
    }

    /// Whether the agent is at work on this node.
    pub(crate) fn signed_in(&self, agent: AgentId) -> bool {
        let session = self.brain.agent(agent);
        session.is_some_and(|s| s.state() != AgentState::Offline)
    }

    /// The agent's row changed: lists and skills hold from now on.
    pub(crate) fn agent_changed(&mut self, now: UtcMs, agent: Agent) {
        let signed_in = self.brain.agent(agent.id).is_some_and(|s| s.link_up);
        if self.agents.contains_key(&agent.id) && signed_in {
            self.agent_in(now, agent);
        } else if let Some(entry) = self.agents.get_mut(&agent.id) {
            entry.agent = agent;
        }
    }

    /// The link is lost, or back.
    pub(crate) fn agent_link(&mut self, now: UtcMs, agent: AgentId, up: bool) {
        if !up {
            self.take(now, Input::LinkLost(agent));
            return;
        }
        let lost = self.brain.agent(agent).is_some_and(|s| !s.link_up);
        if let Some(row) = self
            .agents
            .get(&agent)
            .filter(|_| lost)
            .map(|e| e.agent.clone())
        {
            self.agent_in(now, row);
        }
    }

    pub(super) fn leg(&mut self, now: UtcMs, agent: AgentId, up: bool) {
        if let Some(entry) = self.agents.get_mut(&agent) {
            entry.leg_wait = None;
            entry.registered |= up;
        }
        self.take(now, Input::Leg { agent, up });
        self.dirty.insert(agent);
    }

    pub(super) fn open_leg(&mut self, now: UtcMs, agent: AgentId) {
        let Some(entry) = self.agents.get_mut(&agent) else {
            return;
        };
        if entry.leg_wait.is_some_and(|until| now < until) {
            return;
        }
        entry.leg_wait = Some(now.plus_ms(LEG_WAIT_MS));
        let (trunk, user) = (
            Arc::clone(&self.shared.out.trunk),
            entry.agent.sip_user.clone(),
        );
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            let opened = trunk.open_agent_leg(agent, &user).await;
            let registered = match &opened {
                Ok(()) => true,
                Err(_) => trunk.phone_registered(&user).await,
            };
            let failed = opened.is_err();
            post.tell(move |engine, _| engine.phone_seen(agent, registered, failed))
                .await;
        });
    }

    fn phone_seen(&mut self, agent: AgentId, registered: bool, leg_failed: bool) {
        if let Some(entry) = self.agents.get_mut(&agent) {
            if leg_failed {
                entry.leg_wait = None;
            }
            if entry.registered != registered {
                entry.registered = registered;
                self.dirty.insert(agent);
            }
        }
    }

    pub(super) fn close_leg(&mut self, agent: AgentId) {
        if let Some(entry) = self.agents.get_mut(&agent) {
            entry.leg_wait = None;
        }
        let trunk = Arc::clone(&self.shared.out.trunk);
        tokio::spawn(async move {
            if let Err(error) = trunk.close_agent_leg(agent).await {
                tracing::debug!(agent = %agent, reason = %error, "leg not closed");
            }
        });
    }

    /// Agents at work whose leg is down: is the phone there? Then the leg is asked for again.
    pub(super) fn look_after_phones(&mut self, now: UtcMs) {
        let waiting: Vec<(AgentId, String)> = self
            .agents
            .iter()
            .filter(|(_, e)| e.leg_wait.is_none_or(|until| now >= until))
            .filter(|(id, _)| {
                self.brain
                    .agent(**id)
                    .is_some_and(|s| s.state() != AgentState::Offline && s.link_up && !s.leg_up)
            })
            .map(|(id, e)| (*id, e.agent.sip_user.clone()))
            .collect();
        if waiting.is_empty() {
            return;
        }
        let (trunk, post) = (Arc::clone(&self.shared.out.trunk), self.shared.post.clone());
        tokio::spawn(async move {
            for (agent, user) in waiting {
                let there = trunk.phone_registered(&user).await;
                post.tell(move |engine, now| {
                    engine.phone_seen(agent, there, false);
                    if there {
                        engine.open_leg(now, agent);
                    }
                })
                .await;
            }
        });
    }

    /// The brain says that an agent's state or call changed.
    pub(super) fn agent_touched(&mut self, now: UtcMs, agent: AgentId) {
        self.dirty.insert(agent);
        self.board.touch();
        let Some(session) = self.brain.agent(agent) else {
            return;
        };
        let (state, code) = (session.state(), session.machine.code());
        let busy = session.machine.split_at(now).occupancy();
        let Some(entry) = self.agents.get_mut(&agent) else {
            return;
        };
        let before = std::mem::replace(&mut entry.seen, state);
        if before == state {
            return;
        }
        let since = std::mem::replace(&mut entry.seen_at, now);
        // Who names no campaign works for all of them.
        let named = &entry.agent.campaigns;
        let serves = |id: &CampaignId| named.is_empty() || named.contains(id);
        let running = self.campaigns.iter().filter(|(id, _)| serves(id));
        let clients: BTreeSet<ClientId> = running.map(|(_, c)| c.setting.client.id).collect();
        if state == AgentState::Ready {
            entry.ready_since = Some(now);
        } else if before == AgentState::Ready
            && matches!(state, AgentState::Reserved | AgentState::Preview)
            && let Some(since) = entry.ready_since.take()
        {
            let campaign = session.call.and_then(|id| self.calls.get(&id));
            let campaign = campaign.map(|c| c.ctx.stocked.setting.id());
            if let Some(campaign) = campaign.and_then(|id| self.campaigns.get_mut(&id)) {
                campaign.stats.wait_agent.add(now.since_ms(since));
            }
        }
        if state == AgentState::Offline {
            entry.past = (entry.past.0 + busy.0, entry.past.1 + busy.1);
            entry.preview = None;
        }
        let kind = match (before, state) {
            (AgentState::Offline, _) => "agent.logged_in",
            (_, AgentState::Offline) => "agent.logged_out",
            (_, AgentState::Lagged) => "agent.lagged",
            _ => "agent.state_changed",
        };
        let data = json!({
            "from": before, "to": state, "code": code, "since": since.0, "clients": clients,
        });
        let subject = format!("agent:{agent}");
        self.lag_alarm(now, agent, before, state);
        let event = self
            .shared
            .event(None, format!("agent:{agent}"), kind, subject, data);
        self.shared.journal(event);
    }

    /// A lost link is an alarm until the agent is back, paused or out.
    fn lag_alarm(&mut self, now: UtcMs, agent: AgentId, before: AgentState, state: AgentState) {
        let id = format!("agent_lagged:{agent}");
        if before == AgentState::Lagged {
            self.clear_alarm(&id);
        }
        if state == AgentState::Lagged {
            let name = self
                .agents
                .get(&agent)
                .map_or("", |e| e.agent.name.as_str());
            let words = (
                format!("gestor sin conexión: {name}"),
                format!("agent without a link: {name}"),
            );
            self.alarm(now, id, "agent_lagged", words);
        }
    }
}
