//! Campaign and its parameters (terms.md §10).

use crate::ids::{CallerIdId, CampaignId, ClientId, ScriptId, SegmentId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// How numbers are dialed (terms.md §2).
    pub enum DialMode {
        /// The agent dials.
        Manual = "manual",
        /// The agent sees the card, then dials or skips.
        Preview = "preview",
        /// One line per free agent, agent reserved first.
        Progressive = "progressive",
        /// Fixed lines per agent.
        Power = "power",
        /// Lines follow the forecast, bounded by the cap.
        Predictive = "predictive",
        /// Message only.
        Agentless = "agentless",
    }
}

crate::text_enum! {
    /// Life of a campaign.
    pub enum CampaignStatus {
        /// Not started yet.
        Draft = "draft",
        /// Dialing.
        Running = "running",
        /// Paused by a person.
        Paused = "paused",
        /// Over.
        Stopped = "stopped",
    }
}

crate::text_enum! {
    /// What an abandoned call hears.
    pub enum DropAction {
        /// The safe-harbour message.
        Message = "message",
        /// Nothing.
        Hangup = "hangup",
    }
}

crate::text_enum! {
    /// Which calls are recorded.
    pub enum RecordMode {
        /// All.
        All = "all",
        /// When switched on.
        OnDemand = "on_demand",
        /// None.
        None = "none",
    }
}

crate::text_enum! {
    /// How the end of the wrap-up is decided.
    pub enum WrapupMode {
        /// May be skipped.
        Optional = "optional",
        /// Ends with the disposition.
        Required = "required",
        /// Ends by itself when the time is up.
        Timed = "timed",
        /// As timed, and not earlier.
        TimedLocked = "timed_locked",
    }
}

/// Parameters; defaults are those of terms.md §10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignParams {
    /// Dial mode.
    pub mode: DialMode,
    /// Lines per agent (power).
    pub lines_per_agent: f64,
    /// Most lines per agent (predictive).
    pub lines_per_agent_max: f64,
    /// Legal cap on abandonment in percent; `None` = the pack's.
    pub abandon_cap_pct: Option<f64>,
    /// Target; `None` = 0.93 × cap or the pack's if lower.
    pub abandon_target_pct: Option<f64>,
    /// Tick of the pacing.
    pub pacing_tick_ms: i64,
    /// Ring time; never under the pack's minimum.
    pub ring_timeout_s: i64,
    /// Limit from the pack's clock to an agent.
    pub agent_within_ms: i64,
    /// What an abandoned call hears.
    pub drop_action: DropAction,
    /// Least items in the hopper; `None` = automatic.
    pub hopper_min: Option<u32>,
    /// Hopper per agent × lines.
    pub hopper_factor: f64,
    /// Up to four order keys: `expected_value`, `dpd`, `balance`, `last_attempt`, `random`,
    /// `best_time` (sorts as `expected_value`, then keeps those whose hour it is).
    pub order: Vec<String>,
    /// Campaign hours in the debtor's zone, half-open, `HH:MM`.
    pub window_from: String,
    /// End of the campaign hours.
    pub window_to: String,
    /// Longest preview.
    pub preview_max_s: i64,
    /// Whether a preview may be skipped.
    pub preview_skip: bool,
    /// Wrap-up mode.
    pub wrapup_mode: WrapupMode,
    /// Wrap-up after which the agent is made ready (timed modes, once disposed).
    pub wrapup_s: i64,
    /// Wrap-up after which NC.ST is set.
    pub wrapup_max_s: i64,
    /// Whether a disposition is needed.
    pub disposition_required: bool,
    /// 1–5, 5 first.
    pub priority: i32,
    /// 0–100 share among equals.
    pub weight: i32,
    /// Which calls are recorded.
    pub record: RecordMode,
    /// Whether keys pressed are silence in the recording (card numbers typed on the telephone).
    pub mask_dtmf: bool,
    /// Only numbers that begin so are called, E.164 with `+`; empty = any its trunks may call.
    pub allowed_prefixes: Vec<String>,
    /// Caller ids to choose from; empty = the client's.
    pub caller_id_pool: Vec<CallerIdId>,
    /// Most attempts per debtor.
    pub attempts_per_debtor: i32,
    /// Most attempts per point.
    pub attempts_per_point: i32,
    /// Most attempts per debtor and local day; `None` = the pack's.
    pub attempts_per_day: Option<i32>,
    /// Most starts a second; `None` = the trunk's.
    pub cps_max: Option<i32>,
    /// Most lines; `None` = the trunk's.
    pub lines_max: Option<i32>,
    /// Trunks by name, tried in order; empty = all.
    pub trunks: Vec<String>,
    /// Skills that its agents must all have; empty = everybody.
    pub skills: Vec<String>,
    /// Whether an agent who is free is kept while a number rings (power, predictive), so that the card is there
    /// before the voice; another call that is answered first takes him.
    pub card_first: bool,
    /// Amounts, creditor and product are withheld until identity is ticked.
    pub identity_gate: bool,
    /// Longest promise horizon in days.
    pub promise_max_days: i32,
    /// Least promise as percent of the overdue amount.
    pub promise_min_pct: i32,
}

impl Default for CampaignParams {
    fn default() -> Self {
        Self {
            mode: DialMode::Progressive,
            lines_per_agent: 1.0,
            lines_per_agent_max: 3.0,
            abandon_cap_pct: None,
            abandon_target_pct: None,
            pacing_tick_ms: 250,
            ring_timeout_s: 25,
            agent_within_ms: 2_000,
            drop_action: DropAction::Message,
            hopper_min: None,
            hopper_factor: 2.0,
            order: vec!["expected_value".into(), "dpd".into()],
            window_from: "09:00".into(),
            window_to: "20:00".into(),
            preview_max_s: 120,
            preview_skip: true,
            wrapup_mode: WrapupMode::Timed,
            wrapup_s: 20,
            wrapup_max_s: 120,
            disposition_required: true,
            priority: 3,
            weight: 50,
            record: RecordMode::All,
            mask_dtmf: false,
            allowed_prefixes: Vec::new(),
            caller_id_pool: Vec::new(),
            attempts_per_debtor: 12,
            attempts_per_point: 5,
            attempts_per_day: None,
            cps_max: None,
            lines_max: None,
            trunks: Vec::new(),
            skills: Vec::new(),
            card_first: false,
            identity_gate: true,
            promise_max_days: 7,
            promise_min_pct: 20,
        }
    }
}

impl CampaignParams {
    /// Whether the campaign's prefixes let a number (E.164 with `+`) be called.
    #[must_use]
    pub fn may_call(&self, number: &str) -> bool {
        let fits = |prefix: &String| number.starts_with(prefix.as_str());
        self.allowed_prefixes.is_empty() || self.allowed_prefixes.iter().any(fits)
    }
}

/// Segment + dial mode + parameters + agents + window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Identity.
    pub id: CampaignId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// Segment that fills it.
    pub segment_id: SegmentId,
    /// Script shown.
    pub script_id: Option<ScriptId>,
    /// State.
    pub status: CampaignStatus,
    /// Parameters.
    pub params: CampaignParams,
    /// Counts up by one at each change.
    pub version: i32,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}
