//! A set of calls: WAV files as read from the answer on, and what is true of each.

use crate::Outcome;
use crate::channel::{self, add, at_level};
use crate::engines::{Engines, Set, Voice};
use crate::phrases::{BARE, HELD, MORE, Phrases, TUNE, VARIED};
use crate::random::{Random, samples};
use crate::variety::Variety;
use media::tones::{self, Step, Tone};
use std::fmt::Write as _;
use std::path::Path;

/// A call and its truth; times in samples.
struct Call {
    class: &'static str,
    group: String,
    kind: &'static str,
    audio: Vec<f64>,
    onset: usize,
    end: usize,
    beep: Option<usize>,
}

/// Makes a set.
pub(crate) fn calls(dir: &Path, count: u32, seed: u64, set: Set) -> Outcome {
    std::fs::create_dir_all(dir)?;
    let mut engines = Engines::new(dir);
    let voices = engines.voices(set);
    if voices.is_empty() {
        println!("no speech engine of this set is installed: tone calls alone");
    }
    let (phrases, of_set) = match set {
        Set::Tune => (&TUNE, 0),
        Set::Held => (&HELD, 1),
        Set::Bare => (&BARE, 2),
        Set::Varied => (&VARIED, 3),
    };
    let mut random = Random(seed ^ of_set << 32);
    let mut labels = String::new();
    for n in 0..count {
        let part = random.unit();
        let more = phrases.varied && random.chance(0.5);
        let phrases = if more { &MORE } else { phrases };
        let spoken = match part {
            p if p < 0.47 => human(&mut random, &mut engines, &voices, phrases),
            p if p < 0.82 => machine(&mut random, &mut engines, &voices, phrases),
            _ => None,
        };
        let call = spoken.unwrap_or_else(|| toned(&mut random));
        let name = format!("{n:05}.wav");
        let ms = |s: usize| s / 8;
        let beep = call.beep.map_or("-".to_owned(), |b| ms(b).to_string());
        writeln!(
            labels,
            "{name}\t{}\t{}\t{}\t{}\t{beep}\t{}",
            call.class,
            call.group,
            ms(call.onset),
            ms(call.end),
            call.kind
        )?;
        let heard = channel::line(&mut random, call.audio);
        std::fs::write(dir.join(name), wav(&heard))?;
    }
    let _ = std::fs::remove_file(dir.join("say.wav"));
    std::fs::write(dir.join("labels.tsv"), labels)?;
    println!(
        "{count} calls in {}, {} voices",
        dir.display(),
        voices.len()
    );
    Ok(())
}

/// What surrounds a voice on its line: noise, a television, people.
fn surroundings(
    random: &mut Random,
    engines: &mut Engines,
    voices: &[Voice],
    phrases: &Phrases,
    audio: &mut [f64],
    speech_dbfs: f64,
) {
    let kind = random.unit();
    if kind < 0.25 {
        return;
    }
    if kind < 0.75 {
        let level = 10f64.powf((speech_dbfs - random.between(13.0, 38.0)) / 20.0);
        let noise: Vec<f64> = channel::noise(random, audio.len())
            .iter()
            .map(|s| s * level)
            .collect();
        add(audio, 0, &noise);
        return;
    }
    let crowd = if kind < 0.88 { 1 } else { 4 };
    let below = random.between(12.0, 26.0);
    let mut behind = vec![0.0; audio.len()];
    for _ in 0..crowd {
        let mut at = 0;
        while at < behind.len() {
            let texts = if random.chance(0.5) {
                phrases.carrier
            } else {
                phrases.personal
            };
            let Some(mut said) = engines.any(random, voices, phrases, texts) else {
                return;
            };
            let from = said.len() / 2 * usize::from(at == 0);
            at_level(&mut said, speech_dbfs - below);
            add(&mut behind, at, &said[from..]);
            at += said.len() - from + random.samples(50.0, 500.0);
        }
    }
    add(audio, 0, &behind);
}

/// A voice as the line carries it.
fn voiced(random: &mut Random, said: &mut [f64], dbfs: f64) {
    channel::telephone(random, said);
    at_level(said, dbfs);
}

