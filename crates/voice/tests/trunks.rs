//! What a trunk is allowed and told: failover, redirections, toll rules, who is heard, TLS.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan, Seen};
use common::refuser::Refuser;
use common::tls::certificate;
use common::{Node, order, trunk};
use domain::entity::{CallResult, RecordMode};
use domain::ids::TrunkId;
use domain::ports::{DialOrder, TrunkError, TrunkReport};
use domain::time::UtcMs;
use sip::msg::HeaderName;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use uuid::Uuid;
use voice::{
    IdentityHeader, ResultTable, SipBind, SipTransport, TlsFiles, TollRules, TrunkConfig,
    TrunkPolicy,
};

/// Tone of a far end that answers.
const DEBTOR_HZ: f64 = 700.0;
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn named(n: u128, to: SocketAddr, policy: TrunkPolicy) -> TrunkConfig {
    TrunkConfig {
        id: TrunkId(Uuid::from_u128(900 + n)),
        name: format!("trunk{n}"),
        policy,
        ..trunk(to)
    }
}

/// Refuses at once: nothing rang anywhere.
fn refuses(code: u16) -> Plan {
    Plan {
        ring_ms: None,
        ..Plan::refuses(code)
    }
}

/// The number of a call.
fn number(n: u128) -> String {
    order(n, 0, RecordMode::None).number
}

async fn dial_on(node: &Node, n: u128, config: &TrunkConfig) -> Result<(), TrunkError> {
    let mut order = order(n, 20_000, RecordMode::None);
    order.trunk_id = config.id;
    node.trunk.dial(order).await
}

async fn invited(peer: &mut Peer) -> String {
    let number = |seen: &Seen| match seen {
        Seen::Invite { number, .. } => Some(number.clone()),
        _ => None,
    };
    peer.sees(number).await
}

async fn in_use(node: &Node) -> Vec<u32> {
    node.handle
        .trunks()
        .await
        .iter()
        .map(|t| t.in_use)
        .collect()
}

#[tokio::test]
async fn an_order_whose_time_is_over_is_not_placed() {
    let mut carrier = Peer::start(Plan::rings()).await;
    let trunk = named(1, carrier.addr, TrunkPolicy::default());
    let node = Node::start(vec![trunk.clone()]).await;
    let late = DialOrder {
        trunk_id: trunk.id,
        not_after: Some(UtcMs(0)),
        ..order(1, 20_000, RecordMode::None)
    };
    assert_eq!(node.trunk.dial(late).await, Err(TrunkError::Late));
    let far = UtcMs(i64::MAX);
    let in_time = DialOrder {
        trunk_id: trunk.id,
        not_after: Some(far),
        ..order(2, 20_000, RecordMode::None)
    };
    node.trunk.dial(in_time).await.expect("dials");
    assert!(
        invited(&mut carrier).await.ends_with("0000002"),
        "the first"
    );
}

#[tokio::test]
async fn a_call_that_503_refused_goes_on_on_the_next_trunk() {
    let (mut full, mut other) = (
        Peer::start(refuses(503)).await,
        Peer::start(Plan::answers(DEBTOR_HZ)).await,
    );
    let policy = TrunkPolicy {
        failover: vec!["trunk2".into()],
        ..TrunkPolicy::default()
    };
    let first = named(1, full.addr, policy);
    let second = named(2, other.addr, TrunkPolicy::default());
    let mut node = Node::start(vec![first.clone(), second]).await;
    let attempt = order(1, 20_000, RecordMode::None).attempt_id;
    dial_on(&node, 1, &first).await.expect("dials");
    invited(&mut full).await;
    invited(&mut other).await;
    let moved = node
        .told("the move", |r| match r {
            TrunkReport::Moved {
                attempt: of, trunk, ..
            } if *of == attempt => Some(*trunk),
            _ => None,
        })
        .await;
    assert_eq!(moved, TrunkId(Uuid::from_u128(902)), "who carries it");
    node.answered(attempt).await;
    assert_eq!(in_use(&node).await, [0, 1], "its channel moved along");
    node.trunk
        .hang_up(attempt, domain::ports::HangUpCause::Normal)
        .await
        .expect("hangs up");
    node.ended(attempt).await;
    assert_eq!(in_use(&node).await, [0, 0]);
    let sent = node.rest().await;
    let sent = sent
        .iter()
        .filter(|r| matches!(r, TrunkReport::Sent { .. }));
    assert!(sent.count() <= 1, "one attempt, told once");
}

