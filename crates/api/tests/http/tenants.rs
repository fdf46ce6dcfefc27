//! Isolation: users of one client and the rows of another, over every route of the document.

use crate::app::App;
use crate::asks::{body_for, path_for};
use api::auth::{Access, route_table};
use domain::entity::Role;
use serde_json::json;

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
            // What a new file is asked with is nothing that the list of files knows.
            let own = match row.path {
                "/api/v1/imports" => row.path.to_owned(),
                path => path_for(path, &app.world.norte, &app.world),
            };
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
