//! `marcador bench shift`: the whole product under load for long. A demo with so many agents whose debtors all answer:
//! database, law, engine, SIP, media, recordings, sockets; its agents and their phones are in its process, its carrier is not.

use super::args::ShiftArgs;
use super::goals::{self, Goal, at_least, at_most};
use super::load::{LOOKS, course, growth, warm};
use super::process::{cpu_seconds, memory_kb};
use super::{profile, write_json};
use crate::commands::say;
use crate::demo::summary::Summary;
use crate::demo::tempo;
use anyhow::{Context as _, bail};
use serde::Serialize;
use sip_test::carrier::{LogNormal, Profile, Weights};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior};

/// What the service goals ask of two cores: calls up, new ones a second.
const CALLS: f64 = 200.0;
const RATE: f64 = 20.0;
/// Agents who come to that at the demo's tempo: of 14 s from call to call they talk some 10.
pub(super) const AGENTS: u32 = 280;
/// Share of what is asked that must be reached.
const MUST: f64 = 0.95;
/// Longest wait for the demo to be ready (its portfolio is loaded first), and for its end.
const PATIENCE: Duration = Duration::from_secs(300);
/// Longest wait for its figures.
const ANSWER: Duration = Duration::from_secs(10);
/// Packets of sound a second on one leg.
const PACKETS_A_SECOND: f64 = 50.0;

/// What the demo's own figures said at one look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
struct Look {
    /// Calls in which an agent talks.
    talking: f64,
    /// Packets lost on the way in, since the start.
    rtp_lost: f64,
    /// Recordings that failed, since the start.
    unrecorded: f64,
}

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    agents: u32,
    seconds: f64,
    /// Of the demo's process: server, agents and their phones, percent of a core.
    cpu_pct: f64,
    /// PSS of the demo's process, at equal distances from the beginning to the end.
    memory_kb: Vec<f64>,
    memory_growth_pct: f64,
    looks: Vec<Look>,
    summary: Summary,
    goals: Vec<Goal>,
}

