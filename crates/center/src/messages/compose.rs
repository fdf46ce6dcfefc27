//! Messages that people send: by hand, and as answers to what a debtor wrote.

use super::pay;
use super::send::{action, by_hand, in_window};
use super::values::{self, Rendered, Values};
use crate::asks::Actor;
use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::{
    Channel, InboxState, Message, MessagePurpose, MessageState, TextTemplate, Verdict,
};
use domain::ids::{DebtId, DebtorId, InboxId, MessageId, PointId, TextTemplateId, VerdictId};
use domain::pii::Pii;
use domain::ports::store::ContactFacts;
use domain::rules::disclosure::{HIDES, Shown, asked, shown};
use domain::rules::template::{EMAIL_MAX, SMS_MAX, SUBJECT_MAX, WHATSAPP_MAX};
use domain::time::HOUR_MS;
use serde_json::json;
use std::sync::Arc;

/// How long a message sent by hand waits for its gateway, hours.
const WORTH_H: i64 = 24;

/// A message that somebody sends.
#[derive(Debug, Clone)]
pub struct MessageAsk {
    /// To whom.
    pub debtor_id: DebtorId,
    /// About which debt; `None` = all of his.
    pub debt_id: Option<DebtId>,
    /// To which point; `None` = the best that the law allows.
    pub point_id: Option<PointId>,
    /// Channel.
    pub channel: Channel,
    /// Template, or
    pub template_id: Option<TextTemplateId>,
    /// subject and text.
    pub subject: String,
    /// Text.
    pub text: Pii<String>,
}

/// Longest text of a channel, characters.
#[must_use]
pub(crate) const fn text_max(channel: Channel) -> usize {
    match channel {
        Channel::Email => EMAIL_MAX,
        Channel::Whatsapp => WHATSAPP_MAX,
        _ => SMS_MAX,
    }
}

fn check(ask: &MessageAsk) -> Result<(), CenterError> {
    let bad = |field, detail: String| Err(CenterError::invalid("message", field, detail));
    if !matches!(
        ask.channel,
        Channel::Sms | Channel::Whatsapp | Channel::Email
    ) {
        return bad("channel", "expected sms, whatsapp or email".to_owned());
    }
    let most = text_max(ask.channel);
    let length = ask.text.reveal().chars().count();
    if ask.template_id.is_none() && (ask.text.reveal().trim().is_empty() || length > most) {
        return bad("text", format!("expected 1 to {most} characters"));
    }
    if ask.subject.chars().count() > SUBJECT_MAX || ask.subject.contains(['\n', '\r']) {
        return bad(
            "subject",
            format!("expected one line of at most {SUBJECT_MAX} characters"),
        );
    }
    Ok(())
}

fn blocked(verdict: &Verdict) -> CenterError {
    let (es, en) = verdict
        .reason()
        .unwrap_or(("no se permite", "it is not allowed"));
    CenterError::Blocked {
        code: verdict
            .blocked
            .map_or("blocked_rule", domain::entity::BlockReason::as_str),
        es: es.to_owned(),
        en: en.to_owned(),
    }
}

/// A template filled in for a debtor.
pub(crate) async fn preview(
    shared: &Shared,
    template: &TextTemplate,
    facts: &ContactFacts,
    debt: Option<DebtId>,
) -> Result<Rendered, CenterError> {
    let client = shared.out.store.get_client(template.client_id).await?;
    let debts = shared.out.store.owed(&facts.debts, shared.now()).await?;
    let facts = &ContactFacts {
        debts,
        ..facts.clone()
    };
    let mut active = shared.out.store.active_promises(facts.debtor.id).await?;
    active.retain(|p| debt.is_none_or(|d| d == p.debt_id));
    let sample = match &shared.config.pages {
        Some(pages) if pay::has_page(shared, facts).await? => Some(pages.sample()),
        _ => None,
    };
    let values = Values {
        facts,
        client: &client,
        company: &shared.config.company,
        debt,
        promise: active.first(),
        pay: sample.as_deref(),
        channel: template.channel,
        now: shared.now(),
    };
    values::fill(template, &values)
        .map_err(|fault| CenterError::invalid("template_variable", "template", fault.to_string()))
}

