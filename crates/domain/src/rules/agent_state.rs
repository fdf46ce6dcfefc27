//! The agent's states (terms.md §5) as a machine: allowed moves, the time split, the queued wish.

use crate::time::UtcMs;

crate::text_enum! {
    /// What an agent is doing; exactly one at a time.
    pub enum AgentState {
        /// Not signed in.
        Offline = "offline",
        /// Waits for a call.
        Ready = "ready",
        /// Kept for a call that is being dialed.
        Reserved = "reserved",
        /// Reads a card before dialing.
        Preview = "preview",
        /// Own leg not yet up.
        Ringing = "ringing",
        /// Joined with a debtor.
        Talking = "talking",
        /// Joined, the debtor waits.
        Hold = "hold",
        /// Call over, disposition open.
        Wrapup = "wrapup",
        /// Not available, with a code.
        Paused = "paused",
        /// Link lost.
        Lagged = "lagged",
    }
}

crate::text_enum! {
    /// Why an agent is paused.
    pub enum PauseCode {
        /// Rest.
        Break = "break",
        /// Meal.
        Lunch = "lunch",
        /// Restroom.
        Restroom = "restroom",
        /// Training.
        Training = "training",
        /// Coaching.
        Coaching = "coaching",
        /// Back-office work.
        Admin = "admin",
        /// Just signed in (system).
        Login = "login",
        /// Own phone did not answer (system).
        NoAnswer = "no_answer",
        /// Link was lost too long (system).
        Lagged = "lagged",
        /// Wrap-up ran out of time (system).
        WrapTimeout = "wrap_timeout",
        /// A supervisor's order (system).
        Forced = "forced",
    }
}

impl PauseCode {
    /// Whether only the product sets it.
    #[must_use]
    pub const fn system(self) -> bool {
        matches!(
            self,
            Self::Login | Self::NoAnswer | Self::Lagged | Self::WrapTimeout | Self::Forced
        )
    }
}

/// Time since sign-in by state, in milliseconds. The parts sum to the login time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct TimeSplit {
    /// Paused.
    pub pause_ms: i64,
    /// Ready.
    pub ready_ms: i64,
    /// Reserved.
    pub reserved_ms: i64,
    /// Preview.
    pub preview_ms: i64,
    /// Own leg ringing.
    pub ring_ms: i64,
    /// Talking.
    pub talk_ms: i64,
    /// Debtor on hold.
    pub hold_ms: i64,
    /// Wrap-up.
    pub wrap_ms: i64,
    /// Link lost.
    pub lag_ms: i64,
}

impl TimeSplit {
    fn add(&mut self, state: AgentState, ms: i64) {
        let part = match state {
            AgentState::Offline => return,
            AgentState::Ready => &mut self.ready_ms,
            AgentState::Reserved => &mut self.reserved_ms,
            AgentState::Preview => &mut self.preview_ms,
            AgentState::Ringing => &mut self.ring_ms,
            AgentState::Talking => &mut self.talk_ms,
            AgentState::Hold => &mut self.hold_ms,
            AgentState::Wrapup => &mut self.wrap_ms,
            AgentState::Paused => &mut self.pause_ms,
            AgentState::Lagged => &mut self.lag_ms,
        };
        *part = part.saturating_add(ms);
    }

    /// Sum of the parts.
    #[must_use]
    pub const fn total_ms(&self) -> i64 {
        self.pause_ms
            + self.ready_ms
            + self.reserved_ms
            + self.preview_ms
            + self.ring_ms
            + self.talk_ms
            + self.hold_ms
            + self.wrap_ms
            + self.lag_ms
    }

    /// Occupancy (terms.md §8): (talk + hold + wrap, that + ready + reserved + ring).
    #[must_use]
    pub const fn occupancy(&self) -> (i64, i64) {
        let busy = self.talk_ms + self.hold_ms + self.wrap_ms;
        (busy, busy + self.ready_ms + self.reserved_ms + self.ring_ms)
    }
}

/// A move that the table does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an agent cannot go from {from} to {to}")]
pub struct MoveRefused {
    /// State now.
    pub from: AgentState,
    /// State asked for.
    pub to: AgentState,
}

/// What the agent asked for while busy; done at the end of the call or its wrap-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueuedWish {
    /// Pause with a code.
    Pause(PauseCode),
    /// Sign out.
    Logout,
}

impl std::fmt::Display for QueuedWish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pause(code) => write!(f, "pause:{code}"),
            Self::Logout => f.write_str("logout"),
        }
    }
}

