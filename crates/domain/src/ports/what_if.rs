//! What-if: a forecast of a campaign under other settings, from its own history. The port keeps the
//! rooms that ask apart from the simulator that answers.

use crate::entity::{AgentCountBasis, DialMode};
use crate::time::UtcMs;
use async_trait::async_trait;
use std::sync::Arc;

/// Live answers from which a history is enough: a mean of talk times that spread as far as their
/// mean (cv 1) is then known to ± 10 %. Below, every interval is widened by what the history leaves open.
pub const ANSWERS_ENOUGH: u64 = 400;

/// Mean and spread of a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean, s.
    pub mean_s: f64,
    /// Standard deviation ÷ mean.
    pub cv: f64,
}

/// Answers of one hour of the local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourCount {
    /// Hour of the local day, 0–23.
    pub hour: u8,
    /// Attempts dialed in it.
    pub attempts: u64,
    /// Of them answered by a person.
    pub live: u64,
}

/// Talks of a kind, by length: short ones and long ones have other wrap-ups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TalkClass {
    /// Share of the talks.
    pub share: f64,
    /// Talk.
    pub talk: Spread,
    /// Wrap-up.
    pub wrap: Spread,
}

/// How attempts ended that reached no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Misses {
    /// A machine, fax or silence answered.
    pub machine: u64,
    /// Of them kept from the agents.
    pub machine_kept: u64,
    /// Busy.
    pub busy: u64,
    /// No such number, out of reach, rejected, congestion, fault of the trunk.
    pub dead: u64,
    /// Nobody answered.
    pub no_answer: u64,
}

/// A campaign as its attempts tell it; where they are few, priors fill in.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignProfile {
    /// First instant looked at.
    pub from: UtcMs,
    /// Last one.
    pub to: UtcMs,
    /// Zone (IANA) of the hours.
    pub zone: String,
    /// Attempts that count: over, and not withdrawn by us.
    pub attempts: u64,
    /// Of them answered by a person.
    pub live: u64,
    /// Of these abandoned.
    pub abandoned: u64,
    /// Attempts whose times were measured: all, or every n-th.
    pub timed: u64,
    /// The others.
    pub misses: Misses,
    /// Hours with attempts, in order.
    pub by_hour: Vec<HourCount>,
    /// From the INVITE to ringing.
    pub setup: Spread,
    /// Ringing until a person answers.
    pub ring_live: Spread,
    /// Ringing until a machine answers.
    pub ring_machine: Spread,
    /// Talks measured.
    pub talks: u64,
    /// Their classes; never empty.
    pub talk: Vec<TalkClass>,
    /// Agents at work in an hour with talks, mean; 0 when none was seen.
    pub agents: f64,
    /// Ring time under which the answers were seen, s.
    pub ring_timeout_s: f64,
}

/// One side of the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIfSettings {
    /// Dial mode.
    pub mode: DialMode,
    /// Lines per agent (power).
    pub lines_per_agent: f64,
    /// Agents that the rule sees beyond those who are free (power, predictive).
    pub agent_balance: i32,
    /// Calls ahead beyond the rule's, percent (power, predictive).
    pub intensity_pct: f64,
    /// Which agents lines are counted by (power).
    pub agent_count_basis: AgentCountBasis,
    /// Agents at work.
    pub agents: u32,
    /// Ring time, s.
    pub ring_timeout_s: f64,
    /// Cap on abandonment in force, percent.
    pub cap_pct: f64,
    /// Abandonment aimed at, percent; at most the cap.
    pub target_pct: f64,
    /// Limit from the answer to an agent, s.
    pub agent_within_s: f64,
    /// Local time at which the shift begins, hours from midnight.
    pub from_h: f64,
    /// Length of the shift, h.
    pub hours: f64,
    /// Lines in all.
    pub lines: u32,
    /// Starts a second.
    pub cps: f64,
}

impl WhatIfSettings {
    /// Whether lines go out that no agent is free for.
    #[must_use]
    pub fn over_dials(&self) -> bool {
        let more = self.agent_balance > 0 || self.intensity_pct > 0.0;
        match self.mode {
            DialMode::Predictive => true,
            DialMode::Power => self.lines_per_agent > 1.0 || more,
            _ => false,
        }
    }
}

/// A forecast value with its interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Range {
    /// Best guess.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Range {
    /// Both ends and the value times `factor` (not negative).
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            low: self.low * factor,
            high: self.high * factor,
        }
    }
}

/// What is expected of one side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Forecast {
    /// Minutes of talk an hour, all agents together.
    pub talk_minutes_per_hour: Range,
    /// (Talk + wrap-up) ÷ time signed in, 0 to 1.
    pub occupancy: Range,
    /// Abandoned ÷ live answers, 0 to 1.
    pub abandonment: Range,
    /// People abandoned an hour.
    pub drops_per_hour: Range,
    /// Mean spell of a ready agent, s.
    pub agent_wait_s: Range,
    /// Median wait of a person for an agent, s.
    pub debtor_wait_p50_s: Range,
    /// 99th percentile of it, s.
    pub debtor_wait_p99_s: Range,
    /// Attempts an hour.
    pub contacts_per_hour: Range,
    /// People handled an hour.
    pub handled_per_hour: Range,
    /// Runs behind it.
    pub runs: u32,
    /// Simulated hours of each run.
    pub simulated_h: f64,
}

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhatIfError {
    /// Another one is being computed.
    #[error("another forecast is being computed: ask again in a moment")]
    Busy,
    /// Not done in time.
    #[error("the forecast took longer than {0} s: ask for fewer agents or hours")]
    TooSlow(u64),
    /// Settings that cannot be.
    #[error("{field}: {reason}")]
    Refused {
        /// Which one.
        field: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Our fault.
    #[error("forecast failed: {0}")]
    Failed(String),
}

/// Computes forecasts.
#[async_trait]
pub trait WhatIf: Send + Sync {
    /// A forecast for each of `sides`, in order, from the same profile and the same chance.
    async fn forecast(
        &self,
        profile: Arc<CampaignProfile>,
        sides: Vec<WhatIfSettings>,
    ) -> Result<Vec<Forecast>, WhatIfError>;
}
