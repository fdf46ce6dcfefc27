//! The agent against a server of the contract, in small: real HTTP, websocket, SIP and RTP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::common::{PATIENCE, Ua, loopback};
use futures::{SinkExt as _, StreamExt as _};
use media::speech::DEBTOR_HZ;
use serde_json::{Value, json};
use sip::header::Algorithm;
use sip::ua::{Auth, Config, Event, RegistrarRules, Secret};
use sip_test::agent::{self, AgentConfig, Behaviour};
use sip_test::plane::Voice;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// What the server saw: a request or a message of the socket.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    what: String,
    body: Value,
}

/// A small server: answers what the contract says, and sends what the test says.
struct Server {
    address: SocketAddr,
    seen: mpsc::Receiver<Seen>,
    says: broadcast::Sender<Option<Value>>,
    seq: u64,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind(loopback()).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (report, seen) = mpsc::channel(256);
        let (says, _) = broadcast::channel(64);
        let said = says.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (report, said) = (report.clone(), said.subscribe());
                tokio::spawn(serve(stream, report, said));
            }
        });
        Self {
            address,
            seen,
            says,
            seq: 0,
        }
    }

    fn say(&self, message: Value) {
        self.says.send(Some(message)).expect("a socket is open");
    }

    fn me(&mut self, kind: &str, data: Value) {
        self.seq += 1;
        let now = 1_795_532_400_000_u64 + self.seq;
        self.say(json!({ "t": kind, "topic": "me", "seq": self.seq, "now": now, "data": data }));
    }

    /// Waits for something the agent sends, while SIP goes on.
    async fn until(&mut self, sip: &mut Ua, what: &str) -> Value {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            tokio::select! {
                seen = self.seen.recv() => {
                    let seen = seen.expect("the server runs");
                    if seen.what == what {
                        return seen.body;
                    }
                }
                _ = sip.driver.next() => {}
                () = tokio::time::sleep_until(end) => panic!("{what} never came"),
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    report: mpsc::Sender<Seen>,
    said: broadcast::Receiver<Option<Value>>,
) {
    let mut start = [0u8; 16];
    let _ = stream.peek(&mut start).await;
    if start.starts_with(b"GET /ws/agent") {
        socket(stream, report, said).await;
    } else {
        requests(stream, report).await;
    }
}

async fn socket(
    stream: TcpStream,
    report: mpsc::Sender<Seen>,
    mut said: broadcast::Receiver<Option<Value>>,
) {
    let mut ticket = String::new();
    #[expect(clippy::result_large_err, reason = "the handshake's own type")]
    let check = |request: &Request, mut response: Response| {
        ticket = request.uri().query().unwrap_or_default().to_owned();
        let protocol = request
            .headers()
            .get("sec-websocket-protocol")
            .expect("a subprotocol");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", protocol.clone());
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, check)
        .await
        .expect("a socket");
    let opened = Seen {
        what: "socket".to_owned(),
        body: json!(ticket),
    };
    report.send(opened).await.expect("the test runs");
    let hello = json!({ "t": "hello", "boot": "b1", "now": 1, "role": "agent", "proto": 1 });
    socket
        .send(Frame::text(hello.to_string()))
        .await
        .expect("a socket");
    loop {
        tokio::select! {
            frame = socket.next() => {
                let Some(Ok(frame)) = frame else { return };
                let Frame::Text(text) = frame else { continue };
                let body: Value = serde_json::from_str(&text).expect("json");
                let what = body["t"].as_str().expect("a type").to_owned();
                if report.send(Seen { what, body }).await.is_err() {
                    return;
                }
            }
            message = said.recv() => match message.expect("the test runs") {
                Some(message) => socket.send(Frame::text(message.to_string())).await.expect("a socket"),
                None => return,
            }
        }
    }
}

/// Requests of one connection, kept alive.
async fn requests(mut stream: TcpStream, report: mpsc::Sender<Seen>) {
    let mut octets = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = octets.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut octets).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8_lossy(&octets[..head]).to_lowercase();
        let length = text
            .split("content-length: ")
            .nth(1)
            .and_then(|s| s.lines().next()?.parse().ok());
        let whole = head + length.unwrap_or(0);
        while octets.len() < whole {
            stream.read_buf(&mut octets).await.expect("a body");
        }
        let line = String::from_utf8_lossy(&octets[..head])
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let what = line.trim_end_matches(" HTTP/1.1").replace("/api/v1", "");
        let body = serde_json::from_slice(&octets[head..whole]).unwrap_or(Value::Null);
        octets.drain(..whole);
        let answer = answer(&what).to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if report.send(Seen { what, body }).await.is_err() {
            return;
        }
        stream
            .write_all((head + &answer).as_bytes())
            .await
            .expect("a connection");
    }
}

fn answer(what: &str) -> Value {
    match what {
        "POST /sessions" => json!({ "token": "t1", "role": "agent" }),
        "POST /ws-tickets" => json!({ "ticket": "w1" }),
        "POST /attempts/a1/identity" => json!({ "attempt": "a1", "gate": false, "debts": [{
            "id": "d1", "balance": { "amount_minor": 90_000, "currency": "MXN" } }] }),
        _ => json!({}),
    }
}

fn registrar(config: &mut Config) {
    let accounts = HashMap::from([("e1".to_owned(), Secret::Password("phone".to_owned()))]);
    config.auth = Some(Auth {
        realm: "marcador".to_owned(),
        nonce_key: [3; 32],
        algorithms: vec![Algorithm::Sha256],
        passwords: Arc::new(accounts),
    });
    config.registrar = Some(RegistrarRules::default());
}

