//! How a trunk does: ASR, NER, ACD, PDD and causes (terms.md §8, §9) over an hour or a day.

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::routes::history::{Share, share};
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use domain::entity::CallResult;
use domain::ids::TrunkId;
use domain::ports::store::{HeardCount, TrunkCount};
use domain::rules::detector::{Truth, is_for_agent};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most causes told; the rest is summed.
const CAUSES_MAX: usize = 12;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(stats))
}

/// How far back.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Period {
    /// The last hour, in slices of 5 minutes.
    Hour,
    /// The last 24 hours, in slices of an hour.
    Day,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatsQuery {
    /// `hour` (default) or `day`.
    #[param(inline)]
    period: Option<Period>,
}

/// A quotient by its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
struct Parts {
    numerator: i64,
    denominator: i64,
}

/// The figures over one stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
struct Figures {
    /// INVITEs that left.
    invites: i64,
    /// Answered ÷ INVITEs.
    asr: Parts,
    /// (Answered + busy + no answer + rejected) ÷ INVITEs.
    ner: Parts,
    /// Talk, ms ÷ answered.
    acd_ms: Parts,
    /// INVITE to ringing, ms ÷ rung.
    pdd_ms: Parts,
}

/// One slice of the period.
#[derive(Debug, Serialize, ToSchema)]
struct Slice {
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
    #[serde(flatten)]
    figures: Figures,
}

/// Calls that ended alike.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Cause {
    /// Result; null while it runs, or summed.
    #[schema(value_type = Option<doc::CallResult>)]
    result: Option<CallResult>,
    sip_code: Option<i32>,
    q850: Option<i32>,
    calls: i64,
    /// The remaining causes together.
    other: bool,
}

/// How a trunk does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrunkStats {
    #[schema(value_type = uuid::Uuid)]
    trunk_id: TrunkId,
    #[schema(value_type = doc::Instant)]
    since: UtcMs,
    #[schema(value_type = doc::Instant)]
    until: UtcMs,
    slice_ms: i64,
    total: Figures,
    slices: Vec<Slice>,
    /// Most frequent first.
    causes: Vec<Cause>,
    sound: Sound,
}

/// What the calls of a trunk sounded like, each share with its interval of 95 %.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct Sound {
    /// Answered calls whose sound was judged.
    judged: i64,
    /// Taken for a machine ÷ judged.
    machines: Share,
    /// Persons, as agents say, taken for something else ÷ persons.
    persons_lost: Share,
    /// By what was heard before any answer, most frequent first.
    early: Vec<EarlyShare>,
}

/// Attempts with one sound before the answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct EarlyShare {
    /// `ring_back`, `busy`, `congestion`, `sit`, `announcement`.
    class: String,
    /// Of the INVITEs that left.
    share: Share,
}

impl Sound {
    fn of(heard: &[HeardCount], early: Vec<(String, i64)>, invites: i64) -> Self {
        let (mut judged, mut machines, mut persons, mut lost) = (0, 0, 0, 0);
        for row in heard {
            judged += row.calls;
            machines += i64::from(row.class == "machine") * row.calls;
            if row.known() == Some(Truth::Person) {
                persons += row.calls;
                lost += i64::from(!is_for_agent(&row.class)) * row.calls;
            }
        }
        let early = early.into_iter().map(|(class, calls)| EarlyShare {
            class,
            share: share(calls, invites),
        });
        Self {
            judged,
            machines: share(machines, judged),
            persons_lost: share(lost, persons),
            early: early.collect(),
        }
    }
}

impl Figures {
    fn add(&mut self, row: &TrunkCount) {
        let effective = matches!(
            row.result,
            Some(CallResult::Busy | CallResult::NoAnswer | CallResult::Rejected)
        );
        let reached = if effective { row.invites } else { row.answered };
        self.invites += row.invites;
        self.asr.numerator += row.answered;
        self.asr.denominator += row.invites;
        self.ner.numerator += reached;
        self.ner.denominator += row.invites;
        self.acd_ms.numerator += row.talk_ms;
        self.acd_ms.denominator += row.answered;
        self.pdd_ms.numerator += row.pdd_ms;
        self.pdd_ms.denominator += row.rung;
    }
}

fn sum(counts: &[TrunkCount], since: UtcMs, slice_ms: i64, slices: i64) -> (Figures, Vec<Slice>) {
    let mut total = Figures::default();
    let mut by_slice: Vec<Slice> = (0..slices)
        .map(|n| Slice {
            at: since.plus_ms(n * slice_ms),
            figures: Figures::default(),
        })
        .collect();
    for row in counts {
        total.add(row);
        let slice = usize::try_from(row.slice).ok();
        if let Some(slice) = slice.and_then(|n| by_slice.get_mut(n)) {
            slice.figures.add(row);
        }
    }
    (total, by_slice)
}

/// Result, SIP code and Q.850 cause.
type Why<'a> = (Option<&'a str>, Option<i32>, Option<i32>);

