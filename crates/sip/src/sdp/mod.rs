//! Offers and answers for G.711 audio with telephone events (RFC 3264, RFC 4566, RFC 4733).
//!
//! What is not here: ciphers of SRTP (only its keys), ICE, codecs other than PCMU and PCMA. Media lines of other kinds are
//! answered with port 0.

mod crypto;
mod read;
mod write;

pub use crypto::{Crypto, CryptoSuite, KEY_BYTES, MasterKey, Secured};
pub use read::{read_answer, read_offer};
pub use write::{answer, offer};

use std::net::SocketAddr;

use bytes::Bytes;

/// A G.711 law; both run at 8,000 samples a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// µ-law, payload type 0.
    Pcmu,
    /// A-law, payload type 8.
    Pcma,
}

impl Codec {
    /// The static payload type (RFC 3551).
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }
}

/// Which way audio flows, seen from the side that says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// That side only sends: it holds the other.
    SendOnly,
    /// That side only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// True when that side sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// True when that side receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The direction that lets this side send and receive no more than both wish.
    #[must_use]
    pub fn from_flags(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// Our side of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMedia {
    /// Where we receive RTP; RTCP is the next port.
    pub addr: SocketAddr,
    /// Codecs we take, best first.
    pub codecs: Vec<Codec>,
    /// Payload type of telephone events we offer (96 to 127); None for none.
    pub dtmf_pt: Option<u8>,
    /// What we wish.
    pub direction: Direction,
    /// Session number of the `o=` line: the same for all descriptions of one call.
    pub session_id: u64,
    /// Version of the `o=` line: one more for each change.
    pub version: u64,
    /// Keys for what we send, best suite first, one a suite; with any of them the session is SRTP and
    /// nothing else is offered or taken.
    pub crypto: Vec<Crypto>,
}

impl LocalMedia {
    /// Both laws, A-law first, telephone events as 101, both ways.
    #[must_use]
    pub fn new(addr: SocketAddr, session_id: u64) -> Self {
        LocalMedia {
            addr,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            dtmf_pt: Some(101),
            direction: Direction::SendRecv,
            session_id,
            version: 1,
            crypto: Vec::new(),
        }
    }
}

/// The peer's side of a session, after both descriptions were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteMedia {
    /// Where the peer receives RTP; address 0.0.0.0 is the old way to say hold (RFC 2543).
    pub addr: SocketAddr,
    /// Where the peer receives RTCP.
    pub rtcp: SocketAddr,
    /// The codec to send and to expect.
    pub codec: Codec,
    /// The payload type to send telephone events with.
    pub dtmf_pt: Option<u8>,
    /// Packet length the peer wishes, ms; 20 when it says nothing.
    pub ptime_ms: u16,
    /// What the peer says it does; `sends()` is what we may expect.
    pub direction: Direction,
    /// SRTP's keys, where we have some: always there then.
    pub secured: Option<Secured>,
}

impl RemoteMedia {
    /// True when we may send audio to the peer.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.direction.receives() && !self.addr.ip().is_unspecified()
    }

    /// True when the peer put us on hold.
    #[must_use]
    pub fn holds_us(&self) -> bool {
        !self.may_send()
    }
}

/// An answer to send and what it settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The body to send.
    pub sdp: Bytes,
    /// The settled peer side.
    pub remote: RemoteMedia,
    /// Our direction in the answer.
    pub direction: Direction,
}