fn human(
    random: &mut Random,
    engines: &mut Engines,
    voices: &[Voice],
    phrases: &Phrases,
) -> Option<Call> {
    let voice = (!voices.is_empty()).then(|| random.pick(voices))?;
    let (kind, texts) = match random.unit() {
        p if p < 0.5 => ("short", phrases.short),
        p if p < 0.78 => ("sentence", phrases.sentence),
        _ => ("company", phrases.company),
    };
    let drawn = u32::try_from(random.bits() % 3).ok()?;
    let text = random.pick(texts);
    let pace = phrases.pace(drawn, text);
    let mut said = engines.say(voice, pace, text)?;
    let variety = phrases.varied.then(|| Variety::drawn(random, 0.6, 1.5));
    if let Some(variety) = &variety {
        said = variety.of(&said);
    }
    let dbfs = random.between(-34.0, -15.0);
    voiced(random, &mut said, dbfs);
    let exchange = phrases.exchange > 0.0 && random.chance(phrases.exchange);
    if exchange {
        said = behind_exchange(random, &said);
    }
    let kind = if exchange { "exchange" } else { kind };
    let onset = match random.unit() {
        // It answers by itself.
        _ if exchange => random.samples(60.0, 600.0),
        p if p < 0.08 => 0,
        p if p < 0.85 => random.samples(60.0, 1_200.0),
        _ => random.samples(1_200.0, 3_200.0),
    };
    let end = onset + said.len();
    let mut audio = vec![0.0; end + random.samples(2_500.0, 4_000.0)];
    add(&mut audio, onset, &said);
    if random.chance(0.35) {
        let sentence = phrases.varied && random.chance(0.3);
        let texts = if sentence {
            phrases.sentence
        } else {
            phrases.short
        };
        let text = random.pick(texts);
        let mut again = engines.say(voice, phrases.pace(drawn, text), text)?;
        if let Some(variety) = &variety {
            again = variety.of(&again);
        }
        voiced(random, &mut again, dbfs);
        let at = end + random.samples(1_300.0, 2_400.0);
        add(&mut audio, at, &again);
    }
    surroundings(random, engines, voices, phrases, &mut audio, dbfs);
    Some(Call {
        class: "human",
        group: voice.group.to_owned(),
        kind,
        audio,
        onset,
        end,
        beep: None,
    })
}

/// An exchange that records its calls beeps, and then somebody speaks.
fn behind_exchange(random: &mut Random, said: &[f64]) -> Vec<f64> {
    let mut out = tone_of(&[step(1_000.0, 0.0, 400.0)], 0.35, 400.0);
    out.resize(out.len() + random.samples(300.0, 600.0), 0.0);
    out.extend(said);
    out
}

fn machine(
    random: &mut Random,
    engines: &mut Engines,
    voices: &[Voice],
    phrases: &Phrases,
) -> Option<Call> {
    let voice = (!voices.is_empty()).then(|| random.pick(voices))?;
    let (kind, texts) = if random.chance(0.5) {
        ("carrier", phrases.carrier)
    } else {
        ("personal", phrases.personal)
    };
    let drawn = u32::try_from(random.bits() % 3).ok()?;
    let text = random.pick(texts);
    let pace = phrases.pace(drawn, text);
    let mut said = engines.say(voice, pace, text)?;
    if phrases.varied {
        said = Variety::drawn(random, 0.5, 2.5).of(&said);
    }
    let dbfs = random.between(-32.0, -13.0);
    voiced(random, &mut said, dbfs);
    let onset = random.samples(0.0, 2_200.0);
    let end = onset + said.len();
    let beep = random
        .chance(0.75)
        .then(|| end + random.samples(60.0, 1_300.0));
    let mut audio = vec![0.0; end + random.samples(3_500.0, 4_500.0)];
    add(&mut audio, onset, &said);
    if let Some(at) = beep {
        let hz = random.between(400.0, 1_400.0);
        let ms = random.between(120.0, 900.0);
        let amplitude = 10f64.powf(random.between(-22.0, -8.0) / 20.0);
        add(
            &mut audio,
            at,
            &tone_of(&[step(hz, 0.0, ms)], amplitude, ms),
        );
    }
    if random.chance(0.5) {
        let alone = random.between(20.0, 40.0);
        let level = 10f64.powf((dbfs - alone) / 20.0);
        let noise: Vec<f64> = channel::noise(random, audio.len())
            .iter()
            .map(|s| s * level)
            .collect();
        add(&mut audio, 0, &noise);
    }
    Some(Call {
        class: "machine",
        group: voice.group.to_owned(),
        kind,
        audio,
        onset,
        end,
        beep,
    })
}

