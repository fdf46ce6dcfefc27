//! The role matrix: each route of the document with each role, against the room's README written out.

use crate::app::App;
use crate::asks::{body_for, path_for};
use axum::http::StatusCode;
use serde_json::json;
use std::collections::BTreeMap;

/// Letters as in the README: A agent, S supervisor, M manager, X admin, C client.
const MATRIX: &str = "
public GET /healthz
public GET /readyz
public GET /metrics
public GET /openapi.json
public GET /docs
public GET /docs/docs.js
public GET /docs/docs.css
public GET /ws/schema.json
public GET /a/{token}
public POST /a/{token}
public POST /a/{token}/document
public POST /a/{token}/accept
public GET /ws/agent
public GET /ws/supervisor
public GET /p/page.css
public GET /p/{token}
public POST /p/{token}
public POST /p/{token}/pay
public POST /api/v1/sessions
public POST /api/v1/sessions/refresh
ASMXC DELETE /api/v1/sessions
public GET /api/v1/clock
ASMXC GET /api/v1/me
ASMXC POST /api/v1/me/password
ASMXC POST /api/v1/me/totp
ASMXC POST /api/v1/me/totp/confirm
ASMX POST /api/v1/ws-tickets
X GET /api/v1/api-keys
X POST /api/v1/api-keys
X DELETE /api/v1/api-keys/{id}
A POST /api/v1/agents/me/state
SMX POST /api/v1/agents/{id}/state
A POST /api/v1/attempts/{id}/identity
A POST /api/v1/attempts/{id}/caller/search
A POST /api/v1/attempts/{id}/caller
ASX POST /api/v1/attempts/{id}/hangup
A POST /api/v1/attempts/{id}/hold
A POST /api/v1/attempts/{id}/mute
A POST /api/v1/attempts/{id}/dtmf
ASX POST /api/v1/attempts/{id}/disposition
A POST /api/v1/attempts/{id}/transfer
A POST /api/v1/attempts/{id}/transfer/complete
A POST /api/v1/attempts/{id}/transfer/cancel
A POST /api/v1/attempts/{id}/transfer/conference
A GET /api/v1/attempts/{id}/transfer/targets
ASX POST /api/v1/calls/{id}/recording/pause
ASX POST /api/v1/calls/{id}/recording/resume
A POST /api/v1/calls/{id}/card
SX POST /api/v1/calls/{id}/monitor
A POST /api/v1/preview/{id}/dial
A POST /api/v1/preview/{id}/skip
A POST /api/v1/debtors/{id}/dial
ASMXC GET /api/v1/dispositions
MX PUT /api/v1/dispositions/{code}
SMXC GET /api/v1/campaigns
MX POST /api/v1/campaigns
SMXC GET /api/v1/campaigns/{id}
MX PATCH /api/v1/campaigns/{id}
MX POST /api/v1/campaigns/{id}/start
MX POST /api/v1/campaigns/{id}/stop
SMX POST /api/v1/campaigns/{id}/pause
SMX POST /api/v1/campaigns/{id}/resume
SMX POST /api/v1/campaigns/{id}/simulate
SMXC GET /api/v1/campaigns/{id}/live
SMX GET /api/v1/campaigns/{id}/hopper
SMXC GET /api/v1/campaigns/{id}/why-not
SMXC GET /api/v1/campaigns/{id}/why-not/debtors
SMX GET /api/v1/campaigns/{id}/versions
MX POST /api/v1/campaigns/{id}/versions
MX POST /api/v1/campaigns/{id}/rollback
MX POST /api/v1/campaigns/{id}/message/approve
MX GET /api/v1/campaigns/{id}/message/sound
SMX GET /api/v1/inbound-calls
MX POST /api/v1/campaigns/{id}/copy
SMX GET /api/v1/campaign-versions/{id}
MX POST /api/v1/campaign-versions/{id}/publish
MX POST /api/v1/campaign-versions/{id}/drop
SMX GET /api/v1/campaign-templates
MX POST /api/v1/campaign-templates
SMX GET /api/v1/campaign-templates/{id}
MX PUT /api/v1/campaign-templates/{id}
SMX GET /api/v1/callbacks
A GET /api/v1/agents/me/callbacks
SMX POST /api/v1/callbacks/move
SMX POST /api/v1/callbacks/cancel
SMX GET /api/v1/assignment-rules
MX POST /api/v1/assignment-rules
SMX GET /api/v1/assignment-rules/{id}
MX PUT /api/v1/assignment-rules/{id}
MX POST /api/v1/assignment-rules/apply
SMX POST /api/v1/assignments
SMX GET /api/v1/morning-review
SMX GET /api/v1/morning-review/promises
ASMX GET /api/v1/morning-list
ASMX GET /api/v1/morning-list/tasks
SMX GET /api/v1/segments
MX POST /api/v1/segments
SMX GET /api/v1/segments/{id}
MX PUT /api/v1/segments/{id}
SMX GET /api/v1/segments/{id}/versions
SMX POST /api/v1/segments/preview
SMX GET /api/v1/segments/fields
MX POST /api/v1/imports
MX GET /api/v1/imports/columns
MX POST /api/v1/imports/detect
SMXC GET /api/v1/clients
X POST /api/v1/clients
SMXC GET /api/v1/clients/{id}
X PUT /api/v1/clients/{id}
SMXC GET /api/v1/portfolios
MX POST /api/v1/portfolios
SMXC GET /api/v1/portfolios/{id}
MX PUT /api/v1/portfolios/{id}
SMXC GET /api/v1/portfolios/{id}/interest
MX POST /api/v1/portfolios/{id}/interest
SMX POST /api/v1/addresses
SMX PUT /api/v1/addresses/{id}
SMXC GET /api/v1/debts
MX POST /api/v1/debts
SMXC GET /api/v1/debts/{id}
MX PUT /api/v1/debts/{id}
SMXC GET /api/v1/debts/{id}/items
MX PUT /api/v1/debts/{id}/items
SMXC GET /api/v1/points
SMX POST /api/v1/points
SMXC GET /api/v1/points/{id}
SMX PUT /api/v1/points/{id}
SMX GET /api/v1/law-overrides
MX POST /api/v1/law-overrides
SMX GET /api/v1/law-overrides/{id}
MX POST /api/v1/law-overrides/{id}/withdraw
SMXC GET /api/v1/consents
SMX POST /api/v1/consents
SMXC GET /api/v1/consents/{id}
SMX POST /api/v1/consents/{id}/revoke
SMXC GET /api/v1/holds
SMX POST /api/v1/holds
SMXC GET /api/v1/holds/{id}
SMX POST /api/v1/holds/{id}/lift
SMXC GET /api/v1/preferences
SMX POST /api/v1/preferences
SMXC GET /api/v1/preferences/{id}
SMX POST /api/v1/preferences/{id}/revoke
SMX GET /api/v1/dnc-lists
SMX GET /api/v1/dnc-lists/{id}
MX POST /api/v1/dnc-lists/{id}/retire
MXC GET /api/v1/imports
MXC GET /api/v1/imports/{id}
MXC GET /api/v1/imports/{id}/law
MX DELETE /api/v1/imports/{id}
MX POST /api/v1/imports/drafts
MX POST /api/v1/imports/{id}/accept
MX POST /api/v1/imports/{id}/undo
MX POST /api/v1/imports/{id}/read
MX GET /api/v1/imports/maps
MX DELETE /api/v1/imports/maps/{id}
MXC GET /api/v1/placements
MXC GET /api/v1/placements/{id}
MX PUT /api/v1/placements/{id}
MX POST /api/v1/placements/{id}/recall
MX GET /api/v1/portfolios/{id}/duplicates
MX POST /api/v1/debtors/{id}/merge
SMXC GET /api/v1/debtors/{id}/merges
MX POST /api/v1/merges/{id}/undo
ASMXC POST /api/v1/debtors/search
MX POST /api/v1/imports/dnc-list
SMXC GET /api/v1/complaints
SMX POST /api/v1/complaints
SMXC GET /api/v1/complaints/{id}
SMXC GET /api/v1/complaints/urgent
SMX POST /api/v1/complaints/{id}/answer
MX POST /api/v1/complaints/{id}/close
MXC GET /api/v1/complaints/{id}/evidence
SMXC GET /api/v1/suppressions
SMXC POST /api/v1/suppressions
SMXC GET /api/v1/suppressions/{id}
MX POST /api/v1/suppressions/{id}/lift
SMX GET /api/v1/scripts
MX POST /api/v1/scripts
SMX GET /api/v1/scripts/{id}
MX PUT /api/v1/scripts/{id}
SMX GET /api/v1/teams
MX POST /api/v1/teams
SMX GET /api/v1/teams/{id}
MX PUT /api/v1/teams/{id}
SMX GET /api/v1/agents
MX POST /api/v1/agents
SMX GET /api/v1/agents/{id}
MX PUT /api/v1/agents/{id}
X GET /api/v1/users
X POST /api/v1/users
X GET /api/v1/users/{id}
X PUT /api/v1/users/{id}
SMX GET /api/v1/trunks
SMX GET /api/v1/trunks/{id}
X PUT /api/v1/trunks/{id}
SMX GET /api/v1/trunks/{id}/stats
SMXC GET /api/v1/reports/kpis
SMXC GET /api/v1/reports/kpis/{key}/series
SMXC GET /api/v1/reports/kpis/{key}/rows
SMXC GET /api/v1/reports/departures
SMXC GET /api/v1/reports/departures/{kind}
SMXC GET /api/v1/reports/costs
MX PUT /api/v1/reports/costs
SMXC GET /api/v1/export/kpis
SMXC GET /api/v1/export/kpis/{key}
SMXC GET /api/v1/export/registers/complaints
SMX GET /api/v1/export/registers/numbers
SMX GET /api/v1/export/registers/collectors
SMXC GET /api/v1/goals
MX POST /api/v1/goals
SMXC GET /api/v1/goals/progress
SMXC GET /api/v1/goals/{id}
MX PUT /api/v1/goals/{id}
A GET /api/v1/agents/me/goals
SMX GET /api/v1/reports/detector
SMX GET /api/v1/reports/detector/samples
ASMX POST /api/v1/attempts/{id}/heard
SMX GET /api/v1/voicemail-templates
MX POST /api/v1/voicemail-templates
SMX GET /api/v1/voicemail-templates/{id}
MX PUT /api/v1/voicemail-templates/{id}
MX POST /api/v1/voicemail-templates/{id}/approve
MX GET /api/v1/voicemail-templates/{id}/sound
SMX GET /api/v1/caller-ids
MX POST /api/v1/caller-ids
SMX GET /api/v1/caller-ids/health
MX POST /api/v1/caller-ids/{id}/rest
MX POST /api/v1/caller-ids/{id}/wake
SMX GET /api/v1/caller-ids/{id}
MX PUT /api/v1/caller-ids/{id}
ASMXC GET /api/v1/debtors
SMXC GET /api/v1/debtors/{id}
SMXC GET /api/v1/debtors/{id}/why-not
ASMX GET /api/v1/debtors/{id}/duties
SMXC GET /api/v1/debtors/{id}/visits
SMX POST /api/v1/debtors/{id}/visits
SMX POST /api/v1/visits/{id}/record
SMX POST /api/v1/visits/{id}/cancel
MXC GET /api/v1/debtors/{id}/evidence
SMXC GET /api/v1/clients/{id}/terms
MX PUT /api/v1/clients/{id}/terms
SMXC GET /api/v1/clients/{id}/terms/versions
SMXC GET /api/v1/plans
ASMX POST /api/v1/plans
ASMXC GET /api/v1/plans/{id}
SMX POST /api/v1/plans/{id}/answer
SMX POST /api/v1/plans/{id}/cancel
ASMX POST /api/v1/plans/{id}/link
ASMXC GET /api/v1/plans/{id}/document
SMXC GET /api/v1/stages
SMXC GET /api/v1/debts/{id}/stage
SMX POST /api/v1/debts/{id}/stage
A POST /api/v1/attempts/{id}/excuse
SMXC GET /api/v1/excuses
SMXC GET /api/v1/reports/excuses
SMX GET /api/v1/letter-templates
MX POST /api/v1/letter-templates
SMX POST /api/v1/letter-templates/preview
SMXC GET /api/v1/letters
SMXC GET /api/v1/letters/{id}/pdf
SMX GET /api/v1/letter-batches
MX POST /api/v1/letter-batches
SMX GET /api/v1/letter-batches/{id}
MX POST /api/v1/letter-batches/{id}/run
SMX GET /api/v1/letter-batches/{id}/pdf
SMXC GET /api/v1/payments
MXC POST /api/v1/payments
SMXC GET /api/v1/payments/{id}
MX POST /api/v1/payments/{id}/reverse
SMXC GET /api/v1/receipts
MXC POST /api/v1/receipts
SMXC GET /api/v1/receipts/{id}
SMX GET /api/v1/receipts/{id}/suggestions
MX POST /api/v1/receipts/{id}/match
MX POST /api/v1/receipts/{id}/unmatch
MX POST /api/v1/receipts/{id}/return
SMXC GET /api/v1/claims
MXC POST /api/v1/claims/{id}/found
MXC POST /api/v1/claims/{id}/not-found
MXC GET /api/v1/bank-files
MX POST /api/v1/bank-files
MX POST /api/v1/bank-files/preview
MXC GET /api/v1/bank-files/{id}
SMXC GET /api/v1/clients/{id}/money-policy
MX PUT /api/v1/clients/{id}/money-policy
SMXC GET /api/v1/clients/{id}/law
MX PUT /api/v1/clients/{id}/law
SMX GET /api/v1/clients/{id}/law/versions
ASMX GET /api/v1/payment-links
ASMX POST /api/v1/payment-links
ASMX GET /api/v1/payment-links/{id}
ASMX POST /api/v1/payment-links/{id}/cancel
ASMX POST /api/v1/payment-links/{id}/send
ASMX GET /api/v1/debtors/{id}/payment-options
public POST /api/v1/webhooks/payments/{provider}
SMXC GET /api/v1/promises
SMXC GET /api/v1/promises/{id}
SMXC GET /api/v1/attempts
SMXC GET /api/v1/attempts/{id}
SMXC GET /api/v1/attempts/{id}/trail
SMXC GET /api/v1/calls
SMXC GET /api/v1/calls/{id}
SMXC GET /api/v1/export/attempts
SMXC GET /api/v1/recordings
SMXC GET /api/v1/recordings/{id}
SMXC GET /api/v1/recordings/{id}/audio
MX POST /api/v1/recordings/{id}/hold
MX POST /api/v1/recordings/{id}/release
SMXC GET /api/v1/verdicts
SMXC GET /api/v1/verdicts/{id}
SMX GET /api/v1/verdicts/{id}/replay
ASMX GET /api/v1/rulepacks
SMX GET /api/v1/rulepacks/presumptions
MX POST /api/v1/rulepacks/dry-run
MX GET /api/v1/rulepacks/dry-run/{id}
ASMX GET /api/v1/text-templates
MX POST /api/v1/text-templates
ASMX GET /api/v1/text-templates/{id}
MX PUT /api/v1/text-templates/{id}
SMX GET /api/v1/text-templates/{id}/versions
ASMX POST /api/v1/text-templates/{id}/preview
SMXC GET /api/v1/messages
ASMX POST /api/v1/messages
SMXC GET /api/v1/messages/{id}
SMX POST /api/v1/messages/{id}/cancel
SMX GET /api/v1/message-gateways
ASMX GET /api/v1/inbox
ASMX GET /api/v1/inbox/{id}
ASMX POST /api/v1/inbox/{id}/answer
ASMX POST /api/v1/inbox/{id}/close
SMX GET /api/v1/strategies
MX POST /api/v1/strategies
SMX GET /api/v1/strategies/{id}
MX PUT /api/v1/strategies/{id}
SMX GET /api/v1/strategies/{id}/versions
MX POST /api/v1/strategies/{id}/activate
MX POST /api/v1/strategies/{id}/retire
SMX GET /api/v1/strategies/{id}/figures
MX POST /api/v1/strategies/{id}/trial
SMX GET /api/v1/strategy-trials/{id}
SMX GET /api/v1/strategy-trials/{id}/removed
SMXC GET /api/v1/planned-steps
SMX POST /api/v1/planned-steps/{id}/end
public GET /api/v1/hooks/messages/{id}
public POST /api/v1/hooks/messages/{id}
SMXC GET /api/v1/events
X GET /api/v1/audit
";

