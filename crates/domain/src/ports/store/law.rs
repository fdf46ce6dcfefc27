//! What the law asks of the store beyond one debtor now: facts as they were, external lists, and why
//! the debtors of a campaign are not being dialed.

use super::{ContactFacts, DebtorRow, ItemState, RowFacts, StoreError};
use crate::entity::{Complaint, DncList, LedgerRow, Suppression};
use crate::event::{AuditHead, AuditLink, Event, NewEvent};
use crate::ids::{CampaignId, ClientId, ComplaintId, DebtorId, DncListId, LedgerId, VerdictId};
use crate::law::ClientLaw;
use crate::time::UtcMs;
use async_trait::async_trait;

/// Where debtors of a campaign stand alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReasonKey {
    /// Left the campaign.
    pub done: bool,
    /// May be reserved now.
    pub due: bool,
    /// Leased to a hopper.
    pub leased: bool,
    /// Stored note, without what follows a colon; empty = none was stored.
    pub note: String,
}

/// How many debtors of a campaign stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// How they stand.
    pub key: ReasonKey,
    /// Debtors.
    pub debtors: u64,
    /// Earliest instant at which one of them may be dialed; of those who have not left.
    pub next_at: Option<UtcMs>,
}

/// A link of a debtor's chain of decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    /// Number, 1 first.
    pub seq: i64,
    /// Decision.
    pub id: VerdictId,
    /// Hash of the one before; empty for the first.
    pub prev_hash: String,
    /// Hash of it.
    pub hash: String,
    /// Whether the hash is that of what is stored.
    pub whole: bool,
}

/// Which of our acts.
#[derive(Debug, Clone, Copy)]
pub struct ActAsk {
    /// Only this client's.
    pub client: Option<ClientId>,
    /// From this instant on.
    pub since: UtcMs,
    /// Before this one.
    pub until: UtcMs,
}

/// Which complaints.
#[derive(Debug, Clone, Default)]
pub struct ComplaintAsk {
    /// Only this client's.
    pub client: Option<ClientId>,
    /// Only before this authority, whatever the case of its letters.
    pub authority: Option<String>,
    /// Behind this row of the page before: whether it was open, its deadline, its identity.
    pub after: Option<(bool, String, ComplaintId)>,
    /// Most rows.
    pub limit: u32,
}

/// Law's own tables and questions.
#[async_trait]
pub trait LawStore: Send + Sync {
    /// The facts of a debtor as they were (or would be) at `at`: the ledger before it, holds,
    /// suppressions, lists, consents and preferences that were in force then, and the debts that were open
    /// (`law::open_then`), with the figures of today. Address and points are those of today: no history of them is
    /// kept; what decisions say of points, `law::points_then` adds.
    async fn facts_at(&self, debtor: DebtorId, at: UtcMs) -> Result<ContactFacts, StoreError>;
    /// The facts of the debtors whom rows of a file name that is not in yet. Nothing is written.
    async fn row_facts(&self, rows: &[DebtorRow], now: UtcMs) -> Result<RowFacts, StoreError>;
    /// What a client's contract asks beyond the law now; version 0 = nothing was ever said.
    async fn client_law(&self, client: ClientId) -> Result<ClientLaw, StoreError>;
    /// Its versions, newest first, at most `limit`.
    async fn client_laws_of(
        &self,
        client: ClientId,
        limit: u32,
    ) -> Result<Vec<ClientLaw>, StoreError>;
    /// Puts the next version of it in force for every judgement from then on, on all nodes. `Conflict` when it does not
    /// follow the one in force.
    async fn put_client_law(&self, row: &ClientLaw, events: &[NewEvent]) -> Result<(), StoreError>;
    /// How many versions of contracts there are, of all clients: it changes with each.
    async fn client_law_changes(&self) -> Result<u64, StoreError>;
    /// Puts a list in force with the keyed hashes of its entries, in one transaction; an older list
    /// of the same name, kind and client is retired with it. Says how many debtors whom it binds are on it.
    async fn load_list(
        &self,
        list: &DncList,
        hashes: &[String],
        events: &[NewEvent],
    ) -> Result<u64, StoreError>;
    /// Which of `hashes` the list has.
    async fn list_has(&self, list: DncListId, hashes: &[String])
    -> Result<Vec<String>, StoreError>;
    /// The chain of a debtor's decisions, oldest first; those made before chains were kept are left out.
    async fn verdict_chain(&self, debtor: DebtorId) -> Result<Vec<ChainLink>, StoreError>;
    /// Everything that listed a debtor at some time: his person, document or points on the company's own list, also
    /// what was lifted since, and on external lists, also those that were retired since (`lifted_at`).
    async fn listings_of(&self, debtor: DebtorId) -> Result<Vec<Suppression>, StoreError>;
    /// All ledger rows of a debtor, oldest first.
    async fn ledger_of(&self, debtor: DebtorId) -> Result<Vec<LedgerRow>, StoreError>;
    /// How many acts of ours (attempts, messages, visits) the ledger has of that time.
    async fn acts_count(&self, ask: &ActAsk) -> Result<u64, StoreError>;
    /// A page of them, oldest first; `after` is the last row of the page before.
    async fn acts(
        &self,
        ask: &ActAsk,
        after: Option<(UtcMs, LedgerId)>,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError>;
    /// Where each chain of the audit ends, by tenant.
    async fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError>;
    /// Links of a tenant's chain behind number `after`, each held against its row.
    async fn audit_links(
        &self,
        tenant: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditLink>, StoreError>;
    /// Audit rows that no chain holds: (written before chains were kept, added since behind the product's
    /// back).
    async fn audit_loose(&self) -> Result<(u64, u64), StoreError>;
    /// Complaints by urgency: open ones first, then by the day by which they must be answered.
    async fn complaints_by_urgency(&self, ask: &ComplaintAsk)
    -> Result<Vec<Complaint>, StoreError>;
    /// How many complaints are open with a deadline before `day` (`YYYY-MM-DD`), and how many there are; of a
    /// client, or of all.
    async fn complaints_late(
        &self,
        client: Option<ClientId>,
        day: &str,
    ) -> Result<(u64, u64), StoreError>;
    /// Events about any of the subjects, oldest first.
    async fn events_about(&self, subjects: &[String]) -> Result<Vec<Event>, StoreError>;
    /// Debtors of a campaign by where they stand and why.
    async fn campaign_reasons(
        &self,
        campaign: CampaignId,
        now: UtcMs,
    ) -> Result<Vec<ReasonCount>, StoreError>;
    /// Rows behind one count, by debtor; `after` is the last debtor of the page before.
    async fn reason_rows(
        &self,
        campaign: CampaignId,
        key: &ReasonKey,
        now: UtcMs,
        after: Option<DebtorId>,
        limit: u32,
    ) -> Result<Vec<ItemState>, StoreError>;
}
