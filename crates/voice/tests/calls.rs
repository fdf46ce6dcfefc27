//! Debtors' calls over real sockets: from the INVITE to the sealed recording.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan, Seen};
use common::{Node, agent, has_tone, order, trunk, write_tone};
use domain::entity::RecordMode;
use domain::ports::{DialOrder, HangUpCause, LegRef, PlayWhat, TrunkError, TrunkReport};
use sha2::Digest;
use std::time::Duration;

const DEBTOR_HZ: f64 = 500.0;
const AGENT_HZ: f64 = 1_300.0;

fn invited(seen: &Seen) -> Option<(String, Option<String>)> {
    match seen {
        Seen::Invite {
            number, attempt, ..
        } => Some((number.clone(), attempt.clone())),
        _ => None,
    }
}

fn bye(seen: &Seen) -> Option<Option<u16>> {
    match seen {
        Seen::Ended {
            by_remote: true,
            q850,
            ..
        } => Some(*q850),
        _ => None,
    }
}

#[tokio::test]
async fn both_hear_each_other_and_the_recording_holds_both() {
    let mut carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let phone = node.agent(1, AGENT_HZ).await;
    let attempt = node.dial(1, 20_000).await;
    let (number, header) = carrier.sees(invited).await;
    assert_eq!(number, "+5215500000001");
    assert_eq!(
        header,
        Some(attempt.0.to_string()),
        "the carrier can tell which attempt it is"
    );
    let answered = node.answered(attempt).await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    node.told("bridged", |r| {
        matches!(r, TrunkReport::Bridged { attempt: of, .. } if *of == attempt).then_some(())
    })
    .await;
    phone.line.hears(DEBTOR_HZ).await;
    carrier.line.hears(AGENT_HZ).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    carrier.hang_up().await;
    let end = node.ended(attempt).await;
    assert_eq!(
        (end.code, end.q850, end.by_us),
        (Some(200), Some(16), false)
    );
    assert!(end.rtp_in > 20 && end.rtp_out > 20, "{end:?}");
    let sealed = node.sealed(attempt).await;
    let spoken = end.at.0 - answered.0;
    assert!(
        (sealed.duration_ms - spoken).abs() <= 500,
        "{} of {spoken}",
        sealed.duration_ms
    );
    let bytes = std::fs::read(&sealed.path).expect("is there");
    assert_eq!(sealed.sha256, hex::encode(sha2::Sha256::digest(&bytes)));
    let (left, right) = sealed.channels();
    assert!(
        has_tone(&left, AGENT_HZ) && !has_tone(&left, DEBTOR_HZ),
        "left is the agent"
    );
    assert!(
        has_tone(&right, DEBTOR_HZ) && !has_tone(&right, AGENT_HZ),
        "right is the debtor"
    );
    // The agent's leg stays for the next call.
    assert_eq!(node.handle.stats().await.agent_legs, 1);
    assert!(node.trunk.bridge(attempt, agent(1)).await == Err(TrunkError::Gone));
}

#[tokio::test]
async fn reports_come_in_order() {
    let carrier = Peer::start(Plan {
        leave_ms: Some(300),
        ..Plan::answers(DEBTOR_HZ)
    })
    .await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 20_000).await;
    let end = node.ended(attempt).await;
    assert!(!end.by_us);
    node.sealed(attempt).await;
    let order: Vec<&str> = node
        .rest()
        .await
        .iter()
        .filter_map(|r| match r {
            TrunkReport::Sent { .. } => Some("sent"),
            TrunkReport::Ringing {
                early_media: false, ..
            } => Some("ringing"),
            TrunkReport::Answered { .. } => Some("answered"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["sent", "ringing", "answered"]);
}

#[tokio::test]
async fn early_media_is_told_and_not_recorded() {
    let plan = Plan {
        early: true,
        decide_ms: Some(400),
        leave_ms: Some(500),
        ..Plan::answers(DEBTOR_HZ)
    };
    let carrier = Peer::start(plan).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 20_000).await;
    let early = node.told("ringing", |r| match r {
        TrunkReport::Ringing { early_media, .. } => Some(*early_media),
        _ => None,
    });
    assert!(early.await);
    let answered = node.answered(attempt).await;
    let spoken = node.ended(attempt).await.at.0 - answered.0;
    let sealed = node.sealed(attempt).await;
    // Early media came 400 ms before the answer.
    let beyond = (sealed.duration_ms - spoken).abs();
    assert!(beyond < 300, "from the answer on: {sealed:?}");
}

