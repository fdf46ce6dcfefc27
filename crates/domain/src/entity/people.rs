//! User, Role, Team, Agent.

use crate::ids::{AgentId, ClientId, TeamId, UserId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// One role a login.
    pub enum Role {
        /// Talks to debtors.
        Agent = "agent",
        /// Watches agents, answers for law and goal.
        Supervisor = "supervisor",
        /// Campaign manager.
        Manager = "manager",
        /// Everything, and users.
        Admin = "admin",
        /// A client's own portal: own data only.
        Client = "client",
    }
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// Login name, lower case, unique.
    pub username: String,
    /// Name shown.
    pub display_name: String,
    /// Role.
    pub role: Role,
    /// Client whose data a `client` user sees.
    pub client_id: Option<ClientId>,
    /// Argon2id hash (PHC string); never leaves the server.
    #[serde(skip_serializing, default)]
    pub password_hash: String,
    /// TOTP secret (base32), when a second factor is set; never leaves the server.
    #[serde(skip_serializing, default)]
    pub totp_secret: Option<String>,
    /// Whether the login may be used.
    pub active: bool,
    /// Created at.
    pub created_at: UtcMs,
}

/// Agents under a supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Identity.
    pub id: TeamId,
    /// Name.
    pub name: String,
    /// Created at.
    pub created_at: UtcMs,
}

/// A person who talks; belongs to one user with role `agent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Identity.
    pub id: AgentId,
    /// Login.
    pub user_id: UserId,
    /// Team.
    pub team_id: Option<TeamId>,
    /// Name shown on the board and in scripts.
    pub name: String,
    /// SIP user of the agent's phone.
    pub sip_user: String,
    /// SIP password of that phone (digest needs it); never leaves the server.
    #[serde(skip_serializing, default)]
    pub sip_password: String,
    /// Campaigns the agent works for, by priority; empty = any of its clients.
    pub campaigns: Vec<crate::ids::CampaignId>,
    /// Skills.
    pub skills: Vec<String>,
    /// Created at.
    pub created_at: UtcMs,
}
