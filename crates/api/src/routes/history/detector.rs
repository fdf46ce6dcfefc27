//! Call-progress analysis held against what agents said: both errors with counts and intervals, over
//! time, by trunk and campaign; calls to listen to; verdicts corrected.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::bad_cursor;
use crate::problem::Problem;
use crate::routes::reports::midnight;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::CallResult;
use domain::ids::{AttemptId, CampaignId, ClientId, RecordingId, TrunkId};
use domain::ports::store::{HeardCount, Sample, SampleAsk};
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::detector::{Acted, Known, Truth, is_for_agent, truth, wilson_pct};
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
/// Samples of a page when the caller does not say.
const SAMPLES: u32 = 25;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(detector))
        .routes(routes!(samples))
        .routes(routes!(tell))
}

/// How far back, and of what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DetectorQuery {
    /// Local days, today the last of them; 7 when absent, 92 at most.
    days: Option<i64>,
    /// Only this campaign's calls.
    #[param(value_type = Option<uuid::Uuid>)]
    campaign: Option<CampaignId>,
    /// Only this trunk's calls.
    #[param(value_type = Option<uuid::Uuid>)]
    trunk: Option<TrunkId>,
}

/// A share by its parts, with the interval of 95 % (Wilson).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub(crate) struct Share {
    numerator: i64,
    denominator: i64,
    /// Percent; 0 to 100 where nothing was counted.
    low_pct: f64,
    high_pct: f64,
}

/// What the detector did on calls whose truth is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
struct Errors {
    /// Calls judged.
    judged: i64,
    /// Of them without a truth: nobody said what they were.
    untold: i64,
    /// Persons taken for something else than a person or unknown ÷ persons (`amd_false_positive`).
    humans_lost: Share,
    /// Persons not told ÷ persons: an agent gets them too.
    humans_unknown: Share,
    /// Mailboxes taken for a person or unknown ÷ mailboxes.
    machines_missed: Share,
    /// Mailboxes told within 1.5 s of the answer ÷ mailboxes: in time for a clock that starts with it.
    machines_early: Share,
    /// Calls on which the verdict was acted: no agent got them.
    ended: i64,
    /// Persons that were hung up on, as somebody said who listened: each counts as abandoned.
    persons_ended: i64,
}

/// The errors of one campaign's calls.
#[derive(Debug, Serialize, ToSchema)]
struct OfCampaign {
    /// Null for calls by hand.
    #[schema(value_type = Option<uuid::Uuid>)]
    campaign_id: Option<CampaignId>,
    /// What a campaign that acts on verdicts loses, percent of its persons, by the calls that were
    /// checked and those that were corrected; null while fewer than 50 are known.
    loss_pct: Option<f64>,
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

/// The errors of one day.
#[derive(Debug, Serialize, ToSchema)]
struct OfDay {
    /// Which, where the client is.
    #[schema(value_type = doc::Day)]
    day: String,
    /// When it begins.
    #[schema(value_type = doc::Instant)]
    from: UtcMs,
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
    /// Each day, oldest first; those without a judged call too.
    days: Vec<OfDay>,
    /// Answers of calls we placed that found nobody in time, persons who were hung up on among them, ÷ those and the
    /// ones an agent had, machines that agents found left out: as the board counts them. Null where a trunk is asked
    /// for: the law knows none.
    abandoned: Option<Share>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    judged: i64,
    humans: i64,
    lost: i64,
    unknown: i64,
    machines: i64,
    missed: i64,
    early: i64,
    ended: i64,
    persons_ended: i64,
    known: Known,
}

impl Sums {
    fn add(&mut self, row: &HeardCount) {
        self.judged += row.calls;
        let class = row.class.as_str();
        let what = row.known();
        self.ended += i64::from(row.acted.ended_it()) * row.calls;
        self.known.add(class, row.acted, what, row.calls);
        match what {
            Some(Truth::Person) => {
                self.humans += row.calls;
                self.lost += i64::from(!is_for_agent(class)) * row.calls;
                self.unknown += i64::from(class == "unknown") * row.calls;
                self.persons_ended += i64::from(row.acted.ended_it()) * row.calls;
            }
            Some(Truth::Machine) => {
                self.machines += row.calls;
                self.missed += i64::from(is_for_agent(class)) * row.calls;
                self.early += i64::from(row.early && !is_for_agent(class)) * row.calls;
            }
            None => {}
        }
    }

