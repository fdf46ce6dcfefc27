//! The audit: who wrote, heard or exported what.

use super::events::{cursor, may_see, page};
use crate::auth::Caller;
use crate::extract::Params;
use crate::list::{Items, limit};
use crate::problem::Problem;
use crate::state::AUDIT_KIND;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use domain::event::Event;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Query of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only entries after this cursor.
    after: Option<String>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// Only entries of this actor, as `user:<id>`.
    actor: Option<String>,
}

/// Entries of the audit after a cursor, oldest first.
#[utoipa::path(get, path = "/audit", tag = "history", params(AuditQuery),
    responses((status = 200, description = "A page", body = Items<doc::Event>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<AuditQuery>,
) -> Result<Json<Items<Event>>, Problem> {
    let after = cursor(query.after.as_deref())?;
    let rows = limit(query.limit)?;
    let actor = query.actor.as_deref();
    let passes = |event: &Event| {
        event.event.kind == AUDIT_KIND
            && actor.is_none_or(|a| a == event.event.actor)
            && may_see(&caller, event)
    };
    Ok(Json(page(&state, after, rows, passes).await?))
}
