//! Contact points: the phones of a debtor.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Channel, ContactPoint, PartyRole, PointClass};
use domain::ids::{ClientId, DebtorId, PointId};
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/points",
    "/points/{id}",
    ContactPoint,
    ContactPoint,
    PointId,
    list_points,
    get_point
);

/// Confidence of a number that a person just told, percent.
const TOLD_CONFIDENCE: i32 = 70;
/// Last place in the order of a debtor's points.
const POSITION_MAX: i32 = 99;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A new phone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPoint {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = doc::Phone)]
    value: String,
    /// `other` when absent.
    #[schema(value_type = Option<doc::PointClass>)]
    class: Option<PointClass>,
    /// Who answers there; `titular` when absent.
    #[schema(value_type = Option<doc::PartyRole>)]
    role: Option<PartyRole>,
    /// Whether the debtor authorised calls to it; false when absent.
    authorised: Option<bool>,
    /// Whether the debtor gave it; false when absent.
    given_by_debtor: Option<bool>,
    /// 0 first.
    position: Option<i32>,
}

/// A phone as it is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PointBody {
    #[schema(value_type = doc::Phone)]
    value: String,
    #[schema(value_type = doc::PointClass)]
    class: PointClass,
    #[schema(value_type = doc::PartyRole)]
    role: PartyRole,
    authorised: bool,
    given_by_debtor: bool,
    position: i32,
    /// Never to be tried again.
    bad: bool,
    /// 0–100.
    confidence: i32,
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    client: ClientId,
    row: ContactPoint,
    action: &str,
) -> Result<ContactPoint, Problem> {
    let filter = ListFilter {
        debtor_id: Some(row.debtor_id),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let others = state.store.list_points(&filter, &page).await?.items;
    if others
        .iter()
        .any(|p| p.id != row.id && p.value == row.value)
    {
        return Err(Problem::conflict(
            "conflict",
            "the debtor has this number already",
        ));
    }
    let subject = format!("point:{}", row.id);
    let event = state.audit(caller, Some(client), subject, action);
    state.store.put_point(&row, &[event]).await?;
    state.center.debtor_changed(row.debtor_id).await;
    Ok(row)
}

/// Adds a phone.
#[utoipa::path(post, path = "/points", tag = "catalog", request_body = NewPoint,
    responses((status = 201, description = "Made", body = doc::ContactPoint)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewPoint>,
) -> Result<(StatusCode, Json<ContactPoint>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    let given = body.given_by_debtor.unwrap_or(false);
    let phone = check::phone("value", &body.value)?;
    let row = ContactPoint {
        id: PointId(state.id()),
        debtor_id: debtor.id,
        role: body.role.unwrap_or(PartyRole::Titular),
        channel: Channel::Call,
        value: phone.e164().into(),
        class: body.class.unwrap_or(PointClass::Other),
        source: if given { "debtor" } else { "agent" }.to_owned(),
        given_by_debtor: given,
        authorised: body.authorised.unwrap_or(false),
        confidence: TOLD_CONFIDENCE,
        position: check::range("position", body.position.unwrap_or(0), 0, POSITION_MAX)?,
        bad: false,
        last_rpc_at: None,
        added_at: state.now(),
    };
    let row = save(&state, &caller, debtor.client_id, row, "point.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a phone.
#[utoipa::path(put, path = "/points/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = PointBody, responses((status = 200, description = "Changed", body = doc::ContactPoint)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PointId>,
    Body(body): Body<PointBody>,
) -> Result<Json<ContactPoint>, Problem> {
    let row = state.store.get_point(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    let debtor = state.store.get_debtor(row.debtor_id).await?;
    let phone = check::phone("value", &body.value)?;
    if row.value.reveal() != phone.e164() {
        // Another number: nobody has confirmed it yet, and it is as old as this change.
        row.added_at = state.now();
        row.last_rpc_at = None;
    }
    row.value = phone.e164().into();
    row.class = body.class;
    row.role = body.role;
    row.authorised = body.authorised;
    row.given_by_debtor = body.given_by_debtor;
    row.position = check::range("position", body.position, 0, POSITION_MAX)?;
    row.bad = body.bad;
    row.confidence = check::range("confidence", body.confidence, 0, 100)?;
    let row = save(&state, &caller, debtor.client_id, row, "point.changed").await?;
    Ok(Json(row))
}
