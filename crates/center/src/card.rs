//! The agent's card, projected on the server: until identity is ticked, amounts, creditor, product
//! and the steps that speak of them are not in it.

use crate::conduct::Conduct;
use crate::live::Stocked;
use crate::script;
use crate::shared::Shared;
use crate::words;
use domain::entity::{
    Attempt, Channel, Claim, ClaimState, Debt, DebtItem, DebtStage, InboxMessage, InstalmentState,
    Letter, Message, Payment, PlanFile, PlanState, Promise, PromiseState, Visit, VisitState,
};
use domain::ids::{AttemptId, DebtorId};
use domain::law::Duties;
use domain::money::Money;
use domain::pii::{mask, mask_phone};
use domain::ports::store::{
    DebtorFile, InboxAsk, MessageAsk, PageRequest, StageFilter, StoreError,
};
use domain::rules::disposition::{codes_of_set, standard_label};
use domain::rules::due_items::open_of;
use domain::segment::day_of_date;
use domain::spoken::short_date;
use domain::time::UtcMs;
use serde_json::{Value, json};

/// Most lines of the timeline.
const TIMELINE_MAX: usize = 50;
/// Most messages of each direction, most letters and most visits among them.
const WRITTEN_MAX: u32 = 30;
/// Most debts whose stages are read.
const STAGES_MAX: u32 = 50;
/// Most promises and payments shown.
const MONEY_MAX: usize = 20;
/// Most unpaid due items of a debt, oldest first.
const ITEMS_MAX: usize = 6;

/// Claims of payment read: the newest one tells.
const CLAIMS_MAX: u32 = 1;

/// The debtor's history, read while it rings.
#[derive(Debug, Default)]
pub(crate) struct CardSource {
    /// Due items of his debts, by debt, oldest first.
    pub(crate) items: Vec<DebtItem>,
    pub(crate) promises: Vec<Promise>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) plans: Vec<PlanFile>,
    pub(crate) messages: Vec<Message>,
    pub(crate) received: Vec<InboxMessage>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) visits: Vec<Visit>,
    /// The newest payment that he says he made.
    pub(crate) claims: Vec<Claim>,
    /// Where his open debts stand.
    pub(crate) stages: Vec<DebtStage>,
}

impl From<DebtorFile> for CardSource {
    fn from(file: DebtorFile) -> Self {
        Self {
            items: file.items,
            promises: file.promises,
            payments: file.payments,
            attempts: file.attempts,
            ..Self::default()
        }
    }
}

impl CardSource {
    /// Reads a debtor's history.
    pub(crate) async fn read(shared: &Shared, debtor: DebtorId) -> Result<Self, StoreError> {
        let mut source = Self::from(shared.out.store.debtor_file(debtor).await?);
        let store = &shared.out.store;
        source.plans = store.plans_of(debtor).await?;
        let ask = MessageAsk {
            debtor: Some(debtor),
            limit: WRITTEN_MAX,
            ..MessageAsk::default()
        };
        source.messages = store.messages_page(&ask).await?;
        let ask = InboxAsk {
            debtor: Some(debtor),
            limit: WRITTEN_MAX,
            ..InboxAsk::default()
        };
        source.received = store.inbox_page(&ask).await?;
        source.letters = store.letters_of(debtor, WRITTEN_MAX).await?;
        source.visits = store.visits_of(debtor, None, WRITTEN_MAX).await?;
        source.claims = store.claims_of(debtor, CLAIMS_MAX).await?;
        let filter = StageFilter {
            debtor_id: Some(debtor),
            ..StageFilter::default()
        };
        let page = PageRequest {
            limit: STAGES_MAX,
            cursor: None,
        };
        source.stages = store.stages_page(&filter, &page).await?.items;
        Ok(source)
    }

    /// Whether the debtor broke his last promise, and has made no other.
    fn broke_his_last(&self) -> bool {
        let last = self.promises.iter().max_by_key(|p| (p.made_at, p.id));
        last.is_some_and(|p| p.state == PromiseState::Broken)
    }
}

fn plans(source: &CardSource, gate: bool) -> Vec<Value> {
    let shown = source
        .plans
        .iter()
        .filter(|f| f.plan.state != PlanState::Draft);
    let line = |file: &PlanFile| {
        let mut line = crate::plans::wire(&file.plan);
        if let Some(map) = line.as_object_mut() {
            if gate {
                map.retain(|key, _| !key.ends_with("_minor"));
            }
            let next = file
                .instalments
                .iter()
                .find(|i| i.state == InstalmentState::Due);
            map.insert("next_due".to_owned(), json!(next.map(|i| &i.due_date)));
        }
        line
    };
    shown.take(MONEY_MAX).map(line).collect()
}

/// Who looks at the card and how much he may see.
pub(crate) struct Viewer<'a> {
    pub(crate) agent: &'a str,
    pub(crate) company: &'a str,
    /// Amounts, creditor and product are withheld.
    pub(crate) gate: bool,
    pub(crate) now: UtcMs,
    /// What the debtor's packs ask of the conversation.
    pub(crate) duties: Duties,
}

