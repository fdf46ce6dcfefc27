//! Goals, and how debts stood.

use super::entity;
use crate::sql::Cell;
use domain::entity::{Bucket, DebtMark, Goal, RecoverySum};
use domain::ports::StoreError;

entity!(Goal, "goals", "goal" {
    id, client_id, portfolio_id, team_id, agent_id, kind, currency, target, from_day, to_day, ended_at,
    created_at, updated_at
});

entity!(DebtMark, "debt_marks", "mark of a debt" {
    debt_id, day, until_day, first = "first_mark", debtor_id, client_id, portfolio_id, at, bucket, currency,
    balance_minor, overdue_minor, due_day
});

entity!(RecoverySum, "recovery_sums", "recovery of debts" {
    portfolio_id, client_id, currency, bucket, day, debts, balance_minor, recovered_minor
});

/// Later buckets have greater numbers, which statements compare.
impl Cell for Bucket {
    type Raw = i64;
    fn to_raw(&self) -> i64 {
        self.code()
    }
    fn from_raw(raw: i64) -> Result<Self, StoreError> {
        Self::of_code(raw).ok_or_else(|| StoreError::Corrupt(format!("{raw} is no bucket")))
    }
}
