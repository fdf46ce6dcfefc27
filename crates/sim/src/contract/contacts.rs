//! Campaign items, reservations and verdicts.

use super::judges::*;
use super::scene::*;
use domain::entity::{BlockReason, CallResult, Decision};
use domain::ids::{CampaignId, PointId, VerdictId};
use domain::ports::StoreError;
use domain::ports::store::{ItemCounts, ItemState, RefillReport};
use domain::segment::parse;
use domain::time::MINUTE_MS;

/// Runs the group.
pub async fn all(store: Subject) {
    refill_adds_each_debtor_once(&store).await;
    items_are_kept_whole(&store).await;
    a_reservation_holds_until_it_ends(&store).await;
    one_person_is_held_once(&store).await;
    the_campaign_order_is_kept(&store).await;
    currencies_stand_beside_each_other(&store).await;
    what_is_not_due_stays(&store).await;
    release_gives_back(&store).await;
    a_fenced_node_reserves_nothing(&store).await;
    attempts_per_point_are_counted(&store).await;
    verdicts_are_kept(&store).await;
}

async fn refill_adds_each_debtor_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let mut rich = scene.draft_person();
    rich.debt = scene.draft_debt(rich.debtor.id, 9_000_000);
    rich.store(store).await;
    // Another client's debtor never comes in.
    Scene::new(store).await.person(store).await;
    let campaign = scene.draft_campaign();
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let few = parse("balance >= 5000.00").expect("expression");
    let told = [event(
        "campaign.refilled",
        &format!("campaign:{}", campaign.id),
    )];
    let report = store
        .refill_campaign(&campaign, &few, NOW, &told)
        .await
        .expect("refill");
    let want = |matched, added| RefillReport {
        matched,
        added,
        ..RefillReport::default()
    };
    assert_eq!(report, want(1, 1));
    let every = domain::segment::Expr::All;
    for added in [2, 0] {
        let report = store.refill_campaign(&campaign, &every, NOW, &[]).await;
        assert_eq!(report.expect("refill"), want(3, added));
    }
    for person in [&a, &b, &rich] {
        let items = store.items_of(person.debtor.id).await.expect("items");
        assert_eq!(items.len(), 1);
        assert_eq!(items[0], item(campaign.id, person));
    }
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    assert!(events.iter().any(|e| e.event == told[0]));
}

/// The item of a debtor who was just taken in.
fn item(campaign: CampaignId, person: &Person) -> ItemState {
    ItemState {
        campaign_id: campaign,
        debtor_id: person.debtor.id,
        next_at: NOW,
        priority: 0,
        attempts: 0,
        last_result: None,
        next_point: None,
        done: false,
        note: String::new(),
    }
}

async fn items_are_kept_whole(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let mut row = ItemState {
        next_at: NOW.plus_ms(5),
        priority: 20,
        attempts: 3,
        last_result: Some(CallResult::Busy),
        next_point: Some(fresh::<PointId>()),
        note: "callback".into(),
        ..item(campaign.id, &person)
    };
    let told = [event("item.put", &format!("debtor:{}", person.debtor.id))];
    store.put_item(&row, &told).await.expect("put");
    assert_eq!(
        store.items_of(person.debtor.id).await.expect("items"),
        vec![row.clone()]
    );
    row.done = true;
    store.put_item(&row, &[]).await.expect("put");
    assert_eq!(
        store.items_of(person.debtor.id).await.expect("items"),
        vec![row.clone()]
    );
    // A refill does not bring back who has left for good.
    refill(store, &campaign).await;
    assert_eq!(
        store.items_of(person.debtor.id).await.expect("items"),
        vec![row]
    );
}

