//! Agreed call-backs: who makes them when his agent is away, moved and cancelled by people, ended by
//! what stops contact.

use super::Around;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::feeder::{campaign_action, own_agent};
use crate::live::Setting;
use crate::shared::{Shared, persist};
use domain::entity::{BlockReason, CallbackScope, Campaign, Channel, CheckPoint, Hold, HoldScope};
use domain::event::NewEvent;
use domain::ids::{AgentId, CampaignId, DebtorId, VerdictId};
use domain::ports::store::{
    CALLBACK_CANCELLED, CALLBACK_PRIORITY, CallbackRow, ContactFacts, ItemState, StoreError,
};
use domain::rules::agent_state::AgentState;
use domain::time::{DAY_MS, MINUTE_MS, SECOND_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Furthest call-back, days.
pub(crate) const FURTHEST_DAYS: i64 = 60;
/// Between two looks for an agent who is busy or away, ms.
const LOOK_AGAIN_MS: i64 = 30 * SECOND_MS;

/// How long a node leaves a call-back to the one where its agent sits, ms: this, and up to so much more.
const THERE_AGAIN_MS: i64 = 3 * SECOND_MS;
const THERE_MORE_MS: i64 = 4 * SECOND_MS;

/// Multiplier of Knuth's MMIX generator: its upper bits tell nothing of the lower ones of what it multiplies.
const MIXES: i64 = 6_364_136_223_846_793_005;

/// Tries to change an item that a hopper may hold, and the wait between them, ms.
const PUT_TRIES: u32 = 10;
const PUT_AGAIN_MS: u64 = 200;

/// Whose turn an agreed call-back is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Anyone's.
    Anyone,
    /// That agent's, now.
    Of(AgentId),
    /// His, and he is not free: looked at again soon.
    Waits(AgentId),
    /// His, and he sits on another node: it is that one's to make.
    There(AgentId),
    /// It was his; he is away for too long: anyone's from now on.
    Moved(AgentId),
}

/// Decides it.
pub(crate) fn turn(setting: &Setting, item: &ItemState, around: &Around, now: UtcMs) -> Turn {
    let params = &setting.campaign.params;
    let Some(agent) = own_agent(&item.note) else {
        return Turn::Anyone;
    };
    if params.callback_scope == CallbackScope::Any {
        return Turn::Anyone;
    }
    let state = around.at_work.get(&agent).map(|(state, _)| *state);
    if state == Some(AgentState::Ready) {
        return Turn::Of(agent);
    }
    if state.is_none() && around.there.contains(&agent) {
        return Turn::There(agent);
    }
    let patience_ms = params.callback_window_min.max(0) * MINUTE_MS;
    let until = CallbackRow::agreed_at(item).plus_ms(patience_ms);
    if params.callback_scope == CallbackScope::OwnThenAny && until <= now {
        return Turn::Moved(agent);
    }
    Turn::Waits(agent)
}

/// The item of a call-back that waits for its agent a while longer.
pub(crate) fn waiting(item: ItemState, agent: AgentId, now: UtcMs) -> ItemState {
    put_off(item, agent, now.plus_ms(LOOK_AGAIN_MS))
}

/// The item of one whose agent sits on another node, for that one to take it.
pub(crate) fn there(item: ItemState, agent: AgentId, now: UtcMs) -> ItemState {
    let more = uneven(item.debtor_id, now) % THERE_MORE_MS;
    put_off(item, agent, now.plus_ms(THERE_AGAIN_MS + more))
}

/// A number that follows neither the clock nor the debtors' order: nodes whose hoppers ask in step every other second
/// would meet in the same order each time.
fn uneven(debtor: DebtorId, now: UtcMs) -> i64 {
    let own = i64::try_from(debtor.0.as_u128() % 7_919).unwrap_or(0);
    let mixed = own.wrapping_add(now.0).wrapping_mul(MIXES);
    (mixed >> 33).rem_euclid(i64::from(u16::MAX))
}

