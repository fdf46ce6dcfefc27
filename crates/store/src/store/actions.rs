//! What was done about debtors, what left for them, what of their promises broke: counted by one statement each.

use super::SqlStore;
use crate::sql::{Field, vals};
use domain::entity::Channel;
use domain::ids::{ClientId, DebtorId};
use domain::money::Currency;
use domain::ports::StoreError;
use domain::ports::store::{BrokenAsk, BrokenSums, DebtorActions, SentCounts};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// Attempts, messages that left and letters of debtors since `$1`.
const DONE: [&str; 3] = [
    "SELECT debtor_id, opened_at AS at, id, 'call' AS channel, result, disposition \
        FROM attempts WHERE opened_at>=$1 AND debtor_id",
    "SELECT debtor_id, sent_at AS at, id, channel FROM messages WHERE sent_at>=$1 AND debtor_id",
    "SELECT debtor_id, made_at AS at, id, 'letter' AS channel FROM letters WHERE made_at>=$1 AND debtor_id",
];

/// How many promises broke, and how much of a currency.
pub(super) async fn broken(
    store: &SqlStore,
    ask: &BrokenAsk,
    currency: Option<Currency>,
) -> Result<BrokenSums, StoreError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(COALESCE(SUM(CASE WHEN currency=$4 \
            THEN amount_minor ELSE 0 END),0) AS BIGINT) AS minor FROM promises \
        WHERE client_id=$1 AND state='broken' AND closed_at>=$2 AND closed_at<$3";
    let currency = currency.map_or_else(String::new, |c| c.to_string());
    let values = vals![ask.client, ask.from, ask.to, currency];
    let row = store.read().await?.row(sql, values).await?;
    row.map_or(Ok(BrokenSums::default()), |row| {
        Ok(BrokenSums {
            rows: row.get("n")?,
            minor: row.get("minor")?,
        })
    })
}

/// Messages and letters of a client in a time.
pub(super) async fn sent(
    store: &SqlStore,
    client: ClientId,
    (from, to): (UtcMs, UtcMs),
) -> Result<SentCounts, StoreError> {
    let sql = "SELECT \
        (SELECT COUNT(*) FROM messages WHERE client_id=$1 AND sent_at IS NOT NULL \
            AND sent_at>=$2 AND sent_at<$3) AS messages, \
        (SELECT COUNT(*) FROM letters WHERE client_id=$1 AND made_at>=$2 AND made_at<$3) AS letters";
    let row = store
        .read()
        .await?
        .row(sql, vals![client, from, to])
        .await?;
    row.map_or(Ok(SentCounts::default()), |row| {
        Ok(SentCounts {
            messages: row.get("messages")?,
            letters: row.get("letters")?,
        })
    })
}

/// What was done about each of these debtors since an instant.
pub(super) async fn of(
    store: &SqlStore,
    debtors: &[DebtorId],
    since: UtcMs,
) -> Result<Vec<DebtorActions>, StoreError> {
    let mut done: BTreeMap<DebtorId, DebtorActions> = BTreeMap::new();
    let mut read = store.snapshot().await?;
    for sql in DONE {
        let since = [Field::val(&since)];
        for row in &read
            .rows_in(sql, debtors, " ORDER BY at, id", &since)
            .await?
        {
            let id = row.get("debtor_id")?;
            let channel = row.get("channel")?;
            let came_to = match channel {
                Channel::Call => (row.get("result")?, row.get("disposition")?),
                _ => (None, None),
            };
            let of_him = done.entry(id).or_insert_with(|| DebtorActions::none(id));
            of_him.take(row.get("at")?, channel, came_to);
        }
    }
    Ok(done.into_values().collect())
}
