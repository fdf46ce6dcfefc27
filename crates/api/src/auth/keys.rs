//! API keys of programmes: scoped, shown once, revocable.

use super::guard::{Caller, KEY_PREFIX};
use crate::extract::{Body, Id};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::entity::Role;
use domain::ids::{ApiKeyId, ClientId};
use domain::ports::store::ApiKey;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest name, characters.
const NAME_MAX: usize = 80;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// What it is for.
    name: String,
    /// Role it acts with; not `agent`, who has a screen.
    #[schema(value_type = doc::Role)]
    role: Role,
    /// Client it is limited to; needed for role `client`.
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MadeKey {
    /// The key; it is shown this once.
    key: String,
    #[schema(value_type = doc::ApiKey)]
    api_key: ApiKey,
}

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// All keys, revoked ones too.
#[utoipa::path(get, path = "/api-keys", tag = "sign-in", responses((status = 200, body = Items<doc::ApiKey>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
) -> Result<Json<Items<ApiKey>>, Problem> {
    let mut keys = state.store.list_api_keys().await?;
    keys.retain(|k| caller.client.is_none() || k.client_id == caller.client);
    Ok(Json(Items::all(keys)))
}

/// Makes a key.
#[utoipa::path(post, path = "/api-keys", tag = "sign-in", request_body = NewKey,
    responses((status = 201, body = MadeKey), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewKey>,
) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    if body.name.trim().is_empty() || body.name.chars().count() > NAME_MAX {
        return Err(Problem::invalid("name", "expected 1 to 80 characters"));
    }
    if body.role == Role::Agent {
        return Err(Problem::invalid("role", "an agent signs in himself"));
    }
    if body.role == Role::Client && body.client_id.is_none() {
        return Err(Problem::invalid(
            "client_id",
            "role client needs its client",
        ));
    }
    let client_id = caller.narrow(body.client_id)?;
    if let Some(client) = client_id {
        state.store.get_client(client).await?;
    }
    let secret: [u8; 32] = rand::random();
    let key = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    let api_key = ApiKey {
        id: ApiKeyId(state.id()),
        user_id: caller.user,
        name: body.name,
        role: body.role,
        client_id,
        key_hash: hex::encode(Sha256::digest(key.as_bytes())),
        created_at: state.now(),
        revoked_at: None,
    };
    state.store.put_api_key(&api_key).await?;
    note(&state, &caller, &api_key, "api_key.made").await?;
    Ok((StatusCode::CREATED, Json(MadeKey { key, api_key })))
}

async fn note(
    state: &ApiState,
    caller: &Caller,
    key: &ApiKey,
    action: &str,
) -> Result<(), Problem> {
    let event = state.event(
        caller.actor(),
        key.client_id,
        "audit.written",
        format!("api_key:{}", key.id),
        json!({"action": action, "role": key.role}),
    );
    state.store.append_events(&[event]).await?;
    Ok(())
}

/// Revokes a key, at once.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "sign-in", params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 404, body = doc::Problem)))]
async fn revoke(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    let keys = state.store.list_api_keys().await?;
    let mut key = keys
        .into_iter()
        .find(|k| k.id == id && (caller.client.is_none() || k.client_id == caller.client))
        .ok_or_else(|| Problem::not_found("API key"))?;
    if key.revoked_at.is_none() {
        key.revoked_at = Some(state.now());
        state.store.put_api_key(&key).await?;
        note(&state, &caller, &key, "api_key.revoked").await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
