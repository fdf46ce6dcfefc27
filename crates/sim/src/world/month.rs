//! A month of a portfolio on virtual time: each working day the real center calls for a while, agents take
//! promises, debtors keep them, keep a part, or do not, money comes in and goes back; nights and weekends
//! are jumped over. Afterwards caps, books and figures are held against each other.
//!
//! ```
//! use sim::world::{Month, live_month};
//! let short = Month { debtors: 30, days: 2, minutes: 5, agents: 3, seed: 1 };
//! assert!(live_month(&short).wrong.is_empty());
//! ```

use super::agent::{Agenda, Worker};
use super::life::{Life, runtime, until_done};
use super::people::mxn;
use super::plan::{Habits, Plan};
use super::{Breach, World};
use crate::bus::BusFaults;
use crate::clock::VirtualClock;
use crate::fate::FateMix;
use crate::store::Tables;
use crate::trunk::TrunkFaults;
use center::Actor;
use domain::entity::{Debt, DialMode, Payment, PaymentChannel, Promise, PromiseState};
use domain::ids::{DebtId, PaymentId};
use domain::money::Money;
use domain::ports::{Clock as _, IdSource as _};
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::kpi::{CostRates, Kpi, KpiAsk, KpiPeriod, KpiRows, KpiSums, KpiWorld};
use domain::rules::promise::outcome;
use domain::segment::day_of_date;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
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
/// Of a hundred promises so many are paid, so many by half.
const KEPT: (u32, u32) = (55, 15);
/// Days after the last on which nobody calls: graces end.
const AFTER: i64 = 10;

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

/// What a month came to.
#[derive(Debug, Clone, Default)]
pub struct MonthOutcome {
    /// Attempts.
    pub attempts: usize,
    /// Promises by state.
    pub promises: BTreeMap<PromiseState, usize>,
    /// Payments, reversals among them.
    pub payments: usize,
    /// Figures of the month: numerator, denominator.
    pub figures: Vec<(Kpi, i64, i64)>,
    /// Invariants seen broken.
    pub breaches: Vec<Breach>,
    /// Books that do not balance, promises whose state is not what the money says, figures of the tables
    /// that are not those of the event log.
    pub wrong: Vec<String>,
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
        habits: Habits::default(),
        dropped_legs: 0,
        refill_every_ms: REFILL_MS,
        ..Plan::draw(month.seed)
    }
}

/// Local hour of a day, in the zone everybody lives in.
fn at(day: i64, hour: i64) -> UtcMs {
    UtcMs(day * DAY_MS + (hour - super::people::ZONE_OFFSET_H) * HOUR_MS)
}

fn works(day: i64) -> bool {
    date_of_day(day).is_some_and(|d| d.weekday().to_monday_zero_offset() < 5)
}

