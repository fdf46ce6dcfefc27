//! Marks of the law beside a debtor: when he may be called, as it was last asked. Whatever may change the
//! answer takes the mark away in its own transaction; a claim notices if that happens while the law is asked.

use super::SqlStore;
use super::facts::facts_of_many;
use super::half::WHOLE_ROW;
use crate::rows::Stirs;
use crate::sql::{Dialect, Field, Link, Row, Val, holes, vals};
use domain::ids::{ClientId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{CallableMark, MarkClaim, PENDING_LOOK};
use domain::time::UtcMs;
use std::sync::atomic::Ordering;

/// Most debtors of one claim.
const CLAIM_MAX: u32 = 500;
/// Most marks taken away in one transaction.
const FORGET_MAX: u32 = 10_000;
/// Marks of one statement.
const EACH: usize = 256;

/// Takes the marks of everybody away whose answer may be another now: the debtor's person, and who has the
/// same number.
pub(crate) async fn stir(tx: &mut Link, who: &Stirs) -> Result<(), StoreError> {
    match who {
        Stirs::Debtor(debtor) => {
            let whose = "person_id=(SELECT d.person_id FROM debtors d WHERE d.id=$1)";
            take_away(tx, whose, vals![*debtor]).await
        }
        Stirs::Ledger(person, address) if tx.dialect() == Dialect::Lite => {
            // An UPDATE of rows that a list names makes a table of its own for the list, and nearly nobody has a mark.
            let sql = "SELECT x.id FROM debtors x WHERE x.person_id=$1 AND x.callable_until IS NOT NULL \
                UNION ALL SELECT d.id FROM contact_points c CROSS JOIN debtors d ON d.id=c.debtor_id \
                WHERE c.value=$2 AND d.callable_until IS NOT NULL";
            let rows = tx.rows(sql, vals![*person, address.clone()]).await?;
            let marked = rows.iter().map(|row| row.get("id"));
            stir_all(tx, &marked.collect::<Result<Vec<DebtorId>, _>>()?).await
        }
        Stirs::Ledger(person, address) => {
            // No OR over two tables: PostgreSQL goes through all debtors for it.
            let whose = "id IN (SELECT x.id FROM debtors x WHERE x.person_id=$1 \
                UNION ALL SELECT c.debtor_id FROM contact_points c WHERE c.value=$2)";
            take_away(tx, whose, vals![*person, address.clone()]).await
        }
        Stirs::Portfolio(portfolio, zone, kind) => {
            let whose = "portfolio_id=$1 AND EXISTS (SELECT 1 FROM portfolios p WHERE p.id=$1 \
                AND (p.zone<>$2 OR p.creditor_kind<>$3))";
            take_away(tx, whose, vals![*portfolio, zone.clone(), kind.clone()]).await
        }
        Stirs::Listed(form, value) => {
            let id = uuid::Uuid::try_parse(form).unwrap_or_default();
            let whose = "id IN (SELECT x.id FROM debtors x WHERE x.person_id=$1 \
                UNION ALL SELECT x.id FROM debtors x WHERE x.listed_form=$2 \
                UNION ALL SELECT c.debtor_id FROM contact_points c WHERE c.value IN ($3,$4))";
            let values = vals![id, form.clone(), format!("+{form}"), value.clone()];
            take_away(tx, whose, values).await
        }
    }
}

/// Takes the marks of debtors of a list away.
pub(super) async fn stir_all(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    for piece in super::table::pieces(debtors) {
        let whose = format!("id IN ({})", holes(1, piece.len()));
        take_away(tx, &whose, piece.iter().map(Field::val).collect()).await?;
    }
    Ok(())
}

/// Takes marks away; who has none is not written. PostgreSQL looks at rows as they were when the statement
/// began: one whose mark is just being asked for has to be waited for, mark or not. Without `OFFSET 0` it looks for
/// the mark before it takes the row, and waits for nobody who had none then. All take the rows in one order, so that
/// two who stir the same debtors wait for each other instead of both for ever; and no more of them than an UPDATE does:
/// each has just written something that belongs to the debtor, and so holds his key.
async fn take_away(tx: &mut Link, whose: &str, values: Vec<Val>) -> Result<(), StoreError> {
    let sql = match tx.dialect() {
        Dialect::Lite => format!(
            "UPDATE debtors SET callable_until=NULL WHERE callable_until IS NOT NULL AND {whose}"
        ),
        Dialect::Pg => format!(
            "UPDATE debtors SET callable_until=NULL FROM (SELECT id AS held, callable_until AS mark \
                FROM debtors WHERE {whose} ORDER BY id OFFSET 0 FOR NO KEY UPDATE) w \
            WHERE debtors.id=w.held AND w.mark IS NOT NULL"
        ),
    };
    tx.run(sql, values).await.map(drop)
}

/// Debtors without a mark of one look past those of files that are half in, and most looks of one claim.
const LOOK: usize = 2_000;
const LOOKS: usize = 25;

/// Whether a file is half in: who was made by one counts for nobody, and is asked about once it is in.
pub(super) const HALF: &str =
    "SELECT id FROM imports WHERE state IN ('accepting', 'undoing') LIMIT 1";

/// Up to `limit` debtors without a mark.
async fn missing(tx: &mut Link, limit: u32, lock: &str) -> Result<Vec<Row>, StoreError> {
    let whole = match tx.row(HALF, vec![]).await? {
        Some(_) => format!(" AND {WHOLE_ROW}"),
        None => String::new(),
    };
    let sql = format!(
        "SELECT id FROM debtors WHERE open_debts>0 AND callable_until IS NULL{whole} LIMIT $1{lock}"
    );
    tx.rows(sql, vals![limit]).await
}

/// The same of those who were `found` beside the writer.
async fn still_missing(tx: &mut Link, found: &[DebtorId]) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "SELECT id FROM debtors WHERE open_debts>0 AND callable_until IS NULL AND {WHOLE_ROW} AND id"
    );
    tx.rows_in(&sql, found, "", &[]).await
}

