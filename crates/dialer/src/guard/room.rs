//! How much room a rule leaves: formulas, the hard stop and the steering towards the cap (law.md §4).

use super::windows::{Day, Scope, Tally, Window};
use domain::law::pack::FormulaId;
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// Live answers after which the quotient itself binds (law.md §4).
pub const QUOTIENT_FROM: f64 = 100.0;
/// Share of the budget from which over-dialing shrinks (law.md §4).
const SHRINK_FROM: f64 = 0.8;
/// Least abandonments that the worst hour may hold (law.md §4).
const HOUR_LEAST: f64 = 3.0;
/// The worst hour against the cap (law.md §4).
const HOUR_FACTOR: f64 = 3.0;
/// Live answers an agent gets in an hour before anything is known [H].
const ANSWERS_PER_AGENT_HOUR: f64 = 12.0;
/// Minutes of the last hour that must be seen before its rate replaces the prior.
const RATE_FROM_MIN: i64 = 10;
/// Abandonments that a forecasting campaign keeps in hand: at least so many, and by the root of the
/// agents at work, for abandonments come in clumps as large as what is in flight. With less in hand the
/// quotient crosses the cap by chance, and one abandonment over it costs 33 answers of one-to-one
/// dialing, which brings a fifth of the answers in the same time.
const RESERVE_LEAST: f64 = 4.0;
/// The same for each root of an agent.
const RESERVE_ROOT: f64 = 1.0;
/// The reserve is no more than this share of what the answers so far allow: a window that has just begun
/// has nothing yet to put aside.
const RESERVE_SHARE: f64 = 0.67;
/// Before the quotient binds, what is still to come is taken to be lost at this share of the target: it
/// is held to that until then.
const AHEAD: f64 = 0.5;
/// How far the risk is taken back when nothing is in hand, as a power of e: then the forecast launches
/// next to nothing that could be lost, and still far more than one call an agent.
const RESERVE_STEEP: f64 = 5.0;

/// Aim where none is set, as a share of the cap (terms.md §10).
pub const TARGET_OF_CAP: f64 = 0.93;

/// A rule on abandonment that binds a campaign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AbandonRule {
    /// Formula of law.md §4.
    pub formula: FormulaId,
    /// Window.
    pub window: Window,
    /// Cap, percent.
    pub cap_pct: f64,
    /// Aim, percent.
    pub target_pct: f64,
}

/// Percent by which an aim is no other aim.
const SAME_PCT: f64 = 1e-9;
/// Share of an aim that is left, whatever detection takes of it.
const LEFT_OF_AIM: f64 = 0.5;

/// An aim, percent, without the persons that detection may take for machines: they are abandoned one for one, that
/// much of the budget is theirs.
pub(crate) fn less(aim_pct: f64, taken_pct: f64) -> f64 {
    if taken_pct > 0.0 {
        (aim_pct - taken_pct).max(LEFT_OF_AIM * aim_pct)
    } else {
        aim_pct
    }
}

/// Abandonment to aim at, percent: the campaign's own target, or less where a pack of its debtors says so or has a lower
/// cap, without the `taken_pct` persons that detection may take for machines. A pack of the same cap without an aim of
/// its own leaves the campaign's.
pub fn aim_pct<'a>(
    target_pct: f64,
    cap_pct: f64,
    packs: impl IntoIterator<Item = &'a AbandonRule>,
    taken_pct: f64,
) -> f64 {
    let says = |r: &&AbandonRule| {
        r.cap_pct < cap_pct - SAME_PCT || r.target_pct < TARGET_OF_CAP * r.cap_pct - SAME_PCT
    };
    let packs = packs.into_iter().filter(says).map(|r| r.target_pct);
    less(packs.fold(target_pct.min(cap_pct), f64::min), taken_pct)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a month are far below 2^52"
)]
const fn as_f64(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "a window is below 2^52 ms")]
fn hours(ms: i64) -> f64 {
    ms as f64 / HOUR_MS as f64
}

/// Numerator and denominator of a formula (law.md §4). Short calls are no abandonment, and are held to their own
/// share ([`super::ShortDay`]): `anatel_short` counts as `plain_day` here.
#[must_use]
pub fn parts(formula: FormulaId, tally: Tally) -> (f64, f64) {
    let (a, h) = (as_f64(tally.abandoned), as_f64(tally.handled));
    match formula {
        FormulaId::Tsr | FormulaId::PlainDay | FormulaId::AnatelShort => (a, a + h),
        FormulaId::OfcomCorrected => {
            // D = D0 − D0 · Ag ÷ (Ag + L): of the drops, the share of machines is taken off as agents
            // found it among the calls they were given.
            let ag = as_f64(tally.machines);
            let given = ag + h;
            let d = if given > 0.0 { a - a * ag / given } else { a };
            (d, d + h)
        }
    }
}

