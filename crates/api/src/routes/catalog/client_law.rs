//! What a client's contract asks beyond the law: hours, caps and gaps of its own, and the packs' harder readings.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::ids::{ClientId, UserId};
use domain::law::{ClientLaw, ContractTerms};
use domain::ports::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most versions shown.
const VERSIONS_MAX: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(read, replace))
        .routes(routes!(versions))
}

/// What the client's contract asks now.
#[utoipa::path(get, path = "/clients/{id}/law", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The layer", body = doc::ClientLaw)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
) -> Result<Json<ClientLaw>, Problem> {
    let client = state.store.get_client(id).await?;
    tenant::seen(&state, &caller, client).await?;
    Ok(Json(state.store.client_law(id).await?))
}

/// What a contract asks. It stacks on the packs and only ever makes them stricter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientLawBody {
    #[schema(value_type = doc::ContractTerms)]
    terms: ContractTerms,
    /// The version that this one follows: 0 when there was none.
    after_version: i32,
}

/// A version of what a contract asks, with who put it in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientLawVersion {
    #[serde(flatten)]
    #[schema(value_type = doc::ClientLaw)]
    law: ClientLaw,
    /// Name of that person; null where a key or the program did it.
    by: Option<String>,
}

/// Its versions, newest first, at most 100; each was in force until the next one.
#[utoipa::path(get, path = "/clients/{id}/law/versions", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Newest first", body = Items<ClientLawVersion>)))]
async fn versions(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
) -> Result<Json<Items<ClientLawVersion>>, Problem> {
    let client = state.store.get_client(id).await?;
    tenant::seen(&state, &caller, client).await?;
    let rows = state.store.client_laws_of(id, VERSIONS_MAX).await?;
    let actors: BTreeSet<&String> = rows.iter().map(|row| &row.updated_by).collect();
    let mut names = BTreeMap::new();
    for actor in actors {
        if let Some(name) = name_of(&state, actor).await? {
            names.insert(actor.clone(), name);
        }
    }
    let version = |law: ClientLaw| {
        let by = names.get(&law.updated_by).cloned();
        ClientLawVersion { law, by }
    };
    Ok(Json(Items::all(rows.into_iter().map(version).collect())))
}

/// Name of the person behind an actor.
async fn name_of(state: &ApiState, actor: &str) -> Result<Option<String>, Problem> {
    let id = actor.strip_prefix("user:");
    let Some(id) = id.and_then(|id| id.parse::<UserId>().ok()) else {
        return Ok(None);
    };
    match state.store.get_user(id).await {
        Ok(user) => Ok(Some(user.display_name)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Replaces it: every judgement from then on keeps to it, on all nodes.
#[utoipa::path(put, path = "/clients/{id}/law", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = ClientLawBody,
    responses((status = 200, description = "The layer", body = doc::ClientLaw)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
    Body(body): Body<ClientLawBody>,
) -> Result<Json<ClientLaw>, Problem> {
    let client = state.store.get_client(id).await?;
    tenant::seen(&state, &caller, client).await?;
    caller.may_write(id)?;
    let checked = body.terms.check();
    checked.map_err(|error| wrong(&error.to_string()))?;
    let row = ClientLaw {
        client_id: id,
        version: check::range("after_version", body.after_version, 0, i32::MAX - 1)? + 1,
        terms: body.terms,
        updated_at: state.now(),
        updated_by: caller.actor(),
    };
    let subject = format!("client:{id}");
    let why = Some(format!("version {}", row.version));
    let event = state.audit_why(&caller, Some(id), subject, "client_law.put", why);
    state.store.put_client_law(&row, &[event]).await?;
    Ok(Json(row))
}

/// A fault of the terms at its field: `rule pack: client: caps[0].limit: expected …`.
fn wrong(text: &str) -> Problem {
    let place = text.splitn(4, ": ").collect::<Vec<_>>();
    match place[..] {
        [_, _, field, reason] => Problem::invalid(&format!("terms.{field}"), reason),
        _ => Problem::invalid("terms", text),
    }
}
