//! The end of an attempt on PostgreSQL, in few ways to the server.

use super::attempts::{FREE_OWN, REACHED, leave_rows, own_lease};
use super::events::{append, told_with};
use super::item_rows::{self, Order};
use super::standing::{self, Standing};
use super::sums;
use crate::sql::{Batch, Link, rows_of_json, vals};
use domain::ids::AttemptId;
use domain::ports::StoreError;
use domain::ports::store::Closing;

/// Ends an attempt that is live. Where its debtor's item is written behind it his person is held from here on, before
/// the rows of debtor and item: who posts money takes them in that order.
async fn end(
    tx: &mut Link,
    id: AttemptId,
    closing: &Closing,
) -> Result<Option<(Standing, Vec<Order>)>, StoreError> {
    let mut batch = Batch::default();
    let (sql, values) = standing::end_sql(id, closing);
    batch.add("a", &sql, values);
    let Some(item) = &closing.item else {
        let row = tx.write_all(batch, "a.* FROM a").await?;
        let standing = row.map(|row| standing::read(id, &row)).transpose()?;
        return Ok(standing.map(|standing| (standing, Vec::new())));
    };
    let person =
        "SELECT 1 AS n FROM persons WHERE id IN (SELECT a.person_id FROM a) FOR NO KEY UPDATE";
    batch.add("p", person, vec![]);
    item_rows::orders_ask(item).join(&mut batch, "o");
    let what = "a.*, (SELECT COUNT(*) FROM p) AS held, \
        (SELECT CAST(json_agg(o) AS TEXT) FROM o) AS orders FROM a";
    let Some(row) = tx.write_all(batch, what).await? else {
        return Ok(None);
    };
    let orders = item_rows::orders(&rows_of_json(row.get("orders")?)?)?;
    Ok(Some((standing::read(id, &row)?, orders)))
}

/// Ends an attempt that is live, with all that this leaves; `false`, with nothing written, when it is not. For a closing
/// that is its end alone.
pub(super) async fn ended(
    tx: &mut Link,
    id: AttemptId,
    closing: &Closing,
) -> Result<bool, StoreError> {
    let Some((standing, orders)) = end(tx, id, closing).await? else {
        return Ok(false);
    };
    let mut reached = closing.reached_network.map(|reached| vals![id, reached]);
    // Its new rows of the ledger know it themselves.
    if !closing.ledger.is_empty()
        && let Some(values) = reached.take()
    {
        tx.run(REACHED, values).await?;
    }
    leave_rows(tx, &standing, closing).await?;
    let mut batch = Batch::default();
    let opened = (id, standing.opened_at);
    let figures = sums::ended_vals(standing.debtor_id, opened, closing.result);
    batch.add_write("d", sums::ENDED, figures);
    if let Some(values) = reached {
        batch.add_write("l", REACHED, values);
    }
    if let Some(item) = &closing.item {
        item_rows::add(&mut batch, item, &orders);
        batch.add_write("f", &FREE_OWN, own_lease(&standing));
    }
    let told = told_with(&mut batch, &closing.events);
    match &closing.item {
        Some(_) => item_rows::run(tx, batch).await?,
        None => tx.write_all(batch, "1 AS n").await.map(drop)?,
    }
    if !told {
        append(tx, &closing.events).await?;
    }
    Ok(true)
}
