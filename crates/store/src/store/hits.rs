//! Which debtors an external list holds. Lists are keyed hashes, so that SQL cannot compare them: each
//! debtor found is kept beside the list, when the list is loaded and whenever one of his values is written.
//! Segments read it; the law asks the list itself.

use super::SqlStore;
use super::marks::stir_all;
use crate::sql::{Field as _, Link, vals};
use domain::entity::dnc::{keyed_hash, listed_form, may_hold};
use domain::entity::{Channel, ContactPoint, Debtor, DncList, SuppressionKind};
use domain::ids::{DebtorId, DncListId};
use domain::ports::StoreError;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use uuid::Uuid;

/// Values compared in one go.
const PAGE: u32 = 5_000;
/// Debtors kept in one statement, and let go in one.
const EACH: usize = 400;

/// Keeps debtors of a list.
async fn keep(tx: &mut Link, list: DncListId, debtors: &[DebtorId]) -> Result<(), StoreError> {
    for piece in debtors.chunks(EACH) {
        let rows: Vec<String> = (0..piece.len())
            .map(|n| format!("($1,${})", n + 2))
            .collect();
        let sql = format!(
            "INSERT INTO dnc_hits (list_id, debtor_id) VALUES {} ON CONFLICT (list_id, debtor_id) DO NOTHING",
            rows.join(",")
        );
        let mut values = vals![list];
        values.extend(piece.iter().map(|id| id.val()));
        tx.run(sql, values).await?;
    }
    Ok(())
}

/// Sets anew which lists hold the debtors, after one of their values was written.
pub(crate) async fn refresh(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    // One that is being loaded is out of force since the moment of its load.
    let rest = "WHERE retired_at IS NULL OR retired_at=created_at ORDER BY id";
    let lists: Vec<DncList> = tx.all(rest, vec![]).await?;
    if lists.is_empty() || debtors.is_empty() {
        return Ok(());
    }
    tx.run_in("DELETE FROM dnc_hits WHERE debtor_id", debtors, "", &[])
        .await?;
    let points: Vec<ContactPoint> = tx.all_in("debtor_id", debtors, "", &[]).await?;
    let people: Vec<Debtor> = tx.all_in("id", debtors, "", &[]).await?;
    let mut wanted: BTreeMap<String, BTreeSet<(DncListId, DebtorId)>> = BTreeMap::new();
    for list in &lists {
        let values = points
            .iter()
            .filter(|p| may_hold(list.kind, p))
            .map(|p| (p.debtor_id, p.value.reveal()));
        let documents = people
            .iter()
            .filter(|_| list.kind == SuppressionKind::Document)
            .map(|d| (d.id, d.document.reveal()));
        for (debtor, value) in values.chain(documents) {
            if let Some(hash) = hash_of(list, value) {
                wanted.entry(hash).or_default().insert((list.id, debtor));
            }
        }
    }
    let hashes: Vec<String> = wanted.keys().cloned().collect();
    let before = "SELECT list_id, hash FROM dnc_entries WHERE hash";
    let mut found: BTreeMap<DncListId, Vec<DebtorId>> = BTreeMap::new();
    for row in &tx.rows_in(before, &hashes, "", &[]).await? {
        let (id, hash): (DncListId, String) = (row.get("list_id")?, row.get("hash")?);
        let of = wanted.get(&hash).into_iter().flatten();
        let debtors = of.filter(|(list, _)| *list == id).map(|(_, d)| *d);
        found.entry(id).or_default().extend(debtors);
    }
    for (list, debtors) in found {
        keep(tx, list, &debtors).await?;
    }
    Ok(())
}

/// The value's hash in a list; none when nothing of it is left to compare.
fn hash_of(list: &DncList, value: &str) -> Option<String> {
    (!listed_form(list.kind, value).is_empty())
        .then(|| keyed_hash(&list.hash_key, list.kind, value))
}

