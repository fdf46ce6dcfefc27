//! Before an import: which columns are understood, and what a file looks like.

use super::imports::{map_of, problem};
use super::upload;
use crate::auth::Caller;
use crate::extract::Params;
use crate::importer::{self, FileShape};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::{Extension, Json};
use domain::entity::ImportKind;
use domain::ids::PortfolioId;
use domain::import::{self, ColumnMap, Formulas};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(columns))
        .routes(routes!(detect))
        .layer(DefaultBodyLimit::disable())
}

/// A column that an import understands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Column {
    /// Target, for column maps.
    name: &'static str,
    /// Whether a file without it is refused.
    required: bool,
    help_es: &'static str,
    help_en: &'static str,
}

/// Which columns.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ColumnsQuery {
    /// `portfolio` (default) or `consents`: what the file is about.
    #[param(value_type = Option<String>)]
    kind: Option<ImportKind>,
}

/// The columns that an import understands.
#[utoipa::path(get, path = "/imports/columns", tag = "imports", params(ColumnsQuery),
    responses((status = 200, description = "All columns", body = Items<Column>)))]
async fn columns(Params(query): Params<ColumnsQuery>) -> Json<Items<Column>> {
    let kind = query.kind.unwrap_or(ImportKind::Portfolio);
    let columns = import::columns_of(kind).iter().map(|c| Column {
        name: c.name,
        required: c.required,
        help_es: c.help_es,
        help_en: c.help_en,
    });
    Json(Items::all(columns.collect()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DetectQuery {
    /// JSON; what it says holds.
    map: Option<String>,
    /// The portfolio that the file is for: its remembered map for this header is taken when no map is
    /// given.
    #[param(value_type = Option<uuid::Uuid>)]
    portfolio: Option<PortfolioId>,
    /// `portfolio` (default) or `consents`: what the file is about.
    #[param(value_type = Option<String>)]
    kind: Option<ImportKind>,
}

/// What the beginning of a file says.
#[derive(Serialize, ToSchema)]
pub(crate) struct Detected {
    delimiter: String,
    /// WHATWG name.
    encoding: String,
    /// Header as it stands.
    columns: Vec<String>,
    /// Source column → target, as far as names are known.
    map: BTreeMap<String, String>,
    /// `comma` or `point`, when the first rows are clear.
    decimal: Option<String>,
    /// Order of day and month, when the first rows are clear.
    dates: Option<String>,
    /// Columns without a meaning; they are not read.
    unknown: Vec<String>,
    /// Needed targets that no column has.
    missing: Vec<String>,
    /// First rows, at most 20.
    sample: Vec<Vec<String>>,
    /// Whether the map is one that the portfolio remembers.
    saved: bool,
    /// Rules by which the given or remembered map mends phones.
    repair: Vec<String>,
    /// Sheet of a workbook that the map names.
    sheet: Option<String>,
    /// `stored` when the given or remembered map takes results that are stored with formulas, else `refused`.
    formulas: String,
    /// Values of the given or remembered map for meanings without a column.
    defaults: BTreeMap<String, String>,
}

impl From<FileShape> for Detected {
    fn from(shape: FileShape) -> Self {
        let map = shape.map.into_iter();
        Self {
            delimiter: shape.delimiter.to_string(),
            encoding: shape.encoding,
            columns: shape.columns,
            map: map
                .map(|(source, target)| (source, target.to_string()))
                .collect(),
            decimal: shape.decimal.map(|d| d.to_string()),
            dates: shape.dates.map(|d| d.to_string()),
            unknown: shape.unknown,
            missing: shape.missing,
            sample: shape.sample,
            saved: false,
            repair: Vec::new(),
            sheet: None,
            formulas: Formulas::Refused.to_string(),
            defaults: BTreeMap::new(),
        }
    }
}

/// Reads the beginning of a file (of CSV the first 64 kB, a workbook whole): encoding, delimiter, header,
/// the map that the portfolio remembers or a proposal of one.
#[utoipa::path(post, path = "/imports/detect", tag = "imports", params(DetectQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What it looks like", body = Detected), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn detect(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    Params(query): Params<DetectQuery>,
    request: Request,
) -> Result<Json<Detected>, Problem> {
    let map = map_of(query.map.as_deref())?;
    if let Some(id) = query.portfolio {
        let portfolio = state.store.get_portfolio(id).await?;
        tenant::seen(&state, &caller, portfolio).await?;
    }
    let _turn = state.looks.try_acquire().map_err(|_| {
        Problem::conflict(
            "limit_reached",
            "other files are being looked at: try again in a moment",
        )
    })?;
    let mut given = map.clone().unwrap_or_default();
    let bytes = if upload::is_form(&request) {
        let mut form = upload::form(request).await?;
        let file = upload::reader(upload::file_of(&mut form).await?);
        importer::head(file, &mut given).await
    } else {
        let file = upload::reader(request.into_body().into_data_stream());
        importer::head(file, &mut given).await
    };
    let bytes = bytes.map_err(problem)?;
    let kind = query.kind.unwrap_or(ImportKind::Portfolio);
    let mut shape = importer::detect(kind, &bytes, Some(&given)).map_err(problem)?;
    let saved = match (query.portfolio, &map) {
        (Some(portfolio), None) => remembered(&state, portfolio, &shape.fingerprint).await?,
        _ => None,
    };
    if let Some(saved) = &saved {
        let given = ColumnMap {
            delimiter: given.delimiter.or(saved.delimiter),
            encoding: given.encoding.clone().or_else(|| saved.encoding.clone()),
            ..saved.clone()
        };
        shape = importer::detect(kind, &bytes, Some(&given)).map_err(problem)?;
    }
    let mut found = Detected::from(shape);
    found.saved = saved.is_some();
    if let Some(map) = saved.or(map) {
        found.repair = map.repair.iter().map(ToString::to_string).collect();
        found.sheet = map.sheet;
        let formulas = map.formulas.unwrap_or(Formulas::Refused);
        found.formulas = formulas.to_string();
        let defaults = map.defaults.into_iter();
        found.defaults = defaults
            .map(|(target, v)| (target.to_string(), v))
            .collect();
    }
    Ok(Json(found))
}

/// The map that a portfolio remembers for a header; one that cannot be read any more is none.
async fn remembered(
    state: &ApiState,
    portfolio: PortfolioId,
    fingerprint: &str,
) -> Result<Option<ColumnMap>, Problem> {
    let row = state.store.import_map(portfolio, fingerprint).await?;
    Ok(row.and_then(|row| ColumnMap::from_json(&row.map.to_string()).ok()))
}
