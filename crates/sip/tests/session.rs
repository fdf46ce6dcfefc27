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

/// An INVITE of a peer that wants us to refresh.
const ASKED: &str = "INVITE sip:x@10.0.0.1:5001 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5900;branch=z9hG4bKse\r\n\
        Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: refresher\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:a@10.0.0.1:5900>\r\nSupported: timer\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n\
        Session-Expires: 120;refresher=uas\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";

/// Who refreshes is whoever was agreed: here the side that was called, by a hand-written request.
#[test]
fn the_called_side_refreshes_when_it_is_asked_to() {
    let mut world = World::new(15, Link::CLEAN);
    let mut config = node_config(1);
    config.session_expires_s = 120;
    world.add(config);
    world.record = true;
    let peer = common::addr(900);
    world.inject(peer, 0, ASKED.as_bytes());
    let call = world.incoming(0);
    let now = world.now;
    let endpoint = &mut world.nodes[0].endpoint;
    endpoint.answer(now, call, "v=0\r\n".into()).unwrap();
    world.run_for(10);
    let ok = world
        .mailbox
        .iter()
        .rev()
        .find_map(|(_, p)| match parse_datagram(&p.bytes).ok()? {
            Message::Response(ok) if ok.code == 200 => Some(ok),
            _ => None,
        });
    let ok = ok.unwrap();
    let granted = ok.headers.session_expires().unwrap();
    assert_eq!(
        (granted.seconds, granted.refresher),
        (120, Some(sip::header::Refresher::Uas))
    );
    let to =
        String::from_utf8_lossy(ok.headers.get(&sip::msg::HeaderName::To).unwrap()).into_owned();
    let ack = format!(
        "ACK sip:x@10.0.0.1:5001 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5900;branch=z9hG4bKac\r\n\
         From: <sip:a@b>;tag=1\r\nTo: {to}\r\nCall-ID: refresher\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
    );
    world.inject(peer, 0, ack.as_bytes());
    world.run_for(61_000);
    let update = world
        .mailbox
        .iter()
        .find_map(|(_, p)| match parse_datagram(&p.bytes).ok()? {
            Message::Request(update) if update.method == sip::msg::Method::Update => Some(update),
            _ => None,
        });
    let asked = update
        .expect("a refresh at half the interval")
        .headers
        .session_expires()
        .unwrap();
    assert_eq!(
        asked.refresher,
        Some(sip::header::Refresher::Uac),
        "of that request it is the client"
    );
    // Nobody answers it: the call ends, and says so with a BYE.
    world.run_for(60_000);
    assert!(
        world
            .fresh(0)
            .iter()
            .any(|e| matches!(e, Event::Ended { end, .. } if end.by == Side::Network))
    );
    assert!(
        world
            .mailbox
            .iter()
            .any(|(_, p)| p.bytes.starts_with(b"BYE"))
    );
}

#[test]
fn a_refresh_below_the_least_interval_is_told_the_least() {
    let mut world = World::new(16, Link::CLEAN);
    let mut small = node_config(1);
    small.session_expires_s = 120;
    world.add(small);
    let mut strict = node_config(2);
    strict.session_expires_s = 120;
    world.add(strict);
    let (out, inc) = world.answered();
    world.record = true;
    let now = world.now;
    world.nodes[0]
        .endpoint
        .reinvite(now, out, "v=0\r\nhold\r\n".into())
        .unwrap();
    world.run_for(50);
    let now = world.now;
    world.nodes[1]
        .endpoint
        .answer_reinvite(now, inc, Some("v=0\r\nheld\r\n".into()))
        .unwrap();
    world.run_for(50);
    let re = world
        .wire
        .iter()
        .find(|(_, p)| p.bytes.starts_with(b"INVITE"))
        .unwrap();
    let Message::Request(re) = parse_datagram(&re.1.bytes).unwrap() else {
        panic!("not a request")
    };
    assert_eq!(re.headers.session_expires().unwrap().seconds, 120);
    // The same with an interval too small, written by hand from it.
    let text = String::from_utf8_lossy(&re.to_bytes())
        .replace("Session-Expires: 120", "Session-Expires: 60")
        .replace("branch=z9hG4bK", "branch=z9hG4bKsmall");
    let number = re.headers.cseq().unwrap().number;
    let text = text.replace(&format!("CSeq: {number}"), &format!("CSeq: {}", number + 1));
    world.wire.clear();
    let from = world.nodes[0].addr;
    world.inject(from, 1, text.as_bytes());
    assert!(
        methods(&world).contains(&"422".to_owned()),
        "{:?}",
        methods(&world)
    );
    world.run_for(1_000);
    let now = world.now;
    world.nodes[0].endpoint.hang_up(now, out, None).unwrap();
    world.run_for(100);
    assert!(
        world
            .fresh(1)
            .iter()
            .any(|e| matches!(e, Event::Ended { .. })),
        "the call was still up"
    );
}
