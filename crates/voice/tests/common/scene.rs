//! The opening of most tests: a carrier that is the node's trunk, an agent at a phone, and a debtor joined with him.

use super::peer::{Peer, Plan};
use super::{Node, trunk};
use domain::ids::AttemptId;
use voice::VoiceConfig;

/// The debtor's voice.
pub const DEBTOR_HZ: f64 = 500.0;
/// The voice of agent 1.
pub const AGENT_HZ: f64 = 1_300.0;
/// A note that sounds through the hold music.
pub const MUSIC_HZ: f64 = 330.0;

pub struct Joined {
    pub node: Node,
    pub carrier: Peer,
    pub phone: Peer,
    pub attempt: AttemptId,
}

impl Joined {
    /// A debtor and agent 1, who hear each other.
    pub async fn open() -> Self {
        Self::configured(|_| {}).await
    }

    /// The same at a node with more to it.
    pub async fn configured(configure: impl FnOnce(&mut VoiceConfig)) -> Self {
        let joined = Self::of(Plan::answers(DEBTOR_HZ), configure).await;
        joined.phone.line.hears(DEBTOR_HZ).await;
        joined.carrier.line.hears(AGENT_HZ).await;
        joined
    }

    /// A debtor like this, joined; what both hear is the test's matter. The carrier is the first trunk.
    pub async fn of(debtor: Plan, configure: impl FnOnce(&mut VoiceConfig)) -> Self {
        let carrier = Peer::start(debtor).await;
        let way = trunk(carrier.addr);
        let mut node = Node::configured(|c| {
            c.trunks = vec![way];
            configure(c);
        })
        .await;
        let phone = node.agent(1, AGENT_HZ).await;
        let attempt = node.joins().await;
        Self {
            node,
            carrier,
            phone,
            attempt,
        }
    }
}
