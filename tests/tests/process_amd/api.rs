//! A demo that freshly generated calls answer, and its API as its supervisor.

use crate::account::Account;
use marcador_tests::house::top;
use marcador_tests::process::{Demo, example};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Calls of a set: so few that each is heard often, and what is the same on many numbers is learned.
const CALLS: &str = "36";
/// Longest that calls of a paused campaign take to be over.
const STILL: Duration = Duration::from_secs(60);
/// Looks in a row, a second apart, in which nobody is on the line.
const QUIET: u32 = 3;

/// The demo's API as its supervisor.
pub(crate) struct Api {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    async fn of(demo: &Demo) -> Self {
        let client = reqwest::Client::new();
        let body = json!({
            "username": demo.info.supervisor.username, "password": demo.info.supervisor.password,
        });
        let answer = client
            .post(format!("{}/api/v1/sessions", demo.info.url))
            .json(&body)
            .send()
            .await
            .expect("answers");
        let session: Value = answer.json().await.expect("JSON");
        let token = session["token"].as_str().expect("a token").to_owned();
        Self {
            client,
            url: demo.info.url.clone(),
            token,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}/api/v1{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await;
        answer.expect("answers").json().await.expect("JSON")
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/api/v1{path}", self.url));
        let answer = request.bearer_auth(&self.token).json(body).send().await;
        answer.expect("answers").json().await.expect("JSON")
    }

    /// Every judged call that is over.
    pub(crate) async fn samples(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self
                .get(&format!(
                    "/reports/detector/samples?days=1&limit=100{cursor}"
                ))
                .await;
            all.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// The row of each campaign's board.
    pub(crate) async fn boards(&self) -> Vec<Value> {
        let list = self.get("/campaigns?limit=100").await;
        let mut rows = Vec::new();
        for campaign in list["items"].as_array().expect("campaigns") {
            let id = campaign["id"].as_str().expect("an id");
            rows.push(self.get(&format!("/campaigns/{id}/live")).await);
        }
        rows
    }
}

/// Many machines and few who do not answer; the network tells of most refusals by a sound. Nobody hangs up so soon
/// that it could be either side of the law's two seconds, and talks are short, so that the end is not waited for long.
fn people() -> Value {
    let usual = std::fs::read_to_string(top().join("sip-test/profiles/default.json"));
    let mut people: Value = serde_json::from_str(&usual.expect("profile")).expect("JSON");
    people["shares"]["machine"] = json!(0.4);
    people["shares"]["no_answer"] = json!(0.08);
    people["ring_ms"]["median"] = json!(2_500);
    people["network_sound_share"] = json!(0.6);
    people["early_hangup_share"] = json!(0.0);
    people["talk_s"] = json!([[0.01, 10.0], [0.99, 15.0]]);
    people
}

/// A set made on the spot by the generator of `bench cpa`, without a speech engine: its voices are vowels.
fn fresh_calls(dir: &Path, seed: &str) -> PathBuf {
    let folder = dir.join("calls");
    let made = Command::new(example("cpa").expect("the generator"))
        .arg("calls")
        .arg(&folder)
        .args([CALLS, seed, "bare"])
        .stdout(Stdio::null())
        .status();
    assert!(made.expect("starts").success(), "no calls were made");
    folder
}

/// A running demo.
pub(crate) struct Run {
    demo: Demo,
    folder: tempfile::TempDir,
    pub(crate) api: Api,
}

impl Run {
    /// Starts it with the detector so; `seed` makes the calls.
    pub(crate) async fn start(amd: &str, seed: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("people.json");
        std::fs::write(&file, people().to_string()).expect("people");
        let (file, calls) = (
            file.display().to_string(),
            fresh_calls(folder.path(), seed).display().to_string(),
        );
        let args = [
            ["--people", &file],
            ["--calls", &calls],
            ["--amd", amd],
            ["--agents", "8"],
            ["--mode", "power"],
            ["--seconds", "400"],
        ];
        let demo = Demo::start(folder.path(), &args.concat(), &[]).expect("the demo starts");
        let api = Api::of(&demo).await;
        Self { demo, folder, api }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Dials until enough is seen, or for so long.
    pub(crate) async fn until(
        &self,
        most: Duration,
        enough: impl Fn(&Account, &[Value]) -> bool,
    ) -> bool {
        let since = Instant::now();
        while since.elapsed() < most {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let samples = self.api.samples().await;
            if enough(&Account::of(self.dir()), &samples) {
                return true;
            }
        }
        false
    }

    /// Stops dialing and waits until nobody is on the line and everything is coded.
    pub(crate) async fn rests(&self) {
        for row in self.api.boards().await {
            let id = row["id"].as_str().expect("an id");
            let path = format!("/campaigns/{id}/pause");
            self.api.post(&path, &json!({})).await;
        }
        let (since, mut quiet) = (Instant::now(), 0);
        while quiet < QUIET {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let rows = self.api.boards().await;
            let busy: u64 = rows.iter().map(on_the_line).sum();
            quiet = if busy == 0 { quiet + 1 } else { 0 };
            assert!(since.elapsed() < STILL, "calls do not end: {rows:?}");
        }
    }

    /// kill -9: nothing is on the line.
    pub(crate) fn ends(&mut self) {
        self.demo.kill().expect("killed");
    }
}

/// Calls of a campaign, and agents who have one or write it down.
fn on_the_line(row: &Value) -> u64 {
    let part = |of: &str, what: &str| row[of][what].as_u64().expect("a number");
    let calls = ["ringing", "waiting", "in_message"].map(|what| part("calls", what));
    let agents = ["talking", "hold", "wrapup"].map(|what| part("agents", what));
    calls.into_iter().chain(agents).sum()
}
