//! Rule packs: those in force, and one on trial.

use crate::ApiState;
use crate::auth::Caller;
use crate::doc;
use crate::extract::Body;
use crate::list::Items;
use crate::problem::Problem;
use crate::state::RulePackInfo;
use axum::Json;
use axum::extract::State;
use center::dry_run::{DRY_RUN_DAYS, DryAsk, DryRun};
use domain::ids::ClientId;
use domain::law::pack::PACK_BYTES_MAX;
use domain::time::DAY_MS;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most days looked back.
const DAYS_MAX: u16 = 366;
/// Most calls judged again while a person waits.
const CALLS_MAX: u32 = 2_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(dry_run))
}

/// All packs, with the sections that nothing holds anybody to yet.
#[utoipa::path(get, path = "/rulepacks", tag = "campaigns",
    responses((status = 200, description = "All packs", body = Items<RulePackInfo>)))]
async fn list(State(state): State<ApiState>) -> Json<Items<RulePackInfo>> {
    // Days are told as ISO dates, which sort as they follow.
    let today = state.now().to_string();
    let today = today.get(..10).unwrap_or_default();
    let mut packs = state.rulepacks.clone();
    for pack in &mut packs {
        pack.overdue = pack.review_by.as_str() < today;
        pack.in_force = pack.valid_from.as_deref().is_none_or(|from| from <= today)
            && pack.valid_to.as_deref().is_none_or(|to| today <= to);
    }
    Json(Items::all(packs))
}

/// A pack to be tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunAsk {
    /// Text of the pack's file.
    pack: String,
    /// Days looked back; 30 when absent.
    days: Option<u16>,
    /// Only this client's calls.
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
}

/// Judges the calls of the last days again with a pack that is not in force; nothing is stored. At most
/// 2,000 calls; the command line reads more.
#[utoipa::path(post, path = "/rulepacks/dry-run", tag = "campaigns", request_body = DryRunAsk,
    responses((status = 200, description = "What would have been stopped", body = doc::DryRunShape),
        (status = 422, description = "The pack has a fault, named", body = doc::Problem)))]
async fn dry_run(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<DryRunAsk>,
) -> Result<Json<DryRun>, Problem> {
    let client = caller.narrow(body.client_id)?;
    let days = body.days.unwrap_or(DRY_RUN_DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Problem::invalid(
            "days",
            format!("expected 1 to {DAYS_MAX}"),
        ));
    }
    if body.pack.len() > PACK_BYTES_MAX {
        return Err(Problem::invalid(
            "pack",
            format!("longer than {PACK_BYTES_MAX} bytes"),
        ));
    }
    let ask = DryAsk {
        client,
        since: state.now().plus_ms(-i64::from(days) * DAY_MS),
        limit: CALLS_MAX,
    };
    let run = state.center.dry_run("pack", &body.pack, ask).await?;
    Ok(Json(run))
}
