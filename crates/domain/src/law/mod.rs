//! The compliance engine: a pure function from packs, calendars, zones, ledger facts, holds,
//! consents and an instant to a verdict (law.md §2).

mod abandonment;
mod book;
pub mod calendar;
mod callable;
mod caller;
mod caps;
mod client;
mod contact;
mod cooloff;
mod days;
mod dnc;
mod duties;
mod finding;
mod holds;
mod holiday_names;
mod home;
mod inbound;
mod judge;
mod local;
mod notice;
mod opening;
pub mod pack;
mod parties;
mod past;
mod rations;
mod recording;
mod relaxed;
mod replay;
mod short_calls;
mod stack;
mod strict;
mod text;
mod windows;
mod wishes;
pub mod zones;

pub use abandonment::AbandonmentRule;
pub use book::{
    EMBEDDED_HOLIDAYS, EMBEDDED_PACKS, EMBEDDED_PREFIXES, PACKS_MAX, PackInfo, RuleBook,
};
pub use client::{CLIENT_LAYER, ClientLaw, ContractTerms, TermCap, TermWindow};
pub use duties::Duties;
pub use holiday_names::holiday_es;
pub use home::{at_his_contract, postal_point};
pub use inbound::InboundDuty;
pub use opening::OpeningPlace;
pub use past::{open_then, points_then};
pub use recording::RecordingDays;
pub use replay::{Replayed, action_of};
pub use short_calls::ShortCallRule;
pub use stack::Place;

use crate::entity::{Channel, CheckPoint, Circumstances, Verdict};
use crate::ids::{CampaignId, PointId, VerdictId};
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;

/// Days of ledger that the facts hold; no rule may look further back.
pub const LEDGER_DAYS: u16 = 45;

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
    /// Who asks, by which clock, showing which number, on which days: goes into the record.
    pub circumstances: Circumstances,
}

/// Judges an action. Implemented by the rule book; a trait so that the store can ask it inside its
/// transaction and tests can plant breaches.
pub trait Judge: Send + Sync {
    /// The verdict: a pure function of its arguments and the book.
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict;
}
