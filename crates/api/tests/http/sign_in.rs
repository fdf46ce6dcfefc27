//! Sign-in, refresh, reuse, sign-out, throttle, passwords, tickets, keys.

use crate::app::{App, PASSWORD};
use axum::http::StatusCode;
use serde_json::json;

const SESSIONS: &str = "/api/v1/sessions";
const REFRESH: &str = "/api/v1/sessions/refresh";
const ME: &str = "/api/v1/me";

#[tokio::test]
async fn a_token_and_a_cookie_that_rotates() {
    let app = App::start().await;
    let first = app.sign_in("manager").await;
    assert_eq!(first.status, StatusCode::OK);
    let body = first.json();
    assert_eq!(body["role"], "manager");
    assert_eq!(body["second_factor"], "ok");
    assert_eq!(body["agent"], json!(null));
    let set = first.header("set-cookie");
    assert!(
        set.contains("; Path=/api/v1/sessions; HttpOnly; SameSite=Lax; Max-Age=43200"),
        "{set}"
    );
    assert!(
        !set.contains("Secure"),
        "plain HTTP on 127.0.0.1 has to work"
    );
    let token = body["token"].as_str().expect("a token");
    let me = app.get(ME).token(token).send().await.json();
    assert_eq!(me["user"]["username"], "manager");
    assert!(me["user"].get("password_hash").is_none());
    let permitted = me["permissions"].as_array().expect("a list");
    assert!(permitted.contains(&json!("POST /api/v1/campaigns")));
    assert!(!permitted.contains(&json!("POST /api/v1/users")));

    let old = first.cookie().expect("a cookie");
    let second = app.post(REFRESH).header("cookie", &old).send().await;
    assert_eq!(second.status, StatusCode::OK);
    let fresh = second.cookie().expect("a cookie");
    assert_ne!(fresh, old);

    // A page left before its answer came asks again with the old cookie, and is given what it lost.
    app.pass_ms(9_999);
    let again = app.post(REFRESH).header("cookie", &old).send().await;
    assert_eq!(
        (again.status, again.cookie()),
        (StatusCode::OK, Some(fresh.clone()))
    );
    let token = again.json()["token"].as_str().expect("a token").to_owned();
    let me = app.get(ME).token(&token).send().await;
    assert_eq!(me.status, StatusCode::OK);

    // The old cookie later on: somebody has a copy, so the whole family ends.
    app.pass_ms(1);
    let stolen = app.post(REFRESH).header("cookie", &old).send().await;
    assert_eq!(
        (stolen.status, stolen.code()),
        (StatusCode::UNAUTHORIZED, "unauthenticated".into())
    );
    let after = app.post(REFRESH).header("cookie", &fresh).send().await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED);
    let token = second.json()["token"].as_str().expect("a token").to_owned();
    let me = app.get(ME).token(&token).send().await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED, "its tokens end too");
}

