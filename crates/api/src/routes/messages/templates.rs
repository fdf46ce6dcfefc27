//! Templates of messages, their versions, and how they look for real debtors.

use super::{listed, narrowed};
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, ListQuery};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::{CenterError, TextChoice};
use domain::entity::{Channel, Language, Stage, TextTemplate, Tone};
use domain::ids::{ClientId, DebtId, DebtorId, TextTemplateId};
use domain::pii::Pii;
use domain::ports::store::{ListFilter, PageRequest};
use domain::rules::disclosure::{self, EMAIL_PREVIEW, tells_opt_out};
use domain::rules::template::{
    self, EMAIL_MAX, SMS_MAX, SUBJECT_MAX, TemplateFault, VARIABLES, WHATSAPP_MAX,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Debtors of a preview when nobody is named.
const PREVIEW_ROWS: u32 = 5;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
        .routes(routes!(versions))
        .routes(routes!(preview))
}

/// A template as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextTemplateBody {
    /// Stays when a template is replaced.
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    name: String,
    #[schema(value_type = doc::Channel)]
    channel: Channel,
    #[schema(value_type = doc::Language)]
    language: Language,
    #[schema(value_type = doc::Tone)]
    tone: Tone,
    /// Of an e-mail; one line.
    #[serde(default)]
    subject: String,
    /// Text; variables are `debtor.name`, `debtor.first_name`, `client.name`, `client.phone`, `company.name`,
    /// `debt.reference`, `debt.product`, `debt.balance`, `debt.overdue`, `debt.minimum`, `debt.due_date`,
    /// `promise.amount`, `promise.due_date`, `payment.link`, `optout`, each in braces. What is seen without
    /// opening it (an SMS or WhatsApp as a whole, of an e-mail the subject and the first 140 characters) holds
    /// no amount, creditor, product or word of debt: 422 `template_shows`.
    body: String,
    /// Template that the provider approved (WhatsApp).
    #[serde(default)]
    provider_name: String,
    /// The provider's code of the language in which it approved it (`es`, `es_MX`); absent or empty: the plain one
    /// of the language.
    #[serde(default)]
    provider_language: String,
    /// Whether it may be used; yes when absent.
    active: Option<bool>,
    /// The version that was read; another one in the database is 409 `version_conflict`.
    version: Option<i32>,
}

fn fault(path: &str, fault: &TemplateFault) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "template_variable",
        format!("{path}: {fault}"),
    )
    .at(path, &fault.to_string())
}

fn checked(
    state: &ApiState,
    body: TextTemplateBody,
    row: &mut TextTemplate,
) -> Result<(), Problem> {
    let most = match body.channel {
        Channel::Sms => SMS_MAX,
        Channel::Whatsapp => WHATSAPP_MAX,
        Channel::Email => EMAIL_MAX,
        _ => {
            return Err(Problem::invalid(
                "channel",
                "expected sms, whatsapp or email",
            ));
        }
    };
    template::check(&body.body, most).map_err(|f| fault("body", &f))?;
    if body.channel == Channel::Email {
        template::check(&body.subject, SUBJECT_MAX).map_err(|f| fault("subject", &f))?;
        if body.subject.contains(['\n', '\r']) {
            return Err(Problem::invalid("subject", "expected one line"));
        }
    } else if !body.subject.is_empty() {
        return Err(Problem::invalid(
            "subject",
            "expected none: only e-mail has one",
        ));
    }
    if !body.provider_name.is_empty() {
        check::handle("provider_name", &body.provider_name, 1, check::NAME_MAX)?;
        // Nothing is added to a text that the provider has approved.
        if !tells_opt_out(&body.body) {
            let detail = "expected {optout}, or the words that opt out: nothing is added to a text \
                that the provider has approved";
            return Err(Problem::invalid("body", detail));
        }
    }
    approved_in(&body)?;
    unseen(state, &body)?;
    row.name = check::name("name", &body.name)?;
    row.channel = body.channel;
    row.language = body.language;
    row.tone = body.tone;
    row.subject = body.subject.trim().to_owned();
    row.body = body.body.trim().to_owned();
    row.provider_name = body.provider_name;
    row.provider_language = body.provider_language;
    row.active = body.active.unwrap_or(true);
    Ok(())
}

