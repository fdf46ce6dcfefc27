//! The first admin of an empty installation.

use super::password::hash_password;
use crate::error::ApiError;
use domain::entity::{Role, User};
use domain::ids::UserId;
use domain::ports::{Clock, IdSource, Store};
use rand::Rng;

/// Characters of generated passwords: none that are read wrongly.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Length of generated passwords: about 115 bits.
const LENGTH: usize = 20;

/// A password that was made up; print it once.
#[derive(Clone)]
pub struct GeneratedPassword {
    /// Login name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// Makes up a password of 20 characters.
#[must_use]
pub fn generate_password() -> String {
    let mut rng = rand::rng();
    (0..LENGTH)
        .map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]))
        .collect()
}

/// Creates user `admin` when there is no user at all; the password is returned, never logged.
///
/// # Errors
/// When the database or Argon2 fails.
pub async fn create_first_admin(
    store: &dyn Store,
    clock: &dyn Clock,
    ids: &dyn IdSource,
    pepper: &[u8],
) -> Result<Option<GeneratedPassword>, ApiError> {
    if store.user_count().await? > 0 {
        return Ok(None);
    }
    let password = generate_password();
    let (text, pepper) = (password.clone(), pepper.to_vec());
    let password_hash = tokio::task::spawn_blocking(move || hash_password(&pepper, &text))
        .await
        .map_err(|e| ApiError::Hash(e.to_string()))??;
    let now = clock.now();
    let user = User {
        id: UserId(ids.next(now)),
        username: "admin".to_owned(),
        display_name: "Admin".to_owned(),
        role: Role::Admin,
        client_id: None,
        password_hash,
        totp_secret: None,
        active: true,
        created_at: now,
    };
    store.put_user(&user, &[]).await?;
    Ok(Some(GeneratedPassword {
        username: user.username,
        password,
    }))
}
