//! Idempotency keys: replay, mismatch, scope, life.

use crate::app::App;
use axum::http::StatusCode;
use domain::ports::Clock as _;
use domain::ports::store::{IDEMPOTENT_CLAIM_MS, IdempotentTaken, PeopleStore as _};
use futures::FutureExt as _;
use serde_json::json;
use std::time::Duration;

const TEAMS: &str = "/api/v1/teams";
const KEY: &str = "idempotency-key";

async fn teams(app: &App, token: &str) -> usize {
    let all = app.get(TEAMS).token(token).send().await.json();
    all["items"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_repeat_gets_the_first_reply() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let before = teams(&app, &token).await;
    let body = json!({"name": "Tarde"});
    let ask = || app.post(TEAMS).token(&token).json(&body).header(KEY, "k-1");
    let first = ask().send().await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert!(first.header("idempotency-replayed").is_empty());
    let again = ask().send().await;
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(again.json(), first.json());
    assert_eq!(teams(&app, &token).await, before + 1);

    let other = app
        .post(TEAMS)
        .token(&token)
        .json(&json!({"name": "Noche"}))
        .header(KEY, "k-1");
    let other = other.send().await;
    assert_eq!(
        (other.status, other.code()),
        (StatusCode::CONFLICT, "idempotency_mismatch".into())
    );
    let elsewhere = app
        .post("/api/v1/scripts")
        .token(&token)
        .json(&body)
        .header(KEY, "k-1");
    assert_eq!(elsewhere.send().await.code(), "idempotency_mismatch");

    let admin = app.token("admin").await;
    let his = app
        .post(TEAMS)
        .token(&admin)
        .json(&body)
        .header(KEY, "k-1")
        .send()
        .await;
    assert!(
        his.header("idempotency-replayed").is_empty(),
        "keys are by user"
    );

    app.pass_ms(24 * 3_600_000);
    let token = app.token("manager").await;
    let late = app
        .post(TEAMS)
        .token(&token)
        .json(&body)
        .header(KEY, "k-1")
        .send()
        .await;
    assert!(
        late.header("idempotency-replayed").is_empty(),
        "kept for 24 h"
    );
}

#[tokio::test]
async fn a_refusal_is_kept_too_and_a_bad_key_refused() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let ask = || {
        app.post(TEAMS)
            .token(&token)
            .json(&json!({"name": ""}))
            .header(KEY, "k-2")
    };
    let first = ask().send().await;
    assert_eq!(first.code(), "invalid");
    let again = ask().send().await;
    assert_eq!(again.code(), "invalid");
    assert_eq!(again.json()["id"], first.json()["id"]);
    let long = "k".repeat(129);
    for bad in ["", "a b", "ñ", long.as_str()] {
        let reply = app
            .post(TEAMS)
            .token(&token)
            .json(&json!({"name": "x"}))
            .header(KEY, bad);
        assert_eq!(reply.send().await.code(), "bad_request", "{bad:?}");
    }
}

#[tokio::test]
async fn failures_of_ours_and_secrets_are_not_kept() {
    let app = App::start().await;
    let token = app.token("admin").await;
    let body = json!({"name": "Tarde"});
    app.store.set_down(true);
    let ask = || app.post(TEAMS).token(&token).json(&body).header(KEY, "k-3");
    assert_eq!(ask().send().await.status, StatusCode::SERVICE_UNAVAILABLE);
    app.store.set_down(false);
    let reply = ask().send().await;
    assert_eq!(
        reply.status,
        StatusCode::CREATED,
        "the repeat does the work"
    );

    let body = json!({"username": "nueva", "display_name": "Nueva", "role": "agent"});
    let ask = || {
        app.post("/api/v1/users")
            .token(&token)
            .json(&body)
            .header(KEY, "k-4")
    };
    let made = ask().send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert!(made.json()["password"].is_string());
    let again = ask().send().await;
    assert_eq!(again.code(), "conflict", "the password is shown once");
}

#[tokio::test]
async fn two_at_once_do_the_work_once() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let before = teams(&app, &token).await;
    let body = json!({"name": "Tarde"});
    let ask = || {
        app.post(TEAMS)
            .token(&token)
            .json(&body)
            .header(KEY, "k-5")
            .send()
    };
    let (a, b) = tokio::join!(ask(), ask());
    for reply in [a, b] {
        if reply.status != StatusCode::CREATED {
            assert_eq!(reply.code(), "idempotency_in_flight");
        }
    }
    assert_eq!(teams(&app, &token).await, before + 1);
}

#[tokio::test]
async fn a_key_is_one_over_all_nodes() {
    let app = App::start().await;
    let other = app.beside().await;
    let token = app.token("manager").await;
    let before = teams(&app, &token).await;
    let body = json!({"name": "Tarde"});
    let ask = async |on: &App, key: &str| {
        let asked = on.post(TEAMS).token(&token).json(&body).header(KEY, key);
        asked.send().await
    };
    let first = ask(&app, "k-6").await;
    assert_eq!(first.status, StatusCode::CREATED);
    let again = ask(&other, "k-6").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json(), first.json());
    assert_eq!(teams(&other, &token).await, before + 1);
    // Asked of both at once, one of them does it.
    let (one, two) = tokio::join!(ask(&app, "k-7"), ask(&other, "k-7"));
    for reply in [one, two] {
        let done = reply.status == StatusCode::CREATED;
        assert!(done || reply.code() == "idempotency_in_flight");
    }
    assert_eq!(teams(&app, &token).await, before + 2);
}

/// While a node works on it, another one waits; not for ever for a node that died.
#[tokio::test]
async fn a_key_that_runs_elsewhere_is_waited_for() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let body = json!({"name": "Tarde"});
    let user = app.store.user_by_name("manager").await.expect("works");
    let keeper = format!("user:{}", user.expect("is there").id);
    let ask = || app.post(TEAMS).token(&token).json(&body).header(KEY, "k-9");
    let taken = app
        .store
        .idempotent_take(&keeper, "k-9", "", app.clock.now());
    assert_eq!(taken.await.expect("works"), IdempotentTaken::Yours);
    assert_eq!(ask().send().await.code(), "idempotency_in_flight");
    app.pass_ms(IDEMPOTENT_CLAIM_MS);
    assert_eq!(ask().send().await.status, StatusCode::CREATED);
}

/// The work falls over when he who asked is gone: whoever repeats does it anew, and falls over too.
#[tokio::test]
async fn a_key_is_let_go_when_the_work_falls_over() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let path = format!("/api/v1/campaigns/{}/simulate", app.world.norte.campaign);
    let body = json!({"agents": 15});
    let ask = || {
        app.post(&path)
            .token(&token)
            .json(&body)
            .header(KEY, "k-10")
    };
    let left = ask().send().now_or_never();
    assert!(left.is_none(), "he goes before it is answered");
    let repeated = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let reply = ask().send().await;
            if reply.status != StatusCode::CONFLICT {
                return reply;
            }
            assert_eq!(reply.code(), "idempotency_in_flight");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let repeated = repeated.await.expect("the key is let go");
    assert_eq!(repeated.status, StatusCode::INTERNAL_SERVER_ERROR);
}
