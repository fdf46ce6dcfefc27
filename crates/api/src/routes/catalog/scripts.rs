//! Scripts: what agents are to say.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Objection, Script, ScriptStep};
use domain::ids::{ClientId, ScriptId};
use domain::rules::objection;
use serde::Deserialize;
use std::collections::HashSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/scripts",
    "/scripts/{id}",
    Script,
    Script,
    ScriptId,
    list_scripts,
    get_script
);

/// Most steps of a script.
const STEPS_MAX: usize = 50;
/// Longest text of a step, characters.
const STEP_TEXT_MAX: usize = 4_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A new script.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewScript {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    name: String,
    /// In order, 1 to 50.
    #[schema(value_type = Vec<doc::ScriptStep>)]
    steps: Vec<ScriptStep>,
    /// In order, at most 40; none when absent.
    #[schema(value_type = Option<Vec<doc::Objection>>)]
    objections: Option<Vec<Objection>>,
}

/// A script as it is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptBody {
    name: String,
    #[schema(value_type = Vec<doc::ScriptStep>)]
    steps: Vec<ScriptStep>,
    /// They stay when absent.
    #[schema(value_type = Option<Vec<doc::Objection>>)]
    objections: Option<Vec<Objection>>,
    /// The version that was read; another one in the database is 409 `version_conflict`.
    version: Option<i32>,
}

fn check_steps(steps: Vec<ScriptStep>) -> Result<Vec<ScriptStep>, Problem> {
    if steps.is_empty() || steps.len() > STEPS_MAX {
        return Err(Problem::invalid(
            "steps",
            format!("expected 1 to {STEPS_MAX} steps"),
        ));
    }
    let mut keys = HashSet::new();
    for (at, step) in steps.iter().enumerate() {
        let path = |field: &str| format!("steps[{at}].{field}");
        check::handle(&path("key"), &step.key, 1, check::NAME_MAX)?;
        check::name(&path("title_es"), &step.title_es)?;
        check::name(&path("title_en"), &step.title_en)?;
        check::text(&path("text_es"), &step.text_es, STEP_TEXT_MAX)?;
        check::text(&path("text_en"), &step.text_en, STEP_TEXT_MAX)?;
        if !keys.insert(step.key.as_str()) {
            return Err(Problem::invalid(&path("key"), "expected a key of its own"));
        }
    }
    Ok(steps)
}

fn check_objections(all: Vec<Objection>) -> Result<Vec<Objection>, Problem> {
    objection::check(&all).map_err(|w| Problem::invalid(&w.path, w.wanted))?;
    Ok(all)
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: Script,
    action: &str,
) -> Result<Script, Problem> {
    let subject = format!("script:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_script(&row, &[event]).await?;
    Ok(row)
}

/// Makes a script.
#[utoipa::path(post, path = "/scripts", tag = "catalog", request_body = NewScript,
    responses((status = 201, description = "Made", body = doc::Script), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewScript>,
) -> Result<(StatusCode, Json<Script>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let now = state.now();
    let row = Script {
        id: ScriptId(state.id()),
        client_id: body.client_id,
        name: check::name("name", &body.name)?,
        steps: check_steps(body.steps)?,
        objections: check_objections(body.objections.unwrap_or_default())?,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let row = save(&state, &caller, row, "script.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a script; its version grows by one.
#[utoipa::path(put, path = "/scripts/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = ScriptBody,
    responses((status = 200, description = "Changed", body = doc::Script), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ScriptId>,
    Body(body): Body<ScriptBody>,
) -> Result<Json<Script>, Problem> {
    let row = state.store.get_script(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if body.version.is_some_and(|v| v != row.version) {
        let detail = format!("version {} is stored: read it again", row.version);
        return Err(Problem::conflict("version_conflict", detail));
    }
    row.name = check::name("name", &body.name)?;
    row.steps = check_steps(body.steps)?;
    if let Some(objections) = body.objections {
        row.objections = check_objections(objections)?;
    }
    row.version = row.version.saturating_add(1);
    row.updated_at = state.now();
    Ok(Json(save(&state, &caller, row, "script.changed").await?))
}
