//! Answering challenges.

use bytes::Bytes;

use super::hash::{DigestInput, ha1, request_digest};
use crate::header::{Algorithm, Challenge, Credentials};
use crate::ids::Ids;
use crate::limits::MAX_AUTH_TRIES;
use crate::msg::{HeaderName, Request, Response};
use crate::ua::{Login, Secret};

/// What to do after a 401 or 407.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answering {
    /// Send the request again, with a new branch and CSeq, through [`DigestClient::apply`].
    Again,
    /// Give up: our credentials were refused, there are none, or no challenge can be answered.
    GiveUp,
}

/// The challenges one peer gave us, so that later requests carry credentials at once.
#[derive(Clone, Debug, Default)]
pub struct DigestClient {
    rows: Vec<Row>,
    tries: u8,
}

#[derive(Clone, Debug)]
struct Row {
    proxy: bool,
    challenge: Challenge,
    count: u32,
}

impl DigestClient {
    /// Reads the challenges of a response. Of several for one realm the strongest counts (RFC
    /// 8760 §2.4). The same realm again means a wrong password unless only the nonce was stale.
    pub fn absorb(&mut self, response: &Response, login: Option<&Login>) -> Answering {
        let Some(login) = login else {
            return Answering::GiveUp;
        };
        let mut best: Vec<Row> = Vec::new();
        for (proxy, challenge) in response.headers.challenges() {
            if !usable(&challenge, login) {
                continue;
            }
            let same =
                |row: &&mut Row| row.proxy == proxy && row.challenge.realm == challenge.realm;
            match best.iter_mut().find(same) {
                Some(row) if row.challenge.algorithm < challenge.algorithm => {
                    row.challenge = challenge;
                }
                Some(_) => {}
                None => best.push(Row {
                    proxy,
                    challenge,
                    count: 0,
                }),
            }
        }
        self.tries += 1;
        if best.is_empty() || self.tries > MAX_AUTH_TRIES {
            return Answering::GiveUp;
        }
        for row in best {
            let old = self
                .rows
                .iter_mut()
                .find(|old| old.proxy == row.proxy && old.challenge.realm == row.challenge.realm);
            match old {
                Some(old) if old.count > 0 && !row.challenge.stale => {
                    // In a later request of the dialog a fresh nonce without stale=true is common;
                    // a refusal of the very nonce we just used for the first time is final.
                    if old.count == 1 || old.challenge.nonce == row.challenge.nonce {
                        return Answering::GiveUp;
                    }
                    *old = row;
                }
                Some(old) => *old = row,
                None => self.rows.push(row),
            }
        }
        Answering::Again
    }

    /// Tells that a request with our credentials was accepted: the next refusal starts anew.
    pub fn accepted(&mut self) {
        self.tries = 0;
    }

    /// True when later requests can carry credentials.
    #[must_use]
    pub fn knows_any(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Writes credentials for each known challenge into the request.
    pub fn apply(&mut self, request: &mut Request, login: Option<&Login>, ids: &mut dyn Ids) {
        let Some(login) = login else { return };
        request.headers.remove(&HeaderName::Authorization);
        request.headers.remove(&HeaderName::ProxyAuthorization);
        for row in &mut self.rows {
            let name = if row.proxy {
                HeaderName::ProxyAuthorization
            } else {
                HeaderName::Authorization
            };
            if let Some(credentials) = row.answer(request, login, ids) {
                request.headers.push(name, credentials.to_bytes());
            }
        }
    }
}

impl Row {
    fn answer(
        &mut self,
        request: &Request,
        login: &Login,
        ids: &mut dyn Ids,
    ) -> Option<Credentials> {
        let challenge = &self.challenge;
        let algorithm = challenge.algorithm?;
        let user = login.username.as_bytes();
        let ha1 = match &login.secret {
            Secret::Password(text) => ha1(algorithm, user, &challenge.realm, text.as_bytes()),
            Secret::Ha1 { hex, .. } => hex.clone(),
        };
        self.count = self.count.wrapping_add(1);
        let cnonce = challenge.qop_auth.then(|| ids.token(8));
        let input = DigestInput {
            method: request.method.as_bytes(),
            uri: &request.uri,
            nonce: &challenge.nonce,
            qop: cnonce
                .as_ref()
                .map(|cnonce| (self.count, &cnonce[..], &b"auth"[..])),
        };
        let response = request_digest(algorithm, &ha1, input);
        Some(Credentials {
            username: Bytes::copy_from_slice(user),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: request.uri.clone(),
            response: Bytes::from(response),
            algorithm: Some(algorithm),
            names_algorithm: challenge.names_algorithm,
            nc: cnonce.as_ref().map(|_| self.count),
            qop: cnonce.as_ref().map(|_| Bytes::from_static(b"auth")),
            cnonce,
            opaque: challenge.opaque.clone(),
        })
    }
}

fn usable(challenge: &Challenge, login: &Login) -> bool {
    let fits = |algorithm: Algorithm| match &login.secret {
        Secret::Password(_) => true,
        Secret::Ha1 { algorithm: own, .. } => *own == algorithm,
    };
    challenge.algorithm.is_some_and(fits) && (challenge.qop_auth || !challenge.has_qop)
}
