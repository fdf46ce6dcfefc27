//! A call whose media thread is gone.

mod half_way;

use super::super::{Order, start};
use crate::config::{Inbound, SipTransport, TrunkConfig, TrunkPolicy, VoiceConfig};
use domain::ids::TrunkId;
use domain::ports::TrunkReport;
use domain::time::UtcMs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

struct Clock;

impl domain::ports::Clock for Clock {
    fn now(&self) -> UtcMs {
        UtcMs(1_795_446_000_000)
    }
}

fn config(caller: SocketAddr, folder: &std::path::Path) -> VoiceConfig {
    let phones = Arc::new(|_: &str| None);
    let mut config = VoiceConfig::loopback(Arc::new(Clock), phones, folder.to_owned());
    config.media_threads = 1;
    config.inbound = Inbound {
        queue: true,
        ..Inbound::default()
    };
    config.trunks = vec![TrunkConfig {
        id: TrunkId(uuid::Uuid::from_u128(1)),
        name: "test".into(),
        uri: format!("sip:{caller}"),
        transport: SipTransport::Udp,
        username: None,
        password: None,
        register: false,
        channels: 5,
        cps: 5.0,
        codecs: vec![crate::Codec::Pcma],
        headers: Vec::new(),
        behind_nat: false,
        ping: false,
        policy: TrunkPolicy::default(),
    }];
    config
}

fn request(method: &str, from: SocketAddr, tag: &str, body: &str) -> String {
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    format!(
        "{method} sip:+525512345678@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+525587654321@{from}>;tag=1\r\nTo: <sip:+525512345678@127.0.0.1>{tag}\r\n\
         Call-ID: gone\r\nCSeq: 1 {method}\r\nContact: <sip:c@{from}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The next message that begins so.
async fn hears(socket: &UdpSocket, begins: &str) -> String {
    let mut buffer = [0; 4_096];
    let heard = async {
        loop {
            let n = socket.recv(&mut buffer).await.expect("hears");
            let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
            if text.starts_with(begins) {
                return text;
            }
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(10), heard).await;
    heard.unwrap_or_else(|_| panic!("{begins} does not come"))
}

#[tokio::test]
async fn a_call_whose_media_thread_is_gone_ends_and_so_does_the_room() {
    let folder = tempfile::tempdir().expect("folder");
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
    let from = socket.local_addr().expect("bound");
    let (orders, inbox) = mpsc::channel(8);
    let (told, mut reports) = mpsc::channel(64);
    let addrs = start(config(from, folder.path()), None, inbox, told)
        .await
        .expect("starts");
    let to = addrs
        .iter()
        .find(|(t, _)| *t == SipTransport::Udp)
        .expect("bound")
        .1;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";
    socket
        .send_to(request("INVITE", from, "", sdp).as_bytes(), to)
        .await
        .expect("sends");
    let answer = hears(&socket, "SIP/2.0 200").await;
    let (_, rest) = answer.split_once("\r\nTo: ").expect("To");
    let tag = rest
        .split("\r\n")
        .next()
        .and_then(|to| to.split_once(";tag="))
        .expect("a tag")
        .1;
    socket
        .send_to(
            request("ACK", from, &format!(";tag={tag}"), "").as_bytes(),
            to,
        )
        .await
        .expect("sends");
    let call = loop {
        if let TrunkReport::Incoming { attempt, .. } = reports.recv().await.expect("is told") {
            break attempt;
        }
    };
    orders.send(Order::BreakMedia).await.expect("is read");
    hears(&socket, "BYE ").await;
    let (mut faults, mut ends) = (0, Vec::new());
    let all = async {
        while let Some(report) = reports.recv().await {
            match report {
                TrunkReport::Fault {
                    attempt: Some(attempt),
                    ..
                } if attempt == call => faults += 1,
                TrunkReport::Ended {
                    attempt,
                    sip_code,
                    q850,
                    by_us,
                    ..
                } => ends.push((attempt, sip_code, q850, by_us)),
                _ => {}
            }
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(20), all).await;
    assert!(all.is_ok(), "without media threads the room ends");
    assert_eq!(faults, 1);
    assert_eq!(ends, [(call, Some(200), Some(41), true)]);
}
