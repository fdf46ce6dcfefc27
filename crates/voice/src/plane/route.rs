//! From one leg to the others: passing packets on, and mixing on the wheel.

use super::leg::{Audio, Heard, Leg, PACKET_SAMPLES, Passed};
use super::order::{Event, LegId};
use super::progress::News;
use super::sound::SILENCE;
use super::talk::Voice;
use super::thread::State;
use crate::limits::FRAME;
use crate::recorder::Side;
use std::net::SocketAddr;
use std::time::Instant;

/// What a mix is made of, kept from one to the next: a thread mixes call by call.
#[derive(Default)]
pub(super) struct Mixer {
    /// Who is on the call, and what each says now.
    people: Vec<(LegId, Voice, Option<[i16; FRAME]>)>,
    /// What each is to hear.
    heard: Vec<(LegId, [i16; FRAME])>,
}

impl State {
    /// One RTP datagram of the leg in `slot`.
    pub(super) fn packet(&mut self, slot: usize, datagram: &[u8], from: SocketAddr, now: Instant) {
        let Some(leg) = self.legs.get_mut(slot).and_then(Option::as_deref_mut) else {
            return;
        };
        let (id, of) = (leg.id, leg.of);
        match leg.hear(datagram, from, now) {
            Heard::Nothing => {}
            Heard::Key(digit) => self.tell(Event::Dtmf {
                leg: id,
                digit,
                at: now,
            }),
            Heard::Audio(audio) => match of {
                Some(debtor) => self.our_audio(id, debtor, &audio, now),
                None => self.debtor_audio(slot, &audio, now),
            },
        }
    }

    /// Audio of a debtor's leg, or of an agent's that is on no call.
    fn debtor_audio(&mut self, slot: usize, audio: &Audio<'_>, now: Instant) {
        let mut buffer = [0_i16; PACKET_SAMPLES];
        let Some(leg) = self.legs.get_mut(slot).and_then(Option::as_deref_mut) else {
            return;
        };
        let mixed = leg.talk.mixed();
        let (id, mut news, mut key) = (leg.id, None, None);
        if mixed || leg.tap.is_some() || leg.progress.is_some() || leg.hears_keys() {
            let pcm = audio.decode(&mut buffer);
            key = leg.key_in(pcm);
            news = leg.judge(|progress| progress.hear(audio.source, pcm, now));
            leg.record(Side::Debtor, now, pcm);
            if mixed {
                leg.jitter.push(audio.source, pcm);
            }
        }
        if !mixed
            && let Some(agent) = leg.talk.agent
            && !leg.talk.hold
        {
            // What breaks on the way out of the agent's leg is no fault of the debtor's.
            self.safely(Some(agent), |plane| {
                let mut played = Vec::new();
                if let Some(agent) = plane.leg(agent) {
                    let told = &mut |leg, at| played.push((leg, at));
                    agent.forward(audio, &mut buffer, now, told);
                }
                plane.tell_played(played);
            });
        }
        if let Some(digit) = key {
            self.tell(Event::Dtmf {
                leg: id,
                digit,
                at: now,
            });
        }
        self.tell_news(id, news, now);
    }

    fn tell_news(&mut self, leg: LegId, news: Option<News>, now: Instant) {
        let Some(news) = news else { return };
        if let Some(print) = news.print {
            self.tell(Event::Printed {
                leg,
                print: Box::new(print),
                at: now,
            });
        }
        if let Some(verdict) = news.verdict {
            self.tell(Event::Classified {
                leg,
                verdict,
                early: news.early,
                at: now,
            });
        }
    }

    /// Audio of an agent or supervisor on a call.
    fn our_audio(&mut self, id: LegId, debtor: LegId, audio: &Audio<'_>, now: Instant) {
        let Some(leg) = self.leg(debtor) else { return };
        if leg.talk.mixed() {
            let mut buffer = [0_i16; PACKET_SAMPLES];
            if let Some(leg) = self.leg(id) {
                leg.jitter.push(audio.source, audio.decode(&mut buffer));
            }
            return;
        }
        if leg.talk.agent == Some(id) && leg.talk.agent_heard() {
            self.safely(Some(debtor), |plane| {
                plane.agent_audio(id, debtor, audio, now);
            });
        }
    }

    /// Audio of the agent, on its way to the debtor.
    fn agent_audio(&mut self, id: LegId, debtor: LegId, audio: &Audio<'_>, now: Instant) {
        let mut buffer = [0_i16; PACKET_SAMPLES];
        let Some(leg) = self.leg(debtor) else { return };
        let mut played = Vec::new();
        let told = &mut |leg, at| played.push((leg, at));
        let passed = leg.forward(audio, &mut buffer, now, told);
        if passed != Passed::No {
            if leg.tap.is_some() {
                if passed == Passed::Whole {
                    audio.decode(&mut buffer);
                }
                leg.record(Side::Agent, now, &buffer[..audio.payload.len()]);
            }
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
            let Some(id) = self.legs[slot].as_ref().map(|leg| leg.id) else {
                continue;
            };
            self.safely(Some(id), |plane| {
                plane.turn_of(slot, (now, ntp), &mut played);
            });
        }
        self.tell_played(played);
    }

