//! Suppressions: numbers and documents never to be contacted.

use crate::auth::Caller;
use crate::extract::{Body, Id, Why, WhyBody};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Suppression, SuppressionKind};
use domain::ids::{ClientId, DebtorId, PersonId, SuppressionId};
use domain::ports::store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/suppressions",
    "/suppressions/{id}",
    Suppression,
    Suppression,
    SuppressionId,
    list_suppressions,
    get_suppression
);

/// Longest document, characters.
const DOCUMENT_MAX: usize = 40;
/// Longest e-mail address, characters (RFC 5321 §4.5.3.1.3).
const EMAIL_MAX: usize = 254;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(lift))
}

/// A new suppression.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSuppression {
    #[schema(value_type = doc::SuppressionKind)]
    kind: SuppressionKind,
    /// E.164 phone, e-mail address, the document as it stands in the debtor's file, or a person's id;
    /// absent with kind `person` and a `debtor_id`: the person behind that debtor.
    value: Option<String>,
    /// `optout`, `wrong_number`, `list`, `request`.
    reason: String,
    /// Client it binds; absent = the whole installation (a user with a client: his own).
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
    /// Debtor it binds; absent = all.
    #[schema(value_type = Option<uuid::Uuid>)]
    debtor_id: Option<DebtorId>,
}

/// Lists a number or document: contact stops at once.
#[utoipa::path(post, path = "/suppressions", tag = "catalog", request_body = NewSuppression,
    responses((status = 201, description = "Made", body = doc::Suppression)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewSuppression>,
) -> Result<(StatusCode, Json<Suppression>), Problem> {
    let mut client_id = caller.narrow(body.client_id)?;
    if let Some(client) = client_id {
        state.client_exists(client).await?;
    }
    let mut debtor_id = body.debtor_id;
    let mut value = body.value.clone();
    if let Some(id) = body.debtor_id {
        let debtor = state.own_debtor(&caller, id).await?;
        if body.kind == SuppressionKind::Person {
            // The person behind the debtor, over all his debtors and numbers.
            value = Some(debtor.person_id.to_string());
            debtor_id = None;
        }
        if client_id.is_some_and(|client| client != debtor.client_id) {
            return Err(Problem::invalid(
                "debtor_id",
                "expected a debtor of the client",
            ));
        }
        client_id = Some(debtor.client_id);
    }
    let value = value.ok_or_else(|| Problem::invalid("value", "expected what is listed"))?;
    let value = match body.kind {
        SuppressionKind::Phone => check::phone("value", &value)?.e164().to_owned(),
        SuppressionKind::Document => check::text("value", &value, DOCUMENT_MAX)?,
        SuppressionKind::Email => check::text("value", &value, EMAIL_MAX)?.to_lowercase(),
        SuppressionKind::Person => value
            .parse::<PersonId>()
            .map_err(|_| Problem::invalid("value", "expected a person's id, or name a debtor_id"))?
            .to_string(),
    };
    let row = Suppression {
        id: SuppressionId(state.id()),
        client_id,
        debtor_id,
        kind: body.kind,
        value: value.into(),
        reason: check::name("reason", &body.reason)?,
        created_at: state.now(),
        lifted_at: None,
    };
    state.center.suppress(caller.asks_as(), row.clone()).await?;
    let subject = format!("suppression:{}", row.id);
    let event = state.audit(&caller, row.client_id, subject, "suppression.made");
    state.store.append_events(&[event]).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Lifts a suppression; a repeat changes nothing.
#[utoipa::path(post, path = "/suppressions/{id}/lift", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = Option<WhyBody>,
    responses((status = 200, description = "Lifted", body = doc::Suppression)))]
async fn lift(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<SuppressionId>,
    Why(why): Why,
) -> Result<Json<Suppression>, Problem> {
    let row = state.store.get_suppression(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if row.lifted_at.is_none() {
        lift_all(&state, &caller, &row, why).await?;
        row.lifted_at = Some(state.now());
        if let Some(debtor) = row.debtor_id {
            state.center.debtor_changed(debtor).await;
        }
    }
    Ok(Json(row))
}

/// Lifts a listing with the other forms of its number.
async fn lift_all(
    state: &ApiState,
    caller: &Caller,
    row: &Suppression,
    why: Option<String>,
) -> Result<(), Problem> {
    for form in row.in_all_forms() {
        let mut stored = match state.store.get_suppression(form.id).await {
            Ok(stored) => stored,
            // Listed before its other forms were.
            Err(StoreError::NotFound(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        if stored.lifted_at.is_some() {
            continue;
        }
        stored.lifted_at = Some(state.now());
        let subject = format!("suppression:{}", stored.id);
        let kind = "suppression.lifted";
        let event = state.audit_why(caller, stored.client_id, subject, kind, why.clone());
        state.store.put_suppression(&stored, &[event]).await?;
    }
    Ok(())
}
