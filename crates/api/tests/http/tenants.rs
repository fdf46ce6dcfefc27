//! Isolation: users of one client and the rows of another, over every route of the document.

use crate::app::App;
use crate::world::{Own, World};
use api::auth::{Access, route_table};
use domain::entity::Role;
use serde_json::{Value, json};

/// A path with the ids of `own`.
pub(crate) fn path_for(path: &str, own: &Own, world: &World) -> String {
    let kind = path.strip_prefix("/api/v1/").unwrap_or(path);
    let kind = kind.split('/').next().unwrap_or("");
    let id = match kind {
        "clients" => own.client.to_string(),
        "portfolios" => own.portfolio.to_string(),
        "debts" => own.debt.to_string(),
        "points" => own.point.to_string(),
        "consents" => own.consent.to_string(),
        "holds" => own.hold.to_string(),
        "suppressions" => own.suppression.to_string(),
        "scripts" => own.script.to_string(),
        "segments" => own.segment.to_string(),
        "campaigns" => own.campaign.to_string(),
        "caller-ids" => own.caller_id.to_string(),
        "debtors" => own.debtor.to_string(),
        "payments" => own.payment.to_string(),
        "promises" => own.promise.to_string(),
        "attempts" | "preview" => own.attempt.to_string(),
        "calls" if path.matches('/').count() > 4 => own.attempt.to_string(),
        "calls" => own.call.to_string(),
        "recordings" => own.recording.to_string(),
        "verdicts" => own.verdict.to_string(),
        "teams" => world.team.to_string(),
        "trunks" => world.trunk.to_string(),
        "agents" => world.agent.to_string(),
        "users" => world.agent_user.to_string(),
        _ => own.client.to_string(),
    };
    let path = path
        .replace("{id}", &id)
        .replace("{code}", "CD.NP.NOQUIERE");
    match kind {
        "verdicts" if path.ends_with("/verdicts") => format!("{path}?debtor={}", own.debtor),
        "debtors" if path.ends_with("/debtors") => format!("{path}?q=D-1"),
        "imports" if path.ends_with("/imports") => {
            format!(
                "{path}?client={}&portfolio=Tarjetas&dry_run=true",
                own.client
            )
        }
        _ => path,
    }
}

