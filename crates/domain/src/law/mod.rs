//! The compliance engine: a pure function from packs, calendars, zones, ledger facts, holds,
//! consents and an instant to a verdict (law.md §2).

use crate::entity::{Channel, CheckPoint, Verdict};
use crate::ids::{CampaignId, PointId, VerdictId};
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;

/// What someone wants to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Identity the verdict gets.
    pub verdict_id: VerdictId,
    /// Where in the flow.
    pub check_point: CheckPoint,
    /// Channel.
    pub channel: Channel,
    /// Point to use; `None` judges the debtor without a point.
    pub point_id: Option<PointId>,
    /// Campaign.
    pub campaign_id: Option<CampaignId>,
    /// Campaign hours in the debtor's zone, half-open, `HH:MM`.
    pub campaign_window: Option<(String, String)>,
    /// Campaign's limit of attempts a local day.
    pub attempts_per_day: Option<i32>,
    /// A call may not start so late that the ring time passes the end of the window.
    pub ring_timeout_ms: i64,
    /// Whether an agent is reserved first.
    pub agent_reserved: bool,
    /// The instant.
    pub now: UtcMs,
}

/// Judges an action. Implemented by the rule book; a trait so that the store can ask it inside its
/// transaction and tests can plant breaches.
pub trait Judge: Send + Sync {
    /// The verdict: a pure function of its arguments and the book.
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict;
}
