//! The machine's date on a Sunday night: the demo moves its own clock to the next working morning, says
//! so, and dials.
#![expect(clippy::expect_used, reason = "a test: it fails loudly")]

use marcador_tests::demo_facts::{attempts, summary};
use marcador_tests::process::{Demo, long_tests};
use std::time::Duration;

#[test]
fn on_a_sunday_night_the_demo_runs_on_the_next_working_morning() {
    let faketime = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    ]
    .into_iter()
    .find(|p| std::path::Path::new(p).is_file());
    let (true, Some(library)) = (long_tests(), faketime) else {
        return;
    };
    let dir = tempfile::tempdir().expect("folder");
    let json = dir.path().join("summary.json");
    let json_text = json.display().to_string();
    let env = [
        ("LD_PRELOAD", library),
        // A Sunday, 23:30 in Mexico City, running on from there.
        ("FAKETIME", "@2026-11-30 05:30:00"),
        ("TZ", "UTC"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let args = ["--seconds", "25", "--agents", "3", "--json", &json_text];
    let mut demo = Demo::start(dir.path(), &args, &env).expect("the demo starts");
    demo.wait(Duration::from_secs(150))
        .expect("the demo ends by itself");
    let summary = summary(&json).expect("summary");
    assert!(summary["attempts"].as_u64().unwrap_or(0) > 5, "{summary}");
    assert_eq!(summary["errors"], 0, "{summary}");
    let offset = summary["clock_offset_ms"].as_i64().unwrap_or(0);
    assert!(offset > 3_600_000, "the clock was not moved: {offset}");
    let rows = attempts(dir.path(), None).expect("export");
    // Monday in the portfolio's zone.
    assert!(
        rows.iter()
            .all(|r| r.opened_at.starts_with("2026-11-30T1")
                || r.opened_at.starts_with("2026-11-30T2")),
        "{rows:#?}"
    );
}
