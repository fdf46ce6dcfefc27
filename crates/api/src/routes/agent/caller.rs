//! A caller whom nobody knew: the agent who has him finds his file and says so.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::list::Items;
use crate::problem::Problem;
use crate::routes::debtors::{DebtorLine, NEEDLE_MAX, lines};
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use center::AttachAsk;
use domain::ids::{AttemptId, DebtorId};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(find))
        .routes(routes!(attach))
}

/// What the caller says of himself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallerNeedle {
    /// Reference, document or E.164 phone, exactly, or the beginning of the name, 3 characters or more.
    q: String,
}

/// Who the caller is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallerIs {
    /// A debtor of the call's client.
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// The number he calls from becomes one of his, with his consent; else nothing is kept of it.
    keep_number: bool,
}

/// Debtors of the call's client by what an unknown caller says, at most 20. Who looked is in the audit log.
#[utoipa::path(post, path = "/attempts/{id}/caller/search", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = CallerNeedle,
    responses((status = 200, description = "Who it may be", body = Items<DebtorLine>), (status = 409, body = doc::Problem)))]
async fn find(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<CallerNeedle>,
) -> Result<Json<Items<DebtorLine>>, Problem> {
    let agent = caller.agent()?;
    let needle = body.q.trim().to_owned();
    if needle.is_empty() || needle.chars().count() > NEEDLE_MAX {
        let detail = format!("expected 1 to {NEEDLE_MAX} characters");
        return Err(Problem::invalid("q", detail));
    }
    let found = state.center.find_caller(agent, attempt, needle).await?;
    let items = lines(&state, found).await?;
    Ok(Json(Items {
        items,
        next_cursor: None,
    }))
}

/// Says who an unknown caller is: the call is that debtor's from then on. The card comes with the gate;
/// identity is still to be proved.
#[utoipa::path(post, path = "/attempts/{id}/caller", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = CallerIs,
    responses((status = 200, description = "The card, as in `/ws/schema.json`", body = Value),
        (status = 403, description = "The law lets nobody talk with that debtor now", body = doc::Problem),
        (status = 409, body = doc::Problem)))]
async fn attach(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<CallerIs>,
) -> Result<Json<Value>, Problem> {
    let ask = AttachAsk {
        debtor: body.debtor_id,
        keep_number: body.keep_number,
    };
    let card = state
        .center
        .attach_caller(caller.agent()?, attempt, ask)
        .await?;
    Ok(Json(card))
}
