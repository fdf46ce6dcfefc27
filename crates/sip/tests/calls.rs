//! Calls over a clean link: who says what, in which order.

mod common;

use bytes::Bytes;
use common::{Link, World, addr, first_line, uri};
use sip::header::{NameAddr, Reason};
use sip::limits::RETRY_AFTER_S;
use sip::msg::{HeaderName, parse_datagram};
use sip::ua::{Event, FailWhy, PingOrder, Side};
use sip::{Proto, Target};

fn methods(world: &World) -> Vec<String> {
    let short = |line: String| match line.strip_prefix("SIP/2.0 ") {
        Some(rest) => rest[..3].to_owned(),
        None => line.split(' ').next().unwrap_or_default().to_owned(),
    };
    world.ladder().into_iter().map(short).collect()
}

#[test]
fn a_call_is_answered_and_hung_up() {
    let mut world = World::pair(1, Link::CLEAN);
    world.record = true;
    let (out, _) = world.answered();
    let now = world.now;
    let reason = Reason::q850(16, "Normal call clearing");
    world.nodes[0]
        .endpoint
        .hang_up(now, out, Some(reason))
        .unwrap();
    world.run_for(50);
    let expected = ["INVITE", "100", "180", "200", "ACK", "BYE", "200"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(methods(&world), expected);
    let ended = world.fresh(1);
    assert!(matches!(
        &ended[..],
        [Event::Ended { end, .. }] if end.by == Side::Remote && end.q850 == Some(16)
    ));
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn the_same_over_tcp() {
    let mut world = World::pair(1, Link::CLEAN);
    world.record = true;
    let mut order = world.order(0, 1);
    order.next_hop = Target {
        proto: Proto::Tcp,
        dest: addr(2),
        conn: None,
    };
    let now = world.now;
    let out = world.nodes[0].endpoint.invite(now, order).unwrap();
    world.run_for(50);
    let inc = world.incoming(1);
    let now = world.now;
    world.nodes[1]
        .endpoint
        .answer(now, inc, Bytes::from_static(b"v=0"))
        .unwrap();
    world.run_for(50);
    let now = world.now;
    world.nodes[1].endpoint.hang_up(now, inc, None).unwrap();
    world.run_for(50);
    let expected = ["INVITE", "100", "200", "ACK", "BYE", "200"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(methods(&world), expected);
    let bye = world
        .wire
        .iter()
        .find(|(_, p)| p.bytes.starts_with(b"BYE"))
        .unwrap();
    assert!(
        bye.1.target.conn.is_some(),
        "the BYE goes over the connection of the call"
    );
    assert!(
        world
            .fresh(0)
            .iter()
            .any(|e| matches!(e, Event::Ended { call, .. } if *call == out))
    );
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn cancel_waits_for_the_first_provisional_and_has_the_branch_of_its_invite() {
    let mut world = World::pair(2, Link::CLEAN);
    world.record = true;
    let out = world.call(0, 1);
    let now = world.now;
    world.nodes[0].endpoint.cancel(now, out, None).unwrap();
    world.flush();
    assert_eq!(methods(&world), ["INVITE"]);
    world.run_for(100);
    assert_eq!(
        methods(&world),
        ["INVITE", "100", "CANCEL", "200", "487", "ACK"]
    );
    let via = |start: &[u8]| {
        let packet = world
            .wire
            .iter()
            .find(|(_, p)| p.bytes.starts_with(start))
            .unwrap();
        let message = parse_datagram(&packet.1.bytes).unwrap();
        message.headers().get(&HeaderName::Via).unwrap().clone()
    };
    assert_eq!(via(b"INVITE"), via(b"CANCEL"));
    let failed = world.fresh(0);
    assert!(failed.iter().any(|event| matches!(
        event,
        Event::Failed { failure, .. } if failure.why == FailWhy::Cancelled && failure.code == 487
    )));
    assert!(world.fresh(1).iter().any(|event| matches!(
        event,
        Event::Ended { end, .. } if end.by == Side::Remote && end.code == Some(487)
    )));
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut world = World::pair(
        3,
        Link {
            delay_ms: (100, 100),
            ..Link::CLEAN
        },
    );
    world.record = true;
    let out = world.call(0, 1);
    world.run_for(250);
    let inc = world.incoming(1);
    let now = world.now;
    world.nodes[1]
        .endpoint
        .answer(now, inc, Bytes::from_static(b"v=0"))
        .unwrap();
    world.nodes[0].endpoint.cancel(now, out, None).unwrap();
    world.run_for(1_000);
    let ladder = methods(&world);
    assert!(ladder.contains(&"CANCEL".to_owned()));
    let ack = ladder.iter().position(|m| m == "ACK").unwrap();
    let bye = ladder.iter().position(|m| m == "BYE").unwrap();
    assert!(ack < bye);
    let events = world.fresh(0);
    assert!(
        events
            .iter()
            .all(|event| !matches!(event, Event::Answered { .. }))
    );
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Failed { failure, .. } if failure.why == FailWhy::Cancelled && failure.code == 200
    )));
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn a_refusal_reports_code_cause_and_retry_after() {
    let mut world = World::pair(4, Link::CLEAN);
    world.call(0, 1);
    world.run_for(50);
    let inc = world.incoming(1);
    let now = world.now;
    let reason = Reason::q850(17, "User busy");
    world.nodes[1]
        .endpoint
        .reject(now, inc, 486, Some(reason))
        .unwrap();
    world.run_for(50);
    assert!(world.fresh(0).iter().any(|event| matches!(
        event,
        Event::Failed { failure, .. }
            if failure.code == 486 && failure.q850 == Some(17) && failure.why == FailWhy::Refused
    )));
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn a_caller_for_whom_there_is_no_room_is_told_when_to_come_again() {
    let mut world = World::pair(4, Link::CLEAN);
    world.call(0, 1);
    world.run_for(50);
    let inc = world.incoming(1);
    let now = world.now;
    world.nodes[1].endpoint.turn_away(now, inc).unwrap();
    assert!(world.nodes[1].endpoint.turn_away(now, inc).is_err(), "once");
    world.run_for(50);
    assert!(world.fresh(0).iter().any(|event| matches!(
        event,
        Event::Failed { failure, .. }
            if (failure.code, failure.retry_after_s) == (503, Some(RETRY_AFTER_S))
    )));
    assert!(world.settle(40_000));
    world.assert_empty();
}

#[test]
fn silence_ends_in_timer_b_and_a_dead_transport_at_once() {
    let mut world = World::pair(
        5,
        Link {
            loss: 1.0,
            ..Link::CLEAN
        },
    );
    world.record = true;
    world.call(0, 1);
    world.run_for(31_900);
    assert!(world.fresh(0).is_empty());
    assert_eq!(
        world.wire.len(),
        7,
        "INVITE at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s"
    );
    world.run_for(200);
    assert!(world.fresh(0).iter().any(|event| matches!(
        event,
        Event::Failed { failure, .. } if failure.why == FailWhy::Timeout && !failure.from_peer
    )));
    world.call(0, 1);
    let now = world.now;
    world.nodes[0]
        .endpoint
        .transport_failed(now, Proto::Udp, addr(2));
    assert!(world.fresh(0).iter().any(|event| matches!(
        event,
        Event::Failed { failure, .. } if failure.why == FailWhy::Transport && failure.code == 503
    )));
    world.assert_empty();
}

#[test]
fn ringing_beyond_the_limit_is_cancelled() {
    let mut world = World::pair(6, Link::CLEAN);
    let mut order = world.order(0, 1);
    order.ring_limit_ms = 20_000;
    let now = world.now;
    world.nodes[0].endpoint.invite(now, order).unwrap();
    world.run_for(50);
    let inc = world.incoming(1);
    let now = world.now;
    world.nodes[1].endpoint.ring(now, inc).unwrap();
    world.run_for(21_000);
    assert!(world.fresh(0).iter().any(|event| matches!(
        event,
        Event::Failed { failure, .. } if failure.why == FailWhy::RingLimit && failure.code == 487
    )));
    assert!(world.settle(60_000));
    world.assert_empty();
}

#[test]
fn both_hang_up_at_once() {
    let mut world = World::pair(7, Link::CLEAN);
    let (out, inc) = world.answered();
    let now = world.now;
    world.nodes[0].endpoint.hang_up(now, out, None).unwrap();
    world.nodes[1].endpoint.hang_up(now, inc, None).unwrap();
    assert!(world.settle(40_000));
    for node in 0..2 {
        let ended = world.fresh(node);
        assert!(matches!(&ended[..], [Event::Ended { end, .. }] if end.by == Side::Local));
    }
    world.assert_empty();
}

#[test]
fn a_hang_up_before_the_ack_waits_for_it() {
    let mut world = World::pair(
        8,
        Link {
            delay_ms: (100, 100),
            ..Link::CLEAN
        },
    );
    world.record = true;
    world.call(0, 1);
    world.run_for(150);
    let inc = world.incoming(1);
    let now = world.now;
    world.nodes[1]
        .endpoint
        .answer(now, inc, Bytes::from_static(b"v=0"))
        .unwrap();
    world.nodes[1].endpoint.hang_up(now, inc, None).unwrap();
    world.run_for(1_000);
    let ladder = methods(&world);
    let ack = ladder.iter().position(|m| m == "ACK").unwrap();
    let bye = ladder.iter().position(|m| m == "BYE").unwrap();
    assert!(ack < bye);
    assert!(world.settle(60_000));
    world.assert_empty();
}

#[test]
fn a_lost_ack_ends_the_call_with_bye() {
    let mut world = World::pair(9, Link::CLEAN);
    world.record = true;
    world.call(0, 1);
    world.run_for(50);
    let inc = world.incoming(1);
    world.link.loss = 1.0;
    let now = world.now;
    world.nodes[1]
        .endpoint
        .answer(now, inc, Bytes::from_static(b"v=0"))
        .unwrap();
    world.run_for(31_900);
    let repeats = methods(&world).iter().filter(|m| *m == "200").count();
    assert_eq!(repeats, 11, "0, 0.5, 1.5, 3.5, then each 4 s up to 31.5 s");
    world.run_for(200);
    assert!(methods(&world).contains(&"BYE".to_owned()));
    assert!(world.fresh(1).iter().any(|event| matches!(
        event,
        Event::Ended { end, .. } if end.by == Side::Network && end.code == Some(408)
    )));
    world.run_for(40_000);
    assert_eq!(world.nodes[1].endpoint.calls(), 0);
}

#[test]
fn hold_and_its_answer() {
    let mut world = World::pair(10, Link::CLEAN);
    let (out, inc) = world.answered();
    let now = world.now;
    let hold = Bytes::from_static(b"v=0\r\na=sendonly\r\n");
    world.nodes[0]
        .endpoint
        .reinvite(now, out, hold.clone())
        .unwrap();
    world.run_for(20);
    let asked = world.fresh(1);
    assert!(matches!(
        &asked[..],
        [Event::Reinvite { sdp: Some(sdp), update: false, .. }] if *sdp == hold
    ));
    let now = world.now;
    let answer = Bytes::from_static(b"v=0\r\na=recvonly\r\n");
    world.nodes[1]
        .endpoint
        .answer_reinvite(now, inc, Some(answer.clone()))
        .unwrap();
    world.run_for(50);
    assert!(matches!(
        &world.fresh(0)[..],
        [Event::ReinviteDone { code: 200, sdp: Some(sdp), .. }] if *sdp == answer
    ));
    let now = world.now;
    // The same description word for word is a mere refresh, answered without asking.
    world.nodes[1].endpoint.reinvite(now, inc, answer).unwrap();
    world.run_for(50);
    assert!(world.fresh(0).is_empty());
    assert!(matches!(
        &world.fresh(1)[..],
        [Event::ReinviteDone { code: 200, .. }]
    ));
    let now = world.now;
    let changed = Bytes::from_static(b"v=0\r\na=inactive\r\n");
    world.nodes[1].endpoint.reinvite(now, inc, changed).unwrap();
    world.run_for(20);
    let now = world.now;
    world.nodes[0]
        .endpoint
        .answer_reinvite(now, out, None)
        .unwrap();
    world.run_for(50);
    assert!(matches!(
        &world.fresh(1)[..],
        [Event::ReinviteDone { code: 488, .. }]
    ));
    assert_eq!(world.nodes[0].endpoint.calls(), 1, "the call goes on");
}

#[test]
fn glare_is_solved_by_waiting() {
    let mut world = World::pair(11, Link::CLEAN);
    let (out, inc) = world.answered();
    let now = world.now;
    world.nodes[0]
        .endpoint
        .reinvite(now, out, Bytes::from_static(b"v=0 a"))
        .unwrap();
    world.nodes[1]
        .endpoint
        .reinvite(now, inc, Bytes::from_static(b"v=0 b"))
        .unwrap();
    let mut done = [0, 0];
    for _ in 0..100 {
        world.run_for(100);
        for (node, call) in [(0, out), (1, inc)] {
            for event in world.fresh(node) {
                match event {
                    Event::Reinvite { .. } => {
                        let now = world.now;
                        let answer = Some(Bytes::from_static(b"v=0 c"));
                        world.nodes[node]
                            .endpoint
                            .answer_reinvite(now, call, answer)
                            .unwrap();
                    }
                    Event::ReinviteDone { code: 200, .. } => done[node] += 1,
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
    }
    assert_eq!(done, [1, 1]);
}

#[test]
fn info_and_pings() {
    let mut world = World::pair(12, Link::CLEAN);
    let (out, _) = world.answered();
    let now = world.now;
    let body = Bytes::from_static(b"Signal=5\r\nDuration=160\r\n");
    let endpoint = &mut world.nodes[0].endpoint;
    endpoint
        .send_info(now, out, "application/dtmf-relay", body.clone())
        .unwrap();
    let order = PingOrder {
        target: uri("sip:10.0.0.1:5002"),
        next_hop: Target::udp(addr(2)),
        from: NameAddr::new(uri("sip:us@10.0.0.1")),
    };
    endpoint.options_ping(now, order).unwrap();
    world.run_for(50);
    assert!(matches!(&world.fresh(1)[..], [Event::Info { body: got, .. }] if *got == body));
    assert!(matches!(
        &world.fresh(0)[..],
        [Event::Pong {
            code: Some(200),
            took_ms: 10,
            ..
        }]
    ));
}

#[test]
fn early_media_is_reported_with_its_tag() {
    let mut world = World::pair(15, Link::CLEAN);
    world.call(0, 1);
    world.run_for(50);
    let inc = world.incoming(1);
    let now = world.now;
    let early = Bytes::from_static(b"v=0\r\nearly\r\n");
    world.nodes[1]
        .endpoint
        .progress(now, inc, 183, Some(early.clone()))
        .unwrap();
    world.run_for(50);
    let events = world.fresh(0);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Progress { code: 100, .. }))
    );
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Progress { code: 183, sdp: Some(sdp), remote_tag: Some(_), .. } if *sdp == early
    )));
    assert_eq!(first_line(b"SIP/2.0 200 OK\r\nVia"), "SIP/2.0 200 OK");
}
