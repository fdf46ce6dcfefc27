//! An import as the API shows it.

use super::imports::{Fault, Report};
use crate::ApiState;
use domain::entity::Import;
use domain::ids::{ClientId, ImportId, PlacementId, PortfolioId};
use domain::time::UtcMs;
use serde::Serialize;
use utoipa::ToSchema;

/// A file on its way in.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportView {
    #[schema(value_type = uuid::Uuid)]
    id: ImportId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = uuid::Uuid)]
    portfolio_id: PortfolioId,
    /// `portfolio` or `consents`: what it is about.
    kind: String,
    file_name: String,
    /// `reading`, `ready`, `accepting`, `accepted`, `undoing`, `undone`, `discarded`.
    state: String,
    /// `keep` or `recall`: what happens to debts that the file does not name.
    gone: String,
    #[schema(value_type = String)]
    at: UtcMs,
    #[schema(value_type = Option<String>)]
    accepted_at: Option<UtcMs>,
    #[schema(value_type = Option<String>)]
    undone_at: Option<UtcMs>,
    /// Last line that was written.
    rows_done: i64,
    /// What it would change.
    difference: Report,
    /// What it did change.
    report: Report,
    /// The first 200 refused rows. Of a file that could not be read at all: why, on row 0.
    faults: Vec<Fault>,
    /// The column map it is read by, JSON; null when all was detected.
    map: serde_json::Value,
    /// Size of the file, bytes; 0 until all of it is kept.
    bytes: i64,
    #[schema(value_type = Option<uuid::Uuid>)]
    placement_id: Option<PlacementId>,
    /// Rows read so far while it is worked on here; null when it is not: what is `reading` or
    /// `accepting` then broke off, and goes on when it is asked to again.
    progress: Option<u64>,
}

impl ImportView {
    pub(super) fn of(state: &ApiState, row: Import) -> Self {
        Self {
            progress: state.import_work.progress(row.id),
            id: row.id,
            client_id: row.client_id,
            portfolio_id: row.portfolio_id,
            kind: row.kind.to_string(),
            file_name: row.file_name,
            state: row.state.to_string(),
            gone: row.gone.to_string(),
            at: row.at,
            accepted_at: row.accepted_at,
            undone_at: row.undone_at,
            rows_done: row.rows_done,
            difference: row.difference.into(),
            report: row.report.into(),
            faults: row.faults.iter().map(Fault::from).collect(),
            map: row.map,
            bytes: row.bytes,
            placement_id: row.placement_id,
        }
    }
}
