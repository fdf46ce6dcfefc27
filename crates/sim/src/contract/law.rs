//! What the law asks of the store beyond one debtor now.

use super::judges::{Refuse, verdict};
use super::scene::{NOW, Scene, Subject, event, fresh, name, node, of_promise, reserve};
use domain::entity::dnc::keyed_hash;
use domain::entity::{
    DebtStatus, Decision, DncList, Hold, HoldKind, Preference, PreferenceKind, Suppression,
    SuppressionKind,
};
use domain::ids::{DebtId, DebtorId, DncListId, PreferenceId, SuppressionId};
use domain::law::{Judge as _, Replayed, RuleBook};
use domain::ports::store::ReasonKey;
use domain::time::{HOUR_MS, UtcMs};

/// The whole group.
pub async fn all(store: Subject) {
    facts_are_those_of_their_instant(&store).await;
    a_decision_is_the_same_after_money_and_a_spoilt_number(&store).await;
    a_debt_is_open_until_it_is_paid_or_given_back(&store).await;
    a_list_binds_once_it_is_whole_and_its_successor_takes_its_place(&store).await;
    preferences_come_with_the_facts(&store).await;
    debtors_are_counted_by_where_they_stand(&store).await;
    decisions_are_a_chain(&store).await;
    events_are_found_by_what_they_are_about(&store).await;
    the_audit_is_a_chain_for_each_client(&store).await;
    super::complaints::come_by_urgency(&store).await;
    super::law_acts::all(&store).await;
    super::client_law::all(&store).await;
    super::row_facts::all(&store).await;
}

async fn facts_are_those_of_their_instant(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let hour = |n: i64| NOW.plus_ms(n * HOUR_MS);
    let hold = Hold {
        from: hour(1),
        lifted_at: Some(hour(3)),
        ..person.hold(HoldKind::Dispute)
    };
    store.put_hold(&hold, &[]).await.expect("hold");
    let listed = Suppression {
        id: fresh::<SuppressionId>(),
        client_id: None,
        debtor_id: None,
        kind: SuppressionKind::Person,
        value: person.debtor.person_id.to_string().into(),
        reason: "request".into(),
        created_at: hour(1),
        lifted_at: Some(hour(3)),
    };
    store.put_suppression(&listed, &[]).await.expect("listed");
    let ever = store.listings_of(person.debtor.id).await.expect("ever");
    assert_eq!(
        ever.as_slice(),
        std::slice::from_ref(&listed),
        "lifted, and told with its dates"
    );
    let draft = person.draft(&node(store).await, None, hour(2));
    store
        .open_attempt(&draft, &super::judges::Allow)
        .await
        .expect("open");
    for (at, held, rows) in [(0, false, 0), (2, true, 0), (4, false, 1)] {
        let at = hour(at);
        let facts = store.facts_at(person.debtor.id, at).await.expect("facts");
        let active = facts.holds.iter().any(|h| h.active_at(at));
        assert_eq!(active, held, "hold at {at}");
        let named = facts.suppressions.iter();
        let named = named.filter(|s| s.lifted_at.is_none_or(|t| at < t)).count();
        assert_eq!(named, usize::from(held), "listing at {at}");
        assert_eq!(facts.ledger.len(), rows, "ledger before {at}");
    }
    let now = store.contact_facts(person.debtor.id, hour(4)).await;
    let now = now.expect("facts");
    assert!(now.holds.is_empty() && now.suppressions.is_empty());
}

