//! Forecasts for managers: the port `WhatIf` by the pacing simulator, on a thread of its own.

mod figures;
#[cfg(test)]
mod tests;
mod world;

use async_trait::async_trait;
use domain::ports::{CampaignProfile, Forecast, WhatIf, WhatIfError, WhatIfSettings};
use sim::pacing::{RunSpec, run};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Longest wait for an answer; a run that is under way then still ends, and holds the turn until it does.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// From then on no further run begins.
const RUNS_MAX: Duration = Duration::from_secs(6);
/// Runs of a side, each with a seed of its own: the sides meet the same chance.
const SEEDS: u64 = 5;
/// Runs of a side below which there is no interval.
const SEEDS_LEAST: u64 = 2;

/// The simulator behind the port. One forecast at a time in a process: calls come first.
pub(crate) struct Forecaster {
    turn: Arc<Semaphore>,
    /// Longest wait for an answer.
    patience: Duration,
    /// From then on no further run begins.
    begins: Duration,
}

impl Forecaster {
    pub(crate) fn new() -> Self {
        Self::who_waits(ANSWER_MAX, RUNS_MAX)
    }

    fn who_waits(patience: Duration, begins: Duration) -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            patience,
            begins,
        }
    }
}

#[async_trait]
impl WhatIf for Forecaster {
    async fn forecast(
        &self,
        profile: Arc<CampaignProfile>,
        sides: Vec<WhatIfSettings>,
    ) -> Result<Vec<Forecast>, WhatIfError> {
        let turn = Arc::clone(&self.turn)
            .try_acquire_owned()
            .map_err(|_| WhatIfError::Busy)?;
        let begins = self.begins;
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            simulate(&profile, &sides, begins)
        });
        match tokio::time::timeout(self.patience, work).await {
            Err(_) => Err(WhatIfError::TooSlow(self.patience.as_secs())),
            Ok(Err(panicked)) => Err(WhatIfError::Failed(panicked.to_string())),
            Ok(Ok(forecasts)) => forecasts,
        }
    }
}

/// Every side with the same seeds, in turns, so that a limit on time takes from all alike.
fn simulate(
    profile: &CampaignProfile,
    sides: &[WhatIfSettings],
    begins: Duration,
) -> Result<Vec<Forecast>, WhatIfError> {
    let since = Instant::now();
    let mut worlds = Vec::new();
    for side in sides {
        worlds.push(world::build(profile, side)?);
    }
    let mut runs = vec![Vec::new(); sides.len()];
    for seed in 1..=SEEDS {
        if seed > SEEDS_LEAST && since.elapsed() > begins {
            break;
        }
        for (world, runs) in worlds.iter().zip(&mut runs) {
            let spec = RunSpec {
                policy: world.policy,
                seed,
                cap: world.cap,
                target: Some(world.target),
                lean: world.lean,
                hard_stop: true,
                full: false,
            };
            let figures = run(&world.scenario, &spec).map_err(|e| WhatIfError::Refused {
                field: "params.mode",
                reason: e.to_string(),
            })?;
            runs.push(figures);
        }
    }
    let known = profile.live;
    let forecasts = worlds.iter().zip(sides).zip(runs);
    Ok(forecasts
        .map(|((world, side), runs)| figures::forecast(&runs, side.agents, world.hours, known))
        .collect())
}
