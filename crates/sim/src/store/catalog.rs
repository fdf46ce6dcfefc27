//! Plain entities.

use super::{MemoryStore, Tables, interest};
use async_trait::async_trait;
use domain::entity::{
    Agent, AssignmentRule, Call, CallerId, Campaign, CampaignTemplate, CampaignVersion, Client,
    Complaint, Consent, ContactPoint, Debt, Debtor, Disposition, DncList, Hold, Override, Party,
    Payment, Portfolio, Preference, Promise, Recording, Script, Segment, Suppression, Team, Trunk,
    User,
};
use domain::event::{Event, NewEvent};
use domain::ids::{
    AgentId, AssignmentRuleId, AttemptId, CallId, CallerIdId, CampaignId, CampaignTemplateId,
    CampaignVersionId, ClientId, ComplaintId, ConsentId, DebtId, DebtorId, DncListId, HoldId,
    OverrideId, PartyId, PaymentId, PointId, PortfolioId, PreferenceId, PromiseId, RecordingId,
    ScriptId, SegmentId, SuppressionId, TeamId, TrunkId, UserId,
};
use domain::ports::store::{
    CatalogStore, ListFilter, PAGE_LIMIT_MAX, Page, PageRequest, StoreError,
};
use domain::time::UtcMs;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// Whether a row passes a filter: one line per entity, fields it does not have are ignored.
pub(super) trait Filtered {
    fn client(&self) -> Option<ClientId> {
        None
    }
    fn portfolio(&self) -> Option<PortfolioId> {
        None
    }
    fn debtor(&self) -> Option<DebtorId> {
        None
    }
    fn debt(&self) -> Option<DebtId> {
        None
    }
    fn attempt(&self) -> Option<AttemptId> {
        None
    }
    fn campaign(&self) -> Option<CampaignId> {
        None
    }
    fn passes(&self, f: &ListFilter) -> bool {
        fn ok<T: PartialEq>(want: Option<T>, have: Option<T>) -> bool {
            want.is_none() || have.is_none() || want == have
        }
        ok(f.client_id, self.client())
            && ok(f.portfolio_id, self.portfolio())
            && ok(f.debtor_id, self.debtor())
            && ok(f.debt_id, self.debt())
            && ok(f.attempt_id, self.attempt())
            && ok(f.campaign_id, self.campaign())
    }
}

macro_rules! filtered {
    ($($entity:ident { $($method:ident: $kind:ty = $value:expr),* })+) => { $(
        impl Filtered for $entity { $( fn $method(&self) -> Option<$kind> { let f: fn(&Self) -> Option<$kind> = $value; f(self) } )* }
    )+ };
}
filtered! {
    Client { client: ClientId = |r| Some(r.id) }
    Portfolio { client: ClientId = |r| Some(r.client_id) }
    Debtor { client: ClientId = |r| Some(r.client_id), portfolio: PortfolioId = |r| Some(r.portfolio_id) }
    Debt { client: ClientId = |r| Some(r.client_id), portfolio: PortfolioId = |r| Some(r.portfolio_id), debtor: DebtorId = |r| Some(r.debtor_id) }
    Party { debtor: DebtorId = |r| Some(r.debtor_id), debt: DebtId = |r| Some(r.debt_id) }
    ContactPoint { debtor: DebtorId = |r| Some(r.debtor_id) }
    Consent { debtor: DebtorId = |r| Some(r.debtor_id) }
    Hold { client: ClientId = |r| Some(r.client_id), debtor: DebtorId = |r| Some(r.debtor_id) }
    Override { client: ClientId = |r| Some(r.client_id), debtor: DebtorId = |r| Some(r.debtor_id) }
    Suppression { client: ClientId = |r| r.client_id, debtor: DebtorId = |r| r.debtor_id }
    Segment { client: ClientId = |r| Some(r.client_id) }
    Campaign { client: ClientId = |r| Some(r.client_id) }
    Script { client: ClientId = |r| Some(r.client_id) }
    User { client: ClientId = |r| r.client_id }
    Team {}
    Agent {}
    Trunk {}
    CallerId { client: ClientId = |r| Some(r.client_id) }
    Call { attempt: AttemptId = |r| Some(r.attempt_id) }
    Recording { client: ClientId = |r| Some(r.client_id), attempt: AttemptId = |r| Some(r.attempt_id) }
    Promise { client: ClientId = |r| Some(r.client_id), debtor: DebtorId = |r| Some(r.debtor_id), debt: DebtId = |r| Some(r.debt_id) }
    Payment { client: ClientId = |r| Some(r.client_id), debtor: DebtorId = |r| Some(r.debtor_id), debt: DebtId = |r| Some(r.debt_id) }
    Preference { debtor: DebtorId = |r| Some(r.debtor_id) }
    DncList { client: ClientId = |r| r.client_id }
    Complaint { client: ClientId = |r| Some(r.client_id), debtor: DebtorId = |r| Some(r.debtor_id) }
    CampaignVersion { client: ClientId = |r| Some(r.client_id), campaign: CampaignId = |r| Some(r.campaign_id) }
    CampaignTemplate { client: ClientId = |r| r.client_id }
    AssignmentRule { client: ClientId = |r| Some(r.client_id) }
}

