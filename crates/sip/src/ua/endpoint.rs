//! The endpoint.

use bytes::Bytes;

use super::{
    CallKey, Config, Counters, Event, InviteOrder, PingKey, PingOrder, Received, RegKey,
    RegisterOrder,
};
use crate::header::Reason;
use crate::ids::Ids;
use crate::transport::{ConnId, Proto, Source, Transmit};
use crate::{Millis, SipError};

/// All calls of one process.
pub struct Endpoint {
    config: Config,
    ids: Box<dyn Ids>,
    counters: Counters,
}

impl Endpoint {
    /// An endpoint without calls.
    #[must_use]
    pub fn new(config: Config, ids: Box<dyn Ids>) -> Self {
        Endpoint { config, ids, counters: Counters::default() }
    }

    /// Takes a datagram, or the next octets of a stream (`source.conn` must be set then).
    pub fn receive(&mut self, now: Millis, source: Source, octets: &Bytes) -> Received {
        let _ = (now, source, octets, &mut self.ids, &self.config);
        Received::Keep
    }

    /// The next octets to send. Poll after each call until None.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    /// The next report. Poll after each call until None.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// When [`Endpoint::on_timer`] is to be called next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        None
    }

    /// Does what is due.
    pub fn on_timer(&mut self, now: Millis) {
        let _ = now;
    }

    /// Tells that nothing can be sent to an address: its unanswered requests fail at once.
    pub fn transport_failed(&mut self, now: Millis, proto: Proto, dest: std::net::SocketAddr) {
        let _ = (now, proto, dest);
    }

    /// Tells that a stream connection is gone.
    pub fn connection_closed(&mut self, now: Millis, conn: ConnId) {
        let _ = (now, conn);
    }

    /// Starts a call.
    ///
    /// # Errors
    /// [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn invite(&mut self, now: Millis, order: InviteOrder) -> Result<CallKey, SipError> {
        let _ = (now, order);
        Err(SipError::State("not built yet"))
    }

    /// Sends 180 for an incoming call.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn ring(&mut self, now: Millis, call: CallKey) -> Result<(), SipError> {
        self.progress(now, call, 180, None)
    }

    /// Sends a provisional response (101 to 199) for an incoming call, with early media or none.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn progress(
        &mut self,
        now: Millis,
        call: CallKey,
        code: u16,
        sdp: Option<Bytes>,
    ) -> Result<(), SipError> {
        let _ = (now, call, code, sdp);
        Err(SipError::State("not built yet"))
    }

    /// Sends 200 for an incoming call and repeats it until the ACK.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn answer(&mut self, now: Millis, call: CallKey, sdp: Bytes) -> Result<(), SipError> {
        let _ = (now, call, sdp);
        Err(SipError::State("not built yet"))
    }

    /// Refuses an incoming call with 300 to 699 and an optional Reason.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn reject(
        &mut self,
        now: Millis,
        call: CallKey,
        code: u16,
        reason: Option<Reason>,
    ) -> Result<(), SipError> {
        let _ = (now, call, code, reason);
        Err(SipError::State("not built yet"))
    }

    /// Refuses an incoming call with 401; the peer's next INVITE carries credentials and, when
    /// they are right, comes with [`super::Incoming::user`] set.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`], also without [`Config::auth`].
    pub fn challenge(&mut self, now: Millis, call: CallKey) -> Result<(), SipError> {
        let _ = (now, call);
        Err(SipError::State("not built yet"))
    }

    /// Withdraws an unanswered outgoing call; CANCEL leaves once a 1xx has come.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] when it is answered already.
    pub fn cancel(
        &mut self,
        now: Millis,
        call: CallKey,
        reason: Option<Reason>,
    ) -> Result<(), SipError> {
        let _ = (now, call, reason);
        Err(SipError::State("not built yet"))
    }

    /// Ends a call in whatever state: BYE, CANCEL, or 480 for an unanswered incoming one.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn hang_up(
        &mut self,
        now: Millis,
        call: CallKey,
        reason: Option<Reason>,
    ) -> Result<(), SipError> {
        let _ = (now, call, reason);
        Err(SipError::State("not built yet"))
    }

    /// Offers a changed session (hold for example) by re-INVITE.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] while another change is under way.
    pub fn reinvite(&mut self, now: Millis, call: CallKey, sdp: Bytes) -> Result<(), SipError> {
        let _ = (now, call, sdp);
        Err(SipError::State("not built yet"))
    }

    /// Answers [`Event::Reinvite`]: 200 with this body, or 488 with None.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] when nothing waits for an answer.
    pub fn answer_reinvite(
        &mut self,
        now: Millis,
        call: CallKey,
        sdp: Option<Bytes>,
    ) -> Result<(), SipError> {
        let _ = (now, call, sdp);
        Err(SipError::State("not built yet"))
    }

    /// Sends INFO in an answered call; its answer is not reported.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn send_info(
        &mut self,
        now: Millis,
        call: CallKey,
        content_type: &str,
        body: Bytes,
    ) -> Result<(), SipError> {
        let _ = (now, call, content_type, body);
        Err(SipError::State("not built yet"))
    }

    /// Registers us somewhere and keeps it registered.
    ///
    /// # Errors
    /// [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn register(&mut self, now: Millis, order: RegisterOrder) -> Result<RegKey, SipError> {
        let _ = (now, order);
        Err(SipError::State("not built yet"))
    }

    /// Removes a registration of ours.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn unregister(&mut self, now: Millis, registration: RegKey) -> Result<(), SipError> {
        let _ = (now, registration);
        Err(SipError::State("not built yet"))
    }

    /// Sends OPTIONS outside any call; [`Event::Pong`] tells its fate.
    ///
    /// # Errors
    /// [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn options_ping(&mut self, now: Millis, order: PingOrder) -> Result<PingKey, SipError> {
        let _ = (now, order);
        Err(SipError::State("not built yet"))
    }

    /// Figures for metrics.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How many calls are alive.
    #[must_use]
    pub fn calls(&self) -> usize {
        0
    }

    /// How many transactions are alive.
    #[must_use]
    pub fn transactions(&self) -> usize {
        0
    }
}
