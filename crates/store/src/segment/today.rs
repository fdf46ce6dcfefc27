//! What day it is, and for whom: a debtor's days end at midnight of his portfolio's zone. At one instant a client's
//! portfolios are nearly always on the same date, so that an index answers; else each date is asked of its own.

use crate::SqlStore;
use crate::sql::{Field as _, Val, vals};
use domain::ids::{ClientId, PortfolioId};
use domain::ports::StoreError;
use domain::segment::{day_in, utc_day};
use domain::time::UtcMs;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// An instant with the days that it is then in the zones of a client's portfolios.
#[derive(Debug, Clone)]
pub(crate) struct Today {
    pub(crate) now: UtcMs,
    /// The earliest day: that of every portfolio which is not among the others.
    pub(crate) first: i64,
    /// Later days with their portfolios.
    pub(super) later: Vec<(i64, Vec<PortfolioId>)>,
}

impl Today {
    /// Of portfolios with their zones.
    pub(crate) fn of(
        now: UtcMs,
        portfolios: impl IntoIterator<Item = (PortfolioId, String)>,
    ) -> Self {
        let mut days: BTreeMap<i64, Vec<PortfolioId>> = BTreeMap::new();
        for (id, zone) in portfolios {
            days.entry(day_in(&zone, now)).or_default().push(id);
        }
        let first = days
            .pop_first()
            .map_or_else(|| utc_day(now), |(day, _)| day);
        Self {
            now,
            first,
            later: days.into_iter().collect(),
        }
    }

    /// The latest day that any portfolio has.
    pub(crate) fn last(&self) -> i64 {
        self.later.last().map_or(self.first, |(day, _)| *day)
    }

    /// The day of a row `d` that says its portfolio, as an expression; what it needs is bound behind `values`.
    pub(crate) fn of_debt(&self, values: &mut Vec<Val>) -> String {
        let mut bind = |value: Val| {
            values.push(value);
            format!("${}", values.len())
        };
        let first = bind(self.first.val());
        let mut sql = String::from("(CASE");
        for (day, portfolios) in &self.later {
            let places: Vec<String> = portfolios.iter().map(|id| bind(id.val())).collect();
            let places = places.join(",");
            let day = bind(day.val());
            let _ = write!(sql, " WHEN d.portfolio_id IN ({places}) THEN {day}");
        }
        match self.later.is_empty() {
            true => first,
            false => format!("{sql} ELSE {first} END)"),
        }
    }

    /// The day of a portfolio.
    pub(crate) fn of_portfolio(&self, id: PortfolioId) -> i64 {
        let found = self.later.iter().find(|(_, whose)| whose.contains(&id));
        found.map_or(self.first, |(day, _)| *day)
    }
}

impl SqlStore {
    /// What day it is for the debtors of a client.
    pub(crate) async fn today_of(&self, client: ClientId, now: UtcMs) -> Result<Today, StoreError> {
        let sql = "SELECT id, zone FROM portfolios WHERE client_id=$1";
        let rows = self.read().await?.rows(sql, vals![client]).await?;
        let mut zones: Vec<(PortfolioId, String)> = Vec::with_capacity(rows.len());
        for row in &rows {
            zones.push((row.get("id")?, row.get("zone")?));
        }
        Ok(Today::of(now, zones))
    }
}
