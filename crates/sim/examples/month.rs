//! A month of a portfolio of 5,000 on virtual time, its figures by the tables of the store in memory beside those
//! of the event log: `cargo run --release -p sim --example month [seed] [debtors] [minutes a day]`. By SQL the same
//! month is asked in `store` (`store/month_tests.rs`).
#![expect(clippy::print_stdout, reason = "a command's output")]

use domain::rules::kpi::KpiRows;
use sim::world::{Month, MonthDay, MonthOutcome, live_month_told};
use std::time::Instant;

/// Lines shown of what is wrong.
const SHOWN: usize = 20;

fn progress(day: &MonthDay, started: Instant) {
    println!(
        "{} · {} attempts, {} payments, {} plans, {} messages, {} letters · {} s",
        day.date,
        day.attempts,
        day.payments,
        day.plans,
        day.messages,
        day.letters,
        started.elapsed().as_secs()
    );
}

fn figures(outcome: &MonthOutcome) {
    println!("| figure | numerator | denominator | value |\n|---|---|---|---|");
    for (kpi, above, below) in &outcome.figures {
        let value = if *below == 0 {
            "–".to_owned()
        } else {
            format!("{:.4}", *above as f64 / *below as f64)
        };
        println!("| `{kpi}` | {above} | {below} | {value} |");
    }
}

/// What the figures above were held against, and how to hold SQL against them.
fn compared(month: &Month, outcome: &MonthOutcome) {
    println!(
        "compared: {} questions, {} kinds of rows each, sums and every row, by the tables of the store in memory \
        (no SQL) and as folded from the event log",
        outcome.rows.asks.len(),
        KpiRows::ALL.len()
    );
    println!(
        "by SQL: MARCADOR_MONTH=\"{} {} {} {} {}\" cargo test --release -p store --lib figures_of_a_month -- \
        --nocapture (SQLite, and PostgreSQL with MARCADOR_TEST_POSTGRES_URL)",
        month.seed, month.debtors, month.agents, month.days, month.minutes
    );
}

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
    let outcome = live_month_told(&month, |day| progress(day, started));
    println!(
        "{} debtors, {} days, {} agents: {} attempts, {} payments ({} back), {} letters, {} replies; {} s",
        month.debtors,
        month.days,
        month.agents,
        outcome.attempts,
        outcome.payments,
        outcome.reversals,
        outcome.letters,
        outcome.replies,
        started.elapsed().as_secs()
    );
    println!("promises {:?}", outcome.promises);
    println!("plans {:?}", outcome.plans);
    println!("terms {:?}", outcome.terms);
    println!("receipts {:?}, by {:?}", outcome.receipts, outcome.sources);
    println!("links {:?}", outcome.links);
    println!("messages {:?}", outcome.messages);
    println!("steps {:?}\nholds {:?}", outcome.steps, outcome.holds);
    figures(&outcome);
    compared(&month, &outcome);
    println!(
        "invariants broken: {}; books, promises, plans and figures that do not agree: {}",
        outcome.breaches.len(),
        outcome.wrong.len()
    );
    for line in outcome.wrong.iter().take(SHOWN) {
        println!("  {line}");
    }
    for breach in outcome.breaches.iter().take(SHOWN) {
        println!("  {:02} {}", breach.invariant, breach.what);
    }
}
