//! Plain entities: get, list by page, put.

use super::StoreError;
use crate::entity::{
    Agent, AssignmentRule, Call, CallerId, Campaign, CampaignTemplate, CampaignVersion, Client,
    Complaint, Consent, ContactPoint, Debt, Debtor, Disposition, DncList, Hold, Override, Party,
    Payment, Portfolio, Preference, Promise, Recording, Script, Segment, Suppression, Team, Trunk,
    User,
};
use crate::event::{Event, NewEvent};
use crate::ids::{
    AgentId, AssignmentRuleId, AttemptId, CallId, CallerIdId, CampaignId, CampaignTemplateId,
    CampaignVersionId, ClientId, ComplaintId, ConsentId, DebtId, DebtorId, DncListId, HoldId,
    OverrideId, PartyId, PaymentId, PointId, PortfolioId, PreferenceId, PromiseId, RecordingId,
    ScriptId, SegmentId, SuppressionId, TeamId, TrunkId, UserId,
};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Most rows a page may have.
pub const PAGE_LIMIT_MAX: u32 = 500;

/// Which page. The cursor is opaque to callers: it is what the last page gave.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Rows wanted, 1..=`PAGE_LIMIT_MAX`.
    pub limit: u32,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page, ordered by id (UUIDv7: by age; `code` for dispositions).
#[derive(Debug, Clone, serde::Serialize)]
pub struct Page<T> {
    /// Rows.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

/// Narrows a list. A field that the entity does not have is ignored.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Only this client's rows.
    pub client_id: Option<ClientId>,
    /// Only this portfolio's rows.
    pub portfolio_id: Option<PortfolioId>,
    /// Only this debtor's rows.
    pub debtor_id: Option<DebtorId>,
    /// Only this debt's rows.
    pub debt_id: Option<DebtId>,
    /// Only this campaign's rows.
    pub campaign_id: Option<CampaignId>,
    /// Only this attempt's rows.
    pub attempt_id: Option<AttemptId>,
}

macro_rules! catalog {
    ($( $(#[$doc:meta])* $entity:ident($id:ty): $get:ident, $list:ident, $put:ident; )+) => {
        /// Get, list and put of plain entities. `put` inserts or replaces the whole row by id and
        /// appends `events` in the same transaction. Errors: `NotFound` (get), `Conflict` (a unique
        /// name or reference is taken), `Unavailable`.
        #[async_trait]
        pub trait CatalogStore: Send + Sync {
            $(
                $(#[$doc])*
                async fn $get(&self, id: $id) -> Result<$entity, StoreError>;
                /// A page of them.
                async fn $list(&self, filter: &ListFilter, page: &PageRequest) -> Result<Page<$entity>, StoreError>;
                /// Inserts or replaces one.
                async fn $put(&self, row: &$entity, events: &[NewEvent]) -> Result<(), StoreError>;
            )+
            /// A disposition by code.
            async fn get_disposition(&self, code: &str) -> Result<Disposition, StoreError>;
            /// All dispositions (a small closed tree).
            async fn list_dispositions(&self) -> Result<Vec<Disposition>, StoreError>;
            /// Inserts or replaces a disposition.
            async fn put_disposition(&self, row: &Disposition) -> Result<(), StoreError>;
            /// A trunk by its configuration name.
            async fn trunk_by_name(&self, name: &str) -> Result<Option<Trunk>, StoreError>;
            /// Appends events alone.
            async fn append_events(&self, events: &[NewEvent]) -> Result<(), StoreError>;
            /// Stored events after `cursor`, oldest first.
            async fn events_after(&self, cursor: i64, limit: u32) -> Result<Vec<Event>, StoreError>;
            /// Cursor of the newest event, 0 when there is none.
            async fn last_cursor(&self) -> Result<i64, StoreError>;
            /// Outbox: events not yet handed to the bus, oldest first.
            async fn outbox_pending(&self, limit: u32) -> Result<Vec<Event>, StoreError>;
            /// Outbox: marks events up to and including `cursor` as handed over.
            async fn outbox_done(&self, cursors: &[i64], at: UtcMs) -> Result<(), StoreError>;
        }
    };
}

catalog! {
    /// A client.
    Client(ClientId): get_client, list_clients, put_client;
    /// A portfolio.
    Portfolio(PortfolioId): get_portfolio, list_portfolios, put_portfolio;
    /// A debtor.
    Debtor(DebtorId): get_debtor, list_debtors, put_debtor;
    /// A debt.
    Debt(DebtId): get_debt, list_debts, put_debt;
    /// A party.
    Party(PartyId): get_party, list_parties, put_party;
    /// A contact point.
    ContactPoint(PointId): get_point, list_points, put_point;
    /// A consent.
    Consent(ConsentId): get_consent, list_consents, put_consent;
    /// A presumption relaxed for a debtor.
    Override(OverrideId): get_override, list_overrides, put_override;
    /// A hold.
    Hold(HoldId): get_hold, list_holds, put_hold;
    /// A suppression.
    Suppression(SuppressionId): get_suppression, list_suppressions, put_suppression;
    /// A segment.
    Segment(SegmentId): get_segment, list_segments, put_segment;
    /// A campaign.
    Campaign(CampaignId): get_campaign, list_campaigns, put_campaign;
    /// A script.
    Script(ScriptId): get_script, list_scripts, put_script;
    /// A user.
    User(UserId): get_user, list_users, put_user;
    /// A team.
    Team(TeamId): get_team, list_teams, put_team;
    /// An agent.
    Agent(AgentId): get_agent, list_agents, put_agent;
    /// A trunk.
    Trunk(TrunkId): get_trunk, list_trunks, put_trunk;
    /// A caller id.
    CallerId(CallerIdId): get_caller_id, list_caller_ids, put_caller_id;
    /// A call.
    Call(CallId): get_call, list_calls, put_call;
    /// A recording.
    Recording(RecordingId): get_recording, list_recordings, put_recording;
    /// A promise (made by `MoneyStore::record_promise`; put replaces, for tests and cancels).
    Promise(PromiseId): get_promise, list_promises, put_promise;
    /// A preference or mark of a debtor.
    Preference(PreferenceId): get_preference, list_preferences, put_preference;
    /// An external list (loaded by `LawStore::load_list`).
    DncList(DncListId): get_dnc_list, list_dnc_lists, put_dnc_list;
    /// A complaint.
    Complaint(ComplaintId): get_complaint, list_complaints, put_complaint;
    /// A version of a campaign's settings.
    CampaignVersion(CampaignVersionId): get_campaign_version, list_campaign_versions, put_campaign_version;
    /// A template of campaigns.
    CampaignTemplate(CampaignTemplateId): get_campaign_template, list_campaign_templates, put_campaign_template;
    /// A rule of assignment.
    AssignmentRule(AssignmentRuleId): get_assignment_rule, list_assignment_rules, put_assignment_rule;
    /// A payment (made by `MoneyStore::post_payment`).
    Payment(PaymentId): get_payment, list_payments, put_payment;
}
