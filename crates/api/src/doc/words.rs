//! Single values: instants, days, phones, and the closed vocabularies, read from the entities.

use std::borrow::Cow;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident = |$builder:ident| $build:expr;)+) => { $(
        $(#[doc = $doc])+
        pub(crate) struct $name;
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let $builder = ObjectBuilder::new().schema_type(Type::String)
                    .description(Some(concat!($($doc),+).trim()));
                RefOr::T(Schema::Object($build.build()))
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> { Cow::Borrowed(stringify!($name)) }
        }
    )+ };
}

macro_rules! words {
    ($($name:ident),+ $(,)?) => { $(
        /// Words of the vocabulary of the same name.
        pub(crate) struct $name;
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = domain::entity::$name::ALL.iter().map(|w| w.as_str());
                RefOr::T(Schema::Object(
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build(),
                ))
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> { Cow::Borrowed(stringify!($name)) }
        }
    )+ };
}

texts! {
    /// RFC 3339 in UTC with milliseconds.
    Instant = |b| b.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples(["2026-11-23T15:00:00.000Z"]);
    /// A local date.
    Day = |b| b.format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).examples(["2026-11-30"]);
    /// E.164 with `+`.
    Phone = |b| b.pattern(Some(r"^\+[0-9]{7,15}$")).examples(["+525512345678"]);
    /// ISO 4217.
    Currency = |b| b.pattern(Some("^[A-Z]{3}$")).examples(["MXN"]);
    /// What the law said.
    Clearance = |b| b.enum_values(Some(["allow", "allow_agent_only", "defer", "deny"]));
}

words! {
    AmdAction, AmdMode, AttemptState, CallResult, CampaignStatus, Channel, CheckPoint, CreditorKind, DebtStatus,
    DebtorKind, DialMode, Direction, DropAction, HoldKind, InboundOutcome, HoldScope, Language, PartyRole, PaymentChannel,
    PointClass, PromiseState, RecordMode, RecordingOutcome, Role, SuppressionKind, WrapupMode,
    BatchState, ExcuseKind, InstalmentState, LetterLevel, PlanState, Stage, VisitOutcome, VisitState, ClaimState,
    InboxState, MessagePurpose, MessageState, PlannedState, StepAction, StrategyStatus, StrategyTrigger, Tone,
    AgentCountBasis, AssignmentTarget, CallbackScope, CallerPick, CampaignZones, LadderKey, NextAgent, RefillMode,
    BlockReason, ComplaintState, PreferenceKind, VersionState, LegKind, TransferKind, TransferMode, TransferOutcome,
}

/// Structs that only describe: `shape! { Name { field: Type, … } }`.
macro_rules! shape {
    ($($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty),+ $(,)? })+) => { $(
        $(#[$meta])*
        #[derive(utoipa::ToSchema)]
        #[expect(dead_code, reason = "a shape for the document")]
        pub(crate) struct $name { $($(#[$fmeta])* $field: $ty),+ }
    )+ };
}
