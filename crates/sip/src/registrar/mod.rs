//! A registrar for phones: bindings, their life, and the count of wrong guesses.
//!
//! Digest is checked before anything here is called; see [`crate::digest::DigestServer`].

mod guesses;

pub use guesses::Guesses;

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use crate::Millis;
use crate::header::NameAddr;
use crate::limits::{MAX_ACCOUNTS, MAX_BINDINGS};
use crate::msg::{HeaderName, Headers, Request, Uri};
use crate::transport::Source;
use crate::ua::RegistrarRules;

/// A contact of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where the phone wants to be called.
    pub contact: Uri,
    /// Where its REGISTER came from: call it there.
    pub source: Source,
    /// When it runs out.
    pub expires_at: Millis,
    /// Host of the account's address, as the phone writes it.
    pub domain: Bytes,
    call_id: Bytes,
    cseq: u32,
}

/// What a REGISTER did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A contact was bound or refreshed.
    Bound {
        /// Which.
        contact: Uri,
        /// Granted life, seconds.
        expires_s: u32,
    },
    /// A contact was removed.
    Removed {
        /// Which.
        contact: Uri,
    },
}

/// The answer to a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The status code.
    pub code: u16,
    /// Contact, Expires or Min-Expires fields of the response.
    pub headers: Headers,
    /// What changed; empty unless the code is 200.
    pub changes: Vec<Change>,
}

/// The bindings of all accounts.
#[derive(Debug)]
pub struct Registrar {
    rules: RegistrarRules,
    accounts: HashMap<String, Vec<Binding>>,
    expiries: BTreeSet<(Millis, String)>,
}

impl Registrar {
    /// An empty registrar.
    #[must_use]
    pub fn new(rules: RegistrarRules) -> Self {
        Registrar {
            rules,
            accounts: HashMap::new(),
            expiries: BTreeSet::new(),
        }
    }

    /// The bindings of an account.
    #[must_use]
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.accounts.get(user).map_or(&[], Vec::as_slice)
    }

    /// Carries out a REGISTER of an account whose digest was right (RFC 3261 §10.3). All of it
    /// happens or nothing.
    pub fn register(
        &mut self,
        now: Millis,
        user: &str,
        request: &Request,
        source: Source,
    ) -> Outcome {
        match self.plan(now, user, request, source) {
            Ok((bindings, changes)) => {
                self.store(user, bindings);
                let headers = self.list(now, user);
                Outcome {
                    code: 200,
                    headers,
                    changes,
                }
            }
            Err(code) => {
                let mut headers = Headers::default();
                if code == 423 {
                    let least = self.rules.min_expires_s.to_string();
                    headers.push(HeaderName::MinExpires, least);
                }
                Outcome {
                    code,
                    headers,
                    changes: Vec::new(),
                }
            }
        }
    }

    fn plan(
        &self,
        now: Millis,
        user: &str,
        request: &Request,
        source: Source,
    ) -> Result<(Vec<Binding>, Vec<Change>), u16> {
        let headers = &request.headers;
        let call_id = headers.call_id().map_err(|_| 400_u16)?;
        let cseq = headers.cseq().map_err(|_| 400_u16)?.number;
        let domain = headers.to().map_err(|_| 400_u16)?.uri.host;
        let default_s = headers.seconds(&HeaderName::Expires);
        let mut bindings = self.bindings(user).to_vec();
        let mut changes = Vec::new();
        let old = |binding: &Binding| binding.call_id == call_id && binding.cseq >= cseq;
        if headers.contact_is_star() {
            if default_s != Some(0) {
                return Err(400);
            }
            if bindings.iter().any(old) {
                return Err(500);
            }
            for binding in bindings.drain(..) {
                changes.push(Change::Removed {
                    contact: binding.contact,
                });
            }
            return Ok((bindings, changes));
        }
        for contact in headers.contacts().map_err(|_| 400_u16)? {
            let at = bindings
                .iter()
                .position(|binding| binding.contact.same_as(&contact.uri));
            if at.is_some_and(|at| old(&bindings[at])) {
                return Err(500);
            }
            let life_s = self.life(&contact, default_s)?;
            if let Some(at) = at {
                bindings.remove(at);
            }
            let contact = contact.uri;
            if life_s == 0 {
                if at.is_some() {
                    changes.push(Change::Removed { contact });
                }
                continue;
            }
            if bindings.len() >= MAX_BINDINGS {
                return Err(403);
            }
            bindings.push(Binding {
                contact: contact.clone(),
                source,
                expires_at: now + u64::from(life_s) * 1_000,
                domain: domain.clone(),
                call_id: call_id.clone(),
                cseq,
            });
            changes.push(Change::Bound {
                contact,
                expires_s: life_s,
            });
        }
        if !self.accounts.contains_key(user) && self.accounts.len() >= MAX_ACCOUNTS {
            return Err(503);
        }
        Ok((bindings, changes))
    }

    fn life(&self, contact: &NameAddr, default_s: Option<u32>) -> Result<u32, u16> {
        let wished = contact.params.number("expires").or(default_s);
        match wished {
            Some(0) => Ok(0),
            Some(life) if life < self.rules.min_expires_s => Err(423),
            Some(life) => Ok(life.min(self.rules.max_expires_s)),
            None => Ok(self.rules.default_expires_s),
        }
    }

    fn store(&mut self, user: &str, bindings: Vec<Binding>) {
        for binding in self.accounts.remove(user).unwrap_or_default() {
            self.expiries.remove(&(binding.expires_at, user.to_owned()));
        }
        if bindings.is_empty() {
            return;
        }
        for binding in &bindings {
            self.expiries.insert((binding.expires_at, user.to_owned()));
        }
        self.accounts.insert(user.to_owned(), bindings);
    }

    fn list(&self, now: Millis, user: &str) -> Headers {
        let mut headers = Headers::default();
        for binding in self.bindings(user) {
            let left_s = binding.expires_at.since(now).div_ceil(1_000);
            let mut contact = NameAddr::new(binding.contact.clone());
            contact.params.set("expires", Some(&left_s.to_string()));
            headers.push(HeaderName::Contact, contact.to_bytes());
        }
        headers
    }

    /// When the next binding runs out.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Removes what ran out.
    pub fn on_timer(&mut self, now: Millis) -> Vec<(String, Uri)> {
        let mut gone = Vec::new();
        while let Some((at, user)) = self.expiries.first().cloned() {
            if at > now {
                break;
            }
            self.expiries.remove(&(at, user.clone()));
            let Some(bindings) = self.accounts.get_mut(&user) else {
                continue;
            };
            bindings.retain(|binding| {
                let alive = binding.expires_at > now;
                if !alive {
                    gone.push((user.clone(), binding.contact.clone()));
                }
                alive
            });
            if bindings.is_empty() {
                self.accounts.remove(&user);
            }
        }
        gone
    }
}
