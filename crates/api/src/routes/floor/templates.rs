//! Templates of campaigns.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::routes::campaigns::{codes_known, merged};
use crate::routes::catalog::readers;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{CampaignParams, CampaignTemplate};
use domain::ids::{CampaignTemplateId, ClientId};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "campaigns",
    "/campaign-templates",
    "/campaign-templates/{id}",
    CampaignTemplate,
    CampaignTemplate,
    CampaignTemplateId,
    list_campaign_templates,
    get_campaign_template
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A template as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateBody {
    /// Whose campaigns may begin with it; absent = any client's. It stays when a template is replaced.
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
    name: String,
    /// What it is for.
    note: Option<String>,
    /// Any of them; the others are the defaults. Segments of a mix, caller ids and keys of offers are not kept.
    #[schema(value_type = Option<doc::CampaignParams>)]
    params: Option<Map<String, Value>>,
}

/// Parameters without what belongs to one campaign alone.
fn kept(body: Option<Map<String, Value>>) -> Result<CampaignParams, Problem> {
    let mut params = merged(&CampaignParams::default(), body)?;
    params.list_mix.clear();
    params.caller_id_pool.clear();
    // Keys are of one client's terms; that no offer is made is of any.
    params.offer_policy = params.offer_policy.filter(Vec::is_empty);
    Ok(params)
}

fn note(text: Option<&str>) -> Result<String, Problem> {
    match text.map(str::trim) {
        None | Some("") => Ok(String::new()),
        Some(text) => check::text("note", text, check::TEXT_MAX),
    }
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: CampaignTemplate,
    action: &str,
) -> Result<CampaignTemplate, Problem> {
    match row.client_id {
        Some(client) => caller.may_write(client)?,
        None => caller.of_the_house()?,
    }
    let subject = format!("campaign_template:{}", row.id);
    let event = state.audit(caller, row.client_id, subject, action);
    state.store.put_campaign_template(&row, &[event]).await?;
    Ok(row)
}

/// The parameters that a new campaign of the client begins with.
pub(crate) async fn template_params(
    state: &ApiState,
    caller: &Caller,
    id: CampaignTemplateId,
    client: ClientId,
) -> Result<CampaignParams, Problem> {
    let row = state.store.get_campaign_template(id).await?;
    let row = tenant::seen(state, caller, row).await?;
    if row.client_id.is_some_and(|of| of != client) {
        let reason = "expected a template of the campaign's client, or of any";
        return Err(Problem::invalid("template_id", reason));
    }
    Ok(row.params)
}

/// The parameters, once their codes are known.
async fn told(
    state: &ApiState,
    body: Option<Map<String, Value>>,
) -> Result<CampaignParams, Problem> {
    let params = kept(body)?;
    codes_known(state, &params).await?;
    Ok(params)
}

/// Makes a template.
#[utoipa::path(post, path = "/campaign-templates", tag = "campaigns", request_body = TemplateBody,
    responses((status = 201, description = "Made", body = doc::CampaignTemplate), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<TemplateBody>,
) -> Result<(StatusCode, Json<CampaignTemplate>), Problem> {
    if let Some(client) = body.client_id {
        caller.may_write(client)?;
        state.client_exists(client).await?;
    }
    let now = state.now();
    let row = CampaignTemplate {
        id: CampaignTemplateId(state.id()),
        client_id: body.client_id.or(caller.client),
        name: check::name("name", &body.name)?,
        note: note(body.note.as_deref())?,
        params: told(&state, body.params).await?,
        made_by: Some(caller.user),
        created_at: now,
        updated_at: now,
    };
    let row = save(&state, &caller, row, "campaign_template.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a template; campaigns that began with it stay as they are.
#[utoipa::path(put, path = "/campaign-templates/{id}", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = TemplateBody,
    responses((status = 200, description = "Changed", body = doc::CampaignTemplate), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignTemplateId>,
    Body(body): Body<TemplateBody>,
) -> Result<Json<CampaignTemplate>, Problem> {
    let row = state.store.get_campaign_template(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    row.name = check::name("name", &body.name)?;
    row.note = note(body.note.as_deref())?;
    row.params = told(&state, body.params).await?;
    row.updated_at = state.now();
    Ok(Json(
        save(&state, &caller, row, "campaign_template.changed").await?,
    ))
}
