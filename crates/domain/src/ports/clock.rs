//! Time and identity from outside.

use crate::time::UtcMs;

/// The wall clock. Pure rooms never see it: they are handed `now`.
pub trait Clock: Send + Sync {
    /// The present instant. Never runs backwards within a process.
    fn now(&self) -> UtcMs;
}

/// Source of UUIDv7 identities.
pub trait IdSource: Send + Sync {
    /// A new identity made at `now`.
    fn next(&self, now: UtcMs) -> uuid::Uuid;
}