fn causes(counts: &[TrunkCount]) -> Vec<Cause> {
    let mut sums: BTreeMap<Why<'_>, Cause> = BTreeMap::new();
    for row in counts {
        let key = (row.result.map(|r| r.as_str()), row.sip_code, row.q850);
        let cause = sums.entry(key).or_insert(Cause {
            result: row.result,
            sip_code: row.sip_code,
            q850: row.q850,
            calls: 0,
            other: false,
        });
        cause.calls += row.invites;
    }
    let mut list: Vec<Cause> = sums.into_values().collect();
    list.sort_by_key(|c| std::cmp::Reverse(c.calls));
    if list.len() > CAUSES_MAX {
        let calls = list.split_off(CAUSES_MAX - 1).iter().map(|c| c.calls).sum();
        list.push(Cause {
            result: None,
            sip_code: None,
            q850: None,
            calls,
            other: true,
        });
    }
    list
}

/// ASR, NER, ACD, PDD and causes of a trunk, in slices.
#[utoipa::path(get, path = "/trunks/{id}/stats", tag = "catalog", params(("id" = uuid::Uuid, Path), StatsQuery),
    responses((status = 200, description = "Figures", body = TrunkStats), (status = 404, body = doc::Problem)))]
async fn stats(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TrunkId>,
    Params(query): Params<StatsQuery>,
) -> Result<Json<TrunkStats>, Problem> {
    // The trunk carries the calls of every client.
    caller.of_the_house()?;
    state.store.get_trunk(id).await?;
    let (slice_ms, slices) = match query.period.unwrap_or(Period::Hour) {
        Period::Hour => (5 * MINUTE_MS, 12),
        Period::Day => (HOUR_MS, 24),
    };
    let until = state.now();
    let since = until.plus_ms(-slice_ms * slices);
    let counts = state.store.trunk_counts(id, since, until, slice_ms).await?;
    let (total, by_slice) = sum(&counts, since, slice_ms, slices);
    let mut heard = state.store.heard_counts(since, until, DAY_MS).await?;
    heard.retain(|row| row.trunk_id == id);
    let early = state.store.early_counts(id, since, until).await?;
    let sound = Sound::of(&heard, early, total.invites);
    Ok(Json(TrunkStats {
        trunk_id: id,
        since,
        until,
        slice_ms,
        total,
        slices: by_slice,
        causes: causes(&counts),
        sound,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(slice: i64, result: CallResult, invites: i64, answered: i64) -> TrunkCount {
        TrunkCount {
            slice,
            result: Some(result),
            invites,
            answered,
            rung: invites,
            pdd_ms: invites * 800,
            talk_ms: answered * 30_000,
            ..TrunkCount::default()
        }
    }

    #[test]
    fn what_a_trunk_sounds_like_is_shares_with_intervals() {
        let heard = |class: &str, code: Option<&str>, calls| HeardCount {
            campaign_id: None,
            trunk_id: TrunkId(uuid::Uuid::nil()),
            class: class.to_owned(),
            disposition: code.map(str::to_owned),
            had_agent: true,
            acted: domain::rules::detector::Acted::Shadow,
            truth: None,
            early: false,
            slice: 0,
            calls,
        };
        let rows = [
            heard("human", Some("CD.NP"), 95),
            heard("machine", Some("CD.NP"), 5),
            heard("machine", Some("NC.BZ"), 60),
            heard("unknown", None, 40),
        ];
        let sound = Sound::of(&rows, vec![("ring_back".to_owned(), 30)], 300);
        assert_eq!(sound.judged, 200);
        assert_eq!(sound.machines, share(65, 200));
        assert_eq!(sound.persons_lost, share(5, 100));
        assert_eq!(sound.early[0].share, share(30, 300));
        let none = Sound::of(&[], Vec::new(), 0);
        assert_eq!(none.persons_lost, share(0, 0));
    }

    #[test]
    fn the_figures_are_those_of_terms_8() {
        let counts = [
            row(0, CallResult::Human, 3, 3),
            row(0, CallResult::Busy, 2, 0),
            row(11, CallResult::NoAnswer, 4, 0),
            row(11, CallResult::TrunkFault, 1, 0),
        ];
        let (total, slices) = sum(&counts, UtcMs(0), 300_000, 12);
        let parts = |numerator, denominator| Parts {
            numerator,
            denominator,
        };
        assert_eq!((total.asr, total.ner), (parts(3, 10), parts(9, 10)));
        assert_eq!(
            (total.acd_ms, total.pdd_ms),
            (parts(90_000, 3), parts(8_000, 10))
        );
        assert_eq!(slices.len(), 12);
        assert_eq!(slices[0].figures.asr, parts(3, 5));
        assert_eq!(
            (slices[11].figures.ner, slices[11].at),
            (parts(4, 5), UtcMs(3_300_000))
        );
        let list = causes(&counts);
        assert_eq!(
            list.iter().map(|c| c.calls).collect::<Vec<_>>(),
            [4, 3, 2, 1]
        );
        let many: Vec<TrunkCount> = (0..30)
            .map(|n| TrunkCount {
                sip_code: Some(400 + n),
                ..row(0, CallResult::Unknown, 1, 0)
            })
            .collect();
        let list = causes(&many);
        assert_eq!(list.len(), CAUSES_MAX);
        assert!(list.last().is_some_and(|c| c.other && c.calls == 19));
    }
}
