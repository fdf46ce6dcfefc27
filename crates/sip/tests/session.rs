//! Session timers (RFC 4028): refreshed, run out, asked for again.

mod common;

use common::{Link, World, node_config};
use sip::msg::{Message, parse_datagram};
use sip::ua::{Event, Side};

fn methods(world: &World) -> Vec<String> {
    let short = |line: String| match line.strip_prefix("SIP/2.0 ") {
        Some(rest) => rest[..3].to_owned(),
        None => line.split(' ').next().unwrap_or_default().to_owned(),
    };
    world.ladder().into_iter().map(short).collect()
}

#[test]
fn the_session_is_refreshed_and_dies_without_refresh() {
    let mut world = World::new(13, Link::CLEAN);
    for number in [1, 2] {
        let mut config = node_config(number);
        config.session_expires_s = 120;
        world.add(config);
    }
    world.record = true;
    let (out, _) = world.answered();
    world.run_for(600_000);
    let refreshes = methods(&world).iter().filter(|m| *m == "UPDATE").count();
    assert!(
        (8..=10).contains(&refreshes),
        "one each minute, not {refreshes}"
    );
    assert!(
        world.fresh(0).is_empty() && world.fresh(1).is_empty(),
        "nobody is bothered"
    );
    world.link.loss = 1.0;
    world.run_for(200_000);
    for node in 0..2 {
        assert!(world.fresh(node).iter().any(|event| matches!(
            event,
            Event::Ended { end, .. } if end.by == Side::Network
        )));
    }
    let now = world.now;
    assert!(world.nodes[0].endpoint.hang_up(now, out, None).is_err());
    world.run_for(40_000);
    world.assert_empty();
}

#[test]
fn an_interval_too_small_is_asked_for_again() {
    let mut world = World::new(14, Link::CLEAN);
    let mut small = node_config(1);
    small.session_expires_s = 90;
    world.add(small);
    let mut strict = node_config(2);
    strict.min_se_s = 600;
    world.add(strict);
    world.record = true;
    world.answered();
    assert_eq!(methods(&world)[..2], ["INVITE", "422"]);
    let second = world
        .wire
        .iter()
        .filter(|(_, p)| p.bytes.starts_with(b"INVITE"))
        .nth(1)
        .unwrap();
    let Message::Request(request) = parse_datagram(&second.1.bytes).unwrap() else {
        panic!("not a request")
    };
    assert_eq!(request.headers.session_expires().unwrap().seconds, 600);
    assert_eq!(request.headers.min_se(), Some(600));
}
