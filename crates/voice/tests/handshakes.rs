//! Connections to the TLS port of SIP on which nobody shakes hands.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::Node;
use common::tls::{certificate, shake};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use voice::{SipBind, SipTransport, TlsFiles};

const NAME: &str = "sip.center.example";
/// Connections that begin a handshake and stop.
const HALF_OPEN: u8 = 250;
/// Most of them from one address: below what a stranger may have.
const EACH: u8 = 25;
/// Longer than a handshake may take, shorter than a first message may: by when they are closed.
const CLOSED: Duration = Duration::from_secs(25);

/// A connection from an address of this machine's own, with the first octets of a handshake.
async fn half_open(from: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("socket");
    let from = SocketAddr::from(([127, 0, 7, from], 0));
    socket.bind(from).expect("an address");
    let mut stream = socket.connect(to).await.expect("connects");
    stream.write_all(&[22, 3, 1]).await.expect("writes");
    stream
}

/// An honest peer's OPTIONS inside TLS; its answer.
async fn asks(to: SocketAddr, files: &TlsFiles) -> String {
    let mut stream = shake(to, files, NAME).await;
    let options = "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1\r\n\
        Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: honest\r\n\
        CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(options.as_bytes()).await.expect("writes");
    let mut buffer = [0; 2_000];
    let n = stream.read(&mut buffer).await.expect("reads");
    String::from_utf8_lossy(&buffer[..n]).into_owned()
}

#[tokio::test]
async fn half_open_handshakes_end_soon_and_honest_peers_are_served_meanwhile() {
    let folder = tempfile::tempdir().expect("folder");
    let files = certificate(folder.path(), NAME);
    let ours = files.clone();
    let node = Node::configured(move |c| {
        c.sip_bind.push(SipBind {
            transport: SipTransport::Tls,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        });
        c.tls = Some(ours);
    })
    .await;
    let to = node.handle.sip_addr(SipTransport::Tls).expect("bound");
    let mut open = Vec::new();
    for n in 0..HALF_OPEN {
        open.push(half_open(1 + n / EACH, to).await);
        open.push(half_open(101 + n / EACH, to).await);
    }
    assert_eq!(open.len(), 500);
    let honest = tokio::time::timeout(Duration::from_secs(20), asks(to, &files));
    let answer = honest.await.expect("in time");
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    let all = async {
        for stream in &mut open {
            let mut buffer = [0; 64];
            // Whatever it is told of that before, the end comes.
            while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
        }
    };
    let closed = tokio::time::timeout(CLOSED, all).await;
    assert!(closed.is_ok(), "a handshake that does not go on is ended");
    let answer = asks(to, &files).await;
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
}
