//! The nouns of the product, one file a family. Fields are plain data; behaviour that needs more
//! than one entity lives in the rule modules.

pub mod assignment;
pub mod attempt;
pub mod campaign;
pub mod campaign_version;
pub mod client;
pub mod complaint;
pub mod debt;
pub mod debtor;
pub mod dnc;
pub mod hold;
mod import;
pub mod keep;
pub mod ledger;
pub mod money_in;
pub mod people;
pub mod preference;
pub mod script;
pub mod segment;
pub mod template;
pub mod trail;
pub mod trunk;
pub mod verdict;

pub use assignment::{Assignment, AssignmentRule, AssignmentTarget};
pub use attempt::{Attempt, AttemptState, Call, CallResult, Recording, RecordingOutcome};
pub use campaign::{
    AmdMode, CallbackScope, Campaign, CampaignParams, CampaignStatus, DialMode, DropAction,
    LadderKey, MixPart, RecordMode, RefillMode, RetryOverride, WrapupMode,
};
pub use campaign_version::{CampaignVersion, VersionState};
pub use client::{Client, CreditorKind, Portfolio};
pub use complaint::{Complaint, ComplaintState};
pub use debt::{Debt, DebtStatus};
pub use debtor::{
    Channel, Consent, ContactPoint, Debtor, DebtorKind, Language, Party, PartyRole, PointClass,
};
pub use dnc::{DncList, ListState};
pub use hold::{Hold, HoldKind, HoldScope, Suppression, SuppressionKind};
pub use import::{GonePolicy, Import, ImportMap, ImportState, Merge, Placement, import_map_id};
pub use keep::{RecordingKeep, RecordingPlace, RetentionClass};
pub use ledger::{LedgerKind, LedgerRow};
pub use money_in::{Payment, PaymentChannel, Promise, PromiseState};
pub use people::{Agent, Role, Team, User};
pub use preference::{Preference, PreferenceKind};
pub use script::{Disposition, Script, ScriptStep};
pub use segment::Segment;
pub use template::CampaignTemplate;
pub use trail::{
    CallTrail, LegKind, LegQuality, SipStep, Transfer, TransferKind, TransferMode, TransferOutcome,
};
pub use trunk::{CallerId, Trunk};
pub use verdict::{
    BlockReason, CheckPoint, CounterCheck, Decision, DecisionRecord, LeftOut, PackRef, RuleHit,
    Verdict, ZoneEvidence,
};
