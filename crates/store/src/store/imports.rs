//! Files on their way in, and the way back.

use super::events::append;
use super::import::{Before, keep_before};
use super::money::apply;
use super::{SqlStore, sums};
use crate::sql::{Link, vals};
use async_trait::async_trait;
use domain::entity::{ContactPoint, Debt, DebtStatus, Import, Payment};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, ImportId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{IMPORT_STEP, ImportStore, OpenDebt, UndoStep};
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// Most files of a list.
const FILES_MAX: u32 = 200;

/// Tables whose rows keep a debtor from being removed: what was done with him stays.
const DEEDS: &[&str] = &[
    "attempts",
    "promises",
    "payments",
    "ledger",
    "preferences",
    "complaints",
];

/// Tables that go with a debtor to whom nothing was done, those that point to others first.
const OWN: &[&str] = &[
    "parties",
    "consents",
    "contact_points",
    "holds",
    "campaign_items",
    "debts",
];

/// Debtors of a list with whom something was done.
async fn with_deeds(tx: &mut Link, debtors: &[DebtorId]) -> Result<BTreeSet<DebtorId>, StoreError> {
    let mut found = BTreeSet::new();
    for table in DEEDS {
        let before = format!("SELECT DISTINCT debtor_id FROM {table} WHERE debtor_id");
        for row in &tx.rows_in(&before, debtors, "", &[]).await? {
            found.insert(row.get("debtor_id")?);
        }
    }
    Ok(found)
}

/// Removes debtors that an import made; who was called, promised or paid stays, without an open debt.
async fn remove_new(tx: &mut Link, debtors: &[DebtorId], now: UtcMs) -> Result<u64, StoreError> {
    if debtors.is_empty() {
        return Ok(0);
    }
    let kept = with_deeds(tx, debtors).await?;
    let gone: Vec<DebtorId> = debtors
        .iter()
        .filter(|d| !kept.contains(d))
        .copied()
        .collect();
    let kept: Vec<DebtorId> = kept.into_iter().collect();
    let sql = "UPDATE debts SET status='recalled', updated_at=$1 WHERE status='open' AND debtor_id";
    tx.run_in(sql, &kept, "", &[crate::sql::Field::val(&now)])
        .await?;
    sums::refresh(tx, &kept).await?;
    for table in OWN {
        let sql = format!("DELETE FROM {table} WHERE debtor_id");
        tx.run_in(&sql, &gone, "", &[]).await?;
    }
    tx.run_in("DELETE FROM debtors WHERE id", &gone, "", &[])
        .await?;
    Ok(kept.len() as u64)
}

/// A debt as it was before the import, less what was paid since it came.
async fn put_debt_back(tx: &mut Link, import: &Import, mut debt: Debt) -> Result<(), StoreError> {
    let rest = "WHERE debt_id=$1 AND posted_at>=$2 ORDER BY id";
    let since: Vec<Payment> = tx.all(rest, vals![debt.id, import.at]).await?;
    for payment in &since {
        apply(&mut debt, payment);
    }
    tx.put(&debt).await
}

/// Whether a promise, a payment or an attempt names the debt.
async fn debt_is_named(tx: &mut Link, debt: DebtId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n WHERE EXISTS (SELECT 1 FROM promises WHERE debt_id=$1) \
        OR EXISTS (SELECT 1 FROM payments WHERE debt_id=$1) \
        OR EXISTS (SELECT 1 FROM attempts a JOIN debts d ON d.debtor_id=a.debtor_id \
            WHERE d.id=$1 AND (a.debt_id=$1 OR a.opened_at>=d.created_at))";
    Ok(tx.row(sql, vals![debt]).await?.is_some())
}

/// Puts a debtor who was there before back as he was.
async fn put_back(
    tx: &mut Link,
    import: &Import,
    debtor: DebtorId,
    before: Before,
    now: UtcMs,
) -> Result<bool, StoreError> {
    let mut kept = false;
    if let Some(row) = before.debtor {
        let told = tx.get::<domain::entity::Debtor>(row.id).await?;
        tx.put(&domain::entity::Debtor {
            told_zone: told.told_zone,
            told_zone_at: told.told_zone_at,
            ..row
        })
        .await?;
    }
    for debt in before.debts {
        put_debt_back(tx, import, debt).await?;
    }
    for point in before.points {
        // What calls have proved stays.
        let proved = tx.get::<ContactPoint>(point.id).await?;
        tx.put(&ContactPoint {
            bad: proved.bad,
            last_rpc_at: proved.last_rpc_at,
            ..point
        })
        .await?;
    }
    for (table, ids) in [
        ("parties", uuids(&before.new_parties)),
        ("consents", uuids(&before.new_consents)),
    ] {
        let sql = format!("DELETE FROM {table} WHERE id");
        tx.run_in(&sql, &ids, "", &[]).await?;
    }
    for point in before.new_points {
        let sql = "DELETE FROM contact_points WHERE id=$1 \
            AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.debtor_id=$2 AND a.point_id=$1)";
        kept |= tx.run(sql, vals![point, debtor]).await? == 0;
    }
    for debt in before.new_debts {
        let named = debt_is_named(tx, debt).await?;
        let sql = if named {
            "UPDATE debts SET status='recalled', updated_at=$2 WHERE id=$1"
        } else {
            "DELETE FROM debts WHERE id=$1 AND updated_at<=$2"
        };
        tx.run(sql, vals![debt, now]).await?;
        kept |= named;
    }
    sums::follow_person(tx, &[debtor]).await?;
    sums::refresh(tx, &[debtor]).await?;
    Ok(kept)
}

