//! One message on its way: judged, counted, handed over, and what came of it.

use super::values::{self, Rendered, Values};
use super::{event_of, told};
use crate::shared::{Shared, persist};
use domain::entity::{
    CheckPoint, ContactPoint, Debt, Decision, LedgerKind, LedgerRow, Message, MessagePurpose,
    MessageState, PromiseState, Verdict,
};
use domain::ids::VerdictId;
use domain::law::Action;
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, MessageDraft, MessageOpened, MessageStep, StoreError};
use domain::ports::{Accepted, Messenger, Outgoing, ProviderTemplate, SendFault};
use domain::rules::messaging::{WHATSAPP_WINDOW_MS, retry_after, silenced};
use domain::rules::template::TemplateFault;
use domain::time::UtcMs;
use std::sync::Arc;

/// What is asked of the law about a message.
pub(crate) fn action(row: &Message, id: VerdictId, now: UtcMs) -> Action {
    Action {
        verdict_id: id,
        check_point: CheckPoint::Message,
        channel: row.channel,
        point_id: row.point_id,
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        ring_timeout_ms: 0,
        // A person answers for what he sends by hand.
        agent_reserved: row.purpose != MessagePurpose::Strategy,
        now,
    }
}

/// The rule that refused, for the row.
pub(crate) fn rule_of(verdict: &Verdict) -> String {
    let refused = verdict.rules.iter().find(|r| r.refused);
    refused.map_or_else(|| "refused".to_owned(), |r| r.rule.clone())
}

/// Writes how a message ended that waited, with its event.
async fn end(
    shared: &Shared,
    row: &Message,
    state: MessageState,
    reason: &str,
) -> Result<(), StoreError> {
    let step = MessageStep {
        state: Some(state),
        at: shared.now(),
        reason: Some(reason.to_owned()),
        never_left: true,
        ..MessageStep::default()
    };
    let event = event_of(shared, row, state, reason);
    persist!(
        shared,
        shared
            .out
            .store
            .note_message(row.id, &step, std::slice::from_ref(&event))
    )
    .map(drop)
}

/// The promise that a message was planned from, while it lives.
async fn promise_of(
    shared: &Shared,
    row: &Message,
) -> Result<Option<domain::entity::Promise>, StoreError> {
    let named = domain::rules::messaging::promise_of(row.plan_key.as_deref());
    if let Some(id) = named {
        let found = shared.out.store.get_promise(id).await?;
        return Ok(Some(found).filter(|p| p.state == PromiseState::Active));
    }
    let mut active = shared.out.store.active_promises(row.debtor_id).await?;
    active.retain(|p| row.debt_id.is_none_or(|d| d == p.debt_id));
    Ok(active.pop())
}

/// Text of a message: its template filled in, or what somebody wrote.
async fn rendered(
    shared: &Shared,
    facts: &ContactFacts,
    row: &mut Message,
) -> Result<Result<(Rendered, String), TemplateFault>, StoreError> {
    let Some(template) = row.template_id else {
        let plain = Rendered {
            subject: row.subject.clone(),
            body: row.body.reveal().clone(),
            places: Vec::new(),
        };
        return Ok(Ok((plain, String::new())));
    };
    let template = shared.out.store.get_text_template(template).await?;
    let client = shared.out.store.get_client(row.client_id).await?;
    let promise = promise_of(shared, row).await?;
    row.template_version = template.version;
    let values = Values {
        facts,
        client: &client,
        company: &shared.config.company,
        debt: row.debt_id,
        promise: promise.as_ref(),
        channel: row.channel,
        now: shared.now(),
    };
    Ok(values::fill(&template, &values).map(|text| (text, template.provider_name)))
}

/// The row that counts it.
fn counted(facts: &ContactFacts, row: &Message, point: &ContactPoint, at: UtcMs) -> LedgerRow {
    let spoken = |d: &&Debt| !silenced(facts, d.id, at);
    let all = || facts.debts.iter().filter(spoken).map(|d| d.id).collect();
    LedgerRow {
        id: LedgerRow::id_of_message(row.id),
        person_id: facts.debtor.person_id,
        debtor_id: row.debtor_id,
        client_id: row.client_id,
        debts: row.debt_id.map_or_else(all, |d| vec![d]),
        point_id: Some(point.id),
        address: point.value.clone(),
        class: point.class,
        channel: row.channel,
        kind: LedgerKind::Message,
        at,
        attempt_id: None,
        campaign_id: None,
        reached_network: None,
    }
}

/// The law refused: later, where it names an instant at which the message is still worth something.
async fn refused(shared: &Shared, row: &Message, verdict: &Verdict) -> Result<(), StoreError> {
    let rule = rule_of(verdict);
    if let Decision::Defer { until } = verdict.decision
        && until < row.expires_at
        && until > shared.now()
    {
        let step = MessageStep {
            at: shared.now(),
            reason: Some(rule),
            due_at: Some(until),
            ..MessageStep::default()
        };
        let done = shared.out.store.note_message(row.id, &step, &[]).await?;
        tracing::debug!(message = %row.id, done, "message deferred by the law");
        return Ok(());
    }
    end(shared, row, MessageState::Refused, &rule).await
}

