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
async fn ringing_shorter_than_the_packs_ask_for_is_refused_with_their_figure() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let refused = |reply: &Reply| {
        assert_eq!(
            reply.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            reply.text()
        );
        let error = &reply.json()["errors"][0];
        assert_eq!(error["path"], "params.ring_timeout_s");
        let reason = error["reason"].as_str().expect("a reason");
        assert!(reason.contains("20 s"), "{reason}");
    };
    for mode in ["progressive", "power", "predictive"] {
        let params = json!({"mode": mode, "ring_timeout_s": 15});
        refused(&change(&app, &token, &params).await);
        let reply = change(&app, &token, &json!({"mode": mode, "ring_timeout_s": 20})).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    }
    // A draft may say so; it is not put in force.
    let path = format!("/api/v1/campaigns/{}/versions", app.world.norte.campaign);
    let body = json!({"note": "rings less", "params": {"ring_timeout_s": 15}});
    let draft = app.post(&path).token(&token).json(&body).send().await;
    assert_eq!(draft.status, StatusCode::CREATED, "{}", draft.text());
    let id = draft.json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/campaign-versions/{id}/publish");
    refused(&app.post(&path).token(&token).send().await);
    // Stored before, it may be changed in all else, and is told when it is to start.
    let id = app.world.norte.campaign;
    let mut row = app.store.get_campaign(id).await.expect("stored");
    row.params.ring_timeout_s = 15;
    row.version += 1;
    app.store.put_campaign(&row, &[]).await.expect("stored");
    let reply = change(&app, &token, &json!({"weight": 60})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let path = format!("/api/v1/campaigns/{id}/start");
    refused(&app.post(&path).token(&token).send().await);
    // Who dials by hand hears the ringing.
    let reply = change(&app, &token, &json!({"mode": "manual"})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
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