/// A message as it is queued.
fn draft(shared: &Shared, actor: Actor, ask: &MessageAsk, facts: &ContactFacts) -> Message {
    let now = shared.now();
    Message {
        id: MessageId(shared.id()),
        client_id: facts.debtor.client_id,
        debtor_id: ask.debtor_id,
        debt_id: ask.debt_id,
        point_id: ask.point_id,
        address: None,
        channel: ask.channel,
        purpose: MessagePurpose::Manual,
        template_id: ask.template_id,
        template_version: 0,
        strategy_id: None,
        strategy_version: 0,
        step: String::new(),
        plan_key: None,
        subject: ask.subject.clone(),
        body: ask.text.clone(),
        due_at: now,
        expires_at: now.plus_ms(WORTH_H * HOUR_MS),
        state: MessageState::Queued,
        reason: String::new(),
        tries: 0,
        gateway: String::new(),
        provider_ref: String::new(),
        cost_micro: 0,
        currency: None,
        verdict_id: None,
        reply_to: None,
        made_by: actor.to_string(),
        created_at: now,
        sent_at: None,
        delivered_at: None,
        read_at: None,
        answered_at: None,
        ended_at: None,
    }
}

/// What the law refuses is refused here already, with its words.
async fn judged(
    shared: &Shared,
    facts: &ContactFacts,
    row: &Message,
    shows: Option<Shown>,
) -> Result<(), CenterError> {
    let action = action(row, VerdictId(shared.id()), shared.now());
    let verdict = shared.out.law.judge(facts, &action);
    let waits = matches!(verdict.decision, domain::entity::Decision::Defer { until } if until < row.expires_at);
    if !verdict.decision.permits(true) && !waits {
        shared
            .out
            .store
            .record_verdict(&verdict, row.client_id)
            .await?;
        return Err(blocked(&verdict));
    }
    if let (Some(_), Some(shows)) = (asked(&verdict, HIDES), shows) {
        let detail = format!(
            "{} holds {}: what is seen without opening it tells no amount, creditor or debt",
            shows.place, shows.what
        );
        return Err(CenterError::invalid("message_shows", "text", detail));
    }
    Ok(())
}

/// Queues a message that somebody sends.
pub(crate) async fn queue(
    shared: Arc<Shared>,
    actor: Actor,
    ask: MessageAsk,
) -> Result<Message, CenterError> {
    check(&ask)?;
    carries(&shared, ask.channel).await?;
    let facts = shared
        .out
        .store
        .contact_facts(ask.debtor_id, shared.now())
        .await?;
    if ask
        .debt_id
        .is_some_and(|id| facts.debts.iter().all(|d| d.id != id))
    {
        let detail = "the debt is not one of the debtor's open debts";
        return Err(CenterError::invalid("message", "debt_id", detail));
    }
    let mut row = draft(&shared, actor, &ask, &facts);
    let mut shows = by_hand(&row);
    match ask.template_id {
        Some(id) => {
            let template = shared.out.store.get_text_template(id).await?;
            if template.client_id != facts.debtor.client_id || template.channel != ask.channel {
                let detail = "expected a template of the debtor's client for this channel";
                return Err(CenterError::invalid("message", "template_id", detail));
            }
            // What is missing is told to who sends it, not found when it leaves.
            preview(&shared, &template, &facts, ask.debt_id).await?;
            shows = shown(template.channel, &template.subject, &template.body).map_err(|f| {
                CenterError::invalid("template_variable", "template", f.to_string())
            })?;
        }
        None => {
            let mut body = row.body.reveal().clone();
            values::with_opt_out(&mut body, row.channel, facts.debtor.language);
            row.body = Pii(body);
        }
    }
    judged(&shared, &facts, &row, shows).await?;
    let event = super::event(&shared, &row, "message.queued");
    let rows = std::slice::from_ref(&row);
    shared.out.store.plan_messages(rows, &[event]).await?;
    Ok(row)
}

/// Refuses a channel that nobody here carries: what is queued for it would wait for nothing.
async fn carries(shared: &Shared, channel: Channel) -> Result<(), CenterError> {
    if super::carried(shared).await?.contains(&channel) {
        return Ok(());
    }
    let detail = "no gateway carries this channel";
    Err(CenterError::invalid("no_gateway", "channel", detail))
}

