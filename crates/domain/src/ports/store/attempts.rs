//! The write-ahead attempt.

use super::{ItemState, Page, PageRequest, PromiseTerms, StoreError};
use crate::entity::{
    Attempt, AttemptState, CallResult, Claim, Hold, LedgerRow, Promise, Recording, Suppression,
    Verdict,
};
use crate::event::NewEvent;
use crate::ids::{
    AgentId, AttemptId, CampaignId, ClientId, DebtorId, PointId, RecordingId, TrunkId,
};
use crate::law::{Action, Judge};
use crate::rules::reach::Reach;
use crate::time::{MINUTE_MS, UtcMs};
use async_trait::async_trait;

/// What is needed to open an attempt. `attempt.state` is `committed`; verdict fields are filled by
/// the store from the binding verdict.
#[derive(Debug, Clone)]
pub struct OpenDraft {
    /// The row.
    pub attempt: Attempt,
    /// What is asked of the law engine, at check point `dial`.
    pub action: Action,
    /// The ledger row to write with it.
    pub ledger: LedgerRow,
    /// Event `attempt.dialed`.
    pub events: Vec<NewEvent>,
}

/// Whether the attempt may go out.
#[derive(Debug, Clone)]
pub enum OpenOutcome {
    /// Durable: dial it.
    Opened(Box<Attempt>, Box<Verdict>),
    /// The law refused inside the transaction; the verdict is stored.
    Refused(Box<Verdict>),
    /// The debtor (or his person) has a live attempt, or the lease on him is not this node's.
    Busy,
}

/// A step in the life of an open attempt; fields that are `None` stay.
#[derive(Debug, Clone, Default)]
pub struct AttemptChange {
    /// New state (never back).
    pub state: Option<AttemptState>,
    /// INVITE left.
    pub invite_at: Option<UtcMs>,
    /// Rang.
    pub ringing_at: Option<UtcMs>,
    /// Answered.
    pub answered_at: Option<UtcMs>,
    /// Card written.
    pub popped_at: Option<UtcMs>,
    /// Card drawn.
    pub acked_at: Option<UtcMs>,
    /// Joined.
    pub bridged_at: Option<UtcMs>,
    /// Identity ticked.
    pub identity_at: Option<UtcMs>,
    /// Agent.
    pub agent_id: Option<AgentId>,
    /// Recording.
    pub recording_id: Option<RecordingId>,
    /// Ledger rows to append: what became known only after the end.
    pub ledger: Vec<LedgerRow>,
    /// The trunk that carries it, where another one took it over.
    pub trunk_id: Option<TrunkId>,
}

/// The end of an attempt, or its disposition, or both.
#[derive(Debug, Clone, Default)]
pub struct Closing {
    /// When it ended; `None` when only the disposition is set.
    pub ended_at: Option<UtcMs>,
    /// Result.
    pub result: Option<CallResult>,
    /// Raw SIP status.
    pub sip_code: Option<i32>,
    /// Raw Q.850 cause.
    pub q850: Option<i32>,
    /// Disposition code.
    pub disposition: Option<String>,
    /// Note.
    pub note: Option<String>,
    /// Disposed at.
    pub disposed_at: Option<UtcMs>,
    /// Ledger rows to append (conversation, abandoned); they are kept also when recovery ended the attempt
    /// before.
    pub ledger: Vec<LedgerRow>,
    /// The promise told with the disposition, and what it must keep; refused, nothing is written.
    pub promise: Option<(Promise, PromiseTerms)>,
    /// The payment that the debtor says he made.
    pub claim: Option<Claim>,
    /// Settles the attempt's own ledger row.
    pub reached_network: Option<bool>,
    /// Holds it places.
    pub holds: Vec<Hold>,
    /// Suppressions it adds.
    pub suppressions: Vec<Suppression>,
    /// Marks the point bad.
    pub point_bad: bool,
    /// Right-party contact at the point.
    pub point_rpc_at: Option<UtcMs>,
    /// What it proved of the point: how sure we are of it moves.
    pub reach: Option<Reach>,
    /// Where the debtor stands in the campaign afterwards; also gives the lease back.
    pub item: Option<ItemState>,
    /// Events.
    pub events: Vec<NewEvent>,
}

/// Narrows the list of attempts.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// Client.
    pub client_id: Option<ClientId>,
    /// Campaign.
    pub campaign_id: Option<CampaignId>,
    /// Debtor.
    pub debtor_id: Option<DebtorId>,
    /// Opened at or after.
    pub since: Option<UtcMs>,
}

/// A call of ours to a point that left and is over, as far as it says something of the next one there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    /// The attempt.
    pub id: AttemptId,
    /// Whom.
    pub debtor_id: DebtorId,
    /// Where.
    pub point_id: PointId,
    /// When the attempt was opened.
    pub at: UtcMs,
    /// How it ended.
    pub result: CallResult,
    /// Whether his identity was ticked.
    pub identified: bool,
    /// Disposition code.
    pub disposition: Option<String>,
    /// Where the point came from, as it is now (`ContactPoint::source`).
    pub source: String,
    /// When we first had the point.
    pub added_at: UtcMs,
    /// 0–100, how sure we are of the point now.
    pub confidence: i32,
    /// Whether the debtor gave the point.
    pub given_by_debtor: bool,
}

