//! What the fields mean: one debtor's values, how they follow from his facts, and the evaluator.
//! The SQL of `store` must give the same answer; a property test there compares both.

use super::{Expr, Field, Literal, Op};
use crate::entity::{
    Attempt, Channel, Consent, ContactPoint, Debt, DebtStatus, Debtor, Hold, HoldScope, Party,
    Payment, PointClass, Promise, PromiseState, Suppression,
};
use crate::money::{Money, hundredths};
use crate::time::{DAY_MS, UtcMs};

/// Days since something that never happened.
pub const NEVER_DAYS: i64 = 100_000;

/// The score of a debtor whose file tells none.
pub const NO_SCORE: i64 = -1;

/// Ageing buckets in order (terms.md §7).
pub const BUCKETS: &[&str] = &[
    "preventive",
    "b1_30",
    "b31_60",
    "b61_90",
    "b91_120",
    "b121_180",
    "b181_360",
    "b361_plus",
];

/// Bucket of a number of days past due (terms.md §7).
#[must_use]
pub const fn bucket_of(days_past_due: i64) -> &'static str {
    match days_past_due {
        i64::MIN..=0 => BUCKETS[0],
        1..=30 => BUCKETS[1],
        31..=60 => BUCKETS[2],
        61..=90 => BUCKETS[3],
        91..=120 => BUCKETS[4],
        121..=180 => BUCKETS[5],
        181..=360 => BUCKETS[6],
        _ => BUCKETS[7],
    }
}

/// Number of the UTC day of an instant, days since 1970-01-01.
#[must_use]
pub const fn utc_day(at: UtcMs) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// Number of a `YYYY-MM-DD` date, days since 1970-01-01; `None` when it is no date.
#[must_use]
pub fn day_of_date(date: &str) -> Option<i64> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(utc_day(midnight.timestamp().into()))
}

/// Values of every field for one debtor at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    missing_docs,
    reason = "each member is the `Field` of that name, documented there; money in hundredths of its unit"
)]
pub struct SegmentRow {
    pub country: String,
    pub subdivision: String,
    pub language: String,
    pub debtor_kind: String,
    pub external_ref: String,
    pub portfolio: String,
    pub name: String,
    pub document: String,
    pub zone: String,
    pub debt_refs: Vec<String>,
    pub party_roles: Vec<String>,
    pub hold_kinds: Vec<String>,
    pub consents: Vec<String>,
    pub principal: i64,
    pub interest: i64,
    pub fees: i64,
    pub minimum: i64,
    pub mobile_phones: i64,
    pub given_phones: i64,
    pub authorised_phones: i64,
    pub score: i64,
    pub days_in_file: i64,
    pub days_to_promise: i64,
    pub days_to_statute: i64,
    pub promised: i64,
    pub payments: i64,
    pub days_since_payment: i64,
    pub paid: i64,
    pub callable_now: bool,
    pub products: Vec<String>,
    pub currencies: Vec<String>,
    pub days_past_due: i64,
    pub balance: i64,
    pub overdue: i64,
    pub debt_count: i64,
    pub phone_count: i64,
    pub point_confidence: i64,
    pub attempts: i64,
    pub attempts_7d: i64,
    pub days_since_attempt: i64,
    pub days_since_rpc: i64,
    pub last_result: String,
    pub last_disposition: String,
    pub promise_active: bool,
    pub promises_broken: i64,
    pub promises_kept: i64,
    pub paid_30d: i64,
    pub on_hold: bool,
    pub suppressed: bool,
}

/// Everything of one debtor that a row follows from. Iterators in any order.
#[derive(Debug, Clone, Copy)]
pub struct SegmentFacts<'a> {
    /// The debtor.
    pub debtor: &'a Debtor,
    /// Name of his portfolio.
    pub portfolio: &'a str,
    /// All his debts.
    pub debts: &'a [&'a Debt],
    /// All his points.
    pub points: &'a [&'a ContactPoint],
    /// All his attempts.
    pub attempts: &'a [&'a Attempt],
    /// All his promises.
    pub promises: &'a [&'a Promise],
    /// All his payments.
    pub payments: &'a [&'a Payment],
    /// All his holds.
    pub holds: &'a [&'a Hold],
    /// Everybody on his debts.
    pub parties: &'a [&'a Party],
    /// All his consents.
    pub consents: &'a [&'a Consent],
    /// The client's score, if there is one.
    pub score: Option<i64>,
    /// From when until when the law lets him be called, as it was last asked; the end is not in it.
    pub callable: Option<(UtcMs, UtcMs)>,
    /// Suppressions that may concern him, entries of external lists among them (others are ignored).
    pub suppressions: &'a [&'a Suppression],
}

