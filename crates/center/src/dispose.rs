//! Dispositions: validated, stored with promise, hold, listing and next step, then told to the engine.

use crate::asks::{Actor, DisposeAsk, Disposed, PromiseAsk};
use crate::engine::DisposedAs;
use crate::engine::Seat;
use crate::error::CenterError;
use crate::feeder::zone_or_utc;
use crate::ladder::{self, CALLBACK_PRIORITY};
use crate::scribe::Step;
use crate::shared::{Shared, persist};
use domain::entity::{
    Attempt, CampaignParams, Disposition, Hold, HoldKind, HoldScope, LedgerKind, LedgerRow,
    Promise, PromiseState, Suppression, SuppressionKind,
};
use domain::event::NewEvent;
use domain::ids::{AgentId, HoldId, LedgerId, PromiseId, SuppressionId};
use domain::money::Money;
use domain::ports::store::{
    Closing, ContactFacts, ItemState, ListFilter, PAGE_LIMIT_MAX, PageRequest, PromiseRefusal,
    PromiseTerms, StoreError,
};
use domain::rules::disposition::{point_bad, retry_as, suppresses_point};
use domain::rules::promise::{self, TermsFault};
use domain::rules::retry::AFTER_CONVERSATION_H;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Longest note, characters.
const NOTE_MAX: usize = 2_000;
/// Furthest call-back, days.
const CALLBACK_MAX_DAYS: i64 = 60;
/// Broken promises in [`BROKEN_DAYS`] after which a new one needs a supervisor (terms.md §6 [H]).
const BROKEN_MAX: usize = 2;
/// How far back broken promises count, days.
const BROKEN_DAYS: i64 = 60;

/// Everything a disposition is checked against.
struct Case {
    attempt: Attempt,
    facts: ContactFacts,
    params: CampaignParams,
    seat: Option<Seat>,
    disposition: Disposition,
    now: UtcMs,
}

impl Case {
    fn agent(&self) -> Option<AgentId> {
        self.seat
            .as_ref()
            .and_then(|s| s.agent)
            .or(self.attempt.agent_id)
    }

    fn ended_at(&self) -> UtcMs {
        self.attempt.ended_at.unwrap_or(self.now)
    }
}

pub(crate) async fn dispose(
    shared: Arc<Shared>,
    actor: Actor,
    id: domain::ids::AttemptId,
    ask: DisposeAsk,
) -> Result<Disposed, CenterError> {
    let seat = shared
        .post
        .call(move |engine, _| engine.seat(actor, id))
        .await??;
    let case = match load(&shared, actor, id, &ask, seat).await? {
        Loaded::Case(case) => *case,
        Loaded::Before(before) => return Ok(*before),
    };
    check(&case, &ask)?;
    let promise = match &ask.promise {
        Some(asked) => Some(record_promise(&shared, actor, &case, asked).await?),
        None => None,
    };
    let item = next_item(&shared, &case, &ask, promise.as_ref()).await?;
    let up = case.seat.as_ref().is_some_and(|s| s.up);
    let closing = closing(&shared, actor, &case, &ask, item.clone().filter(|_| !up));
    let stops = promise.is_some() || !closing.holds.is_empty() || !closing.suppressions.is_empty();
    let conversation = !closing.ledger.is_empty();
    if !write(&shared, &case, closing).await? {
        return Err(taken());
    }
    let how = DisposedAs {
        code: case.disposition.code.clone(),
        rpc: case.disposition.rpc,
        by_agent: actor != Actor::System,
        promise: promise.as_ref().map(|p| p.amount),
        then: ask.then.map(crate::engine::wish),
        plan: item.filter(|_| up),
        conversation,
        stops,
    };
    shared
        .post
        .tell(move |engine, now| engine.disposed(now, id, how))
        .await;
    let attempt = shared.out.store.get_attempt(id).await?;
    Ok(Disposed { attempt, promise })
}

