//! The floor: segments by weight, call-backs of an agent who is away, caller ids that rest, debtors given
//! to somebody, campaigns that end by themselves.

use crate::world::{
    ALL_ANSWER, House, NOBODY, Plan, agent_id, campaign_id, client_id, debt_id, debtor_id, id,
};
use domain::entity::{
    Assignment, CallbackScope, CallerId, CampaignParams, CampaignStatus, DialMode, HoldKind,
    MixPart, Placement, Segment,
};
use domain::ids::{AgentId, AssignmentRuleId, CallerIdId, CampaignId, PlacementId, SegmentId};
use domain::ports::Clock as _;
use domain::ports::store::{
    CALLBACK_PRIORITY, CallbackRow, CallerRest, CatalogStore as _, ContactStore as _,
    FloorStore as _, ImportStore as _, ItemState,
};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use sim::fate::FateMix;

/// Debtors with a large debt.
const LARGE: u128 = 20;

#[tokio::test(start_paused = true)]
async fn the_hopper_follows_the_weights() {
    let part = |segment: u128, weight| MixPart {
        segment_id: SegmentId(id(segment)),
        weight,
    };
    let house = House::build(Plan {
        debtors: 40,
        mix: NOBODY,
        params: CampaignParams {
            list_mix: vec![part(30, 3), part(3, 1)],
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let now = house.clock.now();
    let large = Segment {
        id: SegmentId(id(30)),
        client_id: client_id(),
        name: "Grandes".into(),
        expression: "balance >= 50000.00".into(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    house.store.put_segment(&large, &[]).await.expect("segment");
    for n in 0..LARGE {
        let mut debt = house.store.get_debt(debt_id(n)).await.expect("debt");
        debt.principal_minor += 10_000_000;
        house.store.put_debt(&debt, &[]).await.expect("debt");
    }
    let report = house.start().await;
    assert_eq!(report.refill.expect("filled").added, 40);
    let hopper = house.center.hopper(campaign_id()).await.expect("hopper");
    let large = (0..LARGE).map(debtor_id).collect::<Vec<_>>();
    let first = hopper.items.iter().filter(|i| large.contains(&i.debtor_id));
    // Twenty are reserved at a start.
    assert_eq!((first.count(), hopper.items.len()), (15, 20));
    assert!(house.kinds().await.contains(&"hopper.filled".to_owned()));
}

fn agreed(debtor: u128, at: UtcMs, agent: Option<AgentId>) -> ItemState {
    ItemState {
        campaign_id: campaign_id(),
        debtor_id: debtor_id(debtor),
        next_at: at,
        priority: CALLBACK_PRIORITY,
        attempts: 1,
        last_result: None,
        next_point: None,
        done: false,
        note: CallbackRow::note_of(agent),
    }
}

fn one(mix: FateMix, params: CampaignParams) -> Plan {
    Plan {
        debtors: 1,
        mix,
        params,
        ..Plan::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_callback_waits_for_its_agent_and_goes_to_anyone_then() {
    let house = House::build(one(ALL_ANSWER, CampaignParams::default())).await;
    let now = house.clock.now();
    let item = agreed(0, now, Some(agent_id(2)));
    house.store.put_item(&item, &[]).await.expect("put");
    let here = house.agent(1).await;
    house.start().await;
    house.secs(10 * 60).await;
    assert!(house.attempts().await.is_empty(), "his agent is awaited");
    let waits = house.item(debtor_id(0)).await;
    assert_eq!(CallbackRow::agent_of(&waits.note), Some(agent_id(2)));
    assert_eq!(CallbackRow::agreed_at(&waits), now);
    house.talking(&here).await;
    let late = house.clock.now().since_ms(now);
    assert!(late >= 15 * MINUTE_MS, "{late} ms");
    assert!(house.kinds().await.contains(&"callback.moved".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_callback_comes_to_its_own_agent() {
    let house = House::build(one(ALL_ANSWER, CampaignParams::default())).await;
    let item = agreed(0, house.clock.now(), Some(agent_id(2)));
    house.store.put_item(&item, &[]).await.expect("put");
    // The other one has been ready for longer.
    let _other = house.agent(1).await;
    house.secs(5).await;
    let his = house.agent(2).await;
    house.start().await;
    house.talking(&his).await;
}

/// Whoever was promised a call is called with an agent reserved, also where anyone may make what one agent agreed.
#[tokio::test(start_paused = true)]
async fn a_callback_of_anyone_is_made_with_an_agent_reserved() {
    let params = CampaignParams {
        mode: DialMode::Power,
        lines_per_agent: 3.0,
        callback_scope: CallbackScope::Any,
        ..CampaignParams::default()
    };
    let house = House::build(one(ALL_ANSWER, params)).await;
    let item = agreed(0, house.clock.now(), Some(agent_id(2)));
    house.store.put_item(&item, &[]).await.expect("put");
    let here = house.agent(1).await;
    house.start().await;
    let call = house.talking(&here).await;
    assert!(house.attempt(call).await.agent_reserved);
}

#[tokio::test(start_paused = true)]
async fn a_hold_cancels_a_callback_and_a_person_moves_one() {
    let house = House::with(2).await;
    let now = house.clock.now();
    for n in 0..2 {
        let item = agreed(n, now.plus_ms(HOUR_MS), None);
        house.store.put_item(&item, &[]).await.expect("put");
    }
    let hold = house.hold(debtor_id(0), HoldKind::Cease);
    let me = center::Actor::System;
    house.center.place_hold(me, hold).await.expect("held");
    let held = house.item(debtor_id(0)).await;
    assert_eq!((held.priority, held.note.as_str()), (0, "blocked_hold"));
    assert!(
        house
            .kinds()
            .await
            .contains(&"callback.cancelled".to_owned())
    );
    let which = (campaign_id(), debtor_id(1));
    let to = now.plus_ms(2 * HOUR_MS);
    let row = house
        .center
        .move_callback(me, which, to, Some(agent_id(3)))
        .await;
    let row = row.expect("moved");
    assert_eq!((row.item.next_at, row.agent_id), (to, Some(agent_id(3))));
    // In the night he may not be called.
    let night = now.plus_ms(14 * HOUR_MS);
    let refused = house.center.move_callback(me, which, night, None).await;
    assert_eq!(
        refused.expect_err("refused").code(),
        "callback_outside_hours"
    );
    let done = house
        .center
        .cancel_callback(me, which, "otro acuerdo".into())
        .await;
    done.expect("cancelled");
    let gone = house
        .center
        .cancel_callback(me, which, "otra vez".into())
        .await;
    assert_eq!(gone.expect_err("refused").code(), "not_found");
}

/// Another number that the house may show.
async fn second_number(house: &House) -> CallerIdId {
    let row = CallerId {
        id: CallerIdId(id(50)),
        client_id: client_id(),
        number: "+525555550200".into(),
        country: "MX".into(),
        registered: true,
        enabled: true,
        signed: false,
        callback_at: None,
        created_at: house.clock.now(),
    };
    house.store.put_caller_id(&row, &[]).await.expect("works");
    row.id
}

#[tokio::test(start_paused = true)]
async fn a_caller_id_that_rests_is_not_shown() {
    let house = House::build(Plan::default()).await;
    let now = house.clock.now();
    let other = second_number(&house).await;
    let rest = CallerRest {
        caller_id: CallerIdId(id(5)),
        since: now,
        until: now.plus_ms(HOUR_MS),
        reason: "person".into(),
        calls: 0,
        answered: 0,
    };
    let me = center::Actor::System;
    let done = house
        .center
        .rest_caller_id(me, client_id(), rest.clone())
        .await;
    done.expect("it rests");
    let again = house.center.rest_caller_id(me, client_id(), rest).await;
    assert_eq!(again.expect_err("refused").code(), "resting");
    let _agents = (house.agent(1).await, house.agent(2).await);
    house.start().await;
    house.secs(60).await;
    let shown: Vec<_> = house.attempts().await.iter().map(|a| a.caller_id).collect();
    assert!(!shown.is_empty());
    assert!(shown.iter().all(|c| *c == Some(other)), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_number_of_many_calls_goes_to_rest_by_itself() {
    let house = House::build(Plan {
        mix: NOBODY,
        debtors: 12,
        params: CampaignParams {
            caller_rest_calls: Some(2),
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    let now = house.clock.now();
    second_number(&house).await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(20 * 60).await;
    let health = house
        .store
        .caller_health(client_id(), now)
        .await
        .expect("health");
    let resting = health.iter().filter(|h| h.rest.is_some()).count();
    assert_eq!(resting, 1, "one of the two stays awake: {health:?}");
    assert!(house.kinds().await.contains(&"caller_id.rested".to_owned()));
}

fn given(debtor: u128, campaign: Option<CampaignId>, agent: Option<AgentId>) -> Assignment {
    Assignment {
        debtor_id: debtor_id(debtor),
        client_id: client_id(),
        rule_id: None,
        campaign_id: campaign,
        team_id: None,
        agent_id: agent,
        assigned_at: UtcMs(0),
    }
}

#[tokio::test(start_paused = true)]
async fn debtors_go_to_whom_they_are_assigned() {
    let house = House::with(2).await;
    let rows = [
        given(0, None, Some(agent_id(2))),
        given(1, Some(CampaignId(id(99))), None),
    ];
    house.store.assign(&rows, &[]).await.expect("assigned");
    let _other = house.agent(1).await;
    house.secs(5).await;
    let his = house.agent(2).await;
    house.start().await;
    let attempt = house.talking(&his).await;
    assert_eq!(house.attempt(attempt).await.debtor_id, debtor_id(0));
    let elsewhere = house.item(debtor_id(1)).await;
    assert_eq!(
        (elsewhere.note.as_str(), elsewhere.done),
        ("assigned_elsewhere", false)
    );
    assert!(
        house
            .attempts()
            .await
            .iter()
            .all(|a| a.debtor_id != debtor_id(1))
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_agreed_outlives_another_campaigns_turn() {
    let house = House::with(2).await;
    let now = house.clock.now();
    let rows = [0, 1].map(|n| given(n, Some(CampaignId(id(99))), None));
    house.store.assign(&rows, &[]).await.expect("assigned");
    for (n, agent) in [(0, Some(agent_id(2))), (1, None)] {
        let item = agreed(n, now, agent);
        house.store.put_item(&item, &[]).await.expect("put");
    }
    let _other = house.agent(1).await;
    house.start().await;
    house.secs(60).await;
    assert!(house.attempts().await.is_empty(), "they are another's");
    let (his, anyones) = (
        house.item(debtor_id(0)).await,
        house.item(debtor_id(1)).await,
    );
    assert!(his.next_at > now && anyones.next_at > now, "looked at");
    assert_eq!(CallbackRow::agent_of(&his.note), Some(agent_id(2)));
    assert_eq!(CallbackRow::agreed_at(&his), now);
    assert_eq!(anyones.note, "callback");
}

#[tokio::test(start_paused = true)]
async fn a_placement_goes_back_on_its_day() {
    let house = House::build(Plan::default()).await;
    let now = house.clock.now();
    let portfolio = house
        .store
        .get_debt(debt_id(0))
        .await
        .expect("debt")
        .portfolio_id;
    let zone = house
        .store
        .get_portfolio(portfolio)
        .await
        .expect("portfolio")
        .zone;
    let zone = jiff::tz::TimeZone::get(&zone).expect("zone");
    let row = |n: u128, day: UtcMs| Placement {
        id: PlacementId(id(n)),
        client_id: client_id(),
        portfolio_id: portfolio,
        placed_on: "2025-01-01".into(),
        recall_on: Some(day.in_zone(&zone).date().to_string()),
        fee_bp: 1_000,
        recalled_at: None,
        at: now,
        actor: "system".into(),
    };
    // Two days on: tomorrow may begin while the test runs.
    let (today, later) = (row(80, now), row(81, now.plus_ms(48 * HOUR_MS)));
    for row in [&today, &later] {
        house
            .store
            .put_placement(row, &[])
            .await
            .expect("placement");
    }
    house.start().await;
    house.secs(60).await;
    let recalled = async |row: &Placement| {
        let row = house.store.get_placement(row.id).await;
        row.expect("placement").recalled_at.is_some()
    };
    assert!(recalled(&today).await);
    assert!(!recalled(&later).await, "its day has not come");
    let told = house.kinds().await;
    let told = told.iter().filter(|k| *k == "placement.recalled").count();
    assert_eq!(told, 1, "once");
}

#[tokio::test(start_paused = true)]
async fn whom_no_rule_takes_any_more_is_nobodys_again() {
    let house = House::with(2).await;
    let ruled = Assignment {
        rule_id: Some(AssignmentRuleId(id(90))),
        ..given(0, Some(CampaignId(id(99))), None)
    };
    let by_hand = given(1, None, Some(agent_id(2)));
    let rows = [ruled, by_hand.clone()];
    house.store.assign(&rows, &[]).await.expect("assigned");
    // The client has no rule any more, and its morning has come.
    house.start().await;
    house.secs(60).await;
    let ids = [debtor_id(0), debtor_id(1)];
    let left = house.store.assignments_of(&ids).await.expect("assignments");
    assert_eq!(left, [by_hand], "what a person assigned stays");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_is_not_always_on_ends_with_its_last_debtor() {
    let params = CampaignParams {
        mode: DialMode::Progressive,
        attempts_per_debtor: 1,
        always_on: false,
        ..CampaignParams::default()
    };
    let house = House::build(one(NOBODY, params)).await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(5 * 60).await;
    let row = house
        .store
        .get_campaign(campaign_id())
        .await
        .expect("campaign");
    assert_eq!(row.status, CampaignStatus::Stopped);
    let kinds = house.kinds().await;
    for kind in ["hopper.starved", "campaign.stopped"] {
        assert!(kinds.contains(&kind.to_owned()), "{kind}");
    }
}
