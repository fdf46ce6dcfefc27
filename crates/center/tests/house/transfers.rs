//! Calls that change hands: who holds them, what each screen shows, what is stored, what comes back.

use crate::screen::Screen;
use crate::world::{ALL_ANSWER, House, Plan, agent_id, campaign_id, client_id, id};
use center::{Actor, IdentityAsk, StateAsk, TransferAsk, TransferTo};
use domain::entity::{
    PartyRole, Suppression, SuppressionKind, Transfer, TransferKind, TransferMode, TransferOutcome,
};
use domain::ids::{AttemptId, UserId};
use domain::pii::Pii;
use domain::ports::store::{CatalogStore as _, ContactStore as _, ListFilter, TrailStore as _};
use domain::ports::{Clock as _, MonitorMode, Trunk as _};
use domain::rules::agent_state::{AgentState, PauseCode};
use sim::fate::{Fate, draw};

fn to_agent(to: &Screen, mode: TransferMode) -> TransferAsk {
    TransferAsk {
        to: TransferTo::Agent(to.id),
        mode,
    }
}

fn to_number(number: &str, mode: TransferMode) -> TransferAsk {
    TransferAsk {
        to: TransferTo::Number(Pii(number.to_owned())),
        mode,
    }
}

/// A seed whose first debtor talks for more than 80 s.
pub(crate) fn long_talk() -> u64 {
    let long = |seed: &u64| match draw(*seed, 1, ALL_ANSWER) {
        Fate::Answers { talk_ms, .. } => talk_ms > 80_000,
        _ => false,
    };
    (0..10_000).find(long).expect("one of ten thousand")
}

/// Agent 1 talks with somebody; the campaign calls nobody else; agent 2 is ready.
pub(crate) async fn talking() -> (House, Screen, Screen, AttemptId) {
    let house = House::build(Plan {
        seed: long_talk(),
        ..Plan::default()
    })
    .await;
    let first = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&first).await;
    let asks = Actor::User(UserId(id(9)));
    house
        .center
        .pause_campaign(asks, campaign_id())
        .await
        .expect("pauses");
    let second = house.agent(2).await;
    house.secs(2).await;
    (house, first, second, attempt)
}

pub(crate) async fn state(house: &House, of: &Screen) -> AgentState {
    house.secs(0).await;
    of.state().parse().expect("a state")
}

pub(crate) async fn wish(house: &House, of: &Screen, ask: StateAsk) {
    let actor = Actor::Agent(of.id);
    let done = house.center.agent_state(actor, of.id, ask).await;
    done.expect("is allowed");
}

pub(crate) async fn transfers(house: &House, attempt: AttemptId) -> Vec<Transfer> {
    house.store.transfers_of(attempt).await.expect("reads")
}

#[tokio::test(start_paused = true)]
async fn a_blind_transfer_moves_card_wrap_up_and_attempt() {
    let (house, first, second, attempt) = talking().await;
    let role = PartyRole::Titular;
    house
        .center
        .identity(first.id, attempt, IdentityAsk { role })
        .await
        .expect("identified");
    house
        .center
        .transfer(first.id, attempt, to_agent(&second, TransferMode::Blind))
        .await
        .expect("transfers");
    house.secs(2).await;
    assert_eq!(state(&house, &second).await, AgentState::Talking);
    assert_eq!(state(&house, &first).await, AgentState::Ready);
    let card = second.of_kind("pop").pop().expect("a card").1;
    assert_eq!(card["attempt"], attempt.to_string());
    let row = house.attempt(attempt).await;
    assert_eq!(row.agent_id, Some(second.id));
    let refused = house.center.hang_up(Actor::Agent(first.id), attempt).await;
    assert_eq!(refused.expect_err("is not his").code(), "not_your_call");
    house.hang_up(&second, attempt).await;
    assert_eq!(state(&house, &second).await, AgentState::Wrapup);
    let ours = ListFilter {
        attempt_id: Some(attempt),
        ..ListFilter::default()
    };
    let calls = house
        .store
        .list_calls(&ours, &crate::world::page())
        .await
        .expect("calls")
        .items;
    let by: Vec<_> = calls
        .iter()
        .map(|c| (c.agent_id, c.ended_by.clone()))
        .collect();
    assert_eq!(by.len(), 2, "both are in the trail: {by:?}");
    assert!(by.contains(&(first.id, Some("transfer".to_owned()))));
    assert!(by.contains(&(second.id, Some("agent".to_owned()))));
    let rows = transfers(&house, attempt).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].outcome, Some(TransferOutcome::Done));
    let verdict = rows[0].verdict_id.expect("the law was asked");
    let verdict = house.store.get_verdict(verdict).await.expect("is stored");
    assert_eq!(verdict.check_point, domain::entity::CheckPoint::Transfer);
    assert!(house.kinds().await.iter().any(|k| k == "call.transferred"));
}

