//! Speech engines that are installed, each with its voices; what they say is kept by its words.

use crate::phrases::Phrases;
use crate::random::Random;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A voice of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Voice {
    /// Engine: the program's name.
    pub engine: &'static str,
    /// Voice as the engine names it.
    pub name: &'static str,
    /// The group its figures are given for.
    pub group: &'static str,
}

const fn voice(engine: &'static str, name: &'static str, group: &'static str) -> Voice {
    Voice {
        engine,
        name,
        group,
    }
}

/// Voices for tuning.
const TUNE: &[Voice] = &[
    voice("espeak-ng", "es", "espeak-ng"),
    voice("espeak-ng", "es-419", "espeak-ng"),
    voice("espeak-ng", "es+m1", "espeak-ng"),
    voice("espeak-ng", "es-419+m3", "espeak-ng"),
    voice("espeak-ng", "es-419+m7", "espeak-ng"),
    voice("espeak-ng", "es+f1", "espeak-ng"),
    voice("espeak-ng", "es-419+f3", "espeak-ng"),
    voice("espeak-ng", "es+f5", "espeak-ng"),
    voice("espeak-ng", "es-419+klatt", "espeak-ng"),
    voice("text2wave", "voice_pc_diphone", "festival-pc"),
    voice("text2wave", "voice_pc_diphone", "festival-pc"),
    voice("text2wave", "voice_czech_dita", "festival-cz"),
    voice("text2wave", "voice_czech_krb", "festival-cz"),
    voice("text2wave", "voice_czech_machac", "festival-cz"),
    voice("text2wave", "voice_czech_ph", "festival-cz"),
    voice("text2wave", "voice_suo_fi_lj_diphone", "festival-fi"),
    voice("text2wave", "voice_hy_fi_mv_diphone", "festival-fi"),
];

/// More voices for tuning.
const VARIED: &[Voice] = &[
    voice("text2wave", "voice_ked_diphone", "festival-en"),
    voice("text2wave", "voice_msu_ru_nsh_clunits", "festival-ru"),
    voice("espeak-ng", "mb-es1", "mbrola-es"),
    voice("espeak-ng", "mb-es2", "mbrola-es"),
    voice("espeak-ng", "mb-es3", "mbrola-es"),
    voice("espeak-ng", "mb-es4", "mbrola-es"),
    voice("espeak-ng", "mb-mx1", "mbrola-america"),
    voice("espeak-ng", "mb-mx2", "mbrola-america"),
    voice("espeak-ng", "mb-vz1", "mbrola-america"),
    voice("espeak-ng", "mb-br1", "mbrola-pt"),
    voice("espeak-ng", "mb-br3", "mbrola-pt"),
    voice("espeak-ng", "mb-br4", "mbrola-pt"),
    voice("espeak-ng", "mb-pt1", "mbrola-pt"),
    voice("espeak-ng", "mb-ro1", "mbrola-pt"),
    voice("pico2wave", "85", "pico"),
    voice("pico2wave", "100", "pico"),
    voice("pico2wave", "125", "pico"),
];

/// Voices of whole engines that tuning never hears, and of engines it hears with other voices.
const HELD: &[Voice] = &[
    voice("flite", "rms", "held: flite"),
    voice("flite", "slt", "held: flite"),
    voice("flite", "kal16", "held: flite"),
    voice("flite", "awb", "held: flite"),
    voice("text2wave", "voice_upc_ca_ona_hts", "held: festival-hts"),
    voice("text2wave", "voice_upc_ca_ona_hts", "held: festival-hts"),
    voice("text2wave", "voice_lp_diphone", "held: festival-lp"),
    voice("espeak-ng", "es+m4", "held: espeak voices"),
    voice("espeak-ng", "es-419+f4", "held: espeak voices"),
    voice("espeak-ng", "es-419+klatt3", "held: espeak voices"),
];

/// The engine that is always there: `media::speech::vowels`, as many syllables as the words have and no word in them.
/// A voice is named by its pitch, Hz.
const VOWELS: &str = "vowels";

