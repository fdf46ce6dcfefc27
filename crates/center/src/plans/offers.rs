//! The offers on a card: what the client's terms allow an agent for this debt, cut into dates.

use super::draw::days_past_due;
use crate::live::Stocked;
use domain::entity::{Debt, Role};
use domain::money::Money;
use domain::rules::negotiation;
use domain::rules::offers::draw;
use domain::time::UtcMs;
use serde_json::{Value, json};

/// The debt that the card speaks of first: the oldest due.
pub(crate) fn main_debt(stocked: &Stocked) -> Option<&Debt> {
    stocked
        .facts
        .debts
        .iter()
        .min_by(|a, b| (&a.due_date, a.id).cmp(&(&b.due_date, b.id)))
}

/// What the negotiation about the card's debt is after.
pub(crate) fn goal_of_card(stocked: &Stocked, now: UtcMs) -> Option<Money> {
    let (debt, setting) = (main_debt(stocked)?, &stocked.setting);
    let days = days_past_due(debt, now, &setting.zone);
    let today = now.in_zone(&setting.zone).date();
    negotiation::goal(&setting.terms, debt, days, today)
}

/// Offers an agent may make alone, three at most.
pub(crate) fn of_card(stocked: &Stocked, now: UtcMs) -> Vec<Value> {
    let Some(debt) = main_debt(stocked) else {
        return vec![];
    };
    let zone = &stocked.setting.zone;
    let days = days_past_due(debt, now, zone);
    let today = now.in_zone(zone).date();
    let terms = &stocked.setting.terms;
    terms
        .offers_for(days, debt.balance_minor(), Role::Agent)
        .into_iter()
        .filter_map(|offer| {
            let drawn = draw(&offer.conditions, debt.balance_minor(), today)?;
            let parts: Vec<Value> = drawn
                .parts
                .iter()
                .map(|(due, amount)| json!({"due_date": due.to_string(), "amount_minor": amount}))
                .collect();
            Some(json!({
                "key": offer.key, "name_es": offer.name_es, "name_en": offer.name_en,
                "debt_id": debt.id, "currency": debt.currency,
                "balance_minor": debt.balance_minor(), "quita_minor": drawn.quita_minor,
                "quita_pct": offer.conditions.quita_pct, "agreed_minor": drawn.agreed_minor,
                "freeze_interest": offer.conditions.freeze_interest,
                "early_off_minor": drawn.early_off_minor,
                "early_until": drawn.early_until.map(|d| d.to_string()), "parts": parts,
            }))
        })
        .collect()
}
