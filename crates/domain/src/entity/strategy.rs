//! Strategy: a versioned plan of steps from a due date, a promise or an instalment.

use super::{Channel, LetterLevel, Tone};
use crate::ids::{CampaignId, ClientId, DebtId, DebtorId, PlannedStepId, StrategyId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// What a strategy counts its days from.
    pub enum StrategyTrigger {
        /// Due date of an open debt.
        DueDate = "due_date",
        /// Due date of an active promise.
        Promise = "promise",
        /// Due date of an unpaid instalment of a plan.
        Instalment = "instalment",
    }
}

crate::text_enum! {
    /// Whether a strategy plans.
    pub enum StrategyStatus {
        /// Being written.
        Draft = "draft",
        /// Plans.
        Active = "active",
        /// Plans nothing more.
        Retired = "retired",
    }
}

crate::text_enum! {
    /// What a step does.
    pub enum StepAction {
        /// Sends a message.
        Message = "message",
        /// Puts the debtor at the head of a campaign.
        Call = "call",
        /// Makes a letter, for the next batch that is printed.
        Letter = "letter",
        /// Asks a supervisor to look at the case.
        Review = "review",
        /// Asks for the hand-over to an agency or lawyer.
        HandOver = "hand_over",
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyStep {
    /// Key, unique within the strategy; it stays when the step is changed.
    pub key: String,
    /// Local days from the trigger's date: −5 … is before it.
    pub offset_days: i32,
    /// Local time of the debtor, `HH:MM`.
    pub at: String,
    /// What is done.
    pub action: StepAction,
    /// Channels of a message, in order: the first that the law and the debtor's points allow is used.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// Name of the template of a message.
    #[serde(default)]
    pub template: String,
    /// Tone of a message; `None` = the one of the debt's stage (`rules::tone`).
    #[serde(default)]
    pub tone: Option<Tone>,
    /// Campaign of a call.
    #[serde(default)]
    pub campaign_id: Option<CampaignId>,
    /// Which letter; `None` = the firmest that the debt's age allows.
    #[serde(default)]
    pub letter: Option<LetterLevel>,
    /// What whoever does it by hand should know.
    #[serde(default)]
    pub note: String,
}

/// A strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// Identity, the same over all versions.
    pub id: StrategyId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// What its days are counted from.
    pub trigger: StrategyTrigger,
    /// Segment expression that debtors must fit; empty = all.
    pub segment: String,
    /// Steps.
    pub steps: Vec<StrategyStep>,
    /// The champion that this one challenges; `None` = it is one itself.
    pub champion_id: Option<StrategyId>,
    /// Share of the champion's debtors that a challenger takes, percent.
    pub share_pct: i32,
    /// Status.
    pub status: StrategyStatus,
    /// Counts up by one at each change; every version is kept.
    pub version: i32,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

crate::text_enum! {
    /// Life of a planned step that is no message.
    pub enum PlannedState {
        /// Waits for its instant, then for a person.
        Planned = "planned",
        /// Done.
        Done = "done",
        /// Money, a hold or a person took it back.
        Cancelled = "cancelled",
        /// The law refused it.
        Refused = "refused",
    }
}

/// A step planned for one debtor: everything but messages, which are planned as `Message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Identity.
    pub id: PlannedStepId,
    /// Owner.
    pub client_id: ClientId,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Debt.
    pub debt_id: Option<DebtId>,
    /// Strategy.
    pub strategy_id: StrategyId,
    /// Its version.
    pub strategy_version: i32,
    /// Key of the step.
    pub step: String,
    /// What is to be done.
    pub action: StepAction,
    /// Campaign of a call.
    pub campaign_id: Option<CampaignId>,
    /// What it was planned from and for; one a key and client. `#paid` stands behind that of one that money
    /// withdrew, so that the key is free.
    pub plan_key: String,
    /// When.
    pub due_at: UtcMs,
    /// State.
    pub state: PlannedState,
    /// Rule or word behind the state; no personal data.
    pub reason: String,
    /// Note of the step.
    pub note: String,
    /// Planned at.
    pub created_at: UtcMs,
    /// Ended at.
    pub ended_at: Option<UtcMs>,
    /// By whom.
    pub ended_by: String,
}