/// Monday 15:00 UTC is 9:00 in Mexico: the law lets him be called.
async fn a_decision_is_the_same_after_money_and_a_spoilt_number(store: &Subject) {
    let book = RuleBook::embedded().expect("the packs");
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let at = NOW.plus_ms(2 * HOUR_MS);
    let facts = store.contact_facts(person.debtor.id, at).await;
    let facts = facts.expect("facts");
    let asked = person.draft(&node(store).await, None, at).action;
    let verdict = book.judge(&facts, &asked);
    assert!(verdict.decision.permits(true), "{verdict:?}");
    let kept = store.record_verdict(&verdict, scene.client.id).await;
    kept.expect("kept");
    let mut payment = person.payment(100_000);
    payment.posted_at = at.plus_ms(HOUR_MS);
    let paid = store.post_payment(&payment, &[], &of_promise).await;
    assert!(paid.expect("posted").debt_paid);
    let mut point = person.point.clone();
    point.bad = true;
    store.put_point(&point, &[]).await.expect("spoilt");
    let stored = store.get_verdict(verdict.id).await.expect("stored");
    let then = store.facts_at(person.debtor.id, at).await.expect("facts");
    let again = Replayed::of(&book, &then, &stored);
    assert!(again.same, "{:?}", again.differences);
    // Today it would be another.
    let now = store
        .contact_facts(person.debtor.id, payment.posted_at)
        .await;
    let now = Replayed::of(&book, &now.expect("facts"), &stored);
    assert!(!now.same, "nothing is owed any more");
}

async fn a_debt_is_open_until_it_is_paid_or_given_back(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let hour = |n: i64| NOW.plus_ms(n * HOUR_MS);
    let mut later = scene.draft_debt(person.debtor.id, 60_000);
    (later.created_at, later.updated_at) = (hour(4), hour(4));
    store.put_debt(&later, &[]).await.expect("debt");
    let mut payment = person.payment(100_000);
    payment.posted_at = hour(2);
    let done = store.post_payment(&payment, &[], &of_promise).await;
    done.expect("posted");
    let mut back = person.payment(-100_000);
    (back.reverses, back.posted_at) = (Some(payment.id), hour(6));
    let done = store.post_payment(&back, &[], &of_promise).await;
    done.expect("taken back");
    (later.status, later.updated_at) = (DebtStatus::Recalled, hour(8));
    store.put_debt(&later, &[]).await.expect("given back");
    let (first, second) = (person.debt.id, later.id);
    for (n, want) in [
        (1, vec![first]),
        (3, vec![]),
        (5, vec![second]),
        (7, vec![first, second]),
        (9, vec![first]),
    ] {
        let facts = store.facts_at(person.debtor.id, hour(n)).await;
        let debts = facts.expect("facts").debts;
        assert!(debts.iter().all(|d| d.status == DebtStatus::Open));
        let open: Vec<DebtId> = debts.iter().map(|d| d.id).collect();
        assert_eq!(open, want, "in hour {n}");
    }
}

fn list(name: &str, created_at: UtcMs) -> DncList {
    DncList {
        id: fresh::<DncListId>(),
        client_id: None,
        name: name.into(),
        kind: SuppressionKind::Phone,
        hash_key: super::scene::name("key"),
        entries: 1,
        file_sha256: "00".into(),
        as_of: NOW,
        created_at,
        retired_at: None,
    }
}

