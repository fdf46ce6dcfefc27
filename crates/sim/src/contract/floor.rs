//! The floor: segments by weight, call-backs, caller ids.

use super::attempts::ended;
use super::judges::Allow;
use super::scene::*;
use domain::entity::{CallResult, CallerId, MixPart};
use domain::ids::{AgentId, CallerIdId, CampaignId, DebtorId, SegmentId};
use domain::ports::StoreError;
use domain::ports::store::{
    AttemptChange, CALLBACK_PRIORITY, CallbackAsk, CallbackRow, CallerRest, ItemState,
    ReserveRequest,
};
use domain::segment::{Expr, parse};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};

/// Runs the group.
pub async fn all(store: Subject) {
    reservations_follow_the_weights(&store).await;
    a_debtor_follows_his_segment(&store).await;
    few_callbacks_leave_room_for_others(&store).await;
    callbacks_make_a_calendar(&store).await;
    money_ends_a_callback(&store).await;
    a_part_payment_ends_a_callback(&store).await;
    an_item_at_work_is_not_moved(&store).await;
    caller_ids_have_health(&store).await;
    a_caller_id_rests_once(&store).await;
    super::assigned::all(&store).await;
    super::members::all(&store).await;
    super::settled::all(&store).await;
    super::file_tasks::all(&store).await;
}

/// A campaign of three segments by balance, weights 5, 3, 2, with some debtors in each.
async fn mixed(
    store: &Subject,
    scene: &Scene,
    each: usize,
) -> (domain::entity::Campaign, Vec<Expr>) {
    for balance in [1_000_000, 500_000, 100_000] {
        for _ in 0..each {
            let mut person = scene.draft_person();
            person.debt = scene.draft_debt(person.debtor.id, balance);
            person.store(store).await;
        }
    }
    let mut campaign = scene.draft_campaign();
    let part = |weight| MixPart {
        segment_id: fresh::<SegmentId>(),
        weight,
    };
    campaign.params.list_mix = [5, 3, 2].map(part).to_vec();
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let parts = ["balance >= 10000.00", "balance >= 5000.00", "all"];
    let parts = parts.map(|text| parse(text).expect("expression")).to_vec();
    store
        .refill_parts(&campaign, &parts, NOW, &[])
        .await
        .expect("refill");
    (campaign, parts)
}

fn counts(got: &[domain::ports::store::Candidate]) -> [usize; 3] {
    [0, 1, 2].map(|part| got.iter().filter(|c| c.part == part).count())
}

async fn reservations_follow_the_weights(store: &Subject) {
    let scene = Scene::new(store).await;
    let (campaign, _) = mixed(store, &scene, 12).await;
    let lease = node(store).await;
    let ask = |parts: &[u32], limit| ReserveRequest {
        parts: parts.to_vec(),
        ..request(&campaign, &lease, limit)
    };
    let got = store.reserve_contacts(&ask(&[5, 3, 2], 10)).await;
    assert_eq!(counts(&got.expect("reserve")), [5, 3, 2]);
    // The first part has seven left: what it cannot give comes from the others.
    let got = store.reserve_contacts(&ask(&[10, 2, 0], 12)).await;
    let got = counts(&got.expect("reserve"));
    assert_eq!((got[0], got.iter().sum::<usize>()), (7, 12));
    let got = store.reserve_contacts(&ask(&[1, 1, 1], 3)).await;
    assert_eq!(counts(&got.expect("reserve"))[0], 0, "it is empty");
    let seen = store.item_counts(campaign.id, NOW).await.expect("counts");
    assert_eq!((seen.leased, seen.due), (25, 11));
}

async fn a_debtor_follows_his_segment(store: &Subject) {
    let scene = Scene::new(store).await;
    let (mut campaign, mut parts) = mixed(store, &scene, 1).await;
    let lease = node(store).await;
    // The first segment is gone: its debtor is one of the second's now.
    parts.remove(0);
    campaign.params.list_mix.remove(0);
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let report = store.refill_parts(&campaign, &parts, NOW, &[]).await;
    let report = report.expect("refill");
    assert_eq!((report.matched, report.added), (3, 0));
    let ask = ReserveRequest {
        parts: vec![2, 1],
        ..request(&campaign, &lease, 3)
    };
    let got = store.reserve_contacts(&ask).await.expect("reserve");
    assert_eq!(counts(&got), [2, 1, 0]);
    store.release_all(&lease.node, None).await.expect("release");
    // Without a mix everybody is in the one part.
    campaign.params.list_mix.clear();
    refill(store, &campaign).await;
    assert_eq!(reserve(store, &campaign, &lease, 10).await.len(), 3);
}

