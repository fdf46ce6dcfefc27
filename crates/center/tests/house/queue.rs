//! Debtors who call back: the queue and its order, what they hear, kept places, who is told instead.

use crate::screen::Screen;
use crate::world::{
    ALL_ANSWER, House, MORNING, NIGHT, NOBODY, Plan, ask, client_id, debtor_id, id,
};
use center::Actor;
use domain::entity::{
    CallResult, CampaignParams, DialMode, Direction, HoldKind, InboundCall, InboundOutcome,
    InboundParams, LedgerKind, Suppression, SuppressionKind,
};
use domain::ids::{AttemptId, SuppressionId, TrunkId};
use domain::pii::Pii;
use domain::ports::store::{CatalogStore as _, InboundAsk, InboundStore as _, LawStore as _};
use domain::ports::{Clock as _, PlayWhat};
use sim::trunk::CallIn;
use std::collections::BTreeMap;

/// A caller id of the house.
pub(crate) const OURS: &str = "+525555550199";

pub(crate) fn params(mode: DialMode, inbound: InboundParams) -> CampaignParams {
    CampaignParams {
        mode,
        inbound: InboundParams {
            blended: true,
            ..inbound
        },
        ..CampaignParams::default()
    }
}

pub(crate) async fn house(mode: DialMode, inbound: InboundParams) -> House {
    let house = House::build(Plan {
        params: params(mode, inbound),
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    house.start().await;
    house
}

pub(crate) fn phone(n: u128) -> String {
    format!("+5255555510{n:02}")
}

/// A debtor calls and would wait half an hour.
async fn calls(house: &House, from: Option<String>, to: &str) -> AttemptId {
    let call = CallIn {
        from,
        to: to.to_owned(),
        trunk: TrunkId(id(4)),
        patience_ms: 30 * 60_000,
        talk_ms: 40_000,
    };
    house.trunk.call_in(call).await
}

pub(crate) async fn debtor_calls(house: &House, n: u128) -> AttemptId {
    let call = calls(house, Some(phone(n)), OURS).await;
    house.secs(1).await;
    call
}

/// Names of what a caller was told, oldest first.
pub(crate) fn told(house: &House, call: AttemptId) -> Vec<String> {
    house
        .trunk
        .heard(call)
        .into_iter()
        .flat_map(|what| match what {
            PlayWhat::Spoken { parts, .. } => parts,
            PlayWhat::SafeHarbour { .. } => vec!["safe_harbour".to_owned()],
            PlayWhat::Music => vec!["music".to_owned()],
            _ => Vec::new(),
        })
        .collect()
}

pub(crate) async fn row(house: &House, call: AttemptId) -> InboundCall {
    house.store.get_inbound(call).await.expect("it has a row")
}

/// The agent ends his call and disposes of it.
pub(crate) async fn finishes(house: &House, agent: &Screen) {
    let call = agent.attempt().expect("a call");
    if agent.state() == "talking" {
        house.hang_up(agent, call).await;
    }
    let me = Actor::Agent(agent.id);
    let done = house.center.dispose(me, call, ask("CI.TN")).await;
    done.expect("disposed");
    house.secs(1).await;
}

#[tokio::test(start_paused = true)]
async fn callers_are_served_in_order_with_the_card_first() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    let pops = agent.of_kind("pop");
    let (at, card) = pops.last().expect("the card came");
    assert_eq!(card["direction"], "inbound");
    let attempt = house.attempt(first).await;
    assert_eq!(attempt.direction, Direction::Inbound);
    assert_eq!(attempt.debtor_id, debtor_id(0));
    assert!(Some(*at) <= attempt.bridged_at, "before the voice");
    let second = debtor_calls(&house, 1).await;
    let third = debtor_calls(&house, 2).await;
    let board = house.row().await.inbound.expect("takes callers");
    assert_eq!((board.waiting, board.answered), (2, 1));
    assert!(board.longest_wait_ms >= 1_000, "{board:?}");
    house.secs(45).await;
    let heard = told(&house, third);
    assert_eq!(heard[..2], ["queue_wait", "music"], "{heard:?}");
    assert_eq!(heard[2..4], ["queue_place", "n2"], "{heard:?}");
    assert!(heard.contains(&"queue_offer".to_owned()), "{heard:?}");
    // He whose call is up hears nothing but the agent.
    assert!(!told(&house, first).contains(&"music".to_owned()));

    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, second);
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, third);
    finishes(&house, &agent).await;
    for call in [first, second, third] {
        let row = row(&house, call).await;
        assert_eq!(row.outcome, InboundOutcome::Answered);
        assert_eq!(row.agent_id, Some(agent.id));
        assert!(row.ended_at.is_some());
    }
    assert!(row(&house, third).await.wait_ms > row(&house, first).await.wait_ms);
    assert_eq!(row(&house, third).await.place, Some(2));
    // Nobody was dialed: there is no attempt in the ledger, and no answer of ours.
    let ledger = house.store.ledger_of(debtor_id(0)).await.expect("ledger");
    assert!(ledger.iter().all(|r| r.kind != LedgerKind::Attempt));
    assert_eq!(house.row().await.answers, 0);
}

