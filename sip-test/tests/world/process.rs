//! The carrier as a process of its own: however it ends, its log has a line for every INVITE.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::{PATIENCE, Ua};
use media::speech::AGENT_HZ;
use sip_test::carrier::{EndedBy, Line, LogNormal, Profile};
use sip_test::plane::Voice;

/// People who answer at once and stay.
fn patient(folder: &Path) -> std::path::PathBuf {
    let mut profile = Profile::builtin().expect("built in");
    let soon = LogNormal {
        median: 100.0,
        sigma: 0.0,
        least: 50,
        most: 100,
    };
    profile.shares.human = 1e9;
    profile.shares.invalid = 0.0;
    profile.early_hangup_share = 0.0;
    (profile.pdd_ms, profile.ring_ms) = (soon, soon);
    profile.talk_s = vec![[0.5, 600.0]];
    profile.patience_s = vec![[600.0, 0.0]];
    let path = folder.join("profile.json");
    std::fs::write(&path, serde_json::to_string(&profile).expect("json")).expect("a file");
    path
}

/// A carrier on a free port, with its address.
fn start(folder: &Path, arguments: &[&str]) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sip-test"))
        .args([
            "carrier",
            "--bind",
            "127.0.0.1:0",
            "--seconds",
            "120",
            "--profile",
        ])
        .arg(patient(folder))
        .arg("--log")
        .arg(folder.join("carrier.jsonl"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.as_mut().expect("its output"));
    out.read_line(&mut first).expect("a line");
    let said: serde_json::Value = serde_json::from_str(&first).expect("json");
    let address = said["listening"].as_str().expect("an address").parse();
    (child, address.expect("an address"))
}

/// One call that is up, and one that rings when `end` is called.
async fn two_calls_then(end: fn(&mut Child), arguments: &[&str]) -> Vec<Line> {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut child, address) = start(folder.path(), arguments);
    let mut up = Ua::new(|_| ()).await;
    up.call(address, "+525500000001", Voice::person(AGENT_HZ, 0.2, 1));
    up.answered().await;
    let mut again = Ua::new(|_| ()).await;
    again.call(address, "+525500000002", Voice::Mute);
    let trying = |e: &sip::ua::Event| matches!(e, sip::ua::Event::Progress { .. }).then_some(());
    again.until("a sign of life", trying).await;
    end(&mut child);
    let waited = tokio::task::spawn_blocking(move || child.wait().expect("its end"));
    let status = tokio::time::timeout(PATIENCE, waited)
        .await
        .expect("it ends")
        .expect("a wait");
    assert!(status.success(), "{status}");
    let text = std::fs::read_to_string(folder.path().join("carrier.jsonl")).expect("the log");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect()
}

fn check(lines: &[Line]) {
    let mut numbers: Vec<&str> = lines.iter().map(|line| line.number.as_str()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["+525500000001", "+525500000002"]);
    assert!(
        lines.iter().all(|line| line.ended_by == EndedBy::Stopped),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.code == 200 && line.answered_at.is_some())
    );
}

#[tokio::test]
async fn a_child_whose_parent_is_killed_writes_its_log() {
    // Of a killed parent the child sees that its standard input closes.
    let lines = two_calls_then(|child| drop(child.stdin.take()), &["--until-stdin-closes"]).await;
    check(&lines);
}

#[tokio::test]
async fn sigterm_ends_it_and_its_log_is_whole() {
    let term = |child: &mut Child| {
        let id = child.id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("kill");
        assert!(sent.success());
    };
    check(&two_calls_then(term, &[]).await);
}

#[test]
fn built_in_data_is_printed_and_wrong_use_is_told() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_sip-test"))
            .args(arguments)
            .output()
            .expect("the program")
    };
    let profile = String::from_utf8(run(&["profile"]).stdout).expect("text");
    assert_eq!(
        Profile::parse(&profile).expect("a profile"),
        Profile::demo().expect("built in")
    );
    let behaviour = String::from_utf8(run(&["behaviour"]).stdout).expect("text");
    assert!(sip_test::agent::Behaviour::parse(&behaviour).is_ok());
    let missing = run(&[
        "carrier",
        "--bind",
        "127.0.0.1:0",
        "--profile",
        "/does/not/exist",
    ]);
    assert!(!missing.status.success());
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/does/not/exist"));
}
