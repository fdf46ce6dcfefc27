//! `marcador bench load`: calls that come and go for long, each bridged and recorded.

use super::args::LoadArgs;
use super::child::PartProcess;
use super::churn::{Churned, Full, places};
use super::goals::{self, Goal, at_least, at_most};
use super::process::{cpu_seconds, memory_kb};
use super::talk::Listens;
use super::{profile, room, write_json};
use crate::commands::say;
use anyhow::Context as _;
use serde::Serialize;
use sip_test::load::{Figures, LoadConfig, LoadPlane};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How much longer a call is held than its share of the calls at once asks for: what set-up takes.
const OVER_MS: u64 = 300;
/// Looks at the memory of the process.
pub(super) const LOOKS: u32 = 60;
/// Parts of the run whose memory is printed; `--json` has all.
const SAID: u32 = 12;
/// First part of the run after which memory is to grow no more.
const WARM: u32 = LOOKS / 6;

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    calls: u32,
    rate: u32,
    seconds: f64,
    cpu_pct_per_call: f64,
    /// PSS of the process, at equal distances from the beginning to the end.
    memory_kb: Vec<f64>,
    memory_growth_pct: f64,
    rtp_lost_pct: f64,
    rtp: Figures,
    ended: Churned,
    goals: Vec<Goal>,
}

/// Carries it out.
pub(super) async fn run(args: &LoadArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let plane = LoadPlane::start()?;
    let config = LoadConfig {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        plane: Some(plane.clone()),
    };
    let mut load = sip_test::load::start(config).await?;
    let dir = folder.path().to_str().context("a folder's name")?;
    let hold = u64::from(args.calls) * 1_000 / u64::from(args.rate) + OVER_MS;
    let (trunk, [calls, rate, hold]) = (
        load.address().to_string(),
        [args.calls.into(), args.rate.into(), hold].map(|n: u64| n.to_string()),
    );
    let mut part = PartProcess::start(&[
        "churn",
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
    ])?;
    let listens: Listens = part.answer().await?;
    let agents = places(args.calls, args.rate);
    load.register(listens.sip, agents, room::PASSWORD).await?;
    part.tell(&"go").await?;
    let _: Full = part.answer().await?;
    let pid = part.pid()?;
    plane.begin(1)?;
    let (start, cpu) = (Instant::now(), cpu_seconds(pid)?);
    let mut memory = vec![memory_kb(pid)?];
    for look in 1..=LOOKS {
        let whole = Duration::from_secs(args.seconds);
        tokio::time::sleep_until(start + whole * look / LOOKS).await;
        memory.push(memory_kb(pid)?);
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu_seconds(pid)? - cpu;
    let told = plane.clone();
    let rtp = tokio::task::spawn_blocking(move || told.end()).await??;
    part.tell(&"end").await?;
    let ended: Churned = part.answer().await?;
    part.end().await?;
    let cpu = cpu * 100.0 / seconds / f64::from(args.calls);
    let outcome = Outcome {
        profile: profile(),
        calls: args.calls,
        rate: args.rate,
        seconds,
        cpu_pct_per_call: cpu,
        memory_growth_pct: growth(&memory),
        memory_kb: memory,
        rtp_lost_pct: lost_pct(&rtp),
        goals: Vec::new(),
        rtp,
        ended,
    };
    let outcome = Outcome {
        goals: goals(&outcome),
        ..outcome
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

/// Memory of the process at equal distances from the beginning to the end, in words.
pub(super) fn course(memory: &[f64]) -> String {
    let step = (LOOKS / SAID) as usize;
    let said: Vec<String> = memory
        .iter()
        .step_by(step)
        .map(|kb| format!("{:.1}", kb / 1_024.0))
        .collect();
    said.join(" ")
}

/// How much more memory there was at most after the first sixth than in it, percent.
pub(super) fn growth(memory: &[f64]) -> f64 {
    let (warm, rest) = memory.split_at(memory.len().min(WARM as usize + 1));
    let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    if rest.is_empty() || most(warm) <= 0.0 {
        return 0.0;
    }
    (most(rest) / most(warm) - 1.0) * 100.0
}

/// Of looks after the beginning, what was seen once the first sixth was over.
pub(super) fn warm<T>(looks: &[T]) -> &[T] {
    &looks[looks.len().min(WARM as usize)..]
}

/// Packets missing in what the far ends were sent, percent.
fn lost_pct(rtp: &Figures) -> f64 {
    let whole = rtp.received + rtp.unstamped + rtp.gaps;
    if whole == 0 {
        return 100.0;
    }
    let part = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    part(rtp.gaps) * 100.0 / part(whole)
}

fn goals(outcome: &Outcome) -> Vec<Goal> {
    let ended = &outcome.ended;
    let faults = ended.failed + ended.late + ended.ends.early + ended.ends.one_way;
    let calls = f64::from(outcome.calls);
    vec![
        at_least(
            "calls up, at the least",
            "calls",
            f64::from(ended.least_up),
            calls * 0.95,
            calls,
        ),
        at_most("RTP lost", "%", outcome.rtp_lost_pct, 0.1, 0.0),
        at_most(
            "one way across the bridge, p50",
            "ms",
            outcome.rtp.one_way_ms.p50,
            2.0,
            0.5,
        ),
        at_most(
            "one way across the bridge, p99",
            "ms",
            outcome.rtp.one_way_ms.p99,
            20.0,
            None,
        ),
        at_most(
            "answer to agent's audio at the debtor, p99",
            "ms",
            outcome.rtp.answer_to_audio_ms.p99,
            60.0,
            40.0,
        ),
        at_most(
            "memory, growth after the first sixth",
            "%",
            outcome.memory_growth_pct,
            10.0,
            0.0,
        ),
        at_most(
            "calls failed, late, ended early or silent",
            "calls",
            f64::from(faults),
            0.0,
            0.0,
        ),
        at_most(
            "recordings that failed",
            "files",
            f64::from(ended.ends.failed),
            0.0,
            0.0,
        ),
    ]
}

fn print(outcome: &Outcome) {
    say(format!(
        "{} calls at once, {} new ones a second, bridged and recorded, {:.0} s; {}",
        outcome.calls, outcome.rate, outcome.seconds, outcome.profile
    ));
    say(goals::table(&outcome.goals).trim_end());
    let ended = &outcome.ended;
    say(format!(
        "{} dialed, {} answered, {} bridged; recordings: {} sealed, the shortest {} ms; CPU {:.3} % of a \
         core a call",
        ended.dialed,
        ended.answered,
        ended.bridged,
        ended.ends.sealed,
        ended.ends.shortest_ms,
        outcome.cpu_pct_per_call,
    ));
    say(format!(
        "memory in MB, each twelfth of the run: {}",
        course(&outcome.memory_kb)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_flat_when_it_does_not_grow_after_the_first_sixth() {
        let mut memory = vec![100.0; LOOKS as usize + 1];
        memory[3] = 110.0;
        assert!(growth(&memory) < 0.0);
        memory[40] = 132.0;
        assert!((growth(&memory) - 20.0).abs() < 1e-9);
        assert_eq!(growth(&[5.0]), 0.0);
        let said = course(&vec![2_048.0; LOOKS as usize + 1]);
        assert_eq!(said, ["2.0"; SAID as usize + 1].join(" "));
    }

    #[test]
    fn what_is_missing_is_held_against_what_there_should_be() {
        let rtp = Figures {
            received: 990,
            gaps: 10,
            ..Figures::default()
        };
        assert!((lost_pct(&rtp) - 1.0).abs() < 1e-9);
        assert_eq!(lost_pct(&Figures::default()), 100.0);
    }
}
