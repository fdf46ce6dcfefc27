//! A floor as its people meet it: the service's configuration, a client with debtors, agents at the API
//! and on their sockets.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Hang guards.
pub(crate) const SOON: Duration = Duration::from_secs(30);
pub(crate) const CALL: Duration = Duration::from_secs(60);

pub(crate) fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("port");
    socket.local_addr().expect("address").port()
}

/// Rules that let the test run at any hour.
pub(crate) fn open_rules(dir: &Path) {
    marcador_tests::rules::open(dir).expect("rules");
}

/// Writes the configuration of a service with one trunk; `sip` and `trunk` are lines of those tables. SIP is heard by
/// UDP at the port, unless these lines say where it is.
pub(crate) fn base(dir: &Path, port: u16, sip: &str, trunk: &str) -> String {
    let at = dir.display();
    let bind = match sip.starts_with("bind = ") {
        true => String::new(),
        false => format!("bind = [\"udp://127.0.0.1:{port}\"]"),
    };
    let text = format!(
        r#"[http]
bind = "127.0.0.1:0"
[database]
url = "sqlite://{at}/marcador.db"
[recordings]
url = "file://{at}/recordings"
key_file = "{at}/recordings.key"
[sip]
{bind}
{sip}
[[trunks]]
name = "carrier"
{trunk}
[law]
packs = "{at}/packs"
[auth]
secret_file = "{at}/marcador.secret"
second_factor = false
"#
    );
    let path = dir.join("marcador.toml");
    std::fs::write(&path, text).expect("configuration");
    path.display().to_string()
}

/// A login at the API.
pub(crate) struct Login {
    pub(crate) url: String,
    token: String,
}

