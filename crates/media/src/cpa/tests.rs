//! Calls made of tones and invented voices; those of speech engines are measured by `examples/cpa`.

use super::prints::{Known, Print};
use super::*;
use crate::speech::vowels as voice;
use crate::tones::{BEEP, SIT, Step, Tone, busy, ring_back};
use proptest::prelude::*;

fn silence(ms: usize) -> Vec<i16> {
    vec![0; ms * 8]
}

fn tone(steps: &[Step], ms: usize) -> Vec<i16> {
    let mut out = silence(ms);
    Tone::cadence(steps).fill(&mut out);
    out
}

fn noise(ms: usize, level: i32, seed: u64) -> Vec<i16> {
    let mut state = seed | 1;
    (0..ms * 8)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let wide = i32::try_from(state >> 40).unwrap() - (1 << 23);
            crate::saturate(wide / (1 << 10) * level / (1 << 13))
        })
        .collect()
}

fn heard(parts: &[Vec<i16>]) -> (Verdict, Option<Beep>) {
    heard_by(Analyser::new(Config::default()), parts)
}

fn heard_by(mut analyser: Analyser, parts: &[Vec<i16>]) -> (Verdict, Option<Beep>) {
    for frame in parts.concat().chunks(crate::FRAME_SAMPLES) {
        analyser.push(frame);
    }
    analyser.finish();
    (analyser.verdict().unwrap(), analyser.beep())
}

#[test]
fn a_word_and_silence_is_a_person_within_its_time() {
    for pitch in [110.0, 150.0, 210.0] {
        let (verdict, beep) = heard(&[silence(700), voice(1, 0, pitch, 3), silence(3_000)]);
        assert_eq!(verdict.class, Class::Human, "{verdict:?}");
        assert!(verdict.at_ms <= 700 + 1_250, "{verdict:?}");
        assert_eq!(beep, None);
        let onset = verdict.measures.unwrap().onset_ms;
        assert!(onset.abs_diff(700) <= 60, "{verdict:?}");
    }
}

#[test]
fn who_talks_on_and_on_is_a_machine() {
    let (verdict, _) = heard(&[silence(500), voice(14, 120, 140.0, 5), silence(2_000)]);
    assert_eq!(verdict.class, Class::Machine, "{verdict:?}");
}

#[test]
fn a_beep_after_words_is_a_machine_and_its_time_is_told() {
    for hz in [400.0, 440.0, 620.0, 950.0, 1_000.0, 1_100.0, 1_400.0] {
        let steps = [
            Step {
                hz: [hz, 0.0],
                ms: 400,
            },
            Step {
                hz: [0.0; 2],
                ms: 9_000,
            },
        ];
        let parts = [
            silence(300),
            voice(2, 100, 120.0, 9),
            silence(300),
            tone(&steps, 2_500),
        ];
        let at: usize = parts[..3].iter().map(|p| p.len() / 8).sum();
        let (verdict, beep) = heard(&parts);
        assert_eq!(verdict.class, Class::Machine, "{hz} {verdict:?}");
        assert_eq!(verdict.reason, Reason::Beep);
        // Told while it sounds, but for what may be the first step of a special information tone.
        let sit = (900.0..=1_010.0).contains(&hz);
        let most = if sit { 500 } else { 300 };
        assert!(verdict.at_ms as usize <= at + most, "{hz} {verdict:?}");
        let beep = beep.unwrap();
        assert!(
            (beep.start_ms as usize).abs_diff(at) <= 40,
            "{hz} {beep:?} {at}"
        );
        assert!(
            (beep.end_ms as usize).abs_diff(at + 400) <= 40,
            "{hz} {beep:?} {at}"
        );
        assert!((f64::from(beep.hz) - hz).abs() < 10.0, "{beep:?}");
    }
}

#[test]
fn the_networks_tones_are_told() {
    for country in ["MX", "CO", "CL", "PE", "ES", "AR", "US"] {
        let (verdict, beep) = heard(&[silence(400), tone(busy(country), 5_000)]);
        assert_eq!(
            verdict.class.answered_str(),
            "busy",
            "{country} {verdict:?}"
        );
        assert_eq!(beep, None, "{country}");
    }
    let fast = [
        Step {
            hz: [480.0, 620.0],
            ms: 250,
        },
        Step {
            hz: [0.0; 2],
            ms: 250,
        },
    ];
    let (verdict, _) = heard(&[tone(&fast, 4_000)]);
    assert_eq!(verdict.class, Class::Congestion, "{verdict:?}");
    let (verdict, beep) = heard(&[silence(200), tone(SIT, 2_500)]);
    assert_eq!((verdict.class, beep), (Class::Sit, None), "{verdict:?}");
}

