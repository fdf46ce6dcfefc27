//! The morning review beside the list: promises broken since yesterday, dates of the law that fall on the
//! day wherever debtors live, cases that have stood in their stage for too long, files whose points are old or
//! missing, what was done yesterday.

use super::file_tasks::{FileTaskCount, counted};
use super::morning::{client_of, late_of};
use crate::auth::Caller;
use crate::extract::Params;
use crate::list::{bad_cursor, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use domain::entity::{Complaint, ComplaintState, DebtStage, Portfolio, Promise};
use domain::ids::{AgentId, ClientId, ComplaintId, DebtorId, PromiseId};
use domain::pii::Pii;
use domain::ports::store::{BrokenAsk, ComplaintAsk, ListFilter, PageRequest};
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::kpi::{CostRates, KpiAsk, KpiPeriod, KpiRows, KpiSums};
use domain::time::UtcMs;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(review))
        .routes(routes!(broken))
}

/// Most promises on a page: what was done since is asked for each by itself, from when it broke.
const PROMISES_MAX: u32 = 50;

/// Whose morning.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewQuery {
    /// The client; the only one there is when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Rows wanted, 1–500; 50 when absent. A page has 50 at most.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A complaint whose deadline is today or past.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DueComplaint {
    #[schema(value_type = uuid::Uuid)]
    id: ComplaintId,
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    authority: String,
    number: String,
    #[schema(value_type = doc::Day)]
    deadline: String,
}

/// A public holiday of today where debtors of the client live.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HolidayThere {
    /// ISO 3166.
    country: String,
    /// Its name in English, as the table has it.
    name: String,
    /// Its name in Spanish.
    name_es: String,
    /// How many of them live there.
    debtors: u64,
}

/// What was done on a local day.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Done {
    attempts: i64,
    contacts: i64,
    right_party: i64,
    promises: i64,
    /// Messages that left, by every channel.
    messages: i64,
    /// Letters made for the printer.
    letters: i64,
    payments: i64,
    /// Minor units of the portfolio's currency, reversals taken off.
    paid_minor: i64,
}

/// The morning of a client.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Review {
    #[schema(value_type = doc::Day)]
    today: String,
    /// Public holiday in the debtors' country: its name.
    holiday: Option<String>,
    /// Public holidays of today by country, where debtors live.
    holidays: Vec<HolidayThere>,
    /// The last day that is no holiday and no weekend, before today.
    #[schema(value_type = doc::Day)]
    last_working_day: String,
    /// Open complaints that must be answered by today, most urgent first; at most 50.
    complaints_due: Vec<DueComplaint>,
    /// Cases past the limit of their stage.
    late_cases: u64,
    /// Of them those that the caller is told of; at most 50.
    #[schema(value_type = Vec<doc::DebtStage>)]
    my_late_cases: Vec<DebtStage>,
    /// Files whose points somebody has to look at (`/morning-list/tasks`).
    file_tasks: FileTaskCount,
    /// Promises broken since the last working day began.
    broken: i64,
    broken_minor: i64,
    #[schema(value_type = doc::Currency)]
    currency: String,
    /// From the last working day to today.
    done: Done,
}

/// A broken promise.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrokenPromise {
    #[schema(value_type = uuid::Uuid)]
    promise_id: PromiseId,
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    external_ref: String,
    #[schema(value_type = String)]
    name: Pii<String>,
    amount_minor: i64,
    #[schema(value_type = doc::Currency)]
    currency: String,
    #[schema(value_type = doc::Day)]
    due_date: String,
    #[schema(value_type = Option<doc::Instant>)]
    broken_at: Option<UtcMs>,
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    /// Attempts on the debtor since it broke.
    attempts_since: i64,
    /// Messages to him that left since.
    messages_since: i64,
    /// Letters to him made since.
    letters_since: i64,
}

/// Broken promises.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrokenPage {
    items: Vec<BrokenPromise>,
    next_cursor: Option<String>,
}

/// A client's day: its first portfolio, zone, today, holidays of its debtors' country.
struct Morning<'a> {
    state: &'a ApiState,
    client: ClientId,
    portfolio: Option<Portfolio>,
    zone: TimeZone,
    today: i64,
    country: Option<String>,
}

