//! The abandonment guard (law.md §4): the cap is a promise about the window's end, spent against the
//! answers the window will hold. It watches campaign, client and installation; the strictest wins.

use domain::entity::DialMode;
use domain::ids::{CampaignId, ClientId};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use std::collections::{BTreeMap, VecDeque};

/// Live answers by fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Not given to an agent in time (A).
    pub abandoned: u64,
    /// Handled by an agent (H).
    pub handled: u64,
}

impl Tally {
    /// A + H.
    #[must_use]
    pub const fn answers(&self) -> u64 {
        self.abandoned + self.handled
    }

    fn add(&mut self, abandoned: bool) {
        if abandoned {
            self.abandoned += 1;
        } else {
            self.handled += 1;
        }
    }
}

/// What the guard says now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GuardState {
    /// Mode in force.
    pub mode: DialMode,
    /// Factor on over-dialing, 0 to 1.
    pub shrink: f64,
    /// Why it interferes, stable code; `None` when it does not.
    pub why: Option<&'static str>,
}

/// Live answers after which the quotient itself binds (law.md §4).
const QUOTIENT_FROM: u64 = 100;
/// Share of the budget from which over-dialing shrinks (law.md §4).
const SHRINK_FROM: f64 = 0.8;
/// Least abandonments that the worst hour may hold (law.md §4).
const HOUR_LEAST: f64 = 3.0;
/// Live answers an agent gets in an hour before anything is known [H].
const ANSWERS_PER_AGENT_HOUR: f64 = 12.0;
/// Minutes of the last hour that must be seen before its rate replaces the prior.
const RATE_FROM_MIN: i64 = 10;

/// Counts of one scope over its legal window and its last hour.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) tally: Tally,
    window_ends: UtcMs,
    since: UtcMs,
    hour: VecDeque<(i64, Tally)>,
}

impl Scope {
    fn new(now: UtcMs, window_ends: UtcMs) -> Self {
        Self {
            tally: Tally::default(),
            window_ends,
            since: now,
            hour: VecDeque::new(),
        }
    }

    fn roll(&mut self, now: UtcMs) {
        while now >= self.window_ends {
            self.tally = Tally::default();
            self.window_ends = self.window_ends.plus_ms(DAY_MS);
        }
        let oldest = now.plus_ms(-HOUR_MS).0 / MINUTE_MS;
        while self.hour.front().is_some_and(|(m, _)| *m <= oldest) {
            self.hour.pop_front();
        }
    }

    fn count(&mut self, now: UtcMs, abandoned: bool) {
        self.roll(now);
        self.tally.add(abandoned);
        let minute = now.0 / MINUTE_MS;
        if self.hour.back().is_none_or(|(m, _)| *m != minute) {
            self.hour.push_back((minute, Tally::default()));
        }
        if let Some((_, tally)) = self.hour.back_mut() {
            tally.add(abandoned);
        }
    }

    fn last_hour(&self) -> Tally {
        self.hour
            .iter()
            .fold(Tally::default(), |sum, (_, t)| Tally {
                abandoned: sum.abandoned + t.abandoned,
                handled: sum.handled + t.handled,
            })
    }

    /// Answers the whole window will hold: never less than so far, never more than 2 × so far + 100.
    fn expected(&self, now: UtcMs, agents: f64) -> f64 {
        let answers = as_f64(self.tally.answers());
        let hours_left = hours(self.window_ends.since_ms(now).max(0));
        let seen_ms = now.since_ms(self.since).clamp(0, HOUR_MS);
        let seen = self.last_hour().answers();
        // An hour without an answer tells nothing of the rate: nobody was at work, or the day is new.
        let rate = if seen > 0 && seen_ms >= RATE_FROM_MIN * MINUTE_MS {
            as_f64(seen) / hours(seen_ms)
        } else {
            ANSWERS_PER_AGENT_HOUR * agents
        };
        (answers + rate * hours_left).clamp(answers, 2.0 * answers + 100.0)
    }

    fn level(&self, now: UtcMs, cap: f64, target: f64, agents: f64) -> Level {
        let (a, answers) = (as_f64(self.tally.abandoned), self.tally.answers());
        let quotient = if answers == 0 {
            0.0
        } else {
            a / as_f64(answers)
        };
        let last_hour = self.window_ends.since_ms(now) <= HOUR_MS;
        if (answers >= QUOTIENT_FROM || (last_hour && answers > 0)) && quotient > cap {
            return if quotient > 2.0 * cap {
                Level::Preview("abandonment_twice_cap")
            } else {
                Level::Progressive("abandonment_over_cap")
            };
        }
        let hour = self.last_hour();
        let hour_bound = (3.0 * cap * as_f64(hour.answers())).max(HOUR_LEAST);
        if as_f64(hour.abandoned) >= hour_bound {
            return Level::Progressive("abandonment_worst_hour");
        }
        let expected = self.expected(now, agents);
        let budget = cap * expected;
        if a + 1.0 > budget {
            return Level::Progressive("abandonment_budget_spent");
        }
        let soft = (SHRINK_FROM * cap).max(target) * expected;
        if a < soft || soft >= budget {
            return Level::Normal(1.0);
        }
        Level::Normal(((budget - a) / (budget - soft)).clamp(0.0, 1.0))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Level {
    Normal(f64),
    Progressive(&'static str),
    Preview(&'static str),
}

impl Level {
    const fn rank(self) -> u8 {
        match self {
            Self::Normal(_) => 0,
            Self::Progressive(_) => 1,
            Self::Preview(_) => 2,
        }
    }

    fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Normal(a), Self::Normal(b)) => Self::Normal(a.min(b)),
            (a, b) if b.rank() > a.rank() => b,
            (a, _) => a,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a day are far below 2^52"
)]
fn as_f64(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "a window is below 2^52 ms")]
fn hours(ms: i64) -> f64 {
    ms as f64 / HOUR_MS as f64
}

/// All scopes.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    campaigns: BTreeMap<CampaignId, Scope>,
    clients: BTreeMap<ClientId, Scope>,
    all: Option<Scope>,
}

