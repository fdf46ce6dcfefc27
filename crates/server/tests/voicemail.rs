//! A machine answers over real SIP and RTP: it is told, its beep is told, the message comes after it, and
//! its recording is known at the next call.

use domain::entity::RecordMode;
use domain::ids::{AttemptId, RecordingId, TrunkId};
use domain::ports::{
    Clock, DialOrder, HangUpCause, LegRef, PlayWhat, SoundVerdict, Spoken, TrunkReport,
};
use domain::time::UtcMs;
use media::speech::AGENT_HZ;
use media::tones::Tone;
use sip_test::carrier::{self, Config, Line, LogNormal, Profile};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;
use voice::{Codec, SipTransport, TrunkConfig, Voice, VoiceConfig};

const TRUNK: TrunkId = TrunkId(Uuid::from_u128(4));
/// Length of the machine's greeting, about, ms.
const GREETING_MS: u64 = 4_500;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UtcMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let ms = since.map_or(0, |d| d.as_millis());
        UtcMs(i64::try_from(ms).unwrap_or(0))
    }
}

/// Machines that beep, all of them.
fn machines() -> anyhow::Result<Profile> {
    let mut profile = Profile::builtin()?;
    let exactly = |ms: u64| LogNormal {
        median: 100.0,
        sigma: 0.0,
        least: ms,
        most: ms,
    };
    let shares = &mut profile.shares;
    *shares = sip_test::carrier::Weights {
        human: 0.0,
        machine: 1.0,
        busy: 0.0,
        no_answer: 0.0,
        rejected: 0.0,
        unreachable: 0.0,
        congestion: 0.0,
        invalid: 0.0,
    };
    profile.pdd_ms = exactly(20);
    profile.ring_ms = exactly(200);
    profile.early_media_share = 0.0;
    profile.machine.greeting_ms = exactly(GREETING_MS);
    profile.machine.beep_share = 1.0;
    profile.greets = true;
    Ok(profile)
}

async fn start_carrier(log: &Path) -> anyhow::Result<carrier::Running> {
    let config = Config {
        profile: Some(machines()?),
        log: Some(log.to_owned()),
        ..Config::new("127.0.0.1:0".parse()?)
    };
    Ok(carrier::start(config).await?)
}

fn trunk(to: SocketAddr) -> TrunkConfig {
    TrunkConfig {
        id: TRUNK,
        name: "uno".into(),
        uri: format!("sip:{to}"),
        transport: SipTransport::Udp,
        username: None,
        password: None,
        register: false,
        channels: 10,
        cps: 10.0,
        codecs: vec![Codec::Pcma],
        headers: vec![("X-Marcador-Attempt".into(), "{attempt}".into())],
        behind_nat: false,
        ping: false,
        policy: voice::TrunkPolicy::default(),
    }
}

fn order(n: u128) -> DialOrder {
    let id = Uuid::from_u128(0x0B00 + n);
    DialOrder {
        attempt_id: AttemptId(id),
        trunk_id: TRUNK,
        number: "+525550000001".into(),
        caller_number: "+525550001000".into(),
        ring_timeout_ms: 25_000,
        record: RecordMode::None,
        recording_id: RecordingId(id),
        recording_key: format!("{id}.wav"),
        mask_dtmf: false,
        classify: true,
        not_after: None,
    }
}

/// A second of an agent's voice as a WAV of 8 kHz.
fn recorded(path: &Path) -> anyhow::Result<()> {
    let mut samples = vec![0_i16; 8_000];
    Tone::dual(AGENT_HZ[0], AGENT_HZ[1], 0.3).fill(&mut samples);
    let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let length = u32::try_from(bytes.len())?;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend([
        16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0,
    ]);
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(bytes);
    Ok(std::fs::write(path, wav)?)
}

