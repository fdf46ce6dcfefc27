//! A campaign as it runs: what binds it, and how a change finds what was learned and what is in flight.

use super::{Dialer, Refusal, Timer, offer, share};
use crate::call::Call;
use crate::guard::{AbandonRule, Day, Room, ShortDay, Window, less};
use crate::lines::StartGate;
use crate::pacing::{Pacing, PacingView, policy_of};
use crate::spec::{CallRules, CampaignSpec, Item};
use domain::entity::DialMode;
use domain::ids::PersonId;
use domain::time::UtcMs;
use std::collections::VecDeque;

/// A campaign as it runs.
pub(crate) struct Running {
    pub(crate) spec: CampaignSpec,
    pub(crate) on: bool,
    pub(crate) policy: Box<dyn Pacing>,
    pub(crate) mode: DialMode,
    pub(crate) why: Option<&'static str>,
    pub(crate) hopper: VecDeque<Item>,
    /// Those in it who were passed over for another.
    pub(crate) passed: offer::Passed,
    pub(crate) filling: bool,
    pub(crate) fill_after: UtcMs,
    pub(crate) starts: StartGate,
    /// Abandonment rules in force: the campaign's own and those of its debtors' packs.
    pub(crate) rules: Vec<AbandonRule>,
    /// What the packs of its debtors since it began ask for, as they say it.
    bound: Vec<AbandonRule>,
    /// Longest least ring time of these packs, ms.
    ring_min_ms: i64,
    pub(crate) day: Day,
    /// Short calls of the company's day, where these packs have a rule on them.
    pub(crate) short_calls: Option<ShortDay>,
    /// The rule with the least room, as last asked.
    pub(crate) room: Option<Room>,
}

/// Most different rules a campaign is held to; packs have three kinds of windows.
const RULES_MAX: usize = 8;
/// Lines that a share of agents may miss by rounding.
const ROUNDING: f64 = 1e-6;

/// A rule joins others; of two over the same figure the stricter holds.
fn join(rules: &mut Vec<AbandonRule>, rule: &AbandonRule) {
    let known = rules
        .iter_mut()
        .find(|r| r.formula == rule.formula && r.window == rule.window);
    if let Some(known) = known {
        known.cap_pct = known.cap_pct.min(rule.cap_pct);
        known.target_pct = known.target_pct.min(rule.target_pct);
    } else if rules.len() < RULES_MAX {
        rules.push(*rule);
    }
}

/// The campaign's own rule: the house's formula over its local day.
fn own_rule(spec: &CampaignSpec) -> AbandonRule {
    AbandonRule {
        formula: domain::law::pack::FormulaId::PlainDay,
        window: Window::Day,
        cap_pct: spec.cap_pct,
        target_pct: less(spec.target_pct, spec.amd_fp_pct),
    }
}

impl Running {
    fn new(now: UtcMs, spec: CampaignSpec, policy: Box<dyn Pacing>, day: Day) -> Self {
        Self {
            on: true,
            policy,
            mode: spec.mode,
            why: None,
            hopper: VecDeque::new(),
            passed: offer::Passed::default(),
            filling: false,
            fill_after: now,
            starts: StartGate::default(),
            rules: vec![own_rule(&spec)],
            bound: Vec::new(),
            ring_min_ms: 0,
            day,
            short_calls: None,
            room: None,
            spec,
        }
    }

    /// What the debtor's packs ask for binds, once [`Running::hold`] is called.
    pub(super) fn bind(&mut self, item: &Item) {
        self.ring_min_ms = self.ring_min_ms.max(item.ring_min_ms);
        join(&mut self.bound, &item.abandon);
        if let Some(rule) = item.short_calls {
            ShortDay::join(&mut self.short_calls, rule);
        }
    }

    /// Puts in force what binds.
    pub(super) fn hold(&mut self) {
        self.rules = vec![own_rule(&self.spec)];
        for rule in &self.bound {
            let rule = AbandonRule {
                cap_pct: rule.cap_pct.min(self.spec.cap_pct),
                target_pct: less(rule.target_pct, self.spec.amd_fp_pct),
                ..*rule
            };
            join(&mut self.rules, &rule);
        }
        let rules = CallRules {
            ring_timeout_ms: self.spec.rules.ring_timeout_ms.max(self.ring_min_ms),
            ..self.spec.rules
        };
        let target_pct = self.spec.aim_pct(&self.bound);
        self.policy.hold_to(target_pct, &rules);
        self.policy.lean(&self.spec.lean);
    }

