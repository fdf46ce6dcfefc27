//! One leg's media: its sockets, what it hears, what it is sent.

use super::kit::{self, DtmfIn, DtmfOut, Jitter, Rx};
use super::link::Link;
use super::order::{Agreed, Counts, LegId};
use super::sound::{SILENCE, Sound};
use super::talk::Talk;
use super::tx::Tx;
use super::wire::Wire;
use crate::limits::{self, FRAME};
use crate::recorder::{Side, Tap};
use crate::wall::ms;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Most samples of one packet that are used: 60 ms; longer packets are dropped (RFC 3551 §4.5.14
/// recommends 20 ms).
pub(super) const PACKET_SAMPLES: usize = 480;

/// What a packet from the far end was.
pub(super) enum Heard {
    /// Audio, decoded into the caller's buffer.
    Audio {
        samples: usize,
        ssrc: u32,
        seq: u16,
        stamp: u32,
    },
    /// The end of a key press.
    Key(char),
    /// Not for us, or nothing to act on.
    Nothing,
}

pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(super) wire: Wire,
    behind_nat: bool,
    agreed: Option<Agreed>,
    link: Option<Link>,
    /// From when media flows both ways: the answer.
    live: Option<Instant>,
    rx: Rx,
    keys_in: DtmfIn,
    keys_out: VecDeque<u8>,
    key_out: Option<DtmfOut>,
    tx: Tx,
    sound: Option<Sound>,
    pub(super) jitter: Jitter,
    pub(super) tap: Option<Tap>,
    /// As a debtor's leg: who is on the call.
    pub(super) talk: Talk,
    /// As an agent's or supervisor's leg: the debtor's leg it is joined to.
    pub(super) of: Option<LegId>,
    last_audio: Option<Instant>,
    /// Last sign of life, RTCP too: a phone may keep silent by design.
    last_life: Option<Instant>,
    last_forward: Option<Instant>,
    next_rtcp: Option<Instant>,
    told_quiet: i64,
    proved: bool,
}

impl Leg {
    /// A leg on freshly drawn ports or a browser's connection; `seed` gives SSRC, first number and first stamp.
    pub(crate) fn new(
        id: LegId,
        wire: Wire,
        behind_nat: bool,
        seed: (u32, u16, u32),
        now: Instant,
    ) -> Self {
        Self {
            id,
            wire,
            behind_nat,
            agreed: None,
            link: None,
            live: None,
            rx: Rx::new(),
            keys_in: DtmfIn::new(),
            keys_out: VecDeque::new(),
            key_out: None,
            tx: Tx::new(seed.0, seed.1, seed.2, now),
            sound: None,
            jitter: Jitter::new(),
            tap: None,
            talk: Talk::default(),
            of: None,
            last_audio: None,
            last_life: None,
            last_forward: None,
            next_rtcp: None,
            told_quiet: 0,
            proved: false,
        }
    }

    /// Offer and answer agreed, or agreed anew.
    pub(super) fn agree(&mut self, agreed: Agreed, live: bool, now: Instant) {
        match &mut self.link {
            Some(link) => link.renegotiate(agreed.remote),
            None => self.link = Some(Link::new(agreed.remote, self.behind_nat)),
        }
        if live && self.live.is_none() {
            // The answer may bring another stream than the early media.
            self.link = Some(Link::new(agreed.remote, self.behind_nat));
            self.live = Some(now);
            self.next_rtcp = Some(now + limits::RTCP_PERIOD);
        }
        if self.agreed.is_some_and(|old| !old.receive) && agreed.receive {
            self.last_audio = Some(now);
        }
        self.agreed = Some(agreed);
    }

    /// Reads one RTP datagram; audio is decoded into `pcm`.
    pub(super) fn hear(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
        pcm: &mut [i16; PACKET_SAMPLES],
    ) -> Heard {
        let (Some(agreed), Some(link)) = (self.agreed, &mut self.link) else {
            return Heard::Nothing;
        };
        let Some(packet) = kit::read_rtp(datagram) else {
            return Heard::Nothing;
        };
        let key = Some(packet.kind) == agreed.dtmf;
        if !key && kit::codec_of(packet.kind).is_none() {
            return Heard::Nothing;
        }
        if !link.accept(from, packet.ssrc, now) {
            return Heard::Nothing;
        }
        self.rx.packet(packet.seq, packet.stamp, packet.ssrc, now);
        self.last_audio = Some(now);
        self.last_life = Some(now);
        self.told_quiet = 0;
        if key {
            let pressed = self.keys_in.packet(packet.stamp, packet.payload);
            return pressed.map_or(Heard::Nothing, Heard::Key);
        }
        let codec = kit::codec_of(packet.kind).unwrap_or(agreed.codec);
        if packet.payload.is_empty() || packet.payload.len() > PACKET_SAMPLES || !agreed.receive {
            return Heard::Nothing;
        }
        kit::decode(codec, packet.payload, &mut pcm[..]);
        Heard::Audio {
            samples: packet.payload.len(),
            ssrc: packet.ssrc,
            seq: packet.seq,
            stamp: packet.stamp,
        }
    }

