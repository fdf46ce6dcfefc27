//! The telephone side: what the engine orders and what it is told.

use super::party::{PartyOrder, TakeOrder};
use super::play::PlayWhat;
use crate::entity::{CallResult, CallTrail, RecordMode};
use crate::ids::{AgentId, AttemptId, RecordingId, TransferId, TrunkId};
use crate::pii::Pii;
use crate::time::UtcMs;
use async_trait::async_trait;

/// Why an order could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrunkError {
    /// No configured trunk of that id, or it is down.
    #[error("trunk unavailable")]
    TrunkDown,
    /// The call or leg is gone.
    #[error("no such call or leg")]
    Gone,
    /// A limit (channels, calls per second, ports) is reached.
    #[error("limit reached: {0}")]
    Limit(&'static str),
    /// Such a number is never called on this trunk (premium, satellite, not allowed).
    #[error("number refused: {0}")]
    Refused(&'static str),
    /// The order's time is over: the verdict it rests on is not fresh any more.
    #[error("too late to be placed")]
    Late,
    /// The agent has no registered phone.
    #[error("agent has no registered phone")]
    NoPhone,
    /// A browser's session description that is no offer of G.711 audio.
    #[error("the browser's offer cannot be used")]
    BadOffer,
}

/// Everything needed to place one call.
#[derive(Debug, Clone)]
pub struct DialOrder {
    /// The durable attempt.
    pub attempt_id: AttemptId,
    /// Route.
    pub trunk_id: TrunkId,
    /// Number to dial, E.164 with `+`.
    pub number: String,
    /// Number to show, E.164 with `+`.
    pub caller_number: String,
    /// Ring time before our CANCEL.
    pub ring_timeout_ms: i64,
    /// Whether the answered call is recorded from the first second.
    pub record: RecordMode,
    /// Recording to open at the answer.
    pub recording_id: RecordingId,
    /// Key of the recording's file.
    pub recording_key: String,
    /// Whether keys pressed are silence in the recording.
    pub mask_dtmf: bool,
    /// Whether the call is judged by its sound; told by `TrunkReport::Early` before its answer and by
    /// `TrunkReport::Classified` after it.
    pub classify: bool,
    /// No INVITE leaves after it, on no trunk: the verdict is as old as it may be then.
    pub not_after: Option<UtcMs>,
}

/// A leg that can be ordered about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegRef {
    /// The debtor's leg of an attempt.
    Debtor(AttemptId),
    /// An agent's nailed-up leg.
    Agent(AgentId),
}

/// Why we end a call (becomes a Reason header).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUpCause {
    /// Normal clearing (Q.850 16).
    Normal,
    /// No agent in time, message over.
    Abandoned,
    /// No audio.
    OneWayAudio,
    /// We shut down or lost the owner.
    Shutdown,
}

/// How a supervisor joins a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonitorMode {
    /// Hears both.
    Listen,
    /// Hears both, the agent hears him.
    Whisper,
    /// All hear all.
    Barge,
    /// Takes the agent's place.
    TakeOver,
}

/// What call-progress analysis makes of an answered call.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SoundVerdict {
    /// `human`, `machine`, `fax`, `sit`, `busy`, `dead_air` or `unknown`.
    pub class: &'static str,
    /// How sure, 0 to 1.
    pub confidence: f32,
    /// Why, in a word.
    pub reason: &'static str,
    /// Sound heard until then, from the answer, ms.
    pub decided_ms: u32,
    /// Beginning of the greeting, from the answer, ms.
    pub onset_ms: Option<u32>,
    /// Its length so far, ms.
    pub speech_ms: Option<u32>,
    /// Pauses in it.
    pub pauses: Option<u32>,
    /// Beginning of the beep, from the answer, ms.
    pub beep_ms: Option<u32>,
}

