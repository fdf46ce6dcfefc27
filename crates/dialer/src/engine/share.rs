//! One pool of agents, several campaigns: whose agents, and who dials first.

use super::{Dialer, Running};
use crate::call::{Call, Phase};
use crate::lean::Heads;
use domain::entity::{AgentCountBasis, DialMode};
use domain::ids::CampaignId;
use domain::rules::agent_state::AgentState;
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// A campaign's turn at launching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    pub(super) id: CampaignId,
    /// Its agents, as shares.
    pub(super) share: f64,
    /// Agents it may reserve in its turn; `None` = all who are ready.
    pub(super) most: Option<u32>,
    /// Whether it may reserve what the others of its rank left.
    pub(super) may_take_rest: bool,
    /// A campaign of higher rank over-dials with these agents: they are spoken for.
    pub(super) waits: bool,
}

fn weight(run: &Running) -> f64 {
    // A weight of nought still gets what nobody else wants.
    f64::from(run.spec.weight.clamp(0, 100)) + 1e-9
}

/// Whether agents are dialed for: a message is told without one, and who dials by hand takes himself. Whoever is
/// promised an agent there, or asks for one, takes who is ready.
const fn takes_agents(run: &Running) -> bool {
    !matches!(run.spec.mode, DialMode::Manual | DialMode::Agentless)
}

/// Whether lines go out that no agent is reserved for.
pub(super) fn over_dials(run: &Running) -> bool {
    matches!(run.mode, DialMode::Power | DialMode::Predictive)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=1e6"
)]
pub(super) fn whole(x: f64) -> u32 {
    x.ceil().clamp(0.0, 1e6) as u32
}

#[expect(clippy::cast_precision_loss, reason = "calls of one node")]
const fn count(n: usize) -> f64 {
    n as f64
}

impl Dialer {
    /// Agents of each running campaign as shares: an agent works for the campaigns of the highest
    /// priority that have something to do, by weight. Those that dial for no agent have no share.
    pub(super) fn shares(&self) -> BTreeMap<CampaignId, f64> {
        let mut busy: BTreeMap<CampaignId, bool> = self
            .campaigns
            .iter()
            .map(|(id, run)| {
                let can = !run.hopper.is_empty() && self.lines.any_up(&run.spec.trunks);
                (*id, can)
            })
            .collect();
        for call in self.calls.values() {
            busy.insert(call.item.campaign, true);
        }
        let mut shares = BTreeMap::new();
        for agent in self.agents.values().filter(|a| a.works()) {
            let served: Vec<&Running> = self
                .campaigns
                .values()
                .filter(|r| r.on && takes_agents(r) && agent.serves(&r.spec))
                .collect();
            let active: Vec<&Running> = served
                .iter()
                .copied()
                .filter(|r| busy.get(&r.spec.id) == Some(&true))
                .collect();
            let list = if active.is_empty() { served } else { active };
            let top = list.iter().map(|r| r.spec.priority).max();
            let list: Vec<&Running> = list
                .into_iter()
                .filter(|r| Some(r.spec.priority) == top)
                .collect();
            let sum: f64 = list.iter().map(|r| weight(r)).sum();
            for run in list {
                *shares.entry(run.spec.id).or_insert(0.0) += weight(run) / sum;
            }
        }
        shares
    }

    /// Agents at work and signed in of a campaign with that share of them; who is signed in is counted only where it
    /// matters, and is shared as those at work are.
    pub(super) fn heads(&self, run: &Running, share: f64) -> Heads {
        let mut heads = Heads {
            ready: 0.0,
            at_work: share,
            logged: share,
        };
        if run.spec.lean.basis == AgentCountBasis::Logged {
            let ours = self.agents.values().filter(|a| a.serves(&run.spec));
            let here = ours.filter(|a| a.state() != AgentState::Offline);
            let (works, away): (Vec<_>, Vec<_>) = here.partition(|a| a.works());
            let at_work = count(works.len()).max(1.0);
            heads.logged = share * (at_work + count(away.len())) / at_work;
        }
        heads
    }