fn page<K: Ord + Copy + Display + FromStr, V: Clone + Filtered>(
    table: &BTreeMap<K, V>,
    filter: &ListFilter,
    request: &PageRequest,
) -> Result<Page<V>, StoreError> {
    page_where(table, (filter, request), &|_| true)
}

/// The same of rows that fit besides.
pub(super) fn page_where<K: Ord + Copy + Display + FromStr, V: Clone + Filtered>(
    table: &BTreeMap<K, V>,
    (filter, request): (&ListFilter, &PageRequest),
    fits: &dyn Fn(&V) -> bool,
) -> Result<Page<V>, StoreError> {
    let limit = request.limit.clamp(1, PAGE_LIMIT_MAX) as usize;
    let after = match &request.cursor {
        Some(text) => Some(
            text.parse::<K>()
                .map_err(|_| StoreError::NotFound("cursor"))?,
        ),
        None => None,
    };
    let mut rows = table
        .iter()
        .filter(|(k, _)| after.is_none_or(|a| **k > a))
        .filter(|(_, v)| v.passes(filter) && fits(v));
    let mut items = Vec::new();
    let mut last = None;
    for (k, v) in rows.by_ref().take(limit) {
        items.push(v.clone());
        last = Some(*k);
    }
    let next_cursor = if rows.next().is_some() {
        last.map(|k| k.to_string())
    } else {
        None
    };
    Ok(Page { items, next_cursor })
}

/// Names that must be unique; the message says which one is taken.
fn unique(taken: bool, what: &str) -> Result<(), StoreError> {
    if taken {
        Err(StoreError::Conflict(format!("{what} is taken")))
    } else {
        Ok(())
    }
}

trait Unique: Clone {
    fn check(&self, tables: &Tables) -> Result<(), StoreError>;
    /// As it is kept.
    fn kept(&self, _tables: &mut Tables) -> Self {
        self.clone()
    }
}

impl Unique for Debt {
    fn check(&self, tables: &Tables) -> Result<(), StoreError> {
        let mut others = tables.debts.values().filter(|x| x.id != self.id);
        let taken = others
            .any(|x| x.portfolio_id == self.portfolio_id && x.external_ref == self.external_ref);
        unique(taken, "debt reference")
    }

    fn kept(&self, tables: &mut Tables) -> Self {
        interest::carried(tables, self)
    }
}

/// A debt written anew.
pub(super) fn put_debt(t: &mut Tables, row: &Debt) -> Result<(), StoreError> {
    row.check(t)?;
    let kept = row.kept(t);
    t.debts.insert(kept.id, kept);
    t.keep_versions();
    Ok(())
}