/// Refuses a code of a language that is not the text's, or that belongs to no approved text.
fn approved_in(body: &TextTemplateBody) -> Result<(), Problem> {
    let code = body.provider_language.as_str();
    if code.is_empty() {
        return Ok(());
    }
    let country = code.strip_prefix(body.language.as_str());
    let fits = country.is_some_and(|rest| {
        let land = rest.strip_prefix('_').unwrap_or_default();
        rest.is_empty() || (land.len() == 2 && land.bytes().all(|b| b.is_ascii_uppercase()))
    });
    if fits && !body.provider_name.is_empty() {
        return Ok(());
    }
    let detail = "expected the provider's code of the language of an approved text, as es or es_MX";
    Err(Problem::invalid("provider_language", detail))
}

/// Refuses a text that would tell of the debt before it is opened, unless some pack lets its channel do so: what
/// the debtor's own packs say is asked when it leaves.
fn unseen(state: &ApiState, body: &TextTemplateBody) -> Result<(), Problem> {
    let shows = disclosure::shown(body.channel, &body.subject, &body.body)
        .map_err(|f| fault("body", &f))?;
    let Some(shows) = shows.filter(|_| !state.center.may_show(body.channel)) else {
        return Ok(());
    };
    let where_ = match body.channel {
        Channel::Email => {
            format!("the subject and the first {EMAIL_PREVIEW} characters of the text")
        }
        _ => "the text".to_owned(),
    };
    let detail = format!(
        "{where_} can be seen without opening it: no amount, creditor, product or word of debt there; \
            found {}",
        shows.what
    );
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "template_shows",
        format!("{}: {detail}", shows.place),
    )
    .at(shows.place, &detail))
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: TextTemplate,
    action: &str,
) -> Result<TextTemplate, Problem> {
    let subject = format!("text_template:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_text_template(&row, &[event]).await?;
    Ok(row)
}

/// A page, oldest first.
#[utoipa::path(get, path = "/text-templates", tag = "messages", params(ListQuery),
    responses((status = 200, description = "A page", body = Items<doc::TextTemplate>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<Items<TextTemplate>>, Problem> {
    let (client, page) = narrowed(&caller, query)?;
    let found = state.store.text_templates(client, &page).await;
    listed(&state, &caller, found).await
}

/// One.
#[utoipa::path(get, path = "/text-templates/{id}", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The template", body = doc::TextTemplate)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TextTemplateId>,
) -> Result<Json<TextTemplate>, Problem> {
    let row = state.store.get_text_template(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?))
}

/// Makes a template.
#[utoipa::path(post, path = "/text-templates", tag = "messages", request_body = TextTemplateBody,
    responses((status = 201, description = "Made", body = doc::TextTemplate), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<TextTemplateBody>,
) -> Result<(StatusCode, Json<TextTemplate>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let now = state.now();
    let mut row = TextTemplate {
        id: TextTemplateId(state.id()),
        client_id: body.client_id,
        name: String::new(),
        channel: body.channel,
        language: body.language,
        tone: body.tone,
        subject: String::new(),
        body: String::new(),
        provider_name: String::new(),
        provider_language: String::new(),
        active: true,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    checked(&state, body, &mut row)?;
    let row = save(&state, &caller, row, "text_template.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a template; its version grows by one and the one before is kept.
#[utoipa::path(put, path = "/text-templates/{id}", tag = "messages", params(("id" = uuid::Uuid, Path)),
    request_body = TextTemplateBody,
    responses((status = 200, description = "Changed", body = doc::TextTemplate), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TextTemplateId>,
    Body(body): Body<TextTemplateBody>,
) -> Result<Json<TextTemplate>, Problem> {
    let row = state.store.get_text_template(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if body.version.is_some_and(|v| v != row.version) {
        let detail = format!("version {} is stored: read it again", row.version);
        return Err(Problem::conflict("version_conflict", detail));
    }
    if body.client_id != row.client_id {
        return Err(Problem::invalid(
            "client_id",
            "expected the template's client",
        ));
    }
    checked(&state, body, &mut row)?;
    row.version = row.version.saturating_add(1);
    row.updated_at = state.now();
    Ok(Json(
        save(&state, &caller, row, "text_template.changed").await?,
    ))
}

/// Every version of a template, oldest first.
#[utoipa::path(get, path = "/text-templates/{id}/versions", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "All of them", body = Items<doc::TextTemplate>)))]
async fn versions(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TextTemplateId>,
) -> Result<Json<Items<TextTemplate>>, Problem> {
    let row = state.store.get_text_template(id).await?;
    tenant::seen(&state, &caller, row).await?;
    let rows = state.store.text_template_versions(id).await?;
    Ok(Json(Items::all(rows)))
}

/// For whom a template is filled in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewAsk {
    /// Absent: the first five debtors of the client.
    #[schema(value_type = Option<uuid::Uuid>)]
    debtor_id: Option<DebtorId>,
    /// Absent: his oldest debt.
    #[schema(value_type = Option<uuid::Uuid>)]
    debt_id: Option<DebtId>,
}

/// A template filled in for one debtor.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewRow {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    external_ref: String,
    subject: String,
    #[schema(value_type = String)]
    body: Pii<String>,
    /// Why it cannot be sent to him, with the variable's name; null when it can.
    missing: Option<String>,
    /// Which text of this name a step that names no tone sends to him; null where he has no debt.
    choice: Option<PreviewChoice>,
}

/// Which text under a template's name goes to a debtor by its channel when a step names no tone, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewChoice {
    /// Stage of his debt.
    #[schema(value_type = doc::Stage)]
    stage: Stage,
    /// Tone that is wanted for it.
    #[schema(value_type = doc::Tone)]
    wanted: Tone,
    /// Who says so: `terms` (the client's, for the stage) or `house`.
    why: String,
    /// The text that is sent; null where none may be used.
    #[schema(value_type = Option<uuid::Uuid>)]
    template_id: Option<TextTemplateId>,
    /// Its tone: another one than is wanted where there is no text in that one (softer ones first).
    #[schema(value_type = Option<doc::Tone>)]
    tone: Option<Tone>,
}

impl From<TextChoice> for PreviewChoice {
    fn from(choice: TextChoice) -> Self {
        Self {
            stage: choice.stage,
            wanted: choice.wanted,
            why: choice.why.to_string(),
            template_id: choice.template.map(|(id, _)| id),
            tone: choice.template.map(|(_, tone)| tone),
        }
    }
}

/// How a template looks for real debtors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewReply {
    rows: Vec<PreviewRow>,
    /// Variables that there are.
    variables: Vec<String>,
}

async fn shown(
    state: &ApiState,
    template: &TextTemplate,
    debtor: DebtorId,
    debt: Option<DebtId>,
) -> Result<PreviewRow, Problem> {
    let facts = state.store.contact_facts(debtor, state.now()).await?;
    let done = state.center.preview_template(template, &facts, debt).await;
    let (subject, body, missing) = match done {
        Ok(text) => (text.subject, text.body, None),
        Err(CenterError::Invalid { detail, .. }) => {
            (String::new(), Pii(String::new()), Some(detail))
        }
        Err(other) => return Err(other.into()),
    };
    let choice = state.center.text_choice(template, &facts, debt).await?;
    Ok(PreviewRow {
        choice: choice.map(PreviewChoice::from),
        debtor_id: debtor,
        external_ref: facts.debtor.external_ref,
        subject,
        body,
        missing,
    })
}

/// Fills a template in for real debtors; nothing is sent.
#[utoipa::path(post, path = "/text-templates/{id}/preview", tag = "messages", params(("id" = uuid::Uuid, Path)),
    request_body = PreviewAsk, responses((status = 200, description = "How it looks", body = PreviewReply)))]
async fn preview(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TextTemplateId>,
    Body(body): Body<PreviewAsk>,
) -> Result<Json<PreviewReply>, Problem> {
    let row = state.store.get_text_template(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let debtors = match body.debtor_id {
        Some(debtor) => {
            let found = state.own_debtor(&caller, debtor).await?;
            if found.client_id != row.client_id {
                return Err(Problem::invalid(
                    "debtor_id",
                    "expected a debtor of the template's client",
                ));
            }
            vec![debtor]
        }
        None => {
            let filter = ListFilter {
                client_id: Some(row.client_id),
                ..ListFilter::default()
            };
            let page = PageRequest {
                limit: PREVIEW_ROWS,
                cursor: None,
            };
            let found = state.store.debtor_page(&filter, &page).await?;
            found.items.iter().map(|d| d.id).collect()
        }
    };
    let mut rows = Vec::with_capacity(debtors.len());
    for debtor in debtors {
        rows.push(shown(&state, &row, debtor, body.debt_id).await?);
    }
    let variables = VARIABLES.iter().map(|v| (*v).to_owned()).collect();
    Ok(Json(PreviewReply { rows, variables }))
}
