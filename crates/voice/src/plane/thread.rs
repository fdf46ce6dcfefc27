//! A media thread: epoll, the 20 ms wheel, its legs.

use super::browser::Port;
use super::leg::Leg;
use super::order::{Counts, Event, LegId, Order};
use super::pace::Pace;
use super::poll::{Poll, Token, Told, WAKE, Waker};
use super::sound::Tones;
use super::wire::Wire;
use crate::faults::Faults;
use crate::wall::Wall;
use crate::webrtc::Hub;
use crate::{VoiceError, limits};
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The browsers' port.
const BROWSERS: Token = Token(u64::MAX - 1);
/// How far the wheel may lag before missed turns are dropped instead of caught up.
const LAG: Duration = Duration::from_millis(200);
const TURN: Duration = Duration::from_millis(limits::FRAME_MS);
/// From one turn to the next while no leg is sent anything and none is heard: calls that ring, or nobody at all.
const REST: Duration = Duration::from_millis(limits::FRAME_MS * 5);

/// The way to a media thread.
#[derive(Clone)]
pub(crate) struct ThreadLine {
    orders: Sender<Order>,
    waker: Arc<Waker>,
    rests: Arc<AtomicBool>,
}

impl ThreadLine {
    pub(super) fn give(&self, order: Order) -> Result<(), Order> {
        // The thread looks at its orders each turn of the wheel anyway, and before it reads what a leg brought:
        // what makes no difference to anybody until then wakes nobody. Who answered is not kept waiting for his
        // first sound until the end of a rest.
        let waits = match &order {
            Order::Add(_) | Order::Remove(..) | Order::Record(..) => true,
            Order::Agreed(_, agreed, live) => {
                !(*live && agreed.send && self.rests.load(Ordering::SeqCst))
            }
            _ => false,
        };
        let given = match self.orders.try_send(order) {
            Ok(()) if waits => return Ok(()),
            Ok(()) => Ok(()),
            Err(TrySendError::Full(order)) => Err(order),
            // The thread is gone: whose legs it had finds that out by `Running::gone`.
            Err(TrySendError::Disconnected(_)) => Ok(()),
        };
        self.waker.wake();
        given
    }
}

/// A started thread with the orders it did not take yet.
pub(super) struct Running {
    line: ThreadLine,
    waiting: VecDeque<Order>,
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    pub(super) fn line(&self) -> ThreadLine {
        self.line.clone()
    }

    pub(super) fn give(&mut self, order: Order) {
        self.waiting.push_back(order);
        self.retry();
    }

    pub(super) fn retry(&mut self) {
        while let Some(order) = self.waiting.pop_front() {
            if let Err(order) = self.line.give(order) {
                self.waiting.push_front(order);
                break;
            }
        }
    }

    pub(super) fn behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether it ended without being told to.
    pub(super) fn gone(&self) -> bool {
        self.thread.is_finished()
    }

    pub(super) fn stop(mut self) {
        self.give(Order::Stop);
        while self.behind() {
            std::thread::sleep(TURN);
            self.retry();
        }
        let _ = self.thread.join();
    }
}

/// Starts thread number `n`; with `hub` it reads the browsers' port.
pub(super) fn start<F>(
    n: usize,
    tones: Tones,
    wall: Wall,
    hub: Option<Hub>,
    tell: F,
) -> Result<Running, VoiceError>
where
    F: Fn(Event) -> Result<(), Event> + Send + 'static,
{
    let fail = |source| VoiceError::Thread {
        what: "media",
        source,
    };
    let (poll, waker) = Poll::new().map_err(fail)?;
    let waker = Arc::new(waker);
    if let Some(hub) = &hub {
        poll.add(&hub.front().socket(), BROWSERS).map_err(fail)?;
    }
    let (orders, inbox) = bounded(limits::MEDIA_COMMAND_QUEUE);
    let rests = Arc::new(AtomicBool::new(false));
    let line = ThreadLine {
        orders,
        waker,
        rests: Arc::clone(&rests),
    };
    let thread = std::thread::Builder::new()
        .name(format!("media-{n}"))
        .spawn(move || {
            super::pace::pin(n);
            let comfort = super::Sound::repeated(tones.comfort.clone());
            let mut state = State {
                poll,
                legs: Vec::new(),
                slots: Slots::default(),
                expected: HashMap::new(),
                pace: Pace::default(),
                browsers: hub.map(Port::new),
                outbox: VecDeque::new(),
                jobs: VecDeque::new(),
                tell: Box::new(tell),
                tones,
                comfort,
                mixer: super::route::Mixer::default(),
                heard: Vec::new(),
                wall,
                fallen: HashMap::new(),
                faults: Faults::default(),
                rests,
                stopping: false,
            };
            state.run(&inbox);
        })
        .map_err(fail)?;
    Ok(Running {
        line,
        waiting: VecDeque::new(),
        thread,
    })
}