/// Carriers show Mexican mobiles with a 1 behind the country's code, as they were written until 2019.
#[tokio::test(start_paused = true)]
async fn a_caller_is_known_by_the_form_his_carrier_shows() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let agent = house.agent(1).await;
    let shown = |number: &str| number.replace("+52", "+521");
    let call = calls(&house, Some(shown(&phone(3))), &shown(OURS)).await;
    house.secs(1).await;
    assert_eq!(house.talking(&agent).await, call);
    assert_eq!(house.attempt(call).await.debtor_id, debtor_id(3));
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_or_waits_too_long_has_his_outcome() {
    let short = InboundParams {
        wait_max_s: 30,
        ..InboundParams::default()
    };
    let house = house(DialMode::Manual, short).await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    let late = debtor_calls(&house, 1).await;
    let impatient = CallIn {
        from: Some(phone(2)),
        to: OURS.to_owned(),
        trunk: TrunkId(id(4)),
        patience_ms: 5_000,
        talk_ms: 1_000,
    };
    let gone = house.trunk.call_in(impatient).await;
    house.secs(10).await;
    assert_eq!(row(&house, gone).await.outcome, InboundOutcome::GaveUp);
    house.secs(40).await;
    let row = row(&house, late).await;
    assert_eq!(row.outcome, InboundOutcome::TimedOut);
    assert!(told(&house, late).contains(&"safe_harbour".to_owned()));
    let ended = house.attempt(late).await;
    assert_ne!(ended.result, Some(CallResult::Abandoned));
    let board = house.row().await;
    assert_eq!(board.abandoned, 0);
    let queue = board.inbound.expect("takes callers");
    assert_eq!((queue.gave_up, queue.announced, queue.waiting), (1, 1, 0));
    // Where he stands in the campaign is as before.
    assert_eq!(house.item(debtor_id(1)).await.attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_kept_for_who_asks_to_be_called() {
    let often = InboundParams {
        announce_every_s: 10,
        ..InboundParams::default()
    };
    let house = house(DialMode::Manual, often).await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    let second = debtor_calls(&house, 1).await;
    let third = debtor_calls(&house, 2).await;
    house.trunk.press(second, '7').await;
    // Nothing was offered yet: the key of an agent, pressed twice, sends nobody away.
    house.trunk.press(second, '1').await;
    house.secs(1).await;
    assert_eq!(row(&house, second).await.outcome, InboundOutcome::Open);
    let offered = || told(&house, second).contains(&"queue_offer".to_owned());
    house.until("the offer", offered).await;
    house.trunk.press(second, '1').await;
    house.secs(10).await;
    assert!(told(&house, second).contains(&"queue_kept".to_owned()));
    let kept = row(&house, second).await;
    assert_eq!(kept.outcome, InboundOutcome::CallBack);
    let item = house.item(debtor_id(1)).await;
    assert_eq!(item.note, "callback", "a restart forgets nobody");
    let board = house.row().await.inbound.expect("takes callers");
    assert_eq!(
        (board.waiting, board.places_kept, board.call_backs),
        (1, 1, 1)
    );
    assert!(house.trunk.invites().is_empty());

    finishes(&house, &agent).await;
    house
        .until("his turn", || !house.trunk.invites().is_empty())
        .await;
    let dialed = house.trunk.invites().remove(0);
    assert_eq!(dialed.number, phone(1), "before who came after him");
    assert_eq!(house.talking(&agent).await, dialed.attempt);
    let attempt = house.attempt(dialed.attempt).await;
    assert_eq!(attempt.direction, Direction::Outbound);
    assert!(attempt.agent_reserved);
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, third);
}

/// What a caller is told where he comes to no agent: what is true of him.
fn announcement(outcome: InboundOutcome) -> &'static str {
    match outcome {
        InboundOutcome::Closed => "closed",
        InboundOutcome::NoAgents | InboundOutcome::QueueFull => "safe_harbour",
        InboundOutcome::Unidentified => "unidentified",
        _ => "unavailable",
    }
}

/// He comes to no agent: the announcement, and why.
async fn turned_away(house: &House, call: AttemptId) -> InboundOutcome {
    house.secs(1).await;
    let why = row(house, call).await.outcome;
    assert_eq!(told(house, call), [announcement(why)]);
    // After "closed" come the hours.
    house
        .secs(if why == InboundOutcome::Closed {
            20
        } else {
            10
        })
        .await;
    let row = row(house, call).await;
    assert!(row.ended_at.is_some(), "the announcement is the end");
    assert_eq!(house.trunk.live_calls(), 0);
    row.outcome
}

