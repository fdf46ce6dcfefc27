//! The part that is measured by `bench media`: voice with agents' legs nailed up and every call
//! bridged to one and recorded.

use super::args::PartArgs;
use super::child::{Told, say};
use super::room::{self, agent, attempt, number_of, number_of_attempt, order};
use anyhow::{Context as _, bail};
use domain::entity::RecordMode;
use domain::ports::{HangUpCause, TrunkReport};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use voice::{SipTransport, Voice};

/// Longest wait for all legs to be up or down.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it says once it listens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listens {
    pub(super) sip: SocketAddr,
}

/// What it says once every call is bridged.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bridged {
    pub(super) bridged: u32,
}

/// What it says at the end.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ended {
    /// Calls that ended.
    pub(super) ended: u32,
    /// Of these before they were to.
    pub(super) early: u32,
    /// Recordings sealed and failed.
    pub(super) sealed: u32,
    pub(super) failed: u32,
    /// Shortest recording, milliseconds.
    pub(super) shortest_ms: i64,
    /// Packets lost on their way in, as counted by sequence numbers.
    pub(super) lost_in: u64,
    /// Alarms of silence.
    pub(super) one_way: u32,
}

struct Talk {
    voice: Voice,
    ended: Ended,
    agents: u32,
    bridged: u32,
}

/// Carries it out.
pub(super) async fn run(args: &PartArgs) -> anyhow::Result<()> {
    let voice = room::start(args).await?;
    let sip = voice.handle.sip_addr(SipTransport::Udp).context("no udp")?;
    let mut told = Told::new();
    say(&Listens { sip })?;
    let mut talk = Talk {
        voice,
        ended: Ended {
            shortest_ms: i64::MAX,
            ..Ended::default()
        },
        agents: 0,
        bridged: 0,
    };
    told.next().await?;
    talk.agents(args.calls).await?;
    talk.calls(args).await?;
    say(&Bridged {
        bridged: talk.bridged,
    })?;
    talk.until_told(&mut told).await?;
    talk.end(args.calls).await?;
    say(&talk.ended)?;
    talk.voice.handle.shutdown().await;
    Ok(())
}

impl Talk {
    async fn agents(&mut self, count: u32) -> anyhow::Result<()> {
        for n in 0..count {
            let user = format!("agent{n}");
            self.voice.trunk.open_agent_leg(agent(n), &user).await?;
            // As agents sign in: not all in one instant.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.wait("agents' legs", |talk| talk.agents >= count).await
    }

    async fn calls(&mut self, args: &PartArgs) -> anyhow::Result<()> {
        let pace = Duration::from_secs_f64(1.0 / f64::from(args.rate.max(1)));
        let mut next = tokio::time::interval(pace);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut dialed = 0;
        while dialed < args.calls {
            tokio::select! {
                _ = next.tick() => {
                    let order = order(dialed, attempt(dialed), RecordMode::All);
                    self.voice.trunk.dial(order).await?;
                    dialed += 1;
                }
                Some(report) = self.voice.reports.recv() => self.report(report).await?,
            }
        }
        let calls = args.calls;
        self.wait("bridges", |talk| talk.bridged >= calls).await
    }

    async fn until_told(&mut self, told: &mut Told) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                line = told.next() => return line.map(drop),
                Some(report) = self.voice.reports.recv() => {
                    if matches!(report, TrunkReport::Ended { .. }) {
                        self.ended.early += 1;
                    }
                    self.report(report).await?;
                }
            }
        }
    }

    async fn end(&mut self, calls: u32) -> anyhow::Result<()> {
        for n in 0..calls {
            // A call that ended early is gone: that was counted.
            let _ = self
                .voice
                .trunk
                .hang_up(attempt(n), HangUpCause::Normal)
                .await;
        }
        self.wait("ends", |talk| {
            let ended = &talk.ended;
            ended.ended >= calls && ended.sealed + ended.failed >= calls
        })
        .await
    }

    async fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while !done(self) {
            let Ok(report) = tokio::time::timeout_at(until, self.voice.reports.recv()).await else {
                bail!(
                    "{what} are missing: {} agents, {} bridges, {:?}",
                    self.agents,
                    self.bridged,
                    self.ended
                );
            };
            self.report(report.context("voice has ended")?).await?;
        }
        Ok(())
    }

    async fn report(&mut self, report: TrunkReport) -> anyhow::Result<()> {
        match report {
            TrunkReport::AgentLegUp { .. } => self.agents += 1,
            TrunkReport::AgentLegDown { agent, reason, .. } => {
                bail!("leg of agent {} is down: {reason}", number_of(agent));
            }
            TrunkReport::Answered { attempt, .. } => {
                let agent = agent(number_of_attempt(attempt));
                self.voice.trunk.bridge(attempt, agent).await?;
            }
            TrunkReport::Bridged { .. } => self.bridged += 1,
            TrunkReport::Ended { rtp_lost, .. } => {
                self.ended.ended += 1;
                self.ended.lost_in += rtp_lost;
            }
            TrunkReport::RecordingSealed { duration_ms, .. } => {
                self.ended.sealed += 1;
                self.ended.shortest_ms = self.ended.shortest_ms.min(duration_ms);
            }
            TrunkReport::RecordingFailed { reason, .. } => {
                tracing::error!(reason, "a recording failed");
                self.ended.failed += 1;
            }
            TrunkReport::OneWayAudio { .. } => self.ended.one_way += 1,
            _ => {}
        }
        Ok(())
    }
}
