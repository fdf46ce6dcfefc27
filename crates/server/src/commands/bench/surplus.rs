//! `marcador bench surplus`: agents vanish while calls ring for them; how long until the carrier has the CANCEL of
//! the last call that nobody is left for. Center, voice and a carrier over real SIP, all in this process.

use super::args::SurplusArgs;
use super::goals::{self, Goal, at_most};
use super::room;
use super::{profile, write_json};
use crate::commands::say;
use anyhow::{Context as _, bail};
use serde::Serialize;
use sim::live::{Floor, Surplus, Telephone};
use sim::pacing::Scenario;
use sip_test::carrier::{self, EndedBy, Line, LogNormal, Profile, Running, Weights};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The world: who answers does not matter, nobody does.
const WORLD: &str = include_str!("../../../../sim/scenarios/live/short-n20.json");
/// From the loss of the agents to the last CANCEL, ms.
const LIMIT_MS: f64 = 100.0;
/// Nobody picks up for so long, ms: longer than anything here.
const RINGS_MS: u64 = 600_000;

/// One floor.
#[derive(Debug, Serialize)]
struct Step {
    agents: u32,
    /// Calls that rang, and agents who vanished at once.
    rang: usize,
    vanished: usize,
    /// CANCELs that the carrier had, and INVITEs in between.
    withdrawn: usize,
    dialed: usize,
    /// From the first agent's loss to the last CANCEL at the carrier, ms.
    last_ms: Option<u64>,
    /// The same for the half of the CANCELs, ms.
    half_ms: Option<u64>,
}

/// Everything, as written to `--json`.
#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    steps: Vec<Step>,
    goals: Vec<Goal>,
}

/// Carries it out.
pub(super) async fn run(args: &SurplusArgs) -> anyhow::Result<()> {
    let world = Scenario::parse("short-n20", WORLD)?;
    let sizes = if args.agents.is_empty() {
        vec![10, 50, 200]
    } else {
        args.agents.clone()
    };
    let mut steps = Vec::new();
    for agents in sizes {
        steps.push(step(&world, agents, args.lines).await?);
    }
    let worst = steps.iter().map(|s| s.last_ms.unwrap_or(u64::MAX)).max();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a test")]
    let worst = worst.unwrap_or(u64::MAX) as f64;
    let limit = at_most(
        "agents lost to the last CANCEL at the carrier",
        "ms",
        worst,
        LIMIT_MS,
        None,
    );
    let outcome = Outcome {
        profile: profile(),
        steps,
        goals: vec![limit],
    };
    print(&outcome);
    write_json(&outcome, args.json.as_deref())
}

/// A carrier where every phone rings and nobody is at home.
async fn nobody(log: &Path) -> anyhow::Result<Running> {
    let mut people = Profile::demo()?;
    people.shares = Weights {
        human: 0.0,
        machine: 0.0,
        busy: 0.0,
        no_answer: 1.0,
        rejected: 0.0,
        unreachable: 0.0,
        congestion: 0.0,
        invalid: 0.0,
    };
    people.pdd_ms = LogNormal {
        median: 30.0,
        sigma: 0.3,
        least: 10,
        most: 100,
    };
    people.no_answer_ms = RINGS_MS;
    people.early_media_share = 0.0;
    people.network_sound_share = 0.0;
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = carrier::Config {
        profile: Some(people),
        log: Some(log.to_owned()),
        ..carrier::Config::new(bind)
    };
    Ok(carrier::start(config).await?)
}

async fn step(world: &Scenario, agents: u32, lines: u32) -> anyhow::Result<Step> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("carrier.jsonl");
    let carrier = Arc::new(nobody(&log).await?);
    let floor = Floor::furnish(world, agents, lines, 1);
    let trunk = floor.trunks().first().copied().context("a trunk")?;
    let voice = room::start_with(
        (trunk, carrier.address()),
        folder.path(),
        Some(floor.clock()),
    )
    .await?;
    let (live, invites) = (Arc::clone(&carrier), Arc::clone(&carrier));
    let telephone = Telephone {
        trunk: Arc::clone(&voice.trunk),
        reports: voice.reports,
        live: Box::new(move || live.summary().live),
        invites: Box::new(move || usize::try_from(invites.summary().invites).unwrap_or(0)),
        legs: None,
    };
    let seen = floor.vanish(telephone).await?;
    voice.handle.shutdown().await;
    let Some(carrier) = Arc::into_inner(carrier) else {
        bail!("the carrier is still asked");
    };
    carrier.stop().await;
    told(agents, &seen, &std::fs::read_to_string(&log)?)
}

fn epoch_ms(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What the carrier's log says of it.
fn told(agents: u32, seen: &Surplus, log: &str) -> anyhow::Result<Step> {
    let (began, until) = (epoch_ms(seen.began), epoch_ms(seen.seen));
    let lines: Result<Vec<Line>, _> = log.lines().map(serde_json::from_str).collect();
    let mut after: Vec<u64> = lines?
        .iter()
        .filter(|line| line.ended_by == EndedBy::Caller && line.code == 487)
        .map(|line| line.ended_at)
        .filter(|at| (began..=until).contains(at))
        .map(|at| at - began)
        .collect();
    after.sort_unstable();
    Ok(Step {
        agents,
        rang: seen.rang,
        vanished: seen.vanished,
        withdrawn: after.len(),
        dialed: seen.dialed,
        last_ms: seen.took_ms.and(after.last().copied()),
        half_ms: after.get(after.len() / 2).copied(),
    })
}

fn print(outcome: &Outcome) {
    say(format!(
        "calls that ring for agents who vanish, withdrawn over real SIP; {}",
        outcome.profile
    ));
    let ms = |n: Option<u64>| n.map_or("never".to_owned(), |n| format!("{n} ms"));
    for step in &outcome.steps {
        say(format!(
            "{:>5} agents, {} gone at once: {} of {} ringing calls withdrawn, half by {}, the last by {}; {} dialed \
             meanwhile",
            step.agents,
            step.vanished,
            step.withdrawn,
            step.rang,
            ms(step.half_ms),
            ms(step.last_ms),
            step.dialed,
        ));
    }
    say(goals::table(&outcome.goals).trim_end());
}