/// An agent who promises after short talks.
fn quick() -> Behaviour {
    let mut value = serde_json::to_value(Behaviour::demo()).expect("json");
    let short = |ms: u64| json!({ "median": 1.0, "sigma": 0.0, "least": ms, "most": ms });
    for (key, changed) in [
        ("titular_share", json!(1.0)),
        ("break_share", json!(0.0)),
        ("identity_ms", json!([600, 600])),
        ("talk_ms", short(1_500)),
        ("wrap_ms", short(200)),
    ] {
        value[key] = changed;
    }
    for (name, weight) in value["outcomes"].as_object_mut().expect("weights") {
        *weight = json!(f64::from(u8::from(name == "promise")));
    }
    Behaviour::parse(&value.to_string()).expect("a behaviour")
}

/// An agent who signs in and whose phone holds its leg.
async fn at_work(sip: &mut Ua, server: &mut Server) -> agent::Running {
    let base = format!("http://{}", server.address);
    let mut config = AgentConfig::new(&base, "ana", "secret", sip.driver.local());
    (config.sip_user, config.sip_password) = ("e1".to_owned(), "phone".to_owned());
    config.behaviour = quick();
    let agent = agent::spawn(config).await.expect("an agent");
    let phone = sip.until("the phone", |e| match e {
        Event::Registered { source, .. } => Some(source.remote),
        _ => None,
    });
    let phone = phone.await;
    sip.call(phone, "e1", Voice::Silence);
    sip.answered().await;
    let signed = server.until(sip, "POST /sessions").await;
    assert_eq!(signed, json!({ "username": "ana", "password": "secret" }));
    assert_eq!(server.until(sip, "socket").await, json!("ticket=w1"));
    assert_eq!(server.until(sip, "sub").await["topics"], json!(["me"]));
    agent
}

/// One call from ready to its disposition, which is given.
async fn one_call(sip: &mut Ua, server: &mut Server) -> Value {
    let phone = json!({ "registered": true, "leg_up": true });
    let paused =
        json!({ "state": "paused", "pause_code": "login", "phone": phone, "attempt": null });
    server.me("snap", paused);
    let state = server.until(sip, "POST /agents/me/state").await;
    assert_eq!(state, json!({ "state": "ready" }));
    server.me("d", json!({ "state": "ready", "pause_code": null }));
    server.say(json!({ "t": "pop", "attempt": "a1", "gate": true, "debts": [{ "id": "d1" }] }));
    assert_eq!(server.until(sip, "ack").await["attempt"], "a1");
    sip.say(Voice::person(DEBTOR_HZ, 0.2, 4));
    let attempt = json!({ "id": "a1", "identity": false });
    server.me("d", json!({ "state": "talking", "attempt": attempt }));
    let identity = server.until(sip, "POST /attempts/a1/identity").await;
    assert_eq!(identity, json!({ "role": "titular" }));
    server.until(sip, "POST /attempts/a1/hangup").await;
    sip.say(Voice::Silence);
    let ended = json!({ "state": "wrapup", "ended": { "by": "agent" } });
    server.me("d", ended);
    let written = server.until(sip, "POST /attempts/a1/disposition").await;
    server.me("d", json!({ "state": "ready", "attempt": null }));
    written
}

#[tokio::test]
async fn one_call_from_sign_in_to_promise_and_a_lost_connection() {
    let mut sip = Ua::new(registrar).await;
    let mut server = Server::start().await;
    let mut agent = at_work(&mut sip, &mut server).await;
    let written = one_call(&mut sip, &mut server).await;
    assert_eq!(
        (&written["code"], &written["then"]),
        (&json!("CD.PP"), &json!("ready"))
    );
    assert_eq!(written["promise"]["debt_id"], "d1");
    let heard = sip.hearing.heard().shares();
    assert!(heard.agent > 0.7, "he spoke: {heard:?}");
    let judged = tokio::time::timeout(PATIENCE, agent.until(|f| f.cards_before_voice == 1));
    assert_eq!(judged.await, Ok(true));

    server.says.send(None).expect("a socket");
    server.until(&mut sip, "POST /sessions").await;
    let again = server.until(&mut sip, "sub").await;
    assert_eq!(again["resume"], json!({ "boot": "b1", "me": server.seq }));
    server.until(&mut sip, "ping").await;

    let end = tokio::spawn(agent.stop());
    let state = server.until(&mut sip, "POST /agents/me/state").await;
    assert_eq!(state, json!({ "state": "offline" }));
    server.until(&mut sip, "DELETE /sessions").await;
    sip.ended().await;
    let figures = end.await.expect("figures");
    assert_eq!(
        (figures.sign_ins, figures.connections, figures.calls),
        (2, 2, 1)
    );
    assert_eq!((figures.cards, figures.cards_after_voice), (1, 0));
    let done = (figures.identities, figures.hang_ups, figures.promises);
    assert_eq!(done, (1, 1, 1));
    assert_eq!((figures.phone_calls, figures.refused.len()), (1, 0));
}

#[tokio::test]
async fn he_waits_for_a_server_that_is_not_there_and_goes_when_told() {
    let nobody = TcpListener::bind(loopback()).await.expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let config = AgentConfig::new(
        &format!("http://{address}"),
        "ana",
        "x",
        ([127, 0, 0, 1], 9).into(),
    );
    let mut agent = agent::spawn(config).await.expect("an agent");
    let tried = tokio::time::timeout(PATIENCE, agent.until(|f| f.faults >= 2)).await;
    assert_eq!(tried, Ok(true));
    let figures = agent.stop().await;
    assert_eq!((figures.sign_ins, figures.connections), (0, 0));
}
