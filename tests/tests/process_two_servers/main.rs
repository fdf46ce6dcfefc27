//! Two servers on one database, both importing, dialing and listing do-not-call, one of them frozen and thawed:
//! the carrier's own log, the attempts and the lists tell of no breach. And one server: what is listed is not
//! called any more.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test: it fails loudly and prints its figures"
)]

mod facts;
mod house;
mod work;

use facts::Facts;
use house::House;
use marcador_tests::process::long_tests;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use work::{Lists, pause};

/// How long both work, seconds, where `MARCADOR_TWO_SERVERS_SECONDS` does not say.
const SECONDS: u64 = 60;
/// Longest freeze, seconds; a third of the time at most. A node's lease is 15 s: it is over by then.
const FROZEN_S: u64 = 60;
/// Hang guard for the calls that are up at the end.
const DRAIN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_and_a_freeze_without_a_breach() {
    let Ok(postgres) = std::env::var("MARCADOR_TEST_POSTGRES_URL") else {
        println!("skipped: MARCADOR_TEST_POSTGRES_URL is not set");
        return;
    };
    if !long_tests() {
        return;
    }
    let seconds = std::env::var("MARCADOR_TWO_SERVERS_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(SECONDS);
    let frozen = FROZEN_S.min(seconds / 3);
    let mut house = House::open(Some(&postgres), 2).await;
    house.staff(3).await;
    house.start().await;
    let lists = Arc::new(Lists::new(&house));
    let works: Vec<_> = (0..2).map(|n| lists.clone().go_on(n)).collect();
    let part = Duration::from_secs((seconds - frozen) / 2);
    pause(part).await;
    // Both have something to lose before one of them stops.
    house.until_both_dial().await;
    lists.rest().await;
    house.servers[1].service.freeze(true).expect("frozen");
    let freeze_at = house::now_ms();
    pause(Duration::from_secs(frozen)).await;
    let thaw_at = house::now_ms();
    house.servers[1].service.freeze(false).expect("thawed");
    lists.wake();
    pause(part).await;
    lists.stop.store(true, Ordering::SeqCst);
    for work in works {
        work.await.expect("works to its end");
    }
    let database = house.close(DRAIN).await;
    let facts = Facts::read(house.dir(), Some(&database));
    println!(
        "figure: {} INVITEs ({} by each node), {} numbers listed, {} files imported, frozen {} s",
        facts.invites.len(),
        facts.by_node(),
        lists.listed().len(),
        lists.imported.load(Ordering::SeqCst),
        (thaw_at - freeze_at) / 1_000
    );
    facts.hold(&lists.listed());
    facts.ledger(&database);
    let (full, both) = facts.at_the_cap();
    println!("figure: {full} numbers called as often as may be, {both} of them by both servers");
    assert!(full > 0, "the cap had nothing to hold");
    assert!(facts.nodes() == 2, "both dialed: {}", facts.by_node());
    assert!(lists.listed().len() > 10 && lists.imported.load(Ordering::SeqCst) > 4);
    facts.silent("node-2", freeze_at, thaw_at);
    facts.verified();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_listed_is_not_called_after_the_answer() {
    if !long_tests() {
        return;
    }
    let mut house = House::open(None, 1).await;
    house.staff(3).await;
    house.start().await;
    let lists = Arc::new(Lists::new(&house));
    let work = lists.clone().go_on(0);
    // Until there is something to tell: numbers listed while others are called.
    house.until_called(40).await;
    lists.until_listed(20).await;
    let listed = lists.listed().len();
    house.until_called_more(20).await;
    lists.stop.store(true, Ordering::SeqCst);
    work.await.expect("works to its end");
    house.close(DRAIN).await;
    let facts = Facts::read(house.dir(), None);
    println!(
        "figure: {} INVITEs, {listed} numbers listed meanwhile",
        facts.invites.len()
    );
    facts.hold(&lists.listed());
    facts.verified();
}
