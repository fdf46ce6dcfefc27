//! Portfolio files, streamed into the store as a difference.

use super::{at_once, upload};
use crate::auth::Caller;
use crate::extract::Params;
use crate::importer::{self, FAULTS_MAX, ImportError, ImportJob};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::{Extension, Json};
use domain::entity::{Import, ImportKind, Portfolio};
use domain::ids::{ClientId, ImportId, PortfolioId};
use domain::import::ColumnMap;
use domain::ports::StoreError;
use domain::ports::store::{FieldChange, ImportReport, RowFault};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::AsyncRead;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest column map, bytes.
const MAP_MAX: usize = 16 * 1024;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(import))
        .layer(DefaultBodyLimit::disable())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportQuery {
    /// Owner; a caller with a client may leave it out.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Name or id.
    portfolio: String,
    /// `portfolio` (default) or `consents`: what the file is about.
    #[param(value_type = Option<String>)]
    kind: Option<ImportKind>,
    /// Read and check everything, keep nothing.
    #[serde(default)]
    dry_run: bool,
    /// JSON, `{"source column":"target"}`; what it does not say is detected where the file is clear.
    map: Option<String>,
}

/// What an import did.
#[derive(Serialize, ToSchema)]
pub(super) struct Report {
    rows: u64,
    debtors_new: u64,
    debtors_changed: u64,
    debts_new: u64,
    debts_changed: u64,
    points_new: u64,
    /// Co-debtors and guarantors new.
    parties_new: u64,
    /// Consents that a file of them grants.
    consents_granted: u64,
    /// Revocations of a file of consents.
    consents_revoked: u64,
    /// Rows equal to what is stored.
    unchanged: u64,
    refused: u64,
    /// Open debts of which nothing is owed any more, by the file.
    paid: u64,
    /// Open debts of the portfolio that the file does not name; not counted by a dry run.
    gone: u64,
    /// Of them recalled.
    recalled: u64,
    /// Debtor files of one document made one.
    merged: u64,
    /// Phones mended by a rule that the map names, by rule.
    repaired: BTreeMap<String, u64>,
    /// Changed values by field.
    fields: BTreeMap<String, u64>,
    /// The first 200 changes.
    changes: Vec<Change>,
}

/// A value that a file changes.
#[derive(Serialize, ToSchema)]
pub(super) struct Change {
    /// Line in the file, 1 = header.
    row: u64,
    debt_ref: String,
    field: String,
    before: String,
    after: String,
}

impl From<FieldChange> for Change {
    fn from(c: FieldChange) -> Self {
        Self {
            row: c.row,
            debt_ref: c.debt_ref,
            field: c.field,
            before: c.before,
            after: c.after,
        }
    }
}

impl From<ImportReport> for Report {
    fn from(r: ImportReport) -> Self {
        Self {
            rows: r.rows,
            debtors_new: r.debtors_new,
            debtors_changed: r.debtors_changed,
            debts_new: r.debts_new,
            debts_changed: r.debts_changed,
            points_new: r.points_new,
            parties_new: r.parties_new,
            consents_granted: r.consents_granted,
            consents_revoked: r.consents_revoked,
            unchanged: r.unchanged,
            refused: r.refused,
            paid: r.paid,
            gone: r.gone,
            recalled: r.recalled,
            merged: r.merged,
            repaired: r.repaired,
            fields: r.fields,
            changes: r.changes.into_iter().map(Change::from).collect(),
        }
    }
}

/// A refused row.
#[derive(Serialize, ToSchema)]
pub(super) struct Fault {
    /// Line in the file, 1 = header.
    row: u64,
    column: String,
    value: String,
    /// What is wrong and what would be right.
    reason: String,
}

