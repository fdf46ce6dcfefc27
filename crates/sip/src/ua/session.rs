//! Session timers (RFC 4028).

use bytes::Bytes;

use super::core::Core;
use crate::Millis;
use crate::header::{Refresher, SessionExpires};
use crate::limits::LEAST_SESSION_S;
use crate::msg::{HeaderName, Headers, Request, Response};

/// The interval of one call and when to act on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SessionTimer {
    /// What we ask for, seconds; grows after 422.
    pub(super) wish_s: u32,
    /// The largest Min-SE a peer named, seconds.
    pub(super) floor_s: u32,
    /// When to send a refresh.
    pub(super) refresh_at: Option<Millis>,
    /// When the session counts as dead.
    pub(super) expire_at: Option<Millis>,
}

impl SessionTimer {
    pub(super) fn new(core: &Core) -> Self {
        SessionTimer {
            wish_s: core.config.session_expires_s,
            ..SessionTimer::default()
        }
    }

    /// Writes the wish into a request of ours.
    pub(super) fn ask(&self, core: &Core, headers: &mut Headers, refresher: Option<Refresher>) {
        if !core.supports_timer() {
            return;
        }
        let wish = SessionExpires {
            seconds: self.wish_s,
            refresher,
        };
        headers.set(HeaderName::SessionExpires, wish.to_bytes());
        let floor = self.floor_s.max(core.config.min_se_s);
        headers.set(HeaderName::MinSe, Bytes::from(floor.to_string()));
    }

    /// Takes a 422 into account; false when asking again is useless.
    pub(super) fn grow(&mut self, response: &Response) -> bool {
        match response.headers.min_se() {
            Some(least) if least > self.wish_s && least < 86_400 * 7 => {
                self.wish_s = least;
                self.floor_s = least;
                true
            }
            _ => false,
        }
    }

    /// Our request was accepted: what does the answer say?
    pub(super) fn settle_as_client(&mut self, now: Millis, headers: &Headers) {
        match headers.session_expires() {
            Some(granted) => {
                let ours = granted.refresher != Some(Refresher::Uas);
                self.start(now, granted.seconds.max(LEAST_SESSION_S), ours);
            }
            None => self.stop(),
        }
    }

    /// The peer's request asks for an interval: what do we grant? Err is the 422 floor.
    pub(super) fn judge(core: &Core, request: &Request) -> Result<Option<SessionExpires>, u32> {
        let headers = &request.headers;
        let timer = headers.has_token(&HeaderName::Supported, "timer")
            || headers.has_token(&HeaderName::Require, "timer");
        if !core.supports_timer() {
            return Ok(None);
        }
        match headers.session_expires() {
            Some(asked) if asked.seconds < core.config.min_se_s && timer => {
                Err(core.config.min_se_s)
            }
            Some(asked) => {
                // A peer that does not know timers (a proxy asked) cannot refresh (§9).
                let refresher = if timer {
                    asked.refresher.unwrap_or(Refresher::Uac)
                } else {
                    Refresher::Uas
                };
                let seconds = asked.seconds.max(core.config.min_se_s);
                Ok(Some(SessionExpires {
                    seconds,
                    refresher: Some(refresher),
                }))
            }
            None if timer => {
                let least = headers.min_se().unwrap_or(0);
                let seconds = core.config.session_expires_s.max(least);
                Ok(Some(SessionExpires {
                    seconds,
                    refresher: Some(Refresher::Uas),
                }))
            }
            None => Ok(None),
        }
    }

    /// Writes what we grant into our 2xx and starts counting.
    pub(super) fn grant(
        &mut self,
        now: Millis,
        granted: Option<SessionExpires>,
        headers: &mut Headers,
    ) {
        let Some(granted) = granted else {
            self.stop();
            return;
        };
        headers.set(HeaderName::SessionExpires, granted.to_bytes());
        if granted.refresher == Some(Refresher::Uac) {
            headers.set(HeaderName::Require, "timer");
        }
        self.start(
            now,
            granted.seconds,
            granted.refresher == Some(Refresher::Uas),
        );
    }

    fn start(&mut self, now: Millis, seconds: u32, we_refresh: bool) {
        let whole = u64::from(seconds) * 1_000;
        // The side that waits gives up shortly before the end (§10).
        self.expire_at = Some(now + (whole - reserve_ms(seconds)));
        self.refresh_at = we_refresh.then_some(now + whole / 2);
        self.wish_s = seconds;
    }

    /// Waits until the very end of the session, when the end before it has come.
    pub(super) fn use_reserve(&mut self, now: Millis) {
        self.expire_at = Some(now + reserve_ms(self.wish_s));
    }

    pub(super) fn stop(&mut self) {
        self.expire_at = None;
        self.refresh_at = None;
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        self.refresh_at.into_iter().chain(self.expire_at).min()
    }
}

/// How long before the end of the session it counts as dead, ms.
fn reserve_ms(seconds: u32) -> u64 {
    (u64::from(seconds) * 1_000 / 3).min(32_000)
}
