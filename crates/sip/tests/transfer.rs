//! REFER with its reports, and calls that take the place of others.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use bytes::Bytes;
use common::{Link, World, addr, node_config};
use sip::header::{NameAddr, Replaces};
use sip::msg::{HeaderName, Uri};
use sip::ua::{CallKey, Event, Identity, Side};

const SDP: Bytes = Bytes::from_static(b"v=0\r\nanswer\r\n");

fn three(seed: u64) -> World {
    let mut world = World::new(seed, Link::CLEAN);
    for number in [1, 2, 3] {
        world.add(node_config(number));
    }
    world
}

/// A call that is answered, by its keys at both ends.
fn up(world: &mut World, from: usize, to: usize) -> (CallKey, CallKey) {
    let out = world.call(from, to);
    world.run_for(50);
    let inc = world.incoming(to);
    let now = world.now;
    world.nodes[to].endpoint.answer(now, inc, SDP).unwrap();
    world.run_for(50);
    world.fresh(from);
    world.fresh(to);
    (out, inc)
}

#[test]
fn a_blind_transfer_tells_how_it_went() {
    let mut world = three(1);
    let (out, inc) = up(&mut world, 0, 1);
    let to = NameAddr::new(Uri::sip(Some("third"), addr(3)));
    let now = world.now;
    world.nodes[0]
        .endpoint
        .refer(now, out, to.clone(), None)
        .unwrap();
    assert!(world.nodes[0].endpoint.refer(now, out, to, None).is_err());
    world.run_for(50);
    let asked = world.fresh(1).into_iter().find_map(|e| match e {
        Event::Refer {
            call,
            to,
            replaces: None,
            referred_by: Some(_),
        } => Some((call, to)),
        _ => None,
    });
    let (call, to) = asked.unwrap();
    assert_eq!((call, to.uri.user_text().as_deref()), (inc, Some("third")));
    let now = world.now;
    let endpoint = &mut world.nodes[1].endpoint;
    assert!(
        endpoint.notify_refer(now, inc, 180, false).is_err(),
        "not taken yet"
    );
    endpoint.answer_refer(now, inc, 202).unwrap();
    world.run_for(50);
    let now = world.now;
    world.nodes[1]
        .endpoint
        .notify_refer(now, inc, 200, true)
        .unwrap();
    world.run_for(50);
    let told: Vec<_> = world
        .fresh(0)
        .into_iter()
        .map(|e| match e {
            Event::ReferAnswered { code, .. } => (code, false),
            Event::ReferProgress { code, over, .. } => (code.unwrap(), over),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(202, false), (100, false), (200, true)]);
    let now = world.now;
    world.nodes[0].endpoint.hang_up(now, out, None).unwrap();
    assert!(world.settle(60_000));
    world.assert_empty();
}

#[test]
fn a_refer_may_be_refused_and_one_outside_a_call_always_is() {
    let mut world = three(2);
    let (out, inc) = up(&mut world, 0, 1);
    let to = NameAddr::new(Uri::sip(Some("third"), addr(3)));
    let now = world.now;
    world.nodes[0].endpoint.refer(now, out, to, None).unwrap();
    world.run_for(50);
    let now = world.now;
    world.nodes[1].endpoint.answer_refer(now, inc, 603).unwrap();
    world.run_for(50);
    assert!(matches!(
        world.fresh(0)[..],
        [Event::ReferAnswered { code: 603, .. }]
    ));
    let outside = "REFER sip:a@10.0.0.1:5001 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5999;branch=z9hG4bK1\r\n\
        Max-Forwards: 70\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 REFER\r\n\
        Contact: <sip:x@10.0.0.1:5999>\r\nRefer-To: <sip:+8821@b>\r\nContent-Length: 0\r\n\r\n";
    world.inject(addr(999), 0, outside.as_bytes());
    world.run_for(20);
    let (_, answer) = world.mailbox.last().unwrap();
    assert!(answer.bytes.starts_with(b"SIP/2.0 403"));
    assert!(world.fresh(0).is_empty());
    // A call that ends leaves no REFER behind.
    let now = world.now;
    let to = NameAddr::new(Uri::sip(Some("third"), addr(3)));
    world.nodes[0].endpoint.refer(now, out, to, None).unwrap();
    world.run_for(20);
    let now = world.now;
    world.nodes[1].endpoint.hang_up(now, inc, None).unwrap();
    assert!(world.settle(80_000));
    world.assert_empty();
}