async fn a_list_binds_once_it_is_whole_and_its_successor_takes_its_place(store: &Subject) {
    let scene = Scene::new(store).await;
    let (on, off) = (scene.person(store).await, scene.person(store).await);
    let title = name("list");
    let first = list(&title, NOW);
    let hash = |list: &DncList, phone: &str| keyed_hash(&list.hash_key, list.kind, phone);
    let phone = on.point.value.reveal().clone();
    let entries = [hash(&first, &phone), hash(&first, "+525500000000")];
    let loaded = store.load_list(&first, &entries, &[]).await;
    assert_eq!(loaded.expect("loaded"), 1, "one debtor is on it");
    let asked = [hash(&first, &phone), "no".into()];
    let has = store.list_has(first.id, &asked);
    assert_eq!(has.await.expect("asked"), vec![hash(&first, &phone)]);
    let facts = store.contact_facts(on.debtor.id, NOW).await.expect("facts");
    let hit = facts
        .suppressions
        .iter()
        .find(|s| s.reason == format!("list:{title}"));
    assert_eq!(hit.map(|s| s.value.clone()), Some(on.point.value.clone()));
    assert!(facts.lists.iter().any(|l| l.name == title));
    let free = store
        .contact_facts(off.debtor.id, NOW)
        .await
        .expect("facts");
    assert!(free.suppressions.is_empty());
    let second = list(&title, NOW.plus_ms(1));
    let entries = [hash(&second, off.point.value.reveal())];
    store
        .load_list(&second, &entries, &[])
        .await
        .expect("loaded");
    let facts = store.contact_facts(on.debtor.id, NOW).await.expect("facts");
    assert!(facts.suppressions.is_empty(), "the older load is retired");
    let facts = store
        .contact_facts(off.debtor.id, NOW)
        .await
        .expect("facts");
    assert_eq!(facts.suppressions.len(), 1);
    let old = store.get_dnc_list(first.id).await.expect("kept");
    assert_eq!(old.retired_at, Some(second.created_at));
    let mut ended = store.get_dnc_list(second.id).await.expect("kept");
    ended.retired_at = Some(NOW);
    store.put_dnc_list(&ended, &[]).await.expect("ended");
    let facts = store
        .contact_facts(off.debtor.id, NOW)
        .await
        .expect("facts");
    assert!(facts.suppressions.is_empty(), "ended");
    let ever = async |of: DebtorId| store.listings_of(of).await.expect("ever");
    let ended: Vec<_> = [ever(on.debtor.id).await, ever(off.debtor.id).await]
        .concat()
        .iter()
        .map(|s| (s.created_at, s.lifted_at))
        .collect();
    let of_lists = [
        (first.created_at, Some(second.created_at)),
        (second.created_at, Some(NOW)),
    ];
    assert_eq!(ended, of_lists, "what bound him, and until when");
}

async fn preferences_come_with_the_facts(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let wish = Preference {
        id: fresh::<PreferenceId>(),
        debtor_id: person.debtor.id,
        kind: PreferenceKind::OnlyBetween,
        channel: None,
        point_id: Some(person.point.id),
        days: vec!["mon".into(), "sat".into()],
        from: Some("16:00".into()),
        to: Some("20:00".into()),
        recorded_at: NOW,
        until: None,
        revoked_at: None,
        proof: "call 7".into(),
    };
    store.put_preference(&wish, &[]).await.expect("put");
    let facts = store.contact_facts(person.debtor.id, NOW).await;
    assert_eq!(facts.expect("facts").preferences, vec![wish]);
}

async fn debtors_are_counted_by_where_they_stand(store: &Subject) {
    let scene = Scene::new(store).await;
    for _ in 0..5 {
        scene.person(store).await;
    }
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    let taken = reserve(store, &campaign, &lease, 3).await;
    let mut refused = taken[0].item.clone();
    refused.note = "blocked_cap".into();
    refused.next_at = NOW.plus_ms(HOUR_MS);
    store
        .release_contact(&refused, None, &[])
        .await
        .expect("back");
    let mut agreed = taken[1].item.clone();
    agreed.note = format!("callback_own:{}", fresh::<domain::ids::AgentId>());
    agreed.next_at = NOW.plus_ms(HOUR_MS);
    store
        .release_contact(&agreed, None, &[])
        .await
        .expect("back");
    let key = |due, leased, note: &str| ReasonKey {
        done: false,
        due,
        leased,
        note: note.into(),
    };
    let counts = store.campaign_reasons(campaign.id, NOW).await;
    let counts = counts.expect("counted");
    let of = |wanted: &ReasonKey| {
        let found = counts.iter().find(|c| &c.key == wanted);
        found.map_or(0, |c| c.debtors)
    };
    assert_eq!(counts.iter().map(|c| c.debtors).sum::<u64>(), 5);
    assert_eq!(of(&key(true, false, "")), 2);
    assert_eq!(of(&key(true, true, "")), 1);
    assert_eq!(of(&key(false, false, "blocked_cap")), 1);
    assert_eq!(of(&key(false, false, "callback_own")), 1, "whoever it is");
    let rows = store
        .reason_rows(campaign.id, &key(true, false, ""), NOW, None, 1)
        .await
        .expect("rows");
    assert_eq!(rows.len(), 1);
    let after = rows.first().map(|r| r.debtor_id);
    let rest = store
        .reason_rows(campaign.id, &key(true, false, ""), NOW, after, 10)
        .await
        .expect("rows");
    assert_eq!(rest.len(), 1, "the page after it");
    let own = store
        .reason_rows(
            campaign.id,
            &key(false, false, "callback_own"),
            NOW,
            None,
            10,
        )
        .await
        .expect("rows");
    assert_eq!(own, vec![agreed]);
}

