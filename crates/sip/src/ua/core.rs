//! What all calls share: the transactions, the queue of reports, and how messages of ours look.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};

use super::acks::AckMemory;
use super::dialog::Dialog;
use super::{CallKey, Config, Counters, Event, PingKey, RegKey};
use crate::header::{MAGIC_COOKIE, NameAddr, Via};
use crate::ids::Ids;
use crate::limits::RETRY_AFTER_S;
use crate::msg::{HeaderName, Headers, Request, Response, Uri};
use crate::transaction::{Layer, TxId};
use crate::transport::{Proto, Source, Target};
use crate::{Millis, SipError};

/// Methods we understand, for Allow.
pub(super) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY";

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The INVITE that starts a call.
    Invite(CallKey),
    /// A re-INVITE or UPDATE of ours.
    Offer(CallKey),
    /// Our BYE.
    Bye(CallKey),
    /// Our BYE to a call of a process that is gone.
    Orphan(CallKey),
    /// A request in a call whose answer matters only when the peer lost the call.
    Minor(CallKey),
    /// Our REFER.
    Refer(CallKey),
    /// An INVITE or UPDATE of the peer.
    Serve(CallKey),
    /// Our REGISTER.
    Register(RegKey),
    /// Our OPTIONS.
    Ping(PingKey, Millis),
}

/// From where messages are read at all.
type Hears = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

pub(super) struct Core {
    pub(super) config: Config,
    pub(super) ids: Box<dyn Ids>,
    pub(super) layer: Layer,
    pub(super) events: VecDeque<Event>,
    pub(super) uses: HashMap<TxId, Use>,
    pub(super) acks: AckMemory,
    pub(super) counters: Counters,
    /// Calls whose place another one has taken.
    pub(super) replaced: Vec<CallKey>,
    pub(super) hears: Option<Hears>,
    /// What User-Agent and Server say.
    agent: Bytes,
    tag_salt: [u8; 16],
}

/// A request that passed the checks, with its way back.
pub(super) struct Arrived {
    pub(super) request: Request,
    pub(super) via: Via,
    pub(super) source: Source,
    pub(super) reply_to: Target,
}

impl Core {
    pub(super) fn new(config: Config, mut ids: Box<dyn Ids>) -> Self {
        let mut tag_salt = [0; 16];
        ids.fill(&mut tag_salt);
        Core {
            agent: Bytes::copy_from_slice(config.user_agent.as_bytes()),
            config,
            ids,
            layer: Layer::new(),
            events: VecDeque::new(),
            uses: HashMap::new(),
            acks: AckMemory::default(),
            counters: Counters::default(),
            replaced: Vec::new(),
            hears: None,
            tag_salt,
        }
    }

