//! The demo as a user starts it, as a process: figures, recordings, carrier's log and database agree.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test: it fails loudly and prints its figures"
)]

use marcador_tests::demo_facts::{
    attempts, carrier_log, channels, recordings, summary, verify_recordings,
};
use marcador_tests::process::{Demo, DemoInfo, long_tests, run};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// Tones of the simulated voices (sip-test's default profile), Hz.
const AGENT_HZ: [f64; 2] = [700.0, 1300.0];
const DEBTOR_HZ: [f64; 2] = [500.0, 1100.0];
/// Hang guard of a compressed day: all of it is seen within an hour or two of its morning.
const DAY_LIMIT: Duration = Duration::from_secs(240);
/// Share of the power that must be at the voice's own tones.
const HEARD: f64 = 0.3;

fn number(summary: &Value, key: &str) -> u64 {
    summary[key]
        .as_u64()
        .unwrap_or_else(|| panic!("summary has no number '{key}': {summary}"))
}

/// Runs a demo to its end and checks everything that must agree; gives the summary.
fn whole_run(
    dir: &Path,
    seconds: u64,
    agents: u32,
    database: Option<&str>,
    env: &[(&str, &str)],
) -> Value {
    let json = dir.join("summary.json");
    let (seconds_text, agents_text) = (seconds.to_string(), agents.to_string());
    let json_text = json.display().to_string();
    let mut args = vec![
        "--seconds",
        &seconds_text,
        "--agents",
        &agents_text,
        "--json",
        &json_text,
    ];
    if let Some(url) = database {
        args.extend(["--database-url", url]);
    }
    let mut demo = Demo::start(dir, &args, env).expect("the demo starts");
    let told = std::fs::metadata(dir.join("demo.json")).expect("demo.json");
    assert_eq!(
        told.permissions().mode() & 0o777,
        0o600,
        "it holds the passwords"
    );
    demo.wait(Duration::from_secs(seconds + 120))
        .expect("the demo ends by itself");
    let summary = summary(&json).expect("summary");
    println!("{summary}");
    agree(dir, database, &summary);
    summary
}

fn agree(dir: &Path, database: Option<&str>, summary: &Value) {
    assert_eq!(number(summary, "errors"), 0, "{summary}");
    let rows = attempts(dir, database).expect("export");
    let sent = rows.iter().filter(|r| r.invite_at.is_some()).count() as u64;
    let carrier = carrier_log(dir).expect("carrier log");
    assert_eq!(sent, number(summary, "attempts"), "summary and database");
    assert_eq!(carrier.len() as u64, sent, "carrier's log and database");
    let connected = rows.iter().filter(|r| r.bridged_at.is_some()).count() as u64;
    assert_eq!(connected, number(summary, "connected"));
    for row in rows.iter().filter(|r| r.bridged_at.is_some()) {
        let (popped, bridged) = (
            row.popped_at.as_ref().expect("a card"),
            row.bridged_at.as_ref(),
        );
        assert!(Some(popped) <= bridged, "card before voice: {row:?}");
    }
    let said = verify_recordings(dir, database).expect("recordings are whole");
    println!("{said}");
    let abandonment = &summary["abandonment"];
    assert_eq!(abandonment["numerator"], summary["abandoned"], "{summary}");
    voices(dir, &rows);
}

