//! A month of a portfolio of 5,000 on virtual time: `cargo run --release -p sim --example month [seed]`.
#![expect(clippy::print_stdout, reason = "a command's output")]

use sim::world::{Month, live_month};
use std::time::Instant;

fn main() {
    let seed = std::env::args().nth(1).and_then(|s| s.parse().ok());
    let month = Month {
        seed: seed.unwrap_or(1),
        debtors: 5_000,
        agents: 12,
        days: 30,
        minutes: 60,
    };
    let started = Instant::now();
    let outcome = live_month(&month);
    println!(
        "{} debtors, {} days, {} agents: {} attempts, {} payments, promises {:?}; {} s",
        month.debtors,
        month.days,
        month.agents,
        outcome.attempts,
        outcome.payments,
        outcome.promises,
        started.elapsed().as_secs()
    );
    println!("| figure | numerator | denominator | value |\n|---|---|---|---|");
    for (kpi, above, below) in &outcome.figures {
        let value = if *below == 0 {
            "–".to_owned()
        } else {
            format!("{:.4}", *above as f64 / *below as f64)
        };
        println!("| `{kpi}` | {above} | {below} | {value} |");
    }
    println!(
        "invariants broken: {}; books, promises and figures that do not agree: {}",
        outcome.breaches.len(),
        outcome.wrong.len()
    );
    for line in outcome.wrong.iter().take(20) {
        println!("  {line}");
    }
    for breach in outcome.breaches.iter().take(20) {
        println!("  {:02} {}", breach.invariant, breach.what);
    }
}
