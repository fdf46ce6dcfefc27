//! Verdicts corrected by who heard the call.

use crate::asks::{Actor, DisposeAsk};
use crate::error::CenterError;
use crate::follow::owed;
use crate::shared::Shared;
use dialer::Input;
use domain::entity::{Attempt, LedgerKind, LedgerRow};
use domain::ids::AttemptId;
use domain::ports::store::{Corrected, StoreError, Told, Turn};
use domain::rules::detector::Truth;
use serde_json::json;
use std::sync::Arc;

/// What an agent's key for a machine gives the call.
const MAILBOX: &str = "NC.BZ";

/// Reason of a verdict by a recording that was learned.
const KNOWN: &str = "known";

/// Keeps what a call really was; `true` where a person turns out to have been hung up on, who is
/// abandoned until somebody says that it was a machine after all. An agent who says "machine" of his own call is free of it at once.
pub(crate) async fn tell_truth(
    shared: Arc<Shared>,
    actor: Actor,
    id: AttemptId,
    truth: Truth,
) -> Result<bool, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let attempt = store.get_attempt(id).await?;
    if matches!(actor, Actor::Agent(_)) {
        may_tell(&shared, actor, &attempt, truth).await?;
    }
    let told = Told {
        attempt_id: id,
        truth,
        by: actor.to_string(),
        at: now,
        abandoned: LedgerRow::of_attempt(&attempt, LedgerKind::Abandoned, now),
    };
    let heard = store.get_heard(id).await?;
    let known = heard.as_ref().is_some_and(|h| h.reason == KNOWN);
    let subject = format!("attempt:{id}");
    let data = json!({"truth": truth, "campaign_id": attempt.campaign_id});
    let client = Some(attempt.client_id);
    let event = shared.event(client, actor, "amd.corrected", subject, data);
    shared.told_here(&event);
    let done = match store.tell_truth(&told, &[event]).await {
        Ok(done) => done,
        // The key frees him of a call that nobody judged, too.
        Err(StoreError::NotFound(_)) if matches!(actor, Actor::Agent(_)) => Corrected::default(),
        Err(error) => return Err(error.into()),
    };
    let first = truth == Truth::Person && done.before != Some(Truth::Person);
    if first && known {
        super::distrust(&shared, attempt.trunk_id, id).await;
    }
    if let Some(turn) = done.turn {
        count(&shared, &attempt, turn).await;
    }
    if matches!(actor, Actor::Agent(_)) && truth == Truth::Machine && attempt.disposition.is_none()
    {
        free_of(&shared, actor, id).await?;
    }
    Ok(done.lost)
}

/// An agent says it of his own call, and no machine proves who it is: one key must not hang up on a debtor who did.
async fn may_tell(
    shared: &Shared,
    actor: Actor,
    attempt: &Attempt,
    truth: Truth,
) -> Result<(), CenterError> {
    let id = attempt.id;
    let (his, identified) = shared
        .post
        .call(move |engine, _| {
            let entry = engine.calls.get(&id);
            let identified = entry.is_some_and(|e| e.identity.is_some());
            (engine.may_order(actor, id).is_ok(), identified)
        })
        .await?;
    if !his && attempt.agent_id.map(Actor::Agent) != Some(actor) {
        return Err(CenterError::conflict(
            "not_your_call",
            "another agent had this call",
        ));
    }
    if truth == Truth::Machine && (identified || attempt.identity_at.is_some()) {
        return Err(CenterError::conflict(
            "identity_given",
            "identity is ticked on this call: a person is there; end it with its disposition",
        ));
    }
    Ok(())
}

/// Counts in the guard what a correction changed, where the stored attempts count it.
pub(crate) async fn count(shared: &Shared, attempt: &Attempt, turn: Turn) {
    let counts = owed(attempt) && attempt.bridged_at.is_none();
    let (Some(campaign), Some(at), true) = (attempt.campaign_id, attempt.answered_at, counts)
    else {
        return;
    };
    let client = attempt.client_id;
    let input = match turn {
        Turn::Lost => Input::Counted {
            campaign,
            client,
            at,
            abandoned: true,
        },
        Turn::Found => Input::CountedBack {
            campaign,
            client,
            at,
        },
    };
    shared
        .post
        .tell(move |engine, now| engine.take(now, input))
        .await;
}

/// Ends the call and codes it: the agent goes on.
async fn free_of(shared: &Arc<Shared>, actor: Actor, id: AttemptId) -> Result<(), CenterError> {
    // Its machine may have hung up a moment before.
    let _ = shared
        .post
        .call(move |engine, now| engine.hang_up(now, actor, id))
        .await?;
    let ask = DisposeAsk {
        code: MAILBOX.to_owned(),
        note: None,
        promise: None,
        claim: None,
        callback_at: None,
        then: None,
        told_facts: Vec::new(),
    };
    crate::dispose::dispose(Arc::clone(shared), actor, id, ask)
        .await
        .map(drop)
}
