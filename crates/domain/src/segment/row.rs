//! One debtor's values, and the evaluator over them. How they follow from what is kept of him: `facts`. The SQL of
//! `store` must give the same answer; a property test there compares both.

use super::{Expr, Field, Literal, Op};
use crate::entity::Bucket;
use crate::time::{DAY_MS, UtcMs};

/// Days since something that never happened.
pub const NEVER_DAYS: i64 = 100_000;

/// The score of a debtor whose file tells none.
pub const NO_SCORE: i64 = -1;

/// Buckets of the standard ageing set (terms.md §7), which is what is proposed. A client's own set may have others:
/// each is named by its days, and a debtor is in it whose days past due are among them, whatever the set.
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

/// Number of the UTC day of an instant, days since 1970-01-01.
#[must_use]
pub const fn utc_day(at: UtcMs) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// Number of a `YYYY-MM-DD` date, days since 1970-01-01; `None` when it is no date.
#[must_use]
pub fn day_of_date(date: &str) -> Option<i64> {
    number_of(date.parse().ok()?)
}

fn number_of(date: jiff::civil::Date) -> Option<i64> {
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(utc_day(midnight.timestamp().into()))
}

/// Number of the day that it is in a zone (IANA), days since 1970-01-01; of a zone that nobody knows that of UTC.
#[must_use]
pub fn day_in(zone: &str, at: UtcMs) -> i64 {
    let known = crate::time::zone(zone).ok();
    let day = known.and_then(|zone| number_of(at.in_zone(&zone).date()));
    day.unwrap_or_else(|| utc_day(at))
}

/// The date `YYYY-MM-DD` of a day by its number: the way back of [`day_of_date`].
#[must_use]
pub fn date_of_day(day: i64) -> String {
    let midnight = UtcMs(day.saturating_mul(DAY_MS));
    let date = midnight.in_zone(&jiff::tz::TimeZone::UTC).date();
    date.to_string()
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
    pub told_zone: String,
    pub cities: Vec<String>,
    pub postcodes: Vec<String>,
    pub debt_statuses: Vec<String>,
    pub invoice_refs: Vec<String>,
    pub stages: Vec<String>,
    pub numbers: Vec<String>,
    pub emails: Vec<String>,
    pub point_sources: Vec<String>,
    pub email_count: i64,
    pub days_since_confirmed: i64,
    pub consent_channels: Vec<String>,
    pub preferences: Vec<String>,
    pub optout_channels: Vec<String>,
    pub complaint_states: Vec<String>,
    pub promises_partial: i64,
    pub promises_broken_60d: i64,
    pub plan_states: Vec<String>,
    pub excuses: Vec<String>,
    pub payment_channels: Vec<String>,
    pub rpc_30d: i64,
    pub messages_30d: i64,
    pub letters_30d: i64,
    pub visits_30d: i64,
    pub days_since_placement: i64,
    pub days_to_instalment: i64,
    pub next_instalment: i64,
    pub assigned_campaign: Vec<String>,
    pub assigned_team: Vec<String>,
    pub assigned_agent: Vec<String>,
    pub streets: Vec<String>,
    pub address_regions: Vec<String>,
    pub address_countries: Vec<String>,
    pub address_count: i64,
    pub point_classes: Vec<String>,
    pub point_roles: Vec<String>,
    pub days_to_recall: i64,
    pub promise_states: Vec<String>,
    pub promise_channels: Vec<String>,
    pub claim_states: Vec<String>,
    pub link_states: Vec<String>,
    pub callback: bool,
    pub visit_states: Vec<String>,
    pub visit_outcomes: Vec<String>,
    pub letter_levels: Vec<String>,
    pub message_channels: Vec<String>,
    pub message_states: Vec<String>,
    pub preference_channels: Vec<String>,
    pub complaint_authorities: Vec<String>,
    pub days_to_complaint: i64,
    pub party_names: Vec<String>,
    pub party_count: i64,
    pub co_debtors: i64,
    pub guarantors: i64,
    pub bad_phones: i64,
    pub days_since_reply: i64,
    pub reply_states: Vec<String>,
    pub days_since_assigned: i64,
    pub days_to_due_item: i64,
    pub next_due_item: i64,
    pub next_promise: i64,
}

