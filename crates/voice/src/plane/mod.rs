//! The media plane: threads of our own, outside tokio, that carry RTP.
//!
//! Each thread waits in epoll for its legs' sockets, passes packets of joined legs on as they come
//! (numbers, order and gaps kept: the far end's jitter buffer does the smoothing), and turns a 20 ms
//! wheel for everything that we make ourselves: messages, tones, silence, keys, and the mix when a
//! supervisor is on the line. Both legs of a call live on one thread; an agent's leg moves to the
//! debtor's thread when they are joined.

mod browser;
mod fault;
mod guard;
mod kit;
mod leg;
mod link;
mod obey;
mod order;
mod pace;
mod poll;
mod ports;
mod progress;
mod prompts;
mod route;
mod sound;
mod stay;
mod talk;
#[cfg(test)]
mod tests;
mod thread;
mod tx;
mod wire;

use browser::HubOrder;
pub(crate) use kit::{key_event, read_wav};
use leg::Leg;
pub(crate) use order::{Agreed, Counts, Event, LegId, Order, Record};
pub(crate) use prompts::Prompts;
pub(crate) use sound::{Sound, Tones};
use thread::ThreadLine;
use wire::Wire;

use crate::webrtc::{Front, Hub, Peer};
use crate::{VoiceError, limits};
use rand::Rng;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

/// Lets a leg that agreed on `agreed` hear datagrams, as RTP and as RTCP, without sockets.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn hear_all<'a>(
    agreed: Agreed,
    datagrams: impl Iterator<Item = &'a [u8]>,
    from: std::net::SocketAddr,
    now: Instant,
) {
    let mut leg = Leg::new(LegId(1), Wire::Browser(None), false, (1, 2, 3), now);
    leg.agree(agreed, true, now);
    for datagram in datagrams {
        leg.hear(datagram, from, now);
        leg.hear_rtcp(datagram, from, now);
        leg.pause_frame();
    }
}

/// The load of a thread that is gone: it is never the emptiest that takes a leg.
const GONE: usize = usize::MAX / 2;

/// The way to the media threads, with the sockets' range; lives in the signalling thread.
pub(crate) struct Plane {
    threads: Vec<thread::Running>,
    load: Vec<usize>,
    homes: HashMap<LegId, usize>,
    /// Where legs are whose end was ordered and not told yet.
    leaving: HashMap<LegId, usize>,
    /// Browsers' legs: they have no port here.
    browsers: HashSet<LegId>,
    bind: IpAddr,
    range: RangeInclusive<u16>,
    /// Ports of the other legs, and those that are not drawn again yet.
    ports: HashMap<LegId, u16>,
    resting: ports::Resting,
    next: u64,
    browsers_come: bool,
}

impl Plane {
    /// Starts `threads` threads (0 = one less than the cores, at least 1). `tell` hands an event to
    /// the signalling thread and gives it back when that is behind.
    pub(crate) fn start<F>(
        threads: usize,
        (bind, range): (IpAddr, RangeInclusive<u16>),
        tones: &Tones,
        wall: &crate::wall::Wall,
        front: Option<Arc<Front>>,
        tell: F,
    ) -> Result<Self, VoiceError>
    where
        F: Fn(Event) -> Result<(), Event> + Clone + Send + 'static,
    {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if threads == 0 {
            cores.saturating_sub(1).max(1)
        } else {
            threads
        };
        let browsers_come = front.is_some();
        let threads = (0..count)
            .map(|n| {
                let front = front.clone().filter(|_| n == 0);
                let hub = front.map(|front| Hub::new(front, Instant::now()));
                thread::start(n, tones.clone(), wall.clone(), hub, tell.clone())
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            load: vec![0; count],
            threads,
            homes: HashMap::new(),
            leaving: HashMap::new(),
            browsers: HashSet::new(),
            bind,
            range,
            ports: HashMap::new(),
            resting: ports::Resting::default(),
            next: 0,
            browsers_come,
        })
    }

    /// A leg for a browser's connection; `None` when legs are used up.
    pub(crate) fn add_browser(&mut self, peer: Box<Peer>) -> Option<LegId> {
        let home = self.emptiest()?;
        self.next += 1;
        let id = LegId(self.next);
        self.put_browser(id, home, &peer);
        let wire = Wire::Browser(Some(peer));
        let leg = Leg::new(id, wire, false, rand::rng().random(), Instant::now());
        self.browsers.insert(id);
        self.homes.insert(id, home);
        self.load[home] += 1;
        self.threads[home].give(Order::Add(Box::new(leg)));
        Some(id)
    }

    /// A browser's leg gets a new connection in place of a lost one.
    pub(crate) fn browser_again(&mut self, leg: LegId, peer: Box<Peer>) {
        if let Some(home) = self.homes.get(&leg).copied() {
            self.put_browser(leg, home, &peer);
            self.threads[home].give(Order::Browser(leg, peer));
        }
    }

    fn put_browser(&mut self, leg: LegId, home: usize, peer: &Peer) {
        let (ufrag, pass) = peer.credentials();
        let (ufrag, pass) = (ufrag.to_owned(), pass.to_owned());
        let home = self.line_from_port(home);
        let put = HubOrder::Put {
            leg,
            ufrag,
            pass,
            home,
        };
        self.threads[0].give(Order::Hub(put));
    }

    /// The way from the thread that reads the browsers' port; `None` where it is the same.
    fn line_from_port(&self, home: usize) -> Option<ThreadLine> {
        (home != 0).then(|| self.threads[home].line())
    }

    fn emptiest(&self) -> Option<usize> {
        let fewest = self.load.iter().enumerate().min_by_key(|(_, load)| **load);
        let (home, load) = fewest?;
        (*load < limits::LEGS_PER_THREAD).then_some(home)
    }

