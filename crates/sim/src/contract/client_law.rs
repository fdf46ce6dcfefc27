//! What a client's contract asks comes with the facts of his debtors, version by version, and binds an attempt at once.

use super::scene::{NOW, Person, Scene, Subject, event, fresh, node, reserve};
use domain::entity::{Channel, Verdict};
use domain::ids::ClientId;
use domain::law::pack::Day;
use domain::law::{ClientLaw, ContractTerms, Judge as _, Replayed, RuleBook, TermWindow};
use domain::ports::store::{OpenOutcome, StoreError};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};

pub(super) async fn all(store: &Subject) {
    versions_follow_one_another(store).await;
    a_decision_is_made_again_with_the_version_of_its_time(store).await;
    it_binds_who_is_reserved_already(store).await;
}

/// Calls from ten to six; it is nine in the morning at [`NOW`] where the debtors of a scene live.
fn from_ten(client: ClientId, version: i32, at: UtcMs) -> ClientLaw {
    let window = TermWindow {
        days: Day::ALL.to_vec(),
        from: "10:00".into(),
        to: "18:00".into(),
        channels: vec![Channel::Call],
    };
    ClientLaw {
        client_id: client,
        version,
        terms: ContractTerms {
            windows: vec![window],
            ..ContractTerms::default()
        },
        updated_at: at,
        updated_by: "user:1".into(),
    }
}

/// Asserts that the contract's hours refused.
#[track_caller]
fn binds(verdict: &Verdict) {
    let mut refused = verdict.rules.iter().filter(|r| r.refused);
    assert!(
        refused.any(|r| r.rule == "client/windows"),
        "{:#?}",
        verdict.rules
    );
}

async fn law_of(store: &Subject, person: &Person, at: UtcMs) -> Option<ClientLaw> {
    let facts = store.contact_facts(person.debtor.id, at).await;
    let law = facts.expect("facts").client_law;
    law.map(|law| (*law).clone())
}

async fn versions_follow_one_another(store: &Subject) {
    let (scene, elsewhere) = (Scene::new(store).await, Scene::new(store).await);
    let (person, other) = (scene.person(store).await, elsewhere.person(store).await);
    let client = scene.client.id;
    let none = store.client_law(client).await.expect("read");
    assert_eq!(none, ClientLaw::none(client));
    assert_eq!(law_of(store, &person, NOW).await, None);
    let before = store.client_law_changes().await.expect("counted");
    let first = from_ten(client, 1, NOW);
    let subject = format!("client:{client}");
    let told = [event("audit.written", &subject)];
    store.put_client_law(&first, &told).await.expect("put");
    let late = store.put_client_law(&first, &told).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    let events = store.events_about(&[subject]).await.expect("events");
    assert_eq!(events.len(), 1, "who did it is told with it");
    let second = ClientLaw {
        terms: ContractTerms {
            strict_mode: true,
            ..first.terms.clone()
        },
        ..from_ten(client, 2, NOW.plus_ms(HOUR_MS))
    };
    assert_eq!(law_of(store, &person, NOW).await, Some(first.clone()));
    store.put_client_law(&second, &[]).await.expect("put");
    assert_eq!(store.client_law(client).await.expect("read"), second);
    assert_eq!(law_of(store, &person, NOW).await, Some(second.clone()));
    assert_eq!(law_of(store, &other, NOW).await, None, "another client's");
    let after = store.client_law_changes().await.expect("counted");
    assert!(after >= before + 2);
    let kept = async |limit| store.client_laws_of(client, limit).await.expect("versions");
    assert_eq!(kept(10).await, [second.clone(), first.clone()]);
    assert_eq!(kept(1).await, std::slice::from_ref(&second), "the newest");
    for (at, law) in [(-1, None), (0, Some(first)), (HOUR_MS, Some(second))] {
        let then = store.facts_at(person.debtor.id, NOW.plus_ms(at)).await;
        let then = then.expect("facts").client_law;
        assert_eq!(then.map(|law| (*law).clone()), law, "{at}");
    }
    let nobody = from_ten(fresh(), 1, NOW);
    let gone = store.put_client_law(&nobody, &[]).await;
    assert!(
        matches!(gone, Err(StoreError::NotFound("client"))),
        "{gone:?}"
    );
}

async fn a_decision_is_made_again_with_the_version_of_its_time(store: &Subject) {
    let book = RuleBook::embedded().expect("the packs");
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let at = NOW.plus_ms(MINUTE_MS);
    let first = from_ten(scene.client.id, 1, NOW);
    store.put_client_law(&first, &[]).await.expect("put");
    let facts = store.contact_facts(person.debtor.id, at).await;
    let asked = person.draft(&node(store).await, None, at).action;
    let verdict = book.judge(&facts.expect("facts"), &asked);
    binds(&verdict);
    let kept = store.record_verdict(&verdict, scene.client.id).await;
    kept.expect("kept");
    let mut next = from_ten(scene.client.id, 2, at.plus_ms(1));
    next.terms = ContractTerms::default();
    store.put_client_law(&next, &[]).await.expect("put");
    let stored = store.get_verdict(verdict.id).await.expect("stored");
    let then = store.facts_at(person.debtor.id, at).await.expect("facts");
    let again = Replayed::of(&book, &then, &stored);
    assert!(again.same, "{:?}", again.differences);
    let now = store.contact_facts(person.debtor.id, at.plus_ms(2)).await;
    let now = Replayed::of(&book, &now.expect("facts"), &stored);
    assert!(!now.same, "today he may be called at nine");
}

/// What was read before the contract changed is not what an attempt is judged by.
async fn it_binds_who_is_reserved_already(store: &Subject) {
    let book = RuleBook::embedded().expect("the packs");
    let scene = Scene::new(store).await;
    let (held, free) = (scene.person(store).await, scene.person(store).await);
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    assert_eq!(reserve(store, &campaign, &lease, 2).await.len(), 2);
    let at = NOW.plus_ms(MINUTE_MS);
    let law = from_ten(scene.client.id, 1, NOW);
    store.put_client_law(&law, &[]).await.expect("put");
    let draft = held.draft(&lease, Some(campaign.id), at);
    let opened = store.open_attempt(&draft, &book).await.expect("asked");
    let OpenOutcome::Refused(verdict) = opened else {
        panic!("not refused: {opened:?}");
    };
    binds(&verdict);
    let mut none = from_ten(scene.client.id, 2, NOW);
    none.terms = ContractTerms::default();
    store.put_client_law(&none, &[]).await.expect("put");
    let draft = free.draft(&lease, Some(campaign.id), at);
    let opened = store.open_attempt(&draft, &book).await.expect("asked");
    assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
}
