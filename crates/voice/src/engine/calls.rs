//! Debtors' calls, from the order to the report of their end.

use super::core::Engine;
use super::fault::Begun;
use super::legs::{Debtor, LegRow, Media, OurEnd, Over, Owner};
use super::opening::Callee;
use crate::config::TrunkConfig;
use crate::net::line;
use crate::plane::{Counts, LegId, Order, Record};
use crate::{config, limits};
use bytes::Bytes;
use domain::entity::{CallResult, LegKind, RecordMode};
use domain::ids::{AttemptId, TrunkId};
use domain::ports::{DialOrder, HangUpCause, TrunkError, TrunkReport};
use sip::header::Reason;
use sip::msg::Uri;
use sip::ua::{End, FailWhy, Failure, InviteOrder, Login, Side};
use sip::{Proto, Target};
use std::net::SocketAddr;
use std::sync::Arc;

/// Placeholder of the attempt's id in a trunk's header.
pub(super) const ATTEMPT: &str = "{attempt}";

impl Engine {
    /// Places a call.
    pub(super) fn dial(&mut self, order: DialOrder) -> Result<(), TrunkError> {
        self.may_dial(&order)?;
        if self.waits_for(order.trunk_id) {
            return Err(TrunkError::Limit("calls per second"));
        }
        self.toll(order.trunk_id, &order.number)?;
        let now = self.now;
        let route = self
            .routes
            .get_mut(&order.trunk_id)
            .ok_or(TrunkError::TrunkDown)?;
        let to = route.start(now)?;
        let trunk = Arc::clone(&route.config);
        self.begun.trunk = Some(trunk.id);
        let placed = self.invite(order, &trunk, to);
        self.begun = Begun::default();
        if placed.is_err() {
            self.release(trunk.id);
        }
        placed
    }

    /// Whether no INVITE of the order may leave any more.
    pub(super) fn too_late(&self, order: &DialOrder) -> bool {
        order.not_after.is_some_and(|at| self.wall.now() > at)
    }

