//! The board's socket over a real connection, with the real engine behind it.

use crate::floor::Floor;
use crate::socket::Socket;
use api::wire::{Board, Delta, ServerMessage, Snap};
use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

fn read(message: &Value) -> ServerMessage {
    serde_json::from_value(message.clone()).unwrap_or_else(|e| panic!("{e}: {message}"))
}

fn board_of(message: &Value) -> Board {
    match read(message) {
        ServerMessage::Snap(Snap::Board { data, .. }) => *data,
        other => panic!("expected a snap of the board, got {other:?}"),
    }
}

fn seq_of(message: &Value) -> u64 {
    message["seq"].as_u64().expect("seq")
}

/// Reads ticks in order until one fits.
async fn tick_that(socket: &mut Socket, seq: &mut u64, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = socket.until("d").await;
        assert!(matches!(read(&message), ServerMessage::D(Delta::Board(_))));
        assert_eq!(seq_of(&message), *seq + 1, "no hole: {message}");
        *seq += 1;
        if fits(&message) {
            return message;
        }
    }
}

/// Whether a tick says that an agent is in a state, in the long or the short form.
fn tells(message: &Value, state: &str) -> bool {
    let long = message["agents"].as_array().into_iter().flatten();
    let short = message["rows"].as_array().into_iter().flatten();
    long.map(|row| &row["state"])
        .chain(short.map(|row| &row[1]))
        .any(|s| s == state)
}

async fn ready(floor: &Floor, token: &str) {
    let (status, _) = floor
        .post(token, "/agents/me/state", json!({"state": "ready"}))
        .await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_is_a_snap_and_its_ticks() {
    let floor = Floor::open().await;
    let sofia = floor.sign_in("sofia").await;
    let (mut socket, _) = floor.socket(&sofia, "/ws/supervisor").await;
    let snap = socket.subscribe("board").await;
    let board = board_of(&snap);
    assert!(board.agents.is_empty());
    assert_eq!(board.trunks.first().map(|t| t.name.as_str()), Some("uno"));
    let ana = floor.sign_in("ana").await;
    let (mut desk, _) = floor.socket(&ana, "/ws/agent").await;
    desk.seat().await;
    let mut seq = seq_of(&snap);
    let came = tick_that(&mut socket, &mut seq, |m| tells(m, "paused")).await;
    assert_eq!(came["agents"][0]["name"], "Gestor ana");
    ready(&floor, &ana).await;
    tick_that(&mut socket, &mut seq, |m| tells(m, "ready")).await;

    let (mut late, _) = floor.socket(&sofia, "/ws/supervisor").await;
    let board = board_of(&late.subscribe("board").await);
    assert_eq!(
        board.agents.first().map(|a| a.state.as_str()),
        Some("ready")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_is_sent_again_and_an_old_cursor_gets_a_gap() {
    let floor = Floor::open().await;
    let sofia = floor.sign_in("sofia").await;
    let (mut socket, hello) = floor.socket(&sofia, "/ws/supervisor").await;
    let seen = seq_of(&socket.subscribe("board").await);
    drop(socket);
    let ana = floor.sign_in("ana").await;
    let (mut desk, _) = floor.socket(&ana, "/ws/agent").await;
    desk.seat().await;
    ready(&floor, &ana).await;

    let (mut again, _) = floor.socket(&sofia, "/ws/supervisor").await;
    let resume = json!({"boot": hello["boot"], "board": seen});
    again
        .send(json!({"t": "sub", "topics": ["board"], "resume": resume}))
        .await;
    let mut seq = seen;
    tick_that(&mut again, &mut seq, |m| tells(m, "ready")).await;

    for resume in [
        json!({"boot": hello["boot"], "board": seq + 1_000_000}),
        json!({"boot": "00000000-0000-7000-8000-000000000000", "board": seq}),
    ] {
        let (mut lost, _) = floor.socket(&sofia, "/ws/supervisor").await;
        lost.send(json!({"t": "sub", "topics": ["board"], "resume": resume}))
            .await;
        assert_eq!(lost.next().await.expect("open")["t"], "gap");
        let board = board_of(&lost.next().await.expect("open"));
        assert_eq!(board.agents.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_of_one_client_sees_that_client_only() {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    floor.import(&marta, 3).await;
    let campaign = floor.campaign(&marta).await;
    let (status, _) = floor
        .post(&marta, &format!("/campaigns/{campaign}/start"), json!({}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let (mut whole, _) = floor.socket(&marta, "/ws/supervisor").await;
    let board = board_of(&whole.subscribe("board").await);
    assert_eq!(board.campaigns.len(), 1);
    let otto = floor.sign_in("otto").await;
    let (mut cut, _) = floor.socket(&otto, "/ws/supervisor").await;
    let board = board_of(&cut.subscribe("board").await);
    assert!(board.campaigns.is_empty() && board.trunks.is_empty() && board.agents.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schemas_are_served() {
    let floor = Floor::open().await;
    let (status, schema) = floor
        .call("GET", "/ws/schema.json", None, "text/plain", Body::empty())
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(schema["protocol"], "marcador.v1");
    let server = schema["server"]["oneOf"]
        .as_array()
        .expect("kinds of messages");
    assert_eq!(server.len(), 12, "{server:?}");
    assert_eq!(schema["client"]["oneOf"].as_array().map(Vec::len), Some(4));
}

/// Offers a browser as his phone; why it is refused.
async fn offers(floor: &Floor, token: &str) -> Value {
    let (mut socket, _) = floor.socket(token, "/ws/supervisor").await;
    let leg = "0199a000-0000-7000-8000-000000000001";
    socket
        .send(json!({"t": "rtc", "leg": leg, "sdp": "v=0\r\n"}))
        .await;
    let answer = socket.until("rtc").await;
    assert_eq!(answer["leg"], leg, "{answer}");
    assert!(answer["sdp"].is_null(), "{answer}");
    answer["refused"].clone()
}

#[tokio::test]
async fn a_browser_is_a_supervisors_phone_and_no_managers() {
    let floor = Floor::open().await;
    let (sofia, marta) = (floor.sign_in("sofia").await, floor.sign_in("marta").await);
    let agents = async || {
        let (status, agents) = floor.get(&sofia, "/agents").await;
        assert_eq!(status, 200);
        agents["items"].as_array().expect("list").len()
    };
    let before = agents().await;
    // Here no browsers are served: it went all the way to the telephone side.
    assert_eq!(offers(&floor, &sofia).await, "no_phone");
    assert_eq!(agents().await, before + 1, "the leg has a row of its own");
    assert_eq!(offers(&floor, &sofia).await, "no_phone");
    assert_eq!(agents().await, before + 1, "made once");
    assert_eq!(offers(&floor, &marta).await, "forbidden");
    assert_eq!(agents().await, before + 1);
}
