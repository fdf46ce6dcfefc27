//! A room with SIPp on one line of it.

use crate::common::{End, Node, TRUNK, trunk};
use crate::sipp::{Sipp, local};
use domain::ids::AttemptId;
use domain::ports::{HangUpCause, TrunkReport};
use std::net::SocketAddr;
use voice::{SipTransport, TrunkConfig};

/// Rings no longer than this, ms, where the far end answers.
pub(crate) const PATIENT_MS: i64 = 30_000;

/// A trunk there, without pings: SIPp counts them as calls.
pub(crate) fn at(addr: SocketAddr, way: SipTransport) -> TrunkConfig {
    TrunkConfig {
        transport: way,
        ping: false,
        ..trunk(addr)
    }
}

/// One call of ours to a carrier that is SIPp.
pub(crate) struct Dialed {
    pub(crate) node: Node,
    pub(crate) attempt: AttemptId,
    sipp: Sipp,
}

impl Dialed {
    pub(crate) async fn to(name: &str, way: SipTransport) -> Self {
        Self::on(name, way, PATIENT_MS, |_| ()).await
    }

    pub(crate) async fn on(
        name: &str,
        way: SipTransport,
        ring_ms: i64,
        change: impl FnOnce(&mut TrunkConfig),
    ) -> Self {
        Self::with((name, way, &[]), ring_ms, change).await
    }

    /// The same with further arguments for SIPp.
    pub(crate) async fn with(
        (name, way, more): (&str, SipTransport, &[&str]),
        ring_ms: i64,
        change: impl FnOnce(&mut TrunkConfig),
    ) -> Self {
        let (sipp, addr) = Sipp::carrier(name, way, &[&["-m", "1"], more].concat()).await;
        let mut config = at(addr, way);
        change(&mut config);
        let node = Node::start(vec![config]).await;
        let attempt = node.dial(1, ring_ms).await;
        Self {
            node,
            attempt,
            sipp,
        }
    }

    pub(crate) async fn answered(&mut self) {
        self.node.answered(self.attempt).await;
    }

    pub(crate) async fn hang_up(&self) {
        let ended = self.node.trunk.hang_up(self.attempt, HangUpCause::Normal);
        ended.await.expect("hangs up");
    }

    /// The end as reported; SIPp saw all that it wanted, and nothing of the call is left.
    pub(crate) async fn end(mut self) -> End {
        self.sipp.well().await;
        let end = self.node.ended(self.attempt).await;
        self.node.is_empty().await;
        end
    }
}

/// A room that takes calls of a trunk somewhere on this machine.
pub(crate) async fn taking(change: impl FnOnce(&mut voice::VoiceConfig)) -> Node {
    Node::configured(|c| {
        let mut config = at(local(9), SipTransport::Udp);
        config.policy.acl = vec!["127.0.0.0/8".parse().expect("range")];
        c.trunks = vec![config];
        c.inbound.queue = true;
        change(c);
    })
    .await
}

/// The next call that came in.
pub(crate) async fn came(node: &mut Node) -> AttemptId {
    node.told("a call that comes in", |r| match r {
        TrunkReport::Incoming { attempt, trunk, .. } if *trunk == TRUNK => Some(*attempt),
        _ => None,
    })
    .await
}
