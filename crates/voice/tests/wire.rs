//! The sockets: TCP both ways, names of trunks, garbage, addresses that are taken.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan, Seen};
use common::{Node, order, trunk};
use domain::entity::{CallResult, RecordMode};
use domain::ids::TrunkId;
use domain::ports::{DialOrder, TrunkError, TrunkReport};
use domain::rules::results::unanswered;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use voice::{SipTransport, TrunkConfig, Voice, VoiceError};

fn options(call_id: &str, from: SocketAddr, proto: &str) -> String {
    format!(
        "OPTIONS sip:marcador@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{proto} {from};branch=z9hG4bK{call_id}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:t@127.0.0.1>;tag=1\r\nTo: <sip:marcador@127.0.0.1>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Reads until the head of a message is whole.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    let read = async {
        while !text.contains("\r\n\r\n") {
            let n = stream.read(&mut buffer).await.expect("reads");
            assert!(n > 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
        text
    };
    tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .expect("comes")
}

async fn health(node: &mut Node) -> bool {
    node.told("health", |r| match r {
        TrunkReport::TrunkHealth { up, .. } => Some(*up),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn options_over_tcp_in_pieces() {
    let node = Node::start(vec![]).await;
    let addr = node.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let mut stream = TcpStream::connect(addr).await.expect("connects");
    let from = stream.local_addr().expect("address");
    let text = options("pieces", from, "TCP");
    for piece in text.as_bytes().chunks(37) {
        stream.write_all(piece).await.expect("writes");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    assert!(answer.contains("Call-ID: pieces"));
}

#[tokio::test]
async fn garbage_costs_its_sender_the_connection_only() {
    let node = Node::start(vec![]).await;
    let addr = node.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let mut good = TcpStream::connect(addr).await.expect("connects");
    let mut bad = TcpStream::connect(addr).await.expect("connects");
    let lie = "OPTIONS sip:x@y SIP/2.0\r\nContent-Length: 99999999\r\n\r\n";
    bad.write_all(lie.as_bytes()).await.expect("writes");
    let mut buffer = [0; 256];
    let closed = async {
        // What is said before, if anything, is a refusal.
        while bad.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
    };
    tokio::time::timeout(Duration::from_secs(10), closed)
        .await
        .expect("is closed");
    let from = good.local_addr().expect("address");
    good.write_all(options("good", from, "TCP").as_bytes())
        .await
        .expect("writes");
    assert!(head(&mut good).await.starts_with("SIP/2.0 200"));

    let udp = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    for junk in [
        &[0_u8; 2_000][..],
        b"INVITE",
        b"\r\n\r\n",
        &[0xff; 40],
        b"SIP/2.0 200 OK\r\n\r\n",
    ] {
        udp.send_to(junk, node.sip).await.expect("sends");
    }
    let from = udp.local_addr().expect("address");
    udp.send_to(options("udp", from, "UDP").as_bytes(), node.sip)
        .await
        .expect("sends");
    let mut answer = [0; 4_096];
    let heard = async {
        loop {
            let n = udp.recv(&mut answer).await.expect("hears");
            let text = String::from_utf8_lossy(&answer[..n]).into_owned();
            if text.contains("Call-ID: udp") {
                return text;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), heard)
        .await
        .expect("answers");
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_room_for_others() {
    let node = Node::start(vec![]).await;
    let flooder = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let at = flooder.local_addr().expect("address");
    let flood = tokio::spawn({
        let to = node.sip;
        async move {
            for n in 0..20_000_u32 {
                let text = options(&format!("flood{n}"), at, "UDP").replace("OPTIONS", "REGISTER");
                let _ = flooder.send_to(text.as_bytes(), to).await;
            }
        }
    });
    let honest = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let from = honest.local_addr().expect("address");
    let mut buffer = [0; 4_096];
    let mut answered = 0;
    for n in 0..200 {
        // A datagram may be lost, as on any network: SIP asks again.
        let text = options(&format!("honest{n}"), from, "UDP");
        for _ in 0..20 {
            honest
                .send_to(text.as_bytes(), node.sip)
                .await
                .expect("sends");
            let heard = tokio::time::timeout(Duration::from_millis(500), honest.recv(&mut buffer));
            if heard.await.is_ok_and(|n| n.is_ok()) {
                answered += 1;
                break;
            }
        }
    }
    flood.await.expect("ends");
    assert_eq!(answered, 200);
    let stats = node.handle.stats().await;
    assert!(
        stats.transactions < 1_000,
        "a stranger's request leaves nothing: {stats:?}"
    );
}

#[tokio::test]
async fn one_source_has_so_many_connections_and_no_more() {
    let node = Node::start(vec![]).await;
    let addr = node.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let mut held = Vec::new();
    for n in 0..=voice::limits::TCP_PER_SOURCE {
        let mut stream = TcpStream::connect(addr).await.expect("connects");
        let from = stream.local_addr().expect("address");
        let asked = stream
            .write_all(options(&format!("c{n}"), from, "TCP").as_bytes())
            .await;
        if n < voice::limits::TCP_PER_SOURCE {
            asked.expect("writes");
            assert!(
                head(&mut stream).await.starts_with("SIP/2.0 200"),
                "connection {n}"
            );
            held.push(stream);
        } else {
            let mut byte = [0];
            let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut byte));
            assert!(
                !matches!(read.await.expect("is closed"), Ok(1..)),
                "one too many"
            );
        }
    }
}

#[tokio::test]
async fn a_trunk_over_tcp_is_pinged_and_called() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let config = voice::TrunkConfig {
        transport: SipTransport::Tcp,
        ..trunk(listener.local_addr().expect("address"))
    };
    let mut node = Node::start(vec![config]).await;
    let (mut stream, _) = listener.accept().await.expect("is called");
    let ping = head(&mut stream).await;
    assert!(ping.starts_with("OPTIONS "), "{ping}");
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let mut answer = "SIP/2.0 200 OK\r\n".to_owned();
    for line in ping
        .lines()
        .filter(|l| copied.iter().any(|c| l.starts_with(c)))
    {
        answer.push_str(line);
        answer.push_str("\r\n");
    }
    answer.push_str("Content-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.expect("writes");
    assert!(health(&mut node).await);
    node.dial(1, 20_000).await;
    let invite = head(&mut stream).await;
    assert!(invite.starts_with("INVITE sip:+5215500000001@"), "{invite}");
    assert!(invite.contains("transport=tcp"));
}

const SECOND: TrunkId = TrunkId(uuid::Uuid::from_u128(22));

/// An INVITE that was read may ring, whatever became of its connection: it is not placed anew.
#[tokio::test]
async fn a_connection_that_goes_behind_the_invite_is_a_fault_and_no_second_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let mut spare = Peer::start(Plan::rings()).await;
    let mut config = voice::TrunkConfig {
        name: "first".into(),
        transport: SipTransport::Tcp,
        ping: false,
        ..trunk(listener.local_addr().expect("address"))
    };
    config.policy.failover = vec!["second".into()];
    let second = voice::TrunkConfig {
        id: SECOND,
        name: "second".into(),
        ..trunk(spare.addr)
    };
    let mut node = Node::start(vec![config, second]).await;
    let attempt = node.dial(1, 20_000).await;
    let (mut stream, _) = listener.accept().await.expect("is called");
    let invite = head(&mut stream).await;
    assert!(invite.starts_with("INVITE "), "{invite}");
    drop(stream);
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (None, false), "no answer of anybody");
    assert_eq!(unanswered(end.code, end.q850), CallResult::TrunkFault);
    // The next call is the first that the second trunk sees.
    let next = DialOrder {
        trunk_id: SECOND,
        ..order(2, 20_000, RecordMode::None)
    };
    node.trunk.dial(next).await.expect("dials");
    let number = spare
        .sees(|seen| match seen {
            Seen::Invite { number, .. } => Some(number.clone()),
            _ => None,
        })
        .await;
    assert!(number.ends_with("0000002"), "{number}");
}

#[tokio::test]
async fn a_trunk_whose_calls_get_no_answer_is_down() {
    // A port that is bound and silent: it answers neither pings nor calls.
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let mut node = Node::start(vec![trunk(silent.local_addr().expect("address"))]).await;
    assert!(
        node.handle.trunks().await[0].up,
        "many carriers leave pings unanswered: calls decide"
    );
    for n in 0..u128::from(voice::limits::TRUNK_SILENT_CALLS) {
        node.dial(n + 1, 20_000).await;
    }
    assert!(!health(&mut node).await);
    let refused = node.trunk.dial(order(9, 20_000, RecordMode::All)).await;
    assert_eq!(refused, Err(TrunkError::TrunkDown));
    assert!(!node.handle.trunks().await[0].up);
}

#[tokio::test]
async fn a_trunk_by_name_is_looked_up() {
    let carrier = Peer::start(Plan::answers(500.0)).await;
    let config = voice::TrunkConfig {
        uri: format!("sip:localhost:{}", carrier.addr.port()),
        ..trunk(carrier.addr)
    };
    let mut node = Node::start(vec![config]).await;
    assert!(health(&mut node).await);
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let addr = taken.local_addr().expect("address");
    let clock = std::sync::Arc::new(common::SystemClock);
    let nobody = std::sync::Arc::new(|_: &str| None);
    let mut config = voice::VoiceConfig::loopback(clock, nobody, "unused".into());
    config.sip_bind = vec![format!("udp://{addr}").parse().expect("parses")];
    match Voice::start(config).await {
        Err(VoiceError::Bind { what, .. }) => assert!(what.contains(&addr.to_string()), "{what}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the address was free"),
    }
}

#[tokio::test]
async fn calls_end_when_nobody_listens_any_more() {
    let mut carrier = Peer::start(Plan::answers(500.0)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    let (trunk, handle) = (node.trunk.clone(), node.handle.clone());
    drop(node);
    let cause = carrier.sees(|s| match s {
        common::peer::Seen::Ended {
            by_remote: true,
            q850,
            ..
        } => Some(*q850),
        _ => None,
    });
    assert_eq!(cause.await, Some(38));
    let late = trunk.dial(order(2, 20_000, RecordMode::All)).await;
    assert_eq!(late, Err(TrunkError::TrunkDown));
    assert!(handle.trunks().await.is_empty());
}

/// A NAT in front of a trunk is kept open by line ends (RFC 5626 §4.4), where the trunk is said to need it.
#[tokio::test]
async fn a_trunk_behind_a_nat_gets_keep_alives_and_no_other_one_does() {
    for keep_alive in [true, false] {
        let far = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
        let mut carrier = trunk(far.local_addr().expect("bound"));
        carrier.policy.keep_alive = keep_alive;
        let _node = Node::start(vec![carrier]).await;
        let mut octets = [0; 2_048];
        let first = async {
            // A ping leaves as soon as the trunk's address is known, as a keep-alive does; unanswered it comes again.
            let mut came = (0, false);
            while came.0 < 2 || came.1 != keep_alive {
                let n = far.recv(&mut octets).await.expect("reads");
                came.0 += u8::from(octets[..n].starts_with(b"OPTIONS"));
                came.1 |= octets[..n] == *b"\r\n\r\n";
            }
        };
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, first).await.expect("comes");
    }
}

/// A BYE as it came.
struct Bye {
    from: SocketAddr,
    id: String,
    number: u32,
    signed: bool,
}

/// Takes a BYE and answers it, unless with nothing.
async fn answer_bye(far: &UdpSocket, status: fn(&Bye) -> Option<&'static str>) -> Option<Bye> {
    let mut octets = [0; 2_048];
    let (n, from) = far.recv_from(&mut octets).await.expect("reads");
    let text = String::from_utf8_lossy(&octets[..n]).into_owned();
    if !text.starts_with("BYE") {
        return None;
    }
    let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let kept = |line: &&str| names.iter().any(|name| line.starts_with(name));
    let fields: Vec<&str> = text.lines().filter(kept).collect();
    let word = |name: &str| {
        let line = fields.iter().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(' ').nth(1))
    };
    let bye = Bye {
        from,
        id: word("Call-ID:")?.to_owned(),
        number: word("CSeq:")?.parse().ok()?,
        signed: text.contains("Proxy-Authorization: Digest username=\"us\""),
    };
    if let Some(status) = status(&bye) {
        let answer = format!("SIP/2.0 {status}\r\n{}\r\n\r\n", fields.join("\r\n"));
        far.send_to(answer.as_bytes(), from).await.expect("sends");
    }
    Some(bye)
}

const CHALLENGE: &str = "407 Proxy Authentication Required\r\n\
    Proxy-Authenticate: Digest realm=\"them\", nonce=\"n1\", qop=\"auth\", algorithm=MD5";

/// The book of a process that died while four calls of the trunk were up.
fn book_of_left_legs(carrier: &TrunkConfig, at: SocketAddr) -> String {
    let entry = |(leg, id): (u64, &str)| {
        let bye = format!(
            "BYE sip:gw@127.0.0.1 SIP/2.0\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.1>;tag=2\r\n\
            Call-ID: {id}\r\nCSeq: 100001 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        format!("+ {leg} udp {at} {} %{}\n", hex::encode(bye), carrier.id.0)
    };
    let ids = ["silent", "refused", "challenged", "taken"];
    let entries: Vec<String> = (3..).zip(ids).map(entry).collect();
    entries.concat()
}

/// Legs whose BYE nobody answered, or somebody refused or challenged, before the next process died too: the one after
/// it says it again, with numbers that were not used before.
#[tokio::test]
async fn a_leg_that_nobody_ended_outlives_a_second_death() {
    let far = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let folder = tempfile::tempdir().expect("folder");
    let (legs, copy) = (folder.path().join("legs"), folder.path().join("copy"));
    let at = far.local_addr().expect("bound");
    let carrier = TrunkConfig {
        username: Some("us".into()),
        password: Some("pass".into()),
        ping: false,
        ..trunk(at)
    };
    std::fs::write(&legs, book_of_left_legs(&carrier, at)).expect("writes");
    // Answers until so many are out of the book, and what was challenged is signed.
    let ended = async |book: &Path, want, status: fn(&Bye) -> Option<&'static str>| {
        let out = || {
            let text = std::fs::read_to_string(book).expect("reads");
            text.lines().filter(|line| line.starts_with("- ")).count()
        };
        let mut byes: Vec<Bye> = Vec::new();
        let answers = async {
            while out() < want || !byes.iter().any(|bye| bye.signed) {
                let wait = Duration::from_millis(50);
                let bye = tokio::time::timeout(wait, answer_bye(&far, status)).await;
                byes.extend(bye.ok().flatten());
            }
        };
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, answers).await.expect("ended");
        assert_eq!(out(), want, "no other one is");
        byes
    };
    let (path, trunks) = (legs.clone(), vec![carrier.clone()]);
    let first = Node::configured(move |c| {
        (c.legs_file, c.trunks) = (Some(path), trunks);
    })
    .await;
    let before = ended(&legs, 1, |bye| match bye.id.as_str() {
        "refused" => Some("503 Service Unavailable"),
        "challenged" => Some(CHALLENGE).filter(|_| !bye.signed),
        "taken" => Some("200 OK"),
        _ => None,
    })
    .await;
    // It dies before the others are ended.
    std::fs::copy(&legs, &copy).expect("copies");
    drop(first);
    let (path, trunks) = (copy.clone(), vec![carrier]);
    let next = Node::configured(move |c| {
        (c.legs_file, c.trunks) = (Some(path), trunks);
    })
    .await;
    let after = ended(&copy, 3, |bye| match bye.id.as_str() {
        "challenged" if !bye.signed => Some(CHALLENGE),
        _ => Some("200 OK"),
    })
    .await;
    for bye in after.iter().filter(|bye| bye.from == next.sip) {
        let used = before.iter().filter(|b| b.id == bye.id);
        let used: Vec<u32> = used.map(|b| b.number).collect();
        let fresh = used.iter().all(|number| *number < bye.number);
        assert!(
            fresh && !used.is_empty(),
            "{}: {} after {used:?}",
            bye.id,
            bye.number
        );
    }
}
