//! Runs into values with intervals.

use domain::ports::{ANSWERS_ENOUGH, Forecast, Range};
use sim::pacing::Figures;
use sim::pacing::report::wilson;

/// Two-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom.
const T95: [f64; 9] = [
    12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262,
];
/// The normal's.
const Z95: f64 = 1.96;
/// Answers below which a relative error says nothing more.
const ANSWERS_LEAST: u64 = 4;

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(n: u64) -> f64 {
    n as f64
}

/// Relative error that a history of so many answers leaves in a mean (cv 1, 95 %); 0 when it is enough.
fn open(known: u64) -> f64 {
    if known >= ANSWERS_ENOUGH {
        return 0.0;
    }
    (Z95 / float(known.max(ANSWERS_LEAST)).sqrt()).min(1.0)
}

/// Mean over the runs; the interval is that of the mean, widened by what the history leaves open.
fn range(values: &[f64], open: f64, most: f64) -> Range {
    let n = float(u64::try_from(values.len()).unwrap_or(0)).max(1.0);
    let value = values.iter().sum::<f64>() / n;
    let var = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let t = T95
        .get(values.len().saturating_sub(2))
        .copied()
        .unwrap_or(Z95);
    let seeds = t * (var / n).sqrt();
    let half = seeds.hypot(value * open);
    Range {
        value,
        low: (value - half).max(0.0),
        high: (value + half).min(most),
    }
}

/// Abandonment of all runs together. A thin history knows no more than its own answers do.
fn abandonment(runs: &[Figures], known: u64) -> Range {
    let lost: u64 = runs.iter().map(|f| f.abandoned).sum();
    let answers: u64 = lost + runs.iter().map(|f| f.handled).sum::<u64>();
    let value = float(lost) / float(answers.max(1));
    let (low, high) = if known >= ANSWERS_ENOUGH || known >= answers {
        wilson(lost, answers)
    } else {
        let of = known.max(ANSWERS_LEAST);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count"
        )]
        let hits = (value * float(of)).round() as u64;
        let (low, high) = wilson(hits, of);
        (low.min(value), high.max(value))
    };
    Range { value, low, high }
}

/// The forecast of a side from its runs; `hours` simulated hours each, `known` live answers of the history.
pub(super) fn forecast(runs: &[Figures], agents: u32, hours: f64, known: u64) -> Forecast {
    let open = open(known);
    let of = |pick: &dyn Fn(&Figures) -> f64, most: f64| {
        let values: Vec<f64> = runs.iter().map(pick).collect();
        range(&values, open, most)
    };
    let minutes = f64::from(agents) * 60.0;
    let hours = hours.max(1e-9);
    let any = f64::INFINITY;
    Forecast {
        talk_minutes_per_hour: of(&|f| f.talk_share * minutes, minutes),
        occupancy: of(&|f| f.occupancy, 1.0),
        abandonment: abandonment(runs, known),
        drops_per_hour: of(&|f| float(f.abandoned) / hours, any),
        agent_wait_s: of(&|f| f.idle_spell_s, any),
        debtor_wait_p50_s: of(&|f| f.wait_p50_s, any),
        debtor_wait_p99_s: of(&|f| f.wait_p99_s, any),
        contacts_per_hour: of(&|f| float(f.dials) / hours, any),
        handled_per_hour: of(&|f| float(f.handled) / hours, any),
        runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
        simulated_h: hours,
    }
}
