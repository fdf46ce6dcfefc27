//! What a media thread does with its orders.

use super::leg::Leg;
use super::order::{Event, LegId, Order};
use super::progress::Progress;
use super::sound::Sound;
use super::talk::Talk;
use super::thread::State;
use crate::limits;
use crate::recorder::Tap;
use domain::ports::MonitorMode;
use std::time::Instant;

impl State {
    pub(super) fn obey(&mut self, order: Order) {
        if let Some(leg) = order.leg()
            && let Some((_, kept)) = self.expected.get_mut(&leg)
        {
            kept.push(order);
            return;
        }
        match order {
            Order::Add(leg) => self.take_in(leg),
            Order::Expect(leg, from) => drop(self.expected.insert(leg, (from, Vec::new()))),
            Order::Arrive(leg) => self.arrive(leg),
            Order::NeverComing(leg, counts) => self.never_comes(leg, counts),
            Order::Lost(from) => self.lost(from),
            Order::Give(leg, line) => self.give(leg, &line),
            Order::Stop => {
                self.stopping = true;
                // Who has not come yet may never come: a fault may have kept him.
                self.expected.clear();
                let now = Instant::now();
                let all: Vec<LegId> = self.slots.keys().copied().collect();
                for leg in all {
                    self.remove(leg, now);
                }
            }
            Order::Remove(leg, at) => self.remove(leg, at),
            Order::Bridge {
                debtor,
                agent,
                beep,
            } => self.bridge(debtor, agent, beep),
            Order::Unbridge(debtor) => self.unbridge(debtor),
            Order::Monitor {
                debtor,
                supervisor,
                mode,
            } => self.monitor(debtor, supervisor, mode),
            Order::Party { debtor, party, on } => self.party(debtor, party, on),
            Order::Hub(order) => {
                if let Some(port) = &mut self.browsers {
                    port.obey(order);
                }
            }
            Order::Browser(leg, peer) => self.browser_again(leg, peer, Instant::now()),
            Order::Datagram(leg, parcel, returns) => self.browser_parcel(leg, parcel, &returns),
            other => self.obey_leg(other),
        }
    }

    /// Orders that touch one leg only.
    fn obey_leg(&mut self, order: Order) {
        let now = Instant::now();
        let music = matches!(order, Order::Hold(_, true))
            .then(|| Sound::repeated(self.tones.music.clone()));
        let Some(leg) = order.leg().and_then(|id| self.leg(id)) else {
            return;
        };
        match order {
            Order::Agreed(_, agreed, live) => leg.agree(agreed, live, now),
            Order::Record(_, r) => {
                if let Some(line) = r.line {
                    let mut tap = Tap::open(r.recording, r.attempt, r.key, r.from, line);
                    if r.hide_keys {
                        tap.hide_keys();
                    }
                    tap.pause(r.paused, r.from);
                    leg.tap = Some(tap);
                }
            }
            Order::PauseRecording(_, on) => {
                if let Some(tap) = &mut leg.tap {
                    tap.pause(on, now);
                }
            }
            Order::Early(_) if leg.progress.is_none() => {
                leg.progress = Some(Box::new(Progress::early(now)));
            }
            Order::Classify(_, known) => {
                leg.progress = Some(Box::new(Progress::new(known, now)));
            }
            Order::Play(_, sound) => leg.play(sound),
            Order::Hold(_, on) => {
                leg.talk.hold = on;
                leg.talk.music = music;
            }
            Order::Mute(_, on) => leg.talk.mute = on,
            Order::Dtmf(_, event) => leg.press(event),
            #[cfg(test)]
            Order::Break(_) => panic!("a fault on purpose"),
            #[cfg(test)]
            Order::Weaken(_) => leg.weaken(),
            _ => {}
        }
    }

    fn bridge(&mut self, debtor: LegId, agent: LegId, beep: bool) {
        self.part(agent);
        let beep = beep.then(|| Sound::over(self.tones.beep.clone(), false));
        let Some(leg) = self.leg(agent) else { return };
        leg.of = Some(debtor);
        leg.jitter.clear();
        leg.play(beep);
        let Some(leg) = self.leg(debtor) else {
            if let Some(agent) = self.leg(agent) {
                agent.of = None;
            }
            return;
        };
        leg.hush();
        leg.jitter.clear();
        let supervisors = std::mem::take(&mut leg.talk.supervisors);
        let parties = std::mem::take(&mut leg.talk.parties);
        let before = leg.talk.agent.replace(agent);
        leg.talk = Talk {
            agent: Some(agent),
            supervisors,
            parties,
            ..Talk::default()
        };
        if let Some(before) = before.filter(|b| *b != agent) {
            self.left(debtor, before);
        }
        if let Some(agent) = self.leg(agent) {
            agent.joins(Instant::now());
        }
    }