impl SegmentFacts<'_> {
    /// The values of every field at `now`.
    #[must_use]
    pub fn row(&self, now: UtcMs) -> SegmentRow {
        let mut row = SegmentRow {
            country: self.debtor.country.clone(),
            subdivision: self.debtor.subdivision.clone().unwrap_or_default(),
            language: self.debtor.language.to_string(),
            debtor_kind: self.debtor.kind.to_string(),
            external_ref: self.debtor.external_ref.clone(),
            portfolio: self.portfolio.to_owned(),
            promise_active: self
                .promises
                .iter()
                .any(|p| p.state == PromiseState::Active),
            promises_broken: self.promises_in(PromiseState::Broken),
            promises_kept: self.promises_in(PromiseState::Kept),
            on_hold: self
                .holds
                .iter()
                .any(|h| h.scope == HoldScope::Debtor && h.active_at(now)),
            suppressed: self.suppressions.iter().any(|s| self.listed(s)),
            ..SegmentRow::default()
        };
        let month = now.plus_ms(-30 * DAY_MS);
        let lately = self
            .payments
            .iter()
            .filter(|p| p.paid_at > month && p.paid_at <= now);
        row.paid_30d = hundredths(lately.map(|p| p.amount));
        self.fill_file(&mut row, now);
        self.fill_money(&mut row, now);
        self.fill_debts(&mut row, now);
        self.fill_points(&mut row, now);
        self.fill_attempts(&mut row, now);
        row
    }

    fn fill_file(&self, row: &mut SegmentRow, now: UtcMs) {
        row.name.clone_from(self.debtor.name.reveal());
        row.document.clone_from(self.debtor.document.reveal());
        row.zone = self.debtor.address_zone.clone().unwrap_or_default();
        row.party_roles = self.parties.iter().map(|p| p.role.to_string()).collect();
        let holds = self.holds.iter().filter(|h| h.active_at(now));
        row.hold_kinds = holds.map(|h| h.kind.to_string()).collect();
        let valid = |c: &&&Consent| {
            c.granted_at <= now
                && c.until.is_none_or(|t| now < t)
                && c.revoked_at.is_none_or(|t| now < t)
        };
        let valid = self.consents.iter().filter(valid);
        row.consents = valid.map(|c| c.purpose.clone()).collect();
        row.score = self.score.unwrap_or(NO_SCORE);
        row.days_in_file = now.since_ms(self.debtor.created_at) / DAY_MS;
        row.callable_now = !row.on_hold
            && !row.suppressed
            && self
                .callable
                .is_some_and(|(from, to)| from <= now && now < to);
    }

    fn fill_money(&self, row: &mut SegmentRow, now: UtcMs) {
        let active = || {
            let of = self.promises.iter();
            of.filter(|p| p.state == PromiseState::Active)
        };
        row.promised = hundredths(active().map(|p| p.amount));
        let due = active().filter_map(|p| day_of_date(&p.due_date)).min();
        row.days_to_promise = due.map_or(NEVER_DAYS, |day| day - utc_day(now));
        row.payments = count(self.payments.len());
        row.paid = hundredths(self.payments.iter().map(|p| p.amount));
        let last = self.payments.iter().map(|p| p.paid_at).max();
        row.days_since_payment = last.map_or(NEVER_DAYS, |at| now.since_ms(at) / DAY_MS);
    }

    fn promises_in(&self, state: PromiseState) -> i64 {
        count(self.promises.iter().filter(|p| p.state == state).count())
    }

    fn listed(&self, s: &Suppression) -> bool {
        let binds = s.lifted_at.is_none()
            && s.client_id.is_none_or(|c| c == self.debtor.client_id)
            && s.debtor_id.is_none_or(|d| d == self.debtor.id);
        binds && s.names(self.debtor, self.points.iter().copied())
    }

    fn fill_debts(&self, row: &mut SegmentRow, now: UtcMs) {
        let open = || self.debts.iter().filter(|d| d.status == DebtStatus::Open);
        row.products = open().map(|d| d.product.clone()).collect();
        row.currencies = open().map(|d| d.currency.to_string()).collect();
        row.debt_refs = open().map(|d| d.external_ref.clone()).collect();
        let sum = |of: fn(&Debt) -> i64| hundredths(open().map(|d| Money::new(of(d), d.currency)));
        row.principal = sum(|d| d.principal_minor);
        row.interest = sum(|d| d.interest_minor);
        row.fees = sum(|d| d.fees_minor);
        row.minimum = sum(|d| d.minimum_minor);
        row.debt_count = count(open().count());
        row.balance = sum(Debt::balance_minor);
        row.overdue = sum(|d| d.overdue_minor);
        let oldest = open().filter_map(|d| day_of_date(&d.due_date)).min();
        row.days_past_due = oldest.map_or(0, |day| utc_day(now) - day);
        let first = open()
            .filter_map(|d| day_of_date(d.statute_date.as_deref()?))
            .min();
        row.days_to_statute = first.map_or(NEVER_DAYS, |day| day - utc_day(now));
    }

    fn fill_points(&self, row: &mut SegmentRow, now: UtcMs) {
        let good = || {
            self.points
                .iter()
                .filter(|p| p.channel == Channel::Call && !p.bad)
        };
        row.phone_count = count(good().count());
        let mobiles = good().filter(|p| p.class == PointClass::Mobile);
        row.mobile_phones = count(mobiles.count());
        row.given_phones = count(good().filter(|p| p.given_by_debtor).count());
        row.authorised_phones = count(good().filter(|p| p.authorised).count());
        row.point_confidence = good().map(|p| i64::from(p.confidence)).max().unwrap_or(0);
        let rpc = self.points.iter().filter_map(|p| p.last_rpc_at).max();
        row.days_since_rpc = rpc.map_or(NEVER_DAYS, |at| now.since_ms(at) / DAY_MS);
    }

    fn fill_attempts(&self, row: &mut SegmentRow, now: UtcMs) {
        let week = now.plus_ms(-7 * DAY_MS);
        row.attempts = count(self.attempts.len());
        row.attempts_7d = count(self.attempts.iter().filter(|a| a.opened_at > week).count());
        let last = self.attempts.iter().max_by_key(|a| (a.opened_at, a.id));
        row.days_since_attempt = last.map_or(NEVER_DAYS, |a| now.since_ms(a.opened_at) / DAY_MS);
        row.last_result = last
            .and_then(|a| a.result)
            .map(|r| r.to_string())
            .unwrap_or_default();
        row.last_disposition = self
            .attempts
            .iter()
            .filter(|a| a.disposition.is_some() && a.disposed_at.is_some())
            .max_by_key(|a| (a.disposed_at, a.id))
            .and_then(|a| a.disposition.clone())
            .unwrap_or_default();
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A field's value: several texts for fields that any open debt may match.
enum Value<'a> {
    Texts(Vec<&'a str>),
    Int(i64),
    Bool(bool),
}

fn texts(of: &[String]) -> Value<'_> {
    Value::Texts(of.iter().map(String::as_str).collect())
}

