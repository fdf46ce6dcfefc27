//! Prints what the best time to call is worth: `cargo run --release -p sim --example best_time`.
#![expect(clippy::print_stdout, reason = "a command's output")]

use sim::besttime::{Compared, Curves, Setup, compare};

/// Worlds of each kind.
const SEEDS: u64 = 40;

fn row(name: &str, one: &Compared) {
    let (rate, gain) = (one.rate, one.gain);
    println!(
        "| {name} | {:?} | {:.0} | {:.2} ± {:.2} | {:+.2} ± {:.2} | {:.0} | {:.1} | {:.3} |",
        one.order,
        one.calls.mean,
        100.0 * rate.mean,
        100.0 * rate.half,
        100.0 * gain.mean,
        100.0 * gain.half,
        one.amount.mean / 100.0,
        one.untouched.mean,
        one.forecast_error.mean,
    );
}

fn main() {
    println!(
        "| curves | order | calls | RPC per 100 calls | best_time less it | amount reached per call | never called | forecast error |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, curves) in [
        ("hidden hours", Curves::Hidden),
        ("people differ, hours do not", Curves::FlatHours),
        ("flat", Curves::Flat),
    ] {
        for one in compare(&Setup::of(curves), SEEDS) {
            row(name, &one);
        }
    }
}
