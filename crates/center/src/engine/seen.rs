//! What is read from outside the engine task without asking it: readiness and kept board deltas.

use crate::view::{BoardDelta, Readiness};
use domain::time::UtcMs;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::broadcast;

/// How long deltas are kept for clients that come back (screens.md §6), ms.
pub(crate) const KEEP_MS: i64 = 30_000;
/// Deltas a slow socket task may be behind before it asks for a snapshot: 50 s at 10 a second.
const DELTAS: usize = 512;

#[derive(Debug, Default)]
struct State {
    readiness: Readiness,
    kept: VecDeque<(UtcMs, Arc<BoardDelta>)>,
    seq: u64,
}

/// Shared with every handle.
#[derive(Debug)]
pub(crate) struct Seen {
    state: Mutex<State>,
    deltas: broadcast::Sender<Arc<BoardDelta>>,
}

impl Seen {
    pub(crate) fn new() -> Arc<Self> {
        let (deltas, _) = broadcast::channel(DELTAS);
        Arc::new(Self {
            state: Mutex::default(),
            deltas,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        match self.state.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    pub(crate) fn set_readiness(&self, readiness: Readiness) {
        self.state().readiness = readiness;
    }

    pub(crate) fn readiness(&self) -> Readiness {
        self.state().readiness.clone()
    }

    pub(crate) fn publish(&self, now: UtcMs, delta: BoardDelta) {
        let delta = Arc::new(delta);
        {
            let mut state = self.state();
            state.seq = delta.seq;
            state.kept.push_back((now, Arc::clone(&delta)));
            while state
                .kept
                .front()
                .is_some_and(|(at, _)| now.since_ms(*at) > KEEP_MS)
            {
                state.kept.pop_front();
            }
        }
        // Nobody watches: nothing to send.
        let _ = self.deltas.send(delta);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<BoardDelta>> {
        self.deltas.subscribe()
    }

    /// Deltas after `seq`; `None` when some of them are not kept any more or `seq` is no past one.
    pub(crate) fn since(&self, seq: u64) -> Option<Vec<Arc<BoardDelta>>> {
        let state = self.state();
        if seq == state.seq {
            return Some(Vec::new());
        }
        let first = state.kept.front()?.1.seq;
        if seq > state.seq || seq + 1 < first {
            return None;
        }
        Some(
            state
                .kept
                .iter()
                .filter(|(_, d)| d.seq > seq)
                .map(|(_, d)| Arc::clone(d))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_are_kept_for_half_a_minute() {
        let seen = Seen::new();
        assert!(seen.since(0).is_some_and(|d| d.is_empty()));
        for n in 1..=4_u64 {
            let at = UtcMs(i64::try_from(n).unwrap_or(0) * 10_000);
            seen.publish(
                at,
                BoardDelta {
                    seq: n,
                    body: "{}".into(),
                },
            );
        }
        let seqs = |from| {
            seen.since(from)
                .map(|d| d.iter().map(|d| d.seq).collect::<Vec<_>>())
        };
        assert_eq!(seqs(0), Some(vec![1, 2, 3, 4]));
        assert_eq!(seqs(3), Some(vec![4]));
        assert_eq!(seqs(4), Some(vec![]));
        assert_eq!(seqs(9), None);
        seen.publish(
            UtcMs(41_000),
            BoardDelta {
                seq: 5,
                body: "{}".into(),
            },
        );
        assert_eq!(seqs(0), None, "the first one is older than half a minute");
    }
}
