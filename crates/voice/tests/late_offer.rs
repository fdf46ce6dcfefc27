//! A far end that changes an answered call by a re-INVITE without description: ours comes in the 200,
//! its answer in the ACK. Written by hand, for our own endpoint never asks so.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::{Node, trunk, write_tone};
use domain::ports::{HangUpCause, TrunkReport};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

struct Carrier {
    socket: UdpSocket,
    addr: SocketAddr,
    node: SocketAddr,
}

/// The value of a header.
fn value<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find_map(|l| l.strip_prefix(name));
    line.and_then(|l| l.strip_prefix(": ")).expect("is there")
}

fn copied(message: &str, tag: &str) -> String {
    let to = value(message, "To");
    let tag = if to.contains("tag=") { "" } else { tag };
    let via: String = message
        .lines()
        .filter(|l| l.starts_with("Via: "))
        .map(|l| format!("{l}\r\n"))
        .collect();
    format!(
        "{via}From: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n",
        value(message, "From"),
        value(message, "Call-ID"),
        value(message, "CSeq"),
    )
}

fn sdp(rtp: &UdpSocket, version: u32) -> String {
    let at = rtp.local_addr().expect("address");
    format!(
        "v=0\r\no=- 9 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n",
        at.port(),
        ip = at.ip()
    )
}

impl Carrier {
    async fn says(&self, text: String) {
        let sent = self.socket.send_to(text.as_bytes(), self.node).await;
        sent.expect("sends");
    }

    /// The next message that begins so; pings are answered on the way. None when none comes in time.
    async fn hears(&self, start: &str, wait_ms: u64) -> Option<String> {
        let mut buffer = vec![0; 65_535];
        let wait = async {
            loop {
                let n = self.socket.recv(&mut buffer).await.expect("reads");
                let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
                if text.starts_with(start) {
                    return text;
                }
                if text.starts_with("OPTIONS") {
                    let head = copied(&text, ";tag=o");
                    let answer = format!("SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n");
                    self.says(answer).await;
                }
            }
        };
        let heard = tokio::time::timeout(Duration::from_millis(wait_ms), wait);
        heard.await.ok()
    }

    /// A request of ours inside the call that `invite` began.
    fn request(&self, line: &str, invite: &str, branch: &str, body: &str) -> String {
        let method = line.split(' ').next().expect("a method").to_owned();
        let kind = match body {
            "" => "",
            _ => "Content-Type: application/sdp\r\n",
        };
        format!(
            "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
             From: {};tag=carrier\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 7 {method}\r\n\
             Contact: <sip:c@{at}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            value(invite, "To"),
            value(invite, "From"),
            value(invite, "Call-ID"),
            body.len(),
            at = self.addr
        )
    }
}

#[tokio::test]
async fn a_change_without_description_moves_the_audio_and_nothing_else() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let addr = socket.local_addr().expect("address");
    let prompts = tempfile::tempdir().expect("folder");
    write_tone(&prompts.path().join("acme.es.wav"), 900.0, 300);
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(addr)];
        c.prompts_dir = Some(prompts.path().to_owned());
        c.inbound.client = "acme".into();
    })
    .await;
    let carrier = Carrier {
        socket,
        addr,
        node: node.sip,
    };
    let first = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let second = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let attempt = node.dial(1, 20_000).await;
    let invite = carrier.hears("INVITE", 10_000).await.expect("is called");
    let (head, body) = (copied(&invite, ";tag=carrier"), sdp(&first, 1));
    let answer = format!(
        "SIP/2.0 200 OK\r\n{head}Contact: <sip:c@{addr}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    carrier.says(answer).await;
    carrier.hears("ACK", 10_000).await.expect("is confirmed");
    node.answered(attempt).await;
    let target = value(&invite, "Contact")
        .trim_matches(['<', '>'])
        .to_owned();
    // The message for callers lasts 0.3 s: played here it would be over, and told, before the end.
    let again = carrier.request(&format!("INVITE {target}"), &invite, "re", "");
    carrier.says(again).await;
    let offer = loop {
        let ok = carrier
            .hears("SIP/2.0 200", 10_000)
            .await
            .expect("is answered");
        if value(&ok, "CSeq") == "7 INVITE" {
            break ok;
        }
    };
    assert!(offer.contains("m=audio"), "{offer}");
    let ack = carrier.request(&format!("ACK {target}"), &invite, "ack", &sdp(&second, 2));
    carrier.says(ack).await;
    let ended = carrier.hears("BYE", 1_500).await;
    assert_eq!(ended, None, "the call goes on");
    // What the debtor is told comes to the new place.
    let mut packet = [0; 2_000];
    let moved = tokio::time::timeout(Duration::from_secs(10), second.recv(&mut packet));
    let n = moved.await.expect("comes").expect("reads");
    assert!(n > 12 && packet[0] >> 6 == 2, "RTP");
    let hung_up = node.trunk.hang_up(attempt, HangUpCause::Normal).await;
    hung_up.expect("is still up");
    let bye = carrier.hears("BYE", 10_000).await.expect("ends");
    let head = copied(&bye, "");
    carrier
        .says(format!("SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n"))
        .await;
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
    let played = |r: &TrunkReport| matches!(r, TrunkReport::Played { .. });
    assert!(!node.rest().await.iter().any(played), "nothing was played");
}