fn uuids<T: Copy + Into<uuid::Uuid>>(ids: &[T]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| (*id).into()).collect()
}

#[async_trait]
impl ImportStore for SqlStore {
    async fn put_import(&self, row: &Import, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_import(&self, id: ImportId) -> Result<Import, StoreError> {
        self.read().await?.get(id).await
    }

    async fn list_imports(&self, client: Option<ClientId>) -> Result<Vec<Import>, StoreError> {
        let rest = "WHERE $1 IS NULL OR client_id=$1 ORDER BY at DESC, id DESC LIMIT $2";
        self.read().await?.all(rest, vals![client, FILES_MAX]).await
    }

    async fn add_piece(&self, id: ImportId, n: i64, base64: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO import_pieces (import_id, n, piece) VALUES ($1,$2,$3)";
        tx.run(sql, vals![id, n, base64.to_owned()]).await?;
        tx.commit().await
    }

    async fn piece(&self, id: ImportId, n: i64) -> Result<Option<String>, StoreError> {
        let sql = "SELECT piece FROM import_pieces WHERE import_id=$1 AND n=$2";
        let row = self.read().await?.row(sql, vals![id, n]).await?;
        row.map(|r| r.get("piece")).transpose()
    }

    async fn drop_pieces(&self, id: ImportId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.run("DELETE FROM import_pieces WHERE import_id=$1", vals![id])
            .await?;
        tx.commit().await
    }

    async fn open_debts(
        &self,
        portfolio: PortfolioId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<OpenDebt>, StoreError> {
        let sql = "SELECT id, external_ref FROM debts WHERE portfolio_id=$1 AND external_ref>$2 \
            AND status='open' ORDER BY external_ref LIMIT $3";
        let values = vals![portfolio, after.to_owned(), limit];
        let rows = self.read().await?.rows(sql, values).await?;
        let debt = |row: &crate::sql::Row| {
            Ok(OpenDebt {
                id: row.get("id")?,
                external_ref: row.get("external_ref")?,
            })
        };
        rows.iter().map(debt).collect()
    }

    async fn recall_debts(
        &self,
        import: ImportId,
        debts: &[DebtId],
        at: UtcMs,
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let debts = debts.get(..IMPORT_STEP as usize).unwrap_or(debts);
        let open: Vec<Debt> = tx.all_in("id", debts, " AND status='open'", &[]).await?;
        // Lines of a file end where those of its recalls begin.
        let sql = "SELECT COALESCE(MAX(line),0) AS n FROM import_changes WHERE import_id=$1";
        let last = tx.row(sql, vals![import]).await?;
        let last: i64 = last.map_or(Ok(0), |r| r.get("n"))?;
        let (mut images, mut recalled) = (Vec::new(), Vec::new());
        for (n, debt) in open.into_iter().enumerate() {
            let line = last + 1 + i64::try_from(n).unwrap_or(0);
            let debtor = debt.debtor_id;
            recalled.push(Debt {
                status: DebtStatus::Recalled,
                updated_at: at,
                ..debt.clone()
            });
            images.push((line, debtor, Before::of_debt(debt).text()));
        }
        keep_before(&mut tx, import, &images).await?;
        tx.put_all(&recalled).await?;
        let debtors: BTreeSet<DebtorId> = recalled.iter().map(|d| d.debtor_id).collect();
        let debtors: Vec<DebtorId> = debtors.into_iter().collect();
        sums::refresh(&mut tx, &debtors).await?;
        let sql = "UPDATE campaign_items SET done=TRUE, note='recalled' WHERE NOT EXISTS \
            (SELECT 1 FROM debts x WHERE x.debtor_id=campaign_items.debtor_id AND x.status='open') \
            AND NOT done AND debtor_id";
        tx.run_in(sql, &debtors, "", &[]).await?;
        tx.commit().await?;
        Ok(recalled.len() as u64)
    }

    async fn undo_step(&self, import: ImportId, now: UtcMs) -> Result<UndoStep, StoreError> {
        let mut tx = self.write().await?;
        let import: Import = tx.get(import).await?;
        let sql = "SELECT line, debtor_id, before_image FROM import_changes WHERE import_id=$1 \
            ORDER BY line DESC LIMIT $2";
        let rows = tx.rows(sql, vals![import.id, IMPORT_STEP]).await?;
        let (mut new, mut step) = (Vec::new(), UndoStep::default());
        let mut lines: Vec<i64> = Vec::with_capacity(rows.len());
        for row in &rows {
            lines.push(row.get("line")?);
            let debtor: DebtorId = row.get("debtor_id")?;
            let text: String = row.get("before_image")?;
            step.undone += 1;
            if text.is_empty() {
                new.push(debtor);
                continue;
            }
            let before: Before =
                serde_json::from_str(&text).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            let kept = put_back(&mut tx, &import, debtor, before, now).await?;
            step.kept += u64::from(kept);
        }
        step.kept += remove_new(&mut tx, &new, now).await?;
        let sql = "DELETE FROM import_changes WHERE import_id=$1 AND line";
        tx.run_in(sql, &lines, "", &[crate::sql::Field::val(&import.id)])
            .await?;
        tx.commit().await?;
        step.more = rows.len() == IMPORT_STEP as usize;
        Ok(step)
    }
}
