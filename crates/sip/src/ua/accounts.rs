//! Who may do what: digests of incoming requests, and the registrar.

use super::core::Arrived;
use super::{Endpoint, Event};
use crate::Millis;
use crate::digest::Verdict;
use crate::msg::{HeaderName, Headers};
use crate::registrar::Change;

impl Endpoint {
    /// The account of an INVITE's credentials; of who is not `admitted` without there has to be one. Err: it is refused
    /// or silenced already.
    pub(super) fn check_user(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        admitted: bool,
    ) -> Result<Option<String>, ()> {
        let has = arrived
            .request
            .headers
            .get(&HeaderName::Authorization)
            .is_some();
        if admitted && (!has || self.digest.is_none()) {
            return Ok(None);
        }
        match self.judge(now, arrived) {
            Verdict::Right(user) => Ok(Some(user)),
            Verdict::Missing if admitted => Ok(None),
            verdict => {
                self.challenge_stateless(now, arrived, &verdict);
                Err(())
            }
        }
    }

    /// Checks a digest; counts wrong ones.
    fn judge(&mut self, now: Millis, arrived: &Arrived) -> Verdict {
        let from = arrived.source.remote.ip();
        let Some(digest) = &mut self.digest else {
            return Verdict::Missing;
        };
        let verdict = digest.check(now, &arrived.request);
        match &verdict {
            Verdict::Wrong(user) => {
                self.core.counters.wrong_guesses += 1;
                self.guesses.wrong(now, user, from);
            }
            // A guesser who is silenced learns nothing from the right password either.
            Verdict::Right(user) if !self.guesses.silenced(now, user, from) => {
                self.guesses.right(user, from);
            }
            Verdict::Right(user) => return Verdict::Wrong(user.clone()),
            _ => {}
        }
        verdict
    }

    fn challenge_stateless(&mut self, now: Millis, arrived: &Arrived, verdict: &Verdict) {
        if let Verdict::Wrong(user) = verdict
            && self.guesses.silenced(now, user, arrived.source.remote.ip())
        {
            self.core.counters.silenced += 1;
            return;
        }
        let Some(digest) = &self.digest else { return };
        let mut headers = Headers::default();
        let stale = *verdict == Verdict::Stale;
        digest.challenge(now, stale, self.core.ids.as_mut(), &mut headers);
        let fields: Vec<_> = headers
            .iter()
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect();
        self.core.refuse_with(arrived, 401, fields);
    }

    pub(super) fn take_register(&mut self, now: Millis, arrived: &Arrived) {
        let user = match self.judge(now, arrived) {
            Verdict::Right(user) => user,
            verdict => {
                self.challenge_stateless(now, arrived, &verdict);
                return;
            }
        };
        let request = &arrived.request;
        let to = request.headers.to().ok().and_then(|to| to.uri.user_text());
        if to.as_deref() != Some(user.as_str()) {
            self.core.refuse(arrived, 403);
            return;
        }
        let Some(registrar) = &mut self.registrar else {
            return;
        };
        let outcome = registrar.register(now, &user, request, arrived.source);
        let mut response = self.core.response(request, outcome.code, None);
        for field in outcome.headers.iter() {
            response
                .headers
                .push(field.name.clone(), field.value.clone());
        }
        self.core.serve(now, arrived, &response);
        for change in outcome.changes {
            let user = user.clone();
            self.core.report(match change {
                Change::Bound { contact, expires_s } => Event::Registered {
                    user,
                    contact,
                    source: arrived.source,
                    expires_s,
                },
                Change::Removed { contact } => Event::Unregistered {
                    user,
                    contact,
                    expired: false,
                },
            });
        }
    }
}