impl<'a> Morning<'a> {
    async fn of(state: &'a ApiState, client: ClientId) -> Result<Self, Problem> {
        let filter = ListFilter {
            client_id: Some(client),
            ..ListFilter::default()
        };
        let one = PageRequest {
            limit: 1,
            cursor: None,
        };
        let portfolio = state.store.list_portfolios(&filter, &one).await?;
        let portfolio = portfolio.items.into_iter().next();
        let debtor = state.store.list_debtors(&filter, &one).await?;
        let zone = portfolio.as_ref().map_or("UTC", |p| p.zone.as_str());
        let zone = domain::time::zone(zone).map_err(|_| Problem::internal())?;
        Ok(Self {
            state,
            client,
            today: day_of(state.now().in_zone(&zone).date()),
            portfolio,
            zone,
            country: debtor.items.into_iter().next().map(|d| d.country),
        })
    }

    fn holiday(&self, date: Date) -> Option<String> {
        let country = self.country.as_deref()?;
        self.state.center.holiday_of(country, &date.to_string())
    }

    /// The last day worked before today, at most two weeks back.
    fn last_worked(&self) -> i64 {
        let worked = |day: &i64| {
            date_of_day(*day).is_some_and(|d| {
                d.weekday().to_monday_zero_offset() < 5 && self.holiday(d).is_none()
            })
        };
        (self.today - 14..self.today)
            .rev()
            .find(worked)
            .unwrap_or(self.today - 1)
    }

    fn midnight(&self, day: i64) -> UtcMs {
        let start = date_of_day(day).and_then(|d| d.to_zoned(self.zone.clone()).ok());
        start.map_or(UtcMs(0), |z| z.timestamp().into())
    }

    async fn sums(&self, rows: KpiRows, ask: &KpiAsk) -> Result<KpiSums, Problem> {
        Ok(self.state.store.kpi_sums(rows, ask).await?)
    }

    async fn done(&self, from_day: i64) -> Result<Done, Problem> {
        let Some(portfolio) = &self.portfolio else {
            return Ok(Done::default());
        };
        let ask = KpiAsk {
            client: self.client,
            portfolio: None,
            campaign: None,
            agents: None,
            currency: portfolio.currency,
            period: KpiPeriod {
                from_day,
                to_day: self.today,
                from: self.midnight(from_day),
                to: self.midnight(self.today),
            },
            rates: CostRates::default(),
        };
        let paid = self.sums(KpiRows::Payments, &ask).await?;
        let (from, to) = (ask.period.from, ask.period.to);
        let sent = self.state.store.sent_counts(self.client, from, to).await?;
        Ok(Done {
            attempts: self.sums(KpiRows::Attempts, &ask).await?.rows,
            contacts: self.sums(KpiRows::Contacts, &ask).await?.rows,
            right_party: self.sums(KpiRows::RightParty, &ask).await?.rows,
            promises: self.sums(KpiRows::PromisesMade, &ask).await?.rows,
            messages: sent.messages,
            letters: sent.letters,
            payments: paid.rows,
            paid_minor: paid.amount,
        })
    }

    /// Promises broken since the last working day began; a page of them.
    async fn broken(
        &self,
        after: Option<(UtcMs, PromiseId)>,
        limit: u32,
    ) -> Result<Vec<Promise>, Problem> {
        let ask = BrokenAsk {
            after,
            limit,
            ..self.broken_ask()
        };
        Ok(self.state.store.broken_promises(&ask).await?)
    }

    fn broken_ask(&self) -> BrokenAsk {
        BrokenAsk {
            client: self.client,
            from: self.midnight(self.last_worked()),
            to: UtcMs(i64::MAX),
            after: None,
            limit: 0,
        }
    }

    /// Countries with a pack in which today is a holiday and somebody lives.
    async fn holidays(&self) -> Result<Vec<HolidayThere>, Problem> {
        let state = self.state;
        let countries: BTreeSet<&str> =
            state.rulepacks.iter().map(|p| p.country.as_str()).collect();
        let Some(today) = date_of_day(self.today) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for country in countries {
            let Some(name) = state.center.holiday_of(country, &today.to_string()) else {
                continue;
            };
            let there = domain::segment::parse(&format!("country = '{country}'"));
            let there = there.map_err(|_| Problem::internal())?;
            let whose = (self.client, country);
            let living = state
                .residents
                .of(&*state.store, whose, &there, state.now());
            let debtors = living.await?;
            if debtors > 0 {
                found.push(HolidayThere {
                    country: country.to_owned(),
                    name_es: domain::law::holiday_es(&name),
                    name,
                    debtors,
                });
            }
        }
        Ok(found)
    }

