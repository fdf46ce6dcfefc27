//! Stages of debts, excuses, letters.

use super::{Page, PageRequest, StoreError};
use crate::entity::{
    Debt, DebtStage, EvidenceHeld, Excuse, ExcuseKind, Language, LedgerRow, Letter, LetterBatch,
    LetterLevel, LetterTemplate, Stage, Verdict,
};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtId, DebtorId, LetterBatchId, LetterId, PlannedStepId, UserId};
use crate::law::{Action, Judge};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Narrows a list of stages.
#[derive(Debug, Clone, Default)]
pub struct StageFilter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only this debtor's.
    pub debtor_id: Option<DebtorId>,
    /// Only in this stage.
    pub stage: Option<Stage>,
    /// Only those past their deadline, and those whose statute date somebody was told is near.
    pub late: bool,
    /// Only those this user is told of.
    pub owner_id: Option<UserId>,
    /// With `owner_id`: also those without a named person.
    pub or_nobody: bool,
}

/// What has been done about a debtor, for the tests of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageCounts {
    /// Attempts that left for the network.
    pub attempts: i64,
    /// Conversations with him.
    pub conversations: i64,
    /// Different channels tried.
    pub channels: i64,
    /// Promises on the debt that he broke.
    pub broken_promises: i64,
    /// Whether a promise or a plan runs on the debt.
    pub agreed: bool,
    /// Whether a dispute, an attorney, an insolvency or a death holds contact.
    pub held: bool,
    /// What of the debt could be shown to a court.
    pub evidence: EvidenceHeld,
}

/// A letter that is about to be made.
#[derive(Debug, Clone)]
pub struct LetterDraft {
    /// As it is printed.
    pub letter: Letter,
    /// What is asked of the law, at check point `message`.
    pub action: Action,
    /// The row that counts it.
    pub ledger: LedgerRow,
    /// The step of a strategy that it carries out, with the batch that it goes into: begun with its first
    /// letter, done with each.
    pub of: Option<(PlannedStepId, LetterBatch)>,
    /// Event `letter.rendered`.
    pub events: Vec<NewEvent>,
}

