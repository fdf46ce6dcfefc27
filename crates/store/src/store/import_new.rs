//! Debtors that a file brings for the first time: written with the figures beside them in one statement,
//! for all that the figures follow from is in the same batch. Twice as fast as writing them and
//! setting the figures anew, and each index is touched once.

use super::table::Rows;
use crate::rows::{Entity as _, written};
use crate::sql::{Link, Val, vals};
use domain::entity::{Channel, ContactPoint, Debt, DebtStatus, Debtor, PointClass};
use domain::ids::{DebtorId, ImportId};
use domain::ports::StoreError;
use domain::rules::stale;
use domain::segment::day_of_date;
use domain::time::UtcMs;
use std::collections::{BTreeMap, HashMap};

/// Columns beside those of the entity, in the order of [`Figures::values`].
const COLUMNS: &[&str] = &[
    "open_debts",
    "balance_minor",
    "overdue_minor",
    "oldest_due_day",
    "statute_day",
    "principal_minor",
    "interest_minor",
    "fees_minor",
    "minimum_minor",
    "open_currency",
    "phones",
    "confidence",
    "mobiles",
    "given_phones",
    "authorised_phones",
    "last_rpc_at",
    "point_confirmed_at",
    "score",
    "made_by",
];

/// What `sums::refresh` would find.
#[derive(Default)]
struct Figures {
    open_debts: i64,
    balance: i64,
    overdue: i64,
    oldest_due_day: Option<i64>,
    statute_day: Option<i64>,
    principal: i64,
    interest: i64,
    fees: i64,
    minimum: i64,
    currency: String,
    phones: i64,
    confidence: i64,
    mobiles: i64,
    given: i64,
    authorised: i64,
    last_rpc_at: Option<i64>,
    confirmed_at: Option<UtcMs>,
}

impl Figures {
    fn debt(&mut self, debt: &Debt) {
        if debt.status != DebtStatus::Open {
            return;
        }
        self.open_debts += 1;
        self.balance += debt.balance_minor();
        self.overdue += debt.overdue_minor;
        self.principal += debt.principal_minor;
        self.interest += debt.interest_minor;
        self.fees += debt.fees_minor;
        self.minimum += debt.minimum_minor;
        let day: Option<i64> = day_of_date(&debt.due_date);
        self.oldest_due_day = match (self.oldest_due_day, day) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let statute = debt.statute_date.as_deref().and_then(day_of_date);
        self.statute_day = self.statute_day.into_iter().chain(statute).min();
        let own = debt.currency.to_string();
        if self.open_debts == 1 {
            self.currency = own;
        } else if self.currency != own {
            "*".clone_into(&mut self.currency);
        }
    }

    fn point(&mut self, point: &ContactPoint) {
        self.last_rpc_at = self.last_rpc_at.max(point.last_rpc_at.map(|at| at.0));
        if !point.bad {
            let at = stale::confirmed_at(point);
            self.confirmed_at = Some(self.confirmed_at.map_or(at, |oldest| oldest.min(at)));
        }
        if point.channel != Channel::Call || point.bad {
            return;
        }
        self.phones += 1;
        self.confidence = self.confidence.max(i64::from(point.confidence));
        self.mobiles += i64::from(point.class == PointClass::Mobile);
        self.given += i64::from(point.given_by_debtor);
        self.authorised += i64::from(point.authorised);
    }

    /// Of who owes something alone.
    fn point_confirmed_at(&self) -> Option<UtcMs> {
        let phone = self.confirmed_at.filter(|_| self.phones > 0);
        (self.open_debts > 0).then(|| phone.unwrap_or(stale::NO_PHONE))
    }

    fn values(&self, score: Option<i64>) -> Vec<Val> {
        vals![
            self.open_debts,
            self.balance,
            self.overdue,
            self.oldest_due_day,
            self.statute_day,
            self.principal,
            self.interest,
            self.fees,
            self.minimum,
            self.currency.clone(),
            self.phones,
            self.confidence,
            self.mobiles,
            self.given,
            self.authorised,
            self.last_rpc_at,
            self.point_confirmed_at(),
            score,
        ]
    }
}

/// Rows of debtors who are new, with their figures and the file that made them.
pub(super) fn debtor_rows<'a>(
    import: ImportId,
    debtors: &[&Debtor],
    (debts, points): (
        impl Iterator<Item = &'a Debt>,
        impl Iterator<Item = &'a ContactPoint>,
    ),
    scores: &BTreeMap<DebtorId, i64>,
) -> Rows {
    let mut figures: HashMap<DebtorId, Figures> =
        debtors.iter().map(|d| (d.id, Figures::default())).collect();
    for debt in debts {
        if let Some(own) = figures.get_mut(&debt.debtor_id) {
            own.debt(debt);
        }
    }
    for point in points {
        if let Some(own) = figures.get_mut(&point.debtor_id) {
            own.point(point);
        }
    }
    let names = [written::<Debtor>().as_slice(), COLUMNS].concat();
    let into = format!(
        "INSERT INTO {} ({}) VALUES ",
        Debtor::TABLE,
        names.join(",")
    );
    let none = Figures::default();
    let mut rows = Rows::new(into, names.len(), "");
    for debtor in debtors {
        rows.values.extend(debtor.vals());
        rows.values.extend(debtor.derived());
        let own = figures.get(&debtor.id).unwrap_or(&none);
        rows.values
            .extend(own.values(scores.get(&debtor.id).copied()));
        rows.values.extend(vals![import]);
    }
    rows
}

/// Scores of one statement.
const SCORES_EACH: usize = 256;

/// Sets the scores of debtors who were there.
pub(super) async fn write_scores(
    tx: &mut Link,
    scores: BTreeMap<DebtorId, i64>,
) -> Result<(), StoreError> {
    let scores: Vec<(DebtorId, i64)> = scores.into_iter().collect();
    for piece in scores.chunks(SCORES_EACH) {
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for (debtor, score) in piece {
            let n = values.len();
            rows.push(format!("(${},${})", n + 1, n + 2));
            values.extend(vals![*debtor, *score]);
        }
        let sql = format!(
            "UPDATE debtors SET score=v.column2 FROM (VALUES {}) AS v WHERE debtors.id=v.column1 \
                AND (debtors.score IS NULL OR debtors.score<>v.column2)",
            rows.join(",")
        );
        tx.run(sql, values).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sums;

    #[test]
    fn every_figure_that_is_set_anew_is_written_here() {
        let mut names: Vec<&str> = Vec::new();
        let set = sums::SUMS;
        // `(a, b)=(SELECT …` and `c=(SELECT …`.
        for (at, _) in set.match_indices("=(SELECT") {
            let before = &set[..at];
            match before.strip_suffix(')') {
                Some(list) => {
                    let (_, list) = list.rsplit_once('(').expect("a list");
                    names.extend(list.split(',').map(str::trim));
                }
                None => names.extend(before.rsplit([' ', ',']).next()),
            }
        }
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert!(
                COLUMNS.contains(&name),
                "{name}: set by SUMS, not by a new debtor"
            );
        }
    }
}
