//! The live tables: what the engine knows of campaigns, hopper items, calls, agents and trunks beyond
//! what the brain needs.

use crate::card::CardSource;
use crate::scribe::Step;
use crate::stats::{CampaignStats, Today};
use dialer::DialTask;
use domain::answer::Why;
use domain::entity::{
    Agent, CallResult, CallerId, Campaign, Client, ContactPoint, PartyRole, Script, Transfer,
    Trunk, VoicemailTemplate,
};
use domain::ids::{
    AgentId, AttemptId, CallId, CallerIdId, CampaignId, DebtId, DebtorId, PointId, RecordingId,
    TrunkId, VerdictId,
};
use domain::ports::store::{ContactFacts, HeardCall, ItemCounts, ItemState};
use domain::rules::agent_state::AgentState;
use domain::rules::offers::ClientTerms;
use domain::segment::Expr;
use domain::time::UtcMs;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{OnceCell, mpsc};

/// A campaign's rows as they were read together; replaced whole when one changes.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) campaign: Campaign,
    pub(crate) client: Client,
    pub(crate) script: Option<Script>,
    /// The script for who broke his last promise.
    pub(crate) broken_script: Option<Script>,
    /// The client's terms, with those offers alone that the campaign makes.
    pub(crate) terms: ClientTerms,
    pub(crate) callers: Vec<CallerId>,
    pub(crate) trunks: Vec<TrunkId>,
    /// The segments that fill it, in the order of its mix.
    pub(crate) parts: Vec<Expr>,
    /// The approved message for mailboxes.
    pub(crate) voicemail: Option<VoicemailTemplate>,
    /// Zone in which the campaign's day is counted.
    pub(crate) zone: TimeZone,
}

impl Setting {
    pub(crate) fn id(&self) -> CampaignId {
        self.campaign.id
    }
}

/// A judged debtor of a hopper with what dialing and closing need.
#[derive(Debug, Clone)]
pub(crate) struct Stocked {
    pub(crate) setting: Arc<Setting>,
    pub(crate) state: ItemState,
    /// Whether the debtor is an item of the campaign (not so for some calls by hand).
    pub(crate) in_campaign: bool,
    pub(crate) facts: Arc<ContactFacts>,
    pub(crate) point: ContactPoint,
    pub(crate) point_attempts: Vec<(PointId, i32)>,
    pub(crate) verdict_id: VerdictId,
    pub(crate) decision: &'static str,
    pub(crate) reason: (String, String),
    pub(crate) since: UtcMs,
    /// When the campaign's hours end for him today.
    pub(crate) closes_at: Option<UtcMs>,
    /// Why the order `best_time` chose him, where it did.
    pub(crate) why: Option<Why>,
}

/// What never changes about one attempt; shared with its writer and with card tasks.
pub(crate) struct CallCtx {
    pub(crate) id: AttemptId,
    pub(crate) stocked: Stocked,
    pub(crate) task: DialTask,
    pub(crate) debt_id: Option<DebtId>,
    pub(crate) debts: Vec<DebtId>,
    pub(crate) caller: (Option<CallerIdId>, String),
    pub(crate) recording_id: RecordingId,
    pub(crate) recording_key: String,
    pub(crate) zone: TimeZone,
    pub(crate) card: OnceCell<Arc<CardSource>>,
    /// He called us, and may wait so long, ms.
    pub(crate) inbound: Option<i64>,
}

/// Where the card stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pop {
    None,
    /// On its way to the agent's socket; join the legs once it is there, when set.
    Flying(AgentId, bool),
    /// Written.
    Shown(AgentId, UtcMs),
}

/// Where the recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tape {
    Off,
    On,
    Paused,
}

impl Tape {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Paused => "paused",
        }
    }
}

/// A pause of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TapePause {
    pub(crate) since: UtcMs,
    /// Card data is being told: it ends when the card's field is left.
    pub(crate) card: bool,
    /// Its end is ordered already.
    pub(crate) ending: bool,
}

/// How a call ended, for the agent's screen.
#[derive(Debug, Clone)]
pub(crate) struct EndSeen {
    pub(crate) at: UtcMs,
    pub(crate) result: CallResult,
    pub(crate) by: &'static str,
}