/// Why a text could not be filled in, for the row.
fn reason_of(fault: &TemplateFault) -> String {
    match fault {
        TemplateFault::Missing(name) => format!("missing:{name}"),
        _ => "template".to_owned(),
    }
}

/// Looks after one message that is due.
pub(super) async fn one(
    shared: &Arc<Shared>,
    gateway: &dyn Messenger,
    mut row: Message,
) -> Result<(), StoreError> {
    let now = shared.now();
    if row.expires_at <= now {
        return end(shared, &row, MessageState::Failed, "expired").await;
    }
    let facts = shared.out.store.contact_facts(row.debtor_id, now).await?;
    let mut asked = action(&row, VerdictId(shared.id()), now);
    let looked = shared.out.law.judge(&facts, &asked);
    let chosen = looked.point_id.or(row.point_id);
    let Some(point) = facts.points.iter().find(|p| Some(p.id) == chosen) else {
        return end(shared, &row, MessageState::Refused, &rule_of(&looked)).await;
    };
    let (text, approved) = match rendered(shared, &facts, &mut row).await? {
        Ok(found) => found,
        Err(fault) => {
            return end(shared, &row, MessageState::Failed, &reason_of(&fault)).await;
        }
    };
    let address = point.value.reveal().clone();
    let heard = shared.out.store.last_heard(row.channel, &address).await?;
    let open = heard.is_some_and(|at| now.since_ms(at) < WHATSAPP_WINDOW_MS);
    let free = !gateway.needs_template() || open;
    if !free && approved.is_empty() {
        return end(shared, &row, MessageState::Failed, "outside_window").await;
    }
    let waiting = row.clone();
    row.point_id = Some(point.id);
    row.address = Some(point.value.clone());
    row.subject.clone_from(&text.subject);
    row.body = Pii(text.body.clone());
    gateway.name().clone_into(&mut row.gateway);
    asked.point_id = row.point_id;
    asked.verdict_id = VerdictId(shared.id());
    let draft = MessageDraft {
        action: asked,
        ledger: counted(&facts, &row, point, now),
        events: vec![event_of(shared, &row, MessageState::Sending, "")],
        message: row.clone(),
    };
    let law: &dyn domain::law::Judge = shared.out.law.as_ref();
    match shared.out.store.open_message(&draft, law).await? {
        MessageOpened::Open => {}
        MessageOpened::Gone => return Ok(()),
        MessageOpened::Stopped(why) => {
            shared.journal(event_of(shared, &waiting, MessageState::Cancelled, why));
            return Ok(());
        }
        MessageOpened::Refused(verdict) => return refused(shared, &waiting, &verdict).await,
    }
    row.tries += 1;
    row.state = MessageState::Sending;
    let out = Outgoing {
        id: row.id,
        channel: row.channel,
        to: point.value.clone(),
        language: facts.debtor.language,
        subject: text.subject,
        body: row.body.clone(),
        template: (!free).then(|| ProviderTemplate {
            name: approved,
            values: text.places.into_iter().map(Pii).collect(),
        }),
        at: now,
    };
    hand_over(shared, gateway, &row, &out).await
}

/// Hands a message over that is durable and counted, and notes what came of it.
async fn hand_over(
    shared: &Arc<Shared>,
    gateway: &dyn Messenger,
    row: &Message,
    out: &Outgoing,
) -> Result<(), StoreError> {
    let answer = gateway.send(out).await;
    let (step, events) = outcome(shared, row, answer);
    let store = &shared.out.store;
    persist!(shared, store.note_message(row.id, &step, &events))?;
    if step.point_bad {
        told::bad_point(shared, row);
    }
    Ok(())
}

/// What a gateway's answer makes of a message.
fn outcome(
    shared: &Shared,
    row: &Message,
    answer: Result<Accepted, SendFault>,
) -> (MessageStep, Vec<domain::event::NewEvent>) {
    let at = shared.now();
    let mut step = MessageStep {
        at,
        ..MessageStep::default()
    };
    let state = match answer {
        Ok(accepted) => {
            step.provider_ref = Some(accepted.provider_ref);
            step.cost = Some((accepted.cost_micro, accepted.currency));
            MessageState::Sent
        }
        Err(SendFault::Refused { code, bad_address }) => {
            step.never_left = true;
            step.point_bad = bad_address;
            step.reason = Some(code);
            if bad_address {
                MessageState::Bounced
            } else {
                MessageState::Failed
            }
        }
        Err(SendFault::Later(why)) => {
            step.reason = Some(why);
            match retry_after(row.tries).map(|wait| at.plus_ms(wait)) {
                Some(next) if next < row.expires_at => {
                    step.due_at = Some(next);
                    MessageState::Queued
                }
                _ => {
                    step.never_left = true;
                    MessageState::Failed
                }
            }
        }
        Err(SendFault::Unknown(why)) => {
            step.reason = Some(format!("fate_unknown: {why}"));
            MessageState::Failed
        }
    };
    step.state = Some(state);
    let reason = step.reason.clone().unwrap_or_default();
    let events = if state == MessageState::Queued {
        Vec::new()
    } else {
        vec![event_of(shared, row, state, &reason)]
    };
    (step, events)
}
