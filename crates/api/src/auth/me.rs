//! The caller himself: who he is, password, second factor, and the clock.

use super::guard::Caller;
use super::roles::route_table;
use super::{check_new_password, totp};
use crate::extract::Body;
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Agent, User};
use domain::ports::store::LoginFailures;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Serialize, ToSchema)]
pub(crate) struct ClockNow {
    /// The product's present instant.
    #[schema(value_type = doc::Instant)]
    now: UtcMs,
    /// Its distance from the machine's clock, ms; not 0 in a demo only.
    offset_ms: i64,
    /// Whether this is a demo.
    demo: bool,
    /// Times as fast as the wall's clock: above 1 it is a compressed demo, whose calls have no audio.
    speed: u32,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    #[schema(value_type = doc::User)]
    user: User,
    #[schema(value_type = Option<doc::Agent>)]
    agent: Option<Agent>,
    /// Routes the role may use, as `POST /api/v1/campaigns`.
    permissions: Vec<String>,
    clock: ClockNow,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The present one.
    old: String,
    /// The new one, 10 to 128 characters.
    new: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TotpOffer {
    /// Base32 secret for the authenticator app.
    secret: String,
    /// The same as an address for a QR code.
    otpauth_url: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotpConfirm {
    /// The secret of the offer.
    secret: String,
    /// A code that the app shows for it.
    otp: String,
}

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(clock))
        .routes(routes!(password))
        .routes(routes!(totp_offer))
        .routes(routes!(totp_confirm))
}

fn clock_now(state: &ApiState) -> ClockNow {
    ClockNow {
        now: state.now(),
        offset_ms: state.config.clock_offset_ms,
        demo: state.config.demo,
        speed: state.config.speed,
    }
}

/// Who is signed in.
#[utoipa::path(get, path = "/me", tag = "sign-in", responses((status = 200, body = Me)))]
async fn me(State(state): State<ApiState>, caller: Caller) -> Result<Json<Me>, Problem> {
    let user = state.store.get_user(caller.user).await?;
    let agent = state.store.agent_of_user(caller.user).await?;
    let permissions = route_table()
        .iter()
        .filter(|row| row.access.permits(caller.role))
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    Ok(Json(Me {
        user,
        agent,
        permissions,
        clock: clock_now(&state),
    }))
}

/// The product's clock.
#[utoipa::path(get, path = "/clock", tag = "sign-in", responses((status = 200, body = ClockNow)))]
async fn clock(State(state): State<ApiState>) -> Json<ClockNow> {
    Json(clock_now(&state))
}

async fn change(state: &ApiState, caller: &Caller, user: User, what: &str) -> Result<(), Problem> {
    let event = state.event(
        caller.actor(),
        user.client_id,
        "audit.written",
        format!("user:{}", user.id),
        json!({ "action": what }),
    );
    state.store.put_user(&user, &[event]).await?;
    Ok(())
}

/// Changes the caller's password.
#[utoipa::path(post, path = "/me/password", tag = "sign-in", request_body = NewPassword,
    responses((status = 204), (status = 429, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn password(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    check_new_password("new", &body.new)?;
    let key = super::throttle::key(&format!("password|{}", caller.user), [0, 0, 0, 0].into());
    let _turn = state.throttle.turn(&key).await;
    let failures = state.store.login_failures(&key).await?;
    let wait = super::throttle::wait_ms(failures, state.now());
    if wait > 0 {
        return Err(Problem::too_many_attempts(wait));
    }
    let mut user = state.store.get_user(caller.user).await?;
    let stored = Some(user.password_hash.clone());
    if !state.hasher.verify(stored, body.old).await? {
        let more = super::throttle::one_more(failures, state.now());
        state.store.set_login_failures(&key, more).await?;
        // No 401: the token is good, and clients would fetch another and try again.
        return Err(Problem::invalid("old", "not the present password"));
    }
    user.password_hash = state.hasher.hash(body.new).await?;
    let id = user.id;
    change(&state, &caller, user, "password.changed").await?;
    super::end_all_of(&state, id, caller.session).await?;
    if failures.count > 0 {
        let none = LoginFailures::default();
        state.store.set_login_failures(&key, none).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Offers a secret for a second factor; nothing is stored until it is confirmed.
#[utoipa::path(post, path = "/me/totp", tag = "sign-in",
    responses((status = 200, body = TotpOffer), (status = 409, body = doc::Problem)))]
async fn totp_offer(
    State(state): State<ApiState>,
    caller: Caller,
) -> Result<Json<TotpOffer>, Problem> {
    let user = state.store.get_user(caller.user).await?;
    refuse_second(&user)?;
    let secret = totp::new_secret();
    let otpauth_url = totp::otpauth_url(&secret, &user.username);
    Ok(Json(TotpOffer {
        secret,
        otpauth_url,
    }))
}

fn refuse_second(user: &User) -> Result<(), Problem> {
    if user.totp_secret.is_some() {
        return Err(Problem::conflict(
            "conflict",
            "a second factor is set; an admin can reset it",
        ));
    }
    Ok(())
}

/// Sets the second factor; sign in again with `otp`.
#[utoipa::path(post, path = "/me/totp/confirm", tag = "sign-in", request_body = TotpConfirm,
    responses((status = 204), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn totp_confirm(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<TotpConfirm>,
) -> Result<StatusCode, Problem> {
    if caller.key.is_some() {
        return Err(Problem::forbidden("an API key has no second factor"));
    }
    let mut user = state.store.get_user(caller.user).await?;
    refuse_second(&user)?;
    let step = totp::matching_step(&body.secret, &body.otp, state.machine_seconds())
        .ok_or_else(|| Problem::invalid("otp", "the code does not belong to this secret now"))?;
    state.used_otps.take(user.id, step);
    user.totp_secret = Some(body.secret);
    change(&state, &caller, user, "second_factor.set").await?;
    Ok(StatusCode::NO_CONTENT)
}
