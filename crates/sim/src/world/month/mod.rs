//! A month of a portfolio on virtual time: each working day the real center calls for a while, agents take
//! promises and draw plans, a supervisor answers, debtors sign, pay, keep a part or do not, money comes in
//! and goes back, reminders and letters go out, debtors write back; nights and weekends are jumped over.
//! Afterwards caps, books and figures are held against each other.
//!
//! ```
//! use sim::world::{Month, live_month};
//! let short = Month { debtors: 30, days: 2, minutes: 5, agents: 3, seed: 1 };
//! assert!(live_month(&short).wrong.is_empty());
//! ```

mod books;
mod clerk;
mod figures;
mod letters;
mod missing;
mod money;
mod setup;

pub use figures::MonthRows;

use super::agent::{Agenda, Worker};
use super::life::{Life, runtime, until_done};
use super::plan::{Habits, Plan};
use super::{Breach, World};
use crate::bus::BusFaults;
use crate::checkers::acts;
use crate::clock::VirtualClock;
use crate::fate::FateMix;
use crate::store::Tables;
use crate::trunk::TrunkFaults;
use center::Actor;
use clerk::Clerk;
use domain::entity::{DialMode, LinkState, Plan as Agreed, PlanState, PromiseState, ReceiptState};
use domain::ids::DebtId;
use domain::ports::Clock as _;
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::kpi::Kpi;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use money::Till;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Map;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// First day: Monday, 23 November 2026, the first on which the packs are in force.
const FIRST_DAY: &str = "2026-11-23";
/// Between two looks at who is new in the segments.
const REFILL_MS: i64 = 20 * MINUTE_MS;
/// Work begins at this local hour.
const HOUR: i64 = 10;
/// Minutes of a day on which nobody calls: the center looks at debts, promises and plans.
const IDLE_MINUTES: u64 = 2;
/// Days after the last on which nobody calls: graces end.
const AFTER: i64 = 10;
/// Plans drawn from this day on give up their quita when they break.
const LAPSE_FROM: usize = 4;
/// Identified debtors with whom a plan is drawn, percent.
const PLAN_PCT: u32 = 30;

/// How large and how long.
#[derive(Debug, Clone, Copy)]
pub struct Month {
    /// Seed of everything.
    pub seed: u64,
    /// Debtors.
    pub debtors: usize,
    /// Agents.
    pub agents: usize,
    /// Days, weekends among them.
    pub days: i64,
    /// Minutes worked a day.
    pub minutes: u64,
}

/// A day as it is over.
#[derive(Debug, Clone)]
pub struct MonthDay {
    /// Local date.
    pub date: String,
    /// Attempts so far.
    pub attempts: usize,
    /// Payments so far, reversals among them.
    pub payments: usize,
    /// Plans so far.
    pub plans: usize,
    /// Messages that left so far.
    pub messages: usize,
    /// Letters so far.
    pub letters: usize,
}

/// What a month came to.
#[derive(Debug, Clone, Default)]
pub struct MonthOutcome {
    /// Attempts.
    pub attempts: usize,
    /// Promises by state.
    pub promises: BTreeMap<PromiseState, usize>,
    /// Payments, reversals among them.
    pub payments: usize,
    /// Of them, money taken back.
    pub reversals: usize,
    /// Receipts by state.
    pub receipts: BTreeMap<ReceiptState, usize>,
    /// Receipts by where they came from (`api`, `bank_file`, `provider`).
    pub sources: BTreeMap<String, usize>,
    /// Payment links by state.
    pub links: BTreeMap<LinkState, usize>,
    /// Plans by state.
    pub plans: BTreeMap<PlanState, usize>,
    /// Plans that debtors accepted, and what became of their terms: `signed`, `quita lapsed`, `quita kept`,
    /// `incentive`.
    pub terms: BTreeMap<&'static str, usize>,
    /// Messages by state, with the reason where they did not leave.
    pub messages: BTreeMap<String, usize>,
    /// Messages of debtors.
    pub replies: usize,
    /// Letters.
    pub letters: usize,
    /// Steps of strategies that are no messages, by action and state.
    pub steps: BTreeMap<String, usize>,
    /// Holds by kind.
    pub holds: BTreeMap<String, usize>,
    /// Figures of the month: numerator, denominator.
    pub figures: Vec<(Kpi, i64, i64)>,
    /// Invariants seen broken.
    pub breaches: Vec<Breach>,
    /// Books that do not balance, promises and plans whose state is not what the money says, figures of the
    /// tables that are not those of the event log.
    pub wrong: Vec<String>,
    /// What the figures are made of, for a store of another kind.
    pub rows: MonthRows,
}

