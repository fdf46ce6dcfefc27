//! Loops beside the engine: journal, outbox relay, node lease, database watch, promise sweep, refill.

use crate::asks::Actor;
use crate::shared::{Shared, persist};
use domain::entity::BANK_READER_GONE_MS;
use domain::event::NewEvent;
use domain::ports::store::{Closing, NodeLease, StoreError};
use domain::rules::disposition::NOT_DISPOSED;
use domain::time::{DAY_MS, HOUR_MS, SECOND_MS};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Events that may wait for the journal.
pub(crate) const JOURNAL_MAX: usize = 8_192;
/// Most events written in one go.
const JOURNAL_BATCH: usize = 256;
/// Most events handed to the bus in one go.
const RELAY_BATCH: u32 = 200;
/// Pause of the relay when nothing waits, ms.
const RELAY_IDLE_MS: u64 = 500;
/// Between two questions whether the database answers, ms; with the limit of an answer it stops dialing
/// within 2 s (faults.md promise 15).
const PING_MS: u64 = 700;
/// Limit of the answer, ms.
const PING_LIMIT_MS: u64 = 1_000;
/// Between two sweeps of promises and looks for dead nodes, ms.
const SWEEP_MS: u64 = 60_000;
/// Most promises closed in one go.
const SWEEP_BATCH: u32 = 500;
/// How long ladders and quality of calls are kept, ms: 30 days.
const TRAIL_KEPT_MS: i64 = 30 * DAY_MS;

/// From the end of a call until nobody will dispose of it any more, ms: longer than any wrap-up.
const LOST_AFTER_MS: i64 = HOUR_MS;
/// How far back such calls are looked for, ms.
const LOST_BACK_MS: i64 = 3 * DAY_MS;

/// Waits for the stop (or for the end of every handle).
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: that is the end, too.
    let _ = stop.wait_for(|s| *s).await;
}

/// Sleeps; `false` when the center stops meanwhile.
pub(crate) async fn pause(stop: &mut watch::Receiver<bool>, ms: u64) -> bool {
    tokio::select! {
        biased;
        () = stopped(stop) => false,
        () = tokio::time::sleep(Duration::from_millis(ms)) => true,
    }
}

/// Writes events that belong to no other transaction, in order.
pub(crate) async fn journal(shared: Arc<Shared>, mut events: mpsc::Receiver<NewEvent>) {
    let mut stop = shared.stop.clone();
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            n = events.recv_many(&mut batch, JOURNAL_BATCH) => if n == 0 { return },
            () = stopped(&mut stop) => {
                // What was told before the stop is written too.
                while let Ok(event) = events.try_recv() {
                    batch.push(event);
                }
                if !batch.is_empty() && shared.out.store.append_events(&batch).await.is_err() {
                    tracing::error!(events = batch.len(), "events lost at the stop: no database");
                }
                return;
            }
        }
        if let Err(error) = persist!(shared, shared.out.store.append_events(&batch)) {
            shared.fault("events not written", &error);
        }
    }
}

/// Hands stored events to the bus. A bus that is away only delays it: the log is the truth.
pub(crate) async fn relay(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    loop {
        let handed = relay_once(&shared).await;
        let wait = if handed >= RELAY_BATCH as usize {
            1
        } else {
            RELAY_IDLE_MS
        };
        if !pause(&mut stop, wait).await {
            return;
        }
    }
}

async fn relay_once(shared: &Shared) -> usize {
    let batch = match shared.out.store.outbox_pending(RELAY_BATCH).await {
        Ok(batch) => batch,
        Err(error) => {
            shared.mind(&error).await;
            return 0;
        }
    };
    if batch.is_empty() {
        return 0;
    }
    if let Err(error) = shared.out.bus.publish(&batch).await {
        tracing::debug!(reason = %error, "bus away: events wait in the outbox");
        return 0;
    }
    let cursors: Vec<i64> = batch.iter().map(|e| e.cursor).collect();
    // Not marked means handed over again: consumers are idempotent by event id.
    match shared.out.store.outbox_done(&cursors, shared.now()).await {
        Ok(()) => batch.len(),
        Err(error) => {
            shared.mind(&error).await;
            0
        }
    }
}

/// Keeps the node's lease; a newer process of the name ends dialing here for good.
pub(crate) async fn lease(shared: Arc<Shared>, mut lease: NodeLease) {
    let mut stop = shared.stop.clone();
    let ms = shared.config.node_lease_ms;
    let every = u64::try_from(ms / 3).unwrap_or(1).max(1);
    while pause(&mut stop, every).await {
        match shared.out.store.renew_node(&lease, shared.now(), ms).await {
            Ok(renewed) => {
                lease = renewed;
                take_place(&shared, &lease.node).await;
            }
            Err(StoreError::Fenced) => {
                shared.mind(&StoreError::Fenced).await;
                return;
            }
            Err(error) => shared.mind(&error).await,
        }
    }
    // Ends now instead of running out: another node may take over at once.
    if let Err(error) = shared.out.store.renew_node(&lease, shared.now(), 0).await {
        tracing::debug!(reason = %error, "node lease not ended");
    }
}

