//! Preferences of debtors, and marks that call for care, each with its proof.

use crate::auth::Caller;
use crate::extract::{Body, Id, Why, WhyBody};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Channel, Preference, PreferenceKind};
use domain::ids::{DebtorId, PointId, PreferenceId};
use domain::law::pack::Day;
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/preferences",
    "/preferences/{id}",
    Preference,
    Preference,
    PreferenceId,
    list_preferences,
    get_preference
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(revoke))
}

/// A new preference.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPreference {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = doc::PreferenceKind)]
    kind: PreferenceKind,
    /// The channel it is about; needed by `not_channel` and `only_channel`.
    #[schema(value_type = Option<doc::Channel>)]
    channel: Option<Channel>,
    /// The point it is about; needed by `not_point`.
    #[schema(value_type = Option<uuid::Uuid>)]
    point_id: Option<PointId>,
    /// `mon` … `sun`; absent = all.
    #[serde(default)]
    days: Vec<String>,
    /// `HH:MM`, for kinds about hours.
    from: Option<String>,
    /// `HH:MM` or `24:00`.
    to: Option<String>,
    #[schema(value_type = Option<doc::Instant>)]
    until: Option<UtcMs>,
    /// Reference to a document or recording.
    proof: String,
}

impl NewPreference {
    fn check(&self, now: UtcMs) -> Result<(), Problem> {
        use PreferenceKind as K;
        if matches!(self.kind, K::NotChannel | K::OnlyChannel) && self.channel.is_none() {
            return Err(Problem::invalid("channel", "this kind needs its channel"));
        }
        if self.kind == K::NotPoint && self.point_id.is_none() {
            return Err(Problem::invalid("point_id", "this kind needs its point"));
        }
        if self.until.is_some_and(|until| until <= now) {
            return Err(Problem::invalid("until", "expected an instant to come"));
        }
        for day in &self.days {
            if day.parse::<Day>().is_err() {
                return Err(Problem::invalid("days", "expected mon, tue, … sun"));
            }
        }
        let minutes = |text: &Option<String>| {
            let (hour, minute) = text.as_deref()?.split_once(':')?;
            let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
            (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
        };
        match (self.kind.is_hours(), minutes(&self.from), minutes(&self.to)) {
            (true, Some(from), Some(to)) if from < to => Ok(()),
            (true, ..) => Err(Problem::invalid(
                "to",
                "expected from and to as HH:MM, from before to",
            )),
            (false, ..) if self.from.is_some() || self.to.is_some() => {
                Err(Problem::invalid("from", "this kind has no hours"))
            }
            (false, ..) => Ok(()),
        }
    }
}

/// Records a preference; it binds from now on, for what is queued too.
#[utoipa::path(post, path = "/preferences", tag = "catalog", request_body = NewPreference,
    responses((status = 201, description = "Made", body = doc::Preference), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewPreference>,
) -> Result<(StatusCode, Json<Preference>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    let now = state.now();
    body.check(now)?;
    if let Some(id) = body.point_id {
        let point = state.store.get_point(id).await?;
        if point.debtor_id != debtor.id {
            return Err(Problem::invalid(
                "point_id",
                "expected a point of the debtor",
            ));
        }
    }
    let row = Preference {
        id: PreferenceId(state.id()),
        debtor_id: debtor.id,
        kind: body.kind,
        channel: body.channel,
        point_id: body.point_id,
        days: body.days,
        from: body.from,
        to: body.to,
        recorded_at: now,
        until: body.until,
        revoked_at: None,
        proof: check::text("proof", &body.proof, check::TEXT_MAX)?,
    };
    let subject = format!("preference:{}", row.id);
    let event = state.audit(&caller, Some(debtor.client_id), subject, "preference.made");
    state.store.put_preference(&row, &[event]).await?;
    state.center.debtor_changed(row.debtor_id).await;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Takes a preference back; a repeat changes nothing.
#[utoipa::path(post, path = "/preferences/{id}/revoke", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = Option<WhyBody>,
    responses((status = 200, description = "Taken back", body = doc::Preference)))]
async fn revoke(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PreferenceId>,
    Why(why): Why,
) -> Result<Json<Preference>, Problem> {
    let row = state.store.get_preference(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if row.revoked_at.is_none() {
        row.revoked_at = Some(state.now());
        let client = state.store.get_debtor(row.debtor_id).await?.client_id;
        let subject = format!("preference:{}", row.id);
        let event = state.audit_why(&caller, Some(client), subject, "preference.revoked", why);
        state.store.put_preference(&row, &[event]).await?;
        state.center.debtor_changed(row.debtor_id).await;
    }
    Ok(Json(row))
}
