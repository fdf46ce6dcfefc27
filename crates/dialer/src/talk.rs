//! Inputs and commands: the whole conversation between the brain and its shell.

use crate::call::CallOver;
use crate::gate::Gate;
use crate::hand::{Hand, HandStep};
use crate::predictive::Memory;
use crate::spec::{AgentSpec, CallRules, CampaignSpec, Incoming, Item, KeptPlace, TrunkSpec};
use domain::entity::{CallResult, DialMode};
use domain::ids::{AgentId, AttemptId, CampaignId, ClientId, DebtorId, PersonId, TrunkId};
use domain::ports::HangUpCause;
use domain::ports::store::{AnswerSlot, ShortCount};
use domain::rules::agent_state::PauseCode;
use domain::time::UtcMs;

/// What became of the write-ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenResult {
    /// Durable, and the dial is ordered.
    Opened,
    /// Refused by law, busy, withdrawn or failed before an INVITE left: the call never was.
    Gone,
}

/// A state an agent, or a supervisor for him, asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Take calls.
    Ready,
    /// Pause.
    Pause(PauseCode),
    /// Sign out.
    Logout,
}

/// How a call ended, as the telephone side told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndReport {
    /// Final SIP status.
    pub sip_code: Option<u16>,
    /// Q.850 cause.
    pub q850: Option<u16>,
    /// The end came from our side.
    pub by_us: bool,
    /// Our ring timeout.
    pub ring_timeout: bool,
    /// What the telephone side says it was, whatever the pair.
    pub told: Option<CallResult>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Nothing: the time asked for has come.
    Tick,
    /// A campaign dials, or its parameters changed.
    Campaign(Box<CampaignSpec>),
    /// A campaign stops dialing; `cancel` withdraws what rings.
    CampaignOff {
        /** Campaign. */
        campaign: CampaignId,
        /** Whether ringing calls are cancelled. */
        cancel: bool,
    },
    /// What the feeder found for a campaign; `more` when the source may hold more now.
    Stock {
        /** Campaign. */
        campaign: CampaignId,
        /** Judged items. */
        items: Vec<Item>,
        /** Whether another request makes sense at once. */
        more: bool,
    },
    /// What the stored attempts say of abandonment: told once at a start, before any campaign. It
    /// replaces everything counted so far.
    Answers(Vec<AnswerSlot>),
    /// A live answer that another node had, with its fate: the guard counts all of them.
    Counted {
        /** Campaign. */
        campaign: CampaignId,
        /** Client. */
        client: ClientId,
        /** When it was answered. */
        at: UtcMs,
        /** Whether nobody was there in time. */
        abandoned: bool,
    },
    /// A live answer of another node's was a machine, as its agent found: the guard takes it off what it counted.
    CountedMachine {
        /** Campaign. */
        campaign: CampaignId,
        /** Client. */
        client: ClientId,
        /** When it was answered. */
        at: UtcMs,
    },
    /// A call that was counted as abandoned was a machine's after all: the guard takes it off.
    CountedBack {
        /** Campaign. */
        campaign: CampaignId,
        /** Client. */
        client: ClientId,
        /** When it was answered. */
        at: UtcMs,
    },
    /// The agent found that the answer he was given was a machine.
    Machine {
        /** Attempt. */
        attempt: AttemptId,
        /** Campaign. */
        campaign: CampaignId,
        /** Client. */
        client: ClientId,
        /** When it was answered. */
        answered_at: UtcMs,
    },
    /// Short calls of the company's day, of every campaign and node, for a campaign whose packs have a rule on them.
    ShortCalls {
        /** Campaign. */
        campaign: CampaignId,
        /** Calls and short ones. */
        counted: ShortCount,
    },
    /// What a campaign's forecast had learned before; taken up when it has seen nothing yet.
    Recall {
        /** Campaign. */
        campaign: CampaignId,
        /** What it was. */
        memory: Box<Memory>,
        /** How long ago, ms. */
        age_ms: i64,
    },
    /// A running campaign's local day has these bounds.
    Day {
        /** Campaign. */
        campaign: CampaignId,
        /** First instant of the day. */
        began: UtcMs,
        /** First instant of the next. */
        ends: UtcMs,
    },
    /// Persons that a campaign's detector was measured to lose, percent; 0 while too few are known.
    Loses(CampaignId, f64),
    /// A trunk is there, or changed.
    Trunk(TrunkSpec),
    /// A trunk stopped or started to answer.
    TrunkHealth {
        /** Trunk. */
        trunk: TrunkId,
        /** Whether it answers. */
        up: bool,
    },
    /// New calls may not start, or may again.
    Gate {
        /** Why. */
        gate: Gate,
        /** Closed. */
        closed: bool,
    },
    /// An agent's screen opened: offline → paused(login), or the lost link is back.
    AgentIn(Box<AgentSpec>),
    /// An agent's link is lost.
    LinkLost(AgentId),
    /// The agent's voice leg went up or down.
    Leg {
        /** Agent. */
        agent: AgentId,
        /** Up. */
        up: bool,
    },
    /// An agent, or a supervisor for him, asks for a state.
    Wish {
        /** Agent. */
        agent: AgentId,
        /** State. */
        wish: Wish,
    },
    /// What became of the write-ahead.
    OpenDone {
        /** Attempt. */
        attempt: AttemptId,
        /** Outcome. */
        result: OpenResult,
    },
    /// The INVITE left.
    Sent(AttemptId),
    /// It rings.
    Ringing(AttemptId),
    /// Answered, at the telephone side's instant.
    Answered {
        /** Attempt. */
        attempt: AttemptId,
        /** 200 OK. */
        at: UtcMs,
    },
    /// The card could not be written: the agent's link is bad.
    PopFailed {
        /** Attempt. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
    },
    /// The legs could not be joined.
    BridgeFailed {
        /** Attempt. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
    },
    /// Legs joined.
    Bridged {
        /** Attempt. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
        /** When. */
        at: UtcMs,
    },
    /// What the sound of an answer is taken for.
    Judged {
        /** Attempt. */
        attempt: AttemptId,
        /** What. */
        heard: Heard,
    },
    /// The network says by a tone, before any answer, that nobody will.
    Toned {
        /** Attempt. */
        attempt: AttemptId,
        /** What it says. */
        result: CallResult,
    },
    /// A machine's beep was heard.
    Beep(AttemptId),
    /// The message is over.
    Played(AttemptId),
    /// The call is over.
    Ended {
        /** Attempt. */
        attempt: AttemptId,
        /** How. */
        end: EndReport,
    },
    /// No audio one way for so long.
    OneWay {
        /** Attempt. */
        attempt: AttemptId,
        /** How long, ms. */
        silent_ms: i64,
    },
    /// The agent (or a supervisor) ends the call.
    HangUp(AttemptId),
    /// The agent puts the debtor on hold or back.
    Hold {
        /** Attempt. */
        attempt: AttemptId,
        /** On. */
        on: bool,
    },
    /// A call's place of the agent changes hands.
    Hand {
        /** Attempt. */
        attempt: AttemptId,
        /** How. */
        hand: Hand,
    },
    /// The attempt has its disposition; `then` overrides what was queued.
    Disposed {
        /** Attempt. */
        attempt: AttemptId,
        /** State afterwards. */
        then: Option<Wish>,
    },
    /// The agent dials what he previews.
    PreviewDial(AgentId),
    /// The agent skips what he previews.
    PreviewSkip(AgentId),
    /// The agent dials by hand; the item is judged at check point `manual`.
    Manual {
        /** Agent. */
        agent: AgentId,
        /** Attempt to open. */
        attempt: AttemptId,
        /** Item. */
        item: Box<Item>,
        /** Rules of the call. */
        rules: CallRules,
    },
    /// A debtor who called us waits in his campaign's queue.
    Incoming(Box<Incoming>),
    /// A caller has heard what he had to before an agent gets him.
    Noticed(AttemptId),
    /// Who hears an agentless message asks for an agent.
    Queue {
        /** Attempt. */
        attempt: AttemptId,
        /** Longest wait, ms. */
        wait_ms: i64,
    },
    /// Who waits leaves and is called back in his turn; the message that says so is over with `Played`.
    KeepPlace {
        /** The attempt that waits. */
        from: AttemptId,
        /** His place. */
        place: Box<KeptPlace>,
    },
    /// A place that another node's caller keeps and whose call-back is made here. Refused: `places_full`.
    TakePlace(Box<KeptPlace>),
    /// A place is kept here no more; the attempt of its call-back.
    DropPlace(AttemptId),
    /// It is known now who a caller is. Refused: `no_caller`, `debtor_in_call`.
    Found {
        /// His call.
        attempt: AttemptId,
        /// Whom it is about from now on.
        item: Box<Item>,
    },
    /// Who waits in a queue wants no agent any more: what he hears now is the last. Refused: `not_waiting`.
    LeaveQueue(AttemptId),
    /// Money, a hold, a listing: every contact of that debtor that is queued or rings ends at once.
    Withdraw(DebtorId),
    /// The same of a person, whoever's debtor he is.
    WithdrawPerson(PersonId),
}

