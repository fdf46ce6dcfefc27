//! What happened: attempts, calls, recordings, verdicts, money, events.

use super::{
    AttemptState, BlockReason, CallResult, Channel, CheckPoint, Clearance, Currency, Day, DialMode,
    Direction, Instant, LegKind, PaymentChannel, Phone, PointClass, PromiseState, RecordingOutcome,
    TransferKind, TransferMode, TransferOutcome,
};
use uuid::Uuid;

shape! {
    /// One try to reach one point.
    Attempt {
        id: Uuid, client_id: Uuid, campaign_id: Option<Uuid>, debtor_id: Uuid, person_id: Uuid,
        debt_id: Option<Uuid>, debts: Vec<Uuid>, point_id: Uuid, phone: Phone, class: PointClass,
        trunk_id: Uuid, caller_id: Option<Uuid>, caller_number: Phone, node: String, fence: i64,
        direction: Direction, mode: DialMode, agent_reserved: bool, state: AttemptState, opened_at: Instant,
        invite_at: Option<Instant>, ringing_at: Option<Instant>, answered_at: Option<Instant>,
        popped_at: Option<Instant>, acked_at: Option<Instant>, bridged_at: Option<Instant>,
        identity_at: Option<Instant>, ended_at: Option<Instant>, result: Option<CallResult>,
        sip_code: Option<i32>, q850: Option<i32>, disposition: Option<String>,
        note: Option<String>, disposed_at: Option<Instant>, agent_id: Option<Uuid>,
        recording_id: Option<Uuid>, verdict_id: Uuid, pack: String, pack_version: String,
    }
    /// Legs joined for one conversation.
    Call {
        id: Uuid, attempt_id: Uuid, agent_id: Uuid, started_at: Instant, ended_at: Option<Instant>,
        /// `debtor`, `agent`, `system`.
        ended_by: Option<String>,
    }
    /// A recording: 8 kHz, 16 bit, left = agent, right = debtor.
    Recording {
        id: Uuid, attempt_id: Uuid, client_id: Uuid, key: String, outcome: RecordingOutcome,
        sha256: Option<String>, duration_ms: i64, bytes: i64,
        /// `[from_ms, to_ms, "reason"]`.
        gaps: Vec<Vec<serde_json::Value>>,
        started_at: Instant, sealed_at: Option<Instant>,
    }
    /// One SIP message of a call.
    SipStep {
        at: Instant, leg: LegKind,
        /// Sent by us.
        out: bool,
        /// Method, or status and phrase.
        name: String, code: Option<u16>, cseq: String, reason: Option<String>, sdp: bool,
        /// A retransmission.
        repeat: bool, bytes: u32,
        /// Messages of its leg before it that were not kept.
        left_before: u32,
    }
    /// The sound of one leg while it was on the call.
    LegQuality {
        leg: LegKind, agent: Option<Uuid>, from: Instant, until: Instant, received: u64, sent: u64,
        lost: u64, jitter_us: u32, jitter_max_us: u32, rtt_us: Option<u32>,
        /// Loss of our stream as the far end reports it, 1/256.
        far_lost_256: Option<u8>,
        /// Estimate × 100 (ITU-T G.107).
        mos_x100: Option<i32>,
    }
    /// A transfer or consultation.
    Transfer {
        id: Uuid, attempt_id: Uuid, client_id: Uuid, kind: TransferKind, mode: TransferMode,
        from_agent: Uuid, to_agent: Option<Uuid>, to_campaign: Option<Uuid>,
        /// Masked.
        to_number: Option<String>, verdict_id: Option<Uuid>, conference: bool, asked_at: Instant,
        answered_at: Option<Instant>, ended_at: Option<Instant>, outcome: Option<TransferOutcome>,
    }
    /// A promise to pay.
    Promise {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, debt_id: Uuid, attempt_id: Option<Uuid>,
        agent_id: Option<Uuid>, amount_minor: i64, currency: Currency, due_date: Day,
        grace_until: Instant, channel: PaymentChannel, state: PromiseState, made_at: Instant,
        closed_at: Option<Instant>,
    }
    /// Money seen from a trusted source.
    Payment {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, debt_id: Uuid, amount_minor: i64,
        currency: Currency, paid_at: Instant, channel: PaymentChannel, reference: String,
        reverses: Option<Uuid>, posted_at: Instant,
    }
    /// One rule that spoke.
    RuleHit { rule: String, es: String, en: String, refused: bool }
    /// A rule pack that took part.
    PackRef { id: String, version: String, hash: String, unjudged: Vec<String> }
    /// A zone the debtor may be in.
    ZoneEvidence { zone: String, evidence: String, local: String }
    /// A counter that was tested.
    CounterCheck {
        rule: String, value: u32, limit: u32, from: Instant, to: Instant,
        /// Ledger rows counted, newest first; absent when none.
        counted: Option<Vec<Uuid>>,
        /// Rows that an exclusion left out.
        left_out: Option<Vec<LeftOut>>,
    }
    /// A ledger row that an exclusion left out.
    LeftOut { row: Uuid, why: String }
    /// A decision with its reasons.
    Verdict {
        id: Uuid, at: Instant, check_point: CheckPoint, debtor_id: Uuid, point_id: Option<Uuid>,
        campaign_id: Option<Uuid>, channel: Channel, decision: Clearance,
        /// With `defer`: the next legal instant.
        until: Option<Instant>,
        blocked: Option<BlockReason>, rules: Vec<RuleHit>, packs: Vec<PackRef>,
        zones: Vec<ZoneEvidence>, counters: Vec<CounterCheck>, next_legal_at: Option<Instant>,
        /// What was asked and seen: hours, ring time, role, debts, holds, consents, lists, hashes of
        /// the tables.
        record: Option<serde_json::Value>,
    }
    /// Something that happened.
    Event {
        cursor: i64, schema: i32, id: Uuid, at: Instant, client_id: Option<Uuid>,
        /// `user:<id>`, `agent:<id>`, `key:<id>`, `node:<name>`, `system`.
        actor: String,
        kind: String, subject: String, data: serde_json::Value,
    }
}
