//! What a call asks of the allocator on the signalling thread, from its order to the report of its end.

use crate::common::peer::{Peer, Plan};
use crate::common::{Node, trunk};
use crate::counter::{Watch, askers};
use domain::ports::HangUpCause;

/// Calls that make every table and queue as large as it needs to be.
const WARM_UP: u128 = 20;
/// Calls that are counted.
const COUNTED: u128 = 40;
/// Places kept: more than there are.
const PLACES: usize = 60_000;
/// Allocations of a call at most: four datagrams in, three out, each printed or parsed and kept as a step, two
/// descriptions, four reports; measured 262.
const MOST_A_CALL: f64 = 330.0;

/// Calls that are placed, answered and ended, one after the other.
async fn calls(node: &mut Node, from: u128, count: u128) {
    for n in from..from + count {
        let attempt = node.dial(n, 20_000).await;
        node.answered(attempt).await;
        let ended = node.trunk.hang_up(attempt, HangUpCause::Normal).await;
        ended.expect("hangs up");
        assert_eq!(node.ended(attempt).await.code, Some(200));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_asks_for_so_much_on_the_signalling_thread_and_no_more() {
    let watch = Watch::turn().await;
    let plan = Plan {
        ring_ms: None,
        decide_ms: Some(0),
        ..Plan::answers(0.0)
    };
    let carrier = Peer::start(plan).await;
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(carrier.addr)];
        c.legs_file = Some(c.recordings_dir.join("legs"));
    })
    .await;
    calls(&mut node, 1, WARM_UP).await;
    watch.threads("sip", PLACES);
    let before = watch.asked();
    calls(&mut node, 1 + WARM_UP, COUNTED).await;
    let asked = watch.asked() - before;
    watch.nobody();
    let each = asked as f64 / COUNTED as f64;
    let places = watch.places();
    eprintln!("allocations of the signalling thread: {each:.0} a call");
    for (count, name) in askers(&places, &["voice::", "sip::"]).iter().take(40) {
        eprintln!("{:>7.1} a call: {name}", *count as f64 / COUNTED as f64);
    }
    node.handle.shutdown().await;
    assert!(each > 10.0, "the thread is watched: {each}");
    assert!(each < MOST_A_CALL, "{each:.0} allocations a call");
}
