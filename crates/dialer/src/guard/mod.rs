//! The abandonment guard (law.md §4): the cap is a promise about the window's end, spent against the
//! answers the window will hold. It watches campaign, client and installation; the strictest wins.
//! What it counts is the stored attempts and nothing else: folded from them at a start
//! ([`Guard::fold`]), then answer by answer as the attempts are written.

mod room;
mod short;
mod windows;

pub(crate) use room::less;
pub use room::{AbandonRule, QUOTIENT_FROM, Room, TARGET_OF_CAP, aim_pct, parts};
pub use short::ShortDay;
pub use windows::{Tally, Window};

use domain::entity::DialMode;
use domain::ids::{CampaignId, ClientId};
use domain::law::pack::FormulaId;
use domain::ports::store::AnswerSlot;
use domain::time::{MINUTE_MS, UtcMs};
use room::{Finding, Level, Moment, judge};
use std::collections::BTreeMap;
pub(crate) use windows::Day;
use windows::Scope;

/// Abandonments that must be free again before a lowered mode comes back: fewer would lower it again
/// with the next one.
const RETURN_FREE: f64 = 1.0;
/// The same for fixed lines, which know no care: each return starts all of them.
const RETURN_FREE_FIXED: f64 = 3.0;
/// Time in which over-dialing grows back to its full after a lowering, ms: about the life of a call
/// that is not answered, so that what is launched first shows its fate before the rest follows.
const RAMP_MS: i64 = MINUTE_MS;
/// Over-dialing at the begin of that time, as a share.
const RAMP_FROM: f64 = 0.2;

/// What the guard says now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardState {
    /// Mode in force.
    pub mode: DialMode,
    /// Factor on over-dialing, 0 to 1.
    pub shrink: f64,
    /// Why it interferes, stable code; `None` when it does not.
    pub why: Option<&'static str>,
    /// The rule with the least room; `None` when nothing is watched yet.
    pub room: Option<Room>,
}

/// How the guard stands to one campaign.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    /// Why it is lowered, while it is.
    lowered: Option<&'static str>,
    /// When it came back.
    back_at: Option<UtcMs>,
}

impl Standing {
    /// The state by the findings of all scopes and rules.
    fn state(&mut self, now: UtcMs, asked: DialMode, findings: &[Finding]) -> GuardState {
        let mut level = Level::Normal;
        let (mut shrink, mut steer) = (1.0_f64, 1.0_f64);
        let mut room: Option<Room> = None;
        for found in findings {
            if found.level.rank() > level.rank() {
                level = found.level;
            }
            shrink = shrink.min(found.shrink);
            steer = steer.min(found.steer);
            if room.is_none_or(|r| found.room.free < r.free) {
                room = Some(found.room);
            }
        }
        let free = room.map_or(f64::INFINITY, |r| r.free);
        let enough = if asked == DialMode::Predictive {
            RETURN_FREE
        } else {
            RETURN_FREE_FIXED
        };
        if let (Level::Normal, Some(why)) = (level, self.lowered)
            && free < enough
        {
            level = Level::Progressive(why);
        }
        match level {
            Level::Progressive(why) | Level::Preview(why) => {
                self.lowered = Some(why);
                self.back_at = None;
            }
            Level::Normal => {
                // Lowered for want of agents alone, there is nothing to grow back from.
                let spent = findings.iter().any(|f| f.room.numerator > 0.0);
                if self.lowered.take().is_some() && spent {
                    self.back_at = Some(now);
                }
            }
        }
        let ramp = self.ramp(now);
        // A forecast takes its risk back before the budget does; fixed lines know only the budget.
        let held = if asked == DialMode::Predictive {
            shrink.min(steer)
        } else {
            shrink
        };
        let mut state = lowered(asked, level, held * ramp, shrink);
        state.room = room;
        state
    }

    /// Share of over-dialing since the mode came back.
    fn ramp(&mut self, now: UtcMs) -> f64 {
        let Some(since) = self.back_at.map(|at| now.since_ms(at)) else {
            return 1.0;
        };
        if since >= RAMP_MS {
            self.back_at = None;
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a minute")]
        let share = since as f64 / RAMP_MS as f64;
        RAMP_FROM + (1.0 - RAMP_FROM) * share
    }
}

/// The mode in force by a level. Modes without over-dialing are only lowered above twice the cap.
fn lowered(asked: DialMode, level: Level, shrink: f64, near: f64) -> GuardState {
    let (mode, shrink, why) = match (asked, level) {
        (DialMode::Power | DialMode::Predictive, Level::Progressive(why)) => {
            (DialMode::Progressive, 0.0, Some(why))
        }
        (DialMode::Manual | DialMode::Preview | DialMode::Agentless, _) => (asked, 1.0, None),
        (_, Level::Preview(why)) => (DialMode::Preview, 0.0, Some(why)),
        (mode, Level::Normal) => {
            let why = (near < 1.0).then_some("abandonment_cap_near");
            (mode, shrink, why)
        }
        (mode, Level::Progressive(_)) => (mode, 1.0, None),
    };
    GuardState {
        mode,
        shrink,
        why,
        room: None,
    }
}

/// All scopes.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    campaigns: BTreeMap<CampaignId, Scope>,
    clients: BTreeMap<ClientId, Scope>,
    all: Scope,
    standing: BTreeMap<CampaignId, Standing>,
}