#[tokio::test(start_paused = true)]
async fn who_may_not_talk_hears_the_lawful_announcement() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let nobody = calls(&house, Some(phone(0)), OURS).await;
    assert_eq!(turned_away(&house, nobody).await, InboundOutcome::NoAgents);
    let agent = house.agent(1).await;
    for (from, to, why) in [
        (None, OURS, InboundOutcome::Unidentified),
        (
            Some("+525599999999".to_owned()),
            OURS,
            InboundOutcome::Unidentified,
        ),
        (
            Some(phone(0)),
            "+525500000000",
            InboundOutcome::UnknownNumber,
        ),
    ] {
        let call = calls(&house, from, to).await;
        assert_eq!(turned_away(&house, call).await, why);
    }
    let now = house.clock.now();
    let hold = house.hold(debtor_id(3), HoldKind::Represented);
    house.store.put_hold(&hold, &[]).await.expect("hold");
    let held = calls(&house, Some(phone(3)), OURS).await;
    assert_eq!(turned_away(&house, held).await, InboundOutcome::Held);
    let listed = Suppression {
        id: SuppressionId(id(71)),
        client_id: Some(client_id()),
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: Pii(phone(4)),
        reason: "optout".into(),
        created_at: now,
        lifted_at: None,
    };
    let done = house.store.put_suppression(&listed, &[]).await;
    done.expect("listed");
    let listed = calls(&house, Some(phone(4)), OURS).await;
    assert_eq!(
        turned_away(&house, listed).await,
        InboundOutcome::Suppressed
    );
    // The call-back number of the client is one of his numbers too.
    let back = calls(&house, Some(phone(5)), "+525555550100").await;
    assert_eq!(house.talking(&agent).await, back);
    let (any, page) = (InboundAsk::default(), crate::world::page());
    let all = house.store.list_inbound(&any, &page).await;
    let all = all.expect("listed").items;
    assert_eq!(all.len(), 7, "each call has its row");
}

#[tokio::test(start_paused = true)]
async fn who_only_hears_the_announcement_is_told_that_his_key_was_obeyed() {
    let house = House::build(Plan {
        at: NIGHT,
        params: params(DialMode::Manual, InboundParams::default()),
        ..Plan::default()
    })
    .await;
    house.start().await;
    let call = calls(&house, Some(phone(0)), OURS).await;
    house.secs(1).await;
    for _ in 0..2 {
        house.trunk.press(call, '9').await;
    }
    house.secs(1).await;
    assert_eq!(told(&house, call), ["closed", "opted_out"], "once");
    assert_eq!(house.trunk.live_calls(), 1, "he hears it out");
    house.secs(10).await;
    assert_eq!(house.trunk.live_calls(), 0);
    let holds = house.holds(debtor_id(0)).await;
    assert!(holds.iter().any(|h| h.kind == HoldKind::ChannelOptout));
}

#[tokio::test(start_paused = true)]
async fn a_closed_window_a_full_queue_and_a_campaign_without_callers() {
    let night = House::build(Plan {
        at: NIGHT,
        params: params(DialMode::Manual, InboundParams::default()),
        ..Plan::default()
    })
    .await;
    night.start().await;
    let _agent = night.agent(1).await;
    let call = calls(&night, Some(phone(0)), OURS).await;
    assert_eq!(turned_away(&night, call).await, InboundOutcome::Closed);

    let one = InboundParams {
        queue_max: 1,
        ..InboundParams::default()
    };
    let full = house(DialMode::Manual, one).await;
    let agent = full.agent(1).await;
    let first = debtor_calls(&full, 0).await;
    assert_eq!(full.talking(&agent).await, first);
    debtor_calls(&full, 1).await;
    let third = debtor_calls(&full, 2).await;
    full.secs(10).await;
    assert_eq!(row(&full, third).await.outcome, InboundOutcome::QueueFull);

    let plain = House::build(Plan {
        at: MORNING,
        mix: NOBODY,
        ..Plan::default()
    })
    .await;
    plain.start().await;
    let call = calls(&plain, Some(phone(0)), OURS).await;
    assert_eq!(turned_away(&plain, call).await, InboundOutcome::NotServed);
}

#[tokio::test(start_paused = true)]
async fn an_agent_takes_callers_and_answers_of_ours_alike() {
    let house = House::build(Plan {
        debtors: 60,
        params: params(DialMode::Progressive, InboundParams::default()),
        ..Plan::default()
    })
    .await;
    house.start().await;
    let agents = [house.agent(1).await, house.agent(2).await];
    let (mut seen, mut called) = (BTreeMap::new(), 0);
    for second in 0..600 {
        if second % 40 == 0 && called < 6 {
            // Of the last in the campaign's order, so that nobody is calling them.
            debtor_calls(&house, 59 - called).await;
            called += 1;
        }
        for agent in &agents {
            if matches!(agent.state().as_str(), "talking" | "wrapup") {
                let call = agent.attempt().expect("a call");
                let row = house.attempt(call).await;
                *seen.entry(row.direction).or_insert(0) += 1;
                finishes(&house, agent).await;
            }
        }
        house.secs(1).await;
    }
    assert!(
        seen.get(&Direction::Inbound).is_some_and(|n| *n >= 3),
        "{seen:?}"
    );
    assert!(
        seen.get(&Direction::Outbound).is_some_and(|n| *n >= 3),
        "{seen:?}"
    );
    assert_eq!(house.center.figures().await.errors, 0);
}
