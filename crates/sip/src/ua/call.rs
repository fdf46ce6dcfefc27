//! One call: its state, its timers, and what ends it.

use bytes::Bytes;

use super::core::{Core, Use};
use super::dialog::Dialog;
use super::offer::Offer;
use super::prack::Reliability;
use super::refer::ReferIn;
use super::session::SessionTimer;
use super::{CallKey, End, Event, FailWhy, Login, Side};
use crate::Millis;
use crate::digest::DigestClient;
use crate::header::{NameAddr, Reason};
use crate::msg::{HeaderName, Method, Request, Response};
use crate::transaction::{T1, T2, TIMEOUT, TxId};
use crate::transport::{Source, Target};

/// How far a call is.
#[derive(Debug)]
pub(super) enum State {
    /// Our INVITE has no final response.
    Calling(Box<Calling>),
    /// The peer's INVITE has no final response.
    Ringing(Box<Ringing>),
    /// Answered.
    Up,
    /// Reported as ended; our BYE is under way, or waits for the ACK.
    Ending,
    /// To be forgotten.
    Over,
}

/// An INVITE of ours.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) tx: TxId,
    /// The INVITE's sequence number; later requests of early dialogs count on from it.
    pub(super) invite_cseq: u32,
    /// The INVITE without Via, CSeq and credentials, to send it again.
    pub(super) template: Request,
    /// A 1xx has come, so CANCEL may leave.
    pub(super) heard: bool,
    pub(super) cancel: Option<FailWhy>,
    pub(super) cancel_reason: Option<Reason>,
    pub(super) cancel_sent: bool,
    pub(super) ring_limit_at: Millis,
    /// When the wait for the answer to our CANCEL is over.
    pub(super) give_up_at: Option<Millis>,
    /// Early dialogs, one for each fork that sent a tagged 1xx.
    pub(super) forks: Vec<Fork>,
    pub(super) interval_tries: u8,
}

/// An early dialog of an INVITE of ours.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) tag: Bytes,
    pub(super) remote_cseq: Option<u32>,
    /// The number of its last reliable provisional response.
    pub(super) rseq: Option<u32>,
    /// Our offer was answered by a reliable response.
    pub(super) settled: bool,
}

/// An INVITE of the peer.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) tx: TxId,
    pub(super) invite: Request,
    pub(super) limit_at: Millis,
    pub(super) reliable: Reliability,
    /// The call that this one takes the place of once it is answered.
    pub(super) replaces: Option<CallKey>,
}

/// A 2xx of ours that waits for its ACK.
#[derive(Debug)]
pub(super) struct AwaitAck {
    pub(super) tx: TxId,
    pub(super) cseq: u32,
    pub(super) response: Response,
    pub(super) initial: bool,
    pub(super) gap: u64,
    pub(super) next_at: Millis,
    pub(super) give_up_at: Millis,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) key: CallKey,
    pub(super) state: State,
    pub(super) dialog: Dialog,
    pub(super) peer: Target,
    /// Where requests go once the connection the peer used is gone; of a call that came in none is known
    /// unless it is told.
    pub(super) home: Option<Target>,
    /// Whether requests go where the dialog's addresses say.
    pub(super) follow: bool,
    /// They did, and nobody answered there.
    pub(super) turned: bool,
    pub(super) contact: Bytes,
    pub(super) outgoing: bool,
    pub(super) login: Option<Login>,
    pub(super) digest: DigestClient,
    /// The description we sent last.
    pub(super) local_sdp: Bytes,
    /// The description the peer sent last.
    pub(super) remote_sdp: Option<Bytes>,
    pub(super) session: SessionTimer,
    pub(super) await_ack: Option<AwaitAck>,
    pub(super) offer: Offer,
    pub(super) peer_takes_update: bool,
    /// A BYE that waits for the ACK of our 2xx (RFC 3261 §15).
    pub(super) bye_after_ack: Option<Option<Reason>>,
    /// A REFER of the peer.
    pub(super) refer_in: Option<Box<ReferIn>>,
    /// The sequence number of our REFER while its reports may come.
    pub(super) refer_out: Option<u32>,
    /// Whom our REFER names, until its answer.
    pub(super) refer_to: Option<Box<NameAddr>>,
    /// What the endpoint's timer table holds for this call.
    pub(super) armed: Option<Millis>,
}

impl Call {
    /// Where the next in-dialog request goes.
    pub(super) fn next_hop(&self, core: &Core) -> Target {
        self.hop_from(core, &self.dialog, self.peer)
    }

    /// The same in that dialog of the call, where the peer is to be found there.
    pub(super) fn hop_from(&self, core: &Core, dialog: &Dialog, peer: Target) -> Target {
        let followed = self.follow.then(|| core.followed_hop(dialog, peer));
        followed.flatten().unwrap_or(peer)
    }

