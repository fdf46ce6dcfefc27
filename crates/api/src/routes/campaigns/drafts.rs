//! A portfolio's file as a difference: read, shown, accepted or thrown away, and taken back.

use super::imports::{FAULTS_MAX, Fault, Report, map_of, portfolio_of, problem};
use super::upload;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::importer::{self, ImportJob};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::entity::{GonePolicy, Import, ImportState};
use domain::ids::{ClientId, ImportId, PortfolioId};
use domain::ports::store::{ImportReport, RowFault};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio_util::io::StreamReader;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Bytes of a piece of a file.
const PIECE_BYTES: usize = 192 * 1024;
/// Longest name of a file, characters.
const NAME_CHARS: usize = 200;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, discard))
        .routes(routes!(accept))
        .routes(routes!(undo))
        .routes(routes!(draft))
        .layer(DefaultBodyLimit::disable())
}

/// A file on its way in.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportView {
    #[schema(value_type = uuid::Uuid)]
    id: ImportId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = uuid::Uuid)]
    portfolio_id: PortfolioId,
    file_name: String,
    /// `reading`, `ready`, `accepting`, `accepted`, `undoing`, `undone`, `discarded`.
    state: String,
    /// `keep` or `recall`: what happens to debts that the file does not name.
    gone: String,
    #[schema(value_type = String)]
    at: UtcMs,
    #[schema(value_type = Option<String>)]
    accepted_at: Option<UtcMs>,
    #[schema(value_type = Option<String>)]
    undone_at: Option<UtcMs>,
    /// Last line that was written.
    rows_done: i64,
    /// What it would change.
    difference: Report,
    /// What it did change.
    report: Report,
    /// The first 200 refused rows.
    faults: Vec<Fault>,
}

