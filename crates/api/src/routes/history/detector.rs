//! Call-progress analysis held against what agents said: both errors with counts and intervals.

use crate::auth::Caller;
use crate::extract::Params;
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use domain::ids::{CampaignId, ClientId, TrunkId};
use domain::ports::store::HeardCount;
use domain::time::{DAY_MS, UtcMs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Days looked at when the caller does not say.
const DAYS: i64 = 7;
/// Most days.
const DAYS_MAX: i64 = 92;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(detector))
}

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DetectorQuery {
    /// Days back from now, 7 when absent, 92 at most.
    days: Option<i64>,
}

/// A share by its parts, with the interval of 95 % (Wilson).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
struct Share {
    numerator: i64,
    denominator: i64,
    /// Percent; 0 to 100 where nothing was counted.
    low_pct: f64,
    high_pct: f64,
}

/// What the detector did on calls whose truth an agent told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
struct Errors {
    /// Calls judged.
    judged: i64,
    /// Of them without a code that tells person from machine.
    untold: i64,
    /// Persons taken for something else than a person or unknown ÷ persons (`amd_false_positive`).
    humans_lost: Share,
    /// Persons not told ÷ persons: an agent gets them too.
    humans_unknown: Share,
    /// Mailboxes taken for a person or unknown ÷ mailboxes.
    machines_missed: Share,
}

/// The errors of one campaign's calls.
#[derive(Debug, Serialize, ToSchema)]
struct OfCampaign {
    /// Null for calls by hand.
    #[schema(value_type = Option<uuid::Uuid>)]
    campaign_id: Option<CampaignId>,
    #[serde(flatten)]
    errors: Errors,
}

/// The errors of one trunk's calls.
#[derive(Debug, Serialize, ToSchema)]
struct OfTrunk {
    #[schema(value_type = uuid::Uuid)]
    trunk_id: TrunkId,
    #[serde(flatten)]
    errors: Errors,
}

/// Both errors of call-progress analysis.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Detector {
    #[schema(value_type = doc::Instant)]
    since: UtcMs,
    #[schema(value_type = doc::Instant)]
    until: UtcMs,
    total: Errors,
    campaigns: Vec<OfCampaign>,
    trunks: Vec<OfTrunk>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    judged: i64,
    humans: i64,
    lost: i64,
    unknown: i64,
    machines: i64,
    missed: i64,
}

impl Sums {
    fn add(&mut self, row: &HeardCount) {
        self.judged += row.calls;
        let class = row.class.as_str();
        let code = row.disposition.as_deref().unwrap_or_default();
        if is_person(code) {
            self.humans += row.calls;
            self.lost += i64::from(!matches!(class, "human" | "unknown")) * row.calls;
            self.unknown += i64::from(class == "unknown") * row.calls;
        } else if is_mailbox(code) {
            self.machines += row.calls;
            self.missed += i64::from(matches!(class, "human" | "unknown")) * row.calls;
        }
    }

    fn errors(self) -> Errors {
        Errors {
            judged: self.judged,
            untold: self.judged - self.humans - self.machines,
            humans_lost: share(self.lost, self.humans),
            humans_unknown: share(self.unknown, self.humans),
            machines_missed: share(self.missed, self.machines),
        }
    }
}

/// A code that a conversation leaves (terms.md §4: direct and indirect contact, hung up on).
fn is_person(code: &str) -> bool {
    code.starts_with("CD.") || code.starts_with("CI.") || code == "NC.CA"
}

fn is_mailbox(code: &str) -> bool {
    code == "NC.BZ" || code.starts_with("NC.BZ.")
}

/// Wilson's interval: sound for few calls and for shares near 0.
fn share(numerator: i64, denominator: i64) -> Share {
    let (low_pct, high_pct) = if denominator <= 0 {
        (0.0, 100.0)
    } else {
        let z = 1.959_964;
        let n = denominator as f64;
        let p = numerator as f64 / n;
        let middle = p + z * z / (2.0 * n);
        let reach = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + z * z / n;
        let pct = |x: f64| (10_000.0 * x / whole).round() / 100.0;
        (pct((middle - reach).max(0.0)), pct(middle + reach))
    };
    Share {
        numerator,
        denominator,
        low_pct,
        high_pct,
    }
}