/// 0 talks to 1 and to 2, and joins them: 1 calls 2 in the place of its call with 0.
#[test]
fn an_attended_transfer_takes_the_place_of_the_call() {
    let mut world = three(3);
    let (first, at_1) = up(&mut world, 0, 1);
    let (second, at_2) = up(&mut world, 0, 2);
    let to = NameAddr::new(Uri::sip(Some("callee"), addr(3)));
    let now = world.now;
    world.nodes[0]
        .endpoint
        .refer(now, first, to, Some(second))
        .unwrap();
    world.run_for(50);
    let asked = world.fresh(1).into_iter().find_map(|e| match e {
        Event::Refer { replaces, to, .. } => Some((replaces.unwrap(), to)),
        _ => None,
    });
    let (replaces, to) = asked.unwrap();
    assert_eq!(to.uri.socket_addr(), Some(addr(3)));
    let now = world.now;
    world.nodes[1]
        .endpoint
        .answer_refer(now, at_1, 202)
        .unwrap();
    let mut order = world.order(1, 2);
    order
        .headers
        .push(HeaderName::Replaces, replaces.to_bytes());
    let new = world.nodes[1].endpoint.invite(now, order).unwrap();
    world.run_for(50);
    let joined = world.fresh(2).into_iter().find_map(|e| match e {
        Event::Incoming(incoming) => Some((incoming.call, incoming.replaces)),
        _ => None,
    });
    let (joined, replaced) = joined.unwrap();
    assert_eq!(replaced, Some(at_2));
    let now = world.now;
    world.nodes[2].endpoint.answer(now, joined, SDP).unwrap();
    world.run_for(50);
    assert!(world.fresh(2).iter().any(
        |e| matches!(e, Event::Ended { call, end } if *call == at_2 && end.by == Side::Local)
    ));
    assert!(world.fresh(0).iter().any(
        |e| matches!(e, Event::Ended { call, end } if *call == second && end.by == Side::Remote)
    ));
    assert!(
        world
            .fresh(1)
            .iter()
            .any(|e| matches!(e, Event::Answered { call, .. } if *call == new))
    );
}

#[test]
fn what_replaces_nothing_of_ours_is_refused() {
    let mut world = three(4);
    let (out, inc) = up(&mut world, 0, 1);
    let ids = world.nodes[0].endpoint.replaces(out).unwrap();
    let wrong_tag = Replaces {
        from_tag: Bytes::from_static(b"guess"),
        ..ids.clone()
    };
    let early = Replaces {
        early_only: true,
        ..ids
    };
    for (replaces, code) in [(wrong_tag, 481), (early, 486)] {
        let mut order = world.order(2, 1);
        order
            .headers
            .push(HeaderName::Replaces, replaces.to_bytes());
        let now = world.now;
        world.nodes[2].endpoint.invite(now, order).unwrap();
        world.run_for(50);
        assert!(
            world
                .fresh(2)
                .iter()
                .any(|e| matches!(e, Event::Failed { failure, .. } if failure.code == code)),
            "{code}"
        );
    }
    assert!(world.fresh(1).is_empty(), "nobody is bothered");
    let now = world.now;
    world.nodes[1].endpoint.hang_up(now, inc, None).unwrap();
    assert!(world.settle(80_000));
    world.assert_empty();
}

#[test]
fn identities_are_told_as_the_trunk_wants() {
    let mut world = three(5);
    let mut order = world.order(0, 1);
    let number = NameAddr::new("sip:+525550001000@us.example".parse().unwrap());
    order.identify(&Identity {
        asserted: Some(number.clone()),
        preferred: None,
        private: true,
        diversion: Some((number, "no-answer\r\nEvil: 1".to_owned())),
    });
    order
        .headers
        .push(HeaderName::from_token(Bytes::from_static(b"X-Own")), "1");
    let now = world.now;
    world.nodes[0].endpoint.invite(now, order).unwrap();
    world.run_for(50);
    let incoming = world.fresh(1).into_iter().find_map(|e| match e {
        Event::Incoming(incoming) => Some(incoming),
        _ => None,
    });
    let incoming = incoming.unwrap();
    assert_eq!(
        incoming.asserted[0].uri.user_text().as_deref(),
        Some("+525550001000")
    );
    assert_eq!(incoming.from.uri.user_text().as_deref(), Some("anonymous"));
    assert_eq!(incoming.headers.get(&HeaderName::Privacy).unwrap(), "id");
    let diversion = incoming.headers.get(&HeaderName::Diversion).unwrap();
    assert_eq!(
        diversion,
        "<sip:+525550001000@us.example>;reason=no-answerEvil1"
    );
    assert!(
        incoming
            .headers
            .get(&HeaderName::from_token(Bytes::from_static(b"x-own")))
            .is_some()
    );
}