#[test]
fn faxes_and_modems_are_told_before_and_after_each_other() {
    let long = |hz: f64| {
        [Step {
            hz: [hz, 0.0],
            ms: 3_000,
        }]
    };
    for hz in [2_100.0, 2_225.0, 2_250.0] {
        let (verdict, beep) = heard(&[silence(800), tone(&long(hz), 3_000)]);
        assert_eq!((verdict.class, beep), (Class::Fax, None), "{verdict:?}");
    }
    let calling = [
        Step {
            hz: [1_100.0, 0.0],
            ms: 500,
        },
        Step {
            hz: [0.0; 2],
            ms: 3_000,
        },
    ];
    let (verdict, beep) = heard(&[silence(300), tone(&calling, 7_000)]);
    assert_eq!((verdict.class, beep), (Class::Fax, None), "{verdict:?}");
}

#[test]
fn nobody_is_dead_air_and_a_steady_noise_is_nobody() {
    let (verdict, _) = heard(&[silence(6_000)]);
    assert_eq!((verdict.class, verdict.at_ms), (Class::DeadAir, 4_000));
    let (verdict, _) = heard(&[noise(6_000, 300, 4)]);
    assert!(
        matches!(verdict.class, Class::DeadAir | Class::Unknown),
        "{verdict:?}"
    );
}

#[test]
fn silence_first_is_no_evidence_of_a_machine() {
    let (verdict, _) = heard(&[silence(3_500), voice(1, 0, 130.0, 2), silence(2_000)]);
    assert_eq!(verdict.class, Class::Human, "{verdict:?}");
}

#[test]
fn a_person_before_a_television_is_a_person() {
    let mut behind: Vec<i16> = voice(16, 90, 180.0, 77).iter().map(|s| s / 7).collect();
    let near = voice(1, 0, 120.0, 3);
    for (out, s) in behind.iter_mut().skip(8_000).zip(&near) {
        *out = out.saturating_add(*s);
    }
    let (verdict, _) = heard(&[behind]);
    assert!(verdict.class.is_for_agent(), "{verdict:?}");
}

#[test]
fn noise_clipping_and_a_constant_leave_a_person_a_person() {
    let said = [silence(600), voice(1, 0, 125.0, 8), silence(2_500)].concat();
    let hiss = noise(said.len() / 8, 60, 3);
    let clipped = said.iter().map(|s| s.saturating_mul(12)).collect();
    let shifted = said.iter().map(|s| s.saturating_add(2_500)).collect();
    let noisy = said
        .iter()
        .zip(&hiss)
        .map(|(a, b)| a.saturating_add(*b))
        .collect();
    for audio in [clipped, shifted, noisy] {
        let (verdict, _) = heard(&[audio]);
        assert_eq!(verdict.class, Class::Human, "{verdict:?}");
    }
}

#[test]
fn two_voices_music_and_a_modem_end_in_a_class_in_time() {
    let mixed = |a: Vec<i16>, b: Vec<i16>| -> Vec<i16> {
        let both = a.iter().zip(&b);
        both.map(|(a, b)| a.saturating_add(*b)).collect()
    };
    // Two who speak at once, one of them on and on.
    let near = [silence(500), voice(2, 0, 120.0, 3), silence(6_000)].concat();
    let far = [silence(800), voice(12, 110, 210.0, 9)].concat();
    let two = mixed(near, far);
    // Four bars of a tune in two parts, without a voice.
    let note = |hz: f64, part: f64| {
        let hz = [hz, hz * part];
        tone(&[Step { hz, ms: 400 }], 400)
    };
    let tune = [262.0, 330.0, 392.0, 330.0, 294.0, 349.0, 440.0, 392.0];
    let tune: Vec<i16> = tune.iter().flat_map(|hz| note(*hz, 1.5)).collect();
    let music = [tune.clone(), tune.clone(), tune.clone(), tune].concat();
    // A modem calls: its answering tone, then its carriers.
    let carriers = mixed(note(1_200.0, 2.0).repeat(8), noise(3_200, 2_000, 5));
    let steps = [Step {
        hz: [2_225.0, 0.0],
        ms: 3_000,
    }];
    let modem = [tone(&steps, 2_600), carriers].concat();
    for (what, audio) in [("two", two), ("music", music), ("modem", modem)] {
        let mut hears = Analyser::new(Config::default());
        let quiet = silence(13_000 - audio.len() / 8);
        let sound = [audio, quiet].concat();
        let verdict = sound.chunks(160).find_map(|frame| hears.push(frame));
        let verdict = verdict.unwrap();
        // By what is heard, not because the time is over.
        assert_ne!(verdict.reason, Reason::TimeOver, "{what}: {verdict:?}");
        let fits = match what {
            // One of them answered.
            "two" => verdict.class.is_for_agent(),
            // It may be like a person's or a recording's, but none of the network's sounds is in it.
            "music" => matches!(
                verdict.class,
                Class::Human | Class::Unknown | Class::Machine
            ),
            _ => verdict.class == Class::Fax,
        };
        assert!(fits, "{what}: {verdict:?}");
    }
}

