//! Rows of a kept file: debtors who are new are written at once, for they count for nobody yet; rows that
//! change what others see already are kept aside, and written in the transaction that says that the file is
//! in.

use super::super::events::append;
use super::super::import_write::{Batch, keep_before, lost, note};
use super::super::imports::enter;
use super::super::items::lock_persons;
use super::super::sums::ensure_persons;
use super::piece::Piece;
use super::{Work, gently, place, stored};
use crate::sql::{Dialect, Field as _, Link, vals};
use crate::store::SqlStore;
use domain::entity::{Import, ImportState};
use domain::event::NewEvent;
use domain::ids::{DebtId, DebtorId, ImportId, PersonId};
use domain::ports::StoreError;
use domain::ports::store::{ASIDE_AT_ONCE, DebtorRow, ImportLeft, ImportReport};
use domain::time::UtcMs;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Places of recalls stand behind those of all lines.
const RECALLS: i64 = 1 << 40;
/// What stood there before rows that were kept aside is taken back first, for it was written last: their lines
/// are counted from here.
pub(crate) const LATE_LINES: u64 = 1 << 39;
/// Lines of recalls, behind those of all rows that were kept aside.
pub(crate) const RECALL_LINES: i64 = (1 << 39) + (1 << 38);

impl Work {
    /// Takes everything out that others see: all but debtors whom the import itself has `made`.
    fn split(&mut self, made: &BTreeSet<DebtorId>) -> Self {
        let seen = |id: &DebtorId| !made.contains(id);
        let debts: HashMap<_, _> = self
            .debts
            .extract_if(|_, debt| seen(&debt.debtor_id))
            .collect();
        let ids: HashSet<DebtId> = debts.values().map(|debt| debt.id).collect();
        Self {
            debtors: self
                .debtors
                .extract_if(|_, debtor| seen(&debtor.id))
                .collect(),
            debts,
            points: self.points.extract_if(|(of, _), _| seen(of)).collect(),
            parties: self
                .parties
                .extract_if(|(debt, ..)| ids.contains(debt))
                .collect(),
            consents: self.consents.extract_if(|(of, ..)| seen(of)).collect(),
            addresses: self.addresses.extract_if(|of, _| seen(of)).collect(),
            items: self
                .items
                .extract_if(.., |of, _| ids.contains(of))
                .collect(),
            interest: self.interest.clone(),
            merged: self.merged.clone(),
            ..Self::default()
        }
    }

    /// Whether a row is about one of the debtors, or about a debt of one.
    fn knows(&self, row: &DebtorRow) -> bool {
        let debtor = (row.debtor.portfolio_id, row.debtor.external_ref.clone());
        if self.debtors.contains_key(&debtor) {
            return true;
        }
        let debt = (row.debt.portfolio_id, row.debt.external_ref.clone());
        self.debts.contains_key(&debt)
    }

    /// Takes a row; whether anything is to be written for it.
    fn would_write(&mut self, row: &DebtorRow, scores: &HashMap<DebtorId, i64>) -> bool {
        let before = self.report.unchanged;
        self.take(row);
        let key = (row.debtor.portfolio_id, row.debtor.external_ref.clone());
        let scored = row.score.is_some_and(|score| {
            let debtor = self.debtors.get(&key).map(|debtor| debtor.id);
            debtor.and_then(|id| scores.get(&id)) != Some(&score)
        });
        // An address that is known is confirmed.
        self.report.unchanged == before || scored || row.address.is_some()
    }
}

/// Which of the debtors that the rows name the import has made itself.
async fn made(
    tx: &mut Link,
    import: ImportId,
    work: &Work,
) -> Result<BTreeSet<DebtorId>, StoreError> {
    let debtors = work.debtors.values().map(|debtor| debtor.id);
    let owners = work.debts.values().map(|debt| debt.debtor_id);
    let ids: BTreeSet<DebtorId> = debtors.chain(owners).collect();
    let ids: Vec<DebtorId> = ids.into_iter().collect();
    let sql = "SELECT id FROM debtors WHERE made_by=$1 AND id";
    let rows = tx.rows_in(sql, &ids, "", &[import.val()]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Scores of the debtors, when the rows have any.
async fn scores(
    tx: &mut Link,
    rows: &[DebtorRow],
    of: &Work,
) -> Result<HashMap<DebtorId, i64>, StoreError> {
    if rows.iter().all(|row| row.score.is_none()) {
        return Ok(HashMap::new());
    }
    let ids: Vec<DebtorId> = of.debtors.values().map(|debtor| debtor.id).collect();
    let sql = "SELECT id, score FROM debtors WHERE score IS NOT NULL AND id";
    let rows = tx.rows_in(sql, &ids, "", &[]).await?;
    rows.iter()
        .map(|row| Ok((row.get("id")?, row.get("score")?)))
        .collect()
}

pub(super) async fn keep(
    tx: &mut Link,
    import: ImportId,
    (place, kind): (i64, &str),
    (rows, body): (usize, String),
) -> Result<(), StoreError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let sql =
        "INSERT INTO import_aside (import_id, place, kind, rows, body) VALUES ($1,$2,$3,$4,$5)";
    let values = vals![import, place, kind.to_owned(), rows, body];
    tx.run(sql, values).await.map(drop)
}

pub(super) fn text<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Corrupt(e.to_string()))
}

