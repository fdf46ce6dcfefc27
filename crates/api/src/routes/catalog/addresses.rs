//! Postal addresses of a debtor; they are listed in his file.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::Address;
use domain::ids::{AddressId, DebtorId};
use domain::pii::Pii;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest line of an address, characters.
const LINE_MAX: usize = 200;
/// Longest postal code, characters.
const POSTCODE_MAX: usize = 20;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(replace))
}

/// An address as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressBody {
    /// Street, number and what else stands on the first lines.
    street: String,
    city: String,
    /// State, province or department; may be empty.
    #[serde(default)]
    region: String,
    /// May be empty.
    #[serde(default)]
    postcode: String,
    /// ISO 3166 alpha-2.
    country: String,
    /// IANA zone there; counts as one of the debtor's.
    zone: Option<String>,
    /// Proved wrong: no letter goes there, and its zone counts no more.
    #[serde(default)]
    bad: bool,
}

/// A new address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAddress {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// Who told it: `agent` or `debtor`.
    source: String,
    address: AddressBody,
}

fn maybe(path: &str, value: &str, max: usize) -> Result<String, Problem> {
    match value.trim() {
        "" => Ok(String::new()),
        text => check::text(path, text, max),
    }
}

impl AddressBody {
    fn into_row(self, row: &mut Address, at: &str) -> Result<(), Problem> {
        let path = |field: &str| format!("{at}{field}");
        row.street = Pii(check::text(&path("street"), &self.street, LINE_MAX)?);
        row.city = check::text(&path("city"), &self.city, LINE_MAX)?;
        row.region = maybe(&path("region"), &self.region, LINE_MAX)?;
        row.postcode = maybe(&path("postcode"), &self.postcode, POSTCODE_MAX)?;
        row.country = check::country(&path("country"), &self.country)?;
        let zone = self.zone.filter(|zone| !zone.is_empty());
        row.zone = zone
            .map(|zone| check::zone(&path("zone"), &zone))
            .transpose()?;
        row.bad = self.bad;
        Ok(())
    }
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: Address,
    action: &str,
) -> Result<Address, Problem> {
    let subject = format!("address:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_address(&row, &[event]).await?;
    state.center.debtor_changed(row.debtor_id).await;
    Ok(row)
}

/// Adds an address to a debtor.
#[utoipa::path(post, path = "/addresses", tag = "catalog", request_body = NewAddress,
    responses((status = 201, description = "Made", body = doc::Address)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewAddress>,
) -> Result<(StatusCode, Json<Address>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    if !["agent", "debtor"].contains(&body.source.as_str()) {
        return Err(Problem::invalid("source", "expected agent or debtor"));
    }
    let now = state.now();
    let mut row = Address {
        id: AddressId(state.id()),
        client_id: debtor.client_id,
        debtor_id: debtor.id,
        street: Pii(String::new()),
        city: String::new(),
        region: String::new(),
        postcode: String::new(),
        country: String::new(),
        zone: None,
        source: body.source,
        bad: false,
        added_at: now,
        confirmed_at: now,
    };
    body.address.into_row(&mut row, "address.")?;
    let row = save(&state, &caller, row, "address.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces an address; written again as it is, it is confirmed.
#[utoipa::path(put, path = "/addresses/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = AddressBody, responses((status = 200, description = "Changed", body = doc::Address)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AddressId>,
    Body(body): Body<AddressBody>,
) -> Result<Json<Address>, Problem> {
    let row = state.store.get_address(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    body.into_row(&mut row, "")?;
    row.confirmed_at = state.now();
    Ok(Json(save(&state, &caller, row, "address.changed").await?))
}