/// What a campaign asks the guard with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GuardAsk {
    pub(crate) campaign: CampaignId,
    pub(crate) client: ClientId,
    pub(crate) mode: DialMode,
    /// Percent.
    pub(crate) cap_pct: f64,
    /// Percent.
    pub(crate) target_pct: f64,
    pub(crate) agents: f64,
}

impl Guard {
    pub(crate) fn open(
        &mut self,
        now: UtcMs,
        campaign: CampaignId,
        client: ClientId,
        window_ends: UtcMs,
    ) {
        let ends = window_ends.max(now.plus_ms(1));
        for scope in [
            self.campaigns
                .entry(campaign)
                .or_insert_with(|| Scope::new(now, ends)),
            self.clients
                .entry(client)
                .or_insert_with(|| Scope::new(now, ends)),
            self.all.get_or_insert_with(|| Scope::new(now, ends)),
        ] {
            scope.roll(now);
            scope.window_ends = scope.window_ends.min(ends).max(now.plus_ms(1));
        }
    }

    pub(crate) fn seed(
        &mut self,
        campaign: Option<CampaignId>,
        client: Option<ClientId>,
        tally: Tally,
    ) {
        let scope = match (campaign, client) {
            (Some(id), _) => self.campaigns.get_mut(&id),
            (None, Some(id)) => self.clients.get_mut(&id),
            (None, None) => self.all.as_mut(),
        };
        if let Some(scope) = scope {
            scope.tally = tally;
        }
    }

    pub(crate) fn count(
        &mut self,
        now: UtcMs,
        campaign: CampaignId,
        client: ClientId,
        abandoned: bool,
    ) {
        for scope in [
            self.campaigns.get_mut(&campaign),
            self.clients.get_mut(&client),
            self.all.as_mut(),
        ]
        .into_iter()
        .flatten()
        {
            scope.count(now, abandoned);
        }
    }

    pub(crate) fn tally(&self, campaign: CampaignId) -> Tally {
        self.campaigns
            .get(&campaign)
            .map(|s| s.tally)
            .unwrap_or_default()
    }

    pub(crate) fn total(&self) -> Tally {
        self.all.as_ref().map(|s| s.tally).unwrap_or_default()
    }

    /// The mode in force. Modes without over-dialing are only lowered above twice the cap.
    pub(crate) fn state(&mut self, now: UtcMs, ask: &GuardAsk) -> GuardState {
        let (cap, target) = (ask.cap_pct / 100.0, ask.target_pct / 100.0);
        let mut level = Level::Normal(1.0);
        for scope in [
            self.campaigns.get_mut(&ask.campaign),
            self.clients.get_mut(&ask.client),
            self.all.as_mut(),
        ]
        .into_iter()
        .flatten()
        {
            scope.roll(now);
            level = level.stricter(scope.level(now, cap, target, ask.agents));
        }
        lowered(ask.mode, level)
    }
}

/// The hard stop for one campaign alone, as simulations run it.
#[derive(Debug)]
pub struct HardStop {
    scope: Scope,
    cap: f64,
    target: f64,
}

impl HardStop {
    /// For a window that ends at `window_ends`; cap and target as shares.
    #[must_use]
    pub fn new(now: UtcMs, window_ends: UtcMs, cap: f64, target: f64) -> Self {
        Self {
            scope: Scope::new(now, window_ends.max(now.plus_ms(1))),
            cap,
            target,
        }
    }

    /// A live answer and its fate.
    pub fn count(&mut self, now: UtcMs, abandoned: bool) {
        self.scope.count(now, abandoned);
    }

    /// What it says to a predictive campaign with so many agents at work.
    pub fn state(&mut self, now: UtcMs, agents: f64) -> GuardState {
        self.scope.roll(now);
        lowered(
            DialMode::Predictive,
            self.scope.level(now, self.cap, self.target, agents),
        )
    }
}