async fn decisions_are_a_chain(store: &Subject) {
    let scene = Scene::new(store).await;
    let (person, other) = (scene.person(store).await, scene.person(store).await);
    let lease = node(store).await;
    for who in [&person, &other, &person, &person] {
        let draft = who.draft(&lease, None, NOW);
        let facts = store
            .contact_facts(who.debtor.id, NOW)
            .await
            .expect("facts");
        let row = Refuse.judge(&facts, &draft.action);
        store
            .record_verdict(&row, scene.client.id)
            .await
            .expect("kept");
        let again = verdict(&facts, &draft.action, Decision::Allow);
        store
            .record_verdict(&again, scene.client.id)
            .await
            .expect("a repeat changes nothing");
    }
    let chain = store.verdict_chain(person.debtor.id).await.expect("chain");
    assert_eq!(chain.len(), 3);
    for (n, link) in chain.iter().enumerate() {
        assert_eq!(link.seq, i64::try_from(n).expect("few") + 1);
        assert!(link.whole);
    }
    for pair in chain.windows(2) {
        assert_eq!(pair[1].prev_hash, pair[0].hash);
    }
}

async fn events_are_found_by_what_they_are_about(store: &Subject) {
    let (mine, other) = (name("debtor"), name("debtor"));
    let first = event("hold.placed", &mine);
    let rows = [first.clone(), event("hold.placed", &other)];
    store.append_events(&rows).await.expect("appended");
    let found = store.events_about(&[mine, name("nobody")]).await;
    let found: Vec<_> = found.expect("found").into_iter().map(|e| e.event).collect();
    assert_eq!(found, vec![first]);
}

async fn the_audit_is_a_chain_for_each_client(store: &Subject) {
    let scene = Scene::new(store).await;
    let tenant = scene.client.id.to_string();
    let mut rows: Vec<_> = (0..3)
        .map(|_| event("audit.written", &name("thing")))
        .collect();
    for row in &mut rows {
        row.client_id = Some(scene.client.id);
    }
    let other = event("hold.placed", &name("thing"));
    store.append_events(&rows[..2]).await.expect("appended");
    store.append_events(&[other]).await.expect("no audit");
    // One is written again: it stands once.
    store.append_events(&rows[1..]).await.expect("appended");
    let links = store.audit_links(&tenant, 0, 100).await.expect("links");
    assert_eq!(
        links.iter().map(|l| l.seq).collect::<Vec<_>>(),
        vec![1, 2, 3]
    );
    assert!(links.iter().all(|l| l.whole));
    assert_eq!(links[0].prev_hash, "");
    for pair in links.windows(2) {
        assert_eq!(pair[1].prev_hash, pair[0].hash);
        assert!(pair[0].cursor < pair[1].cursor);
    }
    let behind = store.audit_links(&tenant, 2, 100).await.expect("links");
    assert_eq!(behind, links[2..]);
    let heads = store.audit_heads().await.expect("heads");
    let head = heads.iter().find(|h| h.tenant == tenant);
    let head = head.expect("the client's");
    assert_eq!((head.seq, &head.hash), (3, &links[2].hash));
    assert_eq!(store.audit_loose().await.expect("loose").1, 0);
}
