//! A campaign follows its segments: who leaves it, who stays all the same, who comes back.

use super::attempts::ended;
use super::judges::Allow;
use super::scene::*;
use domain::entity::{CallResult, Campaign, Debt, DebtStatus, MixPart};
use domain::ids::SegmentId;
use domain::ports::store::{
    AWAITING_DISPOSITION, CALLBACK_PRIORITY, CallbackRow, ItemState, LEFT_SEGMENT, OpenOutcome,
    PromiseTerms, RETURNED, RefillReport, ReserveRequest,
};
use domain::segment::parse;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    who_leaves_the_segment_leaves_the_campaign(store).await;
    what_was_promised_or_ended_stays(store).await;
    who_is_on_the_phone_stays(store).await;
    who_has_left_is_not_opened_out_of_a_hopper(store).await;
    neither_the_hour_nor_older_settings_end_a_place(store).await;
    debts_that_come_back_bring_their_debtor(store).await;
    a_broken_promise_leads_where_he_comes_back(store).await;
    who_comes_back_is_of_the_part_that_holds_him(store).await;
}

async fn filled(store: &Subject, campaign: &Campaign, text: &str, now: UtcMs) -> RefillReport {
    let expr = parse(text).expect("expression");
    let report = store.refill_campaign(campaign, &expr, now, &[]).await;
    report.expect("refill")
}

async fn item_of(store: &Subject, campaign: &Campaign, person: &Person) -> ItemState {
    let items = store.items_of(person.debtor.id).await.expect("items");
    let own = items.into_iter().find(|i| i.campaign_id == campaign.id);
    own.expect("an item")
}

/// A client's debtor of the scene who owes so much.
async fn owing(store: &Subject, scene: &Scene, balance: i64) -> Person {
    let mut person = scene.draft_person();
    person.debt = scene.draft_debt(person.debtor.id, balance);
    person.store(store).await;
    person
}

async fn who_leaves_the_segment_leaves_the_campaign(store: &Subject) {
    let scene = Scene::new(store).await;
    let rich = owing(store, &scene, 900_000).await;
    let poor = owing(store, &scene, 100_000).await;
    let (campaign, lease) = (scene.campaign(store).await, node(store).await);
    // Another campaign of the same debtors is not touched.
    let beside = scene.campaign(store).await;
    let tried = ItemState {
        next_at: NOW.plus_ms(HOUR_MS),
        priority: 10,
        attempts: 3,
        last_result: Some(CallResult::NoAnswer),
        next_point: Some(poor.point.id),
        note: "retry".into(),
        ..item_of(store, &campaign, &poor).await
    };
    store.put_item(&tried, &[]).await.expect("put");
    let gone = filled(store, &campaign, "balance >= 5000.00", NOW).await;
    assert_eq!((gone.matched, gone.added), (1, 0));
    assert_eq!((gone.left, gone.returned), (1, 0));
    let out = ItemState {
        done: true,
        note: LEFT_SEGMENT.into(),
        ..tried.clone()
    };
    assert_eq!(item_of(store, &campaign, &poor).await, out);
    assert!(!item_of(store, &beside, &poor).await.done);
    let counts = store.item_counts(campaign.id, NOW).await.expect("counts");
    assert_eq!((counts.due, counts.done), (1, 1));
    let late = ReserveRequest {
        now: NOW.plus_ms(2 * HOUR_MS),
        until: NOW.plus_ms(3 * HOUR_MS),
        ..request(&campaign, &lease, 10)
    };
    let got = store.reserve_contacts(&late).await.expect("reserve");
    assert_eq!(ids(&got), [rich.debtor.id]);
    store.release_all(&lease.node, None).await.expect("release");
    // Once more changes nothing, and who is in it again goes on where he stood.
    let again = filled(store, &campaign, "balance >= 5000.00", NOW).await;
    assert_eq!((again.left, again.returned), (0, 0));
    let back = filled(store, &campaign, "balance >= 10.00", NOW).await;
    assert_eq!((back.left, back.returned, back.added), (0, 1, 0));
    let want = ItemState {
        note: RETURNED.into(),
        ..tried
    };
    assert_eq!(item_of(store, &campaign, &poor).await, want);
    let got = store.reserve_contacts(&late).await.expect("reserve");
    assert_eq!(ids(&got), [poor.debtor.id, rich.debtor.id], "10 goes first");
}

