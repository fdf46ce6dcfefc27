//! The detector acting in a demo: whom it lost, by the carrier's log, the database and its own page.
#![expect(
    clippy::expect_used,
    reason = "a test: it fails loudly and prints its figures"
)]

use marcador_tests::demo_facts::{AttemptRow, attempts, carrier_log, events};
use marcador_tests::house::top;
use marcador_tests::process::{Demo, long_tests};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest wait for enough verdicts.
const LONGEST: Duration = Duration::from_secs(100);

/// The demo's API as its supervisor.
struct Api {
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

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}/api/v1{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await;
        answer.expect("answers").json().await.expect("JSON")
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/api/v1{path}", self.url));
        let answer = request.bearer_auth(&self.token).json(body).send().await;
        answer.expect("answers").json().await.expect("JSON")
    }

    /// Every judged call that is over.
    async fn samples(&self) -> Vec<Value> {
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
}

/// What the carrier had in mind with each of our attempts.
fn plans(dir: &Path) -> BTreeMap<String, String> {
    let lines = carrier_log(dir).expect("carrier log");
    let plan = |line: &Value| {
        let attempt = line["attempt"].as_str()?.to_owned();
        Some((attempt, line["plan"]["class"].as_str()?.to_owned()))
    };
    lines.iter().filter_map(plan).collect()
}

/// What was played before any answer: in the carrier's mind, and as the call's events have it. A busy or
/// special information tone is believed, so that the attempts' results have to say the same. How often ring-back
/// and what the network says were told.
fn early_media_agrees(dir: &Path, rows: &[AttemptRow]) -> (u32, u32) {
    let log = carrier_log(dir).expect("carrier log");
    let played = |line: &Value| {
        let network = line["plan"]["network"].as_str();
        let rings = line["plan"]["early_media"].as_bool() == Some(true);
        let what = network.or(rings.then_some("ring_back"))?.to_owned();
        Some((line["attempt"].as_str()?.to_owned(), what))
    };
    let played: BTreeMap<String, String> = log.iter().filter_map(played).collect();
    let results: BTreeMap<&str, Option<&str>> = rows
        .iter()
        .map(|row| (row.attempt_id.as_str(), row.result.as_deref()))
        .collect();
    let (mut rang, mut said) = (0, 0);
    for event in &events(dir).expect("export") {
        if event["kind"] != "amd.classified" || event["data"]["early"] != true {
            continue;
        }
        let class = event["data"]["class"].as_str().expect("a class");
        let subject = event["subject"].as_str().expect("a subject");
        let attempt = subject.trim_start_matches("attempt:");
        let meant = played.get(attempt).map(String::as_str);
        assert_eq!(meant, Some(class), "{attempt}");
        let result = results.get(attempt).copied().flatten();
        match class {
            "busy" => assert_eq!(result, Some("busy"), "{attempt}"),
            "sit" => assert_eq!(result, Some("invalid_number"), "{attempt}"),
            _ => {}
        }
        match class {
            "ring_back" => rang += 1,
            _ => said += 1,
        }
    }
    (rang, said)
}

/// Many of the network's own mailboxes, which agents meet soon and which are known from then on.
fn many_machines() -> String {
    let usual = std::fs::read_to_string(top().join("sip-test/profiles/default.json"));
    let mut people: Value = serde_json::from_str(&usual.expect("profile")).expect("JSON");
    people["shares"]["machine"] = json!(0.4);
    people["shares"]["no_answer"] = json!(0.08);
    people["ring_ms"]["median"] = json!(2_500);
    people["machine"]["network_share"] = json!(0.9);
    people.to_string()
}

/// The same, and many at companies whose exchange beeps first: the detector takes them for machines. The network tells
/// of most refusals by a sound.
fn many_companies() -> String {
    let mut people: Value = serde_json::from_str(&many_machines()).expect("JSON");
    people["company_share"] = json!(COMPANIES);
    people["network_sound_share"] = json!(0.6);
    people.to_string()
}

/// Of those who answer: so many that a run without a lost one is out of the question.
const COMPANIES: f64 = 0.3;

