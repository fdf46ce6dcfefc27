//! Registers that authorities ask of a collector, as CSV: complaints with authority, number and deadline; the
//! numbers that are shown; the people who call.

use crate::auth::Caller;
use crate::extract::Params;
use crate::problem::Problem;
use crate::routes::history::sheet_line::sheet_line;
use crate::{ApiState, check, doc};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::entity::{Agent, CallerId, Complaint, ComplaintState, Language};
use domain::ids::{ClientId, DebtorId, TeamId};
use domain::ports::StoreError;
use domain::ports::store::{ComplaintAsk, ListFilter, PAGE_LIMIT_MAX, Page, PageRequest};
use domain::time::{DAY_MS, UtcMs};
use serde::Deserialize;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most lines of a register: an authority takes no longer one in one piece.
const LINES_MAX: usize = 100_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(complaints))
        .routes(routes!(numbers))
        .routes(routes!(collectors))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesQuery {
    /// Only this client's; all that the caller sees when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only before this authority, whatever the case of its letters.
    authority: Option<String>,
    /// Received on this day or later, `YYYY-MM-DD`, UTC.
    #[param(value_type = Option<doc::Day>)]
    from: Option<String>,
    /// Received before this day.
    #[param(value_type = Option<doc::Day>)]
    to: Option<String>,
    /// Language of the heads and words, `es` (default) or `en`.
    lang: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisterQuery {
    /// Only this client's; all that the caller sees when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// The list that rule packs in force name, as `REDECO`: only numbers of their countries.
    register: Option<String>,
    /// Language of the heads and words, `es` (default) or `en`.
    lang: Option<String>,
}

/// Words in the language that was asked for.
#[derive(Clone, Copy)]
struct Words(Language);

impl Words {
    fn of(lang: Option<&str>) -> Result<Self, Problem> {
        match lang {
            None | Some("es") => Ok(Self(Language::Es)),
            Some("en") => Ok(Self(Language::En)),
            Some(_) => Err(Problem::invalid("lang", "expected es or en")),
        }
    }

    fn pick(self, es: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Language::En => en,
            _ => es,
        }
    }

    fn yes(self, yes: bool) -> &'static str {
        match yes {
            true => self.pick("sí", "yes"),
            false => "no",
        }
    }

    fn head<const N: usize>(self, heads: [(&'static str, &'static str); N]) -> String {
        sheet_line(heads.map(|(es, en)| self.pick(es, en)))
    }
}

/// Writes to the audit who took a register, and gives it as a file.
async fn given(
    state: &ApiState,
    caller: &Caller,
    (client, name): (Option<ClientId>, &str),
    text: String,
) -> Result<Response, Problem> {
    let subject = client.map_or_else(|| "register:all".to_owned(), |c| format!("client:{c}"));
    let mut event = state.audit(caller, client, subject, "register.exported");
    event.data["register"] = name.into();
    state.store.append_events(&[event]).await?;
    let day: String = state.now().to_string().chars().take(10).collect();
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}-{day}.csv\""),
        ),
    ];
    // Spreadsheets read a file without a mark in the machine's own encoding.
    Ok((head, format!("\u{feff}{text}")).into_response())
}

fn too_long() -> Problem {
    Problem::conflict(
        "limit_reached",
        format!("more than {LINES_MAX} lines: ask for a shorter time, or for one client"),
    )
}

/// Whole days from one instant to another.
fn days(from: UtcMs, to: UtcMs) -> String {
    (to.since_ms(from) / DAY_MS).to_string()
}

fn day_of(at: UtcMs) -> String {
    at.to_string().chars().take(10).collect()
}

struct Case<'a> {
    row: &'a Complaint,
    client: &'a str,
    debtor: &'a str,
    today: &'a str,
}

fn case_line(words: Words, case: &Case<'_>) -> String {
    let row = case.row;
    let state = match row.state {
        ComplaintState::Open => words.pick("abierta", "open"),
        ComplaintState::Answered => words.pick("respondida", "answered"),
        ComplaintState::Closed => words.pick("cerrada", "closed"),
    };
    let ended = row.answered_at.map(day_of);
    let late = match (&ended, row.state) {
        (Some(day), _) => *day > row.deadline,
        (None, ComplaintState::Open) => case.today > row.deadline.as_str(),
        (None, _) => false,
    };
    sheet_line([
        row.authority.as_str(),
        &row.number,
        case.client,
        case.debtor,
        &day_of(row.received_at),
        &row.deadline,
        state,
        ended.as_deref().unwrap_or_default(),
        &row.answered_at
            .map(|at| days(row.received_at, at))
            .unwrap_or_default(),
        words.yes(late),
        row.summary.reveal(),
        row.answer.as_ref().map_or("", |a| a.reveal()),
    ])
}

