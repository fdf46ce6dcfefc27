//! What a batch of a portfolio file writes: rows, what stood there before, the file's own report.

use super::import_new::{debtor_rows, write_scores};
use super::table::Rows;
use super::{due_items, hits, sums};
use crate::sql::{Link, vals};
use domain::entity::{
    Accrual, Address, Consent, ContactPoint, Debt, DebtItem, Debtor, Import, ImportState, Party,
};
use domain::ids::{
    AddressId, ClientId, ConsentId, DebtId, DebtorId, ImportId, PartyId, PaymentId, PersonId,
    PlacementId, PointId, PortfolioId,
};
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, ImportReport};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What stood there of a debtor before an import, so that it can be taken back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Before {
    /// Whether the import made him.
    pub(super) new: bool,
    /// His row, when it was changed.
    pub(super) debtor: Option<Debtor>,
    /// Debts that were changed.
    pub(super) debts: Vec<Debt>,
    /// Points that were changed.
    pub(super) points: Vec<ContactPoint>,
    /// Consents that were changed.
    #[serde(default)]
    pub(super) consents: Vec<Consent>,
    /// What the import made.
    pub(super) new_debts: Vec<DebtId>,
    pub(super) new_points: Vec<PointId>,
    pub(super) new_parties: Vec<PartyId>,
    pub(super) new_consents: Vec<ConsentId>,
    #[serde(default)]
    pub(super) new_addresses: Vec<AddressId>,
    /// How far the interest of changed debts was.
    #[serde(default)]
    pub(super) accruals: Vec<(DebtId, Option<Accrual>)>,
    /// Due items of debts whose list was changed.
    #[serde(default)]
    pub(super) items: Vec<(DebtId, Vec<DebtItem>)>,
    /// Money that came behind the import and is in the figures of those debts already: a file waits before its
    /// rows are written.
    #[serde(default)]
    pub(super) counted: Counted,
}

/// Payments, and rows of what plans forgave, that figures hold.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    pub(super) payments: BTreeSet<PaymentId>,
    pub(super) forgiven: BTreeSet<Uuid>,
}

impl Counted {
    /// What has come since the import to each of the debts.
    pub(super) async fn of(
        tx: &mut Link,
        debts: &[DebtId],
        since: UtcMs,
    ) -> Result<BTreeMap<DebtId, Self>, StoreError> {
        let mut all: BTreeMap<DebtId, Self> = BTreeMap::new();
        let fixed = vals![since];
        let sql = "SELECT id, debt_id FROM payments WHERE posted_at>=$1 AND debt_id";
        for row in &tx.rows_in(sql, debts, "", &fixed).await? {
            let of = all.entry(row.get("debt_id")?).or_default();
            of.payments.insert(row.get("id")?);
        }
        let sql = "SELECT id, debt_id FROM forgiven WHERE at>=$1 AND debt_id";
        for row in &tx.rows_in(sql, debts, "", &fixed).await? {
            let of = all.entry(row.get("debt_id")?).or_default();
            of.forgiven.insert(row.get("id")?);
        }
        Ok(all)
    }

    fn add(&mut self, other: &Self) {
        self.payments.extend(&other.payments);
        self.forgiven.extend(&other.forgiven);
    }
}

impl Before {
    /// One debt that is changed beside a file, and how far its interest was.
    pub(super) fn of_debt(debt: Debt, accrual: Option<Accrual>, counted: Counted) -> Self {
        Self {
            accruals: vec![(debt.id, accrual)],
            debts: vec![debt],
            counted,
            ..Self::default()
        }
    }

