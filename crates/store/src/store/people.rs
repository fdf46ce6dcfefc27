//! Sign-in.

use super::SqlStore;
use super::nodes::LIVES;
use crate::sql::vals;
use async_trait::async_trait;
use domain::entity::{Agent, User};
use domain::ids::{SessionId, UserId};
use domain::ports::StoreError;
use domain::ports::store::{
    ApiKey, IDEMPOTENT_CLAIM_MS, IdempotentReply, IdempotentTaken, LoginFailures, PeopleStore,
    RefreshOutcome, SessionRow,
};
use domain::time::{DAY_MS, UtcMs};
use std::sync::PoisonError;

/// Status of an idempotency key whose request still runs; no reply has it.
const RUNS: u16 = 0;

#[async_trait]
impl PeopleStore for SqlStore {
    async fn user_by_name(&self, username: &str) -> Result<Option<User>, StoreError> {
        let values = vals![username.to_owned()];
        self.read().await?.find("WHERE username=$1", values).await
    }

    async fn agent_of_user(&self, user: UserId) -> Result<Option<Agent>, StoreError> {
        let rest = "WHERE user_id=$1 ORDER BY id LIMIT 1";
        self.read().await?.find(rest, vals![user]).await
    }

    async fn user_count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) AS n FROM users";
        let row = self.read().await?.row(sql, vec![]).await?;
        row.map_or(Ok(0), |r| Ok(r.get::<i64>("n")?.unsigned_abs()))
    }

    async fn open_session(&self, row: &SessionRow, now: UtcMs) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.run("DELETE FROM sessions WHERE expires_at<=$1", vals![now])
            .await?;
        tx.put(row).await?;
        tx.commit().await
    }

    async fn rotate_session(
        &self,
        presented: &str,
        fresh: &str,
        now: UtcMs,
    ) -> Result<RefreshOutcome, StoreError> {
        let mut tx = self.write().await?;
        let spent = "DELETE FROM sessions WHERE id IN \
            (SELECT session_id FROM sessions_spent WHERE refresh_hash=$1)";
        if tx.run(spent, vals![presented.to_owned()]).await? > 0 {
            tx.commit().await?;
            return Ok(RefreshOutcome::Reused);
        }
        let sql = "UPDATE sessions SET refresh_hash=$2 WHERE refresh_hash=$1 AND expires_at>$3 \
            RETURNING id, user_id, refresh_hash, expires_at";
        let values = vals![presented.to_owned(), fresh.to_owned(), now];
        let Some(row) = tx.row(sql, values).await? else {
            return Ok(RefreshOutcome::Unknown);
        };
        let family = <SessionRow as crate::rows::Entity>::read(&row)?;
        let sql = "INSERT INTO sessions_spent (refresh_hash, session_id) VALUES ($1, $2)";
        tx.run(sql, vals![presented.to_owned(), family.id]).await?;
        tx.commit().await?;
        Ok(RefreshOutcome::Rotated(family))
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.run("DELETE FROM sessions WHERE id=$1", vals![id])
            .await?;
        tx.commit().await
    }

    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut tx = self.write().await?;
        let sql = "SELECT id, user_id, refresh_hash, expires_at FROM sessions WHERE user_id=$1";
        let mut ended = Vec::new();
        for row in tx.rows(sql, vals![user]).await? {
            let family = <SessionRow as crate::rows::Entity>::read(&row)?;
            if Some(family.id) != keep {
                tx.run("DELETE FROM sessions WHERE id=$1", vals![family.id])
                    .await?;
                ended.push(family.id);
            }
        }
        tx.commit().await?;
        Ok(ended)
    }

    async fn session_alive(&self, id: SessionId, now: UtcMs) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS n FROM sessions WHERE id=$1 AND expires_at>$2";
        Ok(self.read().await?.row(sql, vals![id, now]).await?.is_some())
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(key).await?;
        tx.commit().await
    }

    async fn api_key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>, StoreError> {
        let rest = "WHERE key_hash=$1 AND revoked_at IS NULL";
        self.read().await?.find(rest, vals![hash.to_owned()]).await
    }

    async fn list_api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.read().await?.all("ORDER BY id", vec![]).await
    }

    async fn login_failures(&self, key: &str) -> Result<LoginFailures, StoreError> {
        let sql = "SELECT failures, last_at FROM login_failures WHERE account=$1";
        match self.read().await?.row(sql, vals![key.to_owned()]).await? {
            Some(row) => Ok(LoginFailures {
                count: row.get("failures")?,
                last_at: row.get("last_at")?,
            }),
            None => Ok(LoginFailures::default()),
        }
    }

    async fn set_login_failures(&self, key: &str, value: LoginFailures) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        // Names that were only guessed once leave rows that nobody comes back for.
        let old = value.last_at.plus_ms(-DAY_MS);
        tx.run("DELETE FROM login_failures WHERE last_at<$1", vals![old])
            .await?;
        if value.count == 0 {
            let sql = "DELETE FROM login_failures WHERE account=$1";
            tx.run(sql, vals![key.to_owned()]).await?;
        } else {
            let sql = "INSERT INTO login_failures (account, failures, last_at) VALUES ($1, $2, $3) \
                ON CONFLICT (account) DO UPDATE SET failures=excluded.failures, last_at=excluded.last_at";
            tx.run(sql, vals![key.to_owned(), value.count, value.last_at])
                .await?;
        }
        tx.commit().await
    }

    async fn take_guess(&self, key: &str, max: u32, last_at: UtcMs) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO login_failures (account, failures, last_at) VALUES ($1, 1, $3) \
            ON CONFLICT (account) DO UPDATE SET failures=login_failures.failures+1, \
            last_at=excluded.last_at WHERE login_failures.failures<$2";
        let taken = tx.run(sql, vals![key.to_owned(), max, last_at]).await?;
        tx.commit().await?;
        Ok(taken > 0)
    }

    async fn idempotent_take(
        &self,
        user: &str,
        key: &str,
        request_hash: &str,
        now: UtcMs,
    ) -> Result<IdempotentTaken, StoreError> {
        let mut tx = self.write().await?;
        let (day, dead) = (now.plus_ms(-DAY_MS), now.plus_ms(-IDEMPOTENT_CLAIM_MS));
        // While it runs, the body names who took it: nobody waits for a node that is no more.
        let sql = format!(
            "INSERT INTO idempotency (owner, idem_key, status, body, request_hash, at) \
            VALUES ($1, $2, $3, $8, $4, $5) ON CONFLICT (owner, idem_key) DO UPDATE SET status=excluded.status, \
            body=excluded.body, request_hash=excluded.request_hash, at=excluded.at \
            WHERE idempotency.at<=$6 OR (idempotency.status=$3 AND (idempotency.at<=$7 \
            OR (idempotency.body<>'' AND NOT {LIVES})))"
        );
        let claimant = self
            .claimant
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (user, key) = (user.to_owned(), key.to_owned());
        let hash = request_hash.to_owned();
        let values = vals![user, key, RUNS, hash, now, day, dead, claimant];
        if tx.run(sql, values).await? > 0 {
            tx.commit().await?;
            return Ok(IdempotentTaken::Yours);
        }
        let sql =
            "SELECT status, body, request_hash FROM idempotency WHERE owner=$1 AND idem_key=$2";
        let row = tx.row(sql, vals![user, key]).await?;
        tx.rollback().await?;
        let Some(row) = row else {
            // Its request came to nothing this moment: the next try has it.
            return Ok(IdempotentTaken::Running);
        };
        let status: u16 = row.get("status")?;
        Ok(match status {
            RUNS => IdempotentTaken::Running,
            status => IdempotentTaken::Done(IdempotentReply {
                status,
                body: row.get("body")?,
                request_hash: row.get("request_hash")?,
            }),
        })
    }

    async fn idempotent_drop(&self, user: &str, key: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "DELETE FROM idempotency WHERE owner=$1 AND idem_key=$2 AND status=$3";
        let values = vals![user.to_owned(), key.to_owned(), RUNS];
        tx.run(sql, values).await?;
        tx.commit().await
    }

    async fn idempotent_put(
        &self,
        user: &str,
        key: &str,
        reply: &IdempotentReply,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        // Kept replies end after 24 h; the newest one sweeps the old ones out.
        tx.run(
            "DELETE FROM idempotency WHERE at<=$1",
            vals![now.plus_ms(-DAY_MS)],
        )
        .await?;
        let sql = "INSERT INTO idempotency (owner, idem_key, status, body, request_hash, at) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner, idem_key) DO UPDATE SET \
            status=excluded.status, body=excluded.body, request_hash=excluded.request_hash, \
            at=excluded.at WHERE idempotency.status=$7";
        let values = vals![
            user.to_owned(),
            key.to_owned(),
            reply.status,
            reply.body,
            reply.request_hash,
            now,
            RUNS,
        ];
        tx.run(sql, values).await?;
        tx.commit().await
    }
}
