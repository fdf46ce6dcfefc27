//! Callers who leave the queue by themselves: who wants no more calls, who hung up before he was known; whom a
//! caller gets, and what wait he is told.

use crate::queue::{OURS, debtor_calls, finishes, house, phone, row, told};
use crate::world::{House, Plan, agent_id, campaign_id, debtor_id, id, point_id};
use center::Actor;
use domain::entity::{
    Attempt, CallerId, Campaign, CampaignParams, CampaignStatus, DialMode, Direction, HoldKind,
    InboundOutcome, InboundParams,
};
use domain::ids::{AttemptId, CallerIdId, CampaignId, TrunkId};
use domain::ports::store::CatalogStore as _;
use domain::ports::{Clock as _, PlayWhat, TrunkReport};
use sim::trunk::CallIn;

#[tokio::test(start_paused = true)]
async fn who_waits_and_wants_no_more_calls_hears_so_and_is_held() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    let second = debtor_calls(&house, 1).await;
    house.trunk.press(second, '9').await;
    house.secs(10).await;
    let heard = told(&house, second);
    assert_eq!(heard.last().map(String::as_str), Some("opted_out"));
    let gone = row(&house, second).await;
    assert_eq!(gone.outcome, InboundOutcome::OptedOut);
    assert!(gone.ended_at.is_some());
    let holds = house.holds(debtor_id(1)).await;
    assert!(holds.iter().any(|h| h.kind == HoldKind::ChannelOptout));
    let board = house.row().await.inbound.expect("takes callers");
    assert_eq!((board.waiting, board.call_backs), (0, 0));
    assert_eq!((board.opted_out, board.gave_up, board.announced), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_how_long_by_the_pace_of_the_agents() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let agent = house.agent(1).await;
    // Two who find a free agent ten minutes apart: that is how often people call.
    for n in 0..2 {
        debtor_calls(&house, n).await;
        house.talking(&agent).await;
        finishes(&house, &agent).await;
        house.secs(600).await;
    }
    debtor_calls(&house, 2).await;
    let waits = debtor_calls(&house, 3).await;
    house.secs(40).await;
    let heard = told(&house, waits);
    assert_eq!(heard[2..4], ["queue_place", "n1"], "{heard:?}");
    assert!(!heard.contains(&"queue_minutes".to_owned()), "{heard:?}");
    // The agent needs a minute and a half for a caller.
    house.secs(45).await;
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, waits);
    let (next, last) = (debtor_calls(&house, 4).await, debtor_calls(&house, 5).await);
    house.secs(40).await;
    for (call, place, minutes) in [(next, "n1", "n2"), (last, "n2", "n3")] {
        let heard = told(&house, call);
        assert_eq!(
            heard[2..6],
            ["queue_place", place, "queue_minutes", minutes],
            "{heard:?}"
        );
    }
    // Half an hour in which nobody calls, and one who comes while the agent talks with somebody he called himself.
    finishes(&house, &agent).await;
    for call in [next, last] {
        assert_eq!(house.talking(&agent).await, call);
        finishes(&house, &agent).await;
    }
    house.secs(1_800).await;
    let called = house
        .center
        .dial_manual(agent.id, debtor_id(11), point_id(11));
    called.await.expect("is called");
    house.talking(&agent).await;
    let came = debtor_calls(&house, 6).await;
    house.secs(20).await;
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, came);
    let next = debtor_calls(&house, 7).await;
    house.secs(40).await;
    let heard = told(&house, next);
    assert_eq!(
        heard[2..6],
        ["queue_place", "n1", "queue_minutes", "n1"],
        "{heard:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_gets_who_has_waited_longest_of_those_with_the_skills() {
    let house = House::build(Plan {
        params: CampaignParams {
            mode: DialMode::Manual,
            skills: vec!["jurídico".into()],
            inbound: InboundParams {
                blended: true,
                ..InboundParams::default()
            },
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    for n in [2, 3] {
        let mut row = house.store.get_agent(agent_id(n)).await.expect("known");
        row.skills = vec!["jurídico".into()];
        house.store.put_agent(&row, &[]).await.expect("stored");
    }
    house.start().await;
    // Without the skills he waits longest and gets nobody.
    let plain = house.agent(1).await;
    house.secs(1).await;
    let later = house.agent(3).await;
    house.secs(1).await;
    let last = house.agent(2).await;
    let calls = [
        debtor_calls(&house, 0).await,
        debtor_calls(&house, 1).await,
        debtor_calls(&house, 2).await,
    ];
    assert_eq!(house.talking(&later).await, calls[0]);
    assert_eq!(house.talking(&last).await, calls[1]);
    house.secs(20).await;
    assert_eq!(plain.state(), "ready");
    assert_eq!(row(&house, calls[2]).await.outcome, InboundOutcome::Open);
    finishes(&house, &last).await;
    assert_eq!(house.talking(&last).await, calls[2]);
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_while_he_is_looked_up_costs_no_agent() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    // The second of two calls of one person is taken when the first is over, and nobody is on it then.
    let brief = |patience_ms| CallIn {
        from: Some(phone(1)),
        to: OURS.to_owned(),
        trunk: TrunkId(id(4)),
        patience_ms,
        talk_ms: 1_000,
    };
    house.trunk.call_in(brief(1_200)).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let ghost = house.trunk.call_in(brief(500)).await;
    house.secs(5).await;
    let gone = row(&house, ghost).await;
    assert_eq!(gone.outcome, InboundOutcome::GaveUp);
    assert!(gone.ended_at.is_some());
    assert!(house.attempt(ghost).await.ended_at.is_some());
    let board = house.row().await.inbound.expect("takes callers");
    assert_eq!((board.waiting, board.gave_up), (0, 2));
    finishes(&house, &agent).await;
    house.secs(10).await;
    assert_eq!(agent.state(), "ready");
    let next = debtor_calls(&house, 2).await;
    assert_eq!(house.talking(&agent).await, next);
}

/// Two campaigns called him, each from its number: the queue is that of the number he calls, whoever was last.
#[tokio::test(start_paused = true)]
async fn a_caller_comes_to_the_campaign_whose_number_he_was_shown() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let second = CampaignId(id(77));
    let row = house.store.get_campaign(campaign_id()).await;
    let row = Campaign {
        id: second,
        name: "Diciembre".into(),
        status: CampaignStatus::Draft,
        ..row.expect("is there")
    };
    house.store.put_campaign(&row, &[]).await.expect("works");
    let started = house.center.start_campaign(Actor::System, second).await;
    started.expect("starts");
    let theirs = CallerId {
        id: CallerIdId(id(78)),
        number: "+525555550177".into(),
        ..house
            .store
            .get_caller_id(CallerIdId(id(5)))
            .await
            .expect("is there")
    };
    let put = house.store.put_caller_id(&theirs, &[]).await;
    put.expect("works");
    let agent = house.agent(1).await;
    let like = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, like);
    finishes(&house, &agent).await;
    let like = house.attempt(like).await;
    for (n, campaign, number) in [
        (2, second, theirs.number.as_str()),
        (1, campaign_id(), OURS),
    ] {
        let earlier = Attempt {
            id: AttemptId(id(80 - n)),
            campaign_id: Some(campaign),
            direction: Direction::Outbound,
            caller_number: number.to_owned(),
            ..like.clone()
        };
        house.store.with(|t| t.put_attempt(earlier));
    }
    for (number, campaign) in [(theirs.number.as_str(), second), (OURS, campaign_id())] {
        let call = CallIn {
            from: Some(phone(0)),
            to: number.to_owned(),
            trunk: TrunkId(id(4)),
            patience_ms: 60_000,
            talk_ms: 1_000,
        };
        let call = house.trunk.call_in(call).await;
        assert_eq!(house.talking(&agent).await, call);
        assert_eq!(row_of(&house, call).await, Some(campaign), "{number}");
        finishes(&house, &agent).await;
    }
}

async fn row_of(house: &House, call: AttemptId) -> Option<CampaignId> {
    row(house, call).await.campaign_id
}

/// A client's campaigns that are over fill pages before the one that runs.
#[tokio::test(start_paused = true)]
async fn a_caller_comes_to_the_campaign_behind_hundreds_that_are_over() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let runs = house.store.get_campaign(campaign_id()).await;
    let runs = runs.expect("is there");
    for n in 100..650 {
        let over = Campaign {
            id: CampaignId(id(n)),
            name: format!("{n}"),
            status: CampaignStatus::Stopped,
            ..runs.clone()
        };
        house.store.put_campaign(&over, &[]).await.expect("works");
    }
    let agent = house.agent(1).await;
    let call = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, call);
    assert_eq!(row_of(&house, call).await, Some(campaign_id()));
}

