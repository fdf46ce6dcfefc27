//! Callers whom the center takes: from their answer on their call is ordered about like one we placed.

use super::core::Engine;
use super::legs::{Came, Debtor, LegRow, Media, OurEnd, Owner};
use super::shown::e164;
use crate::limits;
use crate::plane::{Agreed, LegId, Order, Record, Sound};
use domain::entity::{LegKind, RecordMode};
use domain::ids::{AttemptId, RecordingId, TrunkId};
use domain::ports::{DialOrder, TakeOrder, TrunkError, TrunkReport};
use sip::msg::HeaderName;
use sip::ua::Incoming;
use std::net::SocketAddr;
use uuid::Uuid;

/// The caller's number: what the trunk asserts, else what the caller wrote; none where he wants it hidden.
fn caller(incoming: &Incoming, country: Option<&str>) -> Option<String> {
    let hidden = incoming
        .headers
        .get(&HeaderName::Privacy)
        .is_some_and(|value| {
            let text = String::from_utf8_lossy(value).to_ascii_lowercase();
            text.split([';', ','])
                .any(|part| matches!(part.trim(), "id" | "user" | "header"))
        });
    if hidden {
        return None;
    }
    let shown = incoming.asserted.first().unwrap_or(&incoming.from);
    shown.uri.user_text().and_then(|user| e164(&user, country))
}

/// The number of ours that was called.
fn called(incoming: &Incoming, country: Option<&str>) -> String {
    let read = |user: Option<String>| user.and_then(|user| e164(&user, country));
    let asked = read(incoming.request_uri.user_text());
    let named = || read(incoming.to.uri.user_text());
    asked.or_else(named).unwrap_or_default()
}

impl Engine {
    /// The trunk that a caller comes by: the one at his address, else the one that calls from his range.
    pub(super) fn trunk_of(&self, from: SocketAddr) -> Option<TrunkId> {
        let near = |addr: &&SocketAddr| {
            addr.ip() == from.ip() && (!addr.ip().is_loopback() || addr.port() == from.port())
        };
        let by_address = self
            .routes
            .iter()
            .find(|(_, r)| r.addrs.iter().any(|a| near(&a)));
        let by_net = || {
            let admitted =
                |r: &super::route::Route| r.config.policy.acl.iter().any(|n| n.holds(from.ip()));
            self.routes.iter().find(|(_, r)| admitted(r))
        };
        by_address.or_else(by_net).map(|(id, _)| *id)
    }

    /// The trunk that a caller comes by, where callers are handed to the center.
    pub(super) fn taker(&self, from: SocketAddr) -> Option<TrunkId> {
        if !self.config.inbound.queue {
            return None;
        }
        // Who calls from anywhere, where that is allowed, comes by the first trunk there is.
        let anyone = || {
            let open = self.config.inbound.from_anyone;
            self.routes.keys().next().copied().filter(|_| open)
        };
        self.trunk_of(from).or_else(anyone)
    }

    /// Calls that came in and are the center's.
    pub(super) fn taken_calls(&self) -> usize {
        let came = |row: &LegRow| matches!(&row.owner, Owner::Debtor(d) if d.came.is_some());
        self.legs.iter().filter(|(_, row)| came(row)).count()
    }

    /// An answered caller becomes a call of the center's; he hears ring-back until it says something.
    pub(super) fn hand_over(
        &mut self,
        incoming: &Incoming,
        trunk: TrunkId,
        (leg, media): (LegId, Media),
        agreed: Option<Agreed>,
    ) {
        let at = self.stamp();
        let attempt = AttemptId(Uuid::now_v7());
        let route = self.routes.get(&trunk);
        let country = route.and_then(|r| r.config.policy.country.as_deref());
        let (caller, called) = (caller(incoming, country), called(incoming, country));
        let order = DialOrder {
            attempt_id: attempt,
            trunk_id: trunk,
            number: caller.clone().unwrap_or_default(),
            caller_number: called.clone(),
            ring_timeout_ms: 0,
            record: RecordMode::None,
            recording_id: RecordingId(Uuid::nil()),
            recording_key: String::new(),
            mask_dtmf: false,
            classify: false,
            not_after: None,
        };
        let debtor = Debtor {
            order,
            ringing: true,
            answered: true,
            answered_at: Some(at),
            supervisors: Vec::new(),
            seat: None,
            held: false,
            muted: false,
            parties: Vec::new(),
            came: Some(Came {
                since: self.now,
                taken: false,
                greeted: false,
            }),
        };
        let key = incoming.call;
        self.attempts.insert(attempt, leg);
        self.adopt(
            leg,
            LegRow {
                owner: Owner::Debtor(Box::new(debtor)),
                key: Some(key),
                media,
                end: None,
                our_end: None,
            },
        );
        self.trail_open(leg, key, LegKind::Debtor, leg);
        self.leg_up(leg);
        if let Some(agreed) = agreed {
            self.plane.order(Order::Agreed(leg, agreed, true));
        }
        let rings = Sound::repeated(self.tones.ring_back.clone());
        self.plane.order(Order::Play(leg, Some(rings)));
        self.outbox.tell(TrunkReport::Incoming {
            attempt,
            trunk,
            caller,
            called,
            at,
        });
    }

