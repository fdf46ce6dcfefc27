//! Dispositions: validated, stored with promise, hold, listing and next step, then told to the engine.

use crate::asks::{Actor, DisposeAsk, Disposed};
use crate::disposed::closing;
use crate::engine::{DisposedAs, Seat};
use crate::error::CenterError;
use crate::ladder;
use crate::negotiation::measure;
use crate::promises;
use crate::scribe::{Step, history};
use crate::shared::{Shared, persist};
use domain::entity::{Attempt, CampaignParams, Disposition, Promise};
use domain::ids::AgentId;
use domain::ports::store::{
    CALLBACK_PRIORITY, CallbackRow, Closing, ContactFacts, ItemState, LEFT_SEGMENT, ListFilter,
    PAGE_LIMIT_MAX, PageRequest, StoreError,
};
use domain::rules::disposition::{CLAIM_MAX_DAYS, in_set, proof_of, retry_as, takes_claim};
use domain::rules::negotiation::Outcome;
use domain::rules::retry::AFTER_CONVERSATION_H;
use domain::segment::{day_of_date, utc_day};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Longest note, characters.
const NOTE_MAX: usize = 2_000;
/// Furthest call-back, days.
const CALLBACK_MAX_DAYS: i64 = crate::floor::callbacks::FURTHEST_DAYS;
/// Everything a disposition is checked against.
pub(crate) struct Case {
    pub(crate) attempt: Attempt,
    pub(crate) facts: ContactFacts,
    pub(crate) params: CampaignParams,
    pub(crate) seat: Option<Seat>,
    pub(crate) disposition: Disposition,
    /// What was reached of the goal.
    pub(crate) negotiation: Option<Outcome>,
    pub(crate) now: UtcMs,
}

