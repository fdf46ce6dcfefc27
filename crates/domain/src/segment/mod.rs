//! Segments: a typed expression over debtor, debt, point, history and law state.
//!
//! Text form: `days_past_due between 31 and 60 and balance >= 1000.00 and not promise_active`.
//! JSON form: the serde form of [`Expr`]. parse ∘ print is the identity.
//!
//! ```
//! use domain::segment::{parse, print};
//! let expr = parse("dias_mora entre 31 y 60 y no promise_active").unwrap();
//! assert_eq!(print(&expr), "days_past_due between 31 and 60 and not promise_active");
//! ```

mod check;
pub mod examples;
mod lexer;
mod named;
mod parse;
mod print;
mod row;
#[cfg(test)]
mod tests;
mod words;

pub use check::check;
pub use named::{NAMED_DEPTH, NAMED_MAX, NamedKey, expand, named};
pub use parse::parse;
pub use print::print;
pub use row::{
    BUCKETS, NEVER_DAYS, NO_SCORE, SegmentFacts, SegmentRow, bucket_of, day_of_date, eval, utc_day,
};
pub use words::{Told, explain};

use serde::{Deserialize, Serialize};

/// Longest text form, in characters: a screenful; longer ones are machine noise.
pub const TEXT_MAX: usize = 8_000;
/// Deepest nesting; guards the stack of parser, evaluator and SQL compiler.
pub const DEPTH_MAX: usize = 32;
/// Most comparisons; SQLite allows 32,766 bound values and a long filter has no reader.
pub const TERMS_MAX: usize = 200;
/// Most values of one `in` list.
pub const IN_MAX: usize = 500;
/// Longest name of a segment named inside another one, characters.
pub const NAME_MAX: usize = 200;

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("segment expression, column {position}: {reason}")]
pub struct SegmentError {
    /// Column in the text, characters from 1; 0 when the expression came as JSON.
    pub position: usize,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl SegmentError {
    fn new(position: usize, reason: impl Into<String>) -> Self {
        Self {
            position,
            reason: reason.into(),
        }
    }
}

crate::text_enum! {
    /// What can be compared. The unit or vocabulary stands behind each.
    pub enum Field {
        /// ISO country of residence (text).
        Country = "country",
        /// Subdivision (text).
        Subdivision = "subdivision",
        /// Language (text).
        Language = "language",
        /// `person` or `company` (text).
        DebtorKind = "debtor_kind",
        /// The client's key of the debtor (text).
        ExternalRef = "external_ref",
        /// Portfolio name (text).
        Portfolio = "portfolio",
        /// Full name, exactly as it is kept (text).
        Name = "name",
        /// Identity document (text).
        Document = "document",
        /// Zone of the address (IANA), empty when not known (text).
        Zone = "zone",
        /// The client's key of an open debt (text; any debt matches).
        DebtRef = "debt_ref",
        /// Role of somebody on his debts (text; any party matches).
        PartyRole = "party_role",
        /// Kind of a hold in force on the debtor, a debt or a phone (text; any hold matches).
        HoldKind = "hold_kind",
        /// Purpose of a consent in force (text; any consent matches).
        Consent = "consent",
        /// Product of an open debt (text; any debt matches).
        Product = "product",
        /// Currency of an open debt (text; any debt matches).
        Currency = "currency",
        /// Greatest days past due among open debts, in UTC days (number).
        DaysPastDue = "days_past_due",
        /// Ageing bucket of that figure, terms.md §7 (text).
        Bucket = "bucket",
        /// Sum of balances of open debts (money).
        Balance = "balance",
        /// Sum of overdue amounts (money).
        Overdue = "overdue",
        /// Sum of principals of open debts (money).
        Principal = "principal",
        /// Sum of interests of open debts (money).
        Interest = "interest",
        /// Sum of fees of open debts (money).
        Fees = "fees",
        /// Sum of the least payments asked on open debts (money).
        Minimum = "minimum",
        /// Number of open debts (number).
        DebtCount = "debt_count",
        /// Number of phones that are not bad (number).
        PhoneCount = "phone_count",
        /// Of them mobiles (number).
        MobilePhones = "mobile_phones",
        /// Of them given by the debtor (number).
        GivenPhones = "given_phones",
        /// Of them authorised by the debtor (number).
        AuthorisedPhones = "authorised_phones",
        /// The client's score; none = -1 (number).
        Score = "score",
        /// Days since he came into the portfolio (number).
        DaysInFile = "days_in_file",
        /// Best confidence among them, 0–100 (number).
        PointConfidence = "point_confidence",
        /// Attempts ever (number).
        Attempts = "attempts",
        /// Attempts in the last 7 × 24 h (number).
        Attempts7d = "attempts_7d",
        /// Days since the last attempt; no attempt = 100000 (number).
        DaysSinceAttempt = "days_since_attempt",
        /// Days since the last right-party contact; none = 100000 (number).
        DaysSinceRpc = "days_since_rpc",
        /// Result of the last attempt (text).
        LastResult = "last_result",
        /// Disposition of the last disposed attempt (text).
        LastDisposition = "last_disposition",
        /// Has an active promise (yes/no).
        PromiseActive = "promise_active",
        /// Broken promises ever (number).
        PromisesBroken = "promises_broken",
        /// Kept promises ever (number).
        PromisesKept = "promises_kept",
        /// UTC days until the first active promise is due; none = 100000 (number).
        DaysToPromise = "days_to_promise",
        /// UTC days until the first statute date among open debts, negative behind it; none known = 100000
        /// (number).
        DaysToStatute = "days_to_statute",
        /// Sum of the active promises (money).
        Promised = "promised",
        /// Payments ever, reversals too (number).
        Payments = "payments",
        /// Days since the last payment; none = 100000 (number).
        DaysSincePayment = "days_since_payment",
        /// Paid ever, less reversals (money).
        Paid = "paid",
        /// Paid in the last 30 × 24 h (money).
        Paid30d = "paid_30d",
        /// Has a hold in force on the debtor (yes/no).
        OnHold = "on_hold",
        /// One of his phones or his document is listed (yes/no).
        Suppressed = "suppressed",
        /// The law, asked not long ago, lets one of his phones be called now; no hold, not listed (yes/no).
        CallableNow = "callable_now",
    }
}

crate::text_enum! {
    /// Kind of a field's values.
    pub enum FieldKind {
        /// Text, compared exactly.
        Text = "text",
        /// Whole number.
        Number = "number",
        /// Money: units of whatever currency it is in, with two decimals in the text form, hundredths of a unit inside
        /// (`money::hundredths`).
        Money = "money",
        /// Yes or no.
        Bool = "bool",
    }
}

crate::text_enum! {
    /// Comparison.
    pub enum Op {
        /// Equal.
        Eq = "=",
        /// Not equal.
        Ne = "!=",
        /// Less.
        Lt = "<",
        /// Less or equal.
        Le = "<=",
        /// Greater.
        Gt = ">",
        /// Greater or equal.
        Ge = ">=",
    }
}

/// A literal; its kind must be the field's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Literal {
    /// Yes or no.
    Bool(bool),
    /// Number, or money in hundredths of its currency's unit.
    Int(i64),
    /// Text.
    Text(String),
}

