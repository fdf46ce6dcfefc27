//! A long file whose rows change debtors who were there before, on PostgreSQL: nobody sees any of it before it is in,
//! calls go on beside it, and whoever goes on behind a death finds all that is left.

use super::{common, later, undo};
use domain::entity::{Import, ImportState};
use domain::ids::DebtId;
use domain::ports::StoreError;
use domain::ports::store::{ASIDE_AT_ONCE, IMPORT_STEP, OpenOutcome};
use domain::segment::Expr;
use sim::contract::imports::file;
use sim::contract::judges::Allow;
use sim::contract::scene::*;
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use store::SqlStore;

/// Longest wait for what must not wait.
const SOON: Duration = Duration::from_secs(2);
/// Longer than a file waits for who is held before it begins anew, and longer than anybody else waits for a row.
const LONGER: Duration = Duration::from_secs(11);
/// By what the file makes each debt dearer.
const MORE: i64 = 700;

/// A file that changes the debts of people, one piece each, with more recalls behind them than are written at once;
/// its row as it is when it is in.
async fn long_file(store: &Subject, scene: &Scene, people: &[Person]) -> Import {
    let row = file(scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    for (line, person) in (2..).zip(people) {
        let mut dearer = later(&person.row(line));
        dearer.debt.principal_minor += MORE;
        let taken = store.take_rows(row.id, &[dearer]).await;
        assert_eq!(taken.expect("taken").debts_changed, 1);
    }
    store.settle_rows(row.id).await.expect("durable");
    for n in 0..ASIDE_AT_ONCE.div_ceil(IMPORT_STEP.into()) {
        let strangers: Vec<DebtId> = (0..IMPORT_STEP).map(|_| fresh()).collect();
        let kept = store.recall_aside(row.id, &strangers, n == 0).await;
        kept.expect("aside");
    }
    let some = store.write_aside(row.id, NOW).await.expect("none");
    assert!(!some, "nothing is written before the file is in");
    let mut row = store.get_import(row.id).await.expect("file");
    (row.state, row.accepted_at) = (ImportState::Accepted, Some(NOW.plus_ms(4_000)));
    row
}

/// By how much each owes more than before.
async fn dearer_by(store: &Subject, people: &[Person]) -> Vec<i64> {
    let mut all = Vec::new();
    for person in people {
        let debt = store.get_debt(person.debt.id).await.expect("debt");
        all.push(debt.balance_minor() - person.debt.balance_minor());
    }
    all
}

/// Debtors of the scene who were there before, each written by the first file.
async fn known(store: &Subject, scene: &Scene) -> Vec<Person> {
    let people: Vec<Person> = (0..3).map(|_| scene.draft_person()).collect();
    let rows: Vec<_> = (2..).zip(&people).map(|(line, p)| p.row(line)).collect();
    super::take(store, &rows).await;
    people
}

/// Somebody's hand on a row: whoever writes it waits.
async fn hold(url: &str, table: &str, id: uuid::Uuid) -> PgConnection {
    let mut hand = PgConnection::connect(url).await.expect("server");
    let sql = format!("SELECT 1 FROM {table} WHERE id='{id}' FOR UPDATE");
    for sql in ["BEGIN".to_owned(), sql] {
        let sql = sqlx::AssertSqlSafe(sql);
        sqlx::raw_sql(sql).execute(&mut hand).await.expect("held");
    }
    hand
}

/// Waits until somebody waits for a row.
async fn somebody_waits(hand: &mut PgConnection) {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity \
        WHERE datname=current_database() AND wait_event_type='Lock'";
    let waits = async {
        while sqlx::query_scalar::<_, i64>(sql)
            .fetch_one(&mut *hand)
            .await
            .expect("told")
            == 0
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waits).await;
    waited.expect("it comes to the row that is held");
}

async fn a_death_in_the_middle_shows_nothing(store: &Subject, other: &Subject, url: &str) {
    let scene = Scene::new(store).await;
    let people = known(store, &scene).await;
    let count = async || {
        let found = other.segment_count(scene.client.id, &Expr::All, NOW).await;
        found.expect("count").balance
    };
    let before = count().await;
    let row = long_file(store, &scene, &people).await;
    let waiting = other.import_left(row.id, NOW).await.expect("left").waiting;
    let mut hand = hold(url, "debts", people[2].debt.id.into()).await;
    let (writer, own) = (Arc::clone(store), row.clone());
    let write = tokio::spawn(async move { writer.put_import(&own, &[]).await });
    somebody_waits(&mut hand).await;
    // Two of three are written.
    assert_eq!(dearer_by(other, &people).await, [0, 0, 0]);
    assert_eq!(count().await, before);
    write.abort();
    assert!(write.await.is_err(), "it dies");
    drop(hand);
    assert_eq!(dearer_by(other, &people).await, [0, 0, 0]);
    let left = other.import_left(row.id, NOW).await.expect("left");
    assert_eq!((left.shown, left.waiting), (0, waiting));
    // Another server goes on.
    other.put_import(&row, &[]).await.expect("it is in");
    assert_eq!(dearer_by(store, &people).await, [MORE; 3]);
    let left = store.import_left(row.id, NOW).await.expect("left");
    assert_eq!(left.waiting, 0);
    undo(store, row.id).await;
    assert_eq!(dearer_by(store, &people).await, [0, 0, 0]);
    assert_eq!(count().await, before);
}

async fn calls_go_on_beside_it(store: &Subject, other: &Subject, url: &str) {
    let scene = Scene::new(store).await;
    let mut people = known(store, &scene).await;
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    let leased = ids(&reserve(store, &campaign, &lease, 1).await);
    // Whoever is about to be called comes first in the file, and the file stands still at the last.
    people.sort_by_key(|p| !leased.contains(&p.debtor.id));
    let row = long_file(store, &scene, &people).await;
    let mut hand = hold(url, "debts", people[2].debt.id.into()).await;
    let (writer, own) = (Arc::clone(store), row.clone());
    let write = tokio::spawn(async move { writer.put_import(&own, &[]).await });
    somebody_waits(&mut hand).await;
    let draft = people[0].draft(&lease, Some(campaign.id), NOW);
    let opened = tokio::time::timeout(SOON, other.open_attempt(&draft, &Allow)).await;
    let opened = opened.expect("it does not wait").expect("open");
    assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
    let paid = people[0].payment(100);
    let paid = tokio::time::timeout(SOON, other.post_payment(&paid, &[], &of_promise)).await;
    paid.expect("it does not wait").expect("paid");
    drop(hand);
    write.await.expect("ended").expect("it is in");
    // The file's figures are what the client says, whatever came before.
    assert_eq!(dearer_by(store, &people).await, [MORE; 3]);
    undo(store, row.id).await;
    let paid = [-100, 0, 0];
    assert_eq!(
        dearer_by(store, &people).await,
        paid,
        "as before, less what was paid"
    );
}

async fn who_is_held_for_long_is_waited_for(store: &Subject, other: &Subject, url: &str) {
    let scene = Scene::new(store).await;
    let people = known(store, &scene).await;
    let row = long_file(store, &scene, &people).await;
    let hand = hold(url, "persons", people[1].debtor.person_id.into()).await;
    let (writer, own) = (Arc::clone(store), row.clone());
    let write = tokio::spawn(async move { writer.put_import(&own, &[]).await });
    let until = tokio::time::Instant::now() + LONGER;
    let paid = people[1].payment(100);
    let paid = tokio::time::timeout(LONGER, other.post_payment(&paid, &[], &of_promise)).await;
    let told = paid.expect("it does not wait for the file");
    assert!(
        matches!(told, Err(StoreError::Unavailable(_))),
        "{:?}",
        told.err()
    );
    tokio::time::sleep_until(until).await;
    assert!(!write.is_finished());
    assert_eq!(dearer_by(other, &people).await, [0, 0, 0]);
    drop(hand);
    write.await.expect("ended").expect("it is in");
    assert_eq!(dearer_by(other, &people).await, [MORE; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some((store, url, _)) = common::postgres().await else {
        return;
    };
    let store: Subject = Arc::new(store);
    let other: Subject = Arc::new(SqlStore::connect(&url).await.expect("another"));
    a_death_in_the_middle_shows_nothing(&store, &other, &url).await;
    calls_go_on_beside_it(&store, &other, &url).await;
    who_is_held_for_long_is_waited_for(&store, &other, &url).await;
}
