//! Money before and around a `Payment`: receipts, how they are spread, payment links, bank files.

use crate::entity::PaymentChannel;
use crate::ids::{
    BankFileId, ClientId, DebtId, DebtorId, PaymentId, PaymentLinkId, PlanId, PointId, ReceiptId,
};
use crate::money::Money;
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

crate::text_enum! {
    /// Where money was seen.
    pub enum ReceiptSource {
        /// Told by a program or a person with the right.
        Api = "api",
        /// A line of a bank's file.
        BankFile = "bank_file",
        /// A payment provider's signed word.
        Provider = "provider",
    }
}

crate::text_enum! {
    /// What became of a receipt.
    pub enum ReceiptState {
        /// Nobody's yet: it waits in the queue.
        Unmatched = "unmatched",
        /// All of it is on debts.
        Posted = "posted",
        /// A part is on debts, the rest is more than was owed: it waits in the queue.
        Over = "over",
        /// What was left went back to its sender, or was no money of debtors.
        Returned = "returned",
    }
}

/// Money as it came in. `amount = Σ payments made of it + left_minor + returned_minor`, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Identity.
    pub id: ReceiptId,
    /// Owner.
    pub client_id: ClientId,
    /// Where it was seen.
    pub source: ReceiptSource,
    /// The source's own reference; unique within the client, so that a repeat counts nothing.
    pub reference: String,
    /// How much came.
    #[serde(flatten)]
    pub amount: Money,
    /// What is on no debt yet, minor units.
    pub left_minor: i64,
    /// What went back, minor units.
    pub returned_minor: i64,
    /// When the money moved.
    pub paid_at: UtcMs,
    /// How.
    pub channel: PaymentChannel,
    /// Words that came with it (the payer's concept); may name people.
    pub concept: Pii<String>,
    /// Identity document of the payer, when the source says it.
    pub document: Pii<String>,
    /// Whose money it is, once known.
    pub debtor_id: Option<DebtorId>,
    /// The file it came in.
    pub file_id: Option<BankFileId>,
    /// What became of it.
    pub state: ReceiptState,
    /// Why it waits or went back, in a word (`currency`, `unknown`, `over`, `ambiguous`, or a reason given).
    pub note: String,
    /// Taken in at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

/// Note of money whose reference stands at another amount already: it waits for a person.
pub const OTHER_AMOUNT: &str = "other_amount";

impl Receipt {
    /// The same money under a reference of its own, for when its reference came with another amount before: no
    /// repeat, and nothing that may be counted unseen. The same again has the same reference.
    #[must_use]
    pub fn as_other_amount(self) -> Self {
        let Money {
            amount_minor,
            currency,
        } = self.amount;
        Self {
            reference: format!("{}~{amount_minor}{currency}", self.reference),
            note: OTHER_AMOUNT.to_owned(),
            ..self
        }
    }
}

crate::text_enum! {
    /// Over which debts a debtor's money is spread.
    pub enum SpreadRule {
        /// The debt with the oldest unpaid item first, each up to its balance.
        OldestFirst = "oldest_first",
        /// The debt that the money names first, the others by age.
        ByDebt = "by_debt",
        /// What is promised or agreed, by its date, then the others by age.
        ByInstalment = "by_instalment",
    }
}

crate::text_enum! {
    /// Which part of a debt money lowers first.
    pub enum PartOrder {
        /// Fees, interest, principal.
        FeesFirst = "fees_first",
        /// Interest, fees, principal.
        InterestFirst = "interest_first",
        /// Principal, interest, fees.
        PrincipalFirst = "principal_first",
    }
}

/// How a client wants money treated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyPolicy {
    /// Whose.
    pub client_id: ClientId,
    /// Over which debts.
    pub spread: SpreadRule,
    /// Which part first.
    pub parts: PartOrder,
    /// How to pay the creditor himself (bank, account, reference), as cards and pages show it; empty =
    /// not told.
    pub creditor_data: String,
    /// Version, counted up.
    pub version: i32,
    /// Last change.
    pub updated_at: UtcMs,
}

impl MoneyPolicy {
    /// What holds where a client said nothing.
    #[must_use]
    pub const fn of(client_id: ClientId) -> Self {
        Self {
            client_id,
            spread: SpreadRule::OldestFirst,
            parts: PartOrder::FeesFirst,
            creditor_data: String::new(),
            version: 0,
            updated_at: UtcMs(0),
        }
    }
}

