//! The profile against attempts written out by hand.

use super::profile;
use domain::entity::CallResult;
use domain::ports::CampaignProfile;
use domain::ports::store::{PastAttempts, PastCount, PastTimes};
use domain::time::{HOUR_MS, SECOND_MS, UtcMs};

/// 2026-11-23 16:00 UTC, a Monday: 10:00 in Mexico City.
const TEN: UtcMs = UtcMs(1_795_449_600_000);

fn at(s: f64) -> UtcMs {
    #[expect(clippy::cast_possible_truncation, reason = "a test's seconds")]
    let ms = (s * 1000.0) as i64;
    TEN.plus_ms(ms)
}

/// Nobody talked.
fn attempt(result: CallResult) -> PastTimes {
    PastTimes {
        result,
        invite_at: None,
        ringing_at: None,
        answered_at: None,
        bridged_at: None,
        ended_at: None,
        disposed_at: None,
    }
}

/// A talk of so many seconds with a wrap-up, 2 s of setup and 8 s of ringing before it.
fn talk(opened: f64, talk_s: f64, wrap_s: f64) -> PastTimes {
    let bridged = opened + 10.5;
    PastTimes {
        invite_at: Some(at(opened)),
        ringing_at: Some(at(opened + 2.0)),
        answered_at: Some(at(opened + 10.0)),
        bridged_at: Some(at(bridged)),
        ended_at: Some(at(bridged + talk_s)),
        disposed_at: Some(at(bridged + talk_s + wrap_s)),
        ..attempt(CallResult::Human)
    }
}

fn slot(from: UtcMs, result: CallResult, attempts: u64, joined: u64) -> PastCount {
    PastCount {
        from,
        result,
        attempts,
        joined,
    }
}

fn told(past: &PastAttempts) -> CampaignProfile {
    let to = TEN.plus_ms(2 * HOUR_MS);
    profile(past, "America/Mexico_City", 25.0, (TEN, to))
}

#[test]
fn a_profile_tells_what_the_attempts_were() {
    let mut past = PastAttempts {
        counts: vec![slot(TEN, CallResult::Human, 90, 90)],
        agents: vec![(TEN, 3), (TEN.plus_ms(HOUR_MS), 1)],
        ..PastAttempts::default()
    };
    for n in 0..90_u32 {
        let long = if n % 3 == 0 { 300.0 } else { 30.0 };
        let talk = talk(f64::from(n) * 30.0, long, long / 10.0);
        past.timed.push(talk);
    }
    for result in [
        CallResult::Abandoned,
        CallResult::NoAnswer,
        CallResult::Busy,
        CallResult::InvalidNumber,
        CallResult::MachineBeep,
        // These do not count: withdrawn by us, and its fate lost.
        CallResult::Cancelled,
        CallResult::Unknown,
    ] {
        let at = TEN.plus_ms(HOUR_MS);
        past.counts.push(slot(at, result, 1, 0));
        past.timed.push(attempt(result));
    }
    let p = told(&past);
    assert_eq!((p.attempts, p.live, p.abandoned, p.talks), (95, 91, 1, 90));
    assert_eq!(p.timed, 95);
    let m = p.misses;
    assert_eq!(
        (m.machine, m.machine_kept, m.busy, m.dead, m.no_answer),
        (1, 1, 1, 1, 1)
    );
    let hours: Vec<_> = p
        .by_hour
        .iter()
        .map(|h| (h.hour, h.attempts, h.live))
        .collect();
    assert_eq!(hours, [(10, 90, 90), (11, 5, 1)]);
    assert!((p.agents - 2.0).abs() < 1e-9, "{}", p.agents);
    // Thirds by length: the longest third is the long talks, and only it.
    assert_eq!(p.talk.len(), 3);
    let means: Vec<f64> = p.talk.iter().map(|c| c.talk.mean_s).collect();
    assert!(
        means
            .iter()
            .zip([30.0, 30.0, 300.0])
            .all(|(a, b)| (a - b).abs() < 0.01),
        "{means:?}"
    );
    assert!((p.talk[2].wrap.mean_s - 30.0).abs() < 0.01);
    // 90 measurements against a prior worth 10.
    assert!((p.ring_live.mean_s - (90.0 * 8.0 + 95.0) / 100.0).abs() < 0.01);
}

#[test]
fn nothing_known_is_the_priors() {
    let p = told(&PastAttempts::default());
    assert_eq!((p.attempts, p.talks, p.talk.len()), (0, 0, 1));
    assert!((p.talk[0].share - 1.0).abs() < 1e-9 && p.talk[0].talk.mean_s > 30.0);
    assert!(p.agents.abs() < 1e-9);
}

#[test]
fn a_few_talks_move_the_priors_and_a_wild_clock_does_not() {
    let mut wild = talk(60.0, 60.0, 5.0);
    wild.ended_at = wild.bridged_at.map(|t| t.plus_ms(-5 * SECOND_MS));
    let p = told(&PastAttempts {
        counts: vec![slot(TEN, CallResult::Human, 2, 2)],
        timed: vec![talk(0.0, 600.0, 20.0), wild],
        ..PastAttempts::default()
    });
    assert_eq!((p.live, p.talks), (2, 1));
    assert!((p.talk[0].talk.mean_s - (600.0 + 10.0 * 120.0) / 11.0).abs() < 0.01);
}