fn plan(month: &Month, start: UtcMs) -> Plan {
    Plan {
        start,
        campaigns: 1,
        two_clients: false,
        debtors: month.debtors,
        agents: month.agents,
        modes: [DialMode::Power; 2],
        lines_per_agent: 2.0,
        channels: month.agents * 3,
        cps: 10,
        mix: FateMix {
            answer_pct: 45,
            refuse_pct: 20,
        },
        trunk: TrunkFaults::default(),
        bus: BusFaults::default(),
        store_ms: 0,
        outages: Vec::new(),
        dead_trunk: Vec::new(),
        crashes: Vec::new(),
        habits: Habits {
            plan_pct: PLAN_PCT,
            ..Habits::default()
        },
        dropped_legs: 0,
        refill_every_ms: REFILL_MS,
        ..Plan::draw(month.seed)
    }
}

/// Local hour of a day, in the zone that the portfolio lives in.
fn at(day: i64, hour: i64) -> UtcMs {
    UtcMs(day * DAY_MS + (hour - super::people::ZONE_OFFSET_H) * HOUR_MS)
}

/// Local day of an instant there.
fn local_day(at: UtcMs) -> i64 {
    (at.0 + super::people::ZONE_OFFSET_H * HOUR_MS).div_euclid(DAY_MS)
}

/// Days since Monday.
fn weekday(day: i64) -> i8 {
    date_of_day(day).map_or(0, |d| d.weekday().to_monday_zero_offset())
}

/// Lives through it.
#[must_use]
pub fn live_month(month: &Month) -> MonthOutcome {
    live_month_told(month, |_| {})
}

/// Lives through it and tells of each day that is over.
#[must_use]
pub fn live_month_told(month: &Month, mut tell: impl FnMut(&MonthDay)) -> MonthOutcome {
    let first = FIRST_DAY.parse().map(day_of).unwrap_or_default();
    let mut world = World::new(&plan(month, at(first, HOUR)));
    setup::furnish(&mut world);
    let opening = balances(&world);
    let notebook = world.notebook.clone();
    let end = first + month.days;
    let mut till = Till::new(month.seed);
    tracing::subscriber::with_default(notebook, || {
        for (number, day) in (first..end + AFTER).enumerate() {
            world.now = at(day, HOUR).max(world.now);
            if number == LAPSE_FROM {
                setup::let_quitas_lapse(&world);
            }
            let works = weekday(day) < 5 && day < end;
            let shift = Shift {
                number,
                day,
                minutes: if works { month.minutes } else { IDLE_MINUTES },
                works,
            };
            world.now = one_day(&world, &shift, &mut till);
            tell(&told(&world, day));
        }
    });
    judge(&world, &opening, first, end + AFTER)
}

fn told(world: &World, day: i64) -> MonthDay {
    let posted = world.post.as_ref().map_or(0, |p| p.log().len());
    world.store.with(|t| MonthDay {
        date: date_of_day(day).map_or_else(String::new, |d| d.to_string()),
        attempts: t.attempts.len(),
        payments: t.payments.len(),
        plans: t.plans.len(),
        messages: posted,
        letters: t.letters.len(),
    })
}

fn balances(world: &World) -> BTreeMap<DebtId, i64> {
    let all = |t: &mut Tables| {
        t.debts
            .values()
            .map(|d| (d.id, d.balance_minor()))
            .collect()
    };
    world.store.with(all)
}

/// One day of the center.
struct Shift {
    /// Number of the day, from 0.
    number: usize,
    /// Local day.
    day: i64,
    /// Minutes that it is up.
    minutes: u64,
    /// Whether anybody calls.
    works: bool,
}

/// One day: the center starts, people work and pay, and all goes quiet.
fn one_day(world: &World, shift: &Shift, till: &mut Till) -> UtcMs {
    runtime().block_on(async {
        let clock = Arc::new(VirtualClock::start(world.now));
        world.store.set_latency(world.plan.seed, 0);
        let life = Life::start(world, shift.number, Arc::clone(&clock)).await;
        let (finish, over) = watch::channel(false);
        if shift.works {
            open(world, &life, shift.number, &over).await;
            tokio::spawn(Clerk::of(world, &life, over.clone()).work());
        }
        for minute in 0..shift.minutes {
            sleep(Duration::from_secs(60)).await;
            if minute == 1 && shift.works && weekday(shift.day) == 0 {
                letters::begin(world, &life, shift.number);
            }
            till.minute(world, &life, shift.minutes).await;
        }
        let _ = finish.send(true);
        if shift.works {
            for campaign in &world.cast.campaigns {
                until_done(|| life.handle.pause_campaign(Actor::System, *campaign)).await;
            }
            sleep(Duration::from_secs(10 * 60)).await;
        }
        life.handle.shutdown().await;
        clock.now()
    })
}

