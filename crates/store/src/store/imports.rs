//! Files on their way in, what portfolios remember of them, merged debtors, placements.

use super::events::append;
use super::facts::facts_of_import;
use super::import::Before;
use super::import::aside::{RECALL_LINES, forget, left};
use super::import_undo::undo_step;
use super::import_write::{Counted, keep_before};
use super::items::{end_items, lock_persons, persons_of_debts};
use super::{SqlStore, interest, merges, sums};
use crate::rows::Entity;
use crate::sql::{Link, Val, vals};
use async_trait::async_trait;
use domain::entity::{Debt, DebtStatus, Import, ImportMap, ImportState, Merge, Placement};
use domain::event::NewEvent;
use domain::ids::{
    ClientId, DebtId, DebtorId, ImportId, ImportMapId, MergeId, PersonId, PlacementId, PortfolioId,
};
use domain::ports::StoreError;
use domain::ports::store::{
    ConsentsTaken, ContactFacts, DebtorRow, Duplicates, IMPORT_STEP, IMPORT_TURN_MS, ImportLeft,
    ImportReport, ImportStore, OpenDebt, PAGE_LIMIT_MAX, Page, PageRequest, PlacementCount,
    UndoStep,
};
use domain::rules::consents::ConsentRow;
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// Most remembered maps of a portfolio.
const MAPS_MAX: u32 = 200;
/// Most merges shown of a debtor.
const MERGES_MAX: u32 = 200;

/// The next open debts of a placement, held with their persons; whether there were some to look at, of which
/// none may be open any more by now.
async fn open_of_placement(
    tx: &mut Link,
    id: PlacementId,
) -> Result<(Vec<Debt>, bool), StoreError> {
    let rest = "WHERE placement_id=$1 AND status='open' ORDER BY id LIMIT $2";
    let values = vals![id, IMPORT_STEP];
    if tx.pg_only("pg").is_empty() {
        let debts = tx.all(rest, values).await?;
        return Ok((debts, false));
    }
    let rows = tx.rows(format!("SELECT id FROM debts {rest}"), values);
    let rows = rows.await?;
    let ids: Result<Vec<DebtId>, StoreError> = rows.iter().map(|r| r.get("id")).collect();
    let ids = ids?;
    // Money takes the person before the debt, and of his debts now this one first, now that one.
    let persons = persons_of_debts(tx, &ids).await?;
    lock_persons(tx, persons.into_iter()).await?;
    let rest = " AND status='open' ORDER BY id FOR UPDATE";
    let debts = tx.all_in("id", &ids, rest, &[]).await?;
    Ok((debts, !ids.is_empty()))
}

/// Recalls open debts for an import, with what stood there before.
pub(super) async fn recall(
    tx: &mut Link,
    import: ImportId,
    debts: &[DebtId],
    at: UtcMs,
) -> Result<u64, StoreError> {
    let debts = debts.get(..IMPORT_STEP as usize).unwrap_or(debts);
    if !tx.pg_only("pg").is_empty() {
        // Money takes the person before the debt.
        let persons = persons_of_debts(tx, debts).await?;
        lock_persons(tx, persons.into_iter()).await?;
    }
    // Money that is posted on them meanwhile waits, or is in the figures already.
    let rest = format!(
        " AND status='open'{}",
        tx.pg_only(" ORDER BY id FOR UPDATE")
    );
    let open: Vec<Debt> = tx.all_in("id", debts, &rest, &[]).await?;
    let mut recalled = open.clone();
    let book = interest::book_all(tx, &mut recalled, at).await?;
    let sql = "SELECT COALESCE(MAX(line),0) AS n FROM import_changes WHERE import_id=$1";
    let last = tx.row(sql, vals![import]).await?;
    let last: i64 = last.map_or(Ok(0), |r| r.get("n"))?;
    let last = last.max(RECALL_LINES);
    let row = tx.row("SELECT at FROM imports WHERE id=$1", vals![import]);
    let since: Option<UtcMs> = row.await?.map(|row| row.get("at")).transpose()?;
    let ids: Vec<DebtId> = open.iter().map(|d| d.id).collect();
    let mut counted = Counted::of(tx, &ids, since.unwrap_or(at)).await?;
    let mut images = Vec::new();
    for (n, debt) in open.into_iter().enumerate() {
        let line = last + 1 + i64::try_from(n).unwrap_or(0);
        let was = book.accruals.get(&debt.id).copied();
        let money = counted.remove(&debt.id).unwrap_or_default();
        let of = debt.debtor_id;
        images.push((line, of, Before::of_debt(debt, was, money).text()));
    }
    for debt in &mut recalled {
        debt.status = DebtStatus::Recalled;
        debt.updated_at = at;
    }
    keep_before(tx, import, &images).await?;
    tx.put_all(&recalled).await?;
    let debtors: BTreeSet<DebtorId> = recalled.iter().map(|d| d.debtor_id).collect();
    let debtors: Vec<DebtorId> = debtors.into_iter().collect();
    sums::refresh(tx, &debtors).await?;
    end_items(tx, &debtors).await?;
    Ok(recalled.len() as u64)
}

