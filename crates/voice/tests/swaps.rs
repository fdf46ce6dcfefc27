//! An agent's leg goes on at another phone of his, by an INVITE with Replaces; nobody else's does.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use bytes::Bytes;
use common::peer::{Peer, Plan, Seen};
use common::scene::{AGENT_HZ, DEBTOR_HZ, Joined};
use common::{Node, PASSWORD, trunk};
use domain::ports::TrunkReport;
use sip::header::Replaces;
use sip::ua::Login;

const OTHER_HZ: f64 = 2_100.0;

/// A registered phone without a call.
async fn registered(node: &Node, user: &str) -> Peer {
    let mut phone = Peer::start(Plan::answers(OTHER_HZ)).await;
    phone.register(node.sip, user, PASSWORD).await;
    phone.sees(|s| (*s == Seen::Registered).then_some(())).await;
    phone
}

fn login(user: &str) -> Login {
    Login::new(user, PASSWORD)
}

/// What its INVITE came to: 200, or the code that refused it.
async fn fate(peer: &mut Peer) -> u16 {
    peer.sees(|s| match s {
        Seen::Answered => Some(200),
        Seen::Failed(code) => Some(*code),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_call_goes_on_at_the_agents_other_phone() {
    let Joined {
        mut node,
        carrier,
        phone: mut first,
        attempt,
    } = Joined::open().await;
    let mut other = registered(&node, "agent1").await;
    let ids = first.ids().await;
    other
        .replace(node.sip, ids, login("agent1"), OTHER_HZ)
        .await;
    assert_eq!(fate(&mut other).await, 200);
    let ended = first.sees(|s| match s {
        Seen::Ended { by_remote, .. } => Some(*by_remote),
        _ => None,
    });
    assert!(ended.await, "the phone before is hung up");
    carrier.line.hears(OTHER_HZ).await;
    other.line.hears(DEBTOR_HZ).await;
    let down = |r: &TrunkReport| matches!(r, TrunkReport::AgentLegDown { .. });
    assert!(!node.was_told(down), "the agent was there throughout");
    assert_eq!(node.handle.stats().await.agent_legs, 1);
    // It is a leg as any other: who hangs it up is gone.
    other.hang_up().await;
    let gone = node.told("down", |r| match r {
        TrunkReport::AgentLegDown { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(gone.await, "the phone hung up");
    carrier.hang_up().await;
    node.ended(attempt).await;
    let (left, right) = node.sealed(attempt).await.channels();
    assert!(common::tone_ms(&left, AGENT_HZ) >= 100 && common::tone_ms(&left, OTHER_HZ) >= 100);
    assert!(common::tone_ms(&right, DEBTOR_HZ) >= 200);
}

#[tokio::test]
async fn a_place_that_is_not_his_is_taken_by_nobody() {
    let Joined {
        node,
        carrier,
        phone: first,
        ..
    } = Joined::open().await;
    let (leg, debtor) = (first.ids().await, carrier.ids().await);
    let unknown = Replaces {
        from_tag: Bytes::from_static(b"guess"),
        ..leg.clone()
    };
    let early = Replaces {
        early_only: true,
        ..leg.clone()
    };
    let mut second = registered(&node, "agent2").await;
    let mut own = registered(&node, "agent1").await;
    let his = login("agent2");
    second.replace(node.sip, leg.clone(), his, OTHER_HZ).await;
    assert_eq!(fate(&mut second).await, 403);
    for (ids, who, code) in [
        (&debtor, login("agent1"), 403),
        (&unknown, login("agent1"), 481),
        (&early, login("agent1"), 486),
        (&leg, Login::new("agent1", "a guess"), 401),
    ] {
        own.replace(node.sip, ids.clone(), who, OTHER_HZ).await;
        assert_eq!(fate(&mut own).await, code);
    }
    // A phone may not call; a stranger may not even with the right password, nor may a trunk.
    own.call(node.sip, OTHER_HZ).await;
    assert_eq!(fate(&mut own).await, 403);
    let mut stranger = Peer::start(Plan::answers(OTHER_HZ)).await;
    let his = login("agent1");
    stranger.replace(node.sip, leg.clone(), his, OTHER_HZ).await;
    assert_eq!(fate(&mut stranger).await, 403);
    let mut outside = Peer::start(Plan::answers(OTHER_HZ)).await;
    let ways = vec![trunk(carrier.addr), {
        let mut way = trunk(outside.addr);
        way.id = domain::ids::TrunkId(uuid::Uuid::from_u128(2));
        way
    }];
    node.handle.set_trunks(ways).await.expect("takes them");
    outside
        .replace(node.sip, leg, login("agent1"), OTHER_HZ)
        .await;
    assert_eq!(fate(&mut outside).await, 403);
    // All of it has changed nothing.
    first.line.hears(DEBTOR_HZ).await;
    carrier.line.hears(AGENT_HZ).await;
    assert_eq!(node.handle.stats().await.agent_legs, 1);
}
