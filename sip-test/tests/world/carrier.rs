//! The carrier against a user agent over real sockets: how calls end, who is heard, what is logged.

use std::path::Path;

use crate::common::{PATIENCE, Ua, loopback};
use media::speech::AGENT_HZ;
use sip::ua::{Event, Login};
use sip_test::carrier::{self, Calls, Class, Config, EndedBy, Line, LogNormal, Profile};
use sip_test::plane::Voice;

/// People who all do the same: one class, short times.
pub(crate) fn all(class: Class) -> Profile {
    let mut profile = Profile::builtin().expect("built in");
    let shares = &mut profile.shares;
    for share in [
        &mut shares.human,
        &mut shares.machine,
        &mut shares.busy,
        &mut shares.no_answer,
        &mut shares.rejected,
        &mut shares.unreachable,
        &mut shares.congestion,
        &mut shares.invalid,
    ] {
        *share = 0.0;
    }
    match class {
        Class::Human | Class::HangupEarly => shares.human = 1.0,
        Class::MachineBeep | Class::MachineNoBeep => shares.machine = 1.0,
        Class::Busy => shares.busy = 1.0,
        Class::NoAnswer => shares.no_answer = 1.0,
        Class::Rejected => shares.rejected = 1.0,
        Class::Unreachable => shares.unreachable = 1.0,
        Class::Congestion => shares.congestion = 1.0,
        Class::Invalid => shares.invalid = 1.0,
    }
    let short = |ms: u64| LogNormal {
        median: 100.0,
        sigma: 0.0,
        least: ms,
        most: ms,
    };
    profile.pdd_ms = short(20);
    profile.ring_ms = short(200);
    profile.no_answer_ms = 600;
    profile.early_media_share = 0.0;
    profile.network_sound_share = 0.0;
    profile.early_hangup_share = f64::from(u8::from(class == Class::HangupEarly));
    profile.early_hangup_ms = [100, 200];
    profile.talk_s = vec![[0.5, 30.0]];
    profile.patience_s = vec![[60.0, 0.0]];
    profile.machine.greeting_ms = short(1_000);
    profile.machine.beep_share = f64::from(u8::from(class == Class::MachineBeep));
    profile.time_scale = 1.0;
    profile
}

pub(crate) async fn carrier(profile: Profile, log: Option<&Path>) -> carrier::Running {
    let mut config = Config::new(loopback());
    config.profile = Some(profile);
    config.log = log.map(Path::to_owned);
    carrier::start(config).await.expect("a carrier")
}

fn lines(log: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(log).expect("the log");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect()
}

/// The final code and cause of a call that is not answered.
pub(crate) async fn failed(ua: &mut Ua) -> (u16, Option<u16>) {
    ua.until("the refusal", |e| match e {
        Event::Failed { failure, .. } => Some((failure.code, failure.q850)),
        _ => None,
    })
    .await
}

fn agent() -> Voice {
    Voice::person(AGENT_HZ, 0.22, 5)
}

#[tokio::test]
async fn a_person_answers_talks_and_hears_us() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("carrier.jsonl");
    let carrier = carrier(all(Class::Human), Some(&log)).await;
    let mut ua = Ua::new(|_| ()).await;
    let call = ua.call(carrier.address(), "+525512340001", agent());
    ua.until("the ring", |e| {
        matches!(e, Event::Progress { code: 180, .. }).then_some(())
    })
    .await;
    ua.answered().await;
    ua.hear("the debtor", |h| h.packets_in > 100).await;
    let heard = ua.hearing.heard();
    assert!(
        heard.first_debtor_ms.is_some() && heard.shares().debtor > 0.8,
        "{:?}",
        heard.shares()
    );
    assert!(heard.shares().agent < 0.05, "{:?}", heard.shares());
    ua.hang_up(call);
    ua.ended().await;
    let summary = carrier.stop().await;
    assert_eq!(
        (
            summary.invites,
            summary.answered,
            summary.live,
            summary.log_errors
        ),
        (1, 1, 0, 0)
    );
    let [line] = &lines(&log)[..] else {
        panic!("one line an invite")
    };
    assert_eq!((line.number.as_str(), line.code), ("+525512340001", 200));
    assert_eq!(line.attempt.as_deref(), Some("attempt-+525512340001"));
    assert_eq!(line.ended_by, EndedBy::Caller);
    assert!(
        line.agent_share > 0.8 && line.rtp_in > 50 && line.first_voice_at.is_some(),
        "{line:?}"
    );
    assert!(line.received_at <= line.ringing_at.expect("rang"));
    assert!(line.ringing_at <= line.answered_at && line.answered_at <= Some(line.ended_at));
}

