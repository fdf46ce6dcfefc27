//! Campaign and its parameters (terms.md §10).

use super::{
    AgentlessParams, CallResult, CallerPick, CampaignSchedule, CampaignZones, InboundParams,
};
use crate::ids::{CallerIdId, CampaignId, ClientId, ScriptId, SegmentId, VoicemailId};
use crate::rules::retry::{DayPart, Then};
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
    /// Which agents fixed lines are counted by.
    #[derive(Default)]
    pub enum AgentCountBasis {
        /// Everybody who is signed in.
        Logged = "logged",
        /// Signed in and not paused.
        #[default]
        NotPaused = "not_paused",
        /// Who may be given a call now; calls with an agent do not count then.
        Ready = "ready",
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

crate::text_enum! {
    /// By what the numbers of one debtor are ordered, after the one that the retry rule named.
    pub enum LadderKey {
        /// The one that last reached the debtor first.
        Answered = "answered",
        /// By how sure we are of it.
        Confidence = "confidence",
        /// As the client gave them.
        Position = "position",
        /// Talked to in this part of the day first, then not yet tried in it, then tried in vain.
        DayPart = "day_part",
        /// The one tried least first.
        LeastTried = "least_tried",
        /// Mobile phones first.
        Mobile = "mobile",
        /// Phones at home first.
        Home = "home",
        /// Phones at work first.
        Work = "work",
    }
}

crate::text_enum! {
    /// Who makes an agreed call-back of "the same agent".
    pub enum CallbackScope {
        /// Only he.
        Own = "own",
        /// He; anyone when he is away longer than `callback_window_min`.
        OwnThenAny = "own_then_any",
        /// Anyone.
        Any = "any",
    }
}

crate::text_enum! {
    /// Which of the agents who are free gets a call.
    pub enum NextAgent {
        /// Who has been ready longest.
        LongestReady = "longest_ready",
        /// Who has had the fewest calls since he signed in, then who has been ready longest.
        FewestCalls = "fewest_calls",
    }
}

crate::text_enum! {
    /// Call-progress analysis of answered calls.
    pub enum AmdMode {
        /// None.
        Off = "off",
        /// Calls are judged and nobody acts on it: the verdict is kept beside the agent's code.
        Shadow = "shadow",
        /// The verdict decides: persons and what is not clear in time go to an agent, machines do not.
        On = "on",
    }
}

crate::text_enum! {
    /// What is done with a machine that answered.
    pub enum AmdAction {
        /// It is hung up on.
        Hangup = "hangup",
        /// The campaign's voicemail template is left after the beep, where the debtor's packs let it be.
        Message = "message",
    }
}

crate::text_enum! {
    /// When a running campaign takes in new debtors of its segments.
    pub enum RefillMode {
        /// All the time.
        Continuous = "continuous",
        /// Once a day, at `refill_at`.
        Daily = "daily",
    }
}

/// One of several segments that fill a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixPart {
    /// The segment.
    pub segment_id: SegmentId,
    /// Its share of the reservations, beside the other weights; at least 1.
    pub weight: i32,
}

/// A campaign's own rule after a result, in place of the house table (terms.md §11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryOverride {
    /// After which result.
    pub result: CallResult,
    /// Minutes until the next try.
    pub delay_min: i64,
    /// The delay grows by this with each earlier try of that result; 1 = always the same.
    #[serde(default = "one")]
    pub factor: f64,
    /// Most tries with this result a local day.
    pub max_per_day: u32,
    /// Most tries with this result on one point.
    pub max_total: u32,
    /// In which part of the day.
    #[serde(default = "same")]
    pub day_part: DayPart,
    /// Where next.
    pub then: Then,
}

const fn one() -> f64 {
    1.0
}

const fn same() -> DayPart {
    DayPart::Same
}

