//! What carries a leg's packets: a port pair of its own, or a browser's connection.

use super::ports::PortPair;
use crate::webrtc::Peer;
use mio::net::UdpSocket;
use std::net::SocketAddr;
use std::time::Instant;

/// The way in and out of one leg.
pub(crate) enum Wire {
    /// A phone or a trunk: RTP, and RTCP on the port after it.
    Ports { rtp: UdpSocket, rtcp: UdpSocket },
    /// A browser; `None` while a lost one is waited for.
    Browser(Option<Box<Peer>>),
}

impl Wire {
    pub(super) fn ports(ports: PortPair) -> Self {
        Self::Ports {
            rtp: UdpSocket::from_std(ports.rtp),
            rtcp: UdpSocket::from_std(ports.rtcp),
        }
    }

    /// Sends a whole RTP packet; `false` when it did not leave.
    pub(super) fn send_rtp(&mut self, packet: &[u8], to: SocketAddr, now: Instant) -> bool {
        match self {
            Self::Ports { rtp, .. } => rtp.send_to(packet, to).is_ok(),
            Self::Browser(peer) => peer.as_mut().is_some_and(|peer| peer.send(packet, now)),
        }
    }

    /// Sends an RTCP compound; a browser gets those of its own connection.
    pub(super) fn send_rtcp(&self, packet: &[u8], to: SocketAddr) {
        if let Self::Ports { rtcp, .. } = self {
            let _ = rtcp.send_to(packet, to);
        }
    }

    /// The browser's connection, where there is one.
    pub(super) fn browser(&mut self) -> Option<&mut Peer> {
        match self {
            Self::Browser(peer) => peer.as_deref_mut(),
            Self::Ports { .. } => None,
        }
    }
}
