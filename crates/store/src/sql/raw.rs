//! Values going in, rows coming out, and how the domain's types are kept.

use super::direct_row::{CellRow, Kept};
use super::fault;
use domain::entity::{CampaignParams, Objection, ScriptStep};
use domain::ids::{AgentId, CampaignId, DebtId};
use domain::money::Currency;
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::time::UtcMs;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};
use uuid::Uuid;

/// One bound value; a null still has its type, because PostgreSQL asks for it.
#[derive(Debug, Clone)]
pub(crate) enum Val {
    Int(Option<i64>),
    Text(Option<String>),
    Uuid(Option<Uuid>),
    Bool(Option<bool>),
}

/// The four types that both engines store.
pub(crate) trait Raw:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
    fn val(value: Option<Self>) -> Val;
    /// From a cell that is not null; `None` when it is of another kind.
    fn cell(cell: Kept<'_>) -> Option<Self>;
    /// From a value that is not null, as PostgreSQL writes it into JSON.
    fn json(value: &serde_json::Value) -> Option<Self>;
}
macro_rules! raw {
    ($($kind:ty => $val:ident, $cell:expr, $json:expr);+ $(;)?) => { $( impl Raw for $kind {
        fn val(value: Option<Self>) -> Val { Val::$val(value) }
        fn cell(cell: Kept<'_>) -> Option<Self> {
            let read: fn(Kept<'_>) -> Option<Self> = $cell;
            read(cell)
        }
        fn json(value: &serde_json::Value) -> Option<Self> {
            let read: fn(&serde_json::Value) -> Option<Self> = $json;
            read(value)
        }
    } )+ };
}
raw!(
    i64 => Int, |c| match c { Kept::Int(n) => Some(n), _ => None }, serde_json::Value::as_i64;
    String => Text, |c| match c { Kept::Text(t) => Some(t.to_owned()), _ => None },
        |v| v.as_str().map(str::to_owned);
    Uuid => Uuid, |c| match c { Kept::Id(b) => Some(Uuid::from_bytes(b)), _ => None },
        |v| v.as_str().and_then(|text| Uuid::try_parse(text).ok());
    bool => Bool, |c| match c { Kept::Int(n) => Some(n != 0), _ => None }, serde_json::Value::as_bool;
);

/// A row of either engine.
pub(crate) enum Row {
    Lite(SqliteRow),
    Direct(CellRow),
    Pg(PgRow),
    /// Of several questions in one statement of PostgreSQL's.
    Json(serde_json::Map<String, serde_json::Value>),
}

impl Row {
    fn raw<T: Raw>(&self, column: &str) -> Result<Option<T>, StoreError> {
        match self {
            Self::Direct(row) => return direct(row, column),
            Self::Json(row) => return of_json(row, column),
            Self::Lite(row) => row.try_get::<Option<T>, _>(column),
            Self::Pg(row) => row.try_get::<Option<T>, _>(column),
        }
        .map_err(|e| fault(&e))
    }

    /// The value of a column.
    pub(crate) fn get<T: Field>(&self, column: &str) -> Result<T, StoreError> {
        T::read(self, column)
    }
}

fn direct<T: Raw>(row: &CellRow, column: &str) -> Result<Option<T>, StoreError> {
    match row.cell(column)? {
        Kept::Null => Ok(None),
        cell => T::cell(cell)
            .map(Some)
            .ok_or_else(|| StoreError::Corrupt(format!("column {column} holds a {}", cell.kind()))),
    }
}

fn of_json<T: Raw>(
    row: &serde_json::Map<String, serde_json::Value>,
    column: &str,
) -> Result<Option<T>, StoreError> {
    match row.get(column) {
        None => Err(StoreError::Corrupt(format!("no column {column}"))),
        Some(serde_json::Value::Null) => Ok(None),
        Some(value) => T::json(value)
            .map(Some)
            .ok_or_else(|| StoreError::Corrupt(format!("column {column} holds another kind"))),
    }
}

/// A type kept in one column that is never null.
pub(crate) trait Cell: Sized {
    type Raw: Raw;
    fn to_raw(&self) -> Self::Raw;
    fn from_raw(raw: Self::Raw) -> Result<Self, StoreError>;
}

/// A type kept in one column, null or not.
pub(crate) trait Field: Sized {
    fn val(&self) -> Val;
    fn read(row: &Row, column: &str) -> Result<Self, StoreError>;
}

impl<T: Cell> Field for T {
    fn val(&self) -> Val {
        T::Raw::val(Some(self.to_raw()))
    }
    fn read(row: &Row, column: &str) -> Result<Self, StoreError> {
        let raw = row
            .raw::<T::Raw>(column)?
            .ok_or_else(|| StoreError::Corrupt(format!("column {column} is null")))?;
        T::from_raw(raw)
    }
}

impl<T: Cell> Field for Option<T> {
    fn val(&self) -> Val {
        T::Raw::val(self.as_ref().map(Cell::to_raw))
    }
    fn read(row: &Row, column: &str) -> Result<Self, StoreError> {
        row.raw::<T::Raw>(column)?.map(T::from_raw).transpose()
    }
}

macro_rules! plain_cells {
    ($($kind:ty),+) => { $( impl Cell for $kind {
        type Raw = $kind;
        fn to_raw(&self) -> $kind { self.clone() }
        fn from_raw(raw: $kind) -> Result<Self, StoreError> { Ok(raw) }
    } )+ };
}
plain_cells!(i64, String, Uuid, bool);

macro_rules! small_int_cells {
    ($($kind:ty),+) => { $( impl Cell for $kind {
        type Raw = i64;
        fn to_raw(&self) -> i64 { i64::from(*self) }
        fn from_raw(raw: i64) -> Result<Self, StoreError> {
            Self::try_from(raw).map_err(|_| StoreError::Corrupt(format!("{raw} is too large")))
        }
    } )+ };
}
small_int_cells!(i32, u32, u16);

impl Cell for UtcMs {
    type Raw = i64;
    fn to_raw(&self) -> i64 {
        self.0
    }
    fn from_raw(raw: i64) -> Result<Self, StoreError> {
        Ok(Self(raw))
    }
}

impl Cell for Pii<String> {
    type Raw = String;
    fn to_raw(&self) -> String {
        self.0.clone()
    }
    fn from_raw(raw: String) -> Result<Self, StoreError> {
        Ok(Self(raw))
    }
}

macro_rules! id_cells {
    ($($kind:ident),+ $(,)?) => { $( impl Cell for domain::ids::$kind {
        type Raw = Uuid;
        fn to_raw(&self) -> Uuid {
            self.0
        }
        fn from_raw(raw: Uuid) -> Result<Self, StoreError> {
            Ok(Self(raw))
        }
    } )+ };
}
id_cells!(
    ClientId,
    PortfolioId,
    ImportId,
    DebtorId,
    PersonId,
    DebtId,
    PartyId,
    PointId,
    ConsentId,
    HoldId,
    OverrideId,
    SuppressionId,
    SegmentId,
    CampaignId,
    ScriptId,
    UserId,
    AgentId,
    TeamId,
    AttemptId,
    VerdictId,
    LedgerId,
    TrunkId,
    CallerIdId,
    CallId,
    RecordingId,
    TransferId,
    PromiseId,
    PaymentId,
    ReceiptId,
    PaymentLinkId,
    BankFileId,
    EventId,
    ApiKeyId,
    SessionId,
    PreferenceId,
    DncListId,
    ComplaintId,
    CampaignVersionId,
    ImportMapId,
    MergeId,
    PlacementId,
    CampaignTemplateId,
    AssignmentRuleId,
    GoalId,
    InterestRuleId,
    AddressId,
    MessageId,
    InboxId,
    TextTemplateId,
    StrategyId,
    PlannedStepId,
    PlanId,
    InstalmentId,
    PolicyId,
    LetterTemplateId,
    LetterId,
    LetterBatchId,
    ExcuseId,
    VoicemailId,
    VisitId,
    ClaimId,
);

/// Types whose text form is what is stored.
macro_rules! text_cells {
    ($($kind:ty),+ $(,)?) => { $( impl Cell for $kind {
        type Raw = String;
        fn to_raw(&self) -> String { self.as_str().to_owned() }
        fn from_raw(raw: String) -> Result<Self, StoreError> {
            raw.parse().map_err(|e| StoreError::Corrupt(format!("{e}")))
        }
    } )+ };
}
text_cells!(
    Currency,
    domain::entity::AssignmentTarget,
    domain::entity::AttemptState,
    domain::entity::BatchState,
    domain::entity::BlockReason,
    domain::entity::CallResult,
    domain::entity::CampaignStatus,
    domain::entity::Channel,
    domain::entity::CheckPoint,
    domain::entity::ComplaintState,
    domain::entity::CreditorKind,
    domain::entity::DebtStatus,
    domain::entity::DebtorKind,
    domain::entity::DialMode,
    domain::entity::Direction,
    domain::entity::HoldKind,
    domain::entity::HoldScope,
    domain::entity::ExcuseKind,
    domain::entity::GoalKind,
    domain::entity::GonePolicy,
    domain::entity::ImportKind,
    domain::entity::ImportState,
    domain::entity::InstalmentState,
    domain::entity::InboundOutcome,
    domain::entity::Language,
    domain::entity::LedgerKind,
    domain::entity::InboxState,
    domain::entity::MessagePurpose,
    domain::entity::MessageState,
    domain::entity::PlannedState,
    domain::entity::StepAction,
    domain::entity::StrategyStatus,
    domain::entity::StrategyTrigger,
    domain::entity::Tone,
    domain::entity::LetterLevel,
    domain::entity::VisitOutcome,
    domain::entity::VisitState,
    domain::entity::ClaimState,
    domain::entity::PartyRole,
    domain::entity::PaymentChannel,
    domain::entity::BankFileState,
    domain::entity::LinkState,
    domain::entity::PartOrder,
    domain::entity::ReceiptSource,
    domain::entity::ReceiptState,
    domain::entity::SpreadRule,
    domain::entity::PlanState,
    domain::entity::PointClass,
    domain::entity::PreferenceKind,
    domain::entity::PromiseState,
    domain::entity::RecordingOutcome,
    domain::entity::RecordingPlace,
    domain::entity::RetentionClass,
    domain::entity::Role,
    domain::entity::Stage,
    domain::entity::SuppressionKind,
    domain::rules::agent_state::AgentState,
    domain::entity::TransferKind,
    domain::entity::TransferMode,
    domain::entity::TransferOutcome,
    domain::entity::VersionState,
    domain::rules::detector::Acted,
    domain::rules::detector::Truth,
);

/// Lists and parameters that no statement looks into.
macro_rules! json_cells {
    ($($kind:ty),+ $(,)?) => { $( impl Cell for $kind {
        type Raw = String;
        fn to_raw(&self) -> String { serde_json::to_string(self).unwrap_or_default() }
        fn from_raw(raw: String) -> Result<Self, StoreError> {
            serde_json::from_str(&raw).map_err(|e| StoreError::Corrupt(e.to_string()))
        }
    } )+ };
}
json_cells!(
    Vec<DebtId>,
    Vec<CampaignId>,
    Vec<AgentId>,
    Vec<String>,
    Vec<ScriptStep>,
    Vec<Objection>,
    Vec<domain::entity::StrategyStep>,
    Vec<domain::entity::VoicemailPart>,
    Vec<(i64, i64, String)>,
    CampaignParams,
    domain::rules::offers::ClientTerms,
    domain::law::ContractTerms,
    domain::entity::Verdict,
    domain::entity::CallTrail,
    serde_json::Value,
    domain::ports::store::ImportReport,
    Vec<domain::ports::store::RowFault>,
    std::collections::BTreeMap<String, Vec<Uuid>>,
);
