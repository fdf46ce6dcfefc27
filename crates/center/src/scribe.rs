//! One task per attempt: opens it durably, dials, then writes every step in order until its sender is
//! dropped. Writes wait for a database that is away; they are never skipped.

use crate::card::CardSource;
use crate::closing;
use crate::feeder;
use crate::ladder;
use crate::live::{CallCtx, EndSeen};
use crate::shared::{Shared, persist};
use crate::steps::Steps;
use dialer::{CallOver, EndReport, Input, OpenResult};
use domain::entity::{
    AmdMode, AttemptState, Call, CallResult, DialMode, InboundCall, Recording, Verdict,
};
use domain::event::NewEvent;
use domain::ports::store::{
    AttemptChange, Closing, ItemState, OpenDraft, OpenOutcome, PlaceKept, StoreError,
};
use domain::ports::{DialOrder, TrunkError};
use domain::time::{HOUR_MS, MINUTE_MS, SECOND_MS, UtcMs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Steps that may wait for one attempt's writer; a call has a dozen, the rest is room for holds.
pub(crate) const STEPS_MAX: usize = 128;
/// Oldest verdict that is dialed on, ms: beyond it the database was too slow (faults.md promise 15).
const OPEN_MAX_MS: i64 = 3 * SECOND_MS;
/// Wait before a refused debtor whose law names no instant is looked at again, ms.
pub(crate) const REFUSED_AGAIN_MS: i64 = 6 * HOUR_MS;
/// Wait before a debtor that another campaign holds is looked at again, ms.
const BUSY_AGAIN_MS: i64 = 5 * MINUTE_MS;

/// The end of a call as its writer needs it.
pub(crate) struct OverStep {
    pub(crate) over: CallOver,
    pub(crate) end: EndSeen,
    /// The INVITE left.
    pub(crate) invited: bool,
    /// It rang.
    pub(crate) rang: bool,
    /// Identity was ticked with an obligated party and no conversation row is written yet.
    pub(crate) conversation: bool,
    /// Disposed while it was up: where the debtor goes.
    pub(crate) plan: Option<ItemState>,
    /// It has a disposition already.
    pub(crate) disposed: bool,
    /// Its sound was a recording that the trunk plays on several numbers.
    pub(crate) known: bool,
    /// He asked for an agent out of a message.
    pub(crate) asked: bool,
    /// A message was told to him to its end.
    pub(crate) heard_out: bool,
    /// He pressed the key of who wants no more calls.
    pub(crate) opted_out: bool,
}

/// One thing to write.
pub(crate) enum Step {
    Note(Box<AttemptChange>, Vec<NewEvent>),
    OpenRecording(Box<Recording>, Vec<NewEvent>),
    PutRecording(Box<Recording>, Vec<NewEvent>),
    PutCall(Box<Call>, Vec<NewEvent>),
    PutItem(Box<ItemState>),
    /// He leaves the queue and keeps his place; the call-back that it is at its end.
    KeepPlace(Box<(PlaceKept, ItemState)>),
    PutInbound(Box<InboundCall>),
    /// It is known who the caller is: what follows is about him.
    Became(Arc<CallCtx>),
    Over(Box<OverStep>),
    Close(Box<Closing>, oneshot::Sender<Result<bool, StoreError>>),
}

/// Runs an attempt's writer.
pub(crate) async fn run(
    shared: Arc<Shared>,
    ctx: Arc<CallCtx>,
    draft: OpenDraft,
    withdrawn: Arc<AtomicBool>,
    steps: mpsc::Receiver<Step>,
) {
    shared.writers.fetch_add(1, Ordering::SeqCst);
    if open(&shared, &ctx, &draft, &withdrawn).await {
        let mut steps = Steps::of(steps);
        while let Some(step) = steps.next().await {
            write(&shared, &ctx, step).await;
        }
    }
    shared.writers.fetch_sub(1, Ordering::SeqCst);
}

/// Runs the writer of an attempt that is open already: a call that came in.
pub(crate) async fn follow(shared: Arc<Shared>, ctx: Arc<CallCtx>, steps: mpsc::Receiver<Step>) {
    shared.writers.fetch_add(1, Ordering::SeqCst);
    let (mut ctx, mut steps) = (ctx, Steps::of(steps));
    while let Some(step) = steps.next().await {
        match step {
            Step::Became(other) => ctx = other,
            step => write(&shared, &ctx, step).await,
        }
    }
    shared.writers.fetch_sub(1, Ordering::SeqCst);
}

async fn told(shared: &Shared, ctx: &CallCtx, result: OpenResult) {
    let attempt = ctx.id;
    shared
        .post
        .tell(move |engine, now| engine.opened(now, attempt, result))
        .await;
}

/// The write-ahead, then the INVITE. `false` when the call never was.
async fn open(
    shared: &Arc<Shared>,
    ctx: &Arc<CallCtx>,
    draft: &OpenDraft,
    withdrawn: &AtomicBool,
) -> bool {
    let store = &shared.out.store;
    match store.open_attempt(draft, shared.out.law.as_ref()).await {
        Ok(OpenOutcome::Opened(..)) => {}
        Ok(OpenOutcome::Refused(verdict)) => {
            refused(shared, ctx, *verdict).await;
            return false;
        }
        Ok(OpenOutcome::Busy) => {
            told(shared, ctx, OpenResult::Gone).await;
            let mut item = ItemState {
                next_at: shared.now().plus_ms(BUSY_AGAIN_MS),
                ..ctx.stocked.state.clone()
            };
            ladder::noted(&ctx.stocked, &mut item, "busy_elsewhere");
            // His campaign may have let him go a moment ago: then that is what stands.
            if ctx.stocked.in_campaign {
                crate::ops::give_back(shared, item).await;
            }
            return false;
        }
        Err(error) => return failed(shared, ctx, &error).await,
    }
    let late = shared.now().since_ms(draft.action.now) > OPEN_MAX_MS;
    if late {
        tracing::warn!(attempt = %ctx.id, "opened too late to be dialed: the database is slow");
    }
    if late || withdrawn.load(Ordering::SeqCst) {
        let end = EndReport {
            by_us: true,
            ..EndReport::default()
        };
        never_left(shared, ctx, end).await;
    } else {
        told(shared, ctx, OpenResult::Opened).await;
        dial(shared, ctx, withdrawn, draft.action.now).await;
    }
    true
}

/// A number that is never called from here: no INVITE left, and it is not tried again soon.
fn blocked() -> EndReport {
    EndReport {
        told: Some(CallResult::BlockedRule),
        ..EndReport::default()
    }
}

/// The INVITE of a durable attempt.
async fn dial(shared: &Arc<Shared>, ctx: &Arc<CallCtx>, withdrawn: &AtomicBool, opened: UtcMs) {
    let params = &ctx.stocked.setting.campaign.params;
    if !params.may_call(ctx.stocked.point.value.reveal()) {
        tracing::info!(attempt = %ctx.id, "not called: the campaign's prefixes leave the number out");
        return never_left(shared, ctx, blocked()).await;
    }
    let order = DialOrder {
        attempt_id: ctx.id,
        trunk_id: ctx.task.trunk,
        number: ctx.stocked.point.value.reveal().clone(),
        caller_number: ctx.caller.1.clone(),
        ring_timeout_ms: ctx.task.rules.ring_timeout_ms,
        record: ctx.task.rules.record,
        recording_id: ctx.recording_id,
        recording_key: ctx.recording_key.clone(),
        mask_dtmf: params.mask_dtmf,
        classify: params.amd != AmdMode::Off || crate::amd::spares_mailboxes(shared, ctx, opened),
        not_after: Some(opened.plus_ms(OPEN_MAX_MS)),
    };
    // Nothing lies between this look and the order: a node that was frozen meanwhile dials nobody.
    let late = shared.now().since_ms(opened) > OPEN_MAX_MS;
    if late || withdrawn.load(Ordering::SeqCst) {
        let end = EndReport {
            by_us: true,
            ..EndReport::default()
        };
        return never_left(shared, ctx, end).await;
    }
    if let Err(error) = shared.out.trunk.dial(order).await {
        tracing::info!(attempt = %ctx.id, reason = %error, "dial refused by the telephone side");
        let end = match error {
            // As a carrier would have refused it.
            TrunkError::Limit(_) => EndReport {
                sip_code: Some(503),
                ..EndReport::default()
            },
            TrunkError::Refused(_) => blocked(),
            TrunkError::Late => EndReport {
                by_us: true,
                ..EndReport::default()
            },
            _ => EndReport::default(),
        };
        return never_left(shared, ctx, end).await;
    }
    if withdrawn.load(Ordering::SeqCst) {
        // Withdrawn while the order was on its way: the CANCEL of then found no call yet. Gone means
        // that it found one after all.
        let _ = shared.out.trunk.cancel(ctx.id).await;
    }
    // While it rings there is time for the card's history.
    history(shared, ctx).await;
}

/// The attempt is durable but no INVITE left: it ends at once.
async fn never_left(shared: &Shared, ctx: &CallCtx, end: EndReport) {
    let attempt = ctx.id;
    shared
        .post
        .tell(move |engine, now| engine.take(now, Input::Ended { attempt, end }))
        .await;
}

async fn refused(shared: &Arc<Shared>, ctx: &CallCtx, verdict: Verdict) {
    let code = crate::words::block(verdict.blocked);
    let campaign = ctx.stocked.setting.id();
    told(shared, ctx, OpenResult::Gone).await;
    shared
        .post
        .tell(move |engine, _| engine.count_blocked(Some(campaign), code, 1))
        .await;
    let now = shared.now();
    let next = verdict
        .next_legal_at
        .unwrap_or(now.plus_ms(REFUSED_AGAIN_MS));
    let next = next.max(now.plus_ms(MINUTE_MS));
    let item = ItemState {
        next_at: next,
        ..ctx.stocked.state.clone()
    };
    release(shared, ctx, feeder::refused(item, Some(&verdict))).await;
}

/// Gives the debtor back without an attempt.
async fn release(shared: &Shared, ctx: &CallCtx, item: ItemState) {
    if !ctx.stocked.in_campaign {
        return;
    }
    let done = persist!(shared, shared.out.store.release_contact(&item, None, &[]));
    if let Err(error) = done {
        shared.mind(&error).await;
        shared.fault("item not given back", &error);
    }
}

/// The write-ahead failed. Whether it was kept is found out once the database answers: a row that was
/// kept is closed, for no INVITE left for it.
async fn failed(shared: &Arc<Shared>, ctx: &CallCtx, error: &StoreError) -> bool {
    shared.mind(error).await;
    told(shared, ctx, OpenResult::Gone).await;
    if matches!(error, StoreError::Fenced) {
        return false;
    }
    if !matches!(error, StoreError::Unavailable(_)) {
        shared.fault("attempt not opened", error);
    }
    match persist!(shared, shared.out.store.get_attempt(ctx.id)) {
        Ok(row) if row.state == AttemptState::Committed => {
            let closing = closing::never_left(shared, ctx, shared.now());
            let done = persist!(shared, shared.out.store.close_attempt(ctx.id, &closing));
            if let Err(error) = done {
                shared.fault("attempt without INVITE not closed", &error);
            }
        }
        Ok(_) | Err(StoreError::Unavailable(_)) => {}
        Err(_) => {
            release(shared, ctx, ctx.stocked.state.clone()).await;
        }
    }
    false
}

/// The debtor's history, read once; an empty one when the database is away.
pub(crate) async fn history(shared: &Shared, ctx: &CallCtx) -> Arc<CardSource> {
    let debtor = ctx.stocked.facts.debtor.id;
    let read = ctx
        .card
        .get_or_try_init(|| async { CardSource::read(shared, debtor).await.map(Arc::new) })
        .await;
    match read {
        Ok(source) => Arc::clone(source),
        Err(error) => {
            shared.mind(&error).await;
            Arc::new(CardSource::default())
        }
    }
}

async fn write(shared: &Arc<Shared>, ctx: &Arc<CallCtx>, step: Step) {
    let store = &shared.out.store;
    let done = match step {
        Step::Note(change, events) => {
            persist!(shared, store.note_attempt(ctx.id, &change, &events))
        }
        Step::OpenRecording(row, events) => persist!(shared, store.open_recording(&row, &events)),
        Step::PutRecording(row, events) => persist!(shared, store.put_recording(&row, &events)),
        Step::PutCall(row, events) => persist!(shared, store.put_call(&row, &events)),
        Step::PutItem(item) => persist!(shared, store.put_item(&item, &[])),
        Step::KeepPlace(kept) => persist!(shared, store.keep_place(&kept.0, &kept.1)),
        // Only a call that came in becomes another's, and its writer has seen to it.
        Step::Became(_) => Ok(()),
        Step::PutInbound(row) => persist!(shared, store.put_inbound(&row, &[])),
        Step::Over(step) => over(shared, ctx, *step).await,
        Step::Close(closing, answer) => {
            let done = close(shared, ctx, *closing).await;
            let kept = match &done {
                // Its promise is refused: who asked is told, and nothing is lost.
                Err(StoreError::Conflict(_)) => Ok(()),
                other => other.clone().map(|_| ()),
            };
            // Who asked may have gone away; the row is written all the same.
            let _ = answer.send(done);
            kept
        }
    };
    if let Err(error) = done {
        shared.mind(&error).await;
        shared.fault("step of an attempt not written", &error);
    }
}

async fn over(shared: &Arc<Shared>, ctx: &Arc<CallCtx>, step: OverStep) -> Result<(), StoreError> {
    // Retry rules count earlier tries; a person who spoke is decided by the disposition.
    let alone = ctx.task.mode == DialMode::Agentless && step.over.agent.is_none();
    let source = if step.over.result == CallResult::Human && !alone {
        Arc::new(CardSource::default())
    } else {
        history(shared, ctx).await
    };
    let closing = closing::of_over(shared, ctx, &step, &source.attempts);
    close(shared, ctx, closing).await.map(|_| ())
}

/// Closes; a debtor who left the campaign meanwhile (paid while they talked) stays out.
async fn close(
    shared: &Arc<Shared>,
    ctx: &CallCtx,
    mut closing: Closing,
) -> Result<bool, StoreError> {
    if let Some(item) = closing.item.take() {
        let stored = crate::ops::stored_item(shared, item.campaign_id, item.debtor_id).await?;
        closing.item = Some(crate::ops::keep_done(stored, item));
    }
    persist!(shared, shared.out.store.close_attempt(ctx.id, &closing))
}
