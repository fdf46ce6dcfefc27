//! UDP: a reader per socket, with a share for strangers.

use super::acl::Door;
use super::{INBOUND_QUEUE, Inbound, Input};
use crate::limits;
use bytes::Bytes;
use sip::Source;
use sip::transport::origin;
use std::collections::HashMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

/// Datagrams of one second, by address.
pub(super) struct Shares {
    second: Instant,
    seen: HashMap<IpAddr, u32>,
    most: u32,
}

impl Shares {
    pub(super) fn new(most: u32, now: Instant) -> Self {
        Self {
            second: now,
            seen: HashMap::new(),
            most,
        }
    }

    /// Whether another message of `from` fits into its share of this second.
    pub(super) fn take(&mut self, from: IpAddr, now: Instant) -> bool {
        self.take_some(from, 1, now)
    }

    /// The same for so many messages at once. An IPv6 net counts as one address.
    pub(super) fn take_some(&mut self, from: IpAddr, messages: u32, now: Instant) -> bool {
        let from = origin(from);
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.seen.clear();
        }
        if self.seen.len() >= limits::SOURCES && !self.seen.contains_key(&from) {
            return false;
        }
        let count = self.seen.entry(from).or_insert(0);
        // What is refused is not counted: who waits gets its turn as the next second begins.
        let after = count.saturating_add(messages);
        let fits = after <= self.most || *count == 0;
        *count = if fits { after } else { *count };
        fits
    }
}

/// Listens to a socket, and to that alone: told of its room as well, the thread would be woken once more for each
/// datagram it has sent.
#[expect(
    deprecated,
    reason = "what takes its place is unsafe for the sake of types whose descriptor changes; a socket's never does"
)]
pub(super) fn ear(socket: Arc<UdpSocket>) -> std::io::Result<AsyncFd<Arc<UdpSocket>>> {
    socket.set_nonblocking(true)?;
    AsyncFd::with_interest(socket, Interest::READABLE)
}

/// Reads a socket until the signalling thread is gone.
pub(super) async fn read(
    socket: AsyncFd<Arc<UdpSocket>>,
    door: Door,
    inbound: mpsc::Sender<Inbound>,
    dropped: Arc<std::sync::atomic::AtomicU64>,
) {
    let mut buffer = vec![0_u8; limits::SIP_MESSAGE_BYTES];
    let mut shares = Shares::new(limits::UNKNOWN_SOURCE_PER_SECOND, Instant::now());
    loop {
        let came = socket
            .async_io(Interest::READABLE, |socket| socket.recv_from(&mut buffer))
            .await;
        let (n, from) = match came {
            Ok(got) => got,
            // An ICMP answer to something sent before: the socket goes on.
            Err(_) if !inbound.is_closed() => {
                tokio::task::yield_now().await;
                continue;
            }
            Err(_) => return,
        };
        let at = Instant::now();
        let count = || dropped.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (friend, heard) = door.read().map_or((false, false), |door| {
            (door.knows(from.ip()), door.hears(from.ip()))
        });
        if !heard || (!friend && !shares.take(from.ip(), at)) {
            count();
            continue;
        }
        let input = Input::Bytes(Bytes::copy_from_slice(&buffer[..n]));
        let message = Inbound {
            source: Source::udp(from),
            at,
            input,
        };
        let refused = if friend {
            inbound.send(message).await.is_err()
        } else {
            // A flood of strangers is dropped here; a trunk's answer waits its turn, in the half of
            // the queue that strangers do not get.
            if inbound.capacity() <= INBOUND_QUEUE / 2 {
                count();
                continue;
            }
            match inbound.try_send(message) {
                Ok(()) => false,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    count();
                    false
                }
                Err(mpsc::error::TrySendError::Closed(_)) => true,
            }
        };
        if refused {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_a_second_for_each() {
        let t0 = Instant::now();
        let mut shares = Shares::new(3, t0);
        let (a, b) = (IpAddr::from([1, 1, 1, 1]), IpAddr::from([2, 2, 2, 2]));
        assert_eq!((0..5).filter(|_| shares.take(a, t0)).count(), 3);
        assert!(shares.take(b, t0), "another source has its own share");
        assert!(shares.take(a, t0 + Duration::from_secs(1)));
    }
}
