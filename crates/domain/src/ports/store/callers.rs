//! Callers whom nobody we know is behind: found by an agent, and given to whoever they are.

use super::{ContactFacts, InboundCount, ItemState, StoreError};
use crate::entity::{Attempt, ContactPoint, Debtor};
use crate::event::NewEvent;
use crate::ids::{AttemptId, CampaignId, ClientId, DebtId, DebtorId, PersonId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Shortest beginning of a name that is looked for, characters.
pub const NAME_LEAST: usize = 3;

/// Most places that are read at once.
pub const PLACES_READ_MAX: usize = 1_000;

/// A caller who was found among the debtors.
#[derive(Debug, Clone)]
pub struct FoundCaller {
    /// His call, which is up.
    pub attempt: AttemptId,
    /// The file that was kept for him until now (`Debtor::is_stranger`).
    pub from: DebtorId,
    /// His own.
    pub to: DebtorId,
    /// The person of that.
    pub person: PersonId,
    /// His main debt.
    pub debt: Option<DebtId>,
    /// What he owes.
    pub debts: Vec<DebtId>,
    /// The number he called from: one of his own file, or the one kept for him, to be kept on (`keep`).
    pub point: ContactPoint,
    /// Whether that number becomes one of his; else it is deleted with the file of nobody.
    pub keep: bool,
    /// When.
    pub at: UtcMs,
}

/// A place in a queue that a node keeps for a call-back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceKept {
    /// Whose queue.
    pub campaign: CampaignId,
    /// Who left it.
    pub debtor: DebtorId,
    /// Node that keeps it.
    pub node: String,
    /// Fence of that node.
    pub fence: i64,
    /// Since when he waited: his place.
    pub since: UtcMs,
    /// How long it is kept; then it is an agreed call-back like others.
    pub until: UtcMs,
}

/// Callers of nobody's number, and places of who left a queue.
#[async_trait]
pub trait CallerStore: Send + Sync {
    /// Debtors of a client by reference, document or E.164 phone, exactly, or by how their name begins
    /// (whatever its case, from [`NAME_LEAST`] characters on); files of unnamed callers and merged ones are
    /// not among them.
    async fn find_callers(
        &self,
        client: ClientId,
        needle: &str,
        limit: u32,
    ) -> Result<Vec<Debtor>, StoreError>;
    /// What the law would be asked about a file that is not there yet: the facts of `debtor` and his one
    /// `point` as they would be. Nothing is written.
    async fn stranger_facts(
        &self,
        debtor: &Debtor,
        point: &ContactPoint,
        now: UtcMs,
    ) -> Result<ContactFacts, StoreError>;
    /// Opens the attempt of a caller whom nobody knows, as [`super::InboundStore::open_inbound`] does, with the file
    /// that is kept for him (`debtor`, `point`): all of it or nothing. `false` when the number has a live
    /// attempt.
    async fn open_stranger(
        &self,
        file: (&Debtor, &ContactPoint),
        attempt: &Attempt,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Takes the numbers out of files of callers who stayed unknown and did not call since `before`: point, attempts,
    /// ledger, messages and rows of their calls have none any more. Files with a live attempt, or with a recording that
    /// is still kept, wait. How many were forgotten, at most `limit`.
    async fn forget_strangers(&self, before: UtcMs, limit: u32) -> Result<u64, StoreError>;
    /// Gives a caller's calls, their rows in the ledger, what he asked for and, where it is to be kept, his
    /// number to the debtor he is; the file of nobody is part of his from then on. `false` when the debtor's
    /// person has another live call: nothing is written.
    async fn attach_caller(
        &self,
        found: &FoundCaller,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Figures of a campaign's callers since `since` that a node does not count itself: those of other nodes,
    /// and its own from before `own.1`. Answers within `within_ms` are in time.
    async fn inbound_elsewhere(
        &self,
        campaign: CampaignId,
        since: UtcMs,
        own: (&str, UtcMs),
        within_ms: i64,
    ) -> Result<InboundCount, StoreError>;
    /// Writes down that a node keeps a place, with `item`, the agreed call-back of its end. Started anew, the node keeps
    /// it on from the moment it is registered; another node's [`super::NodeStore::recover`] makes the call-back due at once, in the order in
    /// which they waited. Nothing is written where the place of a later call of his is kept; a
    /// place of another file of the same person in that queue is kept no more.
    async fn keep_place(&self, place: &PlaceKept, item: &ItemState) -> Result<(), StoreError>;
    /// The places that a node is to keep, first first: its own, and those that other nodes gave it; at most
    /// [`PLACES_READ_MAX`].
    async fn places_of(&self, node: &str, fence: i64) -> Result<Vec<PlaceKept>, StoreError>;
    /// Whoever talks with a client needs no call of his any more: no node keeps a place of that person in a queue of
    /// the client's.
    async fn end_places(&self, person: PersonId, client: ClientId) -> Result<(), StoreError>;
    /// A place is kept no more: its turn came, or its time is over. One that he was given since, by a later call or
    /// another node, stays.
    async fn drop_place(&self, place: &PlaceKept) -> Result<(), StoreError>;
}
