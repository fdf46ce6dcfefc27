//! A call is handed to an agent, a queue or a number: the law is asked again, the row is stored, then
//! the target is called.

use crate::asks::{Actor, TransferAsk, TransferTo};
use crate::engine::{NUMBER_RING_MS, transfer_data};
use crate::error::CenterError;
use crate::live::CallCtx;
use crate::shared::{Shared, persist};
use crate::{closing, feeder, words};
use domain::entity::{CheckPoint, Transfer, TransferKind, TransferMode, TransferOutcome, Verdict};
use domain::ids::{AgentId, AttemptId, TransferId, VerdictId};
use domain::phone::Phone;
use domain::pii::{Pii, mask_phone};
use domain::ports::store::ContactFacts;
use std::sync::Arc;

/// Orders a transfer; gives its identity. `by_phone` where the agent's phone asked for it, which is told of its end.
pub(crate) async fn transfer(
    shared: Arc<Shared>,
    actor: Actor,
    attempt: AttemptId,
    ask: TransferAsk,
    by_phone: bool,
) -> Result<TransferId, CenterError> {
    let (ctx, holder) = shared
        .post
        .call(move |engine, _| engine.may_hand(actor, attempt))
        .await??;
    let facts = shared
        .out
        .store
        .contact_facts(ctx.stocked.facts.debtor.id, shared.now())
        .await?;
    let (to_text, number) = target(&shared, &ctx, &facts, &ask.to).await?;
    let verdict = judged(&shared, &ctx, facts, number.is_some());
    let client = ctx.stocked.setting.client.id;
    shared.out.store.record_verdict(&verdict, client).await?;
    if !verdict.decision.permits(true) {
        let (es, en) = verdict
            .reason()
            .unwrap_or(("una regla lo impide", "a rule forbids it"));
        return Err(CenterError::Blocked {
            code: words::block(verdict.blocked),
            es: es.to_owned(),
            en: en.to_owned(),
        });
    }
    let mut row = row(&shared, &ctx, (attempt, holder), &ask);
    row.to_number = number.map(Pii);
    row.verdict_id = Some(verdict.id);
    ordered(&shared, &ctx, actor, row, (to_text, by_phone)).await
}

/// A supervisor takes a call over.
pub(crate) async fn take_over(
    shared: Arc<Shared>,
    actor: Actor,
    attempt: AttemptId,
    supervisor: AgentId,
) -> Result<TransferId, CenterError> {
    let (ctx, holder) = shared
        .post
        .call(move |engine, _| engine.may_hand(actor, attempt))
        .await??;
    let name = shared.out.store.get_agent(supervisor).await?.name;
    let ask = TransferAsk {
        to: TransferTo::Agent(supervisor),
        mode: TransferMode::Blind,
    };
    let mut row = row(&shared, &ctx, (attempt, holder), &ask);
    row.kind = TransferKind::TakeOver;
    ordered(&shared, &ctx, actor, row, (name, false)).await
}

fn row(
    shared: &Shared,
    ctx: &CallCtx,
    (attempt_id, from_agent): (AttemptId, AgentId),
    ask: &TransferAsk,
) -> Transfer {
    let (kind, to_agent, to_campaign) = match ask.to {
        TransferTo::Agent(agent) => (TransferKind::Agent, Some(agent), None),
        TransferTo::Queue(queue) => (TransferKind::Queue, None, Some(queue)),
        TransferTo::Number(_) => (TransferKind::Number, None, None),
    };
    Transfer {
        id: TransferId(shared.id()),
        attempt_id,
        client_id: ctx.stocked.setting.client.id,
        kind,
        mode: ask.mode,
        from_agent,
        to_agent,
        to_campaign,
        to_number: None,
        verdict_id: None,
        conference: false,
        asked_at: shared.now(),
        answered_at: None,
        ended_at: None,
        outcome: None,
    }
}

/// Durable first, then the target is called.
async fn ordered(
    shared: &Arc<Shared>,
    ctx: &CallCtx,
    actor: Actor,
    row: Transfer,
    (to, by_phone): (String, bool),
) -> Result<TransferId, CenterError> {
    let mut data = transfer_data(&row);
    data["by_phone"] = by_phone.into();
    let event = closing::event(shared, ctx, actor, "call.transfer_asked", data);
    shared.out.store.put_transfer(&row, &[event]).await?;
    let order = row.clone();
    let begun = shared
        .post
        .call(move |engine, now| engine.begin_transfer(now, actor, order, (to, by_phone)))
        .await?;
    if begun.is_err() {
        let failed = Transfer {
            ended_at: Some(shared.now()),
            outcome: Some(TransferOutcome::Failed),
            ..row.clone()
        };
        if let Err(error) = persist!(shared, shared.out.store.put_transfer(&failed, &[])) {
            shared.fault("transfer not written", &error);
        }
    }
    begun.map(|()| row.id)
}

/// What the target is called on the screen, and its number.
async fn target(
    shared: &Shared,
    ctx: &CallCtx,
    facts: &ContactFacts,
    to: &TransferTo,
) -> Result<(String, Option<String>), CenterError> {
    let store = &shared.out.store;
    match to {
        TransferTo::Agent(agent) => Ok((store.get_agent(*agent).await?.name, None)),
        TransferTo::Queue(queue) => {
            let campaign = store.get_campaign(*queue).await?;
            if campaign.client_id != ctx.stocked.setting.client.id {
                return Err(CenterError::NotFound("campaign of this client"));
            }
            Ok((campaign.name, None))
        }
        TransferTo::Number(text) => {
            let country = facts.debtor.country.as_str();
            let bad = |detail: &str| CenterError::invalid("bad_number", "to.number", detail);
            let phone =
                Phone::parse(text.reveal(), Some(country)).map_err(|e| bad(&e.to_string()))?;
            // A call may leave the debtor's country only by mistake or by fraud.
            let home = Phone::parse(&ctx.caller.1, None).ok();
            let same = |a: &Phone, b: &Phone| a.country() == b.country();
            if home.is_some_and(|home| !same(&home, &phone)) {
                return Err(bad("only numbers of the country the call is made from"));
            }
            if !ctx.stocked.setting.campaign.params.may_call(phone.e164()) {
                return Err(bad("the campaign's prefixes leave this number out"));
            }
            if phone.is_premium() {
                return Err(bad("premium numbers are never called"));
            }
            let own = facts
                .points
                .iter()
                .any(|p| p.value.reveal() == phone.e164());
            let client = ctx.stocked.setting.client.id;
            if own || store.number_listed(client, phone.e164()).await? {
                return Err(CenterError::Blocked {
                    code: "blocked_suppressed",
                    es: "el número está en una lista de exclusión o es del deudor".to_owned(),
                    en: "the number is listed, or the debtor's own".to_owned(),
                });
            }
            Ok((mask_phone(phone.e164()), Some(phone.e164().to_owned())))
        }
    }
}

/// The law's answer at check point `transfer`. This very contact is made and allowed already: its own
/// rows do not count against it.
fn judged(shared: &Shared, ctx: &CallCtx, mut facts: ContactFacts, number: bool) -> Verdict {
    facts.ledger.retain(|row| row.attempt_id != Some(ctx.id));
    let mut action = feeder::action(
        &ctx.stocked.setting,
        VerdictId(shared.id()),
        CheckPoint::Transfer,
        Some(ctx.stocked.point.id),
        if number { NUMBER_RING_MS } else { 0 },
        shared.now(),
    );
    action.agent_reserved = true;
    crate::asked::by(shared, &mut action, shared.actor());
    shared
        .out
        .law
        .judge(&crate::inbound::as_debtor(&facts), &action)
}
