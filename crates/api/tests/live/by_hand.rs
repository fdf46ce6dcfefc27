//! Calls that an agent dials by hand or out of a preview.

use crate::floor::Floor;
use axum::http::StatusCode;
use serde_json::{Value, json};

async fn start(floor: &Floor, mode: &str) -> String {
    let marta = floor.sign_in("marta").await;
    floor.import(&marta, 3).await;
    let path = format!("/campaigns/{}", floor.campaign(&marta).await);
    let body = json!({"params": {"mode": mode}}).to_string();
    let address = format!("/api/v1{path}");
    let (status, reply) = floor
        .call("PATCH", &address, Some(&marta), "application/json", body)
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    let (status, reply) = floor
        .post(&marta, &format!("{path}/start"), json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    marta
}

async fn debtor(floor: &Floor, token: &str, reference: &str) -> Value {
    let (status, found) = floor.get(token, &format!("/debtors?q={reference}")).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    found["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_hand_with_its_verdict_and_refused_with_it() {
    let floor = Floor::open().await;
    let marta = start(&floor, "manual").await;
    let ana = floor.sign_in("ana").await;
    let (mut socket, _) = floor.socket(&ana, "/ws/agent").await;
    socket.seat().await;
    let ready = json!({"state": "ready"});
    let (status, _) = floor.post(&ana, "/agents/me/state", ready).await;
    assert_eq!(status, StatusCode::OK);

    let listed = json!({"kind": "phone", "value": "+525500000001", "reason": "lo pidió", "client_id": floor.client});
    let (status, reply) = floor.post(&marta, "/suppressions", listed).await;
    assert_eq!(status, StatusCode::CREATED, "{reply}");
    let found = debtor(&floor, &ana, "R1").await;
    let path = format!("/debtors/{}/dial", found["id"].as_str().expect("id"));
    let point = json!({"point_id": found["phones"][0]["point"]});
    let (status, reply) = floor.post(&ana, &path, point).await;
    assert_eq!(
        (status, &reply["code"]),
        (StatusCode::CONFLICT, &json!("refused")),
        "{reply}"
    );
    assert_eq!(reply["verdict"]["blocked"], "blocked_suppressed");
    assert!(reply["reason"]["es"].is_string() && reply["reason"]["en"].is_string());

    let found = debtor(&floor, &ana, "R2").await;
    let path = format!("/debtors/{}/dial", found["id"].as_str().expect("id"));
    let point = json!({"point_id": found["phones"][0]["point"]});
    let (status, reply) = floor.post(&ana, &path, point).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
    assert!(
        reply["verdict"]["decision"]
            .as_str()
            .is_some_and(|d| d.starts_with("allow"))
    );
    let pop = socket.until("pop").await;
    assert_eq!(pop["debtor"]["id"], found["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_is_skipped_and_the_next_one_dialed() {
    let floor = Floor::open().await;
    start(&floor, "preview").await;
    let ana = floor.sign_in("ana").await;
    let (mut socket, _) = floor.socket(&ana, "/ws/agent").await;
    socket.seat().await;
    let ready = json!({"state": "ready"});
    let (status, _) = floor.post(&ana, "/agents/me/state", ready).await;
    assert_eq!(status, StatusCode::OK);
    let first = socket.until("preview").await;
    serde_json::from_value::<api::wire::ServerMessage>(first.clone()).expect("of the contract");
    assert_eq!(first["attempt"], Value::Null);
    let item = |card: &Value| card["item"].as_str().expect("item").to_owned();
    let skip = format!("/preview/{}/skip", item(&first));
    let (status, reply) = floor.post(&ana, &skip, json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{reply}");
    let second = socket
        .until_that("another preview", |m| {
            m["t"] == "preview" && m["item"] != first["item"]
        })
        .await;
    assert_ne!(second["debtor"]["id"], first["debtor"]["id"]);
    let dial = format!("/preview/{}/dial", item(&second));
    let (status, reply) = floor.post(&ana, &dial, json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{reply}");
    let pop = socket.until("pop").await;
    assert_eq!(pop["debtor"]["id"], second["debtor"]["id"]);
}
