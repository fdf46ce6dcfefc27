//! Letter: text by level and language, letters to debtors, and batches for print.

use super::Language;
use crate::ids::{
    ClientId, DebtId, DebtorId, LetterBatchId, LetterId, LetterTemplateId, SegmentId, StrategyId,
    UserId,
};
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// The four letters (terms.md §6).
    pub enum LetterLevel {
        /// Courteous, D+3 to D+7.
        L1 = "L1",
        /// Firm, D+15.
        L2 = "L2",
        /// Direct and polite, D+30.
        L3 = "L3",
        /// The last before court, D+45 to D+60.
        L4 = "L4",
    }
}

impl LetterLevel {
    /// Days past due from which it may go out (terms.md §6).
    #[must_use]
    pub const fn from_days(self) -> i64 {
        match self {
            Self::L1 => 3,
            Self::L2 => 15,
            Self::L3 => 30,
            Self::L4 => 45,
        }
    }

    /// The firmest that may go out so many days past due.
    #[must_use]
    pub fn at(days: i64) -> Option<Self> {
        let due = |level: &&Self| level.from_days() <= days;
        Self::ALL.iter().rev().find(due).copied()
    }
}

/// A version of a letter's text; the newest of its client, level and language is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterTemplate {
    /// Identity.
    pub id: LetterTemplateId,
    /// Whose.
    pub client_id: ClientId,
    /// Which of the four.
    pub level: LetterLevel,
    /// Language.
    pub language: Language,
    /// From 1, without holes.
    pub version: i32,
    /// Letterhead: name, address and contact of who writes, one line each.
    pub letterhead: String,
    /// Subject; may have variables.
    pub subject: String,
    /// Text in paragraphs; may have variables.
    pub body: String,
    /// Who wrote it.
    pub made_by: Option<UserId>,
    /// In use since.
    pub made_at: UtcMs,
}

crate::text_enum! {
    /// Life of a batch.
    pub enum BatchState {
        /// Letters are being made.
        Running = "running",
        /// All are made.
        Done = "done",
        /// Ended by a fault.
        Failed = "failed",
    }
}

/// Letters of one level that are printed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterBatch {
    /// Identity.
    pub id: LetterBatchId,
    /// Owner.
    pub client_id: ClientId,
    /// Whom they go to; `None` = to whom a strategy has them written.
    pub segment_id: Option<SegmentId>,
    /// The strategy that made it.
    pub strategy_id: Option<StrategyId>,
    /// Which letter.
    pub level: LetterLevel,
    /// State.
    pub state: BatchState,
    /// Debtors of the segment.
    pub total: i32,
    /// Looked at.
    pub done: i32,
    /// Letters made.
    pub made: i32,
    /// Left out: the law, a hold, no debt of that age, no text in the language.
    pub left_out: i32,
    /// What went wrong.
    pub fault: Option<String>,
    /// Who asked for it.
    pub made_by: Option<UserId>,
    /// Asked for at.
    pub made_at: UtcMs,
}

/// A letter to one debtor, as it was printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Identity.
    pub id: LetterId,
    /// Owner.
    pub client_id: ClientId,
    /// To whom.
    pub debtor_id: DebtorId,
    /// About which debt.
    pub debt_id: DebtId,
    /// In which batch.
    pub batch_id: LetterBatchId,
    /// Which of the four.
    pub level: LetterLevel,
    /// Language.
    pub language: Language,
    /// Version of the text.
    pub template_id: LetterTemplateId,
    /// Letterhead as printed.
    pub letterhead: String,
    /// To whom it is addressed, as printed.
    pub addressee: Pii<String>,
    /// Subject as printed.
    pub subject: Pii<String>,
    /// Text as printed.
    pub body: Pii<String>,
    /// Local date printed on it.
    pub dated: String,
    /// Made at.
    pub made_at: UtcMs,
}