async fn told<T>(voice: &mut Voice, fits: impl Fn(&TrunkReport) -> Option<T>) -> anyhow::Result<T> {
    let wait = async {
        while let Some(report) = voice.reports.recv().await {
            if let Some(found) = fits(&report) {
                return Some(found);
            }
        }
        None
    };
    let found = tokio::time::timeout(PATIENCE, wait).await?;
    found.ok_or_else(|| anyhow::anyhow!("the room ended"))
}

fn verdict(of: AttemptId) -> impl Fn(&TrunkReport) -> Option<SoundVerdict> {
    move |report| match report {
        TrunkReport::Classified {
            attempt, verdict, ..
        } if *attempt == of => Some(verdict.clone()),
        _ => None,
    }
}

fn line(log: &Path) -> anyhow::Result<Line> {
    let text = std::fs::read_to_string(log)?;
    let last = text.lines().last().unwrap_or_default();
    Ok(serde_json::from_str(last)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_follows_the_beep_and_the_recording_is_known_next_time() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    recorded(&dir.path().join("saludo.es.wav"))?;
    let log = dir.path().join("carrier.jsonl");
    let carrier = start_carrier(&log).await?;
    let phones = |_: &str| None;
    let recordings = dir.path().join("recordings");
    let mut config = VoiceConfig::loopback(Arc::new(SystemClock), Arc::new(phones), recordings);
    config.trunks = vec![trunk(carrier.address())];
    config.prompts_dir = Some(dir.path().to_owned());
    let mut voice = Voice::start(config).await?;

    let attempt = order(1).attempt_id;
    voice.trunk.dial(order(1)).await?;
    let print = told(&mut voice, |report| match report {
        TrunkReport::Printed { print, .. } => Some(print.clone()),
        _ => None,
    })
    .await?;
    let mut heard = told(&mut voice, verdict(attempt)).await?;
    assert_eq!(heard.class, "machine");
    let first = heard.decided_ms;
    while heard.beep_ms.is_none() {
        heard = told(&mut voice, verdict(attempt)).await?;
    }
    let what = PlayWhat::Voicemail {
        language: "es".into(),
        parts: vec![Spoken::Recorded("saludo".into())],
    };
    let leg = LegRef::Debtor(attempt);
    voice.trunk.play(leg, what).await?;
    told(&mut voice, |report| match report {
        TrunkReport::Played { leg: of, .. } if *of == leg => Some(()),
        _ => None,
    })
    .await?;
    voice.trunk.hang_up(attempt, HangUpCause::Normal).await?;
    let ended = |report: &TrunkReport| matches!(report, TrunkReport::Ended { .. }).then_some(());
    told(&mut voice, ended).await?;
    carrier.stop().await;
    let told_line = line(&log)?;
    let answered = told_line.answered_at.unwrap_or(u64::MAX);
    let spoke = told_line.first_voice_at.unwrap_or(0);
    // The beep, 400 ms long, lies before it.
    let beep = u64::from(heard.beep_ms.unwrap_or(u32::MAX));
    assert!(
        spoke >= answered + beep + 300,
        "spoke {} ms after the answer",
        spoke.saturating_sub(answered)
    );

    // The same machine again: a carrier of the same seed says the same.
    let log = dir.path().join("again.jsonl");
    let again = start_carrier(&log).await?;
    voice
        .handle
        .set_trunks(vec![trunk(again.address())])
        .await?;
    voice.trunk.know_prints(TRUNK, vec![print]).await?;
    let attempt = order(2).attempt_id;
    voice.trunk.dial(order(2)).await?;
    let heard = told(&mut voice, verdict(attempt)).await?;
    assert_eq!((heard.class, heard.reason), ("machine", "known"));
    assert!(heard.decided_ms < first, "{} {first}", heard.decided_ms);
    voice.trunk.hang_up(attempt, HangUpCause::Normal).await?;
    told(&mut voice, ended).await?;
    voice.handle.shutdown().await;
    again.stop().await;
    Ok(())
}