    /// Running campaigns in the order in which they launch: by rank, then who has least of its share.
    pub(super) fn turns(&self, shares: &BTreeMap<CampaignId, f64>) -> Vec<Turn> {
        let mut held: BTreeMap<CampaignId, u32> = BTreeMap::new();
        for call in self.calls.values().filter(|c| c.agent.is_some()) {
            *held.entry(call.item.campaign).or_insert(0) += 1;
        }
        let of = |id: CampaignId| held.get(&id).copied().unwrap_or(0);
        let share = |id: CampaignId| shares.get(&id).copied().unwrap_or(0.0);
        // What is in flight will want agents too.
        let coming = |id: CampaignId| {
            let run = self.campaigns.get(&id);
            run.and_then(|r| r.policy.demand(self.now)).unwrap_or(0.0)
        };
        let lags: BTreeMap<CampaignId, f64> = self
            .campaigns
            .iter()
            .map(|(id, run)| {
                let owes = (f64::from(of(*id)) + coming(*id)) / share(*id).max(0.001);
                // Without a share there is none to lag behind: whom it promised an agent goes first in its rank.
                (*id, if takes_agents(run) { owes } else { 0.0 })
            })
            .collect();
        let lag = |id: CampaignId| lags.get(&id).copied().unwrap_or(0.0);
        let on: Vec<&Running> = self.campaigns.values().filter(|r| r.on).collect();
        let mut order: Vec<&Running> = on.clone();
        order.sort_by(|a, b| {
            (b.spec.priority.cmp(&a.spec.priority))
                .then(lag(a.spec.id).total_cmp(&lag(b.spec.id)))
                .then(a.spec.id.cmp(&b.spec.id))
        });
        let turn = |run: &Running| {
            let (id, priority) = (run.spec.id, run.spec.priority);
            let mut rivals = on.iter().filter(|r| {
                r.spec.id != id && r.spec.priority == priority && share(r.spec.id) > 0.0
            });
            let any = rivals.clone().next().is_some();
            let own = share(id);
            let most = (any && own > 0.0).then(|| whole(own).saturating_sub(of(id)));
            let waits = own <= 0.0
                && run.mode != DialMode::Agentless
                && on
                    .iter()
                    .any(|r| r.spec.priority > priority && over_dials(r) && share(r.spec.id) > 0.0);
            Turn {
                id,
                share: own,
                most,
                may_take_rest: most.is_some() && !rivals.any(|r| over_dials(r)),
                waits,
            }
        };
        order.into_iter().map(turn).collect()
    }

    /// Tells a forecasting policy what other forecasts have in flight for its agents. Gives their people who
    /// wait now, and their shares of the agents: with them it has all these in common, while who reserves first
    /// or dials fixed lines keeps his own. Of a campaign that has other agents besides, the part counts that
    /// ours are of its own.
    pub(super) fn tell_rivals(
        &mut self,
        now: UtcMs,
        id: CampaignId,
        shares: &BTreeMap<CampaignId, f64>,
    ) -> (u32, f64) {
        let Some(run) = self.campaigns.get(&id).filter(|r| r.policy.wants_agents()) else {
            return (0, 0.0);
        };
        let mut parts: Vec<(CampaignId, f64)> = Vec::new();
        for (other, rival) in self.campaigns.iter().filter(|(other, _)| **other != id) {
            let (mut theirs, mut both) = (0_u32, 0_u32);
            for agent in self.agents.values().filter(|a| a.works()) {
                if agent.serves(&rival.spec) {
                    theirs += 1;
                    both += u32::from(agent.serves(&run.spec));
                }
            }
            if both > 0 {
                parts.push((*other, f64::from(both) / f64::from(theirs)));
            }
        }
        let (mut calls, mut waiting, mut pool) = (Vec::new(), 0.0, 0.0);
        for (other, part) in parts {
            let Some(rival) = self.campaigns.get_mut(&other) else {
                continue;
            };
            let Some(outlook) = rival.policy.outlook(now) else {
                continue;
            };
            calls.extend(outlook.into_iter().map(|by| by.map(|q| q * part)));
            if rival.mode == DialMode::Predictive {
                pool += part * shares.get(&other).copied().unwrap_or(0.0);
            }
            let of = |c: &&Call| c.item.campaign == other && c.phase == Phase::Waiting;
            waiting += part * count(self.calls.values().filter(of).count());
        }
        if let Some(run) = self.campaigns.get_mut(&id) {
            run.policy.observe_rivals(calls);
        }
        (whole(waiting), pool)
    }

    /// Whether the campaign reserves an agent before each call now.
    pub(super) fn reserves(&self, id: CampaignId) -> bool {
        self.campaigns
            .get(&id)
            .is_some_and(|r| r.mode == DialMode::Progressive)
    }
}
