//! How many debtors of a client live in a country. Of a large client it is estimated; only where the sample meets
//! nobody are all of them asked, for few are not none, and the answer is kept for a while.

use domain::ids::ClientId;
use domain::ports::Store;
use domain::ports::store::StoreError;
use domain::segment::Expr;
use domain::time::{MINUTE_MS, UtcMs};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long an answer is kept, ms.
const KEPT_MS: i64 = 10 * MINUTE_MS;
/// Most answers kept.
const KEPT_MAX: usize = 1_024;

/// Answers by client and country: when, and how many.
#[derive(Debug, Default)]
pub(crate) struct Residents(Mutex<HashMap<(ClientId, String), (UtcMs, u64)>>);

impl Residents {
    /// Those who live in `country`, whom `there` finds.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn of(
        &self,
        store: &dyn Store,
        (client, country): (ClientId, &str),
        there: &Expr,
        now: UtcMs,
    ) -> Result<u64, StoreError> {
        let key = (client, country.to_owned());
        if let Some(debtors) = self.kept(&key, now) {
            return Ok(debtors);
        }
        let found = store.segment_estimate(client, there, now, 0).await?;
        let debtors = if found.exact || found.count.debtors > 0 {
            found.count.debtors
        } else {
            store.segment_count(client, there, now).await?.debtors
        };
        self.keep(key, now, debtors);
        Ok(debtors)
    }

    fn kept(&self, key: &(ClientId, String), now: UtcMs) -> Option<u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, debtors) = all.get(key)?;
        fresh(*at, now).then_some(*debtors)
    }

    fn keep(&self, key: (ClientId, String), now: UtcMs, debtors: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT_MAX {
            all.retain(|_, (at, _)| fresh(*at, now));
        }
        if all.len() < KEPT_MAX {
            all.insert(key, (now, debtors));
        }
    }
}

fn fresh(at: UtcMs, now: UtcMs) -> bool {
    (0..KEPT_MS).contains(&now.since_ms(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_a_while() {
        let all = Residents::default();
        let key = |n| (ClientId::from(uuid::Uuid::from_u128(n)), "MX".to_owned());
        all.keep(key(0), UtcMs(0), 7);
        assert_eq!(all.kept(&key(0), UtcMs(KEPT_MS - 1)), Some(7));
        assert_eq!(all.kept(&key(0), UtcMs(KEPT_MS)), None);
        assert_eq!(all.kept(&key(1), UtcMs(0)), None);
        for n in 1..=KEPT_MAX as u128 {
            all.keep(key(n), UtcMs(1), 1);
        }
        assert_eq!(all.kept(&key(KEPT_MAX as u128), UtcMs(1)), None, "full");
        all.keep(key(2_000), UtcMs(KEPT_MS), 1);
        assert_eq!(all.kept(&key(2_000), UtcMs(KEPT_MS)), Some(1));
        assert_eq!(all.kept(&key(0), UtcMs(KEPT_MS - 1)), None, "made room");
    }
}
