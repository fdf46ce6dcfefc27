//! A scenario of the simulator from a campaign's profile and a side's settings.

use domain::entity::DialMode;
use domain::ports::{CampaignProfile, Spread, WhatIfError, WhatIfSettings};
use serde_json::{Value, json};
use sim::pacing::{Lean, Policy, Scenario};

/// Most agents of a forecast.
const AGENTS_MAX: u32 = 1_000;
/// Agent-hours of one run; a longer shift is drawn together, each of its hours made shorter alike.
const AGENT_HOURS_MAX: f64 = 150.0;
/// Shortest simulated shift, h, however many agents there are.
const HOURS_LEAST: f64 = 0.75;
/// Left out at the start, s: agents who all begin idle are no working day.
const WARMUP_S: f64 = 600.0;
/// Time between decisions, s: events that free an agent come between in the product.
const EPOCH_S: f64 = 0.5;
/// Dials that the whole history weighs against an hour's own, and the prior against the history.
const HOUR_WEIGHT: f64 = 100.0;
const PRIOR_WEIGHT: f64 = 30.0;
/// Share of dials answered by a person before anything is known.
const PRIOR_LIVE: f64 = 0.2;
/// Likewise by a machine, busy, dead.
const PRIOR_MACHINE: f64 = 0.2;
const PRIOR_BUSY: f64 = 0.06;
const PRIOR_DEAD: f64 = 0.08;
/// An agent reads the card this long before he dials (preview), s.
const PREVIEW_READ_S: f64 = 15.0;
/// Least share that stands for a cap or a target: the policy takes none of nothing.
const SHARE_LEAST: f64 = 1e-4;
/// Length of the message to abandoned people, s.
const MESSAGE_S: f64 = 7.0;

/// What is run.
#[derive(Debug)]
pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) policy: Policy,
    /// Cap of the law as a share.
    pub(super) cap: f64,
    /// Share that the policy aims at.
    pub(super) target: f64,
    /// How the side leans away from its mode's rule.
    pub(super) lean: Lean,
    /// Simulated hours after the warm-up.
    pub(super) hours: f64,
}

fn refused(field: &'static str, reason: impl Into<String>) -> WhatIfError {
    WhatIfError::Refused {
        field,
        reason: reason.into(),
    }
}

/// Builds it.
///
/// # Errors
/// `Refused` names the setting that cannot be.
pub(super) fn build(
    profile: &CampaignProfile,
    side: &WhatIfSettings,
) -> Result<World, WhatIfError> {
    if side.agents == 0 || side.agents > AGENTS_MAX {
        let why = format!("expected 1 to {AGENTS_MAX}: without agents nobody talks to anybody");
        return Err(refused("agents", why));
    }
    if side.lines == 0 || side.cps <= 0.0 {
        return Err(refused(
            "params.trunks",
            "no line is left: expected an enabled trunk",
        ));
    }
    let policy = policy(side)?;
    let hours = (AGENT_HOURS_MAX / f64::from(side.agents))
        .max(HOURS_LEAST)
        .min(side.hours);
    let text = document(profile, side, hours).to_string();
    let scenario = Scenario::parse("what-if", &text).map_err(|e| {
        let why = format!("the history makes no scenario: {e}");
        WhatIfError::Failed(why)
    })?;
    Ok(World {
        scenario,
        policy,
        cap: (side.cap_pct / 100.0).max(SHARE_LEAST),
        target: (side.target_pct.min(side.cap_pct) / 100.0).max(SHARE_LEAST),
        lean: Lean {
            agent_balance: side.agent_balance,
            intensity_pct: side.intensity_pct,
            basis: side.agent_count_basis,
        },
        hours,
    })
}