    /// As it is kept: nothing is written of a debtor who was not there, because all of him is new, unless debts of
    /// others have become his.
    pub(super) fn text(&self) -> String {
        if self.new && self.debts.is_empty() {
            return String::new();
        }
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Rows to write.
#[derive(Default)]
pub(super) struct Written {
    pub(super) debtors: BTreeMap<DebtorId, Debtor>,
    pub(super) debts: BTreeMap<DebtId, Debt>,
    pub(super) points: BTreeMap<(DebtorId, String), ContactPoint>,
    pub(super) parties: Vec<Party>,
    pub(super) consents: Vec<Consent>,
    pub(super) addresses: Vec<Address>,
    pub(super) accruals: BTreeMap<DebtId, Accrual>,
    /// Due items of the debts that get another list.
    pub(super) items: BTreeMap<DebtId, Vec<DebtItem>>,
    pub(super) touched: BTreeSet<DebtorId>,
    pub(super) before: BTreeMap<DebtorId, (u64, Before)>,
    pub(super) scores: BTreeMap<DebtorId, i64>,
}

/// Keeps what stood there, in the same transaction as what comes in its place.
pub(super) async fn keep_before(
    tx: &mut Link,
    import: ImportId,
    before: &[(i64, DebtorId, String)],
) -> Result<(), StoreError> {
    tx.insert_rows(&image_rows(import, before)).await
}

/// Rows of what stood there.
pub(super) fn image_rows(import: ImportId, before: &[(i64, DebtorId, String)]) -> Rows {
    let into = "INSERT INTO import_changes (import_id, line, debtor_id, before_image) VALUES ";
    let mut rows = Rows::new(into, 4, "");
    for (line, debtor, text) in before {
        rows.values
            .extend(vals![import, *line, *debtor, text.clone()]);
    }
    rows
}

impl Written {
    /// Notes which money the figures hold that are changed. An import that is not there yet began `at`.
    pub(super) async fn count_money(
        &mut self,
        tx: &mut Link,
        import: ImportId,
        at: Option<UtcMs>,
    ) -> Result<(), StoreError> {
        let all = self.before.values().flat_map(|(_, b)| &b.debts);
        let debts: Vec<DebtId> = all.map(|d| d.id).collect();
        if debts.is_empty() {
            return Ok(());
        }
        let row = tx.row("SELECT at FROM imports WHERE id=$1", vals![import]);
        let since: Option<UtcMs> = row.await?.map(|row| row.get("at")).transpose()?;
        let Some(since) = since.or(at) else {
            return Ok(());
        };
        let counted = Counted::of(tx, &debts, since).await?;
        for (_, before) in self.before.values_mut() {
            for debt in &before.debts {
                if let Some(of) = counted.get(&debt.id) {
                    before.counted.add(of);
                }
            }
        }
        Ok(())
    }

    /// Line, debtor and what stood there.
    pub(super) fn before_images(&self) -> Vec<(i64, DebtorId, String)> {
        let image = |(debtor, (line, before)): (&DebtorId, &(u64, Before))| {
            let line = i64::try_from(*line).unwrap_or(i64::MAX);
            (line, *debtor, before.text())
        };
        self.before.iter().map(image).collect()
    }

    /// Debts that were not there.
    pub(super) fn new_debts(&self) -> Vec<DebtId> {
        let of = |(_, before): &(u64, Before)| before.new_debts.clone();
        self.before.values().flat_map(of).collect()
    }

    pub(super) async fn write(self, tx: &mut Link, import: ImportId) -> Result<(), StoreError> {
        let is_new = |id: &DebtorId| self.before.get(id).is_some_and(|(_, before)| before.new);
        let (new, known): (Vec<Debtor>, Vec<Debtor>) = self
            .debtors
            .into_values()
            .partition(|debtor| is_new(&debtor.id));
        let persons: BTreeSet<PersonId> = new.iter().chain(&known).map(|d| d.person_id).collect();
        let persons: Vec<PersonId> = persons.into_iter().collect();
        sums::ensure_persons(tx, &persons).await?;
        sums::before_persons(tx, known.iter().map(|d| (d.id, d.person_id))).await?;
        let (debts, points) = (self.debts.values(), self.points.values());
        let rows: Vec<&Debtor> = new.iter().collect();
        tx.insert_rows(&debtor_rows(import, &rows, (debts, points), &self.scores))
            .await?;
        let ids: Vec<DebtorId> = new.iter().map(|d| d.id).collect();
        tx.put_all(&known).await?;
        let all = self.before.values();
        let made: BTreeSet<DebtId> = all.flat_map(|(_, b)| b.new_debts.iter().copied()).collect();
        let debts = self.debts.into_values();
        let (new, debts): (Vec<Debt>, Vec<Debt>) = debts.partition(|debt| made.contains(&debt.id));
        tx.insert(&new, "").await?;
        tx.put_all(&debts).await?;
        let all = self.before.values();
        let made: BTreeSet<PointId> = all
            .flat_map(|(_, b)| b.new_points.iter().copied())
            .collect();
        let points = self.points.into_values();
        let (new, points): (Vec<ContactPoint>, Vec<ContactPoint>) =
            points.partition(|point| made.contains(&point.id));
        tx.insert(&new, "").await?;
        tx.put_all(&points).await?;
        // Behind their points, by which lists know them.
        hits::refresh(tx, &ids).await?;
        tx.put_all(&self.parties).await?;
        tx.put_all(&self.consents).await?;
        tx.put_all(&self.addresses).await?;
        let items: Vec<(DebtId, Vec<DebtItem>)> = self.items.into_iter().collect();
        due_items::set(tx, &items).await?;
        let accruals: Vec<Accrual> = self.accruals.into_values().collect();
        tx.put_all(&accruals).await?;
        let ids: Vec<DebtorId> = known.iter().map(|d| d.id).collect();
        sums::follow_person(tx, &ids).await?;
        let scores = self.scores.into_iter();
        write_scores(tx, scores.filter(|(id, _)| !is_new(id)).collect()).await?;
        let touched = self.touched.into_iter();
        let touched: Vec<DebtorId> = touched.filter(|id| !is_new(id)).collect();
        sums::refresh(tx, &touched).await
    }
}

/// Whose rows a batch holds, and which lines.
pub(super) struct Batch {
    client: ClientId,
    portfolio: PortfolioId,
    pub(super) at: UtcMs,
    first: i64,
    /// The last line.
    pub(super) done: i64,
}

impl Batch {
    /// `None` without rows.
    pub(super) fn of(rows: &[DebtorRow]) -> Option<Self> {
        let row = rows.first()?;
        let line = |n: Option<u64>| i64::try_from(n.unwrap_or_default()).unwrap_or(i64::MAX);
        Some(Self {
            client: row.debtor.client_id,
            portfolio: row.debtor.portfolio_id,
            at: row.debtor.updated_at,
            first: line(rows.iter().map(|r| r.line).min()),
            done: line(rows.iter().map(|r| r.line).max()),
        })
    }

    /// Rows of a kept file from the first to the last line.
    pub(super) fn lines(row: &Import, (first, last): (u64, u64)) -> Self {
        let line = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            client: row.client_id,
            portfolio: row.portfolio_id,
            at: row.at,
            first: line(first),
            done: line(last),
        }
    }
}

/// Adds the batch to the import's own row; the placement its new debts belong to. `expected`: the line behind
/// which the rows of this process go on.
pub(super) async fn note(
    tx: &mut Link,
    import: ImportId,
    of: &Batch,
    batch: &ImportReport,
    expected: Option<i64>,
) -> Result<Option<PlacementId>, StoreError> {
    let lock = tx.pg_only(" FOR UPDATE");
    let sql = format!(
        "SELECT report, placement_id, state, rows_done, bytes FROM imports WHERE id=$1{lock}"
    );
    let (mut sum, placement) = match tx.row(sql, vals![import]).await? {
        Some(row) => {
            let (state, before): (ImportState, i64) = (row.get("state")?, row.get("rows_done")?);
            // A kept file is written by whoever has its turn. Who had it, froze and wakes up finds that its
            // rows are written, or that the file is accepted or being taken back.
            let kept = row.get::<i64>("bytes")? > 0;
            if kept && (state != ImportState::Accepting || of.first <= before) {
                return Err(StoreError::Conflict(
                    "the file is another's to write by now".to_owned(),
                ));
            }
            if expected.is_some_and(|line| line != before) {
                return Err(lost());
            }
            (row.get("report")?, row.get("placement_id")?)
        }
        None => (ImportReport::default(), None),
    };
    sum.add(batch);
    let sql = "INSERT INTO imports (id, client_id, portfolio_id, at, report, rows_done) \
        VALUES ($1,$2,$3,$4,$5,$6) \
        ON CONFLICT (id) DO UPDATE SET report=excluded.report, rows_done=excluded.rows_done";
    let values = vals![import, of.client, of.portfolio, of.at, sum, of.done];
    tx.run(sql, values).await?;
    Ok(placement)
}

/// Rows that were taken are not there: the commit that they waited for failed.
pub(super) fn lost() -> StoreError {
    StoreError::Unavailable(
        "rows of the file were lost with a commit that failed: accept it again, it goes on behind the last \
        that is there"
            .to_owned(),
    )
}
