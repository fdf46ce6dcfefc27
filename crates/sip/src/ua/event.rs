//! What the endpoint reports.

use bytes::Bytes;

use crate::header::{NameAddr, Replaces};
use crate::msg::{Headers, Uri};
use crate::transport::Source;

/// A call in an endpoint, from INVITE to [`Event::Failed`] or [`Event::Ended`]; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey(pub u64);

/// A registration of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegKey(pub u64);

/// An OPTIONS ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PingKey(pub u64);

/// What to do with the connection that octets came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Received {
    /// Keep it.
    Keep,
    /// Its framing is lost: close this connection.
    Close,
}

/// Which side did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// We, by a command.
    Local,
    /// The peer.
    Remote,
    /// Nobody: a timer ran out or the transport broke.
    Network,
}

/// Why an outgoing call was never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailWhy {
    /// A final response of 300 or above.
    Refused,
    /// 3xx; see [`Failure::contacts`].
    Redirected,
    /// 401 or 407 although credentials were sent, or none were given.
    Unauthorized,
    /// Our own [`crate::Endpoint::cancel`] or [`crate::Endpoint::hang_up`].
    Cancelled,
    /// Nobody answered within the order's limit; we cancelled.
    RingLimit,
    /// No response at all (timer B), or none after CANCEL.
    Timeout,
    /// The transport could not deliver the INVITE.
    Transport,
    /// The connection went away behind the INVITE before any response: it may have been read, and the
    /// phone may ring.
    Cut,
}

/// The end of an outgoing call that was never answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub why: FailWhy,
    /// The raw final code. After a time-out 408, after a transport fault 503 (RFC 3261 §8.1.3.1);
    /// 200 when the answer crossed our CANCEL and was ended with BYE.
    pub code: u16,
    /// False when the code is ours, not the peer's.
    pub from_peer: bool,
    /// The reason phrase.
    pub phrase: Bytes,
    /// The Q.850 cause of a Reason header.
    pub q850: Option<u16>,
    /// Retry-After, seconds.
    pub retry_after_s: Option<u32>,
    /// Contacts of a 3xx.
    pub contacts: Vec<NameAddr>,
}

/// How a call ended after it was answered, or an incoming one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Who ended it.
    pub by: Side,
    /// Of an unanswered incoming call the final code we sent; 408 when an ACK or a session refresh
    /// never came, 481 when the peer lost the call, 503 for a broken transport.
    pub code: Option<u16>,
    /// The Q.850 cause of a Reason header the peer sent.
    pub q850: Option<u16>,
    /// The SIP cause of a Reason header the peer sent (200 for "answered elsewhere").
    pub sip_cause: Option<u16>,
}

/// A call that comes in. Answer with [`crate::Endpoint::ring`], [`crate::Endpoint::progress`],
/// [`crate::Endpoint::answer`], [`crate::Endpoint::reject`] or [`crate::Endpoint::challenge`].
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The new call.
    pub call: CallKey,
    /// From, as the peer wrote it: nothing to trust.
    pub from: NameAddr,
    /// To.
    pub to: NameAddr,
    /// Request-URI.
    pub request_uri: Uri,
    /// P-Asserted-Identity; to be believed only from a trunk that is.
    pub asserted: Vec<NameAddr>,
    /// The account whose digest was right, when credentials were sent.
    pub user: Option<String>,
    /// The offer; None when the answer must carry the offer.
    pub sdp: Option<Bytes>,
    /// The call of ours that this one asks to take the place of (RFC 3891). Answered, it does, and
    /// that call is ended; refuse it when its caller has no right to that.
    pub replaces: Option<CallKey>,
    /// Where it came from.
    pub source: Source,
    /// All headers.
    pub headers: Headers,
}

