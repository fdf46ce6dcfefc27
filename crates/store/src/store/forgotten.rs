//! Numbers of callers that are not kept for ever. Each kind is looked for beside the writer, which is taken only where
//! something is found.

use super::SqlStore;
use super::items::LIVE;
use super::sums;
use crate::sql::{Field as _, Link, Row, vals};
use domain::ids::{AttemptId, DebtorId, InboxId, PersonId};
use domain::ports::StoreError;
use domain::ports::store::FoundCaller;
use domain::time::UtcMs;

/// Files of callers who stayed unknown, `d`, and neither called nor wrote since `$1`.
fn over() -> String {
    format!(
        "SELECT d.id, d.person_id FROM contact_points p JOIN debtors d ON d.id=p.debtor_id \
        WHERE p.source='called_us' AND p.added_at<$1 AND d.external_ref LIKE 'caller:%' \
            AND d.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.debtor_id=d.id \
                AND (a.opened_at>=$1 OR a.{LIVE} OR EXISTS (SELECT 1 FROM recording_keeps k \
                    WHERE k.id=a.recording_id AND k.place<>'deleted'))) \
            AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.debtor_id=d.id AND i.received_at>=$1)"
    )
}

fn files(rows: &[Row]) -> Result<Vec<(PersonId, DebtorId)>, StoreError> {
    let file = |row: &Row| Ok((row.get("person_id")?, row.get("id")?));
    let mut who: Vec<_> = rows.iter().map(file).collect::<Result<_, StoreError>>()?;
    who.sort_unstable();
    who.dedup();
    Ok(who)
}

/// Messages of whoever has no file, by their own age.
const UNNAMED: &str = "SELECT id FROM inbox WHERE debtor_id IS NULL AND address<>'' AND received_at<$1 \
    ORDER BY received_at LIMIT $2";

