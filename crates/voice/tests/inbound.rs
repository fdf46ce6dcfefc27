//! Calls that come in: the number a debtor calls back says who called.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::Node;
use common::peer::{Peer, Plan, Seen};
use common::{TRUNK, trunk, write_tone};
use domain::entity::RecordMode;
use domain::ids::{AttemptId, RecordingId};
use domain::ports::{HangUpCause, LegRef, PlayWhat, TakeOrder, TrunkError, TrunkReport};

const MESSAGE_HZ: f64 = 900.0;

#[tokio::test]
async fn a_trunks_call_hears_the_message_and_is_ended() {
    for from_anyone in [false, true] {
        let mut caller = Peer::start(Plan::rings()).await;
        let prompts = tempfile::tempdir().expect("folder");
        write_tone(&prompts.path().join("acme.es.wav"), MESSAGE_HZ, 1_000);
        let address = caller.addr;
        let node = Node::configured(|c| {
            c.trunks = if from_anyone {
                vec![]
            } else {
                vec![trunk(address)]
            };
            c.prompts_dir = Some(prompts.path().to_owned());
            c.inbound.client = "acme".into();
            c.inbound.from_anyone = from_anyone;
        })
        .await;
        caller.call(node.sip, 0.0).await;
        caller.sees(|s| (*s == Seen::Answered).then_some(())).await;
        caller.line.hears(MESSAGE_HZ).await;
        let cause = caller.sees(|s| match s {
            Seen::Ended {
                by_remote: true,
                q850,
                ..
            } => Some(*q850),
            _ => None,
        });
        assert_eq!(cause.await, Some(16), "the node ends it");
    }
}

#[tokio::test]
async fn a_caller_may_hang_up_early() {
    let mut caller = Peer::start(Plan::rings()).await;
    let node = Node::start(vec![trunk(caller.addr)]).await;
    caller.call(node.sip, 0.0).await;
    caller.sees(|s| (*s == Seen::Answered).then_some(())).await;
    caller.hang_up().await;
    caller
        .sees(|s| {
            matches!(
                s,
                Seen::Ended {
                    by_remote: false,
                    ..
                }
            )
            .then_some(())
        })
        .await;
    // The room for callers is free again: one more is welcome.
    caller.call(node.sip, 0.0).await;
    caller.sees(|s| (*s == Seen::Answered).then_some(())).await;
}

/// The caller's number as the peer writes it in its From.
fn came(report: &TrunkReport) -> Option<(AttemptId, Option<String>, String)> {
    match report {
        TrunkReport::Incoming {
            attempt,
            caller,
            called,
            trunk,
            ..
        } if *trunk == TRUNK => Some((*attempt, caller.clone(), called.clone())),
        _ => None,
    }
}

fn take(attempt: AttemptId) -> TakeOrder {
    TakeOrder {
        attempt_id: attempt,
        record: RecordMode::All,
        recording_id: RecordingId(uuid::Uuid::from_u128(7)),
        recording_key: "2026/caller.wav".into(),
        mask_dtmf: false,
    }
}

/// We hang up; the recording that began when the call was taken is sealed.
async fn ends_with_its_recording(node: &mut Node, attempt: AttemptId) {
    node.trunk
        .hang_up(attempt, HangUpCause::Normal)
        .await
        .expect("ends");
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
    node.told("sealed", |r| match r {
        TrunkReport::RecordingSealed { attempt: of, .. } if *of == attempt => Some(()),
        _ => None,
    })
    .await;
}

