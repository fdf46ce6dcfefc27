//! The payment link in a message: a signed address of one amount of one debt, made when the message leaves.

use super::values::Values;
use crate::shared::Shared;
use domain::entity::{LinkState, Message, PaymentLink};
use domain::ids::PaymentLinkId;
use domain::link::provable;
use domain::money::Money;
use domain::ports::store::{ContactFacts, StoreError};
use domain::time::HOUR_MS;

/// Life of a link, ms: as one that an agent makes.
const LIFE_MS: i64 = 72 * HOUR_MS;

/// Whether a page of this debtor could tell who he is, and has something to show him: where the law lets
/// nobody here take money, that is how the creditor himself is paid.
pub(super) async fn has_page(shared: &Shared, facts: &ContactFacts) -> Result<bool, StoreError> {
    let debtor = &facts.debtor;
    if shared.config.pages.is_none() || !provable(debtor.document.reveal()) {
        return Ok(false);
    }
    if shared.out.law.duties(facts, shared.now()).may_receive_money {
        return Ok(true);
    }
    let policy = shared.out.store.money_policy(debtor.client_id).await?;
    Ok(!policy.creditor_data.trim().is_empty())
}

/// The link of a message: what was promised, else what is overdue, else all that is owed; never more than
/// that. A further try of the message has the same one.
pub(super) fn link_of(shared: &Shared, row: &Message, values: &Values<'_>) -> Option<PaymentLink> {
    let (debt, now) = (values.debt()?, shared.now());
    let balance = debt.balance_minor();
    let wanted = match values.promise {
        Some(p) if p.debt_id == debt.id && p.amount.currency == debt.currency => {
            p.amount.amount_minor
        }
        _ if debt.overdue_minor > 0 => debt.overdue_minor,
        _ => balance,
    };
    let minor = wanted.min(balance);
    (minor > 0).then(|| PaymentLink {
        // The message's own: the same when it is opened again, and in the order of time as lists are.
        id: PaymentLinkId(row.id.0),
        client_id: row.client_id,
        debtor_id: row.debtor_id,
        debt_id: debt.id,
        amount: Money::new(minor, debt.currency),
        point_id: row.point_id,
        state: LinkState::Created,
        tries: 0,
        session: None,
        session_url: None,
        made_by: row.made_by.clone(),
        created_at: now,
        expires_at: now.plus_ms(LIFE_MS),
        opened_at: None,
        paid_at: None,
    })
}
