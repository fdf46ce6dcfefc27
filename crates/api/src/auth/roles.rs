//! The role table: the one place that says who may use which route. The guard reads it, and so do
//! `x-roles` of the OpenAPI document and `/me`.

use axum::http::Method;
use domain::entity::Role;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, signed in or not.
    Public,
    /// Any signed-in user, also one who still has to set a second factor.
    Enrolling,
    /// These roles.
    Roles(&'static [Role]),
}

impl Access {
    /// Whether a signed-in user of that role passes.
    #[must_use]
    pub fn permits(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Enrolling => true,
            Self::Roles(roles) => roles.contains(&role),
        }
    }

    /// `x-roles` of the route.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        match self {
            Self::Public => vec!["public"],
            Self::Enrolling => Role::ALL.iter().map(|r| r.as_str()).collect(),
            Self::Roles(roles) => roles.iter().map(|r| r.as_str()).collect(),
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct RouteAccess {
    /// Method.
    pub method: &'static str,
    /// Path with parameters in braces.
    pub path: &'static str,
    /// Who.
    pub access: Access,
}

use Role::{Admin, Agent, Client, Manager, Supervisor};

const ANY: Access = Access::Roles(&[Agent, Supervisor, Manager, Admin, Client]);
const STAFF: Access = Access::Roles(&[Agent, Supervisor, Manager, Admin]);
const AGENT: Access = Access::Roles(&[Agent]);
const WATCH: Access = Access::Roles(&[Supervisor, Manager, Admin]);
const WATCH_CLIENT: Access = Access::Roles(&[Supervisor, Manager, Admin, Client]);
const FLOOR: Access = Access::Roles(&[Supervisor, Admin]);
const ON_CALL: Access = Access::Roles(&[Agent, Supervisor, Admin]);
const MANAGE: Access = Access::Roles(&[Manager, Admin]);
const MANAGE_CLIENT: Access = Access::Roles(&[Manager, Admin, Client]);
const ADMIN: Access = Access::Roles(&[Admin]);

macro_rules! table {
    ($($method:ident $path:literal $access:expr;)+) => {
        &[$(RouteAccess { method: stringify!($method), path: $path, access: $access }),+]
    };
}

