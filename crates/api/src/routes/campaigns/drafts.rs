//! A portfolio's file as a difference: read, shown, accepted or thrown away, and taken back.

use super::at_once::keep;
use super::import_view::ImportView;
use super::imports::{map_value, portfolio_of, problem};
use super::placements::PlacementBody;
use super::turns::{Here, Long, Turns};
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::importer::{Flow, ImportError};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::entity::{GonePolicy, Import, ImportKind, ImportState};
use domain::ids::{ClientId, ImportId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::RowFault;
use serde::Deserialize;
use std::future::Future;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    // A file is as long as the importer's own limit lets it be.
    let draft = OpenApiRouter::new()
        .routes(routes!(draft))
        .layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, discard))
        .routes(routes!(accept))
        .routes(routes!(undo))
        .routes(routes!(again))
        .merge(draft)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DraftQuery {
    /// Owner; a caller with a client may leave it out.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Name or id.
    portfolio: String,
    /// `portfolio` (default) or `consents`: what the file is about.
    #[param(value_type = Option<String>)]
    kind: Option<ImportKind>,
    /// JSON, `{"source column":"target"}` or the whole map. Without it the portfolio's remembered map for
    /// this header is taken; what none says is detected where the file is clear.
    map: Option<String>,
    /// Name of the file, for people.
    file_name: Option<String>,
    /// `false`: answer (202) once the file is kept; `GET /imports/{id}` then tells how far it is read.
    wait: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Owner; a caller with a client sees his own.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this portfolio's files.
    #[param(value_type = Option<uuid::Uuid>)]
    portfolio: Option<PortfolioId>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptBody {
    /// `keep` (default) or `recall`: what happens to open debts that the file does not name.
    gone: Option<String>,
    /// `keep` (default) or `merge`: what happens to debtors of the portfolio with the same document.
    duplicates: Option<String>,
    /// The placement that its new debts belong to.
    placement: Option<PlacementBody>,
    /// `false`: answer (202) at once; `GET /imports/{id}` then tells how far it is written.
    wait: Option<bool>,
}

impl ApiState {
    /// What carries files along.
    pub(crate) fn flow(&self) -> Flow {
        Flow {
            store: Arc::clone(&self.store),
            ids: Arc::clone(&self.ids),
            clock: Arc::clone(&self.clock),
        }
    }
}

/// Files, newest first.
#[utoipa::path(get, path = "/imports", tag = "imports", params(ListQuery),
    responses((status = 200, description = "Newest first", body = Items<ImportView>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<Items<ImportView>>, Problem> {
    let client = caller.narrow(query.client)?;
    let page = page_request(query.limit, query.cursor)?;
    let rows = state.store.imports_page(client, query.portfolio, &page);
    let rows = rows.await.map_err(list_problem)?;
    let mut items = Vec::with_capacity(rows.items.len());
    for row in rows.items {
        items.push(ImportView::of(&state, row).await?);
    }
    Ok(Json(Items {
        items,
        next_cursor: rows.next_cursor,
    }))
}

/// One file: where it is, what it would change, what it did.
#[utoipa::path(get, path = "/imports/{id}", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The file", body = ImportView), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<Json<ImportView>, Problem> {
    let row = own(&state, &caller, id).await?;
    Ok(Json(ImportView::of(&state, row).await?))
}

pub(super) async fn own(
    state: &ApiState,
    caller: &Caller,
    id: ImportId,
) -> Result<Import, Problem> {
    let row = state.store.get_import(id).await?;
    tenant::seen(state, caller, row).await
}

/// Takes the turn of the caller's file, when it is in one of these states.
async fn taken(
    state: &ApiState,
    caller: &Caller,
    id: ImportId,
    (wanted, long): (&[ImportState], Long),
) -> Result<(Import, Turns), Problem> {
    in_state(&own(state, caller, id).await?, wanted)?;
    let here = Here::take(state, id, long)?;
    let turns = here.everywhere(state, id).await?;
    // Another process may have worked on it until now.
    let row = own(state, caller, id).await;
    let row = row.and_then(|row| in_state(&row, wanted).map(|()| row));
    match row {
        Ok(row) => Ok((row, turns)),
        Err(fault) => {
            turns.end().await;
            Err(fault)
        }
    }
}

/// Does the work in a task of its own, which goes on when the caller hangs up.
async fn in_turn(
    state: &ApiState,
    (wait, done): (bool, StatusCode),
    (row, turns): (Import, Turns),
    work: impl Future<Output = Result<Import, Problem>> + Send + 'static,
) -> Result<(StatusCode, Json<ImportView>), Problem> {
    let task = tokio::spawn(async move {
        let done = work.await;
        turns.end().await;
        done
    });
    if !wait {
        let view = ImportView::of(state, row).await?;
        return Ok((StatusCode::ACCEPTED, Json(view)));
    }
    let row = task.await.map_err(|_| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the import broke off: do it again, it goes on where it was",
        )
    })??;
    Ok((done, Json(ImportView::of(state, row).await?)))
}

