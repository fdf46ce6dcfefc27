//! Work that tasks of their own do for the engine: feeding, giving back, opting out.

use crate::feeder::{self, Fed, Want};
use crate::live::{LastFeed, Setting};
use crate::shared::{Shared, persist};
use dialer::Input;
use domain::entity::{Channel, Hold, HoldKind, HoldScope, Suppression, SuppressionKind};
use domain::event::NewEvent;
use domain::ids::{CampaignId, ClientId, DebtorId, HoldId, SuppressionId};
use domain::pii::Pii;
use domain::ports::store::{CALLBACK_CANCELLED, CallbackRow, ItemState, LEFT_SEGMENT, StoreError};
use serde_json::json;
use std::sync::Arc;

/// What the store holds of an item now.
pub(crate) async fn stored_item(
    shared: &Shared,
    campaign: CampaignId,
    debtor: DebtorId,
) -> Result<Option<ItemState>, StoreError> {
    let items = persist!(shared, shared.out.store.items_of(debtor))?;
    Ok(items.into_iter().find(|i| i.campaign_id == campaign))
}

/// An item that left the campaign meanwhile (paid, final) stays out; what the call counted is kept. Who left with his
/// segment is out only until it holds him again: what ended for good since, or is agreed with him, stands.
pub(crate) fn keep_done(stored: Option<ItemState>, item: ItemState) -> ItemState {
    match stored {
        Some(stored) if stored.done && stored.note == LEFT_SEGMENT => {
            if item.done || CallbackRow::is_agreed(&item) {
                return item;
            }
            ItemState {
                done: true,
                note: stored.note,
                ..item
            }
        }
        Some(stored) if stored.done => ItemState {
            attempts: item.attempts.max(stored.attempts),
            last_result: item.last_result.or(stored.last_result),
            ..stored
        },
        _ => item,
    }
}

/// Whether the call-back that the item was leased for was cancelled since: it is not agreed once more.
fn ended_meanwhile(stored: &ItemState, leased: &ItemState) -> bool {
    stored.note == CALLBACK_CANCELLED
        && stored.next_at == leased.next_at
        && CallbackRow::is_agreed(leased)
}

/// Gives a leased item back; what became of it meanwhile is kept.
pub(crate) async fn give_back(shared: &Shared, item: ItemState) {
    let item = match stored_item(shared, item.campaign_id, item.debtor_id).await {
        Ok(Some(stored)) if ended_meanwhile(&stored, &item) => stored,
        Ok(stored) => keep_done(stored, item),
        Err(_) => item,
    };
    let done = persist!(shared, shared.out.store.release_contact(&item, None, &[]));
    if let Err(error) = done {
        shared.mind(&error).await;
        shared.fault("item not given back", &error);
    }
}

/// Feeds a hopper and tells the engine; a feeding that fails brings nothing.
pub(crate) async fn refill_hopper(shared: &Arc<Shared>, setting: Arc<Setting>, want: Want) {
    let fed = match feeder::feed(shared, &setting, want).await {
        Ok(fed) => fed,
        Err(error) => {
            shared.mind(&error).await;
            Fed::default()
        }
    };
    let id = setting.id();
    let counts = shared.out.store.item_counts(id, shared.now()).await.ok();
    shared
        .post
        .tell(move |engine, now| engine.stocked(now, id, fed, counts))
        .await;
}

/// Nothing may be dialed for a campaign that the engine does not know; what was reserved goes back.
pub(crate) fn unknown_campaign(shared: &Arc<Shared>, fed: Fed) {
    for (_, stocked) in fed.stocked {
        let shared = Arc::clone(shared);
        tokio::spawn(async move { give_back(&shared, stocked.state).await });
    }
}

/// A number whose owner wants no more calls is listed for the client.
fn listed(shared: &Shared, client: ClientId, phone: Pii<String>) -> Suppression {
    Suppression {
        id: SuppressionId(shared.id()),
        client_id: Some(client),
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: phone,
        reason: "optout".to_owned(),
        created_at: shared.now(),
        lifted_at: None,
    }
}

/// Lists a number for the client in each form that carriers write it in, and withdraws whoever has it.
async fn list_number(
    shared: &Arc<Shared>,
    (client, phone): (ClientId, Pii<String>),
    event: &(dyn Fn(&Suppression) -> NewEvent + Send + Sync),
) {
    for row in listed(shared, client, phone).in_all_forms() {
        let events = [event(&row)];
        if let Err(error) = persist!(shared, shared.out.store.put_suppression(&row, &events)) {
            shared.fault("opt-out not stored", &error);
        }
        shared
            .post
            .tell(move |engine, now| engine.withdraw_listed(now, &row))
            .await;
    }
}