    pub(super) fn report(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn local(&self, proto: Proto) -> Result<SocketAddr, SipError> {
        self.config
            .local
            .get(proto)
            .ok_or(SipError::NoLocalAddress(proto.via_name()))
    }

    /// Where requests go that follow what a dialog says, when that is elsewhere than the peer, can be followed, and
    /// answers from there are read.
    pub(super) fn followed_hop(&self, dialog: &Dialog, peer: Target) -> Option<Target> {
        let hears = |hop: &Target| self.hears.as_ref().is_none_or(|h| h(hop.dest.ip()));
        dialog.followed_hop(peer).filter(hears)
    }

    /// Our Contact for a transport.
    pub(super) fn contact(&self, proto: Proto, user: &str) -> Result<Bytes, SipError> {
        let uri = Uri::sip(Some(user), self.local(proto)?).with_transport(proto);
        Ok(NameAddr::new(uri).to_bytes())
    }

    /// Puts our Via with a fresh branch on top.
    pub(super) fn push_via(
        &mut self,
        request: &mut Request,
        target: Target,
    ) -> Result<(), SipError> {
        let local = self.local(target.proto)?;
        let mut branch = BytesMut::from(MAGIC_COOKIE);
        branch.extend_from_slice(&self.ids.token(12));
        let via = Via::new(target.proto, local, &branch.freeze());
        request.headers.push_front(HeaderName::Via, via.to_bytes());
        Ok(())
    }

    /// Sends a request through a fresh transaction.
    pub(super) fn send(
        &mut self,
        now: Millis,
        mut request: Request,
        target: Target,
        purpose: Use,
    ) -> Result<TxId, SipError> {
        self.push_via(&mut request, target)?;
        self.sign(&mut request.headers, HeaderName::UserAgent);
        let tx = self.layer.send(now, request, target)?;
        self.uses.insert(tx, purpose);
        Ok(tx)
    }

    /// Sends a request once and keeps nothing of it: better than nothing where there is no room for
    /// its transaction. Without an address of ours it is not sent.
    pub(super) fn send_once(&mut self, mut request: Request, target: Target) {
        if self.push_via(&mut request, target).is_ok() {
            self.sign(&mut request.headers, HeaderName::UserAgent);
            self.layer.transmit(target, request.to_bytes());
        }
    }

    /// Adds User-Agent or Server.
    pub(super) fn sign(&self, headers: &mut Headers, name: HeaderName) {
        if !self.agent.is_empty() && headers.get(&name).is_none() {
            headers.push(name, self.agent.clone());
        }
    }

    /// The options we understand, for Supported; `first` where reliable provisional responses may
    /// come or be sent, which is the INVITE that starts a call.
    pub(super) fn supported(&self, first: bool) -> Bytes {
        let reliable = first && self.config.prack;
        Bytes::from_static(match (self.supports_timer(), reliable) {
            (true, true) => b"timer, 100rel, replaces, norefersub",
            (true, false) => b"timer, replaces, norefersub",
            (false, true) => b"100rel, replaces, norefersub",
            (false, false) => b"replaces, norefersub",
        })
    }

    /// Whether session timers are on.
    pub(super) fn supports_timer(&self) -> bool {
        self.config.session_expires_s > 0
    }

    /// A response with all that must be copied (RFC 3261 §8.2.6). `tag` goes into To when it has
    /// none; a tag made from the request stands in, the same for every repeat.
    pub(super) fn response(&self, request: &Request, code: u16, tag: Option<&Bytes>) -> Response {
        let mut response = Response::new(code);
        let headers = &mut response.headers;
        for value in request.headers.all(&HeaderName::Via) {
            headers.push(HeaderName::Via, value.clone());
        }
        for name in [
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
            HeaderName::CSeq,
        ] {
            if let Some(value) = request.headers.get(&name) {
                headers.push(name, value.clone());
            }
        }
        let untagged = request.headers.to().is_ok_and(|to| to.tag().is_none());
        if code > 100
            && untagged
            && let Some(to) = request.headers.get(&HeaderName::To)
        {
            let tag = tag.cloned().unwrap_or_else(|| self.stateless_tag(request));
            let mut value = BytesMut::from(&to[..]);
            value.extend_from_slice(b";tag=");
            value.extend_from_slice(&tag);
            headers.set(HeaderName::To, value.freeze());
        }
        self.sign(headers, HeaderName::Server);
        response
    }

    fn stateless_tag(&self, request: &Request) -> Bytes {
        let mut hash = Sha256::new();
        hash.update(self.tag_salt);
        for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
            hash.update(request.headers.get(&name).map_or(&b""[..], |value| value));
        }
        Bytes::from(hex::encode(&hash.finalize()[..8]))
    }

    /// Answers without keeping anything (RFC 3261 §8.2.7).
    pub(super) fn refuse(&mut self, arrived: &Arrived, code: u16) {
        let response = self.response(&arrived.request, code, None);
        self.layer.transmit(arrived.reply_to, response.to_bytes());
    }

    /// As [`Core::refuse`], with more headers.
    pub(super) fn refuse_with(
        &mut self,
        arrived: &Arrived,
        code: u16,
        fields: impl IntoIterator<Item = (HeaderName, Bytes)>,
    ) {
        let mut response = self.response(&arrived.request, code, None);
        for (name, value) in fields {
            response.headers.push(name, value);
        }
        self.layer.transmit(arrived.reply_to, response.to_bytes());
    }

    /// Answers a request inside a call through a transaction, so that repeats get the same.
    pub(super) fn serve(&mut self, now: Millis, arrived: &Arrived, response: &Response) {
        match self
            .layer
            .accept(now, &arrived.request, &arrived.via, arrived.reply_to)
        {
            Ok(tx) => self.layer.respond(now, tx, response),
            Err(_) => self.layer.transmit(arrived.reply_to, response.to_bytes()),
        }
    }

    /// As [`Core::serve`] with nothing but a code.
    pub(super) fn serve_code(&mut self, now: Millis, arrived: &Arrived, code: u16) {
        let response = self.response(&arrived.request, code, None);
        self.serve(now, arrived, &response);
    }
}

/// The header of a 503 for want of room.
pub(super) fn no_room_until() -> (HeaderName, Bytes) {
    let seconds = Bytes::from(RETRY_AFTER_S.to_string());
    (HeaderName::RetryAfter, seconds)
}