/// Parameters; defaults are those of terms.md §10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignParams {
    /// Dial mode.
    pub mode: DialMode,
    /// Lines per agent (power).
    pub lines_per_agent: f64,
    /// Most lines for each agent (power, predictive), answered calls among them; `None` = no cap.
    #[serde(with = "super::lines_cap")]
    pub lines_per_agent_max: Option<f64>,
    /// Legal cap on abandonment in percent; `None` = the pack's.
    pub abandon_cap_pct: Option<f64>,
    /// Target; `None` = 0.93 × cap or the pack's if lower.
    pub abandon_target_pct: Option<f64>,
    /// Agents that the rule sees beyond those who are free (power, predictive): −1 keeps one free, +1 lets one call
    /// wait. A forecast stays at its target for all that.
    pub agent_balance: i32,
    /// Calls ahead beyond the rule's, percent (power, predictive). A forecast stays at its target for all that.
    pub intensity_pct: f64,
    /// Which agents the lines of mode power are counted by.
    pub agent_count_basis: AgentCountBasis,
    /// With so many agents signed in or fewer managers see a small team: one abandonment weighs much in its figure.
    /// 0 = never.
    pub small_team_agents: u32,
    /// Tick of the pacing.
    pub pacing_tick_ms: i64,
    /// Ring time; never under the pack's minimum.
    pub ring_timeout_s: i64,
    /// Limit from the pack's clock to an agent.
    pub agent_within_ms: i64,
    /// What an abandoned call hears.
    pub drop_action: DropAction,
    /// Hours until who was abandoned is tried again; `None` = the pack's, which also holds where it is longer.
    pub drop_block_h: Option<i64>,
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
    /// Days of the week and dates on which it works, where the debtor is; nothing said = every day.
    pub schedule: CampaignSchedule,
    /// Which evidence of the debtor's zone counts.
    pub zone_policy: CampaignZones,
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
    /// Whether answered calls are judged by their sound (person or machine).
    pub amd: AmdMode,
    /// Most persons that may be taken for a machine, percent of the persons whose truth is known: above
    /// it `on` goes back to `shadow` by itself.
    pub amd_fp_limit_pct: f64,
    /// What is done with a machine.
    pub amd_action: AmdAction,
    /// Calls are connected at once and judged under the conversation: the agent is told.
    pub amd_connect_first: bool,
    /// What is left after the beep; `None` = nothing.
    pub voicemail_template: Option<VoicemailId>,
    /// Script for who broke his last promise; none = the campaign's own.
    #[serde(default)]
    pub broken_script: Option<ScriptId>,
    /// Only numbers that begin so are called, E.164 with `+`; empty = any its trunks may call.
    pub allowed_prefixes: Vec<String>,
    /// Caller ids to choose from; empty = the client's.
    pub caller_id_pool: Vec<CallerIdId>,
    /// How the number shown is chosen among them.
    pub caller_id_pick: CallerPick,
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
    /// Which of its free agents gets a call.
    pub next_agent: NextAgent,
    /// Whether an agent who is free is kept while a number rings (power, predictive), so that the card is there
    /// before the voice; another call that is answered first takes him.
    pub card_first: bool,
    /// Amounts, creditor and product are withheld until identity is ticked.
    pub identity_gate: bool,
    /// Several segments by weight; empty = the campaign's segment alone. Else it is one of them.
    pub list_mix: Vec<MixPart>,
    /// By what the numbers of one debtor are ordered, at most four.
    pub point_ladder: Vec<LadderKey>,
    /// Rules after a result that differ from the house table.
    pub retry_rules: Vec<RetryOverride>,
    /// A caller id rests after that many calls within `caller_window_min`; `None` = never for that.
    pub caller_rest_calls: Option<i32>,
    /// A caller id rests when fewer of its calls than this were answered by a person, percent; `None` =
    /// never for that.
    pub caller_rest_below_pct: Option<f64>,
    /// Minutes over which calls and answers of a caller id are counted.
    pub caller_window_min: i64,
    /// Minutes a caller id rests.
    pub caller_rest_min: i64,
    /// Who makes an agreed call-back.
    pub callback_scope: CallbackScope,
    /// Minutes that a call-back waits for its agent.
    pub callback_window_min: i64,
    /// When new debtors of the segments are taken in.
    pub refill: RefillMode,
    /// Local time of the daily refill, `HH:MM` in the campaign's zone.
    pub refill_at: String,
    /// Goes on when nobody is left to call and waits for the next refill; else it stops by itself.
    pub always_on: bool,
    /// Calls that come in.
    pub inbound: InboundParams,
    /// The message of mode `agentless`.
    pub agentless: AgentlessParams,
    /// Keys of the client's offers that its agents may make; empty = none. `None` = all that his terms allow.
    pub offer_policy: Option<Vec<String>>,
    /// Codes that its agents choose from, of level 2 with its leaves or single leaves; empty = the whole tree. Those
    /// that stop contact or take a number away are always there.
    pub disposition_set: Vec<String>,
    /// Longest promise horizon in days.
    pub promise_max_days: i32,
    /// Least promise as percent of the overdue amount.
    pub promise_min_pct: i32,
}

