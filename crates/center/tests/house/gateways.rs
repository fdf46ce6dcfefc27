//! Gateways that take nothing are told on the supervisors' board until they take a message again.

use crate::messages::{by_hand, house, somebody};
use crate::world::House;
use domain::ports::SendFault;

async fn alarms(house: &House) -> Vec<(String, String)> {
    let board = house.center.board().await;
    let rows = board.data.alarms.iter();
    rows.map(|a| (a.kind.clone(), a.id.clone())).collect()
}

async fn send(house: &House, n: u128) {
    let queued = house
        .center
        .queue_message(somebody(), by_hand(n, "Buen día"));
    queued.await.expect("queued");
    house.secs(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_takes_nothing_of_us_is_told_at_once() {
    let (house, phones) = house(4).await;
    phones.say(Some(SendFault::Closed(
        "the provider refuses our key".into(),
    )));
    for n in 1..3 {
        send(&house, n).await;
        let told = ("gateway_closed".into(), "gateway_closed:phones".into());
        assert_eq!(alarms(&house).await, [told], "once");
    }
    // The key is put right: what waits goes out, and the board is quiet.
    phones.say(None);
    house.secs(600).await;
    assert_eq!(phones.got().len(), 2, "nothing was lost");
    assert!(alarms(&house).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_fails_time_after_time_is_told_and_an_address_at_fault_is_not() {
    let (house, phones) = house(9).await;
    let refused = |bad_address| SendFault::Refused {
        code: "21614".into(),
        bad_address,
    };
    phones.say(Some(refused(true)));
    for n in 0..5 {
        send(&house, n).await;
    }
    assert!(alarms(&house).await.is_empty(), "five addresses");
    phones.say(Some(refused(false)));
    send(&house, 5).await;
    assert!(alarms(&house).await.is_empty(), "one text");
    phones.say(Some(SendFault::Later("server out of reach".into())));
    send(&house, 6).await;
    house.secs(3_600).await;
    let told = ("gateway_failing".into(), "gateway_failing:phones".into());
    assert_eq!(alarms(&house).await, [told]);
    phones.say(None);
    send(&house, 7).await;
    assert!(alarms(&house).await.is_empty());
}
