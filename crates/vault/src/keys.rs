//! The installation's keys: each wraps the random key of a file.

use crate::VaultError;
use aws_lc_rs::digest;
use zeroize::Zeroizing;

/// Bytes of a key: AES-256.
pub const KEY_BYTES: usize = 32;
/// Bytes of a key's name.
pub(crate) const ID_BYTES: usize = 16;
/// Most keys a file may hold.
pub const KEYS_MAX: usize = 64;

/// One wrapping key. It is wiped from memory when it is dropped.
struct Key {
    id: [u8; ID_BYTES],
    secret: Zeroizing<[u8; KEY_BYTES]>,
}

impl Key {
    fn new(secret: [u8; KEY_BYTES]) -> Self {
        let mut named = digest::Context::new(&digest::SHA256);
        named.update(b"marcador recording key id 1");
        named.update(&secret);
        let mut id = [0_u8; ID_BYTES];
        id.copy_from_slice(&named.finish().as_ref()[..ID_BYTES]);
        Self {
            id,
            secret: Zeroizing::new(secret),
        }
    }
}

/// The keys of an installation: the first wraps what is written now, the others open what is older.
pub struct KeyRing(Vec<Key>);

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|k| hex::encode(k.id)))
            .finish()
    }
}

impl KeyRing {
    /// One key.
    #[must_use]
    pub fn of(secret: [u8; KEY_BYTES]) -> Self {
        Self(vec![Key::new(secret)])
    }

    /// Reads a key file: a key of 64 hexadecimal digits a line, the current one first; empty lines
    /// and what follows `#` are passed over.
    ///
    /// # Errors
    /// [`VaultError::KeyFile`] names the line, never its content.
    pub fn read(text: &str) -> Result<Self, VaultError> {
        let mut keys: Vec<Key> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let fault = |expected| VaultError::KeyFile {
                line: at + 1,
                expected,
            };
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let mut secret = Zeroizing::new([0_u8; KEY_BYTES]);
            hex::decode_to_slice(line, secret.as_mut_slice())
                .map_err(|_| fault("64 hexadecimal digits"))?;
            let key = Key::new(*secret);
            if keys.iter().any(|k| k.id == key.id) {
                return Err(fault("each key once"));
            }
            if keys.len() == KEYS_MAX {
                return Err(fault("64 keys at most"));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(VaultError::KeyFile {
                line: 0,
                expected: "at least one key",
            });
        }
        Ok(Self(keys))
    }

    /// A fresh key as a line of a key file.
    ///
    /// # Errors
    /// [`VaultError::Cipher`] without randomness.
    pub fn fresh_line() -> Result<Zeroizing<String>, VaultError> {
        let mut secret = Zeroizing::new([0_u8; KEY_BYTES]);
        crate::random(secret.as_mut_slice())?;
        Ok(Zeroizing::new(format!(
            "{}\n",
            hex::encode(secret.as_slice())
        )))
    }

    /// Name of the key that wraps what is written now, hex.
    #[must_use]
    pub fn current_id(&self) -> String {
        hex::encode(self.current().0)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: a ring holds one key at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn current(&self) -> (&[u8; ID_BYTES], &[u8; KEY_BYTES]) {
        // `of` and `read` make no empty ring.
        let key = &self.0[0];
        (&key.id, &key.secret)
    }

    pub(crate) fn find(&self, id: &[u8]) -> Result<&[u8; KEY_BYTES], VaultError> {
        self.0
            .iter()
            .find(|k| k.id == id)
            .map(|k| &*k.secret)
            .ok_or_else(|| VaultError::UnknownKey(hex::encode(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_holds_the_current_key_and_older_ones() {
        let new = KeyRing::fresh_line().expect("fresh");
        let old = KeyRing::fresh_line().expect("fresh");
        let text = format!("# current\n{}\n{} # until 2026-11\n", &*new, old.trim());
        let ring = KeyRing::read(&text).expect("reads");
        assert_eq!(ring.len(), 2);
        let alone = KeyRing::read(&new).expect("reads");
        assert_eq!(ring.current_id(), alone.current_id());
        assert!(!format!("{ring:?}").contains(new.trim()), "names, not keys");
    }

    #[test]
    fn a_key_file_with_something_else_says_where() {
        let key = "a1".repeat(32);
        for (text, line) in [
            (String::new(), 0),
            ("# none\n\n".to_owned(), 0),
            (format!("{key}\nzz\n"), 2),
            (format!("\n{}\n", &key[2..]), 2),
            (format!("{key}\n{key}\n"), 2),
        ] {
            let error = KeyRing::read(&text).expect_err("refused");
            assert!(
                matches!(error, VaultError::KeyFile { line: at, .. } if at == line),
                "{error}"
            );
            assert!(!error.to_string().contains("a1a1"), "no key in a message");
        }
    }
}
