//! Interest that a portfolio's own rule accrues, where the creditor brings no figure of his.

use crate::ids::{ClientId, DebtId, InterestRuleId, PortfolioId, UserId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// Greatest yearly rate, basis points: ten times the principal a year.
pub const RATE_BP_MAX: i32 = 100_000;
/// Most days of grace.
pub const GRACE_DAYS_MAX: i32 = 365;
/// Greatest cap, basis points of the principal.
pub const CAP_BP_MAX: i32 = 100_000;

/// How a portfolio accrues interest from a day on: simple, on the principal, by the day past due. The rule
/// with the latest `from_day` holds; a rate of 0 ends it. A portfolio that has one takes no interest figure
/// of the creditor's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterestRule {
    /// Identity.
    pub id: InterestRuleId,
    /// Owner.
    pub client_id: ClientId,
    /// Of which portfolio.
    pub portfolio_id: PortfolioId,
    /// First day it holds, days since 1970, in the portfolio's zone.
    pub from_day: i64,
    /// Rate of a year, basis points.
    pub rate_bp: i32,
    /// Days of a year: 360 or 365.
    pub year_days: i32,
    /// First days past due that bear no interest.
    pub grace_days: i32,
    /// Most interest of the rule on a debt, basis points of its principal.
    pub cap_bp: Option<i32>,
    /// Who wrote it.
    pub made_by: Option<UserId>,
    /// Written at.
    pub made_at: UtcMs,
}

/// How far the rule's interest of a debt is in its figures. Written when money, a plan or a file changes the
/// debt, never by the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accrual {
    /// Of which debt.
    pub debt_id: DebtId,
    /// Last day whose interest is in the debt's figure, days since 1970.
    pub upto_day: i64,
    /// What is left below a minor unit, parts of [`crate::rules::interest::PARTS`].
    pub rest: i64,
    /// Interest put on the debt by the rule so far, minor units; what was paid of it counts too.
    pub booked_minor: i64,
}