impl Case {
    pub(crate) fn agent(&self) -> Option<AgentId> {
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
    let mut case = match load(&shared, actor, id, &ask, seat).await? {
        Loaded::Case(case) => *case,
        Loaded::Before(before) => return Ok(*before),
    };
    offered(actor, &case)?;
    check(&case, &ask)?;
    crate::conduct::heed(&shared, &case, &ask).await?;
    let drafted = match &ask.promise {
        Some(asked) => Some(promises::draft(&shared, actor, &case, asked).await?),
        None => None,
    };
    let promise = drafted.as_ref().map(|d| d.row.clone());
    case.negotiation = measure(&shared, &case, promise.as_ref().map(|p| p.amount)).await?;
    let item = next_item(&shared, &case, &ask, promise.as_ref()).await?;
    let up = case.seat.as_ref().is_some_and(|s| s.up);
    let mut closing = closing(&shared, actor, &case, &ask, item.clone());
    if let Some(drafted) = drafted {
        closing.promise = Some((drafted.row, drafted.terms));
        closing.events.push(drafted.event);
    }
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
    Ok(Disposed {
        attempt,
        promise,
        negotiation: case.negotiation,
    })
}

fn taken() -> CenterError {
    CenterError::conflict("disposed", "the attempt has its disposition already")
}

enum Loaded {
    Case(Box<Case>),
    /// The same disposition again: its answer is repeated.
    Before(Box<Disposed>),
}

impl Loaded {
    fn before(attempt: Attempt, promise: Option<Promise>) -> Self {
        Self::Before(Box::new(Disposed {
            attempt,
            promise,
            negotiation: None,
        }))
    }
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
        return if same && promises::as_asked(promise.as_ref(), ask.promise.as_ref()) {
            Ok(Loaded::before(attempt, promise))
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
    let facts = crate::owed::facts_of(store.as_ref(), attempt.debtor_id, now).await?;
    Ok(Loaded::Case(Box::new(Case {
        attempt,
        facts,
        params,
        seat,
        disposition,
        negotiation: None,
        now,
    })))
}

pub(crate) fn of_debtor(attempt: &Attempt) -> ListFilter {
    ListFilter {
        debtor_id: Some(attempt.debtor_id),
        ..ListFilter::default()
    }
}

pub(crate) fn whole_page() -> PageRequest {
    PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    }
}

/// An agent has the codes of his campaign; who reviews has the whole tree.
fn offered(actor: Actor, case: &Case) -> Result<(), CenterError> {
    let (set, code) = (&case.params.disposition_set, &case.disposition.code);
    if !matches!(actor, Actor::Agent(_)) || in_set(set, code) {
        return Ok(());
    }
    Err(CenterError::invalid(
        "disposition_not_in_set",
        "code",
        format!("{code} is none of the campaign's codes"),
    ))
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
    if case.disposition.rpc && case.facts.debtor.is_stranger() {
        return Err(CenterError::conflict(
            "unknown_caller",
            "nobody knows yet who called: find his file first, or take a code without contact",
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
    claimed(case.now, ask)
}

/// What the debtor says of a payment: with its codes, and with no other.
fn claimed(now: UtcMs, ask: &DisposeAsk) -> Result<(), CenterError> {
    let refused = |code, why: String| Err(CenterError::invalid(code, "claim", why));
    let claim = match (&ask.claim, takes_claim(&ask.code)) {
        (Some(claim), true) => claim,
        (None, false) => return Ok(()),
        (None, true) => return refused("required_field", format!("{} needs claim", ask.code)),
        (Some(_), false) => {
            return refused("unexpected_field", format!("{} takes no claim", ask.code));
        }
    };
    // His day may have begun before that of UTC.
    let days = utc_day(now) - CLAIM_MAX_DAYS..=utc_day(now) + 1;
    if day_of_date(&claim.paid_on).is_none_or(|day| !days.contains(&day)) {
        let why = format!("a payment was made in the last {CLAIM_MAX_DAYS} days");
        return refused("claim_date", why);
    }
    if proof_of(&ask.code).is_some_and(|proof| proof != claim.proof) {
        let why = format!("{} says otherwise about the proof", ask.code);
        return refused("claim_proof", why);
    }
    Ok(())
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
        None => ItemState {
            done: stored.done && stored.note != LEFT_SEGMENT,
            ..stored.clone()
        },
    };
    if stored.done && stored.note != LEFT_SEGMENT {
        return Ok(Some(crate::ops::keep_done(Some(stored), base)));
    }
    let history = match &case.seat {
        Some(seat) if retry_as(&ask.code).is_some() => history(shared, &seat.ctx).await,
        _ => Arc::default(),
    };
    let mut item = placed(case, ask, promise, base, &history.attempts);
    if ask.callback_at.is_some() && !item.done {
        // Agreed outside the hours: it is made when they begin.
        let row = shared.out.store.get_campaign(campaign).await?;
        let outside =
            crate::floor::callbacks::outside_hours(shared, &row, &case.facts, item.next_at);
        if let Some(Some(next)) = outside {
            item.next_at = item.next_at.max(next);
        }
    }
    Ok(Some(crate::ops::keep_done(Some(stored), item)))
}

fn placed(
    case: &Case,
    ask: &DisposeAsk,
    promise: Option<&Promise>,
    mut item: ItemState,
    history: &[Attempt],
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
                CallbackRow::note_of(Some(agent))
            }
            _ => CallbackRow::note_of(None),
        }
    } else if let (Some(result), Some(seat)) = (retry_as(&ask.code), &case.seat) {
        let after = ladder::after_result(&seat.ctx, result, ended, true, history);
        return after.item;
    } else if disposition.cooloff_h > 0 {
        item.next_at = ended.plus_ms(i64::from(disposition.cooloff_h) * HOUR_MS);
        "cooloff".to_owned()
    } else if disposition.next == "next_point" {
        item.next_at = ended;
        let Some(seat) = &case.seat else {
            return item;
        };
        ladder::noted(&seat.ctx.stocked, &mut item, "retry");
        return ladder::limited(
            &seat.ctx.stocked,
            ladder::next_point(&seat.ctx.stocked, item, true, true, (ended, &seat.ctx.zone)),
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

/// What became of it: a promise that another one forestalled refuses the whole disposition.
fn stored(done: Result<bool, StoreError>) -> Result<bool, CenterError> {
    match done {
        Err(StoreError::Conflict(_)) => Err(promises::already()),
        other => Ok(other?),
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
            return stored(done);
        }
    }
    stored(persist!(
        shared,
        shared.out.store.close_attempt(case.attempt.id, &closing)
    ))
}