/// Lives through it.
#[must_use]
pub fn live_month(month: &Month) -> MonthOutcome {
    let first = FIRST_DAY.parse().map(day_of).unwrap_or_default();
    let mut world = World::new(&plan(month, at(first, HOUR)));
    let opening = balances(&world);
    let notebook = world.notebook.clone();
    let end = first + month.days;
    tracing::subscriber::with_default(notebook, || {
        for (n, day) in (first..end + AFTER).enumerate() {
            world.now = at(day, HOUR).max(world.now);
            let minutes = if works(day) && day < end {
                month.minutes
            } else {
                // The center looks at the debts and at the promises, and nobody works.
                2
            };
            world.now = one_day(&world, n, minutes, day < end);
        }
    });
    judge(&world, &opening, first, end + AFTER)
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

/// One day: the center starts, people work and pay, and all goes quiet.
fn one_day(world: &World, number: usize, minutes: u64, calls: bool) -> UtcMs {
    runtime().block_on(async {
        let clock = Arc::new(VirtualClock::start(world.now));
        world.store.set_latency(world.plan.seed, 0);
        let life = Life::start(world, number, Arc::clone(&clock)).await;
        let (finish, over) = watch::channel(false);
        let worked = minutes > 2 && calls;
        if worked {
            open(world, &life, number, &over).await;
        }
        let seed = world.plan.seed.wrapping_mul(31).wrapping_add(number as u64);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..minutes {
            sleep(Duration::from_secs(60)).await;
            for payment in due(world, &mut rng, clock.now(), minutes) {
                // A debt that was paid meanwhile takes no more.
                let _paid = life.handle.post_payment(Actor::System, payment).await;
            }
        }
        let _ = finish.send(true);
        if worked {
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
            agenda: Agenda::default(),
        };
        tokio::spawn(worker.work());
    }
}

/// Part of a promise that is paid, percent, by its own number.
fn share(promise: &Promise) -> i64 {
    let n = u32::try_from(promise.id.0.as_u128() % 100).unwrap_or(0);
    if n < KEPT.0 {
        100
    } else if n < KEPT.0 + KEPT.1 {
        50
    } else {
        0
    }
}

/// Money of one minute: promises on their day, somebody who pays by himself, now and then a payment that
/// goes back.
fn due(world: &World, rng: &mut ChaCha8Rng, now: UtcMs, minutes: u64) -> Vec<Payment> {
    let rolls = (rng.random_range(0..100), rng.random_range(0..100));
    world.store.with(|t| {
        let mut rows = promised(world, t, now, minutes);
        if rolls.0 < 20 {
            let open: Vec<&Debt> = t.debts.values().filter(|d| d.balance_minor() > 0).collect();
            if !open.is_empty() {
                let debt = open[rng.random_range(0..open.len())];
                let left = debt.balance_minor();
                let whole = rng.random_bool(0.3);
                let part = if whole {
                    left
                } else {
                    rng.random_range(1..=left)
                };
                rows.push(payment(world, debt, part, now));
            }
        }
        if rolls.1 < 2 {
            rows.extend(reversal(world, t, now));
        }
        rows
    })
}

/// What was promised for today or before, each at its own minute.
fn promised(world: &World, t: &Tables, now: UtcMs, minutes: u64) -> Vec<Payment> {
    let today = (now.0 + super::people::ZONE_OFFSET_H * HOUR_MS) / DAY_MS;
    let minute = u64::try_from(now.0 / MINUTE_MS).unwrap_or(0) % minutes;
    let wanted = |p: &&Promise| {
        let due = day_of_date(&p.due_date).unwrap_or(today);
        let mine = u64::try_from(p.id.0.as_u128() % u128::from(minutes)).unwrap_or(0);
        p.state == PromiseState::Active && due <= today && share(p) > 0 && mine == minute
    };
    let mut rows = Vec::new();
    for p in t.promises.values().filter(wanted) {
        let since = |x: &Payment| x.debt_id == p.debt_id && x.paid_at >= p.made_at;
        let Some(debt) = t.debts.get(&p.debt_id) else {
            continue;
        };
        let amount = (p.amount.amount_minor * share(p) / 100).min(debt.balance_minor());
        if amount > 0 && !t.payments.values().any(since) {
            rows.push(payment(world, debt, amount, now));
        }
    }
    rows
}

/// The newest payment that did not go back yet goes back.
fn reversal(world: &World, t: &Tables, now: UtcMs) -> Option<Payment> {
    let back = |id: PaymentId| t.payments.values().any(|x| x.reverses == Some(id));
    let last = t
        .payments
        .values()
        .rfind(|p| p.reverses.is_none() && !back(p.id))?;
    let debt = t.debts.get(&last.debt_id)?;
    let mut row = payment(world, debt, -last.amount.amount_minor, now);
    row.reverses = Some(last.id);
    Some(row)
}

fn payment(world: &World, debt: &Debt, amount: i64, now: UtcMs) -> Payment {
    let id = PaymentId(world.ids.next(now));
    Payment {
        id,
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        debt_id: debt.id,
        amount: Money::new(amount, mxn()),
        paid_at: now,
        channel: PaymentChannel::Transfer,
        reference: format!("month-{id}"),
        reverses: None,
        posted_at: now,
    }
}

fn judge(world: &World, opening: &BTreeMap<DebtId, i64>, first: i64, end: i64) -> MonthOutcome {
    let mut outcome = MonthOutcome {
        breaches: world.judge(false),
        ..MonthOutcome::default()
    };
    world.store.with(|t| {
        outcome.attempts = t.attempts.len();
        outcome.payments = t.payments.len();
        for p in t.promises.values() {
            *outcome.promises.entry(p.state).or_default() += 1;
        }
        books(t, opening, &mut outcome.wrong);
        promises(t, world.now, &mut outcome.wrong);
        figures(t, first, end, &mut outcome);
    });
    outcome
}

/// What a debt began with less what was paid is what is owed.
fn books(t: &Tables, opening: &BTreeMap<DebtId, i64>, wrong: &mut Vec<String>) {
    for (debt, before) in opening {
        let of_debt = t.payments.values().filter(|p| p.debt_id == *debt);
        let paid: i64 = of_debt.map(|p| p.amount.amount_minor).sum();
        let now = t.debts.get(debt).map_or(0, |d| d.balance_minor());
        if before - paid != now {
            wrong.push(format!(
                "debt {debt}: {before} less {paid} paid is not {now}"
            ));
        }
    }
}

/// A promise is what the money dated in it says; none outlives its grace by a day.
fn promises(t: &Tables, now: UtcMs, wrong: &mut Vec<String>) {
    for p in t.promises.values() {
        let until = p.closed_at.unwrap_or(now);
        let dated = t.payments.values().filter(|x| {
            x.debt_id == p.debt_id
                && x.paid_at >= p.made_at
                && x.paid_at < p.grace_until
                && x.posted_at <= until
        });
        let paid: i64 = dated.map(|x| x.amount.amount_minor).sum();
        let over = p.grace_until <= until;
        let want = outcome(p.amount.amount_minor, paid, over);
        let money_closed = matches!(
            p.state,
            PromiseState::Kept | PromiseState::KeptPartial | PromiseState::Broken
        );
        if money_closed && want != p.state {
            wrong.push(format!(
                "promise {}: {} by {paid}, kept as {}",
                p.id, want, p.state
            ));
        }
        if p.state == PromiseState::Active && p.grace_until.plus_ms(DAY_MS) < now {
            wrong.push(format!(
                "promise {}: still active a day after its grace",
                p.id
            ));
        }
    }
}

/// The figures of the tables are those of the event log.
fn figures(t: &Tables, first: i64, end: i64, outcome: &mut MonthOutcome) {
    let mut log = KpiWorld::default();
    t.events.iter().for_each(|e| log.take(&e.event));
    let told = crate::store::kpi_world(t);
    let Some(client) = t.clients.keys().next().copied() else {
        return;
    };
    let whole = KpiAsk {
        client,
        portfolio: None,
        campaign: None,
        agents: None,
        currency: mxn(),
        period: KpiPeriod {
            from_day: first,
            to_day: end,
            from: at(first, 0),
            to: at(end, 0),
        },
        rates: CostRates {
            attempt_minor: 12,
            minute_minor: 85,
        },
    };
    let of_agent = KpiAsk {
        agents: t.agents.keys().next().map(|a| vec![*a]),
        ..whole.clone()
    };
    for ask in [&whole, &of_agent] {
        for rows in KpiRows::ALL {
            let (one, other) = (told.facts(*rows, ask), log.facts(*rows, ask));
            if one != other {
                outcome.wrong.push(format!(
                    "{rows}: {:?} by the tables, {:?} by the event log",
                    KpiSums::over(&one),
                    KpiSums::over(&other)
                ));
            }
        }
    }
    for kpi in Kpi::ALL {
        let def = kpi.def();
        let sum = |side: domain::rules::kpi::Side| {
            KpiSums::over(&told.facts(side.rows, &whole)).get(side.sum)
        };
        outcome
            .figures
            .push((*kpi, sum(def.numerator), sum(def.denominator)));
    }
}