impl From<&RowFault> for Fault {
    fn from(f: &RowFault) -> Self {
        Self {
            row: f.row,
            column: f.column.clone(),
            value: f.value.clone(),
            reason: f.reason.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ImportReply {
    #[schema(value_type = uuid::Uuid)]
    import_id: ImportId,
    dry_run: bool,
    report: Report,
    /// The first 200 refused rows.
    faults: Vec<Fault>,
}

impl From<Import> for ImportReply {
    fn from(row: Import) -> Self {
        Self {
            import_id: row.id,
            dry_run: false,
            faults: row.faults.iter().map(Fault::from).collect(),
            report: row.report.into(),
        }
    }
}

/// A file that cannot be imported is the caller's; a store that is away is ours.
pub(super) fn problem(error: ImportError) -> Problem {
    match error {
        ImportError::Store(inner) => inner.into(),
        ImportError::Read(reason) => Problem::bad_request("bad_request", format!("file: {reason}")),
        other => Problem::invalid("file", other.to_string()),
    }
}

/// The map of a query.
pub(super) fn map_of(text: Option<&str>) -> Result<Option<ColumnMap>, Problem> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else {
        return Ok(None);
    };
    if text.len() > MAP_MAX {
        return Err(Problem::invalid(
            "map",
            format!("expected at most {MAP_MAX} bytes"),
        ));
    }
    ColumnMap::from_json(text)
        .map(Some)
        .map_err(|e| Problem::invalid("map", e.to_string()))
}

/// Too many files at once.
pub(super) fn busy() -> Problem {
    Problem::conflict(
        "limit_reached",
        "other imports are running: try again when they are done",
    )
}

/// The map of a query as it is kept with a file; null to detect.
pub(super) fn map_value(text: Option<&str>) -> Result<serde_json::Value, Problem> {
    map_of(text)?;
    let text = text.filter(|t| !t.trim().is_empty());
    let map = text.map_or(Ok(serde_json::Value::Null), serde_json::from_str);
    map.map_err(|e| Problem::invalid("map", e.to_string()))
}

pub(super) async fn portfolio_of(
    state: &ApiState,
    client: ClientId,
    name: &str,
) -> Result<Portfolio, Problem> {
    let found = match name.parse::<PortfolioId>() {
        Ok(id) => match state.store.get_portfolio(id).await {
            Err(StoreError::NotFound(_)) => None,
            other => Some(other?).filter(|p| p.client_id == client),
        },
        Err(_) => state.store.portfolio_by_name(client, name).await?,
    };
    found.ok_or_else(|| {
        Problem::invalid("portfolio", "expected the name or id of one of the client")
    })
}

/// Reads a file and keeps nothing.
async fn try_out(
    state: &ApiState,
    job: ImportJob,
    input: impl AsyncRead + Unpin + Send,
) -> Result<ImportReply, Problem> {
    let import_id = job.import_id;
    let mut faults = Vec::new();
    let note = |fault: &RowFault| {
        if faults.len() < FAULTS_MAX {
            faults.push(Fault::from(fault));
        }
    };
    let (store, ids) = (&*state.store, Arc::clone(&state.ids));
    let report = importer::run(store, ids, &*state.clock, job, input, note, |_| ())
        .await
        .map_err(problem)?;
    Ok(ImportReply {
        import_id,
        dry_run: true,
        report: report.into(),
        faults,
    })
}

/// Imports a portfolio file (CSV or XLSX): raw as the body, or the part `file` of a form. Rows that cannot be
/// taken are named, the others are written as a difference. It is kept, read and accepted in one step: who hangs
/// up while he sends it leaves nothing behind.
#[utoipa::path(post, path = "/imports", tag = "imports", params(ImportQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "Read", body = ImportReply), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn import(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    Params(query): Params<ImportQuery>,
    request: Request,
) -> Result<Json<ImportReply>, Problem> {
    let client = caller
        .narrow(query.client)?
        .ok_or_else(|| Problem::invalid("client", "name the client the file belongs to"))?;
    let portfolio = portfolio_of(&state, client, &query.portfolio).await?;
    let map = map_value(query.map.as_deref())?;
    let kind = query.kind.unwrap_or(ImportKind::Portfolio);
    if !query.dry_run {
        let row = at_once::take(&state, caller.actor(), (portfolio, kind, map), request).await?;
        let report = &row.report;
        tracing::info!(import = %row.id, rows = report.rows, refused = report.refused, "file imported");
        return Ok(Json(row.into()));
    }
    let job = ImportJob {
        import_id: ImportId(state.id()),
        client,
        portfolio,
        kind,
        map: map_of(query.map.as_deref())?,
        dry_run: true,
        actor: caller.actor(),
        gone: None,
        resume_after: 0,
    };
    let _turn = state.imports.try_acquire().map_err(|_| busy())?;
    let reply = if upload::is_form(&request) {
        let mut form = upload::form(request).await?;
        let file = upload::file_of(&mut form).await?;
        try_out(&state, job, upload::reader(file)).await?
    } else {
        let pieces = request.into_body().into_data_stream();
        try_out(&state, job, upload::reader(pieces)).await?
    };
    Ok(Json(reply))
}
