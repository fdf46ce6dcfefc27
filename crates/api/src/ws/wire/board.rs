//! Rows of the board.

use super::{EpochMs, IdText, Sums};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A quotient by its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// Numerator.
    pub numerator: u64,
    /// Denominator.
    pub denominator: u64,
}

/// A quotient of durations by its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatioMs {
    /// Numerator, ms.
    pub numerator_ms: u64,
    /// Denominator, ms.
    pub denominator_ms: u64,
}

/// Abandonment with its cap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Abandonment {
    /// Live answers not given to an agent in time.
    pub numerator: u64,
    /// Those plus live answers handled.
    pub denominator: u64,
    /// Cap in percent.
    pub cap_pct: Option<f64>,
}

/// Abandonment over one window, by the formula that binds the campaign there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbandonmentWindow {
    /// `hour`, `day`, `24h`, `30d`, or the pack's own.
    pub window: String,
    /// Numerator; a fraction under `ofcom_corrected`.
    pub numerator: f64,
    /// Denominator.
    pub denominator: f64,
    /// Cap in percent.
    pub cap_pct: f64,
    /// Abandonments that these answers still allow; below nought when the cap is passed.
    pub free: f64,
    /// Whether a rule binds over this window.
    pub binds: bool,
}

/// Short calls of the company's day with the rule on them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShortCalls {
    /// Not answered, not answered yet, machines, or over at once.
    pub numerator: u64,
    /// All calls of the day, of every campaign and client.
    pub denominator: u64,
    /// Share that has the company blocked, percent.
    pub cap_pct: f64,
    /// Calls of the day from which it counts.
    pub day_min: u32,
}

/// Median and 99th percentile, ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// Median.
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

/// Short row of an agent: agent, state, since (epoch ms), calls, occupancy %, promises, amount in
/// minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShortRow(
    pub IdText,
    pub String,
    pub EpochMs,
    pub u32,
    pub u32,
    pub u32,
    pub i64,
);

/// An agent on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentRow {
    /// Agent.
    pub id: IdText,
    /// Name.
    pub name: String,
    /// Team.
    pub team: Option<String>,
    /// Campaign.
    pub campaign: Option<String>,
    /// State.
    pub state: String,
    /// Code of the pause.
    pub pause_code: Option<String>,
    /// When the state began.
    pub since: EpochMs,
    /// Number of the debtor, masked.
    pub debtor_masked: Option<String>,
    /// Attempt.
    pub attempt: Option<IdText>,
    /// Calls.
    pub calls: u32,
    /// Right-party contacts.
    pub rpc: u32,
    /// Promises.
    pub promises: u32,
    /// Their amounts.
    pub amount: Sums,
    /// Occupancy in percent.
    pub occupancy_pct: u32,
    /// Round trip of the socket, ms.
    pub link_ms: Option<u32>,
}

/// Agents of a campaign by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentTally {
    /// Signed in.
    pub logged_in: u32,
    /// Ready.
    pub ready: u32,
    /// Reserved, previewing or own leg ringing.
    pub reserved: u32,
    /// Talking.
    pub talking: u32,
    /// Debtor on hold.
    pub hold: u32,
    /// Wrap-up.
    pub wrapup: u32,
    /// Paused.
    pub paused: u32,
    /// Link lost.
    pub lagged: u32,
}

/// Calls of a campaign by phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallTally {
    /// Dialed, not answered.
    pub ringing: u32,
    /// Answered, no agent yet.
    pub waiting: u32,
    /// Hear the safe-harbour message.
    pub in_message: u32,
}

/// Why a campaign does not dial, or not as asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// Callers of a campaign in its day, over all nodes (kept places: of this node): service level = `in_time` ÷
/// (`answered` + `gave_up`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundRow {
    /// Wait now.
    pub waiting: u32,
    /// Longest wait of them, ms.
    pub longest_wait_ms: i64,
    /// Places kept for call-backs now.
    pub places_kept: u32,
    /// Calls that came in.
    pub offered: u64,
    /// Joined with an agent.
    pub answered: u64,
    /// Joined within `service_level_s`.
    pub in_time: u64,
    /// Hung up while they waited.
    pub gave_up: u64,
    /// Left to be called back.
    pub call_backs: u64,
    /// Wanted no more calls while they waited.
    pub opted_out: u64,
    /// Heard the announcement instead.
    pub announced: u64,
    /// Σ wait of the answered, ms.
    pub wait_ms: i64,
    /// Limit of the service level, s.
    pub service_level_s: i64,
}

