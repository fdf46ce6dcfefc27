//! Money as it comes in, and how it gets onto debts. Links and files of banks are in `links`.

use super::SqlStore;
use super::events::append;
use super::floor::Terms;
use super::receipt_steps::steps;
use super::{bank_files, links, payers};
use crate::sql::{Field, Val, holes, vals};
use async_trait::async_trait;
use domain::entity::{
    BankFile, LinkState, MoneyPolicy, Payment, PaymentLink, PaymentParts, Receipt,
};
use domain::event::NewEvent;
use domain::ids::{BankFileId, ClientId, PaymentId, PaymentLinkId, ReceiptId};
use domain::money::Money;
use domain::ports::StoreError;
use domain::ports::store::{
    Clues, LinkFilter, PAGE_LIMIT_MAX, Page, PageRequest, PaymentFilter, ReceiptFilter,
    ReceiptOutcome, ReceiptStep, ReceiptStore, Suggestion, TellPromise, WebhookNote,
};
use domain::time::UtcMs;
use std::str::FromStr;

pub(super) fn conflict(text: &str) -> StoreError {
    StoreError::Conflict(text.to_owned())
}

/// A page by id, newest first or oldest first.
pub(super) async fn paged<T: crate::rows::Entity, K: FromStr + Field>(
    store: &SqlStore,
    mut terms: Terms,
    request: &PageRequest,
    newest: bool,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, StoreError> {
    if let Some(text) = &request.cursor {
        let after: K = text.parse().map_err(|_| StoreError::NotFound("cursor"))?;
        let n = terms.bind(vals![after]);
        terms.add(format!("id{}${n}", if newest { "<" } else { ">" }));
    }
    let limit = request.limit.clamp(1, PAGE_LIMIT_MAX);
    let n = terms.bind(vals![limit + 1]);
    let narrowed = terms.sql();
    let narrowed = if narrowed.is_empty() {
        narrowed
    } else {
        format!("WHERE {narrowed} ")
    };
    let order = if newest { " DESC" } else { "" };
    let rest = format!("{narrowed}ORDER BY id{order} LIMIT ${n}");
    let mut items: Vec<T> = store.read().await?.all(&rest, terms.values).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(key);
    Ok(Page { items, next_cursor })
}

fn receipt_terms(filter: &ReceiptFilter) -> Terms {
    let mut t = Terms::default();
    if let Some(client) = filter.client_id {
        let n = t.bind(vals![client]);
        t.add(format!("client_id=${n}"));
    }
    if !filter.states.is_empty() {
        let n = t.bind(filter.states.iter().map(Field::val).collect());
        t.add(format!("state IN ({})", holes(n, filter.states.len())));
    }
    if let Some(debtor) = filter.debtor_id {
        let n = t.bind(vals![debtor]);
        t.add(format!("debtor_id=${n}"));
    }
    if let Some(file) = filter.file_id {
        let n = t.bind(vals![file]);
        t.add(format!("file_id=${n}"));
    }
    t
}

fn payment_terms(filter: &PaymentFilter) -> Terms {
    let mut t = Terms::default();
    let mut with = |value: Option<Vec<Val>>, term: &str| {
        if let Some(value) = value {
            let n = t.bind(value);
            t.add(term.replace('?', &format!("${n}")));
        }
    };
    with(filter.client_id.map(|v| vals![v]), "client_id=?");
    with(filter.debtor_id.map(|v| vals![v]), "debtor_id=?");
    with(filter.debt_id.map(|v| vals![v]), "debt_id=?");
    with(
        filter.portfolio_id.map(|v| vals![v]),
        "debt_id IN (SELECT id FROM debts WHERE portfolio_id=?)",
    );
    with(filter.from.map(|v| vals![v]), "paid_at>=?");
    with(filter.until.map(|v| vals![v]), "paid_at<?");
    with(filter.channel.clone().map(|v| vals![v]), "channel=?");
    match filter.reversals {
        Some(true) => t.add("reverses IS NOT NULL".to_owned()),
        Some(false) => t.add("reverses IS NULL".to_owned()),
        None => {}
    }
    t
}

#[async_trait]
impl ReceiptStore for SqlStore {
    async fn money_policy(&self, client: ClientId) -> Result<MoneyPolicy, StoreError> {
        let row = self
            .read()
            .await?
            .find("WHERE client_id=$1", vals![client])
            .await?;
        Ok(row.unwrap_or_else(|| MoneyPolicy::of(client)))
    }

    async fn put_money_policy(
        &self,
        row: &MoneyPolicy,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let rest = format!("WHERE client_id=$1{}", tx.pg_only(" FOR UPDATE"));
        let stored: Option<MoneyPolicy> = tx.find(&rest, vals![row.client_id]).await?;
        if stored.map_or(0, |p| p.version) + 1 != row.version {
            return Err(conflict("the policy was changed meanwhile"));
        }
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn take_receipt(
        &self,
        row: &Receipt,
        events: &[NewEvent],
    ) -> Result<(Receipt, bool), StoreError> {
        let mut tx = self.write().await?;
        let mut row = row.clone();
        let rest = "WHERE client_id=$1 AND reference=$2";
        // Its own reference, then that of another amount under it.
        for turn in 0..2 {
            let values = || vals![row.client_id, row.reference];
            let or = " ON CONFLICT (client_id, reference) DO NOTHING";
            let mut stored: Option<Receipt> = tx.find(rest, values()).await?;
            let fresh = stored.is_none();
            if fresh {
                // Another node may be faster between the two.
                tx.insert(std::slice::from_ref(&row), or).await?;
                stored = tx.find(rest, values()).await?;
            }
            let stored = stored.ok_or(StoreError::NotFound("receipt"))?;
            if fresh && stored.id == row.id {
                append(&mut tx, events).await?;
                tx.commit().await?;
                return Ok((stored, false));
            }
            if stored.amount == row.amount || turn > 0 {
                return Ok((stored, true));
            }
            row = row.as_other_amount();
        }
        Err(StoreError::NotFound("receipt"))
    }

    async fn get_receipt(&self, id: ReceiptId) -> Result<Receipt, StoreError> {
        self.read().await?.get(id).await
    }

    async fn receipts_by_reference(&self, reference: &str) -> Result<Vec<Receipt>, StoreError> {
        let rest = "WHERE reference=$1 ORDER BY id";
        let values = vals![reference.to_owned()];
        self.read().await?.all(rest, values).await
    }

    async fn bank_receipts(
        &self,
        client: ClientId,
        own: &str,
        amount: Money,
    ) -> Result<Vec<Receipt>, StoreError> {
        bank_files::receipts(self, client, own, amount).await
    }

    async fn receipts_page(
        &self,
        filter: &ReceiptFilter,
        page: &PageRequest,
    ) -> Result<Page<Receipt>, StoreError> {
        let key = |r: &Receipt| r.id.to_string();
        paged::<Receipt, ReceiptId>(self, receipt_terms(filter), page, false, key).await
    }

    async fn step_receipt(
        &self,
        order: &ReceiptStep<'_>,
        told: TellPromise<'_>,
    ) -> Result<ReceiptOutcome, StoreError> {
        let mut done = steps(self, std::slice::from_ref(order), told).await?;
        done.pop().ok_or(StoreError::NotFound("receipt"))
    }

    async fn step_receipts(
        &self,
        orders: &[ReceiptStep<'_>],
        told: TellPromise<'_>,
    ) -> Result<Vec<ReceiptOutcome>, StoreError> {
        steps(self, orders, told).await
    }

    async fn payments_of_receipt(&self, id: ReceiptId) -> Result<Vec<Payment>, StoreError> {
        let rest =
            "WHERE id IN (SELECT payment_id FROM payment_parts WHERE receipt_id=$1) ORDER BY id";
        self.read().await?.all(rest, vals![id]).await
    }

    async fn parts_of(&self, ids: &[PaymentId]) -> Result<Vec<PaymentParts>, StoreError> {
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let mut rows: Vec<PaymentParts> = self
            .read()
            .await?
            .all_in("payment_id", ids, "", &[])
            .await?;
        rows.sort_by_key(|r| r.payment_id);
        rows.dedup_by_key(|r| r.payment_id);
        Ok(rows)
    }

    async fn payments_page(
        &self,
        filter: &PaymentFilter,
        page: &PageRequest,
    ) -> Result<Page<Payment>, StoreError> {
        let key = |p: &Payment| p.id.to_string();
        paged::<Payment, PaymentId>(self, payment_terms(filter), page, true, key).await
    }

    async fn payment_by_reference(
        &self,
        client: ClientId,
        reference: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let values = vals![client, reference.to_owned()];
        let rest = "WHERE client_id=$1 AND reference=$2";
        self.read().await?.find(rest, values).await
    }

    async fn suggest_payers(&self, clues: &Clues) -> Result<Vec<Suggestion>, StoreError> {
        payers::suggest(&mut self.read().await?, clues).await
    }

    async fn put_payment_link(
        &self,
        row: &PaymentLink,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_payment_link(&self, id: PaymentLinkId) -> Result<PaymentLink, StoreError> {
        self.read().await?.get(id).await
    }

    async fn payment_links_page(
        &self,
        filter: &LinkFilter,
        page: &PageRequest,
    ) -> Result<Page<PaymentLink>, StoreError> {
        links::links_page(self, filter, page).await
    }

    async fn answer_link(
        &self,
        id: PaymentLinkId,
        right: bool,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<PaymentLink, StoreError> {
        links::answer(self, id, right, now, events).await
    }

    async fn link_session(
        &self,
        id: PaymentLinkId,
        session: &str,
        url: &str,
    ) -> Result<PaymentLink, StoreError> {
        let mut tx = self.write().await?;
        let sql = "UPDATE payment_links SET session=$2, session_url=$3 \
            WHERE id=$1 AND state IN ('created','opened')";
        let values = vals![id, session.to_owned(), url.to_owned()];
        tx.run(sql, values).await?;
        let row = tx.get(id).await?;
        tx.commit().await?;
        Ok(row)
    }

    async fn close_link(
        &self,
        id: PaymentLinkId,
        to: LinkState,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        links::close(self, id, to, now, events).await
    }

    async fn expire_links(&self, now: UtcMs, limit: u32) -> Result<Vec<PaymentLink>, StoreError> {
        links::expire(self, now, limit).await
    }

    async fn note_webhook(&self, note: &WebhookNote) -> Result<bool, StoreError> {
        links::note(self, note).await
    }

    async fn webhook_done(&self, provider: &str, event_id: &str) -> Result<(), StoreError> {
        let sql = "UPDATE webhook_notes SET done=TRUE WHERE provider=$1 AND event_id=$2";
        let mut tx = self.write().await?;
        tx.run(sql, vals![provider.to_owned(), event_id.to_owned()])
            .await?;
        tx.commit().await
    }

    async fn waiting_webhooks(
        &self,
        provider: &str,
        money: &str,
    ) -> Result<Vec<WebhookNote>, StoreError> {
        links::about(self, provider, money, true).await
    }

    async fn webhooks_about(
        &self,
        provider: &str,
        money: &str,
    ) -> Result<Vec<WebhookNote>, StoreError> {
        links::about(self, provider, money, false).await
    }

    async fn take_bank_file(
        &self,
        row: &BankFile,
        events: &[NewEvent],
    ) -> Result<(BankFile, bool), StoreError> {
        bank_files::take(self, row, events).await
    }

    async fn put_bank_file(&self, row: &BankFile) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        tx.commit().await
    }

    async fn half_bank_files(
        &self,
        before: UtcMs,
        now: UtcMs,
    ) -> Result<Vec<BankFile>, StoreError> {
        bank_files::half(self, before, now).await
    }

    async fn resume_bank_file(
        &self,
        id: BankFileId,
        before: UtcMs,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        bank_files::resume(self, id, before, now).await
    }

    async fn get_bank_file(&self, id: BankFileId) -> Result<BankFile, StoreError> {
        self.read().await?.get(id).await
    }

    async fn bank_files_page(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<BankFile>, StoreError> {
        let mut terms = Terms::default();
        if let Some(client) = client {
            let n = terms.bind(vals![client]);
            terms.add(format!("client_id=${n}"));
        }
        let key = |f: &BankFile| f.id.to_string();
        paged::<BankFile, BankFileId>(self, terms, page, true, key).await
    }

    async fn known_references(
        &self,
        client: ClientId,
        references: &[String],
    ) -> Result<Vec<String>, StoreError> {
        if references.is_empty() {
            return Ok(vec![]);
        }
        let before = "SELECT reference FROM receipts WHERE client_id=$1 AND reference";
        let mut tx = self.read().await?;
        let rows = tx
            .rows_in(before, references, "", &[Field::val(&client)])
            .await?;
        rows.iter().map(|r| r.get("reference")).collect()
    }
}
