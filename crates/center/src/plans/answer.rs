//! A supervisor's answer to an ask, the debtor's acceptance, and the end of a plan by hand.

use super::draw::event;
use super::moved;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::{Plan, PlanFile, PlanState, Role};
use domain::ids::{PlanId, UserId};
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;

/// How far a role reaches among those who answer.
const fn rank(role: Role) -> u8 {
    match role {
        Role::Agent | Role::Client => 0,
        Role::Supervisor => 1,
        Role::Manager => 2,
        Role::Admin => 3,
    }
}

/// Answers an ask that waits.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    (user, role): (UserId, Role),
    id: PlanId,
    yes: bool,
    reason: String,
) -> Result<Plan, CenterError> {
    let mut plan = shared.out.store.get_plan(id).await?.plan;
    let now = shared.now();
    let over = plan.asked_until.is_none_or(|until| until <= now);
    if plan.state != PlanState::Offered || over {
        return Err(CenterError::conflict(
            "ask_over",
            "nobody waits for an answer any more",
        ));
    }
    if plan
        .needs_role
        .is_some_and(|needs| rank(role) < rank(needs))
    {
        return Err(CenterError::conflict(
            "beyond_authority",
            "these terms are beyond your own authority too",
        ));
    }
    plan.state = if yes {
        PlanState::Approved
    } else {
        PlanState::Cancelled
    };
    plan.answered_by = Some(user);
    plan.answer_reason = Some(reason);
    plan.closed_at = (!yes).then_some(now);
    let actor = Actor::User(user);
    let mut events = vec![event(&shared, actor, &plan, "plan.answered")];
    if let Some(data) = events[0].data.as_object_mut() {
        data.insert("yes".to_owned(), json!(yes));
        data.insert("reason".to_owned(), json!(plan.answer_reason));
    }
    if yes {
        events.push(event(&shared, actor, &plan, "plan.approved"));
    }
    if shared
        .out
        .store
        .move_plan(&plan, PlanState::Offered, &events)
        .await?
    {
        Ok(plan)
    } else {
        Err(moved())
    }
}

/// Whether the first instalment is missed already: such a plan would break as soon as it is accepted.
fn too_late(file: &PlanFile, now: UtcMs) -> bool {
    let first = file.instalments.first();
    first.is_some_and(|first| first.grace_until <= now)
}

/// The debtor accepted the document with that hash; a repeat of the same acceptance changes nothing.
pub(crate) async fn sign(
    shared: Arc<Shared>,
    id: PlanId,
    document_sha256: String,
    identity: &'static str,
) -> Result<Plan, CenterError> {
    let file = shared.out.store.get_plan(id).await?;
    let late = too_late(&file, shared.now());
    let mut plan = file.plan;
    if plan.document_sha256.as_ref() == Some(&document_sha256) && plan.signed_at.is_some() {
        return Ok(plan);
    }
    if plan.state != PlanState::Approved || late {
        return Err(CenterError::conflict(
            "plan_moved",
            "the offer does not stand any more",
        ));
    }
    let store = shared.out.store.as_ref();
    let debt = store.get_debt(plan.debt_id).await?;
    let debt = crate::owed::debt(store, debt, plan.made_at).await?;
    if debt.balance_minor() != plan.balance_minor {
        return Err(CenterError::conflict(
            "plan_balance",
            "the debt has another balance since the offer was made: a new one is needed",
        ));
    }
    plan.state = PlanState::Signed;
    plan.signed_at = Some(shared.now());
    plan.document_sha256 = Some(document_sha256);
    plan.accepted_channel = Some("link".to_owned());
    plan.accepted_identity = Some(identity.to_owned());
    let mut told = event(&shared, Actor::System, &plan, "plan.signed");
    if let Some(data) = told.data.as_object_mut() {
        data.insert("document_sha256".to_owned(), json!(plan.document_sha256));
        data.insert("channel".to_owned(), json!(plan.accepted_channel));
        data.insert("identity".to_owned(), json!(plan.accepted_identity));
    }
    shared.told_here(&told);
    if !shared
        .out
        .store
        .move_plan(&plan, PlanState::Approved, &[told])
        .await?
    {
        return Err(moved());
    }
    // The debt is silent from now on: who rings at this moment is left alone too.
    crate::stops::withdraw(&shared, plan.debtor_id).await;
    super::live::tell(&shared, &plan).await;
    Ok(plan)
}

/// Ends a plan by hand.
pub(crate) async fn cancel(
    shared: Arc<Shared>,
    actor: Actor,
    id: PlanId,
    reason: String,
) -> Result<Plan, CenterError> {
    let mut plan = shared.out.store.get_plan(id).await?.plan;
    let from = plan.state;
    if !from.is_live() {
        return Err(CenterError::conflict(
            "plan_moved",
            "the plan has ended already",
        ));
    }
    plan.state = PlanState::Cancelled;
    plan.answer_reason = Some(reason);
    plan.closed_at = Some(shared.now());
    let told = event(&shared, actor, &plan, "plan.cancelled");
    if shared.out.store.move_plan(&plan, from, &[told]).await? {
        Ok(plan)
    } else {
        Err(moved())
    }
}