fn by<K: Ord>(counts: &[HeardCount], key: impl Fn(&HeardCount) -> K) -> Vec<(K, Errors)> {
    let mut sums: BTreeMap<K, Sums> = BTreeMap::new();
    for row in counts {
        sums.entry(key(row)).or_default().add(row);
    }
    sums.into_iter().map(|(k, s)| (k, s.errors())).collect()
}

/// Trunks carry the calls of every client: a login limited to one counts those of its own campaigns.
async fn of_client(
    state: &ApiState,
    client: Option<ClientId>,
    mut counts: Vec<HeardCount>,
) -> Result<Vec<HeardCount>, Problem> {
    let Some(client) = client else {
        return Ok(counts);
    };
    let mut own: BTreeMap<CampaignId, bool> = BTreeMap::new();
    for id in counts.iter().filter_map(|row| row.campaign_id) {
        if let Entry::Vacant(unknown) = own.entry(id) {
            unknown.insert(state.store.get_campaign(id).await?.client_id == client);
        }
    }
    let seen = |id| own.get(&id).copied().unwrap_or(false);
    counts.retain(|row| row.campaign_id.is_some_and(seen));
    Ok(counts)
}

/// What call-progress analysis took calls for, against the codes agents gave them.
#[utoipa::path(get, path = "/reports/detector", tag = "history", params(DetectorQuery),
    responses((status = 200, description = "Both errors", body = Detector)))]
async fn detector(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<DetectorQuery>,
) -> Result<Json<Detector>, Problem> {
    let days = query.days.unwrap_or(DAYS).clamp(1, DAYS_MAX);
    let until = state.now();
    let since = until.plus_ms(-days * DAY_MS);
    let counts = state.store.heard_counts(since, until).await?;
    let counts = of_client(&state, caller.client, counts).await?;
    let mut total = Sums::default();
    counts.iter().for_each(|row| total.add(row));
    Ok(Json(Detector {
        since,
        until,
        total: total.errors(),
        campaigns: by(&counts, |row| row.campaign_id)
            .into_iter()
            .map(|(campaign_id, errors)| OfCampaign {
                campaign_id,
                errors,
            })
            .collect(),
        trunks: by(&counts, |row| row.trunk_id)
            .into_iter()
            .map(|(trunk_id, errors)| OfTrunk { trunk_id, errors })
            .collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_errors_are_counted_against_the_agents_codes() {
        let row = |class: &str, code: Option<&str>, calls| HeardCount {
            campaign_id: None,
            trunk_id: TrunkId(uuid::Uuid::nil()),
            class: class.to_owned(),
            disposition: code.map(str::to_owned),
            calls,
        };
        let counts = [
            row("human", Some("CD.PP.TOTAL"), 90),
            row("unknown", Some("CI.TN"), 8),
            row("machine", Some("CD.NP"), 2),
            row("machine", Some("NC.BZ"), 30),
            row("human", Some("NC.BZ.DEJADO"), 10),
            row("human", None, 5),
            row("machine", Some("NC.ST"), 1),
        ];
        let all = by(&counts, |r| r.campaign_id);
        let errors = all[0].1;
        assert_eq!((errors.judged, errors.untold), (146, 6));
        let parts = |s: Share| (s.numerator, s.denominator);
        assert_eq!(parts(errors.humans_lost), (2, 100));
        assert_eq!(parts(errors.humans_unknown), (8, 100));
        assert_eq!(parts(errors.machines_missed), (10, 40));
        assert_eq!(errors.humans_lost.low_pct, 0.55);
        assert_eq!(errors.humans_lost.high_pct, 7.0);
        assert_eq!(share(0, 0).high_pct, 100.0);
    }
}
