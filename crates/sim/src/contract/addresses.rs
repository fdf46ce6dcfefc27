//! Postal addresses: added, confirmed by files, limited, and each current one's zone is one of the debtor's.

use super::scene::*;
use domain::entity::{ADDRESSES_MAX, Address};
use domain::ids::AddressId;
use domain::ports::StoreError;
use domain::time::DAY_MS;

/// Runs the group.
pub async fn all(store: Subject) {
    files_add_and_confirm(&store).await;
    zones_of_current_ones_count(&store).await;
    there_is_a_limit(&store).await;
}

/// Where he lives, as an agent wrote it down.
#[must_use]
pub fn address(person: &Person, street: &str) -> Address {
    Address {
        id: fresh::<AddressId>(),
        client_id: person.debtor.client_id,
        debtor_id: person.debtor.id,
        street: street.into(),
        city: "Tijuana".into(),
        region: "BC".into(),
        postcode: "22000".into(),
        country: "MX".into(),
        zone: Some("America/Tijuana".into()),
        source: "agent".into(),
        bad: false,
        added_at: NOW,
        confirmed_at: NOW,
    }
}

async fn list(store: &Subject, person: &Person) -> Vec<Address> {
    let found = store.addresses_of(person.debtor.id).await;
    found.expect("addresses")
}

async fn files_add_and_confirm(store: &Subject) {
    let person = Scene::new(store).await.draft_person();
    let mut row = person.row(2);
    let said = address(&person, "Calle 1");
    row.address = Some(said.clone());
    let first = store
        .import_batch(fresh(), std::slice::from_ref(&row), false, &[])
        .await;
    assert_eq!(first.expect("import").debtors_new, 1);
    assert_eq!(list(store, &person).await, std::slice::from_ref(&said));
    // The same place again, written otherwise, by another row.
    let again = Address {
        id: fresh(),
        street: " CALLE 1".into(),
        confirmed_at: NOW.plus_ms(DAY_MS),
        ..said.clone()
    };
    row.address = Some(again);
    let second = store
        .import_batch(fresh(), std::slice::from_ref(&row), false, &[])
        .await;
    assert_eq!(second.expect("import").unchanged, 1);
    let known = list(store, &person).await;
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].id, known[0].added_at, known[0].confirmed_at),
        (said.id, NOW, NOW.plus_ms(DAY_MS))
    );
    row.address = Some(Address {
        confirmed_at: NOW.plus_ms(2 * DAY_MS),
        ..address(&person, "Calle 2")
    });
    let third = store.import_batch(fresh(), &[row], false, &[]).await;
    assert_eq!(third.expect("import").debtors_changed, 1);
    let streets: Vec<String> = list(store, &person)
        .await
        .into_iter()
        .map(|a| a.street.into_inner())
        .collect();
    assert_eq!(streets, ["Calle 2", "Calle 1"], "last confirmed first");
}

async fn zones_of_current_ones_count(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let zones = async || {
        let facts = store.contact_facts(person.debtor.id, NOW).await;
        facts.expect("facts").address_zones
    };
    assert!(zones().await.is_empty());
    let mut row = address(&person, "Calle 1");
    let told = [event("address.made", &format!("address:{}", row.id))];
    store.put_address(&row, &told).await.expect("put");
    assert_eq!(zones().await, ["America/Tijuana"]);
    row.bad = true;
    store.put_address(&row, &[]).await.expect("put");
    assert!(zones().await.is_empty(), "a wrong one counts no more");
    assert_eq!(store.get_address(row.id).await.expect("address"), row);
}

async fn there_is_a_limit(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    for n in 0..ADDRESSES_MAX {
        let row = address(&person, &format!("Calle {n}"));
        store.put_address(&row, &[]).await.expect("put");
    }
    let more = store.put_address(&address(&person, "Otra"), &[]).await;
    assert!(matches!(more, Err(StoreError::Conflict(_))), "{more:?}");
    let known = list(store, &person).await.remove(0);
    store.put_address(&known, &[]).await.expect("kept again");
}
