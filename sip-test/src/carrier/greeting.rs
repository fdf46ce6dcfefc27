//! What is said on answering, made by the generator of `media::speech`: no voice of anybody, but the
//! shape of one. People say a word or two and wait; machines talk on, and beep.

use media::speech::vowels;
use media::tones::{BEEP, Tone};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Samples of a millisecond.
const MS: usize = 8;
/// Most of the line's noise: about 60 dB below full scale.
const NOISE: i32 = 40;
/// Length of a word of the generator, ms.
const WORD_MS: u64 = 540;

fn drawn(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed ^ 0x6772_6565)
}

fn quiet(ms: usize) -> Vec<i16> {
    vec![0; ms * MS]
}

/// As fast as this speaker speaks, on a line that is never quite silent.
fn lived_in(sound: &[i16], rng: &mut ChaCha8Rng) -> Vec<i16> {
    let step = rng.random_range(750..1_300_usize);
    let mut out = Vec::with_capacity(sound.len() * 1_000 / step);
    let mut at = 0;
    while let Some(from) = sound.get(at / 1_000) {
        let next = sound.get(at / 1_000 + 1).unwrap_or(from);
        let (a, b) = (i32::from(*from), i32::from(*next));
        let share = i32::try_from(at % 1_000).unwrap_or(0);
        let noise = rng.random_range(-NOISE..=NOISE);
        let sample = a + (b - a) * share / 1_000 + noise;
        out.push(i16::try_from(sample).unwrap_or(0));
        at += step;
    }
    out
}

/// A word, now and then two, after a breath; then silence for an answer.
pub(super) fn person(seed: u64) -> Vec<i16> {
    let mut rng = drawn(seed);
    let mut out = quiet(rng.random_range(80..350));
    let words = 1 + usize::from(rng.random_bool(0.15));
    out.extend(vowels(words, 60, rng.random_range(95.0..230.0), seed));
    out.extend(quiet(900));
    lived_in(&out, &mut rng)
}

/// Whoever answers at a company whose exchange records its calls and says so with a beep first: a machine's beep
/// to whoever listens for one.
pub(super) fn company(seed: u64) -> Vec<i16> {
    let mut rng = drawn(seed ^ 0x6f66_6669);
    let mut out = quiet(rng.random_range(100..300));
    beep(&mut out);
    out.extend(quiet(rng.random_range(300..600)));
    out.extend(person(seed));
    out
}

fn beep(out: &mut Vec<i16>) {
    let from = out.len();
    out.resize(from + 400 * MS, 0);
    Tone::once(BEEP, 0.35).fill(&mut out[from..]);
}

/// Somebody whom the network has speak for about `ms`, once, without pauses that a person would make.
pub(super) fn announcement(seed: u64, ms: u64) -> Vec<i16> {
    let mut rng = drawn(seed ^ 0x6e65_7477);
    let mut out = quiet(rng.random_range(100..400));
    let words = usize::try_from(ms / WORD_MS).unwrap_or(1).max(4);
    out.extend(vowels(words, 90, rng.random_range(150.0..230.0), seed));
    lived_in(&out, &mut rng)
}

/// A greeting of about `greeting_ms` without a pause that a person would make, then the beep.
pub(super) fn machine(seed: u64, greeting_ms: u64, beeps: bool) -> Vec<i16> {
    let mut rng = drawn(seed);
    let mut out = quiet(rng.random_range(150..600));
    let gap: usize = rng.random_range(70..160);
    let word = WORD_MS + gap as u64;
    let words = usize::try_from(greeting_ms / word).unwrap_or(1).max(3);
    out.extend(vowels(words, gap, rng.random_range(95.0..230.0), seed));
    let mut out = lived_in(&out, &mut rng);
    if beeps {
        out.extend(quiet(300));
        beep(&mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::cpa::{Analyser, Class, Config};

    fn judged(sound: &[i16]) -> Option<(Class, u32)> {
        let mut analyser = Analyser::new(Config::default());
        let mut call = sound.to_vec();
        call.extend(quiet(4_000));
        let verdict = call.chunks(160).find_map(|frame| analyser.push(frame));
        verdict.map(|v| (v.class, v.at_ms))
    }

    #[test]
    fn the_detector_tells_them_apart() {
        let (mut people, mut machines) = (0, 0);
        for seed in 0..40 {
            people += u32::from(matches!(
                judged(&person(seed)),
                Some((Class::Human | Class::Unknown, _))
            ));
            machines += u32::from(matches!(
                judged(&machine(seed, 6_000, true)),
                Some((Class::Machine, _))
            ));
        }
        assert!(people >= 38, "{people} of 40 people");
        assert!(machines >= 32, "{machines} of 40 machines");
        let lost = |seed: &u64| matches!(judged(&company(*seed)), Some((Class::Machine, _)));
        let companies = (0..40).filter(lost).count();
        assert!(companies >= 36, "{companies} of 40 companies are lost");
    }
}