#[tokio::test(start_paused = true)]
async fn the_card_of_a_second_agent_stays_closed_until_identity() {
    let (house, first, second, attempt) = talking().await;
    house
        .center
        .transfer(first.id, attempt, to_agent(&second, TransferMode::Attended))
        .await
        .expect("asks");
    house.secs(2).await;
    let card = second.of_kind("pop").pop().expect("a card").1;
    assert_eq!(card["gate"], true);
    assert!(card["debts"][0]["balance"].is_null());
    // Who is consulted can do nothing to the call but leave.
    let role = PartyRole::Titular;
    let tick = house
        .center
        .identity(second.id, attempt, IdentityAsk { role })
        .await;
    assert_eq!(tick.expect_err("refused").code(), "consulted");
    let held = house.center.hold(second.id, attempt, false).await;
    assert_eq!(held.expect_err("refused").code(), "consulted");
    house
        .center
        .hang_up(Actor::Agent(second.id), attempt)
        .await
        .expect("leaves");
    house.secs(1).await;
    assert_eq!(state(&house, &second).await, AgentState::Ready);
    assert_eq!(state(&house, &first).await, AgentState::Talking);
    let rows = transfers(&house, attempt).await;
    assert!(rows[0].outcome.is_some_and(|o| o != TransferOutcome::Done));
}

#[tokio::test(start_paused = true)]
async fn an_attended_transfer_passes_through_a_conference() {
    let (house, first, second, attempt) = talking().await;
    let early = house.center.complete_transfer(first.id, attempt).await;
    assert_eq!(early.expect_err("nobody").code(), "no_transfer");
    house
        .center
        .transfer(first.id, attempt, to_agent(&second, TransferMode::Attended))
        .await
        .expect("asks");
    house.secs(1).await;
    assert_eq!(state(&house, &first).await, AgentState::Hold);
    assert_eq!(state(&house, &second).await, AgentState::Talking);
    let again = house
        .center
        .transfer(
            first.id,
            attempt,
            to_number("+525555550001", TransferMode::Blind),
        )
        .await;
    assert_eq!(again.expect_err("one at a time").code(), "transfer_busy");
    house
        .center
        .conference(first.id, attempt, true)
        .await
        .expect("all together");
    house.secs(1).await;
    assert_eq!(state(&house, &first).await, AgentState::Talking);
    house
        .center
        .complete_transfer(first.id, attempt)
        .await
        .expect("hands over");
    house.secs(1).await;
    assert_eq!(state(&house, &first).await, AgentState::Ready);
    assert_eq!(house.attempt(attempt).await.agent_id, Some(second.id));
    let rows = transfers(&house, attempt).await;
    assert!(rows[0].conference && rows[0].answered_at.is_some());
    assert_eq!(rows[0].outcome, Some(TransferOutcome::Done));
}

