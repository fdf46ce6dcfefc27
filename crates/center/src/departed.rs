//! Whose debts went back to their client in bulk, or who took consents back in bulk: a placement that is recalled, a
//! file that no longer names them, that revokes or that was undone. One event tells of all of them; each node looks after whom it has queued or rings itself, beside the
//! loop that reads the log: what is told after a large recall does not wait for it.

use crate::shared::Shared;
use crate::tasks::{pause, stopped};
use domain::entity::Consent;
use domain::event::NewEvent;
use domain::ids::{DebtorId, PlacementId, PortfolioId};
use domain::ports::store::{ContactFacts, StoreError};
use domain::rules::consents::took_back;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Told by a recall of a placement, by an accepted file and by one that was undone.
pub(crate) const RECALLED: &str = "placement.recalled";
pub(crate) const IMPORTED: &str = "portfolio.imported";
pub(crate) const REVERTED: &str = "import.reverted";

/// Debtors asked about, and withdrawn, in one go.
const BATCH: usize = 200;
/// Before a database that is away is asked again, ms.
const AGAIN_MS: u64 = 1_000;

/// Portfolios whose debtors are to be looked at, and how many of these are left.
#[derive(Default)]
pub(crate) struct Departed {
    /// Portfolios, and how often each was told of since: what is told while one is looked at is looked at again.
    asked: Mutex<BTreeMap<PortfolioId, u64>>,
    left: AtomicU64,
    wake: Notify,
}

impl Departed {
    fn asked(&self) -> MutexGuard<'_, BTreeMap<PortfolioId, u64>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, portfolio: PortfolioId) {
        *self.asked().entry(portfolio).or_default() += 1;
        self.wake.notify_one();
    }

    fn first(&self) -> Option<(PortfolioId, u64)> {
        self.asked().first_key_value().map(|(id, n)| (*id, *n))
    }

    fn done(&self, (portfolio, times): (PortfolioId, u64)) {
        let mut asked = self.asked();
        if asked.get(&portfolio) == Some(&times) {
            asked.remove(&portfolio);
        }
    }

    /// Debtors queued or ringing here of whom it is still to be asked whether they owe anything.
    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

/// The portfolio that an event of that kind is about.
async fn portfolio(shared: &Shared, event: &NewEvent) -> Result<Option<PortfolioId>, StoreError> {
    let Some((what, id)) = event.subject.split_once(':') else {
        return Ok(None);
    };
    match what {
        "portfolio" => Ok(id.parse().ok()),
        "placement" => match id.parse::<PlacementId>() {
            Ok(id) => Ok(Some(shared.out.store.get_placement(id).await?.portfolio_id)),
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Something went back in bulk: it is looked after by [`run`].
pub(crate) async fn follow(shared: &Shared, event: &NewEvent) -> Result<(), StoreError> {
    if let Some(portfolio) = portfolio(shared, event).await? {
        shared.departed.ask(portfolio);
    }
    Ok(())
}

/// Looks after recalls until the center stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    loop {
        let Some(next) = shared.departed.first() else {
            tokio::select! {
                () = shared.departed.wake.notified() => {}
                () = stopped(&mut stop) => return,
            }
            continue;
        };
        match withdraw(&shared, next.0).await {
            Ok(()) => {
                shared.departed.done(next);
                continue;
            }
            Err(error) => {
                shared.mind(&error).await;
                if !matches!(error, StoreError::Unavailable(_)) {
                    tracing::warn!(portfolio = %next.0, reason = %error, "a recall is not followed");
                    shared.departed.done(next);
                }
            }
        }
        if !pause(&mut stop, AGAIN_MS).await {
            return;
        }
    }
}

/// Those who were judged by consents of which they took some back since.
async fn revoked(
    shared: &Shared,
    debtors: &[DebtorId],
    judged: &BTreeMap<DebtorId, Vec<Arc<ContactFacts>>>,
) -> Result<BTreeSet<DebtorId>, StoreError> {
    let mut now: BTreeMap<DebtorId, Vec<Consent>> = BTreeMap::new();
    for consent in shared.out.store.consents_of(debtors).await? {
        now.entry(consent.debtor_id).or_default().push(consent);
    }
    let back = |id: &&DebtorId| {
        let after = now.get(id).map(Vec::as_slice).unwrap_or_default();
        let before = judged.get(id).into_iter().flatten();
        before.map(|f| &f.consents).any(|b| took_back(b, after))
    };
    Ok(debtors.iter().filter(back).copied().collect())
}

/// Withdraws whoever of the portfolio is queued or rings on this node, and owes nothing here any more or took a
/// consent back, as if each had been told by himself.
async fn withdraw(shared: &Shared, portfolio: PortfolioId) -> Result<(), StoreError> {
    let known = shared
        .post
        .learn(move |engine, _| engine.known_of(portfolio))
        .await;
    // A center that stops has nobody queued.
    let Ok(known) = known else { return Ok(()) };
    let mut judged: BTreeMap<DebtorId, Vec<Arc<ContactFacts>>> = BTreeMap::new();
    for facts in known {
        judged.entry(facts.debtor.id).or_default().push(facts);
    }
    let known: Vec<DebtorId> = judged.keys().copied().collect();
    let (all, mut gone) = (known.len(), 0);
    shared.departed.left.store(all as u64, Ordering::Relaxed);
    for batch in known.chunks(BATCH) {
        let owing = shared.out.store.owing(batch).await?;
        let owing: BTreeSet<DebtorId> = owing.into_iter().collect();
        let back = revoked(shared, batch, &judged).await?;
        let goes = |id: &&DebtorId| !owing.contains(*id) || back.contains(*id);
        let out: Vec<DebtorId> = batch.iter().filter(goes).copied().collect();
        gone += out.len();
        shared
            .post
            .tell(move |engine, now| engine.withdraw_all(now, &out))
            .await;
        let done = &shared.departed.left;
        done.fetch_sub(batch.len() as u64, Ordering::Relaxed);
    }
    if gone > 0 {
        tracing::info!(%portfolio, debtors = gone, of = all, "withdrawn: nothing of theirs is here any more, or they took a consent back");
    }
    Ok(())
}
