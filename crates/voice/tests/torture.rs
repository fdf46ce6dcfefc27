//! Every message of RFC 4475 and RFC 5118 sent to a running room: by UDP, by TCP in one piece, in small
//! pieces, and glued to an OPTIONS. The table says which answers come; an honest OPTIONS after each is
//! answered, and so is a call of ours after all of them.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan};
use common::{Node, trunk};
use domain::ports::HangUpCause;
use sip::msg::parse_datagram;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use voice::SipTransport;

/// How long after a message and the OPTIONS behind it somebody may still answer, ms.
const AFTER_MS: u64 = 40;
/// Hang guard.
const SOON: Duration = Duration::from_secs(10);
/// Most octets of a piece of a message.
const PIECE: usize = 37;

/// Name, final answers by UDP, what TCP makes of it.
type Verdict = (&'static str, &'static str, OnStream);

/// What is different on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnStream {
    /// Nothing.
    Same,
    /// Other answers, and the stream goes on.
    Says(&'static str),
    /// These answers, and the connection is closed: where the next message begins is not known.
    Closes(&'static str),
    /// Its length takes in what follows: nothing is said for now.
    Waits,
}

use OnStream::{Closes, Same, Says, Waits};

const TABLE: [Verdict; 61] = [
    ("wsinv", "481", Same),
    ("intmeth", "501", Same),
    ("esc01", "200", Same),
    ("escnull", "401", Same),
    ("esc02", "501", Same),
    ("lwsdisp", "200", Same),
    ("longreq", "200", Same),
    ("dblreq", "401", Says("401 400")),
    ("semiuri", "200", Same),
    ("transports", "200", Same),
    ("mpart01", "405", Same),
    ("unreason", "-", Same),
    ("noreason", "-", Same),
    ("badinv01", "-", Same),
    ("clerr", "400", Waits),
    ("ncl", "400", Closes("-")),
    ("scalar02", "400", Same),
    ("scalarlg", "-", Same),
    ("quotbal", "400", Same),
    ("ltgtruri", "400", Same),
    ("lwsruri", "400", Same),
    ("lwsstart", "400", Same),
    ("trws", "400", Same),
    ("escruri", "400", Same),
    ("baddate", "200", Same),
    ("regbadct", "400", Same),
    ("badaspec", "200", Same),
    ("baddn", "400", Same),
    ("badvers", "505", Same),
    ("mismatch01", "400", Same),
    ("mismatch02", "400", Same),
    ("bigcode", "-", Closes("-")),
    ("badbranch", "200", Same),
    ("insuf", "400", Same),
    ("unkscm", "416", Same),
    ("novelsc", "416", Same),
    ("unksm2", "401", Same),
    ("bext01", "420", Same),
    ("invut", "415", Same),
    ("regaut01", "401", Same),
    ("multi01", "400", Same),
    ("mcl01", "400", Closes("-")),
    ("bcast", "-", Same),
    ("zeromf", "200", Same),
    ("cparam01", "401", Same),
    ("cparam02", "401", Same),
    ("regescrt", "401", Same),
    ("sdp01", "406", Same),
    ("inv2543", "200", Closes("-")),
    ("ipv6-good", "401", Same),
    ("ipv6-bad", "400", Same),
    ("port-ambiguous", "401", Same),
    ("port-unambiguous", "401", Same),
    ("via-received-param-with-delim", "481", Same),
    ("via-received-param-no-delim", "200", Same),
    ("ipv6-in-sdp", "488", Same),
    ("mult-ip-in-header", "481", Same),
    ("mult-ip-in-sdp", "200", Same),
    ("ipv4-mapped-ipv6", "488", Same),
    ("ipv6-bug-abnf-3-colons", "200", Same),
    ("ipv6-correct-abnf-2-colons", "200", Same),
];

fn message(name: &str) -> Vec<u8> {
    let file = |folder: &str| {
        format!(
            "{}/../sip/tests/{folder}/{name}.dat",
            env!("CARGO_MANIFEST_DIR")
        )
    };
    let found = std::fs::read(file("torture")).or_else(|_| std::fs::read(file("torture6")));
    found.expect("a message")
}

/// The port that answers by UDP go to: of the first Via, where it has one.
fn via_port(octets: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(octets);
    let via = text.lines().find(|line| {
        let name = line.split(':').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("via") || name.eq_ignore_ascii_case("v")
    });
    let hop = via
        .and_then(|line| line.split(';').next())
        .unwrap_or_default();
    let port = hop
        .rsplit(':')
        .next()
        .and_then(|port| port.trim().parse().ok());
    port.unwrap_or(5_060)
}

/// An address of this machine that is nobody else's: answers go to the ports that the messages name.
fn own_host(n: u8) -> Ipv4Addr {
    let process = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 + n, process[2], process[3])
}

