//! A scenario file lived through by the real center, brain and guard on virtual time: what the live engine makes of
//! the people whom the pacing simulator knows by heart. The two figures must lie near each other; where they do not, the
//! engine loses something that the policy alone does not.
//!
//! Carried over from the file: agents, what dials do, talk and wrap-up, the limit, lines and rate. Breaks, shocks,
//! agents' own speed and estimates by number are not: a file with these is run without them.

mod people;
mod surplus;
mod worker;

use crate::bus::{BusFaults, SimBus};
use crate::clock::{SeededIds, VirtualClock};
use crate::fate::FateMix;
use crate::pacing::Scenario;
use crate::store::MemoryStore;
use crate::trunk::{SimTrunk, TrunkFaults};
use crate::world::people::{Cast, settle};
use crate::world::{Habits, LAW, Plan};
use center::view::Figures as Seen;
use center::{Actor, Center, CenterConfig, CenterHandle, DeskHub, Ports, StartError};
use domain::entity::{CampaignParams, DialMode, RecordMode};
use domain::ports::Clock;
use domain::time::{HOUR_MS, UtcMs};
use people::Street;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use worker::Worker;

pub use surplus::{Floor, Surplus, Telephone, surplus};

/// Tuesday, 24 November 2026, ten in the morning in Mexico City.
const START: UtcMs = UtcMs(1_795_500_000_000 + 10 * HOUR_MS);
/// Reports that may wait for the engine.
const REPORTS: usize = 4_096;
/// Debtors for each agent and second: nobody may be left to call before the end.
const DEBTORS_A_SECOND: f64 = 0.6;
/// Most debtors of a run.
const DEBTORS_MAX: f64 = 40_000.0;

/// How a scenario is lived through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveSpec {
    /// Seed.
    pub seed: u64,
    /// Campaigns that share the agents: 1 or 2.
    pub campaigns: usize,
    /// Mode of both.
    pub mode: DialMode,
    /// Lines an agent (power).
    pub lines_per_agent: f64,
    /// Most the database takes for an answer, ms.
    pub store_ms: u64,
}

impl Default for LiveSpec {
    fn default() -> Self {
        Self {
            seed: 1,
            campaigns: 1,
            mode: DialMode::Predictive,
            lines_per_agent: 1.0,
            store_ms: 4,
        }
    }
}

/// What came of it, after the warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LiveFigures {
    /// (Talk + wrap-up) ÷ time signed in and not paused.
    pub occupancy: f64,
    /// INVITEs that left.
    pub dials: u64,
    /// Live answers that an agent took.
    pub handled: u64,
    /// No agent in time.
    pub abandoned: u64,
    /// Faults that the engine counted.
    pub errors: u64,
}

impl LiveFigures {
    /// Abandoned ÷ (abandoned + handled).
    #[must_use]
    pub fn abandonment(&self) -> f64 {
        ratio(self.abandoned, self.abandoned + self.handled)
    }