fn taken() -> CenterError {
    CenterError::conflict("disposed", "the attempt has its disposition already")
}

enum Loaded {
    Case(Box<Case>),
    /// The same disposition again: its answer is repeated.
    Before(Box<Disposed>),
}

async fn load(
    shared: &Arc<Shared>,
    actor: Actor,
    id: domain::ids::AttemptId,
    ask: &DisposeAsk,
    seat: Option<Seat>,
) -> Result<Loaded, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let attempt = store.get_attempt(id).await?;
    let known = seat
        .as_ref()
        .and_then(|s| s.disposition.clone())
        .or(attempt.disposition.clone());
    if let Some(known) = known {
        let same = known == ask.code && attempt.disposition.is_some();
        let of_it = store
            .list_promises(&of_debtor(&attempt), &whole_page())
            .await?
            .items;
        let promise = of_it.into_iter().find(|p| p.attempt_id == Some(id));
        return if same {
            Ok(Loaded::Before(Box::new(Disposed { attempt, promise })))
        } else {
            Err(taken())
        };
    }
    if seat.is_none() {
        let own = matches!(actor, Actor::Agent(agent) if attempt.agent_id != Some(agent));
        if own {
            return Err(CenterError::conflict(
                "not_your_call",
                "another agent had this call",
            ));
        }
        if attempt.bridged_at.is_none() {
            return Err(CenterError::conflict(
                "no_conversation",
                "nobody talked on this call",
            ));
        }
    }
    let disposition = store
        .get_disposition(&ask.code)
        .await
        .map_err(|e| match e {
            StoreError::NotFound(_) => CenterError::invalid(
                "unknown_disposition",
                "code",
                format!("there is no disposition '{}'", ask.code),
            ),
            other => CenterError::Store(other),
        })?;
    let params = match attempt.campaign_id {
        Some(campaign) => store.get_campaign(campaign).await?.params,
        None => CampaignParams::default(),
    };
    let facts = store.contact_facts(attempt.debtor_id, now).await?;
    Ok(Loaded::Case(Box::new(Case {
        attempt,
        facts,
        params,
        seat,
        disposition,
        now,
    })))
}

fn of_debtor(attempt: &Attempt) -> ListFilter {
    ListFilter {
        debtor_id: Some(attempt.debtor_id),
        ..ListFilter::default()
    }
}

fn whole_page() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

fn check(case: &Case, ask: &DisposeAsk) -> Result<(), CenterError> {
    let missing = |field| {
        CenterError::invalid(
            "required_field",
            field,
            format!("{} needs {field}", ask.code),
        )
    };
    let extra = |field| {
        CenterError::invalid(
            "unexpected_field",
            field,
            format!("{} takes no {field}", ask.code),
        )
    };
    if !case.disposition.agent_may_set {
        return Err(CenterError::invalid(
            "system_disposition",
            "code",
            format!("{} is set by the system only", ask.code),
        ));
    }
    let needs = |name: &str| case.disposition.required.iter().any(|r| r == name);
    match (&ask.promise, needs("promise")) {
        (None, true) => return Err(missing("promise")),
        (Some(_), false) => return Err(extra("promise")),
        _ => {}
    }
    match (ask.callback_at, needs("callback_at")) {
        (None, true) => return Err(missing("callback_at")),
        (Some(_), false) => return Err(extra("callback_at")),
        _ => {}
    }
    if let Some(at) = ask.callback_at
        && (at <= case.now || at > case.now.plus_ms(CALLBACK_MAX_DAYS * DAY_MS))
    {
        return Err(CenterError::invalid(
            "callback_at",
            "callback_at",
            format!("a call-back lies in the next {CALLBACK_MAX_DAYS} days"),
        ));
    }
    let note = ask.note.as_deref().map_or("", str::trim);
    if needs("note") && note.is_empty() {
        return Err(missing("note"));
    }
    if note.chars().count() > NOTE_MAX {
        return Err(CenterError::invalid(
            "note_too_long",
            "note",
            format!("a note has at most {NOTE_MAX} characters"),
        ));
    }
    Ok(())
}

