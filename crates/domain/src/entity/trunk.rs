//! Trunk and CallerId.

use crate::ids::{CallerIdId, ClientId, TrunkId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// A route out. The trunk's address and secrets are configuration; this row is what stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    /// Identity.
    pub id: TrunkId,
    /// Name of the configuration section, unique.
    pub name: String,
    /// Most calls at once.
    pub channels: i32,
    /// Most call starts a second.
    pub cps: i32,
    /// Whether it may be used.
    pub enabled: bool,
    /// Created at.
    pub created_at: UtcMs,
}

/// A number we may show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerId {
    /// Identity.
    pub id: CallerIdId,
    /// Client whose calls show it.
    pub client_id: ClientId,
    /// The number, E.164.
    pub number: String,
    /// Country it is a number of.
    pub country: String,
    /// Whether it is registered with the authority list the pack names.
    pub registered: bool,
    /// Whether it may be used now.
    pub enabled: bool,
    /// Whether its carrier signs the calls that show it.
    #[serde(default)]
    pub signed: bool,
    /// When somebody last called it and came to us: the way back was tested.
    #[serde(default)]
    pub callback_at: Option<UtcMs>,
    /// Created at.
    pub created_at: UtcMs,
}
