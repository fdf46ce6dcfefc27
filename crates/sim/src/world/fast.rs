//! A shift lived through many times as fast as the wall's clock: the real center over a simulated trunk,
//! without audio, on a runtime of its own whose time is pushed on by hand. What is outside (an API, its
//! screens) runs beside it in real time and reads the same store, center and clock.

use super::LAW;
use super::agent::{Agenda, Worker};
use super::life::until_done;
use super::plan::Habits;
use super::tally::Tally;
use crate::bus::{BusFaults, SimBus};
use crate::fate::FateMix;
use crate::store::MemoryStore;
use crate::trunk::{SimTrunk, TrunkFaults};
use center::{Actor, Center, CenterConfig, CenterHandle, DeskHub, Ports, StartError};
use domain::ids::{AgentId, CampaignId};
use domain::ports::{Clock, IdSource};
use domain::time::UtcMs;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Map;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};

/// Real time between two pushes.
const PUSH: Duration = Duration::from_millis(5);
/// Longest stretch of the shift's time that passes at once, ms: whoever is woken has his turn in between.
const STEP_MS: i64 = 100;
/// Most of it between two pushes, ms: where the machine is too slow for the speed asked, the day goes slower
/// instead of leaping, for a call that was judged seconds ago may not leave any more.
const PUSH_MAX_MS: i64 = 1_200;
/// Reports that may wait for the engine.
const REPORTS: usize = 4_096;

/// The clock of such a shift: stands still between two pushes.
#[derive(Debug)]
pub struct FastClock(AtomicI64);

impl FastClock {
    /// Begins at an instant.
    #[must_use]
    pub const fn new(start: UtcMs) -> Self {
        Self(AtomicI64::new(start.0))
    }
}

impl Clock for FastClock {
    fn now(&self) -> UtcMs {
        UtcMs(self.0.load(Ordering::SeqCst))
    }
}

/// What a shift is made of; the rows stand in the store already.
pub struct FastShift {
    /// Seed of the trunk and the agents.
    pub seed: u64,
    /// Times as fast as the wall's clock.
    pub speed: u32,
    /// Facts.
    pub store: Arc<MemoryStore>,
    /// Its clock.
    pub clock: Arc<FastClock>,
    /// Identities.
    pub ids: Arc<dyn IdSource>,
    /// Campaigns that are started.
    pub campaigns: Vec<CampaignId>,
    /// Agents who work.
    pub agents: Vec<AgentId>,
    /// What becomes of calls.
    pub mix: FateMix,
    /// Settings of the engine.
    pub config: CenterConfig,
}