/// A body that fits the route, about the rows of `own`.
pub(crate) fn body_for(method: &str, path: &str, own: &Own, world: &World) -> Option<Value> {
    let amounts = json!({"external_ref": "C-9", "product": "tarjeta", "currency": "MXN", "principal_minor": 1,
        "interest_minor": 0, "fees_minor": 0, "overdue_minor": 1, "minimum_minor": 1, "due_date": "2026-10-01"});
    let steps = json!([{"key": "a", "title_es": "A", "title_en": "A", "text_es": "a", "text_en": "a", "before_identity": true}]);
    let with = |mut value: Value, name: &str, more: Value| {
        value[name] = more;
        value
    };
    let portfolio = json!({"name": "Otra", "currency": "MXN", "creditor_kind": "financial", "zone": "America/Mexico_City"});
    let caller_id =
        json!({"number": "+525550000099", "country": "MX", "registered": false, "enabled": false});
    let point = json!({"value": "+525511112222", "class": "home", "role": "titular", "authorised": true,
        "given_by_debtor": true, "position": 1, "bad": false, "confidence": 50});
    Some(
        match (method, path.strip_prefix("/api/v1").unwrap_or(path)) {
            ("POST", "/clients") | ("PUT", "/clients/{id}") => {
                json!({"name": "Norte", "callback_number": "+525550000001"})
            }
            ("POST", "/portfolios") => with(portfolio, "client_id", json!(own.client)),
            ("PUT", "/portfolios/{id}") => portfolio,
            ("POST", "/debts") => with(amounts, "debtor_id", json!(own.debtor)),
            ("PUT", "/debts/{id}") => with(amounts, "status", json!("open")),
            ("POST", "/points") => json!({"debtor_id": own.debtor, "value": "+525533334444"}),
            ("PUT", "/points/{id}") => point,
            ("POST", "/consents") => {
                json!({"debtor_id": own.debtor, "channel": "call", "purpose": "contact", "proof": "x"})
            }
            ("POST", "/holds") => {
                json!({"debtor_id": own.debtor, "kind": "dispute", "evidence": "x"})
            }
            ("POST", "/suppressions") => {
                json!({"kind": "phone", "value": "+525512340000", "reason": "list", "client_id": own.client})
            }
            ("POST", "/scripts") => {
                json!({"client_id": own.client, "name": "Otro", "steps": steps})
            }
            ("PUT", "/scripts/{id}") => json!({"name": "Otro", "steps": steps}),
            ("POST", "/caller-ids") => with(caller_id, "client_id", json!(own.client)),
            ("PUT", "/caller-ids/{id}") => caller_id,
            ("POST", "/payments") => {
                json!({"debtor_id": own.debtor, "debt_id": own.debt, "channel": "cash",
            "amount": {"amount_minor": 100, "currency": "MXN"}, "paid_at": "2026-11-23T15:00:00.000Z", "reference": "r-9"})
            }
            ("POST", "/segments") => {
                json!({"client_id": own.client, "name": "Todos", "expression": "all"})
            }
            ("PUT", "/segments/{id}") => json!({"name": "Todos", "expression": "all"}),
            ("POST", "/segments/preview") => json!({"client_id": own.client, "expression": "all"}),
            ("POST", "/campaigns") => {
                json!({"client_id": own.client, "name": "Otra", "segment_id": own.segment})
            }
            ("PATCH", "/campaigns/{id}") => json!({"name": "Otra"}),
            ("POST", "/teams") | ("PUT", "/teams/{id}") => json!({"name": "Otro"}),
            ("POST", "/agents") => {
                json!({"user_id": world.spare_user, "name": "Eva", "sip_user": "eva"})
            }
            ("PUT", "/agents/{id}") => {
                json!({"name": "Ana", "sip_user": "ana", "team_id": null, "campaigns": [], "skills": []})
            }
            ("POST", "/users") => {
                json!({"username": "otra", "display_name": "Otra", "role": "agent"})
            }
            ("PUT", "/users/{id}") => {
                json!({"display_name": "Ana", "role": "agent", "client_id": null, "active": true})
            }
            ("PUT", "/trunks/{id}") => json!({"channels": 30, "cps": 5, "enabled": true}),
            ("POST", "/api-keys") => json!({"name": "k", "role": "manager"}),
            ("POST", "/me/password") => json!({"old": "not the one", "new": "another password"}),
            ("POST", "/me/totp/confirm") => json!({"secret": "JBSWY3DPEHPK3PXP", "otp": "000000"}),
            ("POST", "/sessions") => json!({"username": "nobody", "password": "x"}),
            ("POST", "/agents/me/state" | "/agents/{id}/state") => {
                json!({"state": "paused", "code": "break"})
            }
            ("POST", "/attempts/{id}/identity") => json!({"role": "titular"}),
            ("POST", "/attempts/{id}/hold" | "/attempts/{id}/mute") => json!({"on": true}),
            ("POST", "/attempts/{id}/dtmf") => json!({"digit": "5"}),
            ("POST", "/attempts/{id}/disposition") => json!({"code": "NC.NR"}),
            ("POST", "/calls/{id}/monitor") => json!({"mode": "listen"}),
            ("POST", "/debtors/{id}/dial") => json!({"point_id": own.point}),
            ("PUT", "/dispositions/{code}") => {
                json!({"label_es": "No quiere", "label_en": "Refuses"})
            }
            _ => return None,
        },
    )
}

/// Rows of the floor and of the installation: no client's.
const NOBODYS: [&str; 6] = [
    "teams",
    "trunks",
    "agents",
    "users",
    "api-keys",
    "dispositions",
];

fn is_nobodys(path: &str) -> bool {
    NOBODYS
        .iter()
        .any(|kind| path.starts_with(&format!("/api/v1/{kind}/")))
}

const LIMITED: [(&str, Role); 4] = [
    ("client", Role::Client),
    ("norte-supervisor", Role::Supervisor),
    ("norte-manager", Role::Manager),
    ("norte-admin", Role::Admin),
];

