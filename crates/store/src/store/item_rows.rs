//! Where a debtor stands in a campaign, on PostgreSQL: his row and its place in the order in one statement, so that the
//! row has one new version and not two.

use super::items::{FREE_DEBTOR, NOT_THERE, item_vals};
use super::sums::{order_code, order_values, set_order};
use crate::sql::{Ask, Batch, Field as _, Link, Row, rows_of_json, vals};
use domain::entity::CampaignParams;
use domain::ids::CampaignId;
use domain::ports::StoreError;
use domain::ports::store::ItemState;

/// A campaign and the keys of its order.
pub(super) struct Order {
    campaign: CampaignId,
    keys: Vec<String>,
}

/// Which orders follow when the item is written: that of its campaign, and of each in which its debtor is not done.
pub(super) fn orders_ask(item: &ItemState) -> Ask {
    let sql = "SELECT c.id, c.params FROM campaigns c WHERE c.id=$1 OR c.id IN \
        (SELECT i.campaign_id FROM campaign_items i WHERE i.debtor_id=$2 AND NOT i.done) ORDER BY c.id";
    Ask::new(sql, vals![item.campaign_id, item.debtor_id])
}

/// The answer.
pub(super) fn orders(rows: &[Row]) -> Result<Vec<Order>, StoreError> {
    let order = |row: &Row| {
        let params: CampaignParams = row.get("params")?;
        Ok(Order {
            campaign: row.get("id")?,
            keys: params.order,
        })
    };
    rows.iter().map(order).collect()
}

/// Writes the item as `item`, with its debtor's place in all his orders unless he is done.
pub(super) fn add(batch: &mut Batch, item: &ItemState, orders: &[Order]) {
    let own = orders
        .iter()
        .find(|order| order.campaign == item.campaign_id);
    let keys = own.map(|order| order.keys.as_slice()).unwrap_or_default();
    let mut values = item_vals(item);
    let (mut names, mut ranks, mut set) = ("", String::new(), "");
    if !item.done {
        names = ", rank1, rank2, rank3, rank4, order_code";
        ranks = format!(", {}, $10", order_values(keys).join(", "));
        set = ", rank1=excluded.rank1, rank2=excluded.rank2, rank3=excluded.rank3, \
            rank4=excluded.rank4, order_code=excluded.order_code";
        values.push(order_code(keys).val());
    }
    let sql = format!(
        "INSERT INTO campaign_items (campaign_id, debtor_id, person_id, next_at, priority, attempts, \
            last_result, next_point, done, note{names}) \
        SELECT $1, d.id, d.person_id, $3, $4, $5, $6, $7, $8, $9{ranks} FROM debtors d WHERE d.id=$2 \
        ON CONFLICT (campaign_id, debtor_id) DO UPDATE SET next_at=excluded.next_at, \
            priority=excluded.priority, attempts=excluded.attempts, last_result=excluded.last_result, \
            next_point=excluded.next_point, done=excluded.done, note=excluded.note, awake=FALSE{set} \
        RETURNING 1 AS n"
    );
    batch.add_returning("item", &sql, values);
    if item.done {
        return;
    }
    let others = orders
        .iter()
        .filter(|order| order.campaign != item.campaign_id);
    for (n, order) in others.enumerate() {
        let sql = format!("{} AND debtor_id=$3", set_order(&order.keys));
        let values = vals![order.campaign, order_code(&order.keys), item.debtor_id];
        batch.add_write(&format!("other{n}"), &sql, values);
    }
}

/// Runs a batch that writes an item.
pub(super) async fn run(tx: &mut Link, batch: Batch) -> Result<(), StoreError> {
    let row = tx
        .write_all(batch, "(SELECT COUNT(*) FROM item) AS n")
        .await?;
    match row.map(|row| row.get::<i64>("n")).transpose()? {
        Some(0) | None => Err(NOT_THERE),
        Some(_) => Ok(()),
    }
}

/// See `items::release`: the lease is given back in the statement that asks for the orders. The person's row comes before
/// that of the item, as everywhere.
pub(super) async fn release(tx: &mut Link, item: &ItemState) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    let values = vals![item.debtor_id, Some(item.campaign_id)];
    batch.add("f", &FREE_DEBTOR, values);
    if item.done {
        tx.write_all(batch, "1 AS n").await?;
        return set(tx, item, &[]).await;
    }
    orders_ask(item).join(&mut batch, "o");
    let what = "(SELECT CAST(json_agg(o) AS TEXT) FROM o) AS orders";
    let row = tx.write_all(batch, what).await?;
    let known: Option<Option<String>> = row.map(|row| row.get("orders")).transpose()?;
    let orders = orders(&rows_of_json(known.flatten())?)?;
    set(tx, item, &orders).await
}

/// See `items::write_item`.
pub(super) async fn write(tx: &mut Link, item: &ItemState) -> Result<(), StoreError> {
    let known = match item.done {
        true => Vec::new(),
        false => tx.several(vec![orders_ask(item)]).await?,
    };
    let orders = orders(known.first().map(Vec::as_slice).unwrap_or_default())?;
    set(tx, item, &orders).await
}

async fn set(tx: &mut Link, item: &ItemState, orders: &[Order]) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    add(&mut batch, item, orders);
    run(tx, batch).await
}
