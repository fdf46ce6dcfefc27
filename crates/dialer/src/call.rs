//! One call from the order to dial to its end.

use crate::spec::{CallRules, Item, Judging};
use crate::talk::EndReport;
use domain::entity::{CallResult, DialMode};
use domain::ids::{AgentId, AttemptId, CampaignId, TrunkId};
use domain::law::pack::FormulaId;
use domain::time::{HOUR_MS, SECOND_MS, UtcMs};

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The write-ahead is on its way.
    Opening,
    /// Durable and dialed; may ring.
    Dialing,
    /// Answered; its sound is judged before anybody gets it.
    Judging,
    /// Answered, no agent yet.
    Waiting,
    /// Card and bridge are on their way.
    Connecting,
    /// Joined with the agent.
    Connected,
    /// Handed to a number outside, or to a supervisor who is not signed in as an agent.
    Handed,
    /// Hears the safe-harbour message.
    Message,
    /// A machine whose beep is waited for.
    Beep,
    /// A machine that is left: a message is said, or nothing.
    Leaving,
    /// We ended or withdrew it; the end is awaited.
    Ending,
}

/// Longest wait for the write-ahead's outcome; the shell reports every one, so this only guards.
const OPENING_MAX_MS: i64 = 10 * 60 * SECOND_MS;
/// Time after the ring timeout in which the telephone side must have cancelled.
const RING_GRACE_MS: i64 = 5 * SECOND_MS;
/// Longest time from the choice of an agent to joined legs.
const CONNECT_MAX_MS: i64 = 3 * SECOND_MS;
/// Time in which a join that has begun may still succeed after the law's limit; it counts as abandoned.
const JOIN_GRACE_MS: i64 = SECOND_MS;
/// Longest message: as long as a recorded part may be (`voice`'s `PROMPT_S`, two minutes), and time until it sounds.
const MESSAGE_MAX_MS: i64 = 125 * SECOND_MS;
/// Longest wait for a machine's beep.
const BEEP_MAX_MS: i64 = 45 * SECOND_MS;
/// What is not clear this long before the law's limit goes to an agent: time to show the card and join.
const JUDGE_LEAD_MS: i64 = 300;
/// Longest listening where the law's clock starts with the end of the greeting.
const GREETING_MAX_MS: i64 = 6 * SECOND_MS;
/// Longest wait for the end of a call that we ended; then its fate is `unknown`.
const ENDING_MAX_MS: i64 = 10 * SECOND_MS;
/// Longest conversation.
pub(crate) const TALK_MAX_MS: i64 = 4 * HOUR_MS;
/// The message starts this long before the limit, so that its first sound is inside it.
const MESSAGE_LEAD_MS: i64 = 100;

/// How far a second agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondStage {
    /// Nobody of the queue is free yet.
    Waiting,
    /// Card and voice are on their way.
    Connecting,
    /// Talks with the first agent.
    Talking,
}

/// A second agent of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Second {
    /// Who; `None` while a queue is waited for.
    pub agent: Option<AgentId>,
    /// The queue asked for.
    pub queue: Option<CampaignId>,
    /// Gets the call as soon as he is joined.
    pub takes: bool,
    /// How far he is.
    pub stage: SecondStage,
    /// The stage began.
    pub since: UtcMs,
    /// Longest wait for a queue, ms.
    pub wait_ms: i64,
}

impl Second {
    fn deadline(&self) -> Option<UtcMs> {
        match self.stage {
            SecondStage::Waiting => Some(self.since.plus_ms(self.wait_ms)),
            SecondStage::Connecting => Some(self.since.plus_ms(CONNECT_MAX_MS)),
            SecondStage::Talking => None,
        }
    }
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Attempt.
    pub attempt: AttemptId,
    /// Item.
    pub item: Item,
    /// Route.
    pub trunk: TrunkId,
    /// Mode in force at its dial.
    pub mode: DialMode,
    /// Rules.
    pub rules: CallRules,
    /// Phase.
    pub phase: Phase,
    /// Phase began.
    pub since: UtcMs,
    /// Agent reserved, connecting or joined.
    pub agent: Option<AgentId>,
    /// Ordered at.
    pub ordered_at: UtcMs,
    /// First ringing.
    pub ringing_at: Option<UtcMs>,
    /// 200 OK.
    pub answered_at: Option<UtcMs>,
    /// Joined.
    pub bridged_at: Option<UtcMs>,
    /// No agent was free at the answer.
    pub waited: bool,
    /// When the law's clock started, where that is not the answer.
    pub clock_at: Option<UtcMs>,
    /// What its sound was taken for, once that decided its fate.
    pub machine: Option<CallResult>,
    /// No agent in time.
    pub abandoned: bool,
    /// Ended for lack of audio.
    pub one_way: bool,
    /// Has its disposition already.
    pub disposed: bool,
    /// The end was ordered by us (agent, limit, withdrawal).
    pub ended_by_us: bool,
    /// A second agent who is consulted, or is to get the call.
    pub second: Option<Second>,
    /// Since when he waits in a queue for callers; the law's clock does not run for him.
    pub queued: Option<UtcMs>,
    /// He called us: no line of ours is in it.
    pub inbound: bool,
    /// He is being told what he has to know before an agent gets him.
    pub notice: bool,
}

