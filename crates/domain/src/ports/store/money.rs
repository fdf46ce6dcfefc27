//! Promises and payments.

use super::StoreError;
use crate::entity::{Debt, Payment, Promise};
use crate::event::NewEvent;
use crate::ids::{DebtorId, PromiseId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Limits a promise must keep; they come from the campaign and `rules::promise`.
#[derive(Debug, Clone, Copy)]
pub struct PromiseTerms {
    /// Least amount.
    pub min_minor: i64,
    /// Greatest amount (the debt's balance).
    pub max_minor: i64,
}

/// Why a promise is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromiseRefusal {
    /// The debt has an active promise.
    #[error("the debt already has an active promise")]
    Active(PromiseId),
    /// Amount outside the limits.
    #[error("amount outside the permitted range")]
    Amount,
}

/// What a payment did.
#[derive(Debug, Clone)]
pub struct PaymentOutcome {
    /// The stored payment (the first one, when the reference repeats).
    pub payment: Payment,
    /// `true` when this reference was posted before.
    pub repeated: bool,
    /// Promises whose state it changed.
    pub promises: Vec<Promise>,
    /// Balance left on the debt.
    pub balance_minor: i64,
    /// Whether the debt is now paid.
    pub debt_paid: bool,
}

/// Promises and payments.
#[async_trait]
pub trait MoneyStore: Send + Sync {
    /// Records a promise: one active a debt; while active a hold `promise` silences the debt.
    async fn record_promise(
        &self,
        promise: &Promise,
        terms: PromiseTerms,
        events: &[NewEvent],
    ) -> Result<Result<(), PromiseRefusal>, StoreError>;
    /// Posts money: idempotent by (client, reference), where other money under a reference that is known is a
    /// `Conflict`; lowers the debt (fees, interest, principal, in
    /// that order), marks it paid at zero, keeps promises by `rules::promise`, places a `paid` hold,
    /// takes the paid debtor out of every campaign. A reversal lifts that hold and takes him in again.
    /// A promise that its money kept, or that it keeps after all though it was judged, is judged anew: one
    /// whose grace still runs lives again (or is `replaced`, when another one lives), one whose grace is over is
    /// broken or partly kept, and a broken one leads the queue. Each promise that it changes is told by `told`
    /// in the same transaction.
    async fn post_payment(
        &self,
        payment: &Payment,
        events: &[NewEvent],
        told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync),
    ) -> Result<PaymentOutcome, StoreError>;
    /// Closes promises whose grace is over at `now`, each told by `told` in the same transaction; broken
    /// ones move their debtor to the head of his campaigns.
    async fn sweep_promises(
        &self,
        now: UtcMs,
        limit: u32,
        told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Promise>, StoreError>;
    /// Replaces a debt that is still as `was` says: `Conflict` when somebody changed it meanwhile, as a payment
    /// does; nothing is then written. What a rule of interest has earned on the figures before is put on it, as
    /// `CatalogStore::put_debt` does.
    async fn replace_debt(
        &self,
        was: &Debt,
        row: &Debt,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Active promise of a debtor, if any.
    async fn active_promises(&self, debtor: DebtorId) -> Result<Vec<Promise>, StoreError>;
}
