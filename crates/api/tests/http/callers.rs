//! Calls that came in, by page and client, with masked numbers; the approval of a message.

use crate::app::{App, Reply};
use axum::http::StatusCode;
use domain::entity::{InboundCall, InboundOutcome};
use domain::ids::{AttemptId, ClientId};
use domain::pii::Pii;
use domain::ports::store::InboundStore as _;
use domain::time::UtcMs;
use serde_json::{Value, json};
use sim::trunk::UNRECORDED;
use uuid::Uuid;

async fn change(app: &App, token: &str, params: &Value) -> Reply {
    let path = format!("/api/v1/campaigns/{}", app.world.norte.campaign);
    let ask = app.ask("PATCH", &path).token(token);
    ask.json(&json!({"params": params})).send().await
}

#[tokio::test]
async fn a_message_is_told_only_once_it_is_approved_as_it_stands() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let path = format!(
        "/api/v1/campaigns/{}/message/approve",
        app.world.norte.campaign
    );
    let approve = |message: &str| {
        let body = json!({"message": message});
        app.post(&path).token(&token).json(&body)
    };
    let other = approve("another").send().await;
    assert_eq!(other.status, StatusCode::CONFLICT, "{}", other.text());
    let done = approve("agentless").send().await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    let told = &done.json()["params"]["agentless"];
    assert!(
        told["approved_by"]
            .as_str()
            .is_some_and(|who| who.starts_with("user:"))
    );
    assert!(told["approved_at"].is_string(), "{told}");
    let sound = told["approved_sounds"]["es"].as_str();
    assert_eq!(sound.map(str::len), Some(64), "{told}");
    let chosen = change(&app, &token, &json!({"mode": "agentless"})).await;
    assert_eq!(chosen.status, StatusCode::OK, "{}", chosen.text());
    // Another message under the same approval is none.
    let swapped = json!({"agentless": {"message": "other"}});
    let refused = change(&app, &token, &swapped).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json()["errors"][0]["path"], "params.mode");
}

/// Who approves hears first: the campaign's message in each language, a mailbox's with its number.
#[tokio::test]
async fn what_is_approved_can_be_heard_before() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let heard = async |path: &str| {
        let path = format!("/api/v1{path}");
        let reply = app.get(&path).token(&token).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(reply.header("content-type"), "audio/wav");
        String::from_utf8_lossy(&reply.body).into_owned()
    };
    for language in ["es", "en", "pt"] {
        let campaign = app.world.norte.campaign;
        let path = format!("/campaigns/{campaign}/message/sound?language={language}");
        let sound = heard(&path).await;
        assert!(sound.starts_with("RIFF"), "{sound}");
        assert!(sound.ends_with(&format!("{language} agentless")), "{sound}");
    }

    let (id, made) = mailbox(&app, &token, "saludo").await;
    let sound = heard(&format!("/voicemail-templates/{id}/sound")).await;
    assert!(
        sound.contains("saludo") && sound.contains("Digits"),
        "{sound}"
    );
    assert_eq!(made["version"], 1);
    let other = approve(&app, &token, &id, 2).await;
    assert_eq!(other["code"], "version_conflict", "{other}");
    let approved = approve(&app, &token, &id, 1).await;
    assert!(approved["approved_by"].is_string(), "{approved}");

    let (id, _) = mailbox(&app, &token, UNRECORDED).await;
    let unsaid = approve(&app, &token, &id, 1).await;
    assert_eq!(unsaid["code"], "no_sound", "{unsaid}");
    let stays = format!("/api/v1/voicemail-templates/{id}");
    let stays = app.get(&stays).token(&token).send().await.json();
    assert!(stays["approved_by"].is_null(), "{stays}");
}

/// A message for mailboxes that begins with a recording.
async fn mailbox(app: &App, token: &str, recorded: &str) -> (String, Value) {
    let body = json!({
        "client_id": app.world.norte.client, "name": recorded, "language": "es", "person": "Ana",
        "parts": [{"kind": "recorded", "name": recorded}, {"kind": "number"}],
    });
    let made = app.post("/api/v1/voicemail-templates").token(token);
    let made = made.json(&body).send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    (made["id"].as_str().expect("an id").to_owned(), made)
}

async fn approve(app: &App, token: &str, id: &str, version: i32) -> Value {
    let path = format!("/api/v1/voicemail-templates/{id}/approve");
    let ask = app.post(&path).token(token);
    ask.json(&json!({"version": version})).send().await.json()
}

fn call(n: u128, client: Option<ClientId>, outcome: InboundOutcome) -> InboundCall {
    InboundCall {
        id: AttemptId(Uuid::from_u128(0xCA11_0000 + n)),
        client_id: client,
        campaign_id: None,
        debtor_id: None,
        trunk_id: domain::ids::TrunkId(Uuid::from_u128(1)),
        node: "n".into(),
        called: "+525555550199".into(),
        caller: Some(Pii("+525512345678".into())),
        at: UtcMs(1_795_449_600_000),
        answered_at: None,
        ended_at: None,
        agent_id: None,
        outcome,
        wait_ms: 0,
        place: None,
    }
}

#[tokio::test]
async fn calls_that_came_in_are_listed_newest_first_without_their_numbers() {
    let app = App::start().await;
    let norte = app.world.norte.client;
    for n in 0..3 {
        let row = call(n, Some(norte), InboundOutcome::Closed);
        app.store.put_inbound(&row, &[]).await.expect("stored");
    }
    let nobodys = call(3, None, InboundOutcome::UnknownNumber);
    app.store.put_inbound(&nobodys, &[]).await.expect("stored");
    let token = app.token("manager").await;
    let get = |query: String| {
        let path = format!("/api/v1/inbound-calls?{query}");
        let ask = app.get(&path).token(&token);
        async move { ask.send().await }
    };
    let first = get(format!("client={norte}&limit=2")).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    assert!(!first.text().contains("12345678"), "{}", first.text());
    let page = first.json();
    assert_eq!(page["items"][0]["caller_masked"], "··5678");
    let ids: Vec<&str> = page["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|r| r["id"].as_str())
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0] > ids[1], "newest first");
    let cursor = page["next_cursor"].as_str().expect("more");
    let rest = get(format!("client={norte}&limit=2&cursor={cursor}")).await;
    assert_eq!(rest.json()["items"].as_array().map(Vec::len), Some(1));
    let all = get("outcome=unknown_number".to_owned()).await;
    assert_eq!(all.json()["items"].as_array().map(Vec::len), Some(1));
    let wrong = get("outcome=lucky".to_owned()).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.text());
}
