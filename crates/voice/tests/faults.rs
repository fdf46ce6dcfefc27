//! Faults of ours while signalling: what they were for ends, the room goes on; where they do not cease it ends, told.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::Node;
use domain::ports::TrunkReport;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

/// The account whose password cannot be looked up without a panic.
const BAD: &str = "roto";

fn broken_phones(config: &mut voice::VoiceConfig) {
    config.phones = Arc::new(|user: &str| {
        assert_ne!(user, BAD, "a fault on purpose");
        None
    });
}

struct Phone {
    socket: UdpSocket,
    to: SocketAddr,
    sent: u32,
}

impl Phone {
    async fn new(to: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("binds");
        Self {
            socket,
            to,
            sent: 0,
        }
    }

    async fn send(&mut self, method: &str, user: &str, more: &str) {
        self.sent += 1;
        let (n, from) = (self.sent, self.socket.local_addr().expect("bound"));
        let text = format!(
            "{method} sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKf{n}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@127.0.0.1>;tag=1\r\nTo: <sip:{user}@127.0.0.1>\r\n\
             Call-ID: fault{from}\r\nCSeq: {n} {method}\r\nContact: <sip:{user}@{from}>\r\n{more}\
             Content-Length: 0\r\n\r\n"
        );
        self.socket
            .send_to(text.as_bytes(), self.to)
            .await
            .expect("sends");
    }

    /// The next answer to the last request; `None` after a while without one.
    async fn answer(&self) -> Option<String> {
        let mut buffer = [0; 4_096];
        let heard = async {
            loop {
                let n = self.socket.recv(&mut buffer).await.expect("hears");
                let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
                if text.contains(&format!("branch=z9hG4bKf{};", self.sent))
                    || text.contains(&format!("branch=z9hG4bKf{}\r", self.sent))
                {
                    return text;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(2), heard)
            .await
            .ok()
    }

    /// Answers a challenge as the account that breaks the look-up.
    async fn break_it(&mut self) {
        self.send("REGISTER", BAD, "").await;
        let challenge = self.answer().await.expect("is challenged");
        let (_, rest) = challenge.split_once("nonce=\"").expect("a nonce");
        let (nonce, _) = rest.split_once('"').expect("a nonce");
        let (_, rest) = challenge.split_once("realm=\"").expect("a realm");
        let (realm, _) = rest.split_once('"').expect("a realm");
        let algorithm = if challenge.contains("SHA-256") {
            "SHA-256"
        } else {
            "MD5"
        };
        let word = format!(
            "Authorization: Digest username=\"{BAD}\", realm=\"{realm}\", nonce=\"{nonce}\", \
             uri=\"sip:127.0.0.1\", algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"c\", response=\"{}\"\r\n",
            "0".repeat(64)
        );
        self.send("REGISTER", BAD, &word).await;
    }
}

async fn fault(node: &mut Node) {
    node.told("a fault", |r| {
        matches!(r, TrunkReport::Fault { .. }).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_that_breaks_us_is_dropped_and_told() {
    let mut node = Node::configured(broken_phones).await;
    let mut phone = Phone::new(node.sip).await;
    phone.break_it().await;
    fault(&mut node).await;
    phone.send("OPTIONS", "otra", "").await;
    let answer = phone.answer().await.expect("the room goes on");
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    let ended = tokio::time::timeout(Duration::from_millis(50), node.handle.ended()).await;
    assert!(ended.is_err(), "it has not ended");
}

#[tokio::test]
async fn faults_without_end_are_the_end_and_close_the_reports() {
    let mut node = Node::configured(broken_phones).await;
    for _ in 0..voice::limits::FAULTS {
        let mut phone = Phone::new(node.sip).await;
        phone.break_it().await;
        fault(&mut node).await;
    }
    let mut phone = Phone::new(node.sip).await;
    phone.break_it().await;
    assert!(node.closes().await, "nothing more is told");
    let ended = tokio::time::timeout(Duration::from_secs(20), node.handle.ended()).await;
    assert!(ended.is_ok(), "who runs the room learns that it is over");
    phone.send("OPTIONS", "otra", "").await;
    assert_eq!(phone.answer().await, None);
}
