//! Events by cursor, and the same as a stream.

use super::event_stream;
use crate::auth::Caller;
use crate::extract::Params;
use crate::list::{Items, bad_cursor, limit};
use crate::problem::Problem;
use crate::state::AUDIT_KIND;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use domain::entity::Role;
use domain::event::Event;
use domain::ports::store::PAGE_LIMIT_MAX;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most events looked through for one page: beyond it the page ends early and says where.
const LOOKED_AT_MAX: usize = 5_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Query of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Only events after this cursor; from the first one when absent.
    after: Option<String>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
}

/// Reads `after`.
pub(super) fn cursor(text: Option<&str>) -> Result<i64, Problem> {
    match text.map(str::parse::<i64>) {
        None => Ok(0),
        Some(Ok(cursor)) if cursor >= 0 => Ok(cursor),
        Some(_) => Err(bad_cursor()),
    }
}

/// Whether the caller may see an event: his client's, and the audit only by its own roles.
pub(super) fn may_see(caller: &Caller, event: &Event) -> bool {
    let his = caller.client.is_none() || event.event.client_id == caller.client;
    his && (event.event.kind != AUDIT_KIND || caller.role == Role::Admin)
}

/// Up to `rows` events after `after` that pass.
pub(super) async fn page(
    state: &ApiState,
    after: i64,
    rows: u32,
    passes: impl Fn(&Event) -> bool + Send,
) -> Result<Items<Event>, Problem> {
    let wanted = usize::try_from(rows).unwrap_or(usize::MAX);
    let (mut items, mut at, mut looked_at) = (Vec::new(), after, 0);
    loop {
        let batch = state.store.events_after(at, PAGE_LIMIT_MAX).await?;
        let whole = batch.len() < usize::try_from(PAGE_LIMIT_MAX).unwrap_or(usize::MAX);
        for event in batch {
            if items.len() == wanted {
                return Ok(Items {
                    items,
                    next_cursor: Some(at.to_string()),
                });
            }
            at = event.cursor;
            looked_at += 1;
            if passes(&event) {
                items.push(event);
            }
        }
        if whole {
            return Ok(Items::all(items));
        }
        if looked_at >= LOOKED_AT_MAX {
            return Ok(Items {
                items,
                next_cursor: Some(at.to_string()),
            });
        }
    }
}

/// Events after a cursor, oldest first; with `Accept: text/event-stream` as server-sent events that
/// go on as things happen (`id` = cursor, `event` = kind; resumes by `Last-Event-ID`).
#[utoipa::path(get, path = "/events", tag = "history",
    params(EventQuery, ("Last-Event-ID" = Option<String>, Header, description = "Cursor to go on from")),
    responses((status = 200, description = "A page, or the stream", body = Items<doc::Event>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<EventQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let after = cursor(query.after.as_deref())?;
    let streams = text(header::ACCEPT).is_some_and(|v| v.contains("text/event-stream"));
    if streams {
        let after = match text(event_stream::LAST_ID) {
            Some(last) => cursor(Some(last))?,
            None => after,
        };
        return event_stream::open(state, caller, after);
    }
    let rows = limit(query.limit)?;
    let page = page(&state, after, rows, |event| may_see(&caller, event)).await?;
    Ok(Json(page).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors() {
        assert_eq!(cursor(None).ok(), Some(0));
        assert_eq!(cursor(Some("17")).ok(), Some(17));
        for bad in ["", "-1", "x", "99999999999999999999"] {
            assert_eq!(
                cursor(Some(bad)).map_err(|p| p.code()),
                Err("bad_cursor"),
                "{bad}"
            );
        }
    }
}