fn terms_fault(fault: &TermsFault) -> CenterError {
    match fault {
        TermsFault::Amount { .. } => {
            CenterError::invalid("promise_amount", "promise.amount", fault.to_string())
        }
        _ => CenterError::invalid("promise_date", "promise.due_date", fault.to_string()),
    }
}

/// Too many broken ones: an agent may not take another.
async fn may_promise(shared: &Shared, actor: Actor, case: &Case) -> Result<(), CenterError> {
    if !matches!(actor, Actor::Agent(_)) {
        return Ok(());
    }
    let since = case.now.plus_ms(-BROKEN_DAYS * DAY_MS);
    let all = shared
        .out
        .store
        .list_promises(&of_debtor(&case.attempt), &whole_page())
        .await?;
    let broken = all
        .items
        .iter()
        .filter(|p| p.state == PromiseState::Broken && p.closed_at.is_some_and(|at| at >= since))
        .count();
    if broken >= BROKEN_MAX {
        return Err(CenterError::conflict(
            "promise_needs_supervisor",
            format!("{broken} promises were broken in {BROKEN_DAYS} days: a supervisor must agree"),
        ));
    }
    Ok(())
}

async fn record_promise(
    shared: &Arc<Shared>,
    actor: Actor,
    case: &Case,
    asked: &PromiseAsk,
) -> Result<Promise, CenterError> {
    let store = &shared.out.store;
    may_promise(shared, actor, case).await?;
    let id = asked.debt_id.or(case.attempt.debt_id);
    let debt = case
        .facts
        .debts
        .iter()
        .find(|d| Some(d.id) == id)
        .ok_or_else(|| {
            CenterError::invalid(
                "promise_debt",
                "promise.debt_id",
                "the debt is not one of the debtor's open debts",
            )
        })?;
    if debt.currency != asked.amount.currency {
        return Err(CenterError::invalid(
            "promise_currency",
            "promise.amount.currency",
            format!("the debt is owed in {}", debt.currency),
        ));
    }
    let balance = debt.balance_minor();
    let least = promise::least_minor(debt.overdue_minor, balance, case.params.promise_min_pct);
    promise::check_amount(asked.amount.amount_minor, least, balance)
        .map_err(|f| terms_fault(&f))?;
    let zone = zone_or_utc(&shared.out.law.zone_of(&case.facts));
    let due = promise::check_due(
        &asked.due_date,
        case.now,
        &zone,
        case.params.promise_max_days,
    )
    .map_err(|f| terms_fault(&f))?;
    let holiday = |day: jiff::civil::Date| shared.out.law.is_holiday(&case.facts, &day.to_string());
    let row = Promise {
        id: PromiseId(shared.id()),
        client_id: case.attempt.client_id,
        debtor_id: case.attempt.debtor_id,
        debt_id: debt.id,
        attempt_id: Some(case.attempt.id),
        agent_id: case.agent(),
        amount: Money::new(asked.amount.amount_minor, debt.currency),
        due_date: due.to_string(),
        grace_until: promise::grace_until(due, &zone, &holiday),
        channel: asked.channel,
        state: PromiseState::Active,
        made_at: case.now,
        closed_at: None,
    };
    let data = json!({
        "debtor_id": row.debtor_id, "debt_id": row.debt_id, "due_date": row.due_date,
        "amount_minor": row.amount.amount_minor, "currency": row.amount.currency,
    });
    let event = event(
        shared,
        actor,
        case,
        "promise.made",
        format!("promise:{}", row.id),
        data,
    );
    let terms = PromiseTerms {
        min_minor: least,
        max_minor: balance,
    };
    match store.record_promise(&row, terms, &[event]).await? {
        Ok(()) => Ok(row),
        Err(PromiseRefusal::Amount) => Err(terms_fault(&TermsFault::Amount {
            min_minor: least,
            max_minor: balance,
        })),
        Err(PromiseRefusal::Active(active)) => {
            // Recorded by the same disposition, whose answer was lost.
            let before = store.get_promise(active).await?;
            if before.attempt_id == Some(case.attempt.id) {
                return Ok(before);
            }
            Err(CenterError::conflict(
                "promise_active",
                "the debt already has an active promise",
            ))
        }
    }
}

