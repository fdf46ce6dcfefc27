//! Passwords: Argon2id with pepper, off the async threads, a few at a time.

use crate::error::ApiError;
use crate::problem::Problem;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Memory of one hash, KiB: 19 MiB (OWASP password storage cheat sheet, Argon2id).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Hashes at once: each takes a core for about 20 ms, and calls need the cores too.
const HASHES_AT_ONCE: usize = 2;
/// Longest wait for a turn, ms; then 503.
const TURN_WAIT_MS: u64 = 5_000;
/// Least length of a new password, characters.
pub const PASSWORD_MIN_CHARS: usize = 10;
/// Most characters of a password: longer ones only cost hashing time.
pub const PASSWORD_MAX_CHARS: usize = 128;

fn engine(pepper: &[u8]) -> Result<Argon2<'_>, ApiError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| ApiError::Hash(e.to_string()))?;
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(|e| ApiError::Hash(e.to_string()))
}

/// Hashes a password (PHC string). Takes a core for about 20 ms.
///
/// # Errors
/// When the password's length is outside 10–128 characters or Argon2 fails.
pub fn hash_password(pepper: &[u8], password: &str) -> Result<String, ApiError> {
    check_length(password).map_err(ApiError::Password)?;
    hash_any(pepper, password)
}

fn hash_any(pepper: &[u8], password: &str) -> Result<String, ApiError> {
    let hash = engine(pepper)?
        .hash_password(password.as_bytes())
        .map_err(|e| ApiError::Hash(e.to_string()))?;
    Ok(hash.to_string())
}

fn check_length(password: &str) -> Result<(), &'static str> {
    let count = password.chars().count();
    if (PASSWORD_MIN_CHARS..=PASSWORD_MAX_CHARS).contains(&count) {
        Ok(())
    } else {
        Err("expected 10 to 128 characters")
    }
}

/// Refuses a new password that is too short or long.
pub(crate) fn check_new_password(path: &str, password: &str) -> Result<(), Problem> {
    check_length(password).map_err(|reason| Problem::invalid(path, reason))
}

/// Verifies and hashes with bounded concurrency.
pub struct Hasher {
    pepper: Arc<[u8]>,
    dummy: Arc<str>,
    turns: Arc<Semaphore>,
}

impl Hasher {
    /// Prepares the dummy hash that unknown users are checked against.
    ///
    /// # Errors
    /// When Argon2 refuses.
    pub fn new(pepper: Vec<u8>) -> Result<Self, ApiError> {
        let dummy = hash_any(&pepper, "no user has this password")?;
        Ok(Self {
            pepper: pepper.into(),
            dummy: dummy.into(),
            turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        })
    }

    async fn turn(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        match tokio::time::timeout(Duration::from_millis(TURN_WAIT_MS), turn).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Problem::unavailable("too many sign-ins at once")),
        }
    }

    /// Whether `password` belongs to `stored`; without a stored hash the same work is done in vain.
    pub(crate) async fn verify(
        &self,
        stored: Option<String>,
        password: String,
    ) -> Result<bool, Problem> {
        let permit = self.turn().await?;
        let (pepper, dummy) = (Arc::clone(&self.pepper), Arc::clone(&self.dummy));
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let known = stored.is_some();
            // A longer text than any password is cut before hashing, not refused: the time stays the same.
            let password: String = password.chars().take(PASSWORD_MAX_CHARS).collect();
            let stored = stored.unwrap_or_else(|| dummy.to_string());
            let Ok(argon) = engine(&pepper) else {
                return false;
            };
            let matches = PasswordHash::new(&stored)
                .is_ok_and(|hash| argon.verify_password(password.as_bytes(), &hash).is_ok());
            known && matches
        })
        .await
        .map_err(|_| Problem::internal())
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let permit = self.turn().await?;
        let pepper = Arc::clone(&self.pepper);
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hash_any(&pepper, &password)
        })
        .await
        .map_err(|_| Problem::internal())?
        .map_err(|_| Problem::internal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_wrong_and_nobody() {
        let hasher = Hasher::new(b"0123456789abcdef".to_vec()).expect("hasher");
        let hash = hasher.hash("correct horse".to_owned()).await.expect("hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let check = |h: Option<String>, p: &str| hasher.verify(h, p.to_owned());
        assert!(
            check(Some(hash.clone()), "correct horse")
                .await
                .expect("runs")
        );
        assert!(
            !check(Some(hash.clone()), "wrong horse")
                .await
                .expect("runs")
        );
        assert!(
            !check(None, "no user has this password")
                .await
                .expect("runs")
        );
        let other = Hasher::new(b"another pepper 16".to_vec()).expect("hasher");
        let peppered = other.verify(Some(hash), "correct horse".to_owned()).await;
        assert!(!peppered.expect("runs"));
    }

    #[test]
    fn lengths() {
        assert!(hash_password(b"0123456789abcdef", "123456789").is_err());
        assert!(hash_password(b"0123456789abcdef", &"x".repeat(129)).is_err());
    }
}
