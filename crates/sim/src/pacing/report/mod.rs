//! Many runs at once, and what is made of them: table, JSON, picture.

use super::metrics::Figures;
use super::policies::Policy;
use super::run::{RunSpec, run};
use super::scenario::Scenario;
use dialer::predictive::SettingsRefused;
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Runs every scenario under every policy with seeds 1 to `seeds` on all processors; `told` is called
/// after each run with how many are done and how many there are.
///
/// # Errors
/// When a policy refuses the settings.
pub fn run_all(
    scenarios: &[Scenario],
    specs: &[RunSpec],
    seeds: u64,
    told: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Row>, SettingsRefused> {
    let mut jobs = Vec::new();
    for (s, _) in scenarios.iter().enumerate() {
        for (p, _) in specs.iter().enumerate() {
            for seed in 1..=seeds.max(1) {
                jobs.push((s, p, seed));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<Figures, SettingsRefused>)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                while let Some((n, (s, p, seed))) = {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(n).map(|job| (n, *job))
                } {
                    let spec = RunSpec { seed, ..specs[p] };
                    let figures = run(&scenarios[s], &spec);
                    if let Ok(mut all) = results.lock() {
                        all.push((n, figures));
                    }
                    told(done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
                }
            });
        }
    });
    let mut all = results.into_inner().unwrap_or_default();
    all.sort_by_key(|r| r.0);
    let mut rows: Vec<Row> = Vec::new();
    let mut group = Vec::new();
    for (n, figures) in all {
        group.push(figures?);
        let (s, p, _) = jobs[n];
        if jobs
            .get(n + 1)
            .is_none_or(|next| (next.0, next.1) != (s, p))
        {
            let seeds = std::mem::take(&mut group);
            rows.push(row(&scenarios[s], &specs[p], seeds));
        }
    }
    Ok(rows)
}

fn row(scenario: &Scenario, spec: &RunSpec, seeds: Vec<Figures>) -> Row {
    let of = |pick: fn(&Figures) -> f64| seeds.iter().map(pick).collect::<Vec<f64>>();
    let occupancy = of(|f| f.occupancy);
    let lost: u64 = seeds.iter().map(|f| f.abandoned).sum();
    let handled: u64 = seeds.iter().map(|f| f.handled).sum();
    Row {
        scenario: scenario.name.clone(),
        policy: spec.policy.name(),
        hard_stop: spec.hard_stop,
        occupancy: (mean(&occupancy), error(&occupancy)),
        abandonment: f64_of(lost) / f64_of(lost + handled).max(1.0),
        abandonment_interval: wilson(lost, lost + handled),
        abandonment_max: of(|f| f.abandonment).into_iter().fold(0.0, f64::max),
        abandonment_strict: mean(&of(|f| f.abandonment_strict)),
        worst_hour: mean(&of(|f| f.worst_hour)),
        seeds,
    }
}

/// The rows as a table of text.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "scenario                 policy           stop  occupancy %    abandoned % (95 %)   worst h  wait p50/p99 s  idle s  contacts/h  first 5 min\n",
    );
    for row in rows {
        let of = |pick: fn(&Figures) -> f64| mean(&row.seeds.iter().map(pick).collect::<Vec<_>>());
        let _ = writeln!(
            text,
            "{:24} {:16} {:4}  {:5.2} ±{:4.2}    {:4.2} ({:4.2}–{:4.2})    {:5.1}    {:4.2} / {:4.2}     {:5.1}   {:6.2}     {:5.1}",
            row.scenario,
            row.policy,
            if row.hard_stop { "on" } else { "off" },
            100.0 * row.occupancy.0,
            100.0 * row.occupancy.1,
            100.0 * row.abandonment,
            100.0 * row.abandonment_interval.0,
            100.0 * row.abandonment_interval.1,
            100.0 * row.worst_hour,
            of(|f| f.wait_p50_s),
            of(|f| f.wait_p99_s),
            of(|f| f.idle_spell_s),
            of(|f| f.contacts_per_agent_hour),
            100.0 * of(|f| f.first_5_min),
        );
    }
    text
}

/// Width and height of the picture, px, and its margin.
const PICTURE: (f64, f64, f64) = (640.0, 400.0, 50.0);
/// Colours of the policies.
const COLOURS: [&str; 6] = [
    "#0b6e4f", "#c1292e", "#235789", "#f1a208", "#6a4c93", "#444444",
];

/// Occupancy over abandonment as a picture (SVG): one dot a scenario and policy.
#[must_use]
pub fn svg(rows: &[Row]) -> String {
    let (width, height, margin) = PICTURE;
    let top = rows.iter().map(|r| r.abandonment).fold(0.04, f64::max) * 1.1;
    let least = rows.iter().map(|r| r.occupancy.0).fold(1.0, f64::min);
    let bottom = (least - 0.05).max(0.0);
    let x = |a: f64| margin + a / top * (width - 2.0 * margin);
    let y = |o: f64| height - margin - (o - bottom) / (1.0 - bottom) * (height - 2.0 * margin);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let (left, right, low, high) = (x(0.0), x(top), y(bottom), y(1.0));
    let _ = writeln!(
        text,
        "<path d=\"M{left} {high}V{low}H{right}\" fill=\"none\" stroke=\"black\"/>\n<text x=\"{right}\" y=\"{}\" text-anchor=\"end\">abandoned, 0 to {:.1} %</text>\n<text x=\"{left}\" y=\"{}\">occupancy, {:.0} to 100 %</text>",
        low + 30.0,
        100.0 * top,
        high - 12.0,
        100.0 * bottom
    );
    let cap = x(0.03);
    let _ = writeln!(
        text,
        "<path d=\"M{cap:.1} {high}V{low}\" stroke=\"#999\" stroke-dasharray=\"4 3\"/><text x=\"{cap:.1}\" y=\"{}\" text-anchor=\"middle\">3 %</text>",
        low + 15.0
    );
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        let n = names
            .iter()
            .position(|n| *n == row.policy)
            .unwrap_or_else(|| {
                names.push(&row.policy);
                names.len() - 1
            });
        let colour = COLOURS[n % COLOURS.len()];
        let _ = writeln!(
            text,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"><title>{} {}</title></circle>",
            x(row.abandonment),
            y(row.occupancy.0),
            plain(&row.scenario),
            row.policy
        );
    }
    let mut at = high + 10.0;
    for (n, name) in names.iter().enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{at:.0}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>",
            right - 5.0
        );
        at += 14.0;
    }
    text.push_str("</svg>\n");
    text
}

fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The policies of a comparison by default.
#[must_use]
pub fn default_policies() -> Vec<Policy> {
    vec![Policy::Predictive, Policy::Progressive, Policy::Adapt]
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
