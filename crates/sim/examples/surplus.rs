//! Prints how fast calls are withdrawn that ring for agents who vanished:
//! `cargo run --release -p sim --example surplus`.
#![expect(clippy::print_stdout, reason = "a command's output")]

use sim::live::surplus;
use sim::pacing::Scenario;

/// The world: who answers does not matter, nobody does.
const WORLD: &str = include_str!("../scenarios/live/short-n20.json");
/// Limit, ms.
const LIMIT_MS: f64 = 100.0;
/// Runs of each size.
const SEEDS: u64 = 5;
/// Calls that ring for an agent.
const LINES: u32 = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = Scenario::parse("short-n20", WORLD)?;
    println!(
        "| agents | calls ringing | agents gone at once | withdrawn | dialed before | last one after, ms, worst of {SEEDS} (limit {LIMIT_MS}) |"
    );
    println!("|---|---|---|---|---|---|");
    for agents in [10, 50, 200] {
        let mut worst: f64 = 0.0;
        let (mut rang, mut gone, mut withdrawn, mut dialed) = (0, 0, 0, 0);
        for seed in 1..=SEEDS {
            let one = surplus(&world, agents, LINES, seed)?;
            worst = worst.max(one.took_ms.unwrap_or(f64::INFINITY));
            (rang, gone) = (one.rang, one.vanished);
            withdrawn = one.withdrawn;
            dialed += one.dialed;
        }
        println!("| {agents} | {rang} | {gone} | {withdrawn} | {dialed} | {worst:.1} |");
    }
    Ok(())
}
