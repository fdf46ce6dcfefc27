//! What a finished demo left: its summary, its attempts, its recordings, its carrier's log.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A row of `marcador export attempts --format jsonl`, as far as the tests look.
#[derive(Debug, Clone, Deserialize)]
pub struct AttemptRow {
    /// Identity.
    pub attempt_id: String,
    /// Number dialed, E.164.
    pub point: String,
    /// When the row was committed.
    pub opened_at: String,
    /// When the INVITE left.
    pub invite_at: Option<String>,
    /// 200 OK.
    pub answered_at: Option<String>,
    /// Card written.
    pub popped_at: Option<String>,
    /// Legs joined.
    pub bridged_at: Option<String>,
    /// End.
    pub ended_at: Option<String>,
    /// Result.
    pub result: Option<String>,
    /// Disposition.
    pub disposition: Option<String>,
    /// Recording.
    pub recording_id: Option<String>,
}

/// Reads the export of a data folder.
///
/// # Errors
/// When the export fails or a line is no row.
pub fn attempts(dir: &Path, database: Option<&str>) -> anyhow::Result<Vec<AttemptRow>> {
    let (code, out, err) = crate::process::run(
        &["export", "attempts", "--format", "jsonl"],
        &env_pairs(dir, database)
            .iter()
            .map(|(k, v)| (*k, v.as_str()))
            .collect::<Vec<_>>(),
    )?;
    ensure!(code == 0, "export attempts failed: {err}");
    out.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("row {line}")))
        .collect()
}

/// Every event of a data folder, one JSON object each.
///
/// # Errors
/// When the export fails or a line is no JSON.
pub fn events(dir: &Path) -> anyhow::Result<Vec<Value>> {
    let env = env_pairs(dir, None);
    let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let args = ["export", "events", "--format", "jsonl"];
    let (code, out, err) = crate::process::run(&args, &env)?;
    ensure!(code == 0, "export events failed: {err}");
    out.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("event {line}")))
        .collect()
}

/// The environment that points a command at a demo's data.
#[must_use]
pub fn env_pairs(dir: &Path, database: Option<&str>) -> Vec<(&'static str, String)> {
    let url = database.map_or_else(
        || format!("sqlite://{}", dir.join("marcador.db").display()),
        str::to_owned,
    );
    vec![
        ("MARCADOR__DATABASE__URL", url),
        (
            "MARCADOR__RECORDINGS__URL",
            format!("file://{}", dir.join("recordings").display()),
        ),
        (
            "MARCADOR__RECORDINGS__KEY_FILE",
            dir.join("recordings.key").display().to_string(),
        ),
        (
            "MARCADOR__AUTH__SECRET_FILE",
            dir.join("marcador.secret").display().to_string(),
        ),
    ]
}

/// Runs `verify recordings`; its output when clean.
///
/// # Errors
/// When it finds a fault.
pub fn verify_recordings(dir: &Path, database: Option<&str>) -> anyhow::Result<String> {
    let env = env_pairs(dir, database);
    let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let (code, out, err) = crate::process::run(&["verify", "recordings"], &env)?;
    ensure!(code == 0, "verify recordings: {out} {err}");
    Ok(out)
}

/// The carrier's own log: one JSON object an INVITE.
///
/// # Errors
/// When a whole line is no JSON (a cut last line of a killed process is passed over).
pub fn carrier_log(dir: &Path) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(dir.join("carrier.jsonl"))?;
    let mut rows = Vec::new();
    for line in text.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
        rows.push(serde_json::from_str(line).with_context(|| format!("carrier log: {line}"))?);
    }
    Ok(rows)
}

/// The summary a demo wrote.
///
/// # Errors
/// When it is not there or no JSON.
pub fn summary(path: &Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(
        &std::fs::read_to_string(path).context("summary")?,
    )?)
}

/// Every recording of a data folder.
#[must_use]
pub fn recordings(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.join("recordings")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "mrec") {
                found.push(path);
            }
        }
    }
    found
}

/// Both channels of a stored recording, opened with a key file: (left = agent, right = debtor).
///
/// # Errors
/// When it cannot be opened or is no playable WAV of 8 kHz, 16 bit, two channels.
pub fn channels(path: &Path, key_file: &Path) -> anyhow::Result<(Vec<i16>, Vec<i16>)> {
    let (file, dir) = (path.display().to_string(), tempfile::tempdir()?);
    let wav = dir.path().join("opened.wav");
    let to = wav.display().to_string();
    let key_file = key_file.display().to_string();
    let env = [("MARCADOR__RECORDINGS__KEY_FILE", key_file.as_str())];
    let said = crate::process::run(&["recordings", "open", &file, "--to", &to], &env)?;
    ensure!(said.0 == 0, "{file}: {} {}", said.1, said.2);
    let mut reader = hound::WavReader::open(&wav).with_context(|| file.clone())?;
    let spec = reader.spec();
    ensure!(
        (spec.channels, spec.sample_rate, spec.bits_per_sample) == (2, 8_000, 16),
        "{file}: {spec:?}"
    );
    let samples: Result<Vec<i16>, _> = reader.samples::<i16>().collect();
    let samples = samples?;
    let side = |offset: usize| samples.iter().skip(offset).step_by(2).copied().collect();
    Ok((side(0), side(1)))
}
