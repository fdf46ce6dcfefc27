//! What other nodes tell: every node follows the event log, for a stop told on one of them binds all.

use crate::campaigns;
use crate::departed;
use crate::error::CenterError;
use crate::found::{Ended, Found};
use crate::lists;
use crate::shared::Shared;
use crate::stops;
use crate::tasks::pause;
use dialer::Input;
use domain::entity::{Attempt, CallResult, CampaignStatus, DialMode, Direction};
use domain::event::{Event, NewEvent};
use domain::ids::{AgentId, AttemptId, CampaignId, DebtorId, SuppressionId, TrunkId};
use domain::ports::store::{StoreError, Turn};
use domain::rules::detector::is_mailbox;
use domain::time::UtcMs;
use std::str::FromStr;
use std::sync::Arc;

/// Between two looks at the log, ms: with the withdrawal a stop is obeyed in under a second (law.md §6).
const FOLLOW_MS: u64 = 300;
/// Most events read in one go.
const BATCH: u32 = 500;

/// Follows the log from `cursor` on until the center stops; `counted`: when the engine was told of the answers
/// of before, and how much of the log those held for sure.
pub(crate) async fn run(shared: Arc<Shared>, mut cursor: i64, counted: (UtcMs, i64)) {
    let mut stop = shared.stop.clone();
    let mut found = Found::new(counted);
    while pause(&mut stop, FOLLOW_MS).await {
        loop {
            let batch = match shared.out.store.events_after(cursor, BATCH).await {
                Ok(batch) => batch,
                Err(error) => {
                    shared.mind(&error).await;
                    break;
                }
            };
            let whole = batch.len() >= BATCH as usize;
            if !obey_all(&shared, batch, &mut cursor, &mut found).await || !whole {
                break;
            }
        }
    }
}

/// `false` when the database went away: the rest is read again.
async fn obey_all(
    shared: &Arc<Shared>,
    batch: Vec<Event>,
    cursor: &mut i64,
    found: &mut Found,
) -> bool {
    for told in batch {
        if let Err(error) = crate::messages::obey(shared, &told).await {
            shared.mind(&error).await;
            if matches!(error, StoreError::Unavailable(_)) {
                return false;
            }
        }
        if !shared.is_own(told.event.id) {
            match obey(shared, &told, found).await {
                Ok(()) => {}
                Err(CenterError::Store(error @ StoreError::Unavailable(_))) => {
                    shared.mind(&error).await;
                    return false;
                }
                Err(error) => {
                    tracing::warn!(kind = told.event.kind, subject = told.event.subject,
                        reason = %error, "what another node told is not obeyed");
                }
            }
        }
        shared.notices.hear(&told.event);
        *cursor = told.cursor;
    }
    true
}

/// The identity behind `debtor:…` and the like.
fn subject<T: FromStr>(event: &NewEvent, kind: &str) -> Option<T> {
    let (what, id) = event.subject.split_once(':')?;
    (what == kind).then(|| id.parse().ok()).flatten()
}

/// An identity in the event's data.
fn field<T: FromStr>(event: &NewEvent, name: &str) -> Option<T> {
    event.data.get(name)?.as_str()?.parse().ok()
}

