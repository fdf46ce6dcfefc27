//! Agents vanish while calls ring for them: how long until the last call that nobody is left for is withdrawn, by
//! the clock of this machine: engine, orders and carrier port run as they do live.

use super::people::Street;
use super::worker::Worker;
use super::{LiveSpec, REPORTS, START, furnish};
use crate::bus::{BusFaults, SimBus};
use crate::clock::{SeededIds, VirtualClock};
use crate::fate::FateMix;
use crate::pacing::Scenario;
use crate::store::MemoryStore;
use crate::trunk::{SimTrunk, TrunkFaults};
use crate::world::LAW;
use crate::world::people::Cast;
use center::{Actor, Center, CenterConfig, CenterHandle, DeskHub, Ports, StartError};
use domain::entity::DialMode;
use domain::ids::TrunkId;
use domain::ports::{Clock, Trunk, TrunkReport};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

/// Nobody answers: calls ring until they are withdrawn.
const NOBODY: FateMix = FateMix {
    answer_pct: 0,
    refuse_pct: 0,
};
/// Longest that the calls are waited for, before and after.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between what is watched and the end of the run.
const APART: Duration = Duration::from_millis(20);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(1);
/// So that the last call that was dialed rings too.
const RINGS: Duration = Duration::from_millis(500);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surplus {
    /// Calls that rang before.
    pub rang: usize,
    /// Agents who vanished in one moment.
    pub vanished: usize,
    /// Calls withdrawn.
    pub withdrawn: usize,
    /// INVITEs that left in between.
    pub dialed: usize,
    /// From the first agent's loss to the last withdrawal at the carrier, ms; `None` when it was not seen.
    pub took_ms: Option<f64>,
    /// The first agent's loss, by the system's clock.
    pub began: SystemTime,
    /// When the last withdrawal was seen, by the same.
    pub seen: SystemTime,
}

/// What the floor calls through.
pub struct Telephone {
    /// Port of the telephone side.
    pub trunk: Arc<dyn Trunk>,
    /// What it tells.
    pub reports: mpsc::Receiver<TrunkReport>,
    /// Calls at the far end now.
    pub live: Box<dyn Fn() -> usize + Send + Sync>,
    /// INVITEs that the far end had so far.
    pub invites: Box<dyn Fn() -> usize + Send + Sync>,
    /// Whose agents' legs are dropped; without it the agents have none, and their screens are gone.
    pub legs: Option<SimTrunk>,
}

/// A floor of agents who take calls, before anything has happened to them.
pub struct Floor {
    lines: u32,
    clock: Arc<VirtualClock>,
    ids: Arc<SeededIds>,
    store: Arc<MemoryStore>,
    cast: Cast,
    street: Street,
    seed: u64,
}

/// Half of the agents lose their phones while `lines` calls ring for each.
///
/// # Errors
/// When the center does not start.
pub fn surplus(
    world: &Scenario,
    agents: u32,
    lines: u32,
    seed: u64,
) -> Result<Surplus, StartError> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap_or_else(|e| unreachable!("a runtime without sockets opens nothing: {e}"));
    runtime.block_on(async {
        let floor = Floor::furnish(world, agents, lines, seed);
        let (sender, reports) = mpsc::channel(REPORTS);
        let trunk = SimTrunk::new(seed, NOBODY, TrunkFaults::default(), floor.clock(), sender);
        let (live, invites) = (trunk.clone(), trunk.clone());
        let telephone = Telephone {
            trunk: Arc::new(trunk.clone()),
            reports,
            live: Box::new(move || live.live_calls()),
            invites: Box::new(move || invites.invites().len()),
            legs: Some(trunk),
        };
        floor.vanish(telephone).await
    })
}

impl Floor {
    /// So many agents with `lines` calls each, and debtors enough for them. Inside a runtime.
    #[must_use]
    pub fn furnish(world: &Scenario, agents: u32, lines: u32, seed: u64) -> Self {
        let mut scenario = world.clone();
        scenario.agents.n = agents;
        scenario.limits.trunks = agents * lines;
        scenario.limits.cps = 1_000.0;
        // So many debtors that the hoppers do not run dry.
        scenario.duration_s = 60.0;
        let spec = LiveSpec {
            seed,
            mode: DialMode::Power,
            lines_per_agent: f64::from(lines),
            ..LiveSpec::default()
        };
        let ids = Arc::new(SeededIds::new(seed));
        let store = Arc::new(MemoryStore::new());
        let cast = furnish(&scenario, &spec, &ids, &store);
        Self {
            street: Street::new(&scenario, seed),
            clock: Arc::new(VirtualClock::start(START)),
            lines,
            ids,
            store,
            cast,
            seed,
        }
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as _
    }

