//! Who may be called now, for segments: the law is asked in the background, a few hundred debtors at a
//! time, and what it says stands beside each debtor until something about him changes. One node of all
//! does it; half of its time at most, so that calls do not wait for it.

use crate::shared::Shared;
use crate::tasks::pause;
use domain::entity::{Channel, CheckPoint};
use domain::ids::{ClientId, VerdictId};
use domain::law::Action;
use domain::ports::store::{CallableMark, ContactFacts, MarkClaim, StoreError};
use domain::time::UtcMs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Debtors asked about in one go.
const BATCH: u32 = 200;
/// Least pause between two goes, ms.
const REST_MS: u64 = 10;
/// Marks of another law taken away in one go.
const FORGET: u32 = 5_000;
/// Setting that names the law of the marks.
const LAW: &str = "callable.law";

/// How far the asking has come.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Marks made since the start.
    made: AtomicU64,
    /// When nobody was left to ask about, epoch ms; 0 = not yet.
    all_at: AtomicI64,
    /// Whether this node asks.
    ours: AtomicU64,
}

impl Marks {
    /// Marks made since the start.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// How long ago nobody was left to ask about, ms; none on a node that does not ask or has not come so
    /// far yet.
    pub(crate) fn lag_ms(&self, now: UtcMs) -> Option<i64> {
        let at = self.all_at.load(Ordering::Relaxed);
        let asks = self.ours.load(Ordering::Relaxed) > 0 && at > 0;
        asks.then(|| now.since_ms(UtcMs(at)).max(0))
    }
}

/// Runs until the stop.
pub(crate) async fn run(shared: Arc<Shared>) {
    let Ok(every) = u64::try_from(shared.config.callable_every_ms) else {
        return;
    };
    if every == 0 {
        return;
    }
    let mut stop = shared.stop.clone();
    let mut known = None;
    while pause(&mut stop, every).await {
        match turn(&shared, &mut known).await {
            Ok(()) => {}
            Err(error) => shared.mind(&error).await,
        }
    }
}

/// Asks about everybody whose mark is missing or over.
async fn turn(shared: &Arc<Shared>, known: &mut Option<String>) -> Result<(), StoreError> {
    let (store, config) = (&shared.out.store, &shared.config);
    // The first of the nodes that live. Two at once, when one has just died, only ask the same.
    let (rank, _) = store.node_place(&config.node, shared.now()).await?;
    shared
        .marks
        .ours
        .store(u64::from(rank == 0), Ordering::Relaxed);
    if rank != 0 {
        return Ok(());
    }
    let mut stop = shared.stop.clone();
    loop {
        same_law(shared, known).await?;
        let from = Instant::now();
        let claimed = store.claim_marks(shared.now(), BATCH).await?;
        if claimed.facts.is_empty() {
            let now = shared.now();
            shared.marks.all_at.store(now.0, Ordering::Relaxed);
            return Ok(());
        }
        let kept = ask(shared, claimed).await?;
        shared.marks.made.fetch_add(kept, Ordering::Relaxed);
        // As long as it took.
        let took = u64::try_from(from.elapsed().as_millis()).unwrap_or(REST_MS);
        if !pause(&mut stop, took.max(REST_MS)).await {
            return Ok(());
        }
    }
}

/// Asks at once about who has no mark, on whatever node, until everybody of the client has one or the time is up;
/// how many of his are left. Nothing is asked where nobody asks in the background.
pub(crate) async fn catch_up(
    shared: &Arc<Shared>,
    client: ClientId,
    within: Duration,
) -> Result<u64, StoreError> {
    let store = &shared.out.store;
    let from = Instant::now();
    loop {
        let left = store.marks_pending(client, shared.now()).await?;
        if left == 0 || shared.config.callable_every_ms <= 0 || from.elapsed() >= within {
            return Ok(left);
        }
        let claimed = store.claim_marks(shared.now(), BATCH).await?;
        if claimed.facts.is_empty() {
            // Another node is at the last ones.
            tokio::time::sleep(Duration::from_millis(REST_MS)).await;
            continue;
        }
        let kept = ask(shared, claimed).await?;
        shared.marks.made.fetch_add(kept, Ordering::Relaxed);
    }
}

/// Takes the marks of another law away: of other packs, or of the time before a client's contract asked something else.
/// `known` is the law that was looked at last.
async fn same_law(shared: &Shared, known: &mut Option<String>) -> Result<(), StoreError> {
    let store = &shared.out.store;
    let mut ours = shared.out.law.fingerprint();
    let contracts = store.client_law_changes().await?;
    if contracts > 0 {
        ours = format!("{ours}:{contracts}");
    }
    if known.as_deref() == Some(&ours) {
        return Ok(());
    }
    if store.get_setting(LAW).await?.as_deref() != Some(&ours) {
        while store.forget_marks(FORGET).await? > 0 {
            tokio::time::sleep(Duration::from_millis(REST_MS)).await;
            if shared.stopping() {
                return Ok(());
            }
        }
        store.put_setting(LAW, &ours).await?;
    }
    *known = Some(ours);
    Ok(())
}

/// Asks the law about debtors and keeps what it says.
async fn ask(shared: &Arc<Shared>, claimed: MarkClaim) -> Result<u64, StoreError> {
    let (law, now) = (Arc::clone(&shared.out.law), shared.now());
    let MarkClaim { claim, facts } = claimed;
    let one = move |facts: &ContactFacts| {
        let (from, until) =
            law.callable(facts, &by_hand(law.call_law(facts, now).ring_min_ms, now));
        CallableMark {
            debtor: facts.debtor.id,
            from,
            until,
        }
    };
    // A few hundred verdicts take longer than a task may hold its thread.
    let asked = tokio::task::spawn_blocking(move || facts.iter().map(one).collect::<Vec<_>>());
    let Ok(marks) = asked.await else {
        shared.fault(
            "law",
            &"asked who may be called: the question was not answered",
        );
        return Ok(0);
    };
    shared.out.store.mark_callable(claim, &marks).await
}

/// A call by hand, to any of his numbers.
fn by_hand(ring_ms: i64, now: UtcMs) -> Action {
    Action {
        verdict_id: VerdictId(uuid::Uuid::nil()),
        check_point: CheckPoint::Manual,
        channel: Channel::Call,
        point_id: None,
        campaign_id: None,
        campaign_window: None,
        attempts_per_day: None,
        circumstances: domain::entity::Circumstances::default(),
        ring_timeout_ms: ring_ms,
        agent_reserved: true,
        now,
    }
}
