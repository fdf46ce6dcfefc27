//! Files on their way in: kept in pieces, shown as a difference, accepted, taken back.

use super::{
    ContactFacts, DebtorRow, ImportReport, Page, PageRequest, PortfolioStore, RowFault, StoreError,
};
use crate::entity::{Import, ImportMap, Merge, Placement};
use crate::event::NewEvent;
use crate::ids::{
    ClientId, DebtId, DebtorId, ImportId, ImportMapId, MergeId, PersonId, PlacementId, PortfolioId,
};
use crate::rules::consents::ConsentRow;
use crate::time::UtcMs;
use async_trait::async_trait;

/// Most rows of one step of an undo or a recall.
pub const IMPORT_STEP: u32 = 500;

/// Most rows kept aside that a store with one writer (SQLite) writes together with the row that says that their file
/// is in: they hold the writer for about a second. Of more, the first are written before, in pieces. Others write
/// all of them with the row.
pub const ASIDE_AT_ONCE: u64 = 10_000;

/// How long a process keeps the turn of a file after it last said that it works on it, ms. Who died holds
/// nobody up for longer.
pub const IMPORT_TURN_MS: i64 = 60_000;

/// An open debt of a portfolio, by the client's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDebt {
    /// The debt.
    pub id: DebtId,
    /// Its key.
    pub external_ref: String,
}

/// What one step of an undo did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UndoStep {
    /// Debtors put back as they were, or removed.
    pub undone: u64,
    /// Of them those that stay without open debts, because they were contacted, promised or paid.
    pub kept: u64,
    /// Whether more is left.
    pub more: bool,
}

/// Debtor files of a portfolio with the same document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// Whose document it is.
    pub person: PersonId,
    /// The files, oldest first; at least two.
    pub debtors: Vec<DebtorId>,
}

/// How far a file is that is half in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportLeft {
    /// A process has its turn.
    pub at_work: bool,
    /// Rows kept aside that wait for the whole.
    pub waiting: u64,
    /// Debtors of whom others see already what it changes: of more than [`ASIDE_AT_ONCE`] rows a store with one
    /// writer writes the first before the whole is in.
    pub shown: u64,
}

/// What became of rows of a file of consents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsentsTaken {
    /// What they do.
    pub report: ImportReport,
    /// Rows whose debtor is not in the portfolio, or is not one alone.
    pub faults: Vec<RowFault>,
}

/// What a placement holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlacementCount {
    /// Debts handed over with it.
    pub debts: u64,
    /// Of them open.
    pub open: u64,
}

/// Why a store that keeps no files refuses.
fn no_files<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable(
        "files are kept by a database alone".into(),
    ))
}

