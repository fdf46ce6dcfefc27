//! Terms, plans, stages, excuses, letters, visits.

use super::{Stirs, entity};
use domain::entity::{
    DebtStage, Excuse, Instalment, Letter, LetterBatch, LetterTemplate, Plan, PolicyVersion, Visit,
};
use domain::ids::DebtorId;

entity!(PolicyVersion, "policies", "version of the terms" {
        id, client_id, version, terms, note, made_by, made_at
    }
    const UNIQUE: &'static str = "version of the terms";
);

entity!(Plan, "plans", "plan" {
        id, client_id, debtor_id, debt_id, attempt_id, agent_id, currency, balance_minor,
        interest_minor, quita_minor, agreed_minor, freeze_interest, early_off_minor, early_until, lapses,
        policy_version, state, asked_until, needs_role, ask_reason, answered_by, answer_reason,
        document_sha256, accepted_channel, accepted_identity, made_at, signed_at, closed_at
    }
    const UNIQUE: &'static str = "the live plan of the debt";
    fn touches(&self) -> Option<DebtorId> {
        Some(self.debtor_id)
    }
);

entity!(Instalment, "instalments", "instalment" {
        id, plan_id, position, due_date, grace_until, amount_minor, paid_minor, state
    }
);

entity!(DebtStage, "debt_stages", "stage of the debt" {
        debt_id, client_id, debtor_id, stage, entered_at, deadline, owner_id, late_at, statute_told,
        moved_by, reason
    }
);

entity!(Excuse, "excuses", "excuse" {
        id, client_id, debtor_id, promise_id, attempt_id, agent_id, kind, at
    }
);

entity!(LetterTemplate, "letter_templates", "text of letters" {
        id, client_id, level, language, version, letterhead, subject, body, made_by, made_at
    }
    const UNIQUE: &'static str = "version of the text";
);

entity!(LetterBatch, "letter_batches", "batch of letters" {
        id, client_id, segment_id, strategy_id, level, state, total, done, made, left_out, fault, made_by,
        made_at
    }
);

entity!(Letter, "letters", "letter" {
        id, client_id, debtor_id, debt_id, batch_id, level, language, template_id, letterhead,
        addressee, subject, body, dated, made_at
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);

entity!(Visit, "visits", "visit" {
        id, client_id, debtor_id, address_id, debts, planned_at, state, verdict_id, made_by, made_at,
        visited_at, outcome, result, note, reason, ended_by, ended_at
    }
    fn stirs(&self) -> Option<Stirs> {
        Some(Stirs::Debtor(self.debtor_id))
    }
);