/// What the sound of an answer is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// The result it has without an agent; `None` for a person and for what cannot be told.
    pub machine: Option<CallResult>,
    /// When the greeting ended, where one was heard.
    pub greeting_end: Option<UtcMs>,
    /// A message may be left after the beep.
    pub leave: bool,
    /// The beep was heard already.
    pub beep: bool,
}

/// Why an item is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseWhy {
    /// Its lease grows old.
    Stale,
    /// The campaign stopped.
    CampaignOff,
    /// Money, hold or listing.
    Withdrawn,
    /// The agent skipped it.
    Skipped,
    /// The agent did not answer the preview.
    PreviewTimeout,
    /// It was in a hopper or a call already.
    Double,
}

/// One call to place. Durable first, then the INVITE.
#[derive(Debug, Clone, PartialEq)]
pub struct DialTask {
    /// Attempt to open.
    pub attempt: AttemptId,
    /// Item.
    pub item: Item,
    /// Route.
    pub trunk: TrunkId,
    /// Agent reserved first.
    pub agent: Option<AgentId>,
    /// Mode in force.
    pub mode: DialMode,
    /// Rules of the call.
    pub rules: CallRules,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open the attempt, then dial.
    Dial(Box<DialTask>),
    /// Withdraw a call that is not answered.
    Cancel(AttemptId),
    /// Pop the card, then bridge, at once.
    Connect {
        /** Attempt. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
        /** No agent was free at the answer. */
        waited: bool,
    },
    /// Play the safe-harbour message.
    Message(AttemptId),
    /// Leave the campaign's message on the machine, now.
    Leave(AttemptId),
    /// Play the message of an agentless campaign.
    Tell(AttemptId),
    /// Stop what is playing: a machine hears it.
    Hush(AttemptId),
    /// A kept place is no more: its time is up, or contact with him stopped.
    PlaceGone(AttemptId),
    /// End the call.
    HangUp {
        /** Attempt. */
        attempt: AttemptId,
        /** Cause. */
        cause: HangUpCause,
    },
    /// Hold or resume.
    Hold {
        /** Attempt. */
        attempt: AttemptId,
        /** On. */
        on: bool,
    },
    /// A call changes hands.
    Hand {
        /** Attempt. */
        attempt: AttemptId,
        /** Step. */
        step: HandStep,
    },
    /// Show a card to decide on; the attempt id is what a later dial will use.
    Preview {
        /** Attempt to be. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
        /** Item. */
        item: Box<Item>,
    },
    /// The preview is over without a call.
    PreviewOver(AgentId),
    /// Give an item back.
    Release {
        /** Item. */
        item: Box<Item>,
        /** Why. */
        why: ReleaseWhy,
    },
    /// Fill a hopper.
    Refill {
        /** Campaign. */
        campaign: CampaignId,
        /** Items wanted, and of them at most so many agreed call-backs; `None` = any. */
        want: (u32, Option<u32>),
    },
    /// A call is over: close its attempt with this result.
    Over(Box<CallOver>),
    /// The wrap-up ran out: dispose as NC.ST.
    NotDisposed {
        /** Attempt. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
    },
    /// An agent's state or call changed: tell him and the board.
    AgentChanged(AgentId),
    /// Ask for the agent's voice leg.
    OpenLeg(AgentId),
    /// End the agent's voice leg.
    CloseLeg(AgentId),
    /// The guard lowered or raised a campaign's mode.
    ModeForced {
        /** Campaign. */
        campaign: CampaignId,
        /** Mode before. */
        from: DialMode,
        /** Mode in force now. */
        to: DialMode,
        /** Why, stable code. */
        why: &'static str,
    },
    /// Nothing more until then. Always the last one.
    Wait(UtcMs),
}
