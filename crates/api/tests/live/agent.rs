//! An agent's socket over a real connection, with the real engine and a simulated carrier behind it.

use crate::floor::Floor;
use crate::socket::{End, Socket};
use api::wire::{CardDebt, Delta, Me, ServerMessage, Snap};
use axum::http::StatusCode;
use domain::ids::AttemptId;
use domain::ports::store::{AttemptStore, CatalogStore};
use serde_json::{Value, json};

/// Holds a message against the contract; an unknown or missing field is a fault.
fn read(message: &Value) -> ServerMessage {
    serde_json::from_value(message.clone()).unwrap_or_else(|e| panic!("{e}: {message}"))
}

fn me_of(message: &Value) -> Me {
    match read(message) {
        ServerMessage::Snap(Snap::Me { data, .. }) => *data,
        other => panic!("expected a snap of me, got {other:?}"),
    }
}

fn seq_of(message: &Value) -> u64 {
    message["seq"].as_u64().expect("seq")
}

/// The next deltas until one carries `state`.
async fn until_state(socket: &mut Socket, state: &str, seq: &mut u64) -> Value {
    loop {
        let message = socket.until("d").await;
        assert_eq!(seq_of(&message), *seq + 1, "no hole: {message}");
        *seq += 1;
        assert!(matches!(read(&message), ServerMessage::D(Delta::Me { .. })));
        if message["data"]["state"] == state {
            return message;
        }
    }
}

pub(crate) async fn ready(floor: &Floor, token: &str) {
    let (status, reply) = floor
        .post(token, "/agents/me/state", json!({"state": "ready"}))
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
}

