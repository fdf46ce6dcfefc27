//! A node under test and its far ends.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]
#![expect(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod audio;
pub mod browser;
pub mod names;
pub mod peer;
pub mod plan;
pub mod refuser;
pub mod scene;
pub mod tls;

use domain::entity::{CallTrail, RecordMode};
use domain::ids::{AgentId, AttemptId, RecordingId, TrunkId};
use domain::ports::{Clock, DialOrder, Trunk, TrunkReport};
use domain::time::UtcMs;
use peer::{Peer, Plan};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use uuid::Uuid;
use voice::{Codec, SipTransport, TrunkConfig, Voice, VoiceConfig, VoiceHandle};

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UtcMs {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        UtcMs(i64::try_from(since.as_millis()).expect("fits"))
    }
}

pub const TRUNK: TrunkId = TrunkId(Uuid::from_u128(1));
/// Account of every test's phone; other users are unknown.
pub const PASSWORD: &str = "correct horse";

pub fn agent(n: u128) -> AgentId {
    AgentId(Uuid::from_u128(100 + n))
}

pub fn trunk(to: SocketAddr) -> TrunkConfig {
    TrunkConfig {
        id: TRUNK,
        name: "test".into(),
        uri: format!("sip:{to}"),
        transport: SipTransport::Udp,
        username: None,
        password: None,
        register: false,
        channels: 50,
        cps: 100.0,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        headers: vec![("X-Marcador-Attempt".into(), "{attempt}".into())],
        behind_nat: false,
        ping: true,
        policy: voice::TrunkPolicy::default(),
    }
}

/// A voice room on loopback.
pub struct Node {
    pub trunk: Arc<dyn Trunk>,
    pub handle: VoiceHandle,
    pub sip: SocketAddr,
    pub folder: tempfile::TempDir,
    reports: mpsc::Receiver<TrunkReport>,
    kept: VecDeque<TrunkReport>,
}

impl Node {
    pub async fn start(trunks: Vec<TrunkConfig>) -> Self {
        Self::configured(|config| config.trunks = trunks).await
    }

    pub async fn configured(configure: impl FnOnce(&mut VoiceConfig)) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let phones = |user: &str| user.starts_with("agent").then(|| PASSWORD.to_owned());
        let path = folder.path().to_owned();
        let mut config = VoiceConfig::loopback(Arc::new(SystemClock), Arc::new(phones), path);
        config.media_ports = 30_000..=39_999;
        configure(&mut config);
        let Voice {
            trunk,
            reports,
            handle,
        } = Voice::start(config).await.expect("starts");
        let sip = handle.sip_addr(SipTransport::Udp).expect("bound");
        Self {
            trunk,
            handle,
            sip,
            folder,
            reports,
            kept: VecDeque::new(),
        }
    }

    /// The first report, of those kept and those to come, that fits; others are kept.
    pub async fn told<T>(&mut self, what: &str, fits: impl Fn(&TrunkReport) -> Option<T>) -> T {
        if let Some(at) = self.kept.iter().position(|r| fits(r).is_some()) {
            let report = self.kept.remove(at).expect("is there");
            return fits(&report).expect("fits");
        }
        let wait = async {
            loop {
                let report = self.reports.recv().await.expect("the room works");
                if let Some(found) = fits(&report) {
                    return found;
                }
                self.kept.push_back(report);
            }
        };
        match tokio::time::timeout(Duration::from_secs(45), wait).await {
            Ok(found) => found,
            Err(_) => panic!("never told: {what}; instead {:?}", self.kept),
        }
    }

    /// Whether something that fits was told and not asked for so far.
    pub fn was_told(&mut self, fits: impl Fn(&TrunkReport) -> bool) -> bool {
        while let Ok(report) = self.reports.try_recv() {
            self.kept.push_back(report);
        }
        self.kept.iter().any(fits)
    }

    /// Whether the room ends by itself, so that nothing more is told.
    pub async fn closes(&mut self) -> bool {
        let end = async { while self.reports.recv().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(20), end)
            .await
            .is_ok()
    }

    /// Everything told and not asked for, once the room has ended.
    pub async fn rest(mut self) -> Vec<TrunkReport> {
        self.handle.shutdown().await;
        while let Some(report) = self.reports.recv().await {
            self.kept.push_back(report);
        }
        self.kept.into()
    }

    /// Dials; every attempt has its own recording.
    pub async fn dial(&self, n: u128, ring_timeout_ms: i64) -> AttemptId {
        let order = order(n, ring_timeout_ms, RecordMode::All);
        let attempt = order.attempt_id;
        self.trunk.dial(order).await.expect("dials");
        attempt
    }

    pub async fn answered(&mut self, of: AttemptId) -> UtcMs {
        self.told("answered", |r| match r {
            TrunkReport::Answered { attempt, at } if *attempt == of => Some(*at),
            _ => None,
        })
        .await
    }

    pub async fn ended(&mut self, of: AttemptId) -> End {
        self.told("ended", |r| match r {
            TrunkReport::Ended { attempt, .. } if *attempt == of => Some(End::of(r)),
            _ => None,
        })
        .await
    }

    pub async fn sealed(&mut self, of: AttemptId) -> Sealed {
        let (key, sha256, duration_ms, gaps) = self
            .told("sealed", |r| match r {
                TrunkReport::RecordingSealed {
                    attempt,
                    sha256,
                    duration_ms,
                    gaps,
                    ..
                } if *attempt == of => {
                    Some((key_of(of), sha256.clone(), *duration_ms, gaps.clone()))
                }
                _ => None,
            })
            .await;
        Sealed {
            path: self.folder.path().join(key),
            sha256,
            duration_ms,
            gaps,
        }
    }

    /// What was kept of a call that is over.
    pub async fn trail(&mut self, of: AttemptId) -> CallTrail {
        self.told("trail", |r| match r {
            TrunkReport::Trail { attempt, trail, .. } if *attempt == of => Some((**trail).clone()),
            _ => None,
        })
        .await
    }

    /// A phone that is registered and whose leg is up.
    pub async fn agent(&mut self, n: u128, hz: f64) -> Peer {
        let mut phone = Peer::start(Plan {
            ring_ms: None,
            decide_ms: Some(0),
            ..Plan::answers(hz)
        })
        .await;
        let user = format!("agent{n}");
        phone.register(self.sip, &user, PASSWORD).await;
        phone
            .sees(|s| (*s == peer::Seen::Registered).then_some(()))
            .await;
        self.trunk
            .open_agent_leg(agent(n), &user)
            .await
            .expect("opens");
        self.told("agent leg up", |r| match r {
            TrunkReport::AgentLegUp { agent: of, .. } if *of == agent(n) => Some(()),
            _ => None,
        })
        .await;
        phone
    }

    /// A debtor is called, answers and is joined with agent 1.
    pub async fn joins(&mut self) -> AttemptId {
        let attempt = self.dial(1, 20_000).await;
        self.answered(attempt).await;
        self.trunk.bridge(attempt, agent(1)).await.expect("joins");
        attempt
    }

    /// Waits until nothing of any call is left.
    pub async fn is_empty(&self) {
        for _ in 0..1_000 {
            let stats = self.handle.stats().await;
            if stats.calls == 0 && stats.agent_legs == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("legs are left: {:?}", self.handle.stats().await);
    }
}

