//! Events: everything that happened, in order, replayable by cursor (terms.md §12).

use crate::ids::{ClientId, EventId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// An event about to be appended in the same transaction as the fact it tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// Identity; consumers are idempotent by it.
    pub id: EventId,
    /// When.
    pub at: UtcMs,
    /// Client it belongs to; `None` = the installation.
    pub client_id: Option<ClientId>,
    /// Who: `user:<id>`, `agent:<id>`, `node:<name>`, `system`.
    pub actor: String,
    /// `attempt.ended` and so on.
    pub kind: String,
    /// About what: `attempt:<id>`; order holds per subject.
    pub subject: String,
    /// Payload: ids, states, amounts; no names, phones or documents.
    pub data: serde_json::Value,
}

/// A stored event with its place in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Place in the log, counted up; gaps may occur.
    pub cursor: i64,
    /// Version of the payload's shape.
    pub schema: i32,
    /// The event.
    #[serde(flatten)]
    pub event: NewEvent,
}
