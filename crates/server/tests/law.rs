//! `marcador law explain|dry-run|replay` as a user calls them, on a portfolio whose decisions the store took.
#![expect(clippy::expect_used, reason = "a test: it fails loudly")]

#[path = "beside/run.rs"]
mod run;

use domain::entity::{Channel, ContactPoint};
use domain::ids::PointId;
use domain::law::{EMBEDDED_PACKS, RuleBook};
use domain::ports::store::OpenOutcome;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use run::{database, done, marcador, told};
use sim::contract::scene::{NOW, Person, Scene, Subject, fresh};
use sqlx::{Connection as _, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use store::SqlStore;

/// The pack that binds the debtor.
const PACK: &str = "mx-condusef";
/// Ten in the morning where he is, an hour after he was taken into the portfolio.
const MORNING: UtcMs = NOW.plus_ms(HOUR_MS);
/// Eleven of that day's evening.
const NIGHT: UtcMs = NOW.plus_ms(14 * HOUR_MS);
/// More than have passed since then, for some decades.
const DAYS: &str = "20000";

/// An empty database of the program's shape with a debtor of Mexico City.
async fn portfolio(dir: &Path) -> (Arc<SqlStore>, Person) {
    let store = SqlStore::connect(&database(dir)).await.expect("connect");
    store.migrate().await.expect("migrate");
    let store = Arc::new(store);
    let subject: Subject = store.clone();
    let scene = Scene::new(&subject).await;
    let mut person = scene.draft_person();
    // Others would be judged in more zones than one.
    person.point.value = "+525512345678".into();
    person.store(&subject).await;
    (store, person)
}

async fn open(store: &SqlStore, person: &Person, at: UtcMs) -> OpenOutcome {
    use domain::ports::store::{AttemptStore as _, NodeStore as _};
    let book = RuleBook::embedded().expect("packs");
    let lease = store.register_node("node", at, HOUR_MS).await;
    let draft = person.draft(&lease.expect("a node"), None, at);
    store.open_attempt(&draft, &book).await.expect("answers")
}

fn explained(dir: &Path, person: &Person, at: UtcMs) -> String {
    let (debtor, at) = (person.debtor.id.to_string(), at.to_string());
    let asked = ["law", "explain", "--debtor", &debtor, "--at", &at];
    done(dir, &asked, 0)
}

/// The shipped pack with another opening hour.
fn trial(dir: &Path, opens: &str) {
    let name = format!("{PACK}.json");
    let (_, text) = EMBEDDED_PACKS
        .iter()
        .find(|(n, _)| *n == name)
        .expect("is shipped");
    assert!(text.contains("\"07:00\""), "{text}");
    let text = text.replace("\"07:00\"", &format!("\"{opens}\""));
    let text = text.replacen("\"version\": \"", "\"version\": \"trial-", 1);
    std::fs::write(dir.join("trial.json"), text).expect("written");
}

#[tokio::test]
async fn a_verdict_is_explained_for_every_phone_and_for_nothing_else() {
    use domain::ports::store::CatalogStore as _;
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let (store, person) = portfolio(dir).await;
    let mail = ContactPoint {
        id: fresh::<PointId>(),
        channel: Channel::Email,
        value: "ana@example.com".into(),
        ..person.point.clone()
    };
    store.put_point(&mail, &[]).await.expect("stored");
    store.close().await;
    let phone = format!("point {} at ", person.point.id);
    let text = explained(dir, &person, MORNING);
    assert!(text.starts_with(&phone), "{text}");
    assert!(text.contains(": allow\n"), "{text}");
    assert!(text.contains(&format!("pack {PACK} ")), "{text}");
    assert!(text.contains("zone America/Mexico_City "), "{text}");
    assert!(!text.contains(&mail.id.to_string()), "{text}");
    assert!(!text.contains("refused"), "{text}");
    assert!(!text.contains("5512345678"), "{text}");
    let text = explained(dir, &person, NIGHT);
    assert!(text.contains(": defer\n"), "{text}");
    assert!(
        text.contains(&format!("refused {PACK}/windows: ")),
        "{text}"
    );
    // Seven of the next morning.
    let opens = NOW.plus_ms(22 * HOUR_MS);
    let next = format!("next lawful instant: {opens}");
    assert!(text.contains(&next), "{text}");
    let nobody = fresh::<PointId>().to_string();
    done(dir, &["law", "explain", "--debtor", &nobody], 1);
    done(dir, &["law", "explain", "--debtor", "ana"], 2);
    let debtor = person.debtor.id.to_string();
    let asked = ["law", "explain", "--debtor", &debtor, "--at", "noon"];
    assert!(done(dir, &asked, 2).contains("--at"));
}

#[tokio::test]
async fn a_debtor_without_a_phone_is_told_of() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let (store, mut person) = portfolio(dir).await;
    person.point.channel = Channel::Email;
    person.point.value = "ana@example.com".into();
    person.store(&(store.clone() as Subject)).await;
    store.close().await;
    let text = explained(dir, &person, MORNING);
    assert!(text.starts_with("no phone at "), "{text}");
    assert!(text.contains("refused "), "{text}");
}