async fn what_was_promised_or_ended_stays(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(scene.person(store).await);
    }
    let campaign = scene.campaign(store).await;
    let of = async |n: usize| item_of(store, &campaign, &people[n]).await;
    let agreed = ItemState {
        next_at: NOW.plus_ms(DAY_MS),
        priority: CALLBACK_PRIORITY,
        note: CallbackRow::note_of(None),
        ..of(0).await
    };
    let waits = ItemState {
        note: AWAITING_DISPOSITION.into(),
        ..of(1).await
    };
    let ended = ItemState {
        done: true,
        note: "final".into(),
        ..of(2).await
    };
    // Cancelled, it is promised no more.
    let cancelled = ItemState {
        note: "callback_cancelled".into(),
        ..of(3).await
    };
    for row in [&agreed, &waits, &ended, &cancelled] {
        store.put_item(row, &[]).await.expect("put");
    }
    let report = filled(store, &campaign, "balance >= 5000.00", NOW).await;
    assert_eq!((report.matched, report.left), (0, 2));
    assert_eq!(of(0).await, agreed);
    assert_eq!(of(1).await, waits);
    assert_eq!(of(2).await, ended);
    for n in [3, 4] {
        assert_eq!(of(n).await.note, LEFT_SEGMENT);
    }
    // In it again: who ended for good does not come back.
    let report = filled(store, &campaign, "balance >= 10.00", NOW).await;
    assert_eq!((report.matched, report.returned, report.added), (5, 2, 0));
    assert_eq!(of(2).await, ended);
}

async fn who_is_on_the_phone_stays(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    let attempt = person.open(store, &lease, NOW).await;
    let none = "balance >= 5000.00";
    assert_eq!(filled(store, &campaign, none, NOW).await.left, 0);
    assert!(!item_of(store, &campaign, &person).await.done);
    let closing = ended(CallResult::NoAnswer);
    let closed = store.close_attempt(attempt.id, &closing).await;
    assert!(closed.expect("close"));
    assert_eq!(filled(store, &campaign, none, NOW).await.left, 1);
    assert!(item_of(store, &campaign, &person).await.done);
}

async fn who_has_left_is_not_opened_out_of_a_hopper(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    assert_eq!(reserve(store, &campaign, &lease, 1).await.len(), 1);
    let report = filled(store, &campaign, "balance >= 5000.00", NOW).await;
    assert_eq!(report.left, 1, "he waits in a hopper");
    let draft = person.draft(&lease, Some(campaign.id), NOW);
    let outcome = store.open_attempt(&draft, &Allow).await.expect("open");
    assert!(matches!(outcome, OpenOutcome::Busy), "{outcome:?}");
    let back = filled(store, &campaign, "all", NOW).await;
    assert_eq!(back.returned, 1);
    let outcome = store.open_attempt(&draft, &Allow).await.expect("open");
    assert!(matches!(outcome, OpenOutcome::Opened(..)), "{outcome:?}");
}

async fn neither_the_hour_nor_older_settings_end_a_place(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let mut campaign = scene.campaign(store).await;
    // Nobody has asked the law yet: nobody is callable.
    let night = filled(store, &campaign, "callable_now and balance >= 10.00", NOW).await;
    assert_eq!((night.matched, night.left), (0, 0));
    let older = campaign.clone();
    campaign.version += 1;
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let none = "balance >= 5000.00";
    assert_eq!(filled(store, &older, none, NOW).await.left, 0);
    assert_eq!(filled(store, &campaign, none, NOW).await.left, 1);
    assert_eq!(item_of(store, &campaign, &person).await.note, LEFT_SEGMENT);
}

