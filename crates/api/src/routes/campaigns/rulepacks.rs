//! Rule packs: those in force, and one on trial.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::list::Items;
use crate::problem::Problem;
use crate::state::RulePackInfo;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::dry_run::{DRY_RUN_DAYS, DRY_RUN_MAX, DryAsk, DryRun};
use domain::ids::ClientId;
use domain::law::pack::PACK_BYTES_MAX;
use domain::time::DAY_MS;
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Most days looked back.
const DAYS_MAX: u16 = 366;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(dry_run))
        .routes(routes!(dry_run_of))
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
    /// Only this client's acts.
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
}

/// A run that was begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRunBegun {
    run_id: Uuid,
}

/// Judges what was done in the last days (calls, messages, letters, visits) again with a pack that is not in force;
/// nothing is stored. `GET /rulepacks/dry-run/{id}` has the progress and the result.
#[utoipa::path(post, path = "/rulepacks/dry-run", tag = "campaigns", request_body = DryRunAsk,
    responses((status = 202, description = "Begun", body = DryRunBegun),
        (status = 409, description = "`busy`: two run", body = doc::Problem),
        (status = 422, description = "The pack has a fault, named", body = doc::Problem)))]
async fn dry_run(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<DryRunAsk>,
) -> Result<(StatusCode, Json<DryRunBegun>), Problem> {
    let client = caller.narrow(body.client_id)?;
    let days = check::range("days", body.days.unwrap_or(DRY_RUN_DAYS), 1, DAYS_MAX)?;
    if body.pack.len() > PACK_BYTES_MAX {
        return Err(Problem::invalid(
            "pack",
            format!("longer than {PACK_BYTES_MAX} bytes"),
        ));
    }
    let until = state.now();
    let ask = DryAsk {
        client,
        since: until.plus_ms(-i64::from(days) * DAY_MS),
        until,
        limit: DRY_RUN_MAX,
    };
    let run_id = state.center.dry_run("pack", &body.pack, ask)?;
    Ok((StatusCode::ACCEPTED, Json(DryRunBegun { run_id })))
}

/// How far a run is, and what it showed.
#[derive(Serialize)]
pub(crate) struct DryJobView {
    state: &'static str,
    done: u64,
    all: u64,
    result: Option<DryRun>,
}

/// Progress and result of a run; the node that began it remembers the last few.
#[utoipa::path(get, path = "/rulepacks/dry-run/{id}", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The run", body = doc::DryJobShape), (status = 404, body = doc::Problem)))]
async fn dry_run_of(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<Uuid>,
) -> Result<Json<DryJobView>, Problem> {
    let job = state
        .center
        .dry_run_of(id)
        .filter(|job| caller.client.is_none() || caller.client == job.client)
        .ok_or_else(|| Problem::not_found("run"))?;
    let result = job.result();
    let told = match (&result, job.failed()) {
        (Some(_), _) => "done",
        (None, true) => "failed",
        (None, false) => "running",
    };
    Ok(Json(DryJobView {
        state: told,
        done: job.progress.done.load(Ordering::Relaxed),
        all: job.progress.all.load(Ordering::Relaxed),
        result,
    }))
}
