//! Waiting for many sockets at once: epoll, level-triggered.
//!
//! A port per leg brings one packet each 20 ms, so a socket is read once for each time it is told:
//! with edges it would have to be read until it is empty, which is a second system call a packet.

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Sockets told in one go; the rest is told in the next.
const AT_ONCE: usize = 512;

/// Who is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token(pub(super) u64);

/// Somebody wants the thread to look at its orders.
pub(super) const WAKE: Token = Token(u64::MAX);

/// What waits.
pub(super) struct Poll {
    epoll: OwnedFd,
    wake: OwnedFd,
}

/// Those told by one wait; stays on its thread.
pub(super) struct Told(Vec<epoll::Event>);

impl Told {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(AT_ONCE))
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Number `n` of them.
    pub(super) fn token(&self, n: usize) -> Token {
        self.0.get(n).map_or(WAKE, |told| Token(told.data.u64()))
    }
}

/// Ends another thread's wait.
pub(super) struct Waker(OwnedFd);

impl Poll {
    pub(super) fn new() -> io::Result<(Self, Waker)> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let waker = Waker(wake.try_clone()?);
        let poll = Self { epoll, wake };
        poll.add(&poll.wake, WAKE)?;
        Ok((poll, waker))
    }

    /// Tells when there is something to read.
    pub(super) fn add(&self, socket: &impl AsFd, token: Token) -> io::Result<()> {
        let data = epoll::EventData::new_u64(token.0);
        Ok(epoll::add(
            &self.epoll,
            socket,
            data,
            epoll::EventFlags::IN,
        )?)
    }

    pub(super) fn remove(&self, socket: &impl AsFd) {
        // One that was never added is as good as removed.
        let _ = epoll::delete(&self.epoll, socket);
    }

    /// Waits until something is told or the time is over.
    pub(super) fn wait(&self, most: Duration, told: &mut Told) {
        let most = Timespec {
            tv_sec: i64::try_from(most.as_secs()).unwrap_or(0),
            tv_nsec: most.subsec_nanos().into(),
        };
        told.0.clear();
        let room = rustix::buffer::spare_capacity(&mut told.0);
        // An interrupted wait is a short one: the loop looks at everything anyway.
        let _ = epoll::wait(&self.epoll, room, Some(&most));
    }

    /// A wake-up was seen.
    pub(super) fn awake(&self) {
        let _ = rustix::io::read(&self.wake, &mut [0_u8; 8]);
    }
}

impl Waker {
    pub(super) fn wake(&self) {
        // Full means that a wake-up is under way.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn what_is_not_read_is_told_again_and_a_wake_up_once() {
        let (poll, waker) = Poll::new().expect("epoll");
        let mut told = Told::new();
        let mut wait = |poll: &Poll, most| {
            poll.wait(Duration::from_secs(most), &mut told);
            (0..told.count()).map(|n| told.token(n)).collect::<Vec<_>>()
        };
        let socket = UdpSocket::bind("127.0.0.1:0").expect("binds");
        poll.add(&socket, Token(7)).expect("adds");
        assert_eq!(wait(&poll, 0), []);
        let to = socket.local_addr().expect("bound");
        for _ in 0..2 {
            socket.send_to(b"x", to).expect("sends");
        }
        for _ in 0..2 {
            assert_eq!(wait(&poll, 5), [Token(7)]);
            socket.recv(&mut [0; 8]).expect("reads");
        }
        waker.wake();
        waker.wake();
        assert_eq!(wait(&poll, 5), [WAKE]);
        poll.awake();
        assert_eq!(wait(&poll, 0), []);
        poll.remove(&socket);
        socket.send_to(b"x", to).expect("sends");
        assert_eq!(wait(&poll, 0), []);
    }
}