    /// The trunks its campaign dials by.
    #[must_use]
    pub fn trunks(&self) -> Vec<TrunkId> {
        self.store.with(|t| t.trunks.keys().copied().collect())
    }

    /// How many of the agents vanish: the first half.
    fn going(&self) -> usize {
        self.cast.agents.len() / 2
    }

    fn ports(&self, telephone: &mut Telephone, hub: &Arc<DeskHub>) -> Ports {
        let (_, nothing) = mpsc::channel(1);
        Ports {
            store: Arc::clone(&self.store) as _,
            bus: Arc::new(SimBus::new(self.seed, BusFaults::default())),
            trunk: Arc::clone(&telephone.trunk),
            reports: std::mem::replace(&mut telephone.reports, nothing),
            clock: self.clock(),
            ids: Arc::clone(&self.ids) as _,
            desk: Arc::clone(hub) as _,
            law: Arc::clone(&LAW) as _,
        }
    }

    /// Lets them work until every line rings, takes half of the agents away in one moment, and watches.
    ///
    /// # Errors
    /// When the center does not start.
    pub async fn vanish(self, mut telephone: Telephone) -> Result<Surplus, StartError> {
        let hub = Arc::new(DeskHub::new());
        let ports = self.ports(&mut telephone, &hub);
        let config = CenterConfig {
            require_leg: telephone.legs.is_some(),
            ..CenterConfig::new("node-1")
        };
        let handle = Center::start(config, ports).await?;
        for campaign in &self.cast.campaigns {
            let _ = handle.start_campaign(Actor::System, *campaign).await;
        }
        let (finish, over) = watch::channel(false);
        let (go, gone) = watch::channel(false);
        for (place, agent) in self.cast.agents.iter().enumerate() {
            let (clock, street) = (&self.clock, &self.street);
            let until = if place < self.going() { &gone } else { &over };
            let worker = Worker::new(*agent, &handle, &hub, clock, street, until.clone());
            tokio::spawn(worker.work());
        }
        let each = usize::try_from(self.lines).unwrap_or(usize::MAX);
        let all = self.cast.agents.len().saturating_mul(each);
        until(|| (telephone.live)() >= all).await;
        sleep(RINGS).await;
        // A screen that is gone says nothing any more; those of the others stay.
        if telephone.legs.is_none() {
            let _ = go.send(true);
        }
        let found = self.watched(&handle, &telephone, all, each).await;
        // A carrier's log tells milliseconds: what the end withdraws shall not fall into the last of those that count.
        sleep(APART).await;
        let _ = (finish.send(true), go.send(true));
        handle.shutdown().await;
        Ok(found)
    }

    async fn watched(
        &self,
        handle: &CenterHandle,
        telephone: &Telephone,
        all: usize,
        each: usize,
    ) -> Surplus {
        let (rang, invited) = ((telephone.live)(), (telephone.invites)());
        let gone = self.going();
        let (began, start) = (SystemTime::now(), Instant::now());
        for agent in &self.cast.agents[..gone] {
            match &telephone.legs {
                Some(trunk) => drop(trunk.drop_leg(*agent).await),
                None => handle.agent_link(*agent, false),
            }
        }
        let left = all - gone.saturating_mul(each);
        let seen = until(|| (telephone.live)() <= left).await;
        let took_ms = seen.then(|| start.elapsed().as_secs_f64() * 1_000.0);
        Surplus {
            rang,
            vanished: gone,
            withdrawn: rang.saturating_sub((telephone.live)()),
            dialed: (telephone.invites)() - invited,
            took_ms,
            began,
            seen: SystemTime::now(),
        }
    }
}

/// Waits until something is so; `false` when it never was.
async fn until(so: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if so() {
            return true;
        }
        sleep(LOOK).await;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = include_str!("../../scenarios/live/short-n20.json");

    #[test]
    fn the_calls_of_who_vanished_are_withdrawn_and_nothing_is_dialed_before() {
        let world = Scenario::parse("short-n20", SHORT).expect("it is one");
        let seen = surplus(&world, 8, 3, 1).expect("the center starts");
        assert_eq!((seen.rang, seen.vanished), (24, 4));
        assert_eq!((seen.withdrawn, seen.dialed), (12, 0));
        assert!(seen.took_ms.is_some());
    }
}
