//! Messages, their templates, and what debtors write.

use super::attempts::count;
use super::contacts::facts_of;
use super::messages_ends::{answer, answer_again, cancel, cancel_step, claim, never_left, paid_at};
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Channel, Debtor, InboxMessage, InboxState, InstalmentState, LinkState, Message, MessageState,
    PlanState, PlannedState, PlannedStep, PromiseState, TextTemplate,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, InboxId, MessageId, TextTemplateId};
use domain::law::Judge;
use domain::ports::store::{
    ClaimAsk, Claimed, DEBTORS_AT_MAX, Heard, InboxAsk, MessageAsk, MessageDraft, MessageOpened,
    MessageStep, MessageStore, PAGE_LIMIT_MAX, Page, PageRequest, StoreError,
};
use domain::rules::messaging::{is_lost, is_undone, outdated, source_over, stopped, take_step};
use domain::rules::withdrawal::{paid_since, step_paid};
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use uuid::Uuid;

/// A page of a table by key.
pub(super) fn page_of<K: Ord + Copy + FromStr + ToString, V: Clone>(
    table: &BTreeMap<K, V>,
    fits: impl Fn(&V) -> bool,
    request: &PageRequest,
) -> Result<Page<V>, StoreError> {
    let after: Option<K> = match &request.cursor {
        Some(text) => Some(text.parse().map_err(|_| StoreError::NotFound("cursor"))?),
        None => None,
    };
    let limit = request.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
    let rows = table
        .iter()
        .filter(|(k, v)| after.is_none_or(|a| **k > a) && fits(v));
    let mut found: Vec<(K, V)> = rows.take(limit + 1).map(|(k, v)| (*k, v.clone())).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|(k, _)| k.to_string());
    Ok(Page {
        items: found.into_iter().map(|(_, v)| v).collect(),
        next_cursor,
    })
}

/// Active promises and due instalments of a debtor.
fn alive(t: &Tables, debtor: DebtorId) -> BTreeSet<Uuid> {
    let promises = t.promises.values();
    let active = promises.filter(|p| p.debtor_id == debtor && p.state == PromiseState::Active);
    let due = t.instalments.values().filter(|i| {
        let plan = t.plans.get(&i.plan_id);
        i.state == InstalmentState::Due
            && plan.is_some_and(|p| {
                p.debtor_id == debtor && matches!(p.state, PlanState::Signed | PlanState::Active)
            })
    });
    active.map(|p| p.id.0).chain(due.map(|i| i.id.0)).collect()
}

pub(super) fn is_planned(t: &Tables, client: ClientId, key: &str) -> (bool, bool) {
    let message = t
        .messages
        .values()
        .any(|m| m.client_id == client && m.plan_key.as_deref() == Some(key));
    let step = t
        .planned_steps
        .values()
        .any(|s| s.client_id == client && s.plan_key == key);
    (message, step)
}

/// Rows that fit, the newest first.
fn newest<K: Ord, V: Clone>(
    table: &BTreeMap<K, V>,
    fits: impl Fn(&V) -> bool,
    limit: u32,
) -> Vec<V> {
    let limit = limit.clamp(1, PAGE_LIMIT_MAX + 1) as usize;
    table
        .values()
        .rev()
        .filter(|v| fits(v))
        .take(limit)
        .cloned()
        .collect()
}

#[async_trait]
impl MessageStore for MemoryStore {
    async fn put_text_template(
        &self,
        row: &TextTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let same = |o: &&TextTemplate| {
            o.id != row.id
                && (o.client_id, &o.name, o.channel, o.language, o.tone)
                    == (
                        row.client_id,
                        &row.name,
                        row.channel,
                        row.language,
                        row.tone,
                    )
        };
        if t.text_templates.values().find(same).is_some() {
            let what = "the name for this channel, language and tone is taken";
            return Err(StoreError::Conflict(what.into()));
        }
        t.text_templates.insert(row.id, row.clone());
        t.text_template_versions
            .entry((row.id, row.version))
            .or_insert_with(|| row.clone());
        t.append(events);
        Ok(())
    }