/// A shift under way.
pub struct Fast {
    /// The engine.
    pub center: CenterHandle,
    /// Its agents' screens.
    pub desk: Arc<DeskHub>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl FastShift {
    /// Begins on a thread of its own.
    ///
    /// # Errors
    /// When the center does not start.
    pub async fn start(self) -> Result<Fast, StartError> {
        let (told, begun) = oneshot::channel();
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap_or_else(|e| unreachable!("a runtime without sockets opens nothing: {e}"));
            runtime.block_on(self.live(told, stopped));
        });
        match begun.await {
            Ok(Ok((center, desk))) => Ok(Fast {
                center,
                desk,
                stop,
                thread,
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => unreachable!("the shift tells of its beginning before it ends"),
        }
    }

    fn ports(&self, desk: &Arc<DeskHub>) -> Ports {
        let (sender, reports) = mpsc::channel(REPORTS);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let trunk = SimTrunk::new(
            self.seed,
            self.mix,
            TrunkFaults::default(),
            Arc::clone(&clock),
            sender,
        );
        Ports {
            store: Arc::clone(&self.store) as _,
            bus: Arc::new(SimBus::new(self.seed, BusFaults::default())),
            trunk: Arc::new(trunk),
            reports,
            clock,
            ids: Arc::clone(&self.ids),
            desk: Arc::clone(desk) as _,
            law: Arc::clone(&LAW) as _,
        }
    }

    async fn live(
        self,
        told: oneshot::Sender<Result<(CenterHandle, Arc<DeskHub>), StartError>>,
        mut stopped: watch::Receiver<bool>,
    ) {
        tokio::spawn(push(Arc::clone(&self.clock), self.speed));
        let desk = Arc::new(DeskHub::new());
        let ports = self.ports(&desk);
        let center = match Center::start(self.config.clone(), ports).await {
            Ok(center) => center,
            Err(error) => {
                // Who asked is told why; nobody else waits.
                let _ = told.send(Err(error));
                return;
            }
        };
        for campaign in &self.campaigns {
            until_done(|| center.start_campaign(Actor::System, *campaign)).await;
        }
        for (n, agent) in self.agents.iter().enumerate() {
            let worker = Worker {
                id: *agent,
                handle: center.clone(),
                hub: Arc::clone(&desk),
                clock: Arc::clone(&self.clock) as _,
                store: Arc::clone(&self.store),
                rng: ChaCha8Rng::seed_from_u64(self.seed.rotate_left(9) ^ n as u64),
                habits: Habits::default(),
                over: stopped.clone(),
                tally: Tally::default(),
                me: Map::new(),
                facts: Vec::new(),
                agenda: Agenda::default(),
            };
            tokio::spawn(worker.work());
        }
        let _ = told.send(Ok((center.clone(), desk)));
        while !*stopped.borrow_and_update() {
            if stopped.changed().await.is_err() {
                break;
            }
        }
        center.shutdown().await;
    }
}

impl Fast {
    /// Everybody goes home; the thread ends.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let thread = self.thread;
        // A thread that panicked has said so.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

/// Pushes time on. The wait is one of a thread: while it lasts the runtime does not jump to its next
/// timer by itself, as it would when nothing else is left to do.
async fn push(clock: Arc<FastClock>, speed: u32) {
    let mut last = Instant::now();
    loop {
        let waited = tokio::task::spawn_blocking(|| std::thread::sleep(PUSH)).await;
        if waited.is_err() {
            return;
        }
        let ahead = last.elapsed() * speed.max(1);
        last = Instant::now();
        let mut left_ms = i64::try_from(ahead.as_millis())
            .unwrap_or(0)
            .min(PUSH_MAX_MS);
        while left_ms > 0 {
            let step_ms = left_ms.min(STEP_MS);
            clock.0.fetch_add(step_ms, Ordering::SeqCst);
            tokio::time::advance(Duration::from_millis(step_ms.unsigned_abs())).await;
            left_ms -= step_ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::people::settle;
    use super::super::plan::Plan;
    use super::*;
    use crate::clock::SeededIds;
    use domain::entity::DialMode;

    /// Looks at the store until somebody has talked: a minute of real time at most.
    const LOOKS: u32 = 1_200;

    #[test]
    fn a_fast_day_dials_talks_and_ends() {
        let plan = Plan {
            campaigns: 1,
            two_clients: false,
            debtors: 60,
            agents: 3,
            modes: [DialMode::Power; 2],
            ..Plan::draw(5)
        };
        let ids = Arc::new(SeededIds::new(plan.seed));
        let store = Arc::new(MemoryStore::new());
        let cast = store.with(|t| settle(&plan, &ids, t));
        let clock = Arc::new(FastClock::new(plan.start));
        let shift = FastShift {
            seed: plan.seed,
            speed: 120,
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            ids,
            campaigns: cast.campaigns,
            agents: cast.agents,
            mix: plan.mix,
            config: CenterConfig::new("node-1"),
        };
        let talked = || {
            let told = |t: &mut crate::store::Tables| {
                let mut all = t.attempts.values();
                all.any(|a| a.bridged_at.is_some() && a.disposition.is_some())
            };
            store.with(told)
        };
        let runtime = Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(async {
            let fast = shift.start().await.unwrap();
            for _ in 0..LOOKS {
                if talked() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            fast.stop().await;
        });
        assert!(talked(), "nobody talked");
        assert!(clock.now() > plan.start);
    }
}