#[tokio::test]
async fn a_trunk_says_itself_what_its_refusals_mean() {
    let peer = Refuser::start(480, |_| None).await;
    let rows = [("480".to_owned(), "busy".to_owned())];
    let policy = TrunkPolicy {
        results: ResultTable::read(&rows.into()).expect("a table"),
        ..TrunkPolicy::default()
    };
    let own = named(1, peer.addr, policy);
    let usual = named(2, peer.addr, TrunkPolicy::default());
    let mut node = Node::start(vec![own.clone(), usual.clone()]).await;
    for (n, trunk, expected) in [(1, &own, Some(CallResult::Busy)), (2, &usual, None)] {
        let of = order(n, 20_000, RecordMode::None).attempt_id;
        dial_on(&node, n, trunk).await.expect("dials");
        let told = node
            .told("the end", |r| match r {
                TrunkReport::Ended {
                    attempt,
                    sip_code,
                    result,
                    ..
                } if *attempt == of => Some((*sip_code, *result)),
                _ => None,
            })
            .await;
        assert_eq!(told, (Some(480), expected), "the pair stays as it came");
    }
}

#[tokio::test]
async fn a_trunk_that_cannot_be_reached_gives_its_call_away_and_one_that_rang_keeps_it() {
    let mut other = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let ringing = Peer::start(Plan::refuses(503)).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let shut = nobody.local_addr().expect("address");
    drop(nobody);
    let policy = TrunkPolicy {
        failover: vec!["trunk2".into()],
        ..TrunkPolicy::default()
    };
    let mut dead = named(1, shut, policy.clone());
    dead.transport = SipTransport::Tcp;
    dead.ping = false;
    let rang = named(3, ringing.addr, policy);
    let second = named(2, other.addr, TrunkPolicy::default());
    let mut node = Node::start(vec![dead.clone(), second, rang.clone()]).await;
    dial_on(&node, 1, &dead).await.expect("dials");
    node.answered(order(1, 0, RecordMode::None).attempt_id)
        .await;
    invited(&mut other).await;
    dial_on(&node, 2, &rang).await.expect("dials");
    let end = node.ended(order(2, 0, RecordMode::None).attempt_id).await;
    assert_eq!(end.code, Some(503), "the debtor may have heard it ring");
}

async fn health(node: &mut Node) -> bool {
    let news = |r: &TrunkReport| match r {
        TrunkReport::TrunkHealth { up, .. } => Some(*up),
        _ => None,
    };
    node.told("health of the trunk", news).await
}

#[tokio::test]
async fn a_trunk_without_pings_rests_until_somebody_takes_its_connections() {
    // Bound and not listening: the port is ours, and connections are refused.
    let place = tokio::net::TcpSocket::new_v4().expect("socket");
    place.bind(SocketAddr::new(HERE, 0)).expect("port");
    let mut config = named(
        1,
        place.local_addr().expect("address"),
        TrunkPolicy::default(),
    );
    config.transport = SipTransport::Tcp;
    config.ping = false;
    let mut node = Node::start(vec![config.clone()]).await;
    dial_on(&node, 1, &config).await.expect("dials");
    let end = node.ended(order(1, 0, RecordMode::None).attempt_id).await;
    assert_eq!(end.code, None, "nobody refused it");
    assert!(!health(&mut node).await, "nobody is there");
    assert_eq!(dial_on(&node, 2, &config).await, Err(TrunkError::TrunkDown));
    let listener = place.listen(16).expect("listens");
    assert!(health(&mut node).await, "it is found without a call");
    dial_on(&node, 2, &config).await.expect("dials again");
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut begin = [0; 7];
    let read = tokio::io::AsyncReadExt::read_exact(&mut stream, &mut begin);
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    read.expect("in time").expect("reads");
    assert_eq!(begin, *b"INVITE ");
}

