//! The second factor: TOTP (RFC 6238), 6 digits, 30 s, SHA-1 as authenticator apps expect.

use domain::ids::UserId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use totp_rs::{Builder, Secret, Totp};

/// Users whose last step is remembered; beyond it the table is emptied of old steps.
const REMEMBERED_MAX: usize = 10_000;
/// Length of the secret, bytes (RFC 4226 §4 recommends 160 bit).
const SECRET_BYTES: usize = 20;
/// Name shown in authenticator apps.
const ISSUER: &str = "Marcador";

/// A new secret in base32.
pub(crate) fn new_secret() -> String {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    Secret::from(bytes.to_vec()).to_base32()
}

/// The address that a QR code carries.
pub(crate) fn otpauth_url(secret: &str, username: &str) -> String {
    let account: String = username
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "._-@".contains(*c))
        .collect();
    format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}")
}

fn totp(secret: &str) -> Option<Totp> {
    let secret = Secret::try_from_base32(secret).ok()?;
    Builder::new().with_secret(secret).build().ok()
}

/// The step a code belongs to, when it is right at `seconds` (one step of skew either way).
pub(crate) fn matching_step(secret: &str, code: &str, seconds: u64) -> Option<u64> {
    totp(secret)?.check(code, seconds)
}

/// Steps already used, so that a code seen over a shoulder is worth nothing (RFC 6238 §5.2).
#[derive(Debug, Default)]
pub(crate) struct UsedOtps(Mutex<HashMap<UserId, u64>>);

impl UsedOtps {
    /// Takes a step; `false` when it or a later one was used.
    pub(crate) fn take(&self, user: UserId, step: u64) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.get(&user).is_some_and(|last| step <= *last) {
            return false;
        }
        if used.len() >= REMEMBERED_MAX {
            used.retain(|_, last| *last + 3 > step);
        }
        used.insert(user, step);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_right_once() {
        let secret = new_secret();
        let seconds = 1_795_357_200;
        let code = totp(&secret).expect("secret").generate(seconds).to_string();
        let step = matching_step(&secret, &code, seconds).expect("right now");
        assert_eq!(matching_step(&secret, &code, seconds + 29), Some(step));
        assert_eq!(matching_step(&secret, &code, seconds + 120), None);
        assert_eq!(matching_step(&secret, "", seconds), None);
        let used = UsedOtps::default();
        let user = UserId(uuid::Uuid::from_u128(1));
        assert!(used.take(user, step));
        assert!(!used.take(user, step));
        assert!(used.take(user, step + 1));
    }
}
