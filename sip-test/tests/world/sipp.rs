//! The scenarios by SIPp itself, an independent implementation: `MARCADOR_SIPP=1` with `sipp` on the
//! PATH. Without it these tests pass without having looked, since not every machine has SIPp.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use media::speech::AGENT_HZ;
use sip::header::Algorithm;
use sip::ua::{Auth, CallKey, Config, Event, RegistrarRules, Secret};
use sip_test::carrier::{self, Class};
use sip_test::plane::Voice;
use tokio::process::{Child, Command};

use crate::carrier::{all, carrier, failed};
use crate::common::{PATIENCE, Ua};

pub(crate) fn wanted() -> bool {
    std::env::var("MARCADOR_SIPP").is_ok_and(|value| value == "1")
}

/// Ports in a row that one SIPp may take: sound, its reports and, two ports on, a picture (it ends when that one is
/// somebody's, whether its scenario has a picture or not).
const SIPP_PORTS: u16 = 4;

/// A port that nobody has, nor the three behind it, below those that the system gives away by itself (32768 and up): between its choice
/// and its use by SIPp nobody else's socket falls on it.
pub(crate) fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 400).unwrap_or(0) * 50;
    for _ in 0..1_000 {
        let turn = NEXT.fetch_add(SIPP_PORTS, Ordering::Relaxed);
        let port = 12_000 + first.wrapping_add(turn) % 8_000;
        let ours = (port..port + SIPP_PORTS).map(|port| UdpSocket::bind(("127.0.0.1", port)));
        if ours.collect::<Result<Vec<_>, _>>().is_ok() {
            return SocketAddr::from(([127, 0, 0, 1], port));
        }
    }
    panic!("no port is free");
}

pub(crate) fn sipp(at: SocketAddr, name: &str, arguments: &[&str]) -> Child {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Command::new("sipp")
        .arg("-sf")
        .arg(folder.join(name).with_extension("xml"))
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-m", "1"])
        .args(["-timeout", "30", "-timeout_error"])
        .args([
            "-p",
            &at.port().to_string(),
            "-mp",
            &free().port().to_string(),
        ])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("sipp is on the PATH")
}

async fn ends(mut child: Child) -> ExitStatus {
    let waited = tokio::time::timeout(2 * PATIENCE, child.wait()).await;
    waited.expect("sipp ends").expect("a wait")
}

/// A user agent that calls a scenario of the called side, once SIPp hears.
async fn called(name: &str) -> (Ua, Child, CallKey) {
    let at = free();
    let child = sipp(at, name, &["-rtp_echo"]);
    // SIPp says nothing when it is ready; its port is taken then.
    while UdpSocket::bind(at).is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut ua = Ua::new(|_| ()).await;
    let call = ua.call(at, "+525550001000", Voice::person(AGENT_HZ, 0.2, 1));
    (ua, child, call)
}

#[tokio::test]
async fn those_who_refuse() {
    if !wanted() {
        return;
    }
    let cases = [
        ("uas-busy-486", 486, 17),
        ("uas-unavailable-480", 480, 20),
        ("uas-congestion-503", 503, 34),
        ("uas-invalid-404", 404, 1),
        ("uas-decline-603", 603, 21),
        ("uas-unacceptable-488", 488, 88),
        ("uas-network-502", 502, 27),
    ];
    for (name, code, cause) in cases {
        let (mut ua, child, _) = called(name).await;
        assert_eq!(failed(&mut ua).await, (code, Some(cause)), "{name}");
        well(&mut ua, child, name).await;
    }
}

/// Goes on answering until SIPp has ended well.
pub(crate) async fn well(ua: &mut Ua, child: Child, name: &str) {
    let mut ended = Box::pin(ends(child));
    loop {
        tokio::select! {
            status = &mut ended => {
                assert!(status.success(), "{name}: {status}");
                return;
            }
            _ = ua.driver.next() => {}
        }
    }
}

