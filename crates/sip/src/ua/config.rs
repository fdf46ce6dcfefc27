//! What an endpoint is told once.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::header::Algorithm;
use crate::transport::Proto;

/// Settings of an [`crate::Endpoint`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Text of User-Agent and Server; empty to send neither.
    pub user_agent: String,
    /// The addresses peers reach us at, written into Via and Contact.
    pub local: LocalAddrs,
    /// User part of our Contact.
    pub contact_user: String,
    /// Session interval we ask for and grant, seconds; 0 switches session timers off (RFC 4028).
    pub session_expires_s: u32,
    /// Shortest interval we accept, seconds; at least 90 (RFC 4028 §4).
    pub min_se_s: u32,
    /// Offer and send reliable provisional responses (RFC 3262).
    pub prack: bool,
    /// Take incoming calls; off, every out-of-dialog INVITE gets 403.
    pub accept_calls: bool,
    /// Digest for the registrar and for [`crate::Endpoint::challenge`].
    pub auth: Option<Auth>,
    /// Take registrations of phones (needs `auth`).
    pub registrar: Option<RegistrarRules>,
    /// Requests whose User-Agent holds one of these, without case, get no answer.
    pub scanners: Vec<String>,
}

impl Config {
    /// Defaults for an endpoint reached at `udp`: session timers of 30 min, no registrar.
    #[must_use]
    pub fn new(udp: SocketAddr) -> Self {
        Config {
            user_agent: String::new(),
            local: LocalAddrs {
                udp: Some(udp),
                tcp: None,
                tls: None,
            },
            contact_user: "marcador".to_owned(),
            session_expires_s: 1_800,
            min_se_s: 90,
            prack: true,
            accept_calls: true,
            auth: None,
            registrar: None,
            scanners: [
                "friendly-scanner",
                "sipvicious",
                "sipcli",
                "sundayddr",
                "pplsip",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }
}

/// The address we are reached at, for each transport that is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalAddrs {
    /// UDP.
    pub udp: Option<SocketAddr>,
    /// TCP.
    pub tcp: Option<SocketAddr>,
    /// TLS over TCP.
    pub tls: Option<SocketAddr>,
}

impl LocalAddrs {
    /// The address for one transport.
    #[must_use]
    pub fn get(&self, proto: Proto) -> Option<SocketAddr> {
        match proto {
            Proto::Udp => self.udp,
            Proto::Tcp => self.tcp,
            Proto::Tls => self.tls,
        }
    }
}

/// How we check others' digests.
#[derive(Clone)]
pub struct Auth {
    /// The realm of our challenges.
    pub realm: String,
    /// The key of our nonces; the same key after a restart keeps phones signed in.
    pub nonce_key: [u8; 32],
    /// Algorithms we challenge with, strongest first.
    pub algorithms: Vec<Algorithm>,
    /// The accounts.
    pub passwords: Arc<dyn Passwords>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// Looks an account up. It is asked on the path of every REGISTER, so it must not block.
pub trait Passwords: Send + Sync {
    /// The secret of `user`, None for an unknown one.
    fn secret(&self, user: &str) -> Option<Secret>;
}

impl Passwords for HashMap<String, Secret> {
    fn secret(&self, user: &str) -> Option<Secret> {
        self.get(user).cloned()
    }
}

impl<F> Passwords for F
where
    F: Fn(&str) -> Option<Secret> + Send + Sync,
{
    fn secret(&self, user: &str) -> Option<Secret> {
        self(user)
    }
}

/// A password, or the hash H(user:realm:password) of one algorithm.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The clear password: good for every algorithm.
    Password(String),
    /// Lower case hex of H(user:realm:password).
    Ha1 {
        /// The algorithm of H.
        algorithm: Algorithm,
        /// The hash.
        hex: String,
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How long registrations last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrarRules {
    /// Shorter wishes get 423, seconds.
    pub min_expires_s: u32,
    /// Longer wishes are cut, seconds.
    pub max_expires_s: u32,
    /// Given when nothing is wished, seconds.
    pub default_expires_s: u32,
}

impl Default for RegistrarRules {
    fn default() -> Self {
        RegistrarRules {
            min_expires_s: 60,
            max_expires_s: 3_600,
            default_expires_s: 300,
        }
    }
}
