//! What the signalling thread knows of each leg, and how it says it in SDP.

use super::refers::Refers;
use crate::config::Codec;
use crate::plane::{Agreed, LegId};
use bytes::Bytes;
use domain::ids::{AgentId, AttemptId, TransferId, TrunkId};
use domain::ports::DialOrder;
use domain::time::UtcMs;
use sip::SipError;
use sip::sdp::{self, Crypto, CryptoSuite, KEY_BYTES, LocalMedia, MasterKey, RemoteMedia};
use sip::ua::CallKey;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

/// One leg, from its first INVITE until its media thread has given its counts back.
pub(super) struct LegRow {
    pub(super) owner: Owner,
    /// The SIP call; a browser's leg has none.
    pub(super) key: Option<CallKey>,
    pub(super) media: Media,
    /// The call is over; the leg waits for its counts.
    pub(super) end: Option<Over>,
    /// Why we hung up.
    pub(super) our_end: Option<OurEnd>,
}

impl LegRow {
    /// A call that we placed: its trunk and its number.
    pub(super) fn billed(&self) -> Option<(TrunkId, &str)> {
        match &self.owner {
            Owner::Debtor(debtor) if debtor.came.is_none() => {
                Some((debtor.order.trunk_id, &debtor.order.number))
            }
            Owner::Party(party) => Some((party.trunk, &party.number)),
            Owner::Debtor(_) | Owner::Agent(_) | Owner::Caller { .. } => None,
        }
    }

    /// The trunk that carries it, as far as that is known.
    pub(super) fn trunk(&self) -> Option<TrunkId> {
        match &self.owner {
            Owner::Debtor(debtor) => Some(debtor.order.trunk_id),
            Owner::Party(party) => Some(party.trunk),
            Owner::Agent(_) | Owner::Caller { .. } => None,
        }
    }
}

/// Whose leg it is.
pub(super) enum Owner {
    Debtor(Box<Debtor>),
    Agent(AgentLeg),
    /// A number called into a debtor's call.
    Party(Box<PartyLeg>),
    /// Somebody who called us and hears the message.
    Caller {
        since: Instant,
        /// The message has begun.
        greeted: bool,
    },
}

pub(super) struct Debtor {
    pub(super) order: DialOrder,
    pub(super) ringing: bool,
    pub(super) answered: bool,
    pub(super) answered_at: Option<UtcMs>,
    /// Supervisors on the call.
    pub(super) supervisors: Vec<AgentId>,
    /// The leg in the agent's place.
    pub(super) seat: Option<LegId>,
    /// On hold.
    pub(super) held: bool,
    /// The agent's voice is kept from him.
    pub(super) muted: bool,
    /// Further parties, ringing ones too.
    pub(super) parties: Vec<Party>,
    /// He called us.
    pub(super) came: Option<Came>,
}

/// A call that came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came {
    pub(super) since: Instant,
    /// The center has it.
    pub(super) taken: bool,
    /// Nobody took it in time: the message has begun.
    pub(super) greeted: bool,
}

/// A further party of a call: an agent's leg, or one of a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Party {
    pub(super) id: TransferId,
    pub(super) leg: LegId,
}

pub(super) struct PartyLeg {
    pub(super) id: TransferId,
    pub(super) attempt: AttemptId,
    /// Debtor's leg of the call.
    pub(super) debtor: LegId,
    pub(super) trunk: TrunkId,
    pub(super) number: String,
    pub(super) ringing: bool,
    pub(super) answered: bool,
    /// In the agent's place: its end is the call's.
    pub(super) seated: bool,
}

pub(super) struct AgentLeg {
    pub(super) agent: AgentId,
    pub(super) user: String,
    /// When the phone answered.
    pub(super) answered: Option<Instant>,
    /// Audio has passed both ways.
    pub(super) proved: bool,
    /// What it asked for by its transfer key.
    pub(super) refers: Refers,
    /// The leg of the same phone that this one follows; it may have a place on a call yet.
    pub(super) follows: Option<LegId>,
}

/// The cause we gave, for reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct OurEnd {
    pub(super) q850: u16,
    pub(super) why: &'static str,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Over {
    pub(super) at: Instant,
    pub(super) code: Option<u16>,
    pub(super) q850: Option<u16>,
    pub(super) by_us: bool,
    pub(super) ring_timeout: bool,
}

