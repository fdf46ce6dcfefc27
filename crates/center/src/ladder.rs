//! Which number next, and where a debtor stands in his campaign after a try (terms.md §10 `point_ladder`,
//! §11).

use crate::live::{CallCtx, Stocked};
use domain::entity::{Attempt, CallResult, CampaignParams, Channel, ContactPoint, DialMode};
use domain::ids::PointId;
use domain::ports::store::{
    AWAITING_DISPOSITION, CALLBACK_PRIORITY, CallbackRow, ContactFacts, ItemState,
};
use domain::rules::ladder::order_points;
use domain::rules::retry::{self, AFTER_CONVERSATION_H, RetryCase};
use domain::time::{HOUR_MS, UtcMs};
use jiff::tz::TimeZone;

/// Points that the campaign may still try, best first: the one the retry rule named, then by the
/// campaign's keys.
pub(crate) fn ladder<'a>(
    facts: &'a ContactFacts,
    params: &CampaignParams,
    spent: &[(PointId, i32)],
    first: Option<PointId>,
    (now, zone): (UtcMs, &TimeZone),
) -> Vec<&'a ContactPoint> {
    let tries = |id: PointId| spent.iter().find(|(p, _)| *p == id).map_or(0, |(_, n)| *n);
    let mut points: Vec<&ContactPoint> = facts
        .points
        .iter()
        .filter(|p| p.channel == Channel::Call && !p.bad)
        .filter(|p| tries(p.id) < params.attempts_per_point)
        .collect();
    order_points(&mut points, &params.point_ladder, facts, now, zone);
    // Stable: the others keep their order behind the one that the retry rule named.
    points.sort_by_key(|p| Some(p.id) != first);
    points
}

/// Where the debtor stands after a try, and whether its point is proved bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) item: ItemState,
    pub(crate) point_bad: bool,
}

fn leaves(mut item: ItemState, note: &str) -> ItemState {
    item.done = true;
    note.clone_into(&mut item.note);
    item
}

/// Notes why he waits for his next turn. Who asked for an agent out of a message was promised a call of one: that is
/// what stays agreed, try after try, and the message is not told to him again.
pub(crate) fn noted(stocked: &Stocked, item: &mut ItemState, note: &str) {
    let before = &stocked.state;
    let alone = stocked.setting.campaign.params.mode == DialMode::Agentless;
    if alone && CallbackRow::is_agreed(before) {
        item.priority = before.priority;
        item.note = CallbackRow::note_of(CallbackRow::agent_of(&before.note));
    } else {
        note.clone_into(&mut item.note);
    }
}

/// Counts the try into the item; the campaign's limit of attempts ends it.
pub(crate) fn counted(stocked: &Stocked, result: CallResult, invited: bool) -> ItemState {
    let mut item = stocked.state.clone();
    if invited {
        item.attempts += 1;
        item.last_result = Some(result);
    }
    if item.priority >= CALLBACK_PRIORITY {
        item.priority = 0;
    }
    item.next_point = None;
    item
}

/// Applies the campaign's limit of attempts.
pub(crate) fn limited(stocked: &Stocked, item: ItemState) -> ItemState {
    if !item.done && item.attempts >= stocked.setting.campaign.params.attempts_per_debtor {
        return leaves(item, "attempts_per_debtor");
    }
    item
}

/// After a network result without a disposition. `history` holds the debtor's earlier attempts.
pub(crate) fn after_result(
    ctx: &CallCtx,
    result: CallResult,
    at: UtcMs,
    invited: bool,
    history: &[Attempt],
) -> After {
    let stocked = &ctx.stocked;
    let mut item = counted(stocked, result, invited);
    let campaign = stocked.setting.id();
    let same: Vec<&Attempt> = history
        .iter()
        .filter(|a| a.id != ctx.id && a.campaign_id == Some(campaign) && a.result == Some(result))
        .collect();
    let day = |t: UtcMs| t.in_zone(&ctx.zone).date();
    let today = same.iter().filter(|a| day(a.opened_at) == day(at)).count();
    let on_point = same
        .iter()
        .filter(|a| a.point_id == stocked.point.id)
        .count();
    let case = RetryCase {
        result,
        at,
        same_today: u32::try_from(today + 1).unwrap_or(u32::MAX),
        same_on_point: u32::try_from(on_point + 1).unwrap_or(u32::MAX),
        zone: ctx.zone.clone(),
    };
    let own = &stocked.setting.campaign.params.retry_rules;
    let Some(step) = retry::after_by(&case, own) else {
        if result == CallResult::Human {
            item.next_at = at.plus_ms(AFTER_CONVERSATION_H * HOUR_MS);
            AWAITING_DISPOSITION.clone_into(&mut item.note);
        } else {
            item.next_at = at;
            noted(stocked, &mut item, "withdrawn");
        }
        return After {
            item: limited(stocked, item),
            point_bad: false,
        };
    };
    item.next_at = step.next_at;
    if let (CallResult::Abandoned, Some(hours)) =
        (result, stocked.setting.campaign.params.drop_block_h)
    {
        item.next_at = at.plus_ms(hours * HOUR_MS);
    }
    let note = if result == CallResult::Abandoned {
        "abandoned"
    } else {
        "retry"
    };
    noted(stocked, &mut item, note);
    if step.stop {
        return After {
            item: leaves(item, "retry_stopped"),
            point_bad: step.point_bad,
        };
    }
    let gone = step.point_bad || step.point_spent;
    let place = (step.next_at, &ctx.zone);
    let item = next_point(stocked, item, step.next_point || gone, gone, place);
    After {
        item: limited(stocked, item),
        point_bad: step.point_bad,
    }
}

/// Names the point of the next try, at the instant and zone of `place`: the one after this in the ladder
/// when `on`, else the same; out of the campaign when none is left (`gone`: this one is not to be tried
/// again).
pub(crate) fn next_point(
    stocked: &Stocked,
    mut item: ItemState,
    on: bool,
    gone: bool,
    place: (UtcMs, &TimeZone),
) -> ItemState {
    let here = stocked.point.id;
    let mut spent = stocked.point_attempts.clone();
    match spent.iter_mut().find(|(p, _)| *p == here) {
        Some((_, n)) => *n += 1,
        None => spent.push((here, 1)),
    }
    let params = &stocked.setting.campaign.params;
    let points: Vec<PointId> = ladder(&stocked.facts, params, &spent, None, place)
        .iter()
        .map(|p| p.id)
        .filter(|p| !gone || *p != here)
        .collect();
    if points.is_empty() {
        return leaves(item, "points_spent");
    }
    let at = points.iter().position(|p| *p == here);
    item.next_point = match at {
        Some(at) if on => points.get((at + 1) % points.len()).copied(),
        Some(_) => Some(here),
        None => points.first().copied(),
    };
    item
}