#[tokio::test]
async fn a_redirection_is_followed_to_allowed_hosts_only() {
    let mut target = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let to = target.addr;
    let sends_on = Refuser::sends_to(&number(2), to).await;
    let policy = TrunkPolicy {
        redirect_hosts: vec![HERE],
        ..TrunkPolicy::default()
    };
    let closed = named(1, sends_on.addr, TrunkPolicy::default());
    let open = named(2, sends_on.addr, policy.clone());
    let mut node = Node::start(vec![closed.clone(), open.clone()]).await;
    dial_on(&node, 1, &closed).await.expect("dials");
    let end = node.ended(order(1, 0, RecordMode::None).attempt_id).await;
    assert_eq!(end.code, Some(302));
    dial_on(&node, 2, &open).await.expect("dials");
    assert_eq!(invited(&mut target).await, number(2));
    node.answered(order(2, 0, RecordMode::None).attempt_id)
        .await;

    // One to another number is none for us, and one in a circle ends.
    let other = Refuser::sends_to(&number(7), to).await;
    let other = named(3, other.addr, policy.clone());
    let own = number(4);
    let mut circle = Refuser::redirects(move |at| format!("<sip:{own}@{at}>")).await;
    let to_itself = named(4, circle.addr, policy);
    let mut node = Node::start(vec![other.clone(), to_itself.clone()]).await;
    dial_on(&node, 3, &other).await.expect("dials");
    let end = node.ended(order(3, 0, RecordMode::None).attempt_id).await;
    assert_eq!(end.code, Some(302));
    while let Ok(seen) = target.seen.try_recv() {
        let called = matches!(seen, Seen::Invite { .. });
        assert!(!called, "nobody judged that number");
    }
    dial_on(&node, 4, &to_itself).await.expect("dials");
    let end = node.ended(order(4, 0, RecordMode::None).attempt_id).await;
    assert_eq!(end.code, Some(302));
    let mut count = 0;
    while circle.invites.try_recv().is_ok() {
        count += 1;
    }
    assert_eq!(count, 4, "the call and three redirections");
}

/// Each INVITE of a call counts among the trunk's calls per second: a redirection waits for its turn, and where
/// that does not come soon the call ends as what it is.
#[tokio::test]
async fn a_redirection_waits_for_the_calls_per_second_of_its_trunk() {
    let mut target = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let to = target.addr;
    let policy = TrunkPolicy {
        redirect_hosts: vec![HERE],
        ..TrunkPolicy::default()
    };
    let sends_on = |n| async move { Refuser::sends_to(&number(n), to).await };
    let (slow, quick, gone) = (sends_on(1).await, sends_on(2).await, sends_on(3).await);
    let with = |n, at: &Refuser, cps| TrunkConfig {
        cps,
        ..named(n, at.addr, policy.clone())
    };
    let (slow, quick, gone) = (
        with(1, &slow, 0.1),
        with(2, &quick, 1.0),
        with(3, &gone, 0.1),
    );
    let mut node = Node::start(vec![slow.clone(), quick.clone(), gone.clone()]).await;
    dial_on(&node, 1, &slow).await.expect("dials");
    let end = node.ended(order(1, 0, RecordMode::None).attempt_id).await;
    assert_eq!((end.code, end.by_us), (Some(302), false));
    dial_on(&node, 2, &quick).await.expect("dials");
    assert_eq!(invited(&mut target).await, number(2), "the first that came");
    node.answered(order(2, 0, RecordMode::None).attempt_id)
        .await;
    // One that is withdrawn meanwhile is over at once.
    dial_on(&node, 3, &gone).await.expect("dials");
    let attempt = order(3, 0, RecordMode::None).attempt_id;
    node.trunk
        .hang_up(attempt, domain::ports::HangUpCause::Normal)
        .await
        .expect("hangs up");
    assert!(node.ended(attempt).await.by_us);
    assert_eq!(in_use(&node).await, [0, 1, 0]);
}

#[tokio::test]
async fn dear_numbers_and_the_call_beyond_the_hour_never_leave() {
    let carrier = Peer::start(Plan::rings()).await;
    let policy = TrunkPolicy {
        toll: TollRules {
            allowed: vec!["+52".into()],
            hourly: [("+52155".to_owned(), 2)].into(),
            ..TollRules::default()
        },
        ..TrunkPolicy::default()
    };
    let config = named(1, carrier.addr, policy);
    let node = Node::start(vec![config.clone()]).await;
    for number in ["+881612345678", "+529001234567", "+573001234567", "911"] {
        let mut order = order(1, 20_000, RecordMode::None);
        (order.trunk_id, order.number) = (config.id, number.into());
        let refused = node.trunk.dial(order).await;
        assert!(matches!(refused, Err(TrunkError::Refused(_))), "{number}");
    }
    dial_on(&node, 2, &config).await.expect("dials");
    dial_on(&node, 3, &config).await.expect("dials");
    let third = dial_on(&node, 4, &config).await;
    assert_eq!(
        third,
        Err(TrunkError::Refused("calls an hour to this prefix"))
    );
    assert_eq!(in_use(&node).await, [2]);
}

