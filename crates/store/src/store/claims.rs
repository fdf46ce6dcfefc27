//! Claims of payment: made with their disposition, found by themselves with the payment that is
//! meant, opened again where that is taken back, closed by a person.

use super::SqlStore;
use super::events::append;
use super::floor::Terms;
use super::items::lock_person_of;
use super::receipts::paged;
use crate::sql::{Link, vals};
use async_trait::async_trait;
use domain::entity::{Claim, Payment};
use domain::event::NewEvent;
use domain::ids::{ClaimId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{
    CLAIM_NOT_FOUND, ClaimEnd, ClaimFilter, ClaimStore, PAGE_LIMIT_MAX, Page, PageRequest,
};
use domain::rules::claim::{by_itself, ended, is_meant, reopened, told};
use domain::time::UtcMs;

async fn found_by(
    tx: &mut Link,
    claim: &Claim,
    payment: &Payment,
    at: UtcMs,
) -> Result<(), StoreError> {
    let after = ended(claim, &by_itself(payment, at));
    tx.put(&after).await?;
    append(tx, &[told(&after, at)]).await
}

/// Keeps what a debtor says he paid; it is found at once where what is meant is there and was not taken back.
pub(super) async fn made(tx: &mut Link, claim: &Claim) -> Result<(), StoreError> {
    // Whoever posts money of his meanwhile comes first, and is seen, or comes after and sees this.
    lock_person_of(tx, claim.debtor_id).await?;
    tx.insert(std::slice::from_ref(claim), "").await?;
    look(tx, claim, claim.made_at).await
}

/// Looks for what is meant among what came and was not taken back.
async fn look(tx: &mut Link, claim: &Claim, at: UtcMs) -> Result<(), StoreError> {
    let rest = "WHERE debtor_id=$1 AND amount_minor>0 AND reverses IS NULL AND NOT EXISTS \
        (SELECT 1 FROM payments r WHERE r.reverses=payments.id) ORDER BY paid_at DESC, id DESC";
    let came: Vec<Payment> = tx.all(rest, vals![claim.debtor_id]).await?;
    match came.iter().find(|payment| is_meant(claim, payment)) {
        Some(payment) => found_by(tx, claim, payment, at).await,
        None => Ok(()),
    }
}

/// Closes the claims that mean a payment which is posted; its debtor's person is locked already.
pub(super) async fn found(tx: &mut Link, payment: &Payment) -> Result<(), StoreError> {
    let rest = "WHERE debtor_id=$1 AND state='open' ORDER BY id";
    let open: Vec<Claim> = tx.all(rest, vals![payment.debtor_id]).await?;
    for claim in open.iter().filter(|claim| is_meant(claim, payment)) {
        found_by(tx, claim, payment, payment.posted_at).await?;
    }
    Ok(())
}

/// Opens the claims again that were found to be the payment which `back` takes back, and looks whether another one is
/// meant; the debtor's person is locked already.
pub(super) async fn lost(tx: &mut Link, back: &Payment) -> Result<(), StoreError> {
    let Some(gone) = back.reverses else {
        return Ok(());
    };
    let rest = "WHERE debtor_id=$1 AND state='found' AND payment_id=$2 ORDER BY id";
    let closed: Vec<Claim> = tx.all(rest, vals![back.debtor_id, gone]).await?;
    for claim in &closed {
        let open = reopened(claim);
        tx.put(&open).await?;
        append(tx, &[told(&open, back.posted_at)]).await?;
        look(tx, &open, back.posted_at).await?;
    }
    Ok(())
}

/// What he says he paid is not there: where he rests for it he is due again.
async fn due_again(tx: &mut Link, claim: &Claim, at: UtcMs) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_items SET next_at=$3, note=$4 WHERE debtor_id=$1 AND NOT done \
        AND note='cooloff' AND next_at>$3 \
        AND campaign_id=(SELECT c.campaign_id FROM attempts c WHERE c.id=$2) \
        AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.debtor_id=$1 AND l.id<>$2 \
            AND l.campaign_id=campaign_items.campaign_id AND l.disposed_at>$5)";
    let note = CLAIM_NOT_FOUND.to_owned();
    let values = vals![claim.debtor_id, claim.attempt_id, at, note, claim.made_at];
    tx.run(sql, values).await.map(drop)
}

fn terms(filter: &ClaimFilter) -> Terms {
    let mut t = Terms::default();
    if let Some(client) = filter.client_id {
        let n = t.bind(vals![client]);
        t.add(format!("client_id=${n}"));
    }
    if let Some(debtor) = filter.debtor_id {
        let n = t.bind(vals![debtor]);
        t.add(format!("debtor_id=${n}"));
    }
    if let Some(portfolio) = filter.portfolio_id {
        let n = t.bind(vals![portfolio]);
        t.add(format!(
            "debtor_id IN (SELECT d.id FROM debtors d WHERE d.portfolio_id=${n})"
        ));
    }
    if let Some(state) = filter.state {
        let n = t.bind(vals![state]);
        t.add(format!("state=${n}"));
    }
    t
}

#[async_trait]
impl ClaimStore for SqlStore {
    async fn get_claim(&self, id: ClaimId) -> Result<Claim, StoreError> {
        self.read().await?.get(id).await
    }

    async fn claims_page(
        &self,
        filter: &ClaimFilter,
        page: &PageRequest,
    ) -> Result<Page<Claim>, StoreError> {
        let key = |c: &Claim| c.id.to_string();
        paged::<Claim, ClaimId>(self, terms(filter), page, false, key).await
    }

    async fn claims_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Claim>, StoreError> {
        let rest = "WHERE debtor_id=$1 ORDER BY id DESC LIMIT $2";
        let values = vals![debtor, limit.min(PAGE_LIMIT_MAX)];
        self.read().await?.all(rest, values).await
    }

    async fn end_claim(
        &self,
        id: ClaimId,
        end: &ClaimEnd,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let known: Claim = tx.get(id).await?;
        lock_person_of(&mut tx, known.debtor_id).await?;
        let rest = format!("WHERE id=$1 AND state='open'{}", tx.pg_only(" FOR UPDATE"));
        let Some(claim) = tx.find::<Claim>(&rest, vals![id]).await? else {
            return Ok(false);
        };
        tx.put(&ended(&claim, end)).await?;
        if end.payment_id.is_none() {
            due_again(&mut tx, &claim, end.at).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }
}