/// The mode in force by a level.
fn lowered(asked: DialMode, level: Level) -> GuardState {
    let (mode, shrink, why) = match (asked, level) {
        (DialMode::Power | DialMode::Predictive, Level::Progressive(why)) => {
            (DialMode::Progressive, 0.0, Some(why))
        }
        (DialMode::Manual | DialMode::Preview | DialMode::Agentless, _) => (asked, 1.0, None),
        (_, Level::Preview(why)) => (DialMode::Preview, 0.0, Some(why)),
        (mode, Level::Normal(shrink)) => {
            let why = (shrink < 1.0).then_some("abandonment_cap_near");
            (mode, shrink, why)
        }
        (mode, Level::Progressive(_)) => (mode, 1.0, None),
    };
    GuardState { mode, shrink, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const T0: UtcMs = UtcMs(1_795_357_200_000);

    fn guard(hours_left: i64) -> (Guard, GuardAsk) {
        let (campaign, client) = (CampaignId(Uuid::from_u128(1)), ClientId(Uuid::from_u128(2)));
        let mut guard = Guard::default();
        guard.open(T0, campaign, client, T0.plus_ms(hours_left * HOUR_MS));
        let ask = GuardAsk {
            campaign,
            client,
            mode: DialMode::Power,
            cap_pct: 3.0,
            target_pct: 2.8,
            agents: 10.0,
        };
        (guard, ask)
    }

    fn count(guard: &mut Guard, ask: &GuardAsk, now: UtcMs, abandoned: u64, handled: u64) {
        for n in 0..abandoned + handled {
            guard.count(now, ask.campaign, ask.client, n < abandoned);
        }
    }

    #[test]
    fn the_budget_of_the_window_is_spent_then_progressive() {
        let (mut guard, ask) = guard(8);
        assert_eq!(guard.state(T0, &ask).mode, DialMode::Power);
        // Ten agents for eight hours: at most 2 × answers + 100 are expected, so three may be lost.
        count(&mut guard, &ask, T0, 2, 0);
        assert_eq!(guard.state(T0, &ask).mode, DialMode::Power);
        count(&mut guard, &ask, T0, 1, 0);
        let state = guard.state(T0, &ask);
        assert_eq!(state.mode, DialMode::Progressive);
        assert_eq!(state.why, Some("abandonment_worst_hour"));
        count(&mut guard, &ask, T0, 0, 300);
        assert_eq!(
            guard.state(T0, &ask).mode,
            DialMode::Power,
            "answers bring room again"
        );
    }

    #[test]
    fn over_dialing_shrinks_before_the_cap() {
        let (mut guard, ask) = guard(8);
        // 68 answers before this start, at most 236 expected, a budget of 7: beyond it.
        let before = Tally {
            abandoned: 8,
            handled: 60,
        };
        guard.seed(Some(ask.campaign), None, before);
        let state = guard.state(T0, &ask);
        assert_eq!(
            (state.mode, state.why),
            (DialMode::Progressive, Some("abandonment_budget_spent"))
        );
        let (mut guard, ask) = self::guard(8);
        count(&mut guard, &ask, T0, 20, 980);
        // Expected 1,960 of which 3 % are 58: far away.
        assert_eq!(
            guard.state(T0, &ask),
            GuardState {
                mode: DialMode::Power,
                shrink: 1.0,
                why: None
            }
        );
        let (mut guard, ask) = self::guard(0);
        count(&mut guard, &ask, T0, 285, 9_715);
        let state = guard.state(T0, &ask);
        assert_eq!(state.mode, DialMode::Power);
        assert!(state.shrink > 0.0 && state.shrink < 1.0, "{state:?}");
        assert_eq!(state.why, Some("abandonment_cap_near"));
    }

    #[test]
    fn over_the_cap_it_stays_lowered_until_the_quotient_is_back() {
        let (mut guard, ask) = guard(8);
        count(&mut guard, &ask, T0, 8, 142);
        assert_eq!(guard.state(T0, &ask).why, Some("abandonment_over_cap"));
        count(&mut guard, &ask, T0, 5, 0);
        let state = guard.state(T0, &ask);
        assert_eq!(
            (state.mode, state.why),
            (DialMode::Preview, Some("abandonment_twice_cap"))
        );
        let manual = GuardAsk {
            mode: DialMode::Manual,
            ..ask
        };
        assert_eq!(guard.state(T0, &manual).mode, DialMode::Manual);
        let progressive = GuardAsk {
            mode: DialMode::Progressive,
            ..ask
        };
        assert_eq!(guard.state(T0, &progressive).mode, DialMode::Preview);
    }

    #[test]
    fn a_new_window_starts_from_nothing_and_the_client_scope_counts() {
        let (mut guard, ask) = guard(1);
        count(&mut guard, &ask, T0, 20, 100);
        let next_day = T0.plus_ms(2 * HOUR_MS);
        assert_eq!(guard.state(next_day, &ask).mode, DialMode::Power);
        assert_eq!(guard.tally(ask.campaign), Tally::default());

        let other = CampaignId(Uuid::from_u128(9));
        guard.open(next_day, other, ask.client, next_day.plus_ms(8 * HOUR_MS));
        count(&mut guard, &ask, next_day, 20, 100);
        let sibling = GuardAsk {
            campaign: other,
            ..ask
        };
        assert_ne!(guard.state(next_day, &sibling).mode, DialMode::Power);
    }
}
