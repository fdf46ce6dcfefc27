//! The rows that a disposition writes: disposition, note, holds, listings, conversation, events.

use crate::asks::{Actor, DisposeAsk};
use crate::dispose::Case;
use crate::shared::Shared;
use domain::entity::{
    Claim, ClaimState, Hold, HoldKind, HoldScope, LedgerKind, LedgerRow, Suppression,
    SuppressionKind,
};
use domain::event::NewEvent;
use domain::ids::{ClaimId, HoldId, SuppressionId};
use domain::ports::store::{Closing, ItemState};
use domain::rules::disposition::{point_bad, suppresses_point};
use domain::rules::reach::Reach;
use serde_json::json;

/// An event of the attempt's client.
pub(crate) fn event(
    shared: &Shared,
    actor: Actor,
    case: &Case,
    kind: &str,
    subject: String,
    data: serde_json::Value,
) -> NewEvent {
    shared.event(Some(case.attempt.client_id), actor, kind, subject, data)
}

fn hold(shared: &Shared, case: &Case, kind: HoldKind) -> Hold {
    // A dispute stops one debt; everything else is about the person.
    let debt = case.attempt.debt_id.filter(|_| kind == HoldKind::Dispute);
    Hold {
        id: HoldId(shared.id()),
        client_id: case.attempt.client_id,
        debtor_id: case.attempt.debtor_id,
        scope: if debt.is_some() {
            HoldScope::Debt
        } else {
            HoldScope::Debtor
        },
        debt_id: debt,
        point_id: None,
        channel: None,
        kind,
        from: case.now,
        until: None,
        lifted_at: None,
        evidence: format!("attempt:{}", case.attempt.id),
    }
}

/// What a code means to the guard is told to the engine that has the call with it; of any other call the log tells,
/// in the order of its end and its code.
fn told_with_it(shared: &Shared, case: &Case, set: &NewEvent) {
    if case.seat.is_some() {
        shared.told_here(set);
    }
}

/// The event of the code, with what a negotiation reached of its goal.
fn set(shared: &Shared, actor: Actor, case: &Case, ask: &DisposeAsk) -> NewEvent {
    let code = &case.disposition.code;
    let subject = format!("attempt:{}", case.attempt.id);
    let mut data = json!({"code": code, "agent_id": case.agent(), "rpc": case.disposition.rpc});
    if !ask.told_facts.is_empty() {
        // The proof that the facts of the first contact were told.
        data["told_facts"] = json!(ask.told_facts);
    }
    if let Some(claim) = &ask.claim {
        data["claim"] = json!(claim);
    }
    if let Some(reached) = case.negotiation {
        data["negotiation"] = json!(reached);
    }
    event(shared, actor, case, "disposition.set", subject, data)
}

/// The payment that he says he made, for whoever looks for it.
fn claim(case: &Case, ask: &DisposeAsk) -> Option<Claim> {
    let said = ask.claim.as_ref()?;
    Some(Claim {
        id: ClaimId(case.attempt.id.0),
        client_id: case.attempt.client_id,
        debtor_id: case.attempt.debtor_id,
        attempt_id: case.attempt.id,
        agent_id: case.agent(),
        paid_on: said.paid_on.clone(),
        channel: said.channel,
        proof: said.proof,
        made_at: case.now,
        state: ClaimState::Open,
        payment_id: None,
        reason: String::new(),
        ended_by: String::new(),
        ended_at: None,
    })
}

/// Everything that is written in one transaction.
pub(crate) fn closing(
    shared: &Shared,
    actor: Actor,
    case: &Case,
    ask: &DisposeAsk,
    item: Option<ItemState>,
) -> Closing {
    let (attempt, code) = (&case.attempt, &case.disposition.code);
    let set = set(shared, actor, case, ask);
    told_with_it(shared, case, &set);
    let mut events = vec![set];
    let holds: Vec<Hold> = case
        .disposition
        .hold
        .iter()
        .map(|kind| hold(shared, case, *kind))
        .collect();
    for row in &holds {
        let data = json!({"hold_id": row.id, "hold": row.kind});
        let subject = format!("debtor:{}", row.debtor_id);
        events.push(event(shared, actor, case, "hold.placed", subject, data));
    }
    let mut suppressions = Vec::new();
    if suppresses_point(code) {
        let row = Suppression {
            id: SuppressionId(shared.id()),
            client_id: Some(attempt.client_id),
            debtor_id: Some(attempt.debtor_id),
            kind: SuppressionKind::Phone,
            value: attempt.phone.clone(),
            reason: "wrong_number".to_owned(),
            created_at: case.now,
            lifted_at: None,
        };
        let data = json!({"suppression_id": row.id, "reason": row.reason});
        let subject = format!("debtor:{}", attempt.debtor_id);
        events.push(event(
            shared,
            actor,
            case,
            "suppression.added",
            subject,
            data,
        ));
        suppressions.push(row);
    }
    Closing {
        disposition: Some(code.clone()),
        note: ask.note.clone().filter(|n| !n.trim().is_empty()),
        disposed_at: Some(case.now),
        ledger: case
            .disposition
            .rpc
            .then(|| conversation(case))
            .into_iter()
            .collect(),
        holds,
        suppressions,
        claim: claim(case, ask),
        point_bad: point_bad(code),
        point_rpc_at: case.disposition.rpc.then_some(case.now),
        reach: Reach::of_code(code, case.disposition.rpc),
        item,
        events,
        ..Closing::default()
    }
}

/// Counted once, also where the identity's tick tells of it too.
fn conversation(case: &Case) -> LedgerRow {
    let attempt = &case.attempt;
    let at = attempt.answered_at.unwrap_or(case.now);
    LedgerRow::of_attempt(attempt, LedgerKind::Conversation, at)
}
