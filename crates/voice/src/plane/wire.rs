//! What carries a leg's packets: a port pair of its own, or a browser's connection.

use super::guard::Guard;
use super::ports::PortPair;
use crate::webrtc::Peer;
use sip::sdp::Secured;
use std::net::SocketAddr;
use std::time::Instant;

/// The way in and out of one leg.
pub(crate) enum Wire {
    /// A phone or a trunk: RTP, and RTCP on the port after it.
    Ports(PortPair, Option<Box<Guard>>),
    /// A browser; `None` while a lost one is waited for.
    Browser(Option<Box<Peer>>),
}

impl Wire {
    /// Reads a datagram of the RTP port, or of the RTCP port where `control`. `None`: nothing came, or
    /// its protection is not right.
    pub(super) fn receive(
        &mut self,
        control: bool,
        buffer: &mut [u8],
    ) -> Option<(usize, SocketAddr)> {
        let Self::Ports(ports, guard) = self else {
            return None;
        };
        let (length, from) = ports.receive(control, buffer)?;
        let Some(guard) = guard else {
            return Some((length, from));
        };
        let length = guard.open(control, &mut buffer[..length])?;
        Some((length, from))
    }

    /// What was agreed on protection; a browser's connection has its own.
    pub(super) fn protect(&mut self, secured: Option<Secured>) {
        if let Self::Ports(_, guard) = self {
            Guard::agree(guard, secured);
        }
    }

    /// Media goes to and comes from there only.
    pub(super) fn tie(&mut self, to: SocketAddr) {
        if let Self::Ports(ports, _) = self {
            ports.tie(to);
        }
    }

    /// Datagrams dropped because their protection was not right.
    pub(super) fn unproved(&self) -> u64 {
        match self {
            Self::Ports(_, Some(guard)) => guard.dropped(),
            _ => 0,
        }
    }

    /// Sends a whole RTP packet; `false` when it did not leave.
    pub(super) fn send_rtp(&mut self, packet: &[u8], to: SocketAddr, now: Instant) -> bool {
        match self {
            Self::Ports(ports, None) => ports.send(packet, to),
            Self::Ports(ports, Some(guard)) => guard
                .seal(false, packet)
                .is_some_and(|sealed| ports.send(sealed, to)),
            Self::Browser(peer) => peer.as_mut().is_some_and(|peer| peer.send(packet, now)),
        }
    }

    /// Sends an RTCP compound; a browser gets those of its own connection.
    pub(super) fn send_rtcp(&mut self, packet: &[u8], to: SocketAddr) {
        let Self::Ports(ports, guard) = self else {
            return;
        };
        let packet = match guard {
            Some(guard) => guard.seal(true, packet),
            None => Some(packet),
        };
        if let Some(packet) = packet {
            let _ = ports.rtcp.send_to(packet, to);
        }
    }

    /// The browser's connection, where there is one.
    pub(super) fn browser(&mut self) -> Option<&mut Peer> {
        match self {
            Self::Browser(peer) => peer.as_deref_mut(),
            Self::Ports(..) => None,
        }
    }
}
