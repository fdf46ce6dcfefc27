//! kill -9 in mid-campaign and restart on the same folder: no attempt lost, none dialed twice,
//! recordings playable.
#![expect(
    clippy::expect_used,
    reason = "a test: it fails loudly and prints its figures"
)]

use marcador_tests::demo_facts::{attempts, carrier_log, channels, recordings, verify_recordings};
use marcador_tests::process::{Demo, long_tests};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[test]
fn a_killed_server_loses_no_attempt_and_repeats_none() {
    let dir = tempfile::tempdir().expect("folder");
    let rounds = if long_tests() { 3 } else { 1 };
    for round in 0..rounds {
        let mut demo = Demo::start(dir.path(), &["--agents", "6"], &[]).expect("the demo starts");
        std::thread::sleep(Duration::from_millis(9_000 + 1_700 * round));
        demo.kill().expect("killed");
    }
    let mut last =
        Demo::start(dir.path(), &["--agents", "4", "--seconds", "12"], &[]).expect("restart");
    last.wait(Duration::from_secs(120)).expect("ends by itself");
    drop(last);
    let rows = attempts(dir.path(), None).expect("export");
    let carrier = carrier_log(dir.path()).expect("carrier log");
    println!(
        "{} attempts in the database, {} INVITEs at the carrier",
        rows.len(),
        carrier.len()
    );
    assert!(
        carrier.len() > 10,
        "too little was dialed to prove anything"
    );

    // Every INVITE the carrier saw is an attempt of ours, and an attempt was sent at most once.
    let ours: BTreeSet<&str> = rows.iter().map(|r| r.attempt_id.as_str()).collect();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for invite in &carrier {
        let attempt = invite["attempt"]
            .as_str()
            .expect("the INVITE names its attempt")
            .to_owned();
        assert!(
            ours.contains(attempt.as_str()),
            "INVITE without an attempt: {invite}"
        );
        *seen.entry(attempt).or_default() += 1;
    }
    assert!(
        seen.values().all(|n| *n == 1),
        "an attempt was dialed twice: {seen:?}"
    );
    // Nobody is left open, and what was cut counts as made.
    assert!(
        rows.iter()
            .all(|r| r.ended_at.is_some() && r.result.is_some()),
        "an open attempt"
    );
    let unknown = rows
        .iter()
        .filter(|r| r.result.as_deref() == Some("unknown"))
        .count();
    println!("{unknown} attempts of unknown fate");

    let files = recordings(dir.path());
    for file in &files {
        channels(file, &dir.path().join("recordings.key")).expect("playable");
    }
    println!(
        "{} recordings playable; {}",
        files.len(),
        verify_recordings(dir.path(), None).expect("clean")
    );
}