fn put_off(mut item: ItemState, agent: AgentId, until: UtcMs) -> ItemState {
    item.note = CallbackRow::waiting_note(agent, CallbackRow::agreed_at(&item));
    item.next_at = until;
    item
}

/// Writes down that a call-back is anyone's from now on.
pub(crate) async fn moved(shared: &Shared, setting: &Setting, item: &ItemState, from: AgentId) {
    let data = json!({
        "campaign_id": item.campaign_id, "debtor_id": item.debtor_id, "from_agent": from,
        "at": CallbackRow::agreed_at(item), "reason": "agent_away",
    });
    let subject = format!("debtor:{}", item.debtor_id);
    let client = Some(setting.client.id);
    let event = shared.event(client, shared.actor(), "callback.moved", subject, data);
    let done = persist!(
        shared,
        shared
            .out
            .store
            .put_item(item, std::slice::from_ref(&event))
    );
    if let Err(error) = done {
        shared.fault("call-back not moved", &error);
    }
}

/// What the law says of a call-back at an instant: `None` when its hours allow it, else the next instant
/// at which they do, when there is one.
pub(crate) fn outside_hours(
    shared: &Shared,
    campaign: &Campaign,
    facts: &ContactFacts,
    at: UtcMs,
) -> Option<Option<UtcMs>> {
    let ring = (campaign.params.ring_timeout_s * SECOND_MS)
        .max(shared.out.law.call_law(facts, at).ring_min_ms);
    let calls = facts
        .points
        .iter()
        .filter(|p| p.channel == Channel::Call && !p.bad);
    let mut next: Option<UtcMs> = None;
    let mut judged = false;
    for point in calls {
        judged = true;
        let id = VerdictId(shared.id());
        let asked = campaign_action(campaign, id, CheckPoint::Callback, Some(point.id), ring, at);
        let verdict = shared.out.law.judge(facts, &asked);
        if verdict.decision.permits(true) || verdict.blocked != Some(BlockReason::Window) {
            // A cap or a hold is judged when the hour has come.
            return None;
        }
        next = [next, verdict.next_legal_at].into_iter().flatten().min();
    }
    judged.then_some(next)
}

/// The item of a debtor in a campaign, when a call-back is agreed with him.
async fn agreed(
    shared: &Shared,
    campaign: CampaignId,
    debtor: DebtorId,
) -> Result<ItemState, CenterError> {
    let found = crate::ops::stored_item(shared, campaign, debtor).await?;
    found
        .filter(|i| !i.done && i.priority >= CALLBACK_PRIORITY && i.note.starts_with("callback"))
        .ok_or(CenterError::NotFound("call-back"))
}

fn at_work_now() -> CenterError {
    CenterError::conflict(
        "callback_at_work",
        "the call-back is being made, or was changed meanwhile: read again",
    )
}

/// Moves a call-back to another instant, another agent, or anyone.
pub(crate) async fn change(
    shared: Arc<Shared>,
    actor: Actor,
    (campaign, debtor): (CampaignId, DebtorId),
    at: UtcMs,
    agent: Option<AgentId>,
) -> Result<CallbackRow, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let was = agreed(&shared, campaign, debtor).await?;
    let row = store.get_campaign(campaign).await?;
    if at <= now || at > now.plus_ms(FURTHEST_DAYS * DAY_MS) {
        return Err(CenterError::invalid(
            "callback_at",
            "at",
            format!("a call-back lies in the next {FURTHEST_DAYS} days"),
        ));
    }
    if let Some(agent) = agent {
        store.get_agent(agent).await?;
    }
    let facts = store.contact_facts(debtor, now).await?;
    if let Some(next) = outside_hours(&shared, &row, &facts, at) {
        let next = next.map_or_else(String::new, |next| format!("; the next is {next}"));
        return Err(CenterError::invalid(
            "callback_outside_hours",
            "at",
            format!("he may not be called at that hour{next}"),
        ));
    }
    let to = ItemState {
        next_at: at,
        note: CallbackRow::note_of(agent),
        ..was.clone()
    };
    let data = json!({
        "campaign_id": campaign, "debtor_id": debtor, "from_agent": own_agent(&was.note),
        "to_agent": agent, "from": was.next_at, "at": at, "reason": "person",
    });
    let subject = format!("debtor:{debtor}");
    let event = shared.event(Some(row.client_id), actor, "callback.moved", subject, data);
    put(&shared, &was, &to, event).await?;
    Ok(CallbackRow {
        item: to,
        client_id: row.client_id,
        agent_id: agent,
    })
}