fn callback(
    campaign: CampaignId,
    debtor: DebtorId,
    at: UtcMs,
    agent: Option<AgentId>,
) -> ItemState {
    ItemState {
        campaign_id: campaign,
        debtor_id: debtor,
        next_at: at,
        priority: CALLBACK_PRIORITY,
        attempts: 1,
        last_result: Some(CallResult::Human),
        next_point: None,
        done: false,
        note: CallbackRow::note_of(agent),
    }
}

async fn asked(store: &Subject, ask: &CallbackAsk) -> Vec<DebtorId> {
    let rows = store.callbacks(ask).await.expect("callbacks");
    rows.iter().map(|r| r.item.debtor_id).collect()
}

/// A request that wants few agreed call-backs gets those that are first, and others behind them; also over the parts of
/// a mix.
async fn few_callbacks_leave_room_for_others(store: &Subject) {
    for weights in [vec![], vec![2, 2, 2]] {
        let scene = Scene::new(store).await;
        let (campaign, _) = if weights.is_empty() {
            for _ in 0..9 {
                scene.person(store).await;
            }
            (scene.campaign(store).await, Vec::new())
        } else {
            mixed(store, &scene, 3).await
        };
        let lease = node(store).await;
        let ask = |most, limit| ReserveRequest {
            parts: weights.clone(),
            agreed_max: most,
            ..request(&campaign, &lease, limit)
        };
        let all = store.reserve_contacts(&ask(None, 20)).await;
        let all = all.expect("reserve");
        assert_eq!(all.len(), 9);
        store.release_all(&lease.node, None).await.expect("release");
        for candidate in &all[..6] {
            let debtor = candidate.item.debtor_id;
            let agreed = callback(campaign.id, debtor, NOW, None);
            store.put_item(&agreed, &[]).await.expect("put");
        }
        let got = store.reserve_contacts(&ask(Some(2), 4)).await;
        let got = got.expect("reserve");
        let agreed: Vec<bool> = got
            .iter()
            .map(|c| CallbackRow::is_agreed(&c.item))
            .collect();
        assert_eq!(agreed, [true, true, false, false], "{weights:?}");
        let got = store.reserve_contacts(&ask(Some(0), 4)).await;
        assert_eq!(got.expect("reserve").len(), 1, "the last of the others");
        let got = store.reserve_contacts(&ask(None, 10)).await;
        assert_eq!(got.expect("reserve").len(), 4, "those who are left");
    }
}

async fn callbacks_make_a_calendar(store: &Subject) {
    let scene = Scene::new(store).await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(scene.person(store).await.debtor.id);
    }
    let campaign = scene.campaign(store).await;
    let (eva, leo) = (fresh::<AgentId>(), fresh::<AgentId>());
    let hour = |n: i64| NOW.plus_ms(n * HOUR_MS);
    for (n, (debtor, agent)) in
        (1..).zip(people.iter().zip([Some(eva), None, Some(leo), Some(eva)]))
    {
        let item = callback(campaign.id, *debtor, hour(n), agent);
        store.put_item(&item, &[]).await.expect("put");
    }
    // One waits for his agent: his day stays the agreed one, and he is found as hers.
    let mut waits = callback(campaign.id, people[0], hour(1), Some(eva));
    waits.note = CallbackRow::waiting_note(eva, hour(1));
    waits.next_at = hour(1).plus_ms(MINUTE_MS);
    store.put_item(&waits, &[]).await.expect("put");
    let all = CallbackAsk {
        client: Some(scene.client.id),
        from: NOW,
        to: hour(24),
        limit: 10,
        ..CallbackAsk::default()
    };
    assert_eq!(asked(store, &all).await, people);
    let rows = store.callbacks(&all).await.expect("callbacks");
    assert_eq!(rows[0].agent_id, Some(eva));
    assert_eq!(CallbackRow::agreed_at(&rows[0].item), hour(1));
    assert_eq!(
        (rows[1].agent_id, rows[1].client_id),
        (None, scene.client.id)
    );
    let of = |agents: &[AgentId], anyone| CallbackAsk {
        agents: Some(agents.to_vec()),
        anyone,
        ..all.clone()
    };
    assert_eq!(
        asked(store, &of(&[eva], false)).await,
        [people[0], people[3]]
    );
    assert_eq!(
        asked(store, &of(&[leo], true)).await,
        [people[1], people[2]]
    );
    assert!(asked(store, &of(&[], false)).await.is_empty());
    let next = CallbackAsk {
        after: Some((hour(2), campaign.id, people[1])),
        limit: 1,
        ..all.clone()
    };
    assert_eq!(asked(store, &next).await, [people[2]]);
    let early = CallbackAsk {
        to: hour(2),
        ..all.clone()
    };
    assert_eq!(
        asked(store, &early).await,
        [people[0]],
        "the end is not in it"
    );
}

