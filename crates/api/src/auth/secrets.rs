//! Secrets of this room; the server reads them from files or the environment.

use crate::error::ApiError;
use domain::ValueError;
use domain::link::LinkKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Least length of the pepper and of token keys, bytes (128 and 256 bit).
const PEPPER_MIN: usize = 16;
const KEY_MIN: usize = 32;

/// What the keys of signed addresses follow from.
pub(crate) const LINKS: &[u8] = b"signed links";

/// A key that signs access tokens, with the id that tokens name.
#[derive(Clone)]
pub struct TokenKey {
    /// Key id, 1–16 letters or digits.
    pub id: String,
    /// At least 32 bytes.
    pub key: Vec<u8>,
}

/// Pepper and token keys. `Debug` shows none of them.
#[derive(Clone)]
pub struct ApiSecrets {
    /// Mixed into every password hash; kept outside the database.
    pub pepper: Vec<u8>,
    /// The first signs; the others still verify (rotation).
    pub token_keys: Vec<TokenKey>,
}

impl ApiSecrets {
    /// One key.
    #[must_use]
    pub fn new(pepper: Vec<u8>, key: Vec<u8>) -> Self {
        Self {
            pepper,
            token_keys: vec![TokenKey {
                id: "k1".to_owned(),
                key,
            }],
        }
    }

    /// The key that signs addresses of pages, as the API does.
    ///
    /// # Errors
    /// No key to derive it from.
    pub fn link_key(&self) -> Result<LinkKey, ValueError> {
        let keys = self.derived(LINKS);
        LinkKey::new(keys.first().map_or(&[][..], Vec::as_slice))
    }

    /// Keys for another purpose that follow from the token keys, in their order: one change of keys changes
    /// all.
    pub(crate) fn derived(&self, purpose: &[u8]) -> Vec<Vec<u8>> {
        let derive = |key: &TokenKey| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key.key).expect("HMAC takes any key");
            mac.update(b"marcador derived key\n");
            mac.update(purpose);
            mac.finalize().into_bytes().to_vec()
        };
        self.token_keys.iter().map(derive).collect()
    }

    pub(crate) fn check(&self) -> Result<(), ApiError> {
        if self.pepper.len() < PEPPER_MIN {
            return Err(ApiError::Secret {
                name: "pepper",
                least: PEPPER_MIN,
            });
        }
        let good = |k: &TokenKey| {
            k.key.len() >= KEY_MIN
                && (1..=16).contains(&k.id.len())
                && k.id.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        if self.token_keys.is_empty() || !self.token_keys.iter().all(good) {
            return Err(ApiError::Secret {
                name: "token key",
                least: KEY_MIN,
            });
        }
        Ok(())
    }
}

impl std::fmt::Debug for ApiSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiSecrets(hidden)")
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({}, hidden)", self.id)
    }
}
