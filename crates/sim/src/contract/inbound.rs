//! Calls that come in: their rows, whose number it is, attempts that nobody dialed.

use super::scene::*;
use domain::entity::{
    Attempt, AttemptState, CallResult, CallerId, Direction, InboundCall, InboundOutcome,
};
use domain::ids::{AttemptId, CampaignId};
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::ports::store::{Closing, InboundAsk, InboundCount, PageRequest};
use domain::time::MINUTE_MS;

/// Runs the group.
pub async fn all(store: Subject) {
    a_caller_is_whom_we_tried_last(&store).await;
    a_caller_is_known_by_each_form_of_his_number(&store).await;
    a_call_that_comes_in_is_one_live_attempt(&store).await;
    rows_are_listed_and_counted(&store).await;
    what_a_dead_node_had_is_lost(&store).await;
}

async fn a_caller_is_whom_we_tried_last(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let person = scene.person(store).await;
    let number = person.point.value.reveal().clone();
    let client = scene.client.id;
    let known = store.known_caller(client, &number).await.expect("works");
    let known = known.expect("his point has the number");
    assert_eq!(
        (known.debtor_id, known.point_id, known.campaign_id),
        (person.debtor.id, person.point.id, None)
    );
    let attempt = person.open(store, &lease, NOW).await;
    let known = store.known_caller(client, &number).await.expect("works");
    let known = known.expect("he was tried");
    assert_eq!(known.debtor_id, person.debtor.id);
    assert_eq!(known.campaign_id, attempt.campaign_id);
    let other = store.known_caller(fresh(), &number).await.expect("works");
    assert_eq!(other, None, "of another client nothing is told");

    let row = CallerId {
        id: fresh(),
        client_id: client,
        number: format!(
            "+5255{:010}",
            fresh::<AttemptId>().0.as_u128() % 10_000_000_000
        ),
        country: "MX".into(),
        registered: true,
        enabled: false,
        signed: false,
        callback_at: None,
        created_at: NOW,
    };
    store.put_caller_id(&row, &[]).await.expect("works");
    let found = store.caller_id_numbered(&row.number).await.expect("works");
    assert_eq!(found, Some(row), "one that is not shown any more too");
    let none = store.caller_id_numbered("+1").await.expect("works");
    assert_eq!(none, None);
}

/// Carriers show Mexican mobiles with and without the 1, Argentine ones with and without the 9, Brazilian ones
/// with and without the nine that they got later.
async fn a_caller_is_known_by_each_form_of_his_number(store: &Subject) {
    let tail = fresh::<AttemptId>().0.as_u128() % 1_000_000;
    for (kept, shown) in [
        (format!("+525515{tail:06}"), format!("+5215515{tail:06}")),
        (format!("+5491125{tail:06}"), format!("+541125{tail:06}")),
        (format!("+5511997{tail:06}"), format!("+551197{tail:06}")),
    ] {
        for (kept, shown) in [(&kept, &shown), (&shown, &kept)] {
            let scene = Scene::new(store).await;
            let lease = node(store).await;
            let (client, mut person) = (scene.client.id, scene.draft_person());
            person.point.value = Pii(kept.clone());
            person.store(store).await;
            let known = store.known_caller(client, shown).await.expect("works");
            let his = known.map(|k| (k.debtor_id, k.point_id));
            assert_eq!(his, Some((person.debtor.id, person.point.id)), "a point");
            let attempt = person.open(store, &lease, NOW).await;
            let known = store.known_caller(client, shown).await.expect("works");
            let his = known.map(|k| (k.debtor_id, k.campaign_id));
            assert_eq!(his, Some((person.debtor.id, attempt.campaign_id)), "tried");
            let over = Closing {
                ended_at: Some(NOW.plus_ms(2)),
                result: Some(CallResult::NoAnswer),
                ..Closing::default()
            };
            store.close_attempt(attempt.id, &over).await.expect("works");
        }
    }
}

async fn a_call_that_comes_in_is_one_live_attempt(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let person = scene.person(store).await;
    let first = person.open(store, &lease, NOW).await;
    let came = |n: i64| Attempt {
        id: fresh(),
        direction: Direction::Inbound,
        state: AttemptState::Answered,
        opened_at: NOW.plus_ms(n),
        answered_at: Some(NOW.plus_ms(n)),
        ..first.clone()
    };
    let taken = store.open_inbound(&came(1), &[]).await.expect("works");
    assert!(!taken, "we are calling him");
    let over = Closing {
        ended_at: Some(NOW.plus_ms(2)),
        result: Some(CallResult::NoAnswer),
        ..Closing::default()
    };
    store.close_attempt(first.id, &over).await.expect("works");
    let rows = store.ledger_of(person.debtor.id).await.expect("works");
    let call = came(3);
    let event = event("call.answered", &format!("attempt:{}", call.id));
    assert!(store.open_inbound(&call, &[event]).await.expect("works"));
    assert_eq!(store.get_attempt(call.id).await.expect("is there"), call);
    let after = store.ledger_of(person.debtor.id).await.expect("works");
    assert_eq!(after.len(), rows.len(), "nobody was dialed");
    assert!(!store.open_inbound(&came(4), &[]).await.expect("works"));
    let fenced = Attempt {
        fence: call.fence + 1_000,
        ..came(5)
    };
    let refused = store.open_inbound(&fenced, &[]).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");

    // It is no live answer of ours: nobody is abandoned by it, and it dilutes nothing.
    let over = Closing {
        ended_at: Some(NOW.plus_ms(60_000)),
        result: Some(CallResult::Abandoned),
        ..Closing::default()
    };
    store.close_attempt(call.id, &over).await.expect("works");
    let counted = store
        .abandonment(call.campaign_id, Some(scene.client.id), NOW)
        .await;
    assert_eq!(counted.expect("works"), (0, 0));
    let slots = store.answers(NOW, NOW).await.expect("works");
    assert!(slots.iter().all(|s| s.client_id != scene.client.id));
}

