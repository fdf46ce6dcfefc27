//! A trunk whose name has two addresses (RFC 3263): who is full or away loses its calls to the other one,
//! and gets them back.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::names::{Record, serve};
use common::peer::{Peer, Plan, Seen};
use common::refuser::Refuser;
use common::{Node, order, trunk};
use domain::entity::RecordMode;
use domain::ids::AttemptId;
use domain::ports::HangUpCause;
use sip::msg::HeaderName;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use voice::{SipTransport, TrunkConfig};

const NAME: &str = "carrier.test";
const DEBTOR_HZ: f64 = 700.0;

/// A room with one trunk: the first of two servers, and the second for when that one fails. Its name is known.
async fn room(
    way: SipTransport,
    (first, second): (SocketAddr, SocketAddr),
    change: impl FnOnce(&mut TrunkConfig),
) -> Node {
    let service = match way {
        SipTransport::Udp => "_sip._udp.carrier.test",
        SipTransport::Tcp | SipTransport::Tls => "_sip._tcp.carrier.test",
    };
    let served = |priority, at: SocketAddr, by| Record::Served {
        priority,
        port: at.port(),
        by,
    };
    let here = Record::At(Ipv4Addr::LOCALHOST);
    let names = serve(vec![
        (service, served(20, second, "b.carrier.test")),
        (service, served(10, first, "a.carrier.test")),
        ("a.carrier.test", here),
        ("b.carrier.test", here),
    ])
    .await;
    let mut config = TrunkConfig {
        uri: format!("sip:{NAME}"),
        transport: way,
        ..trunk(first)
    };
    change(&mut config);
    let node = Node::configured(|c| {
        c.trunks = vec![config];
        c.name_servers = vec![names];
    })
    .await;
    becomes("found", async || node.handle.trunks().await[0].up).await;
    node
}

async fn becomes(what: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never {what}");
}

/// A server that is full for so long.
async fn full(seconds: &'static str) -> Refuser {
    Refuser::start(503, move |_| {
        Some((HeaderName::RetryAfter, seconds.to_owned()))
    })
    .await
}

/// Dials, is answered, hangs up.
async fn talk(node: &mut Node, n: u128) -> AttemptId {
    let attempt = node.dial(n, 20_000).await;
    node.answered(attempt).await;
    let over = node.trunk.hang_up(attempt, HangUpCause::Normal).await;
    over.expect("hangs up");
    node.ended(attempt).await;
    attempt
}

async fn invited(peer: &mut Peer) -> String {
    let number = |seen: &Seen| match seen {
        Seen::Invite { number, .. } => Some(number.clone()),
        _ => None,
    };
    peer.sees(number).await
}

#[tokio::test]
async fn a_call_that_one_address_refuses_goes_on_at_the_next_and_so_do_later_ones() {
    let (mut first, mut second) = (
        full("300").await,
        Peer::start(Plan::answers(DEBTOR_HZ)).await,
    );
    let places = (first.addr, second.addr);
    let mut node = room(SipTransport::Udp, places, |_| ()).await;
    for n in 1..=3 {
        talk(&mut node, n).await;
        assert_eq!(
            invited(&mut second).await,
            order(n, 0, RecordMode::None).number
        );
    }
    first.invites.recv().await.expect("the first call");
    assert!(first.invites.try_recv().is_err(), "it is left alone");
    let trunk = &node.handle.trunks().await[0];
    assert!(trunk.up && trunk.in_use == 0, "{trunk:?}");
}

#[tokio::test]
async fn calls_go_back_to_the_first_address_when_its_pause_is_over() {
    let (mut first, second) = (full("1").await, Peer::start(Plan::answers(DEBTOR_HZ)).await);
    let places = (first.addr, second.addr);
    let mut node = room(SipTransport::Udp, places, |_| ()).await;
    let mut asked = 0;
    for n in 1..200 {
        talk(&mut node, n).await;
        while first.invites.try_recv().is_ok() {
            asked += 1;
        }
        if asked > 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the first address is never asked again");
}

#[tokio::test]
async fn a_call_for_which_one_address_takes_no_connection_goes_on_at_the_next() {
    // Bound and not listening: connections are refused.
    let shut = tokio::net::TcpSocket::new_v4().expect("socket");
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    shut.bind(here).expect("port");
    let far = Node::configured(|c| c.inbound.from_anyone = true).await;
    let open = far.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let places = (shut.local_addr().expect("address"), open);
    let mut node = room(SipTransport::Tcp, places, |config| config.ping = false).await;
    for n in 1..=2 {
        talk(&mut node, n).await;
    }
}

#[tokio::test]
async fn a_registration_that_one_address_refuses_goes_on_at_the_next() {
    let (first, mut second) = (
        Refuser::refuses_all(503).await,
        Refuser::start(486, |_| None).await,
    );
    let places = (first.addr, second.addr);
    let mut node = room(SipTransport::Udp, places, |config| config.register = true).await;
    becomes("registered", async || {
        node.handle.trunks().await[0].registered == Some(true)
    })
    .await;
    let attempt = node.dial(1, 20_000).await;
    second.invites.recv().await.expect("calls go there too");
    assert_eq!(node.ended(attempt).await.code, Some(486));
}