    fn between(before: &Seen, after: &Seen) -> Self {
        let less = |a: u64, b: u64| b.saturating_sub(a);
        let lost = less(before.abandonment.numerator, after.abandonment.numerator);
        let answers = less(
            before.abandonment.denominator,
            after.abandonment.denominator,
        );
        Self {
            occupancy: ratio(
                less(before.occupancy.numerator_ms, after.occupancy.numerator_ms),
                less(
                    before.occupancy.denominator_ms,
                    after.occupancy.denominator_ms,
                ),
            ),
            dials: less(before.attempts, after.attempts),
            handled: answers.saturating_sub(lost),
            abandoned: lost,
            errors: after.errors,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a day")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / (b as f64).max(1.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 1..=40,000"
)]
fn debtors(scenario: &Scenario) -> usize {
    let agents = f64::from(scenario.agents.n);
    (agents * scenario.duration_s * DEBTORS_A_SECOND).clamp(500.0, DEBTORS_MAX) as usize
}

/// Clients, debtors, campaigns and agents, as the crash tests have them, dialed as the scenario says.
fn furnish(scenario: &Scenario, spec: &LiveSpec, ids: &SeededIds, store: &MemoryStore) -> Cast {
    let whole = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 1..=1,000"
    )]
    let cps = scenario.limits.cps.clamp(1.0, 1_000.0) as usize;
    let plan = Plan {
        seed: spec.seed,
        start: START,
        campaigns: spec.campaigns.clamp(1, 2),
        two_clients: false,
        debtors: debtors(scenario),
        agents: whole(scenario.agents.n),
        modes: [spec.mode; 2],
        lines_per_agent: spec.lines_per_agent,
        channels: whole(scenario.limits.trunks),
        cps,
        record: RecordMode::None,
        habits: Habits::default(),
        ..Plan::draw(spec.seed)
    };
    #[expect(clippy::cast_possible_truncation, reason = "a limit of seconds")]
    let within_ms = (scenario.customer.deadline_s * 1_000.0) as i64;
    store.with(|t| {
        let cast = settle(&plan, ids, t);
        for campaign in t.campaigns.values_mut() {
            let params = &mut campaign.params;
            params.pacing_tick_ms = CampaignParams::default().pacing_tick_ms;
            params.agent_within_ms = within_ms;
        }
        cast
    })
}

/// Lives through a scenario.
///
/// # Errors
/// When the center does not start.
pub fn run(scenario: &Scenario, spec: &LiveSpec) -> Result<LiveFigures, StartError> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap_or_else(|e| unreachable!("a runtime without sockets opens nothing: {e}"));
    runtime.block_on(shift(scenario, spec))
}

async fn shift(scenario: &Scenario, spec: &LiveSpec) -> Result<LiveFigures, StartError> {
    let clock = Arc::new(VirtualClock::start(START));
    let ids = Arc::new(SeededIds::new(spec.seed));
    let store = Arc::new(MemoryStore::new());
    let cast = furnish(scenario, spec, &ids, &store);
    store.set_latency(spec.seed, spec.store_ms);
    let street = Street::new(scenario, spec.seed);
    let hub = Arc::new(DeskHub::new());
    let (sender, reports) = mpsc::channel(REPORTS);
    let trunk = SimTrunk::new(
        spec.seed,
        FateMix::default(),
        TrunkFaults::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        sender,
    )
    .with_fates(Arc::new(street.clone()));
    let ports = Ports {
        store: Arc::clone(&store) as _,
        bus: Arc::new(SimBus::new(spec.seed, BusFaults::default())),
        trunk: Arc::new(trunk),
        reports,
        clock: Arc::clone(&clock) as _,
        ids,
        desk: Arc::clone(&hub) as _,
        law: Arc::clone(&LAW) as _,
    };
    let config = CenterConfig {
        // Nobody watches the board here.
        board_tick_ms: 20_000,
        ..CenterConfig::new("node-1")
    };
    let handle = Center::start(config, ports).await?;
    for campaign in &cast.campaigns {
        // A campaign that does not start leaves its agents idle: the figures show it.
        let _ = handle.start_campaign(Actor::System, *campaign).await;
    }
    let (finish, over) = watch::channel(false);
    for agent in &cast.agents {
        let worker = Worker::new(*agent, &handle, &hub, &clock, &street, over.clone());
        tokio::spawn(worker.work());
    }
    let figures = measure(scenario, &handle).await;
    let _ = finish.send(true);
    handle.shutdown().await;
    Ok(figures)
}

async fn measure(scenario: &Scenario, handle: &CenterHandle) -> LiveFigures {
    sleep(Duration::from_secs_f64(scenario.warmup_s)).await;
    let before = handle.figures().await;
    sleep(Duration::from_secs_f64(
        scenario.duration_s - scenario.warmup_s,
    ))
    .await;
    LiveFigures::between(&before, &handle.figures().await)
}

#[cfg(test)]
mod tests;
