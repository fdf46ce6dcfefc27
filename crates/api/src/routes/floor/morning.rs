//! The morning list: who is overdue, above the attention threshold first, oldest first.

use super::callbacks::members;
use crate::auth::Caller;
use crate::extract::Params;
use crate::list::{bad_cursor, page_request};
use crate::problem::Problem;
use crate::routes::plans::told_to;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::State;
use domain::entity::{Channel, DebtStage, Role};
use domain::ids::{AgentId, ClientId, DebtorId, TeamId};
use domain::pii::Pii;
use domain::ports::store::{
    DebtorActions, ListFilter, MorningAsk, MorningRow, PageRequest, StageFilter,
};
use domain::time::{DAY_MS, UtcMs};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Whose list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MorningQuery {
    /// Its debtors.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only debtors of this agent; an agent sees his own alone.
    #[param(value_type = Option<uuid::Uuid>)]
    agent: Option<AgentId>,
    /// Only debtors of this team and of its agents.
    #[param(value_type = Option<uuid::Uuid>)]
    team: Option<TeamId>,
    /// Attention threshold, minor units; the client's own (`attention_minor` of its terms) when absent, else 1,000 of
    /// the first portfolio's currency.
    threshold_minor: Option<i64>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One debtor of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MorningDebtor {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    external_ref: String,
    #[schema(value_type = String)]
    name: Pii<String>,
    overdue_minor: i64,
    /// ISO 4217; `*` when his debts have several.
    currency: String,
    /// Days past the oldest due date.
    days: i64,
    /// Owes more than the threshold.
    attention: bool,
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    /// Attempts on him in the last 30 days.
    attempts: i64,
    /// Messages to him that left in them.
    messages: i64,
    /// Letters to him made in them.
    letters: i64,
    /// The last of all of these.
    #[schema(value_type = Option<doc::Instant>)]
    last_at: Option<UtcMs>,
    /// By which channel it was.
    #[schema(value_type = Option<doc::Channel>)]
    last_channel: Option<Channel>,
    /// Of a call its code, else what the network said.
    last_outcome: Option<String>,
}

/// The list, and by what it was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Morning {
    items: Vec<MorningDebtor>,
    next_cursor: Option<String>,
    threshold_minor: i64,
    /// Local day of the portfolio.
    #[schema(value_type = doc::Day)]
    today: String,
    /// Cases past the limit of their stage that the caller is told of; at most 50.
    #[schema(value_type = Vec<doc::DebtStage>)]
    my_late_cases: Vec<DebtStage>,
}

fn cursor_of(row: &MorningRow) -> String {
    format!(
        "{}~{}~{}",
        u8::from(row.attention),
        row.due_day,
        row.debtor_id
    )
}

fn after(cursor: &str) -> Result<(bool, i64, DebtorId), Problem> {
    let mut parts = cursor.split('~');
    let mut next = || parts.next().ok_or_else(bad_cursor);
    let (attention, day, debtor) = (next()?, next()?, next()?);
    Ok((
        attention == "1",
        day.parse().map_err(|_| bad_cursor())?,
        debtor.parse().map_err(|_| bad_cursor())?,
    ))
}

/// The client whose list it is: the one asked for, else the only one there is.
pub(super) async fn client_of(
    state: &ApiState,
    asked: Option<ClientId>,
) -> Result<ClientId, Problem> {
    if let Some(client) = asked {
        state.store.get_client(client).await?;
        return Ok(client);
    }
    let page = PageRequest {
        limit: 2,
        cursor: None,
    };
    let clients = state
        .store
        .list_clients(&ListFilter::default(), &page)
        .await?
        .items;
    match clients.as_slice() {
        [one] => Ok(one.id),
        _ => Err(Problem::bad_request("bad_query", "client: say whose list")),
    }
}

/// Most late cases shown of one person.
const LATE_MAX: u32 = 50;