macro_rules! unique_rows {
    ($($entity:ident: |$row:ident, $t:ident| $check:expr;)+) => { $(
        impl Unique for $entity { fn check(&self, $t: &Tables) -> Result<(), StoreError> { let $row = self; let _ = ($row, $t); $check } }
    )+ };
}
unique_rows! {
    Client: |r, t| unique(t.clients.values().any(|x| x.id != r.id && x.name == r.name), "client name");
    Portfolio: |r, t| unique(t.portfolios.values().any(|x| x.id != r.id && x.client_id == r.client_id && x.name == r.name), "portfolio name");
    Debtor: |r, t| unique(t.debtors.values().any(|x| x.id != r.id && x.portfolio_id == r.portfolio_id && x.external_ref == r.external_ref), "debtor reference");
    Party: |_r, _t| Ok(());
    ContactPoint: |_r, _t| Ok(());
    Consent: |_r, _t| Ok(());
    Hold: |_r, _t| Ok(());
    Override: |_r, _t| Ok(());
    Suppression: |_r, _t| Ok(());
    Segment: |_r, _t| Ok(());
    Campaign: |_r, _t| Ok(());
    Script: |_r, _t| Ok(());
    User: |r, t| unique(t.users.values().any(|x| x.id != r.id && x.username == r.username), "user name");
    Team: |_r, _t| Ok(());
    Agent: |r, t| unique(t.agents.values().any(|x| x.id != r.id && x.sip_user == r.sip_user), "SIP user");
    Trunk: |r, t| unique(t.trunks.values().any(|x| x.id != r.id && x.name == r.name), "trunk name");
    CallerId: |_r, _t| Ok(());
    Call: |_r, _t| Ok(());
    Recording: |_r, _t| Ok(());
    Promise: |_r, _t| Ok(());
    Payment: |r, t| unique(t.payments.values().any(|x| x.id != r.id && x.client_id == r.client_id && x.reference == r.reference), "payment reference");
    Preference: |_r, _t| Ok(());
    DncList: |_r, _t| Ok(());
    Complaint: |r, t| unique(t.complaints.values().any(|x| x.id != r.id && x.client_id == r.client_id && x.authority == r.authority && x.number == r.number), "complaint number");
    CampaignVersion: |_r, _t| Ok(());
    CampaignTemplate: |_r, _t| Ok(());
    AssignmentRule: |_r, _t| Ok(());
}

macro_rules! memory_catalog {
    ($( $entity:ident($id:ty) in $table:ident as $what:literal: $get:ident, $list:ident, $put:ident; )+) => {
        #[async_trait]
        impl CatalogStore for MemoryStore {
            $(
                async fn $get(&self, id: $id) -> Result<$entity, StoreError> {
                    self.tx().await?.$table.get(&id).cloned().ok_or(StoreError::NotFound($what))
                }
                async fn $list(&self, filter: &ListFilter, request: &PageRequest) -> Result<Page<$entity>, StoreError> {
                    page(&self.tx().await?.$table, filter, request)
                }
                async fn $put(&self, row: &$entity, events: &[NewEvent]) -> Result<(), StoreError> {
                    let mut t = self.tx().await?;
                    row.check(&t)?;
                    let kept = row.kept(&mut t);
                    t.$table.insert(kept.id, kept);
                    t.keep_versions();
                    t.append(events);
                    Ok(())
                }
            )+
            async fn get_disposition(&self, code: &str) -> Result<Disposition, StoreError> {
                self.tx().await?.dispositions.get(code).cloned().ok_or(StoreError::NotFound("disposition"))
            }
            async fn list_dispositions(&self) -> Result<Vec<Disposition>, StoreError> {
                Ok(self.tx().await?.dispositions.values().cloned().collect())
            }
            async fn put_disposition(&self, row: &Disposition) -> Result<(), StoreError> {
                self.tx().await?.dispositions.insert(row.code.clone(), row.clone());
                Ok(())
            }
            async fn trunk_by_name(&self, name: &str) -> Result<Option<Trunk>, StoreError> {
                Ok(self.tx().await?.trunks.values().find(|t| t.name == name).cloned())
            }
            async fn append_events(&self, events: &[NewEvent]) -> Result<(), StoreError> {
                self.tx().await?.append(events);
                Ok(())
            }
            async fn events_after(&self, cursor: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
                let t = self.tx().await?;
                let from = t.events.partition_point(|e| e.cursor <= cursor);
                Ok(t.events[from..].iter().take(limit as usize).cloned().collect())
            }
            async fn last_cursor(&self) -> Result<i64, StoreError> {
                Ok(self.tx().await?.events.last().map_or(0, |e| e.cursor))
            }
            async fn outbox_pending(&self, limit: u32) -> Result<Vec<Event>, StoreError> {
                let t = self.tx().await?;
                Ok(t.outbox.values().take(limit as usize).cloned().collect())
            }
            async fn outbox_done(&self, cursors: &[i64], _at: UtcMs) -> Result<(), StoreError> {
                let mut t = self.tx().await?;
                for cursor in cursors {
                    t.outbox.remove(cursor);
                }
                Ok(())
            }
        }
    };
}

