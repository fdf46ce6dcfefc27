//! Steps of receipts: onto debts, off them again, back to their sender.

use super::Tables;
use super::money::post_on;
use super::receipts::conflict;
use domain::entity::{Payment, Receipt};
use domain::event::NewEvent;
use domain::ports::store::{ReceiptOutcome, ReceiptStep, SHARES_MAX, StoreError, TellPromise};
use domain::rules::allocation::stepped;

fn fits(t: &Tables, row: &Receipt, step: &ReceiptStep<'_>) -> Result<(), StoreError> {
    if step.payments.len() > SHARES_MAX {
        return Err(conflict("too many debts for one receipt"));
    }
    for payment in step.payments {
        let debt = t.debts.get(&payment.debt_id);
        let debt = debt.ok_or(StoreError::NotFound("debt"))?;
        let own = debt.debtor_id == payment.debtor_id && debt.client_id == row.client_id;
        if !own || payment.client_id != row.client_id {
            return Err(conflict("the debt is not the debtor's"));
        }
        if let Some(first) = payment.reverses {
            let of = t.money.parts.get(&first);
            if of.is_none_or(|p| p.receipt_id != Some(row.id)) {
                return Err(conflict("the payment is not made of this receipt"));
            }
        } else if step.debtor_id != Some(payment.debtor_id) {
            return Err(conflict("the payment is not the debtor's"));
        }
    }
    Ok(())
}

/// Steps that are done together: one that is refused leaves all as it was.
pub(super) fn tried(
    t: &mut Tables,
    steps: &[ReceiptStep<'_>],
    told: TellPromise<'_>,
) -> Result<Vec<ReceiptOutcome>, StoreError> {
    let before = (
        t.debts.clone(),
        t.payments.clone(),
        t.promises.clone(),
        t.holds.clone(),
        t.items.clone(),
        t.money.parts.clone(),
        (
            t.plans.clone(),
            t.instalments.clone(),
            t.money.forgiven.clone(),
        ),
        (
            t.accruals.clone(),
            t.money.receipts.clone(),
            t.money.webhooks.clone(),
        ),
    );
    let done: Result<Vec<ReceiptOutcome>, StoreError> =
        steps.iter().map(|step| one(t, step)).collect();
    if done.is_err() {
        (
            t.debts,
            t.payments,
            t.promises,
            t.holds,
            t.items,
            t.money.parts,
            (t.plans, t.instalments, t.money.forgiven),
            (t.accruals, t.money.receipts, t.money.webhooks),
        ) = before;
    }
    let done = done?;
    for (step, outcome) in steps.iter().zip(&done) {
        t.append(step.events);
        let promises = outcome.payments.iter().flat_map(|p| &p.promises);
        let told: Vec<NewEvent> = promises.map(told).collect();
        t.append(&told);
    }
    Ok(done)
}

/// What one step does; refused, it may have done a part of it.
fn one(t: &mut Tables, step: &ReceiptStep<'_>) -> Result<ReceiptOutcome, StoreError> {
    let row = t.money.receipts.get(&step.receipt).cloned();
    let row = row.ok_or(StoreError::NotFound("receipt"))?;
    fits(t, &row, step)?;
    let row = stepped(row, step)
        .ok_or_else(|| conflict("the receipt has less left than that, or more went back"))?;
    let mut payments = Vec::new();
    for payment in step.payments {
        let same =
            |x: &Payment| x.client_id == payment.client_id && x.reference == payment.reference;
        if t.payments.values().any(same) {
            return Err(conflict("payment reference is taken"));
        }
        payments.push(post_on(t, payment, Some(row.id))?);
    }
    if let Some((provider, event)) = step.word {
        let key = (provider.to_owned(), event.to_owned());
        match t.money.webhooks.get_mut(&key).filter(|n| !n.done) {
            Some(note) => note.done = true,
            None => return Err(conflict("the word was carried out meanwhile")),
        }
    }
    t.money.receipts.insert(row.id, row.clone());
    Ok(ReceiptOutcome {
        receipt: row,
        payments,
    })
}