/// Every connected call has a playable recording of the right length with both voices in it.
fn voices(dir: &Path, rows: &[marcador_tests::demo_facts::AttemptRow]) {
    let files = recordings(dir);
    let key = dir.join("recordings.key");
    for row in rows.iter().filter(|r| r.bridged_at.is_some()) {
        let id = row.recording_id.as_ref().expect("a recording id");
        let file = files
            .iter()
            .find(|f| f.to_string_lossy().contains(id.as_str()));
        let (agent, debtor) =
            channels(file.unwrap_or_else(|| panic!("no file of {id}")), &key).expect("playable");
        let seconds = agent.len() as f64 / 8_000.0;
        let (answered, ended) = (
            row.answered_at.as_ref().expect("answered"),
            row.ended_at.as_ref().expect("ended"),
        );
        let length = (epoch(ended) - epoch(answered)) as f64 / 1_000.0;
        assert!(
            (seconds - length).abs() <= 0.5,
            "{id}: {seconds} s of audio for a call of {length} s"
        );
        // A call that was cut within two seconds of joining may hold too little of a voice.
        if epoch(ended) - epoch(row.bridged_at.as_ref().expect("bridged")) < 2_000 {
            continue;
        }
        let share = |side: &[i16], hz: [f64; 2]| -> f64 {
            hz.iter().map(|f| media::goertzel::share(side, *f)).sum()
        };
        assert!(
            share(&agent, AGENT_HZ) > HEARD,
            "{id}: no agent on the left"
        );
        assert!(
            share(&debtor, DEBTOR_HZ) > HEARD,
            "{id}: no debtor on the right"
        );
        assert!(
            share(&agent, DEBTOR_HZ) < 0.05,
            "{id}: the debtor leaks to the left"
        );
    }
}

fn epoch(text: &str) -> i64 {
    text.parse::<domain::time::UtcMs>().expect("an instant").0
}

#[test]
fn a_short_demo_dials_connects_records_and_agrees() {
    let dir = tempfile::tempdir().expect("folder");
    let summary = whole_run(dir.path(), 30, 4, None, &[]);
    assert!(number(&summary, "attempts") > 10, "{summary}");
    assert!(number(&summary, "connected") > 2, "{summary}");
    assert!(number(&summary, "dispositions") > 0, "{summary}");
}

#[test]
fn at_night_nothing_is_dialed_and_the_reason_is_told() {
    let dir = tempfile::tempdir().expect("folder");
    let json = dir.path().join("summary.json");
    let json_text = json.display().to_string();
    // A Sunday, 03:00 in Mexico City.
    let args = [
        "--seconds",
        "12",
        "--agents",
        "2",
        "--at",
        "2026-11-29T09:00:00Z",
        "--json",
        &json_text,
    ];
    let mut demo = Demo::start(dir.path(), &args, &[]).expect("the demo starts");
    demo.wait(Duration::from_secs(120))
        .expect("the demo ends by itself");
    let summary = summary(&json).expect("summary");
    assert_eq!(number(&summary, "attempts"), 0, "{summary}");
    let blocked = summary["blocked"].as_object().expect("reasons");
    assert!(
        blocked
            .get("blocked_window")
            .and_then(Value::as_u64)
            .unwrap_or(0)
            > 0,
        "{summary}"
    );
    assert!(carrier_log(dir.path()).expect("carrier log").is_empty());
}

#[test]
fn a_long_demo_reaches_the_promised_figures() {
    if !long_tests() {
        return;
    }
    let dir = tempfile::tempdir().expect("folder");
    let summary = whole_run(dir.path(), 120, 10, None, &[]);
    assert!(number(&summary, "attempts") > 150, "{summary}");
    assert!(number(&summary, "connected") > 25, "{summary}");
    println!(
        "figure screen_pop_ms p99 {} (limit 20)",
        summary["screen_pop_ms"]["p99"]
    );
    println!(
        "figure bridge_ms p99 {} (limit 60)",
        summary["bridge_ms"]["p99"]
    );
}

#[test]
fn the_same_on_postgres_with_a_redis_bus() {
    let (Ok(postgres), Ok(redis)) = (
        std::env::var("MARCADOR_TEST_POSTGRES_URL"),
        std::env::var("MARCADOR_TEST_REDIS_URL"),
    ) else {
        return;
    };
    let dir = tempfile::tempdir().expect("folder");
    let name = format!("demo_{:016x}", rand::random::<u64>());
    let status = std::process::Command::new("psql")
        .args([
            postgres.as_str(),
            "-q",
            "-c",
            &format!("CREATE DATABASE {name}"),
        ])
        .status()
        .expect("psql");
    assert!(status.success());
    let url = postgres.replace("/postgres", &format!("/{name}"));
    let summary = whole_run(
        dir.path(),
        40,
        6,
        Some(&url),
        &[("MARCADOR__BUS__URL", &redis)],
    );
    assert!(number(&summary, "connected") > 3, "{summary}");
}

