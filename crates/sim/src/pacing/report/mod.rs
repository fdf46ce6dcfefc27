//! Many runs at once, and what is made of them: table, JSON, picture.

mod picture;
mod table;

use super::metrics::Figures;
use super::policies::{Policy, Tuned};
use super::run::{RunSpec, run_timed};
use super::scenario::Scenario;
use dialer::Lean;
use dialer::predictive::SettingsRefused;
pub use picture::svg;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
pub use table::table;

/// Quantile of the normal for intervals of 95 %.
const Z95: f64 = 1.959_964;

/// A scenario under a policy, over its seeds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Scenario.
    pub scenario: String,
    /// Policy.
    pub policy: String,
    /// Whether the hard stop stood before it.
    pub hard_stop: bool,
    /// Mean occupancy, its standard error over the seeds.
    pub occupancy: (f64, f64),
    /// Abandonment of all seeds together.
    pub abandonment: f64,
    /// Its Wilson interval of 95 %.
    pub abandonment_interval: (f64, f64),
    /// Largest abandonment of a seed.
    pub abandonment_max: f64,
    /// With people taken for machines.
    pub abandonment_strict: f64,
    /// Mean over the seeds of the worst sliding hour.
    pub worst_hour: f64,
    /// Mean over the seeds of the median wait, s.
    pub wait_p50_s: f64,
    /// Mean over the seeds of the 99th percentile of waits, s.
    pub wait_p99_s: f64,
    /// Mean over the seeds of an agent's mean spell without a call, s.
    pub idle_spell_s: f64,
    /// Mean over the seeds of people handled an agent and hour.
    pub contacts_per_agent_hour: f64,
    /// Mean over the seeds of the abandonment of the first five minutes.
    pub first_5_min: f64,
    /// Longest decision of all seeds, ms; nothing when no clock was given.
    pub decision_max_ms: Option<f64>,
    /// Largest 99th percentile of a seed's decisions, ms.
    pub decision_p99_ms: Option<f64>,
    /// Each seed.
    pub seeds: Vec<Figures>,
}

/// Score interval of a share.
#[must_use]
pub fn wilson(hits: u64, of: u64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (f64_of(of), f64_of(hits) / f64_of(of));
    let z2 = Z95 * Z95;
    let centre = p + z2 / (2.0 * n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z2 / n;
    (((centre - half) / whole).max(0.0), (centre + half) / whole)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn f64_of(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "a few seeds")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / (values.len().max(1) as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a few seeds")]
fn error(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let m = mean(values);
    let n = values.len() as f64;
    let var = values.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (n - 1.0);
    (var / n).sqrt()
}

/// What runs are done with.
pub struct Bench<'a> {
    /// Seeds 1 to this.
    pub seeds: u64,
    /// Called after each run with how many are done and how many there are.
    pub told: &'a (dyn Fn(usize, usize) + Sync),
    /// A clock in ms that times decisions; the figures tell no times without.
    pub clock: Option<&'a (dyn Fn() -> f64 + Sync)>,
}

/// Carries out jobs on all processors; the results in the order of the jobs.
fn on_all<J: Sync, R: Send>(jobs: &[J], work: &(dyn Fn(&J) -> R + Sync)) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                while let Some((n, job)) = {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(n).map(|job| (n, job))
                } {
                    let result = work(job);
                    if let Ok(mut all) = results.lock() {
                        all.push((n, result));
                    }
                }
            });
        }
    });
    let mut all = results.into_inner().unwrap_or_default();
    all.sort_by_key(|r| r.0);
    all.into_iter().map(|r| r.1).collect()
}

/// Runs every scenario under every policy on all processors.
///
/// # Errors
/// When a policy refuses the settings.
pub fn run_all(
    scenarios: &[Scenario],
    specs: &[RunSpec],
    bench: &Bench<'_>,
) -> Result<Vec<Row>, SettingsRefused> {
    // What is tuned in hindsight is tuned once a scenario, without the hard stop.
    let mut hindsight = Vec::new();
    for (s, _) in scenarios.iter().enumerate() {
        for spec in specs {
            if let Policy::Tuned(kind) = spec.policy
                && !hindsight.contains(&(s, kind))
            {
                hindsight.push((s, kind));
            }
        }
    }
    let seeds = bench.seeds.max(1);
    let runs = scenarios.len() * specs.len() * usize::try_from(seeds).unwrap_or(1);
    let total = runs + hindsight.len();
    let done = AtomicUsize::new(0);
    let told = || (bench.told)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
    let cap = specs.first().map_or(0.03, |s| s.cap);
    let levels = on_all(&hindsight, &|(s, kind)| {
        let level = tune(&scenarios[*s], *kind, cap, seeds);
        told();
        level
    });
    let mut jobs = Vec::new();
    for (s, _) in scenarios.iter().enumerate() {
        for spec in specs {
            let at = |kind: Tuned| hindsight.iter().position(|h| *h == (s, kind));
            let policy = match spec.policy {
                Policy::Tuned(kind) => match at(kind).map(|at| &levels[at]) {
                    Some(Ok(level)) => kind.at(*level),
                    Some(Err(refused)) => return Err(*refused),
                    None => spec.policy,
                },
                policy => policy,
            };
            let spec = RunSpec { policy, ..*spec };
            jobs.extend((1..=seeds).map(|seed| (s, RunSpec { seed, ..spec })));
        }
    }
    let results = on_all(&jobs, &|(s, spec)| {
        let figures = run_timed(
            &scenarios[*s],
            spec,
            bench.clock.map(|c| c as &dyn Fn() -> f64),
        );
        told();
        figures
    });
    let mut figures = results
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    let each = usize::try_from(seeds).unwrap_or(1);
    let mut rows = Vec::new();
    for (n, group) in jobs.chunks(each).enumerate() {
        let (s, spec) = &group[0];
        let asked = specs[n % specs.len()].policy;
        let seeds = figures.by_ref().take(each).collect();
        rows.push(row(&scenarios[*s], spec, asked, seeds));
    }
    Ok(rows)
}