/// What the telephone side tells. `at` is the instant on the node's clock at which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum TrunkReport {
    /// The INVITE left.
    Sent {
        /** Attempt. */
        attempt: AttemptId,
        /** When. */
        at: UtcMs,
    },
    /// Somebody called one of our numbers and was answered; he hears ring-back until he is told something.
    /// From now on the call is ordered about like one we placed.
    Incoming {
        /** Identity it got. */
        attempt: AttemptId,
        /** Trunk it came by. */
        trunk: TrunkId,
        /** The caller's number, E.164 with `+`; `None` where it is withheld or no number. */
        caller: Option<String>,
        /** The number called, E.164 with `+`. */
        called: String,
        /** When. */
        at: UtcMs,
    },
    /// Somebody called one of our numbers by a trunk and was not answered.
    TurnedAway {
        /** Identity it got. */
        attempt: AttemptId,
        /** Trunk it came by. */
        trunk: TrunkId,
        /** The caller's number, E.164 with `+`; `None` where it is withheld or no number. */
        caller: Option<String>,
        /** The number called, E.164 with `+`. */
        called: String,
        /** SIP status that he was refused with; 503 = as many calls are up as may be. */
        code: u16,
        /** When. */
        at: UtcMs,
    },
    /// 180 or 183.
    Ringing {
        /** Attempt. */
        attempt: AttemptId,
        /** When. */
        at: UtcMs,
        /** Whether media came with it. */
        early_media: bool,
    },
    /// 200 OK arrived; the debtor's leg is up and its recorder open.
    Answered {
        /** Attempt. */
        attempt: AttemptId,
        /** When. */
        at: UtcMs,
    },
    /// Legs joined: the first agent audio packet left for the debtor.
    Bridged {
        /** Attempt. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
        /** When. */
        at: UtcMs,
    },
    /// The call is over, or never came to be.
    Ended {
        /// Attempt.
        attempt: AttemptId,
        /// When.
        at: UtcMs,
        /// Final SIP status; 200 for an answered call.
        sip_code: Option<u16>,
        /// Q.850 cause of a Reason header or BYE.
        q850: Option<u16>,
        /// Whether the end came from our side.
        by_us: bool,
        /// `true` when our ring timeout made us cancel.
        ring_timeout: bool,
        /// RTP packets received from the debtor.
        rtp_in: u64,
        /// RTP packets sent to the debtor.
        rtp_out: u64,
        /// RTP packets lost on the way in.
        rtp_lost: u64,
        /// What its trunk's own table makes of the pair, where it says something.
        result: Option<CallResult>,
    },
    /// Another trunk took the call over before anybody was called.
    Moved {
        /** Attempt. */
        attempt: AttemptId,
        /** The trunk that has it now. */
        trunk: TrunkId,
        /** When. */
        at: UtcMs,
    },
    /// A recording is sealed.
    RecordingSealed {
        /// Recording.
        recording: RecordingId,
        /// Attempt.
        attempt: AttemptId,
        /// SHA-256 of the file, hex.
        sha256: String,
        /// Length.
        duration_ms: i64,
        /// Size.
        bytes: i64,
        /// Gaps and pauses: from, to, reason.
        gaps: Vec<(i64, i64, String)>,
        /// When.
        at: UtcMs,
    },
    /// A recording could not be written.
    RecordingFailed {
        /** Recording. */
        recording: RecordingId,
        /** Attempt. */
        attempt: AttemptId,
        /** Why. */
        reason: String,
        /** When. */
        at: UtcMs,
    },
    /// A fault of ours broke the work of a call or leg off; it is ended where it is known.
    Fault {
        /** Attempt, where the fault is a call's. */
        attempt: Option<AttemptId>,
        /** When. */
        at: UtcMs,
    },
    /// What was played is over.
    Played {
        /** Leg. */
        leg: LegRef,
        /** When. */
        at: UtcMs,
    },
    /// A key pressed.
    Dtmf {
        /** Leg. */
        leg: LegRef,
        /** Digit. */
        digit: char,
        /** When. */
        at: UtcMs,
    },
    /// No RTP in one direction for 3 s (an alarm; the engine ends the call at 60 s).
    OneWayAudio {
        /** Attempt. */
        attempt: AttemptId,
        /** How long. */
        silent_ms: i64,
        /** When. */
        at: UtcMs,
    },
    /// A party rings.
    PartyRinging {
        /** Attempt. */
        attempt: AttemptId,
        /** Party. */
        party: TransferId,
        /** When. */
        at: UtcMs,
    },
    /// A party is on the call.
    PartyUp {
        /** Attempt. */
        attempt: AttemptId,
        /** Party. */
        party: TransferId,
        /** When. */
        at: UtcMs,
    },
    /// A party is off the call, or never came.
    PartyDown {
        /** Attempt. */
        attempt: AttemptId,
        /** Party. */
        party: TransferId,
        /** When. */
        at: UtcMs,
        /** Final SIP status; 200 after an answer. */
        sip_code: Option<u16>,
        /** Q.850 cause. */
        q850: Option<u16>,
        /** The end came from our side. */
        by_us: bool,
    },
    /// The phone of the agent on a call asks that it be handed to somebody (its transfer key); `Trunk::answer_transfer`
    /// tells it what came of that.
    TransferAsked {
        /** Attempt. */
        attempt: AttemptId,
        /** Agent. */
        agent: AgentId,
        /** Whom, as he keyed it in: an agent's extension, a queue's name, a number. */
        to: Pii<String>,
        /** When. */
        at: UtcMs,
    },
    /// What the sound of an answered call is taken for, once it is clear; again with the beep's time
    /// where one follows.
    Classified {
        /** Attempt. */
        attempt: AttemptId,
        /** When. */
        at: UtcMs,
        /** What it is taken for. */
        verdict: SoundVerdict,
    },
    /// What is heard before any answer of a call that is judged: `ring_back`, `busy`, `congestion`, `sit`,
    /// `announcement`, `unknown`. After ring-back something else may follow.
    Early {
        /** Attempt. */
        attempt: AttemptId,
        /** When. */
        at: UtcMs,
        /** What it is taken for. */
        verdict: SoundVerdict,
    },
    /// The first second of what a judged call's far end said, as a fingerprint; told once, a moment
    /// after that second. Recordings give the same one in each call.
    Printed {
        /** Attempt. */
        attempt: AttemptId,
        /** When. */
        at: UtcMs,
        /** The fingerprint's bytes. */
        print: Vec<u8>,
    },
    /// What is kept of a call that is over; follows its end.
    Trail {
        /** Attempt. */
        attempt: AttemptId,
        /** When. */
        at: UtcMs,
        /** Ladder and quality. */
        trail: Box<CallTrail>,
    },
    /// The agent's leg is up and audio has passed both ways.
    AgentLegUp {
        /** Agent. */
        agent: AgentId,
        /** When. */
        at: UtcMs,
    },
    /// The agent's leg is gone.
    AgentLegDown {
        /** Agent. */
        agent: AgentId,
        /** When. */
        at: UtcMs,
        /** Why. */
        reason: String,
    },
    /// A trunk stopped or started to answer.
    TrunkHealth {
        /** Trunk. */
        trunk: TrunkId,
        /** Whether it answers. */
        up: bool,
        /** When. */
        at: UtcMs,
    },
    /// A trunk has reached a limit of its toll rules (`faults.md` promise 14), or is below all of them again. At one of the
    /// last 24 hours it takes no call of ours until then; at one of an hour only numbers of that prefix are refused.
    TollLimit {
        /** Trunk. */
        trunk: TrunkId,
        /** `minutes_a_day`, `money_a_day` or `calls_an_hour`; none: below. */
        limit: Option<&'static str>,
        /** When. */
        at: UtcMs,
    },
}

