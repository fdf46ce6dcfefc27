//! Everything a run draws before it begins: who is there, how they are dialed, what goes wrong and
//! when. The same seed gives the same plan.

use crate::bus::BusFaults;
use crate::fate::FateMix;
use crate::trunk::TrunkFaults;
use domain::entity::{AmdMode, DialMode, RecordMode};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Tuesday, 24 November 2026, midnight in Mexico City: a working day there.
const MIDNIGHT: UtcMs = UtcMs(1_795_500_000_000);

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashAt {
    /// So long after its start.
    Ms(u64),
    /// Right behind the commit of its so-many-th attempt.
    Open(u64),
}

/// What agents do that they should not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// Connections that break off, percent.
    pub vanish_pct: u32,
    /// Wrap-ups left to run out, percent.
    pub forget_pct: u32,
    /// Cards that the screen does not take, percent.
    pub slow_pct: u32,
    /// Identified debtors with whom a plan is drawn, percent.
    pub plan_pct: u32,
}

/// A stretch of virtual time after the start of a life, ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// From.
    pub from_ms: u64,
    /// How long.
    pub for_ms: u64,
}

/// The plan of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Seed of everything.
    pub seed: u64,
    /// Start.
    pub start: UtcMs,
    /// Campaigns: 1 or 2.
    pub campaigns: usize,
    /// Whether the second campaign belongs to another client, who shares persons with the first.
    pub two_clients: bool,
    /// Debtors of each client.
    pub debtors: usize,
    /// Agents.
    pub agents: usize,
    /// Mode of each campaign.
    pub modes: [DialMode; 2],
    /// Lines an agent (power).
    pub lines_per_agent: f64,
    /// Lines of the trunk.
    pub channels: usize,
    /// Starts a second of the trunk.
    pub cps: usize,
    /// What is recorded.
    pub record: RecordMode,
    /// What becomes of calls.
    pub mix: FateMix,
    /// Faults of the telephone side.
    pub trunk: TrunkFaults,
    /// Faults of the bus.
    pub bus: BusFaults,
    /// Longest answer of the database, ms.
    pub store_ms: u64,
    /// The database is away.
    pub outages: Vec<Stretch>,
    /// The trunk is dead.
    pub dead_trunk: Vec<Stretch>,
    /// Deaths of the process, one a life.
    pub crashes: Vec<CrashAt>,
    /// Agents' faults.
    pub habits: Habits,
    /// Agents' phones lose their network, times.
    pub dropped_legs: u32,
    /// Money, holds and listings arrive, mean pause between two in s.
    pub news_every_s: u64,
    /// Attempts each campaign shall make.
    pub target: usize,
    /// Virtual time after which a run ends anyway, ms.
    pub limit_ms: u64,
    /// Between two looks at who is new in the segments, ms; the store in memory walks everybody for it.
    pub refill_every_ms: i64,
}

fn stretches(rng: &mut ChaCha8Rng, most: u32, longest_ms: u64) -> Vec<Stretch> {
    let count = rng.random_range(0..=most);
    let one = |_| Stretch {
        from_ms: rng.random_range(10_000..400_000),
        for_ms: rng.random_range(500..=longest_ms),
    };
    (0..count).map(one).collect()
}

/// Up to two kills of the process, at an instant or while an attempt is being committed.
fn crashes(rng: &mut ChaCha8Rng) -> Vec<CrashAt> {
    (0..rng.random_range(0..=2))
        .map(|_| {
            if rng.random_bool(0.5) {
                CrashAt::Ms(rng.random_range(2_000..240_000))
            } else {
                CrashAt::Open(rng.random_range(1..70))
            }
        })
        .collect()
}

impl Plan {
    /// Machine detection of campaign `n`: a third of them act on it, a third look on.
    #[must_use]
    pub const fn amd(&self, n: usize) -> AmdMode {
        match (self.seed + n as u64) % 3 {
            0 => AmdMode::Off,
            1 => AmdMode::Shadow,
            _ => AmdMode::On,
        }
    }

    /// Longest time from an order to dial to its INVITE, ms: the attempt's commit and the carrier. While the
    /// database is away nothing bounds it.
    #[must_use]
    pub fn late_ms(&self) -> Option<i64> {
        let ms = self.store_ms + self.trunk.slow_dial_ms;
        let bounded = self.outages.is_empty() && self.dead_trunk.is_empty();
        bounded.then(|| i64::try_from(ms).unwrap_or(0))
    }

    /// Draws a plan with every kind of fault in it, in some measure.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x0914_2026);
        let agents = rng.random_range(5..=10);
        let mode = |rng: &mut ChaCha8Rng| match rng.random_range(0..10) {
            0..6 => DialMode::Power,
            6..9 => DialMode::Progressive,
            _ => DialMode::Preview,
        };
        let modes = [mode(&mut rng), mode(&mut rng)];
        // One in eight begins before the hours open: nothing may leave until they do.
        let early = rng.random_range(0..8) == 0;
        let (campaigns, two_clients) = (rng.random_range(1..=2), rng.random_bool(0.5));
        let hour = if early { 7 } else { rng.random_range(9..17) };
        let start = MIDNIGHT.plus_ms(hour * HOUR_MS - if early { 3 * MINUTE_MS } else { 0 });
        let crashes = crashes(&mut rng);
        Self {
            seed,
            start,
            campaigns,
            two_clients,
            // Two campaigns of one client share its debtors.
            debtors: if campaigns == 2 && !two_clients {
                rng.random_range(330..=400)
            } else {
                rng.random_range(170..=230)
            },
            agents,
            modes,
            lines_per_agent: f64::from(rng.random_range(2_u32..=5)),
            channels: rng.random_range(agents..=agents * 4),
            cps: rng.random_range(2..=10),
            record: if rng.random_range(0..10) == 0 {
                RecordMode::None
            } else {
                RecordMode::All
            },
            mix: FateMix {
                answer_pct: rng.random_range(20..=60),
                refuse_pct: rng.random_range(15..=35),
            },
            trunk: TrunkFaults {
                lost_pct: rng.random_range(0..=3),
                repeated_pct: rng.random_range(0..=8),
                delayed_pct: rng.random_range(0..=6),
                slow_dial_ms: rng.random_range(0..=20),
            },
            bus: BusFaults {
                lost_pct: rng.random_range(0..=20),
                repeated_pct: rng.random_range(0..=20),
            },
            store_ms: rng.random_range(0..=12),
            outages: stretches(&mut rng, 2, 6_000),
            dead_trunk: stretches(&mut rng, 1, 30_000),
            crashes,
            habits: Habits {
                vanish_pct: rng.random_range(0..=60),
                forget_pct: rng.random_range(0..=10),
                slow_pct: rng.random_range(0..=4),
                plan_pct: 0,
            },
            dropped_legs: rng.random_range(0..=3),
            news_every_s: rng.random_range(5..=40),
            target: 101,
            limit_ms: 45 * 60_000,
            refill_every_ms: MINUTE_MS,
        }
    }
}
