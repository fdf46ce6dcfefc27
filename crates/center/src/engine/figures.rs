//! Figures since the start, for the summary and the metrics.

use super::Engine;
use crate::view::{Figures, Ratio, RatioMs, Totals};
use domain::ids::{AgentId, CampaignId};
use domain::rules::agent_state::AgentState;
use domain::time::UtcMs;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

fn ms(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

impl Engine {
    /// Busy and total ms of every agent since the start; of those signed in only, when `now_only`.
    fn occupancy(&self, now: UtcMs, now_only: bool) -> RatioMs {
        let (mut busy, mut total) = (0, 0);
        for (id, entry) in &self.agents {
            if !now_only {
                busy += entry.past.0;
                total += entry.past.1;
            }
            let session = self
                .brain
                .agent(*id)
                .filter(|s| s.state() != AgentState::Offline);
            let (b, t) = session.map_or((0, 0), |s| s.machine.split_at(now).occupancy());
            busy += b;
            total += t;
        }
        RatioMs {
            numerator_ms: ms(busy),
            denominator_ms: ms(total),
        }
    }

    pub(super) fn board_totals(&self, now: UtcMs) -> Totals {
        let tally = self.brain.tally();
        let mut totals = Totals {
            late_cases: self.board.late_cases.iter().map(|(_, n)| n).sum(),
            late_by_client: self.board.late_cases.clone(),
            attempts: self.campaigns.values().map(|c| c.stats.attempts).sum(),
            connected: self.totals.connected,
            abandonment: Ratio {
                numerator: tally.abandoned,
                denominator: tally.answers(),
            },
            occupancy: self.occupancy(now, true),
            promises: self.totals.promises,
            promised: self.totals.promised.list(),
            ..Totals::default()
        };
        for call in self.brain.calls() {
            totals.ringing += u32::from(call.unanswered());
            totals.in_call += u32::from(call.bridged_at.is_some());
        }
        totals
    }

    /// Campaign of the call an agent has: reserved, joined or in wrap-up.
    pub(super) fn works_for(&self, agent: AgentId) -> Option<CampaignId> {
        let call = self.calls.get(&self.shown_attempt(agent)?)?;
        Some(call.ctx.stocked.setting.id())
    }

    /// Figures of the run.
    pub(crate) fn figures(&self, now: UtcMs) -> Figures {
        let t = &self.totals;
        let mut agents: BTreeMap<(Option<CampaignId>, String), u64> = BTreeMap::new();
        for (id, session) in self.brain.agents() {
            let key = (self.works_for(id), session.state().to_string());
            *agents.entry(key).or_insert(0) += 1;
        }
        let lines = self.brain.trunks().map(|(id, _, in_use, channels, _)| {
            let name = self
                .trunks
                .get(&id)
                .map_or_else(|| id.to_string(), |t| t.trunk.name.clone());
            (name, u64::from(in_use), u64::from(channels))
        });
        Figures {
            attempts: t.attempts,
            answered_human: t.human,
            answered_machine: t.machine,
            connected: t.connected,
            abandoned: t.abandoned,
            abandonment: Ratio {
                numerator: t.abandoned,
                denominator: t.abandoned + t.connected,
            },
            occupancy: self.occupancy(now, false),
            dispositions: t.dispositions,
            promises: t.promises,
            recordings: t.recordings,
            recording_ms: t.recording_ms,
            screen_pop_ms: t.pop.percentiles(),
            bridge_ms: t.bridge.percentiles(),
            wait_ms: t.wait.percentiles(),
            screen_pop: t.pop.histogram(),
            bridge: t.bridge.histogram(),
            sip_setup: t.setup.histogram(),
            blocked: t.blocked.clone(),
            results: t
                .results
                .iter()
                .map(|((c, r), n)| (*c, r.to_string(), *n))
                .collect(),
            agents: agents.into_iter().map(|((c, s), n)| (c, s, n)).collect(),
            lines: lines.collect(),
            rtp_lost: t.rtp_lost,
            recordings_failed: t.recordings_failed,
            errors: self.shared.faults.load(Ordering::Relaxed),
        }
    }
}
