//! Plain entities.

use super::SqlStore;
use super::events::append;
use super::{interest, sums};
use crate::rows::Entity;
use crate::sql::{Cell, Field, Val, vals};
use async_trait::async_trait;
use domain::entity::{
    Agent, AssignmentRule, Call, CallerId, Campaign, CampaignTemplate, CampaignVersion, Client,
    Complaint, Consent, ContactPoint, Debt, Debtor, Disposition, DncList, Hold, Override, Party,
    Payment, Portfolio, Preference, Promise, Recording, Script, Segment, Suppression, Team, Trunk,
    User,
};
use domain::event::{Event, NewEvent};
use domain::ids::{
    AgentId, AssignmentRuleId, CallId, CallerIdId, CampaignId, CampaignTemplateId,
    CampaignVersionId, ClientId, ComplaintId, ConsentId, DebtId, DebtorId, DncListId, HoldId,
    OverrideId, PartyId, PaymentId, PointId, PortfolioId, PreferenceId, PromiseId, RecordingId,
    ScriptId, SegmentId, SuppressionId, TeamId, TrunkId, UserId,
};
use domain::ports::store::{
    CatalogStore, ListFilter, PAGE_LIMIT_MAX, Page, PageRequest, StoreError,
};
use domain::time::UtcMs;
use std::str::FromStr;
use uuid::Uuid;