/// The order of a debtor's numbers where nobody says: the one that answered, the surest, the client's own.
fn first_ladder() -> Vec<LadderKey> {
    vec![
        LadderKey::Answered,
        LadderKey::Confidence,
        LadderKey::Position,
    ]
}

impl Default for CampaignParams {
    // What goes together stands side by side.
    #[rustfmt::skip]
    fn default() -> Self {
        Self {
            mode: DialMode::Progressive,
            lines_per_agent: 1.0,
            lines_per_agent_max: None,
            abandon_cap_pct: None,
            abandon_target_pct: None,
            agent_balance: 0,
            intensity_pct: 0.0,
            agent_count_basis: AgentCountBasis::NotPaused,
            small_team_agents: 8,
            pacing_tick_ms: 250,
            ring_timeout_s: 25,
            agent_within_ms: 2_000,
            drop_action: DropAction::Message,
            drop_block_h: None,
            hopper_min: None,
            hopper_factor: 2.0,
            order: vec!["expected_value".into(), "dpd".into()],
            window_from: "09:00".into(),
            window_to: "20:00".into(),
            schedule: CampaignSchedule::default(),
            zone_policy: CampaignZones::Pack,
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
            amd: AmdMode::Off,
            amd_fp_limit_pct: 0.5,
            amd_action: AmdAction::Hangup,
            amd_connect_first: false,
            voicemail_template: None,
            broken_script: None,
            allowed_prefixes: Vec::new(),
            caller_id_pool: Vec::new(), caller_id_pick: CallerPick::Health,
            attempts_per_debtor: 12,
            attempts_per_point: 5,
            attempts_per_day: None,
            cps_max: None,
            lines_max: None,
            trunks: Vec::new(),
            skills: Vec::new(),
            next_agent: NextAgent::LongestReady,
            card_first: false,
            identity_gate: true,
            list_mix: Vec::new(),
            point_ladder: first_ladder(),
            retry_rules: Vec::new(),
            caller_rest_calls: None,
            caller_rest_below_pct: None,
            caller_window_min: 60,
            caller_rest_min: 60,
            callback_scope: CallbackScope::OwnThenAny,
            callback_window_min: 15,
            refill: RefillMode::Continuous,
            refill_at: "08:00".into(),
            always_on: true,
            inbound: InboundParams::default(),
            agentless: AgentlessParams::default(),
            offer_policy: None, disposition_set: Vec::new(),
            promise_max_days: 7,
            promise_min_pct: 20,
        }
    }
}

impl CampaignParams {
    /// Weights of the segments that fill the campaign, first part first; one alone without a mix.
    #[must_use]
    pub fn mix_weights(&self) -> Vec<u32> {
        if self.list_mix.is_empty() {
            return vec![1];
        }
        let weight = |part: &MixPart| u32::try_from(part.weight).unwrap_or(0).max(1);
        self.list_mix.iter().map(weight).collect()
    }

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