memory_catalog! {
    Client(ClientId) in clients as "client": get_client, list_clients, put_client;
    Portfolio(PortfolioId) in portfolios as "portfolio": get_portfolio, list_portfolios, put_portfolio;
    Debtor(DebtorId) in debtors as "debtor": get_debtor, list_debtors, put_debtor;
    Debt(DebtId) in debts as "debt": get_debt, list_debts, put_debt;
    Party(PartyId) in parties as "party": get_party, list_parties, put_party;
    ContactPoint(PointId) in points as "point": get_point, list_points, put_point;
    Consent(ConsentId) in consents as "consent": get_consent, list_consents, put_consent;
    Override(OverrideId) in overrides as "relaxed presumption": get_override, list_overrides, put_override;
    Hold(HoldId) in holds as "hold": get_hold, list_holds, put_hold;
    Suppression(SuppressionId) in suppressions as "suppression": get_suppression, list_suppressions, put_suppression;
    Segment(SegmentId) in segments as "segment": get_segment, list_segments, put_segment;
    Campaign(CampaignId) in campaigns as "campaign": get_campaign, list_campaigns, put_campaign;
    Script(ScriptId) in scripts as "script": get_script, list_scripts, put_script;
    User(UserId) in users as "user": get_user, list_users, put_user;
    Team(TeamId) in teams as "team": get_team, list_teams, put_team;
    Agent(AgentId) in agents as "agent": get_agent, list_agents, put_agent;
    Trunk(TrunkId) in trunks as "trunk": get_trunk, list_trunks, put_trunk;
    CallerId(CallerIdId) in caller_ids as "caller id": get_caller_id, list_caller_ids, put_caller_id;
    Call(CallId) in calls as "call": get_call, list_calls, put_call;
    Recording(RecordingId) in recordings as "recording": get_recording, list_recordings, put_recording;
    Promise(PromiseId) in promises as "promise": get_promise, list_promises, put_promise;
    Payment(PaymentId) in payments as "payment": get_payment, list_payments, put_payment;
    Preference(PreferenceId) in preferences as "preference": get_preference, list_preferences, put_preference;
    DncList(DncListId) in dnc_lists as "do-not-call list": get_dnc_list, list_dnc_lists, put_dnc_list;
    Complaint(ComplaintId) in complaints as "complaint": get_complaint, list_complaints, put_complaint;
    CampaignTemplate(CampaignTemplateId) in campaign_templates as "template of campaigns": get_campaign_template, list_campaign_templates, put_campaign_template;
    AssignmentRule(AssignmentRuleId) in assignment_rules as "rule of assignment": get_assignment_rule, list_assignment_rules, put_assignment_rule;
    CampaignVersion(CampaignVersionId) in campaign_versions as "version of the campaign": get_campaign_version, list_campaign_versions, put_campaign_version;
}
