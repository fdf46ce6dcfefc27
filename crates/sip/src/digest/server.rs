//! Checking credentials. Nothing is kept for a challenge: the nonce carries its time and a keyed
//! hash. Only a nonce that was used with the right password takes memory, for its counts.

use std::collections::BTreeMap;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::hash::{DigestInput, ha1, request_digest};
use crate::Millis;
use crate::header::{Algorithm, Challenge, Credentials};
use crate::ids::Ids;
use crate::limits::{MAX_NONCES, NONCE_LIFE_MS};
use crate::msg::{HeaderName, Headers, Request};
use crate::ua::{Auth, Secret};

/// Time and salt in front of the keyed hash, octets.
const STAMP: usize = 12;
/// Octets of the keyed hash that are sent.
const MAC: usize = 16;

/// What a request's credentials are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// None for our realm, or without quality of protection: challenge.
    Missing,
    /// Right password on a nonce that is old, foreign or used: challenge with `stale`.
    Stale,
    /// Wrong: challenge, and count a guess for this name.
    Wrong(String),
    /// Right: the account.
    Right(String),
}

/// Checks digests and remembers used nonce counts.
pub struct DigestServer {
    auth: Auth,
    used: BTreeMap<[u8; STAMP], Window>,
    /// Nonces up to this stamp that are not in `used` were forgotten and count as old.
    floor: [u8; STAMP],
}

/// Which counts of a nonce were used: the highest, and a bit for each of the 64 below it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    highest: u32,
    seen: u64,
}

impl Window {
    fn take(&mut self, count: u32) -> bool {
        if count == 0 {
            return false;
        }
        if count > self.highest {
            let shift = count - self.highest;
            self.seen = if shift >= 64 { 0 } else { self.seen << shift };
            self.seen |= 1;
            self.highest = count;
            return true;
        }
        let back = self.highest - count;
        if back >= 64 || self.seen & (1 << back) != 0 {
            return false;
        }
        self.seen |= 1 << back;
        true
    }
}

impl DigestServer {
    /// A checker for one realm.
    #[must_use]
    pub fn new(auth: Auth) -> Self {
        DigestServer {
            auth,
            used: BTreeMap::new(),
            floor: [0; STAMP],
        }
    }

    /// Appends our challenges, strongest first, to the headers of a 401.
    pub fn challenge(&self, now: Millis, stale: bool, ids: &mut dyn Ids, headers: &mut Headers) {
        let mut stamp = [0; STAMP];
        stamp[..8].copy_from_slice(&now.0.to_be_bytes());
        ids.fill(&mut stamp[8..]);
        let nonce = Bytes::from(format!(
            "{}{}",
            hex::encode(stamp),
            hex::encode(self.mac(&stamp))
        ));
        for algorithm in &self.auth.algorithms {
            let challenge = Challenge {
                realm: Bytes::copy_from_slice(self.auth.realm.as_bytes()),
                nonce: nonce.clone(),
                opaque: None,
                algorithm: Some(*algorithm),
                names_algorithm: true,
                qop_auth: true,
                has_qop: true,
                stale,
            };
            headers.push(HeaderName::WwwAuthenticate, challenge.to_bytes());
        }
    }

    /// Judges the credentials of a request. An unknown account costs the same work as a wrong
    /// password, so that neither answer nor time tells them apart.
    pub fn check(&mut self, now: Millis, request: &Request) -> Verdict {
        let Ok(all) = request.headers.credentials(false) else {
            return Verdict::Wrong(String::new());
        };
        let realm = self.auth.realm.as_bytes();
        let Some(given) = all.into_iter().find(|given| given.realm == realm) else {
            return Verdict::Missing;
        };
        // We always offer qop, and who is offered it must use it (RFC 3261 §22.4, RFC 7616 §3.4).
        // Without it the count is not part of the digest, so that a copied request would pass with
        // another count.
        if given.qop.is_none() {
            return Verdict::Missing;
        }
        let user = String::from_utf8_lossy(&given.username).into_owned();
        let algorithm = given
            .algorithm
            .filter(|known| self.auth.algorithms.contains(known));
        let Some(algorithm) = algorithm else {
            return Verdict::Wrong(user);
        };
        if !self.matches(request, &given, algorithm, &user) {
            return Verdict::Wrong(user);
        }
        match self.stamp(&given.nonce) {
            Some(stamp) if self.take(now, stamp, given.nc.unwrap_or(1)) => Verdict::Right(user),
            _ => Verdict::Stale,
        }
    }