#[tokio::test(start_paused = true)]
async fn a_number_gets_the_debtor_and_its_failures_bring_him_back() {
    let (house, first, _second, attempt) = talking().await;
    for (number, outcome, secs) in [
        ("+525555550006", TransferOutcome::Busy, 2),
        ("+525555550008", TransferOutcome::TargetLeft, 7),
        ("+525555550007", TransferOutcome::NoAnswer, 25),
    ] {
        house
            .center
            .transfer(first.id, attempt, to_number(number, TransferMode::Attended))
            .await
            .expect("calls it");
        house.secs(1).await;
        assert_eq!(state(&house, &first).await, AgentState::Hold, "{number}");
        house.secs(secs).await;
        assert_eq!(state(&house, &first).await, AgentState::Talking, "{number}");
        let last = transfers(&house, attempt).await.pop().expect("a row");
        assert_eq!(last.outcome, Some(outcome), "{number}");
    }
    house
        .center
        .transfer(
            first.id,
            attempt,
            to_number("55 5555 0001", TransferMode::Blind),
        )
        .await
        .expect("calls it");
    house.secs(4).await;
    assert_eq!(state(&house, &first).await, AgentState::Wrapup);
    let row = transfers(&house, attempt).await.pop().expect("a row");
    assert_eq!(
        (row.kind, row.outcome),
        (TransferKind::Number, Some(TransferOutcome::Done))
    );
    assert_eq!(
        row.to_number.map(|n| n.reveal().clone()).as_deref(),
        Some("+525555550001")
    );
    let live = house.attempt(attempt).await;
    assert!(live.ended_at.is_none() && live.agent_id == Some(first.id));
    let done = house
        .center
        .dispose(
            Actor::Agent(first.id),
            attempt,
            crate::world::ask("CD.NP.NOPUEDE"),
        )
        .await;
    done.expect("disposed while the debtor talks with the number");
    house.secs(1).await;
    assert_eq!(state(&house, &first).await, AgentState::Ready);
    house
        .center
        .hang_up(Actor::User(UserId(id(9))), attempt)
        .await
        .expect("a supervisor ends it");
    house.secs(2).await;
    let row = house.attempt(attempt).await;
    assert_eq!(row.disposition.as_deref(), Some("CD.NP.NOPUEDE"));
    assert!(row.ended_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn numbers_that_may_not_be_called_are_not() {
    let (house, first, _second, attempt) = talking().await;
    let listed = Suppression {
        id: domain::ids::SuppressionId(id(77)),
        client_id: Some(client_id()),
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: Pii("+525555550009".to_owned()),
        reason: "list".to_owned(),
        created_at: house.clock.now(),
        lifted_at: None,
    };
    house
        .center
        .suppress(Actor::System, listed)
        .await
        .expect("listed");
    for (number, code) in [
        ("+525555550009", "blocked_suppressed"),
        ("+12025550123", "bad_number"),
        ("12", "bad_number"),
    ] {
        let ask = to_number(number, TransferMode::Blind);
        let refused = house.center.transfer(first.id, attempt, ask).await;
        assert_eq!(refused.expect_err("refused").code(), code, "{number}");
    }
    assert!(transfers(&house, attempt).await.is_empty());
    assert_eq!(state(&house, &first).await, AgentState::Talking);
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_waited_for() {
    let (house, first, second, attempt) = talking().await;
    wish(&house, &second, StateAsk::Paused(PauseCode::Break)).await;
    let ask = TransferAsk {
        to: TransferTo::Queue(campaign_id()),
        mode: TransferMode::Blind,
    };
    house
        .center
        .transfer(first.id, attempt, ask.clone())
        .await
        .expect("waits");
    house.secs(31).await;
    assert_eq!(
        state(&house, &first).await,
        AgentState::Talking,
        "nobody came"
    );
    let rows = transfers(&house, attempt).await;
    assert_eq!(rows[0].outcome, Some(TransferOutcome::NoAnswer));
    house
        .center
        .transfer(first.id, attempt, ask)
        .await
        .expect("waits");
    house.secs(5).await;
    wish(&house, &second, StateAsk::Ready).await;
    house.secs(2).await;
    assert_eq!(state(&house, &second).await, AgentState::Talking);
    assert_eq!(house.attempt(attempt).await.agent_id, Some(second.id));
}

#[tokio::test(start_paused = true)]
async fn a_take_over_leaves_the_attempt_with_who_took_it() {
    let (house, first, second, attempt) = talking().await;
    wish(&house, &second, StateAsk::Paused(PauseCode::Break)).await;
    let asks = Actor::User(UserId(id(9)));
    let mode = Some(MonitorMode::TakeOver);
    house
        .center
        .monitor(asks, attempt, second.id, mode)
        .await
        .expect("takes over");
    house.secs(1).await;
    assert_eq!(state(&house, &second).await, AgentState::Talking);
    assert_eq!(state(&house, &first).await, AgentState::Ready);
    house.hang_up(&second, attempt).await;
    let row = house.attempt(attempt).await;
    assert_eq!(row.agent_id, Some(second.id));
    let rows = transfers(&house, attempt).await;
    assert_eq!(rows[0].kind, TransferKind::TakeOver);
    assert_eq!(
        (rows[0].from_agent, rows[0].to_agent),
        (first.id, Some(second.id))
    );
    assert!(house.kinds().await.iter().any(|k| k == "audit.written"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_supervisor_took_ends_with_his_leg() {
    let (house, first, _, attempt) = talking().await;
    // He has a leg and is signed in as no agent.
    let boss = agent_id(3);
    house.trunk.open_agent_leg(boss, "boss").await.expect("up");
    house.secs(1).await;
    let asks = Actor::User(UserId(id(9)));
    let mode = Some(MonitorMode::TakeOver);
    let taken = house.center.monitor(asks, attempt, boss, mode).await;
    taken.expect("takes over");
    house.secs(1).await;
    assert_eq!(state(&house, &first).await, AgentState::Ready);
    let row = house.attempt(attempt).await;
    assert!(!row.state.is_closed(), "it goes on");
    house.center.close_supervisor_leg(boss).await;
    house.secs(2).await;
    assert_eq!(
        house.trunk.live_calls(),
        0,
        "nobody is left with the debtor"
    );
    assert!(house.attempt(attempt).await.state.is_closed());
}
