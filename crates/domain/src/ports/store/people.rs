//! Sign-in: sessions, API keys, idempotency.

use super::StoreError;
use crate::entity::User;
use crate::ids::{ApiKeyId, ClientId, SessionId, UserId};
use crate::time::{MINUTE_MS, UtcMs};
use async_trait::async_trait;

/// A session family: one sign-in with its rotating refresh token.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Family.
    pub id: SessionId,
    /// User.
    pub user_id: UserId,
    /// SHA-256 of the current refresh token, hex.
    pub refresh_hash: String,
    /// Ends at.
    pub expires_at: UtcMs,
}

/// What presenting a refresh token did.
#[derive(Debug, Clone)]
pub enum RefreshOutcome {
    /// Rotated.
    Rotated(SessionRow),
    /// An old token came again: the family is ended.
    Reused,
    /// Unknown or expired.
    Unknown,
}

/// A programme's key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ApiKey {
    /// Identity.
    pub id: ApiKeyId,
    /// Who made it.
    pub user_id: UserId,
    /// Name.
    pub name: String,
    /// Role it acts with.
    pub role: crate::entity::Role,
    /// Client it is limited to.
    pub client_id: Option<ClientId>,
    /// SHA-256 of the key, hex; never leaves the server.
    #[serde(skip)]
    pub key_hash: String,
    /// Made at.
    pub created_at: UtcMs,
    /// Revoked at.
    pub revoked_at: Option<UtcMs>,
}

/// Wrong guesses of an account from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoginFailures {
    /// Guesses in a row.
    pub count: u32,
    /// The last one.
    pub last_at: UtcMs,
}

/// A reply kept for 24 h under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentReply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
    /// SHA-256 of method, path and request body: the same key with another request is a conflict.
    pub request_hash: String,
}

/// How long a request that runs keeps its idempotency key, ms: longer than any request takes. Whoever took it
/// and was not heard of by then is dead.
pub const IDEMPOTENT_CLAIM_MS: i64 = 5 * MINUTE_MS;

/// What became of asking for an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotentTaken {
    /// It is the asker's: he does the work, and keeps its reply or lets the key go.
    Yours,
    /// Another request has it and is not answered yet, on whichever node.
    Running,
    /// The work was done before.
    Done(IdempotentReply),
}

/// Sign-in and what belongs to it.
#[async_trait]
pub trait PeopleStore: Send + Sync {
    /// A user by login name (lower case).
    async fn user_by_name(&self, username: &str) -> Result<Option<User>, StoreError>;
    /// The agent of a user.
    async fn agent_of_user(&self, user: UserId)
    -> Result<Option<crate::entity::Agent>, StoreError>;
    /// Number of users (0 = first start).
    async fn user_count(&self) -> Result<u64, StoreError>;
    /// Opens a session family; families that were over at `now` are swept out.
    async fn open_session(&self, row: &SessionRow, now: UtcMs) -> Result<(), StoreError>;
    /// Rotates: `presented` must be the current hash; an earlier one ends the family.
    async fn rotate_session(
        &self,
        presented: &str,
        fresh: &str,
        now: UtcMs,
    ) -> Result<RefreshOutcome, StoreError>;
    /// Ends a family.
    async fn end_session(&self, id: SessionId) -> Result<(), StoreError>;
    /// Ends every family of a user but `keep`; gives those that ended.
    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// Whether a family is alive.
    async fn session_alive(&self, id: SessionId, now: UtcMs) -> Result<bool, StoreError>;
    /// Stores a key.
    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError>;
    /// A key by hash, revoked ones not.
    async fn api_key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>, StoreError>;
    /// All keys.
    async fn list_api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
    /// Wrong guesses of `account|source`.
    async fn login_failures(&self, key: &str) -> Result<LoginFailures, StoreError>;
    /// Sets them; count 0 forgets. Those whose last guess is a day before `value.last_at` are swept out.
    async fn set_login_failures(&self, key: &str, value: LoginFailures) -> Result<(), StoreError>;
    /// Takes one of the `max` guesses of `key` in one step, however many come at once; `false` when none is
    /// left. `last_at` is kept as the last guess.
    async fn take_guess(&self, key: &str, max: u32, last_at: UtcMs) -> Result<bool, StoreError>;
    /// Takes a key for a request, in one step over all nodes. A reply younger than 24 h is given instead; a request
    /// that took it and was not answered for [`IDEMPOTENT_CLAIM_MS`] has it no more.
    async fn idempotent_take(
        &self,
        user: &str,
        key: &str,
        request_hash: &str,
        now: UtcMs,
    ) -> Result<IdempotentTaken, StoreError>;
    /// Lets a key go whose request came to nothing; a kept reply stays.
    async fn idempotent_drop(&self, user: &str, key: &str) -> Result<(), StoreError>;
    /// Keeps the reply of the request that took the key; the first one stays.
    async fn idempotent_put(
        &self,
        user: &str,
        key: &str,
        reply: &IdempotentReply,
        now: UtcMs,
    ) -> Result<(), StoreError>;
}