    /// Opens the sockets of a new leg on the thread with the fewest; its identity and port.
    /// `None` when ports or legs are used up.
    pub(crate) fn add(&mut self, behind_nat: bool) -> Option<(LegId, u16)> {
        let home = self.emptiest()?;
        let mut rng = rand::rng();
        let rest = (&mut self.resting, Instant::now());
        let ports = ports::open(self.bind, &self.range, &mut rng, rest)?;
        let port = ports.port;
        self.next += 1;
        let id = LegId(self.next);
        let leg = Leg::new(
            id,
            Wire::Ports(ports, None),
            behind_nat,
            rng.random(),
            Instant::now(),
        );
        self.homes.insert(id, home);
        self.ports.insert(id, port);
        self.load[home] += 1;
        self.threads[home].give(Order::Add(Box::new(leg)));
        Some((id, port))
    }

    /// Gives an order to the thread of its leg; ignored when the leg is gone.
    pub(crate) fn order(&mut self, order: Order) {
        match order {
            // The debtor's leg stays where its recording and its supervisors are.
            Order::Bridge { debtor, agent, .. } => self.together(debtor, agent),
            Order::Monitor {
                debtor,
                supervisor,
                mode: Some(_),
            } => {
                self.together(debtor, supervisor);
            }
            Order::Party {
                debtor,
                party,
                on: true,
            } => self.together(debtor, party),
            _ => {}
        }
        let Some(leg) = order.leg() else { return };
        let home = if matches!(order, Order::Remove(..)) {
            self.homes.remove(&leg)
        } else {
            self.homes.get(&leg).copied()
        };
        let Some(home) = home else { return };
        if let Order::Remove(_, at) = order {
            if let Some(port) = self.ports.remove(&leg) {
                self.resting.rest(port, at);
            }
            if self.browsers.remove(&leg) {
                self.threads[0].give(Order::Hub(HubOrder::Forget(leg)));
            }
            self.leaves(home);
            self.leaving.insert(leg, home);
        }
        self.threads[home].give(order);
    }

    /// The end of a leg was told.
    pub(crate) fn removed(&mut self, leg: LegId) {
        self.leaving.remove(&leg);
    }

    /// Tries again what a busy thread did not take.
    pub(crate) fn retry(&mut self) {
        for thread in &mut self.threads {
            thread.retry();
        }
    }

    /// Legs of threads that ended without being told to, those whose end will never be told too; each thread's once.
    /// Nothing is given to those any more.
    pub(crate) fn gone(&mut self) -> Vec<LegId> {
        let mut lost = Vec::new();
        for n in 0..self.threads.len() {
            if self.load[n] < GONE && self.threads[n].gone() {
                self.load[n] = GONE;
                let legs = self.homes.iter().chain(&self.leaving);
                lost.extend(legs.filter(|(_, h)| **h == n).map(|(leg, _)| *leg));
                // What it still had to give never comes: who waits for that tells it.
                let others = self.threads.iter_mut().filter(|thread| !thread.gone());
                others.for_each(|thread| thread.give(Order::Lost(n)));
            }
        }
        lost
    }

    /// Whether calls or browsers have no thread left: the first one reads the browsers' port.
    pub(crate) fn lost(&self) -> bool {
        let mut gone = self.load.iter().map(|load| *load >= GONE);
        match gone.next() {
            Some(true) => self.browsers_come || gone.all(|gone| gone),
            _ => false,
        }
    }

    /// Whether a thread is so far behind that orders wait here.
    pub(crate) fn behind(&self) -> bool {
        self.threads.iter().any(thread::Running::behind)
    }

    /// Takes the threads away: no leg can be added or ordered about any more.
    pub(crate) fn take(&mut self) -> Self {
        let (bind, range, next) = (self.bind, self.range.clone(), self.next);
        let (threads, load, homes) = (Vec::new(), Vec::new(), HashMap::new());
        std::mem::replace(
            self,
            Self {
                threads,
                load,
                homes,
                leaving: HashMap::new(),
                browsers: HashSet::new(),
                bind,
                range,
                ports: HashMap::new(),
                resting: ports::Resting::default(),
                next,
                browsers_come: false,
            },
        )
    }

    /// Ends the threads; every recording still open is sealed.
    pub(crate) fn stop(self) {
        for thread in self.threads {
            thread.stop();
        }
    }

    /// Ends the threads by a fault.
    #[cfg(test)]
    pub(crate) fn break_threads(&mut self) {
        for thread in &mut self.threads {
            thread.give(Order::Die);
        }
    }

    /// Whoever gives an order breaks.
    #[cfg(test)]
    pub(crate) fn cripple(&mut self) {
        self.threads.clear();
    }

    fn leaves(&mut self, home: usize) {
        if self.load[home] < GONE {
            self.load[home] = self.load[home].saturating_sub(1);
        }
    }

    /// Moves `guest` to the thread of `host`.
    fn together(&mut self, host: LegId, guest: LegId) {
        let (Some(&to), Some(&from)) = (self.homes.get(&host), self.homes.get(&guest)) else {
            return;
        };
        if to == from {
            return;
        }
        let line = self.threads[to].line();
        self.threads[to].give(Order::Expect(guest, from));
        self.threads[from].give(Order::Give(guest, line));
        self.leaves(from);
        self.load[to] = self.load[to].saturating_add(1);
        self.homes.insert(guest, to);
        if self.browsers.contains(&guest) {
            let home = self.line_from_port(to);
            self.threads[0].give(Order::Hub(HubOrder::Home(guest, home)));
        }
    }
}