#[tokio::test]
async fn our_number_is_told_as_the_trunk_wants() {
    let mut carrier = Refuser::start(486, |_| None).await;
    let policy = TrunkPolicy {
        identity: IdentityHeader::Asserted,
        private: true,
        diversion: Some("+525550002000".into()),
        from_domain: Some("collect.example".into()),
        ..TrunkPolicy::default()
    };
    let config = named(1, carrier.addr, policy);
    let node = Node::start(vec![config.clone()]).await;
    dial_on(&node, 1, &config).await.expect("dials");
    let invite = carrier.invites.recv().await.expect("an INVITE");
    let told =
        |name| String::from_utf8_lossy(invite.headers.get(&name).expect("told")).into_owned();
    let asserted = told(HeaderName::PAssertedIdentity);
    assert_eq!(asserted, "<sip:+525550001000@collect.example>");
    assert_eq!(told(HeaderName::Privacy), "id");
    assert!(told(HeaderName::From).contains("anonymous@anonymous.invalid"));
    let diversion = told(HeaderName::Diversion);
    assert!(diversion.starts_with("<sip:+525550002000@collect.example>"));
}

/// An OPTIONS of a stranger; whether it is answered.
async fn asks(node: SocketAddr) -> bool {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0")
        .await
        .expect("port");
    let at = socket.local_addr().expect("address");
    let options = format!(
        "OPTIONS sip:x@{node} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: {}\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        at.port(),
        rand::random::<u64>()
    );
    socket
        .send_to(options.as_bytes(), node)
        .await
        .expect("sends");
    let mut buffer = [0; 2_000];
    tokio::time::timeout(Duration::from_millis(700), socket.recv_from(&mut buffer))
        .await
        .is_ok()
}

#[tokio::test]
async fn who_is_not_on_the_list_is_not_even_read() {
    let open = Node::start(vec![]).await;
    assert!(asks(open.sip).await);
    let shut =
        Node::configured(|c| c.allow = Some(vec!["10.0.0.0/8".parse().expect("range")])).await;
    assert!(!asks(shut.sip).await);
    assert!(shut.handle.stats().await.dropped >= 1);
    // A trunk is heard wherever it is, and so is the range it may call from.
    let policy = TrunkPolicy {
        acl: vec!["127.0.0.0/8".parse().expect("range")],
        ..TrunkPolicy::default()
    };
    let far = named(1, "192.0.2.1:5060".parse().expect("address"), policy);
    let listed = Node::configured(|c| {
        c.allow = Some(vec!["10.0.0.0/8".parse().expect("range")]);
        c.trunks = vec![far.clone()];
    })
    .await;
    assert!(asks(listed.sip).await);
    // Nobody but trunks.
    let closed = Node::configured(|c| c.allow = Some(Vec::new())).await;
    assert!(!asks(closed.sip).await);
    let trunks = Node::configured(|c| {
        c.allow = Some(Vec::new());
        c.trunks = vec![far];
    })
    .await;
    assert!(asks(trunks.sip).await);
}

#[tokio::test]
async fn tls_with_the_right_certificate_and_with_no_other() {
    let folder = tempfile::tempdir().expect("folder");
    let files = certificate(folder.path(), "sip.carrier.example");
    let other = certificate(folder.path(), "else.example");
    let ours = files.clone();
    let far = Node::configured(move |c| {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        c.sip_bind.push(SipBind {
            transport: SipTransport::Tls,
            addr,
        });
        c.tls = Some(ours);
        c.inbound.from_anyone = true;
    })
    .await;
    let addr = far.handle.sip_addr(SipTransport::Tls).expect("bound");
    let with = |n, ca: &TlsFiles, name: &str| {
        let mut policy = TrunkPolicy::default();
        policy.tls.ca_file = Some(ca.cert.clone());
        policy.tls.name = Some(name.to_owned());
        let mut config = named(n, addr, policy);
        config.transport = SipTransport::Tls;
        config.ping = false;
        config
    };
    let right = with(1, &files, "sip.carrier.example");
    let unsigned = with(2, &other, "sip.carrier.example");
    let misnamed = with(3, &files, "elsewhere.example");
    let trunks = vec![right.clone(), unsigned.clone(), misnamed.clone()];
    // One address has one expectation: each trunk in its own node.
    for (n, config) in trunks.into_iter().enumerate() {
        let mut node = Node::start(vec![config.clone()]).await;
        let attempt = order(1, 0, RecordMode::None).attempt_id;
        dial_on(&node, 1, &config).await.expect("dials");
        if n == 0 {
            node.answered(attempt).await;
        } else {
            let end = node.ended(attempt).await;
            assert_eq!(
                end.code, None,
                "no call over a connection nobody vouches for, and nobody who refused it"
            );
        }
    }
}
