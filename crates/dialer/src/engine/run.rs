//! A campaign as it runs: what binds it, and how a change finds what was learned and what is in flight.

use super::{Dialer, Refusal, Timer, offer, share};
use crate::call::Call;
use crate::guard::{AbandonRule, Day, Room, ShortDay, Window, aim_pct, less, parts};
use crate::lines::StartGate;
use crate::pacing::{Pacing, PacingView, policy_of};
use crate::spec::{CallRules, CampaignSpec, Item, Judging};
use domain::entity::DialMode;
use domain::ids::{CampaignId, PersonId};
use domain::law::pack::FormulaId;
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
    /// Persons that its detector was measured to lose, percent.
    loses_pct: f64,
    /// Longest least ring time of these packs, ms.
    ring_min_ms: i64,
    /// Shortest time to an agent of these packs, ms.
    agent_within_ms: i64,
    pub(crate) day: Day,
    /// Short calls of the company's day, where these packs have a rule on them.
    pub(crate) short_calls: Option<ShortDay>,
    /// The rule with the least room, as last asked.
    pub(crate) room: Option<Room>,
    /// Beginning of the day, and the window, of which the policy was last told what it holds.
    pub(crate) settled: Option<(UtcMs, Window)>,
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

/// The campaign's own rule: the house's formula over its local day, without the persons that detection takes.
fn own_rule(spec: &CampaignSpec, taken_pct: f64) -> AbandonRule {
    AbandonRule {
        formula: FormulaId::PlainDay,
        window: Window::Day,
        cap_pct: spec.cap_pct,
        target_pct: less(spec.target_pct, taken_pct),
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
            rules: vec![own_rule(&spec, spec.amd_fp_pct)],
            bound: Vec::new(),
            loses_pct: 0.0,
            ring_min_ms: 0,
            agent_within_ms: i64::MAX,
            day,
            short_calls: None,
            room: None,
            settled: None,
            spec,
        }
    }

    /// What the debtor's packs ask for binds, once [`Running::hold`] is called.
    pub(super) fn bind(&mut self, item: &Item) {
        self.ring_min_ms = self.ring_min_ms.max(item.ring_min_ms);
        self.agent_within_ms = self.agent_within_ms.min(item.agent_within_ms);
        join(&mut self.bound, &item.abandon);
        if let Some(rule) = item.short_calls {
            ShortDay::join(&mut self.short_calls, rule);
        }
    }

    /// Persons that detection takes before an agent hears them, percent: those that were planned, or those that were
    /// measured where they are more.
    fn taken_pct(&self) -> f64 {
        match self.spec.rules.judging {
            Judging::First => self.spec.amd_fp_pct.max(self.loses_pct),
            Judging::No | Judging::Under => self.spec.amd_fp_pct,
        }
    }

    /// Its detector was measured to lose so many persons, percent.
    pub(super) fn loses(&mut self, pct: f64) {
        if (self.loses_pct - pct).abs() > f64::EPSILON {
            self.loses_pct = pct;
            self.hold();
        }
    }

    /// Puts in force what binds.
    pub(super) fn hold(&mut self) {
        let taken_pct = self.taken_pct();
        self.rules = vec![own_rule(&self.spec, taken_pct)];
        for rule in &self.bound {
            let rule = AbandonRule {
                cap_pct: rule.cap_pct.min(self.spec.cap_pct),
                target_pct: less(rule.target_pct, taken_pct),
                ..*rule
            };
            join(&mut self.rules, &rule);
        }
        let rules = CallRules {
            ring_timeout_ms: self.spec.rules.ring_timeout_ms.max(self.ring_min_ms),
            agent_within_ms: self.spec.rules.agent_within_ms.min(self.agent_within_ms),
            ..self.spec.rules
        };
        let (own, cap) = (self.spec.target_pct, self.spec.cap_pct);
        let target_pct = aim_pct(own, cap, &self.bound, taken_pct);
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
            self.settled = None;
        }
        if !self.on {
            // Begun again without a hopper: who is dialed next brings his packs with him.
            self.bound.clear();
            self.short_calls = None;
            self.ring_min_ms = 0;
            self.agent_within_ms = i64::MAX;
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
    /// Tells the policy what the campaign lost in the window that binds, once a day: what yesterday saved is not spent
    /// today where the law counts days, and what a month owes is owed after a restart.
    pub(super) fn tell_account(&mut self, now: UtcMs, id: CampaignId) {
        let Some(run) = self.campaigns.get_mut(&id) else {
            return;
        };
        let Some(room) = run.room else { return };
        let told = Some((run.day.began, room.window));
        if run.settled == told {
            return;
        }
        run.settled = told;
        let tally = self.guard.tally(now, id, room.window, &run.day);
        let (abandoned, answers) = parts(FormulaId::PlainDay, tally);
        run.policy.account(abandoned, answers);
    }

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
