//! Claims of payment in memory.

use super::receipts::page;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{Claim, ClaimState, Payment};
use domain::event::NewEvent;
use domain::ids::{ClaimId, DebtorId};
use domain::ports::store::{
    CLAIM_NOT_FOUND, ClaimEnd, ClaimFilter, ClaimStore, Page, PageRequest, StoreError,
};
use domain::rules::claim::{by_itself, ended, is_meant, reopened, told};
use domain::time::UtcMs;

fn found_by(t: &mut Tables, claim: &Claim, payment: &Payment, at: UtcMs) {
    let after = ended(claim, &by_itself(payment, at));
    t.append(&[told(&after, at)]);
    t.claims.insert(after.id, after);
}

/// Keeps what a debtor says he paid; it is found at once where what is meant is there and was not taken back.
pub(super) fn made(t: &mut Tables, claim: &Claim) {
    t.claims.insert(claim.id, claim.clone());
    look(t, claim, claim.made_at);
}

/// Looks for what is meant among what came and was not taken back.
fn look(t: &mut Tables, claim: &Claim, at: UtcMs) {
    let own = t.payments.of(claim.debtor_id);
    let back: Vec<_> = own.filter_map(|p| p.reverses).collect();
    let stands = |p: &&Payment| is_meant(claim, p) && !back.contains(&p.id);
    let meant = t.payments.of(claim.debtor_id).filter(stands);
    let meant = meant.max_by_key(|p| (p.paid_at, p.id)).cloned();
    if let Some(payment) = meant {
        found_by(t, claim, &payment, at);
    }
}

/// Closes the claims that mean a payment which is posted.
pub(super) fn found(t: &mut Tables, payment: &Payment) {
    let open = |c: &&Claim| c.state == ClaimState::Open && is_meant(c, payment);
    let meant: Vec<Claim> = t.claims.values().filter(open).cloned().collect();
    for claim in meant {
        found_by(t, &claim, payment, payment.posted_at);
    }
}

/// Opens the claims again that were found to be the payment which `back` takes back, and looks whether another one is
/// meant.
pub(super) fn lost(t: &mut Tables, back: &Payment) {
    let Some(gone) = back.reverses else {
        return;
    };
    let of_it = |c: &&Claim| c.state == ClaimState::Found && c.payment_id == Some(gone);
    let closed: Vec<Claim> = t.claims.values().filter(of_it).cloned().collect();
    for claim in closed {
        let open = reopened(&claim);
        t.append(&[told(&open, back.posted_at)]);
        t.claims.insert(open.id, open.clone());
        look(t, &open, back.posted_at);
    }
}

/// What he says he paid is not there: where he rests for it he is due again.
fn due_again(t: &mut Tables, claim: &Claim, at: UtcMs) {
    let campaign = t.attempts.get(&claim.attempt_id);
    let Some(campaign) = campaign.and_then(|a| a.campaign_id) else {
        return;
    };
    let later = t.attempts.values().any(|a| {
        a.debtor_id == claim.debtor_id
            && a.id != claim.attempt_id
            && a.campaign_id == Some(campaign)
            && a.disposed_at
                .is_some_and(|disposed| disposed > claim.made_at)
    });
    if later {
        return;
    }
    if let Some(item) = t.items.get_mut(&(campaign, claim.debtor_id))
        && !item.done
        && item.note == "cooloff"
        && item.next_at > at
    {
        item.next_at = at;
        item.note = CLAIM_NOT_FOUND.to_owned();
    }
}

#[async_trait]
impl ClaimStore for MemoryStore {
    async fn get_claim(&self, id: ClaimId) -> Result<Claim, StoreError> {
        let t = self.tx().await?;
        let known = t.claims.get(&id).cloned();
        known.ok_or(StoreError::NotFound("claim"))
    }

    async fn claims_page(
        &self,
        filter: &ClaimFilter,
        request: &PageRequest,
    ) -> Result<Page<Claim>, StoreError> {
        let t = self.tx().await?;
        let portfolio = |c: &Claim| t.debtors.get(&c.debtor_id).map(|d| d.portfolio_id);
        page(&t.claims, request, false, |c| {
            filter.client_id.is_none_or(|id| c.client_id == id)
                && filter.debtor_id.is_none_or(|id| c.debtor_id == id)
                && filter
                    .portfolio_id
                    .is_none_or(|id| portfolio(c) == Some(id))
                && filter.state.is_none_or(|state| c.state == state)
        })
    }

    async fn claims_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Claim>, StoreError> {
        let t = self.tx().await?;
        let newest = t.claims.values().rev().filter(|c| c.debtor_id == debtor);
        Ok(newest.take(limit as usize).cloned().collect())
    }

    async fn end_claim(
        &self,
        id: ClaimId,
        end: &ClaimEnd,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let known = t.claims.get(&id).cloned();
        let claim = known.ok_or(StoreError::NotFound("claim"))?;
        if claim.state != ClaimState::Open {
            return Ok(false);
        }
        t.claims.insert(id, ended(&claim, end));
        if end.payment_id.is_none() {
            due_again(&mut t, &claim, end.at);
        }
        t.append(events);
        Ok(true)
    }
}
