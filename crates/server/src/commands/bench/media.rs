//! `marcador bench media`: the same load through a bare forwarder and through the product.

use super::args::MediaArgs;
use super::child::PartProcess;
use super::forwarder::{Far, Near};
use super::goals::{self, Goal, at_least, at_most};
use super::process::{cpu_seconds, memory_kb};
use super::talk::{Bridged, Ended, Listens};
use super::{profile, room, write_json};
use crate::commands::say;
use anyhow::Context as _;
use serde::Serialize;
use sip_test::load::{Figures, LoadConfig, LoadPlane};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Time between the last bridge and the first packet that counts.
const SETTLE: Duration = Duration::from_secs(2);
/// Asterisk's bridge with MixMonitor took 5.4 times the CPU of a bare epoll forwarder with WAV on
/// one machine in one run (0.57 to 0.75 % of a core a call against 0.10 to 0.14 %).
const ASTERISK_TO_FORWARDER: f64 = 5.4;
/// Calls that Asterisk held on a core of that machine.
const ASTERISK_CALLS: f64 = 160.0;

/// One window.
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

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    calls: u32,
    seconds: u64,
    cpu_ratio_to_bare_forwarder: f64,
    product: Window,
    recordings: Ended,
    forwarder: [Window; 2],
    goals: Vec<Goal>,
}

/// Carries it out: forwarder, product, forwarder again, since a machine does not stay as it is.
pub(super) async fn run(args: &MediaArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let before = forwarded(args, &folder.path().join("floor-1")).await?;
    let (product, recordings) = bridged(args, &folder.path().join("product")).await?;
    let after = forwarded(args, &folder.path().join("floor-2")).await?;
    let floor = f64::midpoint(before.cpu_pct_per_call, after.cpu_pct_per_call);
    // A window too short for the system's ticks has no ratio.
    let ratio = if floor > 0.0 {
        product.cpu_pct_per_call / floor
    } else {
        0.0
    };
    let goals = goals(&product, floor, ratio);
    let outcome = Outcome {
        profile: profile(),
        calls: args.calls,
        seconds: args.seconds,
        cpu_ratio_to_bare_forwarder: ratio,
        product,
        recordings,
        forwarder: [before, after],
        goals,
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

/// The load through the bare forwarder.
async fn forwarded(args: &MediaArgs, dir: &Path) -> anyhow::Result<Window> {
    std::fs::create_dir_all(dir)?;
    let plane = LoadPlane::start()?;
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
    let idle = memory_kb(part.pid()?)?;
    for (n, (debtor, agent)) in (0_u32..).zip(near.pairs) {
        plane.remote(2 * n, debtor)?;
        plane.remote(2 * n + 1, agent)?;
    }
    let window = window(args, &plane, &part, idle, 1).await?;
    part.end().await?;
    Ok(window)
}

/// The load through the product.
async fn bridged(args: &MediaArgs, dir: &Path) -> anyhow::Result<(Window, Ended)> {
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
    let idle = memory_kb(part.pid()?)?;
    load.register(listens.sip, args.calls, room::PASSWORD)
        .await?;
    part.tell(&"go").await?;
    let _: Bridged = part.answer().await?;
    let window = window(args, &plane, &part, idle, 2).await?;
    part.tell(&"end").await?;
    let recordings = part.answer().await?;
    part.end().await?;
    Ok((window, recordings))
}

/// Measures one window of a part that carries the calls.
async fn window(
    args: &MediaArgs,
    plane: &LoadPlane,
    part: &PartProcess,
    idle_kb: f64,
    number: u32,
) -> anyhow::Result<Window> {
    tokio::time::sleep(SETTLE).await;
    let (pid, ours) = (part.pid()?, std::process::id());
    plane.begin(number)?;
    let (start, cpu, own) = (Instant::now(), cpu_seconds(pid)?, cpu_seconds(ours)?);
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    let lasted = start.elapsed().as_secs_f64();
    let (cpu, own) = (cpu_seconds(pid)? - cpu, cpu_seconds(ours)? - own);
    let memory = memory_kb(pid)?;
    let told = plane.clone();
    let rtp = tokio::task::spawn_blocking(move || told.end()).await??;
    let calls = f64::from(args.calls);
    Ok(Window {
        cpu_pct_per_call: cpu * 100.0 / lasted / calls,
        memory_kb_per_call: (memory - idle_kb) / calls,
        load_cpu_pct: own * 100.0 / lasted,
        rtp_lost_pct: rtp.loss_pct(),
        rtp,
    })
}

fn goals(product: &Window, floor: f64, ratio: f64) -> Vec<Goal> {
    let asterisk = floor * ASTERISK_TO_FORWARDER;
    let per_core = |pct: f64| if pct > 0.0 { 100.0 / pct } else { 0.0 };
    let held = per_core(product.cpu_pct_per_call);
    let silent = u32::try_from(product.rtp.silent_legs).unwrap_or(u32::MAX);
    let part = if asterisk > 0.0 {
        product.cpu_pct_per_call / asterisk
    } else {
        0.0
    };
    vec![
        at_most("CPU beside the bare forwarder", "ratio", ratio, 1.5, 1.2),
        at_most(
            "CPU beside Asterisk, by the forwarder",
            "ratio",
            part,
            0.25,
            0.2,
        ),
        at_most(
            "CPU a bridged and recorded call",
            "% of a core",
            product.cpu_pct_per_call,
            None,
            None,
        ),
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
        ),
        at_most(
            "one way across the bridge, p50",
            "ms",
            product.rtp.one_way_ms.p50,
            2.0,
            0.5,
        ),
        at_most(
            "one way across the bridge, p99",
            "ms",
            product.rtp.one_way_ms.p99,
            40.0,
            None,
        ),
        at_most("RTP lost", "%", product.rtp_lost_pct, 0.1, 0.0),
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

fn print(outcome: &Outcome) {
    let [before, after] = &outcome.forwarder;
    say(format!(
        "{} calls, 2 legs each, 50 packets/s each way, recorded; windows of {} s; {}",
        outcome.calls, outcome.seconds, outcome.profile
    ));
    say(goals::table(&outcome.goals).trim_end());
    say(format!(
        "bare forwarder: {:.3} and {:.3} % of a core a call, {:.0} KB, one way p50 {:.2} p99 {:.2} ms, \
         lost {:.3} %",
        before.cpu_pct_per_call,
        after.cpu_pct_per_call,
        before.memory_kb_per_call,
        before.rtp.one_way_ms.p50,
        before.rtp.one_way_ms.p99,
        before.rtp_lost_pct,
    ));
    let ended = &outcome.recordings;
    say(format!(
        "recordings: {} sealed, {} failed, the shortest {} ms; calls that ended early: {}; load: {:.0} % \
         of a core",
        ended.sealed, ended.failed, ended.shortest_ms, ended.early, outcome.product.load_cpu_pct
    ));
}
