//! What the shell tells the brain about campaigns, agents, trunks and hopper items.

use crate::guard::{AbandonRule, aim_pct};
use crate::lean::Lean;
use domain::entity::{DialMode, DropAction, Language, NextAgent, RecordMode, WrapupMode};
use domain::ids::{AgentId, AttemptId, CampaignId, ClientId, DebtorId, PersonId, PointId, TrunkId};
use domain::law::ShortCallRule;
use domain::time::UtcMs;

/// What is done with the sound of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Judging {
    /// Nobody acts on it.
    #[default]
    No,
    /// It is judged before an agent gets the call.
    First,
    /// The call is connected at once and judged under the conversation.
    Under,
}

impl Judging {
    /// Whether a machine that nobody talks with yet is let go.
    #[must_use]
    pub const fn acts(self) -> bool {
        !matches!(self, Self::No)
    }
}

/// What holds for one call from its dial to its disposition; copied into the call, so that a change
/// of the campaign never changes a call that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRules {
    /// Ring time, ms; already raised to the pack's minimum.
    pub ring_timeout_ms: i64,
    /// From the answer to an agent, ms.
    pub agent_within_ms: i64,
    /// What an abandoned call hears.
    pub drop_action: DropAction,
    /// How the wrap-up ends.
    pub wrapup_mode: WrapupMode,
    /// Least wrap-up of the timed modes, ms.
    pub wrapup_ms: i64,
    /// Longest wrap-up, ms.
    pub wrapup_max_ms: i64,
    /// Whether a disposition is needed.
    pub disposition_required: bool,
    /// What is recorded.
    pub record: RecordMode,
    /// What is done with the sound of its answer.
    pub judging: Judging,
}

impl Default for CallRules {
    fn default() -> Self {
        Self {
            ring_timeout_ms: 25_000,
            agent_within_ms: 2_000,
            drop_action: DropAction::Message,
            wrapup_mode: WrapupMode::Timed,
            wrapup_ms: 20_000,
            wrapup_max_ms: 120_000,
            disposition_required: true,
            record: RecordMode::All,
            judging: Judging::No,
        }
    }
}

/// A campaign that dials.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignSpec {
    /// Identity.
    pub id: CampaignId,
    /// Its client: abandonment is watched per client too.
    pub client: ClientId,
    /// Mode chosen by the manager.
    pub mode: DialMode,
    /// Lines per agent (power).
    pub lines_per_agent: f64,
    /// 1–5, 5 first.
    pub priority: i32,
    /// 0–100, share among campaigns of one priority.
    pub weight: i32,
    /// Tick of the pacing, ms.
    pub tick_ms: i64,
    /// Rules of its calls.
    pub rules: CallRules,
    /// Most starts a second; `None` = the trunks'.
    pub cps_max: Option<u32>,
    /// Most lines; `None` = the trunks'.
    pub lines_max: Option<u32>,
    /// Most lines for each of its agents where lines go out ahead (power, predictive); `None` = as many as the
    /// policy asks for.
    pub lines_per_agent_max: Option<f64>,
    /// Trunks in order of preference; empty = all.
    pub trunks: Vec<TrunkId>,
    /// Least items in the hopper; `None` = automatic.
    pub hopper_min: Option<u32>,
    /// Hopper per agent × lines.
    pub hopper_factor: f64,
    /// Longest preview, ms.
    pub preview_max_ms: i64,
    /// Whether a preview may be skipped.
    pub preview_skip: bool,
    /// Cap on abandonment, percent.
    pub cap_pct: f64,
    /// Target, percent (terms.md §10: 0.93 × cap).
    pub target_pct: f64,
    /// Persons that detection may take for machines before an agent hears them, percent of the answers; 0 where nothing
    /// is judged first.
    pub amd_fp_pct: f64,
    /// How it leans away from the rule of its mode.
    pub lean: Lean,
    /// First instant of its local day, over which abandonment is watched.
    pub day_began: UtcMs,
    /// First instant of the next local day.
    pub day_ends: UtcMs,
    /// Skills an agent must have.
    pub skills: Vec<String>,
    /// Which of the free ones gets a call.
    pub next_agent: NextAgent,
    /// Whether a free agent is kept for a call that is dialed ahead, as long as no other call is answered.
    pub card_first: bool,
}

impl CampaignSpec {
    /// Abandonment it aims at, percent, under such packs.
    #[must_use]
    pub fn aim_pct(&self, packs: &[AbandonRule]) -> f64 {
        aim_pct(self.target_pct, self.cap_pct, packs, self.amd_fp_pct)
    }
}

/// An agent who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSpec {
    /// Identity.
    pub id: AgentId,
    /// Campaigns served; empty = all.
    pub campaigns: Vec<CampaignId>,
    /// Skills.
    pub skills: Vec<String>,
    /// Whether the voice leg must be up before calls are routed.
    pub needs_leg: bool,
}

/// A route out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrunkSpec {
    /// Identity.
    pub id: TrunkId,
    /// Most calls at once.
    pub channels: u32,
    /// Most starts in any second.
    pub cps: u32,
}

/// A judged debtor, ready to be dialed.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Campaign.
    pub campaign: CampaignId,
    /// Client.
    pub client: ClientId,
    /// Debtor.
    pub debtor: DebtorId,
    /// Person over all clients: one live attempt each.
    pub person: PersonId,
    /// Point to dial.
    pub point: PointId,
    /// Only with an agent reserved first (`allow_agent_only`).
    pub agent_only: bool,
    /// Least ring time of the debtor's packs, ms.
    pub ring_min_ms: i64,
    /// Longest from the clock's start to an agent or a message, by the debtor's packs, ms.
    pub agent_within_ms: i64,
    /// End of the lease on the debtor.
    pub lease_until: UtcMs,
    /// Head of the queue first.
    pub priority: i32,
    /// Whose debtor it is: he gets the call when he is free.
    pub own_agent: Option<AgentId>,
    /// And nobody else does (his agreed call-back).
    pub own_only: bool,
    /// The abandonment rule of the debtor's packs.
    pub abandon: AbandonRule,
    /// The rule of his packs on short calls, where they have one.
    pub short_calls: Option<ShortCallRule>,
    /// When the campaign's hours end for him today.
    pub closes_at: Option<UtcMs>,
    /// What he speaks: who speaks it too goes before who does not.
    pub language: Language,
    /// The trunk that failed his last call: another one is taken where there is one.
    pub avoid: Option<TrunkId>,
    /// Probability that a person answers now, as far as the point's history and its level tell.
    pub answer: Option<f64>,
}

/// A call that came in and was answered: its debtor waits for an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Attempt.
    pub attempt: AttemptId,
    /// Whom he wants: campaign, client, debtor.
    pub item: Item,
    /// The trunk it came by.
    pub trunk: TrunkId,
    /// Rules of the call; its limit to an agent is the longest wait.
    pub rules: CallRules,
    /// When it was answered.
    pub at: UtcMs,
    /// Longest wait, ms.
    pub wait_ms: i64,
    /// He is told something before an agent gets him; over with [`Input::Noticed`](crate::Input::Noticed).
    pub notice: bool,
}

/// A place in a queue, kept for whoever is to be called back.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPlace {
    /// Attempt to open for the call-back.
    pub attempt: AttemptId,
    /// Whom to call.
    pub item: Item,
    /// Rules of the call-back.
    pub rules: CallRules,
    /// Since when he waits.
    pub since: UtcMs,
    /// Until when the place is kept.
    pub until: UtcMs,
}