/// Late cases of a client of which the caller was told.
pub(super) async fn late_of(
    state: &ApiState,
    caller: &Caller,
    client: ClientId,
) -> Result<Vec<DebtStage>, Problem> {
    let filter = StageFilter {
        client_id: Some(client),
        late: true,
        ..told_to(caller)
    };
    let page = PageRequest {
        limit: LATE_MAX,
        cursor: None,
    };
    Ok(state.store.stages_page(&filter, &page).await?.items)
}

/// How far back actions are shown, days.
const ACTIONS_DAYS: i64 = 30;

fn told(row: MorningRow, today: i64, done: Option<&DebtorActions>) -> MorningDebtor {
    let outcome = |a: &DebtorActions| {
        let result = || a.last_result.map(|r| r.as_str().to_owned());
        a.last_code.clone().or_else(result)
    };
    MorningDebtor {
        attempts: done.map_or(0, |a| a.attempts),
        messages: done.map_or(0, |a| a.messages),
        letters: done.map_or(0, |a| a.letters),
        last_at: done.map(|a| a.last_at),
        last_channel: done.map(|a| a.last_channel),
        last_outcome: done.and_then(outcome),
        debtor_id: row.debtor_id,
        external_ref: row.external_ref,
        name: row.name,
        overdue_minor: row.overdue_minor,
        currency: row.currency,
        days: today - row.due_day,
        attention: row.attention,
        agent_id: row.agent_id,
        team_id: row.team_id,
    }
}

/// Debtors with something overdue: above the threshold first, oldest first.
#[utoipa::path(get, path = "/morning-list", tag = "campaigns", params(MorningQuery),
    responses((status = 200, description = "A page", body = Morning)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<MorningQuery>,
) -> Result<Json<Morning>, Problem> {
    let client = client_of(&state, caller.narrow(query.client)?).await?;
    let agent = if caller.role == Role::Agent {
        Some(caller.agent()?)
    } else {
        query.agent
    };
    let team = match query.team.filter(|_| agent.is_none()) {
        Some(team) => Some((team, members(&state, team).await?)),
        None => None,
    };
    let filter = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let one = PageRequest {
        limit: 1,
        cursor: None,
    };
    let mut found = state.store.list_portfolios(&filter, &one).await?;
    let portfolio = found.items.pop();
    let digits = portfolio.as_ref().map_or(2, |p| p.currency.minor_digits());
    let asked = match query.threshold_minor {
        Some(asked) => asked,
        None => state.center.terms_of(client).await?.0.attention(digits),
    };
    let threshold_minor = check::amount("threshold_minor", asked)?;
    let zone = portfolio.as_ref().map_or("UTC", |p| p.zone.as_str());
    let zone = domain::time::zone(zone).map_err(|_| Problem::internal())?;
    let today = state.now().in_zone(&zone).date().to_string();
    let day = domain::segment::day_of_date(&today).unwrap_or(state.now().0 / DAY_MS);
    let wanted = page_request(query.limit, query.cursor)?;
    let ask = MorningAsk {
        client,
        agent,
        team,
        threshold_minor,
        today: day,
        after: wanted.cursor.as_deref().map(after).transpose()?,
        limit: wanted.limit + 1,
    };
    let mut rows = state.store.morning_list(&ask).await?;
    let more = rows.len() > wanted.limit as usize;
    rows.truncate(wanted.limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(cursor_of);
    let debtors: Vec<DebtorId> = rows.iter().map(|r| r.debtor_id).collect();
    let since = state.now().plus_ms(-ACTIONS_DAYS * DAY_MS);
    let done = state.store.actions_of(&debtors, since).await?;
    let of = |id: DebtorId| done.iter().find(|a| a.debtor_id == id);
    Ok(Json(Morning {
        items: rows
            .into_iter()
            .map(|row| {
                let actions = of(row.debtor_id);
                told(row, day, actions)
            })
            .collect(),
        next_cursor,
        threshold_minor,
        today,
        my_late_cases: late_of(&state, &caller, client).await?,
    }))
}
