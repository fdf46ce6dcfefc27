//! Spends a ration of contacts by an order, and compares orders over seeds with the same people.

use super::order::{Hour, Kept, Order, TRAITS, pick, slot};
use super::people::{Curves, FIRST_HOUR, HOURS, Person, town};
use domain::answer::{AnswerModel, CalibrationRow, DayKind, Observation, Tried, TryResult};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use jiff::civil::time;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Monday 2026-11-23, 00:00 UTC: the world's first day.
const MONDAY: UtcMs = UtcMs(1_795_392_000_000);
/// 97.5 % quantile of the normal distribution: intervals of 95 %.
const Z: f64 = 1.96;

/// A world and its ration.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// People.
    pub people: usize,
    /// Days, from a Monday; Sundays are silent.
    pub days: i64,
    /// Calls that may be made an hour.
    pub lines: usize,
    /// Most calls to a person in seven days; one a day.
    pub per_week: usize,
    /// Kind of curves.
    pub curves: Curves,
}

impl Setup {
    /// Six weeks of 400 people, three calls a week each: 18 lines an hour spend about the whole ration.
    #[must_use]
    pub const fn of(curves: Curves) -> Self {
        Self {
            people: 400,
            days: 42,
            lines: 18,
            per_week: 3,
            curves,
        }
    }
}

/// What an order spent and got.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Calls.
    pub calls: u32,
    /// Right-party contacts.
    pub contacts: u32,
    /// Amount of the people contacted, minor units, each contact once.
    pub amount_minor: i64,
    /// People never called.
    pub untouched: u32,
    /// Distance of forecast and outcome, 0–1 (the model's order).
    pub forecast_error: f64,
    /// Calls that went to somebody at random (the model's order).
    pub explored: u32,
}

impl Spent {
    /// Right-party contacts per contact spent.
    #[must_use]
    pub fn rate(&self) -> f64 {
        f64::from(self.contacts) / f64::from(self.calls.max(1))
    }
}

fn open(kept: &[Kept], now: UtcMs, per_week: usize) -> Vec<usize> {
    let day = |t: UtcMs| t.since_ms(MONDAY) / DAY_MS;
    let free = |k: &Kept| {
        let week = k
            .tries
            .iter()
            .rev()
            .take_while(|t| day(now) - day(t.at) < 7)
            .count();
        week < per_week && k.tries.last().is_none_or(|t| day(t.at) < day(now))
    };
    (0..kept.len()).filter(|who| free(&kept[*who])).collect()
}

/// Spends the ration of one world; the same seed has the same people.
#[must_use]
pub fn spend(setup: &Setup, order: Order, seed: u64) -> Spent {
    world(setup, order, seed).0
}

fn world(setup: &Setup, order: Order, seed: u64) -> (Spent, AnswerModel) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let people: Vec<Person> = town(setup.people, setup.curves, &mut rng);
    let mut kept = vec![Kept::default(); people.len()];
    let mut model = AnswerModel::default();
    let mut spent = Spent::default();
    let lawful = |at: UtcMs| slot(at).day() != DayKind::Sunday;
    for (day, hour) in (0..setup.days).flat_map(|d| (0..HOURS).map(move |h| (d, h))) {
        let clock = i64::try_from(FIRST_HOUR + hour).unwrap_or(0);
        let now = MONDAY.plus_ms(day * DAY_MS + clock * HOUR_MS);
        let here = slot(now);
        if here.day() == DayKind::Sunday {
            continue;
        }
        let frame = Hour {
            now,
            window: (time(9, 0, 0, 0), time(20, 0, 0, 0)),
            lines: setup.lines,
            lawful: &lawful,
            seed: rng.random(),
        };
        let free = open(&kept, now, setup.per_week);
        let called = pick(order, &people, &mut kept, free, &model, &frame, &mut rng);
        let mut seen = Vec::with_capacity(called.len());
        for (who, explored) in called {
            spent.explored += u32::from(explored);
            let chance = people[who].chance(here.day() == DayKind::Saturday, hour);
            let hit = rng.random_bool(chance);
            spent.calls += 1;
            spent.contacts += u32::from(hit);
            spent.amount_minor += i64::from(hit) * people[who].amount_minor;
            let result = match hit {
                true => TryResult::RightParty,
                false => TryResult::NoAnswer,
            };
            seen.push(Observation {
                campaign: None,
                at: now,
                slot: here,
                result,
                traits: Some(TRAITS),
                last: kept[who].tries.last().copied(),
                forecast: kept[who].forecast,
            });
            kept[who].tries.push(Tried {
                at: now,
                slot: here,
                result,
            });
        }
        if order == Order::BestTime {
            model.learn(&seen);
        }
    }
    let untouched = kept.iter().filter(|k| k.tries.is_empty()).count();
    spent.untouched = u32::try_from(untouched).unwrap_or(u32::MAX);
    spent.forecast_error = model.calibration().error().unwrap_or(0.0);
    (spent, model)
}

