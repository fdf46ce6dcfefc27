//! What screens see of plans at once: asks on the board, answers on the agent's card. Every node follows
//! the log, so an answer given on one reaches the agent on another.

use crate::campaigns;
use crate::engine::Engine;
use crate::error::CenterError;
use crate::shared::Shared;
use crate::view::AskRow;
use domain::entity::{Plan, PlanFile, PlanState};
use domain::event::NewEvent;
use domain::ids::{ClientId, PlanId};
use domain::ports::store::StoreError;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Most plans closed in one go.
const SWEEP_BATCH: u32 = 200;
/// Behind the end of an ask, ms: who looks then finds it over.
const AFTER_END_MS: i64 = 20;

fn ask_row(plan: &Plan, parts: usize) -> AskRow {
    AskRow {
        plan_id: plan.id,
        client_id: plan.client_id,
        debtor_id: plan.debtor_id,
        agent_id: plan.agent_id,
        agent: String::new(),
        currency: plan.currency.to_string(),
        balance_minor: plan.balance_minor,
        quita_minor: plan.quita_minor,
        agreed_minor: plan.agreed_minor,
        parts,
        needs_role: plan.needs_role.map(|r| r.to_string()),
        reason: plan.ask_reason.clone().unwrap_or_default(),
        asked_at: plan.made_at.0,
        until: plan.asked_until.unwrap_or(plan.made_at).0,
    }
}

/// A plan as the agent's screen gets it.
pub(crate) fn wire(plan: &Plan) -> Value {
    json!({
        "id": plan.id, "debt_id": plan.debt_id, "attempt": plan.attempt_id, "state": plan.state,
        "currency": plan.currency, "balance_minor": plan.balance_minor,
        "quita_minor": plan.quita_minor, "agreed_minor": plan.agreed_minor,
        "asked_until": plan.asked_until.map(|at| at.0), "answer_reason": plan.answer_reason,
        "answered": plan.answered_by.is_some(),
    })
}

/// Asks that waited when the node started.
pub(crate) async fn load(shared: &Arc<Shared>, engine: &mut Engine) -> Result<(), StoreError> {
    for plan in shared.out.store.plans_asked().await? {
        wait_for_end(shared, &plan);
        let file = shared.out.store.get_plan(plan.id).await?;
        engine.plan_told(ask_row(&file.plan, file.instalments.len()), true);
    }
    Ok(())
}

/// Tells the screens of this node how a plan stands.
pub(super) async fn tell(shared: &Arc<Shared>, plan: &Plan) {
    if let Ok(file) = shared.out.store.get_plan(plan.id).await {
        told(shared, &file).await;
    }
}

async fn told(shared: &Arc<Shared>, file: &PlanFile) {
    let plan = &file.plan;
    let waits = plan.state == PlanState::Offered;
    let row = ask_row(plan, file.instalments.len());
    if let Some(agent) = plan.agent_id {
        let message = json!({"t": "plan", "now": shared.now().0, "plan": wire(plan)});
        shared.out.desk.tell(agent, message);
    }
    shared
        .post
        .tell(move |engine, _| engine.plan_told(row, waits))
        .await;
}

/// The log told of a plan.
pub(crate) async fn follow(shared: &Arc<Shared>, event: &NewEvent) -> Result<(), CenterError> {
    let id: Option<PlanId> = event
        .subject
        .strip_prefix("plan:")
        .and_then(|id| id.parse().ok());
    let Some(id) = id else { return Ok(()) };
    let file = shared.out.store.get_plan(id).await?;
    if event.kind == "plan.offered" {
        wait_for_end(shared, &file.plan);
    }
    told(shared, &file).await;
    Ok(())
}

/// An ask that nobody answers ends at its time, and the agent is told then.
fn wait_for_end(shared: &Arc<Shared>, plan: &Plan) {
    let Some(until) = plan.asked_until else {
        return;
    };
    let ms = (until.0 - shared.now().0 + AFTER_END_MS)
        .max(0)
        .unsigned_abs();
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let mut stop = shared.stop.clone();
        if crate::tasks::pause(&mut stop, ms).await {
            sweep(&shared).await;
        }
    });
}

/// Ends asks and plans whose time is over; the screens learn of it with the log.
pub(crate) async fn sweep(shared: &Arc<Shared>) {
    loop {
        match shared
            .out
            .store
            .sweep_plans(shared.now(), SWEEP_BATCH)
            .await
        {
            Ok(moved) if moved.len() < SWEEP_BATCH as usize => return,
            Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => return shared.mind(&error).await,
        }
    }
}

/// The client has new terms: campaigns that run work under them from the next card on.
pub(crate) async fn terms_changed(
    shared: &Arc<Shared>,
    client: ClientId,
) -> Result<(), CenterError> {
    let running = shared.post.call(|engine, _| engine.running()).await?;
    for setting in running.iter().filter(|s| s.client.id == client) {
        campaigns::changed(Arc::clone(shared), setting.id()).await?;
    }
    Ok(())
}
