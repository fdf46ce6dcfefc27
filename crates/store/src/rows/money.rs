//! Promises and payments: an amount is two columns.

use super::Entity;
use crate::sql::{Row, Val, vals};
use domain::entity::{Payment, Promise};
use domain::ids::DebtorId;
use domain::money::Money;
use domain::ports::StoreError;
use domain::segment::day_of_date;

fn amount(row: &Row) -> Result<Money, StoreError> {
    Ok(Money::new(row.get("amount_minor")?, row.get("currency")?))
}

impl Entity for Promise {
    const TABLE: &'static str = "promises";
    const WHAT: &'static str = "promise";
    const UNIQUE: &'static str = "the active promise of the debt";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "client_id",
        "debtor_id",
        "debt_id",
        "attempt_id",
        "agent_id",
        "amount_minor",
        "currency",
        "due_date",
        "grace_until",
        "channel",
        "state",
        "made_at",
        "closed_at",
    ];
    const DERIVED: &'static [&'static str] = &["due_day"];

    fn derived(&self) -> Vec<Val> {
        vals![day_of_date(&self.due_date)]
    }

    fn touches(&self) -> Option<DebtorId> {
        Some(self.debtor_id)
    }

    super::list!(Promise);
    fn vals(&self) -> Vec<Val> {
        vals![
            self.id,
            self.client_id,
            self.debtor_id,
            self.debt_id,
            self.attempt_id,
            self.agent_id,
            self.amount.amount_minor,
            self.amount.currency,
            self.due_date,
            self.grace_until,
            self.channel,
            self.state,
            self.made_at,
            self.closed_at,
        ]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            debtor_id: row.get("debtor_id")?,
            debt_id: row.get("debt_id")?,
            attempt_id: row.get("attempt_id")?,
            agent_id: row.get("agent_id")?,
            amount: amount(row)?,
            due_date: row.get("due_date")?,
            grace_until: row.get("grace_until")?,
            channel: row.get("channel")?,
            state: row.get("state")?,
            made_at: row.get("made_at")?,
            closed_at: row.get("closed_at")?,
        })
    }
}

impl Entity for Payment {
    const TABLE: &'static str = "payments";
    const WHAT: &'static str = "payment";
    const UNIQUE: &'static str = "payment reference";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "client_id",
        "debtor_id",
        "debt_id",
        "amount_minor",
        "currency",
        "paid_at",
        "channel",
        "reference",
        "reverses",
        "posted_at",
    ];

    fn touches(&self) -> Option<DebtorId> {
        Some(self.debtor_id)
    }

    super::list!(Payment);
    fn vals(&self) -> Vec<Val> {
        vals![
            self.id,
            self.client_id,
            self.debtor_id,
            self.debt_id,
            self.amount.amount_minor,
            self.amount.currency,
            self.paid_at,
            self.channel,
            self.reference,
            self.reverses,
            self.posted_at,
        ]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            debtor_id: row.get("debtor_id")?,
            debt_id: row.get("debt_id")?,
            amount: amount(row)?,
            paid_at: row.get("paid_at")?,
            channel: row.get("channel")?,
            reference: row.get("reference")?,
            reverses: row.get("reverses")?,
            posted_at: row.get("posted_at")?,
        })
    }
}
