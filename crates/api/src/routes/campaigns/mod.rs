//! Campaigns, segments, imports and rule packs. A route that streams its body adds
//! `axum::extract::DefaultBodyLimit::disable()`; the router exempts `/api/v1/imports*` from
//! idempotency and from the time-out.

mod campaign;
mod detect;
mod drafts;
mod imports;
mod params;
mod rulepacks;
mod run;
mod segments;
mod upload;
mod versions;
mod what_if;
mod why_not;

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(campaign::routes())
        .merge(run::routes())
        .merge(segments::routes())
        .merge(imports::routes())
        .merge(detect::routes())
        .merge(drafts::routes())
        .merge(rulepacks::routes())
        .merge(what_if::routes())
        .merge(why_not::routes())
        .merge(versions::routes())
}
