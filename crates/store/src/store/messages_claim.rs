//! What gateways take from the queue, each no faster than it may over all nodes.

use super::SqlStore;
use super::messages_ends::late;
use crate::rows::columns;
use crate::sql::{Field, Link, Row, holes, vals};
use domain::entity::{Channel, Message};
use domain::ports::StoreError;
use domain::ports::store::{ClaimAsk, Claimed, GatewayRow, PAGE_LIMIT_MAX};
use domain::rules::messaging::FATE_UNKNOWN;
use domain::time::UtcMs;

fn channels_of(text: &str) -> Result<Vec<Channel>, StoreError> {
    let read = |name: &str| {
        name.parse()
            .map_err(|_| StoreError::Corrupt(format!("gateways: channel {name}")))
    };
    text.split(',')
        .filter(|t| !t.is_empty())
        .map(read)
        .collect()
}

fn joined(channels: &[Channel]) -> String {
    let names: Vec<&str> = channels.iter().map(|c| c.as_str()).collect();
    names.join(",")
}

/// The gateway's row; on PostgreSQL other nodes wait for it until this transaction is over.
async fn known(tx: &mut Link, name: &str) -> Result<Option<GatewayRow>, StoreError> {
    let sql = format!(
        "SELECT channels, minute, taken, seen_at FROM gateways WHERE name=$1{}",
        tx.pg_only(" FOR UPDATE")
    );
    let found = tx.row(sql, vals![name.to_owned()]).await?;
    let read = |row: Row| -> Result<GatewayRow, StoreError> {
        let (channels, taken): (String, i64) = (row.get("channels")?, row.get("taken")?);
        Ok(GatewayRow {
            name: name.to_owned(),
            channels: channels_of(&channels)?,
            minute: row.get("minute")?,
            taken: u32::try_from(taken).unwrap_or(u32::MAX),
            seen_at: row.get("seen_at")?,
        })
    };
    found.map(read).transpose()
}

/// The gateway as it is known, made first where it is not: two nodes may ask for a new one at once.
async fn taken_hold_of(tx: &mut Link, ask: &ClaimAsk<'_>) -> Result<GatewayRow, StoreError> {
    if let Some(row) = known(tx, ask.gateway).await? {
        return Ok(row);
    }
    let sql = "INSERT INTO gateways (name, channels, minute, taken, seen_at) \
        VALUES ($1,$2,0,0,$3) ON CONFLICT (name) DO NOTHING";
    let values = vals![ask.gateway.to_owned(), joined(ask.channels), ask.now];
    tx.run(sql, values).await?;
    let row = known(tx, ask.gateway).await?;
    row.ok_or(StoreError::NotFound("gateway"))
}

fn in_order(rows: &[Row]) -> Result<Vec<Message>, StoreError> {
    let mut found: Vec<Message> = rows
        .iter()
        .map(crate::rows::Entity::read)
        .collect::<Result<_, _>>()?;
    found.sort_by_key(|m| (m.due_at, m.id));
    Ok(found)
}

async fn leased(tx: &mut Link, ask: &ClaimAsk<'_>, limit: u32) -> Result<Vec<Message>, StoreError> {
    if ask.channels.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "UPDATE messages SET lease_until=$2 WHERE id IN (SELECT id FROM messages \
            WHERE state='queued' AND due_at<=$1 AND lease_until<=$1 AND channel IN ({}) \
            ORDER BY due_at, id LIMIT $3{}) RETURNING {}",
        holes(4, ask.channels.len()),
        tx.pg_only(" FOR UPDATE SKIP LOCKED"),
        columns::<Message>()
    );
    let mut values = vals![ask.now, ask.until, limit.min(PAGE_LIMIT_MAX)];
    values.extend(ask.channels.iter().map(Field::val));
    in_order(&tx.rows(sql, values).await?)
}

/// Leases what is due, counts it, and ends what was lost.
pub(super) async fn claim(store: &SqlStore, ask: &ClaimAsk<'_>) -> Result<Claimed, StoreError> {
    let mut tx = store.write().await?;
    let before = taken_hold_of(&mut tx, ask).await?;
    let (mut row, most) = GatewayRow::asked(Some(before.clone()), ask);
    let lost = format!(
        "UPDATE messages SET state='failed', reason=$2, ended_at=$1 \
            WHERE state='sending' AND lease_until<=$1 RETURNING {}",
        columns::<Message>()
    );
    let mut lost = tx
        .rows(lost, vals![ask.now, FATE_UNKNOWN.to_owned()])
        .await?;
    lost.extend(late(&mut tx, ask.now).await?);
    let due = leased(&mut tx, ask, most).await?;
    row.taken = row
        .taken
        .saturating_add(u32::try_from(due.len()).unwrap_or(u32::MAX));
    if row.news(Some(&before)) {
        let sql = "UPDATE gateways SET channels=$2, minute=$3, taken=$4, seen_at=$5 WHERE name=$1";
        let values = vals![
            row.name,
            joined(&row.channels),
            row.minute,
            i64::from(row.taken),
            row.seen_at
        ];
        tx.run(sql, values).await?;
    }
    let lost = in_order(&lost)?;
    tx.commit().await?;
    Ok(Claimed { due, lost })
}

/// Channels that a gateway carries which was asked for since.
pub(super) async fn carried_since(
    store: &SqlStore,
    since: UtcMs,
) -> Result<Vec<Channel>, StoreError> {
    let sql = "SELECT channels FROM gateways WHERE seen_at>=$1 ORDER BY name";
    let rows = store.read().await?.rows(sql, vals![since]).await?;
    let mut found = Vec::new();
    for row in &rows {
        let channels: String = row.get("channels")?;
        found.extend(channels_of(&channels)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