    /// What is due on the leg in `slot`.
    fn turn_of(
        &mut self,
        slot: usize,
        (now, ntp): (Instant, u64),
        played: &mut Vec<(LegId, Instant)>,
    ) {
        let browser = |leg: &Leg| matches!(leg.wire, super::wire::Wire::Browser(_));
        if self.legs[slot].as_deref().is_some_and(browser) {
            self.browser_turn(slot, now);
        }
        let Some(leg) = self.legs[slot].as_deref_mut() else {
            return;
        };
        let id = leg.id;
        leg.rtcp_tick(now, ntp);
        if let Some(tap) = &mut leg.tap {
            tap.tick(now);
        }
        let news = leg.judge(|progress| progress.wait(now));
        let quiet = leg.quiet(now);
        let (of, lifeless_ms) = (leg.of, leg.lifeless_ms(now));
        self.tell_news(id, news, now);
        if let Some(silent_ms) = quiet {
            self.tell(Event::Silent {
                leg: id,
                of,
                silent_ms,
                lifeless_ms,
                at: now,
            });
        }
        self.voice_of(slot, now, played);
        let Some(leg) = self.legs[slot].as_deref_mut() else {
            return;
        };
        if leg.newly_proved() {
            self.tell(Event::Proved { leg: id, at: now });
        }
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
        if leg.needs_nothing(now) {
            return;
        }
        if let Some(debtor) = of
            && self.leg(debtor).is_some_and(|d| d.talk.mixed())
        {
            return;
        }
        // An agent whose phone or network went away must not sound like a dead line, and who told how
        // his pause sounds sounds so.
        let feeder = of.or(agent).and_then(|feeder| self.leg(feeder));
        let absent = of.is_none() && feeder.as_ref().is_some_and(|agent| agent.absent(now));
        let pause = feeder.and_then(super::leg::Leg::pause_frame);
        let comfort = &mut self.comfort;
        let Some(leg) = self.legs[slot].as_deref_mut() else {
            return;
        };
        let hold = leg.talk.hold;
        let mut music = leg.talk.music.take();
        let held = music.as_mut().unwrap_or(comfort);
        let mut background = |frame: &mut [i16; FRAME]| match pause {
            Some(pause) if !hold => *frame = pause,
            _ if hold || absent => drop(held.add_to(frame)),
            _ => {}
        };
        let filled = leg.fill(now, Some(&mut background), &mut |leg, at| {
            played.push((leg, at));
        });
        leg.talk.music = music;
        if let Some(frame) = filled {
            leg.record(Side::Agent, now, &frame);
        }
    }

    /// Mixes the call of the debtor's leg in `slot` for everyone on it.
    fn mix(&mut self, slot: usize, now: Instant, played: &mut Vec<(LegId, Instant)>) {
        let mut mixer = std::mem::take(&mut self.mixer);
        self.mix_by(&mut mixer, slot, now, played);
        self.mixer = mixer;
    }

    fn mix_by(
        &mut self,
        mixer: &mut Mixer,
        slot: usize,
        now: Instant,
        played: &mut Vec<(LegId, Instant)>,
    ) {
        let Some(leg) = self.legs[slot].as_deref_mut() else {
            return;
        };
        let debtor = leg.id;
        let Mixer { people, heard } = mixer;
        people.clear();
        people.push((debtor, Voice::Debtor, None));
        people.extend(leg.talk.agent.map(|a| (a, Voice::Agent, None)));
        people.extend(leg.talk.parties.iter().map(|p| (*p, Voice::Party, None)));
        people.extend(
            leg.talk
                .supervisors
                .iter()
                .map(|(s, m)| (*s, Voice::Supervisor(*m), None)),
        );
        // Each leg's part of the work is its own, and so is what breaks in it.
        for (id, _, frame) in people.iter_mut() {
            *frame = self.said(*id);
        }
        let Some(leg) = self.leg(debtor) else { return };
        heard.clear();
        for (id, listener, _) in people.iter() {
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
        for (id, frame) in heard {
            self.safely(Some(*id), |plane| {
                let Some(leg) = plane.leg(*id) else { return };
                if held && let Some(music) = &mut leg.talk.music {
                    music.add_to(frame);
                }
                leg.send_mixed(frame, now, &mut |leg, at| played.push((leg, at)));
                if *id == debtor {
                    leg.record(Side::Agent, now, frame);
                }
            });
        }
    }

    /// What a leg on a mixed call says now.
    fn said(&mut self, id: LegId) -> Option<[i16; FRAME]> {
        let mut frame = None;
        self.safely(Some(id), |plane| {
            let leg = plane.leg(id);
            frame = leg.and_then(|leg| leg.jitter.pop().or_else(|| leg.pause_frame()));
        });
        frame
    }

    fn tell_played(&mut self, played: Vec<(LegId, Instant)>) {
        for (leg, at) in played {
            self.tell(Event::Played { leg, at });
        }
    }
}
