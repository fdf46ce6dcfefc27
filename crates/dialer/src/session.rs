//! One agent's shift as the brain sees it.

use crate::call::TALK_MAX_MS;
use crate::spec::{AgentSpec, CallRules, CampaignSpec, Item};
use domain::entity::WrapupMode;
use domain::ids::AttemptId;
use domain::rules::agent_state::{AgentMachine, AgentState};
use domain::time::{SECOND_MS, UtcMs};

/// A lost link becomes paused(lagged) after this (terms.md §5).
pub(crate) const LAG_PAUSE_MS: i64 = 10 * SECOND_MS;
/// And offline after this, from the loss (terms.md §5).
pub(crate) const LAG_OFFLINE_MS: i64 = 120 * SECOND_MS;
/// `reserved` ends by itself this long after the ring timeout (terms.md §5).
const RESERVED_GRACE_MS: i64 = 10 * SECOND_MS;
/// Longest wait for the agent's own leg.
const OWN_RING_MAX_MS: i64 = 30 * SECOND_MS;

/// An agent's shift.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub spec: AgentSpec,
    /// State machine.
    pub machine: AgentMachine,
    /// Voice leg is up.
    pub leg_up: bool,
    /// Screen is connected.
    pub link_up: bool,
    /// Reserved, connecting or joined call.
    pub call: Option<AttemptId>,
    /// Previewed item with its attempt to be.
    pub preview: Option<(AttemptId, Item)>,
    /// Attempt whose disposition is open.
    pub wrap: Option<AttemptId>,
    /// The open or running call has its disposition.
    pub disposed: bool,
    /// Rules of the call or wrap-up.
    pub rules: CallRules,
    /// Longest preview, ms.
    pub preview_max_ms: i64,
    /// His answered call began to be joined at: a reservation lasts until that ends.
    pub joining_since: Option<UtcMs>,
    /// Link lost at.
    pub link_lost_at: Option<UtcMs>,
    /// Calls he was joined with since he signed in.
    pub joined: u32,
}

impl Session {
    pub(crate) fn new(spec: AgentSpec, now: UtcMs) -> Self {
        Self {
            spec,
            machine: AgentMachine::new(now),
            leg_up: false,
            link_up: false,
            call: None,
            preview: None,
            wrap: None,
            disposed: false,
            rules: CallRules::default(),
            preview_max_ms: 120 * SECOND_MS,
            joining_since: None,
            link_lost_at: None,
            joined: 0,
        }
    }

    /// State now.
    #[must_use]
    pub const fn state(&self) -> AgentState {
        self.machine.state()
    }

    /// Whether a call may be given to him now.
    #[must_use]
    pub fn takes_calls(&self) -> bool {
        self.state() == AgentState::Ready && self.link_up && self.voice_ok()
    }

    /// Whether his voice leg is good enough.
    #[must_use]
    pub const fn voice_ok(&self) -> bool {
        self.leg_up || !self.spec.needs_leg
    }

    /// Signed in, not paused, and not about to leave: counts for over-dialing.
    #[must_use]
    pub fn works(&self) -> bool {
        self.machine.queued.is_none()
            && matches!(
                self.state(),
                AgentState::Ready
                    | AgentState::Reserved
                    | AgentState::Preview
                    | AgentState::Ringing
                    | AgentState::Talking
                    | AgentState::Hold
                    | AgentState::Wrapup
            )
    }

    /// Whether he works for a campaign: its list and its skills.
    #[must_use]
    pub fn serves(&self, campaign: &CampaignSpec) -> bool {
        (self.spec.campaigns.is_empty() || self.spec.campaigns.contains(&campaign.id))
            && campaign
                .skills
                .iter()
                .all(|skill| self.spec.skills.contains(skill))
    }

    /// When the state's limit is reached; `None` for states that a person ends.
    #[must_use]
    pub fn deadline(&self) -> Option<UtcMs> {
        let since = self.machine.since();
        match self.state() {
            AgentState::Offline | AgentState::Ready => None,
            AgentState::Reserved => {
                // The write-ahead may have been slow: joining gets its own time.
                let rings = since.plus_ms(self.rules.ring_timeout_ms + RESERVED_GRACE_MS);
                let joins = self.joining_since.map(|at| at.plus_ms(RESERVED_GRACE_MS));
                Some(joins.map_or(rings, |joins| joins.max(rings)))
            }
            AgentState::Preview => Some(since.plus_ms(self.preview_max_ms)),
            AgentState::Ringing => Some(since.plus_ms(OWN_RING_MAX_MS)),
            AgentState::Talking | AgentState::Hold => {
                Some(since.plus_ms(TALK_MAX_MS + RESERVED_GRACE_MS))
            }
            AgentState::Wrapup => {
                let locked = self.rules.wrapup_mode == WrapupMode::TimedLocked;
                let limit = if self.disposed && locked {
                    self.rules.wrapup_ms
                } else {
                    self.rules.wrapup_max_ms
                };
                Some(since.plus_ms(limit))
            }
            // Whatever code a supervisor gives a pause whose screen is gone: it ends.
            AgentState::Paused => {
                (!self.link_up).then(|| self.link_lost_at.unwrap_or(since).plus_ms(LAG_OFFLINE_MS))
            }
            AgentState::Lagged => Some(since.plus_ms(LAG_PAUSE_MS)),
        }
    }
}