fn is_person(class: &str) -> bool {
    matches!(class, "human" | "hangup_early")
}

/// Says of each call that was acted on what the carrier had in mind: it stands for whoever listens to the
/// recordings. The calls of which it was said.
async fn listened(api: &Api, dir: &Path) -> BTreeSet<String> {
    let since = Instant::now();
    let (mut told, mut persons) = (BTreeSet::new(), 0);
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let plans = plans(dir);
        for row in api.samples().await {
            let id = id_of(&row).to_owned();
            let ended = matches!(row["acted"].as_str(), Some("hangup" | "message"));
            let Some(class) = plans.get(&id).filter(|_| ended && !told.contains(&id)) else {
                continue;
            };
            let truth = if is_person(class) {
                "person"
            } else {
                "machine"
            };
            let answer = api
                .post(&format!("/attempts/{id}/heard"), &json!({"truth": truth}))
                .await;
            let lost = truth == "person";
            assert_eq!(answer["lost"].as_bool(), Some(lost), "{answer}");
            persons += u32::from(lost);
            told.insert(id);
        }
        if (told.len() >= 8 && persons > 0) || since.elapsed() > LONGEST {
            break;
        }
    }
    told
}

/// How long it dials: until then enough is heard before answers, too.
const DIALS: Duration = Duration::from_secs(90);
/// Longest that calls of a paused campaign take to be over.
const STILL: Duration = Duration::from_secs(40);

/// The campaigns of the judged calls, and how many were abandoned today by their boards.
async fn abandoned(api: &Api) -> (BTreeSet<String>, u64) {
    let campaign = |s: &Value| s["campaign_id"].as_str().map(str::to_owned);
    let campaigns: BTreeSet<String> = api.samples().await.iter().filter_map(campaign).collect();
    let mut sum = 0;
    for id in &campaigns {
        let row = api.get(&format!("/campaigns/{id}/live")).await;
        let numerator = row["abandonment"]["numerator"].as_u64();
        sum += numerator.unwrap_or_else(|| panic!("no figure: {row}"));
    }
    (campaigns, sum)
}

/// Stops dialing and waits until no call waits for anything. What the boards count as abandoned then.
async fn at_rest(api: &Api) -> u64 {
    for id in abandoned(api).await.0 {
        api.post(&format!("/campaigns/{id}/pause"), &json!({}))
            .await;
    }
    let since = Instant::now();
    let mut before = (u64::MAX, 0);
    while since.elapsed() < STILL {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let now = (abandoned(api).await.1, api.samples().await.len());
        if now == before {
            break;
        }
        before = now;
    }
    before.0
}

#[tokio::test(flavor = "multi_thread")]
async fn page_carrier_and_database_agree_on_whom_the_detector_lost() {
    if !long_tests() {
        return;
    }
    let dir = tempfile::tempdir().expect("folder");
    let people = dir.path().join("people.json");
    std::fs::write(&people, many_companies()).expect("people");
    let people = people.display().to_string();
    let args = [
        "--people",
        &people,
        "--amd",
        "on",
        "--agents",
        "8",
        "--mode",
        "power",
        "--seconds",
        "150",
    ];
    let mut demo = Demo::start(dir.path(), &args, &[]).expect("the demo starts");
    let api = Api::of(&demo).await;

    let since = Instant::now();
    let told = listened(&api, dir.path()).await;
    tokio::time::sleep(DIALS.saturating_sub(since.elapsed())).await;
    let on_boards = at_rest(&api).await;
    let page = api.get("/reports/detector?days=1").await;
    let on_page = page["total"]["persons_ended"].as_u64().expect("a number");
    demo.wait(Duration::from_secs(240)).expect("ends by itself");

    let plans = plans(dir.path());
    let by_carrier = told
        .iter()
        .filter(|id| plans.get(*id).is_some_and(|class| is_person(class)))
        .count() as u64;
    let rows = attempts(dir.path(), None).expect("export");
    let (rang, said) = early_media_agrees(dir.path(), &rows);
    println!("told before the answer: ring-back of {rang} calls, what the network says of {said}");
    assert!(rang > 0 && said > 0, "{rang} and {said}");
    let of_told = |id: &String| told.contains(id);
    let in_database = rows
        .iter()
        .filter(|r| of_told(&r.attempt_id) && r.result.as_deref() == Some("abandoned"))
        .count() as u64;
    println!(
        "{} machines acted on; persons lost: page {on_page}, carrier {by_carrier}, database {in_database}",
        told.len()
    );
    assert!(by_carrier > 0, "nobody was lost: {} told", told.len());
    assert_eq!((on_page, in_database), (by_carrier, by_carrier));
    assert_eq!(on_boards, given_up(&rows, &plans), "boards and database");
    for row in rows.iter().filter(|r| of_told(&r.attempt_id)) {
        assert_eq!(row.bridged_at, None, "no agent heard {}", row.attempt_id);
    }
}

