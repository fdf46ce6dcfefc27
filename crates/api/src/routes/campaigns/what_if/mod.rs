//! What if: a campaign's own history under other settings, before they go live.

mod ask;
mod notes;
mod reply;

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::CampaignId;
use domain::ports::WhatIfError;
use reply::WhatIfReply;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Seconds after which a caller who met another forecast may ask again.
const BUSY_RETRY_S: u64 = 3;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(simulate))
}

impl From<WhatIfError> for Problem {
    fn from(error: WhatIfError) -> Self {
        let detail = error.to_string();
        match error {
            WhatIfError::Refused { field, reason } => Self::invalid(field, reason),
            WhatIfError::Busy => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail).retry_after(BUSY_RETRY_S)
            }
            WhatIfError::TooSlow(_) => Self::unavailable(detail),
            WhatIfError::Failed(why) => {
                tracing::error!(%why, "forecast failed");
                Self::internal()
            }
        }
    }
}

/// Forecasts the campaign under its present settings and under those asked for, from its last 30 days.
/// Changes nothing.
#[utoipa::path(post, path = "/campaigns/{id}/simulate", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = ask::WhatIfAsk,
    responses((status = 200, description = "Forecast", body = WhatIfReply), (status = 422, description = "Settings that cannot be", body = doc::Problem), (status = 429, description = "Another forecast is being computed", body = doc::Problem)))]
async fn simulate(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Body(body): Body<ask::WhatIfAsk>,
) -> Result<Json<WhatIfReply>, Problem> {
    let campaign = super::run::own(&state, &caller, id).await?;
    let params = ask::params(&campaign.params, &body)?;
    let history = state.center.history(&campaign).await?;
    let present = ask::present(&campaign, &history);
    let asked = ask::asked(params, &body, &present, &history)?;
    let profile = Arc::new(history.profile.clone());
    let mut sides = vec![asked.settings.clone()];
    // Settings that nothing can be said of (by hand, none of the lines left) leave their side empty.
    let comparable = ask::fits(&present, &history).is_ok();
    if comparable {
        sides.push(present.settings.clone());
    }
    let mut forecasts = state.what_if.forecast(profile, sides).await?;
    let of_present = if comparable { forecasts.pop() } else { None };
    let of_asked = forecasts.pop().ok_or_else(Problem::internal)?;
    let refusals = |side: &ask::Side| {
        let s = &side.settings;
        state
            .center
            .refusals(&history, id, &side.params, s.from_h, s.hours)
    };
    let law = [refusals(&present), refusals(&asked)];
    Ok(Json(reply::reply(
        &history,
        [(&present, of_present), (&asked, Some(of_asked))],
        &law,
    )))
}