/// Carries it out.
pub(super) async fn run(args: &ShiftArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut demo, base) = start(args, folder.path())?;
    let client = reqwest::Client::builder().timeout(ANSWER).build()?;
    ready(&mut demo, &client, &base).await?;
    let pid = demo.id().context("the demo has ended")?;
    let (start, cpu) = (Instant::now(), cpu_seconds(pid)?);
    let mut memory = vec![memory_kb(pid)?];
    let mut looks = Vec::new();
    for turn in 1..=LOOKS {
        let whole = Duration::from_secs(args.seconds);
        tokio::time::sleep_until(start + whole * turn / LOOKS).await;
        memory.push(memory_kb(pid)?);
        let text = client.get(format!("{base}/metrics")).send().await?;
        looks.push(look(&text.error_for_status()?.text().await?));
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu_seconds(pid)? - cpu;
    let ended = tokio::time::timeout(PATIENCE, demo.wait()).await;
    let status = ended.context("the demo did not end")??;
    if !status.success() {
        bail!("the demo failed: {status}: {}", told(folder.path()));
    }
    let text = std::fs::read_to_string(folder.path().join("summary.json"))?;
    let mut outcome = Outcome {
        profile: profile(),
        agents: args.agents,
        seconds,
        cpu_pct: cpu * 100.0 / seconds,
        memory_growth_pct: growth(&memory),
        memory_kb: memory,
        looks,
        summary: serde_json::from_str(&text)?,
        goals: Vec::new(),
    };
    outcome.goals = goals(&outcome);
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

/// Everybody answers, soon, and talks until the agent ends it.
fn people() -> anyhow::Result<Profile> {
    let soon = |least: u64, most: u64| LogNormal {
        median: f64::from(u32::try_from(least).unwrap_or(u32::MAX)),
        sigma: 0.2,
        least,
        most,
    };
    Ok(Profile {
        shares: Weights {
            human: 1.0,
            machine: 0.0,
            busy: 0.0,
            no_answer: 0.0,
            rejected: 0.0,
            unreachable: 0.0,
            congestion: 0.0,
            invalid: 0.0,
        },
        pdd_ms: soon(100, 300),
        ring_ms: soon(1_000, 2_000),
        early_hangup_share: 0.0,
        talk_s: vec![[0.01, 40.0], [0.99, 60.0]],
        time_scale: 1.0,
        ..tempo::profile()?
    })
}

/// Starts the demo; where it is heard.
fn start(args: &ShiftArgs, folder: &Path) -> anyhow::Result<(Child, String)> {
    let people_file = folder.join("people.json");
    std::fs::write(&people_file, serde_json::to_string(&people()?)?)?;
    // Its own port would have to be read from what it prints for people.
    let http = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let program = std::env::current_exe().context("own path")?;
    let out = std::fs::File::create(folder.join("told.txt"))?;
    let demo = Command::new(program)
        .args(["demo", "--headless", "--mode", "progressive", "--http"])
        .arg(http.to_string())
        .args(["--agents", &args.agents.to_string()])
        .args(["--seconds", &args.seconds.to_string()])
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--people")
        .arg(&people_file)
        .arg("--json")
        .arg(folder.join("summary.json"))
        .stdout(out.try_clone()?)
        .stderr(out)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("start the demo")?;
    Ok((demo, format!("http://{http}")))
}

/// The end of what the demo printed.
fn told(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("told.txt")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// Waits until it serves.
async fn ready(demo: &mut Child, client: &reqwest::Client, base: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while start.elapsed() < PATIENCE {
        tick.tick().await;
        if let Some(status) = demo.try_wait()? {
            bail!("the demo ended before it was ready: {status}");
        }
        let asked = client.get(format!("{base}/readyz")).send().await;
        if asked.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
    }
    bail!("the demo was not ready in {} s", PATIENCE.as_secs())
}

/// What of the demo's figures is looked at.
fn look(metrics: &str) -> Look {
    let sum = |name: &str, label: &str| -> f64 {
        let rows = metrics.lines().filter(|row| {
            row.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['{', ' ']) && rest.contains(label))
        });
        rows.filter_map(|row| row.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    Look {
        talking: sum("marcador_agents", "state=\"talking\""),
        rtp_lost: sum("marcador_rtp_lost_total", ""),
        unrecorded: sum("marcador_recordings_total", "outcome=\"failed\""),
    }
}

/// Calls up once the first sixth is over: in the mean, at the least.
fn up(looks: &[Look]) -> (f64, f64) {
    let warm = warm(looks);
    let n = f64::from(u32::try_from(warm.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean = warm.iter().map(|l| l.talking).sum::<f64>() / n;
    let least = warm.iter().map(|l| l.talking).fold(f64::INFINITY, f64::min);
    (mean, if warm.is_empty() { 0.0 } else { least })
}

fn goals(outcome: &Outcome) -> Vec<Goal> {
    let summary = &outcome.summary;
    let float = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let share = f64::from(outcome.agents) / f64::from(AGENTS);
    let (mean, least) = up(&outcome.looks);
    let last = outcome.looks.last().copied().unwrap_or_default();
    let packets = float(summary.recording_ms / 1_000) * PACKETS_A_SECOND * 2.0;
    let lost_pct = last.rtp_lost * 100.0 / packets.max(1.0);
    let rate = float(summary.connected) / float(summary.seconds.max(1));
    let unlike = float(summary.connected.abs_diff(summary.recordings)) + last.unrecorded;
    vec![
        at_least(
            "calls up, in the mean",
            "calls",
            mean,
            CALLS * share * MUST,
            CALLS * share,
        ),
        at_least("calls up, at the least", "calls", least, None, None),
        at_least(
            "new calls with an agent",
            "calls/s",
            rate,
            RATE * share * MUST,
            RATE * share,
        ),
        at_most("RTP lost on the way in", "%", lost_pct, 0.1, 0.0),
        at_most(
            "answer to the card on the agent's socket, p99",
            "ms",
            summary.screen_pop_ms.p99,
            20.0,
            None,
        ),
        at_most(
            "answer to agent's audio at the debtor, p99",
            "ms",
            summary.bridge_ms.p99,
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
            "live answers abandoned",
            "calls",
            float(summary.abandoned),
            0.0,
            0.0,
        ),
        at_most("calls without a recording", "calls", unlike, 0.0, 0.0),
        at_most("faults of ours", "faults", float(summary.errors), 0.0, 0.0),
    ]
}

fn print(outcome: &Outcome) {
    let summary = &outcome.summary;
    say(format!(
        "a shift of {} agents, {:.0} s: the whole product, its database, its agents' sockets and phones; {}",
        outcome.agents, outcome.seconds, outcome.profile
    ));
    say(goals::table(&outcome.goals).trim_end());
    say(format!(
        "{} dialed, {} with an agent, {} dispositions, {} recordings of {} s; CPU of server, agents and their \
         phones {:.0} % of a core",
        summary.attempts,
        summary.connected,
        summary.dispositions,
        summary.recordings,
        summary.recording_ms / 1_000,
        outcome.cpu_pct
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
    fn figures_are_read_by_name_and_label() {
        let text = "# HELP marcador_agents Agents\nmarcador_agents{campaign=\"a\",state=\"talking\"} 7\n\
            marcador_agents{campaign=\"b\",state=\"talking\"} 2\nmarcador_agents{campaign=\"\",state=\"ready\"} 5\n\
            marcador_rtp_lost_total 3\nmarcador_recordings_total{outcome=\"sealed\"} 9\n\
            marcador_recordings_total{outcome=\"failed\"} 1\n";
        let seen = Look {
            talking: 9.0,
            rtp_lost: 3.0,
            unrecorded: 1.0,
        };
        assert_eq!(look(text), seen);
        assert_eq!(look(""), Look::default());
    }

    #[test]
    fn the_people_of_a_shift_are_what_the_carrier_takes() {
        let text = serde_json::to_string(&people().expect("people")).expect("json");
        assert!(Profile::parse(&text).is_ok());
    }

    #[test]
    fn the_beginning_is_left_out() {
        let looks: Vec<Look> = (0..LOOKS)
            .map(|n| Look {
                talking: if n < 5 { 0.0 } else { 4.0 },
                ..Look::default()
            })
            .collect();
        assert_eq!(up(&looks), (4.0, 4.0));
        assert_eq!(up(&[]), (0.0, 0.0));
    }
}
