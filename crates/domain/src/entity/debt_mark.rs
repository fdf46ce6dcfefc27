//! What a debt stood at on the mornings of its life.

use crate::ids::{ClientId, DebtId, DebtorId, PortfolioId};
use crate::money::Currency;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Ageing bucket (terms.md §7), and what a debt is that ages no more.
    pub enum Bucket {
        /// Taken back, written off or sold.
        Gone = "gone",
        /// Paid in full.
        Paid = "paid",
        /// Not due yet, or due today.
        Preventive = "preventive",
        /// 1 to 30 days past due.
        B1To30 = "b1_30",
        /// 31 to 60.
        B31To60 = "b31_60",
        /// 61 to 90.
        B61To90 = "b61_90",
        /// 91 to 120.
        B91To120 = "b91_120",
        /// 121 to 180.
        B121To180 = "b121_180",
        /// 181 to 360.
        B181To360 = "b181_360",
        /// Older.
        B361Plus = "b361_plus",
    }
}

impl Bucket {
    /// Its number where it is kept: later buckets have greater ones, below 0 nothing is owed.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Gone => -2,
            Self::Paid => -1,
            Self::Preventive => 0,
            Self::B1To30 => 1,
            Self::B31To60 => 2,
            Self::B61To90 => 3,
            Self::B91To120 => 4,
            Self::B121To180 => 5,
            Self::B181To360 => 6,
            Self::B361Plus => 7,
        }
    }

    /// The bucket of a number.
    #[must_use]
    pub fn of_code(code: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|b| b.code() == code)
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
    /// Bucket.
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
