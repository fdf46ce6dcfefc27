//! What supervisors and programs see: rows of the board, figures, why-not. JSON names are stable.

pub use crate::plans::AskRow;
pub use crate::queue_view::InboundRow;
pub use crate::readiness::Readiness;
pub use crate::short_calls::ShortCalls;
pub use crate::targets::{AgentTarget, QueueTarget, TransferTargets};

use domain::entity::{Campaign, Verdict};
use domain::ids::{AgentId, AttemptId, CampaignId, ClientId, DebtorId, PointId, TrunkId};
use domain::ports::store::{ItemCounts, RefillReport};
use domain::time::UtcMs;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

fn epoch<S: Serializer>(at: &UtcMs, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_i64(at.0)
}

fn epoch_opt<S: Serializer>(at: &Option<UtcMs>, s: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.0).serialize(s)
}

/// A quotient by its parts; never the quotient alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ratio {
    /// Numerator.
    pub numerator: u64,
    /// Denominator.
    pub denominator: u64,
}

/// A quotient of durations by its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RatioMs {
    /// Numerator, ms.
    pub numerator_ms: u64,
    /// Denominator, ms.
    pub denominator_ms: u64,
}

/// Abandonment with its cap.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Abandonment {
    /// Live answers not given to an agent in time, today.
    pub numerator: u64,
    /// Those plus live answers handled.
    pub denominator: u64,
    /// Cap in percent.
    pub cap_pct: f64,
}

/// Abandonment over one window, by the formula that binds the campaign there (law.md §4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AbandonmentWindow {
    /// `hour`, `day`, `24h`, `30d`, or the pack's own.
    pub window: String,
    /// Numerator; a fraction under `ofcom_corrected`.
    pub numerator: f64,
    /// Denominator.
    pub denominator: f64,
    /// Cap in percent.
    pub cap_pct: f64,
    /// Distance to the cap: abandonments that these answers still allow, below nought when it is passed.
    pub free: f64,
    /// Whether a rule binds over this window; the others are told beside it.
    pub binds: bool,
}

/// Median and 99th percentile, ms.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// Durations counted by size, for metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Histogram {
    /// Upper bound in ms and how many were at most that long; rising.
    pub buckets: Vec<(u64, u64)>,
    /// All of them.
    pub count: u64,
    /// Their sum, ms.
    pub sum_ms: u64,
}

/// How long one operation of the store took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpTime {
    /// Method of the store.
    pub op: &'static str,
    /// Upper bound in µs and how many were at most that long; rising.
    pub buckets_us: Vec<(u64, u64)>,
    /// All of them.
    pub count: u64,
    /// Their sum, µs.
    pub sum_us: u64,
}

/// Agents of a campaign by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AgentCounts {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CallCounts {
    /// Dialed, not answered.
    pub ringing: u32,
    /// Answered, no agent yet.
    pub waiting: u32,
    /// Hear the safe-harbour message.
    pub in_message: u32,
}

/// A reason in two languages with its stable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `no_agents`, `nothing_dialable`, `trunk_down`, `window_closed`,
    /// `waits_for_priority`, `cap_over`, `guard_progressive`, …
    pub code: &'static str,
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// One campaign on the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CampaignRow {
    /// Campaign.
    pub id: CampaignId,
    /// Name.
    pub name: String,
    /// `draft`, `running`, `paused`, `stopped`.
    pub status: String,
    /// Dial mode in force (the guard may have lowered the chosen one).
    pub mode: String,
    /// Lines per agent in use now.
    pub level_now: f64,
    /// Lines per agent aimed at.
    pub level_target: f64,
    /// Debtors that may be reserved now or are in the hopper.
    pub dialable: u64,
    /// Items in the hopper.
    pub hopper: u32,
    /// Attempts since local midnight of the node's start zone (UTC day).
    pub attempts_today: u64,
    /// Live answers today.
    pub answers: u64,
    /// Of them abandoned.
    pub abandoned: u64,
    /// Abandonment today with its cap.
    pub abandonment: Abandonment,
    /// The same over every window, with its distance to the cap.
    pub abandonment_windows: Vec<AbandonmentWindow>,
    /// Short calls of the company's day, where the packs of its debtors have a rule on them.
    pub short_calls: Option<ShortCalls>,
    /// Answers per attempt over five minutes.
    pub answer_rate_5m: Ratio,
    /// How long agents waited for a call.
    pub wait_agent_ms: Percentiles,
    /// How long debtors waited for an agent.
    pub wait_debtor_ms: Percentiles,
    /// Its agents.
    pub agents: AgentCounts,
    /// Whether so few of them are signed in that one abandonment weighs much in its figure (`small_team_agents`).
    pub small_team: bool,
    /// Its calls.
    pub calls: CallCounts,
    /// When the window closes for the last debtor in the hopper, epoch ms.
    #[serde(serialize_with = "epoch_opt")]
    pub window_closes_at: Option<UtcMs>,
    /// Refusals today by reason, most first.
    pub blocked: Vec<(String, u64)>,
    /// Promises today.
    pub promises: u64,
    /// Their amounts by currency.
    pub promised: Vec<(String, i64)>,
    /// Why it does not dial, or not as asked.
    pub problem: Option<Problem>,
    /// Its queue of callers, where it takes any.
    pub inbound: Option<InboundRow>,
}

