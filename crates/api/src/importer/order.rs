//! Identities of an import's rows in the order of the file, so that a database puts them side by side.

use domain::ids::LOT_GROUP_BITS;
use domain::ports::IdSource;
use domain::time::UtcMs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// Identities of one millisecond: the twelve bits behind it count them (RFC 9562, section 6.2).
const EACH_MS: u64 = 1 << 12;
/// Bits of the last eight bytes: behind those of the variant (RFC 9562, section 4.1).
const LOT_BITS: u32 = 62;
/// Bits of the count within a group: enough for each identity of the longest file once or more.
const COUNT_BITS: u32 = 26;
/// Bits behind the count.
const END_BITS: u32 = LOT_BITS - LOT_GROUP_BITS - COUNT_BITS;

/// UUIDv7 of another source, counted: what it gives for one instant grows. Of the last eight bytes, which are a
/// debtor's lot, the group and the end stay those of the source: each group of lots has debtors by chance, and in the
/// order of the file. A random order that put each of a million anywhere would have a database change another page for
/// each of them.
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

/// The lot `chance` with the count `n` behind its group.
const fn grouped(chance: u64, n: u64) -> u64 {
    let group = u64::MAX << (LOT_BITS - LOT_GROUP_BITS);
    let end = (1 << END_BITS) - 1;
    let count = n % (1 << COUNT_BITS);
    (chance & (group | end)) | (count << END_BITS)
}

impl IdSource for InOrder {
    fn next(&self, now: UtcMs) -> Uuid {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let later = i64::try_from(n / EACH_MS).unwrap_or(0);
        let (mut time, lot) = self.source.next(now.plus_ms(later)).as_u64_pair();
        // The twelve bits behind the version.
        time = (time & !(EACH_MS - 1)) | (n % EACH_MS);
        Uuid::from_u64_pair(time, grouped(lot, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Variant;

    const NOW: UtcMs = UtcMs(1_764_140_000_000);

    fn made(count: usize) -> Vec<Uuid> {
        let ids = InOrder::new(Arc::new(sim::clock::SeededIds::new(7)));
        (0..count).map(|_| ids.next(NOW)).collect()
    }

    fn group(id: Uuid) -> u64 {
        (id.as_u64_pair().1 << 2) >> (64 - LOT_GROUP_BITS)
    }

    #[test]
    fn they_grow_and_stay_version_seven() {
        let all = made(10_000);
        assert!(all.is_sorted_by(|a, b| a < b), "in order");
        for id in [all[0], all[9_999]] {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), Variant::RFC4122);
        }
        let plain = sim::clock::SeededIds::new(7).next(NOW);
        assert_eq!(group(all[0]), group(plain), "its group");
    }

    #[test]
    fn a_group_is_chance_and_grows_with_the_file() {
        let all = made(40_960);
        // An eighth of the groups has an eighth of each quarter of the file, within five deviations.
        for quarter in all.chunks(10_240) {
            let few = quarter
                .iter()
                .filter(|id| group(**id) >> (LOT_GROUP_BITS - 3) == 5);
            let few = few.count();
            assert!(few.abs_diff(1_280) < 5 * 34, "{few}");
        }
        let of = |n: u64| all.iter().filter(move |id| group(**id) == n);
        let some = (0..1 << LOT_GROUP_BITS).find(|n| of(*n).count() > 8);
        let some = some.expect("ten a group are usual");
        let lots: Vec<u64> = of(some).map(|id| id.as_u64_pair().1).collect();
        assert!(lots.is_sorted_by(|a, b| a < b), "at its end");
    }

    #[test]
    fn nothing_but_the_count_is_taken_from_chance() {
        let (none, all) = (grouped(0, u64::MAX), grouped(u64::MAX, 0));
        assert_eq!(none.count_ones(), COUNT_BITS);
        assert_eq!(none & all, 0);
        assert_eq!(none | all, u64::MAX);
    }
}
