//! Messages on their way out, and their templates.

use super::SqlStore;
use super::events::append;
use super::facts::facts_of;
use super::floor::Terms;
use super::items::{lock_person_of, write_verdict};
use super::messages_ends::{cancel, cancel_step, never_left, paid_at};
use super::{messages_claim, messages_in};
use crate::rows::{Entity, all_vals, replace_sql, written};
use crate::sql::{Field, Link, Val, holes, vals};
use async_trait::async_trait;
use domain::entity::{
    Channel, Debtor, InboxMessage, InboxState, Message, MessageState, PaymentLink, PlannedStep,
    TextTemplate,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, InboxId, MessageId, TextTemplateId};
use domain::law::Judge;
use domain::ports::StoreError;
use domain::ports::store::{
    ClaimAsk, Claimed, ContactFacts, DEBTORS_AT_MAX, Heard, InboxAsk, MessageAsk, MessageDraft,
    MessageOpened, MessageStep, MessageStore, PAGE_LIMIT_MAX, Page, PageRequest,
};
use domain::rules::messaging::{is_lost, is_undone, outdated, source_over, stopped, take_step};
use domain::rules::withdrawal::{paid_since, step_paid};
use domain::time::UtcMs;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Most messages or steps of one debtor that a withdrawal looks at.
const WITHDRAW_MAX: u32 = 1_000;

/// Keeps what a version of a row says; a version that is kept stays as it is.
pub(super) async fn keep_version(
    tx: &mut Link,
    (table, key): (&str, &str),
    (id, version): (uuid::Uuid, i32),
    said: &impl serde::Serialize,
) -> Result<(), StoreError> {
    let said = serde_json::to_string(said).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let sql = format!(
        "INSERT INTO {table} ({key}, version, said) VALUES ($1,$2,$3) ON CONFLICT ({key}, version) DO NOTHING"
    );
    tx.run(sql, vals![id, version, said]).await.map(drop)
}

/// Every version of a row, oldest first.
pub(super) async fn versions<T: serde::de::DeserializeOwned>(
    read: &mut Link,
    (table, key): (&str, &str),
    id: uuid::Uuid,
) -> Result<Vec<T>, StoreError> {
    let sql = format!("SELECT said FROM {table} WHERE {key}=$1 ORDER BY version");
    let rows = read.rows(sql, vals![id]).await?;
    rows.iter()
        .map(|row| {
            let said: String = row.get("said")?;
            serde_json::from_str(&said).map_err(|e| StoreError::Corrupt(e.to_string()))
        })
        .collect()
}

/// Inserts rows whose key nobody has; gives how many are new.
pub(super) async fn insert_new<T: Entity>(tx: &mut Link, rows: &[T]) -> Result<u64, StoreError> {
    let names = written::<T>();
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
        T::TABLE,
        names.join(","),
        holes(1, names.len())
    );
    let mut new = 0;
    for row in rows {
        new += tx.run(sql.clone(), all_vals(row)).await?;
    }
    Ok(new)
}

const TEMPLATE_VERSIONS: (&str, &str) = ("text_template_versions", "template_id");

async fn held(tx: &mut Link, id: MessageId) -> Result<Message, StoreError> {
    let lock = tx.pg_only(" FOR UPDATE");
    tx.find(&format!("WHERE id=$1{lock}"), vals![id])
        .await?
        .ok_or(StoreError::NotFound("message"))
}

