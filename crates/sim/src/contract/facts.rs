//! The facts a verdict is made of.

use super::judges::*;
use super::scene::*;
use domain::entity::{
    CallResult, Channel, DebtStatus, Hold, HoldKind, Suppression, SuppressionKind,
};
use domain::ids::{ClientId, DebtorId, HoldId, SuppressionId};
use domain::ports::StoreError;
use domain::time::DAY_MS;

/// Runs the group.
pub async fn all(store: Subject) {
    everything_of_the_debtor(&store).await;
    the_ledger_spans_clients(&store).await;
    suppressions_by_number_and_document(&store).await;
    listings_are_compared_as_they_are_meant(&store).await;
    a_listing_names_him_however_his_values_are_written(&store).await;
    a_hold_of_the_person_binds_all_his_debts(&store).await;
    closed_debts_and_lifted_holds_are_not_facts(&store).await;
}

async fn everything_of_the_debtor(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let row = person.row(2);
    store.put_party(&row.parties[0], &[]).await.expect("party");
    store
        .put_consent(&row.consents[0], &[])
        .await
        .expect("consent");
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert_eq!(facts.debtor, person.debtor);
    assert_eq!(facts.portfolio, scene.portfolio);
    assert_eq!(facts.debts, vec![person.debt]);
    assert_eq!(facts.points, vec![person.point]);
    assert_eq!(facts.parties, row.parties);
    assert_eq!(facts.consents, row.consents);
    assert!(facts.ledger.is_empty() && facts.holds.is_empty() && facts.suppressions.is_empty());
    let missing = store.contact_facts(fresh::<DebtorId>(), NOW).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("debtor"))),
        "{missing:?}"
    );
}

async fn the_ledger_spans_clients(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let here = ours.person(store).await;
    let mut same_person = theirs.draft_person();
    same_person.debtor.person_id = here.debtor.person_id;
    same_person.store(store).await;
    let mut same_phone = theirs.draft_person();
    same_phone.point.value = here.point.value.clone();
    same_phone.store(store).await;
    let stranger = theirs.person(store).await;
    let lease = node(store).await;
    let mut want = Vec::new();
    for (person, days) in [
        (&same_person, 44),
        (&same_phone, 3),
        (&stranger, 2),
        (&here, 46),
    ] {
        let draft = person.draft(&lease, None, NOW.plus_ms(-days * DAY_MS));
        store.open_attempt(&draft, &Allow).await.expect("open");
        let closing = super::attempts::ended(CallResult::NoAnswer);
        store
            .close_attempt(draft.attempt.id, &closing)
            .await
            .expect("close");
        want.push(draft.ledger);
    }
    let facts = store
        .contact_facts(here.debtor.id, NOW)
        .await
        .expect("facts");
    let mut ledger = facts.ledger;
    ledger.sort_by_key(|r| r.at);
    assert_eq!(
        ledger,
        want[..2],
        "by person and by number, 45 days, nobody else's"
    );
}

fn listed(kind: SuppressionKind, value: &str) -> Suppression {
    Suppression {
        id: fresh::<SuppressionId>(),
        client_id: Some(fresh::<ClientId>()),
        debtor_id: None,
        kind,
        value: value.into(),
        reason: "request".into(),
        created_at: NOW,
        lifted_at: None,
    }
}

async fn suppressions_by_number_and_document(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let (phone, document) = (person.point.value.reveal(), person.debtor.document.reveal());
    let by_phone = listed(SuppressionKind::Phone, phone);
    let by_document = listed(SuppressionKind::Document, document);
    // The value of one kind under the other names nobody.
    let crossed = listed(SuppressionKind::Document, phone);
    let mut lifted = listed(SuppressionKind::Phone, phone);
    lifted.lifted_at = Some(NOW);
    for row in [&by_phone, &by_document, &crossed, &lifted] {
        store.put_suppression(row, &[]).await.expect("put");
    }
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    let mut found = facts.suppressions;
    found.sort_by_key(|s| s.id);
    assert_eq!(
        found,
        vec![by_phone, by_document],
        "whoever asked; the judge reads for whom"
    );
}