/// One agent on the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentRow {
    /// Agent.
    pub id: AgentId,
    /// Name.
    pub name: String,
    /// Team name.
    pub team: Option<String>,
    /// Campaign of the call, else the first campaign served.
    pub campaign: Option<String>,
    /// State of terms.md §5.
    pub state: String,
    /// Pause code.
    pub pause_code: Option<String>,
    /// When the state began, epoch ms.
    #[serde(serialize_with = "epoch")]
    pub since: UtcMs,
    /// Number of the debtor, masked.
    pub debtor_masked: Option<String>,
    /// Attempt.
    pub attempt: Option<AttemptId>,
    /// Calls today.
    pub calls: u32,
    /// Right-party contacts today.
    pub rpc: u32,
    /// Promises today.
    pub promises: u32,
    /// Their amounts by currency.
    pub amount: Vec<(String, i64)>,
    /// Occupancy since sign-in.
    pub occupancy_pct: u32,
    /// Round trip of the socket, when the client told it.
    pub link_ms: Option<u32>,
}

/// One trunk on the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrunkRow {
    /// Trunk.
    pub id: TrunkId,
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
    pub acd_ms: u64,
    /// Mean delay to ringing, ms.
    pub pdd_ms: u64,
}

/// One alarm that is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmRow {
    /// Stable while it is up (`trunk_down:<id>`).
    pub id: String,
    /// `trunk_down`, `cap_near`, `cap_over`, `inbound_share`, `inbound_wait`, `database`, `fenced`, `one_way_audio`,
    /// `recording`, …
    pub kind: String,
    /// Since, epoch ms.
    #[serde(serialize_with = "epoch")]
    pub at: UtcMs,
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

/// Sums over everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Totals {
    /// Calls with a person now.
    pub in_call: u32,
    /// Calls ringing now.
    pub ringing: u32,
    /// Attempts since start of the day.
    pub attempts: u64,
    /// Joined with an agent.
    pub connected: u64,
    /// Abandonment of the installation today.
    pub abandonment: Ratio,
    /// Occupancy of the agents signed in.
    pub occupancy: RatioMs,
    /// Promises.
    pub promises: u64,
    /// Their amounts by currency.
    pub promised: Vec<(String, i64)>,
    /// Debts that are past the deadline of their stage.
    pub late_cases: u64,
    /// The same by client, those without any left out.
    pub late_by_client: Vec<(ClientId, u64)>,
}

/// The whole board.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct BoardData {
    /// Agents signed in.
    pub agents: Vec<AgentRow>,
    /// Campaigns that are running, paused or were today.
    pub campaigns: Vec<CampaignRow>,
    /// Trunks.
    pub trunks: Vec<TrunkRow>,
    /// Alarms that are up.
    pub alarms: Vec<AlarmRow>,
    /// Asks that wait for an answer, oldest first.
    pub asks: Vec<AskRow>,
    /// Sums.
    pub totals: Totals,
}

/// A snapshot: send as `{"t":"snap","topic":"board","seq":…,"now":…,"data":…}`.
#[derive(Debug, Clone, Default)]
pub struct BoardSnapshot {
    /// Place in the topic.
    pub seq: u64,
    /// Server's instant.
    pub now: UtcMs,
    /// Data.
    pub data: BoardData,
}

impl BoardSnapshot {
    /// The wire message.
    #[must_use]
    pub fn message(&self) -> serde_json::Value {
        serde_json::json!({
            "t": "snap", "topic": "board", "seq": self.seq, "now": self.now.0, "data": self.data,
        })
    }
}

/// One tick of changes, serialised once for every client.
#[derive(Debug, Clone)]
pub struct BoardDelta {
    /// Place in the topic: one more than the delta before.
    pub seq: u64,
    /// The wire message `{"t":"d","topic":"board",…}`.
    pub body: std::sync::Arc<str>,
}

