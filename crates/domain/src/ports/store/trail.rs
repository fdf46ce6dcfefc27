//! What is kept of calls beside the attempt: transfers, ladders and quality, and how trunks do.

use super::StoreError;
use crate::entity::{CallResult, CallTrail, Transfer};
use crate::event::NewEvent;
use crate::ids::{AttemptId, CampaignId, ClientId, TrunkId};
use crate::rules::detector::{Acted, Truth};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Attempts of one trunk whose INVITE left in one slice of time, that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrunkCount {
    /// Slice, counted from `since`.
    pub slice: i64,
    /// Result; `None` while it runs.
    pub result: Option<CallResult>,
    /// Raw SIP status.
    pub sip_code: Option<i32>,
    /// Raw Q.850 cause.
    pub q850: Option<i32>,
    /// INVITEs.
    pub invites: i64,
    /// Of them answered.
    pub answered: i64,
    /// Of them rung.
    pub rung: i64,
    /// Sum of INVITE to ringing over those that rang, ms.
    pub pdd_ms: i64,
    /// Sum of joined to ended, ms.
    pub talk_ms: i64,
}

/// Which talk a trunk's limits of the day count besides what a process counted itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TollAsk {
    /// Trunk.
    pub trunk_id: TrunkId,
    /// Calls whose INVITE left then or later.
    pub since: UtcMs,
    /// Length of a slice, ms.
    pub slice_ms: i64,
    /// By how many characters numbers are told apart.
    pub begins: i64,
    /// Node that counts its own calls.
    pub node: String,
    /// Since when it does.
    pub own_since: UtcMs,
}

/// Talk of calls whose INVITE left in one slice of time, with numbers that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TollTalk {
    /// Slice, counted from `since`.
    pub slice: i64,
    /// How the numbers begin, `+` included.
    pub begins: String,
    /// Sum of answer to end, ms.
    pub talk_ms: i64,
}

/// What the sound of an answered call was taken for; all times from the answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HeardCall {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// When it was told.
    pub at: UtcMs,
    /// `human`, `machine`, `fax`, `sit`, `busy`, `dead_air` or `unknown`.
    pub class: String,
    /// How sure, in thousandths.
    pub confidence_pm: i64,
    /// Why, in a word.
    pub reason: String,
    /// Sound heard until the verdict, ms.
    pub decided_ms: i64,
    /// Beginning of the greeting, ms.
    pub onset_ms: Option<i64>,
    /// Its length until then, ms.
    pub speech_ms: Option<i64>,
    /// Pauses in it.
    pub pauses: Option<i64>,
    /// Beginning of the beep, ms.
    pub beep_ms: Option<i64>,
    /// What was done on it.
    pub acted: Acted,
    /// What it really was, where somebody told; never written by `put_heard`.
    pub truth: Option<Truth>,
}

/// Calls of one campaign and trunk that were taken for the same and got the same code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardCount {
    /// Campaign; `None` for calls by hand.
    pub campaign_id: Option<CampaignId>,
    /// Trunk.
    pub trunk_id: TrunkId,
    /// What they were taken for.
    pub class: String,
    /// The disposition; `None` while there is none.
    pub disposition: Option<String>,
    /// Whether an agent had them: only then the disposition tells what they were.
    pub had_agent: bool,
    /// What was done on it.
    pub acted: Acted,
    /// What it really was, where somebody told.
    pub truth: Option<Truth>,
    /// Decided within [`EARLY_MS`](crate::rules::detector::EARLY_MS) of the answer.
    pub early: bool,
    /// Slice of time, counted from `since`.
    pub slice: i64,
    /// How many.
    pub calls: i64,
}

impl HeardCount {
    /// What is known to have answered them.
    #[must_use]
    pub fn known(&self) -> Option<Truth> {
        let code = self.disposition.as_deref();
        crate::rules::detector::truth(self.truth, self.acted, self.had_agent, code)
    }
}

/// Trails of calls.
#[async_trait]
pub trait TrailStore: Send + Sync {
    /// Writes a transfer or its next step (replaces by id).
    async fn put_transfer(
        &self,
        transfer: &Transfer,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Transfers of an attempt, oldest first.
    async fn transfers_of(&self, attempt: AttemptId) -> Result<Vec<Transfer>, StoreError>;
    /// Keeps what is left of a call; a repeat replaces it. `NotFound` without the attempt.
    async fn put_trail(
        &self,
        attempt: AttemptId,
        at: UtcMs,
        trail: &CallTrail,
    ) -> Result<(), StoreError>;
    /// What is kept of a call, if anything still is.
    async fn get_trail(&self, attempt: AttemptId) -> Result<Option<CallTrail>, StoreError>;
    /// Forgets at most `limit` trails kept before `before`; how many there were.
    async fn forget_trails(&self, before: UtcMs, limit: u32) -> Result<u64, StoreError>;
    /// Attempts of a trunk whose INVITE left in `[since, until)`, by slices of `slice_ms`.
    async fn trunk_counts(
        &self,
        trunk: TrunkId,
        since: UtcMs,
        until: UtcMs,
        slice_ms: i64,
    ) -> Result<Vec<TrunkCount>, StoreError>;
    /// Talk, answer to end, of calls over that we placed on a trunk, without those of unknown fate: their end is when
    /// somebody found them. By slice and beginning of the number, in that order.
    async fn toll_talk(&self, ask: &TollAsk) -> Result<Vec<TollTalk>, StoreError>;
    /// Keeps what a call's sound was taken for; a repeat (with its beep) replaces it. `NotFound`
    /// without the attempt.
    async fn put_heard(&self, heard: &HeardCall, events: &[NewEvent]) -> Result<(), StoreError>;
    /// What a call's sound was taken for, where it was judged.
    async fn get_heard(&self, attempt: AttemptId) -> Result<Option<HeardCall>, StoreError>;
    /// Calls judged in `[since, until)` by campaign, trunk, class, disposition, what was done, truth, early
    /// or not, and slice of `slice_ms`.
    async fn heard_counts(
        &self,
        since: UtcMs,
        until: UtcMs,
        slice_ms: i64,
    ) -> Result<Vec<HeardCount>, StoreError>;
    /// Whether a number (E.164 with `+`) may never be called for a client, whoever answers it.
    async fn number_listed(&self, client: ClientId, number: &str) -> Result<bool, StoreError>;
}
