//! The second factor: enrolment, sign-in with it, no code twice.

use crate::app::{App, PASSWORD, START};
use axum::http::StatusCode;
use serde_json::json;
use totp_rs::{Builder, Secret};

fn code(secret: &str, ms: i64) -> String {
    let secret = Secret::try_from_base32(secret).expect("base32");
    let totp = Builder::new()
        .with_secret(secret)
        .build()
        .expect("a generator");
    let seconds = u64::try_from(ms / 1_000).expect("after 1970");
    totp.generate(seconds).to_string()
}

/// Enrols the admin at the start of the world; his secret.
async fn enrolled(app: &App) -> String {
    let agents = app.sign_in("agent").await;
    assert_eq!(agents.json()["second_factor"], "ok", "agents need none");

    let first = app.sign_in("admin").await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.json()["second_factor"], "enrol");
    assert!(first.cookie().is_none());
    let token = first.json()["token"].as_str().expect("a token").to_owned();
    let users = app.get("/api/v1/users").token(&token).send().await;
    assert_eq!(
        (users.status, users.code()),
        (StatusCode::FORBIDDEN, "enrol_second_factor".into())
    );
    assert_eq!(
        app.get("/api/v1/me").token(&token).send().await.status,
        StatusCode::OK
    );

    let offer = app
        .post("/api/v1/me/totp")
        .token(&token)
        .send()
        .await
        .json();
    let secret = offer["secret"].as_str().expect("a secret");
    assert!(
        offer["otpauth_url"]
            .as_str()
            .is_some_and(|u| u.starts_with("otpauth://totp/Marcador:admin?"))
    );
    let confirm = "/api/v1/me/totp/confirm";
    let wrong = json!({"secret": secret, "otp": "000000"});
    assert_eq!(
        app.post(confirm)
            .token(&token)
            .json(&wrong)
            .send()
            .await
            .code(),
        "invalid"
    );
    let right = json!({"secret": secret, "otp": code(secret, START.0)});
    let done = app.post(confirm).token(&token).json(&right).send().await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text());
    let again = app.post("/api/v1/me/totp").token(&token).send().await;
    assert_eq!(again.status, StatusCode::CONFLICT);

    secret.to_owned()
}

#[tokio::test]
async fn enrol_confirm_sign_in() {
    let app = App::with(|_| {}).await;
    let secret = &enrolled(&app).await;
    let sessions = "/api/v1/sessions";
    assert_eq!(app.sign_in("admin").await.code(), "otp_required");
    let with = |otp: String| json!({"username": "admin", "password": PASSWORD, "otp": otp});
    let used = app
        .post(sessions)
        .json(&with(code(secret, START.0)))
        .send()
        .await;
    assert_eq!(
        used.code(),
        "bad_credentials",
        "a code is worth something once"
    );
    app.pass_ms(30_000);
    let fresh = with(code(secret, START.0 + 30_000));
    let signed_in = app.post(sessions).json(&fresh).send().await;
    assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text());
    assert!(signed_in.cookie().is_some());
    assert_eq!(
        app.post(sessions).json(&fresh).send().await.code(),
        "bad_credentials"
    );
}
