//! A simulated agent: signs in, opens the agent's socket, has a registered phone, takes calls,
//! talks, identifies, disposes. It uses the public HTTP and websocket only, so it can be pointed at
//! any Marcador server.
//!
//! What it decides is pure ([`Behaviour`], [`Manner`] and the desk): instants, chance and what was
//! heard are arguments. What it measures is whether the card was there before the voice.

mod behaviour;
mod desk;
mod figures;
mod http;
mod run;
mod socket;
mod verdict;
mod wire;

use std::net::SocketAddr;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::SipTestError;
use crate::phone::{self, Phone, PhoneConfig, Speaking};

pub use behaviour::{Behaviour, Manner, Outcome, Outcomes, Who};
pub use desk::{Ears, MAX_LEAVE_MS};
pub use figures::AgentFigures;
pub use wire::{Card, CardDebt, CardDuties, Message, Money};

/// What an agent is told.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Server, `http://host:port`.
    pub base_url: String,
    /// Sign-in name.
    pub username: String,
    /// Password.
    pub password: String,
    /// SIP address of the server, over UDP.
    pub sip_server: SocketAddr,
    /// Account of his phone.
    pub sip_user: String,
    /// Its password.
    pub sip_password: String,
    /// Domain of the account; the server's address where none.
    pub sip_domain: Option<String>,
    /// Address of his phone; the way to the server where none.
    pub local: Option<SocketAddr>,
    /// First and last RTP port; none lets the system choose.
    pub rtp_ports: Option<(u16, u16)>,
    /// Seed of all he decides, with his name.
    pub seed: u64,
    /// How he works.
    pub behaviour: Behaviour,
}

impl AgentConfig {
    /// An agent of the demo whose phone has the account `username` and the same password.
    #[must_use]
    pub fn new(base_url: &str, username: &str, password: &str, sip_server: SocketAddr) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            username: username.to_owned(),
            password: password.to_owned(),
            sip_server,
            sip_user: username.to_owned(),
            sip_password: password.to_owned(),
            sip_domain: None,
            local: None,
            rtp_ports: None,
            seed: 1,
            behaviour: Behaviour::demo(),
        }
    }

    fn phone(&self) -> PhoneConfig {
        let mut phone = PhoneConfig::new(self.sip_server, &self.sip_user, &self.sip_password);
        phone.domain.clone_from(&self.sip_domain);
        phone.bind = self.local.unwrap_or(phone.bind);
        phone.rtp_ports = self.rtp_ports;
        phone.speaking = Speaking::WhenTold;
        phone.seed = behaviour::hash(self.seed, &self.username, 0);
        phone
    }
}

/// An agent at work; dropping it ends him without good-bye.
#[derive(Debug)]
pub struct Running {
    stop: oneshot::Sender<()>,
    figures: watch::Receiver<AgentFigures>,
    task: JoinHandle<AgentFigures>,
}

/// Starts an agent on the current runtime. He goes on signing in until he succeeds, and comes back
/// after a lost connection.
///
/// # Errors
/// [`SipTestError::Http`] for a base URL that is none, and as [`phone::start`].
pub async fn spawn(config: AgentConfig) -> Result<Running, SipTestError> {
    let api = http::Api::new(&config.base_url, &config.username, &config.password)?;
    let phone: Phone = phone::start(config.phone()).await?;
    let (stop, stopped) = oneshot::channel();
    let (report, figures) = watch::channel(AgentFigures::default());
    let agent = run::Agent::new(&config, api, phone, report);
    let task = tokio::spawn(agent.work(stopped));
    Ok(Running {
        stop,
        figures,
        task,
    })
}

impl Running {
    /// What he did so far.
    #[must_use]
    pub fn figures(&self) -> AgentFigures {
        self.figures.borrow().clone()
    }

    /// Waits until his figures are as wished; false when he ended before.
    pub async fn until(&mut self, wish: impl FnMut(&AgentFigures) -> bool) -> bool {
        self.figures.wait_for(wish).await.is_ok()
    }

    /// He ends and disposes the call he is in (at most [`MAX_LEAVE_MS`]), signs out, and his phone
    /// leaves.
    pub async fn stop(self) -> AgentFigures {
        drop(self.stop);
        self.task.await.unwrap_or_default()
    }
}