    fn may_dial(&self, order: &DialOrder) -> Result<(), TrunkError> {
        if self.too_late(order) {
            return Err(TrunkError::Late);
        }
        let dialable = |n: &str| {
            let digits = n.strip_prefix('+').unwrap_or(n);
            (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        let limit = |name| Err(TrunkError::Limit(name));
        if self.farewell.is_some() {
            return Err(TrunkError::TrunkDown);
        }
        // A second INVITE for one attempt would be a second call to the debtor.
        if self.attempts.contains_key(&order.attempt_id) {
            return limit("one call an attempt");
        }
        if !dialable(&order.number) || !dialable(&order.caller_number) {
            return limit("digits of a number");
        }
        if self.attempts.len() >= self.config.calls {
            return limit("calls");
        }
        // What peers ask of us does not count: a flood of theirs must not stop dialing.
        if self.endpoint.requests() >= self.config.sip_transactions {
            return limit("sip transactions");
        }
        if self.outbox.full() {
            return limit("reports");
        }
        if self.plane.behind() {
            limit("media orders")
        } else {
            Ok(())
        }
    }

    fn invite(
        &mut self,
        order: DialOrder,
        trunk: &TrunkConfig,
        to: SocketAddr,
    ) -> Result<(), TrunkError> {
        let (leg, port) = self
            .plane
            .add(trunk.behind_nat)
            .ok_or(TrunkError::Limit("ports"))?;
        self.begun.leg = Some(leg);
        let tls = trunk.transport == config::SipTransport::Tls;
        let media = self.media(port, &trunk.codecs).secured(tls);
        let invite = self.debtor_invite(&order, trunk, to, media.offer());
        let now = self.millis();
        let Ok(key) = self.endpoint.invite(now, invite) else {
            self.plane.order(Order::Remove(leg, self.now));
            return Err(TrunkError::Limit("sip calls"));
        };
        self.begun.key = Some(key);
        let attempt = order.attempt_id;
        let debtor = Debtor {
            order,
            ringing: false,
            answered: false,
            answered_at: None,
            supervisors: Vec::new(),
            seat: None,
            held: false,
            muted: false,
            parties: Vec::new(),
            came: None,
        };
        let owner = Owner::Debtor(Box::new(debtor));
        self.attempts.insert(attempt, leg);
        self.placed.insert(leg, to);
        self.adopt(
            leg,
            LegRow {
                owner,
                key: Some(key),
                media,
                end: None,
                our_end: None,
            },
        );
        self.trail_open(leg, key, LegKind::Debtor, leg);
        self.settle();
        let at = self.wall.now();
        self.outbox.tell(TrunkReport::Sent { attempt, at });
        Ok(())
    }

    /// The INVITE of an order as its trunk wants it.
    pub(super) fn debtor_invite(
        &self,
        order: &DialOrder,
        trunk: &TrunkConfig,
        to: SocketAddr,
        offer: Bytes,
    ) -> InviteOrder {
        let callee = Callee {
            number: &order.number,
            caller: &order.caller_number,
            ring_timeout_ms: order.ring_timeout_ms,
            id: order.attempt_id.0,
        };
        self.opening(trunk, to, &callee, offer)
    }

    pub(super) fn media(&self, port: u16, codecs: &[config::Codec]) -> Media {
        let addr = SocketAddr::new(self.media_ip, port);
        // The o= line holds 63-bit numbers in some parsers.
        Media::new(addr, u64::from(rand::random::<u32>()), codecs)
    }

    fn debtor(&mut self, leg: LegId) -> Option<(&mut Debtor, &mut Media)> {
        let row = self.legs.get_mut(leg).filter(|row| row.end.is_none())?;
        match &mut row.owner {
            Owner::Debtor(debtor) => Some((debtor, &mut row.media)),
            _ => None,
        }
    }

    /// 180 or 183.
    pub(super) fn debtor_progress(&mut self, leg: LegId, code: u16, sdp: Option<Bytes>) {
        let at = self.stamp();
        let Some((debtor, media)) = self.debtor(leg) else {
            return;
        };
        let early = sdp.and_then(|body| media.early(body).ok());
        let rings = matches!(code, 180 | 183) && !std::mem::replace(&mut debtor.ringing, true);
        let attempt = debtor.order.attempt_id;
        let listen = debtor.order.classify;
        if let Some(agreed) = early {
            self.plane.order(Order::Agreed(leg, agreed, false));
            if listen {
                self.plane.order(Order::Early(leg));
            }
        }
        if rings {
            let early_media = early.is_some();
            self.outbox.tell(TrunkReport::Ringing {
                attempt,
                at,
                early_media,
            });
        }
    }

    /// 200: the report leaves before anything else is done.
    pub(super) fn debtor_answered(&mut self, leg: LegId, sdp: Option<&Bytes>) {
        let (at, from) = (self.stamp(), self.now);
        let Some((debtor, media)) = self.debtor(leg) else {
            return;
        };
        debtor.answered = true;
        debtor.answered_at = Some(at);
        let order = &debtor.order;
        let attempt = order.attempt_id;
        let record = (order.record != RecordMode::None).then(|| Record {
            recording: order.recording_id,
            attempt,
            key: order.recording_key.clone(),
            from,
            paused: order.record == RecordMode::OnDemand,
            hide_keys: order.mask_dtmf,
            line: None,
        });
        let trunk = order.trunk_id;
        let classify = order.classify;
        let agreed = media.answered(sdp);
        let known = self.known.get(&trunk).cloned().unwrap_or_default();
        let classify = classify.then_some(known);
        self.outbox.tell(TrunkReport::Answered { attempt, at });
        self.opened_by((leg, trunk));
        if let (Some(mut record), Some((_, line))) = (record, &self.writer) {
            record.line = Some(line.clone());
            self.plane.order(Order::Record(leg, Box::new(record)));
        }
        if let Some(known) = classify {
            self.plane.order(Order::Classify(leg, known));
        }
        self.leg_up(leg);
        self.metered(leg);
        match agreed {
            Ok(agreed) => self.plane.order(Order::Agreed(leg, agreed, true)),
            Err(error) => {
                tracing::warn!(%error, "answer without usable audio");
                self.end_leg(
                    leg,
                    OurEnd {
                        q850: 88,
                        why: "no common codec",
                    },
                );
            }
        }
    }

    /// Over without an answer.
    pub(super) fn debtor_failed(&mut self, leg: LegId, failure: &Failure) {
        let at = self.now;
        // What would be tried elsewhere and is not because we withdrew it ends by us.
        let withdrawn = self.live(leg).is_some_and(|row| row.our_end.is_some());
        let elsewhere = withdrawn && matches!(failure.code, 300..=399 | 503);
        let ours = elsewhere || matches!(failure.why, FailWhy::Cancelled | FailWhy::RingLimit);
        let broken = matches!(failure.why, FailWhy::Transport | FailWhy::Cut);
        let over = Over {
            at,
            // The 503 of a broken transport is nobody's: a fault of the trunk, not its congestion.
            code: (!broken).then_some(failure.code),
            q850: failure.q850,
            by_us: ours,
            ring_timeout: failure.why == FailWhy::RingLimit,
        };
        let trunk = self.debtor(leg).map(|(debtor, _)| debtor.order.trunk_id);
        if let Some(trunk) = trunk {
            self.not_opened((leg, trunk), failure);
        }
        if !self.try_again(leg, failure, over) {
            self.over(leg, over);
        }
    }

    /// Over after an answer.
    pub(super) fn call_ended(&mut self, leg: LegId, end: &End) {
        let by_us = end.by == Side::Local;
        let ours = self.live(leg).and_then(|row| row.our_end).filter(|_| by_us);
        let over = Over {
            at: self.now,
            code: Some(200),
            q850: end.q850.or(ours.map(|o| o.q850)),
            by_us,
            ring_timeout: false,
        };
        self.over(leg, over);
    }

    /// Gives the trunk's channel back.
    pub(super) fn release(&mut self, trunk: TrunkId) {
        if let Some(route) = self.routes.get_mut(&trunk) {
            route.release();
        }
    }

    /// What the trunk's own table says of a call that nobody answered.
    pub(super) fn result_of(&self, trunk: TrunkId, over: &Over) -> Option<CallResult> {
        let route = self.routes.get(&trunk).filter(|_| !over.by_us)?;
        route.config.policy.results.of(over.code, over.q850)
    }

    /// The last report of a debtor's call.
    pub(super) fn end_report(
        &self,
        attempt: AttemptId,
        over: &Over,
        counts: Counts,
        result: Option<CallResult>,
    ) -> TrunkReport {
        TrunkReport::Ended {
            attempt,
            at: self.wall.at(over.at),
            sip_code: over.code,
            q850: over.q850,
            by_us: over.by_us,
            ring_timeout: over.ring_timeout,
            rtp_in: counts.received,
            rtp_out: counts.sent,
            rtp_lost: counts.lost,
            result,
        }
    }

    /// Ends a leg in whatever state its call is.
    pub(super) fn end_leg(&mut self, leg: LegId, why: OurEnd) {
        let Some(row) = self.legs.get_mut(leg).filter(|row| row.end.is_none()) else {
            return;
        };
        row.our_end.get_or_insert(why);
        let Some(key) = row.key else {
            return self.browser_ended(leg, why);
        };
        if self.withdrawn(leg) {
            return;
        }
        let reason = Reason::q850(u8::try_from(why.q850).unwrap_or(16), why.why);
        let now = self.millis();
        // An error means that the call ended by itself; its event is on the way.
        let _ = self.endpoint.hang_up(now, key, Some(reason));
    }

    /// A live debtor's leg, answered when that is asked for.
    pub(super) fn of_attempt(&self, attempt: AttemptId, up: bool) -> Result<LegId, TrunkError> {
        let leg = *self.attempts.get(&attempt).ok_or(TrunkError::Gone)?;
        match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Debtor(debtor)) if debtor.answered || !up => Ok(leg),
            _ => Err(TrunkError::Gone),
        }
    }
}