/// Live answers of one campaign in one slot of time, by fate. The stored attempts are the only source of
/// every abandonment figure: what a node counts while it runs is what this says after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSlot {
    /// Client.
    pub client_id: ClientId,
    /// Campaign, where the attempt had one.
    pub campaign_id: Option<CampaignId>,
    /// First instant of the slot.
    pub from: UtcMs,
    /// Its width, ms: a minute, or an hour where only long windows ask.
    pub width_ms: i64,
    /// Answers that found no agent in time, and those whose fate was lost before they were joined.
    pub abandoned: u64,
    /// Joined with an agent, machines that the agent found left out.
    pub handled: u64,
    /// Joined, and found to be a machine (`NC.BZ`).
    pub machines: u64,
}

/// Calls that left, and those of them that are short (law.md §4, `anatel_short`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShortCount {
    /// All.
    pub calls: u64,
    /// Short: not answered, not answered yet, a machine, or over within the limit.
    pub short: u64,
}

impl ShortCount {
    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            short: self.short + other.short,
        }
    }
}

/// Width of a slot in which past attempts are counted: zones differ by quarters of an hour.
pub const PAST_SLOT_MS: i64 = 15 * MINUTE_MS;

/// What attempts of the past tell of pacing: all of them counted, some of them timed. Those still open,
/// those dialed by hand and calls that came in are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PastAttempts {
    /// Counts, oldest slot first.
    pub counts: Vec<PastCount>,
    /// Agents who were joined with somebody, by the hour (UTC) in which they were.
    pub agents: Vec<(UtcMs, u64)>,
    /// Times of all, or of every n-th by age.
    pub timed: Vec<PastTimes>,
}

/// Attempts of a slot that ended alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastCount {
    /// First instant of the slot in which they were opened.
    pub from: UtcMs,
    /// Result.
    pub result: CallResult,
    /// How many.
    pub attempts: u64,
    /// Of them joined with an agent.
    pub joined: u64,
}

/// The times of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastTimes {
    /// Result.
    pub result: CallResult,
    /// Sent to the carrier.
    pub invite_at: Option<UtcMs>,
    /// Rang.
    pub ringing_at: Option<UtcMs>,
    /// Was answered.
    pub answered_at: Option<UtcMs>,
    /// Joined with an agent.
    pub bridged_at: Option<UtcMs>,
    /// Ended.
    pub ended_at: Option<UtcMs>,
    /// Disposed.
    pub disposed_at: Option<UtcMs>,
}

/// Attempts.
#[async_trait]
pub trait AttemptStore: Send + Sync {
    /// In one transaction: checks the node's fence and lease on the debtor, loads the facts, asks
    /// `judge`, stores the verdict and, when it permits, the attempt and its ledger row. When this
    /// returns `Opened`, both are durable.
    async fn open_attempt(
        &self,
        draft: &OpenDraft,
        judge: &dyn Judge,
    ) -> Result<OpenOutcome, StoreError>;
    /// Writes a step. Of a step on a closed attempt only what may follow the end is kept: identity and
    /// card seen, ledger rows, events.
    async fn note_attempt(
        &self,
        id: AttemptId,
        change: &AttemptChange,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Ends or disposes. The first result and the first disposition stay; of a repeat (`false`) only ledger
    /// rows are kept. `Conflict` when its promise cannot be recorded: nothing is written then.
    async fn close_attempt(&self, id: AttemptId, closing: &Closing) -> Result<bool, StoreError>;
    /// Attempts in which somebody talked with an agent, answered at or after `since`, ended before `ended`,
    /// that have no disposition; oldest first, at most `limit`.
    async fn undisposed(
        &self,
        since: UtcMs,
        ended: UtcMs,
        limit: u32,
    ) -> Result<Vec<Attempt>, StoreError>;
    /// One attempt.
    async fn get_attempt(&self, id: AttemptId) -> Result<Attempt, StoreError>;
    /// A page of attempts by id (age).
    async fn list_attempts(
        &self,
        filter: &AttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<Attempt>, StoreError>;
    /// What the attempts of the filter tell of pacing; at most `timed_max` of them are timed, taken evenly over
    /// their whole time.
    async fn past_attempts(
        &self,
        filter: &AttemptFilter,
        timed_max: u32,
    ) -> Result<PastAttempts, StoreError>;
    /// The calls to debtors' points that left at or after `since` and are over, of each point the newest `most`;
    /// by debtor, then oldest first.
    async fn past_calls(
        &self,
        debtors: &[DebtorId],
        since: UtcMs,
        most: u32,
    ) -> Result<Vec<PastCall>, StoreError>;
    /// Opens the row of a recording with its attempt's `recording_id`.
    async fn open_recording(
        &self,
        recording: &Recording,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Ended live answers since `since` by client, campaign and slot of the answer's instant: slots of a
    /// minute from `fine_from` on, of an hour before. One pass over the index of answers.
    async fn answers(&self, since: UtcMs, fine_from: UtcMs) -> Result<Vec<AnswerSlot>, StoreError>;
    /// Outbound calls that were opened at or after `since` and before `until`, left for the network, of all clients
    /// and nodes; how many of them are short at `now` by a limit of `max_ms` from the answer.
    async fn short_calls(
        &self,
        since: UtcMs,
        until: UtcMs,
        now: UtcMs,
        max_ms: i64,
    ) -> Result<ShortCount, StoreError>;
    /// Live answers and abandonments of a campaign (or all) since `since`: (abandoned, handled).
    async fn abandonment(
        &self,
        campaign: Option<CampaignId>,
        client: Option<ClientId>,
        since: UtcMs,
    ) -> Result<(u64, u64), StoreError>;
}
