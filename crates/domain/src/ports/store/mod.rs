//! The store: one method = one transaction, taking the events to append with it.
//!
//! The trait is the sum of small ones so that each can be read alone; `sim` holds the readable
//! in-memory specification, `store` the SQL.

mod addresses;
mod attempts;
mod callers;
mod catalog;
mod changes;
mod claims;
mod contacts;
mod departures;
mod detector;
mod due_items;
mod floor;
mod imports;
mod inbound;
mod interest;
mod keeps;
mod law;
mod messages;
mod money;
mod nodes;
mod people;
mod plans;
mod portfolio;
mod receipts;
mod reports;
mod row_facts;
mod sounds;
mod stages;
mod strategies;
mod trail;
mod visits;

pub use addresses::AddressStore;
pub use attempts::{
    AnswerSlot, AttemptChange, AttemptFilter, AttemptStore, Closing, OpenDraft, OpenOutcome,
    PAST_SLOT_MS, PastAttempts, PastCall, PastCount, PastTimes, ShortCount,
};
pub use callers::{CallerStore, FoundCaller, NAME_LEAST, PLACES_READ_MAX, PlaceKept};
pub use catalog::{CatalogStore, ListFilter, PAGE_LIMIT_MAX, Page, PageRequest};
pub use changes::{debt_changes, debtor_changes, point_changes};
pub use claims::{CLAIM_NOT_FOUND, ClaimEnd, ClaimFilter, ClaimStore};
pub use contacts::{
    AWAITING_DISPOSITION, Candidate, ContactFacts, ContactStore, ItemCounts, ItemState,
    LEFT_SEGMENT, MAY_PASS, RETURNED, RefillReport, ReserveRequest,
};
pub use departures::{
    Departure, DepartureAsk, DepartureCount, DepartureRow, DepartureStore, STEP_LATE_MS,
};
pub use detector::{
    Corrected, DetectorStore, HeardPrint, PRINT_NUMBERS, PRINTS_MAX, SAMPLES_MAX, Sample,
    SampleAsk, Told, Turn,
};
pub use due_items::{DueItemStore, item_changes};
pub use floor::{
    CALLBACK_CANCELLED, CALLBACK_PRIORITY, CallbackAsk, CallbackRow, CallerHealth, CallerRest,
    FileTaskAsk, FileTaskCounts, FileTaskRow, FloorStore, MorningAsk, MorningRow,
};
pub use imports::{
    ASIDE_AT_ONCE, ConsentsTaken, Duplicates, IMPORT_STEP, IMPORT_TURN_MS, ImportLeft, ImportStore,
    OpenDebt, PlacementCount, UndoStep,
};
pub use inbound::{InboundAsk, InboundCount, InboundStore, KnownCaller};
pub use interest::{InterestStore, RuleRefusal};
pub use keeps::{KeepChange, KeepStore, KeepWork};
pub use law::{ActAsk, ChainLink, ComplaintAsk, LawStore, ReasonCount, ReasonKey};
pub use messages::{
    ClaimAsk, Claimed, DEBTORS_AT_MAX, GATEWAY_GONE_MS, GATEWAY_NOTE_MS, GatewayRow, Heard,
    InboxAsk, MessageAsk, MessageDraft, MessageOpened, MessageStep, MessageStore,
};
pub use money::{MoneyStore, PaymentOutcome, PromiseRefusal, PromiseTerms};
pub use nodes::{NodeLease, NodeStore, RECOVERED, Recovery, SETTINGS_MAX, rested};
pub use people::{
    ApiKey, IDEMPOTENT_CLAIM_MS, IdempotentReply, IdempotentTaken, LoginFailures, PeopleStore,
    RefreshOutcome, SessionRow,
};
pub use plans::{PLANS_OF_MAX, PlanDocument, PlanFilter, PlanRefusal, PlanStore};
pub use portfolio::{
    CHANGES_MAX, CallableMark, DebtorFile, DebtorRow, FieldChange, ImportReport, MarkClaim,
    PENDING_LOOK, PortfolioStore, RowFault, SegmentCount, SegmentEstimate, SegmentSample,
};
pub use receipts::{
    BANK_RECEIPTS_MAX, CLUE_WORDS_MAX, Clues, LinkFilter, PaymentFilter, ReceiptFilter,
    ReceiptOutcome, ReceiptStep, ReceiptStore, SHARES_MAX, SUGGESTIONS_MAX, Suggestion,
    TellPromise, WebhookNote,
};
pub use reports::{
    BrokenAsk, BrokenSums, DebtorActions, KpiPage, KpiRow, MARK_LOOK, MARK_STEP, MarkAsk, Marked,
    RecoveryAsk, ReportStore, SentCounts,
};
pub use row_facts::{DraftDebtor, RowFacts};
pub use sounds::{EarlySound, SoundStore};
pub use stages::{LetterDraft, LetterOpened, LetterStore, StageCounts, StageFilter, StageStore};
pub use strategies::{PlanAsk, PlanSource, StepAsk, StepCalled, StrategyFigures, StrategyStore};
pub use trail::{HeardCall, HeardCount, TollAsk, TollTalk, TrailStore, TrunkCount};
pub use visits::{VisitDraft, VisitEnd, VisitPlanned, VisitStore};

/// Why a store method failed. Refusals are values of each method; these are faults outside.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The row is not there (or belongs to another client).
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A uniqueness or version rule refused the write.
    #[error("conflict: {0}")]
    Conflict(String),
    /// This node's lease was taken over: it must stop writing.
    #[error("node lease lost (fenced)")]
    Fenced,
    /// The database is out of reach or slow.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A stored value cannot be read: our fault.
    #[error("stored data unreadable: {0}")]
    Corrupt(String),
}

/// Everything at rest.
pub trait Store:
    CatalogStore
    + PortfolioStore
    + ImportStore
    + ContactStore
    + AttemptStore
    + MoneyStore
    + PeopleStore
    + NodeStore
    + KeepStore
    + TrailStore
    + LawStore
    + FloorStore
    + DetectorStore
    + PlanStore
    + StageStore
    + LetterStore
    + ReportStore
    + InboundStore
    + CallerStore
    + SoundStore
    + MessageStore
    + StrategyStore
    + ReceiptStore
    + InterestStore
    + AddressStore
    + DueItemStore
    + DepartureStore
    + VisitStore
    + ClaimStore
{
}
impl<T> Store for T where
    T: CatalogStore
        + PortfolioStore
        + ImportStore
        + ContactStore
        + AttemptStore
        + MoneyStore
        + PeopleStore
        + NodeStore
        + KeepStore
        + TrailStore
        + LawStore
        + FloorStore
        + DetectorStore
        + PlanStore
        + StageStore
        + LetterStore
        + ReportStore
        + InboundStore
        + CallerStore
        + SoundStore
        + MessageStore
        + StrategyStore
        + ReceiptStore
        + InterestStore
        + AddressStore
        + DueItemStore
        + DepartureStore
        + VisitStore
        + ClaimStore
{
}
