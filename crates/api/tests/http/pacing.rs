//! What cannot be dialed ahead with is refused with its reason: before it is stored, and before a campaign
//! starts.

use crate::app::{App, Reply};
use axum::http::StatusCode;
use domain::entity::DialMode;
use domain::ports::store::CatalogStore as _;
use serde_json::{Value, json};

async fn change(app: &App, token: &str, params: &Value) -> Reply {
    let path = format!("/api/v1/campaigns/{}", app.world.norte.campaign);
    let present = app.get(&path).token(token).send().await.json();
    let body = json!({"version": present["version"], "params": params});
    let ask = app.ask("PATCH", &path).token(token).json(&body);
    ask.send().await
}

#[tokio::test]
async fn settings_that_leave_nothing_to_decide_are_refused_and_not_stored() {
    let app = App::start().await;
    let token = app.token("manager").await;
    for (params, path, says) in [
        (
            json!({"mode": "predictive", "abandon_cap_pct": 0.0}),
            "params.mode",
            "choose progressive",
        ),
        (
            json!({"mode": "predictive", "ring_timeout_s": 12}),
            "params.mode",
            "15 s of ringing",
        ),
        (
            json!({"mode": "predictive", "ring_timeout_s": 4}),
            "params.ring_timeout_s",
            "5",
        ),
        (
            json!({"mode": "predictive", "agent_within_ms": 0}),
            "params.mode",
            "above 0",
        ),
        (json!({"mode": "agentless"}), "params.mode", "progressive"),
    ] {
        let reply = change(&app, &token, &params).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{params}");
        let error = &reply.json()["errors"][0];
        assert_eq!(error["path"], path, "{params}");
        let reason = error["reason"].as_str().expect("a reason");
        assert!(reason.contains(says), "{params}: {reason}");
    }
    let stored = app.store.get_campaign(app.world.norte.campaign).await;
    let mode = stored.expect("stored").params.mode;
    assert_eq!(mode, DialMode::Progressive, "nothing was changed");
}

#[tokio::test]
async fn without_a_line_a_forecast_does_not_start_and_says_what_is_missing() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let reply = change(&app, &token, &json!({"mode": "predictive"})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let mut trunk = app.store.get_trunk(app.world.trunk).await.expect("stored");
    trunk.enabled = false;
    app.store.put_trunk(&trunk, &[]).await.expect("stored");
    let path = format!("/api/v1/campaigns/{}/start", app.world.norte.campaign);
    let start = || app.post(&path).token(&token);
    let reply = start().send().await;
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
    assert_eq!(reply.code(), "no_trunks");
    assert!(reply.text().contains("enable one"), "{}", reply.text());
    trunk.enabled = true;
    app.store.put_trunk(&trunk, &[]).await.expect("stored");
    let reply = start().send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}
