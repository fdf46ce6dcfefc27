//! The analyser on a set of calls.

use crate::Outcome;
use crate::channel;
use crate::random::Random;
use media::cpa::prints::{Known, MAX_KNOWN, Print};
use media::cpa::score::{Case, interval, percentile, table};
use media::cpa::{Analyser, Config, Reason, Verdict};
use std::path::Path;
use std::sync::Arc;

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

/// Lots of known recordings that each person's call is held against.
const LOTS: usize = 4;

/// Prints what a trunk that knows as many of the set's recordings as it may does to the set's persons, and how
/// soon it knows a recording again that comes over another line.
pub(crate) fn known(dir: &Path) -> Outcome {
    let labels = labels(dir)?;
    let samples = |label: &Label| -> Result<Vec<i16>, Box<dyn std::error::Error>> {
        let bytes = std::fs::read(dir.join(&label.file))?;
        Ok(media::prompt::Prompt::from_wav(&bytes)?.samples().to_vec())
    };
    let mut learned = Vec::new();
    for label in labels.iter().filter(|l| l.class == "machine") {
        if let Some(print) = Print::of(&samples(label)?) {
            learned.push((label, print));
        }
    }
    let lots: Vec<Arc<Known>> = learned
        .chunks(MAX_KNOWN)
        .map(|lot| Arc::new(Known::new(lot.iter().map(|(_, print)| *print).collect())))
        .collect();
    let (mut held, mut wrong) = (0, 0);
    for (n, label) in labels.iter().filter(|l| l.class == "human").enumerate() {
        let call = samples(label)?;
        for lot in lots.iter().cycle().skip(n).take(LOTS.min(lots.len())) {
            held += 1;
            let verdict = told(&call, Arc::clone(lot));
            if let Some(verdict) = verdict.filter(|v| v.reason == Reason::Known) {
                wrong += 1;
                println!("{} {} {verdict:?}", label.file, label.kind);
            }
        }
    }
    let (_, high) = interval(wrong, held);
    let most = 100.0 * high;
    println!("persons taken for a known recording: {wrong} of {held} (at most {most:.3} %)");
    let mut random = Random(u64::from(held));
    let mut soon = Vec::new();
    for (n, (label, _)) in learned.iter().enumerate() {
        let again = another_line(&mut random, &samples(label)?);
        let verdict = told(&again, Arc::clone(&lots[n / MAX_KNOWN]));
        if let Some(verdict) = verdict.filter(|v| v.reason == Reason::Known) {
            soon.push(i64::from(verdict.at_ms) - i64::from(label.onset_ms));
        }
    }
    let (known, all) = (soon.len(), learned.len());
    println!("recordings known again: {known} of {all}");
    for percent in [10, 50, 90] {
        let at = percentile(&mut soon, percent).unwrap_or(0);
        println!("  p{percent} {at} ms from their onset");
    }
    Ok(())
}

/// The verdict of an analyser that knows these.
fn told(call: &[i16], known: Arc<Known>) -> Option<Verdict> {
    let mut analyser = Analyser::with_known(Config::default(), known);
    let mut frames = call.chunks(media::FRAME_SAMPLES);
    frames.find_map(|frame| analyser.push(frame))
}

/// The same sound quieter, through another codec, with noise of its own and in other frames.
fn another_line(random: &mut Random, call: &[i16]) -> Vec<i16> {
    let shift = random.samples(0.0, 20.0);
    let gain = random.between(0.3, 1.0);
    let mut audio: Vec<f64> = call
        .iter()
        .skip(shift)
        .map(|s| f64::from(*s) / 32_768.0 * gain)
        .collect();
    let below = 10f64.powf(-random.between(18.0, 35.0) / 20.0);
    let level = channel::level(&audio) * below;
    let noise: Vec<f64> = channel::noise(random, audio.len())
        .iter()
        .map(|s| s * level)
        .collect();
    channel::add(&mut audio, 0, &noise);
    channel::line(random, audio)
}