async fn obey(shared: &Arc<Shared>, told: &Event, found: &mut Found) -> Result<(), CenterError> {
    let event = &told.event;
    let debtor = || {
        let named = subject::<DebtorId>(event, "debtor");
        named.or_else(|| field(event, "debtor_id"))
    };
    match event.kind.as_str() {
        "hold.placed" => match debtor() {
            Some(id) => Ok(stops::withdraw_person(shared, id).await?),
            None => Ok(()),
        },
        "payment.posted" | "payment.reversed" => {
            if let (Some(client), Some(id)) = (event.client_id, debtor()) {
                stops::money_moved(shared, client, id).await;
            }
            Ok(())
        }
        "promise.made" | stops::CHANGED => {
            if let Some(id) = debtor() {
                stops::withdraw(shared, id).await;
            }
            Ok(())
        }
        "suppression.added" => listed(shared, event).await,
        lists::LOADED => loaded(shared, event).await,
        departed::RECALLED | departed::IMPORTED | departed::REVERTED => {
            Ok(departed::follow(shared, event).await?)
        }
        "plan.offered" | "plan.approved" | "plan.answered" | "plan.cancelled" | "plan.signed"
        | "plan.completed" | "plan.reopened" | "plan.broken" => {
            crate::plans::follow(shared, event).await
        }
        "policy.changed" => match subject(event, "client") {
            Some(id) => crate::plans::terms_changed(shared, id).await,
            None => Ok(()),
        },
        "attempt.ended" => counted(shared, told, found).await,
        "amd.corrected" => corrected(shared, told, found).await,
        "disposition.set" => machine(shared, event, found).await,
        "amd.learned" => {
            if let Some(id) = subject::<TrunkId>(event, "trunk") {
                crate::amd::tell_trunk(shared, id).await?;
            }
            Ok(())
        }
        "trunk.made" | "trunk.changed" => trunk(shared, event).await,
        "agent.changed" => agent(shared, event).await,
        "campaign.started" | "campaign.paused" | "campaign.resumed" | "campaign.stopped"
        | "campaign.changed" => match subject(event, "campaign") {
            Some(id) => campaign(shared, id).await,
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// A number, document or person was listed elsewhere.
async fn listed(shared: &Shared, event: &NewEvent) -> Result<(), CenterError> {
    let id = field::<SuppressionId>(event, "suppression_id").or_else(|| field(event, "id"));
    if let Some(id) = id {
        let row = shared.out.store.get_suppression(id).await?;
        let post = &shared.post;
        post.tell(move |engine, now| engine.withdraw_listed(now, &row))
            .await;
    }
    Ok(())
}

/// An external list came into force elsewhere.
async fn loaded(shared: &Shared, event: &NewEvent) -> Result<(), CenterError> {
    if let Some(id) = subject(event, lists::SUBJECT) {
        let list = shared.out.store.get_dnc_list(id).await?;
        lists::withdraw(shared, &list).await?;
    }
    Ok(())
}

/// Whether an agent was owed to who answered: who called us, or only hears a message, is no answer (law.md §4),
/// as in what the store counts.
pub(crate) fn owed(row: &Attempt) -> bool {
    row.direction == Direction::Outbound && row.mode != DialMode::Agentless
}

/// A live answer of another node counts for the same campaign, client and installation (law.md §4): this
/// node's guard must not spend what is spent there.
async fn counted(shared: &Arc<Shared>, told: &Event, found: &mut Found) -> Result<(), CenterError> {
    let event = &told.event;
    let result: Option<CallResult> = event
        .data
        .get("result")
        .and_then(|r| serde_json::from_value(r.clone()).ok());
    let may_count = |r: CallResult| r.is_live_answer() || r == CallResult::Unknown;
    // Its own are counted as they happen.
    let theirs = event.actor != shared.actor() && result.is_some_and(may_count);
    let Some(id) = subject::<AttemptId>(event, "attempt").filter(|_| theirs) else {
        return Ok(());
    };
    let row = shared.out.store.get_attempt(id).await?;
    let joined = row.bridged_at.is_some();
    // As the store counts them at a start.
    let dropped = row.result == Some(CallResult::Abandoned)
        || (row.result == Some(CallResult::Unknown) && !joined);
    let counts = owed(&row) && (joined || dropped) && !(dropped && found.stored(told.cursor));
    let (Some(at), Some(campaign), true) = (row.answered_at, row.campaign_id, counts) else {
        return Ok(());
    };
    let ended = row.bridged_at.filter(|_| !dropped);
    let ended = ended.map(|joined| found.ended(id, joined));
    if ended == Some(Ended::Counted) {
        return Ok(());
    }
    let input = Input::Counted {
        campaign,
        client: row.client_id,
        at,
        abandoned: dropped,
    };
    let machine = (ended == Some(Ended::Machine)).then_some(Input::CountedMachine {
        campaign,
        client: row.client_id,
        at,
    });
    shared
        .post
        .tell(move |engine, now| {
            engine.take(now, input);
            if let Some(machine) = machine {
                engine.take(now, machine);
            }
        })
        .await;
    Ok(())
}

/// An agent found a machine, on another node or of a call that this node does not have: it was nobody's live
/// answer. Our own calls are counted here as they are joined, wherever their agent says what they were.
async fn machine(
    shared: &Arc<Shared>,
    event: &NewEvent,
    found: &mut Found,
) -> Result<(), CenterError> {
    let code = event.data.get("code").and_then(serde_json::Value::as_str);
    let mailbox = code.is_some_and(is_mailbox);
    let Some(id) = subject::<AttemptId>(event, "attempt").filter(|_| mailbox) else {
        return Ok(());
    };
    let row = shared.out.store.get_attempt(id).await?;
    let ours = row.node == shared.config.node;
    // Who was joined too late stays abandoned, whatever he was.
    let counts = owed(&row) && row.result != Some(CallResult::Abandoned);
    let (Some(at), Some(campaign), true) = (row.answered_at, row.campaign_id, counts) else {
        return Ok(());
    };
    let (Some(joined), Some(coded)) = (row.bridged_at, row.disposed_at) else {
        return Ok(());
    };
    // Our own call was counted when it was joined, as what the store told of was.
    let joined = if ours { UtcMs(0) } else { joined };
    if found.named(id, joined, coded) {
        let input = Input::CountedMachine {
            campaign,
            client: row.client_id,
            at,
        };
        let post = &shared.post;
        post.tell(move |engine, now| engine.take(now, input)).await;
    }
    Ok(())
}

/// A call of another node's that was taken for a machine was a person's, or was a machine's after all, as it turns
/// out now. The event alone says what it changed: by now the row may stand otherwise.
async fn corrected(shared: &Arc<Shared>, told: &Event, found: &Found) -> Result<(), CenterError> {
    let event = &told.event;
    let turn = event.data.get("turn");
    let turn: Option<Turn> = turn.and_then(|t| serde_json::from_value(t.clone()).ok());
    if let Some(turn) = turn.filter(|_| !found.stored(told.cursor))
        && let Some(id) = subject::<AttemptId>(event, "attempt")
    {
        let row = shared.out.store.get_attempt(id).await?;
        crate::amd::count(shared, &row, turn).await;
    }
    Ok(())
}

async fn trunk(shared: &Arc<Shared>, event: &NewEvent) -> Result<(), CenterError> {
    if let Some(id) = subject::<TrunkId>(event, "trunk") {
        let row = shared.out.store.get_trunk(id).await?;
        let post = &shared.post;
        post.tell(move |engine, now| engine.put_trunk(now, row))
            .await;
    }
    Ok(())
}

async fn agent(shared: &Arc<Shared>, event: &NewEvent) -> Result<(), CenterError> {
    if let Some(id) = subject::<AgentId>(event, "agent") {
        let row = shared.out.store.get_agent(id).await?;
        let post = &shared.post;
        post.tell(move |engine, now| engine.agent_changed(now, row))
            .await;
    }
    Ok(())
}

/// A campaign was started, stopped or changed elsewhere: this node does the same.
async fn campaign(shared: &Arc<Shared>, id: CampaignId) -> Result<(), CenterError> {
    let row = shared.out.store.get_campaign(id).await?;
    if row.status == CampaignStatus::Running {
        if shared.config.resume_running {
            campaigns::changed(Arc::clone(shared), id).await?;
        }
        return Ok(());
    }
    let cancel = row.status == CampaignStatus::Stopped;
    let rows = Arc::new(campaigns::setting(shared, row).await?);
    shared
        .post
        .call(move |engine, now| engine.leave(now, rows, cancel))
        .await
        .map(|_| ())
}