/// A campaign on the board; also the reply of `/campaigns/{id}/live`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignRow {
    /// Campaign.
    pub id: IdText,
    /// Name.
    pub name: String,
    /// `draft`, `running`, `paused`, `stopped`.
    pub status: String,
    /// Dial mode in force.
    pub mode: String,
    /// Lines per agent now.
    pub level_now: f64,
    /// Lines per agent aimed at.
    pub level_target: f64,
    /// Debtors that may be dialed now or are in the hopper.
    pub dialable: u64,
    /// Items in the hopper.
    pub hopper: u32,
    /// Attempts today.
    pub attempts_today: u64,
    /// Live answers today.
    pub answers: u64,
    /// Of them abandoned.
    pub abandoned: u64,
    /// Abandonment today with its cap.
    pub abandonment: Abandonment,
    /// The same over every window.
    pub abandonment_windows: Vec<AbandonmentWindow>,
    /// Short calls of the company's day; null where no pack has a rule on them.
    pub short_calls: Option<ShortCalls>,
    /// Answers per attempt over five minutes.
    pub answer_rate_5m: Ratio,
    /// How long agents waited.
    pub wait_agent_ms: Percentiles,
    /// How long debtors waited.
    pub wait_debtor_ms: Percentiles,
    /// Agents.
    pub agents: AgentTally,
    /// Whether so few of them are signed in that one abandonment weighs much in its figure (`small_team_agents`).
    pub small_team: bool,
    /// Calls.
    pub calls: CallTally,
    /// When the window closes for the last debtor.
    pub window_closes_at: Option<EpochMs>,
    /// Refusals today by reason, most first.
    pub blocked: Vec<(String, u64)>,
    /// Promises today.
    pub promises: u64,
    /// Their amounts.
    pub promised: Sums,
    /// What is the matter.
    pub problem: Option<Problem>,
    /// Its queue of callers, where it takes any.
    pub inbound: Option<InboundRow>,
}

/// A trunk on the board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrunkRow {
    /// Trunk.
    pub id: IdText,
    /// Name.
    pub name: String,
    /// Whether it answers.
    pub up: bool,
    /// Most calls at once.
    pub channels: u32,
    /// Calls now.
    pub in_use: u32,
    /// Most starts a second.
    pub cps: u32,
    /// Answered ÷ INVITEs.
    pub asr: Ratio,
    /// Answered, busy, no answer, rejected ÷ INVITEs.
    pub ner: Ratio,
    /// Mean talk, ms.
    pub acd_ms: Option<u64>,
    /// Mean delay to ringing, ms.
    pub pdd_ms: Option<u64>,
}

/// An alarm that is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Stable while it is up.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// Since.
    pub at: EpochMs,
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// Sums over everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Calls with a person now.
    pub in_call: u32,
    /// Calls ringing now.
    pub ringing: u32,
    /// Attempts today.
    pub attempts: u64,
    /// Joined with an agent.
    pub connected: u64,
    /// Abandonment today.
    pub abandonment: Ratio,
    /// Occupancy of the agents signed in.
    pub occupancy: RatioMs,
    /// Promises.
    pub promises: u64,
    /// Their amounts.
    pub promised: Sums,
    /// Debts past the deadline of their stage; a login limited to a client is told its own.
    #[serde(default)]
    pub late_cases: u64,
    /// The same by client.
    #[serde(default)]
    pub late_by_client: Vec<(IdText, u64)>,
}

/// An agent asks for more than he may give; it waits for an answer until `until`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Goes into `/plans/{id}/answer`.
    pub plan_id: IdText,
    /// Whose terms.
    pub client_id: IdText,
    /// With whom he talks.
    pub debtor_id: IdText,
    /// Who asks.
    pub agent_id: Option<IdText>,
    /// His name.
    pub agent: String,
    /// ISO 4217.
    pub currency: String,
    /// Owed.
    pub balance_minor: i64,
    /// To be forgiven.
    pub quita_minor: i64,
    /// To be paid.
    pub agreed_minor: i64,
    /// Instalments, the down payment among them.
    pub parts: u64,
    /// The least role that may answer.
    pub needs_role: Option<String>,
    /// Why he asks.
    pub reason: String,
    /// Asked at.
    pub asked_at: EpochMs,
    /// Over at.
    pub until: EpochMs,
}

/// The whole board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Agents signed in.
    pub agents: Vec<AgentRow>,
    /// Campaigns.
    pub campaigns: Vec<CampaignRow>,
    /// Trunks.
    pub trunks: Vec<TrunkRow>,
    /// Alarms that are up.
    pub alarms: Vec<Alarm>,
    /// Asks that wait for an answer, oldest first.
    #[serde(default)]
    pub asks: Vec<Ask>,
    /// Sums.
    pub totals: Totals,
}
