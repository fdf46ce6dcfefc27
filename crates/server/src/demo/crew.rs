//! The simulated agents, and the phone of the person who signs in as agent.

use super::people::{AgentLogin, People};
use crate::node::Node;
use futures::future::join_all;
use sip_test::agent::{AgentConfig, Running, spawn};
use sip_test::phone::{self, Phone, PhoneConfig};

/// Everybody who is simulated.
pub(super) struct Crew {
    agents: Vec<Running>,
    phone: Phone,
}

impl Crew {
    /// Agents go to work and the person's phone registers; all keep trying until the server takes them.
    ///
    /// # Errors
    /// When a socket cannot be opened.
    pub(super) async fn start(node: &Node, people: &People, seed: u64) -> anyhow::Result<Self> {
        let url = format!("http://{}", node.http);
        let mut agents = Vec::with_capacity(people.simulated.len());
        for AgentLogin {
            login,
            sip_user,
            sip_password,
        } in &people.simulated
        {
            let mut config = AgentConfig::new(&url, &login.username, &login.password, node.sip);
            config.sip_user.clone_from(sip_user);
            config.sip_password.clone_from(sip_password);
            config.seed = seed;
            config.behaviour = super::tempo::behaviour();
            agents.push(spawn(config).await?);
        }
        let own = &people.agent;
        let phone =
            phone::start(PhoneConfig::new(node.sip, &own.sip_user, &own.sip_password)).await?;
        Ok(Self { agents, phone })
    }

    /// Everybody ends and disposes his call and signs out.
    pub(super) async fn leave(self) {
        join_all(self.agents.into_iter().map(Running::stop)).await;
        self.phone.stop().await;
    }
}
