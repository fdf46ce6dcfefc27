//! Strategies: each date makes the steps that the segment, the arm and the law leave, a day ahead; steps
//! that are calls are carried out when they are due, others wait for a person.

pub(crate) mod dry_run;
mod plan;

use crate::shared::Shared;
use crate::tasks::pause;
use domain::entity::{PlannedState, PlannedStep, StepAction, Strategy};
use domain::ids::{DebtorId, StrategyId};
use domain::ports::store::{CALLBACK_PRIORITY, ItemState, StepAsk, StoreError};
use domain::rules::strategy;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Between two plans, ms.
const PLAN_MS: u64 = 30_000;
/// Steps carried out in one go.
const DUE_MAX: u32 = 200;
/// Priority of a debtor whom a strategy calls: behind call-backs, before broken promises.
const CALL_PRIORITY: i32 = 15;

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

/// Plans and carries out until the center stops. A node without gateways leaves it to the others.
pub(crate) async fn run(shared: Arc<Shared>) {
    if shared.config.messengers.is_empty() {
        return;
    }
    let mut stop = shared.stop.clone();
    while pause(&mut stop, PLAN_MS.min(shared.config.plan_every_ms)).await {
        if let Err(error) = round(&shared).await {
            shared.mind(&error).await;
            tracing::warn!(reason = %error, "strategies not planned");
        }
    }
}

/// One plan of every strategy, and the calls that are due.
pub(crate) async fn round(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let active = shared.out.store.active_strategies().await?;
    let arms = Arms::of(&active);
    for one in &active {
        plan::plan(shared, one, &arms).await?;
    }
    calls(shared).await
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
    let (store, now) = (&shared.out.store, shared.now());
    let Some(campaign) = step.campaign_id else {
        return Ok(());
    };
    let found = store.items_of(step.debtor_id).await?;
    let found = found.into_iter().find(|i| i.campaign_id == campaign);
    // What an agent has agreed with the debtor stands before what a strategy would like.
    let agreed = |i: &ItemState| i.priority >= CALLBACK_PRIORITY && i.note.starts_with("callback");
    let why = match &found {
        Some(item) if item.done => Some("left_campaign"),
        Some(item) if agreed(item) => Some("callback_agreed"),
        _ => None,
    };
    let state = why.map_or(PlannedState::Done, |_| PlannedState::Refused);
    let reason = why.unwrap_or_default();
    let data = json!({"debtor_id": step.debtor_id, "campaign_id": campaign, "step": step.step});
    let subject = format!("strategy:{}", step.strategy_id);
    let kind = "strategy.called";
    let event = shared.event(Some(step.client_id), "system", kind, subject, data);
    let events = if why.is_some() { vec![] } else { vec![event] };
    // Ended first: a call is asked for once, also by two nodes.
    let ended = store
        .end_step(step.id, state, reason, "system", now, &events)
        .await?;
    if !ended || why.is_some() {
        return Ok(());
    }
    let mut item = found.unwrap_or(ItemState {
        campaign_id: campaign,
        debtor_id: step.debtor_id,
        next_at: now,
        priority: 0,
        attempts: 0,
        last_result: None,
        next_point: None,
        done: false,
        note: String::new(),
    });
    item.priority = item.priority.max(CALL_PRIORITY);
    item.next_at = item.next_at.min(now);
    store.put_item(&item, &[]).await
}
