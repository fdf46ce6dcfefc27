//! What ends a sign-in: another password, role or second factor, and the end of the one who made a key.

use crate::app::{App, PASSWORD};
use axum::http::StatusCode;
use serde_json::{Value, json};

const REFRESH: &str = "/api/v1/sessions/refresh";
const ME: &str = "/api/v1/me";

async fn status_of(app: &App, token: &str) -> StatusCode {
    app.get(ME).token(token).send().await.status
}

fn token_of(body: &Value) -> String {
    body["token"].as_str().expect("a token").to_owned()
}

/// Replaces a login by the admin's hand.
async fn replace(app: &App, token: &str, body: Value) {
    let me = app.get(ME).token(token).send().await.json();
    let id = me["user"]["id"].as_str().expect("an id").to_owned();
    let admin = app.token("admin").await;
    let path = format!("/api/v1/users/{id}");
    let reply = app.ask("PUT", &path).token(&admin).json(&body).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sign_ins() {
    let app = App::start().await;
    let stolen = app.sign_in("agent").await;
    let own = app.token("agent").await;
    let body = json!({"old": PASSWORD, "new": "a new password"});
    let path = "/api/v1/me/password";
    let changed = app.post(path).token(&own).json(&body).send().await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT);
    assert_eq!(status_of(&app, &own).await, StatusCode::OK);
    let other = token_of(&stolen.json());
    assert_eq!(status_of(&app, &other).await, StatusCode::UNAUTHORIZED);
    let cookie = stolen.cookie().expect("a cookie");
    let again = app.post(REFRESH).header("cookie", &cookie).send().await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_closed_login_and_a_reset_password_end_at_once() {
    for change in [
        json!({"display_name": "A", "role": "agent", "client_id": null, "active": false}),
        json!({"display_name": "A", "role": "agent", "client_id": null, "active": true, "password": "another one"}),
        json!({"display_name": "A", "role": "agent", "client_id": null, "active": true, "reset_totp": true}),
    ] {
        let app = App::start().await;
        let reply = app.sign_in("agent").await;
        let token = token_of(&reply.json());
        assert_eq!(status_of(&app, &token).await, StatusCode::OK);
        replace(&app, &token, change.clone()).await;
        let after = status_of(&app, &token).await;
        assert_eq!(after, StatusCode::UNAUTHORIZED, "{change}");
        let cookie = reply.cookie().expect("a cookie");
        let again = app.post(REFRESH).header("cookie", &cookie).send().await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED, "{change}");
    }
    // A new name alone ends nothing.
    let app = App::start().await;
    let token = app.token("agent").await;
    let renamed =
        json!({"display_name": "Ana B", "role": "agent", "client_id": null, "active": true});
    replace(&app, &token, renamed).await;
    assert_eq!(status_of(&app, &token).await, StatusCode::OK);
}

#[tokio::test]
async fn a_key_ends_with_the_one_who_made_it() {
    let app = App::start().await;
    let admin = app.token("admin").await;
    let second = json!({"username": "second", "display_name": "Second", "role": "admin", "password": PASSWORD});
    let made = app
        .post("/api/v1/users")
        .token(&admin)
        .json(&second)
        .send()
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let other = app.token("second").await;
    let body = json!({"name": "export", "role": "supervisor"});
    let key = app
        .post("/api/v1/api-keys")
        .token(&other)
        .json(&body)
        .send()
        .await;
    let key = key.json()["key"].as_str().expect("a key").to_owned();
    let ask = || app.get("/api/v1/clients").token(&key).send();
    assert_eq!(ask().await.status, StatusCode::OK);
    let lowered =
        json!({"display_name": "Second", "role": "agent", "client_id": null, "active": true});
    replace(&app, &other, lowered).await;
    assert_eq!(ask().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_sees_one_client_stops_no_agent_of_the_house() {
    let app = App::start().await;
    let token = app.token("norte-supervisor").await;
    let me = app
        .get(ME)
        .token(&app.token("agent").await)
        .send()
        .await
        .json();
    let agent = me["agent"]["id"].as_str().expect("an agent");
    let path = format!("/api/v1/agents/{agent}/state");
    let body = json!({"state": "offline"});
    let reply = app.post(&path).token(&token).json(&body).send().await;
    assert_eq!(
        (reply.status, reply.code()),
        (StatusCode::FORBIDDEN, "forbidden".into())
    );
}

#[tokio::test]
async fn a_source_that_guesses_many_names_waits() {
    let app = App::start().await;
    let sessions = "/api/v1/sessions";
    for n in 0..60 {
        let body = json!({"username": format!("name{n}"), "password": "wrong password"});
        let reply = app.post(sessions).json(&body).send().await;
        assert_eq!(reply.code(), "bad_credentials", "{n}");
    }
    let right = json!({"username": "agent", "password": PASSWORD});
    let waits = app.post(sessions).json(&right).send().await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS);
    let elsewhere = app
        .post(sessions)
        .json(&right)
        .from([10, 0, 0, 9])
        .send()
        .await;
    assert_eq!(elsewhere.status, StatusCode::OK);
    app.pass_ms(60_000);
    let after = app.post(sessions).json(&right).send().await;
    assert_eq!(after.status, StatusCode::OK);
}

#[tokio::test]
async fn no_value_holds_a_nul() {
    let app = App::start().await;
    let body = json!({"username": "a\u{0}", "password": PASSWORD});
    let reply = app.post("/api/v1/sessions").json(&body).send().await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let token = app.token("manager").await;
    let query = app.get("/api/v1/debtors?q=%00").token(&token).send().await;
    assert_eq!(query.code(), "bad_query");
    let path = "/api/v1/debtors/search";
    let nul = json!({"q": "\u{0}"});
    let reply = app.post(path).token(&token).json(&nul).send().await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let slash = json!({"q": "\\u0000"});
    let reply = app.post(path).token(&token).json(&slash).send().await;
    assert_eq!(
        reply.status,
        StatusCode::OK,
        "a backslash is a sign like others"
    );
    let found = json!({"q": "PEIN800101"});
    let reply = app
        .post(path)
        .token(&token)
        .json(&found)
        .send()
        .await
        .json();
    assert_eq!(reply["items"].as_array().map(Vec::len), Some(1));
}