/// With room for two legs the third caller is refused: it is told who he was and whom he called.
#[tokio::test]
async fn a_caller_for_whom_there_is_no_room_is_told_of() {
    let mut peers = Vec::new();
    for _ in 0..3 {
        peers.push(Peer::start(Plan::rings()).await);
    }
    let address = peers[0].addr;
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(address)];
        c.inbound.queue = true;
        c.inbound.from_anyone = true;
        c.media_ports = 41_200..=41_203;
    })
    .await;
    for peer in &mut peers[..2] {
        peer.call(node.sip, 0.0).await;
        peer.sees(|s| (*s == Seen::Answered).then_some(())).await;
    }
    peers[2].call(node.sip, 0.0).await;
    let told = node.told("turned away", |r| match r {
        TrunkReport::TurnedAway {
            trunk,
            caller,
            called,
            code,
            ..
        } => Some((*trunk, caller.clone(), called.clone(), *code)),
        _ => None,
    });
    let (trunk, caller, called, code) = told.await;
    assert_eq!((trunk, code), (TRUNK, 503));
    assert_eq!(caller.as_deref(), Some("+5215550009"));
    assert_eq!(called, "+5215551000");
    assert_eq!(node.handle.stats().await.calls, 2);
}

#[tokio::test]
async fn a_taken_caller_hears_the_queue_presses_keys_and_is_joined() {
    const PLACE_HZ: f64 = 700.0;
    const AGENT_HZ: f64 = 1_300.0;
    const CALLER_HZ: f64 = 500.0;
    let mut caller = Peer::start(Plan::rings()).await;
    let prompts = tempfile::tempdir().expect("folder");
    write_tone(&prompts.path().join("queue_place.es.wav"), PLACE_HZ, 15_000);
    let address = caller.addr;
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(address)];
        c.prompts_dir = Some(prompts.path().to_owned());
        c.inbound.queue = true;
    })
    .await;
    let agent = node.agent(1, AGENT_HZ).await;
    caller.call(node.sip, CALLER_HZ).await;
    caller.sees(|s| (*s == Seen::Answered).then_some(())).await;
    let (attempt, from, to) = node.told("came in", came).await;
    assert_eq!(from.as_deref(), Some("+5215550009"));
    assert_eq!(to, "+5215551000");
    assert_eq!(node.handle.stats().await.calls, 1);
    let order = take(attempt);
    node.trunk
        .take_incoming(order.clone())
        .await
        .expect("is taken");
    let again = node.trunk.take_incoming(order).await;
    assert_eq!(again, Err(TrunkError::Gone), "once");
    let place = PlayWhat::Spoken {
        parts: vec!["queue_place".into(), "no_such_part".into()],
        language: "es".into(),
        client: "x".into(),
    };
    let leg = LegRef::Debtor(attempt);
    node.trunk.play(leg, place).await.expect("plays");
    caller.line.hears(PLACE_HZ).await;
    caller.press('1').await;
    node.told("the key", |r| match r {
        TrunkReport::Dtmf {
            leg: of,
            digit: '1',
            ..
        } if *of == leg => Some(()),
        _ => None,
    })
    .await;
    node.trunk
        .play(leg, PlayWhat::Music)
        .await
        .expect("plays music");
    node.trunk
        .bridge(attempt, common::agent(1))
        .await
        .expect("joins");
    node.told("joined", |r| match r {
        TrunkReport::Bridged { attempt: of, .. } if *of == attempt => Some(()),
        _ => None,
    })
    .await;
    caller.line.hears(AGENT_HZ).await;
    agent.line.hears(CALLER_HZ).await;
    ends_with_its_recording(&mut node, attempt).await;
}

#[tokio::test]
async fn a_caller_whom_nobody_takes_hears_the_message() {
    let caller = Peer::start(Plan::rings()).await;
    let prompts = tempfile::tempdir().expect("folder");
    write_tone(&prompts.path().join("es.wav"), MESSAGE_HZ, 1_000);
    let address = caller.addr;
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(address)];
        c.prompts_dir = Some(prompts.path().to_owned());
        c.inbound.queue = true;
    })
    .await;
    caller.call(node.sip, 0.0).await;
    let (attempt, ..) = node.told("came in", came).await;
    caller.line.hears(MESSAGE_HZ).await;
    let end = node.ended(attempt).await;
    assert!(end.by_us, "the message is the end");
}