async fn a_reservation_holds_until_it_ends(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let campaign = scene.campaign(store).await;
    let (one, two) = (node(store).await, node(store).await);
    let first = reserve(store, &campaign, &one, 1).await;
    let second = reserve(store, &campaign, &two, 10).await;
    let mut both = [ids(&first), ids(&second)].concat();
    both.sort_unstable();
    assert_eq!(
        both,
        vec![a.debtor.id, b.debtor.id],
        "each debtor goes to one node"
    );
    assert!(reserve(store, &campaign, &one, 10).await.is_empty());
    let counts = store.item_counts(campaign.id, NOW).await.expect("counts");
    let want = |due, later, leased, done| ItemCounts {
        due,
        later,
        leased,
        done,
    };
    assert_eq!(counts, want(0, 0, 2, 0));
    let mut late = request(&campaign, &one, 10);
    late.now = NOW.plus_ms(5 * MINUTE_MS - 1);
    assert!(
        store
            .reserve_contacts(&late)
            .await
            .expect("reserve")
            .is_empty()
    );
    late.now = NOW.plus_ms(5 * MINUTE_MS);
    late.until = NOW.plus_ms(9 * MINUTE_MS);
    let again = store.reserve_contacts(&late).await.expect("reserve");
    assert_eq!(again.len(), 2, "a lease that ended may be taken");
    let counts = store
        .item_counts(campaign.id, late.now)
        .await
        .expect("counts");
    assert_eq!(counts, want(0, 0, 2, 0));
}

async fn one_person_is_held_once(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let here = ours.person(store).await;
    let mut same = theirs.draft_person();
    same.debtor.person_id = here.debtor.person_id;
    same.store(store).await;
    let mut twin = ours.draft_person();
    twin.debtor.person_id = here.debtor.person_id;
    twin.store(store).await;
    let (mine, other) = (ours.campaign(store).await, theirs.campaign(store).await);
    let second = ours.campaign(store).await;
    let (one, two) = (node(store).await, node(store).await);
    let held = reserve(store, &mine, &one, 10).await;
    assert_eq!(held.len(), 1, "two debtors of one person: one of them");
    assert!(
        reserve(store, &other, &two, 10).await.is_empty(),
        "nor may another client"
    );
    assert!(
        reserve(store, &second, &one, 10).await.is_empty(),
        "nor another campaign"
    );
    store
        .release_contact(&held[0].item, None, &[])
        .await
        .expect("release");
    assert_eq!(reserve(store, &other, &two, 10).await.len(), 1);
    assert!(reserve(store, &mine, &one, 10).await.is_empty());
    store.release_all(&two.node, None).await.expect("release");
    // A live attempt keeps the person out too.
    let attempt = same.open(store, &two, NOW).await;
    assert!(reserve(store, &mine, &one, 10).await.is_empty());
    let closing = super::attempts::ended(CallResult::NoAnswer);
    store
        .close_attempt(attempt.id, &closing)
        .await
        .expect("close");
    assert_eq!(reserve(store, &mine, &one, 10).await.len(), 1);
}

async fn the_campaign_order_is_kept(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    for (balance, due, confidence) in [
        (100_000, "2026-10-14", 90),
        (300_000, "2026-11-01", 10),
        (200_000, "2026-06-01", 90),
    ] {
        let mut person = scene.draft_person();
        person.debt = scene.draft_debt(person.debtor.id, balance);
        person.debt.due_date = due.into();
        person.point.confidence = confidence;
        person.store(store).await;
        people.push(person);
    }
    let lease = node(store).await;
    let of = |order: [usize; 3]| order.map(|n| people[n].debtor.id).to_vec();
    for (keys, want) in [
        (vec!["balance"], of([1, 2, 0])),
        (vec!["dpd"], of([2, 0, 1])),
        (vec!["expected_value", "dpd"], of([2, 0, 1])),
        (vec!["best_time", "dpd"], of([2, 0, 1])),
    ] {
        let mut campaign = scene.draft_campaign();
        campaign.params.order = keys.iter().map(|k| (*k).to_owned()).collect();
        store.put_campaign(&campaign, &[]).await.expect("campaign");
        refill(store, &campaign).await;
        let got = reserve(store, &campaign, &lease, 10).await;
        assert_eq!(ids(&got), want, "{keys:?}");
        store.release_all(&lease.node, None).await.expect("release");
        // The head of the queue goes before any order key.
        let mut first = item(campaign.id, &people[0]);
        first.priority = 20;
        let mut second = item(campaign.id, &people[1]);
        second.priority = 10;
        store.put_item(&first, &[]).await.expect("put");
        store.put_item(&second, &[]).await.expect("put");
        let got = reserve(store, &campaign, &lease, 10).await;
        assert_eq!(ids(&got), of([0, 1, 2]));
        store.release_all(&lease.node, None).await.expect("release");
    }
    let campaign = scene.campaign(store).await;
    let mut paid = people[2].payment(199_000);
    paid.paid_at = NOW;
    store
        .post_payment(&paid, &[], &of_promise)
        .await
        .expect("payment");
    let got = reserve(store, &campaign, &lease, 1).await;
    assert_eq!(
        ids(&got),
        of([0, 1, 2])[..1],
        "what is left decides, not what was"
    );
}

