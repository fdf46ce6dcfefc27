//! Requests in a call whose peer came by a connection of its own, which is gone again: they take the way
//! that the call's first request took, not whichever connection leads to that address.

mod common;

use bytes::Bytes;
use common::{Link, World, addr};
use sip::ua::CallKey;
use sip::{ConnId, Proto, Target};

/// The way of one trunk to its carrier, as a caller numbers it.
const LINE: ConnId = ConnId(1 << 63 | 7);
/// The connection between the two nodes, as the rig numbers it.
const CARRIERS: ConnId = ConnId(5_001 * 100_000 + 5_002);

fn line() -> Target {
    Target {
        proto: Proto::Tcp,
        dest: addr(2),
        conn: Some(LINE),
    }
}

/// Node 0 calls node 1 over its line; node 1 has the INVITE.
fn placed() -> (World, CallKey, CallKey) {
    let mut world = World::pair(7, Link::CLEAN);
    world.record = true;
    let mut order = world.order(0, 1);
    order.next_hop = line();
    let now = world.now;
    let out = world.nodes[0].endpoint.invite(now, order);
    let out = out.expect("an INVITE");
    world.run_for(50);
    let inc = world.incoming(1);
    (world, out, inc)
}

/// Where the last message that begins so was sent.
fn target(world: &World, begins: &[u8]) -> Target {
    let mut sent = world.wire.iter().rev();
    let found = sent.find(|(_, packet)| packet.bytes.starts_with(begins));
    found.expect("was sent").1.target
}

#[test]
fn the_bye_goes_over_the_line_of_the_call() {
    let (mut world, out, inc) = placed();
    let now = world.now;
    let answer = Bytes::from_static(b"v=0");
    let answered = world.nodes[1].endpoint.answer(now, inc, answer);
    answered.expect("answers");
    world.run_for(50);
    assert_eq!(
        target(&world, b"ACK").conn,
        Some(CARRIERS),
        "while it is there"
    );
    let now = world.now;
    world.nodes[0].endpoint.connection_closed(now, CARRIERS);
    let ended = world.nodes[0].endpoint.hang_up(now, out, None);
    ended.expect("hangs up");
    world.run_for(50);
    assert_eq!(target(&world, b"BYE"), line());
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn the_cancel_goes_over_the_line_of_its_invite() {
    let (mut world, out, _) = placed();
    let now = world.now;
    world.nodes[0].endpoint.connection_closed(now, CARRIERS);
    let withdrawn = world.nodes[0].endpoint.cancel(now, out, None);
    withdrawn.expect("withdraws");
    world.run_for(50);
    assert_eq!(target(&world, b"CANCEL"), line());
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn a_call_that_came_in_has_the_home_that_it_is_told() {
    let mut world = World::pair(7, Link::CLEAN);
    world.record = true;
    let mut order = world.order(1, 0);
    order.next_hop = Target {
        proto: Proto::Tcp,
        dest: addr(1),
        conn: None,
    };
    let now = world.now;
    let placed = world.nodes[1].endpoint.invite(now, order);
    placed.expect("an INVITE");
    world.run_for(50);
    let inc = world.incoming(0);
    let now = world.now;
    let own = &mut world.nodes[0].endpoint;
    own.home(inc, line()).expect("the call is there");
    let answered = own.answer(now, inc, Bytes::from_static(b"v=0"));
    answered.expect("answers");
    world.run_for(50);
    let now = world.now;
    let own = &mut world.nodes[0].endpoint;
    own.connection_closed(now, CARRIERS);
    own.hang_up(now, inc, None).expect("hangs up");
    world.run_for(50);
    assert_eq!(target(&world, b"BYE"), line());
    assert!(world.settle(40_000));
    world.assert_empty();
}
