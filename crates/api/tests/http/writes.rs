//! What may be written to the catalog, and what not.

use crate::app::App;
use crate::asks::body_for;
use serde_json::{Value, json};

#[tokio::test]
async fn everything_is_made_read_and_replaced() {
    let app = App::start().await;
    let token = app.token("admin").await;
    let world = &app.world;
    for (kind, replaced) in [
        ("clients", true),
        ("portfolios", true),
        ("debts", true),
        ("points", true),
        ("consents", false),
        ("holds", false),
        ("suppressions", false),
        ("scripts", true),
        ("caller-ids", true),
        ("teams", true),
        ("agents", true),
        ("users", true),
    ] {
        let path = format!("/api/v1/{kind}");
        let mut body = body_for("POST", &path, &world.norte, world).expect("a body");
        if kind == "clients" {
            body["name"] = json!("Este");
        }
        let made = app.post(&path).token(&token).json(&body).send().await;
        assert_eq!(made.status, 201, "{kind}: {}", made.text());
        let made = made.json();
        let row = match kind {
            "agents" => &made["agent"],
            "users" => &made["user"],
            _ => &made,
        };
        for secret in ["password_hash", "totp_secret", "sip_password"] {
            assert!(row.get(secret).is_none(), "{kind}.{secret}");
        }
        let one = format!("{path}/{}", row["id"].as_str().expect("an id"));
        let read = app.get(&one).token(&token).send().await;
        assert_eq!(&read.json(), row, "{kind}");
        if replaced {
            let item = format!("{path}/{{id}}");
            let body = body_for("PUT", &item, &world.norte, world).expect("a body");
            let body = if kind == "clients" {
                json!({"name": "Oeste", "callback_number": "+525550000009"})
            } else {
                body
            };
            let body = if kind == "agents" {
                json!({"name": "Eva", "sip_user": "eva2", "team_id": null, "campaigns": [], "skills": ["es"]})
            } else {
                body
            };
            let put = app.ask("PUT", &one).token(&token).json(&body).send().await;
            assert_eq!(put.status, 200, "{kind}: {}", put.text());
            let read = app.get(&one).token(&token).send().await.json();
            for (name, value) in body.as_object().expect("an object") {
                assert_eq!(&read[name], value, "{kind}.{name}");
            }
        }
    }
}

#[tokio::test]
async fn values_that_do_not_fit() {
    let app = App::start().await;
    let token = app.token("admin").await;
    let world = &app.world;
    for (path, field, value) in [
        ("/portfolios", "currency", json!("pesos")),
        ("/portfolios", "zone", json!("Mars/Base")),
        ("/portfolios", "creditor_kind", json!("friend")),
        ("/portfolios", "client_id", json!(world.team)),
        ("/debts", "principal_minor", json!(-1)),
        ("/debts", "principal_minor", json!(1.5)),
        ("/debts", "due_date", json!("2026-02-30")),
        ("/debts", "statute_date", json!("2026-02-30")),
        ("/points", "value", json!("+52")),
        ("/points", "position", json!(-1)),
        ("/consents", "purpose", json!("fun")),
        ("/consents", "until", json!("2020-01-01T00:00:00Z")),
        ("/consents", "proof", json!("")),
        ("/holds", "kind", json!("promise")),
        ("/holds", "kind", json!("channel_optout")),
        ("/holds", "scope", json!("debt")),
        ("/holds", "debt_id", json!(world.sur.debt)),
        ("/holds", "point_id", json!(world.sur.point)),
        ("/suppressions", "value", json!("12")),
        ("/scripts", "steps", json!([])),
        ("/caller-ids", "country", json!("MEX")),
        ("/agents", "user_id", Value::Null),
        ("/agents", "sip_user", json!("a b")),
        ("/agents", "sip_password", json!("short")),
        ("/users", "username", json!("x")),
        ("/users", "role", json!("owner")),
        ("/users", "role", json!("client")),
        ("/users", "password", json!("short")),
        ("/users", "username", json!("con espacio")),
    ] {
        let path = format!("/api/v1{path}");
        let mut body = body_for("POST", &path, &world.norte, world).expect("a body");
        body[field] = value.clone();
        let reply = app.post(&path).token(&token).json(&body).send().await;
        assert_eq!(
            reply.status,
            422,
            "{path} {field}={value}: {}",
            reply.text()
        );
        assert_eq!(reply.code(), "invalid");
        assert_eq!(reply.json()["errors"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn what_is_taken_and_what_nobody_may_do_to_himself() {
    let app = App::start().await;
    let token = app.token("admin").await;
    let world = &app.world;
    for (path, body) in [
        (
            "/clients",
            json!({"name": "Sur", "callback_number": "+525550000001"}),
        ),
        (
            "/portfolios",
            json!({"client_id": world.norte.client, "name": "Tarjetas", "currency": "MXN",
            "creditor_kind": "financial", "zone": "America/Mexico_City"}),
        ),
        (
            "/points",
            json!({"debtor_id": world.norte.debtor, "value": "+525512345671"}),
        ),
        (
            "/users",
            json!({"username": "Manager", "display_name": "M", "role": "manager"}),
        ),
        (
            "/agents",
            json!({"user_id": world.spare_user, "name": "Eva", "sip_user": "ana"}),
        ),
        (
            "/agents",
            json!({"user_id": world.agent_user, "name": "Ana", "sip_user": "ana2"}),
        ),
    ] {
        let reply = app
            .post(&format!("/api/v1{path}"))
            .token(&token)
            .json(&body)
            .send()
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (409, "conflict".into()),
            "{path} {body}"
        );
    }
    let me = app.get("/api/v1/me").token(&token).send().await.json();
    let path = format!(
        "/api/v1/users/{}",
        me["user"]["id"].as_str().expect("an id")
    );
    let closed = json!({"display_name": "A", "role": "admin", "client_id": null, "active": false});
    let reply = app
        .ask("PUT", &path)
        .token(&token)
        .json(&closed)
        .send()
        .await;
    assert_eq!(reply.code(), "conflict");
}

#[tokio::test]
async fn revoke_and_lift_are_once_and_for_all() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let own = &app.world.norte;
    for (path, mark) in [
        (
            format!("/api/v1/consents/{}/revoke", own.consent),
            "revoked_at",
        ),
        (format!("/api/v1/holds/{}/lift", own.hold), "lifted_at"),
        (
            format!("/api/v1/suppressions/{}/lift", own.suppression),
            "lifted_at",
        ),
    ] {
        let first = app.post(&path).token(&token).send().await;
        assert_eq!(first.status, 200, "{}", first.text());
        let at = first.json()[mark].clone();
        assert!(at.is_string(), "{path}");
        app.pass_ms(1_000);
        let again = app.post(&path).token(&token).send().await;
        assert_eq!(again.json()[mark], at, "{path}");
    }
}
