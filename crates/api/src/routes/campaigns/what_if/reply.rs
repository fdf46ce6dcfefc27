//! The answer: both sides, the history behind them, and what is assumed.

use super::ask::Side;
use super::notes;
use crate::doc;
use center::what_if::{History, Refusals};
use domain::entity::{AgentCountBasis, CampaignParams, DialMode};
use domain::ports::{ANSWERS_ENOUGH, Forecast, Range};
use domain::time::UtcMs;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Attempts and refusals from which the measured share of refusals is used.
const MEASURED_FROM: u64 = 100;

/// A value with its interval of 95 %.
#[derive(Serialize, ToSchema)]
pub(super) struct Spanned {
    value: f64,
    low: f64,
    high: f64,
}

impl From<Range> for Spanned {
    fn from(r: Range) -> Self {
        Self {
            value: r.value,
            low: r.low,
            high: r.high,
        }
    }
}

/// Attempts of an hour of the local day.
#[derive(Serialize, ToSchema)]
struct HourSeen {
    hour: u8,
    attempts: u64,
    live: u64,
}

/// The history behind a forecast.
#[derive(Serialize, ToSchema)]
struct HistorySeen {
    #[schema(value_type = doc::Instant)]
    from: UtcMs,
    #[schema(value_type = doc::Instant)]
    to: UtcMs,
    /// Days looked at.
    days: i64,
    /// Zone of the hours (IANA).
    zone: String,
    /// Attempts that count.
    attempts: u64,
    /// Of them answered by a person.
    answers: u64,
    abandoned: u64,
    /// Attempts whose times were measured: all, or of a long history every n-th.
    timed: u64,
    /// Talks measured.
    talks: u64,
    /// Agents at work at once, mean; 0 = none seen.
    agents: f64,
    by_hour: Vec<HourSeen>,
    /// Refusals by law: reason and count.
    blocked: Vec<(String, u64)>,
    /// Answers from which intervals are not widened.
    enough_answers: u64,
    enough: bool,
}

/// The settings of a side, as the simulator used them.
#[derive(Serialize, ToSchema)]
struct Used {
    #[schema(value_type = doc::DialMode)]
    mode: DialMode,
    lines_per_agent: f64,
    /// Agents that the rule sees beyond those who are free.
    agent_balance: i32,
    /// Calls ahead beyond the rule's, percent.
    intensity_pct: f64,
    #[schema(value_type = doc::AgentCountBasis)]
    agent_count_basis: AgentCountBasis,
    agents: u32,
    ring_timeout_s: f64,
    /// Percent.
    abandon_cap_pct: f64,
    /// Percent aimed at: the campaign's own target, else 93 % of the cap; less where a pack aims lower.
    abandon_target_pct: f64,
    attempts_per_day: Option<i32>,
    window_from: String,
    window_to: String,
    /// Hours of a day on which it works, mean; from the earliest begin on.
    hours: f64,
    /// Days on which it works, of the seven that are looked at.
    days_per_week: u32,
    lines: u32,
    cps: f64,
}

/// What is expected of a side.
#[derive(Serialize, ToSchema)]
struct Expected {
    /// Minutes of talk an hour, all agents together.
    talk_minutes_per_hour: Spanned,
    /// 0 to 1.
    occupancy: Spanned,
    /// Abandoned ÷ live answers, 0 to 1.
    abandonment: Spanned,
    drops_per_hour: Spanned,
    /// People handled an hour.
    handled_per_hour: Spanned,
    /// Mean spell of a ready agent, s.
    agent_wait_s: Spanned,
    debtor_wait_p50_s: Spanned,
    debtor_wait_p99_s: Spanned,
    /// Attempts an hour.
    contacts_per_hour: Spanned,
    /// Attempts of a shift, at most the ration; figures an hour hold while it lasts.
    contacts_per_day: Spanned,
    /// Attempts that the list gives in a shift: debtors × `attempts_per_debtor`, and no more than debtors ×
    /// `attempts_per_day` × the share the law permits.
    ration_per_day: f64,
    /// Hours after which the ration is spent; null = it lasts.
    ration_spent_after_h: Option<f64>,
    /// Share of contacts that the law refuses, 0 to 1; null when nothing is known.
    blocked_share: Option<f64>,
    /// Refused an hour at that pace.
    blocked_per_hour: Option<f64>,
    /// Refusals of the law's sample by reason.
    blocked_reasons: BTreeMap<String, u64>,
    /// Runs behind it.
    runs: u32,
    /// Simulated hours of each.
    simulated_h: f64,
}

/// One side.
#[derive(Serialize, ToSchema)]
struct WhatIfSide {
    settings: Used,
    /// null when nothing can be said; a note tells why.
    expected: Option<Expected>,
}

/// What is assumed or to be known.
#[derive(Serialize, ToSchema)]
pub(super) struct Note {
    /// Stable code.
    pub(super) code: &'static str,
    pub(super) es: String,
    pub(super) en: String,
}

/// A forecast.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatIfReply {
    history: HistorySeen,
    present: WhatIfSide,
    asked: WhatIfSide,
    notes: Vec<Note>,
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(n: u64) -> f64 {
    n as f64
}

/// Share refused of the history, when it is long enough to say.
fn measured(history: &History) -> Option<f64> {
    let refused: u64 = history.blocked.iter().map(|b| b.1).sum();
    let of = refused + history.profile.attempts;
    (of >= MEASURED_FROM).then(|| float(refused) / float(of))
}