/// A field's value: several texts for fields that any open debt may match.
enum Value<'a> {
    Texts(Vec<&'a str>),
    /// Days past due, which a bucket is compared with.
    Age(i64),
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
            Field::Name => Value::Texts(vec![&self.name]),
            Field::Document => Value::Texts(vec![&self.document]),
            Field::Zone => Value::Texts(vec![&self.zone]),
            Field::ToldZone => Value::Texts(vec![&self.told_zone]),
            Field::Bucket => Value::Age(self.days_past_due),
            Field::LastResult => Value::Texts(vec![&self.last_result]),
            Field::LastDisposition => Value::Texts(vec![&self.last_disposition]),
            Field::PromiseActive => Value::Bool(self.promise_active),
            Field::OnHold => Value::Bool(self.on_hold),
            Field::Suppressed => Value::Bool(self.suppressed),
            Field::CallableNow => Value::Bool(self.callable_now),
            Field::Callback => Value::Bool(self.callback),
            _ => match self.several(field) {
                Some(of) => texts(of),
                None => Value::Int(self.int(field)),
            },
        }
    }

    /// Values of a field of which any may match.
    fn several(&self, field: Field) -> Option<&[String]> {
        Some(match field {
            Field::Product => &self.products,
            Field::Currency => &self.currencies,
            Field::DebtRef => &self.debt_refs,
            Field::PartyRole => &self.party_roles,
            Field::PartyName => &self.party_names,
            Field::ReplyState => &self.reply_states,
            Field::HoldKind => &self.hold_kinds,
            Field::Consent => &self.consents,
            Field::City => &self.cities,
            Field::Postcode => &self.postcodes,
            Field::Street => &self.streets,
            Field::AddressRegion => &self.address_regions,
            Field::AddressCountry => &self.address_countries,
            Field::DebtStatus => &self.debt_statuses,
            Field::InvoiceRef => &self.invoice_refs,
            Field::Stage => &self.stages,
            Field::Phone => &self.numbers,
            Field::Email => &self.emails,
            Field::PointSource => &self.point_sources,
            Field::PointClass => &self.point_classes,
            Field::PointRole => &self.point_roles,
            Field::ConsentChannel => &self.consent_channels,
            Field::Preference => &self.preferences,
            Field::PreferenceChannel => &self.preference_channels,
            Field::OptoutChannel => &self.optout_channels,
            Field::ComplaintState => &self.complaint_states,
            Field::ComplaintAuthority => &self.complaint_authorities,
            Field::PlanState => &self.plan_states,
            Field::PromiseState => &self.promise_states,
            Field::PromiseChannel => &self.promise_channels,
            Field::ClaimState => &self.claim_states,
            Field::LinkState => &self.link_states,
            Field::Excuse => &self.excuses,
            Field::PaymentChannel => &self.payment_channels,
            Field::VisitState => &self.visit_states,
            Field::VisitOutcome => &self.visit_outcomes,
            Field::LetterLevel90d => &self.letter_levels,
            Field::MessageChannel30d => &self.message_channels,
            Field::MessageState30d => &self.message_states,
            Field::AssignedCampaign => &self.assigned_campaign,
            Field::AssignedTeam => &self.assigned_team,
            Field::AssignedAgent => &self.assigned_agent,
            _ => return None,
        })
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
            Field::EmailCount => self.email_count,
            Field::DaysSinceConfirmed => self.days_since_confirmed,
            Field::PromisesPartial => self.promises_partial,
            Field::PromisesBroken60d => self.promises_broken_60d,
            Field::Rpc30d => self.rpc_30d,
            Field::Messages30d => self.messages_30d,
            Field::Letters30d => self.letters_30d,
            Field::Visits30d => self.visits_30d,
            Field::DaysSincePlacement => self.days_since_placement,
            Field::DaysToInstalment => self.days_to_instalment,
            Field::NextInstalment => self.next_instalment,
            Field::AddressCount => self.address_count,
            Field::DaysToRecall => self.days_to_recall,
            Field::DaysToComplaint => self.days_to_complaint,
            Field::PartyCount => self.party_count,
            Field::CoDebtors => self.co_debtors,
            Field::Guarantors => self.guarantors,
            Field::BadPhones => self.bad_phones,
            Field::DaysSinceReply => self.days_since_reply,
            Field::DaysSinceAssigned => self.days_since_assigned,
            Field::DaysToDueItem => self.days_to_due_item,
            Field::NextDueItem => self.next_due_item,
            Field::NextPromise => self.next_promise,
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
        (Value::Age(days), Literal::Text(want)) => {
            Bucket::of_open(want).is_some_and(|bucket| bucket.holds(*days))
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{HOUR_MS, UtcMs};

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        let midnight = UtcMs(day_of_date("2026-11-23").expect("a date") * DAY_MS);
        let day = |zone: &str, hours: i64| {
            let at = midnight.plus_ms(hours * HOUR_MS);
            (
                date_of_day(day_in(zone, at)),
                date_of_day(day_in(zone, at.plus_ms(-1))),
            )
        };
        let both = |day: &str, before: &str| (day.to_owned(), before.to_owned());
        // Mexico City is six hours behind all year, Madrid one ahead in November.
        assert_eq!(
            day("America/Mexico_City", 6),
            both("2026-11-23", "2026-11-22")
        );
        assert_eq!(day("Europe/Madrid", -1), both("2026-11-23", "2026-11-22"));
        assert_eq!(day("UTC", 0), both("2026-11-23", "2026-11-22"));
        assert_eq!(day("no/where", 0), both("2026-11-23", "2026-11-22"));
    }
}
