//! The nouns of the product, one file a family. Fields are plain data; behaviour that needs more
//! than one entity lives in the rule modules.

pub mod address;
pub mod assignment;
pub mod attempt;
pub mod campaign;
pub mod campaign_choice;
pub mod campaign_version;
pub mod circumstances;
pub mod claim;
pub mod client;
pub mod complaint;
pub mod debt;
pub mod debt_mark;
pub mod debtor;
pub mod dnc;
pub mod goal;
pub mod hold;
mod import;
pub mod inbound;
pub mod interest;
pub mod keep;
pub mod ledger;
pub mod letter;
mod lines_cap;
pub mod message;
pub mod money_in;
pub mod payment;
pub mod people;
pub mod plan;
pub mod preference;
pub mod recovery;
pub mod relaxed;
pub mod schedule;
pub mod script;
pub mod segment;
pub mod spell;
pub mod strategy;
pub mod template;
pub mod template_text;
pub mod terms;
pub mod trail;
pub mod trunk;
pub mod verdict;
pub mod visit;
pub mod voicemail;

pub use address::{ADDRESSES_MAX, Address};
pub use assignment::{Assignment, AssignmentRule, AssignmentTarget};
pub use attempt::{Attempt, AttemptState, Call, CallResult, Recording, RecordingOutcome};
pub use campaign::{
    AgentCountBasis, AmdAction, AmdMode, CallbackScope, Campaign, CampaignParams, CampaignStatus,
    DialMode, DropAction, LadderKey, MixPart, NextAgent, RecordMode, RefillMode, RetryOverride,
    WrapupMode,
};
pub use campaign_choice::{CallerPick, CampaignZones};
pub use campaign_version::{CampaignVersion, VersionState};
pub use circumstances::{AbandonSeen, CallerSeen, Circumstances, ClockSeen, OverrideSeen};
pub use claim::{Claim, ClaimState};
pub use client::{Client, CreditorKind, Portfolio};
pub use complaint::{Complaint, ComplaintState};
pub use debt::{DEBT_ITEMS_MAX, Debt, DebtItem, DebtStatus, ITEM_REFERENCE_CHARS};
pub use debt_mark::{Bucket, DebtMark, HOLDS_ON, PastDays};
pub use debtor::{
    Channel, Consent, ContactPoint, Debtor, DebtorKind, Language, Party, PartyRole, PointClass,
};
pub use dnc::{DncList, ListState};
pub use goal::{Goal, GoalKind};
pub use hold::{Hold, HoldKind, HoldScope, Suppression, SuppressionKind};
pub use import::{
    GonePolicy, Import, ImportKind, ImportMap, ImportState, Merge, Placement, import_map_id,
};
pub use inbound::{AgentlessParams, Direction, InboundCall, InboundOutcome, InboundParams};
pub use interest::{Accrual, CAP_BP_MAX, GRACE_DAYS_MAX, InterestRule, RATE_BP_MAX};
pub use keep::{RecordingKeep, RecordingPlace, RetentionClass};
pub use ledger::{LedgerKind, LedgerRow};
pub use letter::{BatchState, Letter, LetterBatch, LetterLevel, LetterTemplate};
pub use lines_cap::whole_lines;
pub use message::{InboxMessage, InboxState, Message, MessagePurpose, MessageState};
pub use money_in::{Payment, PaymentChannel, Promise, PromiseState};
pub use payment::{
    BANK_READER_GONE_MS, BankFile, BankFileState, Forgiven, LINK_TRIES_MAX, LinkState, MoneyPolicy,
    OTHER_AMOUNT, PartOrder, Parts, PaymentLink, PaymentParts, Receipt, ReceiptSource,
    ReceiptState, SpreadRule,
};
pub use people::{Agent, Role, Team, User};
pub use plan::{Instalment, InstalmentState, Plan, PlanFile, PlanState};
pub use preference::{Preference, PreferenceKind};
pub use recovery::RecoverySum;
pub use relaxed::{Override, RELAX_RIGHT};
pub use schedule::{CampaignSchedule, ClosedDay, DAYS_OFF_MAX, DayHours, SCHEDULE_LINES_MAX};
pub use script::{Disposition, Objection, Script, ScriptStep};
pub use segment::Segment;
pub use spell::AgentSpell;
pub use strategy::{
    PlannedState, PlannedStep, StepAction, Strategy, StrategyStatus, StrategyStep, StrategyTrigger,
};
pub use template::CampaignTemplate;
pub use template_text::{TextTemplate, Tone};
pub use terms::{DebtStage, Evidence, EvidenceHeld, Excuse, ExcuseKind, PolicyVersion, Stage};
pub use trail::{
    CallTrail, LegKind, LegQuality, SipStep, Transfer, TransferKind, TransferMode, TransferOutcome,
};
pub use trunk::{CallerId, Trunk};
pub use verdict::{
    BlockReason, CheckPoint, CounterCheck, Decision, DecisionRecord, LeftOut, PackRef, RuleHit,
    Started, Verdict, ZoneEvidence,
};
pub use visit::{VISIT_AHEAD_DAYS, VISIT_SLACK_MS, Visit, VisitOutcome, VisitState};
pub use voicemail::{VoicemailPart, VoicemailTemplate};
