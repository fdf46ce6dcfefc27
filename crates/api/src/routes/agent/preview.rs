//! Dialing by hand and out of a preview.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::CenterError;
use domain::entity::{CheckPoint, Verdict};
use domain::ids::{AttemptId, DebtorId, PointId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Newest verdicts among which the one just stored is looked for.
const VERDICTS_SEEN: u32 = 10;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(dial))
        .routes(routes!(skip))
        .routes(routes!(by_hand))
}

/// Dials the previewed debtor.
#[utoipa::path(post, path = "/preview/{id}/dial", tag = "agent", params(("id" = uuid::Uuid, Path, description = "`item` of the preview")),
    responses((status = 204, description = "Dialed"), (status = 409, body = doc::Problem)))]
async fn dial(
    State(state): State<ApiState>,
    caller: Caller,
    Id(item): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    state.center.preview_dial(caller.agent()?, item).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Skips the previewed debtor, where the campaign allows it.
#[utoipa::path(post, path = "/preview/{id}/skip", tag = "agent", params(("id" = uuid::Uuid, Path, description = "`item` of the preview")),
    responses((status = 204, description = "Skipped"), (status = 409, body = doc::Problem)))]
async fn skip(
    State(state): State<ApiState>,
    caller: Caller,
    Id(item): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    state.center.preview_skip(caller.agent()?, item).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DialBody {
    /// Which of the debtor's phones.
    #[schema(value_type = uuid::Uuid)]
    point_id: PointId,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DialReply {
    #[schema(value_type = doc::Verdict)]
    verdict: Verdict,
}

/// The law refused: the verdict goes with the problem.
fn refused(verdict: &Verdict) -> Problem {
    let (es, en) = verdict
        .reason()
        .unwrap_or(("la ley no lo permite", "the law refuses"));
    Problem::conflict("refused", en)
        .with("reason", json!({"es": es, "en": en}))
        .with("verdict", json!(verdict))
}

/// The problem of a refusal by the engine; it has stored the verdict.
async fn problem_of(state: &ApiState, debtor: DebtorId, error: CenterError) -> Problem {
    if let CenterError::Blocked { .. } = error
        && let Ok(newest) = state.store.verdicts_of(debtor, VERDICTS_SEEN).await
        && let Some(verdict) = newest
            .iter()
            .find(|v| v.check_point == CheckPoint::Manual && !v.decision.permits(true))
    {
        return refused(verdict);
    }
    error.into()
}

/// Dials a debtor by hand; the law is asked as for any other call.
#[utoipa::path(post, path = "/debtors/{id}/dial", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = DialBody,
    responses((status = 202, description = "Dialing", body = DialReply), (status = 409, body = doc::Problem)))]
async fn by_hand(
    State(state): State<ApiState>,
    caller: Caller,
    Id(debtor): Id<DebtorId>,
    Body(body): Body<DialBody>,
) -> Result<(StatusCode, Json<DialReply>), Problem> {
    let agent = caller.agent()?;
    state.own_debtor(&caller, debtor).await?;
    let asked = state.center.dial_manual(agent, debtor, body.point_id).await;
    let verdict = match asked {
        Ok(verdict) => verdict,
        Err(error) => return Err(problem_of(&state, debtor, error).await),
    };
    // The agent himself is on the line: one is reserved.
    if !verdict.decision.permits(true) {
        return Err(refused(&verdict));
    }
    Ok((StatusCode::ACCEPTED, Json(DialReply { verdict })))
}
