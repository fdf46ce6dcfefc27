//! Files whose points somebody has to look at: no usable phone, or a point that nobody confirmed for long.

use super::morning::client_of;
use crate::ApiState;
use crate::auth::Caller;
use crate::extract::Params;
use crate::list::{bad_cursor, page_request};
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use domain::entity::Role;
use domain::ids::{AgentId, ClientId, DebtorId, PortfolioId, TeamId};
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::ports::store::{FileTaskAsk, FileTaskCounts, FileTaskRow};
use domain::rules::stale::{NO_PHONE, stale_until};
use domain::time::{DAY_MS, UtcMs};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What has to be done about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileTaskKind {
    /// Find a phone.
    NoPhone,
    /// Confirm a point.
    StalePoint,
}

/// Whose files.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileTaskQuery {
    /// The client; the only one there is when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only debtors of this portfolio of the client.
    #[param(value_type = Option<uuid::Uuid>)]
    portfolio: Option<PortfolioId>,
    /// Only debtors of this agent; an agent sees his own alone.
    #[param(value_type = Option<uuid::Uuid>)]
    agent: Option<AgentId>,
    /// Only files of this kind.
    #[param(inline)]
    kind: Option<FileTaskKind>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How many files with an open debt have a task; each is counted once.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct FileTaskCount {
    /// Without a usable phone.
    no_phone: u64,
    /// With one, and a point that nobody confirmed for 180 days.
    stale_point: u64,
}

impl From<FileTaskCounts> for FileTaskCount {
    fn from(of: FileTaskCounts) -> Self {
        Self {
            no_phone: of.no_phone,
            stale_point: of.stale_point,
        }
    }
}

/// A file with a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileWithTask {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    #[schema(value_type = uuid::Uuid)]
    portfolio_id: PortfolioId,
    external_ref: String,
    #[schema(value_type = String)]
    name: Pii<String>,
    kind: FileTaskKind,
    /// Days since anybody confirmed the oldest usable point; null without a usable phone.
    days: Option<i64>,
    /// What he owes.
    balance_minor: i64,
    /// ISO 4217; `*` when his debts have several.
    currency: String,
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
}

/// A page of files with a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileTaskPage {
    items: Vec<FileWithTask>,
    next_cursor: Option<String>,
    /// How many there are of both kinds, on the first page alone.
    count: Option<FileTaskCount>,
}

/// How many files of a client have a task.
pub(super) async fn counted(
    state: &ApiState,
    client: ClientId,
) -> Result<FileTaskCount, StoreError> {
    let ask = FileTaskAsk {
        client,
        portfolio: None,
        agent: None,
        no_phone: None,
        until: stale_until(state.now()),
        after: None,
        limit: 0,
    };
    Ok(state.store.file_task_counts(&ask).await?.into())
}

fn told(row: FileTaskRow, now: UtcMs) -> FileWithTask {
    let phone = row.confirmed_at != NO_PHONE;
    FileWithTask {
        kind: match phone {
            true => FileTaskKind::StalePoint,
            false => FileTaskKind::NoPhone,
        },
        days: phone.then(|| now.since_ms(row.confirmed_at) / DAY_MS),
        debtor_id: row.debtor_id,
        portfolio_id: row.portfolio_id,
        external_ref: row.external_ref,
        name: row.name,
        balance_minor: row.balance_minor,
        currency: row.currency,
        agent_id: row.agent_id,
        team_id: row.team_id,
    }
}

fn after(cursor: &str) -> Result<(UtcMs, DebtorId), Problem> {
    let (at, id) = cursor.split_once('~').ok_or_else(bad_cursor)?;
    let at = at.parse().map_err(|_| bad_cursor())?;
    Ok((UtcMs(at), id.parse().map_err(|_| bad_cursor())?))
}

/// Files with an open debt that have no usable phone or a stale point: without a phone first, then the point
/// that was not confirmed for longest.
#[utoipa::path(get, path = "/morning-list/tasks", tag = "campaigns", params(FileTaskQuery),
    responses((status = 200, description = "A page", body = FileTaskPage)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<FileTaskQuery>,
) -> Result<Json<FileTaskPage>, Problem> {
    let client = client_of(&state, caller.narrow(query.client)?).await?;
    if let Some(id) = query.portfolio {
        let portfolio = state.store.get_portfolio(id).await?;
        if portfolio.client_id != client {
            return Err(Problem::not_found("portfolio"));
        }
    }
    let now = state.now();
    let wanted = page_request(query.limit, query.cursor)?;
    let ask = FileTaskAsk {
        client,
        portfolio: query.portfolio,
        agent: match caller.role {
            Role::Agent => Some(caller.agent()?),
            _ => query.agent,
        },
        no_phone: query.kind.map(|kind| kind == FileTaskKind::NoPhone),
        until: stale_until(now),
        after: wanted.cursor.as_deref().map(after).transpose()?,
        limit: wanted.limit + 1,
    };
    let mut rows = state.store.file_tasks(&ask).await?;
    let more = rows.len() > wanted.limit as usize;
    rows.truncate(wanted.limit as usize);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| format!("{}~{}", row.confirmed_at.0, row.debtor_id));
    let count = match ask.after {
        None => Some(state.store.file_task_counts(&ask).await?.into()),
        Some(_) => None,
    };
    Ok(Json(FileTaskPage {
        items: rows.into_iter().map(|row| told(row, now)).collect(),
        next_cursor,
        count,
    }))
}
