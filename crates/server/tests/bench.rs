//! The benches at their smallest: everything they count is right. What they time is judged by people,
//! on a quiet machine.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::process::Command;

fn bench(args: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("figures.json");
    let run = Command::new(env!("CARGO_BIN_EXE_marcador"))
        .arg("bench")
        .args(args)
        .arg("--json")
        .arg(&file)
        .output()
        .expect("runs");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    let text = std::fs::read_to_string(&file).expect("figures");
    serde_json::from_str(&text).expect("json")
}

#[test]
fn media_carries_and_records_every_call() {
    let figures = bench(&["media", "--calls", "2", "--seconds", "3"]);
    let rtp = &figures["product"]["rtp"];
    assert_eq!(rtp["legs"], 4);
    assert_eq!(rtp["silent_legs"], 0);
    assert_eq!(rtp["crossed"], 0);
    let count = |key: &str| rtp[key].as_u64().expect("a count");
    assert!(count("received") > 0 && count("received") <= count("sent"));
    let ended = &figures["recordings"];
    assert_eq!(ended["sealed"], 2);
    assert_eq!(ended["failed"], 0);
    assert!(ended["shortest_ms"].as_i64().is_some_and(|ms| ms >= 3_000));
    assert!(figures["cpu_ratio_to_bare_forwarder"].is_number());
    let floor = &figures["forwarder"]["rtp"];
    assert_eq!(floor["silent_legs"], 0);
    assert_eq!(floor["crossed"], 0);
}

#[test]
fn calls_alone_are_driven_without_a_pause() {
    let figures = bench(&["media", "--calls", "2", "--seconds", "2", "--alone"]);
    let rtp = &figures["rtp"];
    assert_eq!((&rtp["legs"], &rtp["crossed"]), (&4.into(), &0.into()));
    // Each leg sends 50 packets a second, the whole time.
    let sent = rtp["sent"].as_u64().expect("a count");
    assert!(sent > 100, "{figures}");
    assert_eq!(figures["recordings"]["sealed"], 2);
    assert!(figures["held"].is_boolean() && figures["cores"].is_number());
    assert_eq!(
        figures["goals"][0]["figure"],
        "calls on a core that held (driven)"
    );
}

#[test]
fn signalling_answers_every_call() {
    let figures = bench(&[
        "signalling",
        "--rate",
        "20",
        "--seconds",
        "2",
        "--hold-ms",
        "100",
    ]);
    let calls = &figures["steps"][0]["calls"];
    assert_eq!(calls["answered"], 40);
    assert_eq!(calls["failed"], 0);
    assert!(figures["memory_kb_per_held_call"].is_number());
}

#[test]
fn load_comes_and_goes_and_leaves_nothing() {
    let figures = bench(&["load", "--calls", "4", "--rate", "2", "--seconds", "3"]);
    let ended = &figures["ended"];
    let count = |of: &serde_json::Value, key: &str| of[key].as_u64().expect("a count");
    let answered = count(ended, "answered");
    assert!(answered > 4, "calls come and go: {ended}");
    assert_eq!(count(ended, "bridged"), answered);
    assert_eq!(count(&ended["ends"], "sealed"), answered);
    assert_eq!(count(&ended["ends"], "ended"), answered);
    let faults = ["early", "failed", "one_way"].map(|key| count(&ended["ends"], key));
    assert_eq!((faults, count(ended, "failed")), ([0; 3], 0));
    assert!(count(ended, "least_up") >= 3, "{ended}");
    let rtp = &figures["rtp"];
    assert!(count(rtp, "received") > 0);
    assert_eq!(count(rtp, "crossed"), 0);
    assert_eq!(figures["memory_kb"].as_array().map(Vec::len), Some(61));
}

#[test]
fn a_shift_is_the_whole_product_under_load() {
    let figures = bench(&["shift", "--agents", "4", "--seconds", "12"]);
    let count = |key: &str| figures["summary"][key].as_u64().expect("a count");
    let connected = count("connected");
    assert!(connected >= 4, "everybody has a call: {figures}");
    assert_eq!(count("answered_human"), connected + count("abandoned"));
    assert_eq!(count("recordings"), connected);
    assert_eq!(count("errors"), 0);
    let looks = figures["looks"].as_array().expect("looks");
    assert!(looks.iter().any(|l| l["talking"].as_f64() > Some(0.0)));
    assert_eq!(figures["memory_kb"].as_array().map(Vec::len), Some(61));
}

#[test]
fn surplus_is_cancelled_at_the_carrier() {
    let figures = bench(&["surplus", "--agents", "12", "--lines", "2"]);
    let step = &figures["steps"][0];
    let counts = ["rang", "vanished", "withdrawn", "dialed"].map(|key| step[key].as_u64());
    assert_eq!(counts, [Some(24), Some(6), Some(12), Some(0)], "{step}");
    assert!(step["last_ms"].is_u64(), "{step}");
}

#[test]
fn registers_grants_the_right_and_refuses_the_wrong() {
    let figures = bench(&[
        "registers",
        "--rate",
        "200",
        "--seconds",
        "2",
        "--accounts",
        "5",
    ]);
    let figures = &figures["figures"];
    let count = |key: &str| figures[key].as_u64().expect("a count");
    assert!(count("sent") > 100, "{figures}");
    // The last may still be on their way.
    assert!(count("granted") > count("right") / 2, "{figures}");
    assert_eq!(count("fooled"), 0, "{figures}");
    // Ten guesses an account are refused in words, the others by silence.
    let refused = count("refused");
    assert!(
        refused > 0 && refused <= 50 && refused < count("wrong"),
        "{figures}"
    );
    assert!(count("asked") > 50 && figures["options_p95_ms"].is_number());
}

#[test]
fn goals_come_in_one_table() {
    // A minute long, of parts that have tests of their own.
    if std::env::var_os("MARCADOR_GOALS").is_none() {
        return;
    }
    let figures = bench(&[
        "goals",
        "--calls",
        "2",
        "--held",
        "2",
        "--rate",
        "50",
        "--seconds",
        "1",
        "--agents",
        "4",
        "--demo-seconds",
        "20",
        "--legs",
        "2",
    ]);
    let rows = figures["rows"].as_array().expect("rows");
    // Names that go on with a number of their own.
    for begin in [
        "answer to the card on the agent's socket, p50, ",
        "answer to the card on the agent's socket, p99, ",
        "an agent's leg by browser, ",
    ] {
        let named = |row: &&serde_json::Value| {
            row["figure"]
                .as_str()
                .is_some_and(|name| name.starts_with(begin))
        };
        let row = rows.iter().find(named);
        let row = row.unwrap_or_else(|| panic!("{begin}: {figures}"));
        assert!(row["measured"].is_number(), "{row}");
    }
    for name in [
        "CPU beside the bare forwarder, 2 calls",
        "memory a call, 2 calls",
        "one way across the bridge, p50, 2 calls",
        "RTP lost, 2 calls",
        "answer to agent's audio at the debtor, p99, 2 calls",
        "CPU a call at 100 calls/s, journal on",
        "CPU a call at 300 calls/s, journal on",
        "calls on a core that held (driven)",
        "clean calls a second on a core (driven)",
    ] {
        let row = rows.iter().find(|row| row["figure"] == name);
        let row = row.unwrap_or_else(|| panic!("{name}: {figures}"));
        assert!(row["measured"].is_number(), "{row}");
    }
}
