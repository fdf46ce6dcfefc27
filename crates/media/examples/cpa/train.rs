//! Logistic regression on the shape of first utterances.

use crate::Outcome;
use crate::measure::{labels, listen};
use media::cpa::{Config, FEATURES, Reason, features};
use std::path::Path;

/// A person lost weighs as much as so many machines not found.
const PERSON_WEIGHT: f64 = 6.0;

const ROUNDS: u32 = 6_000;
const STEP: f64 = 0.5;
const SHRINK: f64 = 1e-3;

/// Prints the weights that tell the machines of the sets from their persons.
pub(crate) fn train(dirs: &[&str]) -> Outcome {
    // Each utterance is measured at its end, whatever its length.
    let config = Config {
        long_ms: u32::MAX,
        machine_from: 2.0,
        unknown_from: 2.0,
        wait_from: 2.0,
        give_up_ms: u32::MAX,
        ..Config::default()
    };
    let mut rows: Vec<([f64; FEATURES], f64)> = Vec::new();
    for dir in dirs {
        let dir = Path::new(dir);
        for label in labels(dir)? {
            let truth = match label.class.as_str() {
                "human" => 0.0,
                "machine" => 1.0,
                _ => continue,
            };
            let (verdict, _) = listen(&dir.join(&label.file), config)?;
            let shaped = verdict.filter(|v| v.reason == Reason::ShortGreeting);
            if let Some(m) = shaped.and_then(|v| v.measures) {
                rows.push((features(&m).map(f64::from), truth));
            }
        }
    }
    let (mean, spread) = moments(&rows);
    let mut weights = [0.0; FEATURES + 1];
    for _ in 0..ROUNDS {
        let mut slope = [0.0; FEATURES + 1];
        for (x, truth) in &rows {
            let z = unit(x, &mean, &spread);
            let sum: f64 = z.iter().zip(&weights).map(|(a, b)| a * b).sum();
            let told = 1.0 / (1.0 + (-(sum + weights[FEATURES])).exp());
            let weight = if *truth == 0.0 { PERSON_WEIGHT } else { 1.0 };
            let error = weight * (told - truth);
            for (s, v) in slope.iter_mut().zip(z.iter().chain(&[1.0])) {
                *s += error * v;
            }
        }
        for (i, w) in weights.iter_mut().enumerate() {
            let shrink = if i < FEATURES { SHRINK * *w } else { 0.0 };
            *w -= STEP * (slope[i] / rows.len() as f64 / 3.0 + shrink);
        }
    }
    thresholds(&rows, &weights, &mean, &spread);
    let mut constant = weights[FEATURES];
    let raw: Vec<String> = (0..FEATURES)
        .map(|i| {
            constant -= weights[i] * mean[i] / spread[i];
            format!("{:.4}", weights[i] / spread[i])
        })
        .collect();
    println!(
        "{} utterances; of one spread each: {:.2?}",
        rows.len(),
        &weights
    );
    println!("[{}, {constant:.4}]", raw.join(", "));
    Ok(())
}

/// What each threshold would lose and find.
fn thresholds(
    rows: &[([f64; FEATURES], f64)],
    weights: &[f64; FEATURES + 1],
    mean: &[f64; FEATURES],
    spread: &[f64; FEATURES],
) {
    let mut told: Vec<(f64, f64)> = rows
        .iter()
        .map(|(x, truth)| {
            let z = unit(x, mean, spread);
            let sum: f64 = z.iter().zip(weights).map(|(a, b)| a * b).sum();
            (1.0 / (1.0 + (-(sum + weights[FEATURES])).exp()), *truth)
        })
        .collect();
    told.sort_by(|a, b| b.0.total_cmp(&a.0));
    let of = |truth: f64| told.iter().filter(|t| t.1 == truth).count();
    println!("{} persons, {} machines", of(0.0), of(1.0));
    for from in [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] {
        let above = |truth: f64| told.iter().filter(|t| t.0 >= from && t.1 == truth).count();
        println!(
            "  from {from}: {} persons, {} machines",
            above(0.0),
            above(1.0)
        );
    }
}

fn unit(x: &[f64; FEATURES], mean: &[f64; FEATURES], spread: &[f64; FEATURES]) -> [f64; FEATURES] {
    std::array::from_fn(|i| (x[i] - mean[i]) / spread[i])
}

fn moments(rows: &[([f64; FEATURES], f64)]) -> ([f64; FEATURES], [f64; FEATURES]) {
    let n = rows.len().max(1) as f64;
    let mean: [f64; FEATURES] =
        std::array::from_fn(|i| rows.iter().map(|(x, _)| x[i]).sum::<f64>() / n);
    let spread = std::array::from_fn(|i| {
        let square = rows
            .iter()
            .map(|(x, _)| (x[i] - mean[i]).powi(2))
            .sum::<f64>()
            / n;
        square.sqrt().max(1e-3)
    });
    (mean, spread)
}