impl From<Import> for ImportView {
    fn from(row: Import) -> Self {
        Self {
            id: row.id,
            client_id: row.client_id,
            portfolio_id: row.portfolio_id,
            file_name: row.file_name,
            state: row.state.to_string(),
            gone: row.gone.to_string(),
            at: row.at,
            accepted_at: row.accepted_at,
            undone_at: row.undone_at,
            rows_done: row.rows_done,
            difference: row.difference.into(),
            report: row.report.into(),
            faults: row.faults.iter().map(Fault::from).collect(),
        }
    }
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
    /// JSON, `{"source column":"target"}`; what it does not say is detected where the file is clear.
    map: Option<String>,
    /// Name of the file, for people.
    file_name: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Owner; a caller with a client sees his own.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptBody {
    /// `keep` (default) or `recall`: what happens to open debts that the file does not name.
    gone: Option<String>,
}

/// The newest files, at most 200.
#[utoipa::path(get, path = "/imports", tag = "imports", params(ListQuery),
    responses((status = 200, description = "Newest first", body = Items<ImportView>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<Items<ImportView>>, Problem> {
    let client = caller.narrow(query.client)?;
    let rows = state.store.list_imports(client).await?;
    Ok(Json(Items::all(
        rows.into_iter().map(ImportView::from).collect(),
    )))
}

/// One file: where it is, what it would change, what it did.
#[utoipa::path(get, path = "/imports/{id}", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The file", body = ImportView), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<Json<ImportView>, Problem> {
    let row = state.store.get_import(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?.into()))
}

/// Keeps a file piece by piece.
async fn keep(
    state: &ApiState,
    id: ImportId,
    mut input: impl AsyncRead + Unpin,
) -> Result<(), Problem> {
    let mut piece = vec![0; PIECE_BYTES];
    for n in 0_i64.. {
        let mut filled = 0;
        while filled < PIECE_BYTES {
            let count = input.read(&mut piece[filled..]).await;
            let count =
                count.map_err(|e| Problem::bad_request("bad_request", format!("file: {e}")))?;
            if count == 0 {
                break;
            }
            filled += count;
        }
        if filled == 0 {
            break;
        }
        let text = STANDARD.encode(&piece[..filled]);
        state.store.add_piece(id, n, &text).await?;
    }
    Ok(())
}

/// The kept file as a stream.
fn kept(state: &ApiState, id: ImportId) -> impl AsyncRead + Unpin + Send + use<> {
    let store = Arc::clone(&state.store);
    let pieces = futures::stream::try_unfold(0_i64, move |n| {
        let store = Arc::clone(&store);
        async move {
            let fault = |text: String| std::io::Error::other(text);
            let piece = store.piece(id, n).await.map_err(|e| fault(e.to_string()))?;
            let Some(text) = piece else { return Ok(None) };
            let bytes = STANDARD.decode(text).map_err(|e| fault(e.to_string()))?;
            Ok::<_, std::io::Error>(Some((axum::body::Bytes::from(bytes), n + 1)))
        }
    });
    StreamReader::new(Box::pin(pieces))
}

/// The job of a file.
async fn job_of(state: &ApiState, row: &Import, dry_run: bool) -> Result<ImportJob, Problem> {
    let map = match &row.map {
        serde_json::Value::Null => None,
        map => map_of(Some(&map.to_string()))?,
    };
    Ok(ImportJob {
        import_id: row.id,
        client: row.client_id,
        portfolio: state.store.get_portfolio(row.portfolio_id).await?,
        map,
        dry_run,
        actor: row.actor.clone(),
        gone: Some(row.gone),
        resume_after: u64::try_from(row.rows_done).unwrap_or(0),
    })
}

/// Runs the kept file through the importer.
async fn run(
    state: &ApiState,
    row: &Import,
    dry_run: bool,
) -> Result<(ImportReport, Vec<RowFault>), Problem> {
    let job = job_of(state, row, dry_run).await?;
    let mut faults = Vec::new();
    let note = |fault: &RowFault| {
        if faults.len() < FAULTS_MAX {
            faults.push(fault.clone());
        }
    };
    let (store, input) = (&*state.store, kept(state, row.id));
    let report = importer::run(store, &*state.ids, &*state.clock, job, input, note, |_| ())
        .await
        .map_err(problem)?;
    Ok((report, faults))
}

async fn save(state: &ApiState, caller: &Caller, row: &Import, what: &str) -> Result<(), Problem> {
    let subject = format!("import:{}", row.id);
    let audit = state.audit(caller, Some(row.client_id), subject, what);
    state.store.put_import(row, &[audit]).await?;
    Ok(())
}

/// Reads a file and shows what it would change: new, changed by field, paid, gone, refused. Nothing of it
/// can be seen anywhere until it is accepted.
#[utoipa::path(post, path = "/imports/drafts", tag = "imports", params(DraftQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 201, description = "Read", body = ImportView), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
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
    map_of(query.map.as_deref())?;
    let map = query.map.as_deref().filter(|m| !m.trim().is_empty());
    let turn = state.imports.try_acquire().map_err(|_| busy())?;
    let mut row = Import {
        id: ImportId(state.id()),
        client_id: client,
        portfolio_id: portfolio.id,
        file_name: query
            .file_name
            .unwrap_or_default()
            .chars()
            .take(NAME_CHARS)
            .collect(),
        state: ImportState::Reading,
        map: map
            .map_or(Ok(serde_json::Value::Null), serde_json::from_str)
            .map_err(|e| Problem::invalid("map", e.to_string()))?,
        gone: GonePolicy::Keep,
        at: state.now(),
        accepted_at: None,
        undone_at: None,
        rows_done: 0,
        difference: ImportReport::default(),
        report: ImportReport::default(),
        faults: Vec::new(),
        actor: caller.actor(),
    };
    save(&state, &caller, &row, "import.read").await?;
    let read = async {
        if upload::is_form(&request) {
            let mut form = upload::form(request).await?;
            let file = upload::file_of(&mut form).await?;
            keep(&state, row.id, upload::reader(file)).await?;
        } else {
            let pieces = request.into_body().into_data_stream();
            keep(&state, row.id, upload::reader(pieces)).await?;
        }
        run(&state, &row, true).await
    };
    match read.await {
        Ok((difference, faults)) => {
            row.state = ImportState::Ready;
            row.difference = difference;
            row.faults = faults;
        }
        Err(problem) => {
            throw_away(&state, &caller, row).await?;
            return Err(problem);
        }
    }
    save(&state, &caller, &row, "import.ready").await?;
    drop(turn);
    Ok((StatusCode::CREATED, Json(row.into())))
}

