//! Access tokens: `mt1.<key id>.<claims>.<mac>`, claims as base64url JSON, HMAC-SHA256 over all
//! before the last dot. The algorithm is pinned; the key id is looked up in a table.

use super::secrets::{ApiSecrets, TokenKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::entity::Role;
use domain::ids::{AgentId, ClientId, SessionId, UserId};
use domain::time::UtcMs;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

const VERSION: &str = "mt1";
/// Longest token that is looked at, bytes.
const TOKEN_MAX: usize = 1_024;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    /// User.
    pub(crate) sub: UserId,
    /// Role.
    pub(crate) role: Role,
    /// Client the user is limited to.
    pub(crate) client: Option<ClientId>,
    /// Agent of the user.
    pub(crate) agent: Option<AgentId>,
    /// Session family.
    pub(crate) sid: SessionId,
    /// Only the enrolment of a second factor is permitted.
    pub(crate) enrol: bool,
    /// Ends at, epoch ms.
    pub(crate) exp: i64,
}

type HmacSha256 = Hmac<Sha256>;

fn mac(key: &TokenKey, text: &str) -> HmacSha256 {
    let mut mac = HmacSha256::new_from_slice(&key.key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac
}

/// Signs.
pub(crate) fn sign(secrets: &ApiSecrets, claims: &Claims) -> String {
    let key = secrets
        .token_keys
        .first()
        .expect("secrets are checked to have a key");
    let json = serde_json::to_vec(claims).expect("claims are plain data");
    let head = format!("{VERSION}.{}.{}", key.id, URL_SAFE_NO_PAD.encode(json));
    let tag = mac(key, &head).finalize().into_bytes();
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// Reads a token; `None` for anything that is not whole, ours and in time.
pub(crate) fn verify(secrets: &ApiSecrets, token: &str, now: UtcMs) -> Option<Claims> {
    if token.len() > TOKEN_MAX {
        return None;
    }
    let (head, tag) = token.rsplit_once('.')?;
    let mut parts = head.split('.');
    let (version, key_id, body) = (parts.next()?, parts.next()?, parts.next()?);
    if version != VERSION || parts.next().is_some() {
        return None;
    }
    let key = secrets.token_keys.iter().find(|k| k.id == key_id)?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    mac(key, head).verify_slice(&tag).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
    (now.0 < claims.exp).then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn claims() -> Claims {
        Claims {
            sub: UserId(Uuid::from_u128(1)),
            role: Role::Manager,
            client: None,
            agent: None,
            sid: SessionId(Uuid::from_u128(2)),
            enrol: false,
            exp: 1_000,
        }
    }

    #[test]
    fn whole_ours_and_in_time() {
        let secrets = ApiSecrets::new(vec![1; 16], vec![2; 32]);
        let token = sign(&secrets, &claims());
        assert_eq!(verify(&secrets, &token, UtcMs(999)), Some(claims()));
        assert_eq!(verify(&secrets, &token, UtcMs(1_000)), None);
        let other = ApiSecrets::new(vec![1; 16], vec![3; 32]);
        assert_eq!(verify(&other, &token, UtcMs(0)), None);
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            if bytes == token.as_bytes() {
                continue;
            }
            let broken = String::from_utf8(bytes).expect("ascii");
            let read = verify(&secrets, &broken, UtcMs(0));
            // The last character of base64 may carry unused bits; the decoder refuses those.
            assert_eq!(read, None, "changed at {at}");
        }
    }

    #[test]
    fn an_old_key_still_verifies() {
        let old = ApiSecrets::new(vec![1; 16], vec![2; 32]);
        let token = sign(&old, &claims());
        let mut rotated = old.clone();
        rotated.token_keys.insert(
            0,
            TokenKey {
                id: "k2".to_owned(),
                key: vec![9; 32],
            },
        );
        assert!(verify(&rotated, &token, UtcMs(0)).is_some());
        assert!(sign(&rotated, &claims()).starts_with("mt1.k2."));
    }
}