    fn matches(
        &self,
        request: &Request,
        given: &Credentials,
        algorithm: Algorithm,
        user: &str,
    ) -> bool {
        let secret = self.auth.passwords.secret(user);
        let known = secret.is_some();
        let hashed = match secret {
            Some(Secret::Ha1 {
                algorithm: own,
                hex,
            }) if own == algorithm => hex,
            Some(Secret::Password(text)) => {
                ha1(algorithm, &given.username, &given.realm, text.as_bytes())
            }
            _ => ha1(
                algorithm,
                &given.username,
                &given.realm,
                &self.auth.nonce_key,
            ),
        };
        let qop = match (&given.qop, &given.cnonce, given.nc) {
            (Some(qop), Some(cnonce), Some(count)) if qop.eq_ignore_ascii_case(b"auth") => {
                Some((count, &cnonce[..], &qop[..]))
            }
            _ => return false,
        };
        let input = DigestInput {
            method: request.method.as_bytes(),
            uri: &given.uri,
            nonce: &given.nonce,
            qop,
        };
        let right = request_digest(algorithm, &hashed, input);
        let lower = given.response.to_ascii_lowercase();
        let equal: bool = right.as_bytes().ct_eq(&lower).into();
        equal && known && same_uri(request, given)
    }

    /// The stamp of a nonce that we made.
    fn stamp(&self, nonce: &[u8]) -> Option<[u8; STAMP]> {
        let raw = hex::decode(nonce)
            .ok()
            .filter(|raw| raw.len() == STAMP + MAC)?;
        let stamp: [u8; STAMP] = raw[..STAMP].try_into().ok()?;
        let genuine: bool = self.mac(&stamp).ct_eq(&raw[STAMP..]).into();
        genuine.then_some(stamp)
    }

    fn take(&mut self, now: Millis, stamp: [u8; STAMP], count: u32) -> bool {
        let made = stamp_time(&stamp);
        if made > now || now.since(made) > NONCE_LIFE_MS {
            return false;
        }
        while let Some(first) = self.used.first_entry() {
            if now.since(stamp_time(first.key())) <= NONCE_LIFE_MS {
                break;
            }
            first.remove();
        }
        if !self.used.contains_key(&stamp) {
            if stamp <= self.floor {
                return false;
            }
            if self.used.len() >= MAX_NONCES
                && let Some((oldest, _)) = self.used.pop_first()
            {
                self.floor = oldest;
            }
        }
        self.used.entry(stamp).or_default().take(count)
    }

    fn mac(&self, stamp: &[u8; STAMP]) -> [u8; MAC] {
        let mut hash = Hmac::<Sha256>::new_from_slice(&self.auth.nonce_key)
            .expect("HMAC takes a key of any length");
        hash.update(stamp);
        hash.update(self.auth.realm.as_bytes());
        let full = hash.finalize().into_bytes();
        let mut cut = [0; MAC];
        cut.copy_from_slice(&full[..MAC]);
        cut
    }
}

fn stamp_time(stamp: &[u8; STAMP]) -> Millis {
    let mut time = [0; 8];
    time.copy_from_slice(&stamp[..8]);
    Millis(u64::from_be_bytes(time))
}

/// The digest must be over this request's URI, else it was lifted from another request.
fn same_uri(request: &Request, given: &Credentials) -> bool {
    if request.uri == given.uri {
        return true;
    }
    let parsed = (request.target(), crate::msg::Uri::parse(&given.uri));
    matches!(parsed, (Ok(a), Ok(b)) if a.same_as(&b))
}
