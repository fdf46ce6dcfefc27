//! One leg's media: its sockets, what it hears, what it is sent.

mod life;

use super::kit::{self, DtmfIn, DtmfOut, Jitter, Rx};
use super::link::Link;
use super::order::{Agreed, Counts, LegId};
use super::progress::{News, Progress};
use super::sound::{SILENCE, Sound};
use super::talk::Talk;
use super::tx::Tx;
use super::wire::Wire;
use crate::config::Codec;
use crate::limits::{self, FRAME};
use crate::recorder::{Side, Tap};
use domain::ports::SoundVerdict;
use media::comfort::{self, Noise};
use media::dtmf_inband::Detector;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Most samples of one packet that are used: 60 ms; longer packets are dropped (RFC 3551 §4.5.14
/// recommends 20 ms).
pub(super) const PACKET_SAMPLES: usize = 480;

/// Audio as it came, not decoded: most of it is passed on as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Audio<'a> {
    pub(super) codec: Codec,
    pub(super) payload: &'a [u8],
    /// Source, number and stamp of its packet.
    pub(super) source: (u32, u16, u32),
}

impl Audio<'_> {
    /// Decodes it into `buffer`.
    pub(super) fn decode<'b>(&self, buffer: &'b mut [i16; PACKET_SAMPLES]) -> &'b mut [i16] {
        let length = self.payload.len().min(PACKET_SAMPLES);
        kit::decode(self.codec, &self.payload[..length], &mut buffer[..]);
        &mut buffer[..length]
    }
}

/// What a packet from the far end was.
pub(super) enum Heard<'a> {
    Audio(Audio<'a>),
    /// A key press, at its first packet.
    Key(char),
    /// Not for us, or nothing to act on.
    Nothing,
}

/// Puts something into a frame that would be silent.
pub(super) type Background<'a> = &'a mut dyn FnMut(&mut [i16; FRAME]);

/// How a packet went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// Not at all: something else is being played or keyed.
    No,
    /// As it came.
    Whole,
    /// With something over it, or in another codec: the buffer holds what was sent.
    Changed,
}

pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(super) wire: Wire,
    behind_nat: bool,
    agreed: Option<Agreed>,
    link: Option<Link>,
    /// From when media flows both ways: the answer.
    live: Option<Instant>,
    pub(super) rx: Rx,
    keys_in: DtmfIn,
    /// Ear for keys as sound, where telephone events were not agreed.
    ear: Option<Box<Detector>>,
    keys_out: VecDeque<u8>,
    key_out: Option<DtmfOut>,
    tx: Tx,
    sound: Option<Sound>,
    /// What the far end's pauses sound like, while it is in one.
    pause: Option<Box<Noise>>,
    pub(super) jitter: Jitter,
    pub(super) tap: Option<Tap>,
    /// As a debtor's leg: what its sound is taken for, while that is of interest.
    pub(super) progress: Option<Box<Progress>>,
    /// As a debtor's leg: who is on the call.
    pub(super) talk: Talk,
    /// As an agent's or supervisor's leg: the debtor's leg it is joined to.
    pub(super) of: Option<LegId>,
    /// When it joined that call, and its counts then.
    pub(super) joined: Option<(Instant, Counts)>,
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
            ear: None,
            keys_out: VecDeque::new(),
            key_out: None,
            // Numbers begin in the lower half, so that SRTP misses no roll-over (RFC 3711 §3.3.1).
            tx: Tx::new(seed.0, seed.1 & 0x7fff, seed.2, now),
            sound: None,
            pause: None,
            jitter: Jitter::new(),
            tap: None,
            progress: None,
            talk: Talk::default(),
            of: None,
            joined: None,
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
        if !self.behind_nat {
            self.wire.tie(agreed.remote);
        }
        self.wire.protect(agreed.secured);
        self.ear = match agreed.dtmf {
            Some(_) => None,
            None => Some(self.ear.take().unwrap_or_default()),
        };
        self.agreed = Some(agreed);
    }

    /// Whether keys are to be heard in its sound. While somebody talks with it none are meant for us, and a voice
    /// might sound like one.
    pub(super) fn hears_keys(&self) -> bool {
        self.ear.is_some() && self.live.is_some() && self.talk.agent.is_none()
    }

    /// The key that goes down in its sound.
    pub(super) fn key_in(&mut self, pcm: &[i16]) -> Option<char> {
        if !self.hears_keys() {
            return None;
        }
        let found = self.ear.as_mut()?.push(pcm);
        found.first().map(|digit| digit.as_char())
    }

    /// Reads one RTP datagram.
    pub(super) fn hear<'a>(
        &mut self,
        datagram: &'a [u8],
        from: SocketAddr,
        now: Instant,
    ) -> Heard<'a> {
        let (Some(agreed), Some(link)) = (self.agreed, &mut self.link) else {
            return Heard::Nothing;
        };
        let Some(packet) = kit::read_rtp(datagram) else {
            return Heard::Nothing;
        };
        let key = Some(packet.kind) == agreed.dtmf;
        let codec = kit::codec_of(packet.kind);
        let noise = packet.kind == comfort::PAYLOAD_TYPE;
        if !(key || noise || codec.is_some()) {
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
        if noise {
            if let Some(progress) = &mut self.progress {
                progress.pause();
            }
            if let Some(ear) = &mut self.ear {
                // What was held is over.
                **ear = Detector::default();
            }
            self.pauses(packet.payload, packet.ssrc);
            return Heard::Nothing;
        }
        self.pause = None;
        let fits = (1..=PACKET_SAMPLES).contains(&packet.payload.len());
        if !fits || !agreed.receive {
            return Heard::Nothing;
        }
        Heard::Audio(Audio {
            codec: codec.unwrap_or(agreed.codec),
            payload: packet.payload,
            source: (packet.ssrc, packet.seq, packet.stamp),
        })
    }

    /// The far end falls silent and says how its silence sounds.
    fn pauses(&mut self, payload: &[u8], seed: u32) {
        let Ok(told) = comfort::Description::parse(payload) else {
            return;
        };
        match &mut self.pause {
            Some(noise) => noise.change(told),
            None => self.pause = Some(Box::new(Noise::new(told, seed))),
        }
    }

    /// The sound of the far end's pause, 20 ms of it, while it is in one.
    pub(super) fn pause_frame(&mut self) -> Option<[i16; FRAME]> {
        let mut frame = SILENCE;
        self.pause.as_mut()?.fill(&mut frame);
        Some(frame)
    }

    /// What is to be told of its sound with what the analyser is given now.
    pub(super) fn judge(
        &mut self,
        listen: impl FnOnce(&mut Progress) -> Option<SoundVerdict>,
    ) -> Option<News> {
        let progress = self.progress.as_mut()?;
        let news = News {
            early: progress.is_early(),
            verdict: listen(progress),
            print: progress.print(),
        };
        if progress.is_over() {
            self.progress = None;
        }
        Some(news)
    }

    /// Reads one RTCP datagram.
    pub(super) fn hear_rtcp(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        let Some(link) = &mut self.link else { return };
        if link.accept_rtcp(from) && self.rx.report(datagram, self.tx.ssrc(), now) {
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

    /// Passes on a packet of another leg, as it is where it can be.
    pub(super) fn forward(
        &mut self,
        audio: &Audio<'_>,
        buffer: &mut [i16; PACKET_SAMPLES],
        now: Instant,
        played: &mut impl FnMut(LegId, Instant),
    ) -> Passed {
        let exclusive = self.sound.as_ref().is_some_and(|s| !s.over);
        if !self.sends() || self.keying() || exclusive {
            return Passed::No;
        }
        let (ssrc, seq, stamp) = audio.source;
        let as_it_is = self.sound.is_none() && self.agreed.is_some_and(|a| a.codec == audio.codec);
        let (left, passed) = if as_it_is {
            let head = self.tx.forwarded(now, ssrc, seq, stamp);
            (self.pass(head, audio.payload, now), Passed::Whole)
        } else {
            let pcm = audio.decode(buffer);
            self.overlay(pcm, now, played);
            let head = self.tx.forwarded(now, ssrc, seq, stamp);
            (self.send(head, pcm, now), Passed::Changed)
        };
        self.last_forward = Some(now);
        if left { passed } else { Passed::No }
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

    /// Whether a turn of the wheel has nothing to send: the other side's packets go on as they come, as on
    /// most legs at most times.
    pub(super) fn needs_nothing(&self, now: Instant) -> bool {
        let exclusive = self.sound.as_ref().is_some_and(|s| !s.over);
        !self.sends() || (self.fed(now) && !exclusive && !self.keying())
    }

    /// Whether the other side's packets come.
    fn fed(&self, now: Instant) -> bool {
        let most = Duration::from_millis(limits::FILL_AFTER_MS);
        self.last_forward
            .is_some_and(|at| now.saturating_duration_since(at) < most)
    }

    /// One turn of the 20 ms wheel for a leg that is not in a mix: keys, sounds, and silence where
    /// nothing else is sent. Gives the frame that a listener of the recording should hear.
    pub(super) fn fill(
        &mut self,
        now: Instant,
        background: Option<Background<'_>>,
        played: &mut impl FnMut(LegId, Instant),
    ) -> Option<[i16; FRAME]> {
        if !self.sends() || self.key_tick(now) {
            return None;
        }
        let exclusive = self.sound.as_ref().is_some_and(|s| !s.over);
        if self.fed(now) && !exclusive {
            return None;
        }
        let mut frame = SILENCE;
        if let Some(background) = background
            && !exclusive
        {
            background(&mut frame);
        }
        self.overlay(&mut frame, now, played);
        let head = self.tx.made(now);
        self.send(head, &frame, now);
        // Comfort noise for who is absent is nothing that was said.
        (exclusive || self.talk.hold).then_some(frame)
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
        let Some(agreed) = self.agreed else {
            return false;
        };
        let mut payload = [0_u8; PACKET_SAMPLES];
        let payload = &mut payload[..pcm.len().min(PACKET_SAMPLES)];
        kit::encode(agreed.codec, pcm, payload);
        self.pass(head, payload, now)
    }

    /// Sends audio that is in the agreed codec.
    fn pass(&mut self, head: super::tx::Head, payload: &[u8], now: Instant) -> bool {
        let (Some(agreed), Some(link)) = (self.agreed, &self.link) else {
            return false;
        };
        let mut buffer = [0_u8; PACKET_SAMPLES + 12];
        let n = head.write(kit::kind_of(agreed.codec), payload, &mut buffer);
        let left = self.wire.send_rtp(&buffer[..n], link.remote(), now);
        if left {
            self.tx.sent(payload.len());
        }
        left
    }

    /// Records a frame on a side.
    pub(super) fn record(&mut self, side: Side, at: Instant, pcm: &[i16]) {
        if let Some(tap) = &mut self.tap {
            tap.put(side, at, pcm);
        }
    }

    /// What it sends next breaks.
    #[cfg(test)]
    pub(super) fn weaken(&mut self) {
        self.tx.packets = u64::MAX;
    }
}
