//! SIPp by TCP through a stretch that cuts and glues (`relay.py`): every message is read, whatever
//! the segments.

use crate::common::Node;
use crate::line::{PATIENT_MS, at, came, taking};
use crate::sipp::{Sipp, free, hears, wanted};
use domain::ports::HangUpCause;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};
use voice::SipTransport;

/// Calls at once, so that messages of several meet in a segment.
const CALLS: u128 = 8;

struct Relay {
    child: Child,
    at: SocketAddr,
}

/// What the relay made.
#[derive(Debug)]
struct Made {
    segments: usize,
    glued: usize,
}

impl Relay {
    async fn start(how: &str, direction: &str, to: SocketAddr) -> Self {
        let at = free();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/relay.py");
        let child = Command::new("python3")
            .arg(script)
            .args([how, direction, &at.port().to_string()])
            .arg(to.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 is on the PATH");
        hears(at, SipTransport::Tcp).await;
        Self { child, at }
    }

    async fn made(mut self) -> Made {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().await.expect("ends");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut numbers = text
            .split_whitespace()
            .map(|n| n.parse().expect("a number"));
        let mut next = || numbers.next().expect("two numbers");
        Made {
            segments: next(),
            glued: next(),
        }
    }
}

/// That the relay did what it is there for.
fn judge(how: &str, made: &Made) {
    // A call has six messages at least; cut, each becomes ten segments and more.
    let calls = usize::try_from(CALLS).expect("few");
    match how {
        "cut" => assert!(made.segments > 20 * calls, "{made:?}"),
        _ => assert!(made.glued > 1, "{made:?}"),
    }
}

async fn callers(how: &str) {
    let mut node = taking(|_| ()).await;
    let to = node.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let relay = Relay::start(how, "there", to).await;
    let (many, all) = (CALLS.to_string(), "200");
    let more = ["-m", &many, "-l", &many, "-r", all];
    let sipp = Sipp::calls("caller-invite-200", SipTransport::Tcp, relay.at, &more);
    let mut attempts = Vec::new();
    for _ in 0..CALLS {
        attempts.push(came(&mut node).await);
    }
    sipp.well().await;
    for attempt in attempts {
        let end = node.ended(attempt).await;
        assert_eq!((end.code, end.by_us), (Some(200), false), "{how}");
    }
    node.is_empty().await;
    judge(how, &relay.made().await);
}

async fn carrier(how: &str) {
    let many = CALLS.to_string();
    let way = SipTransport::Tcp;
    let (sipp, to) = Sipp::carrier("uas-answer-200", way, &["-m", &many]).await;
    let relay = Relay::start(how, "back", to).await;
    let mut node = Node::start(vec![at(relay.at, way)]).await;
    let mut attempts = Vec::new();
    for n in 1..=CALLS {
        attempts.push(node.dial(n, PATIENT_MS).await);
    }
    for attempt in &attempts {
        node.answered(*attempt).await;
    }
    for attempt in &attempts {
        let ended = node.trunk.hang_up(*attempt, HangUpCause::Normal);
        ended.await.expect("hangs up");
    }
    for attempt in &attempts {
        assert_eq!(node.ended(*attempt).await.code, Some(200), "{how}");
    }
    sipp.well().await;
    node.is_empty().await;
    judge(how, &relay.made().await);
}

#[tokio::test]
async fn messages_of_sipp_cut_into_pieces_and_glued_together() {
    if !wanted() {
        return;
    }
    tokio::join!(
        callers("cut"),
        callers("glue"),
        carrier("cut"),
        carrier("glue")
    );
}