/// A floor with a running campaign of ten debtors, and ana's token.
pub(crate) async fn dialing() -> (Floor, String) {
    let floor = Floor::open().await;
    let marta = floor.sign_in("marta").await;
    floor.import(&marta, 10).await;
    let campaign = floor.campaign(&marta).await;
    let (status, report) = floor
        .post(&marta, &format!("/campaigns/{campaign}/start"), json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{report}");
    let ana = floor.sign_in("ana").await;
    (floor, ana)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signs_in_paused_and_sees_what_changes() {
    let floor = Floor::open().await;
    let ana = floor.sign_in("ana").await;
    let (mut socket, hello) = floor.socket(&ana, "/ws/agent").await;
    assert_eq!(
        (&hello["role"], &hello["proto"]),
        (&json!("agent"), &json!(1))
    );
    let (snap, mut seq) = socket.seat().await;
    let me = me_of(&snap);
    assert_eq!(
        (me.state.as_str(), me.pause_code.as_deref()),
        ("paused", Some("login"))
    );
    assert_eq!(me.name, "Gestor ana");
    ready(&floor, &ana).await;
    let delta = until_state(&mut socket, "ready", &mut seq).await;
    assert_eq!(delta["data"]["pause_code"], Value::Null);
    assert!(
        delta["data"].get("name").is_none(),
        "only what changed: {delta}"
    );

    let wrong = json!({"state": "paused"});
    let (status, reply) = floor.post(&ana, "/agents/me/state", wrong).await;
    assert_eq!(
        (status, &reply["errors"][0]["path"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("code"))
    );
    let lunch = json!({"state": "paused", "code": "lunch"});
    let (status, reply) = floor.post(&ana, "/agents/me/state", lunch).await;
    assert_eq!(
        (status, &reply),
        (StatusCode::OK, &json!({"state": "paused", "queued": null}))
    );
    until_state(&mut socket, "paused", &mut seq).await;
}

/// A command on a call, as the agent gives it.
async fn order(
    floor: &Floor,
    token: &str,
    attempt: &str,
    what: &str,
    body: Value,
) -> (StatusCode, Value) {
    let path = format!("/attempts/{attempt}/{what}");
    floor.post(token, &path, body).await
}

/// Waits for the card, which tells nothing that identity has to open; its attempt.
async fn gated_card(socket: &mut Socket) -> String {
    let pop = socket.until("pop").await;
    let ServerMessage::Pop(card) = read(&pop) else {
        panic!("expected a card");
    };
    assert!(card.gate && card.debtor.name.starts_with("Persona"));
    let withheld =
        |d: &CardDebt| d.balance.is_none() && d.creditor.is_none() && d.product.is_none();
    assert!(!card.debts.is_empty() && card.debts.iter().all(withheld));
    assert!(!pop.to_string().contains("Banco Uno") && !pop.to_string().contains("tarjeta"));
    card.attempt.clone().expect("attempt")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_from_its_card_to_its_disposition() {
    let (floor, ana) = dialing().await;
    let (mut socket, _) = floor.socket(&ana, "/ws/agent").await;
    socket.seat().await;
    ready(&floor, &ana).await;
    let attempt = gated_card(&mut socket).await;
    socket.send(json!({"t": "ack", "attempt": attempt})).await;
    socket.until_state("talking").await;

    let told = json!({"role": "titular"});
    let (status, full) = order(&floor, &ana, &attempt, "identity", told).await;
    let seen = (status, &full["gate"], &full["debts"][0]["creditor"]);
    assert_eq!(seen, (StatusCode::OK, &json!(false), &json!("Banco Uno")));
    let pushed = socket.until("card").await;
    assert!(matches!(read(&pushed), ServerMessage::Card(c) if !c.gate));
    for (what, body, expected) in [
        ("hold", json!({"on": true}), StatusCode::NO_CONTENT),
        ("hold", json!({"on": false}), StatusCode::NO_CONTENT),
        ("mute", json!({"on": true}), StatusCode::NO_CONTENT),
        (
            "dtmf",
            json!({"digit": "x"}),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("dtmf", json!({"digit": "5"}), StatusCode::NO_CONTENT),
        ("hangup", json!({}), StatusCode::NO_CONTENT),
    ] {
        let (status, reply) = order(&floor, &ana, &attempt, what, body).await;
        assert_eq!(status, expected, "{what}: {reply}");
    }
    socket.until_state("wrapup").await;

    let promise = json!({"amount": {"amount_minor": 60_000, "currency": "MXN"}, "due_date": "2026-11-25", "channel": "transfer"});
    let mut body =
        json!({"code": "CD.PP", "promise": promise, "then": "paused", "pause_code": "break"});
    let early = order(&floor, &ana, &attempt, "disposition", body.clone()).await;
    let refused = (early.0, &early.1["code"]);
    assert_eq!(
        refused,
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("first_contact"))
    );
    body["told_facts"] = full["duties"]["must_say"].clone();
    let (status, done) = order(&floor, &ana, &attempt, "disposition", body).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!(done["attempt"]["disposition"], "CD.PP");
    assert_eq!(done["promise"]["amount_minor"], 60_000);
    let paused = socket.until_state("paused").await;
    assert_eq!(paused["data"]["pause_code"], "break");
    stored(&floor, &attempt).await;
}

/// What the call above leaves behind.
async fn stored(floor: &Floor, attempt: &str) {
    let id: AttemptId = attempt.parse().expect("an id");
    let row = floor.store.get_attempt(id).await.expect("stored");
    let popped = row.popped_at.expect("popped");
    let bridged = row.bridged_at.expect("bridged");
    assert!(popped <= bridged, "the card comes before the audio");
    assert!(row.acked_at.is_some() && row.identity_at.is_some());
    assert_eq!(row.disposition.as_deref(), Some("CD.PP"));
    let promises = floor
        .store
        .list_promises(&Default::default(), &page())
        .await
        .expect("promises");
    assert_eq!(promises.items.len(), 1);
}

fn page() -> domain::ports::store::PageRequest {
    domain::ports::store::PageRequest {
        limit: 10,
        cursor: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_connection_resumes_where_the_old_one_ended() {
    let (floor, ana) = dialing().await;
    let (mut socket, hello) = floor.socket(&ana, "/ws/agent").await;
    let (_, seen) = socket.seat().await;
    ready(&floor, &ana).await;
    socket.until_state("talking").await;
    drop(socket);

    let (mut again, second) = floor.socket(&ana, "/ws/agent").await;
    assert_eq!(hello["boot"], second["boot"]);
    let resume = json!({"boot": second["boot"], "me": seen});
    again
        .send(json!({"t": "sub", "topics": ["me"], "resume": resume}))
        .await;
    let mut seq = seen;
    let first = again.next().await.expect("open");
    assert_eq!(
        (&first["t"], seq_of(&first)),
        (&json!("d"), seq + 1),
        "no snap: {first}"
    );
    seq += 1;
    until_state(&mut again, "talking", &mut seq).await;
    let pop = again.until("pop").await;
    drop(again);

    // The card stands: it is repeated after a snap, and a cursor of another boot gets a gap first.
    let (mut third, _) = floor.socket(&ana, "/ws/agent").await;
    let other_boot = json!({"boot": "00000000-0000-7000-8000-000000000000", "me": seq});
    third
        .send(json!({"t": "sub", "topics": ["me"], "resume": other_boot}))
        .await;
    third.until("gap").await;
    let me = me_of(&third.until("snap").await);
    assert!(me.attempt.is_some(), "{me:?}");
    let repeated = third.until("pop").await;
    assert_eq!(repeated["attempt"], pop["attempt"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_is_lagged_and_a_word_brings_it_back() {
    let floor = Floor::open().await;
    let ana = floor.sign_in("ana").await;
    let (mut socket, _) = floor.socket(&ana, "/ws/agent").await;
    let (_, mut seq) = socket.seat().await;
    ready(&floor, &ana).await;
    until_state(&mut socket, "ready", &mut seq).await;
    socket.hush();
    until_state(&mut socket, "lagged", &mut seq).await;
    socket.send(json!({"t": "ping", "n": 1})).await;
    until_state(&mut socket, "ready", &mut seq).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_touches_another_agents_call() {
    let (floor, ana) = dialing().await;
    let (mut socket, _) = floor.socket(&ana, "/ws/agent").await;
    socket.seat().await;
    ready(&floor, &ana).await;
    let pop = socket.until("pop").await;
    let attempt = pop["attempt"].as_str().expect("attempt").to_owned();
    socket.until_state("talking").await;
    let luis = floor.sign_in("luis").await;
    let (mut other, _) = floor.socket(&luis, "/ws/agent").await;
    other.subscribe("me").await;
    let path = format!("/attempts/{attempt}/hangup");
    let (status, reply) = floor.post(&luis, &path, json!({})).await;
    assert_eq!(
        (status, &reply["code"]),
        (StatusCode::CONFLICT, &json!("not_your_call")),
        "{reply}"
    );
    let sofia = floor.sign_in("sofia").await;
    let held = format!("/attempts/{attempt}/hold");
    let (status, _) = floor.post(&sofia, &held, json!({"on": true})).await;
    assert_eq!(
        status,
        StatusCode::FORBIDDEN,
        "a supervisor holds no agent's call"
    );
    let monitor = format!("/calls/{attempt}/monitor");
    let (status, reply) = floor
        .post(&sofia, &monitor, json!({"mode": "listen"}))
        .await;
    assert_eq!(
        (status, &reply["code"]),
        (StatusCode::CONFLICT, &json!("no_phone")),
        "{reply}"
    );
    let (status, _) = floor.post(&sofia, &monitor, json!({})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // A broken message costs the connection, not the call.
    socket.send_text("{".to_owned()).await;
    assert!(matches!(socket.end().await, End::Closed(1008, _)));
    let (mut back, _) = floor.socket(&ana, "/ws/agent").await;
    back.subscribe("me").await;
    assert_eq!(back.until("pop").await["attempt"], json!(attempt));
}