/// Writes the change. He waits in a hopper, perhaps, as he stood before: he is taken out of it first,
/// which takes a moment.
async fn put(
    shared: &Shared,
    was: &ItemState,
    to: &ItemState,
    event: NewEvent,
) -> Result<(), CenterError> {
    let (store, debtor) = (&shared.out.store, was.debtor_id);
    let events = [event];
    for _ in 0..PUT_TRIES {
        if store.move_item(was, to, shared.now(), &events).await? {
            return Ok(());
        }
        shared
            .post
            .tell(move |engine, now| engine.take(now, dialer::Input::Withdraw(debtor)))
            .await;
        tokio::time::sleep(Duration::from_millis(PUT_AGAIN_MS)).await;
    }
    Err(at_work_now())
}

/// Cancels a call-back; the debtor waits for his turn in the campaign again.
pub(crate) async fn cancel(
    shared: Arc<Shared>,
    actor: Actor,
    (campaign, debtor): (CampaignId, DebtorId),
    reason: String,
) -> Result<(), CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let was = agreed(&shared, campaign, debtor).await?;
    let row = store.get_campaign(campaign).await?;
    let to = ItemState {
        next_at: now.max(was.next_at),
        priority: 0,
        note: CALLBACK_CANCELLED.to_owned(),
        ..was.clone()
    };
    let event = told_cancelled(&shared, actor, &row, &was, &reason);
    put(&shared, &was, &to, event).await
}

fn told_cancelled(
    shared: &Shared,
    actor: Actor,
    row: &Campaign,
    was: &ItemState,
    reason: &str,
) -> NewEvent {
    let data = json!({
        "campaign_id": was.campaign_id, "debtor_id": was.debtor_id,
        "agent_id": own_agent(&was.note), "at": was.next_at, "reason": reason,
    });
    let subject = format!("debtor:{}", was.debtor_id);
    shared.event(
        Some(row.client_id),
        actor,
        "callback.cancelled",
        subject,
        data,
    )
}

/// A hold that is in force at the agreed hour, on the debtor himself and on calls, cancels it.
pub(crate) async fn held(shared: &Shared, actor: Actor, hold: &Hold) -> Result<(), StoreError> {
    let calls = hold.channel.is_none_or(|c| c == Channel::Call);
    if hold.scope != HoldScope::Debtor || !calls {
        return Ok(());
    }
    let store = &shared.out.store;
    for was in store.items_of(hold.debtor_id).await? {
        let agreed = !was.done && was.note.starts_with("callback");
        let lasts = hold.until.is_none_or(|until| until > was.next_at);
        if !agreed || !lasts {
            continue;
        }
        let row = store.get_campaign(was.campaign_id).await?;
        let event = told_cancelled(shared, actor, &row, &was, "hold");
        let to = ItemState {
            priority: 0,
            note: BlockReason::Hold.as_str().to_owned(),
            ..was.clone()
        };
        // On a call now: its disposition decides.
        store.move_item(&was, &to, shared.now(), &[event]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked every two seconds, as hoppers ask, the waits end at all times between two askings.
    #[test]
    fn waits_for_another_node_keep_no_step() {
        let debtor = DebtorId(uuid::Uuid::from_u128(10_000));
        let mut quarters = [0; 4];
        for n in 0..400 {
            let now = UtcMs(1_795_446_000_250 + n * 2_000);
            let more = uneven(debtor, now) % THERE_MORE_MS;
            let phase = usize::try_from(more.rem_euclid(2_000) / 500).unwrap_or(0);
            quarters[phase] += 1;
        }
        assert!(quarters.iter().all(|n| *n > 60), "{quarters:?}");
    }
}