impl Login {
    pub(crate) async fn open(url: &str, username: &str, password: &str) -> Self {
        let body = json!({"username": username, "password": password});
        let mut login = Self {
            url: url.to_owned(),
            token: String::new(),
        };
        let session = login.post("/sessions", body).await;
        login.token = session["token"].as_str().expect("token").to_owned();
        login
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let reply = request
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("answers");
        let status = reply.status();
        let text = reply.text().await.expect("text");
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let at = format!("{}/api/v1{path}", self.url);
        self.send(reqwest::Client::new().post(at).json(&body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let at = format!("{}/api/v1{path}", self.url);
        self.send(reqwest::Client::new().get(at)).await
    }
}

pub(crate) fn id(row: &Value) -> &str {
    row["id"].as_str().expect("id")
}

/// An agent.
pub(crate) struct Seat {
    pub(crate) id: String,
    pub(crate) password: String,
    pub(crate) sip_password: String,
}

/// Who is there.
pub(crate) struct Floor {
    pub(crate) campaign: String,
    pub(crate) seats: Vec<Seat>,
}

async fn seat(admin: &Login, name: &str) -> Seat {
    let user = json!({"username": name, "display_name": name, "role": "agent"});
    let user = admin.post("/users", user).await;
    let agent = json!({"user_id": id(&user["user"]), "name": name, "sip_user": name});
    let agent = admin.post("/agents", agent).await;
    let text = |v: &Value| v.as_str().expect("text").to_owned();
    Seat {
        id: id(&agent["agent"]).to_owned(),
        password: text(&user["password"]),
        sip_password: text(&agent["sip_password"]),
    }
}

/// A client with debtors, a campaign on them, and agents.
pub(crate) async fn set_up(admin: &Login, agents: &[&str], debtors: usize) -> Floor {
    let body = json!({"name": "Acme", "callback_number": "+51911000000"});
    let client = admin.post("/clients", body).await;
    let client = id(&client);
    let number = json!({"client_id": client, "number": "+51911000000", "country": "PE",
        "registered": true, "enabled": true});
    admin.post("/caller-ids", number).await;
    let portfolio = json!({"client_id": client, "name": "Consumo", "currency": "PEN",
        "creditor_kind": "financial", "zone": "America/Lima"});
    admin.post("/portfolios", portfolio).await;
    let mut rows = "external_ref,debt_ref,name,country,balance,days_past_due,phone_mobile,\
        phone_authorised,phone_given_by_debtor\n"
        .to_owned();
    for n in 0..debtors {
        rows += &format!(
            "{n},A{n},Ana Ruiz {n},PE,100.00,30,+5191100{:04},yes,yes\n",
            1_066 + n
        );
    }
    let at = format!(
        "{}/api/v1/imports?client={client}&portfolio=Consumo",
        admin.url
    );
    let file = reqwest::Client::new()
        .post(at)
        .header("content-type", "text/csv")
        .body(rows);
    let imported = admin.send(file).await;
    assert_eq!(imported["report"]["debtors_new"], debtors, "{imported}");
    let segment = json!({"client_id": client, "name": "Todo", "expression": "balance > 0.00"});
    let segment = admin.post("/segments", segment).await;
    let params = json!({"mode": "progressive", "trunks": ["carrier"], "window_from": "00:00",
        "window_to": "24:00"});
    let campaign = json!({"client_id": client, "name": "Una", "segment_id": id(&segment),
        "params": params});
    let campaign = admin.post("/campaigns", campaign).await;
    let mut seats = Vec::new();
    for name in agents {
        seats.push(seat(admin, name).await);
    }
    Floor {
        campaign: id(&campaign).to_owned(),
        seats,
    }
}

/// An agent's socket: kept alive, cards acknowledged, his row at hand.
pub(crate) struct Desk {
    me: watch::Receiver<Value>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Desk {
    pub(crate) async fn open(agent: &Login) -> Self {
        let ticket = agent.post("/ws-tickets", json!({})).await;
        let ticket = ticket["ticket"].as_str().expect("ticket");
        let at = format!(
            "{}/ws/agent?ticket={ticket}",
            agent.url.replacen("http", "ws", 1)
        );
        let mut request = at.into_client_request().expect("address");
        let protocol = "marcador.v1".parse().expect("header");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (mut stream, _) = tokio_tungstenite::connect_async(request)
            .await
            .expect("opens");
        let (told, me) = watch::channel(json!({}));
        let task = tokio::spawn(async move {
            let say = |message: Value| Message::text(message.to_string());
            let sub = json!({"t": "sub", "topics": ["me"]});
            stream.send(say(sub)).await.expect("sent");
            let mut tick = tokio::time::interval(Duration::from_secs(1));
            loop {
                tokio::select! {
                    _ = tick.tick() => {
                        let ping = json!({"t": "ping", "n": 1});
                        stream.send(say(ping)).await.expect("sent");
                    }
                    frame = stream.next() => {
                        let Some(Ok(frame)) = frame else { return };
                        let Message::Text(text) = frame else { continue };
                        let message: Value = serde_json::from_str(&text).expect("json");
                        if message["t"] == "pop" {
                            let ack = json!({"t": "ack", "attempt": message["attempt"]});
                            stream.send(say(ack)).await.expect("sent");
                        }
                        told.send_modify(|me| merge(me, &message));
                    }
                }
            }
        });
        Self { me, task }
    }

    /// His row now.
    pub(crate) fn me(&self) -> Value {
        self.me.borrow().clone()
    }

    /// Waits until his row is as wished.
    pub(crate) async fn until(&self, what: &str, wish: impl Fn(&Value) -> bool) {
        let mut me = self.me.clone();
        let came = tokio::time::timeout(CALL, me.wait_for(wish)).await;
        let came = came.is_ok_and(|row| row.is_ok());
        assert!(came, "waited in vain for {what}: {}", self.me());
    }

    /// Waits until he talks; the attempt.
    pub(crate) async fn talks(&self) -> String {
        self.until("a call", |me| me["state"] == "talking").await;
        id(&self.me()["attempt"]).to_owned()
    }
}

fn merge(me: &mut Value, message: &Value) {
    if message["topic"] != "me" {
        return;
    }
    for (key, value) in message["data"].as_object().expect("fields") {
        me[key] = value.clone();
    }
}