/// Writes rows that were kept aside.
pub(super) async fn write_rows(
    tx: &mut Link,
    import: ImportId,
    rows: &[DebtorRow],
) -> Result<(), StoreError> {
    let mut work = stored(tx, rows, true).await?;
    for row in rows {
        work.take(row);
    }
    work.out.count_money(tx, import, None).await?;
    let (before, new_debts) = (work.out.before_images(), work.out.new_debts());
    work.out.write(tx, import).await?;
    let sql = "SELECT placement_id FROM imports WHERE id=$1";
    let row = tx.row(sql, vals![import]).await?;
    let placement = row.map_or(Ok(None), |row| row.get("placement_id"))?;
    place(tx, placement, &new_debts).await?;
    keep_before(tx, import, &before).await
}

/// Writes the first piece of what is kept aside; false when there is none.
async fn write_piece(tx: &mut Link, import: ImportId, now: UtcMs) -> Result<bool, StoreError> {
    let Some((place, piece)) = Piece::after(tx, import, i64::MIN).await? else {
        return Ok(false);
    };
    piece.write(tx, import, (LATE_LINES, now)).await?;
    let sql = "DELETE FROM import_aside WHERE import_id=$1 AND place=$2";
    tx.run(sql, vals![import, place]).await?;
    Ok(true)
}

/// Takes the persons of all that is kept aside, rows and recalls, before the first is written: pieces would take
/// them one after the other, and two files that share persons, or a file and a payment, would wait for each other.
async fn take_all(tx: &mut Link, import: ImportId) -> Result<(), StoreError> {
    if tx.pg_only("pg").is_empty() {
        return Ok(());
    }
    let portfolio = tx.get::<Import>(import).await?.portfolio_id;
    let (mut at, mut persons) = (i64::MIN, BTreeSet::new());
    while let Some((place, piece)) = Piece::after(tx, import, at).await? {
        at = place;
        persons.extend(piece.owners(tx, portfolio).await?.into_iter().flatten());
    }
    // New ones first: who waits for another's new person holds nobody yet.
    let all: Vec<PersonId> = persons.iter().copied().collect();
    ensure_persons(tx, &all).await?;
    lock_persons(tx, persons.into_iter()).await
}

/// Rows of a file that wait.
async fn waiting(tx: &mut Link, import: ImportId) -> Result<u64, StoreError> {
    let sql = "SELECT CAST(COALESCE(SUM(rows),0) AS BIGINT) AS n FROM import_aside \
        WHERE import_id=$1";
    let row = tx.row(sql, vals![import]).await?;
    row.map_or(Ok(0), |row| row.get::<i64>("n").map(i64::unsigned_abs))
}

/// Writes all that is kept aside of a file. False when that was tried `gently` in vain: the transaction is to be
/// undone.
async fn write_all(
    tx: &mut Link,
    import: ImportId,
    (gently, now): (bool, UtcMs),
) -> Result<bool, StoreError> {
    let many = match waiting(tx, import).await? {
        0 => return Ok(true),
        rows => rows > gently::FROM,
    };
    if gently && many {
        return gently::write_all(tx, import, now).await;
    }
    take_all(tx, import).await?;
    while write_piece(tx, import, now).await? {}
    Ok(true)
}

/// How far a file is that is half in.
pub(in crate::store) async fn left(
    tx: &mut Link,
    import: ImportId,
    now: UtcMs,
) -> Result<ImportLeft, StoreError> {
    let sql = "SELECT worker, worker_until, \
        (SELECT CAST(COALESCE(SUM(rows),0) AS BIGINT) FROM import_aside WHERE import_id=$1) AS waiting, \
        (SELECT COUNT(*) FROM import_changes WHERE import_id=$1 AND line>=$2) AS shown \
        FROM imports WHERE id=$1";
    let late = i64::try_from(LATE_LINES).unwrap_or(i64::MAX);
    let row = tx.row(sql, vals![import, late]).await?;
    let row = row.ok_or(StoreError::NotFound("import"))?;
    let (worker, until): (Option<String>, UtcMs) = (row.get("worker")?, row.get("worker_until")?);
    Ok(ImportLeft {
        at_work: worker.is_some() && until > now,
        waiting: row.get::<i64>("waiting")?.unsigned_abs(),
        shown: row.get::<i64>("shown")?.unsigned_abs(),
    })
}