/// The token of somebody at the screens of a compressed day: there a session is soon over.
async fn token(http: &reqwest::Client, info: &DemoInfo) -> Option<String> {
    let who = json!({
        "username": info.manager.username, "password": info.manager.password,
    });
    let session = http
        .post(format!("{}/api/v1/sessions", info.url))
        .json(&who);
    let session: Value = session.send().await.ok()?.json().await.ok()?;
    session["token"].as_str().map(str::to_owned)
}

/// One question of somebody at the screens.
async fn asked(http: &reqwest::Client, info: &DemoInfo, path: &str) -> Option<Value> {
    let token = token(http, info).await?;
    let answer = http
        .get(format!("{}/api/v1{path}", info.url))
        .bearer_auth(token);
    answer.send().await.ok()?.json().await.ok()
}

/// Debts that are late by a month at most may be expected to bring something: what such debts brought over the last
/// month is known.
async fn expects(http: &reqwest::Client, info: &DemoInfo, client: &str) {
    let token = token(http, info).await.expect("a session");
    let body = json!({"client_id": client, "expression": "days_past_due between 1 and 30"});
    let preview = format!("{}/api/v1/segments/preview", info.url);
    let answer = http.post(preview).bearer_auth(token).json(&body);
    let answer = answer.send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("a preview");
    let sums = answer["count"]["expected"].as_array().expect("sums");
    let of = |sum: &Value| sum["currency"] == "MXN" && sum["amount_minor"].as_i64() > Some(0);
    assert!(sums.iter().any(of), "{answer}");
}

/// Some debtors have a home, and some of them have told where they work.
async fn lives(http: &reqwest::Client, info: &DemoInfo, client: &str) {
    let path = format!("/debtors?client={client}&limit=50");
    let debtors = asked(http, info, &path).await.expect("debtors");
    let (mut homes, mut works) = (0, 0);
    for debtor in debtors["items"].as_array().expect("rows") {
        let path = format!("/debtors/{}", debtor["id"].as_str().expect("id"));
        let file = asked(http, info, &path).await.expect("a file");
        for row in file["addresses"].as_array().expect("addresses") {
            match row["source"].as_str() {
                Some("import") => homes += 1,
                _ => works += 1,
            }
        }
    }
    assert!(homes > 5 && works > 2, "{homes} homes, {works} work places");
}

/// Whether a row of a list is such.
fn some(list: &Value, such: impl Fn(&Value) -> bool) -> bool {
    list["items"]
        .as_array()
        .is_some_and(|rows| rows.iter().any(such))
}

/// What a compressed day has to show: a list, and what is in it some time.
type Shown = (&'static str, &'static str, fn(&Value) -> bool);

/// Lists and figures in which it has to be seen; `{client}` is put in.
const SHOWN: [Shown; 12] = [
    ("a message is read", "/messages?state=read&limit=1", |v| {
        some(v, |_| true)
    }),
    (
        "a message is answered",
        "/messages?state=answered&limit=1",
        |v| some(v, |_| true),
    ),
    (
        "a message is withdrawn",
        "/messages?state=cancelled&limit=1",
        |v| some(v, |_| true),
    ),
    ("an answer waits", "/inbox?state=new&limit=1", |v| {
        some(v, |_| true)
    }),
    (
        "a link is paid",
        "/receipts?client={client}&state=posted&limit=500",
        |v| some(v, |r| r["source"] == "provider"),
    ),
    (
        "a bank's file is counted",
        "/bank-files?client={client}&limit=50",
        |v| {
            some(v, |f| {
                f["state"] == "done" && f["posted"].as_u64() > Some(0)
            })
        },
    ),
    (
        "money without an owner waits",
        "/receipts?client={client}&state=unmatched&limit=1",
        |v| some(v, |r| r["source"] == "bank_file"),
    ),
    ("a promise is kept", "/promises?limit=500", |v| {
        some(v, |p| p["state"] == "kept")
    }),
    ("a promise is broken", "/promises?limit=500", |v| {
        some(v, |p| p["state"] == "broken")
    }),
    ("a goal moves", "/goals/progress?client={client}", |v| {
        some(v, |g| {
            g["today"].as_i64() > Some(0) && g["goal"]["kind"] == "amount"
        })
    }),
    (
        "a strategy has a challenger",
        "/strategies?client={client}&limit=50",
        |v| some(v, |s| !s["champion_id"].is_null()),
    ),
    (
        "a case is late and somebody is told",
        "/stages?client={client}&late=true&limit=50",
        |v| some(v, |s| !s["owner_id"].is_null()),
    ),
];

