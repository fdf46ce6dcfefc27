//! The evidence of a debtor as one archive.

use crate::auth::Caller;
use crate::evidence::{Ask, EvidenceError, archive};
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::state::AUDIT_KIND;
use crate::{ApiState, tenant};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::entity::Complaint;
use domain::ids::DebtorId;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(evidence))
}

/// Query of the archive.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EvidenceQuery {
    /// Leaves the sound of recordings out; their hashes stay.
    #[serde(default)]
    without_sound: bool,
}

/// One archive: attempts with their decisions and the numbers shown, consents, preferences, holds,
/// listings, recordings with hashes, ledger, audit rows, and a readable page. Written to the audit.
#[utoipa::path(get, path = "/debtors/{id}/evidence", tag = "debtors",
    params(("id" = uuid::Uuid, Path), EvidenceQuery),
    responses((status = 200, description = "A ZIP archive", body = Vec<u8>, content_type = "application/zip")))]
async fn evidence(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
    Params(query): Params<EvidenceQuery>,
) -> Result<Response, Problem> {
    build(&state, &caller, id, None, !query.without_sound).await
}

/// The archive of a debtor with a complaint in front.
pub(crate) async fn evidence_of(
    state: &ApiState,
    caller: &Caller,
    debtor: DebtorId,
    complaint: Option<Complaint>,
) -> Result<Response, Problem> {
    build(state, caller, debtor, complaint, true).await
}

async fn build(
    state: &ApiState,
    caller: &Caller,
    id: DebtorId,
    complaint: Option<Complaint>,
    sound: bool,
) -> Result<Response, Problem> {
    let debtor = state.store.get_debtor(id).await?;
    let debtor = tenant::seen(state, caller, debtor).await?;
    let _turn = state
        .streams
        .try_acquire()
        .map_err(|_| Problem::unavailable("too many streams are open"))?;
    let event = state.event(
        caller.actor(),
        Some(debtor.client_id),
        AUDIT_KIND,
        format!("debtor:{id}"),
        json!({"action": "evidence.exported", "complaint": complaint.as_ref().map(|c| c.id)}),
    );
    state.store.append_events(&[event]).await?;
    let ask = Ask {
        store: &*state.store,
        sound: sound.then_some(&*state.blob),
        debtor: id,
        complaint,
        now: state.now(),
        made_by: caller.actor(),
    };
    let bytes = archive(&ask).await.map_err(|error| match error {
        EvidenceError::Store(error) => error.into(),
        EvidenceError::TooLarge(_) => Problem::new(
            StatusCode::CONFLICT,
            "evidence_too_large",
            error.to_string(),
        ),
        EvidenceError::Write(_) => Problem::internal(),
    })?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/zip"),
    );
    let name = format!("attachment; filename=\"evidence-{id}.zip\"");
    let name = HeaderValue::from_str(&name).map_err(|_| Problem::internal())?;
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