/// What a rule says of a scope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Level {
    Normal,
    Progressive(&'static str),
    Preview(&'static str),
}

impl Level {
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Progressive(_) => 1,
            Self::Preview(_) => 2,
        }
    }
}

/// The room that one rule leaves in one scope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// `campaign`, `client` or `installation`.
    pub scope: &'static str,
    /// Window of the rule.
    pub window: Window,
    /// Numerator.
    pub numerator: f64,
    /// Denominator.
    pub denominator: f64,
    /// Cap, percent.
    pub cap_pct: f64,
    /// Abandonments left before the mode is lowered; below nought it has been.
    pub free: f64,
}

/// A finding on one scope by one rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) room: Room,
    /// Factor on over-dialing near the window's budget (law.md §4).
    pub(crate) shrink: f64,
    /// Factor on the risk that a forecast takes, so that the stop seldom bites.
    pub(crate) steer: f64,
}

/// When it is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: UtcMs,
    pub(crate) day: Day,
    /// Agents at work in the scope.
    pub(crate) agents: f64,
}

/// Answers the window will hold: never less than so far, never more than 2 × so far + 100.
fn expected(scope: &Scope, at: &Moment, answers: f64) -> f64 {
    let seen = as_f64(scope.tally(Window::Hour, at.now, &at.day).answers());
    let seen_ms = scope.seen_ms(at.now);
    // An hour without an answer tells nothing of the rate: nobody was at work, or the day is new.
    let rate = if seen > 0.0 && seen_ms >= RATE_FROM_MIN * MINUTE_MS {
        seen / hours(seen_ms)
    } else {
        ANSWERS_PER_AGENT_HOUR * at.agents
    };
    let more = rate * hours(at.day.left_ms(at.now));
    (answers + more).clamp(answers, 2.0 * answers + 100.0)
}

/// Factor on the risk by what is in hand, where `allowed` may be lost of the answers so far.
fn steer(margin: f64, agents: f64, allowed: f64) -> f64 {
    let reserve = RESERVE_LEAST.max(RESERVE_ROOT * agents.max(0.0).sqrt());
    let reserve = reserve.min(RESERVE_SHARE * allowed).max(f64::MIN_POSITIVE);
    (-RESERVE_STEEP * (1.0 - margin.max(0.0) / reserve).max(0.0)).exp()
}

/// Judges a scope by a rule.
pub(crate) fn judge(name: &'static str, scope: &Scope, rule: &AbandonRule, at: &Moment) -> Finding {
    let (a, n) = parts(rule.formula, scope.tally(rule.window, at.now, &at.day));
    let (hour_a, hour_n) = parts(rule.formula, scope.tally(Window::Hour, at.now, &at.day));
    let cap = rule.cap_pct / 100.0;
    let target = (rule.target_pct / 100.0).min(cap);
    let last_hour = rule.window == Window::Day && at.day.left_ms(at.now) <= HOUR_MS;
    let binds = n >= QUOTIENT_FROM || (last_hour && n > 0.0);
    let budget = cap * expected(scope, at, n);
    let hour_bound = (HOUR_FACTOR * cap * hour_n).max(HOUR_LEAST);

    let level = if binds && a > 2.0 * cap * n {
        Level::Preview("abandonment_twice_cap")
    } else if binds && a > cap * n {
        Level::Progressive("abandonment_over_cap")
    } else if hour_a >= hour_bound {
        Level::Progressive("abandonment_worst_hour")
    } else if a + 1.0 > budget {
        Level::Progressive("abandonment_budget_spent")
    } else {
        Level::Normal
    };
    // What may still be abandoned before one of the three bites.
    let mut free = (hour_bound - hour_a).min(budget - a);
    if binds {
        free = free.min(cap * n - a);
    }
    // Before the quotient binds it is steered to where it will stand when it does.
    let ahead = (QUOTIENT_FROM - n).max(0.0);
    let allowed = cap * n.max(QUOTIENT_FROM);
    let margin = free.min(allowed - a - AHEAD * target * ahead);
    let soft = (SHRINK_FROM * cap).max(target) * budget / cap.max(f64::MIN_POSITIVE);
    let shrink = if a < soft || soft >= budget {
        1.0
    } else {
        ((budget - a) / (budget - soft)).clamp(0.0, 1.0)
    };
    Finding {
        level,
        room: Room {
            scope: name,
            window: rule.window,
            numerator: a,
            denominator: n,
            cap_pct: rule.cap_pct,
            free,
        },
        shrink,
        steer: steer(margin, at.agents, allowed),
    }
}