/// Halvings of the search for a level.
const TUNE_STEPS: u32 = 9;
/// Seeds over which a level is sought.
const TUNE_SEEDS: u64 = 3;
/// Bounds of a level.
const TUNE_BOUNDS: (f64, f64) = (1.0, 12.0);

/// The level at which a policy abandons just the cap on these very seeds: what nobody can know ahead.
fn tune(scenario: &Scenario, kind: Tuned, cap: f64, seeds: u64) -> Result<f64, SettingsRefused> {
    let (mut low, mut high) = TUNE_BOUNDS;
    for _ in 0..TUNE_STEPS {
        let level = f64::midpoint(low, high);
        let (mut lost, mut live) = (0, 0);
        for seed in 1..=seeds.min(TUNE_SEEDS) {
            let spec = RunSpec {
                policy: kind.at(level),
                seed,
                cap,
                target: None,
                lean: Lean::default(),
                hard_stop: false,
                full: false,
            };
            let figures = run_timed(scenario, &spec, None)?;
            lost += figures.abandoned;
            live += figures.abandoned + figures.handled;
        }
        if f64_of(lost) > cap * f64_of(live) {
            high = level;
        } else {
            low = level;
        }
    }
    Ok(low)
}

fn row(scenario: &Scenario, spec: &RunSpec, asked: Policy, seeds: Vec<Figures>) -> Row {
    let of = |pick: fn(&Figures) -> f64| seeds.iter().map(pick).collect::<Vec<f64>>();
    let most = |pick: fn(&Figures) -> Option<f64>| seeds.iter().filter_map(pick).reduce(f64::max);
    let occupancy = of(|f| f.occupancy);
    let lost: u64 = seeds.iter().map(|f| f.abandoned).sum();
    let handled: u64 = seeds.iter().map(|f| f.handled).sum();
    let policy = match asked {
        Policy::Tuned(_) => format!("{} = {}", asked.name(), spec.policy.name()),
        _ => spec.policy.name(),
    };
    Row {
        scenario: scenario.name.clone(),
        policy,
        hard_stop: spec.hard_stop,
        occupancy: (mean(&occupancy), error(&occupancy)),
        abandonment: f64_of(lost) / f64_of(lost + handled).max(1.0),
        abandonment_interval: wilson(lost, lost + handled),
        abandonment_max: of(|f| f.abandonment).into_iter().fold(0.0, f64::max),
        abandonment_strict: mean(&of(|f| f.abandonment_strict)),
        worst_hour: mean(&of(|f| f.worst_hour)),
        wait_p50_s: mean(&of(|f| f.wait_p50_s)),
        wait_p99_s: mean(&of(|f| f.wait_p99_s)),
        idle_spell_s: mean(&of(|f| f.idle_spell_s)),
        contacts_per_agent_hour: mean(&of(|f| f.contacts_per_agent_hour)),
        first_5_min: mean(&of(|f| f.first_5_min)),
        decision_max_ms: most(|f| f.decision_max_ms),
        decision_p99_ms: most(|f| f.decision_p99_ms),
        seeds,
    }
}

/// The policies of a comparison by default.
#[must_use]
pub fn default_policies() -> Vec<Policy> {
    vec![
        Policy::Predictive,
        Policy::Progressive,
        Policy::Adapt,
        Policy::Tuned(Tuned::Available),
        Policy::Tuned(Tuned::Ratio),
    ]
}

/// Caps at which the product's policy is run for its line in the picture.
const CAPS: [f64; 6] = [0.005, 0.01, 0.02, 0.03, 0.04, 0.05];
/// Lines an idle agent for the fixed ratio's line.
const RATIOS: [f64; 9] = [1.0, 1.4, 1.8, 2.2, 3.0, 4.0, 5.5, 7.5, 10.0];

/// Runs of the lines of a picture: the product's policy over caps, a fixed ratio over its level, all
/// without the hard stop.
#[must_use]
pub fn frontier() -> Vec<RunSpec> {
    let spec = |policy, cap| RunSpec {
        policy,
        seed: 1,
        cap,
        target: None,
        lean: Lean::default(),
        hard_stop: false,
        full: false,
    };
    let ours = CAPS.map(|cap| spec(Policy::Predictive, cap));
    let ratio = RATIOS.map(|lines| spec(Policy::Ratio(lines), 0.03));
    ours.into_iter().chain(ratio).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_what_is_known() {
        let (low, high) = wilson(3, 100);
        assert!(
            (low - 0.0103).abs() < 5e-4 && (high - 0.0845).abs() < 5e-4,
            "{low} {high}"
        );
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}
