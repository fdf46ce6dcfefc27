//! Money as it comes in: receipts, payment links, files of banks, what providers said.

use super::payers::suggest;
use super::receipt_steps::tried;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    BankFile, Forgiven, LINK_TRIES_MAX, LinkState, MoneyPolicy, Payment, PaymentLink, PaymentParts,
    Receipt,
};
use domain::event::NewEvent;
use domain::ids::{BankFileId, ClientId, PaymentId, PaymentLinkId, ReceiptId};
use domain::money::Money;
use domain::ports::store::{
    Clues, LinkFilter, PAGE_LIMIT_MAX, Page, PageRequest, PaymentFilter, ReceiptFilter,
    ReceiptOutcome, ReceiptStep, ReceiptStore, StoreError, Suggestion, TellPromise, WebhookNote,
};
use domain::time::UtcMs;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// Everything about money before it is on a debt.
#[derive(Debug, Default)]
pub(crate) struct MoneyTables {
    pub(crate) receipts: BTreeMap<ReceiptId, Receipt>,
    pub(crate) parts: BTreeMap<PaymentId, PaymentParts>,
    pub(crate) policies: BTreeMap<ClientId, MoneyPolicy>,
    pub(crate) links: BTreeMap<PaymentLinkId, PaymentLink>,
    pub(crate) webhooks: BTreeMap<(String, String), WebhookNote>,
    pub(crate) files: BTreeMap<BankFileId, BankFile>,
    pub(crate) forgiven: Vec<Forgiven>,
}

pub(super) fn conflict(text: &str) -> StoreError {
    StoreError::Conflict(text.to_owned())
}

/// A page by id, newest first or oldest first.
pub(super) fn page<K: Ord + Copy + Display + FromStr, V: Clone>(
    table: &BTreeMap<K, V>,
    request: &PageRequest,
    newest: bool,
    passes: impl Fn(&V) -> bool,
) -> Result<Page<V>, StoreError> {
    let read = |text: &String| {
        text.parse::<K>()
            .map_err(|_| StoreError::NotFound("cursor"))
    };
    let after = request.cursor.as_ref().map(read).transpose()?;
    let limit = request.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
    let beyond = |k: &K| after.is_none_or(|a| if newest { *k < a } else { *k > a });
    let mut rows: Vec<(&K, &V)> = table
        .iter()
        .filter(|(k, v)| beyond(k) && passes(v))
        .collect();
    if newest {
        rows.reverse();
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Page {
        next_cursor: rows.last().filter(|_| more).map(|(k, _)| k.to_string()),
        items: rows.into_iter().map(|(_, v)| v.clone()).collect(),
    })
}

#[async_trait]
impl ReceiptStore for MemoryStore {
    async fn money_policy(&self, client: ClientId) -> Result<MoneyPolicy, StoreError> {
        let t = self.tx().await?;
        let row = t.money.policies.get(&client).cloned();
        Ok(row.unwrap_or_else(|| MoneyPolicy::of(client)))
    }

