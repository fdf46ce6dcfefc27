//! Shapes for the OpenAPI document. The entities live in `domain`, which knows no JSON schema, so
//! their shapes are told here; `shapes_tell_the_truth` holds them against the entities themselves.

#[macro_use]
mod words;

mod campaign;
mod contact;
mod history;
mod law;
mod messages;
mod money;
mod people;
mod plans;
mod portfolio;
#[cfg(test)]
mod truth;

pub(crate) use campaign::{
    Assigned, AssignmentRule, Campaign, CampaignParams, CampaignTemplate, CampaignVersion,
    Disposition, Objection, Script, ScriptStep, Segment,
};
pub(crate) use contact::{
    ClientLaw, Complaint, Consent, ContactPoint, ContractTerms, DncList, Hold, LawOverride, Party,
    Preference, Suppression,
};
#[cfg(test)]
pub(crate) use contact::{TermCap, TermWindow};
pub(crate) use history::{
    Attempt, Call, Event, LegQuality, Payment, Promise, Recording, SipStep, Transfer, Verdict,
};
pub(crate) use law::{CampaignWhyShape, DryJobShape, LoadLawShape, WhyRowsShape};
pub(crate) use messages::{
    InboxMessage, Message, PlannedStep, Strategy, StrategyStep, TextTemplate,
};
pub(crate) use money::{BankFile, Claim, MoneyPolicy, PaymentLink, Receipt};
pub(crate) use people::{Agent, ApiKey, CallerId, Client, Team, Trunk, User};
pub(crate) use plans::{
    DebtStage, Excuse, LetterBatch, LetterTemplate, Plan, PlanFile, PolicyVersion, StageView, Visit,
};
pub(crate) use portfolio::{Address, Debt, Debtor, Portfolio};
pub(crate) use words::{
    AgentCountBasis, AmdAction, AmdMode, AssignmentTarget, AttemptState, BatchState, BlockReason,
    CallResult, CallbackScope, CallerPick, CampaignStatus, CampaignZones, Channel, CheckPoint,
    ClaimState, Clearance, ComplaintState, CreditorKind, Currency, Day, DebtStatus, DebtorKind,
    DialMode, Direction, DropAction, ExcuseKind, HoldKind, HoldScope, InboundOutcome, InboxState,
    InstalmentState, Instant, LadderKey, Language, LegKind, LetterLevel, MessagePurpose,
    MessageState, NextAgent, PartyRole, PaymentChannel, Phone, PlanState, PlannedState, PointClass,
    PreferenceKind, PromiseState, RecordMode, RecordingOutcome, RefillMode, Role, Stage,
    StepAction, StrategyStatus, StrategyTrigger, SuppressionKind, Tone, TransferKind, TransferMode,
    TransferOutcome, VersionState, VisitOutcome, VisitState, WrapupMode,
};

/// The body of every error.
pub(crate) use crate::problem::ProblemBody as Problem;

/// An amount in minor units.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct Money {
    /// Minor units (centavos).
    #[schema(example = 1_850_000)]
    amount_minor: i64,
    currency: Currency,
}