async fn debts_that_come_back_bring_their_debtor(store: &Subject) {
    let scene = Scene::new(store).await;
    let (paid, recalled) = (scene.person(store).await, scene.person(store).await);
    let (owes, closed) = (scene.person(store).await, scene.person(store).await);
    let campaign = scene.campaign(store).await;
    let agreed = ItemState {
        attempts: 2,
        last_result: Some(CallResult::Human),
        priority: CALLBACK_PRIORITY,
        note: CallbackRow::note_of(None),
        ..item_of(store, &campaign, &paid).await
    };
    store.put_item(&agreed, &[]).await.expect("put");
    let spent = ItemState {
        done: true,
        note: "attempts_per_debtor".into(),
        ..item_of(store, &campaign, &closed).await
    };
    store.put_item(&spent, &[]).await.expect("put");
    for person in [&paid, &closed] {
        let payment = person.payment(100_000);
        let posted = store.post_payment(&payment, &[], &of_promise).await;
        assert!(posted.expect("payment").debt_paid);
    }
    let import = fresh();
    let rows = [recalled.row(2)];
    let taken = store.import_batch(import, &rows, false, &[]).await;
    taken.expect("import");
    let back = store.recall_debts(import, &[recalled.debt.id], NOW).await;
    assert_eq!(back.expect("recalled"), 1);
    let of = async |person: &Person| item_of(store, &campaign, person).await;
    assert_eq!(of(&paid).await.note, "paid");
    assert_eq!(of(&recalled).await.note, "recalled");
    // Who owes nothing stays away, though the segment holds him.
    let later = NOW.plus_ms(DAY_MS);
    let still = filled(store, &campaign, "all", later).await;
    assert_eq!((still.matched, still.returned, still.left), (4, 0, 0));
    for person in [&paid, &closed] {
        let debt = scene.draft_debt(person.debtor.id, 200_000);
        store.put_debt(&debt, &[]).await.expect("a new debt");
    }
    let again = Debt {
        status: DebtStatus::Open,
        ..store.get_debt(recalled.debt.id).await.expect("debt")
    };
    store.put_debt(&again, &[]).await.expect("placed again");
    let report = filled(store, &campaign, "all", later).await;
    assert_eq!((report.returned, report.added), (2, 0));
    let want = ItemState {
        next_at: later,
        priority: 0,
        note: RETURNED.into(),
        ..agreed
    };
    assert_eq!(of(&paid).await, want, "what was tried counts on");
    assert!(!of(&recalled).await.done);
    assert_eq!(of(&closed).await, spent, "his tries are spent");
    assert_eq!(of(&owes).await.note, "");
    let lease = node(store).await;
    let ask = ReserveRequest {
        now: later,
        until: later.plus_ms(HOUR_MS),
        ..request(&campaign, &lease, 10)
    };
    let got = store.reserve_contacts(&ask).await.expect("reserve");
    assert_eq!(ids(&got)[0], paid.debtor.id, "by what he owes now");
    assert_eq!(got.len(), 3);
}

async fn a_broken_promise_leads_where_he_comes_back(store: &Subject) {
    let scene = Scene::new(store).await;
    let (person, other) = (scene.person(store).await, scene.person(store).await);
    let campaign = scene.campaign(store).await;
    let terms = PromiseTerms {
        min_minor: 10_000,
        max_minor: 100_000,
    };
    let promise = person.promise(50_000);
    let made = store.record_promise(&promise, terms, &[]).await;
    assert_eq!(made.expect("promise"), Ok(()));
    let without = "not promise_active";
    assert_eq!(filled(store, &campaign, without, NOW).await.left, 1);
    let over = promise.grace_until;
    let swept = store.sweep_promises(over, 1_000, &of_promise).await;
    let broken = swept.expect("swept");
    assert!(broken.iter().any(|p| p.id == promise.id));
    assert!(item_of(store, &campaign, &person).await.done);
    assert_eq!(filled(store, &campaign, without, over).await.returned, 1);
    let lease = node(store).await;
    let ask = ReserveRequest {
        now: over,
        until: over.plus_ms(HOUR_MS),
        ..request(&campaign, &lease, 2)
    };
    let got = store.reserve_contacts(&ask).await.expect("reserve");
    assert_eq!(ids(&got), [person.debtor.id, other.debtor.id]);
}

async fn who_comes_back_is_of_the_part_that_holds_him(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = owing(store, &scene, 600_000).await;
    let mut campaign = scene.draft_campaign();
    let part = |weight| MixPart {
        segment_id: fresh::<SegmentId>(),
        weight,
    };
    campaign.params.list_mix = vec![part(1), part(1)];
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let fill = async |texts: [&str; 2]| {
        let parts = texts.map(|text| parse(text).expect("expression"));
        let report = store.refill_parts(&campaign, &parts, NOW, &[]).await;
        let report = report.expect("refill");
        (report.added, report.returned, report.left)
    };
    let high = "balance >= 9000.00";
    assert_eq!(fill(["balance >= 5000.00", high]).await, (1, 0, 0));
    assert_eq!(fill([high, "balance >= 8000.00"]).await, (0, 0, 1));
    assert_eq!(fill([high, "balance >= 5000.00"]).await, (0, 1, 0));
    let lease = node(store).await;
    let ask = ReserveRequest {
        parts: vec![1, 1],
        ..request(&campaign, &lease, 2)
    };
    let got = store.reserve_contacts(&ask).await.expect("reserve");
    assert_eq!((ids(&got), got[0].part), (vec![person.debtor.id], 1));
}
