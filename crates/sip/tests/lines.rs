//! Requests in a call: where they go. Those to a peer who came by a connection of its own, which is gone again, take
//! the way that the call's first request took, not whichever connection leads to that address; datagrams follow what the
//! dialog says, where that is wanted.

mod common;

use bytes::Bytes;
use common::{Link, World, addr, first_line, uri};
use sip::header::NameAddr;
use sip::ua::{CallKey, InviteOrder};
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

/// Where ACK and BYE of a call go whose 200 names `contact` (and `route` as Record-Route).
fn follows(follow: bool, contact: &str, route: Option<&str>) -> Vec<std::net::SocketAddr> {
    let mut world = World::new(7, Link::CLEAN);
    world.record = true;
    world.add(common::node_config(1));
    let (proxy, seed) = (addr(60), 3);
    let order = InviteOrder {
        follow_contact: follow,
        ..InviteOrder::new(
            uri("sip:callee@10.0.0.1:5060"),
            Target::udp(proxy),
            NameAddr::new(uri("sip:caller@10.0.0.1")),
            Bytes::from_static(b"v=0"),
        )
    };
    let now = world.now;
    let out = world.nodes[0].endpoint.invite(now, order).expect("sent");
    world.run_for(20);
    let invite = world.mailbox.remove(0).1.bytes;
    let text = String::from_utf8(invite.to_vec()).expect("text");
    let field = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .expect("is there");
        line.to_owned()
    };
    let route = route.map_or(String::new(), |r| format!("Record-Route: {r}\r\n"));
    let ok = format!(
        "SIP/2.0 200 OK\r\n{}\r\n{}\r\n{};tag={seed}\r\n{}\r\n{}\r\n{route}Contact: {contact}\r\n\
        Content-Length: 0\r\n\r\n",
        field("Via:"),
        field("From:"),
        field("To:"),
        field("Call-ID:"),
        field("CSeq:"),
    );
    world.inject(proxy, 0, ok.as_bytes());
    world.run_for(20);
    let now = world.now;
    world.nodes[0]
        .endpoint
        .hang_up(now, out, None)
        .expect("is up");
    world.run_for(20);
    let sent = world.wire.iter().filter(|(_, p)| {
        let line = first_line(&p.bytes);
        line.starts_with("ACK") || line.starts_with("BYE")
    });
    sent.map(|(_, p)| p.target.dest).collect()
}

#[test]
fn requests_of_a_call_go_where_its_dialog_says() {
    let at = |text: &str| vec![text.parse().unwrap(); 2];
    let proxy = vec![addr(60); 2];
    let other = "<sip:gw@10.9.9.9:5070>";
    assert_eq!(follows(true, other, None), at("10.9.9.9:5070"));
    assert_eq!(
        follows(true, "<sip:gw@10.9.9.9>", None),
        at("10.9.9.9:5060")
    );
    let route = Some("<sip:10.8.8.8:5080;lr>");
    assert_eq!(follows(true, other, route), at("10.8.8.8:5080"));
    assert_eq!(follows(false, other, route), proxy, "as for a phone");
    for elsewhere in [
        // A name, another transport, and what nobody out there can mean.
        "<sip:gw@carrier.example>",
        "<sip:gw@10.9.9.9;transport=tcp>",
        "<sip:gw@127.0.0.1:5070>",
        "<sip:gw@0.0.0.0>",
        "<sip:gw@224.0.0.1>",
        "<sip:gw@255.255.255.255>",
        "<sip:gw@[2001:db8::1]>",
    ] {
        assert_eq!(follows(true, elsewhere, None), proxy, "{elsewhere}");
    }
}
