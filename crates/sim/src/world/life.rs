//! One life of the process: its runtime, its center, who works there, and its end.

use super::World;
use super::agent::{Agenda, Worker};
use super::plan::CrashAt;
use super::street::Street;
use crate::bus::SimBus;
use crate::clock::VirtualClock;
use crate::trunk::SimTrunk;
use center::{Actor, Center, CenterConfig, CenterHandle, DeskHub, Ports};
use domain::ports::Clock;
use domain::time::UtcMs;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Map;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

/// Reports that may wait for the engine.
const REPORTS: usize = 1_024;
/// How long a run may take to become quiet after its campaigns stopped: the longest wrap-up, the
/// longest lost link and the limits of a call behind each other.
const QUIET_MAX: Duration = Duration::from_secs(15 * 60);

/// How a life ended.
pub(super) enum End {
    /// It died at this instant.
    Crashed(UtcMs),
    /// In good order.
    Over(UtcMs),
}

pub(super) fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap_or_else(|e| unreachable!("a runtime without sockets opens nothing: {e}"))
}

/// Without an attempt for so long nobody is left to call; longer than hours that are about to open.
const IDLE_MAX: Duration = Duration::from_secs(5 * 60);

/// What one life is made of.
pub(super) struct Life {
    pub(super) clock: Arc<VirtualClock>,
    trunk: SimTrunk,
    pub(super) hub: Arc<DeskHub>,
    pub(super) handle: CenterHandle,
}