#[test]
fn a_compressed_day_shows_reminders_money_and_goals_row_27() {
    let dir = tempfile::tempdir().expect("folder");
    // Ten minutes before the reminders of the day leave in Mexico.
    let at = "2026-11-30T15:50:00Z";
    let args = ["--speed", "120", "--agents", "6", "--at", at];
    let demo = Demo::start(dir.path(), &args, &[]).expect("the demo starts");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let http = reqwest::Client::new();
        let clients = asked(&http, &demo.info, "/clients").await.expect("clients");
        let client = clients["items"][0]["id"].as_str().expect("a client");
        // What the head of every screen says is drawn from this.
        let me = asked(&http, &demo.info, "/me").await.expect("who asks");
        let said = (&me["clock"]["demo"], &me["clock"]["speed"]);
        assert_eq!(said, (&json!(true), &json!(120)));
        let mut left = SHOWN.to_vec();
        let since = std::time::Instant::now();
        while !left.is_empty() {
            let mut still = Vec::new();
            for one in left {
                let path = one.1.replace("{client}", client);
                let seen = asked(&http, &demo.info, &path).await;
                if !seen.is_some_and(|v| (one.2)(&v)) {
                    still.push(one);
                }
            }
            left = still;
            let missing: Vec<&str> = left.iter().map(|one| one.0).collect();
            let waited = since.elapsed();
            assert!(
                left.is_empty() || waited < DAY_LIMIT,
                "not seen in {waited:?}: {missing:?}; {}",
                demo.log_end()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        accrues(&http, &demo.info, client).await;
        expects(&http, &demo.info, client).await;
        lives(&http, &demo.info, client).await;
        println!("figure all seen after {:?}", since.elapsed());
    });
}

/// The file of a debtor of the portfolio with a rule shows what the rule has brought.
async fn accrues(http: &reqwest::Client, info: &DemoInfo, client: &str) {
    let rows = asked(http, info, &format!("/portfolios?client={client}")).await;
    let rows = rows.expect("portfolios");
    let ours = rows["items"].as_array().expect("rows").iter();
    let mut ours = ours.filter(|p| p["name"] == "Línea blanca 2026");
    let id = ours.next().expect("the portfolio")["id"]
        .as_str()
        .expect("id")
        .to_owned();
    let debtors = asked(http, info, &format!("/debtors?portfolio={id}&limit=50")).await;
    for debtor in debtors.expect("debtors")["items"].as_array().expect("rows") {
        let id = debtor["id"].as_str().expect("id");
        let file = asked(http, info, &format!("/debtors/{id}"))
            .await
            .expect("file");
        let by_rule = |a: &Value| a["total_minor"].as_i64() > Some(0);
        let accrued = file["accrued"].as_array().expect("accrued");
        if accrued.iter().any(by_rule) {
            return;
        }
    }
    panic!("no debtor of the portfolio owes interest by its rule");
}

#[test]
fn wrong_usage_is_told_and_exits_with_two() {
    for args in [
        &["demo", "--agents", "0"][..],
        &["nonsense"],
        &["law", "check"],
    ] {
        let (code, _, err) = run(args, &[]).expect("runs");
        assert_eq!(code, 2, "{args:?}: {err}");
    }
    let (code, _, err) = run(&["config", "check"], &[("MARCADOR__HTTP__BNID", "x")]).expect("runs");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("did you mean 'bind'"), "{err}");
}