const TABLE: &[RouteAccess] = table! {
    GET "/healthz" Access::Public;
    GET "/readyz" Access::Public;
    GET "/metrics" Access::Public;
    GET "/openapi.json" Access::Public;
    GET "/docs" Access::Public;
    GET "/docs/docs.js" Access::Public;
    GET "/docs/docs.css" Access::Public;
    GET "/ws/schema.json" Access::Public;
    GET "/ws/agent" Access::Public;
    GET "/ws/supervisor" Access::Public;
    GET "/p/page.css" Access::Public;
    GET "/p/{token}" Access::Public;
    POST "/p/{token}" Access::Public;
    POST "/p/{token}/pay" Access::Public;
    GET "/a/{token}" Access::Public;
    POST "/a/{token}" Access::Public;
    POST "/a/{token}/document" Access::Public;
    POST "/a/{token}/accept" Access::Public;

    POST "/api/v1/sessions" Access::Public;
    POST "/api/v1/sessions/refresh" Access::Public;
    DELETE "/api/v1/sessions" Access::Enrolling;
    GET "/api/v1/clock" Access::Public;
    GET "/api/v1/me" Access::Enrolling;
    POST "/api/v1/me/password" ANY;
    POST "/api/v1/me/totp" Access::Enrolling;
    POST "/api/v1/me/totp/confirm" Access::Enrolling;
    POST "/api/v1/ws-tickets" STAFF;
    GET "/api/v1/api-keys" ADMIN;
    POST "/api/v1/api-keys" ADMIN;
    DELETE "/api/v1/api-keys/{id}" ADMIN;

    POST "/api/v1/agents/me/state" AGENT;
    POST "/api/v1/agents/{id}/state" WATCH;
    POST "/api/v1/attempts/{id}/identity" AGENT;
    POST "/api/v1/attempts/{id}/caller/search" AGENT;
    POST "/api/v1/attempts/{id}/caller" AGENT;
    POST "/api/v1/attempts/{id}/hangup" ON_CALL;
    POST "/api/v1/attempts/{id}/hold" AGENT;
    POST "/api/v1/attempts/{id}/mute" AGENT;
    POST "/api/v1/attempts/{id}/dtmf" AGENT;
    POST "/api/v1/attempts/{id}/disposition" ON_CALL;
    POST "/api/v1/attempts/{id}/transfer" AGENT;
    POST "/api/v1/attempts/{id}/transfer/complete" AGENT;
    POST "/api/v1/attempts/{id}/transfer/cancel" AGENT;
    POST "/api/v1/attempts/{id}/transfer/conference" AGENT;
    GET "/api/v1/attempts/{id}/transfer/targets" AGENT;
    POST "/api/v1/calls/{id}/recording/pause" ON_CALL;
    POST "/api/v1/calls/{id}/recording/resume" ON_CALL;
    POST "/api/v1/calls/{id}/card" AGENT;
    POST "/api/v1/calls/{id}/monitor" FLOOR;
    POST "/api/v1/preview/{id}/dial" AGENT;
    POST "/api/v1/preview/{id}/skip" AGENT;
    POST "/api/v1/debtors/{id}/dial" AGENT;
    GET "/api/v1/dispositions" ANY;
    PUT "/api/v1/dispositions/{code}" MANAGE;

    GET "/api/v1/campaigns" WATCH_CLIENT;
    POST "/api/v1/campaigns" MANAGE;
    GET "/api/v1/campaigns/{id}" WATCH_CLIENT;
    PATCH "/api/v1/campaigns/{id}" MANAGE;
    POST "/api/v1/campaigns/{id}/start" MANAGE;
    POST "/api/v1/campaigns/{id}/stop" MANAGE;
    POST "/api/v1/campaigns/{id}/pause" WATCH;
    POST "/api/v1/campaigns/{id}/resume" WATCH;
    POST "/api/v1/campaigns/{id}/simulate" WATCH;
    GET "/api/v1/campaigns/{id}/live" WATCH_CLIENT;
    GET "/api/v1/campaigns/{id}/hopper" WATCH;
    GET "/api/v1/campaigns/{id}/why-not" WATCH_CLIENT;
    GET "/api/v1/campaigns/{id}/why-not/debtors" WATCH_CLIENT;
    GET "/api/v1/campaigns/{id}/versions" WATCH;
    POST "/api/v1/campaigns/{id}/versions" MANAGE;
    POST "/api/v1/campaigns/{id}/rollback" MANAGE;
    POST "/api/v1/campaigns/{id}/copy" MANAGE;
    POST "/api/v1/campaigns/{id}/message/approve" MANAGE;
    GET "/api/v1/campaigns/{id}/message/sound" MANAGE;
    GET "/api/v1/inbound-calls" WATCH;
    GET "/api/v1/campaign-versions/{id}" WATCH;
    POST "/api/v1/campaign-versions/{id}/publish" MANAGE;
    POST "/api/v1/campaign-versions/{id}/drop" MANAGE;
    GET "/api/v1/campaign-templates" WATCH;
    POST "/api/v1/campaign-templates" MANAGE;
    GET "/api/v1/campaign-templates/{id}" WATCH;
    PUT "/api/v1/campaign-templates/{id}" MANAGE;
    GET "/api/v1/callbacks" WATCH;
    GET "/api/v1/agents/me/callbacks" AGENT;
    POST "/api/v1/callbacks/move" WATCH;
    POST "/api/v1/callbacks/cancel" WATCH;
    GET "/api/v1/assignment-rules" WATCH;
    POST "/api/v1/assignment-rules" MANAGE;
    GET "/api/v1/assignment-rules/{id}" WATCH;
    PUT "/api/v1/assignment-rules/{id}" MANAGE;
    POST "/api/v1/assignment-rules/apply" MANAGE;
    POST "/api/v1/assignments" WATCH;
    GET "/api/v1/morning-list" STAFF;
    GET "/api/v1/morning-list/tasks" STAFF;
    GET "/api/v1/morning-review" WATCH;
    GET "/api/v1/morning-review/promises" WATCH;
    GET "/api/v1/segments" WATCH;
    POST "/api/v1/segments" MANAGE;
    GET "/api/v1/segments/{id}" WATCH;
    PUT "/api/v1/segments/{id}" MANAGE;
    GET "/api/v1/segments/{id}/versions" WATCH;
    POST "/api/v1/segments/preview" WATCH;
    GET "/api/v1/segments/fields" WATCH;
    GET "/api/v1/imports" MANAGE_CLIENT;
    GET "/api/v1/imports/{id}" MANAGE_CLIENT;
    GET "/api/v1/imports/{id}/law" MANAGE_CLIENT;
    DELETE "/api/v1/imports/{id}" MANAGE;
    POST "/api/v1/imports/{id}/accept" MANAGE;
    POST "/api/v1/imports/{id}/undo" MANAGE;
    POST "/api/v1/imports/{id}/read" MANAGE;
    GET "/api/v1/imports/maps" MANAGE;
    DELETE "/api/v1/imports/maps/{id}" MANAGE;
    GET "/api/v1/placements" MANAGE_CLIENT;
    GET "/api/v1/placements/{id}" MANAGE_CLIENT;
    PUT "/api/v1/placements/{id}" MANAGE;
    POST "/api/v1/placements/{id}/recall" MANAGE;
    GET "/api/v1/portfolios/{id}/duplicates" MANAGE;
    POST "/api/v1/debtors/{id}/merge" MANAGE;
    GET "/api/v1/debtors/{id}/merges" WATCH_CLIENT;
    POST "/api/v1/merges/{id}/undo" MANAGE;
    POST "/api/v1/imports/drafts" MANAGE;
    POST "/api/v1/imports" MANAGE;
    GET "/api/v1/imports/columns" MANAGE;
    POST "/api/v1/imports/detect" MANAGE;

    GET "/api/v1/clients" WATCH_CLIENT;
    POST "/api/v1/clients" ADMIN;
    GET "/api/v1/clients/{id}" WATCH_CLIENT;
    PUT "/api/v1/clients/{id}" ADMIN;
    GET "/api/v1/portfolios" WATCH_CLIENT;
    POST "/api/v1/portfolios" MANAGE;
    GET "/api/v1/portfolios/{id}" WATCH_CLIENT;
    PUT "/api/v1/portfolios/{id}" MANAGE;
    GET "/api/v1/portfolios/{id}/interest" WATCH_CLIENT;
    POST "/api/v1/portfolios/{id}/interest" MANAGE;
    POST "/api/v1/addresses" WATCH;
    PUT "/api/v1/addresses/{id}" WATCH;
    GET "/api/v1/debts" WATCH_CLIENT;
    POST "/api/v1/debts" MANAGE;
    GET "/api/v1/debts/{id}" WATCH_CLIENT;
    PUT "/api/v1/debts/{id}" MANAGE;
    GET "/api/v1/debts/{id}/items" WATCH_CLIENT;
    PUT "/api/v1/debts/{id}/items" MANAGE;
    GET "/api/v1/points" WATCH_CLIENT;
    POST "/api/v1/points" WATCH;
    GET "/api/v1/points/{id}" WATCH_CLIENT;
    PUT "/api/v1/points/{id}" WATCH;
    GET "/api/v1/law-overrides" WATCH;
    POST "/api/v1/law-overrides" MANAGE;
    GET "/api/v1/law-overrides/{id}" WATCH;
    POST "/api/v1/law-overrides/{id}/withdraw" MANAGE;
    GET "/api/v1/consents" WATCH_CLIENT;
    POST "/api/v1/consents" WATCH;
    GET "/api/v1/consents/{id}" WATCH_CLIENT;
    POST "/api/v1/consents/{id}/revoke" WATCH;
    GET "/api/v1/holds" WATCH_CLIENT;
    POST "/api/v1/holds" WATCH;
    GET "/api/v1/holds/{id}" WATCH_CLIENT;
    POST "/api/v1/holds/{id}/lift" WATCH;
    GET "/api/v1/preferences" WATCH_CLIENT;
    POST "/api/v1/preferences" WATCH;
    GET "/api/v1/preferences/{id}" WATCH_CLIENT;
    POST "/api/v1/preferences/{id}/revoke" WATCH;
    GET "/api/v1/dnc-lists" WATCH;
    GET "/api/v1/dnc-lists/{id}" WATCH;
    POST "/api/v1/dnc-lists/{id}/retire" MANAGE;
    POST "/api/v1/imports/dnc-list" MANAGE;
    GET "/api/v1/complaints" WATCH_CLIENT;
    POST "/api/v1/complaints" WATCH;
    GET "/api/v1/complaints/{id}" WATCH_CLIENT;
    GET "/api/v1/complaints/urgent" WATCH_CLIENT;
    POST "/api/v1/complaints/{id}/answer" WATCH;
    POST "/api/v1/complaints/{id}/close" MANAGE;
    GET "/api/v1/complaints/{id}/evidence" MANAGE_CLIENT;
    GET "/api/v1/suppressions" WATCH_CLIENT;
    POST "/api/v1/suppressions" WATCH_CLIENT;
    GET "/api/v1/suppressions/{id}" WATCH_CLIENT;
    POST "/api/v1/suppressions/{id}/lift" MANAGE;
    GET "/api/v1/scripts" WATCH;
    POST "/api/v1/scripts" MANAGE;
    GET "/api/v1/scripts/{id}" WATCH;
    PUT "/api/v1/scripts/{id}" MANAGE;
    GET "/api/v1/teams" WATCH;
    POST "/api/v1/teams" MANAGE;
    GET "/api/v1/teams/{id}" WATCH;
    PUT "/api/v1/teams/{id}" MANAGE;
    GET "/api/v1/agents" WATCH;
    POST "/api/v1/agents" MANAGE;
    GET "/api/v1/agents/{id}" WATCH;
    PUT "/api/v1/agents/{id}" MANAGE;
    GET "/api/v1/users" ADMIN;
    POST "/api/v1/users" ADMIN;
    GET "/api/v1/users/{id}" ADMIN;
    PUT "/api/v1/users/{id}" ADMIN;
    GET "/api/v1/trunks" WATCH;
    GET "/api/v1/trunks/{id}" WATCH;
    PUT "/api/v1/trunks/{id}" ADMIN;
    GET "/api/v1/trunks/{id}/stats" WATCH;
    GET "/api/v1/reports/detector" WATCH;
    GET "/api/v1/reports/detector/samples" WATCH;
    POST "/api/v1/attempts/{id}/heard" STAFF;
    GET "/api/v1/voicemail-templates" WATCH;
    POST "/api/v1/voicemail-templates" MANAGE;
    GET "/api/v1/voicemail-templates/{id}" WATCH;
    PUT "/api/v1/voicemail-templates/{id}" MANAGE;
    POST "/api/v1/voicemail-templates/{id}/approve" MANAGE;
    GET "/api/v1/voicemail-templates/{id}/sound" MANAGE;
    GET "/api/v1/reports/kpis" WATCH_CLIENT;
    GET "/api/v1/reports/kpis/{key}/series" WATCH_CLIENT;
    GET "/api/v1/reports/kpis/{key}/rows" WATCH_CLIENT;
    GET "/api/v1/reports/departures" WATCH_CLIENT;
    GET "/api/v1/reports/departures/{kind}" WATCH_CLIENT;
    GET "/api/v1/reports/costs" WATCH_CLIENT;
    PUT "/api/v1/reports/costs" MANAGE;
    GET "/api/v1/export/kpis" WATCH_CLIENT;
    GET "/api/v1/export/kpis/{key}" WATCH_CLIENT;
    GET "/api/v1/export/registers/complaints" WATCH_CLIENT;
    GET "/api/v1/export/registers/numbers" WATCH;
    GET "/api/v1/export/registers/collectors" WATCH;
    GET "/api/v1/goals" WATCH_CLIENT;
    POST "/api/v1/goals" MANAGE;
    GET "/api/v1/goals/progress" WATCH_CLIENT;
    GET "/api/v1/goals/{id}" WATCH_CLIENT;
    PUT "/api/v1/goals/{id}" MANAGE;
    GET "/api/v1/agents/me/goals" AGENT;
    GET "/api/v1/caller-ids" WATCH;
    POST "/api/v1/caller-ids" MANAGE;
    GET "/api/v1/caller-ids/health" WATCH;
    POST "/api/v1/caller-ids/{id}/rest" MANAGE;
    POST "/api/v1/caller-ids/{id}/wake" MANAGE;
    GET "/api/v1/caller-ids/{id}" WATCH;
    PUT "/api/v1/caller-ids/{id}" MANAGE;

    GET "/api/v1/debtors" ANY;
    POST "/api/v1/debtors/search" ANY;
    GET "/api/v1/debtors/{id}" WATCH_CLIENT;
    GET "/api/v1/debtors/{id}/why-not" WATCH_CLIENT;
    GET "/api/v1/debtors/{id}/duties" STAFF;
    GET "/api/v1/debtors/{id}/visits" WATCH_CLIENT;
    POST "/api/v1/debtors/{id}/visits" WATCH;
    POST "/api/v1/visits/{id}/record" WATCH;
    POST "/api/v1/visits/{id}/cancel" WATCH;
    GET "/api/v1/debtors/{id}/evidence" MANAGE_CLIENT;
    GET "/api/v1/clients/{id}/terms" WATCH_CLIENT;
    PUT "/api/v1/clients/{id}/terms" MANAGE;
    GET "/api/v1/clients/{id}/terms/versions" WATCH_CLIENT;
    GET "/api/v1/plans" WATCH_CLIENT;
    POST "/api/v1/plans" STAFF;
    GET "/api/v1/plans/{id}" ANY;
    POST "/api/v1/plans/{id}/answer" WATCH;
    POST "/api/v1/plans/{id}/cancel" WATCH;
    POST "/api/v1/plans/{id}/link" STAFF;
    GET "/api/v1/plans/{id}/document" ANY;
    GET "/api/v1/stages" WATCH_CLIENT;
    GET "/api/v1/debts/{id}/stage" WATCH_CLIENT;
    POST "/api/v1/debts/{id}/stage" WATCH;
    POST "/api/v1/attempts/{id}/excuse" AGENT;
    GET "/api/v1/excuses" WATCH_CLIENT;
    GET "/api/v1/reports/excuses" WATCH_CLIENT;
    GET "/api/v1/letter-templates" WATCH;
    POST "/api/v1/letter-templates" MANAGE;
    POST "/api/v1/letter-templates/preview" WATCH;
    GET "/api/v1/letters" WATCH_CLIENT;
    GET "/api/v1/letters/{id}/pdf" WATCH_CLIENT;
    GET "/api/v1/letter-batches" WATCH;
    POST "/api/v1/letter-batches" MANAGE;
    GET "/api/v1/letter-batches/{id}" WATCH;
    POST "/api/v1/letter-batches/{id}/run" MANAGE;
    GET "/api/v1/letter-batches/{id}/pdf" WATCH;
    GET "/api/v1/payments" WATCH_CLIENT;
    POST "/api/v1/payments" MANAGE_CLIENT;
    GET "/api/v1/payments/{id}" WATCH_CLIENT;
    POST "/api/v1/payments/{id}/reverse" MANAGE;
    GET "/api/v1/receipts" WATCH_CLIENT;
    POST "/api/v1/receipts" MANAGE_CLIENT;
    GET "/api/v1/receipts/{id}" WATCH_CLIENT;
    GET "/api/v1/receipts/{id}/suggestions" WATCH;
    POST "/api/v1/receipts/{id}/match" MANAGE;
    POST "/api/v1/receipts/{id}/unmatch" MANAGE;
    POST "/api/v1/receipts/{id}/return" MANAGE;
    GET "/api/v1/claims" WATCH_CLIENT;
    POST "/api/v1/claims/{id}/found" MANAGE_CLIENT;
    POST "/api/v1/claims/{id}/not-found" MANAGE_CLIENT;
    GET "/api/v1/bank-files" MANAGE_CLIENT;
    POST "/api/v1/bank-files" MANAGE;
    POST "/api/v1/bank-files/preview" MANAGE;
    GET "/api/v1/bank-files/{id}" MANAGE_CLIENT;
    GET "/api/v1/clients/{id}/money-policy" WATCH_CLIENT;
    PUT "/api/v1/clients/{id}/money-policy" MANAGE;
    GET "/api/v1/clients/{id}/law" WATCH_CLIENT;
    PUT "/api/v1/clients/{id}/law" MANAGE;
    GET "/api/v1/clients/{id}/law/versions" WATCH;
    GET "/api/v1/payment-links" STAFF;
    POST "/api/v1/payment-links" STAFF;
    GET "/api/v1/payment-links/{id}" STAFF;
    POST "/api/v1/payment-links/{id}/cancel" STAFF;
    POST "/api/v1/payment-links/{id}/send" STAFF;
    GET "/api/v1/debtors/{id}/payment-options" STAFF;
    POST "/api/v1/webhooks/payments/{provider}" Access::Public;
    GET "/api/v1/promises" WATCH_CLIENT;
    GET "/api/v1/promises/{id}" WATCH_CLIENT;
    GET "/api/v1/attempts" WATCH_CLIENT;
    GET "/api/v1/attempts/{id}" WATCH_CLIENT;
    GET "/api/v1/attempts/{id}/trail" WATCH_CLIENT;
    GET "/api/v1/calls" WATCH_CLIENT;
    GET "/api/v1/calls/{id}" WATCH_CLIENT;
    GET "/api/v1/export/attempts" WATCH_CLIENT;
    GET "/api/v1/recordings" WATCH_CLIENT;
    GET "/api/v1/recordings/{id}" WATCH_CLIENT;
    GET "/api/v1/recordings/{id}/audio" WATCH_CLIENT;
    POST "/api/v1/recordings/{id}/hold" MANAGE;
    POST "/api/v1/recordings/{id}/release" MANAGE;
    GET "/api/v1/verdicts" WATCH_CLIENT;
    GET "/api/v1/verdicts/{id}" WATCH_CLIENT;
    GET "/api/v1/verdicts/{id}/replay" WATCH;
    GET "/api/v1/rulepacks" STAFF;
    GET "/api/v1/rulepacks/presumptions" WATCH;
    POST "/api/v1/rulepacks/dry-run" MANAGE;
    GET "/api/v1/rulepacks/dry-run/{id}" MANAGE;
    GET "/api/v1/text-templates" STAFF;
    POST "/api/v1/text-templates" MANAGE;
    GET "/api/v1/text-templates/{id}" STAFF;
    PUT "/api/v1/text-templates/{id}" MANAGE;
    GET "/api/v1/text-templates/{id}/versions" WATCH;
    POST "/api/v1/text-templates/{id}/preview" STAFF;
    GET "/api/v1/messages" WATCH_CLIENT;
    POST "/api/v1/messages" STAFF;
    GET "/api/v1/messages/{id}" WATCH_CLIENT;
    POST "/api/v1/messages/{id}/cancel" WATCH;
    GET "/api/v1/message-gateways" WATCH;
    GET "/api/v1/inbox" STAFF;
    GET "/api/v1/inbox/{id}" STAFF;
    POST "/api/v1/inbox/{id}/answer" STAFF;
    POST "/api/v1/inbox/{id}/close" STAFF;
    GET "/api/v1/strategies" WATCH;
    POST "/api/v1/strategies" MANAGE;
    GET "/api/v1/strategies/{id}" WATCH;
    PUT "/api/v1/strategies/{id}" MANAGE;
    GET "/api/v1/strategies/{id}/versions" WATCH;
    POST "/api/v1/strategies/{id}/activate" MANAGE;
    POST "/api/v1/strategies/{id}/retire" MANAGE;
    GET "/api/v1/strategies/{id}/figures" WATCH;
    POST "/api/v1/strategies/{id}/trial" MANAGE;
    GET "/api/v1/strategy-trials/{id}" WATCH;
    GET "/api/v1/strategy-trials/{id}/removed" WATCH;
    GET "/api/v1/planned-steps" WATCH_CLIENT;
    POST "/api/v1/planned-steps/{id}/end" WATCH;
    GET "/api/v1/hooks/messages/{id}" Access::Public;
    POST "/api/v1/hooks/messages/{id}" Access::Public;
    GET "/api/v1/events" WATCH_CLIENT;
    GET "/api/v1/audit" ADMIN;
};

/// The whole table.
#[must_use]
pub const fn route_table() -> &'static [RouteAccess] {
    TABLE
}

/// Who may use `method` on the matched path; `None` = nobody. HEAD is GET without a body.
pub(crate) fn lookup(method: &Method, path: &str) -> Option<Access> {
    let method = if *method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    TABLE
        .iter()
        .find(|row| row.method == method && row.path == path)
        .map(|row| row.access)
}

/// Whether the table has the path under any method.
pub(crate) fn is_listed(path: &str) -> bool {
    TABLE.iter().any(|row| row.path == path)
}