fn busy() -> Problem {
    Problem::conflict(
        "limit_reached",
        "other imports are running: try again when they are done",
    )
}

async fn throw_away(state: &ApiState, caller: &Caller, mut row: Import) -> Result<(), Problem> {
    row.state = ImportState::Discarded;
    state.store.drop_pieces(row.id).await?;
    save(state, caller, &row, "import.discarded").await
}

/// Throws a file away that was not accepted.
#[utoipa::path(delete, path = "/imports/{id}", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Thrown away"), (status = 409, body = doc::Problem)))]
async fn discard(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_import(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    in_state(&row, &[ImportState::Reading, ImportState::Ready])?;
    throw_away(&state, &caller, row).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn in_state(row: &Import, wanted: &[ImportState]) -> Result<(), Problem> {
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
/// died) goes on behind the last batch when it is accepted again.
#[utoipa::path(post, path = "/imports/{id}/accept", tag = "imports", params(("id" = uuid::Uuid, Path)),
    request_body = AcceptBody,
    responses((status = 200, description = "Written", body = ImportView), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn accept(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
    Body(body): Body<AcceptBody>,
) -> Result<Json<ImportView>, Problem> {
    let row = state.store.get_import(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    in_state(&row, &[ImportState::Ready, ImportState::Accepting])?;
    if let Some(gone) = &body.gone {
        row.gone = gone
            .parse()
            .map_err(|_| Problem::invalid("gone", "expected keep or recall"))?;
    }
    row.state = ImportState::Accepting;
    let work = async move {
        let _turn = state.imports.try_acquire().map_err(|_| busy())?;
        save(&state, &caller, &row, "import.accepting").await?;
        let (report, _) = run(&state, &row, false).await?;
        let mut row = state.store.get_import(id).await?;
        row.state = ImportState::Accepted;
        row.accepted_at = Some(state.now());
        row.report.refused = report.refused;
        row.report.gone = report.gone;
        row.report.recalled = report.recalled;
        state.store.drop_pieces(id).await?;
        save(&state, &caller, &row, "import.accepted").await?;
        Ok(row)
    };
    finished(tokio::spawn(work)).await
}

async fn finished(
    task: tokio::task::JoinHandle<Result<Import, Problem>>,
) -> Result<Json<ImportView>, Problem> {
    let row = task.await.map_err(|_| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the import broke off: do it again, it goes on where it was",
        )
    })??;
    Ok(Json(row.into()))
}

/// Takes an import back: what it made is removed, what it changed is as before. Attempts, ledger rows,
/// promises and payments made meanwhile stay, and so does what they belong to. Only the newest import
/// of a portfolio can be taken back.
#[utoipa::path(post, path = "/imports/{id}/undo", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Taken back", body = ImportView), (status = 409, body = doc::Problem)))]
async fn undo(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<Json<ImportView>, Problem> {
    let row = state.store.get_import(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    in_state(&row, &[ImportState::Accepted, ImportState::Undoing])?;
    let others = state.store.list_imports(Some(row.client_id)).await?;
    let later = others.iter().any(|other| {
        other.portfolio_id == row.portfolio_id
            && other.id != row.id
            && matches!(other.state, ImportState::Accepted | ImportState::Accepting)
            && other.accepted_at.unwrap_or(other.at) > row.accepted_at.unwrap_or(row.at)
    });
    if later {
        return Err(Problem::conflict(
            "later_import",
            "a later file was taken into the portfolio: take that back first",
        ));
    }
    row.state = ImportState::Undoing;
    let work = async move {
        save(&state, &caller, &row, "import.undoing").await?;
        while state.store.undo_step(id, state.now()).await?.more {}
        row.state = ImportState::Undone;
        row.undone_at = Some(state.now());
        save(&state, &caller, &row, "import.undone").await?;
        Ok(row)
    };
    finished(tokio::spawn(work)).await
}
