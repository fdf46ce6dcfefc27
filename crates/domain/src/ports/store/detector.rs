//! Truth about judged calls, recordings of carriers, messages for mailboxes.

use super::{HeardCall, StoreError};
use crate::entity::{Attempt, LedgerRow, VoicemailTemplate};
use crate::event::NewEvent;
use crate::ids::{AttemptId, CampaignId, ClientId, TrunkId, VoicemailId};
use crate::rules::detector::Truth;
use crate::time::UtcMs;
use async_trait::async_trait;

/// Calls that have to have the same recording before it decides: one mailbox is one person's, what three
/// numbers have in common is the carrier's.
pub const PRINT_NUMBERS: i64 = 3;
/// Most fingerprints that are kept of a trunk; of those that decide nothing the longest unheard makes room. Each
/// mailbox that an agent meets is one of them, and an announcement on 2 % of a trunk's machines has to meet three
/// agents before it is forgotten.
pub const PRINTS_MAX: u32 = 512;
/// Most samples of one page.
pub const SAMPLES_MAX: u32 = 100;

/// What somebody who heard a call says of it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The call.
    pub attempt_id: AttemptId,
    /// What it really was.
    pub truth: Truth,
    /// Who says so (`user:…`, `agent:…`).
    pub by: String,
    /// When.
    pub at: UtcMs,
    /// Counted when a person turns out to have been hung up on: the call was abandoned.
    pub abandoned: LedgerRow,
}

crate::text_enum! {
    /// What a correction does to the figures of abandonment.
    pub enum Turn {
        /// A person turns out to have been hung up on: one abandoned call more.
        Lost = "lost",
        /// It was a machine after all: one less.
        Found = "found",
    }
}

/// What came of a told truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Corrected {
    /// A person was hung up on, whoever said so first: the call is abandoned.
    pub lost: bool,
    /// What had been said of it before.
    pub before: Option<Truth>,
    /// What this changed, once: a repeat changes nothing.
    pub turn: Option<Turn>,
}

impl Corrected {
    /// The events with what this changed (`turn`), so that every node that reads them counts it once.
    #[must_use]
    pub fn told_in(&self, events: &[NewEvent]) -> Vec<NewEvent> {
        let mut events = events.to_vec();
        for event in &mut events {
            if let Some(data) = event.data.as_object_mut() {
                data.insert("turn".to_owned(), serde_json::json!(self.turn));
            }
        }
        events
    }
}

/// Which judged calls to show.
#[derive(Debug, Clone, Default)]
pub struct SampleAsk {
    /// Of one client.
    pub client_id: Option<ClientId>,
    /// Of one campaign.
    pub campaign_id: Option<CampaignId>,
    /// Of one trunk.
    pub trunk_id: Option<TrunkId>,
    /// Of one class.
    pub class: Option<String>,
    /// Judged at or after.
    pub since: UtcMs,
    /// Older than this one: instant and call of the last row of the page before.
    pub before: Option<(UtcMs, AttemptId)>,
    /// Most rows.
    pub limit: u32,
}

/// A judged call with its attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What it was taken for.
    pub heard: HeardCall,
    /// The attempt.
    pub attempt: Attempt,
}

/// A recording that was heard on a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardPrint {
    /// Trunk.
    pub trunk_id: TrunkId,
    /// Fingerprint.
    pub print: Vec<u8>,
    /// Different numbers on which an agent found it to be a mailbox.
    pub numbers: i64,
    /// Calls on which a person turned out to be there.
    pub persons: i64,
    /// Heard last.
    pub last_at: UtcMs,
}

impl HeardPrint {
    /// Whether it is a machine for sure.
    #[must_use]
    pub const fn decides(&self) -> bool {
        self.numbers >= PRINT_NUMBERS && self.persons == 0
    }
}

/// The detector's rows.
#[async_trait]
pub trait DetectorStore: Send + Sync {
    /// Keeps what a call really was, with the events, told [what it changed](Corrected::told_in). Where a
    /// person turns out to have been hung up on, the attempt's result is `abandoned` and the ledger has its
    /// row, in the same transaction, once. Said to be a machine after that, it has the result and the code
    /// back that it had; the ledger only grows, so that its number stays blocked as after any abandonment.
    /// `NotFound` for a call that was not judged.
    async fn tell_truth(&self, told: &Told, events: &[NewEvent]) -> Result<Corrected, StoreError>;
    /// Judged calls, newest first.
    async fn heard_samples(&self, ask: &SampleAsk) -> Result<Vec<Sample>, StoreError>;
    /// Fingerprints of a trunk: those that decide first, last heard first among them and among the others.
    async fn prints_of(&self, trunk: TrunkId) -> Result<Vec<HeardPrint>, StoreError>;
    /// Keeps a fingerprint (replaces by trunk and print); the first [`PRINTS_MAX`] of a trunk in
    /// the order of [`prints_of`](Self::prints_of) stay.
    async fn put_print(&self, print: &HeardPrint) -> Result<(), StoreError>;
    /// A message; `NotFound` without it.
    async fn get_voicemail(&self, id: VoicemailId) -> Result<VoicemailTemplate, StoreError>;
    /// Messages of a client (or all) by name, at most [`SAMPLES_MAX`].
    async fn list_voicemails(
        &self,
        client: Option<ClientId>,
    ) -> Result<Vec<VoicemailTemplate>, StoreError>;
    /// Writes a message. `Conflict` where its client has another of that name.
    async fn put_voicemail(
        &self,
        row: &VoicemailTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
}