async fn currencies_stand_beside_each_other(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    // Minor units: 200 dollars, about 51 dollars of Colombia, 109 of Mexico, 104 of Chile.
    for (balance, currency) in [
        (20_000, "USD"),
        (20_000_000, "COP"),
        (200_000, "MXN"),
        (100_000, "CLP"),
    ] {
        let mut person = scene.draft_person();
        person.debt = scene.draft_debt(person.debtor.id, balance);
        person.debt.currency = currency.parse().expect("a currency");
        person.point.confidence = 50;
        person.store(store).await;
        people.push(person);
    }
    // Two debts of two currencies are one sum: 109 dollars and 200 more.
    let mut dollars = scene.draft_debt(people[2].debtor.id, 20_000);
    dollars.currency = "USD".parse().expect("a currency");
    store.put_debt(&dollars, &[]).await.expect("debt");
    let lease = node(store).await;
    for key in ["balance", "expected_value", "best_time"] {
        let mut campaign = scene.draft_campaign();
        campaign.params.order = vec![key.to_owned()];
        store.put_campaign(&campaign, &[]).await.expect("campaign");
        refill(store, &campaign).await;
        let got = reserve(store, &campaign, &lease, 10).await;
        let want: Vec<_> = [2, 0, 3, 1]
            .iter()
            .map(|n: &usize| people[*n].debtor.id)
            .collect();
        assert_eq!(ids(&got), want, "{key}");
        store.release_all(&lease.node, None).await.expect("release");
    }
}

async fn what_is_not_due_stays(store: &Subject) {
    let scene = Scene::new(store).await;
    let people = [
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    ];
    let campaign = scene.campaign(store).await;
    let mut later = item(campaign.id, &people[0]);
    later.next_at = NOW.plus_ms(1);
    store.put_item(&later, &[]).await.expect("put");
    let mut done = item(campaign.id, &people[1]);
    done.done = true;
    done.note = "final".into();
    store.put_item(&done, &[]).await.expect("put");
    let lease = node(store).await;
    let counts = store.item_counts(campaign.id, NOW).await.expect("counts");
    let want = |due, later, leased, done| ItemCounts {
        due,
        later,
        leased,
        done,
    };
    assert_eq!(counts, want(1, 1, 0, 1));
    let got = reserve(store, &campaign, &lease, 10).await;
    assert_eq!(ids(&got), vec![people[2].debtor.id]);
    assert_eq!(got[0].facts.debtor, people[2].debtor);
    assert_eq!(got[0].facts.points, vec![people[2].point.clone()]);
    let counts = store.item_counts(campaign.id, NOW).await.expect("counts");
    assert_eq!(counts, want(0, 1, 1, 1));
    let counts = store
        .item_counts(campaign.id, NOW.plus_ms(1))
        .await
        .expect("counts");
    assert_eq!(counts, want(1, 0, 1, 1));
}

async fn release_gives_back(store: &Subject) {
    let scene = Scene::new(store).await;
    for _ in 0..4 {
        scene.person(store).await;
    }
    let (first, second) = (scene.campaign(store).await, scene.campaign(store).await);
    let (one, two) = (node(store).await, node(store).await);
    let held = reserve(store, &first, &one, 2).await;
    reserve(store, &second, &one, 1).await;
    reserve(store, &second, &two, 1).await;
    let mut back = held[0].item.clone();
    back.next_at = NOW.plus_ms(MINUTE_MS);
    back.note = "blocked_cap".into();
    let lease = one.clone();
    let draft = Person {
        debtor: held[0].facts.debtor.clone(),
        debt: held[0].facts.debts[0].clone(),
        point: held[0].facts.points[0].clone(),
    }
    .draft(&lease, Some(first.id), NOW);
    let refused = verdict(&held[0].facts, &draft.action, Decision::Deny);
    let told = [event("contact.released", "suite")];
    store
        .release_contact(&back, Some(&refused), &told)
        .await
        .expect("release");
    assert_eq!(
        store.get_verdict(refused.id).await.expect("verdict"),
        refused
    );
    let items = store.items_of(back.debtor_id).await.expect("items");
    assert!(items.contains(&back));
    assert!(
        !ids(&reserve(store, &first, &two, 10).await).contains(&back.debtor_id),
        "not due"
    );
    // Of one campaign first, then of everything the node holds.
    assert_eq!(
        store
            .release_all(&one.node, Some(second.id))
            .await
            .expect("release"),
        1
    );
    assert_eq!(
        store.release_all(&one.node, None).await.expect("release"),
        1
    );
    assert_eq!(
        store.release_all(&one.node, None).await.expect("release"),
        0
    );
    let counts = store.item_counts(second.id, NOW).await.expect("counts");
    assert_eq!(counts.leased, 1, "the other node keeps its own");
}

