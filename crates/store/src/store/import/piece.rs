//! A piece of what is kept aside of a file: rows, debts to recall, or rows of consents.

use super::super::imports::recall;
use super::{aside, consents, known};
use crate::sql::{Link, vals};
use domain::ids::{DebtId, ImportId, PersonId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::DebtorRow;
use domain::rules::consents::{ConsentDebtor, ConsentRow};
use domain::time::UtcMs;
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) enum Piece {
    Rows(Vec<DebtorRow>),
    Recall(Vec<DebtId>),
    Consents(Vec<ConsentRow>),
}

fn read<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|e| StoreError::Corrupt(format!("rows kept aside: {e}")))
}

/// Items of whose persons all are `held`, and the others.
fn apart<T>(items: Vec<T>, owners: &[Vec<PersonId>], held: &HashSet<PersonId>) -> (Vec<T>, Vec<T>) {
    let (mut free, mut busy) = (Vec::new(), Vec::new());
    for (item, persons) in items.into_iter().zip(owners) {
        match persons.iter().all(|person| held.contains(person)) {
            true => free.push(item),
            false => busy.push(item),
        }
    }
    (free, busy)
}

impl Piece {
    /// The first piece of a file behind a place, with its own.
    pub(super) async fn after(
        tx: &mut Link,
        import: ImportId,
        place: i64,
    ) -> Result<Option<(i64, Self)>, StoreError> {
        let sql = "SELECT place, kind, body FROM import_aside WHERE import_id=$1 AND place>$2 \
            ORDER BY place LIMIT 1";
        let Some(row) = tx.row(sql, vals![import, place]).await? else {
            return Ok(None);
        };
        let (kind, body): (String, String) = (row.get("kind")?, row.get("body")?);
        let piece = match kind.as_str() {
            "recall" => Self::Recall(read(&body)?),
            "consents" => Self::Consents(read(&body)?),
            _ => Self::Rows(read(&body)?),
        };
        Ok(Some((row.get("place")?, piece)))
    }

    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Recall(debts) => debts.len(),
            Self::Consents(rows) => rows.len(),
        }
    }

    /// Whom each item is about, as far as is known of him: rows of a debtor tell whose they make him, too.
    pub(super) async fn owners(
        &self,
        tx: &mut Link,
        portfolio: PortfolioId,
    ) -> Result<Vec<Vec<PersonId>>, StoreError> {
        Ok(match self {
            Self::Rows(rows) => {
                let stored = known(tx, rows, false).await?;
                let of = |row: &DebtorRow| {
                    let key = (row.debtor.portfolio_id, row.debtor.external_ref.clone());
                    let before = stored.get(&key).map(|debtor| debtor.person_id);
                    before.into_iter().chain([row.debtor.person_id]).collect()
                };
                rows.iter().map(of).collect()
            }
            Self::Recall(debts) => {
                let sql = "SELECT b.id, d.person_id FROM debts b JOIN debtors d ON d.id=b.debtor_id \
                    WHERE b.id";
                let mut of: HashMap<DebtId, PersonId> = HashMap::new();
                for row in &tx.rows_in(sql, debts, "", &[]).await? {
                    of.insert(row.get("id")?, row.get("person_id")?);
                }
                let of = |debt: &DebtId| of.get(debt).copied().into_iter().collect();
                debts.iter().map(of).collect()
            }
            Self::Consents(rows) => {
                let mut of: BTreeMap<ConsentDebtor, Vec<PersonId>> = BTreeMap::new();
                for (name, person) in consents::persons(tx, portfolio, rows).await? {
                    of.entry(name).or_default().push(person);
                }
                let of = |row: &ConsentRow| of.get(&row.debtor).cloned().unwrap_or_default();
                rows.iter().map(of).collect()
            }
        })
    }

    /// What concerns `held` persons alone, and the rest, each in its order; `owners` as [`Self::owners`] told.
    pub(super) fn apart(self, owners: &[Vec<PersonId>], held: &HashSet<PersonId>) -> (Self, Self) {
        match self {
            Self::Rows(rows) => {
                let (free, busy) = apart(rows, owners, held);
                (Self::Rows(free), Self::Rows(busy))
            }
            Self::Recall(debts) => {
                let (free, busy) = apart(debts, owners, held);
                (Self::Recall(free), Self::Recall(busy))
            }
            Self::Consents(rows) => {
                let (free, busy) = apart(rows, owners, held);
                (Self::Consents(free), Self::Consents(busy))
            }
        }
    }

    /// Writes it; lines of rows are counted from `late`.
    pub(super) async fn write(
        self,
        tx: &mut Link,
        import: ImportId,
        (late, now): (u64, UtcMs),
    ) -> Result<(), StoreError> {
        match self {
            Self::Recall(debts) => recall(tx, import, &debts, now).await.map(drop),
            Self::Consents(mut rows) => {
                for row in &mut rows {
                    row.line += late;
                }
                consents::write(tx, import, &rows, now).await
            }
            Self::Rows(mut rows) => {
                for row in &mut rows {
                    row.line += late;
                }
                aside::write_rows(tx, import, &rows).await
            }
        }
    }
}
