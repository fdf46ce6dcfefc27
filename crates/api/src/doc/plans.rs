//! Terms, plans, stages, excuses, letters, visits.

use super::{
    BatchState, ExcuseKind, InstalmentState, LetterLevel, PlanState, Stage, VisitOutcome,
    VisitState,
};
use super::{Currency, Day, Instant, Language, Role};
use uuid::Uuid;

shape! {
    /// An agreement on one debt. Amounts in minor units of `currency`.
    Plan {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, debt_id: Uuid, attempt_id: Option<Uuid>,
        agent_id: Option<Uuid>, currency: Currency, balance_minor: i64,
        /// Interest in the balance.
        interest_minor: i64,
        /// Forgiven when it is paid as agreed.
        quita_minor: i64,
        agreed_minor: i64, freeze_interest: bool, early_off_minor: i64,
        early_until: Option<Instant>, lapses: bool,
        /// 0 = the house's own.
        policy_version: i32,
        state: PlanState, asked_until: Option<Instant>, needs_role: Option<Role>,
        ask_reason: Option<String>, answered_by: Option<Uuid>, answer_reason: Option<String>,
        document_sha256: Option<String>, accepted_channel: Option<String>,
        accepted_identity: Option<String>, made_at: Instant, signed_at: Option<Instant>,
        closed_at: Option<Instant>,
    }
    /// One due part of a plan.
    Instalment {
        id: Uuid, plan_id: Uuid, position: i32, due_date: Day, grace_until: Instant,
        amount_minor: i64, paid_minor: i64, state: InstalmentState,
    }
    /// A plan with its instalments, first due first.
    PlanFile { plan: Plan, instalments: Vec<Instalment> }
    /// A version of a client's terms.
    PolicyVersion {
        id: Uuid, client_id: Uuid, version: i32,
        /// `offers`, `authority`, `quita_lapses`, `ask_timeout_s`, `promises`, `stages`, `attention_minor`, `ageing`.
        terms: serde_json::Value,
        note: String, made_by: Option<Uuid>, made_at: Instant,
    }
    /// Where a debt stands.
    DebtStage {
        debt_id: Uuid, client_id: Uuid, debtor_id: Uuid, stage: Stage, entered_at: Instant,
        deadline: Option<Instant>,
        /// Who is told when it is late.
        owner_id: Option<Uuid>,
        late_at: Option<Instant>,
        /// The debt's statute date that he was told is near.
        statute_told: Option<Day>,
        moved_by: String, reason: String,
    }
    /// A reason in two languages.
    StageReason { code: String, es: String, en: String }
    /// What is advised.
    Recommendation { to: Option<Stage>, reasons: Vec<StageReason>, missing: Vec<StageReason> }
    /// Where a debt stands and what is advised.
    StageView { stage: Option<DebtStage>, advice: Recommendation }
    /// An excuse as it was given.
    Excuse {
        id: Uuid, client_id: Uuid, debtor_id: Uuid, promise_id: Option<Uuid>, attempt_id: Uuid,
        agent_id: Option<Uuid>, kind: ExcuseKind, at: Instant,
    }
    /// A version of a letter's text.
    LetterTemplate {
        id: Uuid, client_id: Uuid, level: LetterLevel, language: Language, version: i32,
        letterhead: String, subject: String, body: String, made_by: Option<Uuid>, made_at: Instant,
    }
    /// A visit in person.
    Visit {
        id: Uuid, client_id: Uuid, debtor_id: Uuid,
        /// An address of the debtor's file.
        address_id: Uuid,
        /// Debts that it is about.
        debts: Vec<Uuid>,
        /// When, as the law was asked.
        planned_at: Instant,
        state: VisitState, verdict_id: Uuid, made_by: String, made_at: Instant,
        visited_at: Option<Instant>, outcome: Option<VisitOutcome>,
        /// Code of a disposition, where it met who owes.
        result: Option<String>,
        note: String,
        /// Why it was cancelled.
        reason: String,
        ended_by: String, ended_at: Option<Instant>,
    }
    /// Letters that are printed together.
    LetterBatch {
        id: Uuid, client_id: Uuid,
        /// Whom they go to; null = to whom a strategy has them written.
        segment_id: Option<Uuid>, strategy_id: Option<Uuid>, level: LetterLevel, state: BatchState,
        total: i32, done: i32, made: i32, left_out: i32, fault: Option<String>,
        made_by: Option<Uuid>, made_at: Instant,
    }
}
