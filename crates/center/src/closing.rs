//! What the end of a call writes: result, settled ledger row, next step of the debtor, events.

use crate::ladder::{self, After};
use crate::live::CallCtx;
use crate::scribe::OverStep;
use crate::shared::Shared;
use domain::entity::{Attempt, CallResult, Channel, DialMode, LedgerKind, LedgerRow};
use domain::event::NewEvent;
use domain::ids::LedgerId;
use domain::ports::store::{CALLBACK_PRIORITY, CallbackRow, Closing, ItemState};
use domain::rules::disposition::system_code;
use domain::rules::reach::Reach;
use domain::time::UtcMs;
use serde_json::json;

/// A ledger row about the attempt; what it came to is counted once, whoever writes it.
pub(crate) fn ledger_row(shared: &Shared, ctx: &CallCtx, kind: LedgerKind, at: UtcMs) -> LedgerRow {
    let facts = &ctx.stocked.facts;
    LedgerRow {
        id: match kind {
            LedgerKind::Conversation | LedgerKind::Abandoned => LedgerRow::id_of(ctx.id, kind),
            _ => LedgerId(shared.id()),
        },
        person_id: facts.debtor.person_id,
        debtor_id: facts.debtor.id,
        client_id: ctx.stocked.setting.client.id,
        debts: ctx.debts.clone(),
        point_id: Some(ctx.stocked.point.id),
        address: ctx.stocked.point.value.clone(),
        class: ctx.stocked.point.class,
        channel: Channel::Call,
        kind,
        at,
        attempt_id: Some(ctx.id),
        campaign_id: Some(ctx.stocked.setting.id()),
        reached_network: None,
    }
}

/// An event about the attempt.
pub(crate) fn event(
    shared: &Shared,
    ctx: &CallCtx,
    actor: impl std::fmt::Display,
    kind: &str,
    data: serde_json::Value,
) -> NewEvent {
    let client = ctx.stocked.setting.client.id;
    shared.event(
        Some(client),
        actor,
        kind,
        format!("attempt:{}", ctx.id),
        data,
    )
}

/// What is told of the end: `invited` = it left for the network.
struct End<'a> {
    result: CallResult,
    by: &'a str,
    invited: bool,
    answered_at: Option<UtcMs>,
    ended_at: UtcMs,
}

fn ended(shared: &Shared, ctx: &CallCtx, end: &End) -> NewEvent {
    let data = json!({
        "campaign_id": ctx.stocked.setting.id(), "debtor_id": ctx.stocked.facts.debtor.id,
        "result": end.result, "by": end.by, "invited": end.invited,
        "answered_at": end.answered_at, "ended_at": end.ended_at,
    });
    event(shared, ctx, shared.actor(), "attempt.ended", data)
}

/// The closing of an attempt that is durable but was never sent.
pub(crate) fn never_left(shared: &Shared, ctx: &CallCtx, at: UtcMs) -> Closing {
    let mut item = ItemState {
        next_at: at,
        ..ctx.stocked.state.clone()
    };
    ladder::noted(&ctx.stocked, &mut item, "withdrawn");
    Closing {
        ended_at: Some(at),
        result: Some(CallResult::Cancelled),
        reached_network: Some(false),
        item: ctx.stocked.in_campaign.then_some(item),
        events: vec![ended(
            shared,
            ctx,
            &End {
                result: CallResult::Cancelled,
                by: "system",
                invited: false,
                answered_at: None,
                ended_at: at,
            },
        )],
        ..Closing::default()
    }
}

/// Whether the dial reached the number. Who rang or answered was reached, whatever ended it; an INVITE
/// that left and was never spoken of may have been.
fn reached(step: &OverStep) -> Option<bool> {
    let over = &step.over;
    if step.rang || over.answered_at.is_some() {
        return Some(true);
    }
    if !step.invited {
        return Some(false);
    }
    let silent = over.end.sip_code.is_none() && over.end.q850.is_none();
    let unknown = over.result == CallResult::Unknown;
    let lost = over.result == CallResult::TrunkFault && silent;
    (!unknown && !lost).then(|| !over.result.never_reached())
}

/// Where somebody stands whom a message was to be told and who talked with nobody.
fn after_message(ctx: &CallCtx, step: &OverStep, history: &[Attempt]) -> After {
    let (at, result) = (step.over.ended_at, step.over.result);
    let plain = |item| After {
        item,
        point_bad: false,
    };
    let mut item = ladder::counted(&ctx.stocked, result, step.invited);
    if step.asked && !step.opted_out {
        // He wanted an agent and got none: one is owed to him, as soon as the law lets him be called.
        item.next_at = at;
        item.priority = CALLBACK_PRIORITY;
        item.next_point = Some(ctx.stocked.point.id);
        item.note = CallbackRow::note_of(None);
        return plain(item);
    }
    if step.heard_out || step.opted_out {
        // There is nothing more to call him for here.
        item.done = true;
        item.note = if step.opted_out {
            "opted_out"
        } else {
            "message_told"
        }
        .to_owned();
        return plain(item);
    }
    // He left before its end, or it was not played: as after any answer that ended at once.
    let early = CallResult::HangupEarly;
    let mut after = ladder::after_result(ctx, early, at, step.invited, history);
    if step.invited {
        after.item.last_result = Some(result);
    }
    after
}

/// The closing of a call that is over.
pub(crate) fn of_over(
    shared: &Shared,
    ctx: &CallCtx,
    step: &OverStep,
    history: &[Attempt],
) -> Closing {
    let over = &step.over;
    let (at, result) = (over.ended_at, over.result);
    let alone = over.agent.is_none();
    let told = ctx.task.mode == DialMode::Agentless && alone && result == CallResult::Human;
    let after = if told {
        after_message(ctx, step, history)
    } else {
        ladder::after_result(ctx, result, at, step.invited, history)
    };
    if matches!(result, CallResult::Congestion | CallResult::TrunkFault) {
        let debtor = ctx.stocked.facts.debtor.id;
        shared.floor.note_failed(debtor, ctx.task.trunk, at);
    }
    let reached = reached(step);
    let mut rows = Vec::new();
    if step.conversation {
        rows.push(ledger_row(shared, ctx, LedgerKind::Conversation, at));
    }
    let end = End {
        result,
        by: step.end.by,
        invited: step.invited,
        answered_at: over.answered_at,
        ended_at: at,
    };
    let mut events = vec![ended(shared, ctx, &end)];
    if result == CallResult::Abandoned {
        rows.push(ledger_row(shared, ctx, LedgerKind::Abandoned, at));
        events.push(event(
            shared,
            ctx,
            shared.actor(),
            "call.abandoned",
            json!({"campaign_id": ctx.stocked.setting.id()}),
        ));
    }
    // A person who spoke with an agent is disposed by him, or by the wrap-up's limit.
    let code = (over.agent.is_none() && !step.disposed)
        .then(|| system_code(result))
        .flatten();
    let item = step.plan.clone().unwrap_or(after.item);
    // Who called us and talked with nobody stands where he stood.
    let stands = ctx.inbound.is_some() && alone;
    Closing {
        ended_at: Some(at),
        result: Some(result),
        sip_code: over.end.sip_code.map(i32::from),
        q850: over.end.q850.map(i32::from),
        disposition: code.map(str::to_owned),
        disposed_at: code.map(|_| at),
        ledger: rows,
        reached_network: reached,
        point_bad: after.point_bad,
        reach: Reach::of_result(result, step.known),
        item: (ctx.stocked.in_campaign && !stands).then_some(item),
        events,
        ..Closing::default()
    }
}
