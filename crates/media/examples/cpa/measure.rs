//! The analyser on a set of calls.

use crate::Outcome;
use media::cpa::score::{Case, table};
use media::cpa::{Analyser, Config, Verdict};
use std::path::Path;

/// A line of `labels.tsv`.
pub(crate) struct Label {
    pub file: String,
    pub class: String,
    pub group: String,
    pub onset_ms: u32,
    pub end_ms: u32,
    pub beep_ms: Option<u32>,
    pub kind: String,
}

/// Reads the truth of a set.
pub(crate) fn labels(dir: &Path) -> Result<Vec<Label>, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(dir.join("labels.tsv"))?;
    let mut out = Vec::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let [file, class, group, onset, end, beep, kind] = parts.as_slice() else {
            return Err(format!("labels.tsv: not seven columns: {line}").into());
        };
        out.push(Label {
            file: (*file).to_owned(),
            class: (*class).to_owned(),
            group: (*group).to_owned(),
            onset_ms: onset.parse()?,
            end_ms: end.parse()?,
            beep_ms: beep.parse().ok(),
            kind: (*kind).to_owned(),
        });
    }
    Ok(out)
}

/// A call from its file through the analyser, in frames.
pub(crate) fn listen(
    path: &Path,
    config: Config,
) -> Result<(Option<Verdict>, Option<u32>), Box<dyn std::error::Error>> {
    let prompt = media::prompt::Prompt::from_wav(&std::fs::read(path)?)?;
    let mut analyser = Analyser::new(config);
    for frame in prompt.samples().chunks(media::FRAME_SAMPLES) {
        analyser.push(frame);
    }
    analyser.finish();
    Ok((analyser.verdict(), analyser.beep().map(|b| b.start_ms)))
}

/// Prints the score.
pub(crate) fn score(dir: &Path, errors: bool) -> Outcome {
    let mut cases = Vec::new();
    for label in labels(dir)? {
        let (verdict, beep) = listen(&dir.join(&label.file), Config::default())?;
        let Some(verdict) = verdict else {
            return Err(format!("{}: no verdict", label.file).into());
        };
        let case = Case {
            class: label.class,
            group: label.group,
            onset_ms: label.onset_ms,
            end_ms: label.end_ms,
            beep_ms: label.beep_ms,
            told: verdict.class.answered_str().to_owned(),
            told_ms: verdict.at_ms,
            told_beep_ms: beep,
        };
        let beep_off = match (case.beep_ms, case.told_beep_ms) {
            (Some(a), Some(b)) => a.abs_diff(b) > 40,
            (None, None) => false,
            _ => true,
        };
        if errors && (case.class != case.told || beep_off) {
            println!("{} {} {case:?} {verdict:?}", label.file, label.kind);
        }
        cases.push(case);
    }
    println!("{}", table(&cases));
    Ok(())
}
