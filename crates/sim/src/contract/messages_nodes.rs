//! Messages and several nodes: the rate is the installation's, who opens has a lease of his own, and a link
//! is made with its message.

use super::judges::Allow;
use super::messages::{asks, draft, open, person, plan, waiting};
use super::scene::*;
use domain::entity::{Channel, LinkState, Message, MessageState, PaymentLink};
use domain::money::Money;
use domain::ports::store::{ClaimAsk, MessageOpened, MessageStep};
use domain::time::{HOUR_MS, MINUTE_MS};
use tokio::task::JoinSet;

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    the_rate_is_the_installation_s(store).await;
    who_opens_has_a_lease(store).await;
    who_was_late_opens_nothing(store).await;
    a_link_is_made_with_its_message(store).await;
}

async fn the_rate_is_the_installation_s(store: &Subject) {
    let (_, who) = person(store).await;
    for _ in 0..9 {
        let row = Message {
            channel: Channel::Push,
            ..waiting(&who, None)
        };
        plan(store, &row).await;
    }
    let gateway = name("gateway");
    let mut nodes = JoinSet::new();
    for _ in 0..4 {
        let (store, gateway) = (store.clone(), gateway.clone());
        nodes.spawn(async move {
            let ask = ClaimAsk {
                per_minute: 5,
                limit: 2,
                ..asks(&gateway, &[Channel::Push], NOW)
            };
            store.claim_messages(&ask).await.expect("works").due.len()
        });
    }
    let taken: usize = nodes.join_all().await.into_iter().sum();
    assert_eq!(taken, 5, "all nodes together");
    let ask = ClaimAsk {
        per_minute: 5,
        limit: 3,
        ..asks(&gateway, &[Channel::Push], NOW.plus_ms(MINUTE_MS))
    };
    let next = store.claim_messages(&ask).await.expect("works").due;
    assert_eq!(next.len(), 3, "the next minute is another one");
    // A node whose clock is behind counts in the minute that is.
    let behind = ClaimAsk {
        limit: 9,
        until: NOW.plus_ms(HOUR_MS),
        now: NOW,
        ..ask
    };
    let late = store.claim_messages(&behind).await.expect("works").due;
    assert!(late.len() <= 2, "{}", late.len());
    let carried = store.carried_since(NOW).await.expect("works");
    assert!(carried.contains(&Channel::Push), "{carried:?}");
    let later = NOW.plus_ms(400 * 24 * HOUR_MS);
    let carried = store.carried_since(later).await.expect("works");
    assert!(carried.is_empty(), "nobody has asked since: {carried:?}");
}

async fn who_opens_has_a_lease(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    let mut opening = draft(&who, &row);
    opening.lease_until = NOW.plus_ms(3 * HOUR_MS);
    let opened = store.open_message(&opening, &Allow).await.expect("works");
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
    let gateway = name("gateway");
    let lost = async |hours: i64| {
        let ask = asks(&gateway, &[], NOW.plus_ms(hours * HOUR_MS));
        let lost = store.claim_messages(&ask).await.expect("works").lost;
        lost.iter().any(|m| m.id == row.id)
    };
    assert!(!lost(2).await, "it is being sent");
    assert!(lost(3).await, "its sender is dead");
}

/// His lease ended before he opened it; meanwhile another one tried it.
async fn who_was_late_opens_nothing(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    let opened = open(store, &who, &row, &Allow).await;
    assert!(matches!(opened, MessageOpened::Open), "{opened:?}");
    let again = MessageStep {
        state: Some(MessageState::Queued),
        at: NOW,
        due_at: Some(NOW.plus_ms(HOUR_MS)),
        ..MessageStep::default()
    };
    assert!(
        store
            .note_message(row.id, &again, &[])
            .await
            .expect("works")
    );
    let late = open(store, &who, &row, &Allow).await;
    assert!(matches!(late, MessageOpened::Gone), "{late:?}");
    let kept = store.get_message(row.id).await.expect("works");
    assert_eq!((kept.state, kept.tries), (MessageState::Queued, 1));
}

async fn a_link_is_made_with_its_message(store: &Subject) {
    let (_, who) = person(store).await;
    let row = waiting(&who, None);
    plan(store, &row).await;
    let link = |minor: i64| PaymentLink {
        id: uuid::Uuid::new_v5(&row.id.0, b"link").into(),
        client_id: who.debtor.client_id,
        debtor_id: who.debtor.id,
        debt_id: who.debt.id,
        amount: Money::new(minor, who.debt.currency),
        point_id: Some(who.point.id),
        state: LinkState::Created,
        tries: 0,
        session: None,
        session_url: None,
        made_by: "system".into(),
        created_at: NOW,
        expires_at: NOW.plus_ms(72 * HOUR_MS),
        opened_at: None,
        paid_at: None,
    };
    let mut first = draft(&who, &row);
    first.link = Some(link(9_000));
    store.open_message(&first, &Allow).await.expect("works");
    let kept = store.get_payment_link(link(0).id).await.expect("made");
    assert_eq!(kept, link(9_000));
    let again = MessageStep {
        state: Some(MessageState::Queued),
        at: NOW,
        ..MessageStep::default()
    };
    assert!(
        store
            .note_message(row.id, &again, &[])
            .await
            .expect("works")
    );
    let mut second = draft(&who, &store.get_message(row.id).await.expect("works"));
    second.link = Some(link(4_000));
    store.open_message(&second, &Allow).await.expect("works");
    let kept = store.get_payment_link(link(0).id).await.expect("made");
    assert_eq!(kept.amount.amount_minor, 4_000, "what is owed by now");
}