/// Files of portfolios. Stores without a disk (simulation) keep none and say so.
#[async_trait]
pub trait ImportStore: PortfolioStore {
    /// Inserts or replaces a file's row. As accepted, what was kept aside of it is written in the same
    /// transaction. `Conflict` when it is being accepted or taken back while another file of the portfolio is.
    async fn put_import(&self, _row: &Import, _events: &[NewEvent]) -> Result<(), StoreError> {
        no_files()
    }
    /// One file.
    async fn get_import(&self, _id: ImportId) -> Result<Import, StoreError> {
        no_files()
    }
    /// Takes the turn of a file for [`IMPORT_TURN_MS`], or keeps it: of all processes one works on it.
    /// `false` while another has it, or when there is no such file.
    async fn take_import(
        &self,
        _id: ImportId,
        _worker: &str,
        _now: UtcMs,
    ) -> Result<bool, StoreError> {
        no_files()
    }
    /// Gives the turn of a file back; one that another has taken over stays his.
    async fn leave_import(&self, _id: ImportId, _worker: &str) -> Result<(), StoreError> {
        no_files()
    }
    /// How far a file is that is half in.
    async fn import_left(&self, _id: ImportId, _now: UtcMs) -> Result<ImportLeft, StoreError> {
        no_files()
    }
    /// Files, newest first, of a client or of all, and of one portfolio when it is named.
    async fn imports_page(
        &self,
        _client: Option<ClientId>,
        _portfolio: Option<PortfolioId>,
        _page: &PageRequest,
    ) -> Result<Page<Import>, StoreError> {
        no_files()
    }
    /// The facts of debtors whom a file made or changed, of every `every`-th line of it, at most so many: what a report
    /// on the list is made of.
    async fn import_facts(
        &self,
        _id: ImportId,
        _every: u64,
        _most: u32,
        _now: UtcMs,
    ) -> Result<Vec<ContactFacts>, StoreError> {
        no_files()
    }
    /// Whether a file was taken into the portfolio after this one, so that this one cannot be taken back.
    async fn later_import(&self, _id: ImportId) -> Result<bool, StoreError> {
        no_files()
    }
    /// Keeps piece `n` (from 0) of a file, base64.
    async fn add_piece(&self, _id: ImportId, _n: i64, _base64: &str) -> Result<(), StoreError> {
        no_files()
    }
    /// A piece of a file, `None` behind the last.
    async fn piece(&self, _id: ImportId, _n: i64) -> Result<Option<String>, StoreError> {
        no_files()
    }
    /// Forgets the pieces of a file.
    async fn drop_pieces(&self, _id: ImportId) -> Result<(), StoreError> {
        no_files()
    }
    /// Open debts of a portfolio after a key, in the order of keys.
    async fn open_debts(
        &self,
        _portfolio: PortfolioId,
        _after: &str,
        _limit: u32,
    ) -> Result<Vec<OpenDebt>, StoreError> {
        no_files()
    }
    /// Takes rows of a kept file that is being accepted, in the order of their lines. Debtors who are new are
    /// written, and count for nobody before the file is accepted; rows that change what others see already
    /// are kept aside until then. What is written may become durable with later rows: [`Self::settle_rows`]
    /// waits for it. `Conflict` when the file is another's to write by now, `Unavailable` when rows before
    /// these were lost: the file then goes on behind the last that is there.
    async fn take_rows(
        &self,
        _import: ImportId,
        _rows: &[DebtorRow],
    ) -> Result<ImportReport, StoreError> {
        no_files()
    }
    /// Holds rows of a file of consents, in the order of their lines, against what is stored. With `keeps` the file
    /// is being accepted: they are kept aside until it is in. `Conflict` as for [`Self::take_rows`].
    async fn take_consents(
        &self,
        _import: ImportId,
        _portfolio: PortfolioId,
        _rows: &[ConsentRow],
        _keeps: bool,
    ) -> Result<ConsentsTaken, StoreError> {
        no_files()
    }
    /// Waits until all rows taken of a file are durable. `Unavailable` when some were lost.
    async fn settle_rows(&self, _import: ImportId) -> Result<(), StoreError> {
        no_files()
    }
    /// Keeps aside which open debts are recalled when the file is accepted; `first`: those of an earlier try
    /// are forgotten. At most [`IMPORT_STEP`].
    async fn recall_aside(
        &self,
        _import: ImportId,
        _debts: &[DebtId],
        _first: bool,
    ) -> Result<(), StoreError> {
        no_files()
    }
    /// Writes the first piece of what is kept aside, when that is more than [`ASIDE_AT_ONCE`] rows and the store has
    /// one writer alone; whether it did, so that it is to be called again.
    async fn write_aside(&self, _import: ImportId, _now: UtcMs) -> Result<bool, StoreError> {
        no_files()
    }
    /// Recalls open debts for an import, so that its undo opens them again. At most [`IMPORT_STEP`].
    async fn recall_debts(
        &self,
        _import: ImportId,
        _debts: &[DebtId],
        _at: UtcMs,
    ) -> Result<u64, StoreError> {
        no_files()
    }
    /// Takes back the newest part of what an import wrote, in one transaction. Attempts, ledger rows,
    /// promises and payments made meanwhile stay, and so does what they belong to.
    async fn undo_step(&self, _import: ImportId, _now: UtcMs) -> Result<UndoStep, StoreError> {
        no_files()
    }

