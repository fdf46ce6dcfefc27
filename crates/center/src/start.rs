//! The start of a center: lease, recovery, engine, tasks.

use crate::campaigns;
use crate::config::{CenterConfig, StartError};
use crate::engine::with_pauses;
use crate::engine::{Engine, Post, Queues, Seen};
use crate::feeder::zone_or_utc;
use crate::handle::{CenterHandle, Inner, StoreTimes};
use crate::keeping;
use crate::ports::{Outside, Ports};
use crate::shared::{Shared, persist};
use crate::tasks;
use domain::entity::{Attempt, CallResult, Recording, RecordingOutcome};
use domain::event::NewEvent;
use domain::ids::EventId;
use domain::ports::store::{
    ListFilter, NodeLease, PAGE_LIMIT_MAX, PageRequest, RECOVERED, StoreError,
};
use domain::rules::retry::{self, RetryCase};
use domain::time::UtcMs;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What a recovery did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) orphans: usize,
    pub(crate) recordings: usize,
}

pub(crate) async fn start(config: CenterConfig, ports: Ports) -> Result<CenterHandle, StartError> {
    let Ports {
        store,
        bus,
        trunk,
        reports,
        clock,
        ids,
        desk,
        law,
    } = ports;
    let times = Arc::new(StoreTimes::default());
    let out = Outside {
        store: times.around(store),
        bus,
        trunk,
        clock,
        ids,
        desk,
        law,
    };
    let lease = out
        .store
        .register_node(&config.node, out.now(), config.node_lease_ms)
        .await?;
    let size = config.engine_queue.max(16);
    let (ask, asks) = mpsc::channel(size);
    let (finish, done) = mpsc::channel(size);
    let (journal, events) = mpsc::channel(tasks::JOURNAL_MAX);
    let (stop, stopped) = watch::channel(false);
    let post = Post::new(ask, finish, size);
    let shared = Shared::new(post, out, config, lease.fence, journal, stopped.clone());
    let found = recover(&shared, &lease).await?;
    let node = &shared.config.node;
    shared.out.store.lost_inbound(node, shared.now()).await?;
    tracing::info!(
        fence = lease.fence,
        orphans = found.orphans,
        recordings = found.recordings,
        "node registered"
    );
    let (seen, cursor) = (Seen::new(), shared.out.store.last_cursor().await?);
    let mut engine = Engine::new(Arc::clone(&shared), Arc::clone(&seen));
    let counted = load(&shared, &mut engine).await?;
    crate::plans::load(&shared, &mut engine).await?;
    let queues = Queues {
        reports,
        done,
        asks,
    };
    let calls = shared.config.calls.clone();
    let calls = calls.unwrap_or_else(tokio::runtime::Handle::current);
    let mut running = vec![calls.spawn(engine.run(queues, stopped))];
    running.extend(beside(&shared, events, &lease, (cursor, counted)));
    running.extend(keeping::start(&shared));
    campaigns::resume_all(&shared).await?;
    Ok(CenterHandle {
        inner: Arc::new(Inner {
            shared,
            seen,
            times,
            stop,
            running: Mutex::new(running),
        }),
    })
}

/// The tasks beside the engine.
fn beside(
    shared: &Arc<Shared>,
    events: mpsc::Receiver<NewEvent>,
    lease: &NodeLease,
    (cursor, counted): (i64, (UtcMs, i64)),
) -> Vec<JoinHandle<()>> {
    let one = || Arc::clone(shared);
    vec![
        tokio::spawn(tasks::journal(one(), events)),
        tokio::spawn(tasks::relay(one())),
        tokio::spawn(tasks::lease(one(), lease.clone())),
        tokio::spawn(tasks::database(one())),
        tokio::spawn(tasks::sweep(one(), lease.clone())),
        tokio::spawn(tasks::refill(one())),
        tokio::spawn(crate::callable::run(one())),
        tokio::spawn(crate::floor::run(one())),
        tokio::spawn(crate::messages::run(one())),
        tokio::spawn(crate::strategies::run(one())),
        tokio::spawn(crate::memory::run(one())),
        tokio::spawn(crate::amd::run(one())),
        tokio::spawn(crate::short_calls::run(one())),
        tokio::spawn(crate::inbound::run(one())),
        tokio::spawn(crate::notices::run(one())),
        tokio::spawn(crate::proof::run(one())),
        tokio::spawn(crate::departed::run(one())),
        tokio::spawn(crate::follow::run(one(), cursor, counted)),
    ]
}

