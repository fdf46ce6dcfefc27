//! Presumptions of the law that a person with the right relaxes for one call by hand (law.md §2.7).

use crate::auth::Caller;
use crate::extract::{Body, Id, Why, WhyBody};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Override, RELAX_RIGHT};
use domain::ids::{DebtorId, OverrideId};
use domain::time::MINUTE_MS;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Minutes it holds when nobody says, and at most: a working day.
const MINUTES: (i64, i64) = (60, 12 * 60);

readers!(
    "catalog",
    "/law-overrides",
    "/law-overrides/{id}",
    Override,
    LawOverride,
    OverrideId,
    list_overrides,
    get_override
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(withdraw))
        .routes(routes!(presumptions))
}

/// A presumption to be relaxed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLawOverride {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// The rule as decisions name it, as `us-federal/reg_f_7in7`. `GET /rulepacks/presumptions` has those that may
    /// be relaxed.
    rule: String,
    /// Why.
    reason: String,
    /// Minutes it holds, 1–720; 60 when absent. The first contact uses it up.
    minutes: Option<i64>,
}

/// Relaxes a presumption for the next call by hand to a debtor. A rule that is none is never relaxed.
#[utoipa::path(post, path = "/law-overrides", tag = "catalog", request_body = NewLawOverride,
    responses((status = 201, description = "Relaxed", body = doc::LawOverride),
        (status = 422, description = "`hard_rule`: no presumption", body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewLawOverride>,
) -> Result<(StatusCode, Json<Override>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    caller.may_write(debtor.client_id)?;
    match state.center.is_presumption(&body.rule) {
        Some(true) => {}
        Some(false) => {
            let reason = "hard_rule: it is no presumption of the law, and nobody may relax it";
            return Err(Problem::invalid("rule", reason));
        }
        None => {
            let known = state.center.presumptions().join(", ");
            let reason = format!("no pack has this rule; expected one of {known}");
            return Err(Problem::invalid("rule", reason));
        }
    }
    let minutes = check::range("minutes", body.minutes.unwrap_or(MINUTES.0), 1, MINUTES.1)?;
    let now = state.now();
    let reason = check::text("reason", &body.reason, check::TEXT_MAX)?;
    let row = Override {
        id: OverrideId(state.id()),
        client_id: debtor.client_id,
        debtor_id: debtor.id,
        rule: body.rule,
        reason: reason.clone(),
        granted_by: caller.actor(),
        granted_right: RELAX_RIGHT.to_owned(),
        granted_at: now,
        until: now.plus_ms(minutes * MINUTE_MS),
        withdrawn_at: None,
    };
    let (subject, client) = (format!("law_override:{}", row.id), Some(row.client_id));
    let why = Some(format!("{}: {reason}", row.rule));
    let event = state.audit_why(&caller, client, subject, "law_override.made", why);
    state.store.put_override(&row, &[event]).await?;
    state.center.debtor_changed(row.debtor_id).await;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Takes a relaxation back, at once; a repeat changes nothing.
#[utoipa::path(post, path = "/law-overrides/{id}/withdraw", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = Option<WhyBody>,
    responses((status = 200, description = "Withdrawn", body = doc::LawOverride)))]
async fn withdraw(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<OverrideId>,
    Why(why): Why,
) -> Result<Json<Override>, Problem> {
    let row = state.store.get_override(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if row.withdrawn_at.is_none() {
        row.withdrawn_at = Some(state.now());
        let (subject, client) = (format!("law_override:{}", row.id), Some(row.client_id));
        let event = state.audit_why(&caller, client, subject, "law_override.withdrawn", why);
        state.store.put_override(&row, &[event]).await?;
        state.center.debtor_changed(row.debtor_id).await;
    }
    Ok(Json(row))
}

/// The rules of the packs that are presumptions of the law: what may be relaxed.
#[utoipa::path(get, path = "/rulepacks/presumptions", tag = "campaigns",
    responses((status = 200, description = "All of them", body = Items<String>)))]
async fn presumptions(State(state): State<ApiState>) -> Json<Items<String>> {
    Json(Items::all(state.center.presumptions()))
}
