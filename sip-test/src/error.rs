//! What can go wrong.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why something of the simulated world could not be started or done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SipTestError {
    /// An address could not be bound.
    #[error("cannot bind {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// All RTP ports of the range are taken.
    #[error("no free rtp port in {0}-{1}")]
    NoPort(u16, u16),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A profile is no profile.
    #[error("profile: {0}")]
    Profile(String),
    /// A set of recorded calls is none.
    #[error("calls: {0}")]
    Calls(String),
    /// A user or domain makes no SIP address.
    #[error("{0} is no sip address: user and domain must be plain names")]
    Account(String),
    /// The SIP core refused.
    #[error("sip: {0}")]
    Sip(#[from] sip::SipError),
    /// The media thread is gone or its queue is full.
    #[error("the media thread takes no more commands")]
    Plane,
    /// The task that was asked is gone.
    #[error("{0} has ended")]
    Gone(&'static str),
    /// An HTTP request failed.
    #[error("http: {0}")]
    Http(String),
    /// The server refused a request.
    #[error("{what} refused: {status} {code}")]
    Refused {
        /// Which request.
        what: &'static str,
        /// HTTP status.
        status: u16,
        /// Stable code of the problem.
        code: String,
    },
    /// The websocket failed or closed.
    #[error("websocket: {0}")]
    Socket(String),
    /// A wait was too long.
    #[error("{0} did not happen in time")]
    Late(&'static str),
}

impl From<reqwest::Error> for SipTestError {
    fn from(error: reqwest::Error) -> Self {
        // The address may hold a ticket.
        Self::Http(error.without_url().to_string())
    }
}