/// Forgets what is kept aside of a file.
pub(in crate::store) async fn forget(tx: &mut Link, import: ImportId) -> Result<(), StoreError> {
    let sql = "DELETE FROM import_aside WHERE import_id=$1";
    tx.run(sql, vals![import]).await.map(drop)
}

/// Writes a batch of which something is stored; what others see already is kept aside.
pub(super) async fn write_mixed(
    tx: &mut Link,
    import: ImportId,
    (rows, batch): (&[DebtorRow], &Batch),
    expected: Option<i64>,
) -> Result<ImportReport, StoreError> {
    let mut work = stored(tx, rows, false).await?;
    let own = made(tx, import, &work).await?;
    let mut seen = work.split(&own);
    let scores = scores(tx, rows, &seen).await?;
    let mut aside: Vec<&DebtorRow> = Vec::new();
    for row in rows {
        if !seen.knows(row) {
            work.take(row);
        } else if seen.would_write(row, &scores) {
            aside.push(row);
        }
    }
    let Work {
        out, mut report, ..
    } = work;
    report.add(&seen.report);
    report.rows = rows.len() as u64;
    let (before, new_debts) = (out.before_images(), out.new_debts());
    let placement = note(tx, import, batch, &report, expected).await?;
    out.write(tx, import).await?;
    place(tx, placement, &new_debts).await?;
    keep_before(tx, import, &before).await?;
    if !aside.is_empty() {
        let body = (aside.len(), text(&aside)?);
        keep(tx, import, (batch.done, "rows"), body).await?;
    }
    Ok(report)
}

impl SqlStore {
    /// Writes a file's own row; as accepted, with what was kept aside of it.
    pub(in crate::store) async fn put_file(
        &self,
        row: &Import,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let ways: &[bool] = match self.dialect() {
            Dialect::Lite => &[false],
            Dialect::Pg => &[true, false],
        };
        for gently in ways.iter().copied() {
            let mut tx = self.write().await?;
            tx.wait_long().await?;
            enter(&mut tx, row).await?;
            if row.state == ImportState::Accepted {
                let now = row.accepted_at.unwrap_or(row.at);
                match write_all(&mut tx, row.id, (gently, now)).await {
                    Ok(true) => {}
                    // Somebody was not waited for in the order in which all wait.
                    Ok(false) | Err(StoreError::Unavailable(_)) if gently => {
                        tx.rollback().await?;
                        continue;
                    }
                    Ok(false) => return Err(lost()),
                    Err(error) => return Err(error),
                }
            }
            tx.put(row).await?;
            append(&mut tx, events).await?;
            return tx.commit().await;
        }
        Ok(())
    }

    pub(in crate::store) async fn recall_kept(
        &self,
        import: ImportId,
        debts: &[DebtId],
        first: bool,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        if first {
            let sql = "DELETE FROM import_aside WHERE import_id=$1 AND place>=$2";
            tx.run(sql, vals![import, RECALLS]).await?;
        }
        if !debts.is_empty() {
            let sql = "SELECT COALESCE(MAX(place),0) AS n FROM import_aside WHERE import_id=$1";
            let last = tx.row(sql, vals![import]).await?;
            let last: i64 = last.map_or(Ok(0), |row| row.get("n"))?;
            let body = (debts.len(), text(&debts)?);
            keep(&mut tx, import, (last.max(RECALLS) + 1, "recall"), body).await?;
        }
        tx.commit().await
    }

    pub(in crate::store) async fn write_some(
        &self,
        import: ImportId,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        // PostgreSQL writes all of it with the row, however much it is: who reads goes by what was there before.
        if self.dialect() == Dialect::Pg {
            return Ok(false);
        }
        let mut tx = self.write().await?;
        let sql = "SELECT state FROM imports WHERE id=$1";
        let row = tx.row(sql, vals![import]).await?;
        let state: ImportState = row.ok_or(StoreError::NotFound("import"))?.get("state")?;
        if state != ImportState::Accepting {
            return Err(StoreError::Conflict(
                "the file is another's to write by now".to_owned(),
            ));
        }
        if waiting(&mut tx, import).await? <= ASIDE_AT_ONCE {
            return Ok(false);
        }
        write_piece(&mut tx, import, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}
