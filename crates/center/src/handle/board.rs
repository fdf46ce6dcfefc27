//! What is seen, and the end.

use super::CenterHandle;
use crate::view;
use std::sync::Arc;
use tokio::sync::broadcast;

impl CenterHandle {
    /// The whole board now.
    pub async fn board(&self) -> view::BoardSnapshot {
        view::BoardSnapshot::default()
    }

    /// Board deltas from now on; a receiver that lags asks for [`CenterHandle::board`] again.
    #[must_use]
    pub fn board_deltas(&self) -> broadcast::Receiver<Arc<view::BoardDelta>> {
        self.inner.deltas.subscribe()
    }

    /// Deltas after `seq`, when all of them are still kept (30 s).
    #[must_use]
    pub fn board_since(&self, seq: u64) -> Option<Vec<Arc<view::BoardDelta>>> {
        let _ = seq;
        None
    }

    /// Figures since the start.
    pub async fn figures(&self) -> view::Figures {
        view::Figures::default()
    }

    /// Whether new calls may start, for `/readyz`.
    #[must_use]
    pub fn readiness(&self) -> view::Readiness {
        view::Readiness::default()
    }

    /// No new calls; waits until calls are over, at most `drain_max_ms`.
    pub async fn drain(&self) {}

    /// Stops every task, gives leases back, ends the node lease.
    pub async fn shutdown(&self) {}
}
