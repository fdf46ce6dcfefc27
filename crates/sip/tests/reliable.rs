//! Reliable provisional responses (RFC 3262): over clean links the ladder, over lossy ones that no
//! number is skipped and nothing is left.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use bytes::Bytes;
use common::{Link, World, first_line, node_config};
use sip::msg::{HeaderName, Message, Method, parse_datagram};
use sip::transaction::TIMEOUT;
use sip::ua::{CallKey, Event, FailWhy, Side};

const EARLY: Bytes = Bytes::from_static(b"v=0\r\nearly\r\n");

fn words(world: &World) -> Vec<String> {
    let short = |line: String| match line.strip_prefix("SIP/2.0 ") {
        Some(rest) => rest[..3].to_owned(),
        None => line.split(' ').next().unwrap_or_default().to_owned(),
    };
    world.ladder().into_iter().map(short).collect()
}

fn ringing(world: &mut World) -> (CallKey, CallKey) {
    let out = world.call(0, 1);
    world.run_for(50);
    let inc = world.incoming(1);
    (out, inc)
}

fn progress(world: &mut World, call: CallKey, code: u16, sdp: Option<Bytes>) {
    let now = world.now;
    let endpoint = &mut world.nodes[1].endpoint;
    endpoint.progress(now, call, code, sdp).unwrap();
}

fn answer(world: &mut World, call: CallKey, sdp: Bytes) {
    let now = world.now;
    world.nodes[1].endpoint.answer(now, call, sdp).unwrap();
}

#[test]
fn early_media_is_acknowledged_and_the_answer_comes_without_a_second_one() {
    let mut world = World::pair(1, Link::CLEAN);
    world.record = true;
    let (_, inc) = ringing(&mut world);
    progress(&mut world, inc, 183, Some(EARLY));
    // These wait for the PRACK, in this order.
    progress(&mut world, inc, 180, Some(EARLY));
    world.run_for(50);
    answer(&mut world, inc, EARLY);
    world.run_for(50);
    assert_eq!(
        words(&world),
        [
            "INVITE", "100", "183", "PRACK", "200", "180", "PRACK", "200", "200", "ACK"
        ]
    );
    let numbers: Vec<u32> = world
        .wire
        .iter()
        .filter_map(|(_, p)| parse_datagram(&p.bytes).ok())
        .filter_map(|m| m.headers().seconds(&HeaderName::RSeq))
        .collect();
    assert_eq!(numbers[1], numbers[0] + 1);
    let told = world.fresh(0);
    let early =
        |e: &Event| matches!(e, Event::Progress { code: 183, sdp: Some(sdp), .. } if *sdp == EARLY);
    assert!(told.iter().any(early));
    assert!(
        told.iter()
            .any(|e| matches!(e, Event::Answered { sdp: None, .. })),
        "an offer answered reliably is not answered twice"
    );
    let ack = |p: &[u8]| first_line(p).starts_with("ACK");
    let numbers: Vec<u32> = world
        .wire
        .iter()
        .filter(|(_, p)| ack(&p.bytes) || first_line(&p.bytes).starts_with("INVITE"))
        .map(|(_, p)| {
            parse_datagram(&p.bytes)
                .unwrap()
                .headers()
                .cseq()
                .unwrap()
                .number
        })
        .collect();
    assert_eq!(
        numbers[0], numbers[1],
        "the ACK has its INVITE's number, not the PRACK's"
    );
}

#[test]
fn an_answer_waits_for_the_prack() {
    let mut world = World::pair(2, Link::CLEAN);
    world.record = true;
    let (_, inc) = ringing(&mut world);
    progress(&mut world, inc, 183, Some(EARLY));
    answer(&mut world, inc, EARLY);
    let now = world.now;
    let endpoint = &mut world.nodes[1].endpoint;
    assert!(endpoint.answer(now, inc, EARLY).is_err(), "answered once");
    assert!(
        endpoint.progress(now, inc, 180, None).is_err() || !words(&world).contains(&"180".into())
    );
    world.run_for(100);
    let said = words(&world);
    let prack = said.iter().position(|w| w == "PRACK").unwrap();
    let last = said.iter().rposition(|w| w == "200").unwrap();
    assert!(prack < last);
    assert!(
        world
            .fresh(1)
            .iter()
            .any(|e| matches!(e, Event::Confirmed { .. }))
    );
}

#[test]
fn a_peer_that_never_acknowledges_is_given_up() {
    let mut world = World::pair(3, Link::CLEAN);
    let (out, inc) = ringing(&mut world);
    world.link.loss = 1.0;
    progress(&mut world, inc, 183, Some(EARLY));
    world.run_for(TIMEOUT + 1_000);
    assert!(world.fresh(1).iter().any(|e| matches!(
        e,
        Event::Ended { call, end } if *call == inc && end.by == Side::Network && end.code == Some(504)
    )));
    world.link.loss = 0.0;
    let now = world.now;
    world.nodes[0].endpoint.hang_up(now, out, None).unwrap();
    assert!(world.settle(4 * TIMEOUT));
    world.assert_empty();
}

