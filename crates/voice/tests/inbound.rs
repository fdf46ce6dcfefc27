//! Calls that come in: the number a debtor calls back says who called.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::Node;
use common::peer::{Peer, Plan, Seen};
use common::{trunk, write_tone};

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
