//! Shapes for the OpenAPI document. The entities live in `domain`, which knows no JSON schema, so
//! their shapes are told here; `shapes_tell_the_truth` holds them against the entities themselves.

#[macro_use]
mod words;

mod campaign;
mod contact;
mod history;
mod people;
mod portfolio;
#[cfg(test)]
mod truth;

pub(crate) use campaign::{Campaign, CampaignParams, Disposition, Script, ScriptStep, Segment};
pub(crate) use contact::{Consent, ContactPoint, Hold, Party, Suppression};
pub(crate) use history::{
    Attempt, Call, Event, LegQuality, Payment, Promise, Recording, SipStep, Transfer, Verdict,
};
pub(crate) use people::{Agent, ApiKey, CallerId, Client, Team, Trunk, User};
pub(crate) use portfolio::{Debt, Debtor, Portfolio};
pub(crate) use words::{
    AttemptState, BlockReason, CallResult, CampaignStatus, Channel, CheckPoint, Clearance,
    CreditorKind, Currency, Day, DebtStatus, DebtorKind, DialMode, DropAction, HoldKind, HoldScope,
    Instant, Language, LegKind, PartyRole, PaymentChannel, Phone, PointClass, PromiseState,
    RecordMode, RecordingOutcome, Role, SuppressionKind, TransferKind, TransferMode,
    TransferOutcome, WrapupMode,
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
