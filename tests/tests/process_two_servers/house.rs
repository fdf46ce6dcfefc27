//! The servers, their carrier, their agents and their debtors.

use marcador_tests::demo_facts::carrier_log;
use marcador_tests::house::top;
use marcador_tests::service::Service;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sip_test::agent::{AgentConfig, Behaviour, Running, spawn};
use sip_test::carrier::{self, Profile};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Debtors at the start, and the campaigns that all want them: more than the law lets anybody be called a day.
const DEBTORS: usize = 600;
const CAMPAIGNS: usize = 3;
/// Hang guard of one wait.
const LONG: Duration = Duration::from_secs(180);

/// The machine's clock, which the carrier's log and the servers share, epoch ms.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.expect("after 1970").as_millis()).expect("fits")
}

/// A login at one server's API.
#[derive(Clone)]
pub(crate) struct Login {
    http: Client,
    url: String,
    token: String,
}

impl Login {
    pub(crate) async fn open(url: &str, password: &str) -> Self {
        let mut login = Self {
            http: Client::new(),
            url: url.to_owned(),
            token: String::new(),
        };
        let body = json!({"username": "admin", "password": password});
        let session = login.post("/sessions", body).await;
        login.token = session["token"].as_str().expect("token").to_owned();
        login
    }

    /// Sends it, again where a loaded machine had no time for it; the reply, and how often it was sent.
    async fn send(&self, request: RequestBuilder) -> (Value, usize) {
        let request = request.bearer_auth(&self.token);
        let since = Instant::now();
        for sent in 1.. {
            let again = request.try_clone().expect("a body in memory");
            let reply = again.send().await.expect("answers");
            let status = reply.status();
            let text = reply.text().await.expect("text");
            if status == StatusCode::SERVICE_UNAVAILABLE && since.elapsed() < LONG {
                continue;
            }
            assert!(status.is_success(), "{status}: {text}");
            return (serde_json::from_str(&text).unwrap_or(Value::Null), sent);
        }
        unreachable!("it ends by its clock")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let at = format!("{}/api/v1{path}", self.url);
        self.send(self.http.post(at).json(&body)).await.0
    }

    /// A do-not-call list of one number.
    pub(crate) async fn list_file(&self, number: &str) {
        let name = number.trim_start_matches('+');
        let at = format!(
            "{}/api/v1/imports/dnc-list?name={name}&kind=phone",
            self.url
        );
        let file = self.http.post(at).header("content-type", "text/plain");
        self.send(file.body(format!("{number}\n"))).await;
    }

    /// A file of debtors, taken whole.
    pub(crate) async fn import(&self, client: &str, numbers: std::ops::Range<usize>) {
        let mut rows = "external_ref,debt_ref,name,country,balance,days_past_due,phone_mobile,\
            phone_authorised,phone_given_by_debtor\n"
            .to_owned();
        let many = numbers.len();
        for n in numbers {
            let phone = number(n);
            rows += &format!("{n},A{n},Ana Ruiz {n},PE,100.00,30,{phone},yes,yes\n");
        }
        let at = format!(
            "{}/api/v1/imports?client={client}&portfolio=Consumo",
            self.url
        );
        let file = self.http.post(at).header("content-type", "text/csv");
        let (done, sent) = self.send(file.body(rows)).await;
        // What was given up may have been written all the same.
        let whole = sent > 1 || done["report"]["debtors_new"] == many;
        assert!(whole, "{done}");
    }
}

/// The number of the `n`th debtor.
pub(crate) fn number(n: usize) -> String {
    format!("+51911{n:06}")
}

pub(crate) struct Server {
    pub(crate) service: Service,
    pub(crate) login: Login,
    sip: SocketAddr,
}

pub(crate) struct House {
    folder: tempfile::TempDir,
    carrier: Option<carrier::Running>,
    pub(crate) servers: Vec<Server>,
    pub(crate) client: String,
    pub(crate) password: String,
    pub(crate) debtors: usize,
    campaigns: Vec<String>,
    agents: Vec<Running>,
    database: String,
}

/// First port of those that are asked for; below the range (32,768 on) from which systems give ports to whoever
/// does not say, so that none is given away between the look and the start of the server.
const PORTS_FROM: u16 = 20_000;
/// Ports of one test process.
const PORTS_EACH: u16 = 20;

fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 500).expect("below 500") * PORTS_EACH;
    loop {
        let n = NEXT.fetch_add(1, Ordering::SeqCst);
        assert!(n < PORTS_EACH, "no port is free");
        let port = PORTS_FROM + own + n;
        if std::net::UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Few answer, nobody talks long: much is dialed.
fn people(dir: &Path) -> Profile {
    let usual = std::fs::read_to_string(top().join("sip-test/profiles/default.json"));
    let mut people: Value = serde_json::from_str(&usual.expect("profile")).expect("json");
    for (kind, share) in people["shares"].as_object_mut().expect("shares") {
        *share = json!(match kind.as_str() {
            "human" => 0.2,
            "busy" => 0.4,
            "no_answer" => 0.2,
            "rejected" => 0.2,
            _ => 0.0,
        });
    }
    people["ring_ms"] = json!({"median": 700, "sigma": 0.3, "least": 300, "most": 2_000});
    people["no_answer_ms"] = json!(2_500);
    people["talk_s"] = json!([[0.01, 3.0], [0.99, 8.0]]);
    let path = dir.join("people.json");
    std::fs::write(&path, people.to_string()).expect("written");
    Profile::load(&path).expect("a profile")
}

fn behaviour() -> Behaviour {
    let mut work = Behaviour::demo();
    work.ready_ms = [100, 300];
    work.wrap_ms.median = 700.0;
    work.wrap_ms.least = 300;
    work.wrap_ms.most = 1_500;
    work.break_share = 0.0;
    work
}

/// A database of its own on the test's PostgreSQL.
fn fresh_database(server: &str) -> String {
    let name = format!("two_{}", uuid::Uuid::now_v7().simple());
    let sql = format!("CREATE DATABASE {name}");
    let made = std::process::Command::new("psql")
        .args([server, "-q", "-c", &sql])
        .status();
    assert!(made.expect("psql").success(), "a database");
    let (base, _) = server.rsplit_once('/').expect("a database in the URL");
    format!("{base}/{name}")
}

impl House {
    /// Servers on one PostgreSQL database, or one on SQLite, with a client, his debtors and campaigns.
    pub(crate) async fn open(postgres: Option<&str>, servers: usize) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let dir = folder.path();
        marcador_tests::rules::open(dir).expect("rules");
        let config = carrier::Config {
            profile: Some(people(dir)),
            log: Some(dir.join("carrier.jsonl")),
            ..carrier::Config::new(([127, 0, 0, 1], 0).into())
        };
        let carrier = carrier::start(config).await.expect("a carrier");
        let database = postgres.map_or_else(
            || format!("sqlite://{}/marcador.db", dir.display()),
            fresh_database,
        );
        let mut house = Self {
            folder,
            carrier: Some(carrier),
            servers: Vec::new(),
            client: String::new(),
            password: String::new(),
            debtors: DEBTORS,
            campaigns: Vec::new(),
            agents: Vec::new(),
            database,
        };
        for n in 0..servers {
            house.serve(n).await;
        }
        house.fill().await;
        house
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    async fn serve(&mut self, n: usize) {
        let dir = self.dir().to_path_buf();
        let (at, port) = (dir.display(), free_port());
        let trunk = self.carrier.as_ref().expect("stands").address();
        let bus = std::env::var("MARCADOR_TEST_REDIS_URL")
            .ok()
            .filter(|_| self.database.starts_with("postgres"))
            .unwrap_or_else(|| "local".to_owned());
        let database = &self.database;
        let (from, to) = (14_000 + 2_000 * n, 15_999 + 2_000 * n);
        let text = format!(
            r#"[http]
bind = "127.0.0.1:0"
[database]
url = "{database}"
[bus]
url = "{bus}"
[node]
name = "node-{name}"
[recordings]
url = "file://{at}/recordings"
key_file = "{at}/recordings.key"
[sip]
bind = ["udp://127.0.0.1:{port}"]
[media]
ports = "{from}-{to}"
[[trunks]]
name = "carrier"
uri = "sip:{trunk}"
channels = 40
cps = 20
headers = {{ "X-Marcador-Attempt" = "{{attempt}}" }}
[law]
packs = "{at}/packs"
[auth]
secret_file = "{at}/marcador.secret"
second_factor = false
"#,
            name = n + 1
        );
        let own = dir.join(format!("server-{n}"));
        std::fs::create_dir(&own).expect("folder");
        let path = own.join("marcador.toml");
        std::fs::write(&path, text).expect("configuration");
        let service = Service::join(&own, &path.display().to_string()).expect("starts");
        if n == 0 {
            self.password.clone_from(&service.admin_password);
        }
        let login = Login::open(&service.url, &self.password).await;
        self.servers.push(Server {
            service,
            login,
            sip: ([127, 0, 0, 1], port).into(),
        });
    }

    async fn fill(&mut self) {
        let admin = self.servers[0].login.clone();
        let id = |row: &Value| row["id"].as_str().expect("id").to_owned();
        let body = json!({"name": "Acme", "callback_number": "+51911999999"});
        let client = id(&admin.post("/clients", body).await);
        let number = json!({"client_id": client, "number": "+51911999999", "country": "PE",
            "registered": true, "enabled": true});
        admin.post("/caller-ids", number).await;
        let portfolio = json!({"client_id": client, "name": "Consumo", "currency": "PEN",
            "creditor_kind": "financial", "zone": "America/Lima"});
        admin.post("/portfolios", portfolio).await;
        admin.import(&client, 0..DEBTORS).await;
        let segment = json!({"client_id": client, "name": "Todo", "expression": "balance > 0.00"});
        let segment = id(&admin.post("/segments", segment).await);
        for n in 0..CAMPAIGNS {
            let params = json!({"mode": "progressive", "trunks": ["carrier"],
                "window_from": "00:00", "window_to": "24:00"});
            let campaign = json!({"client_id": client, "name": format!("Campaña {n}"),
                "segment_id": segment, "params": params});
            self.campaigns
                .push(id(&admin.post("/campaigns", campaign).await));
        }
        self.client = client;
    }

    /// Agents at each server, with a phone each.
    pub(crate) async fn staff(&mut self, each: usize) {
        let admin = self.servers[0].login.clone();
        for (at, server) in self.servers.iter().enumerate() {
            for n in 0..each {
                let name = format!("agent-{at}-{n}");
                let user = json!({"username": name, "display_name": name, "role": "agent"});
                let user = admin.post("/users", user).await;
                let agent = json!({"user_id": user["user"]["id"], "name": name, "sip_user": name});
                let agent = admin.post("/agents", agent).await;
                let password = user["password"].as_str().expect("password");
                let mut config = AgentConfig::new(&server.service.url, &name, password, server.sip);
                let secret = agent["sip_password"].as_str().expect("told once");
                config.sip_password = secret.to_owned();
                config.behaviour = behaviour();
                self.agents.push(spawn(config).await.expect("an agent"));
            }
        }
    }

    pub(crate) async fn start(&self) {
        for campaign in &self.campaigns {
            let path = format!("/campaigns/{campaign}/start");
            self.servers[0].login.post(&path, json!({})).await;
        }
    }

    fn called(&self) -> usize {
        carrier_log(self.dir()).map_or(0, |rows| rows.len())
    }

    /// Waits until that many calls are over.
    pub(crate) async fn until_called(&self, many: usize) {
        let since = Instant::now();
        while self.called() < many {
            let seen = self.called();
            assert!(since.elapsed() < LONG, "{seen} calls of {many}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn until_called_more(&self, many: usize) {
        self.until_called(self.called() + many).await;
    }

    /// Waits until agents of each server had a call.
    pub(crate) async fn until_both_dial(&mut self) {
        let each = self.agents.len() / self.servers.len();
        for (at, agents) in self.agents.chunks_mut(each).enumerate() {
            let had = agents[0].until(|figures| figures.calls > 0);
            let had = tokio::time::timeout(LONG, had).await;
            assert!(had.is_ok_and(|h| h), "no call at server {at}");
        }
    }

    /// The campaigns and the agents stop, the servers end in good order, the carrier last; gives the database.
    pub(crate) async fn close(&mut self, limit: Duration) -> String {
        let admin = Login::open(&self.servers[0].service.url, &self.password).await;
        for campaign in &self.campaigns {
            admin
                .post(&format!("/campaigns/{campaign}/stop"), json!({}))
                .await;
        }
        let leaving = std::mem::take(&mut self.agents).into_iter();
        futures::future::join_all(leaving.map(Running::stop)).await;
        for server in &mut self.servers {
            let well = server.service.stop(limit).expect("ends");
            assert!(well, "a server ended with a fault");
        }
        if let Some(carrier) = self.carrier.take() {
            carrier.stop().await;
        }
        self.database.clone()
    }
}