/// One file of a portfolio at a time is half in it, over all processes; who lost his turn does not say that a
/// file is in which another takes back.
pub(super) async fn enter(tx: &mut Link, row: &Import) -> Result<(), StoreError> {
    let half = matches!(row.state, ImportState::Accepting | ImportState::Undoing);
    if !half && row.state != ImportState::Accepted {
        return Ok(());
    }
    let lock = tx.pg_only(" FOR NO KEY UPDATE");
    let sql = format!("SELECT id FROM portfolios WHERE id=$1{lock}");
    tx.row(sql, vals![row.portfolio_id]).await?;
    if half {
        let sql = "SELECT id FROM imports WHERE portfolio_id=$1 AND id<>$2 \
            AND state IN ('accepting','undoing') LIMIT 1";
        if let Some(other) = tx.row(sql, vals![row.portfolio_id, row.id]).await? {
            let other: ImportId = other.get("id")?;
            return Err(StoreError::Conflict(format!(
                "file {other} is half in the portfolio: accept it again, or take it back first"
            )));
        }
        return Ok(());
    }
    let sql = "SELECT state FROM imports WHERE id=$1";
    let stored: Option<ImportState> = tx
        .row(sql, vals![row.id])
        .await?
        .map(|row| row.get("state"))
        .transpose()?;
    match stored {
        Some(ImportState::Undoing | ImportState::Undone | ImportState::Discarded) => Err(
            StoreError::Conflict("the file is another's to write by now".to_owned()),
        ),
        _ => Ok(()),
    }
}

impl SqlStore {
    /// A page of what clients and portfolios own, newest first.
    async fn newest<T: Entity>(
        &self,
        client: Option<ClientId>,
        portfolio: Option<PortfolioId>,
        page: &PageRequest,
        key: impl Fn(&T) -> String,
    ) -> Result<Page<T>, StoreError> {
        let (mut terms, mut values): (Vec<String>, Vec<Val>) = (Vec::new(), Vec::new());
        let mut term = |text: &str, value: Vec<Val>| {
            values.extend(value);
            terms.push(format!("{text}${}", values.len()));
        };
        if let Some(client) = client {
            term("client_id=", vals![client]);
        }
        if let Some(portfolio) = portfolio {
            term("portfolio_id=", vals![portfolio]);
        }
        if let Some(text) = &page.cursor {
            let before = uuid::Uuid::parse_str(text);
            let before = before.map_err(|_| StoreError::NotFound("cursor"))?;
            term("id<", vals![before]);
        }
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
        values.extend(vals![limit + 1]);
        let terms = match terms.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", terms.join(" AND ")),
        };
        let rest = format!("{terms} ORDER BY id DESC LIMIT ${}", values.len());
        let mut items: Vec<T> = self.read().await?.all(&rest, values).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(key);
        Ok(Page { items, next_cursor })
    }
}

#[async_trait]
impl ImportStore for SqlStore {
    async fn put_import(&self, row: &Import, events: &[NewEvent]) -> Result<(), StoreError> {
        self.put_file(row, events).await
    }

    async fn get_import(&self, id: ImportId) -> Result<Import, StoreError> {
        self.read().await?.get(id).await
    }

