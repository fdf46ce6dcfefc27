//! Recorded answers: who answers is heard from a file, and is what the file's label says. Sets are made by
//! `cargo run -p media --example cpa -- calls`, the ones that `marcador bench cpa` is scored on.

use std::path::{Path, PathBuf};

use media::tones::{BEEP, Tone};
use media::{RATE_HZ, SAMPLES_PER_MS};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::Config;
use super::fate::{Class, Plan, draw, hash};
use super::profile::Profile;
use crate::SipTestError;

/// The list of a set: seven columns, parted by tabs.
const LABELS: &str = "labels.tsv";
/// Most calls of a set.
const MAX_FILES: usize = 20_000;
/// Longest call, ms.
const MAX_MS: u32 = 60_000;
/// What answers and is no person, as `bench cpa` names it.
const OTHERS: [&str; 5] = ["machine", "fax", "sit", "busy", "dead_air"];
/// The class of persons.
const PERSON: &str = "human";
/// Longest beep of a set's mailboxes, ms.
const BEEP_MOST_MS: u64 = 900;
/// Between a mailbox's own beep and the one that simulated agents know, ms.
const BEFORE_BEEP_MS: usize = 300;
/// Length of that, ms.
const BEEP_MS: usize = 400;
/// A draw of its own: no other moves.
const SALT: u64 = 0x6361_6c6c;

/// What is heard in a call, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// File, without its folder.
    pub file: String,
    /// What it is: `human`, `machine`, `fax`, `sit`, `busy`, `dead_air`.
    pub class: String,
    /// How much of it is played, ms.
    #[serde(skip)]
    ms: u64,
    /// When its greeting is over, ms from the answer.
    #[serde(skip)]
    pub(super) greeted_ms: u64,
    /// A mailbox that beeps.
    #[serde(skip)]
    beeps: bool,
}

/// A set of recorded answers: checked as it is read, its sound read when a call is answered.
#[derive(Debug, Clone)]
pub struct Calls {
    folder: PathBuf,
    persons: Vec<Recorded>,
    others: Vec<Recorded>,
}

impl Calls {
    /// Reads a set: `labels.tsv` (file, class, group, onset, end and beep in ms, kind) and its WAVs, 8 kHz,
    /// 16 bit, one channel.
    ///
    /// # Errors
    /// [`SipTestError::File`], and [`SipTestError::Calls`] naming the line or file that does not fit. A set needs a
    /// person and somebody who is none.
    pub fn load(folder: &Path) -> Result<Self, SipTestError> {
        let path = folder.join(LABELS);
        let text =
            std::fs::read_to_string(&path).map_err(|source| SipTestError::File { path, source })?;
        let mut calls = Self {
            folder: folder.to_owned(),
            persons: Vec::new(),
            others: Vec::new(),
        };
        for (at, line) in text.lines().enumerate() {
            let fail = |what: String| SipTestError::Calls(format!("{LABELS}:{}: {what}", at + 1));
            if at >= MAX_FILES {
                return Err(fail(format!("more than {MAX_FILES} calls")));
            }
            let recorded = recorded(folder, line).map_err(fail)?;
            if recorded.class == PERSON {
                calls.persons.push(recorded);
            } else {
                calls.others.push(recorded);
            }
        }
        let missing = if calls.persons.is_empty() {
            Some("human")
        } else if calls.others.is_empty() {
            Some("machine")
        } else {
            None
        };
        match missing {
            Some(class) => Err(SipTestError::Calls(format!(
                "{LABELS}: no call of class {class}; without a speech engine `cpa calls … bare` makes both"
            ))),
            None => Ok(calls),
        }
    }

    /// What is heard where `plan` is answered: the profile says whether a person does, the seed which one.
    fn answer(&self, plan: &mut Plan, seed: u64, number: &str, wait_ms: u64) -> Option<Recorded> {
        if !plan.class.answers() {
            return None;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(hash(seed ^ SALT, number, u64::from(plan.index)));
        let machine = plan.class.is_machine();
        let pool = if machine { &self.others } else { &self.persons };
        let recorded = pool.get(rng.random_range(0..pool.len().max(1)))?.clone();
        (plan.company, plan.mailbox) = (false, None);
        if machine {
            plan.class = if recorded.beeps {
                Class::MachineBeep
            } else {
                Class::MachineNoBeep
            };
            plan.greeting_ms = recorded.ms;
            plan.talk_ms = recorded.ms + wait_ms;
            plan.patience_ms = plan.talk_ms;
        }
        Some(recorded)
    }

    /// The sound of a call; a mailbox that beeps does so once more as simulated agents know it, who hear
    /// frequencies and no words.
    ///
    /// # Errors
    /// [`SipTestError::File`] where the file is gone or cut since the set was read.
    pub(super) fn sound(&self, recorded: &Recorded) -> Result<Vec<i16>, SipTestError> {
        let path = self.folder.join(&recorded.file);
        let read = || -> Result<Vec<i16>, hound::Error> {
            let most = usize::try_from(recorded.ms).unwrap_or(0) * SAMPLES_PER_MS;
            let wav = hound::WavReader::open(&path)?;
            wav.into_samples().take(most).collect()
        };
        let mut sound = read().map_err(|source| SipTestError::File {
            path: path.clone(),
            source: std::io::Error::other(source),
        })?;
        if recorded.beeps {
            let beep = sound.len() + BEFORE_BEEP_MS * SAMPLES_PER_MS;
            sound.resize(beep + BEEP_MS * SAMPLES_PER_MS, 0);
            if let Some(end) = sound.get_mut(beep..) {
                Tone::once(BEEP, 0.35).fill(end);
            }
        }
        Ok(sound)
    }
}

/// Draws the plan of the `index`-th call to `number`, with what is heard in it where the answers are recorded.
pub(super) fn drawn(
    config: &Config,
    profile: &Profile,
    number: &str,
    index: u32,
    hour: usize,
) -> (Plan, Option<Recorded>) {
    let mut plan = draw(profile, config.seed, number, index, hour);
    let calls = config.calls.as_ref();
    let wait_ms = profile.machine.wait_ms;
    let recorded = calls.and_then(|c| c.answer(&mut plan, config.seed, number, wait_ms));
    (plan, recorded)
}

/// One line of the list, with its file looked at.
fn recorded(folder: &Path, line: &str) -> Result<Recorded, String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [file, class, _group, _onset, end, beep, _kind] = columns.as_slice() else {
        return Err(format!("{} columns, seven would be right", columns.len()));
    };
    if *class != PERSON && !OTHERS.contains(class) {
        return Err(format!("'{class}' is no class"));
    }
    let own = Path::new(file)
        .file_name()
        .is_some_and(|name| name == *file);
    if !own {
        return Err(format!("'{file}' is no file of this folder"));
    }
    let greeted_ms = end.parse().map_err(|_| format!("end '{end}'"))?;
    let beep_ms = match *beep {
        "-" => None,
        ms => Some(ms.parse::<u64>().map_err(|_| format!("beep '{ms}'"))?),
    };
    let ms = length_ms(&folder.join(file)).map_err(|what| format!("{file}: {what}"))?;
    let beep_ms = beep_ms.filter(|_| *class == "machine");
    Ok(Recorded {
        file: (*file).to_owned(),
        class: (*class).to_owned(),
        ms: beep_ms.map_or(ms, |beep| ms.min(beep + BEEP_MOST_MS)),
        beeps: beep_ms.is_some(),
        greeted_ms,
    })
}

