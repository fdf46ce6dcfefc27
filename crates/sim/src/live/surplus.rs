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
use center::{Actor, Center, CenterConfig, DeskHub, Ports, StartError};
use domain::entity::DialMode;
use domain::ports::Clock;
use std::sync::Arc;
use std::time::Duration;
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
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(1);

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
    let mut scenario = world.clone();
    scenario.agents.n = agents;
    scenario.limits.trunks = agents * lines;
    scenario.limits.cps = 1_000.0;
    // So many debtors that the hoppers do not run dry.
    scenario.duration_s = 60.0;
    runtime.block_on(vanish(&scenario, lines, seed))
}

async fn vanish(scenario: &Scenario, lines: u32, seed: u64) -> Result<Surplus, StartError> {
    let spec = LiveSpec {
        seed,
        mode: DialMode::Power,
        lines_per_agent: f64::from(lines),
        ..LiveSpec::default()
    };
    let clock = Arc::new(VirtualClock::start(START));
    let ids = Arc::new(SeededIds::new(seed));
    let store = Arc::new(MemoryStore::new());
    let cast = furnish(scenario, &spec, &ids, &store);
    let street = Street::new(scenario, seed);
    let hub = Arc::new(DeskHub::new());
    let (sender, reports) = mpsc::channel(REPORTS);
    let now = Arc::clone(&clock) as Arc<dyn Clock>;
    let trunk = SimTrunk::new(seed, NOBODY, TrunkFaults::default(), now, sender);
    let ports = Ports {
        store: Arc::clone(&store) as _,
        bus: Arc::new(SimBus::new(seed, BusFaults::default())),
        trunk: Arc::new(trunk.clone()),
        reports,
        clock: Arc::clone(&clock) as _,
        ids,
        desk: Arc::clone(&hub) as _,
        law: Arc::clone(&LAW) as _,
    };
    let handle = Center::start(CenterConfig::new("node-1"), ports).await?;
    for campaign in &cast.campaigns {
        let _ = handle.start_campaign(Actor::System, *campaign).await;
    }
    let (finish, over) = watch::channel(false);
    for agent in &cast.agents {
        let worker = Worker::new(*agent, &handle, &hub, &clock, &street, over.clone());
        tokio::spawn(worker.work());
    }
    let each = usize::try_from(lines).unwrap_or(usize::MAX);
    let all = cast.agents.len().saturating_mul(each);
    until(|| trunk.live_calls() >= all).await;
    let (rang, invited) = (trunk.live_calls(), trunk.invites().len());
    let gone = cast.agents.len() / 2;
    let began = Instant::now();
    for agent in &cast.agents[..gone] {
        trunk.drop_leg(*agent).await;
    }
    let left = all - gone.saturating_mul(each);
    let seen = until(|| trunk.live_calls() <= left).await;
    let took_ms = seen.then(|| began.elapsed().as_secs_f64() * 1_000.0);
    let found = Surplus {
        rang,
        vanished: gone,
        withdrawn: rang.saturating_sub(trunk.live_calls()),
        dialed: trunk.invites().len() - invited,
        took_ms,
    };
    let _ = finish.send(true);
    handle.shutdown().await;
    Ok(found)
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