#[tokio::test]
async fn a_pack_on_trial_is_held_against_what_was_done() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let (store, person) = portfolio(dir).await;
    let made = open(&store, &person, MORNING).await;
    assert!(matches!(made, OpenOutcome::Opened(..)), "{made:?}");
    store.close().await;
    let asked = ["law", "dry-run", "trial.json", "--days", DAYS];
    trial(dir, "12:00");
    let text = done(dir, &asked, 0);
    assert!(text.starts_with(&format!("{PACK} trial-")), "{text}");
    let counted = "1 acts, 1 judged again, 1 under the pack";
    assert!(text.contains(counted), "{text}");
    assert!(text.contains("stopped that were allowed 1,"), "{text}");
    assert!(
        text.contains(&format!("  1 acts: {PACK}/windows: ")),
        "{text}"
    );
    assert!(text.contains("  call: 1 of 1\n"), "{text}");
    // An hour that the call was after stops nothing.
    trial(dir, "09:30");
    let text = done(dir, &asked, 0);
    assert!(text.contains(counted), "{text}");
    assert!(text.contains("stopped that were allowed 0,"), "{text}");
    // Nothing was done for another client.
    let other = fresh::<PointId>().to_string();
    let others = [&asked[..], &["--client", &other]].concat();
    assert!(done(dir, &others, 0).contains(": 0 acts, "));
    done(dir, &[&asked[..], &["--client", "x"]].concat(), 2);
    done(dir, &["law", "dry-run", "absent.json"], 2);
    let text = std::fs::read_to_string(dir.join("trial.json")).expect("there");
    let text = text.replacen("\"caps\"", "\"kaps\"", 1);
    std::fs::write(dir.join("trial.json"), text).expect("written");
    let output = marcador(dir, &asked);
    assert!(!output.status.success() && told(&output).contains("kaps"));
}

#[tokio::test]
async fn decisions_are_made_again_and_a_changed_one_is_found() {
    let dir = tempfile::tempdir().expect("folder");
    let dir = dir.path();
    let (store, person) = portfolio(dir).await;
    let refused = open(&store, &person, NIGHT).await;
    assert!(matches!(refused, OpenOutcome::Refused(..)), "{refused:?}");
    let made = open(&store, &person, MORNING.plus_ms(DAY_MS)).await;
    assert!(matches!(made, OpenOutcome::Opened(..)), "{made:?}");
    store.close().await;
    let debtor = person.debtor.id.to_string();
    let asked = ["law", "replay", "--debtor", &debtor];
    let text = done(dir, &asked, 0);
    let whole = "2 decisions made again, 0 differ; chain of 2, 0 broken links";
    assert!(text.contains(whole), "{text}");
    let mut db = SqliteConnection::connect(&database(dir)).await;
    let db = db.as_mut().expect("connect");
    for sql in [
        "DROP TRIGGER verdicts_no_update",
        "UPDATE verdicts SET body=replace(body, 'mx-condusef/windows', 'mx-condusef/widows') WHERE decision='defer'",
    ] {
        let done = sqlx::query(sql).execute(&mut *db).await;
        done.expect("changed by hand");
    }
    let text = done(dir, &asked, 1);
    let found = "2 decisions made again, 1 differ; chain of 2, 1 broken links";
    assert!(text.contains(found), "{text}");
    done(dir, &["law", "replay", "--debtor", "ana"], 2);
}
