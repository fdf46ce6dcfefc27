//! Before an import: which columns are understood, and what a file looks like.

use super::imports::{map_of, problem};
use super::upload;
use crate::extract::Params;
use crate::importer::{self, FileShape};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::{DefaultBodyLimit, Request};
use domain::import;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio::io::{AsyncRead, AsyncReadExt};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What is read of a file, bytes.
const HEAD_BYTES: u64 = 64 * 1024;

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

/// The columns that an import understands.
#[utoipa::path(get, path = "/imports/columns", tag = "imports",
    responses((status = 200, description = "All columns", body = Items<Column>)))]
async fn columns() -> Json<Items<Column>> {
    let columns = import::columns().iter().map(|c| Column {
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
        }
    }
}

async fn head(input: impl AsyncRead + Unpin) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    input
        .take(HEAD_BYTES)
        .read_to_end(&mut bytes)
        .await
        .map_err(|e| Problem::bad_request("bad_request", format!("file: {e}")))?;
    Ok(bytes)
}

/// Reads the first 64 kB of a file: encoding, delimiter, header, a proposal of the column map.
#[utoipa::path(post, path = "/imports/detect", tag = "imports", params(DetectQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What it looks like", body = Detected), (status = 422, body = doc::Problem)))]
async fn detect(
    Params(query): Params<DetectQuery>,
    request: Request,
) -> Result<Json<Detected>, Problem> {
    let map = map_of(query.map.as_deref())?;
    let bytes = if upload::is_form(&request) {
        let mut form = upload::form(request).await?;
        head(upload::reader(upload::file_of(&mut form).await?)).await?
    } else {
        head(upload::reader(request.into_body().into_data_stream())).await?
    };
    let shape = importer::detect(&bytes, map.as_ref()).map_err(problem)?;
    Ok(Json(shape.into()))
}