async fn open(world: &World, life: &Life, number: usize, over: &watch::Receiver<bool>) {
    for campaign in &world.cast.campaigns {
        if number == 0 {
            until_done(|| life.handle.start_campaign(Actor::System, *campaign)).await;
        } else {
            until_done(|| life.handle.resume_campaign(Actor::System, *campaign)).await;
        }
    }
    for (n, agent) in world.cast.agents.iter().enumerate() {
        let seed = world.plan.seed.rotate_left(21) ^ (number as u64) << 40 ^ (n as u64 + 100);
        let worker = Worker {
            id: *agent,
            handle: life.handle.clone(),
            hub: Arc::clone(&life.hub),
            clock: Arc::clone(&life.clock) as _,
            store: Arc::clone(&world.store),
            rng: ChaCha8Rng::seed_from_u64(seed),
            habits: world.plan.habits,
            over: over.clone(),
            tally: world.tally.clone(),
            me: Map::new(),
            facts: Vec::new(),
            agenda: Agenda::default(),
        };
        tokio::spawn(worker.work());
    }
}

fn count<K: Ord>(into: &mut BTreeMap<K, usize>, keys: impl Iterator<Item = K>) {
    for key in keys {
        *into.entry(key).or_default() += 1;
    }
}

fn judge(world: &World, opening: &BTreeMap<DebtId, i64>, first: i64, end: i64) -> MonthOutcome {
    let mut outcome = MonthOutcome {
        breaches: world.judge(false),
        ..MonthOutcome::default()
    };
    let (invites, posted) = (
        world.invites(),
        world.post.as_ref().map_or_else(Vec::new, |p| p.log()),
    );
    let offset = super::people::ZONE_OFFSET_H;
    world.store.with(|t| {
        let broken = &mut outcome.breaches;
        acts::caps_hold_over_channels(t, &invites, &posted, offset, broken);
        acts::everything_is_counted_once(t, &invites, &posted, broken);
        acts::messages_are_allowed(t, &posted, broken);
        tell(t, &mut outcome);
        books::all(t, opening, world.now, &mut outcome.wrong);
        figures::all(t, first, end, &mut outcome);
    });
    outcome
}

/// What became of the terms of a plan that was accepted.
fn kept_terms(t: &Tables, plan: &Agreed) -> Vec<&'static str> {
    let of_plan = t.money.forgiven.iter().filter(|f| f.plan_id == plan.id);
    let off: i64 = of_plan.map(|f| f.parts.sum()).sum();
    let broken = plan.state == PlanState::Broken && plan.quita_minor > 0;
    let mut all = vec!["signed"];
    if broken {
        all.push(if off == 0 {
            "quita lapsed"
        } else {
            "quita kept"
        });
    }
    if plan.state == PlanState::Completed && off > plan.quita_minor {
        all.push("incentive");
    }
    all
}

/// Counts of what there is.
fn tell(t: &Tables, outcome: &mut MonthOutcome) {
    outcome.attempts = t.attempts.len();
    outcome.payments = t.payments.len();
    outcome.reversals = t.payments.values().filter(|p| p.reverses.is_some()).count();
    outcome.replies = t.inbox.len();
    outcome.letters = t.letters.len();
    count(&mut outcome.promises, t.promises.values().map(|p| p.state));
    count(&mut outcome.plans, t.plans.values().map(|p| p.state));
    let receipts = t.money.receipts.values();
    count(&mut outcome.receipts, receipts.map(|r| r.state));
    let receipts = t.money.receipts.values();
    count(&mut outcome.sources, receipts.map(|r| r.source.to_string()));
    count(&mut outcome.links, t.money.links.values().map(|l| l.state));
    let signed = t.plans.values().filter(|p| p.signed_at.is_some());
    count(&mut outcome.terms, signed.flat_map(|p| kept_terms(t, p)));
    let messages = t.messages.values().map(|m| match m.reason.as_str() {
        "" => m.state.to_string(),
        why if !m.state.has_left() => format!("{}:{why}", m.state),
        _ => m.state.to_string(),
    });
    count(&mut outcome.messages, messages);
    let steps = t.planned_steps.values();
    let named = steps.map(|s| format!("{}:{}", s.action, s.state));
    count(&mut outcome.steps, named);
    count(
        &mut outcome.holds,
        t.holds.values().map(|h| h.kind.to_string()),
    );
}
