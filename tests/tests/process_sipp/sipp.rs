//! The program and SIPp: a trunk that knows no OPTIONS (`-sn uas`), an agent's phone, a caller
//! (`-sn uac`), and an agent over the API and his socket. `MARCADOR_SIPP=1`, with `sipp` on the PATH.
#![expect(
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "a test: it fails loudly; its tone stays far inside 16 bits"
)]

use futures::{SinkExt as _, StreamExt as _};
use marcador_tests::demo_facts::channels;
use marcador_tests::house::top;
use marcador_tests::process::run;
use marcador_tests::service::Service;
use media::g711::Law;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Hang guards.
const SOON: Duration = Duration::from_secs(30);
const CALL: Duration = Duration::from_secs(60);
/// Tone of the agent's phone, Hz.
const AGENT_HZ: f64 = 700.0;
/// What the agent says of the call.
const CODE: &str = "CD.NP";

/// A process that is killed when dropped.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Owned {
    /// Its exit status, or a failure when it does not end.
    async fn ends(&mut self, most: Duration) -> bool {
        let since = Instant::now();
        while since.elapsed() < most {
            if let Some(status) = self.0.try_wait().expect("waits") {
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a process did not end in {most:?}");
    }
}

fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("port");
    socket.local_addr().expect("address").port()
}