    async fn take_import(
        &self,
        id: ImportId,
        worker: &str,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        self.end_writing(id).await;
        let mut tx = self.write().await?;
        let sql = "UPDATE imports SET worker=$2, worker_until=$3 \
            WHERE id=$1 AND (worker IS NULL OR worker=$2 OR worker_until<=$4)";
        let until = now.plus_ms(IMPORT_TURN_MS);
        let taken = tx
            .run(sql, vals![id, worker.to_owned(), until, now])
            .await?;
        tx.commit().await?;
        Ok(taken > 0)
    }

    async fn leave_import(&self, id: ImportId, worker: &str) -> Result<(), StoreError> {
        self.end_writing(id).await;
        let mut tx = self.write().await?;
        let sql = "UPDATE imports SET worker=NULL, worker_until=0 WHERE id=$1 AND worker=$2";
        tx.run(sql, vals![id, worker.to_owned()]).await?;
        tx.commit().await
    }

    async fn import_left(&self, id: ImportId, now: UtcMs) -> Result<ImportLeft, StoreError> {
        left(&mut self.read().await?, id, now).await
    }

    async fn imports_page(
        &self,
        client: Option<ClientId>,
        portfolio: Option<PortfolioId>,
        page: &PageRequest,
    ) -> Result<Page<Import>, StoreError> {
        self.newest(client, portfolio, page, |row: &Import| row.id.to_string())
            .await
    }

    async fn import_facts(
        &self,
        id: ImportId,
        every: u64,
        most: u32,
        now: UtcMs,
    ) -> Result<Vec<ContactFacts>, StoreError> {
        facts_of_import(&mut self.look().await?, (id, every, most), now).await
    }