/// Active promises and due instalments of a debtor.
async fn alive(tx: &mut Link, debtor: DebtorId) -> Result<BTreeSet<Uuid>, StoreError> {
    let sql = "SELECT id FROM promises WHERE debtor_id=$1 AND state='active' \
        UNION ALL SELECT i.id FROM plans p JOIN instalments i ON i.plan_id=p.id \
            WHERE p.debtor_id=$1 AND p.state IN ('signed','active') AND i.state='due'";
    let rows = tx.rows(sql, vals![debtor]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Why a message must not leave, beside the law.
async fn stops(
    tx: &mut Link,
    facts: &ContactFacts,
    row: &Message,
    now: UtcMs,
) -> Result<Option<&'static str>, StoreError> {
    let key = row.plan_key.as_deref();
    if outdated(facts, key) {
        return Ok(Some("date_changed"));
    }
    if let Some(why) = stopped(facts, row.debt_id, now) {
        return Ok(Some(why));
    }
    if key.is_some_and(|k| !k.starts_with("due_date:"))
        && let Some(why) = source_over(key, &alive(tx, row.debtor_id).await?)
    {
        return Ok(Some(why));
    }
    Ok(paid_since(
        row.created_at,
        paid_at(tx, row.debtor_id).await?,
    ))
}

#[async_trait]
impl MessageStore for SqlStore {
    async fn put_text_template(
        &self,
        row: &TextTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        keep_version(&mut tx, TEMPLATE_VERSIONS, (row.id.0, row.version), row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_text_template(&self, id: TextTemplateId) -> Result<TextTemplate, StoreError> {
        self.read().await?.get(id).await
    }

    async fn text_templates(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<TextTemplate>, StoreError> {
        let terms = of_client(client);
        self.list_rows::<TextTemplate, TextTemplateId>(terms, page, |r| r.id.to_string())
            .await
    }

    async fn text_template_versions(
        &self,
        id: TextTemplateId,
    ) -> Result<Vec<TextTemplate>, StoreError> {
        versions(&mut self.read().await?, TEMPLATE_VERSIONS, id.0).await
    }

    async fn templates_named(
        &self,
        client: ClientId,
        name: &str,
    ) -> Result<Vec<TextTemplate>, StoreError> {
        let rest = "WHERE client_id=$1 AND name=$2 AND active ORDER BY channel, language, tone";
        let values = vals![client, name.to_owned()];
        self.read().await?.all(rest, values).await
    }

    async fn plan_messages(
        &self,
        rows: &[Message],
        events: &[NewEvent],
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let new = insert_new(&mut tx, rows).await?;
        if new > 0 || rows.is_empty() {
            append(&mut tx, events).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    async fn plan_keys(
        &self,
        client: ClientId,
        keys: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let mut read = self.snapshot().await?;
        let mut taken = Vec::new();
        for table in ["messages", "planned_steps"] {
            let before = format!("SELECT plan_key FROM {table} WHERE client_id=$1 AND plan_key");
            let rows = read.rows_in(&before, keys, "", &[client.val()]).await?;
            for row in &rows {
                taken.push(row.get("plan_key")?);
            }
        }
        Ok(taken)
    }

    async fn claim_messages(&self, ask: &ClaimAsk<'_>) -> Result<Claimed, StoreError> {
        messages_claim::claim(self, ask).await
    }

    async fn carried_since(&self, since: UtcMs) -> Result<Vec<Channel>, StoreError> {
        messages_claim::carried_since(self, since).await
    }

    async fn open_message(
        &self,
        draft: &MessageDraft,
        judge: &dyn Judge,
    ) -> Result<MessageOpened, StoreError> {
        let mut tx = self.write().await?;
        let (asked, now) = (&draft.message, draft.action.now);
        lock_person_of(&mut tx, asked.debtor_id).await?;
        let row = held(&mut tx, asked.id).await?;
        // Somebody else may have had it meanwhile: it waits for its next turn then.
        if row.state != MessageState::Queued || row.tries != asked.tries {
            return Ok(MessageOpened::Gone);
        }
        let mut facts = facts_of(&mut tx, asked.debtor_id, now).await?;
        let why = stops(&mut tx, &facts, &row, now).await?;
        if let Some(why) = why {
            cancel(&mut tx, row.id, why, now).await?;
            tx.commit().await?;
            return Ok(MessageOpened::Stopped(why));
        }
        // A try that the gateway did not take is counted once, and is not held against the next one.
        facts.ledger.retain(|r| r.id != draft.ledger.id);
        let verdict = judge.judge(&facts, &draft.action);
        write_verdict(&mut tx, &verdict, Some(asked.client_id)).await?;
        if !verdict.decision.permits(draft.action.agent_reserved) {
            tx.commit().await?;
            return Ok(MessageOpened::Refused(Box::new(verdict)));
        }
        let open = Message {
            state: MessageState::Sending,
            tries: row.tries + 1,
            verdict_id: Some(verdict.id),
            reason: String::new(),
            ..asked.clone()
        };
        tx.put(&open).await?;
        let lease = "UPDATE messages SET lease_until=$2 WHERE id=$1";
        tx.run(lease, vals![open.id, draft.lease_until]).await?;
        if let Some(link) = &draft.link {
            // A further try has the same link, with what is owed by now.
            let again = replace_sql::<PaymentLink>() + " WHERE payment_links.state='created'";
            tx.insert(std::slice::from_ref(link), &again).await?;
        }
        // It counts when and where it leaves, not when it was first tried.
        let once = " ON CONFLICT (id) DO UPDATE SET at=excluded.at, point_id=excluded.point_id, \
            address=excluded.address, class=excluded.class, \
            reached_network=excluded.reached_network";
        tx.insert(std::slice::from_ref(&draft.ledger), once).await?;
        append(&mut tx, &draft.events).await?;
        tx.commit().await?;
        Ok(MessageOpened::Open)
    }

    async fn note_message(
        &self,
        id: MessageId,
        change: &MessageStep,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let mut row = held(&mut tx, id).await?;
        let (before, was_undone) = (row.state, is_undone(&row));
        // What a receipt told of has left, whatever became of the gateway's answer.
        let lost = |row: &Message| is_lost(row) && change.state == Some(MessageState::Failed);
        if !take_step(&mut row, change) || (lost(&row) && before != MessageState::Sending) {
            return Ok(false);
        }
        tx.put(&row).await?;
        let sql = "UPDATE messages SET lease_until=0 WHERE id=$1";
        tx.run(sql, vals![id]).await?;
        if is_undone(&row) && !was_undone {
            messages_in::answer_again(&mut tx, id).await?;
        }
        if change.never_left {
            never_left(&mut tx, id).await?;
        }
        if let Some(point) = row.point_id.filter(|_| change.point_bad) {
            let sql = "UPDATE contact_points SET bad=TRUE WHERE id=$1";
            tx.run(sql, vals![point]).await?;
            super::sums::refresh(&mut tx, &[row.debtor_id]).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn get_message(&self, id: MessageId) -> Result<Message, StoreError> {
        self.read().await?.get(id).await
    }

    async fn message_by_ref(
        &self,
        gateway: &str,
        provider_ref: &str,
    ) -> Result<Option<Message>, StoreError> {
        let rest = "WHERE provider_ref=$2 AND provider_ref<>'' AND gateway=$1 LIMIT 1";
        let values = vals![gateway.to_owned(), provider_ref.to_owned()];
        self.read().await?.find(rest, values).await
    }

    async fn last_message_to(
        &self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<Message>, StoreError> {
        let rest = "WHERE address=$2 AND address IS NOT NULL AND channel=$1 AND sent_at IS NOT NULL \
            ORDER BY sent_at DESC LIMIT 1";
        let values = vals![channel, address.to_owned()];
        self.read().await?.find(rest, values).await
    }

    async fn messages_page(&self, ask: &MessageAsk) -> Result<Vec<Message>, StoreError> {
        let mut t = Terms::default();
        let mut equal = |name: &str, value: Option<Val>| {
            if let Some(value) = value {
                let n = t.bind(vec![value]);
                t.add(format!("{name}${n}"));
            }
        };
        equal("client_id=", ask.client.map(|v| v.val()));
        equal("debtor_id=", ask.debtor.map(|v| v.val()));
        let sending = ask.state == Some(MessageState::Sending);
        equal("state=", ask.state.filter(|_| !sending).map(|v| v.val()));
        equal("channel=", ask.channel.map(|v| v.val()));
        equal("strategy_id=", ask.strategy.map(|v| v.val()));
        equal("id<", ask.before.map(|v| v.val()));
        if sending {
            // In the words of their index: they are few among all.
            t.add("state='sending' AND lease_until>0".to_owned());
        }
        newest(&mut self.read().await?, t, ask.limit).await
    }

    async fn withdraw_messages(
        &self,
        debtor: DebtorId,
        now: UtcMs,
        told: &(dyn for<'a> Fn(&'a Message) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Message>, StoreError> {
        let mut tx = self.write().await?;
        lock_person_of(&mut tx, debtor).await?;
        let rest = format!(
            "WHERE debtor_id=$1 AND state='queued' ORDER BY id LIMIT $2{}",
            tx.pg_only(" FOR UPDATE")
        );
        let queued: Vec<Message> = tx.all(&rest, vals![debtor, WITHDRAW_MAX]).await?;
        let rest = "WHERE debtor_id=$1 AND state='planned' ORDER BY id LIMIT $2";
        let planned: Vec<PlannedStep> = tx.all(rest, vals![debtor, WITHDRAW_MAX]).await?;
        if queued.is_empty() && planned.is_empty() {
            return Ok(Vec::new());
        }
        let facts = facts_of(&mut tx, debtor, now).await?;
        let alive = alive(&mut tx, debtor).await?;
        let paid = paid_at(&mut tx, debtor).await?;
        let over = |debt, key: Option<&str>| {
            stopped(&facts, debt, now).or_else(|| source_over(key, &alive))
        };
        let mut gone = Vec::new();
        for row in queued {
            let why = over(row.debt_id, row.plan_key.as_deref());
            if let Some(why) = why.or_else(|| paid_since(row.created_at, paid)) {
                cancel(&mut tx, row.id, why, now).await?;
                gone.push(tx.get(row.id).await?);
            }
        }
        for row in planned {
            let why = over(row.debt_id, Some(&row.plan_key));
            if let Some(why) = why.or_else(|| step_paid(&facts, &row, paid)) {
                cancel_step(&mut tx, row.id, why, now).await?;
            }
        }
        let events: Vec<NewEvent> = gone.iter().map(told).collect();
        append(&mut tx, &events).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn hear(&self, heard: &Heard) -> Result<bool, StoreError> {
        messages_in::hear(self, heard).await
    }

    async fn last_heard(
        &self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<UtcMs>, StoreError> {
        let sql = "SELECT received_at FROM inbox WHERE address=$2 AND channel=$1 \
            ORDER BY received_at DESC LIMIT 1";
        let values = vals![channel, address.to_owned()];
        let row = self.read().await?.row(sql, values).await?;
        row.map(|r| r.get("received_at")).transpose()
    }

    async fn debtors_at(&self, address: &str) -> Result<Vec<Debtor>, StoreError> {
        let rest = format!(
            "WHERE id IN (SELECT debtor_id FROM contact_points WHERE value=$1) \
                ORDER BY id LIMIT {DEBTORS_AT_MAX}"
        );
        self.read()
            .await?
            .all(&rest, vals![address.to_owned()])
            .await
    }

    async fn get_inbox(&self, id: InboxId) -> Result<InboxMessage, StoreError> {
        self.read().await?.get(id).await
    }

    async fn answer_inbox(&self, row: &Message, events: &[NewEvent]) -> Result<bool, StoreError> {
        messages_in::answer(self, row, events).await
    }

    async fn handle_inbox(
        &self,
        id: InboxId,
        state: InboxState,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        messages_in::handle(self, id, (state, by, now), events).await
    }

    async fn inbox_page(&self, ask: &InboxAsk) -> Result<Vec<InboxMessage>, StoreError> {
        messages_in::page(self, ask).await
    }
}

/// Narrows a list to a client.
pub(super) fn of_client(client: Option<ClientId>) -> (Vec<String>, Vec<Val>) {
    match client {
        Some(id) => (vec!["client_id=$1".to_owned()], vals![id]),
        None => (Vec::new(), Vec::new()),
    }
}

/// Rows that fit, the newest first.
pub(super) async fn newest<T: Entity>(
    read: &mut Link,
    mut terms: Terms,
    limit: u32,
) -> Result<Vec<T>, StoreError> {
    let n = terms.bind(vals![limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
    let sql = terms.sql();
    let filter = if sql.is_empty() {
        String::new()
    } else {
        format!("WHERE {sql}")
    };
    read.all(
        &format!("{filter} ORDER BY id DESC LIMIT ${n}"),
        terms.values,
    )
    .await
}
