//! Strategies: each date makes the steps that the segment, the arm and the law leave, a day ahead; steps
//! that are calls or letters are carried out when they are due, others wait for a person.

mod acts;
mod costs;
pub(crate) mod dry_run;
pub(crate) mod later;
mod letters;
mod plan;

use crate::messages::carried;
use crate::shared::Shared;
use crate::tasks::pause;
use domain::entity::{PlannedState, PlannedStep, StepAction, Strategy};
use domain::ids::{DebtorId, StrategyId};
use domain::ports::store::{StepAsk, StoreError};
use domain::rules::strategy;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Between two plans, ms.
const PLAN_MS: u64 = 30_000;
/// Steps carried out in one go.
const DUE_MAX: u32 = 200;

/// Champions with the challengers that share their debtors.
pub(crate) struct Arms(BTreeMap<StrategyId, Vec<(StrategyId, i32)>>);

impl Arms {
    pub(crate) fn of(active: &[Strategy]) -> Self {
        let mut arms: BTreeMap<StrategyId, Vec<(StrategyId, i32)>> = BTreeMap::new();
        for one in active {
            if let Some(champion) = one.champion_id {
                arms.entry(champion)
                    .or_default()
                    .push((one.id, one.share_pct));
            }
        }
        Self(arms)
    }

    /// Whether the strategy works that debtor.
    pub(crate) fn takes(&self, one: &Strategy, debtor: DebtorId) -> bool {
        let champion = one.champion_id.unwrap_or(one.id);
        let challengers = self.0.get(&champion).map_or(&[][..], Vec::as_slice);
        strategy::arm(debtor, champion, challengers) == one.id
    }
}

/// Plans and carries out until the center stops. A node without gateways leaves it to those that have some.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    while pause(&mut stop, PLAN_MS.min(shared.config.plan_every_ms)).await {
        if let Err(error) = turn(&shared).await {
            shared.mind(&error).await;
            tracing::warn!(reason = %error, "strategies not planned");
        }
    }
}

async fn turn(shared: &Arc<Shared>) -> Result<(), StoreError> {
    if shared.config.messengers.is_empty() {
        // Calls, letters and reviews are planned also where nobody sends messages.
        let alone = carried(shared).await?.is_empty();
        shared.plans_alone.store(alone, Ordering::Relaxed);
        if !alone {
            return Ok(());
        }
    }
    round(shared).await
}

/// One plan of every strategy, and the calls and letters that are due.
async fn round(shared: &Arc<Shared>) -> Result<(), StoreError> {
    shared.later.sweep(shared.now());
    let active = shared.out.store.active_strategies().await?;
    let arms = Arms::of(&active);
    if !active.is_empty() {
        let carried = carried(shared).await?;
        for one in &active {
            plan::plan(shared, one, (&arms, &carried)).await?;
        }
    }
    calls(shared).await?;
    letters::due(shared).await
}

async fn calls(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let ask = StepAsk {
        state: Some(PlannedState::Planned),
        action: Some(StepAction::Call),
        until: Some(shared.now()),
        limit: DUE_MAX,
        ..StepAsk::default()
    };
    for step in shared.out.store.steps_page(&ask).await? {
        call(shared, &step).await?;
    }
    Ok(())
}

/// Puts the debtor at the head of the step's campaign; the dialer asks the law when it dials.
async fn call(shared: &Arc<Shared>, step: &PlannedStep) -> Result<(), StoreError> {
    let data = json!({
        "debtor_id": step.debtor_id, "campaign_id": step.campaign_id, "step": step.step,
    });
    let subject = format!("strategy:{}", step.strategy_id);
    let kind = "strategy.called";
    let event = shared.event(Some(step.client_id), "system", kind, subject, data);
    let store = &shared.out.store;
    store
        .call_step(step.id, shared.now(), &[event])
        .await
        .map(drop)
}
