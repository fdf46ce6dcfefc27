//! `marcador bench media`: the same load through a bare forwarder and through the product.
//!
//! Both are up all the time and get the load in turns of less than a second, so that whatever else
//! the machine does meets both alike; the ratio is the median over the turns. A turn is too short for
//! the product to take the silence of its other turns for a fault; its recordings hold that silence,
//! which costs it a little more than the forwarder.

use super::args::MediaArgs;
use super::child::PartProcess;
use super::forwarder::{Far, Near};
use super::goals::{self, Goal, at_least, at_most};
use super::process::{cpu_of_threads, memory_kb};
use super::talk::{Bridged, Ended, Listens};
use super::{profile, room, write_json};
use crate::commands::say;
use anyhow::Context as _;
use serde::Serialize;
use sip_test::load::{Figures, LoadConfig, LoadPeer, LoadPlane};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Time between the last bridge and the first packet that counts.
pub(super) const SETTLE: Duration = Duration::from_secs(2);
/// Length of a turn; the product takes a second without audio for an absent far end.
const TURN: Duration = Duration::from_millis(800);
/// Time at its begin that does not count.
const BEGIN: Duration = Duration::from_millis(50);
/// Time after it in which its last packets arrive.
const LAST: Duration = Duration::from_millis(30);
/// Asterisk's bridge with MixMonitor took 5.4 times the CPU of a bare epoll forwarder with WAV on
/// one machine in one run (0.57 to 0.75 % of a core a call against 0.10 to 0.14 %).
const ASTERISK_TO_FORWARDER: f64 = 5.4;
/// Calls that Asterisk held on a core of that machine.
pub(super) const ASTERISK_CALLS: f64 = 160.0;

/// What one side came to over its turns.
#[derive(Debug, Clone, Default, Serialize)]
struct Window {
    /// CPU of the process, percent of one core for each call.
    cpu_pct_per_call: f64,
    /// PSS above that of the idle process, for each call.
    memory_kb_per_call: f64,
    /// CPU of the load, percent of one core.
    load_cpu_pct: f64,
    rtp_lost_pct: f64,
    rtp: Figures,
}

/// Ratios of the turns.
#[derive(Debug, Clone, Default, Serialize)]
struct Ratios {
    turns: usize,
    p25: f64,
    p50: f64,
    p75: f64,
}

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    calls: u32,
    seconds: u64,
    cpu_ratio_to_bare_forwarder: f64,
    ratios: Ratios,
    product: Window,
    recordings: Ended,
    forwarder: Window,
    goals: Vec<Goal>,
}

/// A process that carries calls, with its load.
pub(super) struct Side {
    pub(super) plane: LoadPlane,
    pub(super) part: PartProcess,
    idle_kb: f64,
    /// CPU of its turns, seconds a second: its own, and that of the load.
    turns: Vec<(f64, f64)>,
}

