//! RTP ports out of a range.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::SipTestError;

/// Hands out even UDP ports of a range, round and round; a socket gives its port back by closing.
#[derive(Debug, Clone)]
pub struct Ports {
    ip: IpAddr,
    first: u16,
    last: u16,
    next: Arc<AtomicU16>,
}

impl Ports {
    /// The even ports of `first..=last` on `ip`. A range of 0 lets the system choose.
    #[must_use]
    pub fn new(ip: IpAddr, first: u16, last: u16) -> Self {
        let first = first.saturating_add(first % 2);
        Self {
            ip,
            first,
            last,
            next: Arc::new(AtomicU16::new(first)),
        }
    }

    /// Ports of the system's choice.
    #[must_use]
    pub fn any(ip: IpAddr) -> Self {
        Self::new(ip, 0, 0)
    }

    /// A bound socket that does not block.
    ///
    /// # Errors
    /// [`SipTestError::NoPort`] when every port is taken.
    pub fn bind(&self) -> Result<(UdpSocket, SocketAddr), SipTestError> {
        let tries = if self.first == 0 {
            1
        } else {
            (self.last.saturating_sub(self.first)) / 2 + 1
        };
        for _ in 0..tries {
            let port = self.take();
            let Ok(socket) = UdpSocket::bind((self.ip, port)) else {
                continue;
            };
            let (Ok(()), Ok(address)) = (socket.set_nonblocking(true), socket.local_addr()) else {
                continue;
            };
            return Ok((socket, address));
        }
        Err(SipTestError::NoPort(self.first, self.last))
    }

    fn take(&self) -> u16 {
        let step = |port: u16| {
            Some(if port >= self.last.saturating_sub(1) {
                self.first
            } else {
                port + 2
            })
        };
        self.next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
            .unwrap_or(self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_used_up_and_given_back() {
        let ports = Ports::new(IpAddr::from([127, 0, 0, 1]), 41_200, 41_203);
        let one = ports.bind().expect("first");
        let two = ports.bind().expect("second");
        assert!(one.1.port().is_multiple_of(2) && one.1 != two.1);
        assert!(matches!(
            ports.bind(),
            Err(SipTestError::NoPort(41_200, 41_203))
        ));
        drop(one);
        assert!(ports.bind().is_ok());
    }
}