/// A mean over seeds with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Mean.
    pub mean: f64,
    /// Half of the interval's width.
    pub half: f64,
}

impl Interval {
    /// Of some values.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len().max(2) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
        Self {
            mean,
            half: Z * (square / (n - 1.0) / n).sqrt(),
        }
    }

    /// Least of the interval.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.mean - self.half
    }

    /// Most of the interval.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.mean + self.half
    }
}

/// One order over seeds.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// The order.
    pub order: Order,
    /// Right-party contacts per contact spent.
    pub rate: Interval,
    /// The model's rate less this order's, by seed (the same people).
    pub gain: Interval,
    /// Calls spent a seed.
    pub calls: Interval,
    /// Right-party contacts a seed.
    pub contacts: Interval,
    /// Amount reached per call, minor units.
    pub amount: Interval,
    /// People never called a seed.
    pub untouched: Interval,
    /// Distance of forecast and outcome.
    pub forecast_error: Interval,
    /// Share of the calls that went to somebody at random.
    pub explored: Interval,
}

/// What the model said against what came at the end of a world, its rows over seeds `0..seeds` put together.
#[must_use]
pub fn calibration(setup: &Setup, seeds: u64) -> Vec<CalibrationRow> {
    let mut all: Vec<CalibrationRow> = Vec::new();
    for seed in 0..seeds {
        for row in world(setup, Order::BestTime, seed).1.calibration().table() {
            match all
                .iter_mut()
                .find(|r| r.to >= row.to && r.from <= row.from)
            {
                Some(sum) => {
                    let n = sum.forecasts + row.forecasts;
                    sum.said = (sum.said * sum.forecasts + row.said * row.forecasts) / n;
                    sum.came = (sum.came * sum.forecasts + row.came * row.forecasts) / n;
                    sum.forecasts = n;
                }
                None => all.push(row),
            }
        }
    }
    all.sort_by(|a, b| a.to.total_cmp(&b.to));
    all
}

/// Compares the three orders over seeds `0..seeds`.
#[must_use]
pub fn compare(setup: &Setup, seeds: u64) -> Vec<Compared> {
    let run = |order| -> Vec<Spent> { (0..seeds).map(|s| spend(setup, order, s)).collect() };
    let model = run(Order::BestTime);
    let describe = |order: Order, runs: &[Spent]| {
        let each = |value: &dyn Fn(&Spent) -> f64| {
            Interval::of(&runs.iter().map(value).collect::<Vec<f64>>())
        };
        let gains: Vec<f64> = model
            .iter()
            .zip(runs)
            .map(|(m, r)| m.rate() - r.rate())
            .collect();
        Compared {
            order,
            rate: each(&Spent::rate),
            gain: Interval::of(&gains),
            calls: each(&|s| f64::from(s.calls)),
            contacts: each(&|s| f64::from(s.contacts)),
            amount: each(&|s| s.amount_minor as f64 / f64::from(s.calls.max(1))),
            untouched: each(&|s| f64::from(s.untouched)),
            forecast_error: each(&|s| s.forecast_error),
            explored: each(&|s| f64::from(s.explored) / f64::from(s.calls.max(1))),
        }
    };
    let others = [Order::Random, Order::Dpd].map(|order| describe(order, &run(order)));
    std::iter::once(describe(Order::BestTime, &model))
        .chain(others)
        .collect()
}
