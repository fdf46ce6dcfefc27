//! A file that is taken in one step: kept, read and accepted. Who has it half sent leaves nothing behind, and one
//! whose writing breaks off goes on when it is accepted.

use super::drafts::{begin, read_kept, throw_away};
use super::imports::problem;
use super::turns::{Here, Long};
use super::upload;
use crate::ApiState;
use crate::importer::ImportError;
use crate::problem::Problem;
use axum::extract::Request;
use axum::http::StatusCode;
use domain::entity::{Import, ImportKind, Portfolio};

/// Keeps the file of a request, raw or as the part `file` of a form.
pub(super) async fn keep(
    state: &ApiState,
    row: &mut Import,
    request: Request,
) -> Result<(), Problem> {
    let flow = state.flow();
    let kept: Result<(), ImportError> = if upload::is_form(&request) {
        let mut form = upload::form(request).await?;
        let file = upload::file_of(&mut form).await?;
        flow.keep(row, upload::reader(file)).await
    } else {
        let pieces = request.into_body().into_data_stream();
        flow.keep(row, upload::reader(pieces)).await
    };
    kept.map_err(problem)
}

/// Keeps, reads and accepts a file; the row that comes back says what it did.
pub(super) async fn take(
    state: &ApiState,
    actor: String,
    (portfolio, kind, map): (Portfolio, ImportKind, serde_json::Value),
    request: Request,
) -> Result<Import, Problem> {
    let flow = state.flow();
    let mut row = flow.begin((&portfolio, kind), "", map, actor.clone());
    let here = Here::take(state, row.id, Long::Yes)?;
    flow.save(&row, &actor, "import.read").await?;
    let turns = here.everywhere(state, row.id).await?;
    if let Err(fault) = keep(state, &mut row, request).await {
        let done = throw_away(state, &actor, row).await;
        turns.end().await;
        return done.and(Err(fault));
    }
    let state = state.clone();
    // It goes on when the caller hangs up.
    let task = tokio::spawn(async move {
        let told = turns.file.told();
        let done = accept(&state, actor, row, told).await;
        turns.end().await;
        done
    });
    task.await.map_err(|_| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the import broke off: accept it, it goes on where it was",
        )
    })?
}

async fn accept(
    state: &ApiState,
    actor: String,
    row: Import,
    told: impl Fn(u64) + Send + Sync,
) -> Result<Import, Problem> {
    let flow = state.flow();
    let mut row = read_kept(state.clone(), actor.clone(), row, &told).await?;
    if let Err(fault) = begin(state, &mut row, None, &actor).await {
        return throw_away(state, &actor, row).await.and(Err(fault));
    }
    let faults = std::mem::take(&mut row.faults);
    let mut row = flow.write(&row, &told).await.map_err(problem)?;
    row.faults = faults;
    flow.accept(&mut row, &actor).await?;
    Ok(row)
}
