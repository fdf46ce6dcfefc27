//! Commands of agents and supervisors on agents and calls: every route of README §2 "Agent",
//! dispositions among them.

mod caller;
mod calls;
mod dispose;
mod dispositions;
mod monitor;
mod preview;
mod states;
mod transfer;

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(states::routes())
        .merge(calls::routes())
        .merge(caller::routes())
        .merge(dispose::routes())
        .merge(monitor::routes())
        .merge(preview::routes())
        .merge(dispositions::routes())
        .merge(transfer::routes())
}