/// Length of a WAV that can be played as it is.
fn length_ms(path: &Path) -> Result<u64, String> {
    let wav = hound::WavReader::open(path).map_err(|e| e.to_string())?;
    let spec = wav.spec();
    let whole = spec.sample_format == hound::SampleFormat::Int;
    if !whole || (spec.channels, spec.sample_rate, spec.bits_per_sample) != (1, RATE_HZ, 16) {
        return Err(format!(
            "{} channels, {} Hz, {} bit; 1 channel, {RATE_HZ} Hz and 16 bit would be right",
            spec.channels, spec.sample_rate, spec.bits_per_sample
        ));
    }
    let ms = wav.duration() / (RATE_HZ / 1_000);
    if ms == 0 || ms > MAX_MS {
        return Err(format!("{ms} ms; 1 to {MAX_MS} would be right"));
    }
    Ok(u64::from(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "0.wav\thuman\tbare\t0\t500\t-\tshort\n1.wav\tmachine\tbare\t0\t300\t400\tcarrier\n\
        2.wav\tfax\ttones\t0\t500\t-\tced\n";

    fn set(rate: u32, lines: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        for name in ["0.wav", "1.wav", "2.wav"] {
            let mut wav =
                hound::WavWriter::create(folder.path().join(name), spec).expect("creates");
            (0..16_000_i16).for_each(|s| wav.write_sample(s / 2).expect("writes"));
            wav.finalize().expect("ends");
        }
        std::fs::write(folder.path().join(LABELS), lines).expect("labels");
        folder
    }

    fn why(rate: u32, lines: &str) -> String {
        let folder = set(rate, lines);
        let error = Calls::load(folder.path()).expect_err("does not fit");
        error.to_string()
    }

    #[test]
    fn the_label_says_who_answers_and_the_seed_which() {
        let folder = set(8_000, LINES);
        let mut config = Config::new(([127, 0, 0, 1], 0).into());
        config.calls = Some(std::sync::Arc::new(
            Calls::load(folder.path()).expect("a set"),
        ));
        let profile = Profile::demo().expect("profile");
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..400 {
            let number = format!("+5255{n:08}");
            let (plan, call) = drawn(&config, &profile, &number, 0, 12);
            assert_eq!(
                (plan, call.clone()),
                drawn(&config, &profile, &number, 0, 12)
            );
            let plain = draw(&profile, config.seed, &number, 0, 12);
            assert_eq!(plain.class.is_machine(), plan.class.is_machine());
            assert_eq!(plan.class.answers(), call.is_some());
            let Some(call) = call else {
                assert_eq!(plain, plan, "nothing else moves");
                continue;
            };
            assert_eq!(call.class == "human", !plan.class.is_machine(), "{call:?}");
            assert_eq!(plan.class == Class::MachineBeep, call.class == "machine");
            let sound = config.calls.as_ref().expect("set").sound(&call);
            let beeps = usize::from(call.class == "machine");
            let whole = [2_000, 1_300 + BEFORE_BEEP_MS + BEEP_MS][beeps] * SAMPLES_PER_MS;
            assert_eq!(sound.expect("plays").len(), whole);
            seen.insert(call.file);
        }
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(why(16_000, LINES).contains("labels.tsv:1: 0.wav: 1 channels, 16000 Hz"));
        assert!(why(8_000, "0.wav\thuman").contains("2 columns"));
        assert!(why(8_000, &LINES.replace("fax", "song")).contains(":3: 'song' is no class"));
        assert!(why(8_000, &LINES.replace("1.wav", "../1.wav")).contains("no file of this folder"));
        assert!(why(8_000, &LINES.replace("1.wav", "9.wav")).contains(":2: 9.wav"));
        assert!(
            why(8_000, "2.wav\tfax\ttones\t0\t500\t-\tced\n").contains("no call of class human")
        );
        let nowhere = Calls::load(Path::new("/does/not/exist")).expect_err("no folder");
        assert!(nowhere.to_string().contains("/does/not/exist"));
    }
}
