//! Agents' phones and their nailed-up legs over real sockets.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan, Seen};
use common::{Node, PASSWORD, agent, trunk};
use domain::ports::{TrunkError, TrunkReport};

const AGENT_HZ: f64 = 1_300.0;

fn down(report: &TrunkReport) -> Option<String> {
    match report {
        TrunkReport::AgentLegDown { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}

fn phone_plan() -> Plan {
    Plan {
        ring_ms: None,
        decide_ms: Some(0),
        ..Plan::answers(AGENT_HZ)
    }
}

#[tokio::test]
async fn a_phone_registers_with_its_password_only() {
    let node = Node::start(vec![]).await;
    let mut phone = Peer::start(phone_plan()).await;
    for (user, password) in [("agent1", "wrong"), ("stranger", PASSWORD)] {
        phone.register(node.sip, user, password).await;
        let code = phone.sees(|s| match s {
            Seen::Refused(code) => Some(*code),
            _ => None,
        });
        assert_eq!(code.await, 401, "{user}");
        assert!(!node.trunk.phone_registered(user).await);
    }
    phone.register(node.sip, "agent1", PASSWORD).await;
    phone.sees(|s| (*s == Seen::Registered).then_some(())).await;
    assert!(node.trunk.phone_registered("agent1").await);
    assert_eq!(node.handle.stats().await.phones, 1);
}

#[tokio::test]
async fn no_phone_no_leg() {
    let node = Node::start(vec![]).await;
    let opened = node.trunk.open_agent_leg(agent(1), "agent1").await;
    assert_eq!(opened, Err(TrunkError::NoPhone));
    assert_eq!(
        node.trunk.close_agent_leg(agent(1)).await,
        Err(TrunkError::Gone)
    );
}

#[tokio::test]
async fn the_leg_is_up_once_audio_passed_both_ways() {
    let mut node = Node::start(vec![]).await;
    let phone = node.agent(1, AGENT_HZ).await;
    phone
        .line
        .becomes("hears us", |line| line.packets() > 0)
        .await;
    // Asking again changes nothing and says so.
    node.trunk
        .open_agent_leg(agent(1), "agent1")
        .await
        .expect("is open");
    node.told("up again", |r| {
        matches!(r, TrunkReport::AgentLegUp { .. }).then_some(())
    })
    .await;
    assert_eq!(node.handle.stats().await.agent_legs, 1);
    phone.hang_up().await;
    assert_eq!(node.told("down", down).await, "the phone hung up");
    assert_eq!(
        node.trunk.close_agent_leg(agent(1)).await,
        Err(TrunkError::Gone)
    );
    node.is_empty().await;
}

#[tokio::test]
async fn closing_says_bye_to_the_phone() {
    let mut node = Node::start(vec![]).await;
    let mut phone = node.agent(1, AGENT_HZ).await;
    node.trunk.close_agent_leg(agent(1)).await.expect("closes");
    let cause = phone.sees(|s| match s {
        Seen::Ended {
            by_remote: true,
            q850,
            ..
        } => Some(*q850),
        _ => None,
    });
    assert_eq!(cause.await, Some(16));
    assert_eq!(node.told("down", down).await, "closed");
    // And it can be opened anew.
    node.trunk
        .open_agent_leg(agent(1), "agent1")
        .await
        .expect("opens");
    node.told("up", |r| {
        matches!(r, TrunkReport::AgentLegUp { .. }).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_refuses_is_told() {
    let mut node = Node::start(vec![]).await;
    let mut phone = Peer::start(Plan::refuses(486)).await;
    phone.register(node.sip, "agent1", PASSWORD).await;
    phone.sees(|s| (*s == Seen::Registered).then_some(())).await;
    node.trunk
        .open_agent_leg(agent(1), "agent1")
        .await
        .expect("calls");
    assert_eq!(node.told("down", down).await, "the phone refused: 486");
}

#[tokio::test]
async fn a_mute_phone_is_given_up() {
    let mut node = Node::start(vec![]).await;
    let mut phone = Peer::start(Plan {
        hz: None,
        ..phone_plan()
    })
    .await;
    phone.register(node.sip, "agent1", PASSWORD).await;
    phone.sees(|s| (*s == Seen::Registered).then_some(())).await;
    node.trunk
        .open_agent_leg(agent(1), "agent1")
        .await
        .expect("calls");
    assert_eq!(node.told("down", down).await, "no audio from the phone");
    let rest = node.rest().await;
    assert!(
        !rest
            .iter()
            .any(|r| matches!(r, TrunkReport::AgentLegUp { .. }))
    );
}

#[tokio::test]
async fn the_debtor_stays_when_the_agent_leaves() {
    let carrier = Peer::start(Plan::answers(500.0)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let first = node.agent(1, AGENT_HZ).await;
    let _second = node.agent(2, 2_100.0).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    carrier.line.hears(AGENT_HZ).await;
    first.hang_up().await;
    node.told("down", down).await;
    carrier.line.hears_nothing().await;
    node.trunk
        .bridge(attempt, agent(2))
        .await
        .expect("another agent takes it");
    carrier.line.hears(2_100.0).await;
    assert_eq!(node.handle.stats().await.calls, 1);
}

#[tokio::test]
async fn calls_from_phones_and_strangers_are_refused() {
    let node = Node::start(vec![]).await;
    let mut phone = Peer::start(phone_plan()).await;
    for registered in [false, true] {
        if registered {
            phone.register(node.sip, "agent1", PASSWORD).await;
            phone.sees(|s| (*s == Seen::Registered).then_some(())).await;
        }
        phone.call(node.sip, AGENT_HZ).await;
        let code = phone.sees(|s| match s {
            Seen::Failed(code) => Some(*code),
            _ => None,
        });
        assert_eq!(code.await, 403);
    }
    node.is_empty().await;
}
