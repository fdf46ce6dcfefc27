//! Prints what the best time to call is worth: `cargo run --release -p sim --example best_time`.
#![expect(clippy::print_stdout, reason = "a command's output")]

use sim::besttime::{Compared, Curves, Setup, calibration, compare};

/// Worlds of each kind.
const SEEDS: u64 = 40;

fn row(name: &str, one: &Compared) {
    let (rate, gain) = (one.rate, one.gain);
    println!(
        "| {name} | {:?} | {:.0} | {:.2} ± {:.2} | {:+.2} ± {:.2} | {:.0} | {:.1} | {:.2} | {:.1} |",
        one.order,
        one.calls.mean,
        100.0 * rate.mean,
        100.0 * rate.half,
        100.0 * gain.mean,
        100.0 * gain.half,
        one.amount.mean / 100.0,
        one.untouched.mean,
        100.0 * one.forecast_error.mean,
        100.0 * one.explored.mean,
    );
}

fn main() {
    println!(
        "| curves | order | calls | RPC per 100 calls | best_time less it | amount reached per call | never called | forecast off, points | at random, % |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, curves) in [
        ("hidden hours", Curves::Hidden),
        ("people differ, hours do not", Curves::FlatHours),
        ("flat", Curves::Flat),
    ] {
        for one in compare(&Setup::of(curves), SEEDS) {
            row(name, &one);
        }
    }
    println!("\n| curves | forecast, % | calls | said | came |");
    println!("|---|---|---|---|---|");
    for (name, curves) in [("hidden hours", Curves::Hidden), ("flat", Curves::Flat)] {
        for r in calibration(&Setup::of(curves), SEEDS) {
            println!(
                "| {name} | {:.0}–{:.0} | {:.0} | {:.1} | {:.1} |",
                100.0 * r.from,
                100.0 * r.to,
                r.forecasts,
                100.0 * r.said,
                100.0 * r.came
            );
        }
    }
}