/// All legs, found by what is known of them.
#[derive(Default)]
pub(super) struct Legs {
    rows: HashMap<LegId, LegRow>,
    by_key: HashMap<CallKey, LegId>,
}

impl Legs {
    pub(super) fn add(&mut self, leg: LegId, row: LegRow) {
        if let Some(key) = row.key {
            self.by_key.insert(key, leg);
        }
        self.rows.insert(leg, row);
    }

    /// The leg goes on with another call: the one it had is over.
    pub(super) fn rekey(&mut self, leg: LegId, key: CallKey) {
        if let Some(row) = self.rows.get_mut(&leg) {
            if let Some(old) = row.key.replace(key) {
                self.by_key.remove(&old);
            }
            self.by_key.insert(key, leg);
        }
    }

    pub(super) fn of_call(&self, key: CallKey) -> Option<LegId> {
        self.by_key.get(&key).copied()
    }

    pub(super) fn get(&self, leg: LegId) -> Option<&LegRow> {
        self.rows.get(&leg)
    }

    pub(super) fn get_mut(&mut self, leg: LegId) -> Option<&mut LegRow> {
        self.rows.get_mut(&leg)
    }

    pub(super) fn remove(&mut self, leg: LegId) -> Option<LegRow> {
        let row = self.rows.remove(&leg)?;
        if let Some(key) = row.key {
            self.by_key.remove(&key);
        }
        Some(row)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (LegId, &LegRow)> {
        self.rows.iter().map(|(leg, row)| (*leg, row))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut LegRow> {
        self.rows.values_mut()
    }

    pub(super) fn callers(&self) -> usize {
        self.rows
            .values()
            .filter(|r| matches!(r.owner, Owner::Caller { .. }))
            .count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Our side of a leg's session and what was agreed.
pub(super) struct Media {
    local: LocalMedia,
    sent: Bytes,
    /// Description of early media; it stands when the 2xx brings none.
    early: Option<Bytes>,
}

impl Media {
    pub(super) fn new(addr: SocketAddr, session: u64, codecs: &[Codec]) -> Self {
        let mut local = LocalMedia::new(addr, session);
        local.codecs = codecs.iter().map(|c| to_sip(*c)).collect();
        let sent = sdp::offer(&local);
        Self {
            local,
            sent,
            early: None,
        }
    }

    /// Protects the session by keys of its own, where the signalling that carries them is protected,
    /// and takes them away where it is not; before anything was offered or answered.
    pub(super) fn secured(mut self, on: bool) -> Self {
        self.secure(on);
        self
    }

    /// The same with fresh keys, before the offer goes to another trunk.
    pub(super) fn secure(&mut self, on: bool) {
        if !on && self.local.crypto.is_empty() {
            return;
        }
        self.local.crypto = if on { keys() } else { Vec::new() };
        self.sent = sdp::offer(&self.local);
    }

    /// Our offer.
    pub(super) fn offer(&self) -> Bytes {
        self.sent.clone()
    }

    /// The far end's answer before the call is answered.
    pub(super) fn early(&mut self, body: Bytes) -> Result<Agreed, SipError> {
        let remote = sdp::read_answer(&body, &self.local)?;
        self.early = Some(body);
        Ok(agreed(&remote, true))
    }

    /// The far end's answer; the early one when the 2xx has none.
    pub(super) fn answered(&self, body: Option<&Bytes>) -> Result<Agreed, SipError> {
        let body = body
            .or(self.early.as_ref())
            .ok_or(SipError::Sdp("no answer"))?;
        Ok(agreed(&sdp::read_answer(body, &self.local)?, true))
    }

    /// Our answer to an offer. A changed description has the next version (RFC 3264 §8).
    pub(super) fn answer(&mut self, offer: &[u8]) -> Result<(Bytes, Agreed), SipError> {
        let mut answer = sdp::answer(offer, &self.local)?;
        if answer.sdp != self.sent {
            self.local.version += 1;
            answer = sdp::answer(offer, &self.local)?;
            self.sent = answer.sdp.clone();
        }
        Ok((
            answer.sdp,
            agreed(&answer.remote, answer.direction.receives()),
        ))
    }

    /// Our offer where the far end asks for one.
    pub(super) fn offer_again(&mut self) -> Bytes {
        let mut offer = sdp::offer(&self.local);
        if offer != self.sent {
            self.local.version += 1;
            offer = sdp::offer(&self.local);
            self.sent = offer.clone();
        }
        offer
    }
}

fn to_sip(codec: Codec) -> sdp::Codec {
    match codec {
        Codec::Pcmu => sdp::Codec::Pcmu,
        Codec::Pcma => sdp::Codec::Pcma,
    }
}

fn agreed(remote: &RemoteMedia, we_receive: bool) -> Agreed {
    Agreed {
        remote: remote.addr,
        codec: match remote.codec {
            sdp::Codec::Pcmu => Codec::Pcmu,
            sdp::Codec::Pcma => Codec::Pcma,
        },
        dtmf: remote.dtmf_pt,
        send: remote.may_send(),
        receive: we_receive && remote.direction.sends(),
        secured: remote.secured,
    }
}

/// Fresh keys, the longer tag first.
fn keys() -> Vec<Crypto> {
    let suites = [
        CryptoSuite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32,
    ];
    let line = |(tag, suite)| {
        let mut key = [0; KEY_BYTES];
        rand::fill(&mut key[..]);
        Crypto {
            tag,
            suite,
            key: MasterKey(key),
        }
    };
    (1..).zip(suites).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn offer_and_answer_agree_on_both_sides() {
        let caller = Media::new(addr(4_000), 1, &[Codec::Pcma, Codec::Pcmu]);
        let mut called = Media::new(addr(5_000), 2, &[Codec::Pcmu]);
        let (body, theirs) = called.answer(&caller.offer()).expect("agrees");
        let ours = caller.answered(Some(&body)).expect("agrees");
        assert_eq!((ours.remote, theirs.remote), (addr(5_000), addr(4_000)));
        assert_eq!((ours.codec, theirs.codec), (Codec::Pcmu, Codec::Pcmu));
        assert!(ours.send && ours.receive && theirs.send && theirs.receive);
        assert!(ours.dtmf.is_some());
    }

    #[test]
    fn an_answer_without_codec_of_ours_is_refused() {
        let a_law = Media::new(addr(4_000), 1, &[Codec::Pcma]);
        let mut mu_law = Media::new(addr(5_000), 2, &[Codec::Pcmu]);
        assert!(mu_law.answer(&a_law.offer()).is_err());
        assert!(a_law.answered(Some(&mu_law.offer())).is_err());
        assert!(a_law.answered(None).is_err());
    }

    #[test]
    fn a_protected_session_is_never_clear() {
        let codecs = [Codec::Pcma];
        let mut caller = Media::new(addr(4_000), 1, &codecs).secured(true);
        let mut called = Media::new(addr(5_000), 2, &codecs).secured(true);
        let (body, theirs) = called.answer(&caller.offer()).expect("agrees");
        let ours = caller.answered(Some(&body)).expect("agrees");
        let (ours, theirs) = (ours.secured.expect("keys"), theirs.secured.expect("keys"));
        assert!(
            ours.ours == theirs.theirs && ours.theirs == theirs.ours && ours.ours != ours.theirs
        );
        let mut clear = Media::new(addr(6_000), 3, &codecs);
        assert!(clear.answer(&caller.offer()).is_err());
        assert!(called.answer(&clear.offer()).is_err());
        // To a trunk by UDP nothing secret goes.
        caller.secure(false);
        assert!(!String::from_utf8_lossy(&caller.offer()).contains("crypto"));
        assert!(clear.answer(&caller.offer()).is_ok());
    }

    #[test]
    fn versions_rise_with_changes_only() {
        let mut media = Media::new(addr(4_000), 1, &[Codec::Pcma, Codec::Pcmu]);
        let offer = Media::new(addr(5_000), 2, &[Codec::Pcma]).offer();
        let (first, _) = media.answer(&offer).expect("agrees");
        let (second, _) = media.answer(&offer).expect("agrees");
        assert_eq!(first, second, "a session refresh changes nothing");
        let hold = String::from_utf8_lossy(&offer).replace("sendrecv", "sendonly");
        let (third, agreed) = media.answer(hold.as_bytes()).expect("agrees");
        assert!(third != second && !agreed.send && agreed.receive);
    }
}