/// What one payment did to its debt, minor units; all negative for a reversal. The four parts of money
/// add up to the payment's amount; `overdue_minor` is what the overdue figure fell by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// On fees.
    pub fees_minor: i64,
    /// On interest.
    pub interest_minor: i64,
    /// On principal.
    pub principal_minor: i64,
    /// More than was owed.
    pub excess_minor: i64,
    /// Off the overdue figure.
    pub overdue_minor: i64,
}

/// The parts of a payment, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentParts {
    /// Of which payment.
    pub payment_id: PaymentId,
    /// On which debt.
    pub debt_id: DebtId,
    /// The payment that the row takes back.
    pub reverses: Option<PaymentId>,
    /// The receipt it is made of.
    pub receipt_id: Option<ReceiptId>,
    /// The parts.
    #[serde(flatten)]
    pub parts: Parts,
}

/// What was forgiven of a debt by its plan (quita), or, with negative parts, is owed again because the plan is
/// not paid after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgiven {
    /// Identity; follows from what caused it.
    pub id: Uuid,
    /// By which plan.
    pub plan_id: PlanId,
    /// Of which debt.
    pub debt_id: DebtId,
    /// The parts.
    #[serde(flatten)]
    pub parts: Parts,
    /// When.
    pub at: UtcMs,
}

crate::text_enum! {
    /// Life of a payment link.
    pub enum LinkState {
        /// Made; nobody has opened it.
        Created = "created",
        /// Opened by who proved to be the debtor.
        Opened = "opened",
        /// Paid.
        Paid = "paid",
        /// Its time is over.
        Expired = "expired",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
}

/// A signed address at which one amount of one debt is paid until an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentLink {
    /// Identity; what the signed address carries.
    pub id: PaymentLinkId,
    /// Owner.
    pub client_id: ClientId,
    /// Whose.
    pub debtor_id: DebtorId,
    /// Of which debt.
    pub debt_id: DebtId,
    /// Exactly how much.
    #[serde(flatten)]
    pub amount: Money,
    /// Point it was sent to.
    pub point_id: Option<PointId>,
    /// State.
    pub state: LinkState,
    /// Wrong answers to the question of identity; at [`LINK_TRIES_MAX`] the page is closed.
    pub tries: i32,
    /// The provider's session.
    pub session: Option<String>,
    /// The provider's page.
    pub session_url: Option<String>,
    /// Who made it (`agent:<id>`).
    pub made_by: String,
    /// Made at.
    pub created_at: UtcMs,
    /// Ends at.
    pub expires_at: UtcMs,
    /// First opened at.
    pub opened_at: Option<UtcMs>,
    /// Paid at.
    pub paid_at: Option<UtcMs>,
}

/// Wrong answers that close a link's page.
pub const LINK_TRIES_MAX: i32 = 5;

impl PaymentLink {
    /// Whether its page is closed before its end: too many gave a wrong answer to the question of identity.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        matches!(self.state, LinkState::Created | LinkState::Opened) && self.tries >= LINK_TRIES_MAX
    }
}

crate::text_enum! {
    /// How far a bank's file is.
    pub enum BankFileState {
        /// Its rows are being taken in.
        Reading = "reading",
        /// A stop broke it off: the same file again goes on where it was.
        Half = "half",
        /// All rows are taken in.
        Done = "done",
    }
}

/// A file that is being read and whose row did not move so long has lost its reader, ms.
pub const BANK_READER_GONE_MS: i64 = 120_000;

/// A bank's file. Rows: `rows = posted + unmatched + repeated + refused + not_money + taken_back` once done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankFile {
    /// Identity.
    pub id: BankFileId,
    /// Owner.
    pub client_id: ClientId,
    /// Name as it was uploaded.
    pub name: String,
    /// SHA-256 of its bytes, hex; the same file again is this one.
    pub sha256: String,
    /// `csv` or `camt053`.
    pub format: String,
    /// State.
    pub state: BankFileState,
    /// Rows in it.
    pub rows: i64,
    /// Rows whose money is on debts.
    pub posted: i64,
    /// Rows whose money waits in the queue.
    pub unmatched: i64,
    /// Rows that were taken in before.
    pub repeated: i64,
    /// Rows that could not be read.
    pub refused: i64,
    /// Rows that bring no money (charges of the bank, zero).
    pub not_money: i64,
    /// Rows that took money back that had come in before.
    pub taken_back: i64,
    /// Who uploaded it.
    pub made_by: String,
    /// Uploaded at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}