/// Reads a kept file; one that cannot be read is thrown away, with the reason.
pub(super) async fn read_kept(
    state: ApiState,
    actor: String,
    mut row: Import,
    told: impl Fn(u64) + Send,
) -> Result<Import, Problem> {
    let flow = state.flow();
    let done = flow.read(&mut row, |_| (), told).await;
    if let Err(error) = done {
        // A store that is away says nothing of the file: it can be read again.
        let ours = matches!(error, ImportError::Store(_) | ImportError::Read(_));
        let reason = error.to_string();
        let fault = problem(error);
        if ours {
            return Err(fault);
        }
        row.faults = vec![RowFault {
            row: 0,
            column: String::new(),
            value: String::new(),
            reason,
        }];
        throw_away(&state, &actor, row).await?;
        return Err(fault);
    }
    flow.save(&row, &actor, "import.ready").await?;
    tracing::info!(import = %row.id, rows = row.difference.rows, refused = row.difference.refused, "file read");
    Ok(row)
}

/// Reads a file (CSV or XLSX) and shows what it would change: new, changed by field, paid, gone, refused.
/// Nothing of it can be seen anywhere until it is accepted.
#[utoipa::path(post, path = "/imports/drafts", tag = "imports", params(DraftQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 201, description = "Read", body = ImportView), (status = 202, description = "Kept, being read", body = ImportView),
        (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn draft(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    Params(query): Params<DraftQuery>,
    request: Request,
) -> Result<(StatusCode, Json<ImportView>), Problem> {
    let client = caller
        .narrow(query.client)?
        .ok_or_else(|| Problem::invalid("client", "name the client the file belongs to"))?;
    let portfolio = portfolio_of(&state, client, &query.portfolio).await?;
    let map = map_value(query.map.as_deref())?;
    let (flow, actor) = (state.flow(), caller.actor());
    let name = query.file_name.unwrap_or_default();
    let kind = query.kind.unwrap_or(ImportKind::Portfolio);
    let mut row = flow.begin((&portfolio, kind), &name, map, actor.clone());
    let here = Here::take(&state, row.id, Long::Yes)?;
    flow.save(&row, &actor, "import.read").await?;
    let turns = here.everywhere(&state, row.id).await?;
    if let Err(fault) = keep(&state, &mut row, request).await {
        let done = throw_away(&state, &actor, row).await;
        turns.end().await;
        return done.and(Err(fault));
    }
    let work = read_kept(state.clone(), actor, row.clone(), turns.file.told());
    let wait = (query.wait.unwrap_or(true), StatusCode::CREATED);
    in_turn(&state, wait, (row, turns), work).await
}

/// Reads a file again whose reading broke off (a server that died).
#[utoipa::path(post, path = "/imports/{id}/read", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Read", body = ImportView), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn again(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<(StatusCode, Json<ImportView>), Problem> {
    let wanted = [ImportState::Reading, ImportState::Ready];
    let (row, turns) = taken(&state, &caller, id, (&wanted, Long::Yes)).await?;
    if row.bytes == 0 {
        turns.end().await;
        return Err(Problem::conflict(
            "wrong_state",
            "its upload broke off: discard it and send the file again",
        ));
    }
    let work = read_kept(
        state.clone(),
        caller.actor(),
        row.clone(),
        turns.file.told(),
    );
    in_turn(&state, (true, StatusCode::OK), (row, turns), work).await
}

pub(super) async fn throw_away(
    state: &ApiState,
    actor: &str,
    mut row: Import,
) -> Result<(), Problem> {
    row.state = ImportState::Discarded;
    state.store.drop_pieces(row.id).await?;
    Ok(state.flow().save(&row, actor, "import.discarded").await?)
}