/// Where the debtor goes in his campaign; `None` when he is no item of one.
async fn next_item(
    shared: &Arc<Shared>,
    case: &Case,
    ask: &DisposeAsk,
    promise: Option<&Promise>,
) -> Result<Option<ItemState>, CenterError> {
    let Some(campaign) = case.attempt.campaign_id else {
        return Ok(None);
    };
    let stored = crate::ops::stored_item(shared, campaign, case.attempt.debtor_id).await?;
    let Some(stored) = stored else {
        return Ok(None);
    };
    let result = case
        .attempt
        .result
        .unwrap_or(domain::entity::CallResult::Human);
    let base = match &case.seat {
        Some(seat) => ladder::counted(&seat.ctx.stocked, result, true),
        None => stored.clone(),
    };
    if stored.done {
        return Ok(Some(crate::ops::keep_done(Some(stored), base)));
    }
    Ok(Some(placed(case, ask, promise, base)))
}

fn placed(
    case: &Case,
    ask: &DisposeAsk,
    promise: Option<&Promise>,
    mut item: ItemState,
) -> ItemState {
    let disposition = &case.disposition;
    let ended = case.ended_at();
    let note = if disposition.is_final {
        item.done = true;
        "final".to_owned()
    } else if let Some(promise) = promise {
        item.next_at = promise.grace_until;
        "promise".to_owned()
    } else if let Some(at) = ask.callback_at {
        item.next_at = at;
        item.priority = CALLBACK_PRIORITY;
        match case.agent() {
            Some(agent) if ask.code == "CD.VL" || ask.code == "CD.VL.MISMO" => {
                format!("callback_own:{agent}")
            }
            _ => "callback".to_owned(),
        }
    } else if let (Some(result), Some(seat)) = (retry_as(&ask.code), &case.seat) {
        let after = ladder::after_result(&seat.ctx, result, ended, true, &[]);
        return after.item;
    } else if disposition.cooloff_h > 0 {
        item.next_at = ended.plus_ms(i64::from(disposition.cooloff_h) * HOUR_MS);
        "cooloff".to_owned()
    } else if disposition.next == "next_point" {
        item.next_at = ended;
        let Some(seat) = &case.seat else {
            return item;
        };
        "retry".clone_into(&mut item.note);
        return ladder::limited(
            &seat.ctx.stocked,
            ladder::next_point(&seat.ctx.stocked, item, true, true),
        );
    } else {
        item.next_at = ended.plus_ms(AFTER_CONVERSATION_H * HOUR_MS);
        "cooloff".to_owned()
    };
    item.note = note;
    match &case.seat {
        Some(seat) => ladder::limited(&seat.ctx.stocked, item),
        None => item,
    }
}

fn event(
    shared: &Shared,
    actor: Actor,
    case: &Case,
    kind: &str,
    subject: String,
    data: serde_json::Value,
) -> NewEvent {
    shared.event(Some(case.attempt.client_id), actor, kind, subject, data)
}