impl Life {
    /// Starts the center; the database may be away at first.
    pub(super) async fn start(world: &World, number: usize, clock: Arc<VirtualClock>) -> Self {
        loop {
            let (sender, reports) = mpsc::channel(REPORTS);
            let trunk = SimTrunk::new(
                world.plan.seed,
                world.plan.mix,
                world.plan.trunk,
                Arc::clone(&clock) as Arc<dyn Clock>,
                sender,
            )
            .with_sounds()
            .with_log(Arc::clone(&world.log));
            let hub = Arc::new(DeskHub::new());
            let seed = world.plan.seed.wrapping_add(number as u64);
            let ports = Ports {
                store: Arc::clone(&world.store) as _,
                bus: Arc::new(SimBus::new(seed, world.plan.bus)),
                trunk: Arc::new(trunk.clone()),
                reports,
                clock: Arc::clone(&clock) as _,
                ids: Arc::clone(&world.ids) as _,
                desk: Arc::clone(&hub) as _,
                law: Arc::clone(&world.law) as _,
            };
            let config = CenterConfig {
                // Nobody watches the board all the time here.
                board_tick_ms: 20_000,
                refill_every_ms: world.plan.refill_every_ms,
                messengers: world.post.iter().map(|p| Arc::clone(p) as _).collect(),
                ..CenterConfig::new("node-1")
            };
            if let Ok(handle) = Center::start(config, ports).await {
                return Self {
                    clock,
                    trunk,
                    hub,
                    handle,
                };
            }
            sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Lives until the crash, or until every campaign has made its attempts and all is quiet.
pub(super) fn live(world: &World, number: usize, crash: Option<CrashAt>) -> End {
    let runtime = runtime();
    // Dropped at the end of this function with everything that still runs in it: that is the crash.
    runtime.block_on(async {
        let clock = Arc::new(VirtualClock::start(world.now));
        let seed = world.plan.seed.wrapping_add(number as u64);
        world.store.set_latency(seed, world.plan.store_ms);
        let death = async {
            match crash {
                None => std::future::pending::<()>().await,
                Some(CrashAt::Ms(ms)) => sleep(Duration::from_millis(ms)).await,
                Some(CrashAt::Open(n)) => {
                    world.store.crash_after(n);
                    world.store.crash_due().await;
                }
            }
        };
        let ended = tokio::select! {
            biased;
            () = death => false,
            () = shift(world, number, Arc::clone(&clock)) => true,
        };
        world.store.crash_after(0);
        if ended {
            End::Over(clock.now())
        } else {
            End::Crashed(clock.now())
        }
    })
}

/// A start after the end: what is left open is closed then, and nothing else happens.
pub(super) fn restart(world: &World) {
    runtime().block_on(async {
        let clock = Arc::new(VirtualClock::start(world.now));
        let life = Life::start(world, usize::MAX / 2, clock).await;
        sleep(Duration::from_secs(2)).await;
        life.handle.shutdown().await;
    });
}

async fn shift(world: &World, number: usize, clock: Arc<VirtualClock>) {
    let life = Life::start(world, number, clock).await;
    let (finish, over) = watch::channel(false);
    let street = Street {
        plan: Arc::clone(&world.plan),
        cast: Arc::clone(&world.cast),
        handle: life.handle.clone(),
        store: Arc::clone(&world.store),
        trunk: life.trunk.clone(),
        clock: Arc::clone(&life.clock) as _,
        ids: Arc::clone(&world.ids) as _,
        tally: world.tally.clone(),
        over,
    };
    let dice = |salt: u64| {
        let seed = world.plan.seed.rotate_left(21) ^ (number as u64) << 40 ^ salt;
        ChaCha8Rng::seed_from_u64(seed)
    };
    if number == 0 {
        for campaign in &world.cast.campaigns {
            until_done(|| life.handle.start_campaign(Actor::System, *campaign)).await;
        }
    }
    for (n, agent) in world.cast.agents.iter().enumerate() {
        let worker = Worker {
            id: *agent,
            handle: life.handle.clone(),
            hub: Arc::clone(&life.hub),
            clock: Arc::clone(&life.clock) as _,
            store: Arc::clone(&world.store),
            rng: dice(n as u64 + 100),
            habits: world.plan.habits,
            over: street.over.clone(),
            tally: world.tally.clone(),
            me: Map::new(),
            facts: Vec::new(),
            agenda: Agenda::default(),
        };
        tokio::spawn(worker.work());
    }
    tokio::spawn(street.clone().news(dice(1)));
    tokio::spawn(street.clone().supervise(dice(2)));
    tokio::spawn(street.clone().drop_legs(dice(3)));
    for when in &world.plan.outages {
        tokio::spawn(street.clone().outage(*when));
    }
    for when in &world.plan.dead_trunk {
        tokio::spawn(street.clone().dead_trunk(*when));
    }
    work(world, &life).await;
    let _ = finish.send(true);
    close(world, &life).await;
    let mishaps = life.trunk.mishaps();
    world.tally.add(|c| c.mishaps += mishaps);
}

/// Until every campaign has made its attempts, nobody is left to call, or the time is up. Each stops as
/// it has made them: its agents go to the other one.
async fn work(world: &World, life: &Life) {
    let end = Instant::now() + Duration::from_millis(world.plan.limit_ms);
    let (mut before, mut moved) = (0, Instant::now());
    let mut stopped = vec![false; world.cast.campaigns.len()];
    while Instant::now() < end {
        sleep(Duration::from_secs(3)).await;
        let made: Vec<usize> = world.store.with(|t| {
            let all = || t.attempts.values().map(|a| a.campaign_id);
            let of = |c| all().filter(|id| *id == Some(c)).count();
            world.cast.campaigns.iter().map(|c| of(*c)).collect()
        });
        let sum = made.iter().sum();
        if sum != before {
            (before, moved) = (sum, Instant::now());
        }
        for (n, campaign) in world.cast.campaigns.iter().enumerate() {
            if made[n] >= world.plan.target && !stopped[n] {
                let asked = life.handle.stop_campaign(Actor::System, *campaign);
                stopped[n] = asked.await.is_ok();
            }
        }
        let done = made.iter().all(|n| *n >= world.plan.target);
        if done || moved.elapsed() > IDLE_MAX {
            return;
        }
    }
}

/// Everything heals, campaigns stop, and what is open ends by itself.
async fn close(world: &World, life: &Life) {
    world.store.set_down(false);
    life.trunk.set_dead(false);
    for campaign in &world.cast.campaigns {
        until_done(|| life.handle.stop_campaign(Actor::System, *campaign)).await;
    }
    let end = Instant::now() + QUIET_MAX;
    while Instant::now() < end {
        sleep(Duration::from_secs(5)).await;
        // An outage may have begun before the end was told.
        world.store.set_down(false);
        life.trunk.set_dead(false);
        let quiet = world.store.with(|t| {
            let open = t.attempts.values().any(|a| {
                !a.state.is_closed() || (a.bridged_at.is_some() && a.disposition.is_none())
            });
            !open && t.leases.is_empty()
        });
        if quiet && life.trunk.live_calls() == 0 {
            break;
        }
    }
    life.handle.shutdown().await;
}

/// Asks until the center does it: the database may be away.
pub(super) async fn until_done<T, E, F>(ask: impl Fn() -> F)
where
    F: Future<Output = Result<T, E>>,
{
    for _ in 0..600 {
        if ask().await.is_ok() {
            return;
        }
        sleep(Duration::from_secs(1)).await;
    }
}