impl SegmentRow {
    fn value(&self, field: Field) -> Value<'_> {
        match field {
            Field::Country => Value::Texts(vec![&self.country]),
            Field::Subdivision => Value::Texts(vec![&self.subdivision]),
            Field::Language => Value::Texts(vec![&self.language]),
            Field::DebtorKind => Value::Texts(vec![&self.debtor_kind]),
            Field::ExternalRef => Value::Texts(vec![&self.external_ref]),
            Field::Portfolio => Value::Texts(vec![&self.portfolio]),
            Field::Product => texts(&self.products),
            Field::Currency => texts(&self.currencies),
            Field::Name => Value::Texts(vec![&self.name]),
            Field::Document => Value::Texts(vec![&self.document]),
            Field::Zone => Value::Texts(vec![&self.zone]),
            Field::DebtRef => texts(&self.debt_refs),
            Field::PartyRole => texts(&self.party_roles),
            Field::HoldKind => texts(&self.hold_kinds),
            Field::Consent => texts(&self.consents),
            Field::Bucket => Value::Texts(vec![bucket_of(self.days_past_due)]),
            Field::LastResult => Value::Texts(vec![&self.last_result]),
            Field::LastDisposition => Value::Texts(vec![&self.last_disposition]),
            Field::PromiseActive => Value::Bool(self.promise_active),
            Field::OnHold => Value::Bool(self.on_hold),
            Field::Suppressed => Value::Bool(self.suppressed),
            Field::CallableNow => Value::Bool(self.callable_now),
            _ => Value::Int(self.int(field)),
        }
    }
}

