//! People who call: they wait, press, talk with an agent whom they hear, and hang up.

use crate::carrier::{all, carrier};
use crate::common::{PATIENCE, Ua, loopback};
use media::speech::AGENT_HZ;
use sip::sdp::LocalMedia;
use sip::ua::Event;
use sip_test::Ports;
use sip_test::caller::{CallPlan, Callers, CallersState};
use sip_test::carrier::{Class, Line};
use sip_test::plane::{Hearing, Plane, Voice};

fn plan(patience_ms: u64) -> CallPlan {
    CallPlan {
        from: "+525550000101".to_owned(),
        to: "+525555550199".to_owned(),
        patience_ms,
        talk_ms: 1_000,
        asks_back_ms: Some(800),
    }
}

async fn until(callers: &Callers, what: &str, done: impl Fn(CallersState) -> bool) {
    let since = tokio::time::Instant::now();
    while !done(callers.state()) {
        assert!(since.elapsed() < PATIENCE, "{what}: {:?}", callers.state());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn who_hears_no_agent_asks_to_be_called_and_gives_up() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = dir.path().join("log.jsonl");
    let carrier = carrier(all(Class::Human), Some(&log)).await;
    let callers = Callers::start(carrier.address(), loopback()).await;
    let callers = callers.expect("sockets");
    assert!(callers.call(plan(2_000)));
    until(&callers, "he gives up", |s| s.gave_up == 1).await;
    let state = callers.stop().await;
    assert_eq!(
        (state.placed, state.answered, state.talked, state.refused),
        (1, 1, 0, 0)
    );
    carrier.stop().await;
    let text = std::fs::read_to_string(&log).expect("the log");
    let line: Line = serde_json::from_str(text.lines().next().expect("a line")).expect("a line");
    assert_eq!(
        (line.number.as_str(), line.digits.as_str()),
        ("+525555550199", "1")
    );
}

#[tokio::test]
async fn who_hears_an_agent_talks_and_hangs_up() {
    let mut ua = Ua::new(|_| {}).await;
    let callers = Callers::keeping(ua.driver.local(), loopback()).await;
    let callers = callers.expect("sockets");
    assert!(callers.call(plan(60_000)));
    let (key, offer) = ua
        .until("the call", |event| match event {
            Event::Incoming(came) => Some((came.call, came.sdp.clone().expect("an offer"))),
            _ => None,
        })
        .await;
    let (socket, address) = Ports::any(loopback().ip()).bind().expect("a port");
    let local = LocalMedia::new(address, 1);
    let answer = sip::sdp::answer(&offer, &local).expect("an answer");
    let plane = Plane::shared().expect("a media thread");
    let voice = Voice::person(AGENT_HZ, 0.22, 7);
    let leg = plane.add(socket, voice, Hearing::default()).expect("a leg");
    leg.remote(Some(answer.remote)).expect("sends");
    let now = ua.driver.now();
    let answered = ua.driver.endpoint().answer(now, key, answer.sdp);
    answered.expect("answers");
    ua.until("his farewell", |event| match event {
        Event::Ended { call, .. } if *call == key => Some(()),
        _ => None,
    })
    .await;
    let heard = callers.heard("+525550000101");
    let [low, high] = media::freq::shares(&heard, AGENT_HZ);
    assert!(low + high > 0.7 && heard.len() > 8_000, "{low} {high}");
    let state = callers.stop().await;
    assert_eq!((state.answered, state.talked, state.gave_up), (1, 1, 0));
}
