//! Bad input: JSON, fields, sizes, types, methods, addresses, queries. Each a problem with its code.

use crate::app::App;
use axum::http::StatusCode;
use serde_json::{Value, json};

const CLIENTS: &str = "/api/v1/clients";

fn good() -> Value {
    json!({"name": "Este", "callback_number": "+525550000003"})
}

#[tokio::test]
async fn bad_bodies() {
    let app = App::start().await;
    let token = app.token("admin").await;
    for (body, status, code, path) in [
        ("{", 400, "bad_json", ""),
        ("", 400, "bad_json", ""),
        (
            r#"{"name":"x","callback_number":"+525550000003"} {}"#,
            400,
            "bad_json",
            "",
        ),
        ("[]", 422, "invalid", "."),
        (r#"{"name":"x"}"#, 422, "invalid", "."),
        (
            r#"{"name":7,"callback_number":"+525550000003"}"#,
            422,
            "invalid",
            "name",
        ),
        (
            r#"{"name":"x","callback_number":"+525550000003","extra":1}"#,
            422,
            "invalid",
            "extra",
        ),
        (
            r#"{"name":"","callback_number":"+525550000003"}"#,
            422,
            "invalid",
            "name",
        ),
        (
            r#"{"name":"x","callback_number":"5550000003"}"#,
            422,
            "invalid",
            "callback_number",
        ),
        (
            r#"{"name":"x","callback_number":"+521"}"#,
            422,
            "invalid",
            "callback_number",
        ),
    ] {
        let ask = app
            .post(CLIENTS)
            .token(&token)
            .body("application/json", body);
        let reply = ask.send().await;
        assert_eq!(reply.status.as_u16(), status, "{body}: {}", reply.text());
        assert_eq!(reply.code(), code, "{body}");
        if !path.is_empty() {
            let errors = reply.json()["errors"].clone();
            assert_eq!(errors[0]["path"], path, "{body}: {errors}");
            assert!(errors[0]["reason"].as_str().is_some_and(|r| !r.is_empty()));
        }
    }
}

#[tokio::test]
async fn too_big_wrong_type_wrong_method_wrong_address() {
    let app = App::start().await;
    let token = app.token("admin").await;
    let mut big = good();
    big["name"] = json!("x".repeat(api::BODY_MAX_BYTES));
    let reply = app.post(CLIENTS).token(&token).json(&big).send().await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large".into())
    );
    let keyed = app
        .post(CLIENTS)
        .token(&token)
        .json(&big)
        .header("idempotency-key", "big");
    assert_eq!(keyed.send().await.code(), "body_too_large");
    let reply = app
        .post(CLIENTS)
        .token(&token)
        .body("text/plain", good().to_string())
        .send()
        .await;
    assert_eq!(reply.code(), "unsupported_media_type");
    let reply = app
        .ask("PATCH", CLIENTS)
        .token(&token)
        .json(&good())
        .send()
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed".into())
    );
    let reply = app.get("/api/v1/nothing/here").token(&token).send().await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::NOT_FOUND, "not_found".into())
    );
    let reply = app
        .get("/api/v1/clients/not-a-uuid")
        .token(&token)
        .send()
        .await;
    assert_eq!(reply.code(), "not_found");
    let refused = app.post(CLIENTS).json(&big).send().await;
    assert_eq!(
        refused.code(),
        "unauthenticated",
        "the gate comes before the body"
    );
}

#[tokio::test]
async fn bad_queries() {
    let app = App::start().await;
    let token = app.token("manager").await;
    for (path, code) in [
        ("/clients?limit=0", "bad_query"),
        ("/clients?limit=501", "bad_query"),
        ("/clients?limit=x", "bad_query"),
        ("/clients?clent=1", "bad_query"),
        ("/clients?client=7", "bad_query"),
        ("/clients?cursor=zzz", "bad_cursor"),
        ("/attempts?since=yesterday", "bad_query"),
        ("/attempts?cursor=zzz", "bad_cursor"),
        ("/events?after=-1", "bad_cursor"),
        ("/verdicts", "bad_query"),
        ("/export/attempts?format=xml", "bad_query"),
    ] {
        let reply = app
            .get(&format!("/api/v1{path}"))
            .token(&token)
            .send()
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (StatusCode::BAD_REQUEST, code.to_owned()),
            "{path}"
        );
    }
    let agent = app.token("agent").await;
    let reply = app.get("/api/v1/debtors").token(&agent).send().await;
    assert_eq!(
        reply.code(),
        "bad_query",
        "agents have to say whom they look for"
    );
}

#[tokio::test]
async fn a_database_away_is_no_secret_and_no_crash() {
    let app = App::start().await;
    let token = app.token("manager").await;
    app.store.set_down(true);
    let reply = app.get(CLIENTS).token(&token).send().await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable".into())
    );
    assert!(!reply.header("retry-after").is_empty());
    assert!(
        !reply.text().contains("simulated"),
        "no inside story: {}",
        reply.text()
    );
}

#[tokio::test]
async fn safe_headers_everywhere() {
    let app = App::start().await;
    for path in ["/api/v1/clock", "/docs", "/api/v1/nothing", "/api/v1/me"] {
        let reply = app.get(path).send().await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert!(
            reply
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert!(reply.header("server").is_empty());
    }
}
