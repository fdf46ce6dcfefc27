//! One RTP leg.

use std::net::{SocketAddr, UdpSocket};

use media::dtmf::{Heard as Key, Press, Receiver};
use media::g711::Law;
use media::rtp::{self, Sender, SourceLock, Start};
use rand::Rng as _;
use sip::sdp::RemoteMedia;

use super::{Hearing, Voice, law};
use crate::secure::{ADDED, Shield};

/// Most datagrams read of one leg a tick; a flood waits in the socket and is lost there.
const MAX_READS: usize = 50;

pub(super) struct Leg {
    socket: UdpSocket,
    pub(super) voice: Voice,
    hearing: Hearing,
    remote: Option<RemoteMedia>,
    sender: Sender,
    lock: SourceLock,
    keys: Receiver,
    pressing: Option<(Press, u32)>,
    shield: Option<Shield>,
}

impl Leg {
    pub(super) fn new(socket: UdpSocket, voice: Voice, hearing: Hearing) -> Self {
        let mut rng = rand::rng();
        let start = Start {
            ssrc: rng.random(),
            sequence: rng.random(),
            timestamp: rng.random(),
        };
        Self {
            socket,
            voice,
            hearing,
            remote: None,
            sender: Sender::new(start),
            lock: SourceLock::default(),
            keys: Receiver::default(),
            pressing: None,
            shield: None,
        }
    }

    pub(super) fn set_remote(&mut self, remote: Option<RemoteMedia>) {
        self.lock.release();
        Shield::agree(&mut self.shield, remote.and_then(|r| r.secured));
        self.remote = remote;
    }

    pub(super) fn press(&mut self, press: Press) {
        self.pressing = Some((press, self.sender.timestamp()));
    }

    pub(super) fn tick(&mut self, now_ms: u64) {
        let mut buffer = [0u8; rtp::MAX_PACKET_BYTES + 1];
        for _ in 0..MAX_READS {
            let Ok((len, from)) = self.socket.recv_from(&mut buffer) else {
                break;
            };
            self.receive(&mut buffer[..len], from, now_ms);
        }
        self.send();
    }

    fn receive(&mut self, bytes: &mut [u8], from: SocketAddr, now_ms: u64) {
        let Some(remote) = self.remote else {
            return;
        };
        if rtp::is_rtcp(bytes) {
            return;
        }
        if from != remote.addr {
            self.hearing.count(|h| h.strangers += 1);
            return;
        }
        let length = match &mut self.shield {
            Some(shield) => shield.open(bytes),
            None => Some(bytes.len()),
        };
        let packet = length.and_then(|length| rtp::parse(&bytes[..length]).ok());
        let Some(packet) = packet else {
            self.hearing.count(|h| h.malformed += 1);
            return;
        };
        if !self.lock.accept(packet.ssrc, now_ms) {
            self.hearing.count(|h| h.strangers += 1);
            return;
        }
        if let Some(law) = Law::from_payload_type(packet.payload_type) {
            let mut samples = Vec::with_capacity(packet.payload.len());
            law.decode(packet.payload, &mut samples);
            self.hearing.audio(&samples, now_ms);
        } else if let Ok(Some(Key::Pressed(digit))) =
            self.keys.push(packet.timestamp, packet.payload)
        {
            self.hearing.digit(digit);
        }
    }

    fn send(&mut self) {
        let Some(remote) = self.remote.filter(RemoteMedia::may_send) else {
            return;
        };
        let mut packet = [0u8; rtp::MAX_PACKET_BYTES + ADDED];
        let written = match self.next_event(remote.dtmf_pt, &mut packet) {
            Some(written) => {
                self.sender.advance(160);
                written
            }
            None => {
                let Some(frame) = self.voice.frame() else {
                    self.sender.skip(160);
                    return;
                };
                let law = law(remote.codec);
                let mut coded = [0u8; 160];
                law.encode_into(&frame, &mut coded);
                self.sender
                    .packet(law.payload_type(), &coded, 160, &mut packet)
            }
        };
        let sealed = written.ok().and_then(|len| match &mut self.shield {
            Some(shield) => shield.seal(&mut packet, len),
            None => Some(len),
        });
        if let Some(len) = sealed
            && self.socket.send_to(&packet[..len], remote.addr).is_ok()
        {
            self.hearing.count(|h| h.packets_out += 1);
        }
    }

    fn next_event(
        &mut self,
        payload_type: Option<u8>,
        packet: &mut [u8],
    ) -> Option<Result<usize, media::MediaError>> {
        let (press, start) = self.pressing.as_mut()?;
        let (Some(out), Some(payload_type)) = (press.next(), payload_type) else {
            self.pressing = None;
            return None;
        };
        Some(
            self.sender
                .packet_at(payload_type, *start, out.marker, &out.payload, packet),
        )
    }
}
