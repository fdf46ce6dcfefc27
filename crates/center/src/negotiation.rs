//! What a negotiation reached of its goal, measured when the call gets its disposition.

use crate::dispose::Case;
use crate::feeder::zone_or_utc;
use crate::plans::{days_past_due, terms_of};
use crate::shared::Shared;
use domain::entity::Debt;
use domain::money::Money;
use domain::ports::store::{DebtorFile, StoreError};
use domain::rules::negotiation::{Outcome, goal, outcome};

/// What was paid on the debt since the call was answered.
fn paid(case: &Case, debt: &Debt, file: &DebtorFile) -> i64 {
    let since = case.attempt.answered_at.unwrap_or(case.now);
    let here = file
        .payments
        .iter()
        .filter(|p| p.debt_id == debt.id && p.reverses.is_none() && p.posted_at >= since);
    let own = here.filter(|p| p.amount.currency == debt.currency);
    own.map(|p| p.amount.amount_minor).sum()
}

/// The debt that was talked about: the call's, though it is paid meanwhile, else the oldest.
async fn debt_of(shared: &Shared, case: &Case) -> Result<Option<Debt>, StoreError> {
    let open = &case.facts.debts;
    let Some(id) = case.attempt.debt_id else {
        return Ok(open.iter().min_by_key(|d| (&d.due_date, d.id)).cloned());
    };
    match open.iter().find(|d| d.id == id) {
        Some(debt) => Ok(Some(debt.clone())),
        None => shared.out.store.get_debt(id).await.map(Some),
    }
}

/// What a conversation with the debtor himself reached; `None` where nothing was negotiated: with a third party,
/// and where a code stops contact.
pub(crate) async fn measure(
    shared: &Shared,
    case: &Case,
    promised: Option<Money>,
) -> Result<Option<Outcome>, StoreError> {
    if !case.disposition.rpc || case.disposition.hold.is_some() {
        return Ok(None);
    }
    let Some(mut debt) = debt_of(shared, case).await? else {
        return Ok(None);
    };
    let store = &shared.out.store;
    let file = store.debtor_file(case.attempt.debtor_id).await?;
    let paid = paid(case, &debt, &file);
    // The goal stood before the money came.
    debt.principal_minor = debt.principal_minor.saturating_add(paid);
    debt.overdue_minor = debt.overdue_minor.saturating_add(paid);
    let (terms, _) = terms_of(shared, debt.client_id).await?;
    let terms = terms.made_by(case.params.offer_policy.as_deref());
    let zone = zone_or_utc(&shared.out.law.zone_of(&case.facts));
    let days = days_past_due(&debt, case.now, &zone);
    let today = case.now.in_zone(&zone).date();
    let Some(goal) = goal(&terms, &debt, days, today) else {
        return Ok(None);
    };
    let plans = store.plans_of(case.attempt.debtor_id).await?;
    let ours = plans.into_iter().map(|file| file.plan);
    let agreed = ours
        .filter(|p| p.attempt_id == Some(case.attempt.id) && p.state.is_live())
        .map(|p| Money::new(p.agreed_minor, p.currency))
        .max_by_key(|m| m.amount_minor);
    let paid = Some(Money::new(paid, debt.currency));
    Ok(Some(outcome(goal, &[promised, agreed, paid])))
}