/// Throws a file away that was not accepted.
#[utoipa::path(delete, path = "/imports/{id}", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Thrown away"), (status = 409, body = doc::Problem)))]
async fn discard(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<StatusCode, Problem> {
    let wanted = [ImportState::Reading, ImportState::Ready];
    let (row, turns) = taken(&state, &caller, id, (&wanted, Long::No)).await?;
    let done = throw_away(&state, &caller.actor(), row).await;
    turns.end().await;
    done.map(|()| StatusCode::NO_CONTENT)
}

pub(super) fn in_state(row: &Import, wanted: &[ImportState]) -> Result<(), Problem> {
    if wanted.contains(&row.state) {
        return Ok(());
    }
    let names: Vec<&str> = wanted.iter().map(|s| s.as_str()).collect();
    Err(Problem::conflict(
        "wrong_state",
        format!(
            "the import is {}: expected {}",
            row.state,
            names.join(" or ")
        ),
    ))
}

/// Writes what the difference shows. It goes on when the caller hangs up; one that broke off (a server that
/// died) goes on behind the last batch when it is accepted again, or is taken back by undo.
#[utoipa::path(post, path = "/imports/{id}/accept", tag = "imports", params(("id" = uuid::Uuid, Path)),
    request_body = AcceptBody,
    responses((status = 200, description = "Written", body = ImportView), (status = 202, description = "Being written", body = ImportView),
        (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn accept(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
    Body(body): Body<AcceptBody>,
) -> Result<(StatusCode, Json<ImportView>), Problem> {
    let gone = match &body.gone {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| Problem::invalid("gone", "expected keep or recall"))?,
        ),
    };
    // What broke off merges as it was asked to, unless he says otherwise.
    let merges = match body.duplicates.as_deref() {
        None => None,
        Some("keep") => Some(false),
        Some("merge") => Some(true),
        Some(_) => return Err(Problem::invalid("duplicates", "expected keep or merge")),
    };
    let wanted = [ImportState::Ready, ImportState::Accepting];
    let (mut row, turns) = taken(&state, &caller, id, (&wanted, Long::Yes)).await?;
    row.gone = gone.unwrap_or(row.gone);
    row.merges = merges.unwrap_or(row.merges);
    let asks_more = row.gone == GonePolicy::Recall || row.merges || body.placement.is_some();
    if row.kind == ImportKind::Consents && asks_more {
        turns.end().await;
        return Err(Problem::invalid(
            "gone",
            "a file of consents recalls nothing, merges nobody and has no placement",
        ));
    }
    let actor = caller.actor();
    let begun = begin(&state, &mut row, body.placement, &actor).await;
    if let Err(fault) = begun {
        turns.end().await;
        return Err(fault);
    }
    let (flow, told, begun) = (state.flow(), turns.file.told(), row.clone());
    let work = async move {
        let written = flow.write(&row, told).await;
        let mut row = written.map_err(problem).inspect_err(
            |fault| tracing::warn!(import = %id, code = fault.code(), "import broke off"),
        )?;
        flow.accept(&mut row, &actor).await?;
        Ok(row)
    };
    let wait = (body.wait.unwrap_or(true), StatusCode::OK);
    in_turn(&state, wait, (begun, turns), work).await
}

/// Notes that the file is being accepted, with its placement; one that is accepted again keeps the one it
/// has.
pub(super) async fn begin(
    state: &ApiState,
    row: &mut Import,
    placement: Option<PlacementBody>,
    actor: &str,
) -> Result<(), Problem> {
    alone(state, row).await?;
    if let Some(placement) = placement {
        let placement = placement.row(state, row, actor.to_owned())?;
        row.placement_id = Some(placement.id);
        placement.put(state, "placement.received").await?;
    }
    row.state = ImportState::Accepting;
    let flow = state.flow();
    let saved = match flow.save(row, actor, "import.accepting").await {
        // Another node was faster by a moment with another file of the portfolio.
        Err(StoreError::Conflict(_)) => {
            alone(state, row).await?;
            flow.save(row, actor, "import.accepting").await
        }
        saved => saved,
    };
    saved.map_err(half_in)
}

/// Waits for another file of the portfolio that is being written.
async fn alone(state: &ApiState, row: &Import) -> Result<(), Problem> {
    let half = state.flow().half_in(row).await?;
    half.map_or(Ok(()), |half| {
        let code = if half.at_work {
            "import_running"
        } else {
            "half_import"
        };
        Err(Problem::conflict(code, half.to_string()))
    })
}

fn half_in(error: StoreError) -> Problem {
    match error {
        StoreError::Conflict(text) => Problem::conflict("half_import", text),
        other => other.into(),
    }
}

/// Takes an import back: what it made is removed, what it changed is as before. Attempts, ledger rows,
/// promises and payments made meanwhile stay, and so does what they belong to. Only the newest import
/// of a portfolio can be taken back; one whose writing broke off too.
#[utoipa::path(post, path = "/imports/{id}/undo", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Taken back", body = ImportView), (status = 409, body = doc::Problem)))]
async fn undo(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<(StatusCode, Json<ImportView>), Problem> {
    let wanted = [
        ImportState::Accepted,
        ImportState::Undoing,
        ImportState::Accepting,
    ];
    let (mut row, turns) = taken(&state, &caller, id, (&wanted, Long::No)).await?;
    let later = match state.store.later_import(id).await {
        Ok(false) => None,
        Ok(true) => Some(Problem::conflict(
            "later_import",
            "a later file was taken into the portfolio: take that back first",
        )),
        Err(error) => Some(error.into()),
    };
    if let Some(fault) = later {
        turns.end().await;
        return Err(fault);
    }
    row.state = ImportState::Undoing;
    let (flow, actor, begun) = (state.flow(), caller.actor(), row.clone());
    let work = async move {
        let saved = flow.save(&row, &actor, "import.undoing").await;
        saved.map_err(half_in)?;
        flow.undo(&mut row).await?;
        flow.save(&row, &actor, "import.undone").await?;
        Ok(row)
    };
    in_turn(&state, (true, StatusCode::OK), (begun, turns), work).await
}
