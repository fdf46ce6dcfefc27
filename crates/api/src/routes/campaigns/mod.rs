//! Campaigns, segments, imports and rule packs. A route that streams its body adds
//! `axum::extract::DefaultBodyLimit::disable()`; the router exempts `/api/v1/imports*` from
//! idempotency and from the time-out.

mod at_once;
mod callers;
mod campaign;
mod choices;
mod days;
mod detect;
mod drafts;
mod import_view;
mod imports;
mod load_law;
mod maps;
mod outdated;
mod params;
mod placements;
mod resume;
mod rulepacks;
mod run;
mod segment_fields;
mod segments;
mod turns;
mod upload;
mod versions;
mod voicemails;
mod what_if;
mod why_not;

pub(crate) use choices::codes_known;
pub(crate) use params::merged;
pub use segment_fields::segment_language;

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(callers::routes())
        .merge(campaign::routes())
        .merge(run::routes())
        .merge(segments::routes())
        .merge(segment_fields::routes())
        .merge(imports::routes())
        .merge(detect::routes())
        .merge(drafts::routes())
        .merge(maps::routes())
        .merge(placements::routes())
        .merge(rulepacks::routes())
        .merge(load_law::routes())
        .merge(what_if::routes())
        .merge(why_not::routes())
        .merge(versions::routes())
        .merge(voicemails::routes())
}
