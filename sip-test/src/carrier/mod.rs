//! A carrier that answers by real SIP and RTP: UDP and TCP, early media, busy, refusals, people and
//! machines that talk, and a log of every INVITE.

mod call;
mod calls;
mod ends;
mod fate;
mod greeting;
mod keep;
mod log;
mod profile;
mod run;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use calls::{Calls, Recorded};
pub use fate::{Class, Network, Plan, draw};
pub use log::{EndedBy, Line};
pub use profile::{DEMO_TIME_SCALE, LogNormal, Machine, Pressing, Profile, VoiceSound, Weights};
pub use run::{Running, Summary, run, start};

/// Headers in which a dialer may name its attempt; the first found goes into the log.
pub const ATTEMPT_HEADERS: &[&str] = &["X-Marcador-Attempt", "X-Attempt-Id"];

/// Most calls at once; more get 503. Twice that many ports are needed.
pub const MAX_CALLS: usize = 2_000;

/// What a carrier is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// SIP address, UDP and TCP; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// Seed of every fate.
    pub seed: u64,
    /// How people behave; the demo's when none.
    pub profile: Option<Profile>,
    /// Recorded answers that are heard in place of the carrier's own voices.
    pub calls: Option<Arc<Calls>>,
    /// Log, appended.
    pub log: Option<PathBuf>,
    /// Folder for what each debtor heard: a WAV an answered call, named by attempt or Call-ID.
    pub heard: Option<PathBuf>,
    /// Longest life.
    pub life: Option<Duration>,
    /// End when standard input closes: for a carrier that is the child of another process.
    pub until_stdin_closes: bool,
    /// End when the parent process is gone.
    pub until_parent_ends: bool,
    /// End at SIGTERM, and at SIGINT unless it is a child in the sense of the two above; the log is
    /// whole then. [`run`] sets it.
    pub until_signal: bool,
    /// First and last RTP port; none lets the system choose.
    pub rtp_ports: Option<(u16, u16)>,
    /// User and password a trunk must show (digest), where wished.
    pub login: Option<(String, String)>,
    /// TLS, with SRTP and nothing else on calls that come by it.
    pub tls: Option<crate::secure::Tls>,
    /// Calls at once before 503; at most [`MAX_CALLS`].
    pub channels: usize,
}

impl Config {
    /// The demo's people, no log, no end.
    #[must_use]
    pub const fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            seed: 1,
            profile: None,
            calls: None,
            log: None,
            heard: None,
            life: None,
            until_stdin_closes: false,
            until_parent_ends: false,
            until_signal: false,
            rtp_ports: None,
            login: None,
            tls: None,
            channels: MAX_CALLS,
        }
    }

    fn ip(&self) -> IpAddr {
        self.bind.ip()
    }
}