    async fn put_money_policy(
        &self,
        row: &MoneyPolicy,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let stored = t
            .money
            .policies
            .get(&row.client_id)
            .map_or(0, |p| p.version);
        if stored + 1 != row.version {
            return Err(conflict("the policy was changed meanwhile"));
        }
        t.money.policies.insert(row.client_id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn take_receipt(
        &self,
        row: &Receipt,
        events: &[NewEvent],
    ) -> Result<(Receipt, bool), StoreError> {
        let mut t = self.tx().await?;
        let stored = |t: &Tables, row: &Receipt| {
            let same = |r: &&Receipt| r.client_id == row.client_id && r.reference == row.reference;
            t.money.receipts.values().find(same).cloned()
        };
        let mut row = row.clone();
        if let Some(first) = stored(&t, &row) {
            if first.amount == row.amount {
                return Ok((first, true));
            }
            row = row.as_other_amount();
            if let Some(second) = stored(&t, &row) {
                return Ok((second, true));
            }
        }
        t.money.receipts.insert(row.id, row.clone());
        t.append(events);
        Ok((row, false))
    }

    async fn get_receipt(&self, id: ReceiptId) -> Result<Receipt, StoreError> {
        let t = self.tx().await?;
        let row = t.money.receipts.get(&id).cloned();
        row.ok_or(StoreError::NotFound("receipt"))
    }

    async fn receipts_by_reference(&self, reference: &str) -> Result<Vec<Receipt>, StoreError> {
        let t = self.tx().await?;
        let rows = t.money.receipts.values();
        Ok(rows.filter(|r| r.reference == reference).cloned().collect())
    }

    async fn bank_receipts(
        &self,
        client: ClientId,
        own: &str,
        amount: Money,
    ) -> Result<Vec<Receipt>, StoreError> {
        Ok(super::bank_files::receipts(
            &*self.tx().await?,
            client,
            own,
            amount,
        ))
    }

    async fn receipts_page(
        &self,
        filter: &ReceiptFilter,
        request: &PageRequest,
    ) -> Result<Page<Receipt>, StoreError> {
        let t = self.tx().await?;
        page(&t.money.receipts, request, false, |r| {
            filter.client_id.is_none_or(|c| r.client_id == c)
                && (filter.states.is_empty() || filter.states.contains(&r.state))
                && filter.debtor_id.is_none_or(|d| r.debtor_id == Some(d))
                && filter.file_id.is_none_or(|f| r.file_id == Some(f))
        })
    }

    async fn step_receipt(
        &self,
        step: &ReceiptStep<'_>,
        told: TellPromise<'_>,
    ) -> Result<ReceiptOutcome, StoreError> {
        let steps = std::slice::from_ref(step);
        let mut done = tried(&mut *self.tx().await?, steps, told)?;
        done.pop().ok_or(StoreError::NotFound("receipt"))
    }

    async fn step_receipts(
        &self,
        steps: &[ReceiptStep<'_>],
        told: TellPromise<'_>,
    ) -> Result<Vec<ReceiptOutcome>, StoreError> {
        tried(&mut *self.tx().await?, steps, told)
    }

    async fn payments_of_receipt(&self, id: ReceiptId) -> Result<Vec<Payment>, StoreError> {
        let t = self.tx().await?;
        let of = |p: &&Payment| {
            t.money
                .parts
                .get(&p.id)
                .is_some_and(|x| x.receipt_id == Some(id))
        };
        Ok(t.payments.values().filter(of).cloned().collect())
    }

    async fn parts_of(&self, ids: &[PaymentId]) -> Result<Vec<PaymentParts>, StoreError> {
        let t = self.tx().await?;
        let parts = t.money.parts.values();
        Ok(parts
            .filter(|p| ids.contains(&p.payment_id))
            .cloned()
            .collect())
    }

    async fn payments_page(
        &self,
        f: &PaymentFilter,
        request: &PageRequest,
    ) -> Result<Page<Payment>, StoreError> {
        let t = self.tx().await?;
        let portfolio = |p: &Payment| t.debts.get(&p.debt_id).map(|d| d.portfolio_id);
        page(&t.payments, request, true, |p| {
            f.client_id.is_none_or(|c| p.client_id == c)
                && f.debtor_id.is_none_or(|d| p.debtor_id == d)
                && f.debt_id.is_none_or(|d| p.debt_id == d)
                && f.portfolio_id.is_none_or(|x| portfolio(p) == Some(x))
                && f.from.is_none_or(|at| p.paid_at >= at)
                && f.until.is_none_or(|at| p.paid_at < at)
                && f.channel.as_ref().is_none_or(|c| p.channel.as_str() == c)
                && f.reversals.is_none_or(|r| p.reverses.is_some() == r)
        })
    }

    async fn payment_by_reference(
        &self,
        client: ClientId,
        reference: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let t = self.tx().await?;
        let same = |p: &&Payment| p.client_id == client && p.reference == reference;
        Ok(t.payments.values().find(same).cloned())
    }

    async fn suggest_payers(&self, clues: &Clues) -> Result<Vec<Suggestion>, StoreError> {
        Ok(suggest(&*self.tx().await?, clues))
    }

    async fn put_payment_link(
        &self,
        row: &PaymentLink,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.money.links.insert(row.id, row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_payment_link(&self, id: PaymentLinkId) -> Result<PaymentLink, StoreError> {
        let t = self.tx().await?;
        let row = t.money.links.get(&id).cloned();
        row.ok_or(StoreError::NotFound("payment link"))
    }

    async fn payment_links_page(
        &self,
        filter: &LinkFilter,
        request: &PageRequest,
    ) -> Result<Page<PaymentLink>, StoreError> {
        let t = self.tx().await?;
        page(&t.money.links, request, true, |l| filter.has(l))
    }

    async fn answer_link(
        &self,
        id: PaymentLinkId,
        right: bool,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<PaymentLink, StoreError> {
        let mut t = self.tx().await?;
        let link = t.money.links.get_mut(&id);
        let link = link.ok_or(StoreError::NotFound("payment link"))?;
        let open = matches!(link.state, LinkState::Created | LinkState::Opened)
            && link.expires_at > now
            && link.tries < LINK_TRIES_MAX;
        if open && right {
            link.state = LinkState::Opened;
            link.opened_at = link.opened_at.or(Some(now));
        } else if open {
            link.tries += 1;
        }
        let row = link.clone();
        if open {
            t.append(events);
        }
        Ok(row)
    }

    async fn link_session(
        &self,
        id: PaymentLinkId,
        session: &str,
        url: &str,
    ) -> Result<PaymentLink, StoreError> {
        let mut t = self.tx().await?;
        let link = t.money.links.get_mut(&id);
        let link = link.ok_or(StoreError::NotFound("payment link"))?;
        let open = matches!(link.state, LinkState::Created | LinkState::Opened);
        if open {
            link.session = Some(session.to_owned());
            link.session_url = Some(url.to_owned());
        }
        Ok(link.clone())
    }

    async fn close_link(
        &self,
        id: PaymentLinkId,
        to: LinkState,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let Some(link) = t.money.links.get_mut(&id) else {
            return Ok(false);
        };
        let open = matches!(link.state, LinkState::Created | LinkState::Opened);
        if link.state == to || (to != LinkState::Paid && !open) {
            return Ok(false);
        }
        link.state = to;
        if to == LinkState::Paid {
            link.paid_at = Some(now);
        }
        t.append(events);
        Ok(true)
    }

    async fn expire_links(&self, now: UtcMs, limit: u32) -> Result<Vec<PaymentLink>, StoreError> {
        let mut t = self.tx().await?;
        let over = |l: &&mut PaymentLink| {
            matches!(l.state, LinkState::Created | LinkState::Opened) && l.expires_at <= now
        };
        let mut due: Vec<&mut PaymentLink> = t.money.links.values_mut().filter(over).collect();
        due.sort_by_key(|l| (l.expires_at, l.id));
        let mut done = Vec::new();
        for link in due.into_iter().take(limit as usize) {
            link.state = LinkState::Expired;
            done.push(link.clone());
        }
        Ok(done)
    }

    async fn note_webhook(&self, note: &WebhookNote) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let key = (note.provider.clone(), note.event_id.clone());
        let kept = t.money.webhooks.entry(key).or_insert_with(|| note.clone());
        Ok(!kept.done)
    }

    async fn webhook_done(&self, provider: &str, event_id: &str) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let key = (provider.to_owned(), event_id.to_owned());
        if let Some(note) = t.money.webhooks.get_mut(&key) {
            note.done = true;
        }
        Ok(())
    }

    async fn waiting_webhooks(
        &self,
        provider: &str,
        money: &str,
    ) -> Result<Vec<WebhookNote>, StoreError> {
        let t = self.tx().await?;
        let waits = |n: &&WebhookNote| {
            n.provider == provider && n.money.as_deref() == Some(money) && !n.done
        };
        let mut rows: Vec<WebhookNote> = t.money.webhooks.values().filter(waits).cloned().collect();
        rows.sort_by_key(|n| n.at);
        Ok(rows)
    }

    async fn webhooks_about(
        &self,
        provider: &str,
        money: &str,
    ) -> Result<Vec<WebhookNote>, StoreError> {
        Ok(super::bank_files::words_about(
            &*self.tx().await?,
            provider,
            money,
        ))
    }

    async fn half_bank_files(
        &self,
        before: UtcMs,
        now: UtcMs,
    ) -> Result<Vec<BankFile>, StoreError> {
        Ok(super::bank_files::half(&mut *self.tx().await?, before, now))
    }

    async fn resume_bank_file(
        &self,
        id: BankFileId,
        before: UtcMs,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        Ok(super::bank_files::resume(
            &mut *self.tx().await?,
            id,
            before,
            now,
        ))
    }

    async fn take_bank_file(
        &self,
        row: &BankFile,
        events: &[NewEvent],
    ) -> Result<(BankFile, bool), StoreError> {
        Ok(super::bank_files::take(&mut *self.tx().await?, row, events))
    }

    async fn put_bank_file(&self, row: &BankFile) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.money.files.insert(row.id, row.clone());
        Ok(())
    }

    async fn get_bank_file(&self, id: BankFileId) -> Result<BankFile, StoreError> {
        let t = self.tx().await?;
        let row = t.money.files.get(&id).cloned();
        row.ok_or(StoreError::NotFound("bank file"))
    }

    async fn bank_files_page(
        &self,
        client: Option<ClientId>,
        request: &PageRequest,
    ) -> Result<Page<BankFile>, StoreError> {
        let t = self.tx().await?;
        page(&t.money.files, request, true, |f| {
            client.is_none_or(|c| f.client_id == c)
        })
    }

    async fn known_references(
        &self,
        client: ClientId,
        references: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let t = self.tx().await?;
        let known = |r: &&Receipt| r.client_id == client && references.contains(&r.reference);
        let rows = t.money.receipts.values().filter(known);
        Ok(rows.map(|r| r.reference.clone()).collect())
    }
}