#[tokio::test]
async fn another_clients_id_is_no_such_thing() {
    let app = App::start().await;
    let mut count = 0;
    let mut faults = Vec::new();
    for (login, role) in LIMITED {
        let token = app.token(login).await;
        for row in route_table() {
            let by_role = matches!(row.access, Access::Roles(roles) if roles.contains(&role));
            if !by_role || !row.path.contains("{id}") || is_nobodys(row.path) {
                continue;
            }
            let ask = app.ask(row.method, &path_for(row.path, &app.world.sur, &app.world));
            let ask = match body_for(row.method, row.path, &app.world.sur, &app.world) {
                Some(body) => ask.json(&body),
                None => ask,
            };
            let reply = ask.token(&token).send().await;
            count += 1;
            if reply.status != 404 || reply.code() != "not_found" {
                faults.push(format!(
                    "{login}: {} {}: {} {}",
                    row.method,
                    row.path,
                    reply.status,
                    reply.text()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(count > 100, "{count}");
}

#[tokio::test]
async fn nothing_is_written_for_another_client() {
    let app = App::start().await;
    let mut faults = Vec::new();
    for (login, role) in LIMITED {
        let token = app.token(login).await;
        for row in route_table() {
            let by_role = matches!(row.access, Access::Roles(roles) if roles.contains(&role));
            let body = body_for(row.method, row.path, &app.world.sur, &app.world);
            let names_him = body.as_ref().is_some_and(|b| {
                let text = b.to_string();
                app.world.sur.all().iter().any(|id| text.contains(id))
            });
            if !by_role || !names_him || row.path.contains("{id}") {
                continue;
            }
            let ask = app
                .ask(row.method, row.path)
                .token(&token)
                .json(&body.expect("seen"));
            let reply = ask.send().await;
            if !matches!(reply.status.as_u16(), 403 | 404 | 422) {
                faults.push(format!(
                    "{login}: {} {}: {} {}",
                    row.method,
                    row.path,
                    reply.status,
                    reply.text()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn lists_show_no_id_of_another_client() {
    let app = App::start().await;
    let foreign = app.world.sur.all();
    let mut faults = Vec::new();
    let mut count = 0;
    for (login, role) in LIMITED {
        let token = app.token(login).await;
        for row in route_table() {
            let by_role = matches!(row.access, Access::Roles(roles) if roles.contains(&role));
            if row.method != "GET" || row.path.contains('{') || !by_role {
                continue;
            }
            let own = path_for(row.path, &app.world.norte, &app.world);
            let all = app.get(&own).token(&token).send().await;
            let text = String::from_utf8_lossy(&all.body).into_owned();
            count += 1;
            if !all.status.is_success() || foreign.iter().any(|id| text.contains(id)) {
                faults.push(format!("{login}: {own}: {} {text}", all.status));
            }
        }
        for kind in ["debts", "campaigns", "recordings", "debtors", "payments"] {
            let path = format!("/api/v1/{kind}?client={}", app.world.sur.client);
            let code = app.get(&path).token(&token).send().await.code();
            if code != "forbidden" {
                faults.push(format!("{login}: {path}: {code}"));
            }
        }
        for kind in ["points", "consents", "holds", "promises"] {
            let path = format!("/api/v1/{kind}?debtor={}", app.world.sur.debtor);
            let page = app.get(&path).token(&token).send().await.json();
            if page["items"] != json!([]) {
                faults.push(format!("{login}: {path}: {page}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(count > 60, "{count}");
}

#[tokio::test]
async fn the_installations_own_rows_are_not_a_clients() {
    let app = App::start().await;
    let admin = app.token("admin").await;
    let body = json!({"kind": "phone", "value": "+525512340000", "reason": "list"});
    let made = app
        .post("/api/v1/suppressions")
        .token(&admin)
        .json(&body)
        .send()
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let client = app.token("client").await;
    let list = app
        .get("/api/v1/suppressions")
        .token(&client)
        .send()
        .await
        .text();
    assert!(!list.contains(&id));
    let one = app
        .get(&format!("/api/v1/suppressions/{id}"))
        .token(&client)
        .send()
        .await;
    assert_eq!(one.code(), "not_found");
    let limited = app.token("norte-admin").await;
    let users = app
        .get("/api/v1/users?limit=500")
        .token(&limited)
        .send()
        .await
        .json();
    let all = users["items"].as_array().expect("a list");
    assert!(
        !all.is_empty()
            && all
                .iter()
                .all(|u| u["client_id"] == json!(app.world.norte.client))
    );
}
