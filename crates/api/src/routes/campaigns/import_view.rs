//! An import as the API shows it.

use super::imports::{Fault, Report};
use crate::ApiState;
use crate::problem::Problem;
use domain::entity::{Import, ImportState};
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
    /// Rows read so far while it is worked on here; null when it is not.
    progress: Option<u64>,
    /// Of a file that is `reading`, `accepting` or `undoing` and that nobody works on, here or elsewhere: how far it
    /// came. Servers go on with such a file by themselves, three times each; it also goes on when it is asked to.
    broke_off: Option<BrokeOff>,
}

/// How far a file came whose work broke off.
#[derive(Serialize, ToSchema)]
pub(crate) struct BrokeOff {
    /// Last line of it that is in the database.
    rows_done: i64,
    /// Rows that change what others see and wait until the whole is in.
    waiting: u64,
    /// Debtors of whom others see already what the file changes: more than 5,000 changed rows are not written in
    /// one piece. 0: nobody sees anything of it.
    shown: u64,
    /// What may be done with it: `accept`, `read`, `undo`, `discard`.
    next: Vec<&'static str>,
}

/// How far a file came, when it is half in and nobody works on it.
async fn broke_off(state: &ApiState, row: &Import) -> Result<Option<BrokeOff>, Problem> {
    let next = match row.state {
        ImportState::Reading if row.bytes > 0 => vec!["read", "discard"],
        ImportState::Reading => vec!["discard"],
        ImportState::Accepting => vec!["accept", "undo"],
        ImportState::Undoing => vec!["undo"],
        _ => return Ok(None),
    };
    if state.import_work.progress(row.id).is_some() {
        return Ok(None);
    }
    let left = state.store.import_left(row.id, state.now()).await?;
    Ok((!left.at_work).then_some(BrokeOff {
        rows_done: row.rows_done,
        waiting: left.waiting,
        shown: left.shown,
        next,
    }))
}

impl ImportView {
    pub(super) async fn of(state: &ApiState, row: Import) -> Result<Self, Problem> {
        let broke_off = broke_off(state, &row).await?;
        Ok(Self {
            broke_off,
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
        })
    }
}
