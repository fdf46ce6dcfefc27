//! A media thread: epoll, the 20 ms wheel, its legs.

use super::browser::Port;
use super::leg::{Leg, PACKET_SAMPLES};
use super::order::{Event, LegId, Order};
use super::sound::Tones;
use super::wire::Wire;
use crate::wall::Wall;
use crate::webrtc::Hub;
use crate::{VoiceError, limits};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::{HashMap, VecDeque};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

const WAKE: Token = Token(usize::MAX);
/// The browsers' port.
const BROWSERS: Token = Token(usize::MAX - 1);
/// How far the wheel may lag before missed turns are dropped instead of caught up.
const LAG: Duration = Duration::from_millis(200);
const TURN: Duration = Duration::from_millis(limits::FRAME_MS);

/// The way to a media thread.
#[derive(Clone)]
pub(crate) struct ThreadLine {
    orders: Sender<Order>,
    waker: Arc<Waker>,
}

impl ThreadLine {
    pub(super) fn give(&self, order: Order) -> Result<(), Order> {
        let given = match self.orders.try_send(order) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(order)) => Err(order),
            Err(TrySendError::Disconnected(_)) => Ok(()),
        };
        let _ = self.waker.wake();
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
    let poll = Poll::new().map_err(fail)?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE).map_err(fail)?);
    if let Some(hub) = &hub {
        let fd = hub.front().socket().as_raw_fd();
        let registry = poll.registry();
        registry
            .register(&mut SourceFd(&fd), BROWSERS, Interest::READABLE)
            .map_err(fail)?;
    }
    let (orders, inbox) = bounded(limits::MEDIA_COMMAND_QUEUE);
    let thread = std::thread::Builder::new()
        .name(format!("media-{n}"))
        .spawn(move || {
            let comfort = super::Sound::repeated(tones.comfort.clone());
            let mut state = State {
                poll,
                legs: Vec::new(),
                slots: HashMap::new(),
                expected: HashMap::new(),
                unread: Vec::new(),
                browsers: hub.map(Port::new),
                outbox: VecDeque::new(),
                jobs: VecDeque::new(),
                tell: Box::new(tell),
                tones,
                comfort,
                wall,
                pcm: [0; PACKET_SAMPLES],
                stopping: false,
            };
            state.run(&inbox);
        })
        .map_err(fail)?;
    Ok(Running {
        line: ThreadLine { orders, waker },
        waiting: VecDeque::new(),
        thread,
    })
}

pub(super) struct State {
    poll: Poll,
    pub(super) legs: Vec<Option<Box<Leg>>>,
    pub(super) slots: HashMap<LegId, usize>,
    /// Legs on their way here, with the orders that came before them.
    pub(super) expected: HashMap<LegId, Vec<Order>>,
    /// Sockets that were not read empty (epoll tells only once).
    unread: Vec<Token>,
    /// The browsers' port, on the thread that reads it.
    pub(super) browsers: Option<Port>,
    outbox: VecDeque<Event>,
    /// Jobs of sealed recordings that the writer did not take yet.
    pub(super) jobs: VecDeque<(crate::recorder::WriterLine, crate::recorder::Job)>,
    tell: Box<dyn Fn(Event) -> Result<(), Event> + Send>,
    pub(super) tones: Tones,
    pub(super) comfort: super::Sound,
    pub(super) wall: Wall,
    pub(super) pcm: [i16; PACKET_SAMPLES],
    pub(super) stopping: bool,
}

impl State {
    fn run(&mut self, inbox: &Receiver<Order>) {
        let mut events = Events::with_capacity(1_024);
        let mut turn = Instant::now() + TURN;
        loop {
            let wait = if self.unread.is_empty() {
                turn.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            // An interrupted wait is a short one: the loop looks at everything anyway.
            let _ = self.poll.poll(&mut events, Some(wait));
            while let Ok(order) = inbox.try_recv() {
                self.obey(order);
            }
            for token in std::mem::take(&mut self.unread) {
                self.read(token);
            }
            for event in &events {
                if event.token() != WAKE {
                    self.read(event.token());
                }
            }
            let now = Instant::now();
            if now >= turn {
                self.turn(now);
                turn += TURN;
                if now.saturating_duration_since(turn) > LAG {
                    turn = now + TURN;
                }
            }
            self.post();
            if self.stopping && self.slots.is_empty() && self.expected.is_empty() {
                self.finish();
                return;
            }
        }
    }

    /// Reads one socket: even tokens are RTP, odd ones RTCP.
    fn read(&mut self, token: Token) {
        if token == BROWSERS {
            if self.read_browsers() {
                self.unread.push(token);
            }
            return;
        }
        let slot = token.0 / 2;
        let mut buffer = [0_u8; limits::RTP_BYTES];
        for _ in 0..limits::RTP_BURST {
            let Some(leg) = self.legs.get_mut(slot).and_then(Option::as_deref_mut) else {
                return;
            };
            let rtp = token.0.is_multiple_of(2);
            let Wire::Ports {
                rtp: media,
                rtcp: control,
            } = &leg.wire
            else {
                return;
            };
            let socket = if rtp { media } else { control };
            match socket.recv_from(&mut buffer) {
                Ok((n, from)) => {
                    let now = Instant::now();
                    if rtp {
                        self.packet(slot, &buffer[..n], from, now);
                    } else {
                        leg.hear_rtcp(&buffer[..n], from, now);
                    }
                }
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return,
                // An ICMP answer to something we sent: read on.
                Err(_) => {}
            }
        }
        self.unread.push(token);
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
    pub(super) fn take_in(&mut self, mut leg: Box<Leg>) {
        let slot = self
            .legs
            .iter()
            .position(Option::is_none)
            .unwrap_or_else(|| {
                self.legs.push(None);
                self.legs.len() - 1
            });
        let registry = self.poll.registry();
        let read = Interest::READABLE;
        if let Wire::Ports { rtp, rtcp } = &mut leg.wire {
            let watched = registry
                .register(rtp, Token(slot * 2), read)
                .and_then(|()| registry.register(rtcp, Token(slot * 2 + 1), read));
            if let Err(error) = watched {
                // The leg then is silent, which raises the one-way alarm and ends the call.
                tracing::error!(%error, "cannot watch an RTP socket");
            }
            // What came before the sockets were watched.
            self.unread.extend([Token(slot * 2), Token(slot * 2 + 1)]);
        }
        self.slots.insert(leg.id, slot);
        self.legs[slot] = Some(leg);
    }

    /// Lets a leg go.
    pub(super) fn let_go(&mut self, id: LegId) -> Option<Box<Leg>> {
        let slot = self.slots.remove(&id)?;
        let mut leg = self.legs[slot].take()?;
        if let Wire::Ports { rtp, rtcp } = &mut leg.wire {
            let _ = self.poll.registry().deregister(rtp);
            let _ = self.poll.registry().deregister(rtcp);
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
