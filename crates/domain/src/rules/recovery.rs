//! What debts may be expected to bring: the share that debts of their client and age brought over the last days.
//!
//! A debtor's open debts are as old as his oldest one, here and where the share is measured, so that a segment
//! needs one look at each debtor. Where nothing was measured there is no figure. Debts of other clients count for one
//! only where their set has the same bucket: the same days.

use crate::entity::Bucket;
use crate::money::Currency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days over which recovery is measured, and for which it is expected.
pub const RECOVERY_DAYS: i64 = 30;
/// Fewer debts of a client in a bucket say nothing: those of all clients are taken there.
pub const RECOVERY_DEBTS_MIN: i64 = 30;
/// Parts of a share.
pub const SHARE_PARTS: i64 = 1_000_000;

/// The share of their balance that debts brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryRate {
    /// Of [`SHARE_PARTS`].
    pub parts: i64,
    /// Measured on the client's own debts; otherwise on those of all clients.
    pub own: bool,
}

impl RecoveryRate {
    /// That part of a balance, to the nearest minor unit.
    #[must_use]
    pub const fn of(self, balance_minor: i64) -> i64 {
        // In two steps: no balance is too large for it.
        let whole = balance_minor / SHARE_PARTS * self.parts;
        whole + (balance_minor % SHARE_PARTS * self.parts + SHARE_PARTS / 2) / SHARE_PARTS
    }
}

/// Debts of one currency and bucket, as [`crate::entity::RecoverySum`] has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// How many.
    pub debts: i64,
    /// What they stood at.
    pub balance_minor: i64,
    /// What came in.
    pub recovered_minor: i64,
}

impl Recovered {
    fn add(&mut self, more: Self) {
        self.debts += more.debts;
        self.balance_minor += more.balance_minor;
        self.recovered_minor += more.recovered_minor;
    }

    fn rate(self, own: bool) -> Option<RecoveryRate> {
        if self.debts < RECOVERY_DEBTS_MIN || self.balance_minor <= 0 {
            return None;
        }
        let parts = i128::from(self.recovered_minor.max(0)) * i128::from(SHARE_PARTS)
            / i128::from(self.balance_minor);
        let parts = i64::try_from(parts).unwrap_or(SHARE_PARTS).min(SHARE_PARTS);
        Some(RecoveryRate { parts, own })
    }
}

/// The shares that hold for a client, by currency and bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryRates(BTreeMap<Currency, BTreeMap<i64, RecoveryRate>>);

impl RecoveryRates {
    /// From what was measured of all clients, each with whether it is of the client's own debts.
    #[must_use]
    pub fn of(sums: impl IntoIterator<Item = (bool, Currency, Bucket, Recovered)>) -> Self {
        let mut measured: BTreeMap<(Currency, i64), [Recovered; 2]> = BTreeMap::new();
        for (own, currency, bucket, sum) in sums {
            let [mine, all] = measured.entry((currency, bucket.code())).or_default();
            all.add(sum);
            if own {
                mine.add(sum);
            }
        }
        let mut rates: BTreeMap<Currency, BTreeMap<i64, RecoveryRate>> = BTreeMap::new();
        for ((currency, bucket), [mine, all]) in measured {
            if let Some(rate) = mine.rate(true).or_else(|| all.rate(false)) {
                rates.entry(currency).or_default().insert(bucket, rate);
            }
        }
        Self(rates)
    }

    /// The share of a bucket; `None` where too few debts were there to tell.
    #[must_use]
    pub fn rate(&self, currency: Currency, bucket: Bucket) -> Option<RecoveryRate> {
        self.0.get(&currency)?.get(&bucket.code()).copied()
    }

    /// Currencies of which any share is known.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.0.keys().copied()
    }
}

/// What open debts in one currency may be expected to bring within [`RECOVERY_DAYS`], minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Currency.
    pub currency: String,
    /// Balance of the debts.
    pub balance_minor: i64,
    /// What may be expected of those whose share is known.
    pub amount_minor: i64,
    /// Balance of those of which no share is known: nothing is said of them.
    pub unknown_minor: i64,
    /// Balance of those weighed by the share of all clients, for the client has too few.
    pub borrowed_minor: i64,
}

