//! A call handed over through the front door: what is asked, what both screens show, who may see what.

use crate::agent::{dialing, ready};
use crate::floor::Floor;
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_consulted_about_joined_and_handed_over() {
    let (floor, ana) = dialing().await;
    let (mut first, _) = floor.socket(&ana, "/ws/agent").await;
    first.seat().await;
    ready(&floor, &ana).await;
    let pop = first.until("pop").await;
    let attempt = pop["attempt"].as_str().expect("attempt").to_owned();
    first.until_state("talking").await;
    let luis = floor.sign_in("luis").await;
    let (mut second, _) = floor.socket(&luis, "/ws/agent").await;
    second.seat().await;
    let path = |what: &str| format!("/attempts/{attempt}/transfer{what}");

    let bad = json!({"to": {"number": "12"}, "mode": "blind"});
    let (status, reply) = floor.post(&ana, &path(""), bad).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{reply}");
    let (status, reply) = floor.post(&ana, &path("/complete"), json!({})).await;
    assert_eq!(
        (status, &reply["code"]),
        (StatusCode::CONFLICT, &json!("no_transfer"))
    );

    let (status, targets) = floor.get(&ana, &path("/targets")).await;
    assert_eq!(status, StatusCode::OK, "{targets}");
    let colleague = targets["agents"][0].clone();
    assert_eq!(colleague["free"], false, "he is paused: {targets}");
    let ask = json!({"to": {"agent": colleague["id"]}, "mode": "attended"});
    let (status, reply) = floor.post(&ana, &path(""), ask.clone()).await;
    assert_eq!(
        (status, &reply["code"]),
        (StatusCode::CONFLICT, &json!("target_busy")),
        "{reply}"
    );

    // Nothing else is dialed, or he would be given a call of his own.
    let sofia = floor.sign_in("sofia").await;
    let (_, campaigns) = floor.get(&sofia, "/campaigns").await;
    let campaign = campaigns["items"][0]["id"].as_str().expect("a campaign");
    let stop = format!("/campaigns/{campaign}/pause");
    let (status, reply) = floor.post(&sofia, &stop, json!({})).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    ready(&floor, &luis).await;
    second.until_state("ready").await;
    let (status, reply) = floor.post(&ana, &path(""), ask).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
    let card = second.until("pop").await;
    assert_eq!(
        (&card["attempt"], &card["gate"]),
        (&json!(attempt), &json!(true))
    );
    second.until_state("talking").await;
    let (status, _) = floor.post(&luis, &path("/complete"), json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "the call is not his yet");
    let (status, reply) = floor
        .post(&ana, &path("/conference"), json!({"on": true}))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{reply}");
    let (status, reply) = floor.post(&ana, &path("/complete"), json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{reply}");
    first.until_state("ready").await;

    from_above(&floor, &luis, &attempt).await;
    second.until_state("wrapup").await;
}

/// What a supervisor sees of it, and may do.
async fn from_above(floor: &Floor, agent: &str, attempt: &str) {
    let sofia = floor.sign_in("sofia").await;
    let (status, trail) = floor
        .get(&sofia, &format!("/attempts/{attempt}/trail"))
        .await;
    assert_eq!(status, StatusCode::OK, "{trail}");
    // The one that was refused because he was paused is there too.
    let rows = trail["transfers"].as_array().expect("rows");
    let row = rows.last().expect("one");
    assert_eq!(
        (rows.len(), &rows[0]["outcome"]),
        (2, &json!("failed")),
        "{trail}"
    );
    assert_eq!(
        (&row["outcome"], &row["conference"]),
        (&json!("done"), &json!(true)),
        "{row}"
    );
    assert!(
        trail["delays"]["setup_ms"].is_i64() && trail["kept"] == false,
        "{trail}"
    );
    let (status, _) = floor
        .get(agent, &format!("/attempts/{attempt}/trail"))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    let (_, trunks) = floor.get(&sofia, "/trunks").await;
    let trunk = trunks["items"][0]["id"]
        .as_str()
        .expect("a trunk")
        .to_owned();
    let stats = format!("/trunks/{trunk}/stats");
    let (status, figures) = floor.get(&sofia, &format!("{stats}?period=day")).await;
    assert_eq!(status, StatusCode::OK, "{figures}");
    assert_eq!(figures["slices"].as_array().map(Vec::len), Some(24));
    assert!(
        figures["total"]["asr"]["numerator"].as_i64() >= Some(1),
        "{figures}"
    );
    let (status, _) = floor.get(&sofia, &format!("{stats}?period=year")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // A supervisor may end any call.
    let end = format!("/attempts/{attempt}/hangup");
    let (status, reply) = floor.post(&sofia, &end, json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{reply}");
}