fn hold(shared: &Shared, case: &Case, kind: HoldKind) -> Hold {
    // A dispute stops one debt; everything else is about the person.
    let debt = case.attempt.debt_id.filter(|_| kind == HoldKind::Dispute);
    Hold {
        id: HoldId(shared.id()),
        client_id: case.attempt.client_id,
        debtor_id: case.attempt.debtor_id,
        scope: if debt.is_some() {
            HoldScope::Debt
        } else {
            HoldScope::Debtor
        },
        debt_id: debt,
        point_id: None,
        channel: None,
        kind,
        from: case.now,
        until: None,
        lifted_at: None,
        evidence: format!("attempt:{}", case.attempt.id),
    }
}

fn closing(
    shared: &Shared,
    actor: Actor,
    case: &Case,
    ask: &DisposeAsk,
    item: Option<ItemState>,
) -> Closing {
    let (attempt, code) = (&case.attempt, &case.disposition.code);
    let subject = format!("attempt:{}", attempt.id);
    let data = json!({"code": code, "agent_id": case.agent(), "rpc": case.disposition.rpc});
    let mut events = vec![event(shared, actor, case, "disposition.set", subject, data)];
    let holds: Vec<Hold> = case
        .disposition
        .hold
        .iter()
        .map(|kind| hold(shared, case, *kind))
        .collect();
    for row in &holds {
        let data = json!({"hold_id": row.id, "hold": row.kind});
        let subject = format!("debtor:{}", row.debtor_id);
        events.push(event(shared, actor, case, "hold.placed", subject, data));
    }
    let mut suppressions = Vec::new();
    if suppresses_point(code) {
        let row = Suppression {
            id: SuppressionId(shared.id()),
            client_id: Some(attempt.client_id),
            debtor_id: Some(attempt.debtor_id),
            kind: SuppressionKind::Phone,
            value: attempt.phone.clone(),
            reason: "wrong_number".to_owned(),
            created_at: case.now,
            lifted_at: None,
        };
        let data = json!({"suppression_id": row.id, "reason": row.reason});
        let subject = format!("debtor:{}", attempt.debtor_id);
        events.push(event(
            shared,
            actor,
            case,
            "suppression.added",
            subject,
            data,
        ));
        suppressions.push(row);
    }
    let known = case
        .seat
        .as_ref()
        .map_or(attempt.identity_at.is_some(), |s| s.conversation);
    let talked = case.disposition.rpc && !known;
    Closing {
        disposition: Some(code.clone()),
        note: ask.note.clone().filter(|n| !n.trim().is_empty()),
        disposed_at: Some(case.now),
        ledger: talked
            .then(|| conversation(shared, case))
            .into_iter()
            .collect(),
        holds,
        suppressions,
        point_bad: point_bad(code),
        point_rpc_at: case.disposition.rpc.then_some(case.now),
        item,
        events,
        ..Closing::default()
    }
}

fn conversation(shared: &Shared, case: &Case) -> LedgerRow {
    let attempt = &case.attempt;
    LedgerRow {
        id: LedgerId(shared.id()),
        person_id: attempt.person_id,
        debtor_id: attempt.debtor_id,
        client_id: attempt.client_id,
        debts: attempt.debts.clone(),
        point_id: Some(attempt.point_id),
        address: attempt.phone.clone(),
        class: attempt.class,
        channel: domain::entity::Channel::Call,
        kind: LedgerKind::Conversation,
        at: attempt.answered_at.unwrap_or(case.now),
        attempt_id: Some(attempt.id),
        campaign_id: attempt.campaign_id,
        reached_network: None,
    }
}

/// Through the attempt's own writer while it lives, so that nothing overtakes.
async fn write(shared: &Arc<Shared>, case: &Case, closing: Closing) -> Result<bool, CenterError> {
    if let Some(seat) = &case.seat {
        let (answer, wait) = oneshot::channel();
        let step = Step::Close(Box::new(closing.clone()), answer);
        if seat.scribe.send(step).await.is_ok()
            && let Ok(done) = wait.await
        {
            return Ok(done?);
        }
    }
    Ok(persist!(
        shared,
        shared.out.store.close_attempt(case.attempt.id, &closing)
    )?)
}
