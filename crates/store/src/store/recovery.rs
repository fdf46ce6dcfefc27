//! What came in on debts since a morning, measured piece by piece, and the shares that follow for a client.

use super::SqlStore;
use super::reports::last_of_piece;
use crate::sql::{Link, vals};
use domain::entity::{Bucket, DebtStatus, PolicyVersion, Portfolio, RecoverySum};
use domain::ids::{ClientId, DebtId};
use domain::money::Currency;
use domain::ports::StoreError;
use domain::ports::store::RecoveryAsk;
use domain::rules::ageing::{AgeingSet, bucket};
use domain::rules::recovery::{Recovered, RecoveryRates, SHARE_PARTS};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use uuid::Uuid;

/// Debts of one piece: those of `$1` behind `$5` and up to `$6` that stood open on the morning `$2`, with what was
/// paid on each from `$3` to before `$4`, by the day on which the debtor's oldest debt of that morning was due.
const PIECE: &str = "SELECT q.currency, q.oldest, CAST(COUNT(*) AS BIGINT) AS debts, \
        CAST(SUM(q.balance_minor) AS BIGINT) AS balance_minor, \
        CAST(SUM(CASE WHEN q.paid<0 THEN 0 WHEN q.paid>q.balance_minor THEN q.balance_minor \
            ELSE q.paid END) AS BIGINT) AS recovered_minor \
    FROM (SELECT m.currency, m.balance_minor, \
            (SELECT MIN(w.due_day) FROM debts s JOIN debt_marks w ON w.debt_id=s.id \
                AND w.day<=$2 AND w.until_day>$2 AND w.bucket>=0 WHERE s.debtor_id=d.debtor_id) AS oldest, \
            CAST(COALESCE((SELECT SUM(p.amount_minor) FROM payments p WHERE p.debt_id=d.id \
                AND p.paid_at>=$3 AND p.paid_at<$4 AND p.currency=m.currency),0) AS BIGINT) AS paid \
        FROM debts d JOIN debt_marks m ON m.debt_id=d.id AND m.day<=$2 AND m.until_day>$2 \
        WHERE d.portfolio_id=$1 AND d.id>$5 AND d.id<=$6 AND m.bucket>=0 AND m.balance_minor>0) q \
    GROUP BY q.currency, q.oldest";

/// Debts, balance and what came in.
type Sums = BTreeMap<(Currency, i64), (i64, i64, i64)>;

/// Adds the next piece up; where it ended, none behind the last.
async fn piece(
    link: &mut Link,
    ask: &RecoveryAsk,
    after: DebtId,
    sums: &mut Sums,
) -> Result<Option<DebtId>, StoreError> {
    let last = last_of_piece(link, ask.portfolio, after).await?;
    let end = last.unwrap_or(DebtId(Uuid::max()));
    let values = vals![ask.portfolio, ask.day, ask.from, ask.to, after, end];
    for row in &link.rows(PIECE, values).await? {
        let oldest: Option<i64> = row.get("oldest")?;
        let bucket = bucket(&ask.ageing, DebtStatus::Open, oldest, ask.day);
        let key = (row.get("currency")?, bucket.code());
        let (debts, balance, recovered) = sums.entry(key).or_default();
        *debts += row.get::<i64>("debts")?;
        *balance += row.get::<i64>("balance_minor")?;
        *recovered += row.get::<i64>("recovered_minor")?;
    }
    Ok(last)
}

impl SqlStore {
    pub(super) async fn measure(&self, ask: &RecoveryAsk) -> Result<(), StoreError> {
        let (mut sums, mut after) = (Sums::new(), DebtId(Uuid::nil()));
        // A look for each piece: a long one would keep SQLite's log from being folded.
        while let Some(last) = piece(&mut self.snapshot().await?, ask, after, &mut sums).await? {
            after = last;
        }
        let mut tx = self.write().await?;
        let portfolio: Portfolio = tx.get(ask.portfolio).await?;
        let mut rows = Vec::with_capacity(sums.len());
        for ((currency, bucket), (debts, balance_minor, recovered_minor)) in sums {
            rows.push(RecoverySum {
                portfolio_id: portfolio.id,
                client_id: portfolio.client_id,
                currency,
                bucket: Bucket::of_code(bucket)
                    .ok_or_else(|| StoreError::Corrupt(format!("{bucket} is no bucket")))?,
                day: ask.day,
                debts,
                balance_minor,
                recovered_minor,
            });
        }
        // Two nodes may measure the same morning at once.
        let lock = format!(
            "SELECT id FROM portfolios WHERE id=$1{}",
            tx.pg_only(" FOR NO KEY UPDATE")
        );
        tx.row(lock, vals![portfolio.id]).await?;
        let old = "DELETE FROM recovery_sums WHERE portfolio_id=$1";
        tx.run(old, vals![portfolio.id]).await?;
        tx.insert(&rows, "").await?;
        tx.commit().await
    }
}

