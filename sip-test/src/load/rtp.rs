//! The thread that sends and hears the load's RTP.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use media::g711::Law;
use media::rtp::HEADER_BYTES;
use rustix::event::{Timespec, epoll};

use super::figures::{Delays, Figures};
use super::stamp::{PAYLOAD, Stamp};
use crate::SipTestError;

/// Commands waiting for the thread.
const QUEUE: usize = 16_384;
/// Most legs.
pub(super) const MAX_LEGS: u32 = 8_192;
/// Steps the legs' packets are spread over: one a millisecond.
const STEPS: u32 = 20;
const STEP: Duration = Duration::from_millis(1);
/// How far behind the thread may fall before packets are left out.
const CATCH_UP: Duration = Duration::from_millis(400);
/// Numbers a stream may jump by without having begun anew: a minute.
const JUMP: u16 = 3_000;
/// Samples of a packet on the RTP clock.
const SAMPLES: u32 = 160;
/// How long a paused thread waits for what comes and for commands.
const PAUSED: Duration = Duration::from_millis(10);
/// How long to wait for the last packets of a window, and for an answer of the thread.
const LAST: Duration = Duration::from_millis(300);
const ANSWER: Duration = Duration::from_secs(10);

enum Command {
    Add(u32, UdpSocket),
    Remote(u32, SocketAddr),
    /// The call was answered now.
    Answered(u32),
    Remove(u32),
    /// Counts begin anew, in this window.
    Begin(u32),
    /// Nothing is sent, or it is again.
    Pause(bool),
    /// Packets belong to no window any more.
    Stop,
    Report(SyncSender<Figures>),
}

/// A handle on the thread; it ends when the last is dropped.
#[derive(Debug, Clone)]
pub struct LoadPlane {
    commands: SyncSender<Command>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Command")
    }
}

impl LoadPlane {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`SipTestError::Plane`] when the system gives no thread or no epoll.
    pub fn start() -> Result<Self, SipTestError> {
        let (commands, queue) = sync_channel(QUEUE);
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|_| SipTestError::Plane)?;
        std::thread::Builder::new()
            .name("load-rtp".into())
            .spawn(move || Load::new(epoll).run(&queue))
            .map_err(|_| SipTestError::Plane)?;
        Ok(Self { commands })
    }

    /// Adds a leg on a bound socket that does not block. It sends once its remote is known.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn add(&self, leg: u32, socket: UdpSocket) -> Result<(), SipTestError> {
        self.give(Command::Add(leg, socket))
    }

    /// Where a leg sends to.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn remote(&self, leg: u32, remote: SocketAddr) -> Result<(), SipTestError> {
        self.give(Command::Remote(leg, remote))
    }

    /// The leg's call is answered now: the wait for audio begins.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn answered(&self, leg: u32) -> Result<(), SipTestError> {
        self.give(Command::Answered(leg))
    }

    /// Closes a leg.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn remove(&self, leg: u32) -> Result<(), SipTestError> {
        self.give(Command::Remove(leg))
    }

    /// Stops sending, with what is on its way still heard, or goes on; numbers go on where they were.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn pause(&self, on: bool) -> Result<(), SipTestError> {
        self.give(Command::Pause(on))
    }

    /// Begins a window of measurement; `window` is not 0 and not used before.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn begin(&self, window: u32) -> Result<(), SipTestError> {
        self.give(Command::Begin(window))
    }

    /// Ends the window, waits for its last packets and tells what it came to. Blocks 0.3 s.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn end(&self) -> Result<Figures, SipTestError> {
        self.give(Command::Stop)?;
        std::thread::sleep(LAST);
        let (told, answer) = sync_channel(1);
        self.give(Command::Report(told))?;
        answer.recv_timeout(ANSWER).map_err(|_| SipTestError::Plane)
    }

    fn give(&self, command: Command) -> Result<(), SipTestError> {
        self.commands
            .try_send(command)
            .map_err(|_| SipTestError::Plane)
    }
}

struct Leg {
    socket: UdpSocket,
    remote: Option<SocketAddr>,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    answered: Option<Instant>,
    heard: u64,
    /// The newest number of what it was sent.
    newest: Option<u16>,
}

impl Leg {
    /// Numbers left out before this packet.
    fn gap(&mut self, packet: &[u8]) -> u64 {
        let Some([high, low]) = packet.get(2..4).and_then(|n| n.first_chunk()).copied() else {
            return 0;
        };
        let number = u16::from_be_bytes([high, low]);
        let ahead = self.newest.map_or(1, |newest| number.wrapping_sub(newest));
        let late = ahead == 0 || ahead > u16::MAX - JUMP;
        if !late {
            self.newest = Some(number);
        }
        // Beyond the jump the stream began anew.
        let passed = !late && ahead <= JUMP;
        if passed { u64::from(ahead - 1) } else { 0 }
    }
}

struct Load {
    epoll: OwnedFd,
    legs: Vec<Option<Leg>>,
    epoch: Instant,
    window: u32,
    open: bool,
    paused: bool,
    figures: Figures,
    one_way: Delays,
    first: Delays,
}

impl Load {
    fn new(epoll: OwnedFd) -> Self {
        Self {
            epoll,
            legs: Vec::new(),
            epoch: Instant::now(),
            window: 0,
            open: false,
            paused: false,
            figures: Figures::default(),
            one_way: Delays::default(),
            first: Delays::default(),
        }
    }

