//! Logistic regression on the shape of first utterances, and what it finds in voices it was not drawn from.

use crate::Outcome;
use crate::measure::{labels, listen};
use media::cpa::{Config, FEATURES, Reason, features};
use std::path::Path;

/// A person lost weighs as much as so many machines not found.
const PERSON_WEIGHT: f64 = 6.0;

const ROUNDS: u32 = 6_000;
const STEP: f64 = 0.5;
const SHRINK: f64 = 1e-3;

/// An utterance as numbers, and whose.
struct Row {
    x: [f64; FEATURES],
    machine: bool,
    group: String,
}

/// The line between both, drawn on numbers of mean 0 and spread 1.
struct Line {
    weights: [f64; FEATURES + 1],
    mean: [f64; FEATURES],
    spread: [f64; FEATURES],
}

/// Prints the weights that tell the machines of the sets from their persons, and before it what each
/// threshold would do to an engine's voices with weights from the other engines alone.
pub(crate) fn train(dirs: &[&str]) -> Outcome {
    let rows = measured(dirs)?;
    let mut groups: Vec<&str> = rows.iter().map(|r| r.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut told: Vec<(f64, bool)> = Vec::new();
    for group in groups {
        let others: Vec<&Row> = rows.iter().filter(|r| r.group != group).collect();
        if others.is_empty() {
            continue;
        }
        let line = Line::drawn(&others);
        let of_it: Vec<(f64, bool)> = rows
            .iter()
            .filter(|r| r.group == group)
            .map(|r| (line.machine(&r.x), r.machine))
            .collect();
        thresholds(group, &of_it);
        told.extend(of_it);
    }
    thresholds("each engine by the others", &told);
    let all: Vec<&Row> = rows.iter().collect();
    let line = Line::drawn(&all);
    println!("{} utterances; of one spread each:", rows.len());
    println!("{:.2?}", line.weights);
    let mut constant = line.weights[FEATURES];
    let raw: Vec<String> = (0..FEATURES)
        .map(|i| {
            constant -= line.weights[i] * line.mean[i] / line.spread[i];
            format!("{:.4}", line.weights[i] / line.spread[i])
        })
        .collect();
    println!("[{}, {constant:.4}]", raw.join(", "));
    Ok(())
}

/// Each utterance, measured at its first end, whatever its length.
fn measured(dirs: &[&str]) -> Result<Vec<Row>, Box<dyn std::error::Error>> {
    let config = Config {
        long_ms: u32::MAX,
        machine_from: 2.0,
        unknown_from: 2.0,
        wait_from: 2.0,
        wait_first_from: 2.0,
        give_up_ms: u32::MAX,
        ..Config::default()
    };
    let mut rows = Vec::new();
    for dir in dirs {
        let dir = Path::new(dir);
        for label in labels(dir)? {
            let machine = label.class == "machine";
            if !machine && label.class != "human" {
                continue;
            }
            let (verdict, _) = listen(&dir.join(&label.file), config)?;
            let shaped = verdict.filter(|v| v.reason == Reason::ShortGreeting);
            if let Some(m) = shaped.and_then(|v| v.measures) {
                let x = features(&m).map(f64::from);
                let group = label.group;
                rows.push(Row { x, machine, group });
            }
        }
    }
    Ok(rows)
}

impl Line {
    fn drawn(rows: &[&Row]) -> Self {
        let (mean, spread) = moments(rows);
        let mut line = Self {
            weights: [0.0; FEATURES + 1],
            mean,
            spread,
        };
        for _ in 0..ROUNDS {
            let mut slope = [0.0; FEATURES + 1];
            for row in rows {
                let weight = if row.machine { 1.0 } else { PERSON_WEIGHT };
                let error = weight * (line.machine(&row.x) - f64::from(u8::from(row.machine)));
                for (s, v) in slope.iter_mut().zip(line.unit(&row.x).iter().chain(&[1.0])) {
                    *s += error * v;
                }
            }
            for (i, w) in line.weights.iter_mut().enumerate() {
                let shrink = if i < FEATURES { SHRINK * *w } else { 0.0 };
                *w -= STEP * (slope[i] / rows.len() as f64 / 3.0 + shrink);
            }
        }
        line
    }

    fn unit(&self, x: &[f64; FEATURES]) -> [f64; FEATURES] {
        std::array::from_fn(|i| (x[i] - self.mean[i]) / self.spread[i])
    }

    /// Likelihood of a machine.
    fn machine(&self, x: &[f64; FEATURES]) -> f64 {
        let sum: f64 = self
            .unit(x)
            .iter()
            .zip(&self.weights)
            .map(|(a, b)| a * b)
            .sum();
        1.0 / (1.0 + (-(sum + self.weights[FEATURES])).exp())
    }
}

/// What each threshold would lose and find.
fn thresholds(name: &str, told: &[(f64, bool)]) {
    let of = |machine: bool| told.iter().filter(|t| t.1 == machine).count();
    println!("{name}: {} persons, {} machines", of(false), of(true));
    for from in [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8] {
        let above = |machine| {
            told.iter()
                .filter(|t| t.0 >= from && t.1 == machine)
                .count()
        };
        println!(
            "  from {from}: {} persons, {} machines",
            above(false),
            above(true)
        );
    }
}

fn moments(rows: &[&Row]) -> ([f64; FEATURES], [f64; FEATURES]) {
    let n = rows.len().max(1) as f64;
    let mean: [f64; FEATURES] =
        std::array::from_fn(|i| rows.iter().map(|r| r.x[i]).sum::<f64>() / n);
    let spread = std::array::from_fn(|i| {
        let square = rows.iter().map(|r| (r.x[i] - mean[i]).powi(2)).sum::<f64>() / n;
        square.sqrt().max(1e-3)
    });
    (mean, spread)
}
