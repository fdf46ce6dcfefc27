//! SIPp as an agent's phone, by UDP and by TCP.

use crate::common::{Node, PASSWORD, agent};
use crate::sipp::{Sipp, by_both};
use domain::ports::TrunkError;
use voice::SipTransport;

/// Refused with a wrong password, taken with the right one, and still there after another guess.
async fn registers(way: SipTransport) {
    // SIPp reads the first challenge only.
    let node = Node::configured(|c| c.md5_first = true).await;
    let to = node.handle.sip_addr(way).expect("bound");
    let with = |name, password| Sipp::registers(name, way, to, ("agent1", password)).well();
    with("phone-register-401", "a guess").await;
    assert!(!node.trunk.phone_registered("agent1").await, "by a guess");
    let calls = node.trunk.open_agent_leg(agent(1), "agent1").await;
    assert_eq!(calls, Err(TrunkError::NoPhone));
    with("phone-register-200", PASSWORD).await;
    assert!(node.trunk.phone_registered("agent1").await);
    with("phone-register-401", "a guess").await;
    assert!(node.trunk.phone_registered("agent1").await, "still");
    let nobody = ("stranger", PASSWORD);
    let stranger = Sipp::registers("phone-register-401", way, to, nobody);
    stranger.well().await;
    assert!(!node.trunk.phone_registered("stranger").await);
}

#[tokio::test]
async fn phones_with_a_wrong_password_and_the_right_one() {
    by_both(registers).await;
}