/// What the engine knows from its first moment on: trunks, and the answers of before. When it asked for those, and
/// how far the log was then.
async fn load(shared: &Shared, engine: &mut Engine) -> Result<(UtcMs, i64), StoreError> {
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let trunks = shared
        .out
        .store
        .list_trunks(&ListFilter::default(), &page)
        .await?;
    engine.pace_board();
    let node = &shared.config.node;
    engine.place = shared.out.store.node_place(node, shared.now()).await?;
    for trunk in trunks.items {
        engine.put_trunk(shared.now(), trunk);
    }
    engine.tell_readiness();
    // After the recovery: what dead calls left counts, too.
    let asked = (shared.now(), shared.out.store.last_cursor().await?);
    let answers = campaigns::answers(shared).await?;
    engine.take(shared.now(), dialer::Input::Answers(answers));
    Ok(asked)
}

/// Closes what dead owners left: attempts of unknown fate count as made, recordings are repaired.
pub(crate) async fn recover(
    shared: &Arc<Shared>,
    lease: &NodeLease,
) -> Result<Recovered, StoreError> {
    let now = shared.now();
    let (ids, clock) = (Arc::clone(&shared.out.ids), Arc::clone(&shared.out.clock));
    let actor = shared.actor();
    let event = move |attempt: &Attempt| NewEvent {
        id: EventId(ids.next(clock.now())),
        at: clock.now(),
        client_id: Some(attempt.client_id),
        actor: actor.clone(),
        kind: "attempt.ended".to_owned(),
        subject: format!("attempt:{}", attempt.id),
        data: json!({
            "campaign_id": attempt.campaign_id, "debtor_id": attempt.debtor_id,
            "result": CallResult::Unknown, "by": "recovery",
            "invited": attempt.invite_at.is_some(), "answered_at": attempt.answered_at,
            "ended_at": now,
        }),
    };
    let found = shared.out.store.recover(lease, now, &event).await?;
    for orphan in &found.orphans {
        rest(shared, orphan).await?;
    }
    for recording in &found.open_recordings {
        repair(shared, recording).await?;
    }
    Ok(Recovered {
        orphans: found.orphans.len(),
        recordings: found.open_recordings.len(),
    })
}

/// The debtor of an attempt of unknown fate rests as after any unknown result.
async fn rest(shared: &Arc<Shared>, orphan: &Attempt) -> Result<(), StoreError> {
    let Some(campaign) = orphan.campaign_id else {
        return Ok(());
    };
    // The store let him rest already; what is left to say is the hour, which is the law's.
    let found = crate::ops::stored_item(shared, campaign, orphan.debtor_id).await?;
    let Some(mut item) = found.filter(|i| !i.done && i.note == RECOVERED) else {
        return Ok(());
    };
    let now = orphan.ended_at.unwrap_or(shared.now());
    let facts = persist!(
        shared,
        shared.out.store.contact_facts(orphan.debtor_id, now)
    )?;
    let case = RetryCase {
        result: CallResult::Unknown,
        at: now,
        same_today: 1,
        same_on_point: 1,
        zone: zone_or_utc(&shared.out.law.zone_of(&facts)),
    };
    let Some(step) = retry::after(&case).filter(|step| step.next_at > item.next_at) else {
        return Ok(());
    };
    item.next_at = step.next_at;
    persist!(shared, shared.out.store.put_item(&item, &[]))
}

async fn repair(shared: &Arc<Shared>, recording: &Recording) -> Result<(), StoreError> {
    let mut row = recording.clone();
    row.sealed_at = Some(shared.now());
    let kind = match shared.config.repair.repair(recording).await {
        Ok(found) => {
            row.outcome = RecordingOutcome::Repaired;
            row.sha256 = Some(found.sha256);
            row.duration_ms = found.duration_ms;
            row.bytes = found.bytes;
            row.gaps = with_pauses(&recording.gaps, found.gaps, found.duration_ms);
            "recording.sealed"
        }
        Err(reason) => {
            tracing::warn!(recording = %row.id, reason, "recording of a dead process not repaired");
            row.outcome = RecordingOutcome::Failed;
            row.gaps.push((0, 0, reason));
            "recording.gap_found"
        }
    };
    let data = json!({"recording_id": row.id, "duration_ms": row.duration_ms, "repaired": true});
    let subject = format!("attempt:{}", row.attempt_id);
    let event = shared.event(Some(row.client_id), shared.actor(), kind, subject, data);
    persist!(
        shared,
        shared
            .out
            .store
            .put_recording(&row, std::slice::from_ref(&event))
    )
}
