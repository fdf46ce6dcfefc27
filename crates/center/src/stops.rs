//! What stops contact: stored first, then every queued and ringing contact of the debtor ends.

use crate::asks::Actor;
use crate::error::CenterError;
use crate::shared::Shared;
use dialer::Input;
use domain::entity::{Hold, Payment, Promise, PromiseState, Suppression};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId};
use domain::ports::store::{PaymentOutcome, StoreError};
use serde_json::json;
use std::sync::Arc;

/// Told when something of a debtor was changed that the law looks at: his points, consents, preferences, holds lifted.
pub(crate) const CHANGED: &str = "debtor.updated";

/// Every queued and ringing contact of a debtor ends.
pub(crate) async fn withdraw(shared: &Shared, debtor: DebtorId) {
    shared
        .post
        .tell(move |engine, now| engine.take(now, Input::Withdraw(debtor)))
        .await;
}

/// Money of a debtor moved: contacts with him end, who talks with him sees it, and so does who shows money of
/// the client.
pub(crate) async fn money_moved(shared: &Shared, client: ClientId, debtor: DebtorId) {
    withdraw(shared, debtor).await;
    shared
        .post
        .tell(move |engine, _| engine.money_moved(debtor))
        .await;
    shared.notices.money_moved(client);
    shared.notices.money_near(client, debtor);
}

/// A hold may be about the person, whoever's debtor he is: he is withdrawn everywhere and judged anew.
pub(crate) async fn withdraw_person(shared: &Shared, debtor: DebtorId) -> Result<(), StoreError> {
    withdraw(shared, debtor).await;
    let person = shared.out.store.get_debtor(debtor).await?.person_id;
    shared
        .post
        .tell(move |engine, now| engine.take(now, Input::WithdrawPerson(person)))
        .await;
    Ok(())
}

/// What is told of a promise that money kept, that is judged anew, or whose grace is over.
pub(crate) fn promise_event(shared: &Arc<Shared>) -> impl Fn(&Promise) -> NewEvent + Send + Sync {
    let shared = Arc::clone(shared);
    move |promise| {
        let kind = match promise.state {
            PromiseState::Kept | PromiseState::KeptPartial => "promise.kept",
            PromiseState::Active => "promise.reopened",
            PromiseState::Replaced => "promise.replaced",
            _ => "promise.broken",
        };
        let data = json!({
            "debtor_id": promise.debtor_id, "debt_id": promise.debt_id, "state": promise.state,
        });
        let subject = format!("promise:{}", promise.id);
        shared.event(Some(promise.client_id), "system", kind, subject, data)
    }
}

/// What is told of money on a debt, or off it again.
pub(crate) fn posted_event(shared: &Shared, actor: Actor, payment: &Payment) -> NewEvent {
    let kind = if payment.reverses.is_some() {
        "payment.reversed"
    } else {
        "payment.posted"
    };
    let data = json!({
        "debtor_id": payment.debtor_id, "debt_id": payment.debt_id,
        "amount_minor": payment.amount.amount_minor, "currency": payment.amount.currency,
        "paid_at": payment.paid_at, "posted_at": payment.posted_at,
    });
    let subject = format!("payment:{}", payment.id);
    shared.event(Some(payment.client_id), actor, kind, subject, data)
}

pub(crate) async fn payment(
    shared: Arc<Shared>,
    actor: Actor,
    payment: Payment,
) -> Result<PaymentOutcome, CenterError> {
    let event = posted_event(&shared, actor, &payment);
    shared.told_here(&event);
    let told = promise_event(&shared);
    let outcome = shared
        .out
        .store
        .post_payment(&payment, &[event], &told)
        .await?;
    let posted = &outcome.payment;
    money_moved(&shared, posted.client_id, posted.debtor_id).await;
    Ok(outcome)
}

/// The hold with the end that the law gives it, so that whoever reads it, interest among them, reads the same end as
/// the law.
async fn as_lawful(shared: &Shared, hold: Hold) -> Result<Hold, StoreError> {
    if hold.until.is_none() {
        return Ok(hold);
    }
    let facts = shared.out.store.contact_facts(hold.debtor_id, hold.from);
    let until = shared.out.law.hold_end(&facts.await?, &hold);
    Ok(Hold { until, ..hold })
}

pub(crate) async fn hold(shared: Arc<Shared>, actor: Actor, hold: Hold) -> Result<(), CenterError> {
    let hold = as_lawful(&shared, hold).await?;
    let debtor = hold.debtor_id;
    let data = json!({"hold_id": hold.id, "hold": hold.kind, "scope": hold.scope});
    let subject = format!("debtor:{debtor}");
    let event = shared.event(Some(hold.client_id), actor, "hold.placed", subject, data);
    shared.told_here(&event);
    shared.out.store.put_hold(&hold, &[event]).await?;
    withdraw_person(&shared, debtor).await?;
    Ok(crate::floor::callbacks::held(&shared, actor, &hold).await?)
}

pub(crate) async fn suppress(
    shared: Arc<Shared>,
    actor: Actor,
    row: Suppression,
) -> Result<(), CenterError> {
    for row in row.in_all_forms() {
        let data = json!({"suppression_id": row.id, "listed": row.kind, "reason": row.reason});
        let subject = format!("suppression:{}", row.id);
        let event = shared.event(row.client_id, actor, "suppression.added", subject, data);
        shared.told_here(&event);
        shared.out.store.put_suppression(&row, &[event]).await?;
        shared
            .post
            .tell(move |engine, now| engine.withdraw_listed(now, &row))
            .await;
    }
    Ok(())
}

/// Something else changed: what is queued is judged anew, what waited because it was refused may be
/// looked at again.
pub(crate) async fn changed(shared: Arc<Shared>, debtor: DebtorId) {
    withdraw(&shared, debtor).await;
    let told = tell_changed(&shared, debtor).await;
    let done = again(&shared, debtor).await;
    for error in [told, done].into_iter().filter_map(Result::err) {
        shared.mind(&error).await;
        tracing::warn!(debtor = %debtor, reason = %error, "changed debtor not told of or not made due");
    }
}

/// Other nodes withdraw him too.
async fn tell_changed(shared: &Shared, debtor: DebtorId) -> Result<(), StoreError> {
    let client = shared.out.store.get_debtor(debtor).await?.client_id;
    let data = json!({ "debtor_id": debtor });
    let subject = format!("debtor:{debtor}");
    let event = shared.event(Some(client), shared.actor(), CHANGED, subject, data);
    shared.told_here(&event);
    shared.out.store.append_events(&[event]).await
}

async fn again(shared: &Shared, debtor: DebtorId) -> Result<(), StoreError> {
    let now = shared.now();
    for mut item in shared.out.store.items_of(debtor).await? {
        if !item.done && item.note.starts_with("blocked_") && item.next_at > now {
            item.next_at = now;
            shared.out.store.put_item(&item, &[]).await?;
        }
    }
    Ok(())
}
