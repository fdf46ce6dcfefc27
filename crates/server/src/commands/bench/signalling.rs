//! `marcador bench signalling`: calls set up and ended at several rates, then many held at once.

use super::args::SignallingArgs;
use super::asterisk::{Asterisk, Wave};
use super::child::PartProcess;
use super::goals::{self, Goal, at_least, at_most};
use super::process::{cpu_seconds, memory_kb};
use super::set_up::{Done, Ready, Up};
use super::{profile, write_json};
use crate::commands::say;
use anyhow::Context as _;
use serde::Serialize;
use sip_test::load::{LoadConfig, LoadPeer};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Rates whose cost has goals, and those up to which a core is to carry them.
const RATES: [u32; 5] = [100, 300, 600, 1_000, 1_625];
/// Those of them whose cost has goals.
const JUDGED: [u32; 2] = [100, 300];
/// Calls held at once for the memory of one.
const HELD: u32 = 1_000;
/// Share of failed calls up to which a step is clean.
const CLEAN: f64 = 0.01;
/// Set-up time, 99 of 100, up to which a step is clean, milliseconds: T1, before anything is sent
/// again (RFC 3261 §17.1.1.1).
const CLEAN_MS: f64 = 500.0;
/// CPU of Asterisk for a call's set-up, microseconds, where none runs beside us: the least measured elsewhere.
const ASTERISK_US: f64 = 1_900.0;
/// Clean calls a second on a core of Asterisk.
const ASTERISK_CALLS: f64 = 325.0;

/// One rate.
#[derive(Debug, Serialize)]
struct Step {
    rate: u32,
    clean: bool,
    /// The turn in the middle, by what it cost beside Asterisk.
    #[serde(flatten)]
    middle: Turn,
    /// What a call cost of an Asterisk's, in each turn beside it.
    of_asterisk: Vec<f64>,
}

/// The calls of one turn.
#[derive(Debug, Serialize)]
struct Turn {
    /// CPU of voice and journal for a call from its order to its end, microseconds.
    cpu_us_per_call: f64,
    /// CPU of the load for a call, microseconds.
    load_cpu_us_per_call: f64,
    /// CPU of Asterisk for the same calls, microseconds, where one was named.
    asterisk_us_per_call: Option<f64>,
    calls: Done,
}

impl Turn {
    /// What a call cost of an Asterisk's.
    fn of_asterisk(&self) -> Option<f64> {
        Some(self.cpu_us_per_call / self.asterisk_us_per_call?)
    }
}

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    steps: Vec<Step>,
    held: u32,
    memory_kb_per_held_call: f64,
    /// The highest rate that was clean, for one core; driven, not computed.
    clean_calls_per_second_per_core: f64,
    /// What one core would set up and end at the least cost of a clean step.
    computed_calls_per_second_per_core: f64,
    goals: Vec<Goal>,
}