#[test]
fn before_the_answer_ring_back_busy_and_announcements_are_told() {
    let early = Config {
        stage: Stage::Early,
        ..Config::default()
    };
    let told = |parts: &[Vec<i16>]| heard_by(Analyser::new(early), parts).0.class;
    assert_eq!(told(&[tone(ring_back("MX"), 9_000)]), Class::RingBack);
    assert_eq!(
        told(&[tone(ring_back("MX"), 5_000), tone(busy("MX"), 3_000)]),
        Class::Busy
    );
    assert_eq!(
        told(&[silence(300), voice(6, 100, 140.0, 1), silence(300)]),
        Class::Announcement
    );
    assert_eq!(
        told(&[tone(ring_back("ES"), 4_500), tone(SIT, 2_000)]),
        Class::Sit
    );
}

#[test]
fn a_known_recording_is_a_machine_by_its_beginning_through_another_codec() {
    use crate::g711::Law;
    let said = voice(5, 100, 145.0, 31);
    let print = Print::of(&[silence(400), said.clone()].concat()).unwrap();
    assert_eq!(Print::from_bytes(&print.to_bytes()), Some(print));
    assert_eq!(Print::from_bytes(&[0; 7]), None);
    let mut hears = Analyser::new(Config::default());
    for frame in [silence(400), said.clone()].concat().chunks(160) {
        hears.push(frame);
    }
    assert_eq!(hears.print(), Some(print), "the same as it comes");
    let known = Arc::new(Known::new(vec![print]));
    let word = said[..300 * 8].to_vec();
    let coded: Vec<i16> = [silence(913), said, silence(2_000)]
        .concat()
        .iter()
        .map(|s| Law::Mu.decode_sample(Law::Mu.encode_sample(*s / 2)))
        .collect();
    assert!(Print::of(&coded).unwrap().is_same(&print));
    let mut met = Analyser::with_known(Config::default(), Arc::clone(&known));
    let told = coded.chunks(160).find_map(|frame| met.push(frame));
    assert_eq!(told.map(|v| v.reason), Some(Reason::Known));
    assert_eq!(met.print(), Some(print), "which of them is told with it");
    let knowing = Analyser::with_known(Config::default(), Arc::clone(&known));
    let (verdict, _) = heard_by(knowing, &[coded]);
    assert_eq!(verdict.reason, Reason::Known, "{verdict:?}");
    assert!(verdict.at_ms < 913 + 800, "by its beginning: {verdict:?}");
    // Who begins as it does and says no more is a person, were it with the same voice.
    let word = [silence(400), word, silence(2_000)];
    let knowing = Analyser::with_known(Config::default(), Arc::clone(&known));
    assert_eq!(heard_by(knowing, &word).0.class, Class::Human);
    // Another recording by the same voice is another.
    let other = [silence(400), voice(2, 100, 145.0, 90), silence(2_000)];
    let knowing = Analyser::with_known(Config::default(), known);
    assert_ne!(heard_by(knowing, &other).0.reason, Reason::Known);
}

#[test]
fn the_end_of_a_call_ends_in_a_verdict() {
    for parts in [vec![], vec![voice(1, 0, 120.0, 1)], vec![tone(BEEP, 300)]] {
        let mut analyser = Analyser::new(Config::default());
        for part in &parts {
            analyser.push(part);
        }
        assert!(analyser.finish().is_some());
        assert!(analyser.finish().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The verdict at t is the same whatever follows t and however the samples are cut.
    #[test]
    fn nothing_ahead_is_looked_at(seed: u64, cut in 1usize..400, words in 1usize..4) {
        let audio = [silence(200), voice(words, 130, 130.0, seed), silence(1_000)].concat();
        let mut whole = Analyser::new(Config::default());
        let mut by_frame = Vec::new();
        for frame in audio.chunks(crate::FRAME_SAMPLES) {
            by_frame.extend(whole.push(frame));
        }
        let mut cut_up = Analyser::new(Config::default());
        let mut by_cut = Vec::new();
        for part in audio.chunks(cut) {
            by_cut.extend(cut_up.push(part));
        }
        prop_assert_eq!(&by_frame, &by_cut);
        if let Some(verdict) = by_frame.first() {
            let until = verdict.at_ms as usize * 8;
            let mut prefix = Analyser::new(Config::default());
            prop_assert_eq!(prefix.push(&audio[..until]), Some(*verdict));
        }
    }

    /// Anything ends in a class within the time given.
    #[test]
    fn noise_of_any_kind_ends_in_a_class(samples in proptest::collection::vec(any::<i16>(), 1..200)) {
        let mut analyser = Analyser::new(Config::default());
        let mut told = None;
        for _ in 0..=(13 * 8_000 / samples.len()) {
            told = told.or(analyser.push(&samples));
        }
        prop_assert!(told.is_some_and(|v| v.at_ms <= 12_000));
    }
}
