//! Payment links, and what providers said.

use super::SqlStore;
use super::events::append;
use super::floor::Terms;
use super::receipts::paged;
use crate::rows::{Entity as _, columns};
use crate::sql::{Link, Val, vals};
use domain::entity::{DebtStage, LINK_TRIES_MAX, LinkState, PaymentLink};
use domain::event::NewEvent;
use domain::ids::PaymentLinkId;
use domain::money::Money;
use domain::ports::StoreError;
use domain::ports::store::{LinkFilter, Page, PageRequest, WebhookNote};
use domain::rules::stage;
use domain::time::UtcMs;

pub(super) async fn links_page(
    store: &SqlStore,
    filter: &LinkFilter,
    page: &PageRequest,
) -> Result<Page<PaymentLink>, StoreError> {
    let mut terms = Terms::default();
    let mut with = |value: Option<Vec<Val>>, term: &str| {
        if let Some(value) = value {
            let n = terms.bind(value);
            terms.add(term.replace('?', &format!("${n}")));
        }
    };
    with(filter.client_id.map(|v| vals![v]), "client_id=?");
    with(filter.debtor_id.map(|v| vals![v]), "debtor_id=?");
    with(filter.made_by.clone().map(|v| vals![v]), "made_by=?");
    with(filter.state.map(|v| vals![v]), "state=?");
    let locked = match filter.locked {
        Some(false) => "NOT (state IN ('created','opened') AND tries>=?)",
        _ => "state IN ('created','opened') AND tries>=?",
    };
    with(filter.locked.map(|_| vals![LINK_TRIES_MAX]), locked);
    let key = |l: &PaymentLink| l.id.to_string();
    paged::<PaymentLink, PaymentLinkId>(store, terms, page, true, key).await
}

pub(super) async fn answer(
    store: &SqlStore,
    id: PaymentLinkId,
    right: bool,
    now: UtcMs,
    events: &[NewEvent],
) -> Result<PaymentLink, StoreError> {
    let mut tx = store.write().await?;
    let open = "state IN ('created','opened') AND expires_at>$2 AND tries<$3";
    let set = if right {
        "state='opened', opened_at=COALESCE(opened_at,$2)"
    } else {
        "tries=tries+1"
    };
    let sql = format!("UPDATE payment_links SET {set} WHERE id=$1 AND {open}");
    let changed = tx.run(sql, vals![id, now, LINK_TRIES_MAX]).await?;
    let row = tx.get(id).await?;
    if changed > 0 {
        append(&mut tx, events).await?;
    }
    tx.commit().await?;
    Ok(row)
}

pub(super) async fn close(
    store: &SqlStore,
    id: PaymentLinkId,
    to: LinkState,
    now: UtcMs,
    events: &[NewEvent],
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let (sql, values) = if to == LinkState::Paid {
        let sql = "UPDATE payment_links SET state=$2, paid_at=$3 WHERE id=$1 AND state<>$2";
        (sql, vals![id, to, now])
    } else {
        let sql = "UPDATE payment_links SET state=$2 WHERE id=$1 AND state IN ('created','opened')";
        (sql, vals![id, to])
    };
    if tx.run(sql, values).await? == 0 {
        tx.rollback().await?;
        return Ok(false);
    }
    append(&mut tx, events).await?;
    tx.commit().await?;
    Ok(true)
}

/// The open links of a debt that is sold end: its money is another's. Gives what is told of each.
pub(super) async fn withdraw(tx: &mut Link, row: &DebtStage) -> Result<Vec<NewEvent>, StoreError> {
    let sql = format!(
        "UPDATE payment_links SET state='cancelled' WHERE debtor_id=$1 AND debt_id=$2 \
            AND state IN ('created','opened') RETURNING {}",
        columns::<PaymentLink>()
    );
    let rows = tx.rows(sql, vals![row.debtor_id, row.debt_id]).await?;
    let links = rows.iter().map(PaymentLink::read);
    links
        .map(|link| Ok(stage::withdrawn(&link?, row)))
        .collect()
}

pub(super) async fn expire(
    store: &SqlStore,
    now: UtcMs,
    limit: u32,
) -> Result<Vec<PaymentLink>, StoreError> {
    let mut tx = store.write().await?;
    let rest = format!(
        "WHERE state IN ('created','opened') AND expires_at<=$1 ORDER BY expires_at, id LIMIT $2{}",
        tx.pg_only(" FOR UPDATE SKIP LOCKED")
    );
    let mut due: Vec<PaymentLink> = tx.all(&rest, vals![now, limit]).await?;
    for link in &mut due {
        link.state = LinkState::Expired;
        tx.put(link).await?;
    }
    tx.commit().await?;
    Ok(due)
}

pub(super) async fn note(store: &SqlStore, note: &WebhookNote) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let sql = "INSERT INTO webhook_notes \
        (provider,event_id,what,money,amount_minor,currency,done,at) \
        VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (provider,event_id) DO NOTHING";
    let values = vals![
        note.provider,
        note.event_id,
        note.what,
        note.money,
        note.amount.map(|a| a.amount_minor),
        note.amount.map(|a| a.currency),
        note.done,
        note.at
    ];
    tx.run(sql, values).await?;
    let sql = "SELECT done FROM webhook_notes WHERE provider=$1 AND event_id=$2";
    let row = tx.row(sql, vals![note.provider, note.event_id]).await?;
    let done = row.map_or(Ok(false), |r| r.get("done"))?;
    tx.commit().await?;
    Ok(!done)
}

/// What was said about one piece of money, oldest first; `waiting`: only what still waits.
pub(super) async fn about(
    store: &SqlStore,
    provider: &str,
    money: &str,
    waiting: bool,
) -> Result<Vec<WebhookNote>, StoreError> {
    let sql = "SELECT * FROM webhook_notes WHERE provider=$1 AND money=$2 AND NOT (done AND $3) \
        ORDER BY at, event_id";
    let values = vals![provider.to_owned(), money.to_owned(), waiting];
    let rows = store.read().await?.rows(sql, values).await?;
    let read = |row: &crate::sql::Row| -> Result<WebhookNote, StoreError> {
        let minor: Option<i64> = row.get("amount_minor")?;
        let currency = row.get("currency")?;
        Ok(WebhookNote {
            provider: row.get("provider")?,
            event_id: row.get("event_id")?,
            what: row.get("what")?,
            money: row.get("money")?,
            amount: minor.zip(currency).map(|(m, c)| Money::new(m, c)),
            done: row.get("done")?,
            at: row.get("at")?,
        })
    };
    rows.iter().map(read).collect()
}
