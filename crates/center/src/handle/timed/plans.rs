//! The clock around terms, plans, stages, letters and visits.

use super::Timed;
use super::ops::timed;
use async_trait::async_trait;
use domain::entity::{
    Debt, DebtStage, Excuse, ExcuseKind, Forgiven, Language, Letter, LetterBatch, LetterLevel,
    LetterTemplate, Plan, PlanFile, PlanState, PolicyVersion, Stage, Visit,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, LetterBatchId, LetterId, PlanId, VisitId};
use domain::law::Judge;
use domain::ports::store::{
    LetterDraft, LetterOpened, LetterStore, Page, PageRequest, PlanDocument, PlanFilter,
    PlanRefusal, PlanStore, StageCounts, StageFilter, StageStore, StoreError, VisitDraft, VisitEnd,
    VisitPlanned, VisitStore,
};
use domain::time::UtcMs;
use std::time::Instant;

timed! { PlanStore;
    policy_of(client: ClientId) -> Option<PolicyVersion>;
    policies_of(client: ClientId, limit: u32) -> Vec<PolicyVersion>;
    add_policy(row: &PolicyVersion, events: &[NewEvent]) -> ();
    draw_plan(file: &PlanFile, events: &[NewEvent]) -> Result<(), PlanRefusal>;
    get_plan(id: PlanId) -> PlanFile;
    plans_page(filter: &PlanFilter, page: &PageRequest) -> Page<Plan>;
    plans_of(debtor: DebtorId) -> Vec<PlanFile>;
    move_plan(plan: &Plan, from: PlanState, events: &[NewEvent]) -> bool;
    keep_document(plan: PlanId, language: Language, document: &PlanDocument) -> ();
    document_of(plan: PlanId, language: Language) -> Option<PlanDocument>;
    forgiven_of(debt: DebtId) -> Vec<Forgiven>;
    plans_asked() -> Vec<Plan>;
    sweep_plans(now: UtcMs, limit: u32) -> Vec<Plan>;
}

timed! { StageStore;
    stage_of(debt: DebtId) -> Option<DebtStage>;
    move_stage(row: &DebtStage, from: Option<Stage>, events: &[NewEvent]) -> bool;
    unheld_stages(after: Option<DebtId>, limit: u32) -> (Vec<DebtStage>, Option<DebtId>);
    place_stage_hold(row: &DebtStage, now: UtcMs, events: &[NewEvent]) -> bool;
    stages_page(filter: &StageFilter, page: &PageRequest) -> Page<DebtStage>;
    unstaged(after: Option<DebtId>, limit: u32) -> Vec<Debt>;
    begin_stages(rows: &[DebtStage]) -> ();
    late_stages(now: UtcMs, limit: u32) -> Vec<DebtStage>;
    note_late(row: &DebtStage, at: UtcMs, events: &[NewEvent]) -> bool;
    near_statute(client: ClientId, now: UtcMs, ahead: &[(Stage, i64)], limit: u32) -> Vec<(DebtStage, String)>;
    note_statute(row: &DebtStage, statute_date: &str, events: &[NewEvent]) -> bool;
    late_counts(now: UtcMs) -> Vec<(ClientId, u64)>;
    stage_counts(debt: &Debt, now: UtcMs) -> StageCounts;
    add_excuse(row: &Excuse, events: &[NewEvent]) -> ();
    excuses_of(debtor: DebtorId, limit: u32) -> Vec<Excuse>;
    excuse_counts(client: ClientId, since: UtcMs, until: UtcMs) -> Vec<(ExcuseKind, u64)>;
}

timed! { LetterStore;
    letter_template(client: ClientId, level: LetterLevel, language: Language) -> Option<LetterTemplate>;
    letter_templates(client: ClientId) -> Vec<LetterTemplate>;
    add_letter_template(row: &LetterTemplate, events: &[NewEvent]) -> ();
    get_batch(id: LetterBatchId) -> LetterBatch;
    batches_page(client: Option<ClientId>, page: &PageRequest) -> Page<LetterBatch>;
    put_batch(batch: &LetterBatch, events: &[NewEvent]) -> ();
    open_letter(draft: &LetterDraft, judge: &dyn Judge) -> LetterOpened;
    get_letter(id: LetterId) -> Letter;
    letters_of_batch(batch: LetterBatchId, after: Option<LetterId>, limit: u32) -> Vec<Letter>;
    letters_of(debtor: DebtorId, limit: u32) -> Vec<Letter>;
}

timed! { VisitStore;
    plan_visit(draft: &VisitDraft, judge: &dyn Judge) -> VisitPlanned;
    end_visit(id: VisitId, end: &VisitEnd, events: &[NewEvent]) -> bool;
    withdraw_visits(debtor: DebtorId, now: UtcMs, told: &(dyn for<'a> Fn(&'a Visit) -> NewEvent + Send + Sync)) -> Vec<Visit>;
    get_visit(id: VisitId) -> Visit;
    visits_of(debtor: DebtorId, before: Option<VisitId>, limit: u32) -> Vec<Visit>;
}
