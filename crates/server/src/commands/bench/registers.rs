//! `marcador bench registers`: registrations in numbers, with right and with wrong passwords, and how long honest
//! OPTIONS wait meanwhile (`faults.md` promise 13).

use super::args::RegistersArgs;
use super::child::PartProcess;
use super::goals::{self, Goal, at_least, at_most};
use super::process::{cpu_seconds, memory_kb};
use super::talk::{Bridged, Ended, Listens};
use super::{profile, room, write_json};
use crate::commands::say;
use anyhow::Context as _;
use serde::Serialize;
use sip_test::load::{RegisterFigures, RegisterLoad, registers};
use std::net::UdpSocket;
use std::time::Duration;

/// Longest that 95 of 100 honest OPTIONS may wait, milliseconds.
const HONEST_MS: f64 = 100.0;

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    rate: u32,
    seconds: u64,
    accounts: u32,
    figures: RegisterFigures,
    /// CPU of the registrar's process, percent of one core.
    cpu_pct: f64,
    memory_growth_kb: f64,
    goals: Vec<Goal>,
}

/// Carries it out.
pub(super) async fn run(args: &RegistersArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // A trunk that says nothing: its address, which is the flood's too, is that of a friend, so that no share of
    // strangers keeps anything from the registrar.
    let trunk = UdpSocket::bind(("127.0.0.1", 0))?;
    let (at, dir) = (trunk.local_addr()?.to_string(), folder.path());
    let dir = dir.to_str().context("a folder's name")?;
    let mut part = PartProcess::start(&[
        "talk", "--trunk", &at, "--dir", dir, "--calls", "0", "--rate", "1",
    ])?;
    let listens: Listens = part.answer().await?;
    part.tell(&"go").await?;
    let _: Bridged = part.answer().await?;
    let pid = part.pid()?;
    let load = RegisterLoad {
        server: listens.sip,
        rate: args.rate,
        time: Duration::from_secs(args.seconds),
        accounts: args.accounts,
        password: room::PASSWORD.to_owned(),
    };
    let (cpu, memory) = (cpu_seconds(pid)?, memory_kb(pid)?);
    let figures = registers(&load).await?;
    let (cpu, memory) = (cpu_seconds(pid)? - cpu, memory_kb(pid)? - memory);
    part.tell(&"end").await?;
    let _: Ended = part.answer().await?;
    part.end().await?;
    let seconds = Duration::from_secs(args.seconds).as_secs_f64();
    let outcome = Outcome {
        profile: profile(),
        rate: args.rate,
        seconds: args.seconds,
        accounts: args.accounts,
        cpu_pct: cpu * 100.0 / seconds,
        memory_growth_kb: memory,
        goals: goals(&figures, args.rate),
        figures,
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

fn share(part: u64, of: u64) -> f64 {
    let count = |n: u64| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    count(part) * 100.0 / count(of).max(1.0)
}

fn goals(figures: &RegisterFigures, rate: u32) -> Vec<Goal> {
    let fooled = share(figures.fooled, figures.wrong);
    vec![
        // A flood that was not sent shows nothing.
        at_least(
            "REGISTERs sent",
            "1/s",
            figures.per_second,
            0.95 * f64::from(rate),
            None,
        ),
        at_most(
            "honest OPTIONS meanwhile, p95",
            "ms",
            figures.options_p95_ms,
            HONEST_MS,
            None,
        ),
        at_most(
            "honest OPTIONS meanwhile, p99",
            "ms",
            figures.options_p99_ms,
            None,
            None,
        ),
        at_most(
            "honest OPTIONS without an answer",
            "%",
            share(figures.unanswered, figures.asked),
            None,
            None,
        ),
        at_least(
            "right passwords granted",
            "%",
            share(figures.granted, figures.right),
            None,
            None,
        ),
        at_most("wrong passwords granted", "%", fooled, 0.0, 0.0),
    ]
}

fn print(outcome: &Outcome) {
    let figures = &outcome.figures;
    say(format!(
        "{} REGISTERs a second for {} s, of {} accounts with their password and as many without; {}",
        outcome.rate, outcome.seconds, outcome.accounts, outcome.profile
    ));
    say(goals::table(&outcome.goals).trim_end());
    say(format!(
        "{} REGISTERs; with the right password {} of {} granted, with a wrong one {} of {} refused in words, the \
         others by silence; {} OPTIONS: p50 {:.1}, longest {:.1} ms; {:.0} % of a core, memory {:+.0} KB",
        figures.sent,
        figures.granted,
        figures.right,
        figures.refused,
        figures.wrong,
        figures.asked,
        figures.options_p50_ms,
        figures.options_max_ms,
        outcome.cpu_pct,
        outcome.memory_growth_kb,
    ));
}
