//! From one leg to the others: passing packets on, and mixing on the wheel.

use super::leg::Heard;
use super::order::{Event, LegId};
use super::sound::SILENCE;
use super::talk::Voice;
use super::thread::State;
use crate::limits::FRAME;
use crate::recorder::Side;
use std::net::SocketAddr;
use std::time::Instant;

impl State {
    /// One RTP datagram of the leg in `slot`.
    pub(super) fn packet(&mut self, slot: usize, datagram: &[u8], from: SocketAddr, now: Instant) {
        let mut pcm = self.pcm;
        let Some(leg) = self.legs.get_mut(slot).and_then(Option::as_deref_mut) else {
            return;
        };
        let id = leg.id;
        match leg.hear(datagram, from, now, &mut pcm) {
            Heard::Nothing => {}
            Heard::Key(digit) => self.tell(Event::Dtmf {
                leg: id,
                digit,
                at: now,
            }),
            Heard::Audio {
                samples,
                ssrc,
                seq,
                stamp,
            } => {
                let source = (ssrc, seq, stamp);
                match leg.of {
                    Some(debtor) => self.our_audio(id, debtor, &mut pcm[..samples], source, now),
                    None => self.debtor_audio(id, &mut pcm[..samples], source, now),
                }
            }
        }
    }

    /// Audio of a debtor's leg, or of an agent's that is on no call.
    fn debtor_audio(&mut self, id: LegId, pcm: &mut [i16], source: (u32, u16, u32), now: Instant) {
        let Some(leg) = self.leg(id) else { return };
        leg.record(Side::Debtor, now, pcm);
        if leg.talk.mixed() {
            leg.jitter.push(source, pcm);
        } else if let Some(agent) = leg.talk.agent
            && !leg.talk.hold
        {
            let mut played = Vec::new();
            if let Some(agent) = self.leg(agent) {
                agent.forward(pcm, source, now, &mut |leg, at| played.push((leg, at)));
            }
            self.tell_played(played);
        }
    }

    /// Audio of an agent or supervisor on a call.
    fn our_audio(
        &mut self,
        id: LegId,
        debtor: LegId,
        pcm: &mut [i16],
        source: (u32, u16, u32),
        now: Instant,
    ) {
        let Some(leg) = self.leg(debtor) else { return };
        if leg.talk.mixed() {
            if let Some(leg) = self.leg(id) {
                leg.jitter.push(source, pcm);
            }
            return;
        }
        if leg.talk.agent != Some(id) || !leg.talk.agent_heard() {
            return;
        }
        let mut played = Vec::new();
        if leg.forward(pcm, source, now, &mut |leg, at| played.push((leg, at))) {
            leg.record(Side::Agent, now, pcm);
            if !std::mem::replace(&mut leg.talk.told, true) {
                self.tell(Event::Bridged {
                    debtor,
                    agent: id,
                    at: now,
                });
            }
        }
        self.tell_played(played);
    }

    /// One turn of the wheel.
    pub(super) fn turn(&mut self, now: Instant) {
        let wall = self.wall.now();
        let unix_ms = u64::try_from(wall.0).unwrap_or(0);
        let ntp = media::rtcp::ntp_from_unix_ms(unix_ms);
        let mut played = Vec::new();
        for slot in 0..self.legs.len() {
            let Some(leg) = self.legs[slot].as_deref_mut() else {
                continue;
            };
            let id = leg.id;
            if matches!(leg.wire, super::wire::Wire::Browser(_)) {
                self.browser_turn(slot, now);
            }
            let Some(leg) = self.legs[slot].as_deref_mut() else {
                continue;
            };
            leg.rtcp_tick(now, ntp);
            if let Some(tap) = &mut leg.tap {
                tap.tick(now);
            }
            if let Some(silent_ms) = leg.quiet(now) {
                let (of, lifeless_ms) = (leg.of, leg.lifeless_ms(now));
                self.tell(Event::Silent {
                    leg: id,
                    of,
                    silent_ms,
                    lifeless_ms,
                    at: now,
                });
            }
            self.voice_of(slot, now, &mut played);
            let Some(leg) = self.legs[slot].as_deref_mut() else {
                continue;
            };
            if leg.newly_proved() {
                self.tell(Event::Proved { leg: id, at: now });
            }
        }
        self.tell_played(played);
    }

    /// What the leg in `slot` is sent on this turn.
    fn voice_of(&mut self, slot: usize, now: Instant, played: &mut Vec<(LegId, Instant)>) {
        let Some(leg) = self.legs[slot].as_deref_mut() else {
            return;
        };
        let (of, agent) = (leg.of, leg.talk.agent);
        if leg.talk.mixed() {
            self.mix(slot, now, played);
            return;
        }
        if let Some(debtor) = of
            && self.leg(debtor).is_some_and(|d| d.talk.mixed())
        {
            return;
        }
        // An agent whose phone or network went away must not sound like a dead line.
        let absent = agent
            .and_then(|agent| self.leg(agent))
            .is_some_and(|agent| agent.absent(now));
        let comfort = &mut self.comfort;
        let Some(leg) = self.legs[slot].as_deref_mut() else {
            return;
        };
        let background = (leg.talk.hold || absent).then_some(comfort);
        if let Some(frame) = leg.fill(now, background, &mut |leg, at| played.push((leg, at))) {
            leg.record(Side::Agent, now, &frame);
        }
    }

    /// Mixes the call of the debtor's leg in `slot` for everyone on it.
    fn mix(&mut self, slot: usize, now: Instant, played: &mut Vec<(LegId, Instant)>) {
        let Some(leg) = self.legs[slot].as_deref_mut() else {
            return;
        };
        let debtor = leg.id;
        let mut people = vec![(debtor, Voice::Debtor, None)];
        people.extend(leg.talk.agent.map(|a| (a, Voice::Agent, None)));
        people.extend(
            leg.talk
                .supervisors
                .iter()
                .map(|(s, m)| (*s, Voice::Supervisor(*m), None)),
        );
        for (id, _, frame) in &mut people {
            *frame = self.leg(*id).and_then(|leg| leg.jitter.pop());
        }
        let Some(leg) = self.leg(debtor) else { return };
        let mut heard: Vec<(LegId, [i16; FRAME])> = Vec::with_capacity(people.len());
        for (id, listener, _) in &people {
            let mut sum = SILENCE;
            for (_, speaker, frame) in people.iter().filter(|p| p.0 != *id) {
                if let Some(frame) = frame
                    && leg.talk.hears(*listener, *speaker)
                {
                    sum.iter_mut()
                        .zip(frame)
                        .for_each(|(s, f)| *s = s.saturating_add(*f));
                }
            }
            heard.push((*id, sum));
        }
        let held = leg.talk.hold;
        let agent_spoke = people
            .iter()
            .any(|(_, v, f)| *v == Voice::Agent && f.is_some())
            && leg.talk.agent_heard();
        if agent_spoke
            && let Some(agent) = leg.talk.agent
            && !std::mem::replace(&mut leg.talk.told, true)
        {
            self.tell(Event::Bridged {
                debtor,
                agent,
                at: now,
            });
        }
        for (id, mut frame) in heard {
            if held && id == debtor {
                self.comfort.add_to(&mut frame);
            }
            let Some(leg) = self.leg(id) else { continue };
            leg.send_mixed(&mut frame, now, &mut |leg, at| played.push((leg, at)));
            if id == debtor {
                leg.record(Side::Agent, now, &frame);
            }
        }
    }

    fn tell_played(&mut self, played: Vec<(LegId, Instant)>) {
        for (leg, at) in played {
            self.tell(Event::Played { leg, at });
        }
    }
}
