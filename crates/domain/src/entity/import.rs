//! Import: a portfolio's file on its way in, shown as a difference before it is taken.

use crate::ids::{ClientId, DebtorId, ImportId, ImportMapId, MergeId, PlacementId, PortfolioId};
use crate::ports::store::{ImportReport, RowFault};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

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

crate::text_enum! {
    /// What a file is about.
    pub enum ImportKind {
        /// Debtors with their debts, parties and points.
        Portfolio = "portfolio",
        /// What debtors of the portfolio allowed and took back, with proof.
        Consents = "consents",
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
    /// What it is about.
    pub kind: ImportKind,
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
    /// Size of the file, bytes; 0 until all of it is kept. A file that is whole can be read again.
    pub bytes: i64,
    /// The placement that its new debts belong to.
    pub placement_id: Option<PlacementId>,
    /// Whether debtor files of one document are to become one: asked for with its acceptance, and no more so once it is
    /// done.
    #[serde(default)]
    pub merges: bool,
}

/// A column map that a portfolio remembers: a file with the same header takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportMap {
    /// Identity; follows from portfolio and fingerprint ([`import_map_id`]).
    pub id: ImportMapId,
    /// Owner.
    pub client_id: ClientId,
    /// Portfolio.
    pub portfolio_id: PortfolioId,
    /// Of the header (`import::fingerprint`).
    pub fingerprint: String,
    /// The header as it stood, for people.
    pub columns: Vec<String>,
    /// Column map as JSON.
    pub map: serde_json::Value,
    /// Last taken or changed at.
    pub used_at: UtcMs,
    /// Who gave it.
    pub actor: String,
}

/// The map of a header in a portfolio has one identity, so that a new one takes its place.
#[must_use]
pub fn import_map_id(portfolio: PortfolioId, fingerprint: &str) -> ImportMapId {
    ImportMapId(Uuid::new_v5(&portfolio.0, fingerprint.as_bytes()))
}

/// Two debtor files of one portfolio with the same document, made one. Nothing is deleted: what moved is
/// listed, so that it can go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// Identity.
    pub id: MergeId,
    /// Owner.
    pub client_id: ClientId,
    /// The file that stays.
    pub kept_id: DebtorId,
    /// The file that was taken into it; its attempts, verdicts and complaints stay where they were made.
    pub gone_id: DebtorId,
    /// When.
    pub at: UtcMs,
    /// Who: `user:<id>`, `system`.
    pub actor: String,
    /// Taken apart again at.
    pub undone_at: Option<UtcMs>,
    /// By whom.
    pub undone_by: Option<String>,
    /// What moved: table → ids of its rows.
    pub moved: BTreeMap<String, Vec<Uuid>>,
}

/// Rows of a portfolio that the client handed over on a date, with his terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Identity.
    pub id: PlacementId,
    /// Owner.
    pub client_id: ClientId,
    /// Portfolio.
    pub portfolio_id: PortfolioId,
    /// Day on which they were handed over, `YYYY-MM-DD` in the portfolio's zone.
    pub placed_on: String,
    /// Day from which they are the client's again.
    pub recall_on: Option<String>,
    /// Commission on what is recovered, hundredths of a percent (0–10,000).
    pub fee_bp: i64,
    /// Taken back at.
    pub recalled_at: Option<UtcMs>,
    /// Made at.
    pub at: UtcMs,
    /// Who made it.
    pub actor: String,
}