/// Tells the engine how many nodes share the trunks.
async fn take_place(shared: &Shared, node: &str) {
    match shared.out.store.node_place(node, shared.now()).await {
        Ok(place) => {
            shared
                .post
                .tell(move |engine, now| engine.set_place(now, place))
                .await;
        }
        Err(error) => shared.mind(&error).await,
    }
}

/// Asks whether the database answers; dialing stops and goes on by it.
pub(crate) async fn database(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    while pause(&mut stop, PING_MS).await {
        let limit = Duration::from_millis(PING_LIMIT_MS);
        match tokio::time::timeout(limit, shared.out.store.ping()).await {
            Ok(Ok(())) => shared.database_up().await,
            Ok(Err(_)) | Err(_) => shared.database_down().await,
        }
    }
}

/// Closes promises whose grace is over, and what dead nodes left.
pub(crate) async fn sweep(shared: Arc<Shared>, lease: NodeLease) {
    let mut stop = shared.stop.clone();
    let mut staged = crate::plans::stages::Walked::default();
    while pause(&mut stop, SWEEP_MS).await {
        sweep_promises(&shared).await;
        sweep_links(&shared).await;
        sweep_files(&shared).await;
        crate::plans::sweep(&shared).await;
        if let Err(error) = crate::plans::stages::round(&shared, &mut staged).await {
            shared.mind(&error).await;
        }
        dispose_of_lost(&shared).await;
        let old = shared.now().plus_ms(-TRAIL_KEPT_MS);
        if let Err(error) = shared.out.store.forget_trails(old, SWEEP_BATCH).await {
            shared.mind(&error).await;
        }
        match crate::start::recover(&shared, &lease).await {
            Ok(_) => {}
            Err(error) => shared.mind(&error).await,
        }
    }
}

async fn sweep_promises(shared: &Arc<Shared>) {
    let told = crate::stops::promise_event(shared);
    let store = &shared.out.store;
    if let Err(error) = store.sweep_promises(shared.now(), SWEEP_BATCH, &told).await {
        shared.mind(&error).await;
    }
}

async fn sweep_links(shared: &Arc<Shared>) {
    let store = &shared.out.store;
    match store.expire_links(shared.now(), SWEEP_BATCH).await {
        Ok(over) => {
            for link in over {
                let kind = "payment_link.expired";
                shared.journal(crate::provider::link_event(
                    shared,
                    Actor::System,
                    kind,
                    &link,
                ));
            }
        }
        Err(error) => shared.mind(&error).await,
    }
}

/// Files of banks whose reader died: they wait to be given again, and say so.
async fn sweep_files(shared: &Arc<Shared>) {
    let now = shared.now();
    let before = now.plus_ms(-BANK_READER_GONE_MS);
    match shared.out.store.half_bank_files(before, now).await {
        Ok(gone) => {
            for file in gone {
                let data = json!({"file_id": file.id, "rows": file.rows});
                let (client, subject) = (Some(file.client_id), format!("bank_file:{}", file.id));
                let event = shared.event(client, "system", "bank_file.half", subject, data);
                shared.journal(event);
            }
        }
        Err(error) => shared.mind(&error).await,
    }
}

/// Calls in which somebody talked and that nobody disposed of, though his time is long over: their node
/// died in the wrap-up. They get the system's code, as after a wrap-up that ran out.
async fn dispose_of_lost(shared: &Shared) {
    let now = shared.now();
    let (since, ended) = (now.plus_ms(-LOST_BACK_MS), now.plus_ms(-LOST_AFTER_MS));
    let lost = match shared.out.store.undisposed(since, ended, SWEEP_BATCH).await {
        Ok(lost) => lost,
        Err(error) => return shared.mind(&error).await,
    };
    for attempt in lost {
        let data = json!({"code": NOT_DISPOSED, "agent_id": attempt.agent_id, "by": "recovery"});
        let subject = format!("attempt:{}", attempt.id);
        let client = Some(attempt.client_id);
        let event = shared.event(client, shared.actor(), "disposition.set", subject, data);
        let closing = Closing {
            disposition: Some(NOT_DISPOSED.to_owned()),
            disposed_at: Some(now),
            events: vec![event],
            ..Closing::default()
        };
        if let Err(error) = shared.out.store.close_attempt(attempt.id, &closing).await {
            return shared.mind(&error).await;
        }
    }
}

/// Takes new debtors of the segments into running campaigns and counts what is due.
pub(crate) async fn refill(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let every = u64::try_from(shared.config.refill_every_ms)
        .unwrap_or(0)
        .max(SECOND_MS as u64);
    while pause(&mut stop, every).await {
        let Ok(running) = shared.post.call(|engine, _| engine.running()).await else {
            continue;
        };
        for setting in running {
            if let Err(error) = crate::refill::round(&shared, &setting).await {
                tracing::debug!(reason = %error, "campaign not refilled");
            }
        }
    }
}
