//! Segments over the written set of expressions: the figures that come while somebody types, and the exact
//! ones behind them.

use super::measure::{Percentiles, Told, ms};
use ::store::{Filled, SqlStore};
use domain::ports::store::PortfolioStore as _;
use domain::segment::{examples::EXAMPLES, parse};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Instant;

/// Times each preview is asked.
const ROUNDS: usize = 5;
/// Segments from one word of how far it is to the next.
const TOLD_EACH: usize = 10;
/// Rows of a preview.
const ROWS: u32 = 10;

/// One expression.
#[derive(Debug, Serialize)]
struct Asked {
    expression: &'static str,
    preview_ms: f64,
    estimated: u64,
    margin: u64,
    exact_ms: f64,
    exact: u64,
}

/// All of them.
#[derive(Debug, Serialize)]
pub(super) struct Segments {
    #[serde(skip)]
    pub(super) preview: Percentiles,
    #[serde(skip)]
    pub(super) exact: Percentiles,
    /// Estimates whose interval holds the exact number, of all.
    within: usize,
    asked: Vec<Asked>,
}

pub(super) async fn measure(
    store: &SqlStore,
    filled: Filled,
    told: &Told,
) -> anyhow::Result<Segments> {
    let (mut preview, mut exact, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for (n, expression) in EXAMPLES.iter().enumerate() {
        if n.is_multiple_of(TOLD_EACH) {
            told(&format!("{n} of {} segments", EXAMPLES.len()));
        }
        let expr = parse(expression)?;
        let mut slowest = 0_f64;
        let mut last = None;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let found = store
                .segment_estimate(filled.client, &expr, filled.now, ROWS)
                .await?;
            slowest = slowest.max(ms(start));
            preview.push(ms(start));
            last = Some(found);
        }
        let last = last.unwrap_or_default();
        let start = Instant::now();
        let all = store
            .segment_count(filled.client, &expr, filled.now)
            .await?;
        exact.push(ms(start));
        asked.push(Asked {
            expression,
            preview_ms: slowest,
            estimated: last.count.debtors,
            margin: last.margin,
            exact_ms: ms(start),
            exact: all.debtors,
        });
    }
    Ok(Segments {
        preview: Percentiles::of(preview),
        exact: Percentiles::of(exact),
        within: asked.iter().filter(|a| a.within()).count(),
        asked,
    })
}

impl Asked {
    fn within(&self) -> bool {
        self.estimated.abs_diff(self.exact) <= self.margin
    }
}

impl Segments {
    /// The table that is printed.
    pub(super) fn told(&self) -> String {
        let mut text = format!(
            "{} of {} estimates hold the exact number in their interval\n",
            self.within,
            self.asked.len()
        );
        for a in &self.asked {
            // A String takes every write.
            let _ = writeln!(
                text,
                "{:>7.0} ms {:>8} ±{:<6} | {:>7.0} ms {:>8}  {}",
                a.preview_ms, a.estimated, a.margin, a.exact_ms, a.exact, a.expression
            );
        }
        text
    }
}