    /// A caller was refused who would have been the center's: it is told, so that he has a row. Who may not call at all
    /// (403) is nobody's caller.
    pub(super) fn tell_turned_away(&mut self, incoming: &Incoming, code: u16) {
        let taker = self.taker(incoming.source.remote);
        let Some(trunk) = taker.filter(|_| code != 403) else {
            return;
        };
        if self.outbox.full() {
            tracing::error!(%trunk, code, "a caller was turned away without a row: nobody reads");
            return;
        }
        let route = self.routes.get(&trunk);
        let country = route.and_then(|r| r.config.policy.country.as_deref());
        let (caller, called) = (caller(incoming, country), called(incoming, country));
        let at = self.stamp();
        self.outbox.tell(TrunkReport::TurnedAway {
            attempt: AttemptId(Uuid::now_v7()),
            trunk,
            caller,
            called,
            code,
            at,
        });
    }

    /// The center takes a call that came in: its recording begins.
    pub(super) fn take_incoming(&mut self, order: TakeOrder) -> Result<(), TrunkError> {
        let leg = self.of_attempt(order.attempt_id, true)?;
        let from = self.now;
        let line = self.writer.as_ref().map(|(_, line)| line.clone());
        let row = self.legs.get_mut(leg).ok_or(TrunkError::Gone)?;
        let Owner::Debtor(debtor) = &mut row.owner else {
            return Err(TrunkError::Gone);
        };
        let came = debtor.came.as_mut().filter(|came| !came.taken);
        came.ok_or(TrunkError::Gone)?.taken = true;
        debtor.order.record = order.record;
        debtor.order.recording_id = order.recording_id;
        debtor.order.recording_key.clone_from(&order.recording_key);
        if order.record != RecordMode::None && line.is_some() {
            let record = Record {
                recording: order.recording_id,
                attempt: order.attempt_id,
                key: order.recording_key,
                from,
                paused: order.record == RecordMode::OnDemand,
                hide_keys: order.mask_dtmf,
                line,
            };
            self.plane.order(Order::Record(leg, Box::new(record)));
        }
        Ok(())
    }

    /// Callers whom nobody took in time hear the message as if nobody were there; those whose message
    /// should be over by now are let go.
    pub(super) fn check_untaken(&mut self) {
        let now = self.now;
        let mut greet = Vec::new();
        let mut end = Vec::new();
        for (leg, row) in self.legs.iter() {
            let Owner::Debtor(debtor) = &row.owner else {
                continue;
            };
            let Some(came) = debtor.came.filter(|c| !c.taken && row.end.is_none()) else {
                continue;
            };
            let waited = now.saturating_duration_since(came.since);
            if waited >= limits::INBOUND_LONGEST {
                end.push(leg);
            } else if waited >= limits::INBOUND_UNTAKEN && !came.greeted {
                greet.push(leg);
            }
        }
        for leg in greet {
            self.greet_untaken(leg);
        }
        for leg in end {
            let why = OurEnd {
                q850: 16,
                why: "message over",
            };
            self.end_leg(leg, why);
        }
    }

    fn greet_untaken(&mut self, leg: LegId) {
        if let Some(Owner::Debtor(debtor)) = self.legs.get_mut(leg).map(|row| &mut row.owner)
            && let Some(came) = &mut debtor.came
        {
            came.greeted = true;
        }
        let inbound = &self.config.inbound;
        let samples = self
            .prompts
            .safe_harbour(&inbound.client, &inbound.language);
        if let Some(samples) = samples {
            let sound = Sound::message(samples);
            self.plane.order(Order::Play(leg, Some(sound)));
        }
    }

    /// Whether the end of a sound is that of a caller whom nobody took.
    pub(super) fn untaken(&self, leg: LegId) -> bool {
        let owner = self.live(leg).map(|row| &row.owner);
        matches!(owner, Some(Owner::Debtor(d)) if d.came.is_some_and(|c| !c.taken))
    }
}
