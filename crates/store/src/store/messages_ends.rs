//! How messages end before they leave.

use super::messages_in::answer_again;
use crate::rows::columns;
use crate::sql::{Link, Row, vals};
use domain::entity::{LedgerRow, Message, PlannedState};
use domain::ids::{DebtorId, MessageId, PlannedStepId};
use domain::ports::StoreError;
use domain::ports::store::PAGE_LIMIT_MAX;
use domain::rules::withdrawal::{endings, frees};
use domain::time::UtcMs;
use uuid::Uuid;

/// Reason of a message that waited too long.
const EXPIRED: &str = "expired";

/// When money of a debtor last came.
pub(super) async fn paid_at(tx: &mut Link, debtor: DebtorId) -> Result<Option<UtcMs>, StoreError> {
    let sql = "SELECT MAX(posted_at) AS at FROM payments WHERE debtor_id=$1 AND reverses IS NULL";
    let row = tx.row(sql, vals![debtor]).await?;
    row.map_or(Ok(None), |row| row.get("at"))
}

/// Cancels a message that waits.
pub(super) async fn cancel(
    tx: &mut Link,
    id: MessageId,
    why: &str,
    now: UtcMs,
) -> Result<(), StoreError> {
    let sql = "UPDATE messages SET state='cancelled', reason=$2, ended_at=$3, lease_until=0 \
        WHERE id=$1 AND state='queued'";
    let gone = tx.run(sql, vals![id, why.to_owned(), now]).await? > 0;
    if gone && frees(why) {
        free_key(tx, "messages", id.0).await?;
    }
    answer_again(tx, id).await?;
    never_left(tx, id).await
}

/// Cancels a step that waits.
pub(super) async fn cancel_step(
    tx: &mut Link,
    id: PlannedStepId,
    why: &str,
    now: UtcMs,
) -> Result<(), StoreError> {
    let sql = "UPDATE planned_steps SET state=$2, reason=$3, ended_at=$4, ended_by='system' \
        WHERE id=$1 AND state='planned'";
    let values = vals![id, PlannedState::Cancelled, why.to_owned(), now];
    if tx.run(sql, values).await? > 0 && frees(why) {
        free_key(tx, "planned_steps", id.0).await?;
    }
    Ok(())
}

/// Gives the plan key of a row free, which is kept under another one.
async fn free_key(tx: &mut Link, table: &str, id: Uuid) -> Result<(), StoreError> {
    let (first, further) = endings(id);
    let sql = format!(
        "UPDATE {table} SET plan_key=plan_key || CASE WHEN EXISTS (SELECT 1 FROM {table} o \
            WHERE o.client_id={table}.client_id AND o.plan_key={table}.plan_key || $2) \
            THEN $3 ELSE $2 END WHERE id=$1 AND plan_key IS NOT NULL"
    );
    tx.run(sql, vals![id, first, further]).await.map(drop)
}

/// Ends what waited longer than it is worth something, whatever its channel: nobody may carry it.
pub(super) async fn late(tx: &mut Link, now: UtcMs) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "UPDATE messages SET state='failed', reason=$2, ended_at=$1, lease_until=0 \
            WHERE id IN (SELECT id FROM messages WHERE state='queued' AND due_at<=$1 \
                AND expires_at<=$1 AND lease_until<=$1 ORDER BY due_at, id LIMIT $3{}) RETURNING {}",
        tx.pg_only(" FOR UPDATE SKIP LOCKED"),
        columns::<Message>()
    );
    let values = vals![now, EXPIRED.to_owned(), PAGE_LIMIT_MAX];
    let rows = tx.rows(sql, values).await?;
    for row in &rows {
        answer_again(tx, row.get("id")?).await?;
        never_left(tx, row.get("id")?).await?;
    }
    Ok(rows)
}

/// A message that never left does not count.
pub(super) async fn never_left(tx: &mut Link, id: MessageId) -> Result<(), StoreError> {
    let sql = "UPDATE ledger SET reached_network=$2 WHERE id=$1";
    let values = vals![LedgerRow::id_of_message(id), false];
    tx.run(sql, values).await.map(drop)
}
