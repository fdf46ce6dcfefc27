//! A SIP phone: registers with a digest, answers the server's call at once and holds it (the
//! nailed-up leg of an agent), speaks at the agent's frequencies, hears the debtor.
//!
//! Alone it is the phone of a person who uses the screens: it answers whoever speaks to it.

mod run;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use media::dtmf::Digit;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::plane::{Hearing, Plane};
use crate::{Clock, SipTestError};

/// Life of the binding that is asked for, seconds: short, so that a restarted registrar knows the
/// phone again within a minute.
pub const EXPIRES_S: u32 = 60;
/// Commands waiting for a phone; more are refused.
const QUEUE: usize = 32;

/// When a phone speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaking {
    /// When told to ([`Phone::speak`]).
    WhenTold,
    /// As long as somebody was heard within the last seconds, as a person answers.
    WhenSpokenTo,
    /// Without end while a call is up.
    Always,
}

/// What a phone is told.
#[derive(Debug, Clone)]
pub struct PhoneConfig {
    /// Registrar, over UDP. Calls from other hosts are refused.
    pub server: SocketAddr,
    /// Domain of the account; the server's address where none.
    pub domain: Option<String>,
    /// Account: user part of the address and of the digest.
    pub user: String,
    /// Password of the digest.
    pub password: String,
    /// Our address; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// First and last RTP port; none lets the system choose.
    pub rtp_ports: Option<(u16, u16)>,
    /// Life of the binding to ask for, seconds.
    pub expires_s: u32,
    /// When it speaks.
    pub speaking: Speaking,
    /// Seed of the voice.
    pub seed: u64,
    /// Keep what is heard (two minutes at most), for tests.
    pub keep_audio: bool,
}

impl PhoneConfig {
    /// A phone on loopback where the server is there, else on any address; it answers whoever
    /// speaks to it.
    #[must_use]
    pub fn new(server: SocketAddr, user: &str, password: &str) -> Self {
        Self {
            server,
            domain: None,
            user: user.to_owned(),
            password: password.to_owned(),
            bind: SocketAddr::new(toward(server), 0),
            rtp_ports: None,
            expires_s: EXPIRES_S,
            speaking: Speaking::WhenSpokenTo,
            seed: 1,
            keep_audio: false,
        }
    }
}

/// Our address on the way to `server`, by the routes of the system; nothing is sent.
fn toward(server: SocketAddr) -> IpAddr {
    let any = if server.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let route = std::net::UdpSocket::bind(any).and_then(|socket| {
        socket.connect(server)?;
        socket.local_addr()
    });
    route.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

/// How a phone stands, and what it did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhoneState {
    /// The registrar has it.
    pub registered: bool,
    /// A call is up.
    pub leg_up: bool,
    /// Granted registrations, renewals too.
    pub registrations: u64,
    /// Refused and unanswered ones.
    pub registration_failures: u64,
    /// Calls answered.
    pub calls: u64,
    /// Calls refused: from strangers, or without usable audio.
    pub refused: u64,
}

pub(crate) enum Command {
    Speak(bool),
    Press(Digit),
    Renew,
    HangUp,
    Stop,
}

/// A phone at work; dropping it ends it.
#[derive(Debug)]
pub struct Phone {
    address: SocketAddr,
    clock: Clock,
    hearing: Hearing,
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<PhoneState>,
    task: JoinHandle<PhoneState>,
}

/// Starts a phone on the current runtime. It goes on registering until it succeeds.
///
/// # Errors
/// [`SipTestError::Bind`], [`SipTestError::Plane`], [`SipTestError::Account`] for a user or domain
/// that is no address, [`SipTestError::Sip`].
pub async fn start(config: PhoneConfig) -> Result<Phone, SipTestError> {
    let plane = Plane::shared()?;
    let clock = plane.clock();
    let hearing = if config.keep_audio {
        Hearing::keeping()
    } else {
        Hearing::default()
    };
    let (commands, queue) = mpsc::channel(QUEUE);
    let (report, state) = watch::channel(PhoneState::default());
    let line = run::Line::open(config, plane, hearing.clone(), report).await?;
    let address = line.address();
    let task = tokio::spawn(line.work(queue));
    Ok(Phone {
        address,
        clock,
        hearing,
        commands,
        state,
        task,
    })
}

impl Phone {
    /// SIP address, with the port that was bound.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The clock of what is heard.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// What is heard on its calls, one after the other.
    #[must_use]
    pub const fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> PhoneState {
        *self.state.borrow()
    }

    /// Waits until it stands as wished; false when the phone ended before.
    pub async fn until(&mut self, wish: impl FnMut(&PhoneState) -> bool) -> bool {
        self.state.wait_for(wish).await.is_ok()
    }

    /// Speaks or falls silent, where it was made to be told.
    ///
    /// # Errors
    /// [`SipTestError::Gone`].
    pub fn speak(&self, on: bool) -> Result<(), SipTestError> {
        self.send(Command::Speak(on))
    }

    /// Presses a key in the call.
    ///
    /// # Errors
    /// [`SipTestError::Gone`].
    pub fn press(&self, digit: Digit) -> Result<(), SipTestError> {
        self.send(Command::Press(digit))
    }

    /// Registers now instead of when it is due: after the server was restarted.
    ///
    /// # Errors
    /// [`SipTestError::Gone`].
    pub fn renew(&self) -> Result<(), SipTestError> {
        self.send(Command::Renew)
    }

    /// Ends the call.
    ///
    /// # Errors
    /// [`SipTestError::Gone`].
    pub fn hang_up(&self) -> Result<(), SipTestError> {
        self.send(Command::HangUp)
    }

    /// Ends its call, removes its binding and ends, within a second.
    pub async fn stop(self) -> PhoneState {
        // A full queue drains within a tick; a phone that is gone has stopped already.
        let _ = self.commands.send(Command::Stop).await;
        self.task.await.unwrap_or_default()
    }

    fn send(&self, command: Command) -> Result<(), SipTestError> {
        self.commands
            .try_send(command)
            .map_err(|_| SipTestError::Gone("the phone"))
    }
}