impl Expected {
    /// Nothing yet.
    #[must_use]
    pub fn of(currency: &str) -> Self {
        Self {
            currency: currency.to_owned(),
            ..Self::default()
        }
    }

    /// Adds what one debtor owes in the currency.
    pub fn add(&mut self, balance_minor: i64, rate: Option<RecoveryRate>) {
        self.balance_minor = self.balance_minor.saturating_add(balance_minor);
        match rate {
            None => self.unknown_minor = self.unknown_minor.saturating_add(balance_minor),
            Some(rate) => {
                self.amount_minor += rate.of(balance_minor);
                if !rate.own {
                    self.borrowed_minor = self.borrowed_minor.saturating_add(balance_minor);
                }
            }
        }
    }

    /// Adds what others owe in the same currency.
    pub fn add_all(&mut self, other: &Self) {
        self.balance_minor += other.balance_minor;
        self.amount_minor += other.amount_minor;
        self.unknown_minor += other.unknown_minor;
        self.borrowed_minor += other.borrowed_minor;
    }

    /// The figure; none where no share of any of the debts is known.
    #[must_use]
    pub fn figure(&self) -> Option<i64> {
        (self.unknown_minor != self.balance_minor).then_some(self.amount_minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mxn() -> Currency {
        "MXN".parse().unwrap()
    }

    fn sum(
        own: bool,
        bucket: Bucket,
        (debts, balance_minor, recovered_minor): (i64, i64, i64),
    ) -> (bool, Currency, Bucket, Recovered) {
        let sum = Recovered {
            debts,
            balance_minor,
            recovered_minor,
        };
        (own, mxn(), bucket, sum)
    }

    #[test]
    fn a_client_with_few_debts_borrows_the_share_of_all() {
        let few = RECOVERY_DEBTS_MIN - 1;
        let rates = RecoveryRates::of([
            sum(true, Bucket::B1_30, (RECOVERY_DEBTS_MIN, 1_000, 100)),
            sum(false, Bucket::B1_30, (1_000, 1_000, 1_000)),
            sum(true, Bucket::B31_60, (few, 1_000, 900)),
            sum(false, Bucket::B31_60, (1, 1_000, 100)),
            sum(false, Bucket::B61_90, (few, 1_000, 500)),
        ]);
        let of = |bucket| rates.rate(mxn(), bucket).map(|r| (r.parts, r.own));
        assert_eq!(of(Bucket::B1_30), Some((100_000, true)));
        assert_eq!(of(Bucket::B31_60), Some((500_000, false)));
        assert_eq!(of(Bucket::B61_90), None, "too few of all");
        assert_eq!(of(Bucket::Preventive), None);
        assert_eq!(rates.rate("USD".parse().unwrap(), Bucket::B1_30), None);
        assert_eq!(rates.currencies().collect::<Vec<_>>(), [mxn()]);
    }

    #[test]
    fn a_share_is_never_more_than_all_and_of_any_balance() {
        let rates = RecoveryRates::of([
            sum(true, Bucket::B1_30, (50, 1_000, 5_000)),
            sum(true, Bucket::B31_60, (50, 1_000, -5)),
        ]);
        let of = |bucket, balance| rates.rate(mxn(), bucket).map(|r| r.of(balance));
        assert_eq!(of(Bucket::B1_30, i64::MAX), Some(i64::MAX));
        assert_eq!(of(Bucket::B31_60, i64::MAX), Some(0));
        let rate = |parts| RecoveryRate { parts, own: true };
        assert_eq!(rate(123_456).of(10_000_000), 1_234_560);
        let near = (rate(5_000).of(99), rate(5_000).of(100));
        assert_eq!(near, (0, 1), "to the nearest");
    }

    #[test]
    fn without_any_share_there_is_no_figure() {
        let mut found = Expected::of("MXN");
        found.add(5_000, None);
        assert_eq!(found.figure(), None);
        let nothing = RecoveryRate {
            parts: 0,
            own: false,
        };
        found.add(1_000, Some(nothing));
        assert_eq!(found.figure(), Some(0), "known to bring nothing");
        assert_eq!((found.unknown_minor, found.borrowed_minor), (5_000, 1_000));
    }
}