#[tokio::test]
async fn signing_out_ends_tokens_and_cookie() {
    let app = App::start().await;
    let reply = app.sign_in("agent").await;
    let body = reply.json();
    assert_eq!(body["agent"]["name"], "Ana");
    let token = body["token"].as_str().expect("a token");
    let out = app.ask("DELETE", SESSIONS).token(token).send().await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let me = app.get(ME).token(token).send().await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED);
    let cookie = reply.cookie().expect("a cookie");
    let again = app.post(REFRESH).header("cookie", &cookie).send().await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_live_fifteen_minutes_and_families_twelve_hours() {
    let app = App::start().await;
    let reply = app.sign_in("agent").await;
    let token = reply.json()["token"].as_str().expect("a token").to_owned();
    app.pass_ms(15 * 60_000 - 1);
    assert_eq!(
        app.get(ME).token(&token).send().await.status,
        StatusCode::OK
    );
    app.pass_ms(1);
    assert_eq!(
        app.get(ME).token(&token).send().await.status,
        StatusCode::UNAUTHORIZED
    );
    let cookie = reply.cookie().expect("a cookie");
    let next = app.post(REFRESH).header("cookie", &cookie).send().await;
    assert_eq!(next.status, StatusCode::OK);
    app.pass_ms(12 * 3_600_000);
    let cookie = next.cookie().expect("a cookie");
    let late = app.post(REFRESH).header("cookie", &cookie).send().await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_refusal_looks_the_same() {
    let app = App::start().await;
    for (name, password) in [
        ("manager", "wrong password 1"),
        ("nobody", PASSWORD),
        ("manager", ""),
    ] {
        let body = json!({"username": name, "password": password});
        let reply = app.post(SESSIONS).json(&body).send().await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert_eq!(reply.code(), "bad_credentials");
        assert!(reply.cookie().is_none());
    }
    for broken in [
        "",
        "Bearer",
        "Bearer x",
        "Bearer mk_x",
        "Basic eDp5",
        "Bearer mt1.k1.e30.AAAA",
    ] {
        let reply = app.get(ME).header("authorization", broken).send().await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{broken}");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn ten_guesses_are_free_then_one_source_waits() {
    let app = App::start().await;
    let wrong = json!({"username": "manager", "password": "wrong password"});
    for _ in 0..10 {
        let reply = app.post(SESSIONS).json(&wrong).send().await;
        assert_eq!(reply.code(), "bad_credentials");
    }
    let right = json!({"username": "manager", "password": PASSWORD});
    let waits = app.post(SESSIONS).json(&right).send().await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(waits.code(), "too_many_attempts");
    assert_eq!(waits.header("retry-after"), "2");
    let elsewhere = app
        .post(SESSIONS)
        .json(&right)
        .from([10, 0, 0, 9])
        .send()
        .await;
    assert_eq!(
        elsewhere.status,
        StatusCode::OK,
        "the account itself is not locked"
    );
    app.pass_ms(2_000);
    let again = app.post(SESSIONS).json(&right).send().await;
    assert_eq!(again.status, StatusCode::OK);
    let reply = app.post(SESSIONS).json(&wrong).send().await;
    assert_eq!(
        reply.code(),
        "bad_credentials",
        "a right guess forgets the wrong ones"
    );
}

#[tokio::test]
async fn a_changed_password_and_a_closed_login() {
    let app = App::start().await;
    let token = app.token("supervisor").await;
    let path = "/api/v1/me/password";
    let short = json!({"old": PASSWORD, "new": "short"});
    assert_eq!(
        app.post(path)
            .token(&token)
            .json(&short)
            .send()
            .await
            .code(),
        "invalid"
    );
    let wrong = json!({"old": "not this one", "new": "a new password"});
    let reply = app.post(path).token(&token).json(&wrong).send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (422, "invalid".into())
    );
    let right = json!({"old": PASSWORD, "new": "a new password"});
    let reply = app.post(path).token(&token).json(&right).send().await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(
        app.sign_in("supervisor").await.status,
        StatusCode::UNAUTHORIZED
    );

    let admin = app.token("admin").await;
    let me = app.get(ME).token(&token).send().await.json();
    let user = format!(
        "/api/v1/users/{}",
        me["user"]["id"].as_str().expect("an id")
    );
    let closed =
        json!({"display_name": "S", "role": "supervisor", "client_id": null, "active": false});
    let reply = app
        .ask("PUT", &user)
        .token(&admin)
        .json(&closed)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    app.pass_ms(5_000);
    assert_eq!(
        app.get(ME).token(&token).send().await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn tickets_are_for_people_who_are_signed_in() {
    let app = App::start().await;
    let token = app.token("agent").await;
    let made = app.post("/api/v1/ws-tickets").token(&token).send().await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert!(
        made.json()["ticket"]
            .as_str()
            .is_some_and(|t| t.len() >= 32)
    );
    let client = app.token("client").await;
    let refused = app.post("/api/v1/ws-tickets").token(&client).send().await;
    assert_eq!(refused.code(), "forbidden");
}

#[tokio::test]
async fn an_api_key_is_shown_once_scoped_and_revocable() {
    let app = App::start().await;
    let admin = app.token("admin").await;
    let path = "/api/v1/api-keys";
    let body = json!({"name": "bank", "role": "client", "client_id": app.world.norte.client});
    let made = app.post(path).token(&admin).json(&body).send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    let key = made["key"].as_str().expect("a key");
    assert!(key.starts_with("mk_"));
    assert!(made["api_key"].get("key_hash").is_none());
    let listed = app.get(path).token(&admin).send().await.text();
    assert!(!listed.contains(key) && listed.contains("bank"));

    let seen = app.get("/api/v1/clients").token(key).send().await.json();
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        app.get("/api/v1/users").token(key).send().await.code(),
        "forbidden"
    );
    let id = made["api_key"]["id"].as_str().expect("an id");
    let gone = app
        .ask("DELETE", &format!("{path}/{id}"))
        .token(&admin)
        .send()
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(
        app.get("/api/v1/clients").token(key).send().await.status,
        StatusCode::UNAUTHORIZED
    );

    for body in [
        json!({"name": "x", "role": "agent"}),
        json!({"name": "x", "role": "client"}),
        json!({"name": " ", "role": "admin"}),
    ] {
        assert_eq!(
            app.post(path).token(&admin).json(&body).send().await.code(),
            "invalid",
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_foreign_origin_may_not_write() {
    let app = App::start().await;
    let body = json!({"username": "agent", "password": PASSWORD});
    for (origin, status) in [
        ("http://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
        ("http://marcador.example", StatusCode::OK),
    ] {
        let reply = app
            .post(SESSIONS)
            .header("origin", origin)
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, status, "{origin}");
    }
    let read = app
        .get("/api/v1/clock")
        .header("origin", "http://evil.example")
        .send()
        .await;
    assert_eq!(read.status, StatusCode::OK);
}