fn calls(rows: &[Row]) -> Result<Vec<AttemptId>, StoreError> {
    rows.iter().map(|row| row.get("id")).collect()
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

impl SqlStore {
    /// Files of callers who stayed unknown: how many have no number any more.
    pub(super) async fn forget_files(&self, before: UtcMs, limit: u32) -> Result<u32, StoreError> {
        let sql = format!("{} ORDER BY p.added_at LIMIT $2", over());
        let rows = self.read().await?.rows(sql, vals![before, limit]).await?;
        let mut who = files(&rows)?;
        if who.is_empty() {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        // The lock that a call of his takes too; who has called by now stays.
        let persons: Vec<PersonId> = who.iter().map(|(person, _)| *person).collect();
        let lock = tx.pg_only("FOR UPDATE");
        let after = format!("ORDER BY id {lock}");
        tx.rows_in("SELECT id FROM persons WHERE id", &persons, &after, &[])
            .await?;
        let ids: Vec<DebtorId> = who.iter().map(|(_, id)| *id).collect();
        let sql = format!("{} AND d.id", over());
        who = files(&tx.rows_in(&sql, &ids, "", &[before.val()]).await?)?;
        let ids: Vec<DebtorId> = who.iter().map(|(_, id)| *id).collect();
        let sql = "UPDATE attempts SET phone='' WHERE debtor_id";
        tx.run_in(sql, &ids, "", &[]).await?;
        // The ledger has no index of debtors.
        let sql = "UPDATE ledger SET address='' WHERE person_id=$1 AND debtor_id=$2";
        let values: Vec<_> = who.iter().flat_map(|(p, d)| vals![*p, *d]).collect();
        tx.run_each(sql, 2, &values).await?;
        let sql = "UPDATE inbound_calls SET caller=NULL WHERE debtor_id";
        tx.run_in(sql, &ids, "", &[]).await?;
        let sql = "UPDATE inbox SET address='' WHERE debtor_id";
        tx.run_in(sql, &ids, "", &[]).await?;
        let sql = "DELETE FROM contact_points WHERE debtor_id";
        tx.run_in(sql, &ids, "", &[]).await?;
        sums::refresh(&mut tx, &ids).await?;
        tx.commit().await?;
        Ok(count(who.len()))
    }

    /// Callers for whom no file was ever kept: how many rows have no number any more.
    pub(super) async fn forget_turned_away(
        &self,
        before: UtcMs,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let sql = "SELECT id FROM inbound_calls WHERE debtor_id IS NULL AND caller IS NOT NULL \
            AND at<$1 AND outcome<>'open' ORDER BY at LIMIT $2";
        let rows = self.read().await?.rows(sql, vals![before, limit]).await?;
        let ids = calls(&rows)?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let sql = "UPDATE inbound_calls SET caller=NULL WHERE debtor_id IS NULL AND id";
        tx.run_in(sql, &ids, "", &[]).await?;
        tx.commit().await?;
        Ok(count(ids.len()))
    }

    /// Messages that nobody's debtor wrote: how many have no address any more.
    pub(super) async fn forget_unnamed(
        &self,
        before: UtcMs,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let mut read = self.read().await?;
        let rows = read.rows(UNNAMED, vals![before, limit]).await?;
        drop(read);
        let ids: Result<Vec<InboxId>, StoreError> = rows.iter().map(|row| row.get("id")).collect();
        let ids = ids?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let sql = "UPDATE inbox SET address='' WHERE debtor_id IS NULL AND id";
        tx.run_in(sql, &ids, "", &[]).await?;
        tx.commit().await?;
        Ok(count(ids.len()))
    }

    /// Calls and messages of a debtor from a number that was not to be kept as his: how many have none any more.
    pub(super) async fn forget_borrowed(
        &self,
        before: UtcMs,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let sql = format!(
            "SELECT b.call_id AS id FROM borrowed_numbers b WHERE b.at<$1 AND NOT EXISTS \
                (SELECT 1 FROM attempts a WHERE a.id=b.call_id AND a.{LIVE}) \
            ORDER BY b.at LIMIT $2"
        );
        let rows = self.read().await?.rows(sql, vals![before, limit]).await?;
        let ids = calls(&rows)?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        for sql in [
            "UPDATE attempts SET phone='' WHERE id",
            "UPDATE ledger SET address='' WHERE attempt_id",
            "UPDATE ledger SET address='' WHERE id",
            "UPDATE inbox SET address='' WHERE id",
            "UPDATE inbound_calls SET caller=NULL WHERE id",
            "DELETE FROM borrowed_numbers WHERE call_id",
        ] {
            tx.run_in(sql, &ids, "", &[]).await?;
        }
        tx.commit().await?;
        Ok(count(ids.len()))
    }
}

/// Notes the calls and messages of a file of nobody that is given to a debtor without its number, unless that is his
/// anyway. Rows of the ledger that no call is behind are noted by themselves.
pub(super) async fn borrowed(tx: &mut Link, found: &FoundCaller) -> Result<(), StoreError> {
    let own = "SELECT 1 AS n FROM contact_points WHERE id=$1 AND debtor_id=$2";
    let own = tx.row(own, vals![found.point.id, found.to]).await?;
    if own.is_some() {
        return Ok(());
    }
    for calls in [
        "SELECT id, opened_at FROM attempts WHERE debtor_id=$1",
        "SELECT id, at FROM inbound_calls WHERE debtor_id=$1 AND caller IS NOT NULL",
        "SELECT id, received_at FROM inbox WHERE debtor_id=$1",
        "SELECT id, at FROM ledger WHERE person_id=(SELECT person_id FROM debtors WHERE id=$1) AND debtor_id=$1 \
            AND attempt_id IS NULL",
    ] {
        let sql = format!(
            "INSERT INTO borrowed_numbers (call_id, at) {calls} ON CONFLICT (call_id) DO NOTHING"
        );
        tx.run(sql, vals![found.from]).await?;
    }
    Ok(())
}