/// A caller whom nobody knows pressed the opt-out key: his number is listed, whoever has it.
pub(crate) async fn opt_out_number(
    shared: &Arc<Shared>,
    client: ClientId,
    phone: Pii<String>,
    attempt: domain::ids::AttemptId,
) {
    let event = |row: &Suppression| {
        let data = json!({
            "suppression_id": row.id, "reason": "optout", "evidence": format!("attempt:{attempt}"),
        });
        let subject = format!("suppression:{}", row.id);
        let kind = "suppression.added";
        shared.event(Some(client), shared.actor(), kind, subject, data)
    };
    list_number(shared, (client, phone), &event).await;
}

/// The debtor pressed the opt-out key: the number is listed for the client and the channel is closed.
pub(crate) async fn opt_out(
    shared: &Arc<Shared>,
    client: ClientId,
    debtor: DebtorId,
    phone: Pii<String>,
    attempt: domain::ids::AttemptId,
) {
    let now = shared.now();
    let hold = Hold {
        id: HoldId(shared.id()),
        client_id: client,
        debtor_id: debtor,
        scope: HoldScope::Debtor,
        debt_id: None,
        point_id: None,
        channel: Some(Channel::Call),
        kind: HoldKind::ChannelOptout,
        from: now,
        until: None,
        lifted_at: None,
        evidence: format!("attempt:{attempt}"),
    };
    let event = |kind: &str, id: String| {
        let data = json!({"debtor_id": debtor, "reason": "optout", "id": id});
        shared.event(
            Some(client),
            shared.actor(),
            kind,
            format!("debtor:{debtor}"),
            data,
        )
    };
    let held = [event("hold.placed", hold.id.to_string())];
    if let Err(error) = persist!(shared, shared.out.store.put_hold(&hold, &held)) {
        shared.fault("opt-out not stored", &error);
    }
    shared
        .post
        .tell(move |engine, now| engine.take(now, Input::Withdraw(debtor)))
        .await;
    let added = |row: &Suppression| event("suppression.added", row.id.to_string());
    list_number(shared, (client, phone), &added).await;
}

/// Merges a feeding's figures into what the board knows.
pub(crate) fn merged(before: Option<&LastFeed>, fed: LastFeed) -> LastFeed {
    // An empty feeding says nothing new about why the last ones were refused.
    match before {
        Some(before) if fed.reserved == 0 => before.clone(),
        _ => fed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::CallResult;
    use domain::ports::store::CALLBACK_PRIORITY;
    use domain::time::UtcMs;
    use uuid::Uuid;

    fn item(done: bool, note: &str) -> ItemState {
        ItemState {
            campaign_id: CampaignId(Uuid::from_u128(1)),
            debtor_id: DebtorId(Uuid::from_u128(2)),
            next_at: UtcMs(5),
            priority: 0,
            attempts: 1,
            last_result: None,
            next_point: None,
            done,
            note: note.to_owned(),
        }
    }

    #[test]
    fn who_left_while_they_talked_stays_out() {
        let called = ItemState {
            attempts: 2,
            last_result: Some(CallResult::NoAnswer),
            next_at: UtcMs(9),
            ..item(false, "retry")
        };
        let paid = keep_done(Some(item(true, "paid")), called.clone());
        let want = ItemState {
            attempts: 2,
            last_result: Some(CallResult::NoAnswer),
            ..item(true, "paid")
        };
        assert_eq!(paid, want);
        // With his segment: where he stands by this call is where he goes on, should he come back.
        let left = keep_done(Some(item(true, LEFT_SEGMENT)), called.clone());
        let want = ItemState {
            done: true,
            note: LEFT_SEGMENT.into(),
            ..called.clone()
        };
        assert_eq!(left, want);
        let ended = item(true, "final");
        let agreed = ItemState {
            priority: CALLBACK_PRIORITY,
            ..item(false, "callback")
        };
        for row in [ended, agreed] {
            let stands = keep_done(Some(item(true, LEFT_SEGMENT)), row.clone());
            assert_eq!(stands, row);
        }
        assert_eq!(keep_done(None, called.clone()), called);
    }
}
