//! Signed links: what a page address that leaves the house carries instead of personal data.
//!
//! `base64url(kind ‖ id ‖ expiry ‖ tag)` without padding, 52 characters: one byte, the 16 of a row's id,
//! six of an instant in ms, and the first 16 of HMAC-SHA256 over the 23 before (RFC 2104 §5 permits a tag
//! of half the hash). Nobody can make one, nobody can move one to another row or a later day, and what
//! it opens is decided by the row, not by the address.
//!
//! ```
//! use domain::link::{LinkKey, LinkKind};
//! use domain::time::UtcMs;
//! let key = LinkKey::new(&[7; 32])?;
//! let row = uuid::Uuid::from_u128(9);
//! let token = key.sign(LinkKind::Payment, row, UtcMs(1_000));
//! assert_eq!(key.verify(LinkKind::Payment, &token), Some((row, UtcMs(1_000))));
//! assert_eq!(key.verify(LinkKind::Agreement, &token), None);
//! # Ok::<(), domain::ValueError>(())
//! ```

use crate::ValueError;
use crate::time::UtcMs;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// Least length of a key, bytes.
pub const LINK_KEY_MIN: usize = 32;
/// Characters of a document below which nobody can prove who he is by its end.
pub const DOCUMENT_MIN: usize = 6;
/// Characters of a token.
pub const LINK_CHARS: usize = 52;
const BODY: usize = 1 + 16 + 6;
const TAG: usize = 16;
/// Told apart from every other use of the same key.
const CONTEXT: &[u8] = b"marcador link 1\n";

/// Whether the page of a link could ask who somebody is by his document.
#[must_use]
pub fn provable(document: &str) -> bool {
    document.chars().filter(|c| c.is_alphanumeric()).count() >= DOCUMENT_MIN
}

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LinkKind {
    /// The page on which a debtor pays; the row is a `PaymentLink`.
    Payment = 1,
    /// The page on which an agreement is read and accepted; the row is a plan.
    Agreement = 2,
    /// The page on which messages are declined; the row is a point.
    OptOut = 3,
    /// Identity was proved on the page of a payment link a moment ago; never part of an address.
    PaymentProved = 4,
    /// The same for an agreement.
    AgreementProved = 5,
}

/// The key that signs links. Printed, it shows nothing.
#[derive(Clone)]
pub struct LinkKey(Vec<u8>);

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

impl LinkKey {
    /// Takes a key of at least [`LINK_KEY_MIN`] bytes.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn new(key: &[u8]) -> Result<Self, ValueError> {
        if key.len() < LINK_KEY_MIN {
            return Err(ValueError::malformed(
                "link key",
                "expected at least 32 bytes",
            ));
        }
        Ok(Self(key.to_vec()))
    }

    fn mac(&self, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(CONTEXT);
        mac.update(body);
        Some(mac)
    }

    /// A token for a row until `expires` (kept to the ms, years 1970 to 10889).
    #[must_use]
    pub fn sign(&self, kind: LinkKind, id: Uuid, expires: UtcMs) -> String {
        let mut bytes = Vec::with_capacity(BODY + TAG);
        bytes.push(kind as u8);
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&expires.0.max(0).to_be_bytes()[2..]);
        if let Some(mac) = self.mac(&bytes) {
            bytes.extend_from_slice(&mac.finalize().into_bytes()[..TAG]);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The row and the expiry of a token that is whole and ours, of that kind; whether it is in time is
    /// for the caller, who may want to say so.
    #[must_use]
    pub fn verify(&self, kind: LinkKind, token: &str) -> Option<(Uuid, UtcMs)> {
        if token.len() != LINK_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (body, tag) = bytes.split_at_checked(BODY)?;
        self.mac(body)?.verify_truncated_left(tag).ok()?;
        if tag.len() != TAG || body[0] != kind as u8 {
            return None;
        }
        let id = Uuid::from_slice(&body[1..17]).ok()?;
        let mut until = [0; 8];
        until[2..].copy_from_slice(&body[17..]);
        Some((id, UtcMs(i64::from_be_bytes(until))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_row_one_kind_and_one_key() {
        let key = LinkKey::new(&[1; 32]).expect("long enough");
        let other = LinkKey::new(&[2; 32]).expect("long enough");
        let (row, until) = (Uuid::from_u128(77), UtcMs(1_790_000_000_123));
        let token = key.sign(LinkKind::Payment, row, until);
        assert_eq!(token.len(), LINK_CHARS);
        assert_eq!(key.verify(LinkKind::Payment, &token), Some((row, until)));
        assert_eq!(key.verify(LinkKind::OptOut, &token), None);
        assert_eq!(other.verify(LinkKind::Payment, &token), None);
        assert!(!format!("{key:?}").contains('1'));
        assert!(LinkKey::new(&[1; 31]).is_err());
    }

    #[test]
    fn no_changed_byte_and_no_other_length_is_accepted() {
        let key = LinkKey::new(&[1; 32]).expect("long enough");
        let token = key.sign(LinkKind::Agreement, Uuid::from_u128(5), UtcMs(9));
        let bytes = URL_SAFE_NO_PAD.decode(&token).expect("ours");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(key.verify(LinkKind::Agreement, &changed), None, "byte {at}");
        }
        for text in ["", "a", &token[1..], &format!("{token}A"), "ñ", "????"] {
            assert_eq!(key.verify(LinkKind::Agreement, text), None, "{text}");
        }
    }
}
