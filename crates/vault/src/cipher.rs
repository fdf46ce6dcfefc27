//! AES-256-GCM as the library gives it.

use crate::{KEY_BYTES, VaultError};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

pub(crate) fn key(secret: &[u8; KEY_BYTES]) -> Result<LessSafeKey, VaultError> {
    UnboundKey::new(&AES_256_GCM, secret)
        .map(LessSafeKey::new)
        .map_err(|_| VaultError::Cipher)
}

/// Encrypts in place and appends the tag.
pub(crate) fn seal(
    key: &LessSafeKey,
    nonce: [u8; 12],
    bound: &[u8],
    bytes: &mut Vec<u8>,
) -> Result<(), VaultError> {
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), bytes)
        .map_err(|_| VaultError::Cipher)
}

/// Decrypts in place and drops the tag; `false` (and bytes of no use) when it does not belong.
pub(crate) fn open(key: &LessSafeKey, nonce: [u8; 12], bound: &[u8], bytes: &mut Vec<u8>) -> bool {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = match key.open_in_place(nonce, Aad::from(bound), bytes) {
        Ok(plain) => plain.len(),
        Err(_) => return false,
    };
    bytes.truncate(length);
    true
}