/// Whoever calls outside the hours hears them, after that it is closed.
#[tokio::test(start_paused = true)]
async fn who_calls_outside_the_hours_hears_them() {
    let house = House::build(Plan {
        at: crate::world::NIGHT,
        params: CampaignParams {
            window_from: "09:30".into(),
            window_to: "18:00".into(),
            ..crate::queue::params(DialMode::Manual, InboundParams::default())
        },
        ..Plan::default()
    })
    .await;
    house.start().await;
    let call = debtor_calls(&house, 0).await;
    assert_eq!(told(&house, call), ["closed"]);
    house.secs(20).await;
    let words: Vec<String> = house
        .trunk
        .heard(call)
        .into_iter()
        .filter_map(|what| match what {
            PlayWhat::Voicemail { language, parts } => Some(format!("{language} {parts:?}")),
            _ => None,
        })
        .collect();
    let [words] = words.as_slice() else {
        panic!("the hours, once: {words:?}");
    };
    let expected = "es [Words(\"Le atendemos de lunes a viernes de 9:30 a 18 horas.\")]";
    assert_eq!(words, expected);
    assert_eq!(house.trunk.live_calls(), 0, "that is all");
    assert_eq!(row(&house, call).await.outcome, InboundOutcome::Closed);
}

/// A caller whom the telephone side could not answer has a row that says whose he is and why.
#[tokio::test(start_paused = true)]
async fn who_was_not_answered_has_a_row() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let turned = |n: u128, code| TrunkReport::TurnedAway {
        attempt: AttemptId(id(n)),
        trunk: TrunkId(id(4)),
        caller: Some(phone(2)),
        called: OURS.to_owned(),
        code,
        at: house.clock.now(),
    };
    for (n, code) in [(4_001, 503), (4_002, 488)] {
        house.reports.send(turned(n, code)).await.expect("told");
    }
    house.secs(1).await;
    for (n, why) in [
        (4_001, InboundOutcome::Overloaded),
        (4_002, InboundOutcome::Failed),
    ] {
        let row = row(&house, AttemptId(id(n))).await;
        assert_eq!((row.outcome, row.debtor_id), (why, Some(debtor_id(2))));
        assert_eq!(row.campaign_id, Some(campaign_id()));
        assert!(row.client_id.is_some() && row.ended_at.is_some());
    }
    let board = house.row().await.inbound.expect("takes callers");
    assert_eq!((board.offered, board.announced), (2, 0));
    assert_eq!(house.center.figures().await.errors, 0);
}
