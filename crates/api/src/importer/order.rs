//! Identities of an import's rows in the order of the file, so that a database puts them side by side.

use domain::ports::IdSource;
use domain::time::UtcMs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// Identities of one millisecond: the twelve bits behind it count them (RFC 9562, section 6.2).
const EACH_MS: u64 = 1 << 12;

/// UUIDv7 of another source, counted: what it gives for one instant grows. The last eight bytes stay those
/// of the source, for they are a debtor's lot.
pub(super) struct InOrder {
    source: Arc<dyn IdSource>,
    count: AtomicU64,
}

impl InOrder {
    pub(super) fn new(source: Arc<dyn IdSource>) -> Self {
        Self {
            source,
            count: AtomicU64::new(0),
        }
    }
}

impl IdSource for InOrder {
    fn next(&self, now: UtcMs) -> Uuid {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let later = i64::try_from(n / EACH_MS).unwrap_or(0);
        let mut bytes = self.source.next(now.plus_ms(later)).into_bytes();
        let [.., high, low] = (n % EACH_MS).to_be_bytes();
        bytes[6] = bytes[6] & 0xf0 | high & 0x0f;
        bytes[7] = low;
        Uuid::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_grow_and_stay_version_seven() {
        let ids = InOrder::new(Arc::new(sim::clock::SeededIds::new(7)));
        let now = UtcMs(1_764_140_000_000);
        let all: Vec<Uuid> = (0..10_000).map(|_| ids.next(now)).collect();
        assert!(all.is_sorted_by(|a, b| a < b), "in order");
        let plain = sim::clock::SeededIds::new(7).next(now);
        assert_eq!(all[0].as_bytes()[8..], plain.as_bytes()[8..], "its lot");
        assert_eq!(all[9_999].get_version_num(), plain.get_version_num());
    }
}
