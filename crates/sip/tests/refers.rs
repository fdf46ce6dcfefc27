//! What a REFER is read for before anybody is asked: one target, whether its reports are wanted; and how they say why.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use bytes::Bytes;
use common::{Link, World, addr};
use sip::ua::{CallKey, Event};

const SDP: Bytes = Bytes::from_static(b"v=0\r\nanswer\r\n");

/// 0 calls 1, who answers.
fn up(world: &mut World) -> (CallKey, CallKey) {
    let out = world.call(0, 1);
    world.run_for(50);
    let inc = world.incoming(1);
    let now = world.now;
    world.nodes[1].endpoint.answer(now, inc, SDP).unwrap();
    world.run_for(50);
    world.fresh(0);
    world.fresh(1);
    (out, inc)
}

/// A REFER of 0's in that call, behind all that it sent (it begins below 1,000), with `fields` of its own.
fn refers(world: &mut World, out: CallKey, cseq: u32, fields: &str) {
    let ids = world.nodes[0].endpoint.replaces(out).unwrap();
    let text = |b: &Bytes| String::from_utf8_lossy(b).into_owned();
    let message = format!(
        "REFER sip:callee@10.0.0.1:5002 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5999;branch=z9hG4bKr{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:caller@10.0.0.1:5001>;tag={}\r\nTo: <sip:callee@10.0.0.1:5002>;tag={}\r\n\
         Call-ID: {}\r\nCSeq: {cseq} REFER\r\nContact: <sip:caller@10.0.0.1:5001>\r\n{fields}Content-Length: 0\r\n\r\n",
        text(&ids.from_tag),
        text(&ids.to_tag),
        text(&ids.call_id),
    );
    world.inject(addr(999), 1, message.as_bytes());
    world.run_for(30);
}

/// What 1 sent since the record was emptied.
fn sent(world: &mut World) -> Vec<String> {
    let wire = std::mem::take(&mut world.wire);
    let from = addr(2);
    wire.iter()
        .filter(|(_, packet)| packet.from == from)
        .map(|(_, packet)| String::from_utf8_lossy(&packet.bytes).into_owned())
        .collect()
}

fn asked(world: &mut World) -> bool {
    let events = world.fresh(1);
    events.iter().any(|e| matches!(e, Event::Refer { .. }))
}

#[test]
fn who_wants_no_reports_gets_none() {
    let mut world = World::pair(11, Link::CLEAN);
    let (out, inc) = up(&mut world);
    world.record = true;
    let fields = "Refer-To: <sip:third@10.0.0.1>\r\nRefer-Sub: false\r\nRequire: norefersub\r\n";
    refers(&mut world, out, 2_050, fields);
    assert!(asked(&mut world));
    let now = world.now;
    let endpoint = &mut world.nodes[1].endpoint;
    endpoint.answer_refer(now, inc, 202).unwrap();
    endpoint.end_refer(now, inc, 200, "done").unwrap();
    assert!(
        endpoint.end_refer(now, inc, 200, "done").is_err(),
        "it is over"
    );
    world.run_for(30);
    let sent = sent(&mut world);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].starts_with("SIP/2.0 202 Accepted"));
    assert!(sent[0].contains("Refer-Sub: false\r\n"), "{}", sent[0]);
    assert!(sent[0].contains("norefersub"), "{}", sent[0]);
}

#[test]
fn the_last_report_says_why_and_a_second_refer_waits_for_it() {
    let mut world = World::pair(12, Link::CLEAN);
    let (out, inc) = up(&mut world);
    world.record = true;
    let to = "Refer-To: <sip:third@10.0.0.1>\r\n";
    refers(&mut world, out, 2_050, &format!("{to}Refer-Sub: true\r\n"));
    assert!(asked(&mut world));
    let now = world.now;
    let endpoint = &mut world.nodes[1].endpoint;
    endpoint.answer_refer(now, inc, 202).unwrap();
    world.run_for(30);
    let first = sent(&mut world);
    assert!(first[0].starts_with("SIP/2.0 202") && !first[0].contains("Refer-Sub"));
    assert!(first[1].starts_with("NOTIFY ") && first[1].ends_with("SIP/2.0 100 Trying\r\n"));
    assert!(first[1].contains("Event: refer;id=2050\r\n"));
    refers(&mut world, out, 2_051, to);
    assert!(!asked(&mut world), "one at a time");
    assert!(sent(&mut world)[0].starts_with("SIP/2.0 491"));
    let now = world.now;
    let endpoint = &mut world.nodes[1].endpoint;
    let word = "blocked_window";
    endpoint.end_refer(now, inc, 403, word).unwrap();
    world.run_for(30);
    let last = sent(&mut world).join("");
    assert!(last.contains("Subscription-State: terminated"), "{last}");
    let said = "SIP/2.0 403 Forbidden\r\nReason: SIP;cause=403;text=\"blocked_window\"\r\n";
    assert!(last.ends_with(said), "{last}");
    refers(&mut world, out, 2_052, to);
    assert!(asked(&mut world), "the next one may be asked");
}

#[test]
fn a_refer_names_one_target_that_can_be_read() {
    let mut world = World::pair(13, Link::CLEAN);
    let (out, _) = up(&mut world);
    world.record = true;
    let one = "Refer-To: <sip:third@10.0.0.1>\r\n";
    let bad = [
        String::new(),
        format!("{one}{one}"),
        format!("{one}r: <sip:fourth@10.0.0.1>\r\n"),
        "Refer-To: <sip:third@10.0.0.1\r\n".to_owned(),
        "Refer-To: third\r\n".to_owned(),
        "Refer-To: <tel:not-a-number>\r\n".to_owned(),
    ];
    for (cseq, fields) in (2_060..).zip(&bad) {
        refers(&mut world, out, cseq, fields);
        assert!(!asked(&mut world), "{fields}");
        let sent = sent(&mut world);
        assert!(sent[0].starts_with("SIP/2.0 400"), "{fields}: {sent:?}");
    }
    refers(&mut world, out, 2_070, one);
    assert!(asked(&mut world));
}
