//! Whose money it may be: by reference, by document, by an amount that is promised or owed.

use super::Tables;
use domain::entity::dnc::listed_form;
use domain::entity::{DebtStatus, PromiseState, SuppressionKind};
use domain::ids::{ClientId, DebtId, DebtorId};
use domain::ports::store::{CLUE_WORDS_MAX, Clues, SUGGESTIONS_MAX, Suggestion};

#[derive(Default)]
struct Found(Vec<Suggestion>);

impl Found {
    fn add(&mut self, debtor_id: DebtorId, debt_id: Option<DebtId>, reason: &str) {
        if let Some(known) = self.0.iter_mut().find(|s| s.debtor_id == debtor_id) {
            known.debt_id = known.debt_id.or(debt_id);
            if known.reasons.iter().all(|r| r != reason) {
                known.reasons.push(reason.to_owned());
            }
        } else if self.0.len() < SUGGESTIONS_MAX {
            self.0.push(Suggestion {
                debtor_id,
                debt_id,
                reasons: vec![reason.to_owned()],
            });
        }
    }
}

/// Rows of one clue.
const EACH: usize = 5;

pub(super) fn suggest(t: &Tables, clues: &Clues) -> Vec<Suggestion> {
    let mut found = Found::default();
    let words = &clues.words[..clues.words.len().min(CLUE_WORDS_MAX)];
    let of = |client: ClientId| client == clues.client_id;
    let debts = t.debts.values().filter(|d| of(d.client_id));
    for debt in debts.filter(|d| words.contains(&d.external_ref)).take(EACH) {
        found.add(debt.debtor_id, Some(debt.id), "reference");
    }
    let debtors = || t.debtors.values().filter(|d| of(d.client_id));
    for debtor in debtors()
        .filter(|d| words.contains(&d.external_ref))
        .take(EACH)
    {
        found.add(debtor.id, None, "reference");
    }
    let document = listed_form(SuppressionKind::Document, &clues.document);
    let has = |text: &String| listed_form(SuppressionKind::Document, text) == document;
    if !document.is_empty() {
        for debtor in debtors().filter(|d| has(d.document.reveal())).take(EACH) {
            found.add(debtor.id, None, "document");
        }
    }
    let mut promises: Vec<_> = t
        .promises
        .values()
        .filter(|p| of(p.client_id) && p.amount == clues.amount && p.state == PromiseState::Active)
        .collect();
    promises.sort_by_key(|p| (&p.due_date, p.id));
    for promise in promises.into_iter().take(EACH) {
        found.add(promise.debtor_id, Some(promise.debt_id), "promise");
    }
    let owes = |debtor: DebtorId| {
        let open = t
            .debts
            .values()
            .filter(|d| d.debtor_id == debtor && d.status == DebtStatus::Open);
        let sums: Vec<_> = open.map(|d| (d.currency, d.balance_minor())).collect();
        let one = sums.iter().all(|(c, _)| *c == clues.amount.currency);
        let sum: i64 = sums.iter().map(|(_, minor)| minor).sum();
        !sums.is_empty() && one && sum == clues.amount.amount_minor
    };
    for debtor in debtors().filter(|d| owes(d.id)).take(EACH) {
        found.add(debtor.id, None, "amount");
    }
    found.0
}