/// Complaints that came on a day from the first on and before the second.
async fn received(
    state: &ApiState,
    mut ask: ComplaintAsk,
    (from, to): (Option<String>, Option<String>),
) -> Result<Vec<Complaint>, Problem> {
    let within = |c: &Complaint| {
        let day = day_of(c.received_at);
        from.as_ref().is_none_or(|from| day >= *from) && to.as_ref().is_none_or(|to| day < *to)
    };
    let mut rows: Vec<Complaint> = Vec::new();
    loop {
        let page = state.store.complaints_by_urgency(&ask).await?;
        let Some(last) = page.last() else {
            return Ok(rows);
        };
        let open = last.state == ComplaintState::Open;
        ask.after = Some((open, last.deadline.clone(), last.id));
        rows.extend(page.into_iter().filter(|c| within(c)));
        if rows.len() > LINES_MAX {
            return Err(too_long());
        }
    }
}

/// The register of complaints: authority, number of the case, when it came, by when it had to be answered, and when
/// it was. Written to the audit.
#[utoipa::path(get, path = "/export/registers/complaints", tag = "reports", params(CasesQuery),
    responses((status = 200, description = "The lines", body = String, content_type = "text/csv"),
        (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn complaints(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<CasesQuery>,
) -> Result<Response, Problem> {
    let words = Words::of(query.lang.as_deref())?;
    let client = caller.narrow(query.client)?;
    let bound = |name: &'static str, day: &Option<String>| {
        let day = day.as_ref().map(|day| check::day(name, day));
        day.transpose()
    };
    let (from, to) = (bound("from", &query.from)?, bound("to", &query.to)?);
    let authority = query.authority.as_deref();
    let ask = ComplaintAsk {
        client,
        authority: authority
            .map(|name| check::name("authority", name))
            .transpose()?,
        after: None,
        limit: PAGE_LIMIT_MAX,
    };
    let mut rows = received(&state, ask, (from, to)).await?;
    rows.sort_by_key(|c| (c.received_at, c.id));
    let mut text = words.head([
        ("autoridad", "authority"),
        ("número", "number"),
        ("acreedor", "creditor"),
        ("deudor", "debtor"),
        ("recibida", "received"),
        ("plazo", "deadline"),
        ("estado", "state"),
        ("respondida", "answered"),
        ("días hasta la respuesta", "days to the answer"),
        ("fuera de plazo", "late"),
        ("asunto", "summary"),
        ("respuesta", "answer"),
    ]);
    let today = day_of(state.now());
    let mut clients: BTreeMap<ClientId, String> = BTreeMap::new();
    let mut debtors: BTreeMap<DebtorId, String> = BTreeMap::new();
    for row in &rows {
        if let Entry::Vacant(place) = clients.entry(row.client_id) {
            place.insert(state.store.get_client(row.client_id).await?.name);
        }
        if let Entry::Vacant(place) = debtors.entry(row.debtor_id) {
            place.insert(state.store.get_debtor(row.debtor_id).await?.external_ref);
        }
        text += &case_line(
            words,
            &Case {
                row,
                client: clients.get(&row.client_id).map_or("", String::as_str),
                debtor: debtors.get(&row.debtor_id).map_or("", String::as_str),
                today: &today,
            },
        );
    }
    given(&state, &caller, (client, "complaints"), text).await
}

/// Countries whose packs in force ask for a list; `None`: no list was named.
fn countries(
    state: &ApiState,
    register: Option<&str>,
) -> Result<Option<BTreeSet<String>>, Problem> {
    let Some(name) = register else {
        return Ok(None);
    };
    let asks = state
        .rulepacks
        .iter()
        .filter(|p| p.in_force && p.registered_list.as_deref() == Some(name));
    let found: BTreeSet<String> = asks.map(|p| p.country.clone()).collect();
    if found.is_empty() {
        return Err(Problem::invalid(
            "register",
            "no rule pack in force asks for it",
        ));
    }
    Ok(Some(found))
}

fn of_client(client: Option<ClientId>) -> ListFilter {
    ListFilter {
        client_id: client,
        ..ListFilter::default()
    }
}

/// Rows of a list that go into a register, page by page.
async fn lines_of<T, F>(
    read: impl Fn(PageRequest) -> F,
    keep: impl Fn(&T) -> bool,
) -> Result<Vec<T>, Problem>
where
    F: Future<Output = Result<Page<T>, StoreError>>,
{
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let mut lines = Vec::new();
    loop {
        let found = read(page.clone()).await?;
        lines.extend(found.items.into_iter().filter(&keep));
        if lines.len() > LINES_MAX {
            return Err(too_long());
        }
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(lines),
        }
    }
}

