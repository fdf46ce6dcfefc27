//! Files whose points somebody has to look at: gone through anew each time.

use super::Tables;
use super::import_rows::is_half;
use domain::entity::{Debt, DebtStatus};
use domain::ports::store::{FileTaskAsk, FileTaskRow};
use domain::rules::stale::{NO_PHONE, oldest_confirmed};

/// All of them, in their order, whatever page and kind are asked for.
pub(super) fn all(t: &Tables, ask: &FileTaskAsk) -> Vec<FileTaskRow> {
    let mut rows = Vec::new();
    let asked = |d: &&domain::entity::Debtor| match ask.portfolio {
        Some(portfolio) => d.portfolio_id == portfolio,
        None => d.client_id == ask.client,
    };
    for debtor in t.debtors.values().filter(asked) {
        let open = |d: &&Debt| d.debtor_id == debtor.id && d.status == DebtStatus::Open;
        let debts: Vec<&Debt> = t.debts.values().filter(open).collect();
        let assigned = t.assignments.get(&debtor.id);
        let agent_id = assigned.and_then(|a| a.agent_id);
        let of_agent = ask.agent.is_none_or(|a| agent_id == Some(a));
        let points = t.points.values().filter(|p| p.debtor_id == debtor.id);
        let confirmed_at = oldest_confirmed(points);
        if debts.is_empty() || !of_agent || confirmed_at > ask.until || is_half(t, debtor.id) {
            continue;
        }
        let mut codes: Vec<&str> = debts.iter().map(|d| d.currency.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        rows.push(FileTaskRow {
            debtor_id: debtor.id,
            portfolio_id: debtor.portfolio_id,
            external_ref: debtor.external_ref.clone(),
            name: debtor.name.clone(),
            balance_minor: debts.iter().map(|d| d.balance_minor()).sum(),
            currency: match codes.as_slice() {
                [one] => (*one).to_owned(),
                _ => "*".to_owned(),
            },
            confirmed_at,
            agent_id,
            team_id: assigned.and_then(|a| a.team_id),
        });
    }
    rows.sort_by_key(|r| (r.confirmed_at, r.debtor_id));
    rows
}

/// A page of them.
pub(super) fn page(t: &Tables, ask: &FileTaskAsk) -> Vec<FileTaskRow> {
    let wanted = |r: &FileTaskRow| {
        let kind = r.confirmed_at == NO_PHONE;
        ask.no_phone.is_none_or(|asked| asked == kind)
            && ask
                .after
                .is_none_or(|after| (r.confirmed_at, r.debtor_id) > after)
    };
    let mut rows = all(t, ask);
    rows.retain(wanted);
    rows.truncate(ask.limit as usize);
    rows
}
