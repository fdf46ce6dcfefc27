//! What debtors write.

use super::SqlStore;
use super::events::append;
use super::floor::Terms;
use super::messages::{insert_new, newest};
use crate::sql::{Field as _, Link, Val, vals};
use domain::entity::{InboxMessage, InboxState, Message};
use domain::event::NewEvent;
use domain::ids::{InboxId, MessageId};
use domain::ports::StoreError;
use domain::ports::store::{Heard, InboxAsk};
use domain::rules::messaging::is_undone;
use domain::time::UtcMs;

/// Writes a message of a debtor once; the one it answers is answered with it.
pub(super) async fn hear(store: &SqlStore, heard: &Heard) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let row = &heard.row;
    if insert_new(&mut tx, std::slice::from_ref(row)).await? == 0 {
        return Ok(false);
    }
    if let Some(message) = row.message_id {
        let sql = "UPDATE messages SET state='answered', answered_at=$2, \
            sent_at=COALESCE(sent_at, $2) WHERE id=$1 AND state IN ('sending','sent','delivered','read')";
        tx.run(sql, vals![message, row.received_at]).await?;
    }
    if let Some(ledger) = &heard.ledger {
        let once = " ON CONFLICT (id) DO NOTHING";
        tx.insert(std::slice::from_ref(ledger), once).await?;
    }
    append(&mut tx, &heard.events).await?;
    tx.commit().await?;
    Ok(true)
}

async fn looked_after(
    tx: &mut Link,
    id: InboxId,
    (state, by, now): (InboxState, &str, UtcMs),
) -> Result<bool, StoreError> {
    let sql = "UPDATE inbox SET state=$2, handled_by=$3, handled_at=$4 WHERE id=$1 AND state='new'";
    let values = vals![id, state, by.to_owned(), now];
    if tx.run(sql, values).await? == 0 {
        tx.get::<InboxMessage>(id).await?;
        return Ok(false);
    }
    Ok(true)
}

/// Queues an answer with the mark that it was given; of two who answer, the first has done it.
pub(super) async fn answer(
    store: &SqlStore,
    row: &Message,
    events: &[NewEvent],
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    let id = row
        .reply_to
        .ok_or(StoreError::NotFound("message of a debtor"))?;
    let mark = (InboxState::Answered, row.made_by.as_str(), row.created_at);
    if !looked_after(&mut tx, id, mark).await? {
        return Ok(false);
    }
    tx.insert(std::slice::from_ref(row), "").await?;
    append(&mut tx, events).await?;
    tx.commit().await?;
    Ok(true)
}

/// What an answer was to that did not reach its debtor waits for another one, unless another one was given.
pub(super) async fn answer_again(tx: &mut Link, answer: MessageId) -> Result<(), StoreError> {
    let row: Message = tx.get(answer).await?;
    let Some(to) = row.reply_to else {
        return Ok(());
    };
    let rest = "WHERE debtor_id=$1 AND reply_to=$2 AND id<>$3";
    let others: Vec<Message> = tx.all(rest, vals![row.debtor_id, to, answer]).await?;
    if !others.iter().all(is_undone) {
        return Ok(());
    }
    let sql = "UPDATE inbox SET state='new', handled_by='', handled_at=NULL \
        WHERE state='answered' AND id=$1";
    tx.run(sql, vals![to]).await.map(drop)
}

/// Marks one as looked after; of two who do, the first has done it.
pub(super) async fn handle(
    store: &SqlStore,
    id: InboxId,
    mark: (InboxState, &str, UtcMs),
    events: &[NewEvent],
) -> Result<bool, StoreError> {
    let mut tx = store.write().await?;
    if !looked_after(&mut tx, id, mark).await? {
        return Ok(false);
    }
    append(&mut tx, events).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn page(
    store: &SqlStore,
    ask: &InboxAsk,
) -> Result<Vec<InboxMessage>, StoreError> {
    let mut t = Terms::default();
    let mut equal = |name: &str, value: Option<Val>| {
        if let Some(value) = value {
            let n = t.bind(vec![value]);
            t.add(format!("{name}${n}"));
        }
    };
    equal("client_id=", ask.client.map(|v| v.val()));
    equal("debtor_id=", ask.debtor.map(|v| v.val()));
    equal("state=", ask.state.map(|v| v.val()));
    equal("id<", ask.before.map(|v| v.val()));
    newest(&mut store.read().await?, t, ask.limit).await
}
