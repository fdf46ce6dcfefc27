//! Import: a portfolio's file on its way in, shown as a difference before it is taken.

use crate::ids::{ClientId, ImportId, PortfolioId};
use crate::ports::store::{ImportReport, RowFault};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Where a file is.
    pub enum ImportState {
        /// Being read; nobody's data is touched.
        Reading = "reading",
        /// Its difference is shown and waits for a decision.
        Ready = "ready",
        /// Being written; what broke off goes on from the last batch.
        Accepting = "accepting",
        /// Written.
        Accepted = "accepted",
        /// Being taken back.
        Undoing = "undoing",
        /// Taken back; attempts, ledger rows, promises and payments made meanwhile stayed.
        Undone = "undone",
        /// Thrown away unread or unwanted.
        Discarded = "discarded",
    }
}

crate::text_enum! {
    /// What happens to open debts of the portfolio that the file does not name.
    pub enum GonePolicy {
        /// They stay as they are: the file is a part of the portfolio.
        Keep = "keep",
        /// The client took them back.
        Recall = "recall",
    }
}

/// A file on its way into a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Identity.
    pub id: ImportId,
    /// Owner.
    pub client_id: ClientId,
    /// Portfolio.
    pub portfolio_id: PortfolioId,
    /// Name of the file, for people.
    pub file_name: String,
    /// Where it is.
    pub state: ImportState,
    /// Column map as JSON; null when all was detected.
    pub map: serde_json::Value,
    /// What happens to debts that it does not name.
    pub gone: GonePolicy,
    /// When it came.
    pub at: UtcMs,
    /// Accepted at.
    pub accepted_at: Option<UtcMs>,
    /// Taken back at.
    pub undone_at: Option<UtcMs>,
    /// Last line that was written, so that what broke off goes on behind it.
    pub rows_done: i64,
    /// What it would change, as it was when it was read.
    pub difference: ImportReport,
    /// What it did change.
    pub report: ImportReport,
    /// Refused rows, the first of them.
    pub faults: Vec<RowFault>,
    /// Who brought it.
    pub actor: String,
}