/// A report. Each outgoing call gives exactly one of `Answered` and `Failed`; each call that was
/// answered or came in gives exactly one `Ended`, the last report of its key.
#[derive(Clone, Debug)]
pub enum Event {
    /// Outgoing: a provisional response, 100 included.
    Progress {
        /// The call.
        call: CallKey,
        /// 100 to 199.
        code: u16,
        /// Early media of 183 or 180.
        sdp: Option<Bytes>,
        /// The peer's tag: tells forks apart.
        remote_tag: Option<Bytes>,
    },
    /// Outgoing: a 2xx; the ACK is on its way.
    Answered {
        /// The call.
        call: CallKey,
        /// 200 to 299.
        code: u16,
        /// The answer. None when it came in an earlier response of this fork or not at all.
        sdp: Option<Bytes>,
        /// The peer's tag.
        remote_tag: Bytes,
        /// All headers of the 2xx.
        headers: Headers,
    },
    /// Outgoing: over without an answer.
    Failed {
        /// The call.
        call: CallKey,
        /// Why.
        failure: Failure,
    },
    /// A call comes in.
    Incoming(Box<Incoming>),
    /// Incoming: the peer acknowledged our 2xx.
    Confirmed {
        /// The call.
        call: CallKey,
        /// The answer when the offer was ours.
        sdp: Option<Bytes>,
    },
    /// The peer wants to change the session; answer with [`crate::Endpoint::answer_reinvite`].
    Reinvite {
        /// The call.
        call: CallKey,
        /// The offer; None when the answer must carry it.
        sdp: Option<Bytes>,
        /// True when it is an UPDATE, which wants its answer at once.
        update: bool,
    },
    /// The answer to our [`crate::Endpoint::reinvite`].
    ReinviteDone {
        /// The call, still up whatever the code.
        call: CallKey,
        /// The final code; 408 for none.
        code: u16,
        /// The answer of a 2xx.
        sdp: Option<Bytes>,
    },
    /// The peer sent INFO; it is answered 200 already.
    Info {
        /// The call.
        call: CallKey,
        /// Content-Type as written.
        content_type: Option<Bytes>,
        /// The body.
        body: Bytes,
    },
    /// The peer asks us to call somebody (RFC 3515); answer with
    /// [`crate::Endpoint::answer_refer`] before anything else.
    Refer {
        /// The call it came in.
        call: CallKey,
        /// Whom to call.
        to: Box<NameAddr>,
        /// The call at that end which the new one shall take the place of.
        replaces: Option<Box<Replaces>>,
        /// Referred-By as written.
        referred_by: Option<Bytes>,
    },
    /// The final response to our [`crate::Endpoint::refer`]; 408 for none.
    ReferAnswered {
        /// The call, still up whatever the code.
        call: CallKey,
        /// The final code: 2xx when the peer will try.
        code: u16,
    },
    /// What became of our REFER at the peer.
    ReferProgress {
        /// The call.
        call: CallKey,
        /// The status of the peer's own call, when it told a readable one.
        code: Option<u16>,
        /// No more reports follow.
        over: bool,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallKey,
        /// How.
        end: End,
    },
    /// The fate of a BYE that [`crate::Endpoint::end_orphan`] sent.
    OrphanEnded {
        /// The key it was given.
        call: CallKey,
        /// The final code; none when nobody answered, or it could not be sent.
        code: Option<u16>,
    },
    /// A registration of ours changed.
    Registration {
        /// Which.
        registration: RegKey,
        /// To what.
        state: RegistrationState,
    },
    /// The fate of an OPTIONS ping.
    Pong {
        /// Which.
        ping: PingKey,
        /// The final code, None when nothing came.
        code: Option<u16>,
        /// Time to the final answer, ms.
        took_ms: u64,
    },
    /// Registrar: a phone bound or refreshed a contact.
    Registered {
        /// The account.
        user: String,
        /// Where it wants to be called.
        contact: Uri,
        /// Where the REGISTER came from: call the phone there (NAT).
        source: Source,
        /// Life of the binding, seconds.
        expires_s: u32,
    },
    /// Registrar: a binding is gone.
    Unregistered {
        /// The account.
        user: String,
        /// The contact.
        contact: Uri,
        /// True when it ran out, false when the phone removed it.
        expired: bool,
    },
}

/// State of a registration of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// Bound; the endpoint refreshes it by itself.
    Registered {
        /// Granted life, seconds.
        expires_s: u32,
    },
    /// Refused or unanswered; tried again after the given time.
    Failed {
        /// Final code, 408 for none, 503 for a broken transport.
        code: u16,
        /// Milliseconds to the next try.
        retry_in_ms: u64,
    },
    /// Removed on our wish; the key is gone.
    Unregistered,
}

/// What was dropped or refused so far, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages nothing could be read from.
    pub malformed: u64,
    /// Responses that match nothing.
    pub stray_responses: u64,
    /// Requests of known scanners, dropped.
    pub scanners: u64,
    /// Requests refused for a limit.
    pub over_limit: u64,
    /// Requests with wrong credentials.
    pub wrong_guesses: u64,
    /// Requests dropped in silence after too many wrong guesses.
    pub silenced: u64,
    /// Messages sent, repeats included.
    pub sent: u64,
    /// Messages read.
    pub received: u64,
}
