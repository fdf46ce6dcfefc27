//! kill -9 in mid-writing of a portfolio's file: nobody sees half of it, and the next server brings it to its end.
#![expect(
    clippy::expect_used,
    reason = "a test: it fails loudly and prints its figures"
)]

use marcador_tests::service::Service;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Debtors who are there before, and those whom the file brings besides.
const KNOWN: usize = 6_000;
const FRESH: usize = 40_000;
/// Hang guard of one wait.
const LONG: Duration = Duration::from_secs(300);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

struct Login {
    http: Client,
    url: String,
    token: String,
}

impl Login {
    async fn open(url: &str, password: &str) -> Self {
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

    fn at(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.url)
    }

    async fn send(&self, request: RequestBuilder) -> Value {
        let reply = request.bearer_auth(&self.token).send();
        let reply = reply.await.expect("answers");
        let status = reply.status();
        let text = reply.text().await.expect("text");
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(self.http.post(self.at(path)).json(&body)).await
    }

    async fn get(&self, path: &str) -> Value {
        self.send(self.http.get(self.at(path))).await
    }

    async fn file(&self, path: &str, text: String) -> Value {
        let file = self.http.post(self.at(path));
        let file = file.header("content-type", "text/csv").body(text);
        self.send(file).await
    }

    /// What is owed by the debtor of a reference; none while nobody sees him.
    async fn owed(&self, client: &str, reference: usize) -> Option<i64> {
        let path = format!("/debtors?client={client}&q=R{reference:06}");
        let found = self.get(&path).await;
        let id = found["items"][0]["id"].as_str()?.to_owned();
        let debts = self.get(&format!("/debts?debtor={id}")).await;
        debts["items"][0]["principal_minor"].as_i64()
    }
}

fn rows(debtors: usize, balance: &str) -> String {
    let mut text =
        "external_ref,debt_ref,name,country,balance,days_past_due,phone_mobile\n".to_owned();
    for n in 0..debtors {
        let _ = writeln!(
            text,
            "R{n:06},A{n:06},Ana Ruiz {n},PE,{balance},30,+51911{n:06}"
        );
    }
    text
}

fn config(dir: &Path) -> String {
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
bind = ["udp://127.0.0.1:0"]
[media]
ports = "19000-19199"
[auth]
secret_file = "{at}/marcador.secret"
second_factor = false
"#
    );
    let path = dir.join("marcador.toml");
    std::fs::write(&path, text).expect("configuration");
    path.display().to_string()
}

/// Looks until the file is as it is wanted.
async fn until(login: &Login, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let view = login.get(&format!("/imports/{id}")).await;
        if wanted(&view) {
            return view;
        }
        assert!(since.elapsed() < LONG, "it stays so: {view}");
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_mid_writing_leaves_a_file_that_the_next_one_ends() {
    let dir = tempfile::tempdir().expect("folder");
    let config = config(dir.path());
    let service = Service::start(dir.path(), &config).expect("starts");
    let password = service.admin_password.clone();
    let login = Login::open(&service.url, &password).await;
    let id_of = |row: &Value| row["id"].as_str().expect("an id").to_owned();
    let client = login.post(
        "/clients",
        json!({"name": "Acme", "callback_number": "+51911999999"}),
    );
    let client = id_of(&client.await);
    let body = json!({"client_id": client, "name": "Consumo", "currency": "PEN",
        "creditor_kind": "financial", "zone": "America/Lima"});
    login.post("/portfolios", body).await;
    let of = format!("client={client}&portfolio=Consumo");
    let at = format!("/imports?{of}");
    let first = login.file(&at, rows(KNOWN, "100.00")).await;
    assert_eq!(first["report"]["debtors_new"], KNOWN);
    let at = format!("/imports/drafts?{of}");
    let draft = login.file(&at, rows(KNOWN + FRESH, "250.00")).await;
    assert_eq!(draft["difference"]["debtors_new"], FRESH, "{draft}");
    let id = id_of(&draft);
    login
        .post(&format!("/imports/{id}/accept"), json!({"wait": false}))
        .await;
    let lines = |view: &Value| view["rows_done"].as_u64().unwrap_or(0);
    let begun = until(&login, &id, |view| lines(view) > 2_000).await;
    drop(service);
    assert_eq!(
        begun["state"], "accepting",
        "it was faster than the look: {begun}"
    );

    let service = Service::join(dir.path(), &config).expect("starts again");
    let login = Login::open(&service.url, &password).await;
    let left = login.get(&format!("/imports/{id}")).await;
    assert_eq!(left["state"], "accepting", "{left}");
    println!("killed at line {} of {}", lines(&left), KNOWN + FRESH + 1);
    assert!(lines(&left) < (KNOWN + FRESH) as u64, "{left}");
    // While nothing of what waits is written nobody sees anything of the file.
    let before = (
        login.owed(&client, 0).await,
        login.owed(&client, KNOWN).await,
    );
    let still = login.get(&format!("/imports/{id}")).await;
    if still["state"] == "accepting" {
        assert_eq!(before, (Some(10_000), None), "{still}");
    }
    let whole = until(&login, &id, |view| view["state"] != "accepting").await;
    assert_eq!(whole["state"], "accepted", "{whole}");
    assert_eq!(whole["broke_off"], Value::Null);
    let report = &whole["report"];
    assert_eq!(report["rows"], KNOWN + FRESH, "{report}");
    assert_eq!(
        report["debtors_new"], FRESH,
        "none twice, none lost: {report}"
    );
    assert_eq!(report["debts_changed"], KNOWN, "{report}");
    for reference in [0, KNOWN - 1, KNOWN, KNOWN + FRESH - 1] {
        assert_eq!(
            login.owed(&client, reference).await,
            Some(25_000),
            "R{reference:06}"
        );
    }
}