fn sipp(dir: &Path, port: u16, args: &[&str]) -> Owned {
    let (port, media) = (port.to_string(), free_port().to_string());
    let log = std::fs::File::create(dir.join(format!("sipp-{port}.log"))).expect("log");
    let child = Command::new("sipp")
        .current_dir(dir)
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin"])
        .args(["-p", &port, "-mp", &media, "-timeout", "150"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Owned(child.expect("sipp is on the PATH"))
}

fn scenario(name: &str) -> String {
    top()
        .join("sip-test/scenarios")
        .join(name)
        .display()
        .to_string()
}

/// The scenario of the phone that answers, with a tone in place of the echo: at a trunk that echoes
/// too, packets would go round for ever.
fn speaking_phone(dir: &Path) -> String {
    let tone: Vec<i16> = (0..8_000)
        .map(|n| (f64::sin(f64::from(n) * AGENT_HZ * std::f64::consts::TAU / 8_000.0) * 8e3) as i16)
        .collect();
    let mut bytes = Vec::new();
    Law::A.encode(&tone, &mut bytes);
    std::fs::write(dir.join("tone.alaw"), bytes).expect("tone");
    let text = std::fs::read_to_string(scenario("phone-answer-200.xml")).expect("scenario");
    let speak = "<recv request=\"ACK\"/>\n  <nop><action>\
        <exec rtp_stream=\"tone.alaw,-1,8,PCMA/8000\"/></action></nop>";
    let text = text
        .replace("[media_port]", "[rtpstream_audio_port]")
        .replace("<recv request=\"ACK\"/>", speak);
    let path = dir.join("phone.xml");
    std::fs::write(&path, text).expect("scenario");
    path.display().to_string()
}

/// Rules that let the test run at any hour: Peru's with every window and holiday open.
fn open_rules(dir: &Path) {
    let text = std::fs::read_to_string(top().join("config/rulepacks/pe.json")).expect("pack");
    let mut pack: Value = serde_json::from_str(&text).expect("json");
    pack["windows"][0]["days"] = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    pack["windows"][0]["from"] = json!("00:00");
    pack["windows"][0]["to"] = json!("24:00");
    pack["holidays"]["policy"] = json!("allow");
    std::fs::create_dir(dir.join("packs")).expect("folder");
    std::fs::write(dir.join("packs/pe.json"), pack.to_string()).expect("pack");
}

fn config(dir: &Path, sip: u16, trunk: u16) -> String {
    let at = dir.display();
    let text = format!(
        r#"[http]
bind = "127.0.0.1:0"
[database]
url = "sqlite://{at}/marcador.db"
[recordings]
url = "file://{at}/recordings"
key_file = "{at}/recordings.key"
[sip]
bind = ["udp://127.0.0.1:{sip}"]
md5_first = true
inbound_from_anyone = true
[[trunks]]
name = "carrier"
uri = "sip:127.0.0.1:{trunk}"
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
struct Login {
    url: String,
    token: String,
}

impl Login {
    async fn open(url: &str, username: &str, password: &str) -> Self {
        let body = json!({"username": username, "password": password});
        let mut login = Self {
            url: url.to_owned(),
            token: String::new(),
        };
        let session = login.post("/sessions", body).await;
        login.token = session["token"].as_str().expect("token").to_owned();
        login
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Value {
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

    async fn post(&self, path: &str, body: Value) -> Value {
        let at = format!("{}/api/v1{path}", self.url);
        self.send(reqwest::Client::new().post(at).json(&body)).await
    }

    async fn get(&self, path: &str) -> Value {
        let at = format!("{}/api/v1{path}", self.url);
        self.send(reqwest::Client::new().get(at)).await
    }
}

fn id(row: &Value) -> &str {
    row["id"].as_str().expect("id")
}

/// A client with one debtor and a campaign on it, and an agent; his SIP password.
async fn set_up(admin: &Login) -> (String, String, String) {
    let body = json!({"name": "Acme", "callback_number": "+51911000000"});
    let client = admin.post("/clients", body).await;
    let client = id(&client);
    let number = json!({"client_id": client, "number": "+51911000000", "country": "PE",
        "registered": true, "enabled": true});
    admin.post("/caller-ids", number).await;
    let portfolio = json!({"client_id": client, "name": "Consumo", "currency": "PEN",
        "creditor_kind": "financial", "zone": "America/Lima"});
    admin.post("/portfolios", portfolio).await;
    let rows = "external_ref,debt_ref,name,country,balance,days_past_due,phone_mobile,\
        phone_authorised,phone_given_by_debtor\n1,A1,Ana Ruiz,PE,100.00,30,+51911001066,yes,yes\n";
    let at = format!(
        "{}/api/v1/imports?client={client}&portfolio=Consumo",
        admin.url
    );
    let file = reqwest::Client::new()
        .post(at)
        .header("content-type", "text/csv")
        .body(rows);
    let imported = admin.send(file).await;
    assert_eq!(imported["report"]["debtors_new"], 1, "{imported}");
    let segment = json!({"client_id": client, "name": "Todo", "expression": "balance > 0.00"});
    let segment = admin.post("/segments", segment).await;
    let params = json!({"mode": "progressive", "trunks": ["carrier"], "window_from": "00:00",
        "window_to": "24:00"});
    let campaign = json!({"client_id": client, "name": "Una", "segment_id": id(&segment),
        "params": params});
    let campaign = admin.post("/campaigns", campaign).await;
    let user = json!({"username": "gestora", "display_name": "Gestora", "role": "agent"});
    let user = admin.post("/users", user).await;
    let agent = json!({"user_id": id(&user["user"]), "name": "Gestora", "sip_user": "gestora"});
    let agent = admin.post("/agents", agent).await;
    let text = |v: &Value| v.as_str().expect("text").to_owned();
    (
        id(&campaign).to_owned(),
        text(&user["password"]),
        text(&agent["sip_password"]),
    )
}

/// The agent's socket.
struct Desk {
    stream: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
    me: Value,
}

impl Desk {
    async fn open(agent: &Login) -> Self {
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
        let (stream, _) = tokio_tungstenite::connect_async(request)
            .await
            .expect("opens");
        let mut desk = Self {
            stream,
            me: json!({}),
        };
        desk.say(json!({"t": "sub", "topics": ["me"]})).await;
        desk
    }

    async fn say(&mut self, message: Value) {
        let frame = Message::text(message.to_string());
        self.stream.send(frame).await.expect("sent");
    }

    /// Reads, and keeps the link alive, until his row or a message is as wished.
    async fn until(&mut self, what: &str, wish: impl Fn(&Value, &Value) -> bool) {
        let since = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        while since.elapsed() < CALL {
            tokio::select! {
                _ = tick.tick() => self.say(json!({"t": "ping", "n": 1})).await,
                frame = self.stream.next() => {
                    let frame = frame.expect("open").expect("a frame");
                    let Message::Text(text) = frame else { continue };
                    let message: Value = serde_json::from_str(&text).expect("json");
                    self.merge(&message);
                    if message["t"] == "pop" {
                        self.say(json!({"t": "ack", "attempt": message["attempt"]})).await;
                    }
                    if wish(&self.me, &message) {
                        return;
                    }
                }
            }
        }
        panic!("waited in vain for {what}: {}", self.me);
    }

    fn merge(&mut self, message: &Value) {
        if message["topic"] != "me" {
            return;
        }
        for (key, value) in message["data"].as_object().expect("fields") {
            self.me[key] = value.clone();
        }
    }
}

/// The agent takes the call, ticks the identity, hangs up and disposes; the attempt.
async fn take_one_call(admin: &Login, agent: &Login, desk: &mut Desk) -> String {
    desk.until("the leg of the phone", |me, _| {
        me["phone"]["leg_up"] == true
    })
    .await;
    agent
        .post("/agents/me/state", json!({"state": "ready"}))
        .await;
    desk.until("a call", |me, _| me["state"] == "talking").await;
    let attempt = id(&desk.me["attempt"]).to_owned();
    let at = |what: &str| format!("/attempts/{attempt}/{what}");
    agent
        .post(&at("identity"), json!({"role": "titular"}))
        .await;
    // Two seconds of conversation, for the recording.
    let talked = Instant::now();
    desk.until("two seconds", |_, _| {
        talked.elapsed() > Duration::from_secs(2)
    })
    .await;
    agent.post(&at("hangup"), json!({})).await;
    desk.until("the end", |me, _| me["state"] == "wrapup").await;
    let disposed = agent.post(&at("disposition"), json!({"code": CODE})).await;
    assert_eq!(disposed["attempt"]["disposition"], CODE, "{disposed}");
    let since = Instant::now();
    loop {
        let rows = admin.get(&format!("/recordings?attempt={attempt}")).await;
        if rows["items"][0]["sealed_at"].is_string() {
            assert!(rows["items"][0]["sha256"].is_string(), "{rows}");
            return attempt;
        }
        assert!(
            since.elapsed() < SOON,
            "the recording is not sealed: {rows}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The server reads its phones again every few seconds: SIPp tries until it is taken.
async fn register(dir: &Path, phone: u16, us: &str, password: &str) {
    let plan = scenario("phone-register-200.xml");
    let account = [
        "-s", "gestora", "-au", "gestora", "-ap", password, "-m", "1",
    ];
    let args = [&["-sf", &plan, us], &account[..]].concat();
    let since = Instant::now();
    while !sipp(dir, phone, &args).ends(SOON).await {
        assert!(since.elapsed() < SOON, "the phone is not taken");
        // Guesses of a password in quick order would be shut out.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

#[tokio::test]
async fn a_service_with_sipp_as_trunk_phone_and_caller() {
    if std::env::var("MARCADOR_SIPP").as_deref() != Ok("1") {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let (sip, trunk, phone) = (free_port(), free_port(), free_port());
    open_rules(dir);
    // As it is: an OPTIONS is an unexpected message for it, and stays without an answer.
    let _carrier = sipp(dir, trunk, &["-sn", "uas", "-rtp_echo"]);
    let mut service = Service::start(dir, &config(dir, sip, trunk)).expect("starts");
    let url = service.url.clone();
    let us = format!("127.0.0.1:{sip}");
    let admin = Login::open(&url, "admin", &service.admin_password).await;
    let codes = admin.get("/dispositions").await;
    assert!(codes["items"].as_array().expect("list").len() >= 40);
    let (campaign, password, sip_password) = set_up(&admin).await;

    register(dir, phone, &us, &sip_password).await;
    let speaking = speaking_phone(dir);
    let _phone = sipp(dir, phone, &["-sf", &speaking, "-m", "1", &us]);
    let agent = Login::open(&url, "gestora", &password).await;
    let mut desk = Desk::open(&agent).await;
    let started = admin
        .post(&format!("/campaigns/{campaign}/start"), json!({}))
        .await;
    assert_eq!(started["refill"]["added"], 1, "{started}");
    let attempt = take_one_call(&admin, &agent, &mut desk).await;

    let caller = ["-sn", "uac", "-s", "+51911000000", "-m", "3", &us];
    assert!(
        sipp(dir, free_port(), &caller).ends(SOON).await,
        "the caller is answered"
    );

    let rows = admin.get(&format!("/recordings?attempt={attempt}")).await;
    let key = rows["items"][0]["key"].as_str().expect("key");
    let file = dir.join("recordings").join(key);
    let (left, _) = channels(&file, &dir.join("recordings.key")).expect("playable");
    assert!(left.len() > 8_000, "{} samples", left.len());
    assert!(
        media::freq::share(&left, AGENT_HZ) > 0.3,
        "the agent is on the left"
    );
    drop(desk);
    assert!(service.stop(SOON).expect("ends"), "TERM ends it well");
    let at = dir.join("marcador.toml").display().to_string();
    let (code, out, _) = run(&["verify", "recordings", "--config", &at], &[]).expect("runs");
    assert_eq!(code, 0, "{out}");
}