#[tokio::test]
async fn those_who_answer() {
    if !wanted() {
        return;
    }
    for name in ["uas-answer-200", "uas-early-183-200", "phone-answer-200"] {
        let (mut ua, child, call) = called(name).await;
        ua.answered().await;
        ua.hear("the echo", |h| h.packets_in > 20).await;
        assert!(ua.hearing.heard().shares().agent > 0.7, "{name}");
        ua.hang_up(call);
        well(&mut ua, child, name).await;
    }
    let (mut ua, child, _) = called("uas-hangup-200").await;
    ua.answered().await;
    ua.ended().await;
    well(&mut ua, child, "uas-hangup-200").await;
}

#[tokio::test]
async fn who_does_not_answer_is_withdrawn() {
    if !wanted() {
        return;
    }
    let (mut ua, child, call) = called("uas-noanswer-487").await;
    ua.until("the ring", |e| {
        matches!(e, Event::Progress { code: 180, .. }).then_some(())
    })
    .await;
    ua.hang_up(call);
    assert_eq!(failed(&mut ua).await.0, 487);
    well(&mut ua, child, "uas-noanswer-487").await;
}

async fn calls(running: carrier::Running, name: &str) -> carrier::Summary {
    let to = running.address().to_string();
    let status = ends(sipp(free(), name, &["-s", "+525550001000", &to])).await;
    assert!(status.success(), "{name}: {status}");
    running.stop().await
}

#[tokio::test]
async fn callers_of_our_carrier() {
    if !wanted() {
        return;
    }
    let human = calls(carrier(all(Class::Human), None).await, "caller-invite-200").await;
    assert_eq!((human.invites, human.answered), (1, 1));
    calls(
        carrier(all(Class::HangupEarly), None).await,
        "caller-message-200",
    )
    .await;
    calls(carrier(all(Class::Busy), None).await, "caller-busy-486").await;
    let mut slow = all(Class::NoAnswer);
    slow.no_answer_ms = 60_000;
    calls(carrier(slow, None).await, "caller-cancel-487").await;
    let asked = calls(carrier(all(Class::Human), None).await, "caller-options-200").await;
    assert_eq!(asked.invites, 0, "a ping is no call");
}

fn registrar(config: &mut Config) {
    let accounts = HashMap::from([("a1".to_owned(), Secret::Password("secret".to_owned()))]);
    config.auth = Some(Auth {
        realm: "marcador".to_owned(),
        nonce_key: [3; 32],
        // SIPp 3.6 reads the first challenge only.
        algorithms: vec![Algorithm::Md5, Algorithm::Sha256],
        passwords: Arc::new(accounts),
    });
    config.registrar = Some(RegistrarRules::default());
    config.accept_calls = false;
}

#[tokio::test]
async fn phones_and_strangers_at_a_registrar() {
    if !wanted() {
        return;
    }
    let mut ua = Ua::new(registrar).await;
    let to = ua.driver.local().to_string();
    let login = |password| ["-s", "a1", "-au", "a1", "-ap", password, &to];
    let right = sipp(free(), "phone-register-200", &login("secret"));
    well(&mut ua, right, "phone-register-200").await;
    assert_eq!(ua.driver.endpoint().bindings("a1").len(), 1);
    let wrong = sipp(free(), "phone-register-401", &login("guess"));
    well(&mut ua, wrong, "phone-register-401").await;
    let stranger = sipp(free(), "stranger-invite-403", &["-s", "+525550001000", &to]);
    well(&mut ua, stranger, "stranger-invite-403").await;
}

#[test]
fn every_scenario_is_named_for_what_it_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    let entries = std::fs::read_dir(folder).expect("the scenarios");
    let paths = entries.map(|entry| entry.expect("a file").path());
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "xml")) {
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).expect("text");
        let parts: Vec<&str> = name.split('-').collect();
        assert!(
            ["uas", "caller", "phone", "stranger"].contains(&parts[0]),
            "{name}: role"
        );
        let code = parts.last().expect("a part").parse::<u16>();
        assert!(parts.len() >= 3 && code.is_ok(), "{name}: role-act-code");
        assert!(text.contains("<!--"), "{name}: says what it does");
        count += 1;
    }
    assert!(count >= 16, "{count}");
}
