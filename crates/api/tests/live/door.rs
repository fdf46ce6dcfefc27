//! Who gets a websocket, and how sockets end that break the rules.

use crate::floor::{Floor, MORNING, PROTOCOL};
use crate::socket::{End, Socket};
use axum::http::StatusCode;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

async fn refused(floor: &Floor, path: &str, ticket: &str, headers: &[(&'static str, &str)]) -> u16 {
    match floor.try_socket(path, ticket, headers).await {
        Ok(_) => 101,
        Err(status) => status.as_u16(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_origin_protocol_and_role() {
    let floor = Floor::open().await;
    let ana = floor.sign_in("ana").await;
    let sofia = floor.sign_in("sofia").await;
    assert_eq!(
        refused(&floor, "/ws/agent", "nothing", &[PROTOCOL]).await,
        401
    );

    let ticket = floor.ticket(&ana).await;
    let foreign = [PROTOCOL, ("origin", "https://evil.example")];
    assert_eq!(refused(&floor, "/ws/agent", &ticket, &foreign).await, 403);
    assert_eq!(refused(&floor, "/ws/agent", &ticket, &[]).await, 400);
    let other = [("sec-websocket-protocol", "chat.v1")];
    assert_eq!(refused(&floor, "/ws/agent", &ticket, &other).await, 400);
    // What was refused for its form did not burn the ticket; what was let in did.
    let own = format!("http://{}", floor.address);
    let ours = [PROTOCOL, ("origin", own.as_str())];
    assert_eq!(refused(&floor, "/ws/agent", &ticket, &ours).await, 101);
    assert_eq!(
        refused(&floor, "/ws/agent", &ticket, &[PROTOCOL]).await,
        401
    );

    let ticket = floor.ticket(&sofia).await;
    assert_eq!(
        refused(&floor, "/ws/agent", &ticket, &[PROTOCOL]).await,
        403
    );
    let ticket = floor.ticket(&ana).await;
    assert_eq!(
        refused(&floor, "/ws/supervisor", &ticket, &[PROTOCOL]).await,
        403
    );

    let (status, reply) = floor
        .call(
            "GET",
            "/ws/agent",
            None,
            "text/plain",
            axum::body::Body::empty(),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{reply}");
}

async fn end_after(floor: &Floor, text: &str) -> End {
    let token = floor.sign_in("sofia").await;
    let (mut socket, _) = floor.socket(&token, "/ws/supervisor").await;
    socket.send_text(text.to_owned()).await;
    socket.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_messages_close_with_a_reason() {
    let floor = Floor::open().await;
    for (text, part) in [
        ("{", "not JSON"),
        ("[]", "does not fit"),
        (r#"{"t":"fly"}"#, "unknown variant"),
        (r#"{"t":"sub","topics":["everything"]}"#, "unknown variant"),
        (r#"{"t":"ack","attempt":"7"}"#, "does not fit"),
        (r#"{"t":"ping"}"#, "missing field"),
    ] {
        let End::Closed(1008, reason) = end_after(&floor, text).await else {
            panic!("{text}: expected 1008");
        };
        assert!(reason.contains(part), "{text}: {reason}");
    }
    for deep in [
        "[".repeat(60_000),
        format!("\"{}", "\\u0000".repeat(10_000)),
    ] {
        assert!(matches!(
            end_after(&floor, &deep).await,
            End::Closed(1008, _)
        ));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_long_too_many_and_not_text() {
    let floor = Floor::open().await;
    let long = json!({"t": "ping", "n": 1, "x": "x".repeat(70_000)}).to_string();
    assert!(matches!(
        end_after(&floor, &long).await,
        End::Closed(1009, _)
    ));

    let token = floor.sign_in("sofia").await;
    let (mut socket, _) = floor.socket(&token, "/ws/supervisor").await;
    for n in 0..30 {
        socket.send(json!({"t": "ping", "n": n})).await;
    }
    let mut pongs = 0;
    let end = loop {
        match socket.next().await {
            Ok(message) if message["t"] == "pong" => pongs += 1,
            Ok(_) => {}
            Err(end) => break end,
        }
    };
    assert!(matches!(end, End::Closed(1008, _)), "{end:?}");
    assert!(pongs <= 20, "{pongs}");

    let (mut socket, _) = floor.socket(&token, "/ws/supervisor").await;
    let bytes = Message::binary(vec![1, 2, 3]);
    socket.frame(bytes).await;
    assert!(matches!(socket.end().await, End::Closed(1008, _)));
}

async fn pong(socket: &mut Socket) {
    socket.send(json!({"t": "ping", "n": 7})).await;
    let pong = socket.until("pong").await;
    assert_eq!(pong["n"], 7);
    assert!(pong["now"].as_i64().is_some_and(|now| now >= MORNING.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_and_stopping_close_sockets() {
    let floor = Floor::open().await;
    let sofia = floor.sign_in("sofia").await;
    let marta = floor.sign_in("marta").await;
    let (mut gone, hello) = floor.socket(&sofia, "/ws/supervisor").await;
    assert_eq!(
        (&hello["role"], &hello["proto"]),
        (&json!("supervisor"), &json!(1))
    );
    let (mut stays, _) = floor.socket(&marta, "/ws/supervisor").await;
    pong(&mut gone).await;
    let none = axum::body::Body::empty();
    let (status, _) = floor
        .call(
            "DELETE",
            "/api/v1/sessions",
            Some(&sofia),
            "application/json",
            none,
        )
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(gone.end().await, End::Closed(4003, "signed out".to_owned()));
    pong(&mut stays).await;
    floor.state.stop_sockets();
    assert!(matches!(stays.end().await, End::Closed(1001, _)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_socket_of_an_agent_takes_over() {
    let floor = Floor::open().await;
    let ana = floor.sign_in("ana").await;
    let (mut first, _) = floor.socket(&ana, "/ws/agent").await;
    let (mut second, _) = floor.socket(&ana, "/ws/agent").await;
    assert!(matches!(first.end().await, End::Closed(4001, _)));
    pong(&mut second).await;
}