    fn errors(self) -> Errors {
        Errors {
            judged: self.judged,
            untold: self.judged - self.humans - self.machines,
            humans_lost: share(self.lost, self.humans),
            humans_unknown: share(self.unknown, self.humans),
            machines_missed: share(self.missed, self.machines),
            machines_early: share(self.early, self.machines),
            ended: self.ended,
            persons_ended: self.persons_ended,
        }
    }
}

pub(crate) fn share(numerator: i64, denominator: i64) -> Share {
    let (low_pct, high_pct) = wilson_pct(numerator, denominator);
    Share {
        numerator,
        denominator,
        low_pct,
        high_pct,
    }
}

fn by<K: Ord>(counts: &[HeardCount], key: impl Fn(&HeardCount) -> K) -> Vec<(K, Sums)> {
    let mut sums: BTreeMap<K, Sums> = BTreeMap::new();
    for row in counts {
        sums.entry(key(row)).or_default().add(row);
    }
    sums.into_iter().collect()
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

/// Longest time of which abandonment is told, ms: that of the longest legal window.
const ABANDONED_MS: i64 = 31 * DAY_MS;

/// Abandonment over the same time, of the same client and campaign.
async fn abandoned(
    state: &ApiState,
    client: Option<ClientId>,
    query: &DetectorQuery,
    (since, until): (UtcMs, UtcMs),
) -> Result<Option<Share>, Problem> {
    if query.trunk.is_some() || until.since_ms(since) > ABANDONED_MS {
        return Ok(None);
    }
    let slots = state.store.answers(since, until).await?;
    let ours = slots.iter().filter(|slot| {
        client.is_none_or(|c| slot.client_id == c)
            && (query.campaign.is_none() || slot.campaign_id == query.campaign)
    });
    let (mut numerator, mut denominator) = (0_u64, 0_u64);
    for slot in ours {
        numerator += slot.abandoned;
        denominator += slot.abandoned + slot.handled;
    }
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(Some(share(whole(numerator), whole(denominator))))
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
    let zone = days::zone_of(&state, caller.client).await?;
    let first = day_of(until.in_zone(&zone).date()) + 1 - days;
    let since = midnight(first, &zone);
    let counts = days::judged(&state, days::runs(first, days, &zone), until).await?;
    let mut counts = of_client(&state, caller.client, counts).await?;
    counts.retain(|row| query.campaign.is_none() || row.campaign_id == query.campaign);
    counts.retain(|row| query.trunk.is_none_or(|t| row.trunk_id == t));
    let mut total = Sums::default();
    counts.iter().for_each(|row| total.add(row));
    let campaigns = by(&counts, |row| row.campaign_id)
        .into_iter()
        .map(|(campaign_id, sums)| OfCampaign {
            campaign_id,
            loss_pct: sums.known.loss_pct(),
            errors: sums.errors(),
        });
    let trunks = by(&counts, |row| row.trunk_id)
        .into_iter()
        .map(|(trunk_id, sums)| OfTrunk {
            trunk_id,
            errors: sums.errors(),
        });
    let seen: BTreeMap<i64, Sums> = by(&counts, |row| row.slice).into_iter().collect();
    let of_day = |n: i64| OfDay {
        day: date_of_day(first + n).map_or_else(String::new, |d| d.to_string()),
        from: midnight(first + n, &zone),
        errors: seen.get(&n).copied().unwrap_or_default().errors(),
    };
    Ok(Json(Detector {
        since,
        until,
        total: total.errors(),
        campaigns: campaigns.collect(),
        trunks: trunks.collect(),
        days: (0..days).map(of_day).collect(),
        abandoned: abandoned(&state, caller.client, &query, (since, until)).await?,
    }))
}

/// Which judged calls.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SamplesQuery {
    /// Days back from now, 7 when absent, 92 at most.
    days: Option<i64>,
    /// Only this campaign's.
    #[param(value_type = Option<uuid::Uuid>)]
    campaign: Option<CampaignId>,
    /// Only this trunk's.
    #[param(value_type = Option<uuid::Uuid>)]
    trunk: Option<TrunkId>,
    /// Only those taken for this: `human`, `machine`, `fax`, `sit`, `busy`, `dead_air`, `unknown`.
    class: Option<String>,
    /// Rows wanted, 1–100; 25 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A judged call to listen to.
#[derive(Debug, Serialize, ToSchema)]
struct SampleRow {
    #[schema(value_type = uuid::Uuid)]
    attempt_id: AttemptId,
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
    #[schema(value_type = Option<uuid::Uuid>)]
    campaign_id: Option<CampaignId>,
    #[schema(value_type = uuid::Uuid)]
    trunk_id: TrunkId,
    class: String,
    /// How sure, in thousandths.
    confidence_pm: i64,
    reason: String,
    /// Sound heard until the verdict, ms.
    decided_ms: i64,
    /// `shadow`, `agent`, `checked`, `hangup`, `message`.
    #[schema(value_type = String)]
    acted: Acted,
    /// `person` or `machine`, where it is known.
    #[schema(value_type = Option<String>)]
    truth: Option<Truth>,
    #[schema(value_type = Option<doc::CallResult>)]
    result: Option<CallResult>,
    disposition: Option<String>,
    #[schema(value_type = Option<uuid::Uuid>)]
    recording_id: Option<RecordingId>,
}

impl From<Sample> for SampleRow {
    fn from(sample: Sample) -> Self {
        let Sample { heard, attempt } = sample;
        Self {
            attempt_id: attempt.id,
            at: heard.at,
            campaign_id: attempt.campaign_id,
            trunk_id: attempt.trunk_id,
            truth: truth(
                heard.truth,
                heard.acted,
                attempt.agent_id.is_some(),
                attempt.disposition.as_deref(),
            ),
            class: heard.class,
            confidence_pm: heard.confidence_pm,
            reason: heard.reason,
            decided_ms: heard.decided_ms,
            acted: heard.acted,
            result: attempt.result,
            disposition: attempt.disposition,
            recording_id: attempt.recording_id,
        }
    }
}

/// Judged calls, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Samples {
    items: Vec<SampleRow>,
    next_cursor: Option<String>,
}

/// The last row of the page before.
fn place(cursor: Option<&str>) -> Result<Option<(UtcMs, AttemptId)>, Problem> {
    let Some(text) = cursor else {
        return Ok(None);
    };
    let parsed = text.split_once('~').and_then(|(at, id)| {
        let at = at.parse().ok().map(UtcMs)?;
        Some((at, id.parse().ok()?))
    });
    parsed.map(Some).ok_or_else(bad_cursor)
}

/// Judged calls to listen to, newest first.
#[utoipa::path(get, path = "/reports/detector/samples", tag = "history", params(SamplesQuery),
    responses((status = 200, description = "A page", body = Samples)))]
