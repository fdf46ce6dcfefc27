//! Money before it is on a debt, and money that debtors say they paid.

use super::{ClaimState, Currency, Day, Instant, PaymentChannel};
use uuid::Uuid;

shape! {
    /// Money as it came in: `amount = payments made of it + left + returned`.
    Receipt {
        id: Uuid, client_id: Uuid,
        /// `api`, `bank_file`, `provider`.
        source: String,
        reference: String, amount_minor: i64, currency: Currency,
        /// On no debt yet.
        left_minor: i64,
        /// Gone back.
        returned_minor: i64,
        paid_at: Instant, channel: PaymentChannel,
        /// The payer's words.
        concept: String,
        /// The payer's identity document.
        document: String,
        debtor_id: Option<Uuid>, file_id: Option<Uuid>,
        /// `unmatched`, `posted`, `over`, `returned`.
        state: String,
        /// Why it waits: `unknown`, `ambiguous`, `currency`, `over`, or a reason given.
        note: String,
        created_at: Instant, updated_at: Instant,
    }
    /// A payment that a debtor says he made.
    Claim {
        id: Uuid, client_id: Uuid, debtor_id: Uuid,
        /// In which call he said it.
        attempt_id: Uuid,
        agent_id: Option<Uuid>,
        /// The day on which he says he paid.
        paid_on: Day,
        channel: PaymentChannel,
        /// Whether he has a proof of it.
        proof: bool,
        made_at: Instant, state: ClaimState,
        /// The payment that it was found to be.
        payment_id: Option<Uuid>,
        /// Why it was not found.
        reason: String,
        /// `system`: found by the date of a payment that was posted.
        ended_by: String, ended_at: Option<Instant>,
    }
    /// A signed address at which one amount of one debt is paid.
    PaymentLink {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, debt_id: Uuid, amount_minor: i64,
        currency: Currency, point_id: Option<Uuid>,
        /// `created`, `opened`, `paid`, `expired`, `cancelled`.
        state: String,
        /// Wrong answers to the question of identity; five close it.
        tries: i32,
        session: Option<String>, session_url: Option<String>,
        /// `agent:<id>`, `user:<id>`.
        made_by: String,
        created_at: Instant, expires_at: Instant, opened_at: Option<Instant>,
        paid_at: Option<Instant>,
    }
    /// A file of a bank.
    BankFile {
        id: Uuid, client_id: Uuid, name: String, sha256: String,
        /// `csv`, `camt053`.
        format: String,
        /// `reading`, `half` (a stop broke it off: the same file again goes on), `done`.
        state: String,
        rows: i64, posted: i64, unmatched: i64, repeated: i64, refused: i64, not_money: i64,
        /// Rows by which the bank took money back: their receipts are returned.
        taken_back: i64,
        made_by: String, created_at: Instant, updated_at: Instant,
    }
    /// How a client wants money treated.
    MoneyPolicy {
        client_id: Uuid,
        /// `oldest_first`, `by_debt`, `by_instalment`.
        spread: String,
        /// `fees_first`, `interest_first`, `principal_first`.
        parts: String,
        /// How the creditor himself is paid; empty = not told.
        creditor_data: String,
        /// 0 when the client said nothing.
        version: i32,
        updated_at: Instant,
    }
}