/// Carries it out.
pub(super) async fn run(args: &SignallingArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let rates = if args.rate.is_empty() {
        RATES.to_vec()
    } else {
        args.rate.clone()
    };
    let mut steps = Vec::new();
    let mut asterisk = Asterisk::open(&args.asterisk).await?;
    for rate in rates {
        let dir = folder.path().join(format!("rate-{rate}"));
        steps.push(step(args, rate, &dir, asterisk.as_mut()).await?);
    }
    let held = HELD.min(
        steps
            .iter()
            .map(|s| s.middle.calls.started)
            .max()
            .unwrap_or(HELD),
    );
    let memory = memory_of_held(held, &folder.path().join("held")).await?;
    let clean = steps.iter().filter(|s| s.clean);
    let clean = clean.map(|s| (s.rate, s.middle.cpu_us_per_call));
    let clean = || clean.clone().filter(|(_, us)| *us > 0.0);
    let driven = clean().map(|(rate, us)| on_a_core(rate, us));
    let best = driven.fold(0.0, f64::max);
    let least = clean().map(|(_, us)| 1e6 / us);
    let computed = least.fold(0.0, f64::max);
    let goals = goals(&steps, (best, computed), memory);
    let outcome = Outcome {
        profile: profile(),
        steps,
        held,
        memory_kb_per_held_call: memory,
        clean_calls_per_second_per_core: best,
        computed_calls_per_second_per_core: computed,
        goals,
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

async fn load() -> anyhow::Result<LoadPeer> {
    let config = LoadConfig {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        plane: None,
    };
    Ok(sip_test::load::start(config).await?)
}

async fn part(
    load: &LoadPeer,
    dir: &Path,
    calls: u32,
    (rate, tick_ms): (u32, u32),
    hold_ms: u64,
) -> anyhow::Result<PartProcess> {
    std::fs::create_dir_all(dir)?;
    let trunk = load.address().to_string();
    let dir = dir.to_str().context("a folder's name")?;
    let numbers = [calls.into(), rate.into(), hold_ms, tick_ms.into()];
    let [calls, rate, hold, tick] = numbers.map(|n: u64| n.to_string());
    let mut part = PartProcess::start(&[
        "set-up",
        "--trunk",
        &trunk,
        "--dir",
        dir,
        "--calls",
        &calls,
        "--rate",
        &rate,
        "--hold-ms",
        &hold,
        "--tick-ms",
        &tick,
    ])?;
    let _: Ready = part.answer().await?;
    // The trunk is asked by OPTIONS first.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(part)
}

async fn step(
    args: &SignallingArgs,
    rate: u32,
    dir: &Path,
    mut asterisk: Option<&mut Asterisk>,
) -> anyhow::Result<Step> {
    let load = load().await?;
    let calls = u32::try_from(u64::from(rate) * args.seconds)?;
    let turns = match asterisk.is_some() && JUDGED.contains(&rate) {
        true => args.turns,
        false => 1,
    };
    let pace = (rate, args.tick_ms);
    let mut part = part(&load, dir, calls * turns, pace, args.hold_ms.max(1)).await?;
    let mut done = Vec::new();
    for _ in 0..turns {
        let mut turn = turn(&mut part, calls).await?;
        if let Some(asterisk) = &mut asterisk {
            let wave = Wave {
                calls,
                rate,
                tick_ms: args.tick_ms,
                hold_ms: args.hold_ms.max(1),
            };
            turn.asterisk_us_per_call = Some(asterisk.calls(load.address(), &wave).await?);
        }
        done.push(turn);
    }
    part.end().await?;
    Ok(Step::of(rate, calls, done))
}

/// So many calls.
async fn turn(part: &mut PartProcess, calls: u32) -> anyhow::Result<Turn> {
    let (pid, ours) = (part.pid()?, std::process::id());
    let (cpu, own) = (cpu_seconds(pid)?, cpu_seconds(ours)?);
    part.tell(&calls).await?;
    let done: Done = part.answer().await?;
    let (cpu, own) = (cpu_seconds(pid)? - cpu, cpu_seconds(ours)? - own);
    let each = 1e6 / f64::from(done.started.max(1));
    Ok(Turn {
        cpu_us_per_call: cpu * each,
        load_cpu_us_per_call: own * each,
        asterisk_us_per_call: None,
        calls: done,
    })
}

impl Step {
    /// Of its turns, one at least, each of so many calls.
    fn of(rate: u32, calls: u32, mut turns: Vec<Turn>) -> Self {
        let clean = turns.iter().all(|turn| {
            let done = &turn.calls;
            let failed = f64::from(done.failed) / f64::from(done.started.max(1));
            // A rate that was not kept was not held.
            let kept = done.seconds <= f64::from(calls) / f64::from(rate) * 1.05 + 0.1;
            failed <= CLEAN && kept && done.set_up_p99_ms <= CLEAN_MS
        });
        let of_asterisk = turns.iter().filter_map(Turn::of_asterisk).collect();
        let cost = |turn: &Turn| turn.of_asterisk().unwrap_or(turn.cpu_us_per_call);
        turns.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        // Of an even number the dearer one.
        let middle = turns.swap_remove(turns.len() / 2);
        Self {
            rate,
            clean,
            middle,
            of_asterisk,
        }
    }
}

/// Memory above that of the idle process for each of so many calls that are up.
async fn memory_of_held(calls: u32, dir: &Path) -> anyhow::Result<f64> {
    let load = load().await?;
    let mut part = part(&load, dir, calls, (100, 0), 0).await?;
    let idle = memory_kb(part.pid()?)?;
    part.tell(&calls).await?;
    let up: Up = part.answer().await?;
    let memory = (memory_kb(part.pid()?)? - idle) / f64::from(up.up.max(1));
    part.tell(&"end").await?;
    let _: Done = part.answer().await?;
    part.end().await?;
    Ok(memory)
}

/// Calls a second on one core: the rate that was driven, or less where that took more than one.
fn on_a_core(rate: u32, cpu_us_per_call: f64) -> f64 {
    let rate = f64::from(rate);
    rate / (rate * cpu_us_per_call / 1e6).max(1.0)
}

fn goals(steps: &[Step], (best, computed): (f64, f64), memory: f64) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (rate, name) in [
        (100, "CPU a call at 100 calls/s, journal on"),
        (300, "CPU a call at 300 calls/s, journal on"),
    ] {
        if let Some(step) = steps.iter().find(|s| s.rate == rate) {
            let step = &step.middle;
            let asterisk = step.asterisk_us_per_call.unwrap_or(ASTERISK_US);
            let (must, goal) = (asterisk / 4.0, asterisk / 6.0);
            let cost = at_most(name, "µs", step.cpu_us_per_call, must, goal);
            let here = step.asterisk_us_per_call;
            goals.push(
                cost.beside(here.map_or_else(String::new, |us| format!("Asterisk here {us:.0}"))),
            );
        }
    }
    goals.push(at_least(
        "clean calls a second on a core (driven)",
        "calls/s",
        best,
        3.0 * ASTERISK_CALLS,
        5.0 * ASTERISK_CALLS,
    ));
    goals.push(at_least(
        "calls a second on a core at the least cost (computed)",
        "calls/s",
        computed,
        None,
        None,
    ));
    goals.push(at_most("memory a held call", "KB", memory, None, None));
    goals
}

fn print(outcome: &Outcome) {
    say(format!(
        "calls from the order to the end, without audio, each in the journal (SQLite) first; what SIP forgets 32 s \
         after an answer costs only steps that are longer; {}",
        outcome.profile
    ));
    for step in &outcome.steps {
        let (turn, calls) = (&step.middle, &step.middle.calls);
        say(format!(
            "{:>5} calls/s: {:.0} µs a call (load {:.0}), {} of {} answered, {} failed, set-up p50 {:.1} \
             p99 {:.1} ms, journal p50 {:.1} p99 {:.1} ms{}",
            step.rate,
            turn.cpu_us_per_call,
            turn.load_cpu_us_per_call,
            calls.answered,
            calls.started,
            calls.failed,
            calls.set_up_p50_ms,
            calls.set_up_p99_ms,
            calls.journal_p50_ms,
            calls.journal_p99_ms,
            if step.clean { "" } else { "; not clean" },
        ));
        if let (Some(asterisk), Some(ratio)) = (turn.asterisk_us_per_call, turn.of_asterisk()) {
            let all = step.of_asterisk.iter().map(|r| format!("{r:.2}"));
            let all = all.collect::<Vec<_>>().join(", ");
            say(format!(
                "{:>5} calls/s: Asterisk {asterisk:.0} µs a call, ours is {ratio:.2} of it; turn by turn {all}",
                step.rate
            ));
        }
    }
    say(goals::table(&outcome.goals).trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_in_the_middle_counts() {
        let turn = |ours: f64, asterisk: f64, failed| Turn {
            cpu_us_per_call: ours,
            load_cpu_us_per_call: 0.0,
            asterisk_us_per_call: Some(asterisk),
            calls: Done {
                started: 100,
                failed,
                seconds: 1.0,
                ..Done::default()
            },
        };
        // The second ran while the machine was slow, the third while it was slow for Asterisk.
        let turns = || vec![turn(400.0, 1_600.0, 0), turn(900.0, 1_800.0, 0)];
        let mut three = turns();
        three.push(turn(300.0, 3_000.0, 0));
        let step = Step::of(100, 100, three);
        assert_eq!(step.middle.cpu_us_per_call, 400.0);
        assert_eq!(step.of_asterisk, [0.25, 0.5, 0.1]);
        assert!(step.clean);
        // Of two the dearer one.
        let two = Step::of(100, 100, turns());
        assert_eq!(two.middle.cpu_us_per_call, 900.0);
        // One turn that failed spoils the step.
        let failed = Step::of(100, 100, vec![turn(1.0, 9.0, 0), turn(2.0, 9.0, 2)]);
        assert!(!failed.clean);
    }

    #[test]
    fn a_rate_that_took_two_cores_counts_for_half() {
        let of = |rate, us| on_a_core(rate, us).round();
        assert_eq!([of(1_000, 400.0), of(1_000, 1_000.0)], [1_000.0, 1_000.0]);
        assert_eq!(of(1_000, 2_000.0), 500.0);
    }
}