/// The numbers that are shown to debtors: whose, of which country, whether the authority's list has them, whether
/// they are in use. Written to the audit.
#[utoipa::path(get, path = "/export/registers/numbers", tag = "reports", params(RegisterQuery),
    responses((status = 200, description = "The lines", body = String, content_type = "text/csv"),
        (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn numbers(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<RegisterQuery>,
) -> Result<Response, Problem> {
    let words = Words::of(query.lang.as_deref())?;
    let client = caller.narrow(query.client)?;
    let countries = countries(&state, query.register.as_deref())?;
    let mut text = words.head([
        ("número", "number"),
        ("acreedor", "creditor"),
        ("país", "country"),
        ("registrado", "registered"),
        ("en uso", "in use"),
        ("alta", "since"),
    ]);
    let (store, of) = (&state.store, &of_client(client));
    let read = |page: PageRequest| async move { store.list_caller_ids(of, &page).await };
    let keep = |row: &CallerId| countries.as_ref().is_none_or(|c| c.contains(&row.country));
    let mut clients: BTreeMap<ClientId, String> = BTreeMap::new();
    for row in lines_of(read, keep).await? {
        if let Entry::Vacant(place) = clients.entry(row.client_id) {
            place.insert(state.store.get_client(row.client_id).await?.name);
        }
        text += &sheet_line([
            row.number.as_str(),
            clients.get(&row.client_id).map_or("", String::as_str),
            &row.country,
            words.yes(row.registered),
            words.yes(row.enabled),
            &day_of(row.created_at),
        ]);
    }
    given(&state, &caller, (client, "numbers"), text).await
}

/// Whether an agent works for a client: who is bound to campaigns works for theirs, anybody else for all.
async fn works_for(
    state: &ApiState,
    agent: &Agent,
    client: ClientId,
    known: &mut BTreeMap<domain::ids::CampaignId, Option<ClientId>>,
) -> Result<bool, Problem> {
    for id in &agent.campaigns {
        if !known.contains_key(id) {
            let of = match state.store.get_campaign(*id).await {
                Ok(campaign) => Some(campaign.client_id),
                Err(StoreError::NotFound(_)) => None,
                Err(other) => return Err(other.into()),
            };
            known.insert(*id, of);
        }
    }
    let of = |id| known.get(id).copied().flatten();
    Ok(agent.campaigns.is_empty() || agent.campaigns.iter().any(|id| of(id) == Some(client)))
}

/// The people who call: name, team, whether they work now, since when. Written to the audit.
#[utoipa::path(get, path = "/export/registers/collectors", tag = "reports", params(RegisterQuery),
    responses((status = 200, description = "The lines", body = String, content_type = "text/csv"),
        (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn collectors(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<RegisterQuery>,
) -> Result<Response, Problem> {
    let words = Words::of(query.lang.as_deref())?;
    let client = caller.narrow(query.client)?;
    countries(&state, query.register.as_deref())?;
    let mut text = words.head([
        ("gestor", "collector"),
        ("identificador", "identifier"),
        ("equipo", "team"),
        ("activo", "active"),
        ("alta", "since"),
    ]);
    let (store, of) = (&state.store, &ListFilter::default());
    let read = |page: PageRequest| async move { store.list_agents(of, &page).await };
    let mut teams: BTreeMap<TeamId, String> = BTreeMap::new();
    let mut campaigns = BTreeMap::new();
    for agent in lines_of(read, |_| true).await? {
        if let Some(client) = client
            && !works_for(&state, &agent, client, &mut campaigns).await?
        {
            continue;
        }
        if let Some(team) = agent.team_id
            && !teams.contains_key(&team)
        {
            teams.insert(team, state.store.get_team(team).await?.name);
        }
        let user = state.store.get_user(agent.user_id).await?;
        text += &sheet_line([
            agent.name.as_str(),
            &agent.id.to_string(),
            agent
                .team_id
                .and_then(|team| teams.get(&team))
                .map_or("", String::as_str),
            words.yes(user.active),
            &day_of(agent.created_at),
        ]);
    }
    given(&state, &caller, (client, "collectors"), text).await
}