const LOGINS: [(char, &str); 5] = [
    ('A', "agent"),
    ('S', "supervisor"),
    ('M', "manager"),
    ('X', "admin"),
    ('C', "client"),
];

fn matrix() -> BTreeMap<(String, String), &'static str> {
    let lines = MATRIX.lines().filter(|l| !l.is_empty());
    lines
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("three words");
            let (roles, method, path) = (word(), word(), word());
            ((method.to_owned(), path.to_owned()), roles)
        })
        .collect()
}

#[tokio::test]
async fn the_document_says_what_the_readme_says() {
    let app = App::start().await;
    let document = app.get("/openapi.json").send().await.json();
    let mut told = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let names = operation["x-roles"].as_array().expect("roles");
            let letters = if names.contains(&json!("public")) {
                "public".to_owned()
            } else {
                let has = |login: &str| names.contains(&json!(login));
                LOGINS
                    .iter()
                    .filter(|(_, l)| has(l))
                    .map(|(c, _)| c)
                    .collect()
            };
            told.insert((method.to_uppercase(), path.clone()), letters);
        }
    }
    let expected: BTreeMap<_, _> = matrix()
        .into_iter()
        .map(|(k, v)| (k, v.to_owned()))
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn each_route_with_each_role() {
    let app = App::start().await;
    let mut tokens = Vec::new();
    for (letter, login) in LOGINS {
        tokens.push((letter, app.token(login).await));
    }
    let mut faults = Vec::new();
    for ((method, path), roles) in matrix() {
        // The sockets have their own tickets, and their own tests.
        let socket = path.starts_with("/ws/");
        let ends_session = method == "DELETE" && path.ends_with("/sessions");
        let ask = || {
            let ask = app.ask(&method, &path_for(&path, &app.world.norte, &app.world));
            match body_for(&method, &path, &app.world.norte, &app.world) {
                Some(body) => ask.json(&body),
                None => ask,
            }
        };
        if roles == "public" {
            let reply = ask().send().await;
            let credentials = path.contains("/sessions");
            // What an address names (a link, a provider) need not be there.
            let named = path.contains('{') && reply.status == StatusCode::NOT_FOUND;
            let closed = matches!(reply.status.as_u16(), 401 | 403..=405);
            if !socket && !credentials && closed && !named {
                faults.push(format!("{method} {path} without a token: {}", reply.status));
            }
            continue;
        }
        let nobody = ask().send().await;
        if nobody.status != StatusCode::UNAUTHORIZED || nobody.code() != "unauthenticated" {
            faults.push(format!(
                "{method} {path} without a token: {}",
                nobody.status
            ));
        }
        for (letter, token) in &tokens {
            let allowed = roles.contains(*letter);
            if ends_session && allowed {
                continue;
            }
            let reply = ask().token(token).send().await;
            let refused = reply.status == StatusCode::FORBIDDEN && reply.code() == "forbidden";
            let lost = matches!(reply.status.as_u16(), 401 | 405);
            if refused == allowed || lost {
                faults.push(format!(
                    "{method} {path} as {letter}: {} {}",
                    reply.status,
                    reply.text()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn a_limited_login_may_not_change_the_installation() {
    let app = App::start().await;
    let token = app.token("norte-admin").await;
    let world = &app.world;
    for (method, path) in [
        ("POST", "/api/v1/clients"),
        ("POST", "/api/v1/teams"),
        ("PUT", "/api/v1/teams/{id}"),
        ("PUT", "/api/v1/trunks/{id}"),
        ("POST", "/api/v1/agents"),
        ("PUT", "/api/v1/agents/{id}"),
    ] {
        let body = body_for(method, path, &world.norte, world).expect("a body");
        let ask = app
            .ask(method, &path_for(path, &world.norte, world))
            .token(&token)
            .json(&body);
        assert_eq!(ask.send().await.code(), "forbidden", "{method} {path}");
    }
}
