//! The bus over Redis, when `MARCADOR_TEST_REDIS_URL` names a server.

use domain::event::Event;
use domain::ports::Bus as _;
use sim::contract;
use std::sync::Arc;
use std::time::Duration;
use store::{LocalBus, RedisBus};

#[tokio::test]
async fn local_bus() {
    let bus = Arc::new(LocalBus::new());
    contract::bus::all(bus.clone(), bus).await;
}

/// A database of the server; each test has its own number.
fn server(database: u8) -> Option<String> {
    let Ok(url) = std::env::var("MARCADOR_TEST_REDIS_URL") else {
        eprintln!("skipped: MARCADOR_TEST_REDIS_URL is not set");
        return None;
    };
    Some(format!("{}/{database}", url.trim_end_matches('/')))
}

async fn two_ends(url: &str) -> (RedisBus, RedisBus) {
    let near = RedisBus::connect(url).await.expect("connect");
    let far = RedisBus::connect(url).await.expect("connect");
    (near, far)
}

#[tokio::test]
async fn redis_bus() {
    if let Some(url) = server(1) {
        let (near, far) = two_ends(&url).await;
        contract::bus::all(Arc::new(near), Arc::new(far)).await;
    }
}

#[tokio::test]
async fn an_emptied_redis_goes_on() {
    let Some(url) = server(2) else {
        return;
    };
    let (near, far) = two_ends(&url).await;
    let client = redis::Client::open(url).expect("url");
    let mut admin = client
        .get_multiplexed_async_connection()
        .await
        .expect("connect");
    let mut end = far.subscribe();
    for cursor in 1..=3 {
        let event = Event {
            cursor,
            schema: 1,
            event: contract::scene::event("suite.flush", &contract::scene::name("flush")),
        };
        near.publish(std::slice::from_ref(&event))
            .await
            .expect("publish");
        loop {
            let got = tokio::time::timeout(Duration::from_secs(20), end.recv()).await;
            if got.expect("delivered").expect("not lagging") == event {
                break;
            }
        }
        redis::cmd("DEL")
            .arg("marcador:events")
            .query_async::<()>(&mut admin)
            .await
            .expect("empty");
        // Ids of entries are milliseconds: a new stream must not begin in the one the old ended in.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn no_redis_loses_nothing_here() {
    // A port where nothing listens: the bus opens, says that it is not well, and still hands events to
    // this node's own subscribers.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let url = format!(
        "redis://127.0.0.1:{}",
        free.local_addr().expect("address").port()
    );
    drop(free);
    let bus = RedisBus::connect(&url).await.expect("opens");
    let mut own = bus.subscribe();
    let event = Event {
        cursor: 1,
        schema: 1,
        event: contract::scene::event("suite.alone", "x"),
    };
    bus.publish(std::slice::from_ref(&event))
        .await
        .expect_err("the outbox keeps it");
    assert_eq!(own.recv().await.expect("own copy"), event);
    bus.healthy().await.expect_err("not well");
    RedisBus::connect("http://nowhere")
        .await
        .expect_err("another kind of URL");
}
