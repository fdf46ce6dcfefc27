//! The product as a service: first admin, sign-in with enrolment, readiness, TERM.
#![expect(clippy::expect_used, reason = "a test: it fails loudly")]

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

struct Service {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Service {
    fn start(dir: &Path, second_factor: bool) -> Self {
        let file = |name: &str| dir.join(name).display().to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_marcador"))
            .arg("serve")
            .env(
                "MARCADOR__DATABASE__URL",
                format!("sqlite://{}", file("m.db")),
            )
            .env(
                "MARCADOR__RECORDINGS__URL",
                format!("file://{}", file("rec")),
            )
            .env("MARCADOR__RECORDINGS__KEY_FILE", file("rec.key"))
            .env("MARCADOR__AUTH__SECRET_FILE", file("m.secret"))
            .env("MARCADOR__AUTH__SECOND_FACTOR", second_factor.to_string())
            .env("MARCADOR__HTTP__BIND", "127.0.0.1:0")
            .env(
                "MARCADOR__SIP__BIND",
                "[\"udp://127.0.0.1:0\",\"tcp://127.0.0.1:0\"]",
            )
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(dir.join("log")).expect("log"))
            .spawn()
            .expect("starts");
        let out = child.stdout.take().expect("stdout");
        Self {
            child,
            lines: BufReader::new(out).lines(),
        }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("a line").expect("text")
    }

    /// Sends TERM and waits for the end by itself.
    fn end(mut self, limit: Duration) -> i32 {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill");
        assert!(sent.success());
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                return status.code().unwrap_or(-1);
            }
            assert!(since.elapsed() < limit, "still there {limit:?} after TERM");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text
        .split_once(from)
        .map(|(_, r)| r)
        .unwrap_or_else(|| panic!("no '{from}' in {text}"));
    rest.split_once(to).map_or(rest, |(inner, _)| inner)
}

#[tokio::test]
async fn the_first_admin_signs_in_and_term_ends_the_service() {
    let dir = tempfile::tempdir().expect("folder");
    let mut service = Service::start(dir.path(), true);
    let told = service.line();
    let (name, password) = (
        between(&told, "as '", "'"),
        between(&told, "password '", "'"),
    );
    let url = between(&service.line(), "screens and API: ", "\n").to_owned();
    let http = reqwest::Client::new();
    let alive = http
        .get(format!("{url}/healthz"))
        .send()
        .await
        .expect("answers");
    assert_eq!(alive.status(), 200);
    // Without a trunk nothing can be dialed, and it says so.
    let ready = http
        .get(format!("{url}/readyz"))
        .send()
        .await
        .expect("answers");
    let status = ready.status();
    let reasons: Value = ready.json().await.expect("json");
    assert_eq!(status, 503, "{reasons}");
    let wrong = json!({"username": name, "password": "not this one"});
    let refused = http
        .post(format!("{url}/api/v1/sessions"))
        .json(&wrong)
        .send()
        .await
        .expect("answers");
    assert_eq!(refused.status(), 401);
    let right = json!({"username": name, "password": password});
    let session = http
        .post(format!("{url}/api/v1/sessions"))
        .json(&right)
        .send()
        .await
        .expect("answers");
    assert_eq!(session.status(), 200);
    let session: Value = session.json().await.expect("json");
    assert_eq!(
        (&session["role"], &session["second_factor"]),
        (&json!("admin"), &json!("enrol")),
        "{session}"
    );
    let token = session["token"].as_str().expect("token");
    let users = http
        .get(format!("{url}/api/v1/users"))
        .bearer_auth(token)
        .send()
        .await
        .expect("answers");
    assert_eq!(users.status(), 403, "enrolment comes first");
    assert_eq!(service.end(Duration::from_secs(30)), 0);

    // The second start makes no admin again.
    let mut again = Service::start(dir.path(), true);
    assert!(again.line().starts_with("screens and API: "));
    assert_eq!(again.end(Duration::from_secs(30)), 0);
}

async fn sign_in(url: &str, password: &str) -> String {
    let body = json!({"username": "admin", "password": password});
    let session = reqwest::Client::new()
        .post(format!("{url}/api/v1/sessions"))
        .json(&body)
        .send()
        .await
        .expect("answers");
    let session: Value = session.json().await.expect("json");
    session["token"].as_str().expect("token").to_owned()
}

async fn dispositions(url: &str, token: &str) -> Vec<Value> {
    let list = reqwest::Client::new()
        .get(format!("{url}/api/v1/dispositions"))
        .bearer_auth(token)
        .send()
        .await
        .expect("answers");
    let list: Value = list.json().await.expect("json");
    list["items"].as_array().expect("items").clone()
}

#[tokio::test]
async fn calls_can_be_disposed_from_the_first_start_and_own_labels_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("folder");
    let mut service = Service::start(dir.path(), false);
    let password = between(&service.line(), "password '", "'").to_owned();
    let url = between(&service.line(), "screens and API: ", "\n").to_owned();
    let token = sign_in(&url, &password).await;
    let before = dispositions(&url, &token).await;
    assert!(before.len() >= 40, "{} dispositions", before.len());
    let own = json!({"label_es": "Paga todo", "label_en": "Pays all"});
    let changed = reqwest::Client::new()
        .put(format!("{url}/api/v1/dispositions/CD.PP.TOTAL"))
        .bearer_auth(&token)
        .json(&own)
        .send()
        .await
        .expect("answers");
    assert_eq!(changed.status(), 200);
    assert_eq!(service.end(Duration::from_secs(30)), 0);
    for (name, mode) in [("m.db", 0o600), ("rec", 0o700), ("m.secret", 0o600)] {
        let meta = std::fs::metadata(dir.path().join(name)).expect(name);
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{name}");
    }

    let mut again = Service::start(dir.path(), false);
    let url = between(&again.line(), "screens and API: ", "\n").to_owned();
    let token = sign_in(&url, &password).await;
    let after = dispositions(&url, &token).await;
    assert_eq!(after.len(), before.len());
    let row = after.iter().find(|d| d["code"] == "CD.PP.TOTAL");
    assert_eq!(row.expect("row")["label_es"], "Paga todo");
    assert_eq!(again.end(Duration::from_secs(30)), 0);
}