/// Voices that need no package.
const BARE: &[Voice] = &[
    voice(VOWELS, "98", "bare"),
    voice(VOWELS, "117", "bare"),
    voice(VOWELS, "141", "bare"),
    voice(VOWELS, "182", "bare"),
    voice(VOWELS, "214", "bare"),
];

/// Which voices and sentences a set is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// For tuning.
    Tune,
    /// For tuning: more voices and engines, each varied, and more sentences. Harder than any other set.
    Varied,
    /// For the score alone.
    Held,
    /// Without any speech engine: for a demo or a test on a machine that has none, and never for a score.
    Bare,
}

/// Sentences kept.
#[derive(Debug, Default)]
pub(crate) struct Engines {
    kept: HashMap<(Voice, u32, String), Vec<f64>>,
    scratch: PathBuf,
}

impl Engines {
    pub(crate) fn new(scratch: &Path) -> Self {
        Self {
            kept: HashMap::new(),
            scratch: scratch.to_path_buf(),
        }
    }

    /// The voices of a set that speak on this machine.
    pub(crate) fn voices(&mut self, set: Set) -> Vec<Voice> {
        let wished = match set {
            Set::Tune => TUNE.to_vec(),
            Set::Varied => [TUNE, VARIED].concat(),
            Set::Held => HELD.to_vec(),
            Set::Bare => BARE.to_vec(),
        };
        let mut works: HashMap<Voice, bool> = HashMap::new();
        let mut out = Vec::new();
        for v in wished {
            let speaks = *works
                .entry(v)
                .or_insert_with(|| self.say(v, 1, "Hola, buenos días.").is_some());
            if speaks {
                out.push(v);
            }
        }
        out
    }

    /// A sentence at 8 kHz without silence before and after it, peak 1; `pace` 0 to 2 is slow to fast.
    pub(crate) fn say(&mut self, voice: Voice, pace: u32, text: &str) -> Option<Vec<f64>> {
        let key = (voice, pace, text.to_owned());
        if let Some(kept) = self.kept.get(&key) {
            return Some(kept.clone());
        }
        let spoken = if voice.engine == VOWELS {
            trimmed(&vowels(voice.name, pace, text)?)?
        } else {
            let file = self.said(voice, pace, text);
            if !file.exists() {
                let new = self.scratch.join("say.wav");
                let _ = std::fs::remove_file(&new);
                speak(voice, pace, text, &new)?;
                std::fs::create_dir_all(file.parent()?).ok()?;
                std::fs::rename(&new, &file).ok()?;
            }
            let bytes = std::fs::read(&file).ok()?;
            let prompt = media::prompt::Prompt::from_wav(&bytes).ok()?;
            trimmed(prompt.samples())?
        };
        self.kept.insert(key, spoken.clone());
        Some(spoken)
    }