fn row(scene: &Scene, campaign: CampaignId, outcome: InboundOutcome, wait_ms: i64) -> InboundCall {
    InboundCall {
        id: fresh(),
        client_id: Some(scene.client.id),
        campaign_id: Some(campaign),
        debtor_id: None,
        trunk_id: fresh(),
        node: format!("n-{campaign}"),
        called: "+525555550199".into(),
        caller: Some(Pii("+525555550101".into())),
        at: NOW,
        answered_at: None,
        ended_at: None,
        agent_id: None,
        outcome,
        wait_ms,
        place: Some(1),
    }
}

async fn rows_are_listed_and_counted(store: &Subject) {
    use InboundOutcome as O;
    let scene = Scene::new(store).await;
    let campaign: CampaignId = fresh();
    let told = [
        (O::Answered, 5_000),
        (O::Answered, 30_000),
        (O::GaveUp, 9_000),
        (O::CallBack, 40_000),
        (O::Closed, 0),
        (O::TimedOut, 60_000),
        (O::OptedOut, 3_000),
        (O::Open, 0),
    ];
    let mut rows = Vec::new();
    for (outcome, wait) in told {
        let call = row(&scene, campaign, outcome, wait);
        store.put_inbound(&call, &[]).await.expect("works");
        rows.push(call);
    }
    rows.sort_by_key(|r| std::cmp::Reverse(r.id));
    let want = InboundCount {
        offered: 8,
        answered: 2,
        in_time: 1,
        gave_up: 1,
        call_back: 1,
        opted_out: 1,
        announced: 2,
        unserved: 1,
        wait_ms: 35_000,
        waiting: 1,
        waiting_since: Some(NOW),
    };
    let count = store.inbound_count(campaign, NOW, 20_000).await;
    assert_eq!(count.expect("works"), want);
    let none = store.inbound_count(campaign, NOW.plus_ms(1), 20_000).await;
    assert_eq!(none.expect("works"), InboundCount::default());
    // What this node counts itself is not told again; of a node that is no more everything is.
    let mine = format!("n-{campaign}");
    for (own, left) in [
        ((mine.as_str(), NOW), InboundCount::default()),
        ((mine.as_str(), NOW.plus_ms(1)), want),
        (("another", NOW), want),
    ] {
        let rest = store.inbound_elsewhere(campaign, NOW, own, 20_000).await;
        assert_eq!(rest.expect("works"), left, "{own:?}");
    }
    they_are_listed(store, &scene, campaign, &rows).await;
    a_death_leaves_none_open(store, campaign, &rows).await;
}

async fn they_are_listed(
    store: &Subject,
    scene: &Scene,
    campaign: CampaignId,
    rows: &[InboundCall],
) {
    let ask = InboundAsk {
        client_id: Some(scene.client.id),
        campaign_id: Some(campaign),
        since: Some(NOW),
        outcome: None,
    };
    let mut page = PageRequest {
        limit: 5,
        cursor: None,
    };
    let first = store.list_inbound(&ask, &page).await.expect("works");
    page.cursor = first.next_cursor.clone();
    let second = store.list_inbound(&ask, &page).await.expect("works");
    let listed: Vec<InboundCall> = first.items.into_iter().chain(second.items).collect();
    assert_eq!(listed, rows, "newest first");
    assert_eq!(second.next_cursor, None);
    let ask = InboundAsk {
        outcome: Some(InboundOutcome::GaveUp),
        ..ask
    };
    page.cursor = None;
    let gave_up = store.list_inbound(&ask, &page).await.expect("works");
    assert_eq!(gave_up.items.len(), 1);
}

/// A process that died leaves no call open for ever.
async fn a_death_leaves_none_open(store: &Subject, campaign: CampaignId, rows: &[InboundCall]) {
    use InboundOutcome as O;
    let node = format!("n-{campaign}");
    let at = NOW.plus_ms(7);
    assert_eq!(store.lost_inbound(&node, at).await.expect("works"), 1);
    assert_eq!(store.lost_inbound(&node, at).await.expect("works"), 0);
    let open = rows.iter().find(|r| r.outcome == O::Open).expect("one");
    let lost = store.get_inbound(open.id).await.expect("is there");
    assert_eq!((lost.outcome, lost.ended_at), (O::Lost, Some(at)));
    let gone = store.get_inbound(fresh()).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
}

/// Nor does one whose node never comes back: another finds that it is dead.
async fn what_a_dead_node_had_is_lost(store: &Subject) {
    let scene = Scene::new(store).await;
    let (dead, other) = (node(store).await, name("node"));
    let call = InboundCall {
        node: dead.node.clone(),
        ..row(&scene, fresh(), InboundOutcome::Open, 0)
    };
    store.put_inbound(&call, &[]).await.expect("works");
    let keeper = store.register_node(&other, NOW, 10 * MINUTE_MS).await;
    let keeper = keeper.expect("node");
    let told = |a: &Attempt| event("attempt.ended", &format!("attempt:{}", a.id));
    for (at, outcome) in [
        (NOW, InboundOutcome::Open),
        (NOW.plus_ms(MINUTE_MS), InboundOutcome::Lost),
    ] {
        store.recover(&keeper, at, &told).await.expect("recover");
        let found = store.get_inbound(call.id).await.expect("is there");
        assert_eq!(found.outcome, outcome);
    }
}
