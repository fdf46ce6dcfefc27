//! Letters for a segment: made in the background, printed as one document.

use super::letters::sheet_of;
use super::pdf;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::entity::{BatchState, LetterBatch, LetterLevel};
use domain::ids::{ClientId, LetterBatchId, SegmentId};
use domain::ports::store::PAGE_LIMIT_MAX;
use papers::print;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(run))
        .routes(routes!(printed))
}

/// Which batches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchesQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
}

/// A batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchBody {
    /// Whom they go to, 5,000 at most.
    #[schema(value_type = uuid::Uuid)]
    segment_id: SegmentId,
    #[schema(value_type = doc::LetterLevel)]
    level: LetterLevel,
}

async fn own(state: &ApiState, caller: &Caller, id: LetterBatchId) -> Result<LetterBatch, Problem> {
    let row = state.store.get_batch(id).await?;
    tenant::seen(state, caller, row).await
}

/// Makes letters for a segment in the background; each debtor is judged by the law, and counted.
#[utoipa::path(post, path = "/letter-batches", tag = "plans", request_body = BatchBody,
    responses((status = 202, description = "Begun", body = doc::LetterBatch), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<BatchBody>,
) -> Result<(StatusCode, Json<LetterBatch>), Problem> {
    let segment = state.store.get_segment(body.segment_id).await?;
    let segment = tenant::seen(&state, &caller, segment).await?;
    let batch = LetterBatch {
        id: LetterBatchId(state.id()),
        client_id: segment.client_id,
        segment_id: Some(segment.id),
        strategy_id: None,
        level: body.level,
        state: BatchState::Running,
        total: 0,
        done: 0,
        made: 0,
        left_out: 0,
        fault: None,
        made_by: Some(caller.user),
        made_at: state.now(),
    };
    let subject = format!("letter_batch:{}", batch.id);
    let event = state.audit(&caller, Some(batch.client_id), subject, "letter_batch.made");
    state.store.put_batch(&batch, &[event]).await?;
    state.center.run_letters(batch.id);
    Ok((StatusCode::ACCEPTED, Json(batch)))
}

/// A page, oldest first.
#[utoipa::path(get, path = "/letter-batches", tag = "plans", params(BatchesQuery),
    responses((status = 200, description = "A page", body = Items<doc::LetterBatch>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<BatchesQuery>,
) -> Result<Json<Items<LetterBatch>>, Problem> {
    let client = caller.narrow(query.client)?;
    let page = page_request(query.limit, query.cursor)?;
    let page = state.store.batches_page(client, &page).await;
    Ok(Json(page.map_err(list_problem)?.into()))
}

/// How far a batch is.
#[utoipa::path(get, path = "/letter-batches/{id}", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The batch", body = doc::LetterBatch), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<LetterBatchId>,
) -> Result<Json<LetterBatch>, Problem> {
    Ok(Json(own(&state, &caller, id).await?))
}

/// Runs a batch again that failed or whose server stopped: it makes what is missing.
#[utoipa::path(post, path = "/letter-batches/{id}/run", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, description = "Begun", body = doc::LetterBatch), (status = 409, body = doc::Problem)))]
async fn run(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<LetterBatchId>,
) -> Result<(StatusCode, Json<LetterBatch>), Problem> {
    let batch = own(&state, &caller, id).await?;
    if batch.state == BatchState::Done {
        return Err(Problem::conflict("wrong_state", "all letters are made"));
    }
    state.center.run_letters(id);
    Ok((StatusCode::ACCEPTED, Json(batch)))
}

/// All letters of a batch as one document for the printer, each on a page of its own.
#[utoipa::path(get, path = "/letter-batches/{id}/pdf", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The letters", body = Vec<u8>, content_type = "application/pdf"), (status = 409, body = doc::Problem)))]
async fn printed(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<LetterBatchId>,
) -> Result<Response, Problem> {
    let batch = own(&state, &caller, id).await?;
    if batch.state != BatchState::Done {
        return Err(Problem::conflict(
            "wrong_state",
            "the letters are not all made",
        ));
    }
    let _turn = state
        .streams
        .try_acquire()
        .map_err(|_| Problem::unavailable("too many streams are open"))?;
    let (mut sheets, mut after) = (Vec::new(), None);
    loop {
        let some = state
            .store
            .letters_of_batch(id, after, PAGE_LIMIT_MAX)
            .await?;
        after = some.last().map(|l| l.id);
        sheets.extend(some.iter().map(sheet_of));
        if some.len() < PAGE_LIMIT_MAX as usize {
            break;
        }
    }
    let subject = format!("letter_batch:{id}");
    let audit = state.audit(&caller, Some(batch.client_id), subject, "letters.printed");
    state.store.append_events(&[audit]).await?;
    let level = batch.level.as_str();
    let bytes = tokio::task::spawn_blocking(move || print(level, "es", &sheets)).await;
    let bytes = bytes.map_err(|_| Problem::internal())?;
    Ok(pdf(bytes, "attachment; filename=\"letters.pdf\""))
}