/// Up to `limit` debtors whose mark is missing or over; `found` when they were looked for already.
async fn unmarked(
    tx: &mut Link,
    now: UtcMs,
    limit: u32,
    found: Option<Vec<DebtorId>>,
) -> Result<Vec<DebtorId>, StoreError> {
    let lock = tx.pg_only(" FOR UPDATE SKIP LOCKED");
    let mut rows = match found {
        Some(found) => still_missing(tx, &found).await?,
        None => missing(tx, limit, lock).await?,
    };
    let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    if left > 0 {
        let over = format!(
            "SELECT id FROM debtors WHERE open_debts>0 AND callable_until<=$1 \
                ORDER BY callable_until LIMIT $2{lock}"
        );
        rows.extend(tx.rows(over, vals![now, left]).await?);
    }
    rows.iter().map(|row| row.get("id")).collect()
}

/// A number that no instant is and no other claim has.
fn token() -> i64 {
    let (_, low) = uuid::Uuid::now_v7().as_u64_pair();
    i64::MIN.saturating_add_unsigned(low >> 2)
}

impl SqlStore {
    /// Debtors of a client without a mark that holds, among the first without one of all clients.
    pub(super) async fn unasked(&self, client: ClientId, now: UtcMs) -> Result<u64, StoreError> {
        let mut read = self.read().await?;
        // Those of one client have no index of their own: SQLite would go through all of his.
        let from = match read.dialect() {
            Dialect::Lite => "debtors INDEXED BY debtors_marks",
            Dialect::Pg => "debtors",
        };
        let look = |so: &str| {
            format!(
                "SELECT * FROM (SELECT client_id, CASE WHEN {WHOLE_ROW} THEN 1 ELSE 0 END AS whole \
                    FROM {from} WHERE open_debts>0 AND {so} LIMIT {PENDING_LOOK}) w"
            )
        };
        let sql = format!(
            "SELECT COUNT(*) AS n, COUNT(CASE WHEN client_id=$1 AND whole=1 THEN 1 END) AS own \
                FROM ({} UNION ALL {}) m",
            look("callable_until IS NULL"),
            look("callable_until<=$2"),
        );
        let row = read.row(sql, vals![client, now]).await?;
        let Some(row) = row else {
            return Ok(0);
        };
        let (seen, own): (i64, i64) = (row.get("n")?, row.get("own")?);
        // There may be more behind those that were looked at.
        let more = seen >= i64::from(PENDING_LOOK);
        Ok(own.max(i64::from(more)).unsigned_abs())
    }