/// What came of a letter.
#[derive(Debug, Clone)]
pub enum LetterOpened {
    /// Written and counted.
    Made,
    /// The debt has a letter in this batch, or its step has ended.
    Had,
    /// The law refused inside the transaction; the decision is stored.
    Refused(Box<Verdict>),
    /// Its debt is closed or held, or its debtor paid since its step was planned.
    Stopped(&'static str),
}

/// Stages and excuses.
#[async_trait]
pub trait StageStore: Send + Sync {
    /// Where a debt stands; `None` before its first stage.
    async fn stage_of(&self, debt: DebtId) -> Result<Option<DebtStage>, StoreError>;
    /// Puts a debt in a stage when it still stands in `from`; `false` when it does not. The hold of the stage it
    /// leaves is lifted and that of the new one placed ([`hold_of`](crate::rules::stage::hold_of)) in the same
    /// transaction; a debt that is sold loses its open payment links in it
    /// ([`withdrawn`](crate::rules::stage::withdrawn)).
    async fn move_stage(
        &self,
        row: &DebtStage,
        from: Option<Stage>,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Looks at up to `limit` debts behind `after` whose stage stops contact, in the order of their ids: those on
    /// which the hold of their stage was never placed, and the last one looked at.
    async fn unheld_stages(
        &self,
        after: Option<DebtId>,
        limit: u32,
    ) -> Result<(Vec<DebtStage>, Option<DebtId>), StoreError>;
    /// Places the hold of a debt's stage from now on; `false` when it was placed before or the debt moved on.
    async fn place_stage_hold(
        &self,
        row: &DebtStage,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// A page of open debts' stages, by debt.
    async fn stages_page(
        &self,
        filter: &StageFilter,
        page: &PageRequest,
    ) -> Result<Page<DebtStage>, StoreError>;
    /// Open debts without a stage behind one, in the order of their ids.
    async fn unstaged(&self, after: Option<DebtId>, limit: u32) -> Result<Vec<Debt>, StoreError>;
    /// Puts debts in their first stage in one transaction; one that has a stage keeps it.
    async fn begin_stages(&self, rows: &[DebtStage]) -> Result<(), StoreError>;
    /// Stages of open debts past their deadline of which nobody was told.
    async fn late_stages(&self, now: UtcMs, limit: u32) -> Result<Vec<DebtStage>, StoreError>;
    /// Notes that its named person was told; `false` when he was, or the debt moved on.
    async fn note_late(
        &self,
        row: &DebtStage,
        at: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Stages of a client's open debts with a statute date from today, as it is in the zone of the debt's portfolio, up
    /// to as many days `ahead` as are given for their stage, of which nobody was told; the nearest first, at most
    /// `limit`.
    async fn near_statute(
        &self,
        client: ClientId,
        now: UtcMs,
        ahead: &[(Stage, i64)],
        limit: u32,
    ) -> Result<Vec<(DebtStage, String)>, StoreError>;
    /// Notes that its named person was told of this statute date; `false` when he was, or the debt moved on.
    async fn note_statute(
        &self,
        row: &DebtStage,
        statute_date: &str,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Late cases among open debts, by client: past their deadline, or told to be near their statute date.
    async fn late_counts(&self, now: UtcMs) -> Result<Vec<(ClientId, u64)>, StoreError>;
    /// What has been done about a debt's debtor.
    async fn stage_counts(&self, debt: &Debt, now: UtcMs) -> Result<StageCounts, StoreError>;
    /// Logs an excuse.
    async fn add_excuse(&self, row: &Excuse, events: &[NewEvent]) -> Result<(), StoreError>;
    /// Excuses of a debtor, newest first.
    async fn excuses_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Excuse>, StoreError>;
    /// Excuses of a client by kind in `[since, until)`.
    async fn excuse_counts(
        &self,
        client: ClientId,
        since: UtcMs,
        until: UtcMs,
    ) -> Result<Vec<(ExcuseKind, u64)>, StoreError>;
}

/// Letters.
#[async_trait]
pub trait LetterStore: Send + Sync {
    /// The newest text of a level and language.
    async fn letter_template(
        &self,
        client: ClientId,
        level: LetterLevel,
        language: Language,
    ) -> Result<Option<LetterTemplate>, StoreError>;
    /// The newest text of each level and language.
    async fn letter_templates(&self, client: ClientId) -> Result<Vec<LetterTemplate>, StoreError>;
    /// Adds a version; `Conflict` unless it is the next one of its level and language.
    async fn add_letter_template(
        &self,
        row: &LetterTemplate,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// A batch.
    async fn get_batch(&self, id: LetterBatchId) -> Result<LetterBatch, StoreError>;
    /// A page of batches, oldest first.
    async fn batches_page(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<LetterBatch>, StoreError>;
    /// Keeps how far a batch is.
    async fn put_batch(&self, batch: &LetterBatch, events: &[NewEvent]) -> Result<(), StoreError>;
    /// In one transaction: checks that the debt stands and has no letter in this batch, loads the facts, asks
    /// `judge`, stores the verdict and, when it permits, the letter with its ledger row. The step behind it
    /// ends with it ([`step_after`](crate::rules::letter::step_after)).
    async fn open_letter(
        &self,
        draft: &LetterDraft,
        judge: &dyn Judge,
    ) -> Result<LetterOpened, StoreError>;
    /// A letter.
    async fn get_letter(&self, id: LetterId) -> Result<Letter, StoreError>;
    /// Letters of a batch behind one, in the order of their ids.
    async fn letters_of_batch(
        &self,
        batch: LetterBatchId,
        after: Option<LetterId>,
        limit: u32,
    ) -> Result<Vec<Letter>, StoreError>;
    /// Letters to a debtor, newest first.
    async fn letters_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Letter>, StoreError>;
}
