//! The product's voice as the parts run it.

use super::args::PartArgs;
use crate::clock::NodeClock;
use domain::entity::RecordMode;
use domain::ids::{AgentId, AttemptId, RecordingId, TrunkId};
use domain::ports::{Clock, DialOrder};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;
use voice::{Codec, SipTransport, TrunkConfig, Voice, VoiceConfig};

/// Password of every phone of the load.
pub(super) const PASSWORD: &str = "load";
const TRUNK: TrunkId = TrunkId(Uuid::from_u128(1));
/// Beyond what a bench asks for: the trunk's own limits are not what is measured.
const CHANNELS: u32 = 10_000;
const CALLS_A_SECOND: f64 = 10_000.0;
/// An INVITE that was answered is kept for 32 s: as many as the highest rate of the goals comes to.
const TRANSACTIONS: usize = 70_000;

/// Voice with one trunk to the load, everything else as in the product.
pub(super) async fn start(args: &PartArgs) -> anyhow::Result<Voice> {
    start_with((TRUNK, args.trunk), &args.dir, None).await
}

/// The same with a trunk of that name, by a clock that is not the system's where one is given.
pub(super) async fn start_with(
    (id, trunk): (TrunkId, SocketAddr),
    dir: &Path,
    clock: Option<Arc<dyn Clock>>,
) -> anyhow::Result<Voice> {
    let phones = |user: &str| user.starts_with("agent").then(|| PASSWORD.to_owned());
    let clock = clock.unwrap_or_else(|| Arc::new(NodeClock::system()));
    let mut config = VoiceConfig::loopback(clock, Arc::new(phones), dir.to_owned());
    config.calls = usize::try_from(CHANNELS)?;
    config.sip_transactions = TRANSACTIONS;
    // Recordings are sealed as in the product.
    let ring = vault::KeyRing::read(&vault::KeyRing::fresh_line()?)?;
    config.recording_keys = Some(Arc::new(ring));
    // Ports that the load, whose ports the system chooses, does not take.
    config.media_ports = 10_000..=31_999;
    config.legs_file = Some(dir.join("legs"));
    config.trunks = vec![TrunkConfig {
        id,
        name: "load".into(),
        uri: format!("sip:{trunk}"),
        transport: SipTransport::Udp,
        username: None,
        password: None,
        register: false,
        channels: CHANNELS,
        cps: CALLS_A_SECOND,
        codecs: vec![Codec::Pcma],
        headers: vec![("X-Marcador-Attempt".into(), "{attempt}".into())],
        behind_nat: false,
        ping: true,
        policy: voice::TrunkPolicy::default(),
    }];
    Ok(Voice::start(config).await?)
}

/// Agent number `n`.
pub(super) fn agent(n: u32) -> AgentId {
    AgentId(Uuid::from_u128(0x0A00_0000 + u128::from(n)))
}

/// Number of an agent.
pub(super) fn number_of(agent: AgentId) -> u32 {
    u32::try_from(agent.0.as_u128() & 0x00FF_FFFF).unwrap_or(0)
}

/// Attempt of call number `n`.
pub(super) fn attempt(n: u32) -> AttemptId {
    AttemptId(Uuid::from_u128(0x0B00_0000 + u128::from(n)))
}

/// Number of an attempt of [`attempt`].
pub(super) fn number_of_attempt(attempt: AttemptId) -> u32 {
    u32::try_from(attempt.0.as_u128() & 0x00FF_FFFF).unwrap_or(0)
}

/// The order of call number `n`: its number tells the load which leg it is.
pub(super) fn order(n: u32, attempt_id: AttemptId, record: RecordMode) -> DialOrder {
    DialOrder {
        attempt_id,
        trunk_id: TRUNK,
        number: format!("+521550{:05}", n % 100_000),
        caller_number: "+525550001000".into(),
        ring_timeout_ms: 25_000,
        record,
        recording_id: RecordingId(attempt_id.0),
        recording_key: format!("calls/{}.wav", attempt_id.0),
        mask_dtmf: false,
        classify: false,
        not_after: None,
    }
}
