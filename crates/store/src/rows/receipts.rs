//! Receipts, links, files of banks, claims of payment, and how a client wants money treated.

use super::{Entity, entity};
use crate::sql::{Row, Val, vals};
use domain::entity::{
    BankFile, Claim, Forgiven, MoneyPolicy, Parts, PaymentLink, PaymentParts, Receipt,
};
use domain::money::Money;
use domain::ports::StoreError;

fn amount(row: &Row) -> Result<Money, StoreError> {
    Ok(Money::new(row.get("amount_minor")?, row.get("currency")?))
}

impl Entity for Receipt {
    const TABLE: &'static str = "receipts";
    const WHAT: &'static str = "receipt";
    const UNIQUE: &'static str = "receipt reference";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "client_id",
        "source",
        "reference",
        "amount_minor",
        "currency",
        "left_minor",
        "returned_minor",
        "paid_at",
        "channel",
        "concept",
        "document",
        "debtor_id",
        "file_id",
        "state",
        "note",
        "created_at",
        "updated_at",
    ];

    super::list!(Receipt);
    fn vals(&self) -> Vec<Val> {
        vals![
            self.id,
            self.client_id,
            self.source,
            self.reference,
            self.amount.amount_minor,
            self.amount.currency,
            self.left_minor,
            self.returned_minor,
            self.paid_at,
            self.channel,
            self.concept,
            self.document,
            self.debtor_id,
            self.file_id,
            self.state,
            self.note,
            self.created_at,
            self.updated_at,
        ]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            source: row.get("source")?,
            reference: row.get("reference")?,
            amount: amount(row)?,
            left_minor: row.get("left_minor")?,
            returned_minor: row.get("returned_minor")?,
            paid_at: row.get("paid_at")?,
            channel: row.get("channel")?,
            concept: row.get("concept")?,
            document: row.get("document")?,
            debtor_id: row.get("debtor_id")?,
            file_id: row.get("file_id")?,
            state: row.get("state")?,
            note: row.get("note")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

impl Entity for PaymentParts {
    const TABLE: &'static str = "payment_parts";
    const WHAT: &'static str = "parts of the payment";
    const COLUMNS: &'static [&'static str] = &[
        "payment_id",
        "debt_id",
        "reverses",
        "receipt_id",
        "fees_minor",
        "interest_minor",
        "principal_minor",
        "excess_minor",
        "overdue_minor",
    ];

    super::list!(PaymentParts);
    fn vals(&self) -> Vec<Val> {
        vals![
            self.payment_id,
            self.debt_id,
            self.reverses,
            self.receipt_id,
            self.parts.fees_minor,
            self.parts.interest_minor,
            self.parts.principal_minor,
            self.parts.excess_minor,
            self.parts.overdue_minor,
        ]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            payment_id: row.get("payment_id")?,
            debt_id: row.get("debt_id")?,
            reverses: row.get("reverses")?,
            receipt_id: row.get("receipt_id")?,
            parts: Parts {
                fees_minor: row.get("fees_minor")?,
                interest_minor: row.get("interest_minor")?,
                principal_minor: row.get("principal_minor")?,
                excess_minor: row.get("excess_minor")?,
                overdue_minor: row.get("overdue_minor")?,
            },
        })
    }
}

impl Entity for Forgiven {
    const TABLE: &'static str = "forgiven";
    const WHAT: &'static str = "forgiven part";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "plan_id",
        "debt_id",
        "fees_minor",
        "interest_minor",
        "principal_minor",
        "overdue_minor",
        "at",
    ];

    super::list!(Forgiven);
    fn vals(&self) -> Vec<Val> {
        vals![
            self.id,
            self.plan_id,
            self.debt_id,
            self.parts.fees_minor,
            self.parts.interest_minor,
            self.parts.principal_minor,
            self.parts.overdue_minor,
            self.at,
        ]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            plan_id: row.get("plan_id")?,
            debt_id: row.get("debt_id")?,
            parts: Parts {
                fees_minor: row.get("fees_minor")?,
                interest_minor: row.get("interest_minor")?,
                principal_minor: row.get("principal_minor")?,
                excess_minor: 0,
                overdue_minor: row.get("overdue_minor")?,
            },
            at: row.get("at")?,
        })
    }
}

impl Entity for PaymentLink {
    const TABLE: &'static str = "payment_links";
    const WHAT: &'static str = "payment link";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "client_id",
        "debtor_id",
        "debt_id",
        "amount_minor",
        "currency",
        "point_id",
        "state",
        "tries",
        "session",
        "session_url",
        "made_by",
        "created_at",
        "expires_at",
        "opened_at",
        "paid_at",
    ];

    super::list!(PaymentLink);
    fn vals(&self) -> Vec<Val> {
        vals![
            self.id,
            self.client_id,
            self.debtor_id,
            self.debt_id,
            self.amount.amount_minor,
            self.amount.currency,
            self.point_id,
            self.state,
            self.tries,
            self.session,
            self.session_url,
            self.made_by,
            self.created_at,
            self.expires_at,
            self.opened_at,
            self.paid_at,
        ]
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            debtor_id: row.get("debtor_id")?,
            debt_id: row.get("debt_id")?,
            amount: amount(row)?,
            point_id: row.get("point_id")?,
            state: row.get("state")?,
            tries: row.get("tries")?,
            session: row.get("session")?,
            session_url: row.get("session_url")?,
            made_by: row.get("made_by")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            opened_at: row.get("opened_at")?,
            paid_at: row.get("paid_at")?,
        })
    }
}

entity!(MoneyPolicy, "money_policies", "policy of money" {
    client_id, spread, parts, creditor_data, version, updated_at
});

entity!(BankFile, "bank_files", "bank file" {
    id, client_id, name, sha256, format, state, rows = "row_count", posted, unmatched, repeated,
    refused, not_money, taken_back, made_by, created_at, updated_at
} const UNIQUE: &'static str = "bank file"; );

entity!(Claim, "claims", "claim" {
        id, client_id, debtor_id, attempt_id, agent_id, paid_on, channel, proof, made_at, state, payment_id, reason,
        ended_by, ended_at
    }
);
