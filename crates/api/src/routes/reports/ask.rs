//! Whose figures and when: a query read, checked, and turned into what the store is asked.

use crate::auth::Caller;
use crate::problem::Problem;
use crate::routes::floor::members;
use crate::{ApiState, check, doc};
use domain::entity::Portfolio;
use domain::ids::{AgentId, CampaignId, ClientId, PortfolioId, TeamId};
use domain::money::Currency;
use domain::ports::store::{ListFilter, PageRequest};
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::kpi::{CostRates, KpiAsk, KpiPeriod};
use domain::time::UtcMs;
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::IntoParams;

/// Longest period of a report, days.
pub(super) const PERIOD_MAX_DAYS: i64 = 731;
/// Days of a report when the caller does not say.
const PERIOD_DAYS: i64 = 30;

/// Whose figures, over which days.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KpiQuery {
    /// The client; the only one there is when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) client: Option<ClientId>,
    /// Only this portfolio.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) portfolio: Option<PortfolioId>,
    /// Only this campaign.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) campaign: Option<CampaignId>,
    /// Only the agents of this team, as they are now.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) team: Option<TeamId>,
    /// Only this agent.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) agent: Option<AgentId>,
    /// Amounts of this currency; that of the portfolio when absent.
    #[param(value_type = Option<doc::Currency>)]
    pub(super) currency: Option<Currency>,
    /// First local day; 29 days before `to` when absent.
    #[param(value_type = Option<doc::Day>)]
    pub(super) from: Option<String>,
    /// Last local day, both included; today when absent.
    #[param(value_type = Option<doc::Day>)]
    pub(super) to: Option<String>,
    /// Series: days of a slice; the fewest that keep it to 62 points when absent.
    pub(super) step_days: Option<i64>,
    /// Rows: `numerator` (when absent) or `denominator`.
    pub(super) part: Option<String>,
    /// Rows wanted, 1–500; 50 when absent.
    pub(super) limit: Option<u32>,
    /// Rows: `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
}

/// A question, with the zone its days are of.
pub(super) struct Asked {
    pub(super) ask: KpiAsk,
    pub(super) zone: TimeZone,
    pub(super) zone_name: String,
}

fn wrong(path: &str, reason: &str) -> Problem {
    Problem::bad_request("bad_query", format!("{path}: {reason}"))
}

/// Local midnight of a day, days since 1970.
pub(crate) fn midnight(day: i64, zone: &TimeZone) -> UtcMs {
    let start = date_of_day(day).and_then(|d| d.to_zoned(zone.clone()).ok());
    start.map_or(UtcMs(day.saturating_mul(domain::time::DAY_MS)), |z| {
        z.timestamp().into()
    })
}

/// Local days from `from_day` to before `to_day`.
pub(super) fn period(from_day: i64, to_day: i64, zone: &TimeZone) -> KpiPeriod {
    KpiPeriod {
        from_day,
        to_day,
        from: midnight(from_day, zone),
        to: midnight(to_day, zone),
    }
}

/// Number of a day of a query.
fn day(path: &str, text: &str) -> Result<i64, Problem> {
    let text = check::day(path, text).map_err(|_| wrong(path, "expected a date as 2026-11-30"))?;
    let date: jiff::civil::Date = text
        .parse()
        .map_err(|_| wrong(path, "expected a date as 2026-11-30"))?;
    Ok(day_of(date))
}

/// The client whose figures they are: the one asked for, else the only one there is.
pub(super) async fn client_of(
    state: &ApiState,
    caller: &Caller,
    asked: Option<ClientId>,
) -> Result<ClientId, Problem> {
    if let Some(client) = caller.narrow(asked)? {
        state.store.get_client(client).await?;
        return Ok(client);
    }
    let page = PageRequest {
        limit: 2,
        cursor: None,
    };
    let found = state
        .store
        .list_clients(&ListFilter::default(), &page)
        .await?;
    match found.items.as_slice() {
        [one] => Ok(one.id),
        _ => Err(wrong("client", "say whose figures")),
    }
}

/// The portfolio asked for, which must be the client's; else its first, whose currency and zone hold.
pub(super) async fn portfolio_of(
    state: &ApiState,
    client: ClientId,
    asked: Option<PortfolioId>,
) -> Result<Option<Portfolio>, Problem> {
    if let Some(id) = asked {
        let row = state.store.get_portfolio(id).await?;
        if row.client_id != client {
            return Err(Problem::not_found("portfolio"));
        }
        return Ok(Some(row));
    }
    let filter = ListFilter {
        client_id: Some(client),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let mut found = state.store.list_portfolios(&filter, &page).await?;
    Ok(found.items.pop())
}

/// Costs that a client's contacts are counted with; nothing until somebody sets them.
pub(crate) async fn rates_of(state: &ApiState, client: ClientId) -> Result<CostRates, Problem> {
    let text = state.store.get_setting(&format!("costs:{client}")).await?;
    let read = |text: String| serde_json::from_str(&text).map_err(|_| Problem::internal());
    Ok(text.map(read).transpose()?.unwrap_or_default())
}

/// The agents asked for.
pub(super) async fn agents_of(
    state: &ApiState,
    team: Option<TeamId>,
    agent: Option<AgentId>,
) -> Result<Option<Vec<AgentId>>, Problem> {
    let of_team = match team {
        Some(team) => Some(members(state, team).await?),
        None => None,
    };
    Ok(match (agent, of_team) {
        (Some(agent), Some(team)) if !team.contains(&agent) => Some(Vec::new()),
        (Some(agent), _) => Some(vec![agent]),
        (None, team) => team,
    })
}

impl KpiQuery {
    fn days(&self, today: i64) -> Result<(i64, i64), Problem> {
        let to = self.to.as_deref().map(|t| day("to", t)).transpose()?;
        let to = to.unwrap_or(today);
        let from = self.from.as_deref().map(|t| day("from", t)).transpose()?;
        let from = from.unwrap_or(to + 1 - PERIOD_DAYS);
        if from > to {
            return Err(wrong("from", "expected a day that is not after to"));
        }
        if to - from >= PERIOD_MAX_DAYS {
            return Err(wrong("from", "expected at most 731 days"));
        }
        Ok((from, to + 1))
    }

    /// Reads the query for a caller.
    pub(super) async fn read(self, state: &ApiState, caller: &Caller) -> Result<Asked, Problem> {
        let client = client_of(state, caller, self.client).await?;
        let portfolio = portfolio_of(state, client, self.portfolio).await?;
        let zone_name = portfolio.as_ref().map_or("UTC", |p| p.zone.as_str());
        let zone = domain::time::zone(zone_name).map_err(|_| Problem::internal())?;
        let today = day_of(state.now().in_zone(&zone).date());
        let (from_day, to_day) = self.days(today)?;
        let own = portfolio.as_ref().map(|p| p.currency);
        let Some(currency) = self.currency.or(own) else {
            return Err(wrong("currency", "the client has no portfolio: say which"));
        };
        if let Some(campaign) = self.campaign {
            let row = state.store.get_campaign(campaign).await?;
            if row.client_id != client {
                return Err(Problem::not_found("campaign"));
            }
        }
        let agents = agents_of(state, self.team, self.agent).await?;
        Ok(Asked {
            ask: KpiAsk {
                client,
                portfolio: self.portfolio,
                campaign: self.campaign,
                agents,
                currency,
                period: period(from_day, to_day, &zone),
                rates: rates_of(state, client).await?,
            },
            zone_name: zone_name.to_owned(),
            zone,
        })
    }
}
