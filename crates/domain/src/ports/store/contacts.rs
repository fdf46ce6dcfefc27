//! The hopper's source: campaign items, reservations, and the facts a verdict needs.

use super::{CALLBACK_PRIORITY, CallbackRow, StoreError};
use crate::entity::{
    CallResult, Campaign, Consent, ContactPoint, Debt, Debtor, Hold, LedgerRow, ListState,
    Override, Party, Portfolio, Preference, Suppression, Verdict,
};
use crate::event::NewEvent;
use crate::ids::{CampaignId, ClientId, DebtorId, PointId};
use crate::law::ClientLaw;
use crate::segment::Expr;
use crate::time::UtcMs;
use async_trait::async_trait;
use std::sync::Arc;

/// Note of an item whose debtor is in no segment of its campaign any more.
pub const LEFT_SEGMENT: &str = "left_segment";
/// Note of an item whose debtor is in the campaign again.
pub const RETURNED: &str = "returned";
/// Note of an item that waits for what its agent says of the call.
pub const AWAITING_DISPOSITION: &str = "awaiting_disposition";
/// Notes of items that ended for what may pass: all is paid, the accounts were recalled, the segment holds him no
/// more. Whatever else ended an item (tries, a disposition, a merge) ended it for good.
pub const MAY_PASS: [&str; 3] = ["paid", "recalled", LEFT_SEGMENT];

/// Where one debtor stands in one campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemState {
    /// Campaign.
    pub campaign_id: CampaignId,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Not before this instant (retry rule, defer, callback).
    pub next_at: UtcMs,
    /// Head of the queue first: 0 normal, 10 broken promise, 20 callback due.
    pub priority: i32,
    /// Attempts in this campaign.
    pub attempts: i32,
    /// Last result.
    pub last_result: Option<CallResult>,
    /// Point that the retry rule named next.
    pub next_point: Option<PointId>,
    /// Left the campaign (final disposition, limits, paid).
    pub done: bool,
    /// Why it left or waits, for `why-not` (`final`, `attempts_per_debtor`, `blocked_cap`, …).
    pub note: String,
}

impl ItemState {
    /// Whether it ends when no segment of the campaign holds him any more. A call-back was promised to the debtor
    /// himself, whatever segment he is in by then; and of a call that waits for its disposition one may be about to be.
    #[must_use]
    pub fn ends_with_segment(&self) -> bool {
        !self.done && !CallbackRow::is_agreed(self) && self.note != AWAITING_DISPOSITION
    }

    /// Whether it ended for what may pass.
    #[must_use]
    pub fn may_return(&self) -> bool {
        self.done && MAY_PASS.contains(&self.note.as_str())
    }

    /// He is in the campaign again. What was tried counts on: limits and retry rules are of the debtor and of his
    /// numbers, not of a debt (terms.md §10, §11). A call-back that money cancelled is not agreed once more.
    pub fn come_back(&mut self, now: UtcMs) {
        self.done = false;
        RETURNED.clone_into(&mut self.note);
        self.next_at = self.next_at.max(now);
        if self.priority >= CALLBACK_PRIORITY {
            self.priority = 0;
        }
    }
}

/// What the law engine needs to judge one debtor. Pure data; same facts, same verdict.
#[derive(Debug, Clone)]
pub struct ContactFacts {
    /// The debtor.
    pub debtor: Debtor,
    /// His portfolio.
    pub portfolio: Portfolio,
    /// Open debts.
    pub debts: Vec<Debt>,
    /// Parties.
    pub parties: Vec<Party>,
    /// Points.
    pub points: Vec<ContactPoint>,
    /// Ledger rows of the person and of his numbers, last 45 days, any client.
    pub ledger: Vec<LedgerRow>,
    /// Holds of the debtor that are not lifted.
    pub holds: Vec<Hold>,
    /// Suppressions that name one of his numbers or his document and are not lifted.
    pub suppressions: Vec<Suppression>,
    /// Consents.
    pub consents: Vec<Consent>,
    /// Preferences and marks, taken-back ones too.
    pub preferences: Vec<Preference>,
    /// External lists that are asked; who is on one has a suppression `list:<name>`.
    pub lists: Vec<ListState>,
    /// Zones of his current postal addresses.
    pub address_zones: Vec<String>,
    /// Presumptions relaxed for him within the ledger's days, taken-back ones too.
    pub overrides: Vec<Override>,
    /// What his client's contract asks beyond the law, where it asks something.
    pub client_law: Option<Arc<ClientLaw>>,
}

/// A reserved debtor with all that is needed to judge and dial him.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where he stands in the campaign.
    pub item: ItemState,
    /// Facts.
    pub facts: ContactFacts,
    /// Attempts per point in this campaign: (point, count).
    pub point_attempts: Vec<(PointId, i32)>,
    /// Part of the campaign's mix he came in by.
    pub part: u32,
}

