//! Places that are kept in queues: one for each person, none for who has talked.

use super::nodes::fresh_item;
use super::scene::{NOW, Scene, Subject, fresh, node};
use domain::entity::{Campaign, Debt, DebtStatus};
use domain::ids::DebtorId;
use domain::ports::store::{CALLBACK_PRIORITY, CallbackRow, ItemState, NodeLease, PlaceKept};
use domain::time::{MINUTE_MS, UtcMs};

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    a_person_has_one_place(store).await;
    who_talks_has_none(store).await;
    who_owes_is_told_at_once(store).await;
}

async fn keep(
    store: &Subject,
    (campaign, debtor): (&Campaign, DebtorId),
    lease: &NodeLease,
    since: UtcMs,
) -> PlaceKept {
    let until = since.plus_ms(30 * MINUTE_MS);
    let item = ItemState {
        next_at: until,
        priority: CALLBACK_PRIORITY,
        note: CallbackRow::note_of(None),
        ..fresh_item(campaign.id, debtor)
    };
    let place = PlaceKept {
        campaign: campaign.id,
        debtor,
        node: lease.node.clone(),
        fence: lease.fence,
        since,
        until,
    };
    store.keep_place(&place, &item).await.expect("kept");
    place
}

async fn of(store: &Subject, lease: &NodeLease) -> Vec<PlaceKept> {
    let rows = store.places_of(&lease.node, lease.fence).await;
    rows.expect("works")
}

/// He asks again on another node, by the same file or by another one of his: the later place is the one.
async fn a_person_has_one_place(store: &Subject) {
    let scene = Scene::new(store).await;
    let (one, other) = (node(store).await, node(store).await);
    let first = scene.person(store).await;
    let mut second = scene.draft_person();
    second.debtor.person_id = first.debtor.person_id;
    second.store(store).await;
    let stranger = scene.person(store).await.debtor.id;
    let campaign = scene.campaign(store).await;
    keep(store, (&campaign, first.debtor.id), &one, NOW).await;
    let his = keep(store, (&campaign, stranger), &one, NOW).await;
    let later = NOW.plus_ms(MINUTE_MS);
    let again = keep(store, (&campaign, first.debtor.id), &other, later).await;
    assert_eq!(of(store, &one).await.as_slice(), std::slice::from_ref(&his));
    assert_eq!(of(store, &other).await, [again]);
    let last = later.plus_ms(MINUTE_MS);
    let twin = keep(store, (&campaign, second.debtor.id), &one, last).await;
    assert_eq!(of(store, &one).await, [his, twin]);
    assert_eq!(of(store, &other).await, []);
}

async fn who_talks_has_none(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let (talks, waits) = (scene.person(store).await, scene.person(store).await);
    let campaign = scene.campaign(store).await;
    keep(store, (&campaign, talks.debtor.id), &lease, NOW).await;
    let stays = keep(store, (&campaign, waits.debtor.id), &lease, NOW).await;
    let elsewhere = Scene::new(store).await.client.id;
    for (client, left) in [(elsewhere, 2), (scene.client.id, 1)] {
        let done = store.end_places(talks.debtor.person_id, client).await;
        done.expect("works");
        assert_eq!(of(store, &lease).await.len(), left);
    }
    assert_eq!(of(store, &lease).await, [stays]);
}

/// Of many debtors those who have an open debt.
async fn who_owes_is_told_at_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(scene.person(store).await);
    }
    let ids: Vec<DebtorId> = people.iter().map(|p| p.debtor.id).collect();
    let gone = Debt {
        status: DebtStatus::Recalled,
        ..people[1].debt.clone()
    };
    store.put_debt(&gone, &[]).await.expect("recalled");
    let asked = [ids.clone(), ids.clone(), vec![fresh()]].concat();
    let mut owing = store.owing(&asked).await.expect("works");
    owing.sort_unstable();
    let mut expected = vec![ids[0], ids[2]];
    expected.sort_unstable();
    assert_eq!(owing, expected, "each once");
    assert_eq!(store.owing(&[]).await.expect("works"), []);
    let mut expected = Vec::new();
    for person in &people[..2] {
        expected.extend(person.row(2).consents);
    }
    for consent in &expected {
        store.put_consent(consent, &[]).await.expect("consent");
    }
    let mut consents = store.consents_of(&asked).await.expect("works");
    consents.sort_by_key(|c| c.id);
    expected.sort_by_key(|c| c.id);
    assert_eq!(consents, expected, "each once");
    assert_eq!(store.consents_of(&[]).await.expect("works"), []);
}
