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

/// What a step would do, tried on a copy: a refused step changes nothing.
pub(super) fn tried(
    t: &mut Tables,
    step: &ReceiptStep<'_>,
    told: TellPromise<'_>,
) -> Result<ReceiptOutcome, StoreError> {
    let row = t.money.receipts.get(&step.receipt).cloned();
    let row = row.ok_or(StoreError::NotFound("receipt"))?;
    fits(t, &row, step)?;
    let row = stepped(row, step).ok_or_else(|| conflict("the receipt has less left than that"))?;
    let taken = |p: &Payment| {
        let same = |x: &Payment| x.client_id == p.client_id && x.reference == p.reference;
        t.payments.values().any(same)
    };
    if step.payments.iter().any(taken) {
        return Err(conflict("payment reference is taken"));
    }
    let word = step.word.map(|(p, id)| (p.to_owned(), id.to_owned()));
    let open = |w: &(String, String)| t.money.webhooks.get(w).is_some_and(|n| !n.done);
    if !word.as_ref().is_none_or(open) {
        return Err(conflict("the word was carried out meanwhile"));
    }
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
    );
    let mut payments = Vec::new();
    for payment in step.payments {
        match post_on(t, payment, Some(row.id)) {
            Ok(done) => payments.push(done),
            Err(refused) => {
                (
                    t.debts,
                    t.payments,
                    t.promises,
                    t.holds,
                    t.items,
                    t.money.parts,
                    (t.plans, t.instalments, t.money.forgiven),
                ) = before;
                return Err(refused);
            }
        }
    }
    t.money.receipts.insert(row.id, row.clone());
    if let Some(note) = word.and_then(|w| t.money.webhooks.get_mut(&w)) {
        note.done = true;
    }
    t.append(step.events);
    let told: Vec<NewEvent> = payments
        .iter()
        .flat_map(|p| &p.promises)
        .map(told)
        .collect();
    t.append(&told);
    Ok(ReceiptOutcome {
        receipt: row,
        payments,
    })
}