/// What a start, pause, resume or stop of a campaign did.
#[derive(Debug, Clone, Serialize)]
pub struct CampaignReport {
    /// The campaign now.
    pub campaign: Campaign,
    /// What the refill found (start and resume).
    pub refill: Option<RefillReport>,
    /// Why it will not dial yet.
    pub problems: Vec<Problem>,
}

/// One item of a hopper.
#[derive(Debug, Clone, Serialize)]
pub struct HopperRow {
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Point.
    pub point_id: PointId,
    /// Number, masked.
    pub masked: String,
    /// Only with an agent reserved first.
    pub agent_only: bool,
    /// Priority of the item.
    pub priority: i32,
    /// In the hopper since.
    pub since: UtcMs,
    /// The verdict behind it.
    pub verdict_id: domain::ids::VerdictId,
    /// `allow` or `allow_agent_only`.
    pub decision: &'static str,
    /// What the verdict says, Spanish.
    pub reason_es: String,
    /// What the verdict says, English.
    pub reason_en: String,
}

/// A campaign's hopper with the counts behind it.
#[derive(Debug, Clone, Serialize)]
pub struct HopperView {
    /// Next first.
    pub items: Vec<HopperRow>,
    /// Where the campaign's items stand.
    pub counts: ItemCounts,
}

/// What an agent's state is after he asked for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateAnswer {
    /// State now.
    pub state: String,
    /// What waits for the end of the call: `pause:<code>`, `offline`.
    pub queued: Option<String>,
}

/// Why a debtor is not dialed now.
#[derive(Debug, Clone, Serialize)]
pub struct WhyNot {
    /// One verdict per point (one without a point when there is none).
    pub verdicts: Vec<Verdict>,
    /// Where he stands in each campaign.
    pub items: Vec<ItemRow>,
    /// Reasons in Spanish.
    pub reasons_es: Vec<String>,
    /// Reasons in English.
    pub reasons_en: Vec<String>,
    /// Next legal instant over all points.
    pub next_legal_at: Option<UtcMs>,
}

/// A campaign item as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct ItemRow {
    /// Campaign.
    pub campaign_id: CampaignId,
    /// Campaign's name.
    pub campaign: String,
    /// Campaign's status.
    pub status: String,
    /// Not before.
    pub next_at: UtcMs,
    /// Priority.
    pub priority: i32,
    /// Attempts.
    pub attempts: i32,
    /// Last result.
    pub last_result: Option<String>,
    /// Left the campaign.
    pub done: bool,
    /// Why it left or waits.
    pub note: String,
    /// Whether it lies in this node's hopper now.
    pub in_hopper: bool,
}

/// Figures of a run (contract.md §2) without what only the server knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Figures {
    /// INVITEs that left.
    pub attempts: u64,
    /// Live answers.
    pub answered_human: u64,
    /// Answers that an agent or the system found to be machines.
    pub answered_machine: u64,
    /// Joined with an agent.
    pub connected: u64,
    /// No agent in time.
    pub abandoned: u64,
    /// Abandonment: A ÷ (A + H).
    pub abandonment: Ratio,
    /// Occupancy over every agent since the start.
    pub occupancy: RatioMs,
    /// Dispositions set by agents.
    pub dispositions: u64,
    /// Promises recorded.
    pub promises: u64,
    /// Recordings sealed.
    pub recordings: u64,
    /// Their audio.
    pub recording_ms: u64,
    /// 200 OK → card written.
    pub screen_pop_ms: Percentiles,
    /// 200 OK → first agent audio at the debtor, for calls that found an agent free.
    pub bridge_ms: Percentiles,
    /// 200 OK → first agent audio, for calls that had to wait.
    pub wait_ms: Percentiles,
    /// 200 OK → card written, by size.
    pub screen_pop: Histogram,
    /// 200 OK → first agent audio of calls that found an agent free, by size.
    pub bridge: Histogram,
    /// INVITE → ringing, by size.
    pub sip_setup: Histogram,
    /// Refusals by reason.
    pub blocked: BTreeMap<String, u64>,
    /// Attempts by campaign and result.
    pub results: Vec<(CampaignId, String, u64)>,
    /// Agents by the campaign of their call (`None`: no call) and state.
    pub agents: Vec<(Option<CampaignId>, String, u64)>,
    /// Lines by trunk name: in use, channels.
    pub lines: Vec<(String, u64, u64)>,
    /// RTP packets lost on the way in.
    pub rtp_lost: u64,
    /// Recordings failed.
    pub recordings_failed: u64,
    /// Faults of ours: broken invariants, lost writes.
    pub errors: u64,
}