/// Whether terms.md §5 allows the move. The state before a lost link is kept by the machine, so
/// `lagged → anything but paused or offline` is asked through [`AgentMachine::resume`].
#[must_use]
pub const fn allowed(from: AgentState, to: AgentState) -> bool {
    use AgentState::{
        Hold, Lagged, Offline, Paused, Preview, Ready, Reserved, Ringing, Talking, Wrapup,
    };
    match from {
        Offline => matches!(to, Paused),
        Paused => matches!(to, Ready | Offline | Lagged),
        Ready => matches!(to, Reserved | Preview | Paused | Offline | Lagged),
        Reserved => matches!(to, Talking | Ringing | Ready | Wrapup | Lagged),
        Preview => matches!(to, Reserved | Ready | Paused | Lagged),
        Ringing => matches!(to, Talking | Ready | Paused | Lagged),
        Talking => matches!(to, Hold | Wrapup | Lagged),
        Hold => matches!(to, Talking | Wrapup | Lagged),
        Wrapup => matches!(to, Ready | Paused | Offline | Lagged),
        Lagged => matches!(to, Paused | Offline),
    }
}

/// One agent's state with since when, the time split and the state before a lost link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentMachine {
    state: AgentState,
    code: Option<PauseCode>,
    since: UtcMs,
    login_at: Option<UtcMs>,
    split: TimeSplit,
    before: Option<(AgentState, Option<PauseCode>)>,
    /// A pause or sign-out to do when the call and its wrap-up are over.
    pub queued: Option<QueuedWish>,
}

impl AgentMachine {
    /// An agent who is not signed in.
    #[must_use]
    pub const fn new(now: UtcMs) -> Self {
        Self {
            state: AgentState::Offline,
            code: None,
            since: now,
            login_at: None,
            split: TimeSplit {
                pause_ms: 0,
                ready_ms: 0,
                reserved_ms: 0,
                preview_ms: 0,
                ring_ms: 0,
                talk_ms: 0,
                hold_ms: 0,
                wrap_ms: 0,
                lag_ms: 0,
            },
            before: None,
            queued: None,
        }
    }

    /// State now.
    #[must_use]
    pub const fn state(&self) -> AgentState {
        self.state
    }

    /// Pause code; `None` unless paused.
    #[must_use]
    pub const fn code(&self) -> Option<PauseCode> {
        self.code
    }

    /// When this state began.
    #[must_use]
    pub const fn since(&self) -> UtcMs {
        self.since
    }

    /// The state under a lost link, else the state itself.
    #[must_use]
    pub fn underlying(&self) -> AgentState {
        self.before.map_or(self.state, |(state, _)| state)
    }

    /// Time by state up to `now`.
    #[must_use]
    pub fn split_at(&self, now: UtcMs) -> TimeSplit {
        let mut split = self.split;
        split.add(self.state, now.since_ms(self.since).max(0));
        split
    }

    /// Milliseconds since sign-in; 0 when offline and never signed in.
    #[must_use]
    pub fn login_ms(&self, now: UtcMs) -> i64 {
        match (self.state, self.login_at) {
            (AgentState::Offline, _) | (_, None) => self.split.total_ms(),
            (_, Some(at)) => self.split_before_login(at, now),
        }
    }

    fn split_before_login(&self, login_at: UtcMs, now: UtcMs) -> i64 {
        now.max(self.since).since_ms(login_at)
    }

    fn enter(&mut self, now: UtcMs, state: AgentState, code: Option<PauseCode>) {
        let now = now.max(self.since);
        self.split.add(self.state, now.since_ms(self.since));
        if self.state == AgentState::Offline {
            self.split = TimeSplit::default();
            self.login_at = Some(now);
        }
        self.state = state;
        self.code = if state == AgentState::Paused {
            code
        } else {
            None
        };
        self.since = now;
        if state == AgentState::Offline {
            self.queued = None;
        }
    }

    /// Makes a move. Signing in starts a new time split.
    ///
    /// # Errors
    /// When terms.md §5 does not list the move, or a pause comes without a code.
    pub fn go(
        &mut self,
        now: UtcMs,
        to: AgentState,
        code: Option<PauseCode>,
    ) -> Result<(), MoveRefused> {
        let refused = MoveRefused {
            from: self.state,
            to,
        };
        if !allowed(self.state, to) || (to == AgentState::Paused && code.is_none()) {
            return Err(refused);
        }
        self.before = (to == AgentState::Lagged).then_some((self.state, self.code));
        self.enter(now, to, code);
        Ok(())
    }