/// Kind of message a card goes out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardKind {
    Pop(AttemptId),
    Full(AttemptId),
    Preview(AttemptId),
}

fn money(gate: bool, amount_minor: i64, debt: &Debt) -> Option<Money> {
    (!gate).then(|| Money::new(amount_minor, debt.currency))
}

/// The unpaid due items of a debt; what they are of is not for who has not been identified.
fn items(source: &CardSource, debt: &Debt, gate: bool) -> Vec<Value> {
    let own = source.items.iter().filter(|i| i.debt_id == debt.id);
    let own: Vec<DebtItem> = own.filter(|_| !gate).cloned().collect();
    let open = open_of(&own, debt.principal_minor);
    let unpaid = own.iter().zip(open).filter(|(_, open)| *open > 0);
    let line = |(item, open): (&DebtItem, i64)| json!({"due_date": item.due_date, "open": money(gate, open, debt)});
    unpaid.take(ITEMS_MAX).map(line).collect()
}

fn debts(stocked: &Stocked, source: &CardSource, viewer: &Viewer<'_>) -> Vec<Value> {
    let gate = viewer.gate;
    let mut list: Vec<&Debt> = stocked.facts.debts.iter().collect();
    list.sort_by(|a, b| (&a.due_date, a.id).cmp(&(&b.due_date, b.id)));
    list.into_iter()
        .map(|debt| {
            let today = viewer.now.in_zone(&stocked.setting.zone).date().to_string();
            let days = day_of_date(&today)
                .zip(day_of_date(&debt.due_date))
                .map_or(0, |(now, due)| now - due);
            let ageing = &stocked.setting.terms.ageing;
            let bucket = ageing.of(days);
            json!({
                "id": debt.id,
                "external_ref": (!gate).then_some(&debt.external_ref),
                "product": (!gate).then_some(&debt.product),
                "creditor": (!gate).then_some(&stocked.setting.client.name),
                "bucket": bucket,
                "bucket_label": ageing.label(bucket),
                "days_past_due": days,
                "balance": money(gate, debt.balance_minor(), debt),
                "overdue": money(gate, debt.overdue_minor, debt),
                "minimum": money(gate, debt.least_payment_minor(), debt),
                "items": items(source, debt, gate),
            })
        })
        .collect()
}

fn promises(source: &CardSource, gate: bool) -> Vec<Value> {
    let line = |p: &Promise| {
        json!({
            "id": p.id, "debt_id": p.debt_id, "state": p.state, "due_date": p.due_date,
            "channel": p.channel, "made_at": p.made_at.0, "amount": (!gate).then_some(p.amount),
        })
    };
    source.promises.iter().take(MONEY_MAX).map(line).collect()
}

fn payments(source: &CardSource, gate: bool) -> Vec<Value> {
    let line = |p: &Payment| {
        json!({
            "id": p.id, "debt_id": p.debt_id, "paid_at": p.paid_at.0, "channel": p.channel,
            "amount": (!gate).then_some(p.amount),
        })
    };
    source.payments.iter().take(MONEY_MAX).map(line).collect()
}

/// What he last said he paid, while nobody has found it; that he owes is not for who has not been identified.
fn claim(source: &CardSource, gate: bool) -> Option<Value> {
    let newest = source.claims.first().filter(|_| !gate)?;
    let line =
        || json!({"paid_on": newest.paid_on, "channel": newest.channel, "state": newest.state});
    (newest.state != ClaimState::Found).then(line)
}

fn line(at: UtcMs, kind: &str, es: String, en: String) -> (UtcMs, Value) {
    let line = json!({"at": at.0, "kind": kind, "text_es": es, "text_en": en});
    (at, line)
}

/// Visits that stand, planned or made: whom they met, never where or what was noted.
fn visited(source: &CardSource) -> impl Iterator<Item = (UtcMs, Value)> {
    let stands = |v: &&Visit| v.state != VisitState::Cancelled;
    source.visits.iter().filter(stands).map(|v| {
        let how = words::visit(v.outcome);
        let (es, en) = (format!("visita {}", how.0), format!("visit {}", how.1));
        line(v.visited_at.unwrap_or(v.planned_at), "visit", es, en)
    })
}

/// What was written to the debtor and by him, and agreed with him: which way and how it ended, never a text.
fn written(source: &CardSource) -> Vec<(UtcMs, Value)> {
    let left = source.messages.iter().filter(|m| m.state.has_left());
    let messages = left.map(|m| {
        let (via, how) = (words::channel(m.channel), words::message(m.state));
        let at = m.sent_at.unwrap_or(m.due_at);
        let (es, en) = (
            format!("{} {}", via.0, how.0),
            format!("{} {}", via.1, how.1),
        );
        line(at, "message", es, en)
    });
    let received = source.received.iter().map(|m| {
        let via = words::channel(m.channel);
        let (es, en) = (
            format!("escribió por {}", via.0),
            format!("wrote by {}", via.1),
        );
        line(m.received_at, "reply", es, en)
    });
    let letters = source.letters.iter().map(|l| {
        let (es, en) = (format!("carta {}", l.level), format!("letter {}", l.level));
        line(l.made_at, "letter", es, en)
    });
    let drawn = source.plans.iter();
    let drawn = drawn.filter(|file| file.plan.state != PlanState::Draft);
    let plans = drawn.map(|file| {
        let how = words::plan(file.plan.state);
        let (es, en) = (format!("convenio {}", how.0), format!("plan {}", how.1));
        line(file.plan.made_at, "plan", es, en)
    });
    messages
        .chain(received)
        .chain(letters)
        .chain(visited(source))
        .chain(plans)
        .collect()
}

