//! Messages for mailboxes: written, checked for what tells of a debt, approved by a person.

use super::callers::heard;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::entity::{Language, VoicemailPart, VoicemailTemplate};
use domain::ids::{ClientId, UserId, VoicemailId};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
        .routes(routes!(approve))
        .routes(routes!(sound))
}

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VoicemailQuery {
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
}

/// A part of a message: `recorded` has a `name`, `text` a `text`, `number` nothing more.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct PartShape {
    /// `recorded`, `text`, `number`.
    kind: String,
    /// A recording in the folder of prompts, without language and ending.
    name: Option<String>,
    /// Words; `{company}`, `{number}` and `{person}` stand for what holds at the call.
    text: Option<String>,
}

/// A message as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoicemailBody {
    /// Whose; it stays when a message is replaced.
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
    name: String,
    #[schema(value_type = doc::Language)]
    language: Language,
    /// At most 12, with at most 400 characters of text; the number has to be among them.
    #[schema(value_type = Vec<PartShape>)]
    parts: Vec<VoicemailPart>,
    /// Whom to ask for.
    person: String,
}

/// A message for mailboxes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Voicemail {
    #[schema(value_type = uuid::Uuid)]
    id: VoicemailId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    name: String,
    #[schema(value_type = doc::Language)]
    language: Language,
    #[schema(value_type = Vec<PartShape>)]
    parts: Vec<VoicemailPart>,
    person: String,
    /// Only an approved message is left.
    #[schema(value_type = Option<uuid::Uuid>)]
    approved_by: Option<UserId>,
    version: i32,
    #[schema(value_type = doc::Instant)]
    created_at: UtcMs,
    #[schema(value_type = doc::Instant)]
    updated_at: UtcMs,
}

impl From<VoicemailTemplate> for Voicemail {
    fn from(row: VoicemailTemplate) -> Self {
        Self {
            id: row.id,
            client_id: row.client_id,
            name: row.name,
            language: row.language,
            parts: row.parts,
            person: row.person,
            approved_by: row.approved_by,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: VoicemailTemplate,
    action: &str,
) -> Result<Voicemail, Problem> {
    caller.may_write(row.client_id)?;
    domain::rules::voicemail::check(&row)
        .map_err(|reason| Problem::invalid("parts", reason.to_string()))?;
    let subject = format!("voicemail:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_voicemail(&row, &[event]).await?;
    Ok(row.into())
}

/// Messages by name.
#[utoipa::path(get, path = "/voicemail-templates", tag = "campaigns", params(VoicemailQuery),
    responses((status = 200, description = "All, at most 100", body = Items<Voicemail>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<VoicemailQuery>,
) -> Result<Json<Items<Voicemail>>, Problem> {
    let client = caller.narrow(query.client)?;
    let rows = state.store.list_voicemails(client).await?;
    Ok(Json(Items {
        items: rows.into_iter().map(Voicemail::from).collect(),
        next_cursor: None,
    }))
}

/// One.
#[utoipa::path(get, path = "/voicemail-templates/{id}", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The thing", body = Voicemail), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VoicemailId>,
) -> Result<Json<Voicemail>, Problem> {
    let row = state.store.get_voicemail(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?.into()))
}

/// Writes a message; nobody hears it before it is approved.
#[utoipa::path(post, path = "/voicemail-templates", tag = "campaigns", request_body = VoicemailBody,
    responses((status = 201, description = "Made", body = Voicemail), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<VoicemailBody>,
) -> Result<(StatusCode, Json<Voicemail>), Problem> {
    let client = body.client_id.or(caller.client);
    let client = client.ok_or_else(|| Problem::invalid("client_id", "expected a client"))?;
    caller.may_write(client)?;
    state.client_exists(client).await?;
    let now = state.now();
    let row = VoicemailTemplate {
        id: VoicemailId(state.id()),
        client_id: client,
        name: check::name("name", &body.name)?,
        language: body.language,
        parts: body.parts,
        person: check::name("person", &body.person)?,
        approved_by: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let row = save(&state, &caller, row, "voicemail.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a message: its next version, which has to be approved again.
#[utoipa::path(put, path = "/voicemail-templates/{id}", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = VoicemailBody,
    responses((status = 200, description = "Changed", body = Voicemail), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VoicemailId>,
    Body(body): Body<VoicemailBody>,
) -> Result<Json<Voicemail>, Problem> {
    let row = state.store.get_voicemail(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let row = VoicemailTemplate {
        name: check::name("name", &body.name)?,
        language: body.language,
        parts: body.parts,
        person: check::name("person", &body.person)?,
        approved_by: None,
        version: row.version + 1,
        updated_at: state.now(),
        ..row
    };
    Ok(Json(save(&state, &caller, row, "voicemail.changed").await?))
}

/// A message as it is heard now, with the client's call-back number.
#[utoipa::path(get, path = "/voicemail-templates/{id}/sound", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "8 kHz, mono", body = Vec<u8>, content_type = "audio/wav"),
        (status = 409, body = doc::Problem)))]
async fn sound(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VoicemailId>,
) -> Result<Response, Problem> {
    let row = state.store.get_voicemail(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    Ok(heard(sounds(&state, &row).await?))
}

/// The message as WAV, where each of its parts can be said.
async fn sounds(state: &ApiState, row: &VoicemailTemplate) -> Result<Vec<u8>, Problem> {
    let wav = state.center.voicemail_sound(row).await?;
    let reason = "a part is not recorded, or its words cannot be spoken here";
    wav.ok_or_else(|| Problem::conflict("no_sound", reason))
}

/// Which version is approved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoicemailApproval {
    /// `version` of the message as it was heard.
    version: i32,
}

/// Approves a message as it was heard.
#[utoipa::path(post, path = "/voicemail-templates/{id}/approve", tag = "campaigns",
    params(("id" = uuid::Uuid, Path)), request_body = VoicemailApproval,
    responses((status = 200, description = "Approved", body = Voicemail), (status = 404, body = doc::Problem),
        (status = 409, body = doc::Problem)))]
async fn approve(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VoicemailId>,
    Body(body): Body<VoicemailApproval>,
) -> Result<Json<Voicemail>, Problem> {
    let row = state.store.get_voicemail(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    caller.may_write(row.client_id)?;
    if row.version != body.version {
        let reason = format!("it is at version {} now: hear that one first", row.version);
        return Err(Problem::conflict("version_conflict", reason));
    }
    sounds(&state, &row).await?;
    let row = VoicemailTemplate {
        approved_by: Some(caller.user),
        updated_at: state.now(),
        ..row
    };
    Ok(Json(
        save(&state, &caller, row, "voicemail.approved").await?,
    ))
}
