//! Clients: the creditors.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::Client;
use domain::ids::ClientId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/clients",
    "/clients/{id}",
    Client,
    Client,
    ClientId,
    list_clients,
    get_client
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A client as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientBody {
    /// 1 to 120 characters.
    name: String,
    /// Number that debtors may call back.
    #[schema(value_type = doc::Phone)]
    callback_number: String,
}

impl ClientBody {
    fn into_row(self, row: &mut Client) -> Result<(), Problem> {
        row.name = check::name("name", &self.name)?;
        let phone = check::phone("callback_number", &self.callback_number)?;
        row.callback_number = phone.e164().to_owned();
        Ok(())
    }
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: Client,
    action: &str,
) -> Result<Client, Problem> {
    let subject = format!("client:{}", row.id);
    let event = state.audit(caller, Some(row.id), subject, action);
    state.store.put_client(&row, &[event]).await?;
    Ok(row)
}

/// Makes a client.
#[utoipa::path(post, path = "/clients", tag = "catalog", request_body = ClientBody,
    responses((status = 201, description = "Made", body = doc::Client)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<ClientBody>,
) -> Result<(StatusCode, Json<Client>), Problem> {
    caller.of_the_house()?;
    let mut row = Client {
        id: ClientId(state.id()),
        name: String::new(),
        callback_number: String::new(),
        created_at: state.now(),
    };
    body.into_row(&mut row)?;
    let row = save(&state, &caller, row, "client.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a client.
#[utoipa::path(put, path = "/clients/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = ClientBody, responses((status = 200, description = "Changed", body = doc::Client)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
    Body(body): Body<ClientBody>,
) -> Result<Json<Client>, Problem> {
    let row = state.store.get_client(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    body.into_row(&mut row)?;
    Ok(Json(save(&state, &caller, row, "client.changed").await?))
}