async fn a_fenced_node_reserves_nothing(store: &Subject) {
    let scene = Scene::new(store).await;
    scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let old = node(store).await;
    let new = store
        .register_node(&old.node, NOW, MINUTE_MS)
        .await
        .expect("restart");
    let result = store.reserve_contacts(&request(&campaign, &old, 10)).await;
    assert!(matches!(result, Err(StoreError::Fenced)), "{result:?}");
    assert_eq!(reserve(store, &campaign, &new, 10).await.len(), 1);
    let mut stranger = new;
    stranger.node = name("node");
    let result = store
        .reserve_contacts(&request(&campaign, &stranger, 10))
        .await;
    assert!(matches!(result, Err(StoreError::Fenced)), "{result:?}");
}

async fn attempts_per_point_are_counted(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let (campaign, other) = (scene.campaign(store).await, scene.campaign(store).await);
    let lease = node(store).await;
    for (of, n) in [(&campaign, 1), (&campaign, 2), (&other, 3)] {
        reserve(store, of, &lease, 1).await;
        let draft = person.draft(&lease, Some(of.id), NOW.plus_ms(n));
        let opened = store.open_attempt(&draft, &Allow).await.expect("open");
        assert!(
            matches!(opened, domain::ports::store::OpenOutcome::Opened(..)),
            "{opened:?}"
        );
        let mut closing = super::attempts::ended(CallResult::Busy);
        closing.item = Some(item(of.id, &person));
        store
            .close_attempt(draft.attempt.id, &closing)
            .await
            .expect("close");
    }
    let got = reserve(store, &campaign, &lease, 1).await;
    assert_eq!(
        got[0].point_attempts,
        vec![(person.point.id, 2)],
        "of this campaign only"
    );
}

async fn verdicts_are_kept(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let lease = node(store).await;
    let campaign = fresh::<CampaignId>();
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    let mut stored = Vec::new();
    for n in 0..3 {
        let draft = person.draft(&lease, Some(campaign), NOW.plus_ms(n));
        let decision = if n == 1 {
            Decision::Allow
        } else {
            Decision::Deny
        };
        let mut row = verdict(&facts, &draft.action, decision);
        if n == 2 {
            row.blocked = Some(BlockReason::Window);
            row.next_legal_at = Some(NOW.plus_ms(99));
        }
        store
            .record_verdict(&row, scene.client.id)
            .await
            .expect("record");
        stored.push(row);
    }
    stored.reverse();
    assert_eq!(
        store
            .verdicts_of(person.debtor.id, 10)
            .await
            .expect("verdicts"),
        stored
    );
    assert_eq!(
        store
            .verdicts_of(person.debtor.id, 2)
            .await
            .expect("verdicts"),
        stored[..2]
    );
    assert_eq!(
        store.get_verdict(stored[0].id).await.expect("verdict"),
        stored[0]
    );
    let missing = store.get_verdict(fresh::<VerdictId>()).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("verdict"))),
        "{missing:?}"
    );
    let of = |cap: u64, window: u64| {
        let all = [
            ("blocked_cap".to_owned(), cap),
            ("blocked_window".to_owned(), window),
        ];
        all.into_iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>()
    };
    let count = |since| store.blocked_counts(Some(campaign), since);
    assert_eq!(count(NOW).await.expect("counts"), of(1, 1));
    assert_eq!(count(NOW.plus_ms(1)).await.expect("counts"), of(0, 1));
    assert_eq!(count(NOW.plus_ms(9)).await.expect("counts"), of(0, 0));
    let all = store.blocked_counts(None, NOW).await.expect("counts");
    assert!(
        all.iter()
            .any(|(reason, n)| reason == "blocked_cap" && *n >= 1)
    );
}