pub fn order(n: u128, ring_timeout_ms: i64, record: RecordMode) -> DialOrder {
    let attempt_id = AttemptId(Uuid::from_u128(1_000 + n));
    DialOrder {
        attempt_id,
        trunk_id: TRUNK,
        number: format!("+52155000{n:05}"),
        caller_number: "+525550001000".into(),
        ring_timeout_ms,
        record,
        recording_id: RecordingId(Uuid::from_u128(2_000 + n)),
        recording_key: key_of(attempt_id),
        mask_dtmf: false,
        classify: false,
        not_after: None,
    }
}

fn key_of(attempt: AttemptId) -> String {
    format!("2026/{}.wav", attempt.0)
}

/// The interesting part of `Ended`.
#[derive(Debug, PartialEq)]
pub struct End {
    pub at: UtcMs,
    pub code: Option<u16>,
    pub q850: Option<u16>,
    pub by_us: bool,
    pub ring_timeout: bool,
    pub rtp_in: u64,
    pub rtp_out: u64,
}

impl End {
    fn of(report: &TrunkReport) -> Self {
        match report {
            TrunkReport::Ended {
                at,
                sip_code,
                q850,
                by_us,
                ring_timeout,
                rtp_in,
                rtp_out,
                ..
            } => Self {
                at: *at,
                code: *sip_code,
                q850: *q850,
                by_us: *by_us,
                ring_timeout: *ring_timeout,
                rtp_in: *rtp_in,
                rtp_out: *rtp_out,
            },
            other => panic!("no end: {other:?}"),
        }
    }
}

/// A sealed recording.
#[derive(Debug)]
pub struct Sealed {
    pub path: PathBuf,
    pub sha256: String,
    pub duration_ms: i64,
    pub gaps: Vec<(i64, i64, String)>,
}

impl Sealed {
    /// Left = agent, right = debtor.
    pub fn channels(&self) -> (Vec<i16>, Vec<i16>) {
        let reader = hound::WavReader::open(&self.path).expect("plays");
        assert_eq!(
            (reader.spec().channels, reader.spec().sample_rate),
            (2, 8_000)
        );
        let samples: Vec<i16> = reader.into_samples().map(|s| s.expect("sample")).collect();
        samples.chunks(2).map(|s| (s[0], s[1])).unzip()
    }
}

/// Whether some 200 ms of `samples` are nearly all the tone.
pub fn has_tone(samples: &[i16], hz: f64) -> bool {
    samples
        .chunks_exact(1_600)
        .any(|window| media::freq::dbfs(window) > -45.0 && media::freq::share(window, hz) > 0.8)
}

/// Milliseconds of `samples` in windows of 100 ms that are nearly all the tone.
pub fn tone_ms(samples: &[i16], hz: f64) -> usize {
    let loud =
        |window: &&[i16]| media::freq::dbfs(window) > -45.0 && media::freq::share(window, hz) > 0.8;
    samples.chunks_exact(800).filter(loud).count() * 100
}

/// A message that is one tone.
pub fn write_tone(path: &std::path::Path, hz: f64, ms: usize) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut samples = vec![0_i16; ms * 8];
    media::tones::Tone::sine(hz, 0.3).fill(&mut samples);
    let mut wav = hound::WavWriter::create(path, spec).expect("creates");
    samples
        .iter()
        .for_each(|s| wav.write_sample(*s).expect("writes"));
    wav.finalize().expect("ends");
}