/// A filter over debtors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expr {
    /// Every debtor.
    All,
    /// All parts hold; two or more.
    And(Vec<Expr>),
    /// One part holds; two or more.
    Or(Vec<Expr>),
    /// The part does not hold.
    Not(Box<Expr>),
    /// A comparison.
    Cmp {
        /// Field.
        field: Field,
        /// Operator; text and yes/no fields know only `=` and `!=`.
        op: Op,
        /// Value.
        value: Literal,
    },
    /// Both ends included.
    Between {
        /// Field (number or money).
        field: Field,
        /// Least.
        from: i64,
        /// Most.
        to: i64,
    },
    /// One of the values.
    In {
        /// Field (text or number).
        field: Field,
        /// Values; one or more.
        values: Vec<Literal>,
    },
    /// Who is in another segment of the client; what it says is put in its place before anything is asked.
    #[serde(rename = "segment")]
    Named {
        /// Its name, exactly.
        name: String,
        /// The version as it was saved; the newest when none is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<i32>,
    },
}

impl Field {
    /// Kind of its values.
    #[must_use]
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::Country
            | Self::Subdivision
            | Self::Language
            | Self::DebtorKind
            | Self::ExternalRef
            | Self::Portfolio
            | Self::Product
            | Self::Currency
            | Self::Bucket
            | Self::LastResult
            | Self::LastDisposition
            | Self::Name
            | Self::Document
            | Self::Zone
            | Self::DebtRef
            | Self::PartyRole
            | Self::HoldKind
            | Self::Consent => FieldKind::Text,
            Self::DaysPastDue
            | Self::DebtCount
            | Self::PhoneCount
            | Self::PointConfidence
            | Self::Attempts
            | Self::Attempts7d
            | Self::DaysSinceAttempt
            | Self::DaysSinceRpc
            | Self::PromisesBroken
            | Self::PromisesKept
            | Self::MobilePhones
            | Self::GivenPhones
            | Self::AuthorisedPhones
            | Self::Score
            | Self::DaysInFile
            | Self::DaysToPromise
            | Self::DaysToStatute
            | Self::Payments
            | Self::DaysSincePayment => FieldKind::Number,
            Self::Balance
            | Self::Overdue
            | Self::Principal
            | Self::Interest
            | Self::Fees
            | Self::Minimum
            | Self::Promised
            | Self::Paid
            | Self::Paid30d => FieldKind::Money,
            Self::PromiseActive | Self::OnHold | Self::Suppressed | Self::CallableNow => {
                FieldKind::Bool
            }
        }
    }
}
