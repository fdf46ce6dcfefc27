//! Texts of letters, checked for words that none may hold, and letters as they were printed.

use super::pdf;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::entity::{Language, Letter, LetterLevel, LetterTemplate};
use domain::ids::{ClientId, DebtorId, LetterId, LetterTemplateId};
use domain::ports::{Store, StoreError};
use domain::rules::letter::{VARIABLES, fill, rude};
use domain::spoken;
use domain::time::UtcMs;
use papers::{Block, Sheet, print};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest text of a letter, characters: two pages.
const BODY_MAX: usize = 6_000;
/// Longest letterhead, characters.
const HEAD_MAX: usize = 400;
/// Letters of one debtor that are shown.
const LETTERS_SHOWN: u32 = 200;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(texts, write))
        .routes(routes!(preview))
        .routes(routes!(list))
        .routes(routes!(printed))
}

/// Whose texts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TextsQuery {
    #[param(value_type = uuid::Uuid)]
    client: ClientId,
}

/// Whose letters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LettersQuery {
    #[param(value_type = uuid::Uuid)]
    debtor: DebtorId,
}

/// A text as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextBody {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = doc::LetterLevel)]
    level: LetterLevel,
    #[schema(value_type = doc::Language)]
    language: Language,
    /// The version that it follows; 0 for the first.
    after: i32,
    /// Who writes, one line each.
    letterhead: String,
    subject: String,
    /// Paragraphs; variables in braces.
    body: String,
}

/// A text tried on a debtor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewBody {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    text: TextBody,
}

/// A letter without its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct LetterLine {
    #[schema(value_type = uuid::Uuid)]
    id: LetterId,
    #[schema(value_type = doc::LetterLevel)]
    level: LetterLevel,
    #[schema(value_type = doc::Language)]
    language: Language,
    dated: String,
    #[schema(value_type = doc::Instant)]
    made_at: UtcMs,
}

impl TextBody {
    fn row(self, state: &ApiState, caller: &Caller) -> Result<LetterTemplate, Problem> {
        let row = LetterTemplate {
            id: LetterTemplateId(state.id()),
            client_id: self.client_id,
            level: self.level,
            language: self.language,
            version: self.after.saturating_add(1),
            letterhead: check::text("letterhead", &self.letterhead, HEAD_MAX)?,
            subject: check::name("subject", &self.subject)?,
            body: check::text("body", &self.body, BODY_MAX)?,
            made_by: Some(caller.user),
            made_at: state.now(),
        };
        polite(&row)?;
        Ok(row)
    }
}

/// Refuses a text with a word of the list, at its place, and one with an unknown variable.
fn polite(row: &LetterTemplate) -> Result<(), Problem> {
    for (path, text) in [("subject", &row.subject), ("body", &row.body)] {
        let mut found = rude(text, row.language).into_iter();
        if let Some(first) = found.next() {
            let place = |w: &domain::rules::letter::RudeWord| {
                format!(
                    "line {}, column {}: \u{201c}{}\u{201d}",
                    w.line, w.column, w.word
                )
            };
            let reason = format!("a letter stays polite: {}", place(&first));
            let problem = Problem::invalid(path, reason);
            return Err(found.fold(problem, |p, w| p.at(path, &place(&w))));
        }
        let known = |name: &str| VARIABLES.contains(&name).then(String::new);
        fill(text, &known).map_err(|what| Problem::invalid(path, what))?;
    }
    Ok(())
}

/// A letter as a sheet.
pub(crate) fn sheet_of(letter: &Letter) -> Sheet {
    Sheet {
        letterhead: letter.letterhead.clone(),
        dated: spoken::date(&letter.dated, letter.language),
        addressee: letter.addressee.reveal().clone(),
        subject: letter.subject.reveal().clone(),
        blocks: vec![Block::Text(letter.body.reveal().clone())],
    }
}

/// The newest text of each level and language; version 0 is the house's own.
#[utoipa::path(get, path = "/letter-templates", tag = "plans", params(TextsQuery),
    responses((status = 200, description = "By level and language", body = Items<doc::LetterTemplate>)))]
async fn texts(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<TextsQuery>,
) -> Result<Json<Items<LetterTemplate>>, Problem> {
    let client = state.store.get_client(query.client).await?;
    let client = tenant::seen(&state, &caller, client).await?;
    let mut rows = state.store.letter_templates(client.id).await?;
    for level in LetterLevel::ALL {
        for language in [Language::Es, Language::En] {
            if !rows
                .iter()
                .any(|r| r.level == *level && r.language == language)
            {
                rows.push(state.center.house_letter(&client, *level, language));
            }
        }
    }
    Ok(Json(Items::all(rows)))
}

/// Writes the next version of a text; one with a word of the list is refused at its place.
#[utoipa::path(post, path = "/letter-templates", tag = "plans", request_body = TextBody,
    responses((status = 201, description = "In use", body = doc::LetterTemplate), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn write(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<TextBody>,
) -> Result<(StatusCode, Json<LetterTemplate>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let row = body.row(&state, &caller)?;
    let subject = format!("letter_template:{}", row.id);
    let event = state.audit(
        &caller,
        Some(row.client_id),
        subject,
        "letter_template.made",
    );
    state.store.add_letter_template(&row, &[event]).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// A text tried on a debtor, as it would be printed today; not kept, not counted.
#[utoipa::path(post, path = "/letter-templates/preview", tag = "plans", request_body = PreviewBody,
    responses((status = 200, description = "The letter", body = Vec<u8>, content_type = "application/pdf"), (status = 422, body = doc::Problem)))]
async fn preview(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<PreviewBody>,
) -> Result<Response, Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    if debtor.client_id != body.text.client_id {
        return Err(Problem::invalid(
            "debtor_id",
            "expected a debtor of the client",
        ));
    }
    let row = body.text.row(&state, &caller)?;
    let letter = state.center.preview_letter(debtor.id, row).await?;
    let sheet = sheet_of(&letter);
    let bytes = print("L", letter.language.as_str(), &[sheet]);
    Ok(pdf(bytes, "inline; filename=\"letter.pdf\""))
}

/// A debtor's letters, newest first, at most 200.
#[utoipa::path(get, path = "/letters", tag = "plans", params(LettersQuery),
    responses((status = 200, description = "Newest first", body = Items<LetterLine>), (status = 404, body = doc::Problem)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<LettersQuery>,
) -> Result<Json<Items<LetterLine>>, Problem> {
    let debtor = state.own_debtor(&caller, query.debtor).await?;
    let letters = lines(state.store.as_ref(), debtor.id).await?;
    Ok(Json(Items::all(letters)))
}

/// Letters of a debtor, without their texts.
pub(crate) async fn lines(
    store: &dyn Store,
    debtor: DebtorId,
) -> Result<Vec<LetterLine>, StoreError> {
    let rows = store.letters_of(debtor, LETTERS_SHOWN).await?;
    let line = |l: Letter| LetterLine {
        id: l.id,
        level: l.level,
        language: l.language,
        dated: l.dated,
        made_at: l.made_at,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// A letter as it was printed.
#[utoipa::path(get, path = "/letters/{id}/pdf", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The letter", body = Vec<u8>, content_type = "application/pdf"), (status = 404, body = doc::Problem)))]
async fn printed(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<LetterId>,
) -> Result<Response, Problem> {
    let letter = state.store.get_letter(id).await?;
    state.own_debtor(&caller, letter.debtor_id).await?;
    let bytes = print(
        letter.level.as_str(),
        letter.language.as_str(),
        &[sheet_of(&letter)],
    );
    Ok(pdf(bytes, "inline; filename=\"letter.pdf\""))
}
