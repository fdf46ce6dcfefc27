//! Rows of a kept file: debtors who are new are written at once, for they count for nobody yet; rows that
//! change what others see already are kept aside, and written in the transaction that says that the file is
//! in.

use super::super::import_write::{Batch, keep_before, note};
use super::super::imports::recall;
use super::super::items::persons_of_debts;
use super::{Work, consents, known, place, stored, take_persons};
use crate::sql::{Field as _, Link, vals};
use crate::store::SqlStore;
use domain::entity::{Import, ImportState};
use domain::ids::{DebtId, DebtorId, ImportId};
use domain::ports::StoreError;
use domain::ports::store::{ASIDE_AT_ONCE, DebtorRow, ImportLeft, ImportReport};
use domain::rules::consents::ConsentRow;
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

fn read<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|e| StoreError::Corrupt(format!("rows kept aside: {e}")))
}

/// Writes rows that were kept aside.
async fn write_rows(tx: &mut Link, import: ImportId, rows: &[DebtorRow]) -> Result<(), StoreError> {
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
    let sql =
        "SELECT place, kind, body FROM import_aside WHERE import_id=$1 ORDER BY place LIMIT 1";
    let Some(row) = tx.row(sql, vals![import]).await? else {
        return Ok(false);
    };
    let (place, kind): (i64, String) = (row.get("place")?, row.get("kind")?);
    let body: String = row.get("body")?;
    match kind.as_str() {
        "recall" => {
            let debts: Vec<DebtId> = read(&body)?;
            recall(tx, import, &debts, now).await?;
        }
        "consents" => consents::write(tx, import, &read::<Vec<ConsentRow>>(&body)?, now).await?,
        _ => {
            let mut rows: Vec<DebtorRow> = read(&body)?;
            for row in &mut rows {
                row.line += LATE_LINES;
            }
            write_rows(tx, import, &rows).await?;
        }
    }
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
    let sql = "SELECT kind, body FROM import_aside WHERE import_id=$1";
    let (mut all, mut recalled): (Vec<DebtorRow>, Vec<DebtId>) = (Vec::new(), Vec::new());
    let mut wishes: Vec<ConsentRow> = Vec::new();
    for row in &tx.rows(sql, vals![import]).await? {
        let (kind, body): (String, String) = (row.get("kind")?, row.get("body")?);
        match kind.as_str() {
            "recall" => recalled.extend(read::<Vec<DebtId>>(&body)?),
            "consents" => wishes.extend(read::<Vec<ConsentRow>>(&body)?),
            _ => all.extend(read::<Vec<DebtorRow>>(&body)?),
        }
    }
    let debtors = known(tx, &all, false).await?;
    let mut persons = persons_of_debts(tx, &recalled).await?;
    if !wishes.is_empty() {
        let portfolio = tx.get::<Import>(import).await?.portfolio_id;
        persons.extend(consents::persons(tx, portfolio, &wishes).await?);
    }
    persons.extend(debtors.values().map(|d| d.person_id));
    take_persons(tx, &all, persons).await
}

/// Writes all that is kept aside of a file.
pub(in crate::store) async fn write_all(
    tx: &mut Link,
    import: ImportId,
    now: UtcMs,
) -> Result<(), StoreError> {
    take_all(tx, import).await?;
    while write_piece(tx, import, now).await? {}
    Ok(())
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
        let mut tx = self.write().await?;
        let lock = tx.pg_only(" FOR UPDATE");
        let sql = format!("SELECT state FROM imports WHERE id=$1{lock}");
        let row = tx.row(sql, vals![import]).await?;
        let state: ImportState = row.ok_or(StoreError::NotFound("import"))?.get("state")?;
        if state != ImportState::Accepting {
            return Err(StoreError::Conflict(
                "the file is another's to write by now".to_owned(),
            ));
        }
        let sql = "SELECT CAST(COALESCE(SUM(rows),0) AS BIGINT) AS n FROM import_aside \
            WHERE import_id=$1";
        let row = tx.row(sql, vals![import]).await?;
        let left: i64 = row.map_or(Ok(0), |row| row.get("n"))?;
        if left.unsigned_abs() <= ASIDE_AT_ONCE {
            return Ok(false);
        }
        write_piece(&mut tx, import, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}
