//! Events: everything that happened, in order, replayable by cursor (terms.md §12).

use crate::ids::{ClientId, EventId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Kind of the audit's rows: who did or saw what. They are a chain of hashes for each client.
pub const AUDIT_KIND: &str = "audit.written";

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

impl NewEvent {
    /// The client whose chain an audit row belongs to, as the chain names it; empty = the installation.
    #[must_use]
    pub fn tenant(&self) -> String {
        self.client_id.map_or_else(String::new, |c| c.to_string())
    }

    /// An audit row as its hash sees it: every field but its place in the log, `data` as it is stored.
    #[must_use]
    pub fn audit_text(&self, data: &str) -> String {
        serde_json::json!([
            self.id,
            self.at.0,
            self.client_id,
            self.actor,
            self.kind,
            self.subject,
            data
        ])
        .to_string()
    }
}

/// SHA-256 of the link before (hex; empty for the first) and the row's text, hex.
#[must_use]
pub fn chain_hash(before: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(b"\n");
    hash.update(text.as_bytes());
    hex::encode(hash.finalize())
}

/// A link of the audit's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLink {
    /// Number within the chain, 1 first.
    pub seq: i64,
    /// Place of its row in the log.
    pub cursor: i64,
    /// Hash of the link before; empty for the first.
    pub prev_hash: String,
    /// Its own hash.
    pub hash: String,
    /// Whether its row is there and has this hash.
    pub whole: bool,
}

/// Where a chain of the audit ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Client's id; empty = the installation.
    pub tenant: String,
    /// Links.
    pub seq: i64,
    /// Hash of the last.
    pub hash: String,
}

/// A walk along a chain of the audit, from its first link or from one that was walked before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditWalk {
    /// Number of the last link that was walked; 0 = none.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl AuditWalk {
    /// Goes on to a link; says what is wrong with it, if anything is.
    pub fn follow(&mut self, link: &AuditLink) -> Option<String> {
        let fault = if link.seq != self.seq + 1 {
            Some(format!("row {} is missing", self.seq + 1))
        } else if link.prev_hash != self.hash {
            Some("does not follow the one before".to_owned())
        } else if !link.whole {
            Some(format!(
                "the row (cursor {}) was changed or is gone",
                link.cursor
            ))
        } else {
            None
        };
        (self.seq, self.hash) = (link.seq, link.hash.clone());
        fault
    }

    /// What is wrong when the walk ends here and the chain's head says where it ends.
    #[must_use]
    pub fn ended(&self, head: &AuditHead) -> Option<String> {
        ((self.seq, &self.hash) != (head.seq, &head.hash)).then(|| {
            format!(
                "the chain ends at row {}, its head says {}",
                self.seq, head.seq
            )
        })
    }
}
