//! Figures beside their limits.

use serde::Serialize;
use std::fmt::Write as _;

/// One figure with what it must be and what it should be. Lower is better unless told.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Goal {
    pub(super) figure: &'static str,
    pub(super) unit: &'static str,
    pub(super) measured: f64,
    pub(super) must: Option<f64>,
    pub(super) goal: Option<f64>,
    pub(super) higher_is_better: bool,
    /// `goal`, `must`, `missed`, or `-` where there is no limit.
    pub(super) reached: &'static str,
    /// What another program came to in the same run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) beside: String,
}

impl Goal {
    /// With what another program came to in the same run.
    pub(super) fn beside(mut self, other: String) -> Self {
        self.beside = other;
        self
    }
}

/// A figure that should be small.
pub(super) fn at_most(
    figure: &'static str,
    unit: &'static str,
    measured: f64,
    must: impl Into<Option<f64>>,
    goal: impl Into<Option<f64>>,
) -> Goal {
    judged(figure, unit, measured, (must.into(), goal.into()), false)
}

/// A figure that should be large.
pub(super) fn at_least(
    figure: &'static str,
    unit: &'static str,
    measured: f64,
    must: impl Into<Option<f64>>,
    goal: impl Into<Option<f64>>,
) -> Goal {
    judged(figure, unit, measured, (must.into(), goal.into()), true)
}

fn judged(
    figure: &'static str,
    unit: &'static str,
    measured: f64,
    (must, goal): (Option<f64>, Option<f64>),
    higher_is_better: bool,
) -> Goal {
    let fits = |limit: f64| {
        if higher_is_better {
            measured >= limit
        } else {
            measured <= limit
        }
    };
    let reached = match (must, goal) {
        (None, None) => "-",
        (_, Some(goal)) if fits(goal) => "goal",
        (Some(must), _) if fits(must) => "must",
        _ => "missed",
    };
    Goal {
        figure,
        unit,
        measured,
        must,
        goal,
        higher_is_better,
        reached,
        beside: String::new(),
    }
}

/// The table that is printed.
pub(super) fn table(goals: &[Goal]) -> String {
    let mut text = format!(
        "{:<52} {:>10} {:>9} {:>9}  reached\n",
        "figure", "measured", "must", "goal"
    );
    for goal in goals {
        let sign = if goal.higher_is_better { "≥" } else { "≤" };
        let limit = |l: Option<f64>| l.map_or("-".to_owned(), |l| format!("{sign} {}", short(l)));
        let name = format!("{} [{}]", goal.figure, goal.unit);
        // A String takes every write.
        let _ = writeln!(
            text,
            "{name:<52} {:>10} {:>9} {:>9}  {}",
            short(goal.measured),
            limit(goal.must),
            limit(goal.goal),
            goal.reached
        );
    }
    text
}

fn short(n: f64) -> String {
    match n.abs() {
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        _ => format!("{n:.3}"),
    }
    .replace("-0.000", "0.000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_its_limits() {
        let reached = |n| at_most("x", "ms", n, 2.0, 0.5).reached;
        assert_eq!(
            [reached(0.5), reached(1.0), reached(2.5)],
            ["goal", "must", "missed"]
        );
        let reached = |n| at_least("x", "calls", n, 4.0, 5.0).reached;
        assert_eq!(
            [reached(5.0), reached(4.5), reached(1.0)],
            ["goal", "must", "missed"]
        );
        assert_eq!(at_most("x", "ms", 1.0, None, None).reached, "-");
        assert!(table(&[at_most("x", "ms", 1.0, 2.0, 0.5)]).contains("must"));
    }
}