/// Orders to the telephone side. Every order returns at once; what becomes of it is reported.
#[async_trait]
pub trait Trunk: Send + Sync {
    /// Places a call. The attempt must be durable.
    async fn dial(&self, order: DialOrder) -> Result<(), TrunkError>;
    /// Takes a call that came in: its recording begins.
    async fn take_incoming(&self, order: TakeOrder) -> Result<(), TrunkError> {
        let _ = order;
        Err(TrunkError::Gone)
    }
    /// Withdraws a call that is not answered yet (CANCEL, or BYE if the answer crossed).
    async fn cancel(&self, attempt: AttemptId) -> Result<(), TrunkError>;
    /// Joins the debtor's leg and the agent's nailed-up leg.
    async fn bridge(&self, attempt: AttemptId, agent: AgentId) -> Result<(), TrunkError>;
    /// Takes the agent's leg off the call (the debtor's leg stays up).
    async fn unbridge(&self, attempt: AttemptId) -> Result<(), TrunkError>;
    /// Plays into a leg.
    async fn play(&self, leg: LegRef, what: PlayWhat) -> Result<(), TrunkError>;
    /// Fingerprints of a trunk's recordings that are a machine for sure, instead of those told before.
    async fn know_prints(&self, trunk: TrunkId, prints: Vec<Vec<u8>>) -> Result<(), TrunkError> {
        let _ = (trunk, prints);
        Ok(())
    }
    /// Whether two fingerprints are of one recording.
    fn is_same_print(&self, one: &[u8], other: &[u8]) -> bool {
        one == other
    }
    /// SHA-256 (hex) of the file that a recorded part is to a client's debtors in a language; `None` without one.
    async fn sound_of(&self, client: &str, language: &str, part: &str) -> Option<String> {
        let _ = (client, language, part);
        None
    }
    /// What would be heard now, as a WAV file; `None` for what is no words, and where a part cannot be said.
    async fn wav_of(&self, what: PlayWhat) -> Option<Vec<u8>> {
        let _ = what;
        None
    }
    /// Hold: both ends stop hearing each other; the debtor hears music or comfort noise.
    async fn hold(&self, attempt: AttemptId, on: bool) -> Result<(), TrunkError>;
    /// Mutes the agent towards the debtor.
    async fn mute(&self, attempt: AttemptId, on: bool) -> Result<(), TrunkError>;
    /// Pauses or resumes the recording; a pause is silence of equal length and a mark.
    async fn record(&self, attempt: AttemptId, on: bool) -> Result<(), TrunkError>;
    /// Sends a key to the debtor's side.
    async fn send_dtmf(&self, attempt: AttemptId, digit: char) -> Result<(), TrunkError>;
    /// Lets a supervisor's own leg join.
    async fn monitor(
        &self,
        attempt: AttemptId,
        supervisor: AgentId,
        mode: Option<MonitorMode>,
    ) -> Result<(), TrunkError>;
    /// Brings a further party into a call; `PartyUp` or `PartyDown` follows.
    async fn invite_party(&self, order: PartyOrder) -> Result<(), TrunkError> {
        let _ = order;
        Err(TrunkError::Limit("parties"))
    }
    /// Gives a party the agent's place; the agent is off the call.
    async fn seat_party(&self, attempt: AttemptId, party: TransferId) -> Result<(), TrunkError> {
        let _ = (attempt, party);
        Err(TrunkError::Limit("parties"))
    }
    /// Takes a party off the call, or withdraws its ringing.
    async fn drop_party(&self, attempt: AttemptId, party: TransferId) -> Result<(), TrunkError> {
        let _ = (attempt, party);
        Err(TrunkError::Limit("parties"))
    }
    /// Tells the agent's phone what came of the transfer that it asked for: a SIP status, and why in a word.
    async fn answer_transfer(
        &self,
        agent: AgentId,
        code: u16,
        why: &'static str,
    ) -> Result<(), TrunkError> {
        let _ = (agent, code, why);
        Err(TrunkError::Gone)
    }
    /// Ends a call.
    async fn hang_up(&self, attempt: AttemptId, cause: HangUpCause) -> Result<(), TrunkError>;
    /// Calls the agent's registered phone and keeps the leg up; `AgentLegUp` follows.
    async fn open_agent_leg(&self, agent: AgentId, sip_user: &str) -> Result<(), TrunkError>;
    /// Answers the offer (SDP) of the agent's browser, which then is his phone: it takes the place of
    /// his registered one, or of the browser's lost connection without touching a call the leg is on.
    /// `AgentLegUp` follows where the leg is new.
    ///
    /// # Errors
    /// `NoPhone` where browsers are not served, `BadOffer` for what is no offer of G.711 audio.
    async fn open_browser_leg(
        &self,
        _agent: AgentId,
        _offer: String,
    ) -> Result<String, TrunkError> {
        Err(TrunkError::NoPhone)
    }
    /// Ends the agent's leg.
    async fn close_agent_leg(&self, agent: AgentId) -> Result<(), TrunkError>;
    /// Whether the agent's phone is registered now.
    async fn phone_registered(&self, sip_user: &str) -> bool;
}