/// Columns a list may be narrowed by, with the wanted values.
fn wanted(filter: &ListFilter) -> [(&'static str, Option<Uuid>); 6] {
    [
        ("client_id", filter.client_id.map(Uuid::from)),
        ("portfolio_id", filter.portfolio_id.map(Uuid::from)),
        ("debtor_id", filter.debtor_id.map(Uuid::from)),
        ("debt_id", filter.debt_id.map(Uuid::from)),
        ("attempt_id", filter.attempt_id.map(Uuid::from)),
        ("campaign_id", filter.campaign_id.map(Uuid::from)),
    ]
}

/// Conditions and values of a filter; what the entity does not have is ignored. A client is narrowed
/// by its own id.
pub(super) fn narrowed<T: Entity>(filter: &ListFilter) -> (Vec<String>, Vec<Val>) {
    let (mut terms, mut values) = (Vec::new(), Vec::new());
    for (name, value) in wanted(filter) {
        let column = match name {
            "client_id" if T::TABLE == Client::TABLE => "id",
            name if T::COLUMNS.contains(&name) && narrows::<T>(name) => name,
            _ => continue,
        };
        let Some(value) = value else { continue };
        values.extend(vals![value]);
        let place = values.len();
        terms.push(if T::OPEN_ENDED.contains(&column) {
            format!("({column}=${place} OR {column} IS NULL)")
        } else {
            format!("{column}=${place}")
        });
    }
    (terms, values)
}

/// A hold's debt is a detail of it, a promise's attempt too; both are listed by their debtor.
fn narrows<T: Entity>(column: &str) -> bool {
    !matches!(
        (T::TABLE, column),
        ("holds", "debt_id") | ("promises", "attempt_id")
    ) && (column != "campaign_id" || T::TABLE == "campaign_versions")
}

impl SqlStore {
    async fn get_row<T: Entity>(&self, key: impl Field) -> Result<T, StoreError> {
        self.read().await?.get(key).await
    }

    pub(super) async fn list_rows<T: Entity, K: FromStr + Cell<Raw = Uuid>>(
        &self,
        (mut terms, mut values): (Vec<String>, Vec<Val>),
        request: &PageRequest,
        key: impl Fn(&T) -> String,
    ) -> Result<Page<T>, StoreError> {
        if let Some(text) = &request.cursor {
            let after: K = text.parse().map_err(|_| StoreError::NotFound("cursor"))?;
            values.extend(vals![after]);
            terms.push(format!("id>${}", values.len()));
        }
        let limit = request.limit.clamp(1, PAGE_LIMIT_MAX);
        values.extend(vals![limit + 1]);
        let terms = if terms.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", terms.join(" AND "))
        };
        let rest = format!("{terms} ORDER BY id LIMIT ${}", values.len());
        let mut items: Vec<T> = self.read().await?.all(&rest, values).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(key);
        Ok(Page { items, next_cursor })
    }

    async fn put_row<T: Entity>(&self, row: &T, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        if let Some(person) = row.person() {
            sums::ensure_persons(&mut tx, &[person]).await?;
            let debtor = row.touches().map(|debtor| (debtor, person));
            sums::before_persons(&mut tx, debtor.into_iter()).await?;
        }
        match row.as_debt() {
            Some(debt) => interest::put_carried(&mut tx, debt).await?,
            None => tx.put(row).await?,
        }
        if let Some(debtor) = row.touches() {
            sums::follow_person(&mut tx, &[debtor]).await?;
            sums::refresh(&mut tx, &[debtor]).await?;
            sums::money(&mut tx, &[debtor]).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        match row.retires() {
            Some(list) => self.let_go(&[list]).await,
            None => Ok(()),
        }
    }
}

macro_rules! sql_catalog {
    ($( $entity:ident($id:ty): $get:ident, $list:ident, $put:ident; )+) => {
        #[async_trait]
        impl CatalogStore for SqlStore {
            $(
                async fn $get(&self, id: $id) -> Result<$entity, StoreError> {
                    self.get_row(id).await
                }
                async fn $list(&self, filter: &ListFilter, request: &PageRequest) -> Result<Page<$entity>, StoreError> {
                    let terms = narrowed::<$entity>(filter);
                    self.list_rows::<$entity, $id>(terms, request, |row| row.id.to_string()).await
                }
                async fn $put(&self, row: &$entity, events: &[NewEvent]) -> Result<(), StoreError> {
                    self.put_row(row, events).await
                }
            )+
            async fn get_disposition(&self, code: &str) -> Result<Disposition, StoreError> {
                self.get_row(code.to_owned()).await
            }
            async fn list_dispositions(&self) -> Result<Vec<Disposition>, StoreError> {
                self.read().await?.all("ORDER BY code", vec![]).await
            }
            async fn put_disposition(&self, row: &Disposition) -> Result<(), StoreError> {
                self.put_row(row, &[]).await
            }
            async fn trunk_by_name(&self, name: &str) -> Result<Option<Trunk>, StoreError> {
                self.read().await?.find("WHERE name=$1", vals![name.to_owned()]).await
            }
            async fn append_events(&self, events: &[NewEvent]) -> Result<(), StoreError> {
                self.append_alone(events).await
            }
            async fn events_after(&self, cursor: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
                self.after(cursor, limit).await
            }
            async fn last_cursor(&self) -> Result<i64, StoreError> {
                self.newest_cursor().await
            }
            async fn outbox_pending(&self, limit: u32) -> Result<Vec<Event>, StoreError> {
                self.pending(limit).await
            }
            async fn outbox_done(&self, cursors: &[i64], _at: UtcMs) -> Result<(), StoreError> {
                self.handed_over(cursors).await
            }
        }
    };
}

sql_catalog! {
    Client(ClientId): get_client, list_clients, put_client;
    Portfolio(PortfolioId): get_portfolio, list_portfolios, put_portfolio;
    Debtor(DebtorId): get_debtor, list_debtors, put_debtor;
    Debt(DebtId): get_debt, list_debts, put_debt;
    Party(PartyId): get_party, list_parties, put_party;
    ContactPoint(PointId): get_point, list_points, put_point;
    Consent(ConsentId): get_consent, list_consents, put_consent;
    Override(OverrideId): get_override, list_overrides, put_override;
    Hold(HoldId): get_hold, list_holds, put_hold;
    Suppression(SuppressionId): get_suppression, list_suppressions, put_suppression;
    Segment(SegmentId): get_segment, list_segments, put_segment;
    Campaign(CampaignId): get_campaign, list_campaigns, put_campaign;
    Script(ScriptId): get_script, list_scripts, put_script;
    User(UserId): get_user, list_users, put_user;
    Team(TeamId): get_team, list_teams, put_team;
    Agent(AgentId): get_agent, list_agents, put_agent;
    Trunk(TrunkId): get_trunk, list_trunks, put_trunk;
    CallerId(CallerIdId): get_caller_id, list_caller_ids, put_caller_id;
    Call(CallId): get_call, list_calls, put_call;
    Recording(RecordingId): get_recording, list_recordings, put_recording;
    Promise(PromiseId): get_promise, list_promises, put_promise;
    Payment(PaymentId): get_payment, list_payments, put_payment;
    Preference(PreferenceId): get_preference, list_preferences, put_preference;
    DncList(DncListId): get_dnc_list, list_dnc_lists, put_dnc_list;
    Complaint(ComplaintId): get_complaint, list_complaints, put_complaint;
    CampaignVersion(CampaignVersionId): get_campaign_version, list_campaign_versions, put_campaign_version;
    CampaignTemplate(CampaignTemplateId): get_campaign_template, list_campaign_templates, put_campaign_template;
    AssignmentRule(AssignmentRuleId): get_assignment_rule, list_assignment_rules, put_assignment_rule;
}
