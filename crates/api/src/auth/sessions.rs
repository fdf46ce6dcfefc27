//! Sign in, refresh, sign out.

use super::guard::{Caller, Source};
use super::token::{Claims, sign};
use super::{throttle, totp};
use crate::extract::Body;
use crate::problem::Problem;
use crate::state::{SESSION_LIFE_MS, TOKEN_LIFE_MS};
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::entity::{Role, User};
use domain::ids::SessionId;
use domain::ports::store::{LoginFailures, RefreshOutcome, SessionRow};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest user name looked up, characters.
const USERNAME_MAX: usize = 64;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// Login name.
    username: String,
    /// Password.
    password: String,
    /// Code of the second factor, when one is set.
    otp: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Goes as `Authorization: Bearer`.
    token: String,
    /// End of the token.
    #[schema(value_type = doc::Instant)]
    expires_at: UtcMs,
    #[schema(value_type = doc::Role)]
    role: Role,
    /// `enrol`: the token only permits setting the second factor that the role needs.
    #[schema(example = "ok")]
    second_factor: &'static str,
    user: Person,
    agent: Option<NamedAgent>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Person {
    #[schema(value_type = uuid::Uuid)]
    id: domain::ids::UserId,
    display_name: String,
    #[schema(value_type = doc::Role)]
    role: Role,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NamedAgent {
    #[schema(value_type = uuid::Uuid)]
    id: domain::ids::AgentId,
    name: String,
}

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, sign_out))
        .routes(routes!(refresh))
}

fn cookie_name(secure: bool) -> &'static str {
    if secure {
        "__Host-marcador_refresh"
    } else {
        "marcador_refresh"
    }
}

fn cookie(state: &ApiState, value: &str, life_ms: i64) -> HeaderValue {
    let secure = state.config.secure_cookies;
    let place = if secure {
        "Path=/; Secure"
    } else {
        "Path=/api/v1/sessions"
    };
    let text = format!(
        "{}={value}; {place}; HttpOnly; SameSite=Lax; Max-Age={}",
        cookie_name(secure),
        life_ms / 1_000
    );
    HeaderValue::from_str(&text).expect("a cookie of ours is ASCII")
}

fn presented(state: &ApiState, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(state.config.secure_cookies);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// A refresh token names its family, so that a reused one can close that family's sockets.
fn fresh_refresh(session: SessionId) -> String {
    let secret: [u8; 32] = rand::random();
    format!("{session}.{}", URL_SAFE_NO_PAD.encode(secret))
}

fn refresh_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn needs_second_factor(state: &ApiState, role: Role) -> bool {
    state.config.second_factor_required
        && matches!(role, Role::Supervisor | Role::Manager | Role::Admin)
}

async fn signed_in(
    state: &ApiState,
    user: &User,
    session: SessionId,
    enrol: bool,
) -> Result<SignedIn, Problem> {
    let agent = state.store.agent_of_user(user.id).await?;
    let expires_at = state.now().plus_ms(TOKEN_LIFE_MS);
    let claims = Claims {
        sub: user.id,
        role: user.role,
        client: user.client_id,
        agent: agent.as_ref().map(|a| a.id),
        sid: session,
        enrol,
        exp: expires_at.0,
    };
    Ok(SignedIn {
        token: sign(&state.config.secrets, &claims),
        expires_at,
        role: user.role,
        second_factor: if enrol { "enrol" } else { "ok" },
        user: Person {
            id: user.id,
            display_name: user.display_name.clone(),
            role: user.role,
        },
        agent: agent.map(|a| NamedAgent {
            id: a.id,
            name: a.name,
        }),
    })
}

/// Checks name, password and second factor; every refusal looks the same.
async fn authenticate(
    state: &ApiState,
    body: SignIn,
    key: &str,
    source: IpAddr,
) -> Result<User, Problem> {
    let failures = state.store.login_failures(key).await?;
    let wait = throttle::wait_ms(failures, state.now());
    let wait = wait.max(state.guessers.wait_ms(source, state.now()));
    if wait > 0 {
        return Err(Problem::too_many_attempts(wait));
    }
    let name = body.username.to_lowercase();
    let user = state.store.user_by_name(&name).await?.filter(|u| u.active);
    let hash = user.as_ref().map(|u| u.password_hash.clone());
    let right = state.hasher.verify(hash, body.password).await?;
    let verdict = match (user, right) {
        (Some(user), true) => match (&user.totp_secret, &body.otp) {
            (Some(_), None) => {
                return Err(Problem::new(
                    StatusCode::UNAUTHORIZED,
                    "otp_required",
                    "send otp, the code of the second factor",
                ));
            }
            (Some(secret), Some(code)) => {
                totp::matching_step(secret, code, state.machine_seconds())
                    .filter(|step| state.used_otps.take(user.id, *step))
                    .map(|_| user)
            }
            (None, _) => Some(user),
        },
        _ => None,
    };
    match verdict {
        Some(user) => {
            if failures.count > 0 {
                let none = LoginFailures::default();
                state.store.set_login_failures(key, none).await?;
            }
            Ok(user)
        }
        None => {
            state.guessers.wrong(source, state.now());
            let more = throttle::one_more(failures, state.now());
            state.store.set_login_failures(key, more).await?;
            Err(Problem::bad_credentials())
        }
    }
}

/// Signs in; sets the refresh cookie.
#[utoipa::path(post, path = "/sessions", tag = "sign-in", request_body = SignIn,
    responses((status = 200, body = SignedIn), (status = 401, body = doc::Problem), (status = 429, body = doc::Problem)))]
