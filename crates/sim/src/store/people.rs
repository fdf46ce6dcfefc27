//! Sign-in.

use super::{Family, KeptReply, MemoryStore};
use async_trait::async_trait;
use domain::entity::{Agent, User};
use domain::ids::{SessionId, UserId};
use domain::ports::store::{
    ApiKey, IDEMPOTENT_CLAIM_MS, IdempotentReply, IdempotentTaken, LoginFailures, PeopleStore,
    RefreshOutcome, SessionRow, StoreError,
};
use domain::time::{DAY_MS, UtcMs};

#[async_trait]
impl PeopleStore for MemoryStore {
    async fn user_by_name(&self, username: &str) -> Result<Option<User>, StoreError> {
        Ok(self
            .tx()
            .await?
            .users
            .values()
            .find(|u| u.username == username)
            .cloned())
    }

    async fn agent_of_user(&self, user: UserId) -> Result<Option<Agent>, StoreError> {
        Ok(self
            .tx()
            .await?
            .agents
            .values()
            .find(|a| a.user_id == user)
            .cloned())
    }

    async fn user_count(&self) -> Result<u64, StoreError> {
        Ok(self.tx().await?.users.len() as u64)
    }

    async fn open_session(&self, row: &SessionRow, now: UtcMs) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.sessions.retain(|_, f| now < f.row.expires_at);
        t.sessions.insert(
            row.id,
            Family {
                row: row.clone(),
                spent: Default::default(),
            },
        );
        Ok(())
    }

    async fn rotate_session(
        &self,
        presented: &str,
        fresh: &str,
        now: UtcMs,
    ) -> Result<RefreshOutcome, StoreError> {
        let mut t = self.tx().await?;
        let reused = t
            .sessions
            .iter()
            .find(|(_, f)| f.spent.contains(presented))
            .map(|(id, _)| *id);
        if let Some(id) = reused {
            t.sessions.remove(&id);
            return Ok(RefreshOutcome::Reused);
        }
        let current = t
            .sessions
            .values_mut()
            .find(|f| f.row.refresh_hash == presented && now < f.row.expires_at);
        Ok(match current {
            Some(family) => {
                family.spent.insert(presented.to_owned());
                family.row.refresh_hash = fresh.to_owned();
                RefreshOutcome::Rotated(family.row.clone())
            }
            None => RefreshOutcome::Unknown,
        })
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.tx().await?.sessions.remove(&id);
        Ok(())
    }

    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut t = self.tx().await?;
        let ended: Vec<SessionId> = t
            .sessions
            .values()
            .filter(|f| f.row.user_id == user && Some(f.row.id) != keep)
            .map(|f| f.row.id)
            .collect();
        for id in &ended {
            t.sessions.remove(id);
        }
        Ok(ended)
    }

    async fn session_alive(&self, id: SessionId, now: UtcMs) -> Result<bool, StoreError> {
        Ok(self
            .tx()
            .await?
            .sessions
            .get(&id)
            .is_some_and(|f| now < f.row.expires_at))
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.tx().await?.api_keys.insert(key.id, key.clone());
        Ok(())
    }

    async fn api_key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>, StoreError> {
        let t = self.tx().await?;
        Ok(t.api_keys
            .values()
            .find(|k| k.key_hash == hash && k.revoked_at.is_none())
            .cloned())
    }

    async fn list_api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.tx().await?.api_keys.values().cloned().collect())
    }

    async fn login_failures(&self, key: &str) -> Result<LoginFailures, StoreError> {
        Ok(self
            .tx()
            .await?
            .failures
            .get(key)
            .copied()
            .unwrap_or_default())
    }

    async fn set_login_failures(&self, key: &str, value: LoginFailures) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if value.count == 0 {
            t.failures.remove(key);
        } else {
            t.failures.insert(key.to_owned(), value);
        }
        Ok(())
    }

    async fn take_guess(&self, key: &str, max: u32, last_at: UtcMs) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let guesses = t.failures.entry(key.to_owned()).or_default();
        if guesses.count >= max {
            return Ok(false);
        }
        guesses.count += 1;
        guesses.last_at = last_at;
        Ok(true)
    }

    async fn idempotent_take(
        &self,
        user: &str,
        key: &str,
        _request_hash: &str,
        now: UtcMs,
    ) -> Result<IdempotentTaken, StoreError> {
        let mut t = self.tx().await?;
        let key = (user.to_owned(), key.to_owned());
        let known = t.replies.get(&key).cloned();
        if let Some(known) = known.filter(|k| now.since_ms(k.at) < DAY_MS) {
            if let Some(reply) = known.reply {
                return Ok(IdempotentTaken::Done(reply));
            }
            let alive = known.by.is_none_or(|(node, fence)| {
                let current = t.nodes.get(&node);
                current.is_some_and(|(current, _)| *current == fence)
            });
            if alive && now.since_ms(known.at) < IDEMPOTENT_CLAIM_MS {
                return Ok(IdempotentTaken::Running);
            }
        }
        let taken = KeptReply {
            reply: None,
            at: now,
            by: t.registered.clone(),
        };
        t.replies.insert(key, taken);
        Ok(IdempotentTaken::Yours)
    }

    async fn idempotent_drop(&self, user: &str, key: &str) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let key = (user.to_owned(), key.to_owned());
        if t.replies.get(&key).is_some_and(|kept| kept.reply.is_none()) {
            t.replies.remove(&key);
        }
        Ok(())
    }

    async fn idempotent_put(
        &self,
        user: &str,
        key: &str,
        reply: &IdempotentReply,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let key = (user.to_owned(), key.to_owned());
        let kept = t.replies.entry(key).or_insert(KeptReply {
            reply: None,
            at: now,
            by: None,
        });
        if kept.reply.is_none() {
            kept.reply = Some(reply.clone());
            kept.at = now;
        }
        Ok(())
    }
}