/// `12.345.678-K` and `12345678k` are one document; a person is listed by his identity.
async fn listings_are_compared_as_they_are_meant(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut person = scene.draft_person();
    let digits = person.debtor.id.0.as_u128() % 1_000_000_000_000;
    person.debtor.document = format!("{digits}K").into();
    person.store(store).await;
    let dotted = format!("{}.{}-k", digits / 1_000, digits % 1_000 + 1_000);
    let dotted = dotted.replacen(".1", ".", 1);
    let phone = person.point.value.reveal().replace("+52", "+52 ");
    let id = person.debtor.person_id.to_string();
    let mut want = vec![
        listed(SuppressionKind::Document, &dotted),
        listed(SuppressionKind::Phone, &phone),
        listed(SuppressionKind::Person, &id),
    ];
    let other = listed(SuppressionKind::Document, &format!("{digits}-L"));
    for row in want.iter().chain([&other]) {
        store.put_suppression(row, &[]).await.expect("put");
    }
    let facts = store.contact_facts(person.debtor.id, NOW).await;
    let mut found = facts.expect("facts").suppressions;
    found.sort_by_key(|s| s.id);
    want.sort_by_key(|s| s.id);
    assert_eq!(found, want);
}

/// His own document, number and address with signs, blanks and letters of other alphabets; one of each listed as it is meant.
async fn a_listing_names_him_however_his_values_are_written(store: &Subject) {
    let scene = Scene::new(store).await;
    for (document, mail, listed_document, listed_mail) in [
        ("rf.c-", " Ana.{}@Mail.MX\t", "RFC", "ana.{}@mail.mx"),
        (
            "ñu-ß ",
            "\u{c1}na.{}@mail.mx ",
            "\u{d1}USS",
            "\u{e1}NA.{}@mail.mx",
        ),
    ] {
        let mut person = scene.draft_person();
        let own = person.debtor.id.0.simple().to_string();
        person.debtor.document = format!("{document}{own}").into();
        let number = person.point.value.reveal().clone();
        person.point.value = format!("({})-{} ", &number[..3], &number[3..]).into();
        person.store(store).await;
        let mut address = draft_point(person.debtor.id);
        address.channel = Channel::Email;
        address.value = mail.replace("{}", &own).into();
        store.put_point(&address, &[]).await.expect("point");
        let mut want = vec![
            listed(
                SuppressionKind::Document,
                &format!("{listed_document}{own}"),
            ),
            listed(SuppressionKind::Phone, &number),
            listed(SuppressionKind::Email, &listed_mail.replace("{}", &own)),
        ];
        for row in &want {
            store.put_suppression(row, &[]).await.expect("put");
        }
        let facts = store.contact_facts(person.debtor.id, NOW).await;
        let mut found = facts.expect("facts").suppressions;
        found.sort_by_key(|s| s.id);
        want.sort_by_key(|s| s.id);
        assert_eq!(found, want);
    }
}

/// Dead for one client is dead for all; what he asked one client for binds that client's debts.
async fn a_hold_of_the_person_binds_all_his_debts(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let person = ours.person(store).await;
    let mut same_client = ours.draft_person();
    let mut other_client = theirs.draft_person();
    for other in [&mut same_client, &mut other_client] {
        other.debtor.person_id = person.debtor.person_id;
        other.store(store).await;
    }
    let (dead, cease, dispute) = (
        person.hold(HoldKind::Deceased),
        person.hold(HoldKind::Cease),
        person.hold(HoldKind::Dispute),
    );
    let mut lifted = person.hold(HoldKind::Insolvency);
    lifted.lifted_at = Some(NOW);
    for row in [&dead, &cease, &dispute, &lifted] {
        store.put_hold(row, &[]).await.expect("hold");
    }
    for (who, want) in [
        (&person, vec![dead.id, cease.id, dispute.id]),
        (&same_client, vec![dead.id, cease.id]),
        (&other_client, vec![dead.id]),
    ] {
        let facts = store.contact_facts(who.debtor.id, NOW).await;
        let mut found: Vec<HoldId> = facts.expect("facts").holds.iter().map(|h| h.id).collect();
        found.sort_unstable();
        assert_eq!(found, want);
    }
}

async fn closed_debts_and_lifted_holds_are_not_facts(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let mut paid = scene.draft_debt(person.debtor.id, 70_000);
    paid.status = DebtStatus::Recalled;
    store.put_debt(&paid, &[]).await.expect("debt");
    let hold = |lifted_at| Hold {
        lifted_at,
        ..person.hold(HoldKind::Dispute)
    };
    let (stands, lifted) = (hold(None), hold(Some(NOW)));
    store.put_hold(&stands, &[]).await.expect("hold");
    store.put_hold(&lifted, &[]).await.expect("hold");
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert_eq!(facts.debts, vec![person.debt]);
    assert_eq!(facts.holds, vec![stands]);
}
