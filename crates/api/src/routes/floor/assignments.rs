//! Who works whom: rules of assignment, and debtors given to somebody by hand.

use super::callbacks::members;
use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::routes::catalog::readers;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::Assigned;
use domain::entity::{Assignment, AssignmentRule, AssignmentTarget};
use domain::ids::{AgentId, AssignmentRuleId, CampaignId, ClientId, DebtorId, SegmentId, TeamId};
use domain::ports::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "campaigns",
    "/assignment-rules",
    "/assignment-rules/{id}",
    AssignmentRule,
    AssignmentRule,
    AssignmentRuleId,
    list_assignment_rules,
    get_assignment_rule
);

/// Most agents of a rule, and most debtors of one assignment by hand.
const LISTED_MAX: usize = 200;
/// Most skills a rule asks for.
const SKILLS_MAX: usize = 20;
/// Most debtors of one agent by a rule.
const MOST_MAX: i32 = 100_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
        .routes(routes!(apply))
        .routes(routes!(by_hand))
}

/// A new rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRule {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    rule: RuleBody,
}

/// What a rule says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleBody {
    name: String,
    /// Lowest first; the first rule that has a debtor wins.
    position: i32,
    #[schema(value_type = uuid::Uuid)]
    segment_id: SegmentId,
    #[schema(value_type = doc::AssignmentTarget)]
    target: AssignmentTarget,
    /// For `queue`.
    #[schema(value_type = Option<uuid::Uuid>)]
    campaign_id: Option<CampaignId>,
    /// For `team`; for `agent` its members take turns when no agents are named.
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    /// For `agent`: who takes turns.
    #[serde(default)]
    #[schema(value_type = Vec<uuid::Uuid>)]
    agents: Vec<AgentId>,
    /// For `agent`: most debtors of one of them by this rule.
    most: Option<i32>,
    /// For `agent`: skills each of them must have.
    #[serde(default)]
    skills: Vec<String>,
    /// For `agent`: give an agent only debtors whose language he speaks (`es`, `en`, `pt` among his skills; who names
    /// none speaks all).
    #[serde(default)]
    by_language: bool,
    enabled: bool,
}

fn missing(path: &str, target: AssignmentTarget) -> Problem {
    Problem::invalid(path, format!("{target} needs {path}"))
}

fn ours<T>(
    found: Result<T, StoreError>,
    path: &str,
    fits: impl Fn(&T) -> bool,
) -> Result<(), Problem> {
    match found {
        Ok(row) if fits(&row) => Ok(()),
        Ok(_) | Err(StoreError::NotFound(_)) => {
            Err(Problem::invalid(path, "expected one of the rule's client"))
        }
        Err(other) => Err(other.into()),
    }
}

impl RuleBody {
    /// The skills asked for. A campaign asks for its own, and a team's calls go to whoever of it is free: only where
    /// agents get debtors of their own can a rule hold to them.
    fn asked_skills(&self) -> Result<Vec<String>, Problem> {
        check::range("skills", self.skills.len(), 0, SKILLS_MAX)?;
        let asks = [
            ("skills", !self.skills.is_empty()),
            ("by_language", self.by_language),
        ];
        for (path, asked) in asks {
            if asked && self.target != AssignmentTarget::Agent {
                return Err(Problem::invalid(path, "expected only with target agent"));
            }
        }
        let named = |skill: &String| check::name("skills", skill);
        self.skills.iter().map(named).collect()
    }