    async fn later_import(&self, id: ImportId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS n FROM imports i JOIN imports o ON o.portfolio_id=i.portfolio_id \
            WHERE i.id=$1 AND o.id<>i.id AND o.state IN ('accepted','accepting') \
            AND COALESCE(o.accepted_at,o.at)>COALESCE(i.accepted_at,i.at) LIMIT 1";
        Ok(self.read().await?.row(sql, vals![id]).await?.is_some())
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

    async fn take_rows(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
    ) -> Result<ImportReport, StoreError> {
        self.take_kept(import, rows).await
    }

    async fn take_consents(
        &self,
        import: ImportId,
        portfolio: PortfolioId,
        rows: &[ConsentRow],
        keeps: bool,
    ) -> Result<ConsentsTaken, StoreError> {
        self.hold_consents(import, portfolio, (rows, keeps)).await
    }

    async fn settle_rows(&self, import: ImportId) -> Result<(), StoreError> {
        self.settle_kept(import).await
    }

    async fn recall_aside(
        &self,
        import: ImportId,
        debts: &[DebtId],
        first: bool,
    ) -> Result<(), StoreError> {
        self.recall_kept(import, debts, first).await
    }

    async fn write_aside(&self, import: ImportId, now: UtcMs) -> Result<bool, StoreError> {
        self.write_some(import, now).await
    }

    async fn recall_debts(
        &self,
        import: ImportId,
        debts: &[DebtId],
        at: UtcMs,
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let recalled = recall(&mut tx, import, debts, at).await?;
        tx.commit().await?;
        Ok(recalled)
    }

    async fn undo_step(&self, import: ImportId, now: UtcMs) -> Result<UndoStep, StoreError> {
        let mut tx = self.write().await?;
        forget(&mut tx, import).await?;
        let step = undo_step(&mut tx, import, now).await?;
        tx.commit().await?;
        Ok(step)
    }

    async fn import_map(
        &self,
        portfolio: PortfolioId,
        fingerprint: &str,
    ) -> Result<Option<ImportMap>, StoreError> {
        let values = vals![portfolio, fingerprint.to_owned()];
        let rest = "WHERE portfolio_id=$1 AND fingerprint=$2";
        self.read().await?.find(rest, values).await
    }

    async fn import_maps(&self, portfolio: PortfolioId) -> Result<Vec<ImportMap>, StoreError> {
        let rest = "WHERE portfolio_id=$1 ORDER BY used_at DESC, id LIMIT $2";
        let values = vals![portfolio, MAPS_MAX];
        self.read().await?.all(rest, values).await
    }

    async fn get_import_map(&self, id: ImportMapId) -> Result<ImportMap, StoreError> {
        self.read().await?.get(id).await
    }

    async fn put_import_map(&self, row: &ImportMap, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn drop_import_map(
        &self,
        id: ImportMapId,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.run("DELETE FROM import_maps WHERE id=$1", vals![id])
            .await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn duplicates(
        &self,
        portfolio: PortfolioId,
        after: Option<PersonId>,
        limit: u32,
    ) -> Result<Vec<Duplicates>, StoreError> {
        let after = after.unwrap_or(PersonId(uuid::Uuid::nil()));
        let values = vals![portfolio, after, limit.clamp(1, PAGE_LIMIT_MAX)];
        merges::duplicates(&mut self.read().await?, values).await
    }

    async fn merge_debtors(&self, row: &Merge, events: &[NewEvent]) -> Result<Merge, StoreError> {
        let mut tx = self.write().await?;
        let done = merges::merge(&mut tx, row).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn undo_merge(
        &self,
        id: MergeId,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<Merge, StoreError> {
        let mut tx = self.write().await?;
        let row: Merge = tx.get(id).await?;
        let done = merges::undo(&mut tx, row, by, now).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn get_merge(&self, id: MergeId) -> Result<Merge, StoreError> {
        self.read().await?.get(id).await
    }

    async fn merges_of(&self, debtor: DebtorId) -> Result<Vec<Merge>, StoreError> {
        let rest = "WHERE kept_id=$1 OR gone_id=$1 ORDER BY id DESC LIMIT $2";
        self.read()
            .await?
            .all(rest, vals![debtor, MERGES_MAX])
            .await
    }

    async fn put_placement(&self, row: &Placement, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_placement(&self, id: PlacementId) -> Result<Placement, StoreError> {
        self.read().await?.get(id).await
    }

    async fn placements_page(
        &self,
        client: Option<ClientId>,
        portfolio: Option<PortfolioId>,
        page: &PageRequest,
    ) -> Result<Page<Placement>, StoreError> {
        self.newest(client, portfolio, page, |row: &Placement| {
            row.id.to_string()
        })
        .await
    }

    async fn placements_due(&self, day: &str, limit: u32) -> Result<Vec<Placement>, StoreError> {
        let rest = "WHERE recalled_at IS NULL AND recall_on IS NOT NULL AND recall_on<=$1 \
            ORDER BY recall_on, id LIMIT $2";
        self.read()
            .await?
            .all(rest, vals![day.to_owned(), limit])
            .await
    }

    async fn placement_count(&self, id: PlacementId) -> Result<PlacementCount, StoreError> {
        let sql = "SELECT COUNT(*) AS n, COUNT(CASE WHEN status='open' THEN 1 END) AS o \
            FROM debts WHERE placement_id=$1";
        let row = self.read().await?.row(sql, vals![id]).await?;
        let row = row.ok_or(StoreError::NotFound("placement"))?;
        Ok(PlacementCount {
            debts: row.get::<i64>("n")?.unsigned_abs(),
            open: row.get::<i64>("o")?.unsigned_abs(),
        })
    }

    async fn recall_placement(&self, id: PlacementId, at: UtcMs) -> Result<u64, StoreError> {
        let (mut tx, mut debts) = loop {
            let mut tx = self.write().await?;
            let (debts, more) = open_of_placement(&mut tx, id).await?;
            if !debts.is_empty() || !more {
                break (tx, debts);
            }
        };
        interest::book_all(&mut tx, &mut debts, at).await?;
        for debt in &mut debts {
            debt.status = DebtStatus::Recalled;
            debt.updated_at = at;
        }
        tx.put_all(&debts).await?;
        let debtors: BTreeSet<DebtorId> = debts.iter().map(|d| d.debtor_id).collect();
        let debtors: Vec<DebtorId> = debtors.into_iter().collect();
        sums::refresh(&mut tx, &debtors).await?;
        end_items(&mut tx, &debtors).await?;
        tx.commit().await?;
        Ok(debts.len() as u64)
    }
}