impl Call {
    /// A call as it is ordered.
    pub(crate) const fn ordered(
        now: UtcMs,
        attempt: AttemptId,
        item: Item,
        trunk: TrunkId,
        mode: DialMode,
        rules: CallRules,
    ) -> Self {
        Self {
            attempt,
            item,
            trunk,
            mode,
            rules,
            phase: Phase::Opening,
            since: now,
            agent: None,
            ordered_at: now,
            ringing_at: None,
            answered_at: None,
            bridged_at: None,
            waited: false,
            clock_at: None,
            machine: None,
            abandoned: false,
            one_way: false,
            disposed: false,
            ended_by_us: false,
            second: None,
            queued: None,
            inbound: false,
            notice: false,
        }
    }

    /// Whether nobody owed him an agent: he called us, or hears an agentless message (law.md §4 counts
    /// answers to calls that were to be given to one).
    pub(crate) fn exempt(&self) -> bool {
        self.queued.is_some() || self.mode == DialMode::Agentless
    }

    /// Whether he hears the message of an agentless campaign, and has not asked for an agent.
    #[must_use]
    pub fn hears_message(&self) -> bool {
        self.phase == Phase::Message && self.mode == DialMode::Agentless && self.queued.is_none()
    }

    /// When the phase's limit is reached.
    #[must_use]
    pub fn deadline(&self) -> UtcMs {
        match self.phase {
            Phase::Opening => self.since.plus_ms(OPENING_MAX_MS),
            Phase::Dialing => self
                .since
                .plus_ms(self.rules.ring_timeout_ms + RING_GRACE_MS),
            Phase::Judging => {
                let answered = self.answered_at.unwrap_or(self.since);
                answered.plus_ms(self.judge_ms())
            }
            Phase::Waiting => {
                let clock = self.clock_at.or(self.answered_at);
                let answered = clock.unwrap_or(self.since);
                answered.plus_ms((self.rules.agent_within_ms - MESSAGE_LEAD_MS).max(0))
            }
            Phase::Connecting => {
                // Beyond the law's limit nobody is joined any more but who is just being joined.
                let clock = self.clock_at.or(self.answered_at);
                let answered = clock.unwrap_or(self.since);
                let legal = answered.plus_ms(self.rules.agent_within_ms);
                let grace = legal.max(self.since).plus_ms(JOIN_GRACE_MS);
                grace.min(self.since.plus_ms(CONNECT_MAX_MS))
            }
            Phase::Connected => {
                let talk = self.since.plus_ms(TALK_MAX_MS);
                let second = self.second.as_ref().and_then(Second::deadline);
                second.map_or(talk, |at| at.min(talk))
            }
            Phase::Handed => self.since.plus_ms(TALK_MAX_MS),
            Phase::Message | Phase::Leaving => self.since.plus_ms(MESSAGE_MAX_MS),
            Phase::Beep => self.since.plus_ms(BEEP_MAX_MS),
            Phase::Ending => self.since.plus_ms(ENDING_MAX_MS),
        }
    }

    /// Whether it may still be withdrawn: not answered, not ending.
    #[must_use]
    pub const fn unanswered(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Dialing)
    }

    /// Whether at `at` his answer has waited for an agent longer than the law lets it, and has none.
    pub(crate) fn too_late(&self, at: UtcMs) -> bool {
        let clock = self.clock_at.or(self.answered_at);
        let waited = clock.map_or(0, |answered| at.since_ms(answered));
        let counts = self.machine.is_none() && self.phase != Phase::Judging;
        counts && self.bridged_at.is_none() && waited > self.rules.agent_within_ms
    }

    /// Whether its sound is judged before an agent gets it. Who dials by hand listens himself.
    pub(crate) fn listens_first(&self) -> bool {
        let dialed = matches!(
            self.mode,
            DialMode::Progressive | DialMode::Power | DialMode::Predictive
        );
        dialed && self.rules.judging == Judging::First && self.judge_ms() > 0
    }

    /// Whether the law's clock starts with the end of the greeting.
    pub(crate) fn by_greeting(&self) -> bool {
        self.item.abandon.formula == FormulaId::Tsr
    }

    /// How long its sound is judged at most, from the answer.
    fn judge_ms(&self) -> i64 {
        if self.by_greeting() {
            GREETING_MAX_MS
        } else {
            (self.rules.agent_within_ms - MESSAGE_LEAD_MS - JUDGE_LEAD_MS).max(0)
        }
    }

    /// Whether its agent is only kept so that he has the card: any call that is answered first may take him.
    #[must_use]
    pub const fn lends_its_agent(&self) -> bool {
        self.unanswered()
            && self.agent.is_some()
            && !self.item.agent_only
            && matches!(self.mode, DialMode::Power | DialMode::Predictive)
    }

    pub(crate) fn enter(&mut self, now: UtcMs, phase: Phase) {
        self.phase = phase;
        self.since = now;
    }
}

/// A call that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct CallOver {
    /// Attempt.
    pub attempt: AttemptId,
    /// Item.
    pub item: Item,
    /// Route.
    pub trunk: TrunkId,
    /// Agent joined, if one was.
    pub agent: Option<AgentId>,
    /// Result.
    pub result: CallResult,
    /// Raw end.
    pub end: EndReport,
    /// 200 OK.
    pub answered_at: Option<UtcMs>,
    /// Joined.
    pub bridged_at: Option<UtcMs>,
    /// Over.
    pub ended_at: UtcMs,
    /// No agent was free at the answer.
    pub waited: bool,
    /// Our side ended it.
    pub by_us: bool,
    /// The agent will be asked for a disposition.
    pub disposition_awaited: bool,
}