/// Places of legs. Their numbers are our own and run on: spreading them needs no secret.
pub(super) type Slots = HashMap<LegId, usize, BuildHasherDefault<ByNumber>>;

/// Hashes a leg's number.
#[derive(Default)]
pub(super) struct ByNumber(u64);

impl Hasher for ByNumber {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 << 8 | u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio spreads what runs on over high bits too.
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

pub(super) struct State {
    poll: Poll,
    pub(super) legs: Vec<Option<Box<Leg>>>,
    pub(super) slots: Slots,
    /// Legs on their way here: from which thread, and the orders that came before them.
    pub(super) expected: HashMap<LegId, (usize, Vec<Order>)>,
    pace: Pace,
    /// The browsers' port, on the thread that reads it.
    pub(super) browsers: Option<Port>,
    outbox: VecDeque<Event>,
    /// Jobs of sealed recordings that the writer did not take yet.
    pub(super) jobs: VecDeque<(crate::recorder::WriterLine, crate::recorder::Job)>,
    tell: Box<dyn Fn(Event) -> Result<(), Event> + Send>,
    pub(super) tones: Tones,
    pub(super) comfort: super::Sound,
    pub(super) mixer: super::route::Mixer,
    /// What a browser's connection brought, kept from one datagram to the next.
    pub(super) heard: Vec<crate::webrtc::Plain>,
    pub(super) wall: Wall,
    /// Legs that a fault took out before their end was ordered, with what they carried.
    pub(super) fallen: HashMap<LegId, Counts>,
    /// Faults that were no leg's.
    pub(super) faults: Faults,
    /// The wheel rests: no leg is sent anything, and none was heard since the last turn.
    rests: Arc<AtomicBool>,
    pub(super) stopping: bool,
}

impl State {
    fn run(&mut self, inbox: &Receiver<Order>) {
        let mut told = Told::new();
        let mut buffer = [0_u8; limits::RTP_BYTES];
        let mut turn = Instant::now() + TURN;
        loop {
            let before = Instant::now();
            self.poll
                .wait(turn.saturating_duration_since(before), &mut told);
            self.pace.read(told.count(), before.elapsed());
            self.take_orders(inbox);
            for n in 0..told.count() {
                match told.token(n) {
                    WAKE => self.poll.awake(),
                    BROWSERS => self.safely(None, Self::read_browsers),
                    token => self.read(token, &mut buffer),
                }
            }
            let now = Instant::now();
            if told.count() > 0 && self.rests.swap(false, Ordering::SeqCst) {
                turn = turn.min(now);
            }
            if now >= turn {
                self.safely(None, |plane| plane.turn(now));
                turn = self.next_turn(turn, now);
                // Who gave an order before he could see the rest did not end it.
                if self.rests.load(Ordering::SeqCst) && self.take_orders(inbox) {
                    self.rests.store(false, Ordering::SeqCst);
                    turn = now + TURN;
                }
            }
            self.post();
            if self.stopping && self.slots.is_empty() && self.expected.is_empty() {
                self.finish();
                return;
            }
            self.pace.gather(turn);
        }
    }

    /// When the wheel turns after the turn that was due at `turn`.
    fn next_turn(&mut self, turn: Instant, now: Instant) -> Instant {
        let heard = self.pace.turn();
        let mut legs = self.legs.iter().flatten();
        let rests = heard == 0 && legs.all(|leg| leg.rests());
        self.rests.store(rests, Ordering::SeqCst);
        let next = turn + if rests { REST } else { TURN };
        if now.saturating_duration_since(next) > LAG {
            return now + TURN;
        }
        next
    }