fn options(way: &str, n: usize) -> String {
    format!(
        "OPTIONS sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/{way} 127.0.0.1:5999;branch=z9hG4bKhonest{n};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: honest{n}\r\n\
         CSeq: {n} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Final answers to what was sent among what came, without repeats; and whether the honest question `n` was
/// answered. Answers to earlier messages may come again.
fn judged(all: &[bytes::Bytes], sent: &[u8], n: usize) -> (String, bool) {
    let (mut codes, mut honest) = (Vec::new(), false);
    for octets in all {
        let sip::msg::Message::Response(response) = parse_datagram(octets).expect("reads") else {
            panic!("a request: {octets:?}");
        };
        let call = response.headers.call_id().unwrap_or_default();
        let ours = sent.windows(call.len().max(1)).any(|part| part == call);
        if call == format!("honest{n}").as_bytes() {
            assert_eq!(response.code, 200);
            honest = true;
        } else if (ours || call.is_empty())
            && response.code >= 200
            && !codes.contains(&response.code)
        {
            codes.push(response.code);
        }
    }
    let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
    let said = if codes.is_empty() {
        "-".to_owned()
    } else {
        codes.join(" ")
    };
    (said, honest)
}

async fn by_udp(node: SocketAddr, octets: &[u8], n: usize) -> (String, bool) {
    let port = via_port(octets);
    let at = SocketAddr::from((own_host(0), port));
    let socket = UdpSocket::bind(at).await.expect("the port of the Via");
    socket.send_to(octets, node).await.expect("sends");
    let honest = UdpSocket::bind((own_host(0), 0)).await.expect("port");
    let question = options("UDP", n);
    honest
        .send_to(question.as_bytes(), node)
        .await
        .expect("sends");
    let (mut all, mut buffer) = (Vec::new(), vec![0; 65_535]);
    let read = tokio::time::timeout(SOON, honest.recv(&mut buffer)).await;
    let size = read.expect("an honest OPTIONS is answered").expect("reads");
    all.push(bytes::Bytes::copy_from_slice(&buffer[..size]));
    let wait = Duration::from_millis(AFTER_MS);
    while let Ok(Ok(size)) = tokio::time::timeout(wait, socket.recv(&mut buffer)).await {
        all.push(bytes::Bytes::copy_from_slice(&buffer[..size]));
    }
    judged(&all, octets, n)
}

/// How a message is laid on the stream.
#[derive(Debug, Clone, Copy)]
enum Laid {
    Whole,
    Pieces,
    Glued,
}

async fn lay(stream: &mut TcpStream, octets: &[u8], question: &str, how: Laid) {
    // Where the connection is closed meanwhile, that is seen by who reads.
    match how {
        Laid::Whole => {
            let _ = stream.write_all(octets).await;
            let _ = stream.write_all(question.as_bytes()).await;
        }
        Laid::Pieces => {
            for piece in octets.chunks(PIECE) {
                let _ = stream.write_all(piece).await;
                tokio::task::yield_now().await;
            }
            let _ = stream.write_all(question.as_bytes()).await;
        }
        Laid::Glued => {
            let both = [octets, question.as_bytes()].concat();
            let _ = stream.write_all(&both).await;
        }
    }
}

/// The whole messages of a stream of answers.
fn split(mut octets: &[u8]) -> Vec<bytes::Bytes> {
    let mut all = Vec::new();
    while let Some(end) = octets.windows(4).position(|w| w == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&octets[..end]).into_owned();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length:"))
            .map_or(0, |text| text.trim().parse().expect("a length"));
        let Some(whole) = octets.get(..end + 4 + length) else {
            break;
        };
        all.push(bytes::Bytes::copy_from_slice(whole));
        octets = &octets[whole.len()..];
    }
    all
}

/// What is said, whether the OPTIONS behind it was answered, whether the connection was closed.
async fn by_tcp(node: SocketAddr, octets: &[u8], n: usize, how: Laid) -> (String, bool, bool) {
    let socket = TcpSocket::new_v4().expect("socket");
    socket
        .bind(SocketAddr::from((own_host(1), 0)))
        .expect("address");
    let mut stream = socket.connect(node).await.expect("connects");
    let _ = stream.set_nodelay(true);
    lay(&mut stream, octets, &options("TCP", n), how).await;
    let (mut got, mut buffer) = (Vec::new(), vec![0; 65_535]);
    let (mut closed, mut wait) = (false, Duration::from_millis(400));
    while let Ok(read) = tokio::time::timeout(wait, stream.read(&mut buffer)).await {
        let Ok(size @ 1..) = read else {
            closed = true;
            break;
        };
        got.extend_from_slice(&buffer[..size]);
        if judged(&split(&got), octets, n).1 {
            wait = Duration::from_millis(AFTER_MS);
        }
    }
    let (said, honest) = judged(&split(&got), octets, n);
    (said, honest, closed)
}

/// An OPTIONS by itself is answered.
async fn honest(node: SocketAddr, n: usize) {
    let socket = UdpSocket::bind((own_host(2), 0)).await.expect("port");
    let question = options("UDP", n);
    let sent = socket.send_to(question.as_bytes(), node).await;
    sent.expect("sends");
    let mut buffer = vec![0; 65_535];
    let read = tokio::time::timeout(SOON, socket.recv(&mut buffer)).await;
    let size = read.expect("an answer").expect("reads");
    let answer = bytes::Bytes::copy_from_slice(&buffer[..size]);
    assert_eq!(judged(&[answer], b"", n), ("-".to_owned(), true));
}

/// A room that takes calls of anybody, and all messages one way; what did not go as the table says.
async fn all_by(how: Option<Laid>) -> Vec<String> {
    let carrier = Peer::start(Plan::answers(700.0)).await;
    let address = carrier.addr;
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(address)];
        c.inbound.from_anyone = true;
    })
    .await;
    let tcp = node.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let mut wrong = Vec::new();
    for (n, (name, code, stream)) in TABLE.into_iter().enumerate() {
        let (octets, n) = (message(name), 10 * n);
        let (expected, said) = if let Some(how) = how {
            let expected = match stream {
                Same => (code, true, false),
                Says(code) => (code, true, false),
                Closes(code) => (code, false, true),
                Waits => ("-", false, false),
            };
            (expected, by_tcp(tcp, &octets, n, how).await)
        } else {
            let (said, answered) = by_udp(node.sip, &octets, n).await;
            ((code, true, false), (said, answered, false))
        };
        let (codes, answered, closed) = &said;
        if (codes.as_str(), *answered, *closed) != expected {
            wrong.push(format!("{name}, {how:?}: {said:?}"));
        }
        honest(node.sip, n + 1).await;
    }
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    let ended = node.trunk.hang_up(attempt, HangUpCause::Normal).await;
    ended.expect("hangs up");
    assert_eq!(node.ended(attempt).await.code, Some(200));
    wrong
}

#[tokio::test]
async fn every_message_of_both_rfcs_to_a_running_room() {
    let all = tokio::join!(
        all_by(None),
        all_by(Some(Laid::Whole)),
        all_by(Some(Laid::Pieces)),
        all_by(Some(Laid::Glued)),
    );
    let wrong = [all.0, all.1, all.2, all.3].concat();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