    async fn into_row(self, state: &ApiState, row: &mut AssignmentRule) -> Result<(), Problem> {
        let (client, target) = (row.client_id, self.target);
        row.name = check::name("name", &self.name)?;
        row.position = check::range("position", self.position, 0, 10_000)?;
        let segment = state.store.get_segment(self.segment_id).await;
        ours(segment, "segment_id", |s| s.client_id == client)?;
        match target {
            AssignmentTarget::Queue => {
                let id = self
                    .campaign_id
                    .ok_or_else(|| missing("campaign_id", target))?;
                let campaign = state.store.get_campaign(id).await;
                ours(campaign, "campaign_id", |c| c.client_id == client)?;
            }
            AssignmentTarget::Team if self.team_id.is_none() => {
                return Err(missing("team_id", target));
            }
            AssignmentTarget::Agent if self.agents.is_empty() && self.team_id.is_none() => {
                return Err(missing("agents", target));
            }
            AssignmentTarget::Team | AssignmentTarget::Agent => {}
        }
        if let Some(team) = self.team_id {
            ours(state.store.get_team(team).await, "team_id", |_| true)?;
        }
        check::range("agents", self.agents.len(), 0, LISTED_MAX)?;
        for agent in &self.agents {
            ours(state.store.get_agent(*agent).await, "agents", |_| true)?;
        }
        if let Some(most) = self.most {
            check::range("most", most, 1, MOST_MAX)?;
        }
        row.skills = self.asked_skills()?;
        row.by_language = self.by_language;
        row.segment_id = self.segment_id;
        row.target = target;
        row.campaign_id = self.campaign_id;
        row.team_id = self.team_id;
        row.agents = self.agents;
        row.most = self.most;
        row.enabled = self.enabled;
        row.updated_at = state.now();
        Ok(())
    }
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: AssignmentRule,
    action: &str,
) -> Result<AssignmentRule, Problem> {
    let subject = format!("assignment_rule:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_assignment_rule(&row, &[event]).await?;
    Ok(row)
}

/// Makes a rule.
#[utoipa::path(post, path = "/assignment-rules", tag = "campaigns", request_body = NewRule,
    responses((status = 201, description = "Made", body = doc::AssignmentRule), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewRule>,
) -> Result<(StatusCode, Json<AssignmentRule>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let now = state.now();
    let mut row = AssignmentRule {
        id: AssignmentRuleId(state.id()),
        client_id: body.client_id,
        name: String::new(),
        position: 0,
        segment_id: body.rule.segment_id,
        target: body.rule.target,
        campaign_id: None,
        team_id: None,
        agents: Vec::new(),
        most: None,
        skills: Vec::new(),
        by_language: false,
        enabled: false,
        created_at: now,
        updated_at: now,
    };
    body.rule.into_row(&state, &mut row).await?;
    let row = save(&state, &caller, row, "assignment_rule.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a rule; debtors follow at the next assignment.
#[utoipa::path(put, path = "/assignment-rules/{id}", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = RuleBody,
    responses((status = 200, description = "Changed", body = doc::AssignmentRule), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AssignmentRuleId>,
    Body(body): Body<RuleBody>,
) -> Result<Json<AssignmentRule>, Problem> {
    let row = state.store.get_assignment_rule(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    body.into_row(&state, &mut row).await?;
    Ok(Json(
        save(&state, &caller, row, "assignment_rule.changed").await?,
    ))
}

/// Whose debtors.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyAsk {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
}

/// Gives the client's debtors out by its rules now; what was assigned by hand stays. It is done every
/// morning by itself.
#[utoipa::path(post, path = "/assignment-rules/apply", tag = "campaigns", request_body = ApplyAsk,
    responses((status = 200, description = "What it did", body = doc::Assigned), (status = 422, body = doc::Problem)))]
async fn apply(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<ApplyAsk>,
) -> Result<Json<Assigned>, Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let done = state
        .center
        .assign(caller.asks_as(), body.client_id)
        .await?;
    Ok(Json(done))
}

/// Debtors and who works them from now on; without a campaign, team and agent they are nobody's.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandAsk {
    /// Of one client, 200 at most.
    #[schema(value_type = Vec<uuid::Uuid>)]
    debtors: Vec<DebtorId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    campaign_id: Option<CampaignId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
}

/// How many were assigned.
#[derive(Serialize, ToSchema)]
pub(crate) struct HandDone {
    assigned: usize,
}

/// Gives debtors to a campaign, a team or an agent by hand; rules leave them alone from then on.
#[utoipa::path(post, path = "/assignments", tag = "campaigns", request_body = HandAsk,
    responses((status = 200, description = "Assigned", body = HandDone), (status = 422, body = doc::Problem)))]
async fn by_hand(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<HandAsk>,
) -> Result<Json<HandDone>, Problem> {
    check::range("debtors", body.debtors.len(), 1, LISTED_MAX)?;
    if let Some(team) = body.team_id {
        members(&state, team).await?;
    }
    if let Some(agent) = body.agent_id {
        ours(state.store.get_agent(agent).await, "agent_id", |_| true)?;
    }
    let (mut rows, mut events) = (Vec::new(), Vec::new());
    for id in &body.debtors {
        let debtor = state.own_debtor(&caller, *id).await?;
        if let Some(campaign) = body.campaign_id {
            let found = state.store.get_campaign(campaign).await;
            ours(found, "campaign_id", |c| c.client_id == debtor.client_id)?;
        }
        let data = json!({
            "campaign_id": body.campaign_id, "team_id": body.team_id, "agent_id": body.agent_id,
        });
        let (client, subject) = (Some(debtor.client_id), format!("debtor:{id}"));
        events.push(state.event(caller.actor(), client, "debtor.assigned", subject, data));
        rows.push(Assignment {
            debtor_id: *id,
            client_id: debtor.client_id,
            rule_id: None,
            campaign_id: body.campaign_id,
            team_id: body.team_id,
            agent_id: body.agent_id,
            assigned_at: state.now(),
        });
    }
    state.store.assign(&rows, &events).await?;
    Ok(Json(HandDone {
        assigned: rows.len(),
    }))
}