/// What a campaign asks the guard with.
#[derive(Debug, Clone)]
pub(crate) struct GuardAsk {
    pub(crate) campaign: CampaignId,
    pub(crate) client: ClientId,
    pub(crate) mode: DialMode,
    pub(crate) rules: Vec<AbandonRule>,
    pub(crate) day: Day,
    /// Agents at work for the campaign.
    pub(crate) agents: f64,
    /// Agents at work for all.
    pub(crate) agents_all: f64,
}

impl Guard {
    /// Takes in what the stored attempts say. Whatever was counted before is forgotten: the attempts
    /// are the truth.
    pub(crate) fn fold(&mut self, now: UtcMs, slots: &[AnswerSlot]) {
        self.campaigns.clear();
        self.clients.clear();
        self.all = Scope::default();
        for slot in slots {
            let counts = Tally {
                abandoned: slot.abandoned,
                handled: slot.handled,
                machines: slot.machines,
            };
            let campaign = slot.campaign_id.map(|id| self.campaigns.entry(id));
            for scope in [
                campaign.map(std::collections::btree_map::Entry::or_default),
                Some(self.clients.entry(slot.client_id).or_default()),
                Some(&mut self.all),
            ]
            .into_iter()
            .flatten()
            {
                scope.add(now, slot.from, slot.width_ms, &counts);
            }
        }
    }

    fn scopes(&mut self, campaign: CampaignId, client: ClientId) -> [&mut Scope; 3] {
        [
            self.campaigns.entry(campaign).or_default(),
            self.clients.entry(client).or_default(),
            &mut self.all,
        ]
    }

    /// A live answer of `at` has its fate.
    pub(crate) fn count(
        &mut self,
        now: UtcMs,
        at: UtcMs,
        campaign: CampaignId,
        client: ClientId,
        abandoned: bool,
    ) {
        for scope in self.scopes(campaign, client) {
            scope.count(now, at, abandoned);
        }
    }

    /// The agent found that the answer of `at` was a machine.
    pub(crate) fn machine(&mut self, at: UtcMs, campaign: CampaignId, client: ClientId) {
        for scope in self.scopes(campaign, client) {
            scope.machine(at);
        }
    }

    /// The answer of `at` that was counted as abandoned was a machine.
    pub(crate) fn take_back(&mut self, at: UtcMs, campaign: CampaignId, client: ClientId) {
        for scope in self.scopes(campaign, client) {
            scope.take_back(at);
        }
    }

    /// Counts of a campaign in a window.
    pub(crate) fn tally(
        &self,
        now: UtcMs,
        campaign: CampaignId,
        window: Window,
        day: &Day,
    ) -> Tally {
        self.campaigns
            .get(&campaign)
            .map(|s| s.tally(window, now, day))
            .unwrap_or_default()
    }

    /// Counts of the installation in a window.
    pub(crate) fn total(&self, now: UtcMs, window: Window, day: &Day) -> Tally {
        self.all.tally(window, now, day)
    }

    /// What holds for a campaign now.
    pub(crate) fn state(&mut self, now: UtcMs, ask: &GuardAsk) -> GuardState {
        let mut findings = Vec::with_capacity(ask.rules.len() * 3);
        let (campaign, client) = (
            self.campaigns.entry(ask.campaign).or_default(),
            self.clients.entry(ask.client).or_default(),
        );
        let at = |agents| Moment {
            now,
            day: ask.day,
            agents,
        };
        for rule in &ask.rules {
            for (name, scope, agents) in [
                ("campaign", &*campaign, ask.agents),
                ("client", &*client, ask.agents_all),
                ("installation", &self.all, ask.agents_all),
            ] {
                findings.push(judge(name, scope, rule, &at(agents)));
            }
        }
        self.standing
            .entry(ask.campaign)
            .or_default()
            .state(now, ask.mode, &findings)
    }
}

/// The hard stop for one campaign alone, as simulations run it.
#[derive(Debug)]
pub struct HardStop {
    scope: Scope,
    standing: Standing,
    rule: AbandonRule,
    day: Day,
}

impl HardStop {
    /// For a window that ends at `window_ends`; cap and target as shares.
    #[must_use]
    pub fn new(now: UtcMs, window_ends: UtcMs, cap: f64, target: f64) -> Self {
        Self {
            scope: Scope::default(),
            standing: Standing::default(),
            rule: AbandonRule {
                formula: FormulaId::PlainDay,
                window: Window::Day,
                cap_pct: cap * 100.0,
                target_pct: target * 100.0,
            },
            day: Day {
                began: now,
                ends: window_ends.max(now.plus_ms(1)),
                closes: None,
            },
        }
    }

    /// A live answer and its fate.
    pub fn count(&mut self, now: UtcMs, abandoned: bool) {
        self.scope.count(now, now, abandoned);
    }

    /// What it says to a campaign of that mode with so many agents at work.
    pub fn state(&mut self, now: UtcMs, asked: DialMode, agents: f64) -> GuardState {
        self.day.roll(now);
        let at = Moment {
            now,
            day: self.day,
            agents,
        };
        let found = judge("campaign", &self.scope, &self.rule, &at);
        self.standing.state(now, asked, &[found])
    }
}

#[cfg(test)]
mod tests;
