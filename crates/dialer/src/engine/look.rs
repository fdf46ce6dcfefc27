//! Reading the brain: for boards, metrics and tests. Nothing here changes it.

use super::Dialer;
use crate::call::{Call, Phase};
use crate::gate::Gate;
use crate::guard::{Day, Room, ShortDay, Tally, Window, parts};
use crate::predictive::Memory;
use crate::session::Session;
use crate::spec::{CampaignSpec, Item};
use domain::entity::DialMode;
use domain::ids::{AgentId, AttemptId, CampaignId, TrunkId};
use domain::time::DAY_MS;

/// A campaign as it runs now.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignView {
    /// Whether it dials.
    pub on: bool,
    /// Mode in force.
    pub mode: DialMode,
    /// Why the guard interferes.
    pub guard: Option<&'static str>,
    /// Lines per agent aimed at.
    pub level_target: f64,
    /// Agents at work, as shares.
    pub agents: f64,
    /// Calls that hold a line.
    pub lines: u32,
    /// Not answered.
    pub ringing: u32,
    /// Answered, no agent.
    pub waiting: u32,
    /// Hear the message.
    pub in_message: u32,
    /// Items in the hopper.
    pub hopper: u32,
    /// Abandonment in the campaign's local day.
    pub tally: Tally,
    /// The abandonment rule with the least room, when it was last asked.
    pub room: Option<Room>,
    /// Cap in force, percent.
    pub cap_pct: f64,
    /// Abandonment that its forecast aims at, percent; `None` when it does not forecast.
    pub target_pct: Option<f64>,
    /// Abandoned calls beyond that aim which its forecast has on its account in the legal window; savings are below
    /// nought, and both are bounded.
    pub owed: Option<f64>,
    /// Short calls of the company's day, where its debtors' packs have a rule on them.
    pub short_calls: Option<ShortDay>,
    /// Why that rule lets none of its calls leave.
    pub short_calls_stop: Option<&'static str>,
    /// Whether any of its trunks answers.
    pub trunk_up: bool,
}

/// Abandonment of a campaign in one window, by the formula of its strictest rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowView {
    /// Window.
    pub window: Window,
    /// Numerator.
    pub numerator: f64,
    /// Denominator.
    pub denominator: f64,
    /// Cap, percent.
    pub cap_pct: f64,
    /// Whether a rule binds over this window.
    pub binds: bool,
}

impl Dialer {
    /// A campaign as it runs; `None` when it never ran here.
    #[must_use]
    pub fn campaign(&self, id: CampaignId) -> Option<CampaignView> {
        let run = self.campaigns.get(&id)?;
        let mut view = CampaignView {
            on: run.on,
            mode: run.mode,
            guard: run.why,
            level_target: run.policy.level(),
            agents: self.shares().get(&id).copied().unwrap_or(0.0),
            lines: 0,
            ringing: 0,
            waiting: 0,
            in_message: 0,
            hopper: u32::try_from(run.hopper.len()).unwrap_or(u32::MAX),
            tally: self.guard.tally(self.now, id, Window::Day, &run.day),
            room: run.room,
            cap_pct: run.cap_pct(),
            target_pct: run.policy.target_pct(),
            owed: run.policy.owed(),
            short_calls: run.short_calls,
            short_calls_stop: self.short_calls_stop(id),
            trunk_up: self.lines.any_up(&run.spec.trunks),
        };
        for call in self.calls.values().filter(|c| c.item.campaign == id) {
            view.lines += 1;
            view.ringing += u32::from(call.unanswered());
            view.waiting += u32::from(matches!(call.phase, Phase::Waiting | Phase::Connecting));
            view.in_message += u32::from(call.phase == Phase::Message);
        }
        Some(view)
    }

    /// Abandonment of a campaign in every published window and those of its rules.
    #[must_use]
    pub fn abandonment(&self, id: CampaignId) -> Vec<WindowView> {
        let Some(run) = self.campaigns.get(&id) else {
            return Vec::new();
        };
        let mut windows: Vec<Window> = Window::PUBLISHED.to_vec();
        windows.extend(run.rules.iter().map(|r| r.window));
        windows.sort_unstable();
        windows.dedup();
        let strictest = run
            .rules
            .iter()
            .min_by(|a, b| a.cap_pct.total_cmp(&b.cap_pct));
        let view = |window: Window| {
            let own = run.rules.iter().find(|r| r.window == window);
            let rule = own.or(strictest)?;
            let tally = self.guard.tally(self.now, id, window, &run.day);
            let (numerator, denominator) = parts(rule.formula, tally);
            Some(WindowView {
                window,
                numerator,
                denominator,
                cap_pct: rule.cap_pct,
                binds: own.is_some(),
            })
        };
        windows.into_iter().filter_map(view).collect()
    }

    /// What a campaign's policy has learned; `None` for those that do not learn.
    #[must_use]
    pub fn memory(&self, id: CampaignId) -> Option<Memory> {
        self.campaigns.get(&id)?.policy.memory()
    }

    /// Parameters a campaign runs with.
    #[must_use]
    pub fn campaign_spec(&self, id: CampaignId) -> Option<&CampaignSpec> {
        self.campaigns.get(&id).map(|r| &r.spec)
    }

    /// Items of a hopper, next first.
    pub fn hopper(&self, id: CampaignId) -> impl Iterator<Item = &Item> {
        self.campaigns
            .get(&id)
            .into_iter()
            .flat_map(|r| r.hopper.iter())
    }

    /// Every agent's shift since the start.
    pub fn agents(&self) -> impl Iterator<Item = (AgentId, &Session)> {
        self.agents.iter().map(|(id, s)| (*id, s))
    }

    /// One agent's shift.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&Session> {
        self.agents.get(&id)
    }

    /// Every call that holds a line.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.values()
    }

    /// One call.
    #[must_use]
    pub fn call(&self, id: AttemptId) -> Option<&Call> {
        self.calls.get(&id)
    }

    /// Trunks: id, answers, calls, channels, starts a second.
    pub fn trunks(&self) -> impl Iterator<Item = (TrunkId, bool, u32, u32, u32)> {
        self.lines
            .trunks
            .iter()
            .map(|(id, t)| (*id, t.up, t.in_use, t.spec.channels, t.spec.cps))
    }

    /// Why no new call may start.
    pub fn closed_gates(&self) -> impl Iterator<Item = Gate> {
        self.gates.iter().copied()
    }

    /// Abandonment of the installation today, by the day of its first campaign.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let day = self.campaigns.values().next().map_or(
            Day {
                began: self.now.plus_ms(-DAY_MS),
                ends: self.now,
                closes: None,
            },
            |run| run.day,
        );
        self.guard.total(self.now, Window::Day, &day)
    }
}
