//! What all browsers' connections share: the one port, the certificate, the ways it is reached.

use super::peer::{Peer, Refused};
use crate::{VoiceError, limits};
use rand::Rng;
use rand::distr::Alphanumeric;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use str0m::IceCreds;
use str0m::config::{CryptoProvider, DtlsCert};

/// The one port of all browsers.
pub(crate) struct Front {
    socket: Arc<UdpSocket>,
    candidates: Vec<SocketAddr>,
    certificate: DtlsCert,
    crypto: CryptoProvider,
    /// Connections being answered or up.
    peers: Arc<AtomicUsize>,
}

impl Front {
    /// Opens the port and makes the certificate of this run.
    pub(crate) fn open(bind: SocketAddr, reached_at: &[IpAddr]) -> Result<Self, VoiceError> {
        let fail = |source| VoiceError::Bind {
            what: format!("udp://{bind} for browsers"),
            source,
        };
        let socket = UdpSocket::bind(bind).map_err(fail)?;
        socket.set_nonblocking(true).map_err(fail)?;
        let wide = socket2::SockRef::from(&socket);
        // A smaller one than asked for serves too.
        let _ = wide.set_recv_buffer_size(limits::BROWSER_BUFFER_BYTES);
        let _ = wide.set_send_buffer_size(limits::BROWSER_BUFFER_BYTES);
        let port = socket.local_addr().map_err(fail)?.port();
        let candidates = reached_at
            .iter()
            .map(|ip| SocketAddr::new(*ip, port))
            .collect();
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| VoiceError::config("media.webrtc", "no certificate could be made"))?;
        Ok(Self {
            socket: Arc::new(socket),
            candidates,
            certificate,
            crypto,
            peers: Arc::default(),
        })
    }

    /// Takes an offer; the connection keeps the seat.
    pub(crate) fn accept(&self, offer: &str, seat: Seat) -> Result<(Peer, String), Refused> {
        Peer::accept(self, offer, seat, Instant::now())
    }

    /// A place for one more connection, below the node's limit.
    pub(crate) fn enter(&self) -> Option<Seat> {
        let more = |n: usize| (n < limits::BROWSER_LEGS).then_some(n + 1);
        let taken = &self.peers;
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Seat(Arc::clone(taken)))
    }

    pub(crate) fn socket(&self) -> Arc<UdpSocket> {
        Arc::clone(&self.socket)
    }

    pub(crate) fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    pub(super) fn certificate(&self) -> DtlsCert {
        self.certificate.clone()
    }

    /// Fresh credentials of our side (RFC 8445 §5.3: 24 and 128 bits at least; these have 71 and
    /// 142 of the system's generator).
    pub(super) fn credentials(&self) -> IceCreds {
        let mut rng = rand::rng();
        let mut word = |letters: usize| -> String {
            (0..letters)
                .map(|_| char::from(rng.sample(Alphanumeric)))
                .collect()
        };
        IceCreds {
            ufrag: word(12),
            pass: word(24),
        }
    }

    /// HMAC-SHA1 of STUN's message integrity.
    pub(super) fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
        self.crypto.sha1_hmac_provider.sha1_hmac(key, parts)
    }
}

/// A place among the connections of the node; free again when dropped.
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_seat_is_had_and_none_beyond_it() {
        let here = IpAddr::from([127, 0, 0, 1]);
        let front = Front::open(SocketAddr::new(here, 0), &[here]).expect("opens");
        let mut seats: Vec<Seat> = std::iter::from_fn(|| front.enter()).collect();
        assert_eq!(seats.len(), limits::BROWSER_LEGS);
        seats.pop();
        assert!(front.enter().is_some(), "a seat given back can be had");
    }
}
