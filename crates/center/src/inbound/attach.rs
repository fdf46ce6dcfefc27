//! An agent says who a caller is whom nobody knew: the law is asked about that debtor, his call becomes that
//! debtor's in one transaction, and his card comes, with identity still to be proved.

use super::{BUSY_TRIES, BUSY_WAIT_MS, law};
use crate::asks::{Actor, AttachAsk};
use crate::card::CardSource;
use crate::error::CenterError;
use crate::live::{CallCtx, Stocked};
use crate::shared::Shared;
use crate::{closing, words};
use domain::entity::{ContactPoint, Debtor};
use domain::ids::{AgentId, AttemptId, VerdictId};
use domain::phone::Phone;
use domain::ports::store::{ContactFacts, FoundCaller, ItemState, StoreError};
use domain::time::UtcMs;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Most debtors that are found at once.
const FOUND_MAX: u32 = 20;

/// Debtors of the call's client by what the caller says of himself. Who looked is kept.
pub(crate) async fn find(
    shared: Arc<Shared>,
    agent: AgentId,
    attempt: AttemptId,
    needle: String,
) -> Result<Vec<Debtor>, CenterError> {
    let ctx = shared
        .post
        .call(move |engine, _| engine.may_attach(agent, attempt))
        .await??;
    let client = ctx.stocked.setting.client.id;
    let store = &shared.out.store;
    let mut found = store.find_callers(client, &needle, FOUND_MAX).await?;
    if found.is_empty() {
        // A number as people say it, of the country he calls from.
        let country = ctx.stocked.facts.debtor.country.as_str();
        if let Ok(phone) = Phone::parse(&needle, Some(country)) {
            found = store.find_callers(client, phone.e164(), FOUND_MAX).await?;
        }
    }
    let data = json!({"action": "caller_search", "found": found.len()});
    let event = closing::event(&shared, &ctx, Actor::Agent(agent), "audit.written", data);
    shared.journal(event);
    Ok(found)
}

/// Gives the call to the debtor.
pub(crate) async fn attach(
    shared: Arc<Shared>,
    agent: AgentId,
    attempt: AttemptId,
    ask: AttachAsk,
) -> Result<Value, CenterError> {
    let ctx = shared
        .post
        .call(move |engine, _| engine.may_attach(agent, attempt))
        .await??;
    let (store, now) = (&shared.out.store, shared.now());
    let mut facts = crate::owed::facts_of(store.as_ref(), ask.debtor, now).await?;
    if facts.debtor.client_id != ctx.stocked.setting.client.id || facts.debtor.is_stranger() {
        return Err(CenterError::NotFound("debtor of this client"));
    }
    let (point, own) = number(&ctx, &facts);
    if !own {
        facts.points.push(point.clone());
    }
    lawful(&shared, &ctx, &facts, &point, now).await?;
    let item = store.items_of(facts.debtor.id).await?;
    let item = item
        .into_iter()
        .find(|i| i.campaign_id == ctx.stocked.setting.id());
    if !own && !ask.keep_number {
        facts.points.retain(|p| p.id != point.id);
    }
    let history = CardSource::read(&shared, facts.debtor.id).await?;
    let stocked = stocked(&shared, &ctx, (facts, point), item, now);
    give(&shared, &ctx, (agent, &ask), &stocked, own).await?;
    shared
        .post
        .call(move |engine, now| engine.attached(now, agent, attempt, stocked, history))
        .await?
}

/// The number he called from: one of the debtor's own (`true`), or the one that was kept for him.
fn number(ctx: &CallCtx, facts: &ContactFacts) -> (ContactPoint, bool) {
    let kept = &ctx.stocked.point;
    let own = facts
        .points
        .iter()
        .find(|p| p.channel == kept.channel && p.value.reveal() == kept.value.reveal());
    match own {
        Some(own) => (own.clone(), true),
        None => {
            let last = facts.points.iter().map(|p| p.position).max().unwrap_or(-1);
            let point = ContactPoint {
                debtor_id: facts.debtor.id,
                position: last.saturating_add(1),
                ..kept.clone()
            };
            (point, false)
        }
    }
}

async fn lawful(
    shared: &Shared,
    ctx: &CallCtx,
    facts: &ContactFacts,
    point: &ContactPoint,
    now: UtcMs,
) -> Result<(), CenterError> {
    let setting = &ctx.stocked.setting;
    let verdict = law(shared, setting, facts, point, now);
    if verdict.decision.permits(true) {
        return Ok(());
    }
    // That he was named and refused stays in his file.
    shared
        .out
        .store
        .record_verdict(&verdict, setting.client.id)
        .await?;
    let (es, en) = verdict
        .reason()
        .unwrap_or(("una regla lo impide", "a rule forbids it"));
    Err(CenterError::Blocked {
        code: words::block(verdict.blocked),
        es: es.to_owned(),
        en: en.to_owned(),
    })
}

fn stocked(
    shared: &Shared,
    ctx: &CallCtx,
    (facts, point): (ContactFacts, ContactPoint),
    item: Option<ItemState>,
    now: UtcMs,
) -> Stocked {
    let before = &ctx.stocked;
    let in_campaign = item.is_some();
    let state =
        item.unwrap_or_else(|| crate::manual::fresh(before.setting.id(), facts.debtor.id, now));
    Stocked {
        setting: Arc::clone(&before.setting),
        state,
        in_campaign,
        facts: Arc::new(facts),
        point,
        verdict_id: VerdictId(shared.id()),
        ..before.clone()
    }
}

/// Another ask was faster: the caller is somebody else's already.
fn known(error: StoreError) -> CenterError {
    match error {
        StoreError::Conflict(text) => CenterError::conflict("caller_known", text),
        other => other.into(),
    }
}

/// The transaction. A call of ours to the same person that rings is withdrawn first.
async fn give(
    shared: &Shared,
    ctx: &CallCtx,
    (agent, ask): (AgentId, &AttachAsk),
    to: &Stocked,
    own: bool,
) -> Result<(), CenterError> {
    let facts = &to.facts;
    let mut debts: Vec<_> = facts.debts.iter().collect();
    debts.sort_by(|a, b| (&a.due_date, a.id).cmp(&(&b.due_date, b.id)));
    let keep = ask.keep_number && !own;
    let found = FoundCaller {
        attempt: ctx.id,
        from: ctx.stocked.facts.debtor.id,
        to: facts.debtor.id,
        person: facts.debtor.person_id,
        debt: debts.first().map(|d| d.id),
        debts: debts.iter().map(|d| d.id).collect(),
        point: to.point.clone(),
        keep,
        at: shared.now(),
    };
    let data = json!({
        "debtor_id": found.to, "from": found.from, "agent_id": agent, "number_kept": keep,
        "number_known": own,
    });
    let told = |kind, data| closing::event(shared, ctx, Actor::Agent(agent), kind, data);
    let audit = json!({"action": "caller_attached", "debtor_id": found.to, "number_kept": keep});
    let events = [
        told("caller.identified", data),
        told("audit.written", audit),
    ];
    for tried in 0..=BUSY_TRIES {
        let given = shared.out.store.attach_caller(&found, &events).await;
        if given.map_err(known)? {
            return Ok(());
        }
        if tried < BUSY_TRIES {
            let person = found.person;
            shared
                .post
                .tell(move |engine, now| engine.take(now, dialer::Input::WithdrawPerson(person)))
                .await;
            tokio::time::sleep(Duration::from_millis(BUSY_WAIT_MS)).await;
        }
    }
    Err(CenterError::conflict(
        "debtor_in_call",
        "this debtor has another live call: end that one first",
    ))
}