    /// Who has no mark and is not hidden, while a file is half in on SQLite: the hidden may be a million, and going
    /// past them would hold the writer. Each claim goes on where the last one ended.
    async fn past_hidden(&self, limit: usize) -> Result<Option<Vec<DebtorId>>, StoreError> {
        let mut read = self.read().await?;
        if read.dialect() == Dialect::Pg || read.row(HALF, vec![]).await?.is_none() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT rowid AS n, id, CASE WHEN {WHOLE_ROW} THEN 1 ELSE 0 END AS whole \
                FROM debtors INDEXED BY debtors_marks \
                WHERE open_debts>0 AND callable_until IS NULL AND rowid>$1 ORDER BY rowid LIMIT {LOOK}"
        );
        let mut at = self.marks_at.load(Ordering::Relaxed);
        let mut found = Vec::new();
        for _ in 0..LOOKS {
            let rows = read.rows(sql.clone(), vals![at]).await?;
            for row in &rows {
                if found.len() < limit {
                    at = row.get("n")?;
                    if row.get::<i64>("whole")? == 1 {
                        found.push(row.get("id")?);
                    }
                }
            }
            if found.len() == limit {
                break;
            }
            if rows.len() < LOOK {
                // The next begins at the front.
                at = 0;
                break;
            }
        }
        self.marks_at.store(at, Ordering::Relaxed);
        Ok(Some(found))
    }

    pub(super) async fn claim(&self, now: UtcMs, limit: u32) -> Result<MarkClaim, StoreError> {
        let limit = limit.min(CLAIM_MAX);
        let found = self.past_hidden(limit as usize).await?;
        let mut tx = self.write().await?;
        let debtors = unmarked(&mut tx, now, limit, found).await?;
        if debtors.is_empty() {
            return Ok(MarkClaim::default());
        }
        let claim = token();
        let sql = "UPDATE debtors SET callable_from=NULL, callable_until=$1 WHERE id";
        tx.run_in(sql, &debtors, "", &[claim.val()]).await?;
        tx.commit().await?;
        // After the claim: what happens from here on is seen, or undoes it.
        let facts = facts_of_many(&mut self.snapshot().await?, &debtors, now).await?;
        Ok(MarkClaim { claim, facts })
    }

    pub(super) async fn mark(&self, claim: i64, marks: &[CallableMark]) -> Result<u64, StoreError> {
        let mut kept = 0;
        let mut tx = self.write().await?;
        for piece in marks.chunks(EACH) {
            let mut values: Vec<Val> = vals![claim];
            let (mut rows, mut ids) = (Vec::new(), Vec::new());
            for mark in piece {
                let n = values.len();
                rows.push(format!("(${},${},${})", n + 1, n + 2, n + 3));
                ids.push(format!("${}", n + 1));
                values.extend(vals![mark.debtor, mark.from, mark.until]);
            }
            // Who is being written this moment is passed over: his claim is given out again.
            let free = match tx.pg_only("free") {
                "" => String::new(),
                _ => format!(
                    " AND debtors.id IN (SELECT d.id FROM debtors d WHERE d.id IN ({}) \
                        ORDER BY d.id FOR UPDATE SKIP LOCKED)",
                    ids.join(",")
                ),
            };
            let sql = format!(
                "UPDATE debtors SET callable_from=v.column2, callable_until=v.column3 \
                FROM (VALUES {}) AS v WHERE debtors.id=v.column1 AND debtors.callable_until=$1{free}",
                rows.join(",")
            );
            kept += tx.run(sql, values).await?;
        }
        tx.commit().await?;
        Ok(kept)
    }

    pub(super) async fn forget(&self, limit: u32) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let sql = format!(
            "UPDATE debtors SET callable_until=NULL WHERE id IN (SELECT id FROM debtors \
                WHERE open_debts>0 AND callable_until>$1 LIMIT $2{})",
            tx.pg_only(" FOR UPDATE SKIP LOCKED")
        );
        // Claims are below any instant: they are answered by the law of now.
        let forgotten = tx.run(sql, vals![UtcMs(0), limit.min(FORGET_MAX)]).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}