/// Answered calls of ours that were abandoned, as every abandonment figure counts them: who was lost among them.
fn given_up(rows: &[AttemptRow], plans: &BTreeMap<String, String>) -> u64 {
    let dropped = |row: &&AttemptRow| {
        let result = row.result.as_deref();
        let lost = result == Some("unknown") && row.bridged_at.is_none();
        row.answered_at.is_some() && (lost || result == Some("abandoned"))
    };
    let ours = rows.iter().filter(|r| plans.contains_key(&r.attempt_id));
    ours.filter(dropped).count() as u64
}

/// Calls whose truth the agents told, of each kind, that are enough.
const ENOUGH: usize = 8;
/// Longest wait for them, and for one look in which nothing changed.
const LONGEST_SHADOW: Duration = Duration::from_secs(240);

/// Says of each call that its agent took for something else than the carrier had in mind (he came when the beep was
/// over) what it was, as whoever listens to the recordings does.
async fn put_right(api: &Api, samples: &[Value], dir: &Path) -> BTreeMap<String, &'static str> {
    let plans = plans(dir);
    let mut told = BTreeMap::new();
    for sample in samples.iter().filter(|s| !s["truth"].is_null()) {
        let id = sample["attempt_id"].as_str().expect("an id");
        let truth = match plans.get(id).map(|class| is_person(class)) {
            Some(true) => "person",
            Some(false) => "machine",
            None => continue,
        };
        if sample["truth"] != truth {
            let path = format!("/attempts/{id}/heard");
            let answer = api.post(&path, &json!({ "truth": truth })).await;
            assert_eq!(answer["lost"], false, "an agent had it: {answer}");
            told.insert(id.to_owned(), truth);
        }
    }
    told
}

/// Judged calls with a truth, the page's sums at the same moment, and what was put right.
async fn coded(api: &Api, dir: &Path) -> (Vec<Value>, Value, BTreeMap<String, &'static str>) {
    let mut right = BTreeMap::new();
    let since = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let before = api.samples().await;
        let page = api.get("/reports/detector?days=1").await;
        let count = |truth: &str| before.iter().filter(|s| s["truth"] == truth).count();
        let enough = count("person").min(count("machine")) >= ENOUGH;
        let told = format!("{} persons, {} machines", count("person"), count("machine"));
        if enough {
            let told = put_right(api, &before, dir).await;
            let settled = told.is_empty();
            right.extend(told);
            if settled && before == api.samples().await {
                return (before, page["total"].clone(), right);
            }
        }
        assert!(since.elapsed() < LONGEST_SHADOW, "only {told}");
    }
}

/// Numerator and denominator of a share.
fn parts(share: &Value) -> (u64, u64) {
    let part = |key: &str| share[key].as_u64().expect("a number");
    (part("numerator"), part("denominator"))
}

/// Both errors of calls by class and by whether a person answered: (persons lost of persons, machines missed of
/// machines).
fn both_errors<'a>(calls: impl Iterator<Item = (&'a str, bool)>) -> [(u64, u64); 2] {
    let [mut persons, mut machines] = [(0, 0); 2];
    for (class, person) in calls {
        let for_agent = matches!(class, "human" | "unknown");
        if person {
            persons = (persons.0 + u64::from(!for_agent), persons.1 + 1);
        } else {
            machines = (machines.0 + u64::from(for_agent), machines.1 + 1);
        }
    }
    [persons, machines]
}

