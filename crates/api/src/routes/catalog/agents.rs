//! Agents: people who talk, each with a login and a phone.

use crate::auth::{Caller, generate_password};
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Agent, Role};
use domain::ids::{AgentId, CampaignId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "people",
    "/agents",
    "/agents/{id}",
    Agent,
    Agent,
    AgentId,
    list_agents,
    get_agent
);

/// Longest SIP user name.
const SIP_USER_MAX: usize = 32;
/// Least and most characters of a SIP password.
const SIP_PASSWORD: std::ops::RangeInclusive<usize> = 12..=128;
/// Most campaigns or skills of an agent.
const LISTED_MAX: usize = 100;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A new agent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAgent {
    /// A login with role `agent` that has no agent yet.
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    name: String,
    /// SIP user of his phone, unique.
    sip_user: String,
    /// Made up when absent.
    sip_password: Option<String>,
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    /// By priority; empty = any.
    #[schema(value_type = Option<Vec<uuid::Uuid>>)]
    campaigns: Option<Vec<CampaignId>>,
    skills: Option<Vec<String>>,
}

/// An agent as he is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentBody {
    name: String,
    sip_user: String,
    /// Stays when absent.
    sip_password: Option<String>,
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    #[schema(value_type = Vec<uuid::Uuid>)]
    campaigns: Vec<CampaignId>,
    skills: Vec<String>,
}

/// A new agent with the password of his phone.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeAgent {
    #[schema(value_type = doc::Agent)]
    agent: Agent,
    /// Shown this once.
    sip_password: String,
}

impl AgentBody {
    async fn into_row(self, state: &ApiState, row: &mut Agent) -> Result<(), Problem> {
        row.name = check::name("name", &self.name)?;
        row.sip_user = check::handle("sip_user", &self.sip_user, 2, SIP_USER_MAX)?;
        if let Some(password) = self.sip_password {
            let good = SIP_PASSWORD.contains(&password.len())
                && password.bytes().all(|b| b.is_ascii_graphic());
            if !good {
                let reason = "expected 12 to 128 visible ASCII characters";
                return Err(Problem::invalid("sip_password", reason));
            }
            row.sip_password = password;
        }
        if let Some(team) = self.team_id {
            state.store.get_team(team).await?;
        }
        row.team_id = self.team_id;
        if self.campaigns.len() > LISTED_MAX || self.skills.len() > LISTED_MAX {
            let reason = format!("expected at most {LISTED_MAX}");
            return Err(Problem::invalid("campaigns, skills", reason));
        }
        for campaign in &self.campaigns {
            state.store.get_campaign(*campaign).await?;
        }
        row.campaigns = self.campaigns;
        row.skills = self
            .skills
            .iter()
            .map(|skill| check::name("skills", skill))
            .collect::<Result<_, _>>()?;
        Ok(())
    }
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: Agent,
    action: &str,
) -> Result<Agent, Problem> {
    caller.of_the_house()?;
    let event = state.audit(caller, None, format!("agent:{}", row.id), action);
    state.store.put_agent(&row, &[event]).await?;
    state.center.agent_changed(row.id).await;
    Ok(row)
}

/// Makes an agent of a login.
#[utoipa::path(post, path = "/agents", tag = "people", request_body = NewAgent,
    responses((status = 201, description = "Made", body = MadeAgent)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewAgent>,
) -> Result<(StatusCode, Json<MadeAgent>), Problem> {
    let user = state.store.get_user(body.user_id).await?;
    if user.role != Role::Agent {
        return Err(Problem::invalid(
            "user_id",
            "expected a login with role agent",
        ));
    }
    if state.store.agent_of_user(user.id).await?.is_some() {
        return Err(Problem::conflict(
            "conflict",
            "this login has an agent already",
        ));
    }
    let mut row = Agent {
        id: AgentId(state.id()),
        user_id: user.id,
        team_id: None,
        name: String::new(),
        sip_user: String::new(),
        sip_password: String::new(),
        campaigns: Vec::new(),
        skills: Vec::new(),
        created_at: state.now(),
    };
    AgentBody {
        name: body.name,
        sip_user: body.sip_user,
        sip_password: Some(body.sip_password.unwrap_or_else(generate_password)),
        team_id: body.team_id,
        campaigns: body.campaigns.unwrap_or_default(),
        skills: body.skills.unwrap_or_default(),
    }
    .into_row(&state, &mut row)
    .await?;
    let agent = save(&state, &caller, row, "agent.made").await?;
    let sip_password = agent.sip_password.clone();
    let made = MadeAgent {
        agent,
        sip_password,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Replaces an agent.
#[utoipa::path(put, path = "/agents/{id}", tag = "people", params(("id" = uuid::Uuid, Path)),
    request_body = AgentBody, responses((status = 200, description = "Changed", body = doc::Agent)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AgentId>,
    Body(body): Body<AgentBody>,
) -> Result<Json<Agent>, Problem> {
    let mut row = state.store.get_agent(id).await?;
    body.into_row(&state, &mut row).await?;
    Ok(Json(save(&state, &caller, row, "agent.changed").await?))
}
