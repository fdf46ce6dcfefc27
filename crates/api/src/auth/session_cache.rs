//! Whether a session is alive, asked of the database at most every few seconds, so that signing
//! out, disabling a user or changing his role ends his tokens long before they expire.

use super::token::Claims;
use crate::problem::Problem;
use domain::ids::SessionId;
use domain::ports::{Store, StoreError};
use domain::time::UtcMs;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long an answer is believed, ms.
const BELIEVED_MS: i64 = 5_000;
/// Sessions remembered; beyond it old answers go.
const REMEMBERED_MAX: usize = 20_000;

/// Answers of the last seconds.
#[derive(Debug, Default)]
pub(crate) struct SessionCache(Mutex<HashMap<SessionId, (bool, UtcMs)>>);

impl SessionCache {
    fn known(&self, id: SessionId, now: UtcMs) -> Option<bool> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (alive, at) = seen.get(&id)?;
        (now.since_ms(*at) < BELIEVED_MS).then_some(*alive)
    }

    fn learn(&self, id: SessionId, alive: bool, now: UtcMs) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED_MAX {
            seen.retain(|_, (_, at)| now.since_ms(*at) < BELIEVED_MS);
        }
        if seen.len() < REMEMBERED_MAX {
            seen.insert(id, (alive, now));
        }
    }

    /// Forgets an answer: the session has just ended.
    pub(crate) fn forget(&self, id: SessionId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    /// Whether the token's session is alive and its user still is what the token says.
    pub(crate) async fn alive(
        &self,
        store: &dyn Store,
        claims: &Claims,
        now: UtcMs,
    ) -> Result<bool, Problem> {
        if let Some(alive) = self.known(claims.sid, now) {
            return Ok(alive);
        }
        let session = claims.enrol || store.session_alive(claims.sid, now).await?;
        let alive = session
            && match store.get_user(claims.sub).await {
                Ok(user) => {
                    user.active && user.role == claims.role && user.client_id == claims.client
                }
                Err(StoreError::NotFound(_)) => false,
                Err(other) => return Err(other.into()),
            };
        self.learn(claims.sid, alive, now);
        Ok(alive)
    }
}