/// The statement that reads values page by page, by id.
fn page_of(kind: SuppressionKind) -> Option<String> {
    let email = Channel::Email;
    Some(match kind {
        SuppressionKind::Phone => format!(
            "SELECT id, debtor_id, value FROM contact_points WHERE id>$1 AND channel<>'{email}' \
            ORDER BY id LIMIT $2"
        ),
        SuppressionKind::Email => format!(
            "SELECT id, debtor_id, value FROM contact_points WHERE id>$1 AND channel='{email}' \
            ORDER BY id LIMIT $2"
        ),
        SuppressionKind::Document => "SELECT id, id AS debtor_id, document AS value FROM debtors \
            WHERE id>$1 ORDER BY id LIMIT $2"
            .to_owned(),
        SuppressionKind::Person => return None,
    })
}

impl SqlStore {
    /// How many debtors whom a list binds are on it.
    pub(super) async fn hit_by(&self, list: &DncList) -> Result<u64, StoreError> {
        let mut sql = "SELECT COUNT(*) AS n FROM dnc_hits h WHERE h.list_id=$1".to_owned();
        let mut values = vals![list.id];
        if let Some(client) = list.client_id {
            sql +=
                " AND EXISTS (SELECT 1 FROM debtors d WHERE d.id=h.debtor_id AND d.client_id=$2)";
            values.extend(vals![client]);
        }
        let row = self.read().await?.row(sql, values).await?;
        row.map_or(Ok(0), |r| r.get::<i64>("n").map(i64::unsigned_abs))
    }

    /// Looks every value up in a list that is about to come into force.
    pub(super) async fn spread(&self, list: &DncList, hashes: &[String]) -> Result<(), StoreError> {
        let Some(sql) = page_of(list.kind) else {
            return Ok(());
        };
        let hashes: HashSet<&str> = hashes.iter().map(String::as_str).collect();
        let mut after = Uuid::nil();
        loop {
            let rows = self
                .read()
                .await?
                .rows(sql.clone(), vals![after, PAGE])
                .await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.get("id")?;
            let mut debtors: Vec<DebtorId> = Vec::new();
            for row in &rows {
                let value: String = row.get("value")?;
                if hash_of(list, &value).is_some_and(|h| hashes.contains(h.as_str())) {
                    debtors.push(row.get("debtor_id")?);
                }
            }
            if !debtors.is_empty() {
                let mut tx = self.write().await?;
                keep(&mut tx, list.id, &debtors).await?;
                tx.commit().await?;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Takes the marks of those away whom a list that has come into force holds, piece by piece.
    pub(super) async fn stir_held(&self, list: DncListId) -> Result<(), StoreError> {
        let mut after = DebtorId(Uuid::nil());
        loop {
            let sql = "SELECT debtor_id FROM dnc_hits WHERE list_id=$1 AND debtor_id>$2 \
                ORDER BY debtor_id LIMIT $3";
            let each = u32::try_from(EACH).unwrap_or(u32::MAX);
            let mut tx = self.write().await?;
            let rows = tx.rows(sql, vals![list, after, each]).await?;
            let debtors: Result<Vec<DebtorId>, _> =
                rows.iter().map(|row| row.get("debtor_id")).collect();
            let debtors = debtors?;
            let Some(last) = debtors.last() else {
                return Ok(());
            };
            after = *last;
            stir_all(&mut tx, &debtors).await?;
            tx.commit().await?;
        }
    }

    /// Lets go of what lists that are out of force have held.
    pub(super) async fn let_go(&self, lists: &[DncListId]) -> Result<(), StoreError> {
        let some = format!("SELECT debtor_id FROM dnc_hits WHERE list_id=$1 LIMIT {EACH}");
        for list in lists {
            loop {
                let mut tx = self.write().await?;
                let rows = tx.rows(some.clone(), vals![*list]).await?;
                if rows.is_empty() {
                    break;
                }
                let debtors: Result<Vec<DebtorId>, _> =
                    rows.iter().map(|row| row.get("debtor_id")).collect();
                let debtors = debtors?;
                // The law may answer otherwise now.
                stir_all(&mut tx, &debtors).await?;
                let sql = "DELETE FROM dnc_hits WHERE list_id=$1 AND debtor_id";
                tx.run_in(sql, &debtors, "", &[list.val()]).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }
}
