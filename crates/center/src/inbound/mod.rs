//! A debtor who calls: whose number he called, who he is, whether the law lets us talk with him now, and
//! then the queue, or the lawful announcement with its outcome.

mod attach;
mod desks;
mod elsewhere;
mod route;
mod stranger;

use crate::live::CallCtx;
use crate::scribe;
use crate::shared::{Shared, persist};
pub(crate) use attach::{attach, find};
pub(crate) use desks::{Desk, Elsewhere};
use domain::entity::{Attempt, ContactPoint, Debtor, InboundCall, InboundOutcome};
use domain::ids::{AttemptId, TrunkId};
use domain::pii::Pii;
use domain::ports::store::StoreError;
use domain::time::UtcMs;
pub(crate) use elsewhere::run;
use route::Told;
pub(crate) use route::{FALLBACK, Guest, TONGUES, law, tongue};
use std::sync::Arc;
use std::time::Duration;
pub(crate) use stranger::as_debtor;

/// How often a call of ours to the same person is given time to end.
const BUSY_TRIES: u32 = 8;
/// Time for that, ms.
const BUSY_WAIT_MS: u64 = 250;

/// A call that came in, as the telephone side told it.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) attempt: AttemptId,
    pub(crate) trunk: TrunkId,
    /// E.164 with `+`; `None` where it is withheld.
    pub(crate) caller: Option<String>,
    pub(crate) called: String,
    pub(crate) at: UtcMs,
}

/// A caller on his way into the queue.
pub(crate) struct Arrival {
    pub(crate) ctx: Arc<CallCtx>,
    pub(crate) row: InboundCall,
    pub(crate) attempt: Attempt,
}

/// Opens a caller's attempt, with the file of whom nobody knows.
async fn open(
    shared: &Shared,
    attempt: &Attempt,
    file: Option<&(Debtor, ContactPoint)>,
) -> Result<bool, StoreError> {
    let store = &shared.out.store;
    match file {
        Some((debtor, point)) => store.open_stranger((debtor, point), attempt, &[]).await,
        None => store.open_inbound(attempt, &[]).await,
    }
}

fn row(shared: &Shared, came: &Came) -> InboundCall {
    InboundCall {
        id: came.attempt,
        client_id: None,
        campaign_id: None,
        debtor_id: None,
        trunk_id: came.trunk,
        node: shared.config.node.clone(),
        called: came.called.clone(),
        caller: came.caller.clone().map(Pii),
        at: came.at,
        answered_at: None,
        ended_at: None,
        agent_id: None,
        outcome: InboundOutcome::Open,
        wait_ms: 0,
        place: None,
    }
}

/// Takes a call from its first report to the queue or the announcement.
pub(crate) async fn arrive(shared: Arc<Shared>, came: Came) {
    let mut call = row(&shared, &came);
    let guest = match route::find(&shared, &came, &mut call).await {
        Ok(Ok(guest)) => guest,
        Ok(Err(told)) => return announce(&shared, call, told).await,
        Err(error) => {
            shared.mind(&error).await;
            tracing::warn!(call = %came.attempt, reason = %error, "a caller could not be looked up");
            let told = Told::plain(InboundOutcome::NotServed);
            return announce(&shared, call, told).await;
        }
    };
    let told = guest.told();
    if let Err(outcome) = admit(&shared, guest, &came, &mut call).await {
        announce(&shared, call, told.with(outcome)).await;
    }
}

/// What became of a caller whom the telephone side refused.
pub(crate) const fn why_turned_away(code: u16) -> InboundOutcome {
    match code {
        503 => InboundOutcome::Overloaded,
        _ => InboundOutcome::Failed,
    }
}

/// Writes the row of a caller who was not answered, with whose number he called and who he is.
pub(crate) async fn turned_away(shared: &Arc<Shared>, came: Came, outcome: InboundOutcome) {
    let mut call = row(shared, &came);
    (call.outcome, call.ended_at) = (outcome, Some(came.at));
    if let Err(error) = route::label(shared, &came, &mut call).await {
        shared.mind(&error).await;
        tracing::warn!(call = %came.attempt, reason = %error, "who was turned away could not be looked up");
    }
    tracing::warn!(call = %came.attempt, outcome = %outcome, "a caller was not answered");
    store(shared, &call).await;
    if let Some(campaign) = call.campaign_id {
        shared
            .post
            .tell(move |engine, _| engine.count_turned_away(campaign))
            .await;
    }
}

/// Into the queue, or why not.
async fn admit(
    shared: &Arc<Shared>,
    mut guest: Guest,
    came: &Came,
    call: &mut InboundCall,
) -> Result<(), InboundOutcome> {
    let stocked = guest.stocked.clone();
    let room = shared
        .post
        .call(move |engine, now| engine.room_for(now, &stocked, None))
        .await;
    let (place, wait_ms) = room.map_err(|_| InboundOutcome::NotServed)??;
    (call.place, guest.wait_ms) = (Some(place), wait_ms);
    let person = guest.stocked.facts.debtor.person_id;
    let file = guest.file.take();
    let (attempt, trunk, at) = (came.attempt, came.trunk, came.at);
    let mut arrival = shared
        .post
        .call({
            let row = call.clone();
            move |engine, now| engine.arrival(now, guest, (attempt, trunk, at), row)
        })
        .await
        .map_err(|_| InboundOutcome::NotServed)?;
    for tried in 0..=BUSY_TRIES {
        match open(shared, &arrival.attempt, file.as_deref()).await {
            Ok(true) => break,
            Ok(false) if tried < BUSY_TRIES => {
                // He calls while we call him: what rings is withdrawn.
                shared
                    .post
                    .tell(move |engine, now| {
                        engine.take(now, dialer::Input::WithdrawPerson(person));
                    })
                    .await;
                tokio::time::sleep(Duration::from_millis(BUSY_WAIT_MS)).await;
            }
            Ok(false) => return Err(InboundOutcome::Busy),
            Err(error) => {
                shared.mind(&error).await;
                tracing::warn!(call = %attempt, reason = %error, "a caller's attempt was not opened");
                return Err(InboundOutcome::NotServed);
            }
        }
    }
    arrival.row.outcome = InboundOutcome::Open;
    arrival.row.debtor_id = Some(arrival.attempt.debtor_id);
    store(shared, &arrival.row).await;
    // The card is complete before anybody can see it.
    scribe::history(shared, &arrival.ctx).await;
    shared
        .post
        .tell(move |engine, now| engine.enqueue(now, arrival))
        .await;
    Ok(())
}

/// Writes a call's row.
pub(crate) async fn store(shared: &Shared, row: &InboundCall) {
    if let Err(error) = persist!(shared, shared.out.store.put_inbound(row, &[])) {
        shared.mind(&error).await;
        shared.fault("a call that came in was not written", &error);
    }
}

/// The lawful announcement: the outcome is durable before it begins.
async fn announce(shared: &Arc<Shared>, mut call: InboundCall, told: Told) {
    call.outcome = told.outcome;
    call.place = None;
    store(shared, &call).await;
    shared
        .post
        .tell(move |engine, now| {
            let words = (told.client.as_str(), told.language.as_str());
            engine.announce(now, call, words, told.hours);
        })
        .await;
}
