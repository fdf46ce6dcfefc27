//! Segments: named filters, and what a filter would find.

use super::params::same_version;
use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::routes::catalog::readers;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::Segment;
use domain::ids::{ClientId, DebtorId, SegmentId};
use domain::ports::store::{SegmentCount, SegmentEstimate, SegmentSample, StoreError};
use domain::rules::recovery::{Expected, RECOVERY_DAYS};
use domain::segment::{self, Changed, Expr, SegmentError, What};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long the law is asked about missing marks before an exact count.
const LAW_ASKED: Duration = Duration::from_millis(800);
/// Rows shown with a count.
const SAMPLE_ROWS: u32 = 10;

readers!(
    "segments",
    "/segments",
    "/segments/{id}",
    Segment,
    Segment,
    SegmentId,
    list_segments,
    get_segment
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
        .routes(routes!(versions))
        .routes(routes!(preview))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSegment {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    /// Unique within the client.
    name: String,
    /// Text form; or `expr`.
    expression: Option<String>,
    /// JSON form; or `expression`.
    #[schema(value_type = Option<Value>)]
    expr: Option<Value>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentBody {
    name: String,
    /// Text form; or `expr`.
    expression: Option<String>,
    /// JSON form; or `expression`.
    #[schema(value_type = Option<Value>)]
    expr: Option<Value>,
    /// The version that was read; another one in the database is 409 `version_conflict`.
    version: Option<i32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewBody {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    /// Text form; or `expr`.
    expression: Option<String>,
    /// JSON form; or `expression`.
    #[schema(value_type = Option<Value>)]
    expr: Option<Value>,
    /// Asks every debtor, however many. Without it a large client is estimated from a sample.
    #[serde(default)]
    exact: bool,
}

fn refused(error: &SegmentError) -> Problem {
    let column = error.position;
    let detail = if column == 0 {
        format!("expr: {}", error.reason)
    } else {
        format!("column {column}: {}", error.reason)
    };
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_expression", detail);
    if column == 0 {
        problem.at_both("expr", (&error.es, &error.reason))
    } else {
        problem.at_column(column, (&error.es, &error.reason))
    }
}

/// Reads a filter in either form.
fn filter(text: Option<&str>, json: Option<Value>) -> Result<Expr, Problem> {
    match (text, json) {
        (Some(text), None) => segment::parse(text).map_err(|e| refused(&e)),
        (None, Some(json)) => {
            let expr: Expr = serde_path_to_error::deserialize(json).map_err(|e| {
                let path = match e.path().to_string().as_str() {
                    "." => "expr".to_owned(),
                    path => format!("expr.{path}"),
                };
                let reason = e.inner().to_string();
                let detail = format!("{path}: {reason}");
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_expression", detail)
                    .at(&path, &reason)
            })?;
            segment::check(&expr).map_err(|e| refused(&e))?;
            Ok(expr)
        }
        _ => Err(Problem::invalid(
            "expression",
            "send expression or expr, one of them",
        )),
    }
}

/// The filter with what the segments that it names say; they must be there and not name one another in a circle.
/// `own` is the name under which it is to be saved.
async fn named(
    state: &ApiState,
    client: ClientId,
    expr: &Expr,
    own: Option<&str>,
) -> Result<Expr, Problem> {
    match state.store.whole_segment(client, expr, own).await {
        Ok(whole) => Ok(whole),
        Err(StoreError::Conflict(reason)) => Err(refused(&SegmentError {
            position: 0,
            reason,
            es: "nombra un segmento que no existe, o uno que lo nombra a él".to_owned(),
        })),
        Err(error) => Err(error.into()),
    }
}

async fn save(state: &ApiState, caller: &Caller, row: &Segment) -> Result<(), Problem> {
    let event = state.event(
        caller.actor(),
        Some(row.client_id),
        "segment.changed",
        format!("segment:{}", row.id),
        json!({"version": row.version}),
    );
    let subject = format!("segment:{}", row.id);
    let audit = state.audit(caller, Some(row.client_id), subject, "segment.saved");
    state.store.put_segment(row, &[event, audit]).await?;
    Ok(())
}

/// Makes a segment.
#[utoipa::path(post, path = "/segments", tag = "segments", request_body = NewSegment,
    responses((status = 201, description = "Made", body = doc::Segment), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewSegment>,
) -> Result<(StatusCode, Json<Segment>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let expr = filter(body.expression.as_deref(), body.expr)?;
    let name = check::name("name", &body.name)?;
    named(&state, body.client_id, &expr, Some(&name)).await?;
    let now = state.now();
    let row = Segment {
        id: SegmentId(state.id()),
        client_id: body.client_id,
        name,
        expression: segment::print(&expr),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    save(&state, &caller, &row).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a segment; campaigns take its new debtors in at their next refill.
#[utoipa::path(put, path = "/segments/{id}", tag = "segments", params(("id" = uuid::Uuid, Path)),
    request_body = SegmentBody,
    responses((status = 200, description = "Changed", body = doc::Segment), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<SegmentId>,
    Body(body): Body<SegmentBody>,
) -> Result<Json<Segment>, Problem> {
    let row = state.store.get_segment(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    same_version(body.version, row.version)?;
    let expr = filter(body.expression.as_deref(), body.expr)?;
    row.name = check::name("name", &body.name)?;
    named(&state, row.client_id, &expr, Some(&row.name)).await?;
    row.expression = segment::print(&expr);
    row.version = row.version.saturating_add(1);
    row.updated_at = state.now();
    save(&state, &caller, &row).await?;
    Ok(Json(row))
}

#[derive(Serialize, ToSchema)]
struct SegmentVersion {
    version: i32,
    name: String,
    /// Text form; `segment 'NAME' version N` means what stands here.
    expression: String,
    /// The filter in words.
    explained: Explained,
    /// What it says that the version before did not, part by part; empty for the first.
    changes: Vec<Change>,
    #[schema(value_type = String, format = DateTime)]
    saved_at: UtcMs,
}

#[derive(Serialize, ToSchema)]
struct Change {
    /// `added`, `removed`, `changed`.
    #[schema(value_type = String)]
    what: What,
    /// What the version before said; null when the part was added.
    before: Option<Explained>,
    /// What this one says; null when the part was removed.
    after: Option<Explained>,
}

impl From<Changed> for Change {
    fn from(changed: Changed) -> Self {
        Self {
            what: changed.what,
            before: changed.before.map(Explained::from),
            after: changed.after.map(Explained::from),
        }
    }
}

/// What a segment was in each of its versions, newest first.
#[utoipa::path(get, path = "/segments/{id}/versions", tag = "segments", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "At most 500", body = [SegmentVersion])))]
async fn versions(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<SegmentId>,
) -> Result<Json<Vec<SegmentVersion>>, Problem> {
    let row = state.store.get_segment(id).await?;
    tenant::seen(&state, &caller, row).await?;
    let rows = state.store.segment_versions(id).await?;
    Ok(Json(told(rows)))
}

/// Versions, newest first, each with what it changed.
fn told(rows: Vec<Segment>) -> Vec<SegmentVersion> {
    let read: Vec<Option<Expr>> = rows
        .iter()
        .map(|row| segment::parse(&row.expression).ok())
        .collect();
    let first = None;
    let before = read.iter().skip(1).chain([&first]);
    let each = rows.into_iter().zip(read.iter().zip(before));
    each.map(|(row, (expr, before))| SegmentVersion {
        explained: expr
            .as_ref()
            .map_or_else(Explained::default, |e| segment::explain(e).into()),
        changes: match (before, expr) {
            (Some(before), Some(expr)) => segment::difference(before, expr)
                .into_iter()
                .map(Change::from)
                .collect(),
            _ => Vec::new(),
        },
        version: row.version,
        name: row.name,
        expression: row.expression,
        saved_at: row.updated_at,
    })
    .collect()
}

/// A filter in words.
#[derive(Default, Serialize, ToSchema)]
struct Explained {
    es: String,
    en: String,
}

impl From<segment::Told> for Explained {
    fn from(told: segment::Told) -> Self {
        Self {
            es: told.es,
            en: told.en,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct Count {
    debtors: u64,
    /// Their phones that are not bad.
    phones: u64,
    /// Balance of their open debts by currency: `[["MXN", minor units]]`.
    #[schema(value_type = Vec<Vec<Value>>)]
    balance: Vec<(String, i64)>,
    /// What those debts may be expected to bring within `recovery_days`, by the currencies of `balance`.
    expected: Vec<ExpectedRecovery>,
    /// Days for which it is expected, and over which the shares were measured.
    recovery_days: i64,
}

/// Each debtor's balance weighed by the share that debts of the client and of the age of his oldest debt brought over
/// the last days.
#[derive(Serialize, ToSchema)]
struct ExpectedRecovery {
    currency: String,
    /// Minor units; null where nothing is known of any of the debts.
    amount_minor: Option<i64>,
    /// Balance of debts of whose age nothing was measured; nothing of it is in the amount.
    unknown_minor: i64,
    /// Balance that was weighed by the share of all clients, for the client has too few debts of that age.
    borrowed_minor: i64,
}

impl From<Expected> for ExpectedRecovery {
    fn from(expected: Expected) -> Self {
        Self {
            amount_minor: expected.figure(),
            currency: expected.currency,
            unknown_minor: expected.unknown_minor,
            borrowed_minor: expected.borrowed_minor,
        }
    }
}

impl From<SegmentCount> for Count {
    fn from(count: SegmentCount) -> Self {
        Self {
            debtors: count.debtors,
            phones: count.phones,
            balance: count.balance,
            expected: count.expected.into_iter().map(Into::into).collect(),
            recovery_days: RECOVERY_DAYS,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct SampleRow {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    external_ref: String,
    country: String,
    days_past_due: i64,
    balance_minor: i64,
    currency: String,
}

impl From<SegmentSample> for SampleRow {
    fn from(row: SegmentSample) -> Self {
        Self {
            debtor_id: row.debtor_id,
            external_ref: row.external_ref,
            country: row.country,
            days_past_due: row.days_past_due,
            balance_minor: row.balance_minor,
            currency: row.currency,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Preview {
    count: Count,
    /// Whether every debtor was asked; otherwise the figures are estimated from a sample.
    exact: bool,
    /// Debtors asked.
    asked: u64,
    /// Debtors of the client.
    of: u64,
    /// The true number of debtors is within this of `count.debtors` in 95 of 100 cases; 0 when exact.
    margin: u64,
    /// Debtors about whom the law has not been asked yet, where the filter asks who is callable now: `exact` is false
    /// as long as there are any. At least so many.
    pending: u64,
    /// The filter in words.
    explained: Explained,
    /// Highest balance first.
    sample: Vec<SampleRow>,
    /// Text form.
    expression: String,
    /// JSON form.
    #[schema(value_type = Value)]
    expr: Expr,
}

/// Asks every debtor, and first the law about those whom it has not been asked about: as long as some are left, the
/// figures are no more than an estimate.
async fn exact(
    state: &ApiState,
    client: ClientId,
    whole: &Expr,
    found: &mut SegmentEstimate,
) -> Result<(), Problem> {
    let store = &state.store;
    let mut pending = 0;
    if segment::asks_the_law(whole) {
        pending = state.center.ask_the_law(client, LAW_ASKED).await?;
    }
    let now = state.now();
    found.count = store.segment_count(client, whole, now).await?;
    if segment::asks_the_law(whole) {
        pending = pending.max(store.marks_pending(client, now).await?);
    }
    (found.asked, found.exact) = (found.of, pending == 0);
    (found.pending, found.margin) = (pending, pending);
    Ok(())
}

/// What a filter finds now; nothing is stored.
#[utoipa::path(post, path = "/segments/preview", tag = "segments", request_body = PreviewBody,
    responses((status = 200, description = "Counted", body = Preview), (status = 422, body = doc::Problem)))]
async fn preview(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<PreviewBody>,
) -> Result<Json<Preview>, Problem> {
    let client = body.client_id;
    caller.may_write(client)?;
    let expr = filter(body.expression.as_deref(), body.expr)?;
    let whole = named(&state, client, &expr, None).await?;
    let now = state.now();
    let store = &state.store;
    let mut found = store
        .segment_estimate(client, &whole, now, SAMPLE_ROWS)
        .await?;
    if body.exact && !found.exact {
        exact(&state, client, &whole, &mut found).await?;
    }
    Ok(Json(Preview {
        count: found.count.into(),
        exact: found.exact,
        asked: found.asked,
        of: found.of,
        margin: found.margin,
        pending: found.pending,
        explained: segment::explain(&expr).into(),
        sample: found.sample.into_iter().map(SampleRow::from).collect(),
        expression: segment::print(&expr),
        expr,
    }))
}