/// The Q.850 cause and text of an end by us.
pub(super) fn our_end(cause: HangUpCause) -> OurEnd {
    match cause {
        HangUpCause::Normal => OurEnd {
            q850: 16,
            why: "normal clearing",
        },
        HangUpCause::Abandoned => OurEnd {
            q850: 16,
            why: "no agent",
        },
        HangUpCause::OneWayAudio => OurEnd {
            q850: 41,
            why: "no audio",
        },
        HangUpCause::Shutdown => OurEnd {
            q850: 38,
            why: "shutdown",
        },
    }
}

pub(super) fn proto(transport: config::SipTransport) -> Proto {
    match transport {
        config::SipTransport::Udp => Proto::Udp,
        config::SipTransport::Tcp => Proto::Tcp,
        config::SipTransport::Tls => Proto::Tls,
    }
}

/// Where what is for a trunk goes. Inside TLS each trunk has lines of its own: it may have to show its
/// own certificate.
pub(super) fn hop(trunk: &TrunkConfig, dest: SocketAddr) -> Target {
    let secured = trunk.transport == config::SipTransport::Tls;
    Target {
        proto: proto(trunk.transport),
        dest,
        conn: secured.then(|| line(trunk.id, dest)),
    }
}

pub(super) fn login(trunk: &TrunkConfig) -> Option<Login> {
    let user = trunk.username.as_deref()?;
    Some(Login::new(
        user,
        trunk.password.as_deref().unwrap_or_default(),
    ))
}

/// `sip:NUMBER@HOST` with the host as the carrier gave it.
pub(super) fn target_uri(trunk: &TrunkConfig, number: &str, to: SocketAddr) -> Uri {
    match trunk.host_port() {
        Ok((host, port)) if host.parse::<std::net::IpAddr>().is_err() => {
            let mut uri = Uri::sip_host(Some(number), &host);
            uri.port = (port != limits::SIP_PORT).then_some(port);
            uri
        }
        _ => Uri::sip(Some(number), to),
    }
}