fn step(low: f64, high: f64, ms: f64) -> Step {
    let ms = u32::try_from(samples(ms) / 8).unwrap_or(0);
    Step {
        hz: [low, high],
        ms,
    }
}

/// A cadence for so many milliseconds.
fn tone_of(steps: &[Step], amplitude: f64, ms: f64) -> Vec<f64> {
    let mut out = vec![0i16; samples(ms)];
    Tone::cadence(steps).fill(&mut out);
    // The cadence's own level is 0.2 of full scale.
    out.iter()
        .map(|s| f64::from(*s) / 32_767.0 / 0.2 * amplitude)
        .collect()
}

const COUNTRIES: [&str; 7] = ["MX", "CO", "CL", "PE", "ES", "AR", "US"];

/// Kind and sound of a class of tones; `off` scales its frequencies.
fn busy_tone(random: &mut Random, amplitude: f64, off: f64) -> (&'static str, Vec<f64>) {
    let country = random.pick(&COUNTRIES);
    let mut steps = tones::busy(country).to_vec();
    let fast = random.chance(0.35);
    if fast {
        let hz = steps[0].hz;
        steps = vec![step(hz[0], hz[1], 250.0), step(0.0, 0.0, 250.0)];
    }
    let stretch = random.between(0.92, 1.08);
    for s in &mut steps {
        let ms = f64::from(s.ms) * stretch;
        *s = step(s.hz[0] * off, s.hz[1] * off, ms);
    }
    let kind = if fast { "fast busy" } else { "busy" };
    (kind, tone_of(&steps, amplitude, 6_000.0))
}

fn sit_tone(random: &mut Random, amplitude: f64, off: f64) -> (&'static str, Vec<f64>) {
    let long = random.between(280.0, 375.0);
    let mut steps: Vec<Step> = [950.0, 1_400.0, 1_800.0]
        .iter()
        .map(|hz| step(hz * off, 0.0, long))
        .collect();
    steps.push(step(0.0, 0.0, 6_000.0));
    ("sit", tone_of(&steps, amplitude, 5_000.0))
}

fn fax_tone(random: &mut Random, amplitude: f64) -> (&'static str, Vec<f64>) {
    let (kind, hz, on, off, ms) = match random.unit() {
        p if p < 0.5 => ("ced", 2_100.0, 3_300.0, 75.0, 4_000.0),
        p if p < 0.75 => ("cng", 1_100.0, 500.0, 3_000.0, 7_500.0),
        _ => ("modem", 2_250.0, 3_000.0, 75.0, 3_500.0),
    };
    let steps = [step(hz, 0.0, on), step(0.0, 0.0, off)];
    (kind, tone_of(&steps, amplitude, ms))
}

fn toned(random: &mut Random) -> Call {
    let amplitude = 10f64.powf(random.between(-26.0, -10.0) / 20.0);
    let off = random.between(0.985, 1.015);
    let (class, (kind, tone)) = match random.unit() {
        p if p < 0.35 => ("busy", busy_tone(random, amplitude, off)),
        p if p < 0.6 => ("sit", sit_tone(random, amplitude, off)),
        p if p < 0.85 => ("fax", fax_tone(random, amplitude)),
        _ => ("dead_air", ("silence", vec![0.0; samples(7_000.0)])),
    };
    let onset = random.samples(0.0, 1_500.0);
    let mut audio = vec![0.0; onset + tone.len()];
    add(&mut audio, onset, &tone);
    let level = 10f64.powf(random.between(-70.0, -46.0) / 20.0);
    let noise: Vec<f64> = channel::noise(random, audio.len())
        .iter()
        .map(|s| s * level)
        .collect();
    add(&mut audio, 0, &noise);
    Call {
        class,
        group: "tones".to_owned(),
        kind,
        end: audio.len(),
        audio,
        onset,
        beep: None,
    }
}

/// A WAV file of one channel.
fn wav(samples: &[i16]) -> Vec<u8> {
    let data = u32::try_from(samples.len() * 2).unwrap_or(0);
    let mut out = Vec::with_capacity(44 + samples.len() * 2);
    out.extend(b"RIFF");
    out.extend((data + 36).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16u32.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(8_000u32.to_le_bytes());
    out.extend(16_000u32.to_le_bytes());
    out.extend(2u16.to_le_bytes());
    out.extend(16u16.to_le_bytes());
    out.extend(b"data");
    out.extend(data.to_le_bytes());
    media::wav::append_samples(samples, &mut out);
    out
}
