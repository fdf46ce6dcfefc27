//! `/metrics`: figures of the engine (contract.md §6) and of the HTTP side, in Prometheus text form.
//! Labels are ids, vocabulary words and trunk names of the configuration; never a person's data.

use crate::ApiState;
use center::view::{BoardSnapshot, Figures, Histogram, OpTime};
use domain::entity::BlockReason;
use prometheus::proto::{
    self, Bucket, Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{Encoder, TextEncoder};
use std::collections::BTreeMap;

/// Content type of the text form.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One family being filled.
struct Family {
    family: MetricFamily,
    kind: MetricType,
    rows: Vec<Metric>,
}

impl Family {
    fn new(name: &str, help: &str, kind: MetricType) -> Self {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        Self {
            family,
            kind,
            rows: Vec::new(),
        }
    }

    fn counter(name: &str, help: &str) -> Self {
        Self::new(name, help, MetricType::COUNTER)
    }

    fn gauge(name: &str, help: &str) -> Self {
        Self::new(name, help, MetricType::GAUGE)
    }

    fn row(mut self, labels: &[(&str, &str)], value: f64) -> Self {
        let pairs = labels
            .iter()
            .map(|(name, value)| {
                let mut pair = LabelPair::default();
                pair.set_name((*name).to_owned());
                pair.set_value((*value).to_owned());
                pair
            })
            .collect();
        let mut metric = Metric::from_label(pairs);
        if self.kind == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.rows.push(metric);
        self
    }

    /// A family of one histogram, in seconds.
    fn histogram(name: &str, help: &str, seen: &Histogram) -> Self {
        let mut family = Self::new(name, help, MetricType::HISTOGRAM);
        let bucket = |(bound, count): &(u64, u64)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(seconds(*bound));
            bucket.set_cumulative_count(*count);
            bucket
        };
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(seen.buckets.iter().map(bucket).collect());
        histogram.set_sample_count(seen.count);
        histogram.set_sample_sum(seconds(seen.sum_ms));
        let mut metric = Metric::from_label(Vec::new());
        metric.set_histogram(histogram);
        family.rows.push(metric);
        family
    }

    /// Times of the store's operations, each a histogram in seconds.
    fn operations(times: &[OpTime]) -> Self {
        let help = "Time of database operations, by method of the store.";
        let mut family = Self::new("marcador_db_seconds", help, MetricType::HISTOGRAM);
        for time in times {
            let mut pair = LabelPair::default();
            pair.set_name("op".to_owned());
            pair.set_value(time.op.to_owned());
            let bucket = |(bound, count): &(u64, u64)| {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(float(*bound) / 1e6);
                bucket.set_cumulative_count(*count);
                bucket
            };
            let mut histogram = proto::Histogram::default();
            histogram.set_bucket(time.buckets_us.iter().map(bucket).collect());
            histogram.set_sample_count(time.count);
            histogram.set_sample_sum(float(time.sum_us) / 1e6);
            let mut metric = Metric::from_label(vec![pair]);
            metric.set_histogram(histogram);
            family.rows.push(metric);
        }
        family
    }

    /// The family, or nothing when it has no row: a family without rows is not valid text.
    fn done(mut self) -> Option<MetricFamily> {
        if self.rows.is_empty() {
            return None;
        }
        self.family.set_metric(self.rows);
        Some(self.family)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus counts in floats; exact up to 2^53"
)]
const fn float(n: u64) -> f64 {
    n as f64
}

fn seconds(ms: u64) -> f64 {
    float(ms) / 1_000.0
}

fn times(figures: &Figures) -> Vec<Family> {
    vec![
        Family::histogram(
            "marcador_screen_pop_seconds",
            "From the answer to the card's bytes on the agent's socket.",
            &figures.screen_pop,
        ),
        Family::histogram(
            "marcador_bridge_seconds",
            "From the answer to the agent's first audio, for calls that found an agent free.",
            &figures.bridge,
        ),
        Family::histogram(
            "marcador_sip_setup_seconds",
            "From the INVITE to ringing.",
            &figures.sip_setup,
        ),
    ]
}

/// A quotient; 0 while nothing was counted.
fn quotient(numerator: u64, denominator: u64) -> f64 {
    if denominator == 0 {
        0.0
    } else {
        float(numerator) / float(denominator)
    }
}

fn calls(figures: &Figures) -> Vec<Family> {
    let mut attempts = Family::counter(
        "marcador_attempts_total",
        "Attempts by campaign and result (terms of the API).",
    );
    for (campaign, result, n) in &figures.results {
        let campaign = campaign.to_string();
        attempts = attempts.row(&[("campaign", &campaign), ("result", result)], float(*n));
    }
    let mut blocked = Family::counter("marcador_blocked_total", "Contacts refused, by reason.");
    for reason in BlockReason::ALL {
        let n = figures.blocked.get(reason.as_str()).copied().unwrap_or(0);
        blocked = blocked.row(&[("reason", reason.as_str())], float(n));
    }
    for (reason, n) in &figures.blocked {
        if BlockReason::ALL
            .iter()
            .all(|known| known.as_str() != reason)
        {
            blocked = blocked.row(&[("reason", reason)], float(*n));
        }
    }
    vec![
        attempts,
        blocked,
        Family::counter("marcador_connected_total", "Calls joined with an agent.")
            .row(&[], float(figures.connected)),
        Family::counter(
            "marcador_abandoned_total",
            "Live answers without an agent in time.",
        )
        .row(&[], float(figures.abandoned)),
        Family::counter("marcador_rtp_lost_total", "RTP packets lost on the way in.")
            .row(&[], float(figures.rtp_lost)),
        Family::counter("marcador_recordings_total", "Recordings by outcome.")
            .row(&[("outcome", "sealed")], float(figures.recordings))
            .row(&[("outcome", "failed")], float(figures.recordings_failed)),
        Family::counter("marcador_promises_total", "Promises recorded.")
            .row(&[], float(figures.promises)),
        Family::counter(
            "marcador_errors_total",
            "Faults of ours: broken invariants, lost writes.",
        )
        .row(&[], float(figures.errors)),
    ]
}

