//! Numbers of callers that are not kept for ever.

use super::callers::{called, found};
use super::scene::*;
use domain::entity::{
    Attempt, CallResult, Channel, ContactPoint, Debtor, InboundCall, InboundOutcome, InboxMessage,
    InboxState, LedgerKind, LedgerRow,
};
use domain::ids::{AttemptId, DebtorId, InboxId};
use domain::pii::Pii;
use domain::ports::store::{Closing, Heard};
use domain::time::{DAY_MS, UtcMs};

const LONG_AGO: UtcMs = NOW.plus_ms(-400 * DAY_MS);
const BEFORE: UtcMs = NOW.plus_ms(-300 * DAY_MS);

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    who_stays_unknown_is_forgotten(store).await;
    who_was_turned_away_is_forgotten(store).await;
    who_wrote_without_a_file_is_forgotten(store).await;
    a_borrowed_number_is_forgotten(store, false).await;
    a_borrowed_number_is_forgotten(store, true).await;
}

/// Forgets all that is to be.
async fn forget(store: &Subject) {
    while store.forget_strangers(BEFORE, 500).await.expect("works") >= 500 {}
}

async fn over(store: &Subject, who: &(Debtor, ContactPoint, Attempt), at: UtcMs) {
    let call = store.get_attempt(who.2.id).await.expect("is there");
    let over = Closing {
        ended_at: Some(at.plus_ms(9)),
        result: Some(CallResult::Human),
        ledger: vec![LedgerRow::of_attempt(&call, LedgerKind::Conversation, at)],
        ..Closing::default()
    };
    assert!(store.close_attempt(call.id, &over).await.expect("works"));
}

/// Whoever was told that nobody takes him has no file; an open call and a young one keep their number.
async fn who_was_turned_away_is_forgotten(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = |at, outcome| InboundCall {
        id: fresh::<AttemptId>(),
        client_id: Some(scene.client.id),
        campaign_id: None,
        debtor_id: None,
        trunk_id: fresh(),
        node: "node".to_owned(),
        called: "+525555550199".into(),
        caller: Some(Pii("+525555550123".to_owned())),
        at,
        answered_at: None,
        ended_at: Some(at),
        agent_id: None,
        outcome,
        wait_ms: 0,
        place: None,
    };
    let rows = [
        (row(LONG_AGO, InboundOutcome::Closed), false),
        (row(LONG_AGO, InboundOutcome::Open), true),
        (row(NOW, InboundOutcome::Closed), true),
    ];
    for (row, _) in &rows {
        store.put_inbound(row, &[]).await.expect("works");
    }
    forget(store).await;
    for (row, kept) in &rows {
        let now = store.get_inbound(row.id).await.expect("the log stays");
        assert_eq!(now.caller.is_some(), *kept, "{:?}", row.outcome);
    }
}

/// A message that is nobody's loses its address by its own age.
async fn who_wrote_without_a_file_is_forgotten(store: &Subject) {
    let number = Pii("+525555550124".to_owned());
    let (old, young) = (
        message(None, &number, LONG_AGO),
        message(None, &number, NOW),
    );
    for row in [&old, &young] {
        let heard = Heard {
            row: row.clone(),
            ledger: None,
            events: Vec::new(),
        };
        assert!(store.hear(&heard).await.expect("works"));
    }
    forget(store).await;
    let now = async |row: &InboxMessage| store.get_inbox(row.id).await.expect("it stays");
    let bare = InboxMessage {
        address: Pii(String::new()),
        ..old.clone()
    };
    assert_eq!(now(&old).await, bare, "what he wrote stays");
    assert_eq!(now(&young).await, young);
}