    /// Changes the code of a pause (a supervisor's force, another reason): the pause goes on.
    ///
    /// # Errors
    /// When the agent is not paused.
    pub fn recode(&mut self, now: UtcMs, code: PauseCode) -> Result<(), MoveRefused> {
        if self.state != AgentState::Paused {
            return Err(MoveRefused {
                from: self.state,
                to: AgentState::Paused,
            });
        }
        self.enter(now, AgentState::Paused, Some(code));
        Ok(())
    }

    /// The link is back: the state before returns.
    ///
    /// # Errors
    /// When the link was not lost.
    pub fn resume(&mut self, now: UtcMs) -> Result<(), MoveRefused> {
        let Some((state, code)) = self.before.take() else {
            return Err(MoveRefused {
                from: self.state,
                to: AgentState::Ready,
            });
        };
        self.enter(now, state, code);
        Ok(())
    }

    /// While the link is lost, what lies under it moves on (the debtor hangs up: talking → wrapup).
    ///
    /// # Errors
    /// When the link is not lost or the move is not allowed.
    pub fn shift_under(&mut self, to: AgentState) -> Result<(), MoveRefused> {
        match self.before {
            Some((from, _)) if allowed(from, to) && to != AgentState::Lagged => {
                self.before = Some((to, None));
                Ok(())
            }
            _ => Err(MoveRefused {
                from: self.state,
                to,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: UtcMs = UtcMs(1_795_357_200_000);

    #[test]
    fn a_shift_adds_up() {
        let mut m = AgentMachine::new(T0);
        let at = |s: i64| T0.plus_ms(s * 1000);
        m.go(at(0), AgentState::Paused, Some(PauseCode::Login))
            .unwrap();
        m.go(at(5), AgentState::Ready, None).unwrap();
        m.go(at(9), AgentState::Reserved, None).unwrap();
        m.go(at(12), AgentState::Talking, None).unwrap();
        m.go(at(20), AgentState::Lagged, None).unwrap();
        m.shift_under(AgentState::Wrapup).unwrap();
        m.resume(at(24)).unwrap();
        assert_eq!(m.state(), AgentState::Wrapup);
        m.go(at(30), AgentState::Ready, None).unwrap();
        let split = m.split_at(at(31));
        assert_eq!(
            (split.pause_ms, split.ready_ms, split.reserved_ms),
            (5000, 5000, 3000)
        );
        assert_eq!(
            (split.talk_ms, split.lag_ms, split.wrap_ms),
            (8000, 4000, 6000)
        );
        assert_eq!(split.total_ms(), m.login_ms(at(31)));
        assert_eq!(split.occupancy(), (14_000, 22_000));
    }

    #[test]
    fn a_pause_needs_a_code_and_talk_cannot_pause() {
        let mut m = AgentMachine::new(T0);
        assert!(m.go(T0, AgentState::Paused, None).is_err());
        assert!(m.go(T0, AgentState::Ready, None).is_err());
        assert!(!allowed(AgentState::Talking, AgentState::Paused));
        assert!(!allowed(AgentState::Talking, AgentState::Ready));
        assert!(m.resume(T0).is_err());
    }

    #[test]
    fn every_state_has_a_way_to_offline() {
        for &from in AgentState::ALL {
            let mut seen = vec![from];
            let mut next = 0;
            while next < seen.len() {
                let here = seen[next];
                seen.extend(
                    AgentState::ALL
                        .iter()
                        .filter(|&&to| allowed(here, to) && !seen.contains(&to))
                        .copied()
                        .collect::<Vec<_>>(),
                );
                next += 1;
            }
            assert!(seen.contains(&AgentState::Offline), "{from} never ends");
        }
    }

    proptest! {
        #[test]
        fn parts_sum_to_login_time(steps in prop::collection::vec((0usize..12, 0i64..100_000), 1..120)) {
            let mut m = AgentMachine::new(T0);
            let mut now = T0;
            for (pick, wait) in steps {
                now = now.plus_ms(wait);
                let before = m.clone();
                let moved = match pick {
                    10 => m.resume(now).is_ok(),
                    11 => m.shift_under(AgentState::Wrapup).is_ok(),
                    _ => m.go(now, AgentState::ALL[pick], Some(PauseCode::Break)).is_ok(),
                };
                if !moved {
                    prop_assert_eq!(&before, &m);
                }
                prop_assert_eq!(m.code().is_some(), m.state() == AgentState::Paused);
                if m.state() != AgentState::Offline {
                    prop_assert_eq!(m.split_at(now).total_ms(), m.login_ms(now));
                }
                prop_assert_eq!(m.before.is_some(), m.state() == AgentState::Lagged);
            }
        }
    }
}
