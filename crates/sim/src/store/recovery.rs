//! What came in on debts since a morning, and what a segment may be expected to bring.

use super::{MemoryStore, Tables};
use domain::entity::{Debt, DebtMark, DebtStatus, RecoverySum};
use domain::ids::{ClientId, DebtId, DebtorId};
use domain::money::Currency;
use domain::ports::store::{RecoveryAsk, StoreError};
use domain::rules::ageing::{AgeingSet, bucket};
use domain::rules::recovery::{Expected, Recovered, RecoveryRates};
use domain::segment::{day_of_date, utc_day};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// How a debt stood open on a morning.
fn open_on(t: &Tables, debt: DebtId, day: i64) -> Option<&DebtMark> {
    let before = t.debt_marks.range((debt, i64::MIN)..=(debt, day));
    let mark = before.map(|(_, mark)| mark).next_back()?;
    (mark.until_day > day && mark.bucket.is_open()).then_some(mark)
}

/// Adds a debt to what is measured of its portfolio.
fn measure_one(t: &Tables, debt: &Debt, ask: &RecoveryAsk) -> Option<RecoverySum> {
    let mark = open_on(t, debt.id, ask.day).filter(|m| m.balance_minor > 0)?;
    let siblings = t.debts.of(debt.debtor_id);
    let open = siblings.filter_map(|d| open_on(t, d.id, ask.day));
    let oldest = open.filter_map(|m| m.due_day).min();
    let paid = t.payments.of(debt.debtor_id).filter(|p| {
        p.debt_id == debt.id
            && p.amount.currency == mark.currency
            && (ask.from..ask.to).contains(&p.paid_at)
    });
    let paid: i64 = paid.map(|p| p.amount.amount_minor).sum();
    Some(RecoverySum {
        portfolio_id: ask.portfolio,
        client_id: debt.client_id,
        currency: mark.currency,
        bucket: bucket(&ask.ageing, DebtStatus::Open, oldest, ask.day),
        day: ask.day,
        debts: 1,
        balance_minor: mark.balance_minor,
        recovered_minor: paid.clamp(0, mark.balance_minor),
    })
}

impl MemoryStore {
    pub(super) async fn measure(&self, ask: &RecoveryAsk) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        if !t.portfolios.contains_key(&ask.portfolio) {
            return Err(StoreError::NotFound("portfolio"));
        }
        let mut sums: BTreeMap<(Currency, i64), RecoverySum> = BTreeMap::new();
        let ours = t.debts.values().filter(|d| d.portfolio_id == ask.portfolio);
        for one in ours.filter_map(|debt| measure_one(&t, debt, ask)) {
            let none = RecoverySum {
                debts: 0,
                balance_minor: 0,
                recovered_minor: 0,
                ..one
            };
            let sum = sums
                .entry((one.currency, one.bucket.code()))
                .or_insert(none);
            sum.debts += one.debts;
            sum.balance_minor += one.balance_minor;
            sum.recovered_minor += one.recovered_minor;
        }
        t.recovery
            .insert(ask.portfolio, sums.into_values().collect());
        Ok(())
    }
}

/// What debtors of a client owe, by currency, and what may be expected of it.
pub(super) fn expected(
    t: &Tables,
    client: ClientId,
    debtors: &[DebtorId],
    now: UtcMs,
) -> Vec<Expected> {
    let measured = t.recovery.values().flatten().map(|sum| {
        let of = Recovered {
            debts: sum.debts,
            balance_minor: sum.balance_minor,
            recovered_minor: sum.recovered_minor,
        };
        (sum.client_id == client, sum.currency, sum.bucket, of)
    });
    let rates = RecoveryRates::of(measured);
    let days = super::segment_rows::days_of(t, client, now);
    let today = days.values().min().copied().unwrap_or(utc_day(now));
    let of_client = t.policies.values().filter(|p| p.client_id == client);
    let newest = of_client.max_by_key(|p| p.version);
    let ageing = newest.map_or_else(AgeingSet::default, |p| p.terms.ageing.clone());
    let mut found: BTreeMap<Currency, Expected> = BTreeMap::new();
    for debtor in debtors {
        let mut owed: BTreeMap<Currency, i64> = BTreeMap::new();
        let mut oldest: Option<i64> = None;
        let open = t.debts.of(*debtor);
        for debt in open.filter(|d| d.status == DebtStatus::Open) {
            let sum = owed.entry(debt.currency).or_default();
            *sum = sum.saturating_add(debt.balance_minor());
            oldest = oldest.into_iter().chain(day_of_date(&debt.due_date)).min();
        }
        let age = bucket(&ageing, DebtStatus::Open, oldest, today);
        for (currency, balance) in owed {
            let sum = found.entry(currency);
            sum.or_insert_with(|| Expected::of(currency.as_str()))
                .add(balance, rates.rate(currency, age));
        }
    }
    found.into_values().collect()
}