#[tokio::test]
async fn every_refusal_has_its_code_and_cause() {
    let cases = [
        (Class::Busy, 486, 17),
        (Class::Rejected, 603, 21),
        (Class::Unreachable, 480, 20),
        (Class::Congestion, 503, 34),
        (Class::Invalid, 404, 1),
        (Class::NoAnswer, 480, 19),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    for (class, code, cause) in cases {
        let log = folder.path().join(format!("{code}-{cause}.jsonl"));
        let carrier = carrier(all(class), Some(&log)).await;
        let mut ua = Ua::new(|_| ()).await;
        ua.call(carrier.address(), "+525512340002", Voice::Mute);
        assert_eq!(failed(&mut ua).await, (code, Some(cause)), "{class:?}");
        let summary = carrier.stop().await;
        assert_eq!((summary.invites, summary.answered), (1, 0));
        let [line] = &lines(&log)[..] else {
            panic!("one line an invite")
        };
        assert_eq!(
            (line.plan.class, line.code, line.ended_by),
            (class, code, EndedBy::Called)
        );
        assert_eq!(line.answered_at, None);
    }
}

#[tokio::test]
async fn a_call_that_is_withdrawn_is_logged_as_487() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("carrier.jsonl");
    let mut profile = all(Class::NoAnswer);
    profile.no_answer_ms = 60_000;
    let carrier = carrier(profile, Some(&log)).await;
    let mut ua = Ua::new(|_| ()).await;
    let call = ua.call(carrier.address(), "+525512340003", Voice::Mute);
    ua.until("the ring", |e| {
        matches!(e, Event::Progress { code: 180, .. }).then_some(())
    })
    .await;
    ua.hang_up(call);
    assert_eq!(failed(&mut ua).await.0, 487);
    carrier.stop().await;
    let [line] = &lines(&log)[..] else {
        panic!("one line an invite")
    };
    assert_eq!((line.code, line.ended_by), (487, EndedBy::Caller));
}

#[tokio::test]
async fn who_hangs_up_early_does_and_a_machine_beeps() {
    let early = carrier(all(Class::HangupEarly), None).await;
    let mut ua = Ua::new(|_| ()).await;
    ua.call(early.address(), "+525512340004", agent());
    ua.answered().await;
    ua.ended().await;
    early.stop().await;
    let machine = carrier(all(Class::MachineBeep), None).await;
    let call = ua.call(machine.address(), "+525512340005", agent());
    ua.answered().await;
    ua.hear("the beep", |h| h.beep_ms.is_some()).await;
    let heard = ua.hearing.heard();
    assert!(
        heard.first_debtor_ms < heard.beep_ms,
        "the greeting comes before the beep"
    );
    ua.hang_up(call);
    ua.ended().await;
    machine.stop().await;
}

/// A set of one person and one mailbox without a beep, each a tone of its own.
fn recorded(folder: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for (name, step) in [("0.wav", 0.25), ("1.wav", 0.5)] {
        let mut wav = hound::WavWriter::create(folder.join(name), spec).expect("creates");
        for n in 0..80_000_u32 {
            let sample = (f64::from(n) * step * std::f64::consts::TAU).sin() * 0.25;
            wav.write_sample(media::from_unit(sample)).expect("writes");
        }
        wav.finalize().expect("ends");
    }
    let labels = "0.wav\thuman\tx\t0\t900\t-\tshort\n1.wav\tmachine\tx\t0\t900\t-\tcarrier\n";
    std::fs::write(folder.join("labels.tsv"), labels).expect("labels");
}

#[tokio::test]
async fn a_recorded_call_is_heard_until_he_answers_and_named_in_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    recorded(folder.path());
    let log = folder.path().join("carrier.jsonl");
    let mut config = Config::new(loopback());
    config.profile = Some(all(Class::Human));
    config.calls = Some(Calls::load(folder.path()).expect("a set").into());
    config.log = Some(log.clone());
    let carrier = carrier::start(config).await.expect("a carrier");
    let mut ua = Ua::new(|_| ()).await;
    let call = ua.call(carrier.address(), "+525512340012", Voice::Silence);
    ua.answered().await;
    ua.hear("the file", |h| h.packets_in > 15).await;
    let heard = ua.hearing.heard();
    let tone = media::freq::share(&heard.audio, 2_000.0);
    assert!(tone > 0.9 && heard.first_debtor_ms.is_none(), "{tone}");
    ua.say(agent());
    ua.hear("the debtor himself", |h| h.first_debtor_ms.is_some())
        .await;
    ua.hang_up(call);
    ua.ended().await;
    assert_eq!(carrier.stop().await.log_errors, 0);
    let [line] = &lines(&log)[..] else {
        panic!("one line an invite")
    };
    let call = line.call.as_ref().expect("a recorded call");
    assert_eq!(
        (call.file.as_str(), call.class.as_str()),
        ("0.wav", "human")
    );
    assert_eq!(line.plan.class, Class::Human);
}

