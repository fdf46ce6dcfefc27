//! Consents: who allowed what channel and purpose, with proof.

use crate::auth::Caller;
use crate::extract::{Body, Id, Why, WhyBody};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Channel, Consent};
use domain::ids::{ConsentId, DebtorId};
use domain::rules::consents::PURPOSES;
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/consents",
    "/consents/{id}",
    Consent,
    Consent,
    ConsentId,
    list_consents,
    get_consent
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(revoke))
}

/// A new consent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConsent {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = doc::Channel)]
    channel: Channel,
    /// `contact`, `call_within_7_days`, `prerecorded`, `wider_hours`, `information_request`, `number_check`,
    /// `validation_notice`, `recording`.
    purpose: String,
    /// Reference to a document or recording.
    proof: String,
    #[schema(value_type = Option<doc::Instant>)]
    until: Option<UtcMs>,
}

/// Records a consent, given now.
#[utoipa::path(post, path = "/consents", tag = "catalog", request_body = NewConsent,
    responses((status = 201, description = "Made", body = doc::Consent)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewConsent>,
) -> Result<(StatusCode, Json<Consent>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    let now = state.now();
    if !PURPOSES.contains(&body.purpose.as_str()) {
        let reason = format!("expected one of {}", PURPOSES.join(", "));
        return Err(Problem::invalid("purpose", reason));
    }
    if body.until.is_some_and(|until| until <= now) {
        return Err(Problem::invalid("until", "expected an instant to come"));
    }
    let row = Consent {
        id: ConsentId(state.id()),
        debtor_id: debtor.id,
        channel: body.channel,
        purpose: body.purpose,
        granted_at: now,
        until: body.until,
        revoked_at: None,
        proof: check::text("proof", &body.proof, check::TEXT_MAX)?,
        revoke_proof: None,
    };
    let subject = format!("consent:{}", row.id);
    let event = state.audit(&caller, Some(debtor.client_id), subject, "consent.made");
    state.store.put_consent(&row, &[event]).await?;
    state.center.debtor_changed(row.debtor_id).await;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Revokes a consent, at once; a repeat changes nothing.
#[utoipa::path(post, path = "/consents/{id}/revoke", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = Option<WhyBody>,
    responses((status = 200, description = "Revoked", body = doc::Consent)))]
async fn revoke(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ConsentId>,
    Why(why): Why,
) -> Result<Json<Consent>, Problem> {
    let row = state.store.get_consent(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if row.revoked_at.is_none() {
        row.revoked_at = Some(state.now());
        let client = state.store.get_debtor(row.debtor_id).await?.client_id;
        let subject = format!("consent:{}", row.id);
        let event = state.audit_why(&caller, Some(client), subject, "consent.revoked", why);
        state.store.put_consent(&row, &[event]).await?;
        state.center.debtor_changed(row.debtor_id).await;
    }
    Ok(Json(row))
}