/// What a segment of a client is weighed by on a day.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    rates: RecoveryRates,
    /// The client's buckets now.
    ageing: AgeingSet,
    /// Days since 1970, as the segment's days past due count them.
    today: i64,
}

/// What is added up of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What may be expected of it.
    Amount,
    /// The balance, where nothing is known.
    Unknown,
    /// The balance, where the share is that of all clients.
    Borrowed,
}

impl Shares {
    /// Those that hold on a day. Where portfolios are on two dates at the moment, it is the earlier one for all of them.
    pub(super) async fn read(
        read: &mut Link,
        client: ClientId,
        today: i64,
    ) -> Result<Self, StoreError> {
        let sql = "SELECT currency, bucket, CAST(CASE WHEN client_id=$1 THEN 1 ELSE 0 END AS BIGINT) AS own, \
            CAST(SUM(debts) AS BIGINT) AS debts, CAST(SUM(balance_minor) AS BIGINT) AS balance_minor, \
            CAST(SUM(recovered_minor) AS BIGINT) AS recovered_minor FROM recovery_sums GROUP BY 1, 2, 3";
        let mut sums = Vec::new();
        for row in &read.rows(sql, vals![client]).await? {
            let sum = Recovered {
                debts: row.get("debts")?,
                balance_minor: row.get("balance_minor")?,
                recovered_minor: row.get("recovered_minor")?,
            };
            let own = row.get::<i64>("own")? == 1;
            sums.push((own, row.get("currency")?, row.get("bucket")?, sum));
        }
        let newest = "WHERE client_id=$1 ORDER BY version DESC LIMIT 1";
        let terms: Option<PolicyVersion> = read.find(newest, vals![client]).await?;
        Ok(Self {
            rates: RecoveryRates::of(sums),
            ageing: terms.map_or_else(AgeingSet::default, |found| found.terms.ageing),
            today,
        })
    }

    /// None: what is expected is not asked.
    pub(super) fn none() -> Self {
        Self {
            rates: RecoveryRates::default(),
            ageing: AgeingSet::default(),
            today: 0,
        }
    }

    /// A part of `balance` minor units in a currency, whose debtor's oldest open debt is due on `due`.
    pub(super) fn sql(&self, part: Part, currency: &str, (balance, due): (&str, &str)) -> String {
        let known = currency.parse::<Currency>().ok();
        let rate = |bucket| known.and_then(|c| self.rates.rate(c, bucket));
        let buckets: Vec<Bucket> = self.ageing.buckets().collect();
        let each = buckets.iter().map(|bucket| match (part, rate(*bucket)) {
            (Part::Unknown, None) => balance.to_owned(),
            (Part::Borrowed, Some(rate)) if !rate.own => balance.to_owned(),
            // As `RecoveryRate::of` has it.
            (Part::Amount, Some(rate)) if rate.parts > 0 => format!(
                "{balance}/{SHARE_PARTS}*{0}+({balance}%{SHARE_PARTS}*{0}+{1})/{SHARE_PARTS}",
                rate.parts,
                SHARE_PARTS / 2
            ),
            _ => "0".to_owned(),
        });
        let each: Vec<String> = each.collect();
        let Some((oldest, younger)) = each.split_last() else {
            return "0".to_owned();
        };
        if younger.iter().all(|other| other == oldest) {
            return oldest.clone();
        }
        let mut sql = "CASE".to_owned();
        for (bucket, value) in buckets.iter().zip(younger) {
            let last = self.today - bucket.days().map_or(0, |(_, to)| to);
            // Of whom no date is known nothing is past due.
            let undated = match bucket {
                Bucket::Preventive => format!("{due} IS NULL OR "),
                _ => String::new(),
            };
            let _ = write!(sql, " WHEN {undated}{due}>={last} THEN {value}");
        }
        let _ = write!(sql, " ELSE {oldest} END");
        sql
    }

    /// The same of a balance whose currency is in the column `currency`.
    pub(super) fn of_any(&self, part: Part, currency: &str, of: (&str, &str)) -> String {
        let other = match part {
            Part::Unknown => of.0,
            Part::Amount | Part::Borrowed => "0",
        };
        let mut sql = String::new();
        for code in self.rates.currencies() {
            let value = self.sql(part, code.as_str(), of);
            let _ = write!(sql, " WHEN '{code}' THEN {value}");
        }
        match sql.is_empty() {
            true => other.to_owned(),
            false => format!("CASE {currency}{sql} ELSE {other} END"),
        }
    }
}
