//! What can go wrong while this room is being set up; requests fail with `Problem` instead.

/// Why the room could not be set up, or a command-line helper failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A secret is missing or too short.
    #[error("secret {name}: at least {least} bytes are needed")]
    Secret {
        /// Which.
        name: &'static str,
        /// Least length in bytes.
        least: usize,
    },
    /// Argon2 refused.
    #[error("password hashing: {0}")]
    Hash(String),
    /// A password that may not be used.
    #[error("password: {0}")]
    Password(&'static str),
    /// The metrics registry refused a name: our fault.
    #[error("metrics: {0}")]
    Metrics(String),
    /// The database.
    #[error("store: {0}")]
    Store(#[from] domain::ports::StoreError),
}
