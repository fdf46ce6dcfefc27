//! Events by cursor, as a stream, and the audit.

use crate::app::App;
use axum::body::BodyDataStream;
use axum::http::StatusCode;
use domain::event::NewEvent;
use domain::ids::{ClientId, EventId};
use domain::ports::store::CatalogStore;
use futures::StreamExt;
use serde_json::{Value, json};

async fn append(app: &App, number: u128, client: Option<ClientId>) {
    let event = NewEvent {
        id: EventId(uuid::Uuid::from_u128(number)),
        at: crate::app::START,
        client_id: client,
        actor: "system".to_owned(),
        kind: "attempt.ended".to_owned(),
        subject: format!("attempt:{number}"),
        data: json!({"n": number.to_string()}),
    };
    app.store.append_events(&[event]).await.expect("the store");
}

fn subjects(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("a list");
    items
        .iter()
        .filter(|e| e["kind"] == "attempt.ended")
        .map(|e| e["subject"].as_str().expect("a subject").to_owned())
        .collect()
}

#[tokio::test]
async fn replay_by_cursor_and_by_client() {
    let app = App::start().await;
    let (norte, sur) = (app.world.norte.client, app.world.sur.client);
    for (number, client) in [
        (1, Some(norte)),
        (2, Some(sur)),
        (3, None),
        (4, Some(norte)),
    ] {
        append(&app, number, client).await;
    }
    let manager = app.token("manager").await;
    let page = app
        .get("/api/v1/events?limit=500")
        .token(&manager)
        .send()
        .await
        .json();
    assert_eq!(
        subjects(&page),
        ["attempt:1", "attempt:2", "attempt:3", "attempt:4"]
    );
    assert!(
        !page.to_string().contains("audit.written"),
        "the audit is for admins"
    );
    let first = page["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|e| e["subject"] == "attempt:1");
    let cursor = first.expect("the event")["cursor"]
        .as_i64()
        .expect("a cursor");
    let rest = app
        .get(&format!("/api/v1/events?after={cursor}&limit=2"))
        .token(&manager)
        .send()
        .await
        .json();
    assert_eq!(subjects(&rest), ["attempt:2", "attempt:3"]);
    let next = rest["next_cursor"]
        .as_str()
        .expect("there is more")
        .to_owned();
    let rest = app
        .get(&format!("/api/v1/events?after={next}"))
        .token(&manager)
        .send()
        .await
        .json();
    assert_eq!(subjects(&rest), ["attempt:4"]);
    assert_eq!(rest["next_cursor"], Value::Null);

    let client = app.token("client").await;
    let his = app
        .get("/api/v1/events?limit=500")
        .token(&client)
        .send()
        .await
        .json();
    assert_eq!(subjects(&his), ["attempt:1", "attempt:4"]);
}

async fn until(stream: &mut BodyDataStream, text: &mut String, word: &str) {
    while !text.contains(word) {
        let part = stream
            .next()
            .await
            .expect("the stream goes on")
            .expect("bytes");
        text.push_str(std::str::from_utf8(&part).expect("UTF-8"));
    }
}

#[tokio::test]
async fn the_stream_goes_on_resumes_and_ends_with_the_session() {
    let app = App::start().await;
    let norte = app.world.norte.client;
    append(&app, 1, Some(norte)).await;
    let token = app.token("client").await;
    let ask = |last: &str| {
        app.get("/api/v1/events")
            .token(&token)
            .header("accept", "text/event-stream")
            .header("last-event-id", last)
    };
    let response = ask("0").open().await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let mut text = String::new();
    until(&mut stream, &mut text, "attempt:1\"").await;
    assert!(text.contains("event: attempt.ended\n"), "{text}");
    let id = text
        .lines()
        .filter_map(|l| l.strip_prefix("id: "))
        .next_back()
        .expect("an id")
        .to_owned();

    // Nothing on the bus tells of this one: the store is asked all the same.
    append(&app, 2, Some(norte)).await;
    let mut resumed = ask(&id).open().await.into_body().into_data_stream();
    let mut later = String::new();
    until(&mut resumed, &mut later, "attempt:2\"").await;
    assert!(!later.contains("attempt:1\""), "{later}");
    drop(resumed);

    let out = app
        .ask("DELETE", "/api/v1/sessions")
        .token(&token)
        .send()
        .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    while let Some(part) = stream.next().await {
        part.expect("an orderly end");
    }
}

#[tokio::test]
async fn the_audit_names_actors_and_keeps_personal_data_out() {
    let app = App::start().await;
    let token = app.token("manager").await;
    let body = json!({"debtor_id": app.world.norte.debtor, "value": "+525587654321"});
    let made = app
        .post("/api/v1/points")
        .token(&token)
        .json(&body)
        .send()
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let me = app.get("/api/v1/me").token(&token).send().await.json();
    let actor = format!("user:{}", me["user"]["id"].as_str().expect("an id"));
    let admin = app.token("admin").await;
    let audit = app
        .get(&format!("/api/v1/audit?actor={actor}"))
        .token(&admin)
        .send()
        .await;
    let rows = audit.json()["items"].as_array().expect("a list").clone();
    assert!(
        rows.iter()
            .all(|r| r["kind"] == "audit.written" && r["actor"] == json!(actor))
    );
    let row = rows
        .iter()
        .find(|r| r["data"]["action"] == "point.made")
        .expect("the entry");
    assert_eq!(
        row["subject"],
        format!("point:{}", made.json()["id"].as_str().expect("an id"))
    );
    assert_eq!(row["client_id"], json!(app.world.norte.client));
    let all = app
        .get("/api/v1/events?limit=500")
        .token(&admin)
        .send()
        .await
        .text();
    assert!(
        !all.contains("5587654321") && !all.contains("Persona"),
        "{all}"
    );
}
