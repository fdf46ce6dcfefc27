//! A batch of which nothing is stored yet, as nearly all of a first file is: its rows are laid out as values before
//! the writer is taken, and written while the next batch is read.

use super::super::import_new::debtor_rows;
use super::super::import_write::image_rows;
use super::super::{due_items, hits};
use super::{Work, place};
use crate::rows::{Entity, replace_sql};
use crate::sql::{Link, vals};
use crate::store::table::Rows;
use domain::entity::{Address, Consent, ContactPoint, Debt, DebtItem, Party};
use domain::ids::{DebtId, DebtorId, ImportId, PlacementId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, ImportReport};
use std::collections::BTreeSet;

/// Rows of every table, in the order in which they can be written.
pub(super) struct Laid {
    debtors: Rows,
    /// Debts and all that belongs to them or to their debtors.
    around: Vec<Rows>,
    items: Vec<(DebtId, Vec<DebtItem>)>,
    images: Rows,
    debtor_ids: Vec<DebtorId>,
    debt_ids: Vec<DebtId>,
    /// References of debtors and of debts.
    named: [(PortfolioId, Vec<String>); 2],
    /// What it does, if nothing is stored of it.
    pub(super) report: ImportReport,
}

/// The one portfolio of all references, and these in their order; none when there are several.
fn named<'a>(
    names: impl Iterator<Item = (PortfolioId, &'a String)>,
) -> Option<(PortfolioId, Vec<String>)> {
    let (mut portfolio, mut all) = (None, BTreeSet::new());
    for (of, name) in names {
        if *portfolio.get_or_insert(of) != of {
            return None;
        }
        all.insert(name.clone());
    }
    Some((portfolio?, all.into_iter().collect()))
}

/// Rows that nobody has written, replaced where a key stands already.
fn put<'a, T: Entity + 'a>(rows: impl Iterator<Item = &'a T>) -> Rows {
    Rows::of(&replace_sql::<T>(), rows)
}

impl Laid {
    /// Lays out a batch as if nothing of it was stored; none when it is not of one portfolio.
    pub(super) fn of(import: ImportId, rows: &[DebtorRow]) -> Option<Self> {
        let debtors = rows.iter().map(|row| &row.debtor);
        let debts = rows.iter().map(|row| &row.debt);
        let named = [
            named(debtors.map(|d| (d.portfolio_id, &d.external_ref)))?,
            named(debts.map(|d| (d.portfolio_id, &d.external_ref)))?,
        ];
        let mut work = Work::default();
        for row in rows {
            work.take(row);
        }
        let Work { out, report, .. } = work;
        let debtors: Vec<_> = out.debtors.values().collect();
        let (debts, points) = (out.debts.values(), out.points.values());
        Some(Self {
            debtors: debtor_rows(import, &debtors, (debts, points), &out.scores),
            around: vec![
                Rows::of::<Debt>("", out.debts.values()),
                Rows::of::<ContactPoint>("", out.points.values()),
                put::<Party>(out.parties.iter()),
                put::<Consent>(out.consents.iter()),
                put::<Address>(out.addresses.iter()),
            ],
            images: image_rows(import, &out.before_images()),
            debtor_ids: out.debtors.keys().copied().collect(),
            debt_ids: out.debts.keys().copied().collect(),
            items: out.items.into_iter().collect(),
            named,
            report,
        })
    }

    /// Whether nothing is stored of what the batch names. Of a file in the order of its references nothing lies
    /// between the first and the last of them, which one look tells.
    pub(super) async fn is_new(&self, tx: &mut Link) -> Result<bool, StoreError> {
        for (table, (portfolio, refs)) in ["debtors", "debts"].iter().zip(&self.named) {
            let (Some(first), Some(last)) = (refs.first(), refs.last()) else {
                continue;
            };
            let of = format!("SELECT 1 AS n FROM {table} WHERE portfolio_id=$1 AND external_ref");
            let sql = format!("{of}>=$2 AND external_ref<=$3 LIMIT 1");
            let values = vals![*portfolio, first.clone(), last.clone()];
            if tx.row(sql, values).await?.is_none() {
                continue;
            }
            let fixed = vals![*portfolio];
            let found = tx.rows_in(&of, refs, "LIMIT 1", &fixed).await?;
            if !found.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes it.
    pub(super) async fn write(
        self,
        tx: &mut Link,
        placement: Option<PlacementId>,
    ) -> Result<(), StoreError> {
        tx.insert_rows(&self.debtors).await?;
        for rows in &self.around {
            tx.insert_rows(rows).await?;
        }
        // Behind his points, by which lists know him.
        hits::refresh(tx, &self.debtor_ids).await?;
        due_items::set(tx, &self.items).await?;
        place(tx, placement, &self.debt_ids).await?;
        tx.insert_rows(&self.images).await
    }
}
