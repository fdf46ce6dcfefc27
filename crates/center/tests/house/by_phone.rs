//! Transfers by the key of an agent's phone: they go the way of the screen's, and the phone is told what came of them.

use crate::transfers::{state, talking, transfers, wish};
use crate::world::{House, agent_id, client_id, id};
use center::{Actor, StateAsk, TransferAsk, TransferTo};
use domain::entity::{
    CheckPoint, Suppression, SuppressionKind, TransferKind, TransferMode, TransferOutcome,
};
use domain::ids::AttemptId;
use domain::pii::Pii;
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, ContactStore as _};
use domain::rules::agent_state::{AgentState, PauseCode};

/// The first agent keys `to` in; what his phone hears within `secs`.
async fn key(house: &House, attempt: AttemptId, to: &str, secs: u64) -> Vec<(u16, &'static str)> {
    house.trunk.asks_transfer(agent_id(1), attempt, to).await;
    house.secs(secs).await;
    let told = house.trunk.told_of_transfers();
    assert!(told.iter().all(|(of, ..)| *of == agent_id(1)));
    told.into_iter().map(|(_, code, why)| (code, why)).collect()
}

#[tokio::test(start_paused = true)]
async fn an_extension_gets_card_call_and_wrap_up() {
    let (house, first, second, attempt) = talking().await;
    assert_eq!(key(&house, attempt, "GESTOR2", 2).await, [(200, "done")]);
    assert_eq!(state(&house, &second).await, AgentState::Talking);
    assert_eq!(state(&house, &first).await, AgentState::Ready);
    let card = second.of_kind("pop").pop().expect("a card").1;
    assert_eq!(card["attempt"], attempt.to_string());
    assert_eq!(house.attempt(attempt).await.agent_id, Some(second.id));
    let row = transfers(&house, attempt).await.pop().expect("a row");
    assert_eq!(
        (row.kind, row.mode, row.outcome),
        (
            TransferKind::Agent,
            TransferMode::Blind,
            Some(TransferOutcome::Done)
        )
    );
    assert_eq!((row.from_agent, row.to_agent), (first.id, Some(second.id)));
    let verdict = row.verdict_id.expect("the law was asked");
    let verdict = house.store.get_verdict(verdict).await.expect("is stored");
    assert_eq!(verdict.check_point, CheckPoint::Transfer);
    let all = house.store.events_after(0, 10_000).await.expect("events");
    let asked = all
        .iter()
        .find(|e| e.event.kind == "call.transfer_asked")
        .expect("is in the journal");
    assert_eq!(asked.event.data["by_phone"], true);
    // The call is not the first one's to hand over any more.
    let again = key(&house, attempt, "gestor2", 1).await;
    assert!(matches!(again[..], [(480, "not_your_call")]), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_number_is_called_and_what_becomes_of_it_is_told() {
    let (house, first, _second, attempt) = talking().await;
    for (number, secs, told) in [
        ("+525555550006", 3, (486, "busy")),
        ("+525555550007", 27, (480, "no_answer")),
    ] {
        assert_eq!(key(&house, attempt, number, secs).await, [told], "{number}");
        assert_eq!(state(&house, &first).await, AgentState::Talking, "{number}");
    }
    assert_eq!(
        key(&house, attempt, "55 5555-0001", 4).await,
        [(200, "done")]
    );
    assert_eq!(state(&house, &first).await, AgentState::Wrapup);
    assert!(house.attempt(attempt).await.ended_at.is_none());
    let row = transfers(&house, attempt).await.pop().expect("a row");
    let number = row.to_number.map(|n| n.reveal().clone());
    assert_eq!(number.as_deref(), Some("+525555550001"));
    assert_eq!(row.outcome, Some(TransferOutcome::Done));
}

#[tokio::test(start_paused = true)]
async fn what_the_screen_may_not_do_the_phone_may_not_do_either() {
    let (house, first, second, attempt) = talking().await;
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
    let done = house.center.suppress(Actor::System, listed).await;
    done.expect("listed");
    for (to, told) in [
        ("+525555550009", (403, "blocked_suppressed")),
        ("+12025550123", (403, "bad_number")),
        ("+529001234567", (403, "bad_number")),
        ("12", (403, "bad_number")),
        ("nobody", (404, "not_found")),
        ("--", (404, "not_found")),
        ("gestor1", (480, "target_self")),
    ] {
        assert_eq!(key(&house, attempt, to, 1).await, [told], "{to}");
        assert_eq!(state(&house, &first).await, AgentState::Talking, "{to}");
    }
    wish(&house, &second, StateAsk::Paused(PauseCode::Break)).await;
    let busy = key(&house, attempt, "gestor2", 1).await;
    assert_eq!(busy, [(486, "target_busy")]);
    let rows = transfers(&house, attempt).await;
    let failed = |r: &domain::entity::Transfer| r.outcome == Some(TransferOutcome::Failed);
    assert!(rows.iter().all(failed), "{rows:?}");
    // One at a time, whichever of the two asked first.
    let ask = TransferAsk {
        to: TransferTo::Number(Pii("+525555550007".to_owned())),
        mode: TransferMode::Attended,
    };
    let asked = house.center.transfer(first.id, attempt, ask).await;
    asked.expect("calls it");
    house.secs(1).await;
    let second_one = key(&house, attempt, "+525555550001", 1).await;
    assert_eq!(second_one, [(491, "transfer_busy")]);
    let other = key_nothing(&house, 30).await;
    assert!(
        other.is_empty(),
        "the other one was the screen's: {other:?}"
    );
}

/// What phones hear without having asked.
async fn key_nothing(house: &House, secs: u64) -> Vec<(u16, &'static str)> {
    house.secs(secs).await;
    let told = house.trunk.told_of_transfers();
    told.into_iter().map(|(_, code, why)| (code, why)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_named_and_waited_for_and_the_debtor_may_leave() {
    let (house, first, second, attempt) = talking().await;
    wish(&house, &second, StateAsk::Paused(PauseCode::Break)).await;
    let queue = house.row().await.name;
    assert_eq!(
        key(&house, attempt, &queue, 32).await,
        [(480, "no_answer")],
        "nobody was free"
    );
    assert_eq!(state(&house, &first).await, AgentState::Talking);
    assert!(
        key(&house, attempt, &queue.to_uppercase(), 5)
            .await
            .is_empty()
    );
    wish(&house, &second, StateAsk::Ready).await;
    assert_eq!(key_nothing(&house, 2).await, [(200, "done")]);
    assert_eq!(house.attempt(attempt).await.agent_id, Some(second.id));
    let row = transfers(&house, attempt).await.pop().expect("a row");
    assert_eq!(row.kind, TransferKind::Queue);
    // The debtor hangs up while a number rings.
    house
        .trunk
        .asks_transfer(second.id, attempt, "+525555550007")
        .await;
    house.secs(2).await;
    let hung_up = house.center.hang_up(Actor::System, attempt).await;
    hung_up.expect("ends");
    house.secs(2).await;
    let told = house.trunk.told_of_transfers();
    assert_eq!(told, [(second.id, 487, "call_over")]);
}