/// Carries it out.
pub(super) async fn run(args: &MediaArgs) -> anyhow::Result<()> {
    if args.alone {
        return super::hold::run(args).await;
    }
    let folder = tempfile::tempdir()?;
    let mut floor = forwarded(args, &folder.path().join("floor")).await?;
    let (mut product, _load) = bridged(args, &folder.path().join("product")).await?;
    tokio::time::sleep(SETTLE).await;
    product.plane.pause(true)?;
    floor.plane.begin(1)?;
    product.plane.begin(2)?;
    let turns = args.seconds.saturating_mul(1_000) / u64::try_from(TURN.as_millis())?;
    // Strictly in turn: twice in a row for one would be a silence to the other.
    for _ in 0..turns.max(1) {
        product.turn().await?;
        floor.turn().await?;
    }
    let ratios = ratios(&product.turns, &floor.turns);
    let forwarder = floor.window(args).await?;
    floor.part.end().await?;
    let figures = product.window(args).await?;
    product.part.tell(&"end").await?;
    let recordings = product.part.answer().await?;
    product.part.end().await?;
    let goals = goals(&figures, &forwarder, ratios.p50);
    let outcome = Outcome {
        profile: profile(),
        calls: args.calls,
        seconds: args.seconds,
        cpu_ratio_to_bare_forwarder: ratios.p50,
        ratios,
        product: figures,
        recordings,
        forwarder,
        goals,
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

/// The load through the bare forwarder, paused.
async fn forwarded(args: &MediaArgs, dir: &Path) -> anyhow::Result<Side> {
    std::fs::create_dir_all(dir)?;
    let plane = LoadPlane::start()?;
    plane.pause(true)?;
    let mut pairs = Vec::new();
    let leg = |n: u32| -> anyhow::Result<SocketAddr> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.set_nonblocking(true)?;
        let addr = socket.local_addr()?;
        plane.add(n, socket)?;
        Ok(addr)
    };
    for n in 0..args.calls {
        pairs.push((leg(2 * n)?, leg(2 * n + 1)?));
    }
    let dir = dir.to_str().context("a folder's name")?;
    let mut part = PartProcess::start(&["forward", "--dir", dir])?;
    part.tell(&Far { pairs }).await?;
    let near: Near = part.answer().await?;
    let idle_kb = memory_kb(part.pid()?)?;
    for (n, (debtor, agent)) in (0_u32..).zip(near.pairs) {
        plane.remote(2 * n, debtor)?;
        plane.remote(2 * n + 1, agent)?;
    }
    Ok(Side {
        plane,
        part,
        idle_kb,
        turns: Vec::new(),
    })
}

/// The load through the product, with every call bridged.
pub(super) async fn bridged(args: &MediaArgs, dir: &Path) -> anyhow::Result<(Side, LoadPeer)> {
    std::fs::create_dir_all(dir)?;
    let plane = LoadPlane::start()?;
    let config = LoadConfig {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        plane: Some(plane.clone()),
    };
    let mut load = sip_test::load::start(config).await?;
    let (trunk, calls) = (load.address().to_string(), args.calls.to_string());
    let dir = dir.to_str().context("a folder's name")?;
    let rate = args.rate.to_string();
    let mut part = PartProcess::start(&[
        "talk", "--trunk", &trunk, "--dir", dir, "--calls", &calls, "--rate", &rate,
    ])?;
    let listens: Listens = part.answer().await?;
    let idle_kb = memory_kb(part.pid()?)?;
    load.register(listens.sip, args.calls, room::PASSWORD)
        .await?;
    part.tell(&"go").await?;
    let _: Bridged = part.answer().await?;
    let side = Side {
        plane,
        part,
        idle_kb,
        turns: Vec::new(),
    };
    Ok((side, load))
}

impl Side {
    /// Its turn: the load runs through it and through nobody else.
    async fn turn(&mut self) -> anyhow::Result<()> {
        let (pid, ours) = (self.part.pid()?, std::process::id());
        self.plane.pause(false)?;
        tokio::time::sleep(BEGIN).await;
        let (start, cpu, own) = (Instant::now(), cpu_of_threads(pid)?, cpu_of_threads(ours)?);
        tokio::time::sleep(TURN - BEGIN).await;
        let lasted = start.elapsed().as_secs_f64();
        let (cpu, own) = (cpu_of_threads(pid)? - cpu, cpu_of_threads(ours)? - own);
        self.plane.pause(true)?;
        tokio::time::sleep(LAST).await;
        self.turns.push((cpu / lasted, own / lasted));
        Ok(())
    }

    /// What its turns came to.
    async fn window(&self, args: &MediaArgs) -> anyhow::Result<Window> {
        let memory = memory_kb(self.part.pid()?)?;
        let told = self.plane.clone();
        let rtp = tokio::task::spawn_blocking(move || told.end()).await??;
        let calls = f64::from(args.calls);
        let count = f64::from(u32::try_from(self.turns.len())?);
        let sum = |of: fn(&(f64, f64)) -> f64| self.turns.iter().map(of).sum::<f64>();
        Ok(Window {
            cpu_pct_per_call: sum(|t| t.0) * 100.0 / count / calls,
            memory_kb_per_call: (memory - self.idle_kb) / calls,
            load_cpu_pct: sum(|t| t.1) * 100.0 / count,
            rtp_lost_pct: rtp.loss_pct(),
            rtp,
        })
    }
}

/// Ratios of turns that followed each other.
fn ratios(product: &[(f64, f64)], floor: &[(f64, f64)]) -> Ratios {
    let both = product.iter().zip(floor).filter(|(_, floor)| floor.0 > 0.0);
    let mut all: Vec<f64> = both.map(|(product, floor)| product.0 / floor.0).collect();
    all.sort_by(f64::total_cmp);
    let at = |quarter: usize| {
        let place = all.len() * quarter / 4;
        let place = place.min(all.len().saturating_sub(1));
        all.get(place).copied().unwrap_or(0.0)
    };
    Ratios {
        turns: all.len(),
        p25: at(1),
        p50: at(2),
        p75: at(3),
    }
}

fn goals(product: &Window, floor: &Window, ratio: f64) -> Vec<Goal> {
    let per_core = |pct: f64| if pct > 0.0 { 100.0 / pct } else { 0.0 };
    let held = per_core(product.cpu_pct_per_call);
    let silent = u32::try_from(product.rtp.silent_legs).unwrap_or(u32::MAX);
    vec![
        at_most("CPU beside the bare forwarder", "ratio", ratio, 1.5, 1.2),
        at_most(
            "CPU beside Asterisk, by the forwarder",
            "ratio",
            ratio / ASTERISK_TO_FORWARDER,
            0.25,
            0.2,
        ),
        at_most(
            "CPU a bridged and recorded call",
            "% of a core",
            product.cpu_pct_per_call,
            None,
            None,
        )
        .beside(here(floor.cpu_pct_per_call)),
        at_least(
            "calls a core at this cost (computed)",
            "calls",
            held,
            4.0 * ASTERISK_CALLS,
            5.0 * ASTERISK_CALLS,
        ),
        at_most(
            "memory a call",
            "KB",
            product.memory_kb_per_call,
            140.0,
            90.0,
        )
        .beside(here(floor.memory_kb_per_call)),
        at_most(
            "one way across the bridge, p50",
            "ms",
            product.rtp.one_way_ms.p50,
            2.0,
            0.5,
        )
        .beside(here(floor.rtp.one_way_ms.p50)),
        at_most(
            "one way across the bridge, p99",
            "ms",
            product.rtp.one_way_ms.p99,
            40.0,
            None,
        )
        .beside(here(floor.rtp.one_way_ms.p99)),
        at_most("RTP lost", "%", product.rtp_lost_pct, 0.1, 0.0).beside(here(floor.rtp_lost_pct)),
        at_most("silent legs", "legs", f64::from(silent), 0.0, 0.0),
        at_most(
            "answer to agent's audio at the debtor, p99",
            "ms",
            product.rtp.answer_to_audio_ms.p99,
            60.0,
            40.0,
        ),
    ]
}

/// The same figure of the forwarder, of the same turns.
fn here(floor: f64) -> String {
    format!("bare forwarder here {floor:.3}")
}

fn print(outcome: &Outcome) {
    let (floor, ratios) = (&outcome.forwarder, &outcome.ratios);
    say(format!(
        "{} calls, 2 legs each, 50 packets/s each way, recorded; {} turns of {} ms each; {}",
        outcome.calls,
        ratios.turns,
        TURN.as_millis(),
        outcome.profile
    ));
    say(goals::table(&outcome.goals).trim_end());
    say(format!(
        "ratio of the turns: p25 {:.2}, p50 {:.2}, p75 {:.2}",
        ratios.p25, ratios.p50, ratios.p75
    ));
    say(format!(
        "bare forwarder: {:.3} % of a core a call, {:.0} KB, one way p50 {:.2} p99 {:.2} ms, lost {:.3} %",
        floor.cpu_pct_per_call,
        floor.memory_kb_per_call,
        floor.rtp.one_way_ms.p50,
        floor.rtp.one_way_ms.p99,
        floor.rtp_lost_pct,
    ));
    let ended = &outcome.recordings;
    say(format!(
        "recordings: {} sealed, {} failed, the shortest {} ms; calls that ended early: {}; load: {:.0} % \
         of a core; set-ups, and what sealing costs when a call ends, are in no figure here (bench load has them)",
        ended.sealed, ended.failed, ended.shortest_ms, ended.early, outcome.product.load_cpu_pct
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_that_of_the_turn_in_the_middle() {
        let turns = |all: &[f64]| all.iter().map(|cpu| (*cpu, 0.1)).collect::<Vec<_>>();
        let product = turns(&[0.12, 0.15, 0.9, 0.14, 0.13]);
        let floor = turns(&[0.1, 0.1, 0.1, 0.1, 0.0]);
        let ratios = ratios(&product, &floor);
        assert_eq!(ratios.turns, 4, "a turn that cost nothing has no ratio");
        assert!((ratios.p25 - 1.4).abs() < 1e-9 && (ratios.p50 - 1.5).abs() < 1e-9);
        assert_eq!(super::ratios(&[], &[]).p50, 0.0);
    }
}
