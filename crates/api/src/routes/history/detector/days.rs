//! The local days of a report, and what was judged on each.

use crate::ApiState;
use crate::problem::Problem;
use crate::routes::reports::midnight;
use domain::ids::ClientId;
use domain::ports::store::{HeardCount, ListFilter, PageRequest};
use domain::time::UtcMs;
use jiff::tz::TimeZone;

/// Days one after another that are equally long: those before and after the clocks change are not.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) from: UtcMs,
    pub(super) to: UtcMs,
    pub(super) day_ms: i64,
    /// Days of the report before it.
    pub(super) before: i64,
}

/// `days` local days from the day `first` on.
pub(super) fn runs(first: i64, days: i64, zone: &TimeZone) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for before in 0..days {
        let from = midnight(first + before, zone);
        let to = midnight(first + before + 1, zone);
        let day_ms = to.since_ms(from);
        if let Some(run) = runs.last_mut().filter(|run| run.day_ms == day_ms) {
            run.to = to;
        } else {
            runs.push(Run {
                from,
                to,
                day_ms,
                before,
            });
        }
    }
    runs
}

/// Whose days they are: those of the client's first portfolio, or of the installation's.
pub(super) async fn zone_of(
    state: &ApiState,
    client: Option<ClientId>,
) -> Result<TimeZone, Problem> {
    let filter = ListFilter {
        client_id: client,
        ..ListFilter::default()
    };
    let one = PageRequest {
        limit: 1,
        cursor: None,
    };
    let found = state.store.list_portfolios(&filter, &one).await?;
    let zone = found.items.first().map_or("UTC", |p| p.zone.as_str());
    domain::time::zone(zone).map_err(|_| Problem::internal())
}

/// What was judged before `until`, its slices being the days of the report.
pub(super) async fn judged(
    state: &ApiState,
    runs: Vec<Run>,
    until: UtcMs,
) -> Result<Vec<HeardCount>, Problem> {
    let mut counts = Vec::new();
    for run in runs {
        let to = run.to.min(until);
        let found = state.store.heard_counts(run.from, to, run.day_ms).await?;
        counts.extend(found.into_iter().map(|row| HeardCount {
            slice: row.slice + run.before,
            ..row
        }));
    }
    Ok(counts)
}
