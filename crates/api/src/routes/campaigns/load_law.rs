//! What the law says of the list of a file, before it is accepted and after.

use super::drafts::{in_state, own};
use super::imports::{busy, problem};
use crate::ApiState;
use crate::auth::Caller;
use crate::doc;
use crate::extract::Id;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use center::load_law::{LOAD_SAMPLE, LoadLaw, lines_of, sampled_every};
use domain::entity::{Import, ImportKind, ImportState};
use domain::ids::ImportId;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(law))
}

/// What the law says now of the debtors whom an accepted file made or changed, or whom a file names whose difference is
/// shown: a report, which binds nobody. Before it is accepted who is on file is judged as he stands, without the file's
/// changes, and who is new (`new`) as the file says. Of a long list it asks about a sample and says so.
#[utoipa::path(get, path = "/imports/{id}/law", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The report", body = doc::LoadLawShape),
        (status = 409, description = "`wrong_state`: neither shown nor accepted", body = doc::Problem)))]
async fn law(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<Json<LoadLaw>, Problem> {
    let row = own(&state, &caller, id).await?;
    let wanted: &[ImportState] = match row.kind {
        ImportKind::Portfolio => &[ImportState::Ready, ImportState::Accepted],
        // A list of consents says of nobody that he is to be called.
        ImportKind::Consents => &[ImportState::Accepted],
    };
    in_state(&row, wanted)?;
    if row.state == ImportState::Ready {
        return preview(&state, row).await.map(Json);
    }
    Ok(Json(state.center.load_law(row).await?))
}

async fn preview(state: &ApiState, row: Import) -> Result<LoadLaw, Problem> {
    // A workbook is held whole while it is read: it takes one of the node's few turns.
    let turn = Arc::clone(&state.imports).try_acquire_owned();
    let turn = turn.map_err(|_| busy())?;
    let every = sampled_every(lines_of(&row));
    let flow = state.flow();
    let rows = flow.sample(&row, every, LOAD_SAMPLE as usize).await;
    let rows = rows.map_err(problem)?;
    drop(turn);
    // Accepted or thrown away meanwhile, its pieces may have gone while they were read.
    let now = state.store.get_import(row.id).await?;
    in_state(&now, &[ImportState::Ready])?;
    Ok(state.center.preview_law(row, rows).await?)
}
