//! A call that a proxy forked to us by two ways: one of them is taken (RFC 3261 §8.2.2.2).

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::{Node, trunk};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

fn request(method: &str, branch: &str, (from, to): (SocketAddr, &str), body: &str) -> String {
    format!(
        "{method} sip:+525512345678@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+525587654321@{from}>;tag=1\r\nTo: <sip:+525512345678@127.0.0.1>{to}\r\n\
         Call-ID: forked\r\nCSeq: 1 {method}\r\nContact: <sip:c@{from}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The next final answer to the request of that branch.
async fn answer(socket: &UdpSocket, branch: &str) -> String {
    let mut buffer = [0; 4_096];
    let heard = async {
        loop {
            let n = socket.recv(&mut buffer).await.expect("hears");
            let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
            let of_it = text.contains(&format!("branch=z9hG4bK{branch}"));
            if of_it && text.starts_with("SIP/2.0 ") && !text.starts_with("SIP/2.0 1") {
                return text;
            }
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(20), heard).await;
    heard.unwrap_or_else(|_| panic!("{branch} is not answered"))
}

#[tokio::test]
async fn the_second_way_of_a_forked_call_is_refused_and_the_first_goes_on() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let from = socket.local_addr().expect("address");
    let mut config = trunk(from);
    config.ping = false;
    let node = Node::configured(|c| {
        c.trunks = vec![config];
        c.inbound.queue = true;
    })
    .await;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";
    let says = async |text: String| {
        socket
            .send_to(text.as_bytes(), node.sip)
            .await
            .expect("sends");
    };
    says(request("INVITE", "one", (from, ""), sdp)).await;
    let taken = answer(&socket, "one").await;
    assert!(taken.starts_with("SIP/2.0 200 "), "{taken}");
    says(request("INVITE", "two", (from, ""), sdp)).await;
    let merged = answer(&socket, "two").await;
    assert!(merged.starts_with("SIP/2.0 482 "), "{merged}");
    assert_eq!(node.handle.stats().await.calls, 1, "one call");
    // The first way is what it was.
    let (_, rest) = taken.split_once("\r\nTo: ").expect("To");
    let to = rest.lines().next().expect("a line");
    let (_, tag) = to.split_once(";tag=").expect("a tag");
    let tag = format!(";tag={tag}");
    says(request("ACK", "ack", (from, &tag), "")).await;
    let bye = request("BYE", "bye", (from, &tag), "").replace("CSeq: 1 ", "CSeq: 2 ");
    says(bye).await;
    let over = answer(&socket, "bye").await;
    assert!(over.starts_with("SIP/2.0 200 "), "{over}");
    node.is_empty().await;
}
