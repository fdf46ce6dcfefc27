//! The routes under `/api/v1`, one folder an area of the README's §2.

mod agent;
pub(crate) mod campaigns;
pub(crate) mod catalog;
pub(crate) mod debtors;
mod floor;
pub(crate) mod history;
mod messages;
mod money;
pub(crate) mod plans;
mod reports;

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Everything under `/api/v1` but sign-in; paths are relative to it.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(agent::routes())
        .merge(campaigns::routes())
        .merge(catalog::routes())
        .merge(debtors::routes())
        .merge(floor::routes())
        .merge(history::routes())
        .merge(money::routes())
        .merge(messages::routes())
        .merge(plans::routes())
        .merge(reports::routes())
}
