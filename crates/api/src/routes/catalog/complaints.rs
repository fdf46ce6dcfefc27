//! Complaints before an authority: number, deadline, answer, and the evidence that goes with it.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{bad_cursor, page_request};
use crate::problem::Problem;
use crate::routes::debtors::evidence_of;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::entity::{Complaint, ComplaintState};
use domain::ids::{ClientId, ComplaintId, DebtorId};
use domain::ports::store::ComplaintAsk;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/complaints",
    "/complaints/{id}",
    Complaint,
    Complaint,
    ComplaintId,
    list_complaints,
    get_complaint
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(urgent))
        .routes(routes!(read))
        .routes(routes!(answer))
        .routes(routes!(close))
        .routes(routes!(evidence))
}

/// A new complaint.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewComplaint {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// `REDECO`, `SERNAC`, `SIC`, `CFPB`, … or the house itself.
    authority: String,
    /// Its number of the case; unique with the authority within the client.
    number: String,
    /// Now when absent.
    #[schema(value_type = Option<doc::Instant>)]
    received_at: Option<UtcMs>,
    /// To be answered by, `YYYY-MM-DD`.
    deadline: String,
    summary: String,
}

/// What was answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    answer: String,
}

/// Which complaints, in the order in which they have to be seen to.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UrgentQuery {
    /// Only this client's; all that the caller sees when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only before this authority, whatever the case of its letters.
    authority: Option<String>,
    /// The day by which `late` is counted, `YYYY-MM-DD`; today in UTC when absent.
    #[param(value_type = Option<doc::Day>)]
    today: Option<String>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Complaints by urgency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Urgent {
    #[schema(value_type = Vec<doc::Complaint>)]
    items: Vec<Complaint>,
    /// Goes as `?cursor=`; null at the end.
    next_cursor: Option<String>,
    /// Open ones whose deadline has passed, of the client or of all that the caller sees.
    late: u64,
    /// All of these.
    total: u64,
}

fn cursor_of(row: &Complaint) -> String {
    let open = u8::from(row.state == ComplaintState::Open);
    format!("{open}~{}~{}", row.deadline, row.id)
}

fn after(cursor: &str) -> Result<(bool, String, ComplaintId), Problem> {
    let mut parts = cursor.split('~');
    let mut next = || parts.next().ok_or_else(bad_cursor);
    let (open, deadline, id) = (next()?, next()?, next()?);
    let id = id.parse().map_err(|_| bad_cursor())?;
    Ok((open == "1", deadline.to_owned(), id))
}

/// Complaints by urgency: open ones by their deadline, then the others, the latest deadline first.
#[utoipa::path(get, path = "/complaints/urgent", tag = "catalog", params(UrgentQuery),
    responses((status = 200, description = "A page of them", body = Urgent), (status = 400, body = doc::Problem)))]
async fn urgent(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<UrgentQuery>,
) -> Result<Json<Urgent>, Problem> {
    let client = caller.narrow(query.client)?;
    let today = match &query.today {
        Some(day) => check::day("today", day)?,
        // An instant begins with its day.
        None => state.now().to_string().chars().take(10).collect(),
    };
    let authority = query.authority.as_deref();
    let authority = authority.map(|name| check::name("authority", name));
    let page = page_request(query.limit, query.cursor)?;
    let ask = ComplaintAsk {
        client,
        authority: authority.transpose()?,
        after: page.cursor.as_deref().map(after).transpose()?,
        limit: page.limit + 1,
    };
    let mut items = state.store.complaints_by_urgency(&ask).await?;
    let more = items.len() > page.limit as usize;
    items.truncate(page.limit as usize);
    let (late, total) = state.store.complaints_late(client, &today).await?;
    Ok(Json(Urgent {
        next_cursor: items.last().filter(|_| more).map(cursor_of),
        items,
        late,
        total,
    }))
}

/// Records a complaint.
#[utoipa::path(post, path = "/complaints", tag = "catalog", request_body = NewComplaint,
    responses((status = 201, description = "Made", body = doc::Complaint), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewComplaint>,
) -> Result<(StatusCode, Json<Complaint>), Problem> {
    let debtor = state.own_debtor(&caller, body.debtor_id).await?;
    let now = state.now();
    if body.received_at.is_some_and(|at| at > now) {
        return Err(Problem::invalid("received_at", "expected an instant past"));
    }
    let row = Complaint {
        id: ComplaintId(state.id()),
        client_id: debtor.client_id,
        debtor_id: debtor.id,
        authority: check::name("authority", &body.authority)?,
        number: check::name("number", &body.number)?,
        received_at: body.received_at.unwrap_or(now),
        deadline: check::day("deadline", &body.deadline)?,
        state: ComplaintState::Open,
        summary: check::text("summary", &body.summary, check::TEXT_MAX)?.into(),
        answer: None,
        answered_at: None,
        created_at: now,
    };
    save(&state, &caller, &row, "complaint.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: &Complaint,
    action: &str,
) -> Result<(), Problem> {
    let subject = format!("complaint:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_complaint(row, &[event]).await?;
    Ok(())
}

async fn own(state: &ApiState, caller: &Caller, id: ComplaintId) -> Result<Complaint, Problem> {
    let row = state.store.get_complaint(id).await?;
    tenant::seen(state, caller, row).await
}

/// Answers a complaint.
#[utoipa::path(post, path = "/complaints/{id}/answer", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = Answer,
    responses((status = 200, description = "Answered", body = doc::Complaint), (status = 409, body = doc::Problem)))]
async fn answer(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ComplaintId>,
    Body(body): Body<Answer>,
) -> Result<Json<Complaint>, Problem> {
    let mut row = own(&state, &caller, id).await?;
    if row.state != ComplaintState::Open {
        return Err(Problem::conflict(
            "wrong_state",
            "the complaint is not open",
        ));
    }
    row.answer = Some(check::text("answer", &body.answer, check::TEXT_MAX)?.into());
    row.answered_at = Some(state.now());
    row.state = ComplaintState::Answered;
    save(&state, &caller, &row, "complaint.answered").await?;
    Ok(Json(row))
}

/// Closes a complaint; a repeat changes nothing.
#[utoipa::path(post, path = "/complaints/{id}/close", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Closed", body = doc::Complaint)))]
async fn close(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ComplaintId>,
) -> Result<Json<Complaint>, Problem> {
    let mut row = own(&state, &caller, id).await?;
    if row.state != ComplaintState::Closed {
        row.state = ComplaintState::Closed;
        save(&state, &caller, &row, "complaint.closed").await?;
    }
    Ok(Json(row))
}

/// The archive of the debtor with the complaint in front.
#[utoipa::path(get, path = "/complaints/{id}/evidence", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "A ZIP archive", body = Vec<u8>, content_type = "application/zip")))]
async fn evidence(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ComplaintId>,
) -> Result<Response, Problem> {
    let row = own(&state, &caller, id).await?;
    evidence_of(&state, &caller, row.debtor_id, Some(row)).await
}
