//! What is seen, and the end.

use super::{CenterHandle, Inner};
use crate::view;
use dialer::Gate;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::broadcast;

/// Between two looks whether calls are over, ms.
const LOOK_MS: i64 = 50;
/// Longest wait at a shutdown for calls that were just ended and for their last writes, ms.
const LAST_MS: i64 = 8_000;

impl CenterHandle {
    /// The whole board now.
    pub async fn board(&self) -> view::BoardSnapshot {
        let now = self
            .post()
            .call(|engine, now| engine.board_snapshot(now))
            .await;
        now.unwrap_or_default()
    }

    /// Board deltas from now on; a receiver that lags asks for [`CenterHandle::board`] again.
    #[must_use]
    pub fn board_deltas(&self) -> broadcast::Receiver<Arc<view::BoardDelta>> {
        self.inner.seen.subscribe()
    }

    /// Deltas after `seq`, when all of them are still kept (30 s).
    #[must_use]
    pub fn board_since(&self, seq: u64) -> Option<Vec<Arc<view::BoardDelta>>> {
        self.inner.seen.since(seq)
    }

    /// Figures since the start.
    pub async fn figures(&self) -> view::Figures {
        self.post()
            .call(|engine, now| engine.figures(now))
            .await
            .unwrap_or_default()
    }

    /// Marks that say whom the law lets be called: made since the start, and how long ago the last debtor
    /// without one was asked about, ms (none on a node that does not ask, or has not come so far).
    #[must_use]
    pub fn marks(&self) -> (u64, Option<i64>) {
        let shared = &self.inner.shared;
        (shared.marks.made(), shared.marks.lag_ms(shared.now()))
    }

    /// Debtors of recalled debts of whom it is still to be asked whether they are to be withdrawn here.
    #[must_use]
    pub fn recalls_left(&self) -> u64 {
        self.inner.shared.departed.left()
    }

    /// Whether new calls may start, for `/readyz`.
    #[must_use]
    pub fn readiness(&self) -> view::Readiness {
        self.inner.seen.readiness()
    }

    /// No new calls from now on; those that are up go on.
    pub async fn take_no_calls(&self) {
        self.inner.drain(0).await;
    }

    /// No new calls; waits until calls are over, at most `drain_max_ms`.
    pub async fn drain(&self) {
        self.inner
            .drain(self.inner.shared.config.drain_max_ms)
            .await;
    }

    /// Stops every task, gives leases back, ends the node lease. Calls that are still up are ended.
    pub async fn shutdown(&self) {
        self.inner.shutdown().await;
    }
}

impl Inner {
    async fn drain(&self, max_ms: i64) {
        let post = &self.shared.post;
        post.tell(|engine, now| engine.gate(now, Gate::Draining, true))
            .await;
        for _ in 0..max_ms / LOOK_MS {
            match post.call(|engine, _| engine.calls_up()).await {
                Ok(0) | Err(_) => return,
                Ok(_) => pause().await,
            }
        }
        if max_ms > 0 {
            tracing::warn!("drain: calls are still up at the limit");
        }
    }

    async fn shutdown(&self) {
        let post = &self.shared.post;
        post.tell(|engine, now| engine.end_calls(now)).await;
        crate::memory::at_the_end(&self.shared).await;
        self.drain(LAST_MS).await;
        post.tell(|engine, now| engine.sign_out_all(now)).await;
        // The engine lets go of the attempts; their writers end with what they still hold.
        let _ = post.call(|engine, now| engine.let_go(now)).await;
        for _ in 0..LAST_MS / LOOK_MS {
            if self.shared.writers.load(Ordering::SeqCst) == 0 {
                break;
            }
            pause().await;
        }
        if let Err(error) = self
            .shared
            .out
            .store
            .release_all(&self.shared.config.node, None)
            .await
        {
            tracing::warn!(reason = %error, "reservations not given back: they run out");
        }
        // No receiver left means that all have stopped already.
        let _ = self.stop.send(true);
        let running = match self.running.lock() {
            Ok(mut tasks) => std::mem::take(&mut *tasks),
            Err(poisoned) => std::mem::take(&mut *poisoned.into_inner()),
        };
        for mut task in running {
            let limit = Duration::from_millis(u64::try_from(LAST_MS).unwrap_or(0));
            if tokio::time::timeout(limit, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(u64::try_from(LOOK_MS).unwrap_or(1))).await;
}
