//! `marcador bench cpa`: call-progress analysis of sound from files or of one that comes as it is spoken.

mod labels;
mod stream;

use super::args::CpaArgs;
use crate::failure::Failure;
use anyhow::Context as _;
use media::cpa::score::{Case, table};
use media::cpa::{Analyser, Beep, Config, Verdict};
use media::prompt::Prompt;
use serde::Serialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What is told of a call.
#[derive(Debug, Clone, Serialize)]
struct Told {
    class: &'static str,
    decided_ms: u32,
    beep_ms: Option<u32>,
    beep_end_ms: Option<u32>,
    confidence: f32,
    reason: &'static str,
}

impl Told {
    fn new(verdict: &Verdict, beep: Option<Beep>) -> Self {
        Self {
            class: verdict.class.answered_str(),
            decided_ms: verdict.at_ms,
            beep_ms: beep.map(|b| b.start_ms),
            beep_end_ms: beep.map(|b| b.end_ms),
            confidence: (verdict.confidence * 1_000.0).round() / 1_000.0,
            reason: verdict.reason.as_str(),
        }
    }
}

/// Carries it out.
pub(super) fn run(args: &CpaArgs) -> Result<(), Failure> {
    if args.stream {
        let input = std::io::stdin().lock();
        let output = std::io::stdout().lock();
        return Ok(stream::serve(input, output)?);
    }
    if args.files.is_empty() && args.labels.is_none() {
        return Err(Failure::usage(anyhow::anyhow!(
            "name WAV files, or --labels FILE, or --stream"
        )));
    }
    match &args.labels {
        Some(labels) => Ok(scored(labels, &args.files)?),
        None => Ok(files(&args.files)?),
    }
}

/// A line for each file, unreadable ones too; those fail the command in the end.
fn files(paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut unread = 0usize;
    for path in paths {
        match listen(path) {
            Ok(told) => writeln!(out, "{}", serde_json::to_string(&told)?)?,
            Err(error) => {
                unread += 1;
                let line = serde_json::json!({ "error": format!("{error:#}") });
                writeln!(out, "{line}")?;
            }
        }
    }
    anyhow::ensure!(unread == 0, "{unread} of {} files unread", paths.len());
    Ok(())
}

/// The table of a set whose truth is known: of all its files, or of those named.
fn scored(labels: &Path, only: &[PathBuf]) -> anyhow::Result<()> {
    let folder = labels.parent().unwrap_or_else(|| Path::new("."));
    let mut cases = Vec::new();
    for label in labels::read(labels)? {
        let path = folder.join(&label.file);
        let wished = only.is_empty()
            || only
                .iter()
                .any(|o| o.file_name() == Some(label.file.as_ref()));
        if !wished {
            continue;
        }
        let told = listen(&path)?;
        cases.push(Case {
            class: label.class,
            group: label.group,
            onset_ms: label.onset_ms,
            end_ms: label.end_ms,
            beep_ms: label.beep_ms,
            told: told.class.to_owned(),
            told_ms: told.decided_ms,
            told_beep_ms: told.beep_ms,
        });
    }
    let mut out = std::io::stdout().lock();
    out.write_all(table(&cases).as_bytes())?;
    Ok(())
}

/// A file in frames of 20 ms, as it would come.
fn listen(path: &Path) -> anyhow::Result<Told> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).with_context(name)?;
    let prompt = Prompt::from_wav(&bytes).with_context(name)?;
    let mut analyser = Analyser::new(Config::default());
    for frame in prompt.samples().chunks(media::FRAME_SAMPLES) {
        analyser.push(frame);
    }
    analyser.finish();
    let verdict = analyser.verdict().context("no verdict")?;
    Ok(Told::new(&verdict, analyser.beep()))
}
