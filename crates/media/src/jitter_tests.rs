use super::*;
use crate::freq::{rms, share};
use crate::tones::Tone;
use proptest::prelude::*;

/// Plays `frames` packets of a tone through a buffer; `arrives` gives the ticks (20 ms) late of
/// packet n, or `None` for a lost one.
fn play(
    config: Config,
    frames: usize,
    arrives: impl Fn(usize) -> Option<usize>,
) -> (Vec<i16>, JitterBuffer) {
    let mut tone = Tone::sine(600.0, 0.4);
    let packets: Vec<Frame> = (0..frames)
        .map(|_| {
            let mut frame = SILENCE;
            tone.fill(&mut frame);
            frame
        })
        .collect();
    let mut buffer = JitterBuffer::new(config);
    let start = u32::MAX - 5 * 160;
    let mut heard = Vec::new();
    for tick in 0..frames + 10 {
        for (n, packet) in packets.iter().enumerate() {
            if arrives(n).is_some_and(|late| n + late == tick) {
                buffer.push(start.wrapping_add(u32::try_from(n * 160).unwrap()), packet);
            }
        }
        let mut out = SILENCE;
        buffer.pull(&mut out);
        heard.extend(out);
    }
    (heard, buffer)
}

#[test]
fn a_steady_stream_comes_out_whole_after_the_delay() {
    let (heard, buffer) = play(Config::fixed(40), 100, |_| Some(0));
    assert_eq!(
        buffer.counts(),
        Counts {
            received: 100,
            ..Counts::default()
        }
    );
    assert_eq!(rms(&heard[..320]), 0.0);
    assert!(share(&heard[320..320 + 16_000], 600.0) > 0.99);
    assert!(
        rms(&heard[320 + 16_000 + 480..]) < 1.0,
        "silence after the fade"
    );
}

#[test]
fn disorder_within_the_delay_is_not_heard() {
    let (heard, buffer) = play(Config::fixed(40), 200, |n| {
        Some(if n % 5 == 3 { 1 } else { 0 })
    });
    let counts = buffer.counts();
    assert_eq!((counts.late, counts.lost, counts.duplicate), (0, 0, 0));
    assert!(share(&heard[320..320 + 32_000], 600.0) > 0.99);
}

#[test]
fn losses_are_counted_and_covered() {
    let (heard, buffer) = play(Config::fixed(40), 300, |n| (n % 10 != 7).then_some(0));
    assert_eq!((buffer.counts().lost, buffer.counts().late), (30, 0));
    let quiet = heard[320..320 + 48_000]
        .chunks(160)
        .filter(|f| rms(f) < 500.0)
        .count();
    assert_eq!(quiet, 0, "a lost frame is repeated, not silent");
    assert!(share(&heard[320..320 + 48_000], 600.0) > 0.9);
}

#[test]
fn packets_that_come_twice_are_counted_once() {
    let mut buffer = JitterBuffer::new(Config::default());
    for n in 0..5u32 {
        buffer.push(n * 160, &[5; 160]);
        buffer.push(n * 160, &[5; 160]);
    }
    assert_eq!(
        (buffer.counts().received, buffer.counts().duplicate),
        (10, 5)
    );
}

#[test]
fn a_network_that_becomes_slow_is_followed() {
    let late = |n: usize| Some(if n < 50 { 0 } else { 4 });
    let (heard, buffer) = play(Config::default(), 300, late);
    assert!(
        buffer.counts().late <= u64::from(LATE_RUN),
        "{:?}",
        buffer.counts()
    );
    assert!(share(&heard[24_000..40_000], 600.0) > 0.99);
}

#[test]
fn a_network_that_shakes_gets_a_longer_delay() {
    let config = Config {
        target_ms: 20,
        least_ms: 20,
        most_ms: 200,
    };
    let (heard, buffer) = play(config, 400, |n| Some([0, 3, 1, 4, 2][n % 5]));
    assert!(buffer.target_ms() >= 60, "{}", buffer.target_ms());
    assert!(buffer.counts().late < 15, "{:?}", buffer.counts());
    assert!(share(&heard[16_000..56_000], 600.0) > 0.9);
}

#[test]
fn a_far_jump_begins_anew() {
    let mut buffer = JitterBuffer::new(Config::default());
    let mut out = SILENCE;
    buffer.push(0, &[100; 160]);
    buffer.push(1_000_000, &[200; 160]);
    assert_eq!(buffer.counts().resyncs, 1);
    let heard: Vec<Pulled> = (0..3).map(|_| buffer.pull(&mut out)).collect();
    assert_eq!(heard, [Pulled::Silence, Pulled::Silence, Pulled::Audio]);
    assert_eq!(out, [200; 160]);
}

#[test]
fn delay_shrinks_again_after_a_burst() {
    // Packets 20 to 40 are held back and come at once; then all is well.
    let late = |n: usize| Some(if (20..30).contains(&n) { 30 - n } else { 0 });
    let (_, buffer) = play(Config::default(), 1_500, late);
    assert!(
        buffer.target_ms() <= 60,
        "{} {:?}",
        buffer.target_ms(),
        buffer.counts()
    );
    assert!(buffer.depth_ms() <= 100, "{}", buffer.depth_ms());
}

#[test]
fn packets_of_30_ms_fit_too() {
    let mut buffer = JitterBuffer::new(Config::fixed(40));
    let mut tone = Tone::sine(600.0, 0.4);
    let mut heard = Vec::new();
    for n in 0..100u32 {
        let mut packet = [0i16; 240];
        tone.fill(&mut packet);
        buffer.push(n * 240, &packet);
        for _ in 0..=(n % 2) {
            let mut out = SILENCE;
            buffer.pull(&mut out);
            heard.extend(out);
        }
    }
    assert!(share(&heard[800..], 600.0) > 0.99);
    assert_eq!((buffer.counts().lost, buffer.counts().late), (0, 0));
}

proptest! {
    #[test]
    fn any_packets_in_any_order_do_no_harm(steps in proptest::collection::vec((any::<u32>(), 0usize..700, 0u8..4), 0..200)) {
        let mut buffer = JitterBuffer::new(Config::default());
        let mut out = SILENCE;
        for (timestamp, len, pulls) in steps {
            buffer.push(timestamp, &vec![7; len]);
            for _ in 0..pulls {
                buffer.pull(&mut out);
            }
            prop_assert!(buffer.depth_ms() <= 1_100, "{}", buffer.depth_ms());
        }
    }

    #[test]
    fn a_lossy_disordered_stream_is_accounted_for(fates in proptest::collection::vec(prop_oneof![8 => Just(Some(0usize)), 1 => Just(Some(1usize)), 1 => Just(None)], 50..150)) {
        let frames = fates.len();
        let (_, buffer) = play(Config::fixed(60), frames, |n| fates.get(n).copied().flatten());
        let came = fates.iter().flatten().count() as u64;
        prop_assert_eq!(buffer.counts().received, came);
        prop_assert!(buffer.counts().lost <= frames as u64 - came);
    }
}