/// Of a debtor who called from a phone that is not to be kept as his the log stays, without that number once his
/// call is over; the calls that he had before go the same way.
async fn a_borrowed_number_is_forgotten(store: &Subject, keep: bool) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let person = scene.person(store).await;
    let who = called(store, &scene, &lease, LONG_AGO).await;
    let wrote = wrote(store, &scene, &who, LONG_AGO).await;
    let given = store.attach_caller(&found(&person, &who, keep), &[]).await;
    assert!(given.expect("works"));
    let message = async || store.get_inbox(wrote).await.expect("it stays");
    assert_eq!(message().await.debtor_id, Some(person.debtor.id));
    let number = async || {
        let attempt = store.get_attempt(who.2.id).await.expect("the log stays");
        let row = store.get_inbound(who.2.id).await.expect("the log stays");
        let ledger = store.ledger_of(person.debtor.id).await.expect("works");
        let known = |number: &Pii<String>| !number.reveal().is_empty();
        let (calls, rest): (Vec<_>, Vec<_>) = ledger.iter().partition(|r| r.attempt_id.is_some());
        let all = |rows: &[&LedgerRow]| rows.iter().filter(|row| known(&row.address)).count();
        assert_eq!(rest.len(), 1, "what he wrote counts");
        (
            known(&attempt.phone),
            row.caller.is_some(),
            all(&calls),
            (all(&rest), known(&message().await.address)),
        )
    };
    let kept = (usize::from(keep), keep);
    forget(store).await;
    assert_eq!(number().await, (true, true, 0, kept), "he talks");
    over(store, &who, LONG_AGO).await;
    assert_eq!(number().await, (true, true, 1, kept));
    forget(store).await;
    assert_eq!(number().await, (keep, keep, kept.0, kept));
}

fn message(debtor: Option<DebtorId>, from: &Pii<String>, at: UtcMs) -> InboxMessage {
    InboxMessage {
        id: fresh(),
        client_id: None,
        debtor_id: debtor,
        message_id: None,
        channel: Channel::Sms,
        address: from.clone(),
        text: Pii("who are you".to_owned()),
        gateway: "gate".to_owned(),
        provider_ref: name("message"),
        state: InboxState::New,
        optout: false,
        received_at: at,
        handled_at: None,
        handled_by: String::new(),
    }
}

/// A short message of whoever that is, with its row of the ledger: no call is behind that.
async fn wrote(
    store: &Subject,
    scene: &Scene,
    (debtor, point, _): &(Debtor, ContactPoint, Attempt),
    at: UtcMs,
) -> InboxId {
    let row = InboxMessage {
        client_id: Some(scene.client.id),
        ..message(Some(debtor.id), &point.value, at)
    };
    let ledger = LedgerRow {
        id: fresh(),
        person_id: debtor.person_id,
        debtor_id: debtor.id,
        client_id: scene.client.id,
        debts: Vec::new(),
        point_id: Some(point.id),
        address: point.value.clone(),
        class: point.class,
        channel: row.channel,
        kind: LedgerKind::Reply,
        at: row.received_at,
        attempt_id: None,
        campaign_id: None,
        reached_network: None,
    };
    let id = row.id;
    let heard = Heard {
        row,
        ledger: Some(ledger),
        events: Vec::new(),
    };
    assert!(store.hear(&heard).await.expect("works"));
    id
}

async fn who_stays_unknown_is_forgotten(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let (old, talks, writes, young) = (
        called(store, &scene, &lease, LONG_AGO).await,
        called(store, &scene, &lease, LONG_AGO).await,
        called(store, &scene, &lease, LONG_AGO).await,
        called(store, &scene, &lease, NOW).await,
    );
    for (who, at) in [(&old, LONG_AGO), (&writes, LONG_AGO), (&young, NOW)] {
        over(store, who, at).await;
    }
    let message = wrote(store, &scene, &old, LONG_AGO).await;
    let lately = wrote(store, &scene, &writes, NOW).await;
    assert!(store.forget_strangers(BEFORE, 1_000).await.expect("works") >= 1);
    let number = old.1.value.reveal();
    let known = store.known_caller(scene.client.id, number).await;
    assert_eq!(known.expect("works"), None);
    let attempt = store.get_attempt(old.2.id).await.expect("the log stays");
    assert_eq!(attempt.phone.reveal(), "");
    let row = store.get_inbound(old.2.id).await.expect("the log stays");
    assert_eq!(row.caller, None);
    let ledger = store.ledger_of(old.0.id).await.expect("works");
    assert!(ledger.iter().all(|r| r.address.reveal().is_empty()) && ledger.len() == 2);
    let message = store.get_inbox(message).await.expect("it stays");
    assert_eq!(message.address.reveal(), "");
    let lately = store.get_inbox(lately).await.expect("it stays");
    assert_eq!(lately.address, writes.1.value, "he wrote yesterday");
    for kept in [&talks, &writes, &young] {
        let number = kept.1.value.reveal();
        let known = store.known_caller(scene.client.id, number).await;
        assert_eq!(known.expect("works").map(|k| k.debtor_id), Some(kept.0.id));
    }
}