    /// Where a sentence is kept once it was said, beside the sets: the next set of these voices is made in a minute.
    fn said(&self, voice: Voice, pace: u32, text: &str) -> PathBuf {
        let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, b| {
            (sum ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        let name = format!("{}-{}-{pace}-{sum:016x}.wav", voice.engine, voice.name);
        self.scratch.join("..").join("said").join(name)
    }

    /// Any sentence of `texts` by any of `voices`.
    pub(crate) fn any(
        &mut self,
        random: &mut Random,
        voices: &[Voice],
        phrases: &Phrases,
        texts: &[&str],
    ) -> Option<Vec<f64>> {
        let voice = random.pick(voices);
        let drawn = u32::try_from(random.bits() % 3).unwrap_or(1);
        let text = random.pick(texts);
        self.say(voice, phrases.pace(drawn, text), text)
    }
}

/// A sentence of vowels: syllables as its words have them, three a breath, and a pause where a sign stands. The same
/// sentence is the same sound.
fn vowels(pitch: &str, pace: u32, text: &str) -> Option<Vec<i16>> {
    let pitch: f64 = pitch.parse().ok()?;
    let [gap_ms, pause_ms] = [[130, 420], [95, 320], [60, 230]][pace.min(2) as usize];
    let mut out: Vec<i16> = Vec::new();
    for part in text.split(['.', ',', ';', ':', '!', '?']) {
        let syllables = syllables(part);
        if syllables == 0 {
            continue;
        }
        if !out.is_empty() {
            out.resize(out.len() + pause_ms * media::SAMPLES_PER_MS, 0);
        }
        let seed = part.bytes().fold(17_u64, |seed, b| {
            seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(b)
        });
        let words = syllables.div_ceil(3);
        out.extend(media::speech::vowels(words, gap_ms, pitch, seed));
    }
    (!out.is_empty()).then_some(out)
}

/// Runs of vowels.
fn syllables(text: &str) -> usize {
    let vowel = |c: char| "aeiouáéíóúüy".contains(c);
    let text = text.to_lowercase();
    let words = text.split(|c: char| !vowel(c));
    words.filter(|run| !run.is_empty()).count()
}

fn speak(voice: Voice, pace: u32, text: &str, file: &Path) -> Option<()> {
    let mut command = Command::new(voice.engine);
    let mut input = None;
    match voice.engine {
        "espeak-ng" => {
            let rate = ["135", "165", "195"][pace.min(2) as usize];
            command.args(["-v", voice.name, "-s", rate, "-w"]);
            command.arg(file).arg(text);
        }
        "pico2wave" => {
            let speed = ["85", "100", "120"][pace.min(2) as usize];
            let pitch = voice.name;
            command.args(["-l", "es-ES", "-w"]).arg(file);
            command.arg(format!(
                "<speed level='{speed}'><pitch level='{pitch}'>{text}</pitch></speed>"
            ));
        }
        "flite" => {
            let stretch = ["1.1", "0.95", "0.8"][pace.min(2) as usize];
            command.args(["-voice", voice.name, "--setf"]);
            command.arg(format!("duration_stretch={stretch}"));
            command.args(["-t", &ascii(text), "-o"]).arg(file);
        }
        _ => {
            let stretch = ["1.15", "1.0", "0.85"][pace.min(2) as usize];
            command.arg("-o").arg(file).arg("-eval");
            command.arg(format!(
                "(begin ({}) (Parameter.set 'Duration_Stretch {stretch}))",
                voice.name
            ));
            input = Some(ascii(text));
        }
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.stdin(if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    let mut child = command.spawn().ok()?;
    if let (Some(text), Some(mut pipe)) = (input, child.stdin.take()) {
        pipe.write_all(text.as_bytes()).ok()?;
    }
    child.wait().ok()?.success().then_some(())
}

/// For engines of other tongues: letters they know.
fn ascii(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            'á' | 'Á' => Some('a'),
            'é' | 'É' => Some('e'),
            'í' | 'Í' => Some('i'),
            'ó' | 'Ó' => Some('o'),
            'ú' | 'Ú' => Some('u'),
            'ñ' => Some('n'),
            '¿' | '¡' => None,
            other => other.is_ascii().then_some(other),
        })
        .collect()
}

/// Cut to where it sounds (35 dB below its loudest 10 ms), loudest sample 1.
fn trimmed(samples: &[i16]) -> Option<Vec<f64>> {
    let loud: Vec<f64> = samples.chunks(80).map(media::freq::rms).collect();
    let most = loud.iter().copied().fold(0.0, f64::max);
    if most < 10.0 {
        return None;
    }
    let sounds = |level: &f64| *level > most * 0.018;
    let first = loud.iter().position(sounds)?;
    let last = loud.iter().rposition(sounds)?;
    let cut = &samples[first * 80..((last + 1) * 80).min(samples.len())];
    let peak = cut.iter().map(|s| f64::from(*s).abs()).fold(1.0, f64::max);
    Some(cut.iter().map(|s| f64::from(*s) / peak).collect())
}
