//! The floor: agreed call-backs, caller ids that rest, who works whom, the morning list, templates.

mod assignments;
mod callbacks;
mod callers;
mod file_tasks;
mod morning;
mod review;
mod templates;

pub(crate) use callbacks::members;
pub(crate) use templates::template_params;

use crate::ApiState;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(callbacks::routes())
        .merge(callers::routes())
        .merge(assignments::routes())
        .merge(morning::routes())
        .merge(file_tasks::routes())
        .merge(review::routes())
        .merge(templates::routes())
}