fn agents_and_lines(figures: &Figures) -> Vec<Family> {
    let mut agents = Family::gauge(
        "marcador_agents",
        "Agents by state and the campaign of their call; empty without a call. Each is counted once.",
    );
    for (campaign, state, n) in &figures.agents {
        let campaign = campaign.map_or_else(String::new, |id| id.to_string());
        agents = agents.row(&[("campaign", &campaign), ("state", state)], float(*n));
    }
    let mut lines = Family::gauge("marcador_lines", "Lines by trunk and state.");
    for (trunk, in_use, channels) in &figures.lines {
        lines = lines
            .row(&[("trunk", trunk), ("state", "in_use")], float(*in_use))
            .row(
                &[("trunk", trunk), ("state", "free")],
                float(channels.saturating_sub(*in_use)),
            );
    }
    vec![agents, lines]
}

/// Occupancy of a campaign's agents in percent: the mean over those signed in.
fn occupancy_by_campaign(board: &BoardSnapshot) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let known = |name: &str| {
        let mut rows = board.data.campaigns.iter();
        rows.find(|row| row.id.to_string() == name || row.name == name)
            .map(|row| row.id.to_string())
    };
    for agent in &board.data.agents {
        if let Some(campaign) = agent.campaign.as_deref().and_then(known) {
            let sum = sums.entry(campaign).or_default();
            sum.0 += u64::from(agent.occupancy_pct);
            sum.1 += 1;
        }
    }
    sums.into_iter()
        .map(|(campaign, (pct, n))| (campaign, quotient(pct, 100 * n)))
        .collect()
}

fn ratios(figures: &Figures, board: &BoardSnapshot) -> Vec<Family> {
    let mut abandonment = Family::gauge(
        "marcador_abandonment_ratio",
        "Abandoned live answers over all live answers.",
    )
    .row(
        &[("campaign", "all"), ("window", "run")],
        quotient(
            figures.abandonment.numerator,
            figures.abandonment.denominator,
        ),
    );
    let mut occupancy = Family::gauge(
        "marcador_occupancy_ratio",
        "Time with calls over time signed in and not paused.",
    )
    .row(
        &[("campaign", "all")],
        quotient(
            figures.occupancy.numerator_ms,
            figures.occupancy.denominator_ms,
        ),
    );
    let mut short = Family::gauge(
        "marcador_short_calls_ratio",
        "Short calls over all calls of the company's day, where a pack has a rule on them.",
    );
    for row in &board.data.campaigns {
        let id = row.id.to_string();
        if let Some(day) = row.short_calls {
            short = short.row(
                &[("campaign", &id)],
                quotient(day.numerator, day.denominator),
            );
        }
        for w in &row.abandonment_windows {
            let ratio = if w.denominator > 0.0 {
                w.numerator / w.denominator
            } else {
                0.0
            };
            abandonment = abandonment.row(&[("campaign", &id), ("window", &w.window)], ratio);
        }
    }
    for (campaign, ratio) in occupancy_by_campaign(board) {
        occupancy = occupancy.row(&[("campaign", &campaign)], ratio);
    }
    vec![abandonment, short, occupancy]
}

/// How far the law has been asked who may be called now.
fn marks((made, lag_ms): (u64, Option<i64>)) -> Vec<Family> {
    let mut lag = Family::gauge(
        "marcador_callable_lag_seconds",
        "Since every debtor had a mark that says when he may be called; none on a node that does not ask.",
    );
    if let Some(ms) = lag_ms {
        lag = lag.row(&[], seconds(ms.unsigned_abs()));
    }
    vec![
        Family::counter(
            "marcador_callable_marks_total",
            "Marks made that say when a debtor may be called.",
        )
        .row(&[], float(made)),
        lag,
    ]
}

/// How far this node has followed what went back to its clients.
fn recalls(left: u64) -> Family {
    Family::gauge(
        "marcador_recall_debtors_left",
        "Queued or ringing debtors of recalled debts who are still to be looked at.",
    )
    .row(&[], float(left))
}

/// The whole text.
pub(super) async fn text(state: &ApiState) -> Result<Vec<u8>, prometheus::Error> {
    let figures = state.center.figures().await;
    let board = state.center.board().await;
    let mut families: Vec<MetricFamily> = calls(&figures)
        .into_iter()
        .chain(agents_and_lines(&figures))
        .chain(ratios(&figures, &board))
        .chain(times(&figures))
        .chain([Family::operations(&state.center.store_times())])
        .chain(marks(state.center.marks()))
        .chain([recalls(state.center.recalls_left())])
        .filter_map(Family::done)
        .collect();
    families.extend(state.figures.gather());
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}