/// Whether a channel's gateways ask for approved templates. Another node's are not seen from here: WhatsApp's do.
fn needs_template(shared: &Shared, channel: Channel) -> bool {
    let all = shared.config.messengers.iter();
    let mut own = all.filter(|m| m.channels().contains(&channel)).peekable();
    let elsewhere = own.peek().is_none();
    if elsewhere {
        channel == Channel::Whatsapp
    } else {
        own.all(|m| m.needs_template())
    }
}

/// Refuses what a provider would not take any more: free text without a template goes only within a day of the
/// debtor's own message.
async fn windowed(shared: &Shared, channel: Channel, address: &str) -> Result<(), CenterError> {
    if !needs_template(shared, channel) || in_window(shared, channel, address).await? {
        return Ok(());
    }
    let detail = "the provider takes free text only within 24 hours of the debtor's last message: \
        send an approved template";
    Err(CenterError::conflict("outside_window", detail))
}

/// Answers a message of a debtor, by the channel and to the address it came from.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    actor: Actor,
    id: InboxId,
    text: Pii<String>,
) -> Result<Message, CenterError> {
    let store = &shared.out.store;
    let heard = store.get_inbox(id).await?;
    let Some(debtor) = heard.debtor_id else {
        let detail = "nobody has the address it came from: there is no debtor to answer";
        return Err(CenterError::conflict("no_debtor", detail));
    };
    if heard.state != InboxState::New {
        let detail = "somebody has answered or closed it";
        return Err(CenterError::conflict("inbox_handled", detail));
    }
    let facts = store.contact_facts(debtor, shared.now()).await?;
    let forms = super::heard::forms(heard.channel, heard.address.reveal());
    let point = facts.points.iter().find(|p| {
        let same = |form: &String| form.eq_ignore_ascii_case(p.value.reveal());
        forms.iter().any(same)
    });
    let Some(point) = point else {
        let detail = "the address it came from is none of the debtor's points";
        return Err(CenterError::conflict("no_point", detail));
    };
    let ask = MessageAsk {
        debtor_id: debtor,
        debt_id: None,
        point_id: Some(point.id),
        channel: heard.channel,
        template_id: None,
        subject: match heard.channel {
            Channel::Email => format!("Re: {}", subject_of(&shared, heard.message_id).await?),
            _ => String::new(),
        },
        text,
    };
    check(&ask)?;
    carries(&shared, ask.channel).await?;
    windowed(&shared, ask.channel, point.value.reveal()).await?;
    let row = Message {
        purpose: MessagePurpose::Reply,
        reply_to: Some(id),
        ..draft(&shared, actor, &ask, &facts)
    };
    judged(&shared, &facts, &row, None).await?;
    let queued = super::event(&shared, &row, "message.queued");
    let data = json!({"debtor_id": debtor, "message_id": row.id});
    let subject = format!("inbox:{id}");
    let event = shared.event(
        Some(row.client_id),
        actor,
        "message.answered_by",
        subject,
        data,
    );
    // Two who answer at once answer once.
    if store.answer_inbox(&row, &[queued, event]).await? {
        return Ok(row);
    }
    let detail = "somebody has answered or closed it";
    Err(CenterError::conflict("inbox_handled", detail))
}

async fn subject_of(shared: &Shared, message: Option<MessageId>) -> Result<String, CenterError> {
    match message {
        Some(id) => {
            let subject = shared.out.store.get_message(id).await?.subject;
            Ok(subject
                .trim_start_matches("Re: ")
                .chars()
                .take(SUBJECT_MAX - 4)
                .collect())
        }
        None => Ok(String::new()),
    }
}

/// Closes a message of a debtor that needs no answer.
pub(crate) async fn close(
    shared: Arc<Shared>,
    actor: Actor,
    id: InboxId,
) -> Result<(), CenterError> {
    let heard = shared.out.store.get_inbox(id).await?;
    let data = json!({"debtor_id": heard.debtor_id});
    let subject = format!("inbox:{id}");
    let event = shared.event(heard.client_id, actor, "message.closed_by", subject, data);
    let by = actor.to_string();
    let done = shared
        .out
        .store
        .handle_inbox(id, InboxState::Closed, &by, shared.now(), &[event])
        .await?;
    if done {
        return Ok(());
    }
    let detail = "somebody has answered or closed it";
    Err(CenterError::conflict("inbox_handled", detail))
}
