//! One message on its way: judged, counted, handed over, and what came of it.

use super::health::{self, Sign};
use super::values::{self, Rendered, Values};
use super::{LEASE_MS, event_of, heard, pay, told};
use crate::asks::Actor;
use crate::owed;
use crate::provider::link_event;
use crate::shared::{Shared, persist};
use domain::entity::{
    Channel, CheckPoint, Circumstances, ContactPoint, Debt, Decision, Language, LedgerKind,
    LedgerRow, Message, MessagePurpose, MessageState, PaymentLink, PromiseState, Verdict,
};
use domain::ids::VerdictId;
use domain::law::Action;
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, MessageDraft, MessageOpened, MessageStep, StoreError};
use domain::ports::{Accepted, Messenger, Outgoing, ProviderTemplate, SendFault};
use domain::rules::disclosure::{
    ASKS_OPT_OUT, HIDES, Shown, asked, shown, shown_by_hand, tells_opt_out,
};
use domain::rules::messaging::{FATE_UNKNOWN, WHATSAPP_WINDOW_MS, retry_after, silenced};
use domain::rules::template::TemplateFault;
use domain::time::UtcMs;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for a gateway's answer, ms: behind it nobody knows whether the message left. Half of the
/// lease, so that what comes of it can still be written.
const SEND_MAX_MS: u64 = 60_000;

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
        circumstances: Circumstances {
            asked_by: Some(row.made_by.clone()),
            action: Some(format!("message:{}", row.id)),
            ..Circumstances::default()
        },
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

/// The text of a message as it would leave.
struct Text {
    filled: Rendered,
    /// Language that it is written in.
    language: Language,
    /// Name of the template that the provider approved, and its code of the language.
    approved: (String, String),
    /// What would be seen of it without opening it.
    shows: Option<Shown>,
    link: Option<PaymentLink>,
}

/// Text of a message: its template filled in, or what somebody wrote.
async fn rendered(
    shared: &Shared,
    facts: &ContactFacts,
    row: &mut Message,
) -> Result<Result<Text, TemplateFault>, StoreError> {
    let Some(template) = row.template_id else {
        let filled = Rendered {
            subject: row.subject.clone(),
            body: row.body.reveal().clone(),
            places: Vec::new(),
        };
        return Ok(Ok(Text {
            shows: by_hand(row),
            filled,
            language: facts.debtor.language,
            approved: (String::new(), String::new()),
            link: None,
        }));
    };
    let template = shared.out.store.get_text_template(template).await?;
    let client = shared.out.store.get_client(row.client_id).await?;
    let promise = promise_of(shared, row).await?;
    row.template_version = template.version;
    let mut values = Values {
        facts,
        client: &client,
        company: &shared.config.company,
        debt: row.debt_id,
        promise: promise.as_ref(),
        pay: None,
        channel: row.channel,
        now: shared.now(),
    };
    let wants = values::wants_link(&template) && pay::has_page(shared, facts).await?;
    let link = wants.then(|| pay::link_of(shared, row, &values)).flatten();
    let pages = shared.config.pages.as_ref();
    let address = pages.zip(link.as_ref()).map(|(p, l)| p.payment(l));
    values.pay = address.as_deref();
    let shows = match shown(template.channel, &template.subject, &template.body) {
        Ok(shows) => shows,
        Err(fault) => return Ok(Err(fault)),
    };
    Ok(values::fill(&template, &values).map(|filled| Text {
        filled,
        language: template.language,
        approved: (template.provider_name, template.provider_language),
        shows,
        link,
    }))
}

/// What a text that somebody wrote would show; who asked is answered.
pub(super) fn by_hand(row: &Message) -> Option<Shown> {
    (row.purpose != MessagePurpose::Reply && row.template_id.is_none())
        .then(|| shown_by_hand(row.channel, &row.subject, row.body.reveal()))
        .flatten()
}

