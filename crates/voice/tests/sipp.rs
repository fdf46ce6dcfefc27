//! SIPp as the far end: `MARCADOR_SIPP=1` with `sipp` on the PATH. Without it these tests pass
//! without having looked, since not every machine has SIPp.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan, Seen};
use common::scene::{DEBTOR_HZ, Joined};
use common::{Node, PASSWORD, agent, trunk, write_tone};
use domain::ports::{HangUpCause, TrunkReport};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

fn wanted() -> bool {
    std::env::var("MARCADOR_SIPP").is_ok_and(|v| v == "1")
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("port");
    socket.local_addr().expect("address").port()
}

fn scenario(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sip-test/scenarios");
    folder.join(name).to_string_lossy().into_owned()
}

fn sipp(port: u16, args: &[&str]) -> Child {
    let port = port.to_string();
    let media = free_port().to_string();
    Command::new("sipp")
        .args([
            "-i",
            "127.0.0.1",
            "-p",
            &port,
            "-mi",
            "127.0.0.1",
            "-mp",
            &media,
        ])
        .args(["-nostdin", "-timeout", "60", "-timeout_error"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("sipp is on the PATH")
}

async fn succeeds(child: Child) {
    let ended = tokio::time::timeout(Duration::from_secs(90), child.wait_with_output());
    let output = ended.await.expect("sipp ends").expect("sipp ran");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{:?}: {said}", output.status);
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// SIPp says nothing when it is ready to hear.
async fn ready() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test]
async fn sipp_answers_our_calls() {
    if !wanted() {
        return;
    }
    let port = free_port();
    // Without -m: SIPp counts our OPTIONS pings as calls. It ends with the test.
    let _carrier = sipp(port, &["-sn", "uas", "-aa", "-rtp_echo"]);
    ready().await;
    let mut node = Node::start(vec![trunk(local(port))]).await;
    for n in 1..=5 {
        let attempt = node.dial(n, 20_000).await;
        node.answered(attempt).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        node.trunk
            .hang_up(attempt, HangUpCause::Normal)
            .await
            .expect("hangs up");
        let end = node.ended(attempt).await;
        assert_eq!(end.code, Some(200));
        assert!(
            end.rtp_out > 5 && end.rtp_in > 5,
            "the echo came back: {end:?}"
        );
        let sealed = node.sealed(attempt).await;
        assert!(sealed.duration_ms >= 200, "{sealed:?}");
    }
}

#[tokio::test]
async fn a_sipp_phone_registers_and_takes_its_leg() {
    if !wanted() {
        return;
    }
    // SIPp 3.6 reads the first challenge only.
    let mut node = Node::configured(|c| c.md5_first = true).await;
    let port = free_port();
    let us = node.sip.to_string();
    let register = scenario("phone-register-200.xml");
    let login = ["-s", "agent1", "-au", "agent1", "-ap", PASSWORD, "-m", "1"];
    succeeds(sipp(port, &[&["-sf", &register, &us], &login[..]].concat())).await;
    assert!(node.trunk.phone_registered("agent1").await);
    let answer = scenario("phone-answer-200.xml");
    let phone = sipp(port, &["-sf", &answer, "-rtp_echo", "-m", "1", &us]);
    ready().await;
    node.trunk
        .open_agent_leg(agent(1), "agent1")
        .await
        .expect("calls");
    node.told("up", |r| {
        matches!(r, TrunkReport::AgentLegUp { .. }).then_some(())
    })
    .await;
    node.trunk.close_agent_leg(agent(1)).await.expect("closes");
    node.told("down", |r| {
        matches!(r, TrunkReport::AgentLegDown { .. }).then_some(())
    })
    .await;
    succeeds(phone).await;
}

/// A phone that registered and does this when its leg is opened; what was told of it.
async fn phone_that(name: &str, node: &mut Node) -> (bool, String) {
    let port = free_port();
    let us = node.sip.to_string();
    let register = scenario("phone-register-200.xml");
    let login = ["-s", "agent1", "-au", "agent1", "-ap", PASSWORD, "-m", "1"];
    succeeds(sipp(port, &[&["-sf", &register, &us], &login[..]].concat())).await;
    let file = scenario(name);
    let phone = sipp(port, &["-sf", &file, "-rtp_echo", "-m", "1", &us]);
    ready().await;
    let opened = node.trunk.open_agent_leg(agent(1), "agent1").await;
    opened.expect("calls");
    let mut up = false;
    let reason = loop {
        let told = node.told("up or down", |r| match r {
            TrunkReport::AgentLegUp { .. } => Some(None),
            TrunkReport::AgentLegDown { reason, .. } => Some(Some(reason.clone())),
            _ => None,
        });
        match told.await {
            Some(reason) => break reason,
            None => up = true,
        }
    };
    succeeds(phone).await;
    (up, reason)
}

#[tokio::test]
async fn sipp_phones_are_busy_hang_up_and_hold() {
    if !wanted() {
        return;
    }
    let mut node = Node::configured(|c| c.md5_first = true).await;
    for (name, told) in [
        ("phone-busy-486.xml", (false, "the phone refused: 486")),
        ("phone-hangup-200.xml", (true, "the phone hung up")),
        ("phone-hold-200.xml", (true, "the phone hung up")),
    ] {
        let (up, reason) = phone_that(name, &mut node).await;
        assert_eq!((up, reason.as_str()), told, "{name}");
        node.is_empty().await;
    }
}

#[tokio::test]
async fn a_sipp_phone_presses_its_transfer_key() {
    if !wanted() {
        return;
    }
    let carrier = Peer::start(Plan::answers(500.0)).await;
    let mut node = Node::configured(|c| {
        c.md5_first = true;
        c.trunks = vec![trunk(carrier.addr)];
    })
    .await;
    let (port, us) = (free_port(), node.sip.to_string());
    let register = scenario("phone-register-200.xml");
    let login = ["-s", "agent1", "-au", "agent1", "-ap", PASSWORD, "-m", "1"];
    succeeds(sipp(port, &[&["-sf", &register, &us], &login[..]].concat())).await;
    let keys = scenario("phone-refer-202.xml");
    let phone = sipp(port, &["-sf", &keys, "-rtp_echo", "-m", "1", &us]);
    ready().await;
    let opened = node.trunk.open_agent_leg(agent(1), "agent1").await;
    opened.expect("calls");
    node.told("up", |r| {
        matches!(r, TrunkReport::AgentLegUp { .. }).then_some(())
    })
    .await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    for (whom, code, why) in [
        ("+525555550009", 403, "blocked_suppressed"),
        ("1002", 200, "done"),
    ] {
        let to = node.told("a transfer is asked for", |r| match r {
            TrunkReport::TransferAsked { to, .. } => Some(to.reveal().clone()),
            _ => None,
        });
        assert_eq!(to.await, whom);
        let told = node.trunk.answer_transfer(agent(1), code, why).await;
        told.expect("is told");
    }
    carrier.line.hears(500.0).await;
    node.trunk.close_agent_leg(agent(1)).await.expect("closes");
    succeeds(phone).await;
}

#[tokio::test]
async fn a_sipp_phone_takes_over_the_call_of_its_agent() {
    if !wanted() {
        return;
    }
    let Joined {
        mut node,
        carrier,
        phone: mut first,
        ..
    } = Joined::configured(|c| c.md5_first = true).await;
    let (port, us) = (free_port(), node.sip.to_string());
    let register = scenario("phone-register-200.xml");
    let login = ["-s", "agent1", "-au", "agent1", "-ap", PASSWORD, "-m", "1"];
    succeeds(sipp(port, &[&["-sf", &register, &us], &login[..]].concat())).await;
    let ids = first.ids().await.to_bytes();
    let ids = String::from_utf8_lossy(&ids).into_owned();
    let takes = scenario("phone-replaces-200.xml");
    let takes = ["-sf", &takes, "-rtp_echo", "-key", "ids", &ids, &us];
    let mut second = sipp(port, &[&takes[..], &login[..]].concat());
    let ended = first.sees(|s| match s {
        Seen::Ended { by_remote, .. } => Some(*by_remote),
        _ => None,
    });
    tokio::select! {
        by_us = ended => assert!(by_us, "the phone before is hung up"),
        status = second.wait() => panic!("it was not taken: {status:?}"),
    }
    // It gives back what it hears.
    carrier.line.hears(DEBTOR_HZ).await;
    let down = |r: &TrunkReport| matches!(r, TrunkReport::AgentLegDown { .. });
    assert!(!node.was_told(down), "the agent was there throughout");
    node.trunk.close_agent_leg(agent(1)).await.expect("closes");
    succeeds(second).await;
}

#[tokio::test]
async fn sipp_asks_and_is_answered() {
    if !wanted() {
        return;
    }
    let node = Node::start(vec![]).await;
    let us = node.sip.to_string();
    let options = scenario("caller-options-200.xml");
    succeeds(sipp(free_port(), &["-sf", &options, "-m", "20", &us])).await;
    let stranger = scenario("stranger-invite-403.xml");
    succeeds(sipp(
        free_port(),
        &["-sf", &stranger, "-s", "+525550001000", "-m", "3", &us],
    ))
    .await;
}

#[tokio::test]
async fn sipp_calls_and_hears_the_message() {
    if !wanted() {
        return;
    }
    let port = free_port();
    let prompts = tempfile::tempdir().expect("folder");
    write_tone(&prompts.path().join("es.wav"), 900.0, 1_000);
    let node = Node::configured(|c| {
        c.trunks = vec![trunk(local(port))];
        c.prompts_dir = Some(prompts.path().to_owned());
    })
    .await;
    let us = node.sip.to_string();
    let caller = scenario("caller-message-200.xml");
    succeeds(sipp(
        port,
        &["-sf", &caller, "-s", "+525550001000", "-m", "3", &us],
    ))
    .await;
    // SIPp's own calling side hangs up itself, at once.
    succeeds(sipp(
        port,
        &["-sn", "uac", "-s", "+525550001000", "-m", "10", &us],
    ))
    .await;
}
