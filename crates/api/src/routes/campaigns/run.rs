//! Campaigns in motion: start, pause, resume, stop, and what they do now.

use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use center::view;
use domain::entity::Campaign;
use domain::ids::{CampaignId, DebtorId, PointId, VerdictId};
use domain::ports::store::{ItemCounts, RefillReport};
use domain::time::UtcMs;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(stop))
        .routes(routes!(live))
        .routes(routes!(hopper))
}

#[derive(Serialize, ToSchema)]
struct Refill {
    /// Debtors in the segment now.
    matched: u64,
    /// Of them new in the campaign.
    added: u64,
    /// Of them in the campaign again, after they had left it.
    returned: u64,
    /// In no segment of the campaign any more: their items ended.
    left: u64,
}

impl From<RefillReport> for Refill {
    fn from(report: RefillReport) -> Self {
        Self {
            matched: report.matched,
            added: report.added,
            returned: report.returned,
            left: report.left,
        }
    }
}

/// Why a campaign will not dial yet.
#[derive(Serialize, ToSchema)]
struct Said {
    /// Stable code.
    code: String,
    es: String,
    en: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    #[schema(value_type = doc::Campaign)]
    campaign: Campaign,
    refill: Option<Refill>,
    problems: Vec<Said>,
}

impl From<view::CampaignReport> for Report {
    fn from(report: view::CampaignReport) -> Self {
        let said = |p: view::Problem| Said {
            code: p.code.to_owned(),
            es: p.es,
            en: p.en,
        };
        Self {
            campaign: report.campaign,
            refill: report.refill.map(Refill::from),
            problems: report.problems.into_iter().map(said).collect(),
        }
    }
}

/// The campaign has to be one that the caller sees.
pub(super) async fn own(
    state: &ApiState,
    caller: &Caller,
    id: CampaignId,
) -> Result<Campaign, Problem> {
    let row = state.store.get_campaign(id).await?;
    tenant::seen(state, caller, row).await
}

/// Starts: fills the campaign from its segment and dials.
#[utoipa::path(post, path = "/campaigns/{id}/start", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Running", body = Report), (status = 409, body = doc::Problem)))]
async fn start(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Report>, Problem> {
    own(&state, &caller, id).await?;
    let report = state.center.start_campaign(caller.asks_as(), id).await?;
    Ok(Json(report.into()))
}

/// Pauses: nothing new is dialed, calls that ring go on.
#[utoipa::path(post, path = "/campaigns/{id}/pause", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Paused", body = Report), (status = 409, body = doc::Problem)))]
async fn pause(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Report>, Problem> {
    own(&state, &caller, id).await?;
    let report = state.center.pause_campaign(caller.asks_as(), id).await?;
    Ok(Json(report.into()))
}

/// Dials again after a pause.
#[utoipa::path(post, path = "/campaigns/{id}/resume", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Running", body = Report), (status = 409, body = doc::Problem)))]
async fn resume(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Report>, Problem> {
    own(&state, &caller, id).await?;
    let report = state.center.resume_campaign(caller.asks_as(), id).await?;
    Ok(Json(report.into()))
}

/// Ends: what rings is withdrawn, what was reserved is given back.
#[utoipa::path(post, path = "/campaigns/{id}/stop", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Stopped", body = Report), (status = 409, body = doc::Problem)))]
async fn stop(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Report>, Problem> {
    own(&state, &caller, id).await?;
    let report = state.center.stop_campaign(caller.asks_as(), id).await?;
    Ok(Json(report.into()))
}

/// The campaign as the board shows it.
#[utoipa::path(get, path = "/campaigns/{id}/live", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "`CampaignRow` of `/ws/schema.json`", body = Value)))]
async fn live(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<view::CampaignRow>, Problem> {
    own(&state, &caller, id).await?;
    Ok(Json(state.center.campaign_row(id).await?))
}

/// One contact that waits to be dialed.
#[derive(Serialize, ToSchema)]
struct HopperItem {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = uuid::Uuid)]
    point_id: PointId,
    /// Number, masked.
    masked: String,
    priority: i32,
    /// In the hopper since.
    #[schema(value_type = doc::Instant)]
    since: UtcMs,
    #[schema(value_type = uuid::Uuid)]
    verdict_id: VerdictId,
    #[schema(value_type = doc::Clearance)]
    decision: &'static str,
    reason_es: Option<&'static str>,
    reason_en: Option<&'static str>,
}

impl From<view::HopperRow> for HopperItem {
    fn from(row: view::HopperRow) -> Self {
        let only = row.agent_only;
        Self {
            debtor_id: row.debtor_id,
            point_id: row.point_id,
            masked: row.masked,
            priority: row.priority,
            since: row.since,
            verdict_id: row.verdict_id,
            decision: if only { "allow_agent_only" } else { "allow" },
            reason_es: only.then_some("solo con un gestor reservado antes"),
            reason_en: only.then_some("only with an agent reserved first"),
        }
    }
}

/// Where the campaign's debtors stand.
#[derive(Serialize, ToSchema)]
struct Counts {
    /// May be reserved now.
    due: u64,
    /// Wait for a later instant.
    later: u64,
    /// In a hopper.
    leased: u64,
    /// Out of the campaign.
    done: u64,
}

impl From<ItemCounts> for Counts {
    fn from(counts: ItemCounts) -> Self {
        Self {
            due: counts.due,
            later: counts.later,
            leased: counts.leased,
            done: counts.done,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Hopper {
    /// Next first.
    items: Vec<HopperItem>,
    counts: Counts,
}

/// What the campaign dials next, and how many wait.
#[utoipa::path(get, path = "/campaigns/{id}/hopper", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The hopper", body = Hopper)))]
async fn hopper(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Hopper>, Problem> {
    own(&state, &caller, id).await?;
    let seen = state.center.hopper(id).await?;
    Ok(Json(Hopper {
        items: seen.items.into_iter().map(HopperItem::from).collect(),
        counts: seen.counts.into(),
    }))
}