    /// Reads one RTCP datagram.
    pub(super) fn hear_rtcp(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        let Some(link) = &mut self.link else { return };
        if link.accept_rtcp(from) && self.rx.report(datagram, now) {
            self.last_life = Some(now);
        }
    }

    /// The far end did something, if only a check of its connection.
    pub(super) fn alive(&mut self, now: Instant) {
        self.last_life = Some(now);
    }

    /// Where media comes from and goes to; unspecified before anything was agreed.
    pub(super) fn remote(&self) -> SocketAddr {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        self.link.as_ref().map_or(nowhere, Link::remote)
    }

    /// Whether nothing has been heard for so long that somebody on the call would wonder.
    pub(super) fn absent(&self, now: Instant) -> bool {
        self.last_audio
            .is_some_and(|at| now.saturating_duration_since(at) >= limits::AGENT_ABSENT)
    }

    /// Whether we may send audio now.
    pub(super) fn sends(&self) -> bool {
        self.live.is_some() && self.agreed.is_some_and(|a| a.send)
    }

    /// Passes on a frame of another leg; `false` when something else is being played or keyed here.
    pub(super) fn forward(
        &mut self,
        pcm: &mut [i16],
        source: (u32, u16, u32),
        now: Instant,
        played: &mut impl FnMut(LegId, Instant),
    ) -> bool {
        if !self.sends() || self.keying() || self.sound.as_ref().is_some_and(|s| !s.over) {
            return false;
        }
        self.overlay(pcm, now, played);
        let head = self.tx.forwarded(now, source.0, source.1, source.2);
        self.last_forward = Some(now);
        self.send(head, pcm, now)
    }

    /// Sends a mixed frame.
    pub(super) fn send_mixed(
        &mut self,
        pcm: &mut [i16; FRAME],
        now: Instant,
        played: &mut impl FnMut(LegId, Instant),
    ) {
        if !self.sends() || self.key_tick(now) {
            return;
        }
        if self.sound.as_ref().is_some_and(|s| !s.over) {
            *pcm = SILENCE;
        }
        self.overlay(pcm, now, played);
        let head = self.tx.made(now);
        self.send(head, pcm, now);
    }

    /// One turn of the 20 ms wheel for a leg that is not in a mix: keys, sounds, and silence where
    /// nothing else is sent. Gives the frame that a listener of the recording should hear.
    pub(super) fn fill(
        &mut self,
        now: Instant,
        background: Option<&mut Sound>,
        played: &mut impl FnMut(LegId, Instant),
    ) -> Option<[i16; FRAME]> {
        if !self.sends() || self.key_tick(now) {
            return None;
        }
        let exclusive = self.sound.as_ref().is_some_and(|s| !s.over);
        let fed = self.last_forward.is_some_and(|at| {
            now.saturating_duration_since(at) < Duration::from_millis(limits::FILL_AFTER_MS)
        });
        if fed && !exclusive {
            return None;
        }
        let mut frame = SILENCE;
        if let Some(background) = background
            && !exclusive
        {
            background.add_to(&mut frame);
        }
        self.overlay(&mut frame, now, played);
        let head = self.tx.made(now);
        self.send(head, &frame, now);
        exclusive.then_some(frame)
    }

    fn overlay(&mut self, pcm: &mut [i16], now: Instant, played: &mut impl FnMut(LegId, Instant)) {
        if let Some(sound) = &mut self.sound
            && !sound.add_to(pcm)
        {
            if sound.tell {
                played(self.id, now);
            }
            self.sound = None;
        }
    }

    /// Plays a sound instead of what was playing.
    pub(super) fn play(&mut self, sound: Option<Sound>) {
        self.sound = sound;
    }

    /// Stops a sound that takes the place of the conversation.
    pub(super) fn hush(&mut self) {
        if self.sound.as_ref().is_some_and(|s| !s.over) {
            self.sound = None;
        }
    }

    /// Queues a key for the far end.
    pub(super) fn press(&mut self, event: u8) {
        if self.keys_out.len() < limits::DTMF_QUEUE {
            self.keys_out.push_back(event);
        }
    }