/// The last class after the answer of each attempt, by the event log.
fn classes(dir: &Path) -> BTreeMap<String, String> {
    let events = events(dir).expect("export");
    let judged = |event: &Value| {
        let of = event["subject"].as_str()?.strip_prefix("attempt:")?;
        let class = event["data"]["heard"]["class"].as_str()?;
        (event["kind"] == "amd.classified").then(|| (of.to_owned(), class.to_owned()))
    };
    events.iter().filter_map(judged).collect()
}

/// Both errors as the page has them of a campaign that only looks on: it ended nothing.
fn on_page(total: &Value) -> [(u64, u64); 2] {
    let ended = (&total["ended"], &total["persons_ended"]);
    assert_eq!(ended, (&json!(0), &json!(0)));
    let errors = ["humans_lost", "machines_missed"];
    errors.map(|error| parts(&total[error]))
}

fn id_of(sample: &Value) -> &str {
    sample["attempt_id"].as_str().expect("an id")
}

/// Both errors of calls with a truth, by what the carrier had in mind.
fn by_carrier(told: &[&Value], dir: &Path) -> [(u64, u64); 2] {
    let plans = plans(dir);
    both_errors(told.iter().map(|sample| {
        let plan = plans.get(id_of(sample));
        let plan = plan.expect("the carrier's line of an ended call");
        let class = sample["class"].as_str().expect("a class");
        (class, is_person(plan))
    }))
}

/// Both errors of the same calls by the event log's classes and the agents' codes, where nobody put them `right`.
fn in_database(
    told: &[&Value],
    dir: &Path,
    right: &BTreeMap<String, &'static str>,
) -> [(u64, u64); 2] {
    let rows = attempts(dir, None).expect("export");
    let rows: BTreeMap<&str, &AttemptRow> =
        rows.iter().map(|r| (r.attempt_id.as_str(), r)).collect();
    let judged = classes(dir);
    both_errors(told.iter().map(|sample| {
        let row = rows[id_of(sample)];
        assert_eq!(sample["acted"], "shadow", "{sample}");
        assert!(row.bridged_at.is_some(), "an agent got {}", row.attempt_id);
        let code = row.disposition.as_deref().expect("a code");
        let class = judged.get(&row.attempt_id).expect("an event").as_str();
        let said = right.get(&row.attempt_id).copied();
        let person = said.map_or(!code.starts_with("NC.BZ"), |said| said == "person");
        (class, person)
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_shadow_page_carrier_and_database_agree_and_an_agent_gets_every_call() {
    if !long_tests() {
        return;
    }
    let dir = tempfile::tempdir().expect("folder");
    let people = dir.path().join("people.json");
    std::fs::write(&people, many_machines()).expect("people");
    let people = people.display().to_string();
    let args = [
        "--people",
        &people,
        "--amd",
        "shadow",
        "--agents",
        "8",
        "--mode",
        "power",
        "--seconds",
        "400",
    ];
    let mut demo = Demo::start(dir.path(), &args, &[]).expect("the demo starts");
    let api = Api::of(&demo).await;
    let (samples, total, right) = coded(&api, dir.path()).await;
    demo.kill().expect("killed");

    let on_page = on_page(&total);
    let told: Vec<&Value> = samples.iter().filter(|s| !s["truth"].is_null()).collect();
    let by_carrier = by_carrier(&told, dir.path());
    let in_database = in_database(&told, dir.path(), &right);
    assert!(
        right.len() * 5 <= told.len(),
        "agents hear what a call is: {right:?}"
    );
    println!(
        "{} calls put right by whoever listened; in shadow, persons lost of persons and machines missed of machines: page {on_page:?}, \
        carrier {by_carrier:?}, database {in_database:?}",
        right.len()
    );
    assert_eq!((by_carrier, in_database), (on_page, on_page));
}