    fn run(mut self, queue: &Receiver<Command>) {
        let mut events = Vec::with_capacity(512);
        let mut due = Instant::now();
        let mut step = 0;
        loop {
            loop {
                match queue.try_recv() {
                    Ok(command) => self.carry_out(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            let now = Instant::now();
            if self.paused {
                due = now + PAUSED;
            } else if now > due + CATCH_UP {
                due = now;
            }
            while due <= now {
                self.send(step);
                step = (step + 1) % STEPS;
                due += STEP;
            }
            let wait = due.saturating_duration_since(Instant::now());
            let wait = Timespec {
                tv_sec: 0,
                tv_nsec: wait.subsec_nanos().into(),
            };
            events.clear();
            let spare = rustix::buffer::spare_capacity(&mut events);
            if epoll::wait(&self.epoll, spare, Some(&wait)).is_ok() {
                for event in &events {
                    self.receive(event.data.u64());
                }
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Add(leg, socket) => self.add(leg, socket),
            Command::Remote(leg, remote) => {
                if let Some(leg) = self.leg(leg) {
                    leg.remote = Some(remote);
                }
            }
            Command::Answered(leg) => {
                // Only a debtor waits for audio: an agent's leg is up before there is a call.
                if leg % 2 == 0
                    && let Some(leg) = self.leg(leg)
                {
                    leg.answered = Some(Instant::now());
                }
            }
            Command::Remove(leg) => {
                if let Some(slot) = self.legs.get_mut(leg as usize)
                    && let Some(leg) = slot.take()
                {
                    let _ = epoll::delete(&self.epoll, leg.socket.as_fd());
                }
            }
            Command::Begin(window) => {
                self.window = window;
                self.open = true;
                self.figures = Figures::default();
                self.one_way.clear();
                self.legs.iter_mut().flatten().for_each(|leg| leg.heard = 0);
            }
            Command::Pause(on) => self.paused = on,
            Command::Stop => self.open = false,
            Command::Report(told) => {
                let _ = told.try_send(self.report());
                self.first.clear();
            }
        }
    }

    fn add(&mut self, leg: u32, socket: UdpSocket) {
        if leg >= MAX_LEGS {
            return;
        }
        let slot = leg as usize;
        if self.legs.len() <= slot {
            self.legs.resize_with(slot + 1, || None);
        }
        let data = epoll::EventData::new_u64(leg.into());
        let _ = epoll::add(&self.epoll, socket.as_fd(), data, epoll::EventFlags::IN);
        self.legs[slot] = Some(Leg {
            socket,
            remote: None,
            sequence: rand::random(),
            timestamp: rand::random(),
            ssrc: rand::random(),
            answered: None,
            heard: 0,
            newest: None,
        });
    }

    fn report(&self) -> Figures {
        let sending = || self.legs.iter().flatten().filter(|l| l.remote.is_some());
        Figures {
            legs: sending().count(),
            silent_legs: sending().filter(|l| l.heard == 0).count(),
            one_way_ms: self.one_way.spread(),
            answer_to_audio_ms: self.first.spread(),
            ..self.figures.clone()
        }
    }

    fn leg(&mut self, leg: u32) -> Option<&mut Leg> {
        self.legs.get_mut(leg as usize)?.as_mut()
    }

    /// Sends a packet of each leg whose turn it is.
    fn send(&mut self, step: u32) {
        let window = if self.open { self.window } else { 0 };
        for (id, slot) in (0_u32..).zip(&mut self.legs) {
            if id % STEPS != step {
                continue;
            }
            let Some(leg) = slot else { continue };
            let Some(remote) = leg.remote else { continue };
            leg.sequence = leg.sequence.wrapping_add(1);
            leg.timestamp = leg.timestamp.wrapping_add(SAMPLES);
            let left = self.epoch.elapsed().as_nanos();
            let stamp = Stamp {
                leg: id,
                window,
                left_ns: u64::try_from(left).unwrap_or(u64::MAX),
            };
            let mut packet = [0_u8; HEADER_BYTES + PAYLOAD];
            packet[0] = 2 << 6;
            packet[1] = Law::A.payload_type();
            packet[2..4].copy_from_slice(&leg.sequence.to_be_bytes());
            packet[4..8].copy_from_slice(&leg.timestamp.to_be_bytes());
            packet[8..12].copy_from_slice(&leg.ssrc.to_be_bytes());
            packet[HEADER_BYTES..].copy_from_slice(&stamp.write());
            if leg.socket.send_to(&packet, remote).is_ok() && window != 0 {
                self.figures.sent += 1;
            }
        }
    }

    /// Reads a packet of a leg; what is left is told again.
    fn receive(&mut self, leg: u64) {
        let Some(id) = u32::try_from(leg).ok() else {
            return;
        };
        let Some(leg) = self.legs.get_mut(id as usize).and_then(Option::as_mut) else {
            return;
        };
        let mut buffer = [0_u8; 512];
        let Ok((len, from)) = leg.socket.recv_from(&mut buffer) else {
            return;
        };
        let now = Instant::now();
        if leg.remote != Some(from) {
            return;
        }
        let gap = leg.gap(&buffer[..len]);
        if self.window != 0 {
            self.figures.gaps += gap;
        }
        let Some(stamp) = buffer.get(HEADER_BYTES..len).and_then(Stamp::read) else {
            self.figures.unstamped += 1;
            return;
        };
        if stamp.leg != id ^ 1 {
            self.figures.crossed += 1;
            return;
        }
        if let Some(at) = leg.answered.take() {
            let ns = now.saturating_duration_since(at).as_nanos();
            self.first.add(u64::try_from(ns).unwrap_or(u64::MAX));
        }
        if stamp.window == self.window && self.window != 0 {
            leg.heard += 1;
            self.figures.received += 1;
            let now = now.saturating_duration_since(self.epoch).as_nanos();
            let now = u64::try_from(now).unwrap_or(u64::MAX);
            self.one_way.add(now.saturating_sub(stamp.left_ns));
        }
    }
}