/// Who owes nothing more is called back by nobody.
async fn money_ends_a_callback(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let at = NOW.plus_ms(HOUR_MS);
    let item = callback(campaign.id, person.debtor.id, at, None);
    store.put_item(&item, &[]).await.expect("put");
    let all = CallbackAsk {
        client: Some(scene.client.id),
        from: NOW,
        to: NOW.plus_ms(DAY_MS),
        limit: 10,
        ..CallbackAsk::default()
    };
    assert_eq!(asked(store, &all).await, [person.debtor.id]);
    let payment = person.payment(100_000);
    store
        .post_payment(&payment, &[], &of_promise)
        .await
        .expect("payment");
    assert!(asked(store, &all).await.is_empty());
}

/// A call-back is cancelled by payment, in part too: he is still owed of, and waits for his turn.
async fn a_part_payment_ends_a_callback(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let (campaign, other) = (scene.campaign(store).await, scene.campaign(store).await);
    let at = NOW.plus_ms(HOUR_MS);
    let item = callback(campaign.id, person.debtor.id, at, Some(fresh()));
    store.put_item(&item, &[]).await.expect("put");
    let out = ItemState {
        campaign_id: other.id,
        done: true,
        note: "final".into(),
        ..item.clone()
    };
    store.put_item(&out, &[]).await.expect("put");
    let all = CallbackAsk {
        client: Some(scene.client.id),
        from: NOW,
        to: NOW.plus_ms(DAY_MS),
        limit: 10,
        ..CallbackAsk::default()
    };
    assert_eq!(asked(store, &all).await, [person.debtor.id]);
    let part = person.payment(40_000);
    let posted = store.post_payment(&part, &[], &of_promise).await;
    assert!(!posted.expect("payment").debt_paid);
    assert!(asked(store, &all).await.is_empty(), "nobody calls him back");
    let in_campaign = async |of: CampaignId| {
        let items = store.items_of(person.debtor.id).await.expect("items");
        let found = items.into_iter().find(|i| i.campaign_id == of);
        found.expect("an item")
    };
    let waits = in_campaign(campaign.id).await;
    assert_eq!((waits.done, waits.priority, waits.next_at), (false, 0, at));
    // The rest of it, taken back: who was out for another reason than money stays out.
    let rest = person.payment(60_000);
    let posted = store.post_payment(&rest, &[], &of_promise).await;
    assert!(posted.expect("payment").debt_paid);
    assert_eq!(in_campaign(campaign.id).await.note, "paid");
    assert_eq!(in_campaign(other.id).await.note, "final");
    let mut back = person.payment(-60_000);
    back.reverses = Some(rest.id);
    let posted = store.post_payment(&back, &[], &of_promise).await;
    posted.expect("reversal");
    assert!(!in_campaign(campaign.id).await.done, "he owes again");
    let out = in_campaign(other.id).await;
    assert_eq!((out.done, out.note.as_str()), (true, "final"));
}