/// Share refused on a side: as measured, plus what the law's answers differ by; without a measure, the
/// law's answers alone.
fn blocked_share(measured: Option<f64>, present: &Refusals, side: &Refusals) -> Option<f64> {
    match (measured, present.share(), side.share()) {
        (Some(m), Some(was), Some(is)) => Some((m + is - was).clamp(0.0, 1.0)),
        (Some(m), _, _) => Some(m),
        (None, _, is) => is,
    }
}

/// Most attempts of a shift with so many debtors.
fn ration(debtors: u64, params: &CampaignParams, blocked: f64) -> f64 {
    let own = f64::from(params.attempts_per_debtor);
    let daily = params.attempts_per_day;
    let each = daily.map_or(own, |n| own.min(f64::from(n) * (1.0 - blocked)));
    float(debtors) * each
}

fn expected(
    history: &History,
    side: &Side,
    f: Forecast,
    law: &[Refusals; 2],
    n: usize,
) -> Expected {
    let blocked = blocked_share(measured(history), &law[0], &law[n]);
    let (s, pace) = (&side.settings, f.contacts_per_hour);
    let ration = ration(history.debtors, &side.params, blocked.unwrap_or(0.0));
    let spent_h = Some(ration / pace.value.max(1e-9)).filter(|h| *h < s.hours);
    let day = pace.times(s.hours);
    Expected {
        talk_minutes_per_hour: f.talk_minutes_per_hour.into(),
        occupancy: f.occupancy.into(),
        abandonment: f.abandonment.into(),
        drops_per_hour: f.drops_per_hour.into(),
        handled_per_hour: f.handled_per_hour.into(),
        agent_wait_s: f.agent_wait_s.into(),
        debtor_wait_p50_s: f.debtor_wait_p50_s.into(),
        debtor_wait_p99_s: f.debtor_wait_p99_s.into(),
        contacts_per_hour: pace.into(),
        contacts_per_day: Spanned {
            value: day.value.min(ration),
            low: day.low.min(ration),
            high: day.high.min(ration),
        },
        ration_per_day: ration,
        ration_spent_after_h: spent_h,
        blocked_share: blocked,
        // Each contact made comes with those refused before it; where all is refused none is made.
        blocked_per_hour: blocked
            .filter(|b| *b < 1.0)
            .map(|b| pace.value * b / (1.0 - b)),
        blocked_reasons: law[n].refused.clone(),
        runs: f.runs,
        simulated_h: f.simulated_h,
    }
}

fn used(side: &Side) -> Used {
    let (s, p) = (&side.settings, &side.params);
    Used {
        mode: s.mode,
        lines_per_agent: s.lines_per_agent,
        agent_balance: s.agent_balance,
        intensity_pct: s.intensity_pct,
        agent_count_basis: s.agent_count_basis,
        agents: s.agents,
        ring_timeout_s: s.ring_timeout_s,
        abandon_cap_pct: s.cap_pct,
        abandon_target_pct: s.target_pct,
        attempts_per_day: p.attempts_per_day,
        window_from: p.window_from.clone(),
        window_to: p.window_to.clone(),
        hours: s.hours,
        days_per_week: side.days,
        lines: s.lines,
        cps: s.cps,
    }
}

fn seen(history: &History) -> HistorySeen {
    let p = &history.profile;
    HistorySeen {
        from: p.from,
        to: p.to,
        days: history.days,
        zone: p.zone.clone(),
        attempts: p.attempts,
        answers: p.live,
        abandoned: p.abandoned,
        timed: p.timed,
        talks: p.talks,
        agents: p.agents,
        by_hour: p
            .by_hour
            .iter()
            .map(|h| HourSeen {
                hour: h.hour,
                attempts: h.attempts,
                live: h.live,
            })
            .collect(),
        blocked: history.blocked.clone(),
        enough_answers: ANSWERS_ENOUGH,
        enough: p.live >= ANSWERS_ENOUGH,
    }
}

/// The answer of both sides, the present one first.
pub(super) fn reply(
    history: &History,
    sides: [(&Side, Option<Forecast>); 2],
    law: &[Refusals; 2],
) -> WhatIfReply {
    let notes = notes::notes(history, &sides, law);
    let [present, asked] = [0, 1].map(|n| {
        let (side, forecast) = sides[n];
        WhatIfSide {
            settings: used(side),
            expected: forecast.map(|f| expected(history, side, f, law, n)),
        }
    });
    WhatIfReply {
        history: seen(history),
        present,
        asked,
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::{CampaignParams, ration};

    #[test]
    fn a_list_gives_no_more_than_its_debtors_may_be_called() {
        let mut params = CampaignParams {
            attempts_per_debtor: 12,
            attempts_per_day: None,
            ..CampaignParams::default()
        };
        let most = |params: &CampaignParams, blocked| ration(236, params, blocked);
        assert!((most(&params, 0.0) - 2_832.0).abs() < 1e-6);
        // What the law refuses today is not spent: the attempts of a debtor stay his.
        assert!((most(&params, 0.5) - 2_832.0).abs() < 1e-6);
        params.attempts_per_day = Some(3);
        assert!((most(&params, 0.5) - 354.0).abs() < 1e-6);
        params.attempts_per_day = Some(20);
        assert!((most(&params, 0.0) - 2_832.0).abs() < 1e-6);
    }
}
