//! What a call was, said again: counted once on every node, and taken back.

use crate::amd::{over, params, send, tell, unchecked};
use crate::world::{ALL_ANSWER, House, Plan};
use center::CenterConfig;
use domain::entity::{AmdMode, CallResult};
use domain::ports::Clock as _;
use domain::rules::detector::Truth;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_person_by_mistake_is_taken_back_and_counts_once_however_often_it_is_said() {
    // One debtor: nobody else is abandoned meanwhile.
    let plan = || Plan {
        params: params(AmdMode::On),
        debtors: 1,
        mix: ALL_ANSWER,
        ..Plan::default()
    };
    let house = House::build(plan()).await;
    house.agent(1).await;
    house.start().await;
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    let other = CenterConfig::new("node-2");
    let second = House::open_with(store, &plan(), now, 8, other).await;
    let attempt = unchecked(&house).await;
    send(&house, attempt, "machine", None).await;
    over(&house, attempt).await;
    house.secs(2).await;
    let begin = house.row().await.abandonment.numerator;
    assert_eq!(second.row().await.abandonment.numerator, begin);
    for (truth, result, code, more) in [
        (Truth::Person, CallResult::Abandoned, "NC.AD", 1),
        (Truth::Machine, CallResult::MachineNoBeep, "NC.BZ", 0),
        (Truth::Machine, CallResult::MachineNoBeep, "NC.BZ", 0),
        (Truth::Person, CallResult::Abandoned, "NC.AD", 1),
        (Truth::Person, CallResult::Abandoned, "NC.AD", 1),
    ] {
        tell(&house, attempt, truth).await;
        let row = house.attempt(attempt).await;
        assert_eq!(row.result, Some(result));
        assert_eq!(row.disposition.as_deref(), Some(code));
        house.secs(2).await;
        for node in [&house, &second] {
            let counted = node.row().await.abandonment.numerator;
            assert_eq!(counted, begin + more, "{truth}");
        }
    }
    // Said both ways before the other node reads it.
    tell(&house, attempt, Truth::Machine).await;
    tell(&house, attempt, Truth::Person).await;
    tell(&house, attempt, Truth::Machine).await;
    house.secs(2).await;
    for node in [&house, &second] {
        assert_eq!(node.row().await.abandonment.numerator, begin);
    }
    house.center.shutdown().await;
    second.center.shutdown().await;
}