impl SegmentRow {
    /// Value of a field of numbers or money.
    fn int(&self, field: Field) -> i64 {
        match field {
            Field::DaysPastDue => self.days_past_due,
            Field::Balance => self.balance,
            Field::Overdue => self.overdue,
            Field::DebtCount => self.debt_count,
            Field::PhoneCount => self.phone_count,
            Field::PointConfidence => self.point_confidence,
            Field::Attempts => self.attempts,
            Field::Attempts7d => self.attempts_7d,
            Field::DaysSinceAttempt => self.days_since_attempt,
            Field::DaysSinceRpc => self.days_since_rpc,
            Field::PromisesBroken => self.promises_broken,
            Field::PromisesKept => self.promises_kept,
            Field::Paid30d => self.paid_30d,
            Field::Principal => self.principal,
            Field::Interest => self.interest,
            Field::Fees => self.fees,
            Field::Minimum => self.minimum,
            Field::MobilePhones => self.mobile_phones,
            Field::GivenPhones => self.given_phones,
            Field::AuthorisedPhones => self.authorised_phones,
            Field::Score => self.score,
            Field::DaysInFile => self.days_in_file,
            Field::DaysToPromise => self.days_to_promise,
            Field::DaysToStatute => self.days_to_statute,
            Field::Promised => self.promised,
            Field::Payments => self.payments,
            Field::DaysSincePayment => self.days_since_payment,
            Field::Paid => self.paid,
            // Fields of other kinds have no number; `check` refuses to compare them as such.
            _ => 0,
        }
    }
}

/// Whether the debtor with these values is in the segment. A comparison of another kind than the
/// field's (refused by `check`) holds for nobody; `!=` is the exact opposite of `=`.
#[must_use]
pub fn eval(expr: &Expr, row: &SegmentRow) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(parts) => parts.iter().all(|p| eval(p, row)),
        Expr::Or(parts) => parts.iter().any(|p| eval(p, row)),
        Expr::Not(part) => !eval(part, row),
        Expr::Cmp {
            field,
            op: Op::Ne,
            value,
        } => !equal(&row.value(*field), value),
        Expr::Cmp { field, op, value } => compare(&row.value(*field), *op, value),
        Expr::Between { field, from, to } => {
            matches!(row.value(*field), Value::Int(n) if *from <= n && n <= *to)
        }
        Expr::In { field, values } => {
            let have = row.value(*field);
            values.iter().any(|v| equal(&have, v))
        }
        // Put in by `expand` before anybody is asked.
        Expr::Named { .. } => false,
    }
}

fn equal(have: &Value<'_>, want: &Literal) -> bool {
    match (have, want) {
        (Value::Texts(texts), Literal::Text(want)) => texts.contains(&want.as_str()),
        (Value::Int(n), Literal::Int(want)) => n == want,
        (Value::Bool(b), Literal::Bool(want)) => b == want,
        _ => false,
    }
}

fn compare(have: &Value<'_>, op: Op, want: &Literal) -> bool {
    let (Value::Int(n), Literal::Int(want)) = (have, want) else {
        return op == Op::Eq && equal(have, want);
    };
    match op {
        Op::Eq => n == want,
        Op::Ne => n != want,
        Op::Lt => n < want,
        Op::Le => n <= want,
        Op::Gt => n > want,
        Op::Ge => n >= want,
    }
}
