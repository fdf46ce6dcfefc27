//! How long the database takes, by operation, for the metrics.

mod interest;
mod money;
mod ops;
mod plans;

use super::CenterHandle;
use crate::view::OpTime;
use domain::ports::Store;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets, µs.
const BOUNDS_US: [u64; 11] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_000_000, 10_000_000,
];

#[derive(Default)]
struct Spent {
    within: [u64; BOUNDS_US.len()],
    count: u64,
    sum_us: u64,
}

/// Times since the start, by operation: a closed list, the methods of the store.
#[derive(Default)]
pub(crate) struct StoreTimes(Mutex<BTreeMap<&'static str, Spent>>);

impl StoreTimes {
    fn note(&self, op: &'static str, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = times.entry(op).or_default();
        spent.count += 1;
        spent.sum_us = spent.sum_us.saturating_add(us);
        for (bound, n) in BOUNDS_US.iter().zip(&mut spent.within) {
            *n += u64::from(us <= *bound);
        }
    }

    fn all(&self) -> Vec<OpTime> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times
            .iter()
            .map(|(op, spent)| OpTime {
                op,
                buckets_us: BOUNDS_US.into_iter().zip(spent.within).collect(),
                count: spent.count,
                sum_us: spent.sum_us,
            })
            .collect()
    }

    /// The store with this clock around it.
    pub(crate) fn around(self: &Arc<Self>, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Timed {
            store,
            times: Arc::clone(self),
        })
    }
}

/// A store whose operations are timed.
struct Timed {
    store: Arc<dyn Store>,
    times: Arc<StoreTimes>,
}

impl CenterHandle {
    /// A store whose operations are timed together with the center's own.
    #[must_use]
    pub fn timed(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        self.inner.times.around(store)
    }

    /// How long the operations of the store took since the start.
    #[must_use]
    pub fn store_times(&self) -> Vec<OpTime> {
        self.inner.times.all()
    }
}
