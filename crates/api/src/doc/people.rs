//! People, clients, and what belongs to the installation.

use super::{Instant, Phone, Role};
use uuid::Uuid;

shape! {
    /// A creditor: the unit of isolation.
    Client { id: Uuid, name: String, callback_number: Phone, created_at: Instant }
    /// A login.
    User {
        id: Uuid, username: String, display_name: String, role: Role,
        /// Client whose data the user sees; null = all.
        client_id: Option<Uuid>,
        active: bool, created_at: Instant,
    }
    /// Agents under a supervisor.
    Team { id: Uuid, name: String, created_at: Instant }
    /// A person who talks.
    Agent {
        id: Uuid, user_id: Uuid, team_id: Option<Uuid>, name: String, sip_user: String,
        /// By priority; empty = any.
        campaigns: Vec<Uuid>,
        skills: Vec<String>, created_at: Instant,
    }
    /// A programme's key; the key itself is shown once, when it is made.
    ApiKey {
        id: Uuid, user_id: Uuid, name: String, role: Role, client_id: Option<Uuid>,
        created_at: Instant, revoked_at: Option<Instant>,
    }
    /// A route out.
    Trunk { id: Uuid, name: String, channels: i32, cps: i32, enabled: bool, created_at: Instant }
    /// A number that calls may show.
    CallerId {
        id: Uuid, client_id: Uuid, number: Phone,
        /// ISO 3166 alpha-2.
        country: String,
        registered: bool, enabled: bool,
        /// Whether its carrier signs the calls that show it.
        signed: bool,
        /// When somebody last called it and came to us; null = never: its way back is not tested.
        callback_at: Option<Instant>, created_at: Instant,
    }
}