async fn an_item_at_work_is_not_moved(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    let was = callback(campaign.id, person.debtor.id, NOW, None);
    store.put_item(&was, &[]).await.expect("put");
    let to = ItemState {
        next_at: NOW.plus_ms(DAY_MS),
        ..was.clone()
    };
    reserve(store, &campaign, &lease, 1).await;
    let told = [event(
        "callback.moved",
        &format!("debtor:{}", person.debtor.id),
    )];
    let moved = store.move_item(&was, &to, NOW, &told).await;
    assert!(!moved.expect("move"), "it is leased");
    store.release_all(&lease.node, None).await.expect("release");
    let other = ItemState {
        note: "retry".into(),
        ..was.clone()
    };
    assert!(
        !store
            .move_item(&other, &to, NOW, &told)
            .await
            .expect("move")
    );
    assert!(store.move_item(&was, &to, NOW, &told).await.expect("move"));
    assert!(
        !store.move_item(&was, &to, NOW, &told).await.expect("move"),
        "it was moved"
    );
    let items = store.items_of(person.debtor.id).await.expect("items");
    assert_eq!(items, vec![to]);
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    assert!(
        events.iter().any(|e| e.event == told[0]),
        "told once, with it"
    );
}

async fn caller(store: &Subject, scene: &Scene) -> CallerId {
    let row = CallerId {
        id: fresh::<CallerIdId>(),
        client_id: scene.client.id,
        number: "+525555550199".into(),
        country: "MX".into(),
        registered: true,
        enabled: true,
        signed: false,
        callback_at: None,
        created_at: NOW,
    };
    store.put_caller_id(&row, &[]).await.expect("caller id");
    row
}

async fn caller_ids_have_health(store: &Subject) {
    let scene = Scene::new(store).await;
    let (busy, idle) = (caller(store, &scene).await, caller(store, &scene).await);
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    for (n, result) in (1..).zip([
        CallResult::Human,
        CallResult::NoAnswer,
        CallResult::Abandoned,
    ]) {
        let person = scene.person(store).await;
        refill(store, &campaign).await;
        assert_eq!(reserve(store, &campaign, &lease, 1).await.len(), 1);
        let mut draft = person.draft(&lease, Some(campaign.id), NOW.plus_ms(n));
        draft.attempt.caller_id = Some(busy.id);
        store.open_attempt(&draft, &Allow).await.expect("open");
        let sent = AttemptChange {
            invite_at: Some(NOW.plus_ms(n)),
            ..AttemptChange::default()
        };
        let id = draft.attempt.id;
        store.note_attempt(id, &sent, &[]).await.expect("note");
        store
            .close_attempt(id, &ended(result))
            .await
            .expect("close");
    }
    let health = store
        .caller_health(scene.client.id, NOW)
        .await
        .expect("health");
    let seen: Vec<_> = health
        .iter()
        .map(|h| (h.caller_id, h.calls, h.answered))
        .collect();
    assert_eq!(seen, vec![(busy.id, 3, 2), (idle.id, 0, 0)]);
    let later = store.caller_health(scene.client.id, NOW.plus_ms(2)).await;
    assert_eq!(later.expect("health")[0].calls, 2, "those of the window");
}

async fn a_caller_id_rests_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let busy = caller(store, &scene).await;
    caller(store, &scene).await;
    let rest = CallerRest {
        caller_id: busy.id,
        since: NOW,
        until: NOW.plus_ms(HOUR_MS),
        reason: "answers".into(),
        calls: 3,
        answered: 2,
    };
    let told = [event("caller_id.rested", &format!("caller_id:{}", busy.id))];
    assert!(store.rest_caller_id(&rest, &told).await.expect("rest"));
    assert!(
        !store.rest_caller_id(&rest, &told).await.expect("rest"),
        "it rests already"
    );
    let health = store
        .caller_health(scene.client.id, NOW)
        .await
        .expect("health");
    assert_eq!(
        (health[0].rest.clone(), health[1].rest.clone()),
        (Some(rest.clone()), None)
    );
    store
        .wake_caller_id(busy.id, NOW.plus_ms(1), &[])
        .await
        .expect("wake");
    let again = CallerRest {
        since: NOW.plus_ms(2),
        ..rest.clone()
    };
    assert!(
        store.rest_caller_id(&again, &[]).await.expect("rest"),
        "it was woken"
    );
    let nobody = CallerRest {
        caller_id: fresh::<CallerIdId>(),
        ..rest
    };
    let refused = store.rest_caller_id(&nobody, &[]).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
}