/// How many debtors to reserve for whom.
#[derive(Debug, Clone)]
pub struct ReserveRequest {
    /// The campaign (its order keys choose who comes first).
    pub campaign: Campaign,
    /// Node that reserves.
    pub node: String,
    /// Its fencing token.
    pub fence: i64,
    /// Most rows.
    pub limit: u32,
    /// How many of each part of the campaign's mix, first part first; what a part cannot give is taken
    /// from the others, as they come. Empty = the first part alone.
    pub parts: Vec<u32>,
    /// Most of them with an agreed call-back, which go first; the others come behind those. `None` = as they come.
    pub agreed_max: Option<u32>,
    /// Now.
    pub now: UtcMs,
    /// End of the lease.
    pub until: UtcMs,
}

/// What a refill did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RefillReport {
    /// Debtors in the segment now.
    pub matched: u64,
    /// New in the campaign.
    pub added: u64,
    /// In the campaign again, after they had left it.
    pub returned: u64,
    /// In no segment of the campaign any more.
    pub left: u64,
}

/// Campaign items and reservations.
#[async_trait]
pub trait ContactStore: Send + Sync {
    /// Makes the campaign follow its segment: takes every debtor of it in who is not in the campaign yet, brings back
    /// who left for what has passed ([`MAY_PASS`]) and owes again, and ends the items of those who are in it no more
    /// ([`LEFT_SEGMENT`]), but for those who are on the phone at this moment and those of
    /// [`ItemState::ends_with_segment`]. The hour ends nobody's item: of who leaves it is not asked whether he may be
    /// called now. Rows older than the stored ones end none either.
    async fn refill_campaign(
        &self,
        campaign: &Campaign,
        expr: &Expr,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<RefillReport, StoreError> {
        let parts = std::slice::from_ref(expr);
        self.refill_parts(campaign, parts, now, events).await
    }
    /// The same for the segments of a campaign's mix: a debtor of several belongs to the first. Items
    /// that wait follow when the segments were changed; who is in none of them and stays all the same does so in his
    /// part, or in the last one.
    async fn refill_parts(
        &self,
        campaign: &Campaign,
        parts: &[Expr],
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<RefillReport, StoreError>;
    /// Wakes the items of a campaign that are due now or before the next round, so that a reservation finds
    /// them in the campaign's order. A refill does it too. Stores that keep no order have nothing to do.
    async fn wake_items(&self, _campaign: CampaignId, _now: UtcMs) -> Result<(), StoreError> {
        Ok(())
    }
    /// Leases up to `limit` due items to a node: never a debtor (or his person) that any campaign of
    /// any client has leased or has a live attempt for. Rows come in campaign order.
    /// Errors: `Fenced` when the node's lease was taken over.
    async fn reserve_contacts(
        &self,
        request: &ReserveRequest,
    ) -> Result<Vec<Candidate>, StoreError>;
    /// Gives a leased item back, with its next instant and note; a verdict that refused it is stored.
    async fn release_contact(
        &self,
        item: &ItemState,
        verdict: Option<&Verdict>,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Gives back every lease of a node (shutdown, campaign stop when `campaign` is given).
    async fn release_all(
        &self,
        node: &str,
        campaign: Option<CampaignId>,
    ) -> Result<u64, StoreError>;
    /// The facts of one debtor now.
    async fn contact_facts(&self, debtor: DebtorId, now: UtcMs)
    -> Result<ContactFacts, StoreError>;
    /// Those of the debtors who have an open debt, each once.
    async fn owing(&self, debtors: &[DebtorId]) -> Result<Vec<DebtorId>, StoreError>;
    /// All consents of the debtors, in no order.
    async fn consents_of(&self, debtors: &[DebtorId]) -> Result<Vec<Consent>, StoreError>;
    /// Where a debtor stands in each campaign that has him.
    async fn items_of(&self, debtor: DebtorId) -> Result<Vec<ItemState>, StoreError>;
    /// Sets an item (callback, broken promise first, withdrawal).
    async fn put_item(&self, item: &ItemState, events: &[NewEvent]) -> Result<(), StoreError>;
    /// How many items of a campaign are due now, wait for later, are leased, are done.
    async fn item_counts(&self, campaign: CampaignId, now: UtcMs)
    -> Result<ItemCounts, StoreError>;
    /// Stores a verdict that led to no attempt and no release (why-not asked by a person is not stored).
    async fn record_verdict(&self, verdict: &Verdict, client: ClientId) -> Result<(), StoreError>;
    /// A stored verdict.
    async fn get_verdict(&self, id: crate::ids::VerdictId) -> Result<Verdict, StoreError>;
    /// Verdicts of a debtor, newest first.
    async fn verdicts_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Verdict>, StoreError>;
    /// Count of refused verdicts by reason since `since` (all, or one campaign).
    async fn blocked_counts(
        &self,
        campaign: Option<CampaignId>,
        since: UtcMs,
    ) -> Result<Vec<(String, u64)>, StoreError>;
}

/// Items of a campaign by where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ItemCounts {
    /// May be reserved now.
    pub due: u64,
    /// Wait for a later instant.
    pub later: u64,
    /// Leased to a hopper.
    pub leased: u64,
    /// Out of the campaign.
    pub done: u64,
}