#[test]
fn who_does_not_know_it_gets_plain_responses() {
    let mut world = World::new(4, Link::CLEAN);
    let mut old = node_config(1);
    old.prack = false;
    world.add(old);
    world.add(node_config(2));
    world.record = true;
    let (_, inc) = ringing(&mut world);
    progress(&mut world, inc, 183, Some(EARLY));
    answer(&mut world, inc, EARLY);
    world.run_for(50);
    assert_eq!(words(&world), ["INVITE", "100", "183", "200", "ACK"]);
}

#[test]
fn an_early_update_changes_what_is_settled_only() {
    let mut world = World::pair(5, Link::CLEAN);
    let (_, inc) = ringing(&mut world);
    progress(&mut world, inc, 183, Some(EARLY));
    world.record = true;
    world.run_for(100);
    // An UPDATE with an offer, written by hand from the 183 that was sent.
    let reliable = world
        .wire
        .iter()
        .find_map(|(_, p)| match parse_datagram(&p.bytes).unwrap() {
            Message::Response(r) if r.code == 183 => Some(r),
            _ => None,
        })
        .unwrap();
    let field = |name: &HeaderName| {
        String::from_utf8_lossy(reliable.headers.get(name).unwrap()).into_owned()
    };
    let update = format!(
        "UPDATE sip:callee@10.0.0.1:5001 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5002;branch=z9hG4bKupd\r\n\
         Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 7 UPDATE\r\n\
         Contact: <sip:x@10.0.0.1:5002>\r\nContent-Type: application/sdp\r\nContent-Length: 12\r\n\r\nv=0\r\nother\r\n",
        field(&HeaderName::To),
        field(&HeaderName::From),
        field(&HeaderName::CallId),
    );
    let from = world.nodes[1].addr;
    world.fresh(0);
    world.inject(from, 0, update.as_bytes());
    let change = world.fresh(0).into_iter().find_map(|e| match e {
        Event::Reinvite {
            call, update: true, ..
        } => Some(call),
        _ => None,
    });
    let now = world.now;
    let endpoint = &mut world.nodes[0].endpoint;
    endpoint
        .answer_reinvite(now, change.unwrap(), Some(EARLY))
        .unwrap();
    answer(&mut world, inc, EARLY);
    world.run_for(100);
    assert!(
        world
            .fresh(0)
            .iter()
            .any(|e| matches!(e, Event::Answered { .. }))
    );
}

/// Early media, a second response, the answer or a cancel, over links that lose and reorder.
#[test]
fn over_lossy_links_each_number_is_acknowledged_in_its_turn() {
    let mut answered = 0;
    for seed in 0..120 {
        let link = Link {
            loss: [0.0, 0.1, 0.25][usize::try_from(seed % 3).unwrap()],
            duplicate: 0.2,
            delay_ms: (1, 400),
        };
        let mut world = World::pair(seed, link);
        world.record = true;
        let out = world.call(0, 1);
        world.run_for(15_000);
        let found = world.fresh(1).into_iter().find_map(|e| match e {
            Event::Incoming(incoming) => Some(incoming.call),
            _ => None,
        });
        let Some(inc) = found else { continue };
        progress(&mut world, inc, 183, Some(EARLY));
        progress(&mut world, inc, 180, Some(EARLY));
        let wait = 200 * (seed % 7);
        world.run_for(wait);
        if seed % 5 == 4 {
            let now = world.now;
            world.nodes[0].endpoint.cancel(now, out, None).unwrap();
        } else {
            answer(&mut world, inc, EARLY);
        }
        world.run_for(30_000);
        let told = world.fresh(0);
        let codes: Vec<u16> = told
            .iter()
            .filter_map(|e| match e {
                Event::Progress { code, .. } if *code > 100 => Some(*code),
                _ => None,
            })
            .collect();
        assert!(
            [&[][..], &[183], &[183, 180]].contains(&&codes[..]),
            "seed {seed}: {codes:?}"
        );
        answered += usize::from(told.iter().any(|e| matches!(e, Event::Answered { .. })));
        let cancelled = told.iter().any(
            |e| matches!(e, Event::Failed { failure, .. } if failure.why == FailWhy::Cancelled),
        );
        assert!(seed % 5 != 4 || cancelled, "seed {seed}");
        let now = world.now;
        let _ = world.nodes[0].endpoint.hang_up(now, out, None);
        assert!(world.settle(20 * TIMEOUT), "seed {seed}");
        world.assert_empty();
        let in_order = world
            .wire
            .iter()
            .filter_map(|(_, p)| match parse_datagram(&p.bytes).unwrap() {
                Message::Request(r) if r.method == Method::Prack => Some(r.headers.rack().unwrap()),
                _ => None,
            })
            .map(|rack| rack.rseq)
            .collect::<Vec<_>>();
        let first = in_order.first().copied().unwrap_or_default();
        assert!(
            in_order.iter().all(|n| *n == first || *n == first + 1),
            "seed {seed}"
        );
    }
    assert!(answered > 70, "only {answered}");
}
