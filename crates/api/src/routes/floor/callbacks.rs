//! Agreed call-backs: the calendar of an agent, a team or a client; moved and cancelled by a supervisor.

use crate::auth::Caller;
use crate::extract::{Body, Params};
use crate::list::{Items, bad_cursor, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::{AgentId, CampaignId, ClientId, DebtorId, TeamId};
use domain::pii::{Pii, mask_phone};
use domain::ports::store::{
    CallbackAsk, CallbackRow, ListFilter, PAGE_LIMIT_MAX, PageRequest, StoreError,
};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Days shown when the caller does not say.
const DAYS_SHOWN: i64 = 7;
/// How far back call-backs that nobody made yet are shown, hours.
const OVERDUE_H: i64 = 24 * 14;
/// Longest stretch of a calendar, days.
const DAYS_MAX: i64 = 62;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(mine))
        .routes(routes!(move_one))
        .routes(routes!(cancel))
}

/// Which call-backs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackQuery {
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this agent's.
    #[param(value_type = Option<uuid::Uuid>)]
    agent: Option<AgentId>,
    /// Only those of this team's agents.
    #[param(value_type = Option<uuid::Uuid>)]
    team: Option<TeamId>,
    /// With an agent or a team: also those that anyone makes.
    anyone: Option<bool>,
    /// Only this campaign's.
    #[param(value_type = Option<uuid::Uuid>)]
    campaign: Option<CampaignId>,
    /// From this instant on; 14 days ago when absent, so that missed ones are seen.
    #[param(value_type = Option<doc::Instant>)]
    from: Option<UtcMs>,
    /// Before this one; 7 days from now when absent.
    #[param(value_type = Option<doc::Instant>)]
    to: Option<UtcMs>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An agreed call-back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Callback {
    #[schema(value_type = uuid::Uuid)]
    campaign_id: CampaignId,
    /// Its name.
    campaign: String,
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    external_ref: String,
    #[schema(value_type = String)]
    name: Pii<String>,
    /// Number that was last agreed or tried, masked; null when he has none.
    phone_masked: Option<String>,
    /// The agreed instant.
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
    /// The same in the debtor's zone, `2026-11-28T10:00`.
    local: String,
    /// The debtor's zone, IANA.
    zone: String,
    /// Who makes it; null = anyone.
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    /// His name.
    agent: Option<String>,
    /// Its instant has passed and nobody has made it.
    late: bool,
}

/// Names that many rows share.
#[derive(Default)]
struct Names {
    campaigns: BTreeMap<CampaignId, String>,
    agents: BTreeMap<AgentId, String>,
}

impl Names {
    async fn campaign(&mut self, state: &ApiState, id: CampaignId) -> Result<String, Problem> {
        if let Some(name) = self.campaigns.get(&id) {
            return Ok(name.clone());
        }
        let name = state.store.get_campaign(id).await?.name;
        self.campaigns.insert(id, name.clone());
        Ok(name)
    }

    async fn agent(&mut self, state: &ApiState, id: AgentId) -> Result<String, Problem> {
        if let Some(name) = self.agents.get(&id) {
            return Ok(name.clone());
        }
        let name = match state.store.get_agent(id).await {
            Ok(row) => row.name,
            Err(StoreError::NotFound(_)) => String::new(),
            Err(other) => return Err(other.into()),
        };
        self.agents.insert(id, name.clone());
        Ok(name)
    }
}

async fn shown(
    state: &ApiState,
    names: &mut Names,
    row: &CallbackRow,
) -> Result<Callback, Problem> {
    let now = state.now();
    let facts = state.store.contact_facts(row.item.debtor_id, now).await?;
    let zone = state.center.zone_of(&facts);
    let at = CallbackRow::agreed_at(&row.item);
    let local = domain::time::zone(&zone)
        .map(|z| at.in_zone(&z).strftime("%Y-%m-%dT%H:%M").to_string())
        .unwrap_or_default();
    let point = facts
        .points
        .iter()
        .find(|p| Some(p.id) == row.item.next_point)
        .or_else(|| facts.points.iter().find(|p| !p.bad));
    let agent = match row.agent_id {
        Some(id) => Some(names.agent(state, id).await?),
        None => None,
    };
    Ok(Callback {
        campaign_id: row.item.campaign_id,
        campaign: names.campaign(state, row.item.campaign_id).await?,
        debtor_id: row.item.debtor_id,
        external_ref: facts.debtor.external_ref.clone(),
        name: facts.debtor.name.clone(),
        phone_masked: point.map(|p| mask_phone(p.value.reveal())),
        at,
        local,
        zone,
        agent_id: row.agent_id,
        agent,
        late: at < now,
    })
}

fn cursor_of(row: &CallbackRow) -> String {
    let item = &row.item;
    format!("{}~{}~{}", item.next_at.0, item.campaign_id, item.debtor_id)
}

