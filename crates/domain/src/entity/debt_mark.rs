//! What a debt stood at on the mornings of its life.

use crate::ValueError;
use crate::ids::{ClientId, DebtId, DebtorId, PortfolioId};
use crate::money::Currency;
use crate::time::UtcMs;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Highest day past due that a bucket names.
const DAY_NAMED_MAX: u16 = 9_998;
/// In place of the highest day of a bucket that has none.
const OPEN_END: u16 = 9_999;

/// Days past due of a bucket: the lowest from 1, and the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PastDays {
    from: u16,
    /// [`OPEN_END`] where it has none.
    to: u16,
}

impl PastDays {
    /// From the lowest day, 1 at least, to the highest; none is open.
    #[must_use]
    pub fn new(from: i64, to: Option<i64>) -> Option<Self> {
        let day = |n: i64| u16::try_from(n).ok().filter(|n| *n <= DAY_NAMED_MAX);
        let (from, to) = (day(from)?, to.map_or(Some(OPEN_END), day)?);
        (1 <= from && from <= to).then_some(Self { from, to })
    }
}

/// Ageing bucket (terms.md §7), and what a debt is that ages no more. A bucket of debts past due is named by its
/// days (`b31_60`, `b361_plus`), so that a name means the same in the set of every client and after each change of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// Taken back, written off or sold.
    Gone,
    /// Paid in full.
    Paid,
    /// Not due yet, or due today.
    Preventive,
    /// Past due for so many days.
    Past(PastDays),
}

impl Bucket {
    /// 1 to 30 days past due.
    pub const B1_30: Self = Self::Past(PastDays { from: 1, to: 30 });
    /// 31 to 60.
    pub const B31_60: Self = Self::Past(PastDays { from: 31, to: 60 });
    /// 61 to 90.
    pub const B61_90: Self = Self::Past(PastDays { from: 61, to: 90 });

    /// Factor of the lowest day in [`Self::code`]; the highest is what is left.
    pub const CODE_STEP: i64 = 10_000;
    /// What is left of the code of a bucket without a highest day.
    pub const CODE_OPEN: i64 = 9_999;

    /// The bucket of so many days past due.
    #[must_use]
    pub fn past(from: i64, to: Option<i64>) -> Option<Self> {
        PastDays::new(from, to).map(Self::Past)
    }

    /// The bucket of that name in which a debt can be that is open.
    #[must_use]
    pub fn of_open(name: &str) -> Option<Self> {
        name.parse().ok().filter(|bucket: &Self| bucket.is_open())
    }

    /// Whether something is owed.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Preventive | Self::Past(_))
    }

    /// Its number where it is kept: later buckets have greater ones, below 0 nothing is owed. Of days past due it is
    /// both ends of them, which statements take apart.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::Gone => -2,
            Self::Paid => -1,
            Self::Preventive => 0,
            Self::Past(days) => i64::from(days.from) * Self::CODE_STEP + i64::from(days.to),
        }
    }

    /// The bucket of a number.
    #[must_use]
    pub fn of_code(code: i64) -> Option<Self> {
        match code {
            -2 => Some(Self::Gone),
            -1 => Some(Self::Paid),
            0 => Some(Self::Preventive),
            _ => {
                let (from, to) = (code / Self::CODE_STEP, code % Self::CODE_STEP);
                Self::past(from, (to != Self::CODE_OPEN).then_some(to))
            }
        }
    }

    /// Lowest and highest day past due, the widest number where there is no end; `None` where nothing is owed.
    #[must_use]
    pub fn days(self) -> Option<(i64, i64)> {
        match self {
            Self::Gone | Self::Paid => None,
            Self::Preventive => Some((i64::MIN, 0)),
            Self::Past(days) if days.to == OPEN_END => Some((days.from.into(), i64::MAX)),
            Self::Past(days) => Some((days.from.into(), days.to.into())),
        }
    }

    /// Whether an open debt of so many days past due is in it.
    #[must_use]
    pub fn holds(self, past: i64) -> bool {
        self.days()
            .is_some_and(|(from, to)| (from..=to).contains(&past))
    }

    /// Whether each of its days is later than every day of the other one: buckets of differing sets may overlap, and
    /// then neither is.
    #[must_use]
    pub fn is_later_than(self, other: Self) -> bool {
        let ends = self.days().zip(other.days());
        ends.is_some_and(|((from, _), (_, to))| from > to)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("gone"),
            Self::Paid => f.write_str("paid"),
            Self::Preventive => f.write_str("preventive"),
            Self::Past(days) if days.to == OPEN_END => write!(f, "b{}_plus", days.from),
            Self::Past(days) => write!(f, "b{}_{}", days.from, days.to),
        }
    }
}

impl FromStr for Bucket {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = || {
            let (from, to) = text.strip_prefix('b')?.split_once('_')?;
            let to = match to {
                "plus" => None,
                day => Some(day.parse().ok()?),
            };
            Self::past(from.parse().ok()?, to)
        };
        let found = match text {
            "gone" => Some(Self::Gone),
            "paid" => Some(Self::Paid),
            "preventive" => Some(Self::Preventive),
            _ => days(),
        };
        // One name a bucket: `b01_30` is none.
        found
            .filter(|bucket| bucket.to_string() == text)
            .ok_or_else(|| ValueError::unknown_name("Bucket", text, BUCKET_NAMES))
    }
}

/// What the names of buckets look like.
const BUCKET_NAMES: &[&str] = &["gone", "paid", "preventive", "b1_30", "b361_plus"];

impl Serialize for Bucket {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bucket {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// `until_day` of a mark that still holds.
pub const HOLDS_ON: i64 = 1_000_000;

/// A debt as it stood from the morning of one day to the morning of another. A row is written when its
/// bucket or its amounts are others than the morning before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtMark {
    /// Which debt.
    pub debt_id: DebtId,
    /// Who owes.
    pub debtor_id: DebtorId,
    /// Owner.
    pub client_id: ClientId,
    /// Portfolio.
    pub portfolio_id: PortfolioId,
    /// From the morning of this day on, days since 1970.
    pub day: i64,
    /// To the morning of this one; `HOLDS_ON` while nothing changed.
    pub until_day: i64,
    /// The debt had none before: on that day it was handed to us.
    pub first: bool,
    /// When it was written.
    pub at: UtcMs,
    /// Bucket in the set that the client had on that day; a later one changes no mark.
    pub bucket: Bucket,
    /// Currency of both amounts.
    pub currency: Currency,
    /// Principal, interest and fees, minor units.
    pub balance_minor: i64,
    /// Of it overdue.
    pub overdue_minor: i64,
    /// Day of the oldest unpaid item, days since 1970; `None` where its date cannot be read.
    pub due_day: Option<i64>,
}