    /// A further leg joins the agent and the debtor, or leaves them.
    fn party(&mut self, debtor: LegId, party: LegId, on: bool) {
        let of = self.leg(party).and_then(|p| p.of);
        if !on {
            if of == Some(debtor) {
                self.part(party);
            }
            return;
        }
        if of != Some(debtor) {
            self.part(party);
        }
        let Some(leg) = self.leg(debtor) else { return };
        let listed = leg.talk.others().any(|l| l == party);
        if listed || leg.talk.parties.len() >= limits::PARTIES_PER_CALL {
            return;
        }
        let mixed = leg.talk.mixed();
        leg.talk.parties.push(party);
        if !mixed {
            leg.jitter.clear();
            let agent = leg.talk.agent;
            if let Some(agent) = agent.and_then(|a| self.leg(a)) {
                agent.jitter.clear();
            }
        }
        if let Some(leg) = self.leg(party) {
            leg.of = Some(debtor);
            leg.jitter.clear();
            leg.play(None);
            leg.joins(Instant::now());
        }
    }

    /// A leg is off a debtor's call: what it carried there is told.
    fn left(&mut self, debtor: LegId, id: LegId) {
        let until = Instant::now();
        let Some(leg) = self.leg(id) else { return };
        leg.of = None;
        leg.play(None);
        if let Some((from, counts)) = leg.leaves() {
            self.tell(Event::Left {
                debtor,
                leg: id,
                from,
                until,
                counts,
            });
        }
    }

    fn unbridge(&mut self, debtor: LegId) {
        let Some(leg) = self.leg(debtor) else { return };
        let agent = leg.talk.agent.take();
        leg.talk.hold = false;
        leg.talk.mute = false;
        if let Some(agent) = agent {
            self.left(debtor, agent);
        }
    }

    fn monitor(&mut self, debtor: LegId, supervisor: LegId, mode: Option<MonitorMode>) {
        let of = self.leg(supervisor).and_then(|s| s.of);
        let listed = of == Some(debtor);
        match mode {
            Some(mode) => {
                if !listed {
                    self.part(supervisor);
                }
                let Some(leg) = self.leg(debtor) else { return };
                let list = &mut leg.talk.supervisors;
                let room = list.len() < limits::SUPERVISORS_PER_CALL;
                match list.iter_mut().find(|(id, _)| *id == supervisor) {
                    Some(entry) => entry.1 = mode,
                    None if room => list.push((supervisor, mode)),
                    None => return,
                }
                if list.len() == 1 {
                    leg.jitter.clear();
                    let agent = leg.talk.agent;
                    if let Some(agent) = agent.and_then(|a| self.leg(a)) {
                        agent.jitter.clear();
                    }
                }
                if let Some(leg) = self.leg(supervisor) {
                    leg.of = Some(debtor);
                    leg.jitter.clear();
                    leg.play(None);
                }
            }
            None if listed => self.part(supervisor),
            None => {}
        }
    }

    /// Takes a leg off whatever call it is on.
    pub(super) fn part(&mut self, id: LegId) {
        let Some(leg) = self.leg(id) else { return };
        let of = leg.of;
        let talk = std::mem::take(&mut leg.talk);
        if let Some(of) = of {
            if let Some(debtor) = self.leg(of) {
                debtor.talk.forget(id);
            }
            self.left(of, id);
        }
        for other in talk.others().collect::<Vec<_>>() {
            self.left(id, other);
        }
    }

    /// Takes a leg out for good. Whatever became of it, its end is told: a call waits for that.
    pub(super) fn remove(&mut self, id: LegId, at: Instant) {
        self.safely(Some(id), |plane| plane.part(id));
        let carried = self.take_out(id).map(|leg| {
            let counts = leg.counts();
            self.safely(Some(id), |plane| plane.dismiss(leg, at));
            counts
        });
        let fell = self.fallen.remove(&id);
        let counts = carried.or(fell).unwrap_or_default();
        self.tell(Event::Removed { leg: id, counts });
    }

    /// Ends a leg that was taken out: its recording, its goodbye.
    pub(super) fn dismiss(&mut self, mut leg: Box<Leg>, at: Instant) {
        if let Some(tap) = leg.tap.take() {
            let (line, left) = tap.seal(at);
            self.jobs
                .extend(left.into_iter().map(|job| (line.clone(), job)));
        }
        leg.say_bye();
        let unproved = leg.wire.unproved();
        if unproved > 0 {
            tracing::warn!(
                leg = leg.id.0,
                unproved,
                "datagrams without the right protection"
            );
        }
    }
}