#[tokio::test]
async fn ring_timeout_cancels() {
    let mut carrier = Peer::start(Plan::rings()).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 600).await;
    let end = node.ended(attempt).await;
    assert!(end.ring_timeout && end.by_us);
    assert_eq!(end.code, Some(487));
    let code = carrier.sees(|s| match s {
        Seen::Ended { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(code.await, Some(487));
    node.is_empty().await;
}

#[tokio::test]
async fn a_withdrawn_call_rings_no_more() {
    let mut carrier = Peer::start(Plan::rings()).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 20_000).await;
    node.told("ringing", |r| {
        matches!(r, TrunkReport::Ringing { .. }).then_some(())
    })
    .await;
    node.trunk.cancel(attempt).await.expect("withdraws");
    carrier
        .sees(|s| {
            matches!(
                s,
                Seen::Ended {
                    by_remote: true,
                    ..
                }
            )
            .then_some(())
        })
        .await;
    let end = node.ended(attempt).await;
    assert!(end.by_us && !end.ring_timeout);
    assert_eq!(node.trunk.cancel(attempt).await, Err(TrunkError::Gone));
}

#[tokio::test]
async fn busy_is_told_with_its_cause() {
    let carrier = Peer::start(Plan::refuses(486)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 20_000).await;
    let end = node.ended(attempt).await;
    assert_eq!(
        (end.code, end.q850, end.by_us),
        (Some(486), Some(17), false)
    );
    let rest = node.rest().await;
    assert!(
        !rest
            .iter()
            .any(|r| matches!(r, TrunkReport::RecordingSealed { .. }))
    );
}

#[tokio::test]
async fn our_hang_up_carries_its_reason() {
    let mut carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    node.trunk
        .hang_up(attempt, HangUpCause::Normal)
        .await
        .expect("hangs up");
    assert_eq!(carrier.sees(bye).await, Some(16));
    let end = node.ended(attempt).await;
    assert!(end.by_us && end.code == Some(200));
    node.is_empty().await;
}

#[tokio::test]
async fn the_safe_harbour_message_is_played_and_recorded() {
    let carrier = Peer::start(Plan::answers(0.0)).await;
    let prompts = tempfile::tempdir().expect("folder");
    write_tone(&prompts.path().join("acme.es.wav"), 900.0, 1_200);
    let config = trunk(carrier.addr);
    let mut node = Node::configured(|c| {
        c.trunks = vec![config];
        c.prompts_dir = Some(prompts.path().to_owned());
    })
    .await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    let what = PlayWhat::SafeHarbour {
        language: "es".into(),
        client: "acme".into(),
    };
    node.trunk
        .play(LegRef::Debtor(attempt), what)
        .await
        .expect("plays");
    carrier.line.hears(900.0).await;
    let leg = node.told("played", |r| match r {
        TrunkReport::Played { leg, .. } => Some(*leg),
        _ => None,
    });
    assert_eq!(leg.await, LegRef::Debtor(attempt));
    node.trunk
        .hang_up(attempt, HangUpCause::Abandoned)
        .await
        .expect("hangs up");
    node.ended(attempt).await;
    let (left, right) = node.sealed(attempt).await.channels();
    assert!(has_tone(&left, 900.0) && !has_tone(&right, 900.0));
}

#[tokio::test]
async fn limits_refuse_the_call_beyond() {
    let carrier = Peer::start(Plan::rings()).await;
    let config = voice::TrunkConfig {
        channels: 2,
        ..trunk(carrier.addr)
    };
    let node = Node::start(vec![config]).await;
    node.dial(1, 20_000).await;
    node.dial(2, 20_000).await;
    let third = node.trunk.dial(order(3, 20_000, RecordMode::All)).await;
    assert_eq!(third, Err(TrunkError::Limit("channels")));
    let again = node.trunk.dial(order(2, 20_000, RecordMode::All)).await;
    assert!(
        matches!(again, Err(TrunkError::Limit(_))),
        "one INVITE an attempt"
    );
    let mut wrong = order(4, 20_000, RecordMode::All);
    wrong.number = "sip:x@y".into();
    assert!(matches!(
        node.trunk.dial(wrong).await,
        Err(TrunkError::Limit(_))
    ));
    assert_eq!(node.handle.trunks().await[0].in_use, 2);
    let rest = node.rest().await;
    let ends = rest
        .iter()
        .filter(|r| matches!(r, TrunkReport::Ended { by_us: true, .. }))
        .count();
    assert_eq!(ends, 2, "shutdown withdraws and tells");
}

#[tokio::test]
async fn a_trunk_that_asks_gets_our_digest() {
    let auth = sip::ua::Auth {
        realm: "carrier".into(),
        nonce_key: [7; 32],
        algorithms: vec![sip::header::Algorithm::Sha256],
        passwords: std::sync::Arc::new(std::collections::HashMap::from([(
            "account".to_owned(),
            sip::ua::Secret::Password("secret".to_owned()),
        )])),
    };
    let carrier = Peer::configured(Plan::answers(DEBTOR_HZ), |c| c.auth = Some(auth)).await;
    let config = voice::TrunkConfig {
        username: Some("account".into()),
        password: Some("secret".into()),
        ..trunk(carrier.addr)
    };
    let mut node = Node::start(vec![config]).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
}

#[tokio::test]
async fn a_trunk_that_wants_it_is_registered_at() {
    let auth = sip::ua::Auth {
        realm: "carrier".into(),
        nonce_key: [7; 32],
        algorithms: vec![sip::header::Algorithm::Md5],
        passwords: std::sync::Arc::new(|user: &str| {
            (user == "account").then(|| sip::ua::Secret::Password("secret".to_owned()))
        }),
    };
    let mut carrier = Peer::configured(Plan::rings(), |c| {
        c.auth = Some(auth);
        c.registrar = Some(sip::ua::RegistrarRules::default());
    })
    .await;
    let config = voice::TrunkConfig {
        username: Some("account".into()),
        password: Some("secret".into()),
        register: true,
        ..trunk(carrier.addr)
    };
    let _node = Node::start(vec![config]).await;
    carrier
        .sees(|s| (*s == Seen::Registered).then_some(()))
        .await;
}

#[tokio::test]
async fn nothing_is_recorded_where_nothing_may_be() {
    let carrier = Peer::start(Plan {
        leave_ms: Some(200),
        ..Plan::answers(DEBTOR_HZ)
    })
    .await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let order = order(1, 20_000, RecordMode::None);
    let attempt = order.attempt_id;
    node.trunk.dial(order).await.expect("dials");
    node.ended(attempt).await;
    let folder = node.folder.path().to_owned();
    let entries = std::fs::read_dir(folder).expect("reads").count();
    assert_eq!(entries, 0);
    let rest = node.rest().await;
    assert!(
        !rest
            .iter()
            .any(|r| matches!(r, TrunkReport::RecordingSealed { .. }))
    );
}

#[tokio::test]
async fn a_recording_that_cannot_be_written_is_told_and_the_call_goes_on() {
    let carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let config = trunk(carrier.addr);
    let file = tempfile::NamedTempFile::new().expect("file");
    let mut node = Node::configured(|c| {
        c.trunks = vec![config];
        c.recordings_dir = file.path().to_owned();
    })
    .await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    let failed = node.told("failed", |r| match r {
        TrunkReport::RecordingFailed { attempt, .. } => Some(*attempt),
        _ => None,
    });
    assert_eq!(failed.await, attempt);
    assert_eq!(node.handle.stats().await.calls, 1);
}

#[tokio::test]
async fn silence_from_the_debtor_raises_the_alarm() {
    let carrier = Peer::start(Plan {
        hz: None,
        ..Plan::answers(0.0)
    })
    .await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    let silent = node.told("alarm", |r| match r {
        TrunkReport::OneWayAudio {
            attempt: of,
            silent_ms,
            ..
        } if *of == attempt => Some(*silent_ms),
        _ => None,
    });
    let silent_ms = silent.await;
    assert!(silent_ms >= 3_000, "{silent_ms}");
}

#[tokio::test]
async fn trunks_are_watched() {
    let carrier = Peer::start(Plan::rings()).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let up = node.told("health", |r| match r {
        TrunkReport::TrunkHealth { up, .. } => Some(*up),
        _ => None,
    });
    assert!(up.await);
    node.handle.set_trunks(vec![]).await.expect("changes");
    let gone = node.trunk.dial(order(1, 20_000, RecordMode::All)).await;
    assert_eq!(gone, Err(TrunkError::TrunkDown));
}

#[tokio::test]
async fn a_fax_machine_is_told_by_its_tone_where_the_order_wishes_it() {
    let carrier = Peer::start(Plan::answers(2_100.0)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let wished = DialOrder {
        classify: true,
        ..order(1, 20_000, RecordMode::None)
    };
    let attempt = wished.attempt_id;
    node.trunk.dial(wished).await.expect("dials");
    let answered = node.answered(attempt).await;
    let (at, verdict) = node
        .told("classified", |r| match r {
            TrunkReport::Classified {
                attempt: of,
                at,
                verdict,
            } if *of == attempt => Some((*at, verdict.clone())),
            _ => None,
        })
        .await;
    assert_eq!((verdict.class, verdict.reason), ("fax", "tone"));
    assert!(at >= answered);
    node.trunk
        .hang_up(attempt, HangUpCause::Normal)
        .await
        .expect("is up");
    node.ended(attempt).await;
    // An order that does not wish it hears nothing of the kind.
    let plain = node.dial(2, 20_000).await;
    node.answered(plain).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    node.trunk
        .hang_up(plain, HangUpCause::Normal)
        .await
        .expect("is up");
    let rest = node.rest().await;
    assert!(
        !rest
            .iter()
            .any(|r| matches!(r, TrunkReport::Classified { .. })),
        "{rest:?}"
    );
}