    /// The strictest cap in force, percent.
    pub(crate) fn cap_pct(&self) -> f64 {
        let caps = self.rules.iter().map(|r| r.cap_pct);
        caps.fold(self.spec.cap_pct, f64::min)
    }

    /// The mode in force under another spec: what the guard lowered stays lowered until it says otherwise.
    fn mode_under(&self, spec: &CampaignSpec) -> DialMode {
        if self.on && self.spec.mode == spec.mode {
            self.mode
        } else {
            spec.mode
        }
    }

    /// Goes on by another spec. A forecast keeps what it learned, owes and has in flight; `false`: another policy
    /// took its place.
    fn change(
        &mut self,
        spec: CampaignSpec,
        mode: DialMode,
        fresh: Box<dyn Pacing>,
        day: Day,
    ) -> bool {
        let forecasts = self.spec.mode == DialMode::Predictive && self.spec.mode == spec.mode;
        let goes_on = forecasts && self.policy.force(mode);
        if !goes_on {
            self.policy = fresh;
        }
        if !self.on {
            // Begun again without a hopper: who is dialed next brings his packs with him.
            self.bound.clear();
            self.short_calls = None;
            self.ring_min_ms = 0;
        }
        if mode == spec.mode {
            self.why = None;
        }
        self.on = true;
        self.mode = mode;
        self.day = Day {
            closes: self.day.closes,
            ..day
        };
        self.spec = spec;
        self.filling = false;
        goes_on
    }

    /// How many of the calls that the policy asks for the campaign's own limits leave.
    fn clip(&mut self, now: UtcMs, count: u32, lines: u32, share: f64) -> u32 {
        let mut most = count;
        if let Some(max) = self.spec.lines_max {
            most = most.min(max.saturating_sub(lines));
        }
        if let Some(max) = self.spec.lines_per_agent_max
            && share::over_dials(self)
        {
            // A share of one agent has a line, too.
            let max = share::whole(max * share - ROUNDING);
            most = most.min(max.saturating_sub(lines));
        }
        if let Some(cps) = self.spec.cps_max {
            most = most.min(self.starts.left(now, cps));
        }
        most
    }

    /// Asks the policy, and clips by the campaign's own limits.
    pub(super) fn ask_clipped(
        &mut self,
        now: UtcMs,
        view: &PacingView,
        share: f64,
    ) -> (u32, Vec<PersonId>) {
        let (count, chosen) = self.ask(now, view);
        (self.clip(now, count, view.lines, share), chosen)
    }
}

impl Dialer {
    pub(super) fn campaign_on(&mut self, now: UtcMs, spec: CampaignSpec) -> Result<(), Refusal> {
        // What cannot be dialed is refused before anything is changed.
        let asked = policy_of(&spec, spec.mode)?;
        let mut day = Day {
            began: spec.day_began,
            ends: spec.day_ends.max(spec.day_began.plus_ms(1)),
            closes: None,
        };
        day.roll(now);
        let (id, tick) = (spec.id, spec.tick_ms.max(50));
        self.off_days.remove(&id);
        match self.campaigns.get_mut(&id) {
            Some(run) => {
                let mode = run.mode_under(&spec);
                let fresh = if mode == spec.mode {
                    asked
                } else {
                    policy_of(&spec, mode)?
                };
                let ours = |c: &&Call| c.item.campaign == id && !c.inbound;
                let calls: Vec<&Call> = self.calls.values().filter(ours).collect();
                if !run.change(spec, mode, fresh, day) {
                    run.policy.take_over(now, &calls);
                }
                // What the dialer placed and rings yet is his packs' affair, though the hopper is gone.
                let placed = |c: &&&Call| c.unanswered() && c.mode != DialMode::Manual;
                for call in calls.iter().filter(placed) {
                    run.bind(&call.item);
                }
                run.hold();
            }
            None => {
                let run = Running::new(now, spec, asked, day);
                self.campaigns.insert(id, run);
            }
        }
        self.timers
            .set(Timer::Campaign(id), Some(now.plus_ms(tick)));
        self.launch_now = true;
        Ok(())
    }
}
