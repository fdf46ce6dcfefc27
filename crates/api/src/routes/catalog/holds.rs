//! Holds: what stops contact on a debtor, debt or point.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Channel, Hold, HoldKind, HoldScope};
use domain::ids::{DebtId, DebtorId, HoldId, PointId};
use domain::rules::stage;
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/holds",
    "/holds/{id}",
    Hold,
    Hold,
    HoldId,
    list_holds,
    get_hold
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(lift))
}

/// A new hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHold {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = doc::HoldKind)]
    kind: HoldKind,
    /// By what is named when absent: point, debt, else the whole debtor.
    #[schema(value_type = Option<doc::HoldScope>)]
    scope: Option<HoldScope>,
    #[schema(value_type = Option<uuid::Uuid>)]
    debt_id: Option<DebtId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    point_id: Option<PointId>,
    /// Needed by `channel_optout`.
    #[schema(value_type = Option<doc::Channel>)]
    channel: Option<Channel>,
    #[schema(value_type = Option<doc::Instant>)]
    until: Option<UtcMs>,
    /// Why, without personal data.
    evidence: String,
}

impl NewHold {
    fn scope(&self) -> HoldScope {
        self.scope.unwrap_or(match (self.point_id, self.debt_id) {
            (Some(_), _) => HoldScope::Point,
            (None, Some(_)) => HoldScope::Debt,
            (None, None) => HoldScope::Debtor,
        })
    }

    /// What the hold names has to belong to its debtor.
    async fn check(&self, state: &ApiState) -> Result<(), Problem> {
        if self.kind == HoldKind::Promise {
            return Err(Problem::invalid("kind", "a promise places its hold itself"));
        }
        if self.kind == HoldKind::ChannelOptout && self.channel.is_none() {
            return Err(Problem::invalid(
                "channel",
                "channel_optout needs its channel",
            ));
        }
        if self.until.is_some_and(|until| until <= state.now()) {
            return Err(Problem::invalid("until", "expected an instant to come"));
        }
        let scope = self.scope();
        if scope == HoldScope::Debt && self.debt_id.is_none() {
            return Err(Problem::invalid("debt_id", "scope debt needs its debt"));
        }
        if scope == HoldScope::Point && self.point_id.is_none() {
            return Err(Problem::invalid("point_id", "scope point needs its point"));
        }
        if let Some(id) = self.debt_id {
            let debt = state.store.get_debt(id).await?;
            if debt.debtor_id != self.debtor_id {
                return Err(Problem::invalid("debt_id", "expected a debt of the debtor"));
            }
        }
        if let Some(id) = self.point_id {
            let point = state.store.get_point(id).await?;
            if point.debtor_id != self.debtor_id {
                return Err(Problem::invalid(
                    "point_id",
                    "expected a point of the debtor",
                ));
            }
        }
        Ok(())
    }
}

/// Places a hold: contact stops at once, ringing calls are withdrawn.
#[utoipa::path(post, path = "/holds", tag = "catalog", request_body = NewHold,
    responses((status = 201, description = "Made", body = doc::Hold)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewHold>,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    body.check(&state).await?;
    let row = Hold {
        id: HoldId(state.id()),
        client_id: debtor.client_id,
        debtor_id: debtor.id,
        scope: body.scope(),
        debt_id: body.debt_id,
        point_id: body.point_id,
        channel: body.channel,
        kind: body.kind,
        from: state.now(),
        until: body.until,
        lifted_at: None,
        evidence: check::text("evidence", &body.evidence, check::TEXT_MAX)?,
    };
    state
        .center
        .place_hold(caller.asks_as(), row.clone())
        .await?;
    // Its end may be a later one, by law.
    let row = state.store.get_hold(row.id).await?;
    let subject = format!("hold:{}", row.id);
    let event = state.audit(&caller, Some(row.client_id), subject, "hold.placed");
    state.store.append_events(&[event]).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Whether the hold stands because its debt is sold.
async fn of_sale(state: &ApiState, row: &Hold) -> Result<bool, Problem> {
    let (Some(debt), HoldKind::Recalled) = (row.debt_id, row.kind) else {
        return Ok(false);
    };
    let stands = state.store.stage_of(debt).await?;
    let own = stands.as_ref().and_then(stage::hold_of);
    Ok(own.is_some_and(|hold| hold.id == row.id))
}

/// Lifts a hold; a repeat changes nothing.
#[utoipa::path(post, path = "/holds/{id}/lift", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Lifted", body = doc::Hold)))]
async fn lift(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<HoldId>,
) -> Result<Json<Hold>, Problem> {
    let row = state.store.get_hold(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if row.kind == HoldKind::Promise {
        return Err(Problem::conflict(
            "wrong_state",
            "this hold ends with its promise",
        ));
    }
    if of_sale(&state, &row).await? {
        return Err(Problem::conflict(
            "wrong_state",
            "the debt is sold: this hold ends when it leaves that stage",
        ));
    }
    if row.lifted_at.is_none() {
        row.lifted_at = Some(state.now());
        let subject = format!("hold:{}", row.id);
        let event = state.audit(&caller, Some(row.client_id), subject, "hold.lifted");
        state.store.put_hold(&row, &[event]).await?;
        state.center.debtor_changed(row.debtor_id).await;
    }
    Ok(Json(row))
}