    async fn get_text_template(&self, id: TextTemplateId) -> Result<TextTemplate, StoreError> {
        let t = self.tx().await?;
        t.text_templates
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("template"))
    }

    async fn text_templates(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<TextTemplate>, StoreError> {
        let t = self.tx().await?;
        page_of(
            &t.text_templates,
            |r| client.is_none_or(|c| c == r.client_id),
            page,
        )
    }

    async fn text_template_versions(
        &self,
        id: TextTemplateId,
    ) -> Result<Vec<TextTemplate>, StoreError> {
        let t = self.tx().await?;
        let rows = t
            .text_template_versions
            .range((id, i32::MIN)..=(id, i32::MAX));
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    async fn templates_named(
        &self,
        client: ClientId,
        name: &str,
    ) -> Result<Vec<TextTemplate>, StoreError> {
        let t = self.tx().await?;
        let rows = t.text_templates.values();
        let mut found: Vec<TextTemplate> = rows
            .filter(|r| r.client_id == client && r.name == name && r.active)
            .cloned()
            .collect();
        found.sort_by_key(|r| (r.channel.as_str(), r.language.as_str(), r.tone.as_str()));
        Ok(found)
    }

    async fn plan_messages(
        &self,
        rows: &[Message],
        events: &[NewEvent],
    ) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let mut new = 0;
        for row in rows {
            let planned = row
                .plan_key
                .as_deref()
                .is_some_and(|key| is_planned(&t, row.client_id, key).0);
            if !planned && !t.messages.contains_key(&row.id) {
                t.messages.insert(row.id, row.clone());
                new += 1;
            }
        }
        if new > 0 || rows.is_empty() {
            t.append(events);
        }
        Ok(new)
    }

    async fn plan_keys(
        &self,
        client: ClientId,
        keys: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let t = self.tx().await?;
        let taken = |key: &&String| is_planned(&t, client, key) != (false, false);
        Ok(keys.iter().filter(taken).cloned().collect())
    }

    async fn claim_messages(&self, ask: &ClaimAsk<'_>) -> Result<Claimed, StoreError> {
        let mut t = self.tx().await?;
        Ok(claim(&mut t, ask))
    }

    async fn carried_since(&self, since: UtcMs) -> Result<Vec<Channel>, StoreError> {
        let t = self.tx().await?;
        let there = t.gateways.values().filter(|g| g.seen_at >= since);
        let found: BTreeSet<Channel> = there.flat_map(|g| g.channels.iter().copied()).collect();
        Ok(found.into_iter().collect())
    }

    async fn open_message(
        &self,
        draft: &MessageDraft,
        judge: &dyn Judge,
    ) -> Result<MessageOpened, StoreError> {
        let mut t = self.tx().await?;
        let (asked, now) = (&draft.message, draft.action.now);
        let row = t
            .messages
            .get(&asked.id)
            .cloned()
            .ok_or(StoreError::NotFound("message"))?;
        if row.state != MessageState::Queued || row.tries != asked.tries {
            return Ok(MessageOpened::Gone);
        }
        let mut facts = facts_of(&t, asked.debtor_id, now)?;
        let key = row.plan_key.as_deref();
        let why = match outdated(&facts, key) {
            true => Some("date_changed"),
            false => stopped(&facts, row.debt_id, now)
                .or_else(|| source_over(key, &alive(&t, asked.debtor_id)))
                .or_else(|| paid_since(row.created_at, paid_at(&t, asked.debtor_id))),
        };
        if let Some(why) = why {
            cancel(&mut t, row.id, why, now);
            return Ok(MessageOpened::Stopped(why));
        }
        facts.ledger.retain(|r| r.id != draft.ledger.id);
        let verdict = judge.judge(&facts, &draft.action);
        t.verdicts.insert(verdict.id, verdict.clone());
        if !verdict.decision.permits(draft.action.agent_reserved) {
            return Ok(MessageOpened::Refused(Box::new(verdict)));
        }
        let open = Message {
            state: MessageState::Sending,
            tries: row.tries + 1,
            verdict_id: Some(verdict.id),
            reason: String::new(),
            ..asked.clone()
        };
        t.message_leases.insert(open.id, draft.lease_until);
        t.messages.insert(open.id, open);
        if let Some(link) = &draft.link {
            let before = t.money.links.get(&link.id);
            if before.is_none_or(|l| l.state == LinkState::Created) {
                t.money.links.insert(link.id, link.clone());
            }
        }
        t.ledger.retain(|r| r.id != draft.ledger.id);
        count(&mut t, std::slice::from_ref(&draft.ledger));
        t.append(&draft.events);
        Ok(MessageOpened::Open)
    }

    async fn note_message(
        &self,
        id: MessageId,
        change: &MessageStep,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let row = t
            .messages
            .get_mut(&id)
            .ok_or(StoreError::NotFound("message"))?;
        let mut next = row.clone();
        let lost = |row: &Message| is_lost(row) && change.state == Some(MessageState::Failed);
        if !take_step(&mut next, change) || (lost(&next) && row.state != MessageState::Sending) {
            return Ok(false);
        }
        let undone = is_undone(&next) && !is_undone(row);
        *row = next;
        let point = row.point_id;
        t.message_leases.remove(&id);
        if undone {
            answer_again(&mut t, id);
        }
        if change.never_left {
            never_left(&mut t, id);
        }
        if let Some(point) = point
            .filter(|_| change.point_bad)
            .and_then(|p| t.points.get_mut(&p))
        {
            point.bad = true;
        }
        t.append(events);
        Ok(true)
    }

    async fn get_message(&self, id: MessageId) -> Result<Message, StoreError> {
        let t = self.tx().await?;
        t.messages
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("message"))
    }

    async fn message_by_ref(
        &self,
        gateway: &str,
        provider_ref: &str,
    ) -> Result<Option<Message>, StoreError> {
        let t = self.tx().await?;
        let named = |m: &&Message| {
            !provider_ref.is_empty() && m.gateway == gateway && m.provider_ref == provider_ref
        };
        Ok(t.messages.values().find(named).cloned())
    }

    async fn last_message_to(
        &self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<Message>, StoreError> {
        let t = self.tx().await?;
        let rows = t.messages.values().filter(|m| {
            m.channel == channel
                && m.sent_at.is_some()
                && m.address.as_ref().is_some_and(|a| a.reveal() == address)
        });
        Ok(rows.max_by_key(|m| (m.sent_at, m.id)).cloned())
    }

    async fn messages_page(&self, ask: &MessageAsk) -> Result<Vec<Message>, StoreError> {
        let t = self.tx().await?;
        let fits = |m: &Message| {
            ask.client.is_none_or(|v| v == m.client_id)
                && ask.debtor.is_none_or(|v| v == m.debtor_id)
                && ask.state.is_none_or(|v| v == m.state)
                && ask.channel.is_none_or(|v| v == m.channel)
                && ask.strategy.is_none_or(|v| Some(v) == m.strategy_id)
                && ask.before.is_none_or(|v| m.id < v)
        };
        Ok(newest(&t.messages, fits, ask.limit))
    }

    async fn withdraw_messages(
        &self,
        debtor: DebtorId,
        now: UtcMs,
        told: &(dyn for<'a> Fn(&'a Message) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Message>, StoreError> {
        let mut t = self.tx().await?;
        if !t.debtors.contains_key(&debtor) {
            return Ok(Vec::new());
        }
        let facts = facts_of(&t, debtor, now)?;
        let alive = alive(&t, debtor);
        let paid = paid_at(&t, debtor);
        let over = |debt, key: Option<&str>| {
            stopped(&facts, debt, now).or_else(|| source_over(key, &alive))
        };
        let why = |m: &Message| {
            over(m.debt_id, m.plan_key.as_deref()).or_else(|| paid_since(m.created_at, paid))
        };
        let why_step = |s: &PlannedStep| {
            over(s.debt_id, Some(&s.plan_key)).or_else(|| step_paid(&facts, s, paid))
        };
        let mut gone = Vec::new();
        let queued = t.messages.values();
        let stop: Vec<(MessageId, &'static str)> = queued
            .filter(|m| m.debtor_id == debtor && m.state == MessageState::Queued)
            .filter_map(|m| Some((m.id, why(m)?)))
            .collect();
        let planned = t.planned_steps.values();
        let steps: Vec<_> = planned
            .filter(|s| s.debtor_id == debtor && s.state == PlannedState::Planned)
            .filter_map(|s| Some((s.id, why_step(s)?)))
            .collect();
        for (id, why) in stop {
            cancel(&mut t, id, why, now);
            gone.extend(t.messages.get(&id).cloned());
        }
        for (id, why) in steps {
            cancel_step(&mut t, id, why, now);
        }
        let events: Vec<NewEvent> = gone.iter().map(told).collect();
        t.append(&events);
        Ok(gone)
    }

    async fn hear(&self, heard: &Heard) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let row = &heard.row;
        let same = |r: &InboxMessage| {
            r.id == row.id || (r.gateway == row.gateway && r.provider_ref == row.provider_ref)
        };
        if t.inbox.values().any(same) {
            return Ok(false);
        }
        t.inbox.insert(row.id, row.clone());
        let answered = row.message_id.and_then(|id| t.messages.get_mut(&id));
        if let Some(message) = answered
            && message.state.may_become(MessageState::Answered)
        {
            message.state = MessageState::Answered;
            message.answered_at = Some(row.received_at);
            message.sent_at = message.sent_at.or(Some(row.received_at));
        }
        if let Some(ledger) = &heard.ledger {
            count(&mut t, std::slice::from_ref(ledger));
        }
        t.append(&heard.events);
        Ok(true)
    }

    async fn last_heard(
        &self,
        channel: Channel,
        address: &str,
    ) -> Result<Option<UtcMs>, StoreError> {
        let t = self.tx().await?;
        let rows = t.inbox.values();
        Ok(rows
            .filter(|r| r.channel == channel && r.address.reveal() == address)
            .map(|r| r.received_at)
            .max())
    }

    async fn debtors_at(&self, address: &str) -> Result<Vec<Debtor>, StoreError> {
        let t = self.tx().await?;
        let points = t.points.values();
        let has: BTreeSet<DebtorId> = points
            .filter(|p| p.value.reveal() == address)
            .map(|p| p.debtor_id)
            .collect();
        let debtors = has.iter().filter_map(|id| t.debtors.get(id));
        Ok(debtors.take(DEBTORS_AT_MAX).cloned().collect())
    }

    async fn get_inbox(&self, id: InboxId) -> Result<InboxMessage, StoreError> {
        let t = self.tx().await?;
        t.inbox
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("message of a debtor"))
    }

    async fn answer_inbox(&self, row: &Message, events: &[NewEvent]) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        answer(&mut t, row, events)
    }

    async fn handle_inbox(
        &self,
        id: InboxId,
        state: InboxState,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let row = t
            .inbox
            .get_mut(&id)
            .ok_or(StoreError::NotFound("message of a debtor"))?;
        if row.state != InboxState::New {
            return Ok(false);
        }
        row.state = state;
        row.handled_by = by.to_owned();
        row.handled_at = Some(now);
        t.append(events);
        Ok(true)
    }

    async fn inbox_page(&self, ask: &InboxAsk) -> Result<Vec<InboxMessage>, StoreError> {
        let t = self.tx().await?;
        let fits = |r: &InboxMessage| {
            ask.client.is_none_or(|v| Some(v) == r.client_id)
                && ask.debtor.is_none_or(|v| Some(v) == r.debtor_id)
                && ask.state.is_none_or(|v| v == r.state)
                && ask.before.is_none_or(|v| r.id < v)
        };
        Ok(newest(&t.inbox, fits, ask.limit))
    }
}
