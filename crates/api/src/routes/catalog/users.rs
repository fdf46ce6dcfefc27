//! Users: logins.

use crate::auth::{Caller, check_new_password, end_all_of, generate_password};
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Role, User};
use domain::ids::{ClientId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "people",
    "/users",
    "/users/{id}",
    User,
    User,
    UserId,
    list_users,
    get_user
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A new login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Lower case, unique, 3 to 64 characters.
    username: String,
    display_name: String,
    #[schema(value_type = doc::Role)]
    role: Role,
    /// Client whose rows he sees; needed for role `client`.
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
    /// Made up when absent.
    password: Option<String>,
}

/// A login as it is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserBody {
    display_name: String,
    #[schema(value_type = doc::Role)]
    role: Role,
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
    active: bool,
    /// A new password; the present one stays when absent.
    password: Option<String>,
    /// Takes the second factor away.
    reset_totp: Option<bool>,
}

/// A new login with its password.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeUser {
    #[schema(value_type = doc::User)]
    user: User,
    /// Shown this once.
    password: String,
}

async fn check_scope(
    state: &ApiState,
    caller: &Caller,
    role: Role,
    client: Option<ClientId>,
) -> Result<Option<ClientId>, Problem> {
    if role == Role::Client && client.is_none() {
        return Err(Problem::invalid(
            "client_id",
            "role client needs its client",
        ));
    }
    let client = caller.narrow(client)?;
    if let Some(client) = client {
        state.client_exists(client).await?;
    }
    Ok(client)
}

/// Makes a login.
#[utoipa::path(post, path = "/users", tag = "people", request_body = NewUser,
    responses((status = 201, description = "Made", body = MadeUser)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewUser>,
) -> Result<(StatusCode, Json<MadeUser>), Problem> {
    let client_id = check_scope(&state, &caller, body.role, body.client_id).await?;
    let password = body.password.unwrap_or_else(generate_password);
    check_new_password("password", &password)?;
    let user = User {
        id: UserId(state.id()),
        username: check::handle("username", &body.username, 3, 64)?,
        display_name: check::name("display_name", &body.display_name)?,
        role: body.role,
        client_id,
        password_hash: state.hasher.hash(password.clone()).await?,
        totp_secret: None,
        active: true,
        created_at: state.now(),
    };
    let subject = format!("user:{}", user.id);
    let event = state.audit(&caller, user.client_id, subject, "user.made");
    state.store.put_user(&user, &[event]).await?;
    Ok((StatusCode::CREATED, Json(MadeUser { user, password })))
}

/// Replaces a login; another password, role, client or second factor ends its sign-ins at once.
#[utoipa::path(put, path = "/users/{id}", tag = "people", params(("id" = uuid::Uuid, Path)),
    request_body = UserBody, responses((status = 200, description = "Changed", body = doc::User)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<UserId>,
    Body(body): Body<UserBody>,
) -> Result<Json<User>, Problem> {
    let row = state.store.get_user(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    let client_id = check_scope(&state, &caller, body.role, body.client_id).await?;
    let locks_out = !body.active || body.role != row.role || client_id != row.client_id;
    if id == caller.user && locks_out {
        return Err(Problem::conflict(
            "conflict",
            "nobody may lock himself out: another admin has to do this",
        ));
    }
    let ends = locks_out || body.password.is_some() || body.reset_totp == Some(true);
    row.display_name = check::name("display_name", &body.display_name)?;
    row.role = body.role;
    row.client_id = client_id;
    row.active = body.active;
    if let Some(password) = body.password {
        check_new_password("password", &password)?;
        row.password_hash = state.hasher.hash(password).await?;
    }
    if body.reset_totp == Some(true) {
        row.totp_secret = None;
    }
    let subject = format!("user:{}", row.id);
    let event = state.audit(&caller, row.client_id, subject, "user.changed");
    state.store.put_user(&row, &[event]).await?;
    if ends {
        let keep = caller.session.filter(|_| id == caller.user);
        end_all_of(&state, id, keep).await?;
    }
    Ok(Json(row))
}
