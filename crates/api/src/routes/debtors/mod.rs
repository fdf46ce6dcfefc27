//! Debtors and their money.

mod evidence;
mod file;
mod merges;
mod promises;
mod search;
mod visits;
mod why_not;

pub(crate) use evidence::evidence_of;
pub use file::{DebtorFileReply, debtor_file};
pub(super) use search::{DebtorLine, NEEDLE_MAX, lines};

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(search::routes())
        .merge(file::routes())
        .merge(merges::routes())
        .merge(evidence::routes())
        .merge(why_not::routes())
        .merge(promises::routes())
        .merge(visits::routes())
}