async fn sign_in(
    State(state): State<ApiState>,
    Source(source): Source,
    Body(body): Body<SignIn>,
) -> Result<Response, Problem> {
    if body.username.chars().count() > USERNAME_MAX {
        return Err(Problem::invalid(
            "username",
            "expected at most 64 characters",
        ));
    }
    let key = throttle::key(&body.username.to_lowercase(), source);
    let turn = state.throttle.turn(&key).await;
    let user = authenticate(&state, body, &key, source).await?;
    drop(turn);
    let session = SessionId(state.id());
    if user.totp_secret.is_none() && needs_second_factor(&state, user.role) {
        let reply = signed_in(&state, &user, session, true).await?;
        return Ok(Json(reply).into_response());
    }
    let refresh = fresh_refresh(session);
    let row = SessionRow {
        id: session,
        user_id: user.id,
        refresh_hash: refresh_hash(&refresh),
        expires_at: state.now().plus_ms(SESSION_LIFE_MS),
    };
    state.store.open_session(&row, state.now()).await?;
    let reply = signed_in(&state, &user, session, false).await?;
    let event = state.event(
        format!("user:{}", user.id),
        user.client_id,
        "audit.written",
        format!("user:{}", user.id),
        json!({"action": "session.opened", "session": session}),
    );
    state.store.append_events(&[event]).await?;
    let set = cookie(&state, &refresh, SESSION_LIFE_MS);
    Ok(([(header::SET_COOKIE, set)], Json(reply)).into_response())
}

/// The family and its present refresh token, for one that is current or was replaced a moment ago.
async fn rotate(
    state: &ApiState,
    session: SessionId,
    old: &str,
    now: UtcMs,
) -> Result<(SessionRow, String), Problem> {
    let hash = refresh_hash(old);
    let _turn = state.replaced.turn(&hash).await;
    if let Some(again) = state.replaced.successor(session, &hash, now)
        && state.store.session_alive(session, now).await?
    {
        return Ok(again);
    }
    let fresh = fresh_refresh(session);
    let outcome = state
        .store
        .rotate_session(&hash, &refresh_hash(&fresh), now)
        .await?;
    match outcome {
        RefreshOutcome::Rotated(row) if row.id == session => {
            state.replaced.learn(hash, &fresh, &row, now);
            Ok((row, fresh))
        }
        RefreshOutcome::Rotated(_) | RefreshOutcome::Unknown => Err(Problem::unauthenticated()),
        RefreshOutcome::Reused => {
            tracing::warn!(%session, "refresh token reused: session family ended");
            close_family(state, session);
            Err(Problem::unauthenticated())
        }
    }
}

/// Gives the next access token and rotates the cookie.
#[utoipa::path(post, path = "/sessions/refresh", tag = "sign-in",
    responses((status = 200, body = SignedIn), (status = 401, body = doc::Problem)))]
async fn refresh(State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, Problem> {
    let old = presented(&state, &headers).ok_or_else(Problem::unauthenticated)?;
    let session = old
        .split_once('.')
        .and_then(|(id, _)| id.parse::<SessionId>().ok())
        .ok_or_else(Problem::unauthenticated)?;
    let now = state.now();
    let (row, fresh) = rotate(&state, session, &old, now).await?;
    let user = state.store.get_user(row.user_id).await?;
    let lacks_factor = user.totp_secret.is_none() && needs_second_factor(&state, user.role);
    if !user.active || lacks_factor {
        state.store.end_session(session).await?;
        close_family(&state, session);
        return Err(Problem::unauthenticated());
    }
    state.sessions.forget(session);
    let reply = signed_in(&state, &user, session, false).await?;
    let set = cookie(&state, &fresh, row.expires_at.since_ms(now));
    Ok(([(header::SET_COOKIE, set)], Json(reply)).into_response())
}

/// Forgets a family here, takes its tickets back and tells its sockets.
pub(super) fn close_family(state: &ApiState, session: SessionId) {
    state.sessions.forget(session);
    state.replaced.forget(session);
    state.tickets.forget(session);
    // No receiver means no socket is open.
    let _ = state.kicks.send(session);
}

/// Ends every sign-in of a user but `keep`: his password, role, client or second factor changed.
pub(crate) async fn end_all_of(
    state: &ApiState,
    user: domain::ids::UserId,
    keep: Option<SessionId>,
) -> Result<(), Problem> {
    for session in state.store.end_sessions_of(user, keep).await? {
        close_family(state, session);
    }
    Ok(())
}

/// Signs out: the family ends, its sockets close.
#[utoipa::path(delete, path = "/sessions", tag = "sign-in", responses((status = 204)))]
async fn sign_out(State(state): State<ApiState>, caller: Caller) -> Result<Response, Problem> {
    if let Some(session) = caller.session {
        state.store.end_session(session).await?;
        close_family(&state, session);
    }
    let set = cookie(&state, "", 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set)]).into_response())
}