    fn keying(&self) -> bool {
        self.key_out.is_some() || !self.keys_out.is_empty()
    }

    /// Sends what is due of a key press; `false` when no key is being sent.
    fn key_tick(&mut self, now: Instant) -> bool {
        let Some(agreed) = self.agreed else {
            return false;
        };
        if self.key_out.is_none() {
            let Some(event) = self.keys_out.pop_front() else {
                return false;
            };
            if agreed.dtmf.is_none() {
                // Without telephone-event the key goes as tones, over what is heard.
                self.sound = Some(Sound::over(kit::key_tones(event), false));
                return false;
            }
            self.key_out = Some(DtmfOut::new(event));
        }
        let (Some(key), Some(kind), Some(link)) = (&mut self.key_out, agreed.dtmf, &self.link)
        else {
            return false;
        };
        let Some((payload, first)) = key.tick() else {
            self.key_out = None;
            return false;
        };
        let mut buffer = [0_u8; 32];
        let head = self.tx.event(now, first);
        let n = head.write(kind, &payload, &mut buffer);
        if self.wire.send_rtp(&buffer[..n], link.remote(), now) {
            self.tx.sent(payload.len());
        }
        true
    }

    fn send(&mut self, head: super::tx::Head, pcm: &[i16], now: Instant) -> bool {
        let (Some(agreed), Some(link)) = (self.agreed, &self.link) else {
            return false;
        };
        let mut payload = [0_u8; PACKET_SAMPLES];
        let payload = &mut payload[..pcm.len().min(PACKET_SAMPLES)];
        kit::encode(agreed.codec, pcm, payload);
        let mut buffer = [0_u8; PACKET_SAMPLES + 12];
        let n = head.write(kit::kind_of(agreed.codec), payload, &mut buffer);
        let left = self.wire.send_rtp(&buffer[..n], link.remote(), now);
        if left {
            self.tx.sent(payload.len());
        }
        left
    }

    /// Sends the RTCP report when it is due.
    pub(super) fn rtcp_tick(&mut self, now: Instant, wall_ntp: u64) {
        let (Some(due), Some(link)) = (self.next_rtcp, &self.link) else {
            return;
        };
        if now < due {
            return;
        }
        self.next_rtcp = Some(now + limits::RTCP_PERIOD);
        let mut buffer = [0_u8; 128];
        let n = self.rx.write_report(&self.tx, wall_ntp, now, &mut buffer);
        self.wire.send_rtcp(&buffer[..n], link.remote_rtcp());
    }

    /// Whether audio has passed both ways, said once.
    pub(super) fn newly_proved(&mut self) -> bool {
        let proved = self.live.is_some() && self.last_audio.is_some() && self.tx.packets > 0;
        proved && !std::mem::replace(&mut self.proved, proved)
    }

    /// An alarm when nothing came for long, once a second.
    pub(super) fn quiet(&mut self, now: Instant) -> Option<i64> {
        let live = self.live?;
        if !self.agreed.is_some_and(|a| a.receive) {
            return None;
        }
        let last = self.last_audio.map_or(live, |at| at.max(live));
        let silent_ms = ms(now.saturating_duration_since(last));
        let due = (self.told_quiet + limits::ONE_WAY_REPEAT_MS).max(limits::ONE_WAY_MS);
        if silent_ms < due {
            return None;
        }
        self.told_quiet = silent_ms;
        Some(silent_ms)
    }

    /// Milliseconds without any sign of life, RTCP counted.
    pub(super) fn lifeless_ms(&self, now: Instant) -> i64 {
        let since = self.last_life.max(self.live);
        since.map_or(0, |at| ms(now.saturating_duration_since(at)))
    }

    /// Records a frame on a side.
    pub(super) fn record(&mut self, side: Side, at: Instant, pcm: &[i16]) {
        if let Some(tap) = &mut self.tap {
            tap.put(side, at, pcm);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            received: self.rx.received(),
            sent: self.tx.packets,
            lost: self.rx.lost(),
        }
    }

    /// Tells the far end that the stream is over (RTCP BYE).
    pub(super) fn say_bye(&mut self) {
        if let Some(browser) = self.wire.browser() {
            browser.say_bye(Instant::now());
        }
        let Some(link) = &self.link else { return };
        if self.tx.packets > 0 {
            let mut buffer = [0_u8; 32];
            let n = kit::write_bye(self.tx.ssrc(), &mut buffer);
            self.wire.send_rtcp(&buffer[..n], link.remote_rtcp());
        }
    }
}
