//! Whose money it may be: by reference, by document, by an amount that is promised or owed.

use super::steps::{step, step_of};
use crate::sql::{Dialect, Field, Link, vals};
use domain::entity::SuppressionKind;
use domain::entity::dnc::listed_form;
use domain::ids::{DebtId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{CLUE_WORDS_MAX, Clues, SUGGESTIONS_MAX, Suggestion};

/// Rows of one clue.
const EACH: i64 = 5;
/// Of the portfolios of the client `$1`: a reference is kept by its portfolio alone.
const OF_CLIENT: &str = "portfolio_id IN (SELECT p.id FROM portfolios p WHERE p.client_id=$1)";

#[derive(Default)]
struct Found(Vec<Suggestion>);

impl Found {
    /// Notes a clue; a second one for the same debtor strengthens the first.
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

pub(super) async fn suggest(tx: &mut Link, clues: &Clues) -> Result<Vec<Suggestion>, StoreError> {
    let mut found = Found::default();
    let words: Vec<String> = clues.words.iter().take(CLUE_WORDS_MAX).cloned().collect();
    if !words.is_empty() {
        let before = format!("SELECT id, debtor_id FROM debts WHERE {OF_CLIENT} AND external_ref");
        let rows = tx
            .rows_in(
                &before,
                &words,
                "ORDER BY id LIMIT 5",
                &[Field::val(&clues.client_id)],
            )
            .await?;
        for row in &rows {
            found.add(row.get("debtor_id")?, Some(row.get("id")?), "reference");
        }
        let before = format!("SELECT id FROM debtors WHERE {OF_CLIENT} AND external_ref");
        let rows = tx
            .rows_in(
                &before,
                &words,
                "ORDER BY id LIMIT 5",
                &[Field::val(&clues.client_id)],
            )
            .await?;
        for row in &rows {
            found.add(row.get("id")?, None, "reference");
        }
    }
    let document = listed_form(SuppressionKind::Document, &clues.document);
    if !document.is_empty() {
        let sql =
            "SELECT id FROM debtors WHERE listed_form=$2 AND client_id=$1 ORDER BY id LIMIT $3";
        let values = vals![clues.client_id, document, EACH];
        for row in &tx.rows(sql, values).await? {
            found.add(row.get("id")?, None, "document");
        }
    }
    let (minor, currency) = (clues.amount.amount_minor, clues.amount.currency);
    let sql = "SELECT debtor_id, debt_id FROM promises WHERE client_id=$1 AND amount_minor=$2 \
        AND currency=$3 AND state='active' ORDER BY due_date, id LIMIT $4";
    let values = vals![clues.client_id, minor, currency, EACH];
    for row in &tx.rows(sql, values).await? {
        found.add(row.get("debtor_id")?, Some(row.get("debt_id")?), "promise");
    }
    // Who owes just this, of all he owes: the debtor's own sums are what the index knows.
    let mut values = vals![clues.client_id, minor, currency, EACH];
    let sql = match tx.dialect() {
        Dialect::Lite => {
            values.extend(vals![step(minor)]);
            // A plus keeps SQLite from putting the amount into the step, and from going through all in their order.
            format!(
                "SELECT id FROM debtors WHERE client_id=$1 AND {}=$5 AND +balance_minor=$2 \
                    AND open_currency=$3 ORDER BY +id LIMIT $4",
                step_of("balance_minor")
            )
        }
        Dialect::Pg => "SELECT id FROM debtors WHERE client_id=$1 AND balance_minor=$2 \
            AND open_currency=$3 ORDER BY id LIMIT $4"
            .to_owned(),
    };
    for row in &tx.rows(sql, values).await? {
        found.add(row.get("id")?, None, "amount");
    }
    Ok(found.0)
}
