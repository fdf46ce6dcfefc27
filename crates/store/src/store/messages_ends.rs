//! How messages end before they leave.

use super::messages_in::answer_again;
use crate::rows::columns;
use crate::sql::{Link, Row, vals};
use domain::entity::{LedgerRow, Message};
use domain::ids::MessageId;
use domain::ports::StoreError;
use domain::ports::store::PAGE_LIMIT_MAX;
use domain::time::UtcMs;

/// Reason of a message that waited too long.
const EXPIRED: &str = "expired";

/// Cancels a message that waits.
pub(super) async fn cancel(
    tx: &mut Link,
    id: MessageId,
    why: &str,
    now: UtcMs,
) -> Result<(), StoreError> {
    let sql = "UPDATE messages SET state='cancelled', reason=$2, ended_at=$3, lease_until=0 \
        WHERE id=$1 AND state='queued'";
    tx.run(sql, vals![id, why.to_owned(), now]).await?;
    answer_again(tx, id).await?;
    never_left(tx, id).await
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