    /// Nobody answers where the dialog says that requests go: from now on they go to the peer. False when they did
    /// already.
    pub(super) fn turns_back(&mut self, core: &Core) -> bool {
        let followed = self.next_hop(core).dest != self.peer.dest;
        self.follow = false;
        self.turned |= followed;
        followed
    }

    /// Remembers the connection the peer uses now.
    pub(super) fn heard_from(&mut self, source: Source) {
        if source.proto == self.peer.proto && source.conn.is_some() {
            self.peer.conn = source.conn;
        }
    }

    /// The connection the peer used is gone.
    pub(super) fn lost_connection(&mut self) {
        match self.home {
            Some(home) => self.peer = home,
            None => self.peer.conn = None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// True while this transaction is the INVITE that waits for its final response.
    pub(super) fn is_calling(&self, tx: TxId) -> bool {
        matches!(&self.state, State::Calling(calling) if calling.tx == tx)
    }

    /// Nothing is left to wait for.
    pub(super) fn forget(&mut self) {
        self.state = State::Over;
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up)
    }

    /// True while the call is not answered and not ended.
    pub(super) fn is_early(&self) -> bool {
        matches!(self.state, State::Calling(_) | State::Ringing(_))
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        let state = match &self.state {
            State::Calling(calling) => match calling.give_up_at {
                Some(at) => Some(at),
                None if calling.cancel.is_none() => Some(calling.ring_limit_at),
                None => None,
            },
            State::Ringing(ringing) => {
                let repeat = ringing.reliable.deadline();
                Some(repeat.map_or(ringing.limit_at, |at| at.min(ringing.limit_at)))
            }
            _ => None,
        };
        let ack = self
            .await_ack
            .as_ref()
            .map(|wait| wait.next_at.min(wait.give_up_at));
        let session = if self.is_up() {
            self.session.deadline()
        } else {
            None
        };
        let offer = if self.is_up() || self.is_early() {
            self.offer.deadline()
        } else {
            None
        };
        state
            .into_iter()
            .chain(ack)
            .chain(session)
            .chain(offer)
            .min()
    }

    pub(super) fn on_timer(&mut self, core: &mut Core, now: Millis) {
        match &self.state {
            State::Calling(_) => self.calling_timer(core, now),
            State::Ringing(ringing) if ringing.limit_at <= now => {
                self.refuse_invite(core, now, 480, None, Side::Network);
            }
            State::Ringing(_) => self.reliable_timer(core, now),
            _ => {}
        }
        self.ack_timer(core, now);
        if self.is_up() || self.is_early() {
            self.offer_timer(core, now);
        }
        if self.is_up() {
            self.session_timer(core, now);
        }
    }

    /// Starts repeating a 2xx until its ACK comes (RFC 3261 §13.3.1.4).
    pub(super) fn send_ok(
        &mut self,
        core: &mut Core,
        now: Millis,
        tx: TxId,
        cseq: u32,
        response: Response,
        initial: bool,
    ) {
        core.layer.respond(now, tx, &response);
        self.await_ack = Some(AwaitAck {
            tx,
            cseq,
            response,
            initial,
            gap: T1,
            next_at: now + T1,
            give_up_at: now + TIMEOUT,
        });
    }

    fn ack_timer(&mut self, core: &mut Core, now: Millis) {
        let Some(wait) = &mut self.await_ack else {
            return;
        };
        if wait.give_up_at <= now {
            self.await_ack = None;
            if self.is_up() {
                self.end(core, now, Side::Network, Some(408), None);
            } else if let Some(reason) = self.bye_after_ack.take() {
                self.send_bye(core, now, reason);
            }
        } else if wait.next_at <= now {
            wait.gap = (wait.gap * 2).min(T2);
            wait.next_at = now + wait.gap;
            core.layer.respond(now, wait.tx, &wait.response);
        }
    }

    /// The peer's ACK for a 2xx of ours.
    pub(super) fn on_ack(&mut self, core: &mut Core, now: Millis, ack: &Request) {
        let number = ack.headers.cseq().map(|cseq| cseq.number).ok();
        let fits = |wait: &AwaitAck| Some(wait.cseq) == number;
        let Some(wait) = self.await_ack.take_if(|wait| fits(wait)) else {
            return;
        };
        if let Some(reason) = self.bye_after_ack.take() {
            self.send_bye(core, now, reason);
            return;
        }
        let sdp = super::body::sdp(&ack.headers, &ack.body);
        if let Some(sdp) = &sdp {
            self.remote_sdp = Some(sdp.clone());
        }
        if self.is_up() && (wait.initial || sdp.is_some()) {
            core.report(Event::Confirmed {
                call: self.key,
                sdp,
            });
        }
    }

    /// Ends an answered call: reports it, and says BYE as soon as that is allowed.
    pub(super) fn end(
        &mut self,
        core: &mut Core,
        now: Millis,
        by: Side,
        code: Option<u16>,
        reason: Option<Reason>,
    ) {
        self.drop_pending_offer(core, now);
        let end = End {
            by,
            code,
            q850: None,
            sip_cause: None,
        };
        core.report(Event::Ended {
            call: self.key,
            end,
        });
        self.state = State::Ending;
        if self.await_ack.as_ref().is_some_and(|wait| wait.initial) {
            self.bye_after_ack = Some(reason);
            return;
        }
        self.await_ack = None;
        self.send_bye(core, now, reason);
    }

    pub(super) fn send_bye(&mut self, core: &mut Core, now: Millis, reason: Option<Reason>) {
        let mut bye = self.dialog.request(Method::Bye);
        if let Some(reason) = reason {
            bye.headers.push(HeaderName::Reason, reason.to_bytes());
        }
        self.send_in_dialog(core, now, bye, Use::Bye(self.key));
    }

    /// Sends a request of the dialog with credentials when the peer is known to want them.
    /// Without room or address the call cannot go on.
    pub(super) fn send_in_dialog(
        &mut self,
        core: &mut Core,
        now: Millis,
        mut request: Request,
        purpose: Use,
    ) -> Option<TxId> {
        self.digest
            .apply(&mut request, self.login.as_ref(), core.ids.as_mut());
        let target = self.next_hop(core);
        let bye = matches!(purpose, Use::Bye(_)).then(|| request.clone());
        let sent = core.send(now, request, target, purpose);
        if let (Err(_), Some(bye)) = (&sent, bye) {
            // The far end must hear of it all the same, else its side of the call stays up.
            core.send_once(bye, target);
            self.state = State::Over;
        }
        sent.ok()
    }

    /// The answer to our BYE: whatever it says the call is over, but a challenge is met once.
    pub(super) fn on_bye_response(&mut self, core: &mut Core, now: Millis, response: &Response) {
        match response.code {
            ..200 => {}
            401 | 407 => {
                let again = self.digest.absorb(response, self.login.as_ref());
                if again == crate::digest::Answering::Again {
                    self.send_bye(core, now, None);
                } else {
                    self.state = State::Over;
                }
            }
            _ => self.state = State::Over,
        }
    }

    /// Our BYE got no answer at all.
    pub(super) fn on_bye_fault(&mut self, core: &mut Core, now: Millis) {
        if self.turns_back(core) {
            self.send_bye(core, now, None);
        } else {
            self.forget();
        }
    }

    /// A request of the call whose answer changes nothing got none.
    pub(super) fn on_minor_fault(&mut self, core: &mut Core, now: Millis, code: u16) {
        self.turns_back(core);
        // What left before the call turned back says nothing of the peer; the next refresh does.
        if !self.turned {
            self.lost(core, now, code);
        }
    }

    /// The peer's BYE.
    pub(super) fn on_bye(&mut self, core: &mut Core, now: Millis, bye: &Request) {
        let reasons = bye.headers.reasons();
        let sip_cause = reasons
            .iter()
            .find(|reason| reason.protocol.eq_ignore_ascii_case(b"SIP"))
            .and_then(Reason::cause);
        let q850 = bye.headers.q850();
        match &self.state {
            State::Up => {
                self.drop_pending_offer(core, now);
                let end = End {
                    by: Side::Remote,
                    code: None,
                    q850,
                    sip_cause,
                };
                core.report(Event::Ended {
                    call: self.key,
                    end,
                });
                self.state = State::Over;
            }
            State::Ringing(ringing) => {
                let response = core.response(&ringing.invite, 487, Some(&self.dialog.local_tag));
                core.layer.respond(now, ringing.tx, &response);
                let end = End {
                    by: Side::Remote,
                    code: Some(487),
                    q850,
                    sip_cause,
                };
                core.report(Event::Ended {
                    call: self.key,
                    end,
                });
                self.state = State::Over;
            }
            // A BYE of ours that still waits for the ACK need not leave any more.
            State::Ending if self.bye_after_ack.is_some() => self.state = State::Over,
            _ => {}
        }
    }

    /// The peer's side of the call is gone (481, 408, no transport): RFC 3261 §12.2.1.2.
    pub(super) fn lost(&mut self, core: &mut Core, now: Millis, code: u16) {
        if self.is_up() {
            self.end(core, now, Side::Network, Some(code), None);
        }
    }
}