    /// The map that a portfolio remembers for a header.
    async fn import_map(
        &self,
        _portfolio: PortfolioId,
        _fingerprint: &str,
    ) -> Result<Option<ImportMap>, StoreError> {
        no_files()
    }
    /// The maps that a portfolio remembers, last used first; at most 200.
    async fn import_maps(&self, _portfolio: PortfolioId) -> Result<Vec<ImportMap>, StoreError> {
        no_files()
    }
    /// One remembered map.
    async fn get_import_map(&self, _id: ImportMapId) -> Result<ImportMap, StoreError> {
        no_files()
    }
    /// Remembers a map, in place of the one for the same header.
    async fn put_import_map(
        &self,
        _row: &ImportMap,
        _events: &[NewEvent],
    ) -> Result<(), StoreError> {
        no_files()
    }
    /// Forgets a map.
    async fn drop_import_map(
        &self,
        _id: ImportMapId,
        _events: &[NewEvent],
    ) -> Result<(), StoreError> {
        no_files()
    }

    /// Debtor files of a portfolio that have the same document, by person after `after`.
    async fn duplicates(
        &self,
        _portfolio: PortfolioId,
        _after: Option<PersonId>,
        _limit: u32,
    ) -> Result<Vec<Duplicates>, StoreError> {
        no_files()
    }
    /// Takes `gone_id` into `kept_id`: debts, parties, points, consents, preferences, holds, promises and
    /// payments move and are listed in the row that comes back; attempts and verdicts stay where they
    /// were made. `Conflict` when one of them is being called, they are not of one portfolio and
    /// person, or one was merged before.
    async fn merge_debtors(&self, _row: &Merge, _events: &[NewEvent]) -> Result<Merge, StoreError> {
        no_files()
    }
    /// Takes a merge apart: what moved goes back, what came since stays with the kept file.
    async fn undo_merge(
        &self,
        _id: MergeId,
        _by: &str,
        _now: UtcMs,
        _events: &[NewEvent],
    ) -> Result<Merge, StoreError> {
        no_files()
    }
    /// One merge.
    async fn get_merge(&self, _id: MergeId) -> Result<Merge, StoreError> {
        no_files()
    }
    /// Merges in which a debtor file took part, newest first.
    async fn merges_of(&self, _debtor: DebtorId) -> Result<Vec<Merge>, StoreError> {
        no_files()
    }

    /// Inserts or replaces a placement.
    async fn put_placement(
        &self,
        _row: &Placement,
        _events: &[NewEvent],
    ) -> Result<(), StoreError> {
        no_files()
    }
    /// One placement.
    async fn get_placement(&self, _id: PlacementId) -> Result<Placement, StoreError> {
        no_files()
    }
    /// Placements, newest first.
    async fn placements_page(
        &self,
        _client: Option<ClientId>,
        _portfolio: Option<PortfolioId>,
        _page: &PageRequest,
    ) -> Result<Page<Placement>, StoreError> {
        no_files()
    }
    /// Placements that are not recalled and whose day of recall is `day` (`YYYY-MM-DD`) or earlier, by that
    /// day; at most `limit`.
    async fn placements_due(&self, _day: &str, _limit: u32) -> Result<Vec<Placement>, StoreError> {
        Ok(Vec::new())
    }
    /// What a placement holds.
    async fn placement_count(&self, _id: PlacementId) -> Result<PlacementCount, StoreError> {
        no_files()
    }
    /// Recalls open debts of a placement, at most [`IMPORT_STEP`]; how many.
    async fn recall_placement(&self, _id: PlacementId, _at: UtcMs) -> Result<u64, StoreError> {
        no_files()
    }
}