fn after(cursor: &str) -> Result<(UtcMs, CampaignId, DebtorId), Problem> {
    let mut parts = cursor.split('~');
    let mut next = || parts.next().ok_or_else(bad_cursor);
    let (at, campaign, debtor) = (next()?, next()?, next()?);
    Ok((
        UtcMs(at.parse().map_err(|_| bad_cursor())?),
        campaign.parse().map_err(|_| bad_cursor())?,
        debtor.parse().map_err(|_| bad_cursor())?,
    ))
}

/// Members of a team.
pub(crate) async fn members(state: &ApiState, team: TeamId) -> Result<Vec<AgentId>, Problem> {
    state.store.get_team(team).await?;
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest {
            limit: PAGE_LIMIT_MAX,
            cursor,
        };
        let rows = state
            .store
            .list_agents(&ListFilter::default(), &page)
            .await?;
        let ours = rows.items.iter().filter(|a| a.team_id == Some(team));
        found.extend(ours.map(|a| a.id));
        cursor = rows.next_cursor;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

async fn page(
    state: &ApiState,
    query: CallbackQuery,
    client: Option<ClientId>,
    agents: Option<Vec<AgentId>>,
) -> Result<Items<Callback>, Problem> {
    let now = state.now();
    let wanted = page_request(query.limit, query.cursor)?;
    let from = query.from.unwrap_or(now.plus_ms(-OVERDUE_H * HOUR_MS));
    let to = query.to.unwrap_or(now.plus_ms(DAYS_SHOWN * DAY_MS));
    if to <= from || to.since_ms(from) > DAYS_MAX * DAY_MS {
        let reason = format!("expected an instant after from, {DAYS_MAX} days later at most");
        return Err(Problem::bad_request("bad_query", format!("to: {reason}")));
    }
    let ask = CallbackAsk {
        client,
        anyone: query.anyone.unwrap_or(false),
        agents,
        campaign: query.campaign,
        from,
        to,
        after: wanted.cursor.as_deref().map(after).transpose()?,
        limit: wanted.limit + 1,
    };
    let mut rows = state.store.callbacks(&ask).await?;
    let more = rows.len() > wanted.limit as usize;
    rows.truncate(wanted.limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(cursor_of);
    let (mut names, mut items) = (Names::default(), Vec::with_capacity(rows.len()));
    for row in &rows {
        items.push(shown(state, &mut names, row).await?);
    }
    Ok(Items { items, next_cursor })
}

/// Agreed call-backs, next first.
#[utoipa::path(get, path = "/callbacks", tag = "campaigns", params(CallbackQuery),
    responses((status = 200, description = "A page", body = Items<Callback>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<CallbackQuery>,
) -> Result<Json<Items<Callback>>, Problem> {
    let client = caller.narrow(query.client)?;
    let agents = match (query.agent, query.team) {
        (Some(agent), _) => Some(vec![agent]),
        (None, Some(team)) => Some(members(&state, team).await?),
        (None, None) => None,
    };
    Ok(Json(page(&state, query, client, agents).await?))
}

/// The caller's own call-backs, next first.
#[utoipa::path(get, path = "/agents/me/callbacks", tag = "agent", params(CallbackQuery),
    responses((status = 200, description = "A page", body = Items<Callback>)))]
async fn mine(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<CallbackQuery>,
) -> Result<Json<Items<Callback>>, Problem> {
    let agent = caller.agent()?;
    let client = caller.narrow(query.client)?;
    Ok(Json(page(&state, query, client, Some(vec![agent])).await?))
}

/// Where a call-back goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallbackMove {
    #[schema(value_type = uuid::Uuid)]
    campaign_id: CampaignId,
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// Within the hours in which he may be called.
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
    /// null = anyone.
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
}

/// Moves a call-back to another instant, another agent, or anyone.
#[utoipa::path(post, path = "/callbacks/move", tag = "campaigns", request_body = CallbackMove,
    responses((status = 200, description = "Moved", body = Callback), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn move_one(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<CallbackMove>,
) -> Result<Json<Callback>, Problem> {
    let row = state.store.get_campaign(body.campaign_id).await?;
    tenant::seen(&state, &caller, row).await?;
    let which = (body.campaign_id, body.debtor_id);
    let moved = state
        .center
        .move_callback(caller.asks_as(), which, body.at, body.agent_id)
        .await?;
    Ok(Json(shown(&state, &mut Names::default(), &moved).await?))
}

/// Which call-back ends, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallbackCancel {
    #[schema(value_type = uuid::Uuid)]
    campaign_id: CampaignId,
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// Without personal data.
    reason: String,
}

/// Cancels a call-back: the debtor waits for his turn in the campaign again.
#[utoipa::path(post, path = "/callbacks/cancel", tag = "campaigns", request_body = CallbackCancel,
    responses((status = 204, description = "Cancelled"), (status = 409, body = doc::Problem)))]
async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<CallbackCancel>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_campaign(body.campaign_id).await?;
    tenant::seen(&state, &caller, row).await?;
    let reason = check::text("reason", &body.reason, check::TEXT_MAX)?;
    let which = (body.campaign_id, body.debtor_id);
    state
        .center
        .cancel_callback(caller.asks_as(), which, reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
