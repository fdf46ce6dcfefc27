//! Callers whom nobody we know is behind: found by an agent, and given to whoever they are.

use super::{InboundCount, StoreError};
use crate::entity::{ContactPoint, Debtor};
use crate::event::NewEvent;
use crate::ids::{AttemptId, CampaignId, ClientId, DebtId, DebtorId, PersonId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Shortest beginning of a name that is looked for, characters.
pub const NAME_LEAST: usize = 3;

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
    /// Whether that number becomes one of his; else it stays behind with the file of nobody.
    pub keep: bool,
    /// When.
    pub at: UtcMs,
}

/// Callers of nobody's number.
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
}
