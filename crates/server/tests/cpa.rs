//! `bench cpa` as a script uses it: a line a file, a reply a line.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

use media::tones::{SIT, Tone, busy};
use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_marcador"))
        .args(["bench", "cpa"])
        .args(args)
        .current_dir(folder)
        .output()
        .expect("runs")
}

/// A stereo file with the same sound on both sides, as recordings have it.
fn file(path: &Path, tone: &mut Tone, seconds: usize) {
    let mut samples = vec![0i16; seconds * 8_000];
    tone.fill(&mut samples[4_000..]);
    let both: Vec<i16> = samples.iter().flat_map(|s| [*s, *s]).collect();
    let bytes = u32::try_from(both.len() * 2).expect("small");
    let mut wav = media::wav::header(bytes).to_vec();
    media::wav::append_samples(&both, &mut wav);
    std::fs::write(path, wav).expect("written");
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).expect("json"))
        .collect()
}

#[test]
fn each_file_has_its_line_and_one_that_cannot_be_read_fails_the_command() {
    let folder = tempfile::tempdir().expect("folder");
    file(
        &folder.path().join("a.wav"),
        &mut Tone::cadence(busy("MX")),
        5,
    );
    file(&folder.path().join("b.wav"), &mut Tone::cadence(SIT), 3);
    let told = run(&["a.wav", "b.wav"], folder.path());
    assert!(told.status.success());
    let classes: Vec<_> = lines(&told).iter().map(|l| l["class"].clone()).collect();
    assert_eq!(classes, ["busy", "sit"]);
    assert!(
        lines(&told)
            .iter()
            .all(|l| l["decided_ms"].is_u64() && l["beep_ms"].is_null())
    );
    let told = run(&["a.wav", "none.wav", "b.wav"], folder.path());
    assert_eq!(told.status.code(), Some(1));
    let lines = lines(&told);
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1]["error"]
            .as_str()
            .is_some_and(|e| e.contains("none.wav"))
    );
    assert_eq!(run(&[], folder.path()).status.code(), Some(2));
}

#[test]
fn a_set_with_its_truth_is_scored() {
    let folder = tempfile::tempdir().expect("folder");
    file(
        &folder.path().join("a.wav"),
        &mut Tone::cadence(busy("CL")),
        5,
    );
    let labels = folder.path().join("labels.tsv");
    std::fs::write(&labels, "a.wav\tbusy\ttones\t500\t5000\t-\tbusy\n").expect("written");
    let told = run(&["--labels", "labels.tsv"], folder.path());
    assert!(told.status.success());
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(text.contains("busy found: 1 of 1 = 100.00 %"), "{text}");
    std::fs::write(&labels, "a.wav\tbusy\n").expect("written");
    assert_eq!(
        run(&["--labels", "labels.tsv"], folder.path())
            .status
            .code(),
        Some(1)
    );
}