    /// Whether there were any.
    fn take_orders(&mut self, inbox: &Receiver<Order>) -> bool {
        let mut any = false;
        loop {
            match inbox.try_recv() {
                #[cfg(test)]
                Ok(Order::Die) => panic!("a fault on purpose"),
                Ok(order) => self.safely(order.whose(), |plane| plane.obey(order)),
                Err(TryRecvError::Empty) => return any,
                // Nobody is left to order anything: recordings are sealed, and this is the end.
                Err(TryRecvError::Disconnected) if self.stopping => return any,
                Err(TryRecvError::Disconnected) => {
                    self.safely(None, |plane| plane.obey(Order::Stop));
                    return true;
                }
            }
            any = true;
        }
    }

    /// Reads a datagram of one socket: even tokens are RTP, odd ones RTCP. What is left is told
    /// again, so that a flood at one port cannot starve the others.
    fn read(&mut self, token: Token, buffer: &mut [u8]) {
        let slot = usize::try_from(token.0 / 2).unwrap_or(usize::MAX);
        let Some(id) = self.legs.get(slot).and_then(|leg| Some(leg.as_ref()?.id)) else {
            return;
        };
        let control = token.0 % 2 == 1;
        self.safely(Some(id), |plane| {
            let Some(leg) = plane.legs.get_mut(slot).and_then(Option::as_deref_mut) else {
                return;
            };
            let Some((length, from)) = leg.wire.receive(control, buffer) else {
                return;
            };
            let (now, datagram) = (Instant::now(), &buffer[..length]);
            if control {
                leg.hear_rtcp(datagram, from, now);
            } else {
                plane.packet(slot, datagram, from, now);
            }
        });
    }

    /// Tells an event; kept when the signalling thread is behind.
    pub(super) fn tell(&mut self, event: Event) {
        self.outbox.push_back(event);
    }

    fn post(&mut self) {
        while let Some(event) = self.outbox.pop_front() {
            if let Err(event) = (self.tell)(event) {
                self.outbox.push_front(event);
                break;
            }
        }
        while let Some((line, job)) = self.jobs.pop_front() {
            if let Err(job) = line.give(job) {
                self.jobs.push_front((line, job));
                break;
            }
        }
    }

    fn finish(&mut self) {
        while !self.outbox.is_empty() || !self.jobs.is_empty() {
            self.post();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes a leg in and listens to its sockets.
    pub(super) fn take_in(&mut self, leg: Box<Leg>) {
        let slot = self
            .legs
            .iter()
            .position(Option::is_none)
            .unwrap_or_else(|| {
                self.legs.push(None);
                self.legs.len() - 1
            });
        if let Wire::Ports(ports, _) = &leg.wire {
            let token = |n: usize| Token((slot * 2 + n) as u64);
            let watched = self
                .poll
                .add(&ports.rtp, token(0))
                .and_then(|()| self.poll.add(&ports.rtcp, token(1)));
            if let Err(error) = watched {
                // The leg then is silent, which raises the one-way alarm and ends the call.
                tracing::error!(%error, "cannot watch an RTP socket");
            }
        }
        self.slots.insert(leg.id, slot);
        self.legs[slot] = Some(leg);
    }

    /// Takes a leg out whose sockets are closed with it: the system forgets to watch those by itself.
    pub(super) fn take_out(&mut self, id: LegId) -> Option<Box<Leg>> {
        let slot = self.slots.remove(&id)?;
        self.legs[slot].take()
    }

    /// Lets a leg go whose sockets live on.
    pub(super) fn let_go(&mut self, id: LegId) -> Option<Box<Leg>> {
        let leg = self.take_out(id)?;
        if let Wire::Ports(ports, _) = &leg.wire {
            self.poll.remove(&ports.rtp);
            self.poll.remove(&ports.rtcp);
        }
        Some(leg)
    }

    /// Passes a leg on to another thread.
    pub(super) fn pass_on(line: &ThreadLine, order: Order) {
        let mut order = order;
        // The other thread drains its orders each turn; this is no lock held while waiting.
        while let Err(back) = line.give(order) {
            order = back;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn leg(&mut self, id: LegId) -> Option<&mut Leg> {
        let slot = *self.slots.get(&id)?;
        self.legs.get_mut(slot)?.as_deref_mut()
    }
}
