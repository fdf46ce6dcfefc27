//! What a media thread does with its orders.

use super::order::{Event, LegId, Order};
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
            && let Some(kept) = self.expected.get_mut(&leg)
        {
            kept.push(order);
            return;
        }
        match order {
            Order::Add(leg) => self.take_in(leg),
            Order::Expect(leg) => drop(self.expected.insert(leg, Vec::new())),
            Order::Arrive(leg) => {
                let kept = self.expected.remove(&leg.id).unwrap_or_default();
                self.take_in(leg);
                kept.into_iter().for_each(|order| self.obey(order));
            }
            Order::NeverComing(leg) => drop(self.expected.remove(&leg)),
            Order::Give(leg, line) => {
                self.part(leg);
                let passed = self
                    .let_go(leg)
                    .map_or(Order::NeverComing(leg), Order::Arrive);
                Self::pass_on(&line, passed);
            }
            Order::Stop => {
                self.stopping = true;
                let now = Instant::now();
                let all: Vec<LegId> = self.slots.keys().copied().collect();
                all.into_iter().for_each(|leg| self.remove(leg, now));
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
            Order::Hub(order) => {
                if let Some(port) = &mut self.browsers {
                    port.obey(order);
                }
            }
            Order::Browser(leg, peer) => self.browser_again(leg, peer, Instant::now()),
            Order::Datagram(leg, from, at, bytes) => self.browser_packet(leg, &bytes, from, at),
            other => self.obey_leg(other),
        }
    }

    /// Orders that touch one leg only.
    fn obey_leg(&mut self, order: Order) {
        let now = Instant::now();
        let Some(leg) = order.leg().and_then(|id| self.leg(id)) else {
            return;
        };
        match order {
            Order::Agreed(_, agreed, live) => leg.agree(agreed, live, now),
            Order::Record(_, r) => {
                if let Some(line) = r.line {
                    let mut tap = Tap::open(r.recording, r.attempt, r.key, r.from, line);
                    tap.pause(r.paused, r.from);
                    leg.tap = Some(tap);
                }
            }
            Order::PauseRecording(_, on) => {
                if let Some(tap) = &mut leg.tap {
                    tap.pause(on, now);
                }
            }
            Order::Play(_, sound) => leg.play(sound),
            Order::Hold(_, on) => leg.talk.hold = on,
            Order::Mute(_, on) => leg.talk.mute = on,
            Order::Dtmf(_, event) => leg.press(event),
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
        let before = leg.talk.agent.replace(agent);
        leg.talk = Talk {
            agent: Some(agent),
            supervisors,
            ..Talk::default()
        };
        if let Some(before) = before.filter(|b| *b != agent)
            && let Some(before) = self.leg(before)
        {
            before.of = None;
        }
    }

    fn unbridge(&mut self, debtor: LegId) {
        let Some(leg) = self.leg(debtor) else { return };
        let agent = leg.talk.agent.take();
        leg.talk.hold = false;
        leg.talk.mute = false;
        if let Some(agent) = agent.and_then(|a| self.leg(a)) {
            agent.of = None;
            agent.play(None);
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
        let of = leg.of.take();
        let talk = std::mem::take(&mut leg.talk);
        if let Some(debtor) = of.and_then(|of| self.leg(of)) {
            if debtor.talk.agent == Some(id) {
                debtor.talk.agent = None;
            }
            debtor.talk.supervisors.retain(|(s, _)| *s != id);
        }
        let others = talk
            .agent
            .into_iter()
            .chain(talk.supervisors.into_iter().map(|(s, _)| s));
        for other in others {
            if let Some(other) = self.leg(other) {
                other.of = None;
                other.play(None);
            }
        }
    }

    fn remove(&mut self, id: LegId, at: Instant) {
        self.part(id);
        let Some(mut leg) = self.let_go(id) else {
            return;
        };
        leg.say_bye();
        let counts = leg.counts();
        if let Some(tap) = leg.tap.take() {
            let (line, left) = tap.seal(at);
            self.jobs
                .extend(left.into_iter().map(|job| (line.clone(), job)));
        }
        self.tell(Event::Removed { leg: id, counts });
    }
}
