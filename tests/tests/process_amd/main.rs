//! The detector looking on and acting in a demo that freshly generated calls answer: whom it lost and who was
//! abandoned, by the carrier's log, the database and its own page, over every call of the run.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test: it fails loudly and prints its figures"
)]

mod account;
mod api;

use account::{Account, Fate};
use api::{Api, Run};
use marcador_tests::demo_facts::{AttemptRow, attempts, carrier_log, events};
use marcador_tests::process::long_tests;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// Longest dialing of a detector that acts.
const LONGEST: Duration = Duration::from_secs(100);
/// Calls that are enough of a kind: announced by a sound; hung up on, or coded by agents; lost, or abandoned.
const ENOUGH: usize = 8;
const SOME: usize = 4;
const A_FEW: usize = 2;
/// Longest dialing of one that looks on.
const LONGEST_SHADOW: Duration = Duration::from_secs(200);

/// What was played before any answer: in the carrier's mind, and as the call's events have it. A busy or
/// special information tone is believed, so that the attempts' results have to say the same. How often ring-back
/// and what the network says were told.
fn early_media_agrees(dir: &Path, rows: &[AttemptRow]) -> (u32, u32) {
    let played = sounds(dir);
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

/// What the carrier played before an answer or a refusal.
fn sounds(dir: &Path) -> BTreeMap<String, String> {
    let log = carrier_log(dir).expect("carrier log");
    let played = |line: &Value| {
        let network = line["plan"]["network"].as_str();
        let rings = line["plan"]["early_media"].as_bool() == Some(true);
        let what = network.or(rings.then_some("ring_back"))?.to_owned();
        Some((line["attempt"].as_str()?.to_owned(), what))
    };
    log.iter().filter_map(played).collect()
}

fn id_of(sample: &Value) -> &str {
    sample["attempt_id"].as_str().expect("an id")
}

/// Says of every judged call what the carrier had in mind, where nobody said so: as whoever listens to the recordings
/// does. Of how many that an agent had coded, and how many of those he had coded otherwise (he came when the beep was
/// over).
async fn listened(api: &Api, account: &Account) -> (usize, usize) {
    let (mut coded, mut wrong) = (0, 0);
    for sample in api.samples().await {
        let (id, before) = (id_of(&sample), &sample["truth"]);
        let person = account.person(id);
        let truth = if person { "person" } else { "machine" };
        coded += usize::from(!before.is_null());
        if *before == truth {
            continue;
        }
        wrong += usize::from(!before.is_null());
        let path = format!("/attempts/{id}/heard");
        let answer = api.post(&path, &json!({ "truth": truth })).await;
        let ended = sample["acted"] == "hangup";
        assert_eq!(answer["lost"], ended && person, "{sample}: {answer}");
    }
    (coded, wrong)
}

/// What page and boards say when all is told.
struct Shown {
    total: Value,
    /// Numerator and denominator of the page's abandonment.
    abandoned: (u64, u64),
    /// Numerators of the boards.
    on_boards: u64,
}

async fn shown(api: &Api) -> Shown {
    let page = api.get("/reports/detector?days=1").await;
    let numerator = |row: &Value| row["abandonment"]["numerator"].as_u64();
    let boards = api.boards().await;
    let on_boards = boards.iter().map(|row| numerator(row).expect("a number"));
    Shown {
        total: page["total"].clone(),
        abandoned: parts(&page["abandoned"]),
        on_boards: on_boards.sum(),
    }
}

/// Answered calls that were dropped, by their rows: without any agent, and joined too late, which counts as well.
fn dropped(rows: &[AttemptRow]) -> (BTreeSet<String>, BTreeSet<String>) {
    let gone = |row: &&AttemptRow| {
        let result = row.result.as_deref();
        let lost = result == Some("unknown") && row.bridged_at.is_none();
        row.answered_at.is_some() && (lost || result == Some("abandoned"))
    };
    let all = rows.iter().filter(gone);
    let (late, gone): (Vec<_>, Vec<_>) = all.partition(|row| row.bridged_at.is_some());
    let ids = |rows: Vec<&AttemptRow>| rows.iter().map(|row| row.attempt_id.clone()).collect();
    (ids(gone), ids(late))
}

/// Everybody without an agent, over all calls of the run: the rows have those whom the carrier's log has and nobody
/// else; page and boards count them.
fn agree_on_the_abandoned(account: &Account, rows: &[AttemptRow], shown: &Shown) {
    assert_eq!(account.open(), BTreeSet::new(), "all calls were waited for");
    let (gone, late) = dropped(rows);
    let (abandoned, lost) = (account.abandoned(), account.lost());
    let at_carrier: BTreeSet<String> = abandoned.union(&lost).cloned().collect();
    let ours: Vec<&AttemptRow> = rows
        .iter()
        .filter(|row| gone.contains(&row.attempt_id) != at_carrier.contains(&row.attempt_id))
        .collect();
    assert_eq!(gone, at_carrier, "the database and the carrier: {ours:?}");
    for id in &late {
        assert_eq!(account.fate(id), Fate::Agent, "joined late: {id}");
    }
    let machine = |row: &&AttemptRow| {
        let code = row.disposition.as_deref().unwrap_or_default();
        code.starts_with("NC.BZ")
    };
    let joined = rows
        .iter()
        .filter(|row| row.bridged_at.is_some() && !late.contains(&row.attempt_id));
    let handled = joined.filter(|row| !machine(row)).count() as u64;
    let all = (gone.len() + late.len()) as u64;
    println!(
        "abandoned: {} of the carrier's log, {} of them persons hung up on; rows {} and {} joined late; page {:?}; \
         boards {}",
        at_carrier.len(),
        lost.len(),
        gone.len(),
        late.len(),
        shown.abandoned,
        shown.on_boards
    );
    assert_eq!(shown.abandoned, (all, all + handled), "the page");
    assert_eq!(shown.on_boards, all, "the boards");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_carrier_and_database_agree_on_whom_the_detector_lost() {
    if !long_tests() {
        return;
    }
    let mut run = Run::start("on", "601").await;
    let dir = run.dir().to_owned();
    let enough = |account: &Account, _: &[Value]| {
        account.hung_up_on().len() >= SOME
            && account.lost().len() >= A_FEW
            && account.abandoned().len() >= A_FEW
            && sounds(&dir).len() >= ENOUGH
    };
    let seen = run.until(LONGEST, enough).await;
    run.rests().await;
    let account = Account::of(&dir);
    assert!(seen, "too little was seen: {}", account.summary());
    listened(&run.api, &account).await;
    let shown = shown(&run.api).await;
    run.ends();

    let rows = attempts(&dir, None).expect("export");
    let (rang, said) = early_media_agrees(&dir, &rows);
    println!("told before the answer: ring-back of {rang} calls, what the network says of {said}");
    assert!(rang > 0 && said > 0, "{rang} and {said}");
    let account = Account::of(&dir);
    println!(
        "{}; {} recorded calls were heard",
        account.summary(),
        account.files().len()
    );
    agree_on_the_abandoned(&account, &rows, &shown);
    let on_page = ["ended", "persons_ended"].map(|key| shown.total[key].as_u64());
    let at_carrier = [account.hung_up_on(), account.lost()].map(|set| Some(set.len() as u64));
    assert_eq!(on_page, at_carrier, "ended, and persons of them");
    for row in &rows {
        if account.hung_up_on().contains(&row.attempt_id) {
            assert_eq!(row.bridged_at, None, "no agent heard {}", row.attempt_id);
        }
    }
}

/// Numerator and denominator of a share.
fn parts(share: &Value) -> (u64, u64) {
    let part = |key: &str| share[key].as_u64().expect("a number");
    (part("numerator"), part("denominator"))
}

/// Both errors of calls by class and by whether a person answered: (persons lost of persons, machines missed of
/// machines).
fn both_errors(calls: impl Iterator<Item = (String, bool)>) -> [(u64, u64); 2] {
    let [mut persons, mut machines] = [(0, 0); 2];
    for (class, person) in calls {
        let for_agent = matches!(class.as_str(), "human" | "unknown");
        if person {
            persons = (persons.0 + u64::from(!for_agent), persons.1 + 1);
        } else {
            machines = (machines.0 + u64::from(for_agent), machines.1 + 1);
        }
    }
    [persons, machines]
}

/// Both errors of everything that the event log has a verdict of, by whoever listened, else by the agent's code.
fn in_database(dir: &Path, rows: &[AttemptRow]) -> [(u64, u64); 2] {
    let codes: BTreeMap<&str, Option<&str>> = rows
        .iter()
        .map(|row| (row.attempt_id.as_str(), row.disposition.as_deref()))
        .collect();
    let (mut classes, mut told) = (BTreeMap::new(), BTreeMap::new());
    for event in events(dir).expect("export") {
        let subject = event["subject"].as_str().unwrap_or_default();
        let Some(id) = subject.strip_prefix("attempt:") else {
            continue;
        };
        let (class, truth) = (&event["data"]["heard"]["class"], &event["data"]["truth"]);
        match (event["kind"].as_str(), class.as_str(), truth.as_str()) {
            (Some("amd.classified"), Some(class), _) => {
                classes.insert(id.to_owned(), class.to_owned());
            }
            (Some("amd.corrected"), _, Some(truth)) => {
                told.insert(id.to_owned(), truth == "person");
            }
            _ => {}
        }
    }
    both_errors(classes.into_iter().map(|(id, class)| {
        let code = codes[id.as_str()];
        let by_code = || !code.expect("a code").starts_with("NC.BZ");
        let person = told.get(&id).copied().unwrap_or_else(by_code);
        (class, person)
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_shadow_page_carrier_and_database_agree_and_nobody_is_hung_up_on() {
    if !long_tests() {
        return;
    }
    let mut run = Run::start("shadow", "602").await;
    let dir = run.dir().to_owned();
    let enough = |account: &Account, samples: &[Value]| {
        let count = |truth: &str| samples.iter().filter(|s| s["truth"] == truth).count();
        let coded = count("person").min(count("machine"));
        coded >= SOME && account.abandoned().len() >= A_FEW
    };
    let seen = run.until(LONGEST_SHADOW, enough).await;
    run.rests().await;
    let account = Account::of(&dir);
    assert!(seen, "too little was seen: {}", account.summary());
    let (coded, wrong) = listened(&run.api, &account).await;
    assert!(
        wrong * 5 <= coded,
        "agents hear what a call is: {wrong} of {coded} not"
    );
    let (samples, shown) = (run.api.samples().await, shown(&run.api).await);
    run.ends();

    let rows = attempts(&dir, None).expect("export");
    let account = Account::of(&dir);
    println!(
        "{}; {} recorded calls were heard",
        account.summary(),
        account.files().len()
    );
    agree_on_the_abandoned(&account, &rows, &shown);
    assert_eq!(account.hung_up_on(), BTreeSet::new(), "it only looks on");
    let none = ["ended", "persons_ended", "untold"].map(|key| shown.total[key].as_u64());
    assert_eq!(none, [Some(0); 3]);
    for sample in &samples {
        assert_eq!(sample["acted"], "shadow", "{sample}");
    }
    let on_page = ["humans_lost", "machines_missed"].map(|error| parts(&shown.total[error]));
    let by_carrier = both_errors(samples.iter().map(|sample| {
        let class = sample["class"].as_str().expect("a class");
        (class.to_owned(), account.person(id_of(sample)))
    }));
    let in_database = in_database(&dir, &rows);
    println!(
        "{wrong} of {coded} coded calls put right by whoever listened; in shadow, persons lost of persons and machines \
         missed of machines: page {on_page:?}, carrier {by_carrier:?}, database {in_database:?}"
    );
    assert_eq!((by_carrier, in_database), (on_page, on_page));
}