fn policy(side: &WhatIfSettings) -> Result<Policy, WhatIfError> {
    if side.over_dials() && side.cap_pct <= 0.0 {
        let why = format!(
            "{} dials more lines than agents are free, and a cap of 0 % permits no abandoned call: choose progressive or preview, or a cap above 0",
            side.mode.as_str()
        );
        return Err(refused("params.mode", why));
    }
    match side.mode {
        DialMode::Progressive | DialMode::Preview => Ok(Policy::Progressive),
        DialMode::Power => Ok(Policy::Power(side.lines_per_agent)),
        DialMode::Predictive => Ok(Policy::Predictive),
        DialMode::Manual | DialMode::Agentless => {
            let why = format!(
                "no forecast for {}: nothing paces it; expected preview, progressive, power or predictive",
                side.mode.as_str()
            );
            Err(refused("params.mode", why))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(n: u64) -> f64 {
    n as f64
}

fn lognormal(s: Spread) -> Value {
    json!({"kind": "lognormal", "mean": s.mean_s, "cv": s.cv})
}

fn within(s: Spread, lo: f64, hi: f64) -> Value {
    json!({"kind": "trunc", "of": lognormal(s), "lo": lo, "hi": hi.max(lo + 1.0)})
}

/// Share of dials, leaning on the prior where the history is thin.
fn share(n: u64, of: u64, prior: f64) -> f64 {
    (float(n) + PRIOR_WEIGHT * prior) / (float(of) + PRIOR_WEIGHT)
}

/// The scenario in its file format.
fn document(profile: &CampaignProfile, side: &WhatIfSettings, hours: f64) -> Value {
    let n = profile.attempts;
    let live = share(profile.live, n, PRIOR_LIVE);
    let points = by_hour(profile, side, hours, live);
    let top = points.iter().map(|p| p.1).fold(live, f64::max);
    let misses = profile.misses;
    let others = [
        share(misses.machine, n, PRIOR_MACHINE),
        share(misses.busy, n, PRIOR_BUSY),
        share(misses.dead, n, PRIOR_DEAD),
    ];
    let sum: f64 = others.iter().sum();
    // An hour of many answers leaves less for the rest.
    let fit = ((1.0 - top) / sum.max(1e-9)).clamp(0.0, 1.0);
    let [machine, busy, dead] = others.map(|x| x * fit);
    let found = if misses.machine == 0 {
        0.0
    } else {
        float(misses.machine_kept) / float(misses.machine)
    };
    let mut setup = profile.setup;
    if side.mode == DialMode::Preview {
        setup.mean_s += PREVIEW_READ_S;
    }
    let seen_s = (profile.ring_timeout_s - 0.5).max(5.0);
    let talk: Vec<Value> = profile
        .talk
        .iter()
        .map(|c| json!({"w": c.share, "talk": lognormal(c.talk), "wrap": lognormal(c.wrap)}))
        .collect();
    json!({
        "name": "what-if",
        "duration_s": WARMUP_S + hours * 3600.0,
        "warmup_s": WARMUP_S,
        "epoch_s": EPOCH_S,
        "agents": {"n": side.agents, "pause": {"kind": "exp", "mean": 180.0}},
        "dial": {
            "setup": within(setup, 0.1, setup.mean_s * 5.0),
            "p_live": points,
            "p_machine": machine, "p_busy": busy, "p_sit": dead,
            "ring_live": within(profile.ring_live, 0.5, seen_s),
            "ring_machine": within(profile.ring_machine, 0.5, seen_s),
            "busy_delay": {"kind": "lognormal", "mean": 1.5, "cv": 0.5},
            "no_answer_timeout_s": side.ring_timeout_s.clamp(5.0, 120.0)
        },
        "amd": {
            "enabled": found > 0.0, "tpr": found, "fpr": 0.0,
            "human_delay": {"kind": "lognormal", "mean": 0.7, "cv": 0.4},
            "machine_delay": {"kind": "lognormal", "mean": 2.4, "cv": 0.3}
        },
        "talk": talk,
        "customer": {"deadline_s": side.agent_within_s.clamp(0.1, 60.0), "message_s": MESSAGE_S},
        "limits": {"trunks": side.lines, "cps": side.cps}
    })
}

/// Share of live answers over the simulated shift: a point at the middle of each hour, hours without
/// a history as the rest.
fn by_hour(
    profile: &CampaignProfile,
    side: &WhatIfSettings,
    hours: f64,
    live: f64,
) -> Vec<(f64, f64)> {
    let scale = hours / side.hours.max(1e-9);
    let mut points = Vec::new();
    for step in 0_u8..24 {
        if f64::from(step) >= side.hours {
            break;
        }
        let middle = f64::from(step) + 0.5;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an hour of a day"
        )]
        let hour = ((side.from_h + middle) as u8) % 24;
        let seen = profile.by_hour.iter().find(|h| h.hour == hour);
        let (attempts, answered) = seen.map_or((0, 0), |h| (h.attempts, h.live));
        let p = (float(answered) + HOUR_WEIGHT * live) / (float(attempts) + HOUR_WEIGHT);
        points.push((WARMUP_S + middle * scale * 3600.0, p.clamp(0.001, 0.95)));
    }
    if points.is_empty() {
        points.push((0.0, live));
    }
    points
}