/// The condition of the law that a text does not hold to.
fn breaks(verdict: &Verdict, text: &Text) -> Option<String> {
    let hides = asked(verdict, HIDES).filter(|_| text.shows.is_some());
    let opt_out = asked(verdict, ASKS_OPT_OUT).filter(|_| !tells_opt_out(&text.filled.body));
    hides.or(opt_out).map(str::to_owned)
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

/// Whether the debtor wrote from an address so lately that free text may still go there.
pub(super) async fn in_window(
    shared: &Shared,
    channel: Channel,
    address: &str,
) -> Result<bool, StoreError> {
    let last = heard::last_heard(shared, channel, address).await?;
    Ok(last.is_some_and(|at| shared.now().since_ms(at) < WHATSAPP_WINDOW_MS))
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
    let facts = owed::facts_of(shared.out.store.as_ref(), row.debtor_id, now).await?;
    let mut asks = action(&row, VerdictId(shared.id()), now);
    asks.circumstances.clock = Some(shared.out.clock.seen());
    let looked = shared.out.law.judge(&facts, &asks);
    let chosen = looked.point_id.or(row.point_id);
    let Some(point) = facts.points.iter().find(|p| Some(p.id) == chosen) else {
        return end(shared, &row, MessageState::Refused, &rule_of(&looked)).await;
    };
    let text = match rendered(shared, &facts, &mut row).await? {
        Ok(found) => found,
        Err(fault) => {
            return end(shared, &row, MessageState::Failed, &reason_of(&fault)).await;
        }
    };
    if let Some(rule) = breaks(&looked, &text) {
        return end(shared, &row, MessageState::Refused, &rule).await;
    }
    let address = point.value.reveal().clone();
    let free = !gateway.needs_template() || in_window(shared, row.channel, &address).await?;
    let (name, language) = text.approved;
    if !free && name.is_empty() {
        return end(shared, &row, MessageState::Failed, "outside_window").await;
    }
    let waiting = row.clone();
    row.point_id = Some(point.id);
    row.address = Some(point.value.clone());
    row.subject.clone_from(&text.filled.subject);
    row.body = Pii(text.filled.body.clone());
    gateway.name().clone_into(&mut row.gateway);
    asks.point_id = row.point_id;
    asks.verdict_id = VerdictId(shared.id());
    let draft = draft(shared, (&facts, point), &row, (asks, text.link.as_ref()));
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
    let places = text.filled.places;
    let out = Outgoing {
        id: row.id,
        channel: row.channel,
        to: point.value.clone(),
        language: text.language,
        subject: text.filled.subject,
        body: row.body.clone(),
        template: (!free).then(|| ProviderTemplate {
            name,
            language,
            values: places.into_iter().map(Pii).collect(),
        }),
        at: now,
    };
    hand_over(shared, gateway, &row, &out).await
}

/// What is written before a message leaves.
fn draft(
    shared: &Shared,
    (facts, point): (&ContactFacts, &ContactPoint),
    row: &Message,
    (action, link): (Action, Option<&PaymentLink>),
) -> MessageDraft {
    let now = action.now;
    let mut events = vec![event_of(shared, row, MessageState::Sending, "")];
    let link = link.map(|l| PaymentLink {
        point_id: Some(point.id),
        ..l.clone()
    });
    if let Some(link) = link.as_ref().filter(|_| row.tries == 0) {
        let made = link_event(shared, Actor::System, "payment_link.made", link);
        events.push(made);
    }
    MessageDraft {
        action,
        ledger: counted(facts, row, point, now),
        link,
        lease_until: now.plus_ms(LEASE_MS),
        events,
        message: row.clone(),
    }
}

/// Hands a message over that is durable and counted, and notes what came of it.
async fn hand_over(
    shared: &Arc<Shared>,
    gateway: &dyn Messenger,
    row: &Message,
    out: &Outgoing,
) -> Result<(), StoreError> {
    let wait = Duration::from_millis(SEND_MAX_MS);
    let left = shared.now();
    let answer = tokio::time::timeout(wait, gateway.send(out)).await;
    let answer = answer.unwrap_or_else(|_| Err(SendFault::Unknown("no answer in time".to_owned())));
    let lost = matches!(answer, Err(SendFault::Unknown(_)));
    let optout = matches!(&answer, Err(SendFault::Refused { code, .. }) if gateway.is_optout(code));
    if optout {
        persist!(shared, heard::told_provider(shared, row))?;
    }
    let (sign, why) = (Sign::of(&answer, optout), answer.as_ref().err());
    let why = why.map(ToString::to_string).unwrap_or_default();
    health::note(shared, gateway.name(), sign, why).await;
    let (step, events) = outcome(shared, row, (left, answer));
    let store = &shared.out.store;
    let noted = persist!(shared, store.note_message(row.id, &step, &events))?;
    if lost
        && !noted
        && let Some(told) = told_already(shared, gateway, row).await?
    {
        let (step, events) = outcome(shared, row, (left, Ok(told)));
        persist!(shared, store.note_message(row.id, &step, &events))?;
    }
    if step.point_bad {
        told::bad_point(shared, row);
    }
    Ok(())
}

/// What a receipt told of a message whose gateway's answer was lost: that it was taken, and under which name.
async fn told_already(
    shared: &Shared,
    gateway: &dyn Messenger,
    row: &Message,
) -> Result<Option<Accepted>, StoreError> {
    let known = persist!(shared, shared.out.store.get_message(row.id))?;
    let (cost_micro, currency) = gateway.price();
    let told = !known.provider_ref.is_empty() && known.state != MessageState::Sending;
    Ok(told.then(|| Accepted {
        provider_ref: known.provider_ref.clone(),
        cost_micro,
        currency,
    }))
}

/// What a gateway's answer makes of a message that was handed over at an instant: no receipt of it is older.
fn outcome(
    shared: &Shared,
    row: &Message,
    (left, answer): (UtcMs, Result<Accepted, SendFault>),
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
            step.at = left;
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
        Err(SendFault::Later(why) | SendFault::Closed(why)) => {
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
            step.reason = Some(format!("{FATE_UNKNOWN}: {why}"));
            MessageState::Failed
        }
    };
    step.state = Some(state);
    let reason = step.reason.clone().unwrap_or_default();
    let events = if state == MessageState::Queued {
        Vec::new()
    } else {
        let (cost_micro, currency) = step.cost.unwrap_or((row.cost_micro, row.currency));
        let told = Message {
            cost_micro,
            currency,
            sent_at: (state == MessageState::Sent).then_some(left),
            ..row.clone()
        };
        vec![event_of(shared, &told, state, &reason)]
    };
    (step, events)
}
