//! Money before it is on a debt.

use super::{Currency, Instant, PaymentChannel};
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