async fn samples(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<SamplesQuery>,
) -> Result<Json<Samples>, Problem> {
    let days = query.days.unwrap_or(DAYS).clamp(1, DAYS_MAX);
    let limit = query.limit.unwrap_or(SAMPLES);
    let limit = limit.clamp(1, domain::ports::store::SAMPLES_MAX);
    let ask = SampleAsk {
        client_id: caller.client,
        campaign_id: query.campaign,
        trunk_id: query.trunk,
        class: query.class,
        since: state.now().plus_ms(-days * DAY_MS),
        before: place(query.cursor.as_deref())?,
        limit,
    };
    let rows = state.store.heard_samples(&ask).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|n| n >= limit);
    let last = rows.last().filter(|_| full);
    let next_cursor = last.map(|s| format!("{}~{}", s.heard.at.0, s.heard.attempt_id));
    Ok(Json(Samples {
        items: rows.into_iter().map(SampleRow::from).collect(),
        next_cursor,
    }))
}

/// What a judged call really was.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TruthBody {
    /// `person` or `machine`.
    #[schema(value_type = String)]
    truth: Truth,
}

/// What follows from it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Corrected {
    /// A person had been hung up on: the call is abandoned from now on.
    lost: bool,
}

/// Says what a judged call really was. An agent who says `machine` of his own call is free of it at once.
#[utoipa::path(post, path = "/attempts/{id}/heard", tag = "history", params(("id" = uuid::Uuid, Path)),
    request_body = TruthBody,
    responses((status = 200, description = "Kept", body = Corrected), (status = 404, body = doc::Problem),
        (status = 409, body = doc::Problem)))]
async fn tell(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AttemptId>,
    Body(body): Body<TruthBody>,
) -> Result<Json<Corrected>, Problem> {
    let attempt = state.store.get_attempt(id).await?;
    tenant::seen(&state, &caller, attempt).await?;
    let lost = state
        .center
        .tell_truth(caller.asks_as(), id, body.truth)
        .await?;
    Ok(Json(Corrected { lost }))
}

mod days;
#[cfg(test)]
mod tests;
