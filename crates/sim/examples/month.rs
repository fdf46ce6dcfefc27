//! A month of a portfolio of 5,000 on virtual time:
//! `cargo run --release -p sim --example month [seed] [debtors] [minutes a day]`.
#![expect(clippy::print_stdout, reason = "a command's output")]

use sim::world::{Month, live_month};
use std::time::Instant;

fn main() {
    let number = |n: usize, or: u64| {
        let said = std::env::args().nth(n).and_then(|s| s.parse().ok());
        said.unwrap_or(or)
    };
    let month = Month {
        seed: number(1, 1),
        debtors: usize::try_from(number(2, 5_000)).unwrap_or(5_000),
        agents: 12,
        days: 30,
        minutes: number(3, 60),
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
