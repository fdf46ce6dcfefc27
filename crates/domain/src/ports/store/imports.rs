//! Files on their way in: kept in pieces, shown as a difference, accepted, taken back.

use super::{PortfolioStore, StoreError};
use crate::entity::Import;
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtId, ImportId, PortfolioId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Most rows of one step of an undo or a recall.
pub const IMPORT_STEP: u32 = 500;

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

/// Why a store that keeps no files refuses.
fn no_files<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable(
        "files are kept by a database alone".into(),
    ))
}

/// Files of portfolios. Stores without a disk (simulation) keep none and say so.
#[async_trait]
pub trait ImportStore: PortfolioStore {
    /// Inserts or replaces a file's row.
    async fn put_import(&self, _row: &Import, _events: &[NewEvent]) -> Result<(), StoreError> {
        no_files()
    }
    /// One file.
    async fn get_import(&self, _id: ImportId) -> Result<Import, StoreError> {
        no_files()
    }
    /// The newest files of a client, or of all; at most 200.
    async fn list_imports(&self, _client: Option<ClientId>) -> Result<Vec<Import>, StoreError> {
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
}
