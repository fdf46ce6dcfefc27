//! What is asked, as settings of both sides.

use crate::check::range;
use crate::problem::Problem;
use crate::routes::campaigns::params::{merged, minutes};
use center::what_if::{History, Shift};
use domain::entity::{Campaign, CampaignParams, DialMode};
use domain::ports::WhatIfSettings;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Parameters that the forecast follows.
const FOLLOWED: [&str; 17] = [
    "mode",
    "lines_per_agent",
    "agent_balance",
    "intensity_pct",
    "agent_count_basis",
    "ring_timeout_s",
    "abandon_cap_pct",
    "abandon_target_pct",
    "agent_within_ms",
    "attempts_per_day",
    "window_from",
    "window_to",
    "schedule",
    "cps_max",
    "lines_max",
    "lines_per_agent_max",
    "trunks",
];
/// Most agents of a forecast.
const AGENTS_MAX: i64 = 1_000;

/// Lines by which a product of a cap and agents may miss a whole one.
const ROUNDING: f64 = 1e-6;

/// Other settings; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhatIfAsk {
    /// Of the campaign's parameters: `mode`, `lines_per_agent`, `agent_balance`, `intensity_pct`,
    /// `agent_count_basis`, `ring_timeout_s`, `abandon_cap_pct`,
    /// `abandon_target_pct`, `agent_within_ms`, `attempts_per_day`, `window_from`, `window_to`,
    /// `schedule`, `cps_max`, `lines_max`, `lines_per_agent_max`, `trunks`.
    #[schema(value_type = Option<crate::doc::CampaignParams>)]
    params: Option<Map<String, Value>>,
    /// Agents at work, 1–1000; absent: as many as the history saw.
    agents: Option<i64>,
    /// Hours worked a day from its begin on; absent: the whole day, as window and schedule say.
    hours: Option<f64>,
}

/// One side.
pub(super) struct Side {
    pub(super) params: CampaignParams,
    /// Days of the next week on which it works.
    pub(super) days: u32,
    pub(super) settings: WhatIfSettings,
}

/// The asked parameters.
pub(super) fn params(now: &CampaignParams, body: &WhatIfAsk) -> Result<CampaignParams, Problem> {
    if let Some(params) = &body.params
        && let Some(name) = params.keys().find(|k| !FOLLOWED.contains(&k.as_str()))
    {
        let shown: String = name.chars().take(40).collect();
        let reason = format!(
            "the forecast does not follow it: expected of {}",
            FOLLOWED.join(", ")
        );
        return Err(Problem::invalid(&format!("params.{shown}"), reason));
    }
    merged(now, body.params.clone())
}

/// The campaign as it is.
pub(super) fn present(campaign: &Campaign, history: &History) -> Side {
    let seen = history.profile.agents.round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range"
    )]
    let agents = if seen >= 1.0 {
        seen.min(1_000.0) as u32
    } else {
        history.agents_assigned.clamp(1, 1_000)
    };
    side(campaign.params.clone(), agents, history)
}

fn side(params: CampaignParams, agents: u32, history: &History) -> Side {
    // Stored windows were checked when they were written.
    let at = |name, text| f64::from(minutes(name, text).unwrap_or(0)) / 60.0;
    let from_h = at("window_from", &params.window_from);
    let to_h = at("window_to", &params.window_to);
    let shift = history.shift(&params).unwrap_or(Shift {
        days: 0,
        from_h,
        hours: to_h - from_h,
    });
    let law = &history.law;
    let cap = history.cap_pct(&params);
    let small = |ms: i64| f64::from(i32::try_from(ms).unwrap_or(i32::MAX));
    let ring_ms = (params.ring_timeout_s * 1_000).max(law.ring_min_ms);
    let (lines, cps) = history.limits(&params);
    let settings = WhatIfSettings {
        mode: params.mode,
        lines_per_agent: params.lines_per_agent,
        agent_balance: params.agent_balance,
        intensity_pct: params.intensity_pct,
        agent_count_basis: params.agent_count_basis,
        agents,
        ring_timeout_s: small(ring_ms) / 1_000.0,
        cap_pct: cap,
        target_pct: history.target_pct(&params).min(cap),
        agent_within_s: small(params.agent_within_ms.min(law.agent_within_ms)) / 1_000.0,
        from_h: shift.from_h,
        hours: shift.hours.max(0.25),
        lines: lines.min(lines_of(&params, agents)),
        cps: f64::from(cps),
    };
    Side {
        params,
        days: shift.days,
        settings,
    }
}

/// Most lines that the cap for each agent leaves, of modes that dial more lines than agents are free.
fn lines_of(params: &CampaignParams, agents: u32) -> u32 {
    let over_dials = matches!(params.mode, DialMode::Power | DialMode::Predictive);
    let Some(max) = params.lines_per_agent_max.filter(|_| over_dials) else {
        return u32::MAX;
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1e6"
    )]
    let most = (max * f64::from(agents) - ROUNDING).ceil().clamp(0.0, 1e6) as u32;
    most
}

/// The side asked for.
pub(super) fn asked(
    params: CampaignParams,
    body: &WhatIfAsk,
    present: &Side,
    history: &History,
) -> Result<Side, Problem> {
    let agents = match body.agents {
        None => present.settings.agents,
        Some(0) => {
            let reason = "with 0 agents nobody talks to anybody: expected 1 to 1000";
            return Err(Problem::invalid("agents", reason));
        }
        Some(n) => u32::try_from(range("agents", n, 1, AGENTS_MAX)?).unwrap_or(1),
    };
    let least_s = history.law.ring_min_ms / 1_000;
    if params.ring_timeout_s < least_s && params.ring_timeout_s != present.params.ring_timeout_s {
        let reason = format!("the rule pack asks for at least {least_s} s of ringing");
        return Err(Problem::invalid("params.ring_timeout_s", reason));
    }
    let mut side = side(params, agents, history);
    if let Some(hours) = body.hours {
        range("hours", hours, 0.25, side.settings.hours)?;
        side.settings.hours = hours;
    }
    fits(&side, history)?;
    Ok(side)
}

/// Whether anything can be said of a side.
pub(super) fn fits(side: &Side, history: &History) -> Result<(), Problem> {
    let (s, mode) = (&side.settings, side.settings.mode.as_str());
    if matches!(s.mode, DialMode::Manual | DialMode::Agentless) {
        let reason =
            format!("nothing paces {mode}: expected preview, progressive, power or predictive");
        return Err(Problem::invalid("params.mode", reason));
    }
    if s.over_dials() && s.cap_pct <= 0.0 {
        let reason = format!(
            "{mode} dials more lines than agents are free, and the cap on abandonment is 0 % (rule pack: {} %): choose progressive or preview, or a cap above 0",
            history.law.abandon_cap_pct
        );
        return Err(Problem::invalid("params.mode", reason));
    }
    if side.days == 0 {
        let reason = "it works on none of the seven days that are looked at: expected a day with hours, and dates that are not over";
        return Err(Problem::invalid("params.schedule", reason));
    }
    if s.lines == 0 || s.cps <= 0.0 {
        let reason = "no line is left: expected an enabled trunk with channels and starts a second";
        return Err(Problem::invalid("params.trunks", reason));
    }
    Ok(())
}