    async fn late_cases(&self) -> Result<u64, Problem> {
        let counts = self.state.store.late_counts(self.state.now()).await?;
        let ours = counts.iter().find(|(client, _)| *client == self.client);
        Ok(ours.map_or(0, |(_, late)| *late))
    }

    async fn due(&self, today: &str) -> Result<Vec<DueComplaint>, Problem> {
        let ask = ComplaintAsk {
            client: Some(self.client),
            limit: 50,
            ..ComplaintAsk::default()
        };
        let found = self.state.store.complaints_by_urgency(&ask).await?;
        let due = |c: &Complaint| c.state == ComplaintState::Open && c.deadline.as_str() <= today;
        Ok(found
            .into_iter()
            .filter(due)
            .map(|c| DueComplaint {
                id: c.id,
                debtor_id: c.debtor_id,
                authority: c.authority,
                number: c.number,
                deadline: c.deadline,
            })
            .collect())
    }
}

/// What the day begins with.
#[utoipa::path(get, path = "/morning-review", tag = "campaigns", params(ReviewQuery),
    responses((status = 200, description = "The morning", body = Review)))]
async fn review(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ReviewQuery>,
) -> Result<Json<Review>, Problem> {
    let client = client_of(&state, caller.narrow(query.client)?).await?;
    let morning = Morning::of(&state, client).await?;
    let date = |day: i64| date_of_day(day).map_or_else(String::new, |d| d.to_string());
    let today = date(morning.today);
    let last = morning.last_worked();
    let currency = morning.portfolio.as_ref().map(|p| p.currency);
    let asked = morning.broken_ask();
    let broken = state.store.broken_sums(&asked, currency).await?;
    Ok(Json(Review {
        holiday: date_of_day(morning.today).and_then(|d| morning.holiday(d)),
        last_working_day: date(last),
        complaints_due: morning.due(&today).await?,
        late_cases: morning.late_cases().await?,
        my_late_cases: late_of(&state, &caller, client).await?,
        holidays: morning.holidays().await?,
        file_tasks: counted(&state, client).await?,
        broken: broken.rows,
        broken_minor: broken.minor,
        currency: currency.map_or_else(String::new, |c| c.to_string()),
        done: morning.done(last).await?,
        today,
    }))
}

fn after(cursor: &str) -> Result<(UtcMs, PromiseId), Problem> {
    let (at, id) = cursor.split_once('~').ok_or_else(bad_cursor)?;
    let at = at.parse().map_err(|_| bad_cursor())?;
    Ok((UtcMs(at), id.parse().map_err(|_| bad_cursor())?))
}

/// Promises broken since the last working day began, oldest first, with what was done since.
#[utoipa::path(get, path = "/morning-review/promises", tag = "campaigns", params(ReviewQuery),
    responses((status = 200, description = "A page", body = BrokenPage)))]
async fn broken(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ReviewQuery>,
) -> Result<Json<BrokenPage>, Problem> {
    let client = client_of(&state, caller.narrow(query.client)?).await?;
    let wanted = page_request(query.limit, query.cursor)?;
    let behind = wanted.cursor.as_deref().map(after).transpose()?;
    let limit = wanted.limit.min(PROMISES_MAX);
    let morning = Morning::of(&state, client).await?;
    let mut found = morning.broken(behind, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found
        .last()
        .filter(|_| more)
        .and_then(|p| Some(format!("{}~{}", p.closed_at?.0, p.id)));
    let mut items = Vec::with_capacity(found.len());
    for p in found {
        let debtor = state.store.get_debtor(p.debtor_id).await?;
        let since = p.closed_at.unwrap_or(p.made_at);
        let done = state.store.actions_of(&[p.debtor_id], since).await?;
        items.push(BrokenPromise {
            promise_id: p.id,
            debtor_id: p.debtor_id,
            external_ref: debtor.external_ref,
            name: debtor.name,
            amount_minor: p.amount.amount_minor,
            currency: p.amount.currency.to_string(),
            due_date: p.due_date,
            broken_at: p.closed_at,
            agent_id: p.agent_id,
            attempts_since: done.first().map_or(0, |a| a.attempts),
            messages_since: done.first().map_or(0, |a| a.messages),
            letters_since: done.first().map_or(0, |a| a.letters),
        });
    }
    Ok(Json(BrokenPage { items, next_cursor }))
}
