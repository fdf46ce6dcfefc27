//! The media thread: every leg's RTP, 20 ms by 20 ms, on one thread that many phones share.

mod heard;
mod leg;
mod voice;

pub use heard::{Heard, Hearing, Shares};
pub use voice::Voice;

use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use media::dtmf::{Digit, Press};
use media::g711::Law;
use sip::sdp::{Codec, RemoteMedia};

use crate::{Clock, SipTestError};
use leg::Leg;

/// Commands waiting for the thread; beyond it they are refused.
const QUEUE: usize = 8_192;
/// Most legs on one thread; more are refused: at 50 packets a second each way they fill a core.
pub const MAX_LEGS: usize = 4_000;
/// How far behind the thread may fall before it leaves ticks out.
const CATCH_UP: Duration = Duration::from_millis(400);
const TICK: Duration = Duration::from_millis(20);

enum Command {
    Add(u64, Box<Leg>),
    Remote(u64, Option<RemoteMedia>),
    Say(u64, Box<Voice>),
    Press(u64, Press),
    Remove(u64),
}

/// The thread that phones of one process share, as long as one of them lives.
static SHARED: Mutex<Weak<Thread>> = Mutex::new(Weak::new());

/// A handle on the media thread; the thread ends when the last handle and leg are dropped.
#[derive(Debug, Clone)]
pub struct Plane {
    thread: Arc<Thread>,
}

#[derive(Debug)]
struct Thread {
    commands: SyncSender<Command>,
    next: AtomicU64,
    clock: Clock,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Command")
    }
}

impl Plane {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`SipTestError::Plane`] when the system gives no thread.
    pub fn start(clock: Clock) -> Result<Self, SipTestError> {
        let (commands, queue) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("sip-test-rtp".into())
            .spawn(move || run(&queue, clock))
            .map_err(|_| SipTestError::Plane)?;
        let thread = Thread {
            commands,
            next: AtomicU64::new(1),
            clock,
        };
        Ok(Self {
            thread: Arc::new(thread),
        })
    }

    /// The thread all phones of this process share: the running one, or a new one.
    ///
    /// # Errors
    /// As [`Plane::start`].
    pub fn shared() -> Result<Self, SipTestError> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = shared.upgrade() {
            return Ok(Self { thread });
        }
        let plane = Self::start(Clock::start())?;
        *shared = Arc::downgrade(&plane.thread);
        Ok(plane)
    }

    /// Puts a bound socket on the thread. It sends nothing until [`LegHandle::remote`] is told; what
    /// it hears goes to `hearing`.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn add(
        &self,
        socket: UdpSocket,
        voice: Voice,
        hearing: Hearing,
    ) -> Result<LegHandle, SipTestError> {
        let id = self.thread.next.fetch_add(1, Ordering::Relaxed);
        let leg = Leg::new(socket, voice, hearing);
        self.send(Command::Add(id, Box::new(leg)))?;
        Ok(LegHandle {
            id,
            plane: self.clone(),
        })
    }

    /// The clock whose milliseconds are in [`Heard`].
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.thread.clock
    }

    fn send(&self, command: Command) -> Result<(), SipTestError> {
        self.thread
            .commands
            .try_send(command)
            .map_err(|_| SipTestError::Plane)
    }
}

/// One leg on the thread; dropping it closes its port.
#[derive(Debug)]
pub struct LegHandle {
    id: u64,
    plane: Plane,
}

impl LegHandle {
    /// Tells where and how to send; `None` stops sending.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn remote(&self, remote: Option<RemoteMedia>) -> Result<(), SipTestError> {
        self.plane.send(Command::Remote(self.id, remote))
    }

    /// Changes what is said.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn say(&self, voice: Voice) -> Result<(), SipTestError> {
        self.plane.send(Command::Say(self.id, Box::new(voice)))
    }

    /// Presses a key (RFC 4733), where the peer takes events.
    ///
    /// # Errors
    /// [`SipTestError::Plane`].
    pub fn press(&self, digit: Digit) -> Result<(), SipTestError> {
        self.plane
            .send(Command::Press(self.id, Press::new(digit, 120)))
    }
}

impl Drop for LegHandle {
    fn drop(&mut self) {
        let mut command = Command::Remove(self.id);
        // The port must be closed; the queue drains every 20 ms.
        while let Err(std::sync::mpsc::TrySendError::Full(again)) =
            self.plane.thread.commands.try_send(command)
        {
            command = again;
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

pub(crate) const fn law(codec: Codec) -> Law {
    match codec {
        Codec::Pcmu => Law::Mu,
        Codec::Pcma => Law::A,
    }
}

fn run(queue: &Receiver<Command>, clock: Clock) {
    let mut legs: HashMap<u64, Box<Leg>> = HashMap::new();
    let mut due = Instant::now();
    loop {
        loop {
            match queue.try_recv() {
                Ok(command) => carry_out(&mut legs, command),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let now_ms = clock.now().0;
        for leg in legs.values_mut() {
            leg.tick(now_ms);
        }
        due += TICK;
        let now = Instant::now();
        if now > due + CATCH_UP {
            due = now;
        }
        std::thread::sleep(due.saturating_duration_since(now));
    }
}

fn carry_out(legs: &mut HashMap<u64, Box<Leg>>, command: Command) {
    match command {
        Command::Add(id, leg) => {
            if legs.len() < MAX_LEGS {
                legs.insert(id, leg);
            }
        }
        Command::Remote(id, remote) => {
            if let Some(leg) = legs.get_mut(&id) {
                leg.set_remote(remote);
            }
        }
        Command::Say(id, voice) => {
            if let Some(leg) = legs.get_mut(&id) {
                leg.voice = *voice;
            }
        }
        Command::Press(id, press) => {
            if let Some(leg) = legs.get_mut(&id) {
                leg.press(press);
            }
        }
        Command::Remove(id) => {
            legs.remove(&id);
        }
    }
}