/// One attempt from its order to the end of its wrap-up.
pub(crate) struct CallEntry {
    pub(crate) ctx: Arc<CallCtx>,
    pub(crate) scribe: mpsc::Sender<Step>,
    /// Set when it must not be dialed any more.
    pub(crate) withdrawn: Arc<AtomicBool>,
    pub(crate) invite_at: Option<UtcMs>,
    pub(crate) ringing_at: Option<UtcMs>,
    pub(crate) answered_at: Option<UtcMs>,
    pub(crate) bridged_at: Option<UtcMs>,
    pub(crate) waited: bool,
    pub(crate) pop: Pop,
    pub(crate) agent: Option<AgentId>,
    pub(crate) identity: Option<PartyRole>,
    pub(crate) muted: bool,
    pub(crate) tape: Tape,
    /// Why the recording stands still, while it does.
    pub(crate) tape_pause: Option<TapePause>,
    /// Its pauses so far, ms from the answer: a process that dies leaves them in the row.
    pub(crate) tape_gaps: Vec<(i64, i64, String)>,
    /// A recording of it is open and not sealed yet.
    pub(crate) tape_open: bool,
    pub(crate) call_id: Option<CallId>,
    /// Who asked for its end.
    pub(crate) ended_by: Option<&'static str>,
    pub(crate) over: Option<EndSeen>,
    pub(crate) awaited: bool,
    /// Disposed while it was up: where the debtor goes at its end.
    pub(crate) plan: Option<ItemState>,
    /// He asked for an agent out of a message.
    pub(crate) asked: bool,
    /// A message was told to him to its end.
    pub(crate) heard_out: bool,
    /// He pressed the key of who wants no more calls.
    pub(crate) opted_out: bool,
    pub(crate) disposition: Option<String>,
    /// A conversation row is in the ledger.
    pub(crate) conversation: bool,
    /// It is being handed to somebody.
    pub(crate) handover: Option<Box<Handover>>,
    /// Since when its present agent has it, when that is not the first.
    pub(crate) held_since: Option<UtcMs>,
    /// When one side was last told to be silent.
    pub(crate) silent_at: Option<UtcMs>,
    /// Whether a card was shown already; the news of it may come after that of the voice.
    pub(crate) carded: bool,
    /// Its last agent disposes by the API, until his time is up.
    pub(crate) late_holder: bool,
    /// What its sound was taken for.
    pub(crate) heard: Option<HeardCall>,
    /// The fingerprint of what its far end said first, until it is learned.
    pub(crate) print: Option<Vec<u8>>,
    /// The trunk that took it over from the one it was ordered on.
    pub(crate) moved_to: Option<TrunkId>,
}

impl CallEntry {
    /// The trunk that carries it.
    pub(crate) fn carrier(&self) -> TrunkId {
        self.moved_to.unwrap_or(self.ctx.task.trunk)
    }

    /// A call of which nothing is known yet.
    pub(crate) fn new(
        ctx: Arc<CallCtx>,
        scribe: mpsc::Sender<Step>,
        withdrawn: Arc<AtomicBool>,
    ) -> Self {
        Self {
            ctx,
            scribe,
            withdrawn,
            invite_at: None,
            ringing_at: None,
            answered_at: None,
            bridged_at: None,
            waited: false,
            pop: Pop::None,
            agent: None,
            identity: None,
            muted: false,
            tape: Tape::Off,
            tape_pause: None,
            tape_gaps: Vec::new(),
            tape_open: false,
            call_id: None,
            ended_by: None,
            over: None,
            awaited: false,
            plan: None,
            asked: false,
            heard_out: false,
            opted_out: false,
            disposition: None,
            conversation: false,
            handover: None,
            held_since: None,
            silent_at: None,
            carded: false,
            late_holder: false,
            heard: None,
            print: None,
            moved_to: None,
        }
    }
}

/// A call on its way to somebody else.
#[derive(Debug)]
pub(crate) struct Handover {
    pub(crate) row: Transfer,
    /// Whom, for the screen: a name, or a masked number.
    pub(crate) to: String,
    pub(crate) ringing: bool,
    /// The target gets the call as soon as it answers.
    pub(crate) giving: bool,
    /// The agent's phone asked for it, and is told what comes of it.
    pub(crate) by_phone: bool,
}

/// One agent.
pub(crate) struct AgentEntry {
    pub(crate) agent: Agent,
    pub(crate) seq: u64,
    pub(crate) last: Map<String, Value>,
    pub(crate) kept: VecDeque<(UtcMs, u64, Value)>,
    pub(crate) today: Today,
    /// Busy and total ms of shifts that are over.
    pub(crate) past: (i64, i64),
    pub(crate) registered: bool,
    /// A leg was ordered and may come until then.
    pub(crate) leg_wait: Option<UtcMs>,
    pub(crate) rtt_ms: Option<u32>,
    pub(crate) preview: Option<(AttemptId, Value)>,
    pub(crate) seen: AgentState,
    pub(crate) seen_at: UtcMs,
    pub(crate) ready_since: Option<UtcMs>,
}

/// What the last feeding of a hopper found.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastFeed {
    pub(crate) reserved: u32,
    pub(crate) allowed: u32,
    /// Refusals by reason.
    pub(crate) blocked: BTreeMap<String, u64>,
    /// Earliest legal instant among the refused.
    pub(crate) next: Option<UtcMs>,
    /// Refusals by their first reason, in both languages.
    pub(crate) reasons: BTreeMap<(String, String), u64>,
}

/// One campaign that runs, or ran since the start.
pub(crate) struct CampaignEntry {
    pub(crate) setting: Arc<Setting>,
    pub(crate) counts: ItemCounts,
    pub(crate) feed: Option<LastFeed>,
    /// Nobody was left to dial at the last feeding, and it is told.
    pub(crate) starved: bool,
    pub(crate) stats: CampaignStats,
}

/// One trunk.
pub(crate) struct TrunkEntry {
    pub(crate) trunk: Trunk,
    pub(crate) invites: u64,
    pub(crate) answered: u64,
    /// Answered, busy, no answer, rejected.
    pub(crate) effective: u64,
    pub(crate) talk_ms: u64,
    pub(crate) rung: u64,
    pub(crate) pdd_ms: u64,
}

/// Key of a hopper item.
pub(crate) type StockKey = (CampaignId, DebtorId);
