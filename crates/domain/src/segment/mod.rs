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
mod difference;
pub mod examples;
mod facts;
mod field;
mod lexer;
mod named;
mod names;
mod parse;
mod print;
mod row;
mod slips;
#[cfg(test)]
mod tests;
mod vocabulary;
mod words;

pub use check::check;
pub use difference::{Changed, What, difference};
pub use facts::{Assigned, SegmentFacts, asks_the_law, at_any_hour};
pub use field::{Field, FieldKind};
pub use named::{NAMED_DEPTH, NAMED_MAX, NamedKey, expand, named};
pub use names::{Group, Name, name_of};
pub use parse::parse;
pub use print::print;
pub use row::{
    BUCKETS, NEVER_DAYS, NO_SCORE, SegmentRow, date_of_day, day_in, day_of_date, eval, utc_day,
};
pub use vocabulary::{Word, vocabulary};
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
    /// The same in Spanish.
    #[serde(default)]
    pub es: String,
}

impl SegmentError {
    fn new(position: usize, told: Told) -> Self {
        Self {
            position,
            reason: told.en,
            es: told.es,
        }
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
