//! People who sign in.

use super::entity;
use domain::entity::{Agent, Team, User};
use domain::ports::store::{ApiKey, SessionRow};

entity!(User, "users", "user" {
        id, username, display_name, role, client_id, password_hash, totp_secret, active, created_at
    }
    const UNIQUE: &'static str = "user name";
    const OPEN_ENDED: &'static [&'static str] = &["client_id"];
);

entity!(Team, "teams", "team" { id, name, created_at });

entity!(Agent, "agents", "agent" {
        id, user_id, team_id, name, sip_user, sip_password, campaigns, skills, created_at
    }
    const UNIQUE: &'static str = "SIP user";
);

entity!(ApiKey, "api_keys", "API key" {
        id, user_id, name, role, client_id, key_hash, created_at, revoked_at
    }
    const UNIQUE: &'static str = "API key";
);

entity!(SessionRow, "sessions", "session" { id, user_id, refresh_hash, expires_at });