#[tokio::test]
async fn ring_back_is_heard_before_the_answer() {
    let mut profile = all(Class::Human);
    profile.early_media_share = 1.0;
    profile.ring_ms = LogNormal {
        median: 2_000.0,
        sigma: 0.0,
        least: 2_000,
        most: 2_000,
    };
    let carrier = carrier(profile, None).await;
    let mut ua = Ua::new(|_| ()).await;
    ua.call(carrier.address(), "+525512340006", agent());
    ua.until("early media", |e| {
        matches!(e, Event::Progress { code: 183, .. }).then_some(())
    })
    .await;
    ua.hear("the ring-back", |h| h.first_voice_ms.is_some())
        .await;
    assert_eq!(
        ua.hearing.heard().first_debtor_ms,
        None,
        "a tone is nobody's voice"
    );
    ua.answered().await;
    ua.hear("the debtor", |h| h.first_debtor_ms.is_some()).await;
    carrier.stop().await;
}

#[tokio::test]
async fn nobody_who_is_not_spoken_to_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("carrier.jsonl");
    let mut profile = all(Class::Human);
    // The least patience is 3 s.
    profile.patience_s = vec![[0.1, 0.0]];
    let carrier = carrier(profile, Some(&log)).await;
    let mut ua = Ua::new(|_| ()).await;
    ua.call(carrier.address(), "+525512340007", Voice::Silence);
    ua.answered().await;
    ua.ended().await;
    carrier.stop().await;
    let [line] = &lines(&log)[..] else {
        panic!("one line an invite")
    };
    assert_eq!(
        (line.ended_by, line.first_voice_at),
        (EndedBy::Called, None)
    );
}

#[tokio::test]
async fn calls_that_are_up_at_the_end_have_their_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("carrier.jsonl");
    let carrier = carrier(all(Class::Human), Some(&log)).await;
    let mut ua = Ua::new(|_| ()).await;
    ua.call(carrier.address(), "+525512340008", agent());
    ua.answered().await;
    carrier.stop().await;
    ua.ended().await;
    let [line] = &lines(&log)[..] else {
        panic!("one line an invite")
    };
    assert_eq!((line.ended_by, line.code), (EndedBy::Stopped, 200));
}

#[tokio::test]
async fn refusals_for_our_limits_are_logged_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("carrier.jsonl");
    let mut config = Config::new(loopback());
    config.profile = Some(all(Class::Human));
    config.log = Some(log.clone());
    config.channels = 1;
    let carrier = carrier::start(config).await.expect("a carrier");
    let (mut one, mut two) = (Ua::new(|_| ()).await, Ua::new(|_| ()).await);
    one.call(carrier.address(), "+525512340009", agent());
    one.answered().await;
    two.call(carrier.address(), "+525512340010", agent());
    assert_eq!(failed(&mut two).await.0, 503);
    let summary = carrier.stop().await;
    assert_eq!((summary.invites, summary.over_limit), (2, 1));
    let codes: Vec<u16> = lines(&log).iter().map(|line| line.code).collect();
    assert_eq!(codes, [503, 200]);
}

#[tokio::test]
async fn a_trunk_shows_its_password_where_one_is_asked() {
    let mut config = Config::new(loopback());
    config.profile = Some(all(Class::Busy));
    config.login = Some(("trunk".to_owned(), "secret".to_owned()));
    let carrier = carrier::start(config).await.expect("a carrier");
    let mut ua = Ua::new(|_| ()).await;
    let right = Login::new("trunk", "secret");
    ua.call_as(carrier.address(), "+525512340011", Voice::Mute, Some(right));
    assert_eq!(failed(&mut ua).await.0, 486);
    let wrong = Login::new("trunk", "guess");
    ua.call_as(carrier.address(), "+525512340011", Voice::Mute, Some(wrong));
    assert_eq!(failed(&mut ua).await.0, 401);
    assert_eq!(carrier.stop().await.invites, 1, "a challenge is no call");
}

#[tokio::test]
async fn it_ends_by_itself_at_the_end_of_its_life() {
    let mut config = Config::new(loopback());
    config.life = Some(std::time::Duration::from_millis(100));
    let carrier = carrier::start(config).await.expect("a carrier");
    let ended = tokio::time::timeout(PATIENCE, carrier.ended()).await;
    assert_eq!(ended.map(|summary| summary.live), Ok(0));
}
