//! What every task of the center shares, and how writes outlive a database that is away.

use crate::amd::Met;
use crate::best_time::Answers;
use crate::callable::Marks;
use crate::config::CenterConfig;
use crate::departed::Departed;
use crate::dry_run::DryRuns;
use crate::engine::Post;
use crate::floor::Floor;
use crate::messages::health::Health;
use crate::notices::Notices;
use crate::ports::Outside;
use crate::strategies::dry_run::Trials;
use crate::strategies::later::Later;
use dialer::Gate;
use domain::event::NewEvent;
use domain::ids::{ClientId, EventId};
use domain::ports::store::StoreError;
use domain::time::UtcMs;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// First wait before a write is tried again, ms.
pub(crate) const RETRY_FIRST_MS: u64 = 100;
/// Longest wait between two tries of a write, ms.
pub(crate) const RETRY_MAX_MS: u64 = 1_000;

/// Handles, configuration and switches, behind one `Arc`.
pub(crate) struct Shared {
    pub(crate) post: Post,
    pub(crate) out: Outside,
    pub(crate) config: CenterConfig,
    /// Fencing token of this start.
    pub(crate) fence: i64,
    pub(crate) journal: mpsc::Sender<NewEvent>,
    pub(crate) stop: watch::Receiver<bool>,
    /// Lost writes and broken invariants since the start.
    pub(crate) faults: AtomicU64,
    /// Attempts whose writer has not ended.
    pub(crate) writers: AtomicUsize,
    /// Who answers when, for the order `best_time`.
    pub(crate) answers: Answers,
    /// How far the law has been asked who may be called.
    pub(crate) marks: Marks,
    /// Shares of segments, and caller ids that rest.
    pub(crate) floor: Floor,
    /// Recalls that are to be followed.
    pub(crate) departed: Departed,
    /// Strategies on trial.
    pub(crate) trials: Trials,
    /// Packs on trial.
    pub(crate) dry_runs: DryRuns,
    /// Steps of strategies that are not due yet.
    pub(crate) later: Later,
    /// Carriers' recordings that decided calls.
    pub(crate) met: Met,
    /// Gateways that fail.
    pub(crate) gateways: Health,
    /// What one person is told at once.
    pub(crate) notices: Notices,
    /// This node plans strategies for an installation without gateways.
    pub(crate) plans_alone: AtomicBool,
    database_down: AtomicBool,
    /// Stops that this node told of itself and has obeyed, newest last.
    own: Mutex<VecDeque<EventId>>,
}

/// Own stops that are remembered until they come back with the log: some seconds' worth.
const OWN_MAX: usize = 4_096;

impl Shared {
    pub(crate) fn new(
        post: Post,
        out: Outside,
        config: CenterConfig,
        fence: i64,
        journal: mpsc::Sender<NewEvent>,
        stop: watch::Receiver<bool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            post,
            out,
            config,
            fence,
            journal,
            stop,
            faults: AtomicU64::new(0),
            writers: AtomicUsize::new(0),
            answers: Answers::default(),
            marks: Marks::default(),
            floor: Floor::default(),
            departed: Departed::default(),
            trials: Trials::default(),
            dry_runs: DryRuns::default(),
            later: Later::default(),
            met: Met::default(),
            gateways: Health::default(),
            notices: Notices::default(),
            plans_alone: AtomicBool::new(false),
            database_down: AtomicBool::new(false),
            own: Mutex::new(VecDeque::new()),
        })
    }

    pub(crate) fn now(&self) -> UtcMs {
        self.out.now()
    }

    pub(crate) fn id(&self) -> uuid::Uuid {
        self.out.id()
    }

    pub(crate) fn stopping(&self) -> bool {
        // Without a sender every handle is gone: nobody will ever say it.
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// Whether what strategies plan is this node's to withdraw.
    pub(crate) fn plans(&self) -> bool {
        !self.config.messengers.is_empty() || self.plans_alone.load(Ordering::Relaxed)
    }

    /// Counts a fault of ours and says so once, here.
    pub(crate) fn fault(&self, what: &'static str, detail: &dyn std::fmt::Display) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        tracing::error!(what, detail = %detail, "fault");
    }

    /// Tells the engine once that the database is away.
    pub(crate) async fn database_down(&self) {
        if !self.database_down.swap(true, Ordering::SeqCst) {
            tracing::warn!("database out of reach: dialing stops");
            self.post
                .tell(|engine, now| engine.gate(now, Gate::Database, true))
                .await;
        }
    }

    /// Tells the engine once that the database answers again.
    pub(crate) async fn database_up(&self) {
        if self.database_down.swap(false, Ordering::SeqCst) {
            tracing::info!("database answers again: dialing goes on");
            self.post
                .tell(|engine, now| engine.gate(now, Gate::Database, false))
                .await;
        }
    }

    /// What a failed store call means for dialing.
    pub(crate) async fn mind(&self, error: &StoreError) {
        match error {
            StoreError::Unavailable(_) => self.database_down().await,
            StoreError::Fenced => {
                self.post
                    .tell(|engine, now| engine.gate(now, Gate::Fenced, true))
                    .await;
            }
            StoreError::NotFound(_) | StoreError::Conflict(_) | StoreError::Corrupt(_) => {}
        }
    }

    pub(crate) fn event(
        &self,
        client: Option<ClientId>,
        actor: impl std::fmt::Display,
        kind: &str,
        subject: String,
        data: Value,
    ) -> NewEvent {
        NewEvent {
            id: EventId(self.id()),
            at: self.now(),
            client_id: client,
            actor: actor.to_string(),
            kind: kind.to_owned(),
            subject,
            data,
        }
    }

    /// A stop of this node's own: it obeys at once, not when it meets it in the log.
    pub(crate) fn told_here(&self, event: &NewEvent) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() >= OWN_MAX {
            own.pop_front();
        }
        own.push_back(event.id);
    }

    /// Whether the event is one of this node's own stops.
    pub(crate) fn is_own(&self, id: EventId) -> bool {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.contains(&id)
    }

    /// Who the node is as an actor of events.
    pub(crate) fn actor(&self) -> String {
        format!("node:{}", self.config.node)
    }

    /// Hands an event to the journal task; a full journal is a fault, never a wait.
    pub(crate) fn journal(&self, event: NewEvent) {
        if let Err(e) = self.journal.try_send(event)
            && !self.stopping()
        {
            self.fault("event lost: the journal's queue is full", &e);
        }
    }
}

/// Runs a store call until the database answers or the center stops; other errors come back at once.
macro_rules! persist {
    ($shared:expr, $op:expr) => {{
        let mut wait = $crate::shared::RETRY_FIRST_MS;
        loop {
            match $op.await {
                Err(domain::ports::store::StoreError::Unavailable(_)) if !$shared.stopping() => {
                    $shared.database_down().await;
                    tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
                    wait = (wait * 2).min($crate::shared::RETRY_MAX_MS);
                }
                other => break other,
            }
        }
    }};
}
pub(crate) use persist;
