//! Refresh tokens that were replaced a moment ago. A page that is left before its answer came asks again with the
//! old one: it is given the same successor, and the family goes on. A node knows only what it replaced itself.

use super::throttle::Throttle;
use domain::ids::SessionId;
use domain::ports::store::SessionRow;
use domain::time::UtcMs;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::MutexGuard;

/// How long the token that was just replaced is still answered, ms: a second page load follows within seconds, and
/// whoever finds a copy of it later ends the family.
pub(crate) const REPLACED_GRACE_MS: i64 = 10_000;
/// Families remembered; beyond it old ones go.
const REMEMBERED_MAX: usize = 20_000;

/// The last change of a family's token.
struct Change {
    old_hash: String,
    fresh: String,
    row: SessionRow,
    at: UtcMs,
}

/// The last change of each family, while it matters.
#[derive(Default)]
pub(crate) struct Replaced {
    turns: Throttle,
    last: Mutex<HashMap<SessionId, Change>>,
}

impl Replaced {
    /// Waits for the token's turn: two loads of a page present it at the same moment.
    pub(super) async fn turn(&self, hash: &str) -> MutexGuard<'_, ()> {
        self.turns.turn(hash).await
    }

    /// What the token was replaced by a moment ago.
    pub(super) fn successor(
        &self,
        id: SessionId,
        hash: &str,
        now: UtcMs,
    ) -> Option<(SessionRow, String)> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let change = last.get(&id).filter(|c| c.old_hash == hash)?;
        (now.since_ms(change.at) < REPLACED_GRACE_MS)
            .then(|| (change.row.clone(), change.fresh.clone()))
    }

    /// A token was replaced; the one before it is reused from here on.
    pub(super) fn learn(&self, old_hash: String, fresh: &str, row: &SessionRow, now: UtcMs) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= REMEMBERED_MAX {
            last.retain(|_, c| now.since_ms(c.at) < REPLACED_GRACE_MS);
        }
        if last.len() >= REMEMBERED_MAX {
            last.remove(&row.id);
            return;
        }
        let change = Change {
            old_hash,
            fresh: fresh.to_owned(),
            row: row.clone(),
            at: now,
        };
        last.insert(row.id, change);
    }

    /// The family ended.
    pub(super) fn forget(&self, id: SessionId) {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }
}