fn timeline(source: &CardSource, now: AttemptId) -> Vec<Value> {
    let mut lines: Vec<(UtcMs, Value)> = Vec::new();
    for attempt in source.attempts.iter().filter(|a| a.id != now) {
        let (es, en) = attempt
            .result
            .map_or(("en curso", "under way"), words::result);
        let code = attempt.disposition.as_deref();
        let (of_es, of_en) = code.map_or((String::new(), String::new()), |code| {
            // A code of nobody's tree is all that is known of it.
            let (es, en) = standard_label(code).unwrap_or((code, code));
            (format!(" · {es}"), format!(" · {en}"))
        });
        lines.push((
            attempt.opened_at,
            json!({
                "at": attempt.opened_at.0, "kind": "attempt",
                "text_es": format!("{es}{of_es}"), "text_en": format!("{en}{of_en}"),
            }),
        ));
    }
    for promise in &source.promises {
        let (due, state) = (short_date(&promise.due_date), words::promise(promise.state));
        lines.push((
            promise.made_at,
            json!({
                "at": promise.made_at.0, "kind": "promise",
                "text_es": format!("promesa para el {} ({})", due.0, state.0),
                "text_en": format!("promise due {} ({})", due.1, state.1),
            }),
        ));
    }
    for payment in &source.payments {
        let how = words::payment(payment.channel);
        lines.push((
            payment.paid_at,
            json!({
                "at": payment.paid_at.0, "kind": "payment",
                "text_es": format!("pago {}", how.0),
                "text_en": format!("payment {}", how.1),
            }),
        ));
    }
    lines.extend(written(source));
    lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    lines
        .into_iter()
        .take(TIMELINE_MAX)
        .map(|(_, line)| line)
        .collect()
}

fn notices(stocked: &Stocked, source: &CardSource) -> Vec<Value> {
    let mut found = Vec::new();
    let broken = source
        .promises
        .iter()
        .filter(|p| p.state == PromiseState::Broken)
        .count();
    if broken > 0 {
        found.push(json!({
            "es": format!("promesas incumplidas: {broken}"),
            "en": format!("broken promises: {broken}"),
        }));
    }
    if stocked.decision == "allow_agent_only" {
        found.push(json!({
            "es": format!("solo con gestor: {}", stocked.reason.0),
            "en": format!("with an agent only: {}", stocked.reason.1),
        }));
    }
    found
}

/// Builds the whole wire message.
pub(crate) fn build(
    kind: CardKind,
    stocked: &Stocked,
    source: &CardSource,
    viewer: &Viewer<'_>,
) -> Value {
    let (t, id, attempt) = match kind {
        CardKind::Pop(id) => ("pop", id, Some(id)),
        CardKind::Full(id) => ("card", id, Some(id)),
        CardKind::Preview(id) => ("preview", id, None),
    };
    let debtor = &stocked.facts.debtor;
    let phones: Vec<Value> = stocked
        .facts
        .points
        .iter()
        .filter(|p| p.channel == Channel::Call)
        .map(|p| {
            json!({
                "point": p.id, "masked": mask_phone(p.value.reveal()), "class": p.class, "bad": p.bad,
                "dialed": p.id == stocked.point.id,
            })
        })
        .collect();
    let campaign = &stocked.setting.campaign;
    let (offers, goal) = if viewer.gate {
        (vec![], None)
    } else {
        let now = viewer.now;
        (
            crate::plans::offers::of_card(stocked, now),
            crate::plans::offers::goal_of_card(stocked, now),
        )
    };
    let mut card = json!({
        "t": t,
        "attempt": attempt,
        "campaign": {
            "id": campaign.id, "name": campaign.name,
            "codes": codes_of_set(&campaign.params.disposition_set),
        },
        "gate": viewer.gate,
        "debtor": {
            "id": debtor.id,
            "name": debtor.name.reveal(),
            "document_masked": mask(debtor.document.reveal()),
            "language": debtor.language,
            "country": debtor.country,
            "phones": phones,
        },
        "debts": debts(stocked, source, viewer),
        "promises": promises(source, viewer.gate),
        "payments": payments(source, viewer.gate),
        "claim": claim(source, viewer.gate),
        "script": script::render(stocked, viewer, source.broke_his_last(), &source.stages),
        "offers": offers,
        "goal": goal,
        "plans": plans(source, viewer.gate),
        "duties": Conduct::of(viewer.duties.clone(), &source.attempts, attempt),
        "notices": notices(stocked, source),
        "timeline": timeline(source, id),
    });
    if let (CardKind::Preview(item), Some(map)) = (kind, card.as_object_mut()) {
        map.insert("item".to_owned(), json!(item));
    }
    card
}
