//! The part that is measured by `bench load`: voice with agents' legs nailed up and calls that come
//! and go, each bridged and recorded. A recording is deleted once it is sealed.

use super::args::PartArgs;
use super::child::{Told, say};
use super::room::{self, agent, attempt, number_of_attempt, order};
use super::talk::{Ended, Listens};
use anyhow::{Context as _, bail};
use domain::entity::RecordMode;
use domain::ports::{HangUpCause, TrunkReport};
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use voice::{SipTransport, Voice};

/// Longest wait for all agents' legs, and for what is open at the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it says once as many calls are up as are to be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Full {
    pub(super) up: u32,
}

/// What it says at the end.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Churned {
    pub(super) dialed: u32,
    pub(super) answered: u32,
    pub(super) bridged: u32,
    /// Least calls up once all were.
    pub(super) least_up: u32,
    /// Calls that ended without an answer.
    pub(super) failed: u32,
    /// Turns to dial at which the call before in that place had not ended.
    pub(super) late: u32,
    pub(super) ends: Ended,
}

/// Agents, and places in the load's numbering, beyond the calls at once: a second's worth, so that a
/// place is free again before its next call.
pub(super) fn places(calls: u32, rate: u32) -> u32 {
    calls + rate.max(1)
}

struct Churn {
    voice: Voice,
    places: u32,
    calls: u32,
    agents: u32,
    hold: Duration,
    up: VecDeque<(Instant, u32)>,
    busy: HashSet<u32>,
    full: bool,
    open: u32,
    folder: PathBuf,
    churned: Churned,
}

/// Carries it out.
pub(super) async fn run(args: &PartArgs) -> anyhow::Result<()> {
    let voice = room::start(args).await?;
    let sip = voice.handle.sip_addr(SipTransport::Udp).context("no udp")?;
    let mut told = Told::new();
    say(&Listens { sip })?;
    let mut churn = Churn {
        voice,
        places: places(args.calls, args.rate),
        calls: args.calls,
        agents: 0,
        hold: Duration::from_millis(args.hold_ms),
        up: VecDeque::new(),
        busy: HashSet::new(),
        full: false,
        open: 0,
        folder: args.dir.clone(),
        churned: Churned {
            ends: Ended {
                shortest_ms: i64::MAX,
                ..Ended::default()
            },
            ..Churned::default()
        },
    };
    told.next().await?;
    churn.sign_in().await?;
    churn.dial(args.rate, &mut told).await?;
    churn.end().await?;
    say(&churn.churned)?;
    churn.voice.handle.shutdown().await;
    Ok(())
}

impl Churn {
    async fn sign_in(&mut self) -> anyhow::Result<()> {
        for n in 0..self.places {
            let user = format!("agent{n}");
            self.voice.trunk.open_agent_leg(agent(n), &user).await?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let until = Instant::now() + PATIENCE;
        while self.agents < self.places {
            let report = tokio::time::timeout_at(until, self.voice.reports.recv()).await;
            let report = report.context("agents' legs are missing")?;
            self.report(report.context("voice has ended")?).await?;
        }
        Ok(())
    }

    async fn dial(&mut self, rate: u32, told: &mut Told) -> anyhow::Result<()> {
        let pace = Duration::from_secs_f64(1.0 / f64::from(rate.max(1)));
        let mut next = tokio::time::interval(pace);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                line = told.next() => return line.map(drop),
                _ = next.tick() => self.dial_one().await?,
                () = over(self.up.front()) => self.hang_up().await,
                report = self.voice.reports.recv() => {
                    self.report(report.context("voice has ended")?).await?;
                }
            }
        }
    }

    async fn dial_one(&mut self) -> anyhow::Result<()> {
        let n = self.churned.dialed;
        let place = n % self.places;
        if !self.busy.insert(place) {
            self.churned.late += 1;
            return Ok(());
        }
        self.churned.dialed += 1;
        self.open += 1;
        let order = order(place, attempt(n), RecordMode::All);
        Ok(self.voice.trunk.dial(order).await?)
    }

    async fn hang_up(&mut self) {
        if let Some((_, n)) = self.up.pop_front() {
            // One that ended by itself is counted where its end is told.
            let _ = self
                .voice
                .trunk
                .hang_up(attempt(n), HangUpCause::Normal)
                .await;
        }
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        self.full = false;
        while !self.up.is_empty() {
            self.hang_up().await;
        }
        let until = Instant::now() + PATIENCE;
        let done = |churn: &Self| {
            let ends = &churn.churned.ends;
            churn.open == 0 && ends.sealed + ends.failed >= churn.churned.answered
        };
        while !done(self) {
            let report = tokio::time::timeout_at(until, self.voice.reports.recv()).await;
            let Ok(report) = report else {
                bail!("ends are missing: {:?}", self.churned);
            };
            self.report(report.context("voice has ended")?).await?;
            // One that was answered meanwhile.
            while !self.up.is_empty() {
                self.hang_up().await;
            }
        }
        Ok(())
    }

    async fn report(&mut self, report: TrunkReport) -> anyhow::Result<()> {
        let churned = &mut self.churned;
        match report {
            TrunkReport::AgentLegUp { .. } => self.agents += 1,
            TrunkReport::AgentLegDown { reason, .. } => {
                bail!("an agent's leg is down: {reason}");
            }
            TrunkReport::Answered { attempt, .. } => {
                churned.answered += 1;
                let n = number_of_attempt(attempt);
                self.up.push_back((Instant::now() + self.hold, n));
                let agent = agent(n % self.places);
                self.voice.trunk.bridge(attempt, agent).await?;
                let up = u32::try_from(self.up.len())?;
                if !self.full && up >= self.calls {
                    self.full = true;
                    self.churned.least_up = up;
                    say(&Full { up })?;
                }
            }
            TrunkReport::Bridged { .. } => churned.bridged += 1,
            TrunkReport::Ended {
                attempt,
                rtp_lost,
                sip_code,
                by_us,
                ..
            } => {
                let n = number_of_attempt(attempt);
                self.busy.remove(&(n % self.places));
                self.open = self.open.saturating_sub(1);
                churned.ends.ended += 1;
                churned.ends.lost_in += rtp_lost;
                churned.failed += u32::from(sip_code != Some(200));
                churned.ends.early += u32::from(sip_code == Some(200) && !by_us);
            }
            TrunkReport::RecordingSealed {
                attempt,
                duration_ms,
                ..
            } => {
                churned.ends.sealed += 1;
                churned.ends.shortest_ms = churned.ends.shortest_ms.min(duration_ms);
                let file = self.folder.join(format!("calls/{}.wav", attempt.0));
                tokio::fs::remove_file(&file)
                    .await
                    .with_context(|| file.display().to_string())?;
            }
            TrunkReport::RecordingFailed { reason, .. } => {
                tracing::error!(reason, "a recording failed");
                churned.ends.failed += 1;
            }
            TrunkReport::OneWayAudio { .. } => churned.ends.one_way += 1,
            _ => {}
        }
        if self.full {
            let up = u32::try_from(self.up.len())?;
            self.churned.least_up = self.churned.least_up.min(up);
        }
        Ok(())
    }
}

async fn over(front: Option<&(Instant, u32)>) {
    match front {
        Some((at, _)) => tokio::time::sleep_until(*at).await,
        None => std::future::pending().await,
    }
}
