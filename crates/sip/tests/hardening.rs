//! What strangers may cost: no transaction, no call of ours, no memory by the length of a name.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use common::{Link, World, addr, first_line, node_config};
use sip::digest::{DigestClient, DigestServer, Verdict};
use sip::header::{Algorithm, Credentials};
use sip::limits::{MAX_UNACKNOWLEDGED, MAX_WRONG_GUESSES};
use sip::msg::{HeaderName, Method, Request, Response};
use sip::registrar::Guesses;
use sip::ua::{Auth, Event, Login, Secret, Side};
use sip::{Millis, SeededIds, Source};

/// An INVITE outside any call, different each time.
fn invite(number: usize) -> Bytes {
    Bytes::from(format!(
        "INVITE sip:marcador@10.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKflood{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:x@10.0.0.9>;tag=f{number}\r\nTo: <sip:marcador@10.0.0.1>\r\n\
         Call-ID: flood{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:x@10.0.0.9>\r\n\
         Content-Length: 0\r\n\r\n"
    ))
}

fn stranger() -> std::net::SocketAddr {
    std::net::SocketAddr::from(([10, 0, 0, 9], 5_060))
}

#[test]
fn a_strangers_invites_leave_nothing_and_stop_no_call() {
    let mut world = World::pair(1, Link::CLEAN);
    let friend = world.nodes[1].addr;
    world.nodes[0]
        .endpoint
        .admit(move |source| source.remote == friend);
    let (out, _) = world.answered();
    let before = world.nodes[0].endpoint.transactions();
    let now = world.now;
    let endpoint = &mut world.nodes[0].endpoint;
    for number in 0..50_000 {
        let _ = endpoint.receive(now, Source::udp(stranger()), &invite(number));
        let answer = endpoint.poll_transmit().unwrap();
        assert!(first_line(&answer.bytes).starts_with("SIP/2.0 403"));
        assert!(endpoint.poll_event().is_none() && endpoint.poll_transmit().is_none());
    }
    assert_eq!(endpoint.transactions(), before, "nothing is kept");
    endpoint.hang_up(now, out, None).unwrap();
    world.run_for(50);
    assert!(matches!(
        &world.fresh(1)[..],
        [Event::Ended { end, .. }] if end.by == Side::Remote
    ));
    // Who is admitted calls in as before.
    world.call(1, 0);
    world.run_for(20);
    world.incoming(0);
}

#[test]
fn refusals_that_nobody_acknowledges_are_bounded() {
    let mut world = World::pair(2, Link::CLEAN);
    let now = world.now;
    let endpoint = &mut world.nodes[0].endpoint;
    let (mut kept, mut stateless) = (0, 0);
    for number in 0..3 * MAX_UNACKNOWLEDGED {
        let _ = endpoint.receive(now, Source::udp(stranger()), &invite(number));
        match endpoint.poll_event() {
            Some(Event::Incoming(incoming)) => {
                endpoint.reject(now, incoming.call, 486, None).unwrap();
                kept += 1;
            }
            _ => stateless += 1,
        }
        while endpoint.poll_event().is_some() {}
        let mut last = String::new();
        while let Some(sent) = endpoint.poll_transmit() {
            last = first_line(&sent.bytes);
        }
        let expected = if stateless > 0 {
            "SIP/2.0 503"
        } else {
            "SIP/2.0 486"
        };
        assert!(last.starts_with(expected), "{last}");
    }
    assert_eq!(
        (kept, stateless),
        (MAX_UNACKNOWLEDGED, 2 * MAX_UNACKNOWLEDGED)
    );
    assert_eq!(endpoint.transactions(), MAX_UNACKNOWLEDGED);
    assert_eq!(endpoint.requests(), 0, "none of them is ours");
    // An ACK makes room again.
    let ack = String::from_utf8(invite(0).to_vec()).unwrap();
    let ack = ack.replace("INVITE", "ACK");
    let _ = endpoint.receive(now, Source::udp(stranger()), &Bytes::from(ack));
    let _ = endpoint.receive(now, Source::udp(stranger()), &invite(99_999));
    assert!(matches!(endpoint.poll_event(), Some(Event::Incoming(_))));
    // All of it is gone in time, the call that nobody answered too.
    world.fresh(0);
    world.run_for(240_000);
    assert_eq!(world.nodes[0].endpoint.transactions(), 0);
}

#[test]
fn what_ends_calls_has_room_when_new_calls_have_none() {
    let mut world = World::pair(3, Link::CLEAN);
    let (out, _) = world.answered();
    let now = world.now;
    // OPTIONS to nobody take all the room there is.
    let nobody = std::net::SocketAddr::from(([10, 0, 0, 77], 5_060));
    let ping = |world: &mut World| {
        let order = sip::ua::PingOrder {
            target: common::uri("sip:10.0.0.77"),
            next_hop: sip::Target::udp(nobody),
            from: sip::header::NameAddr::new(common::uri("sip:us@10.0.0.1")),
        };
        let endpoint = &mut world.nodes[0].endpoint;
        let placed = endpoint.options_ping(now, order).is_ok();
        while endpoint.poll_transmit().is_some() {}
        placed
    };
    let calls = |world: &mut World| {
        let order = world.order(0, 1);
        let endpoint = &mut world.nodes[0].endpoint;
        endpoint.invite(now, order).is_ok()
    };
    while world.nodes[0].endpoint.requests()
        < sip::limits::MAX_TRANSACTIONS - sip::limits::OWN_RESERVE
    {
        assert!(ping(&mut world));
    }
    assert!(!calls(&mut world), "no room for a new call");
    while ping(&mut world) {}
    assert!(world.nodes[0].endpoint.transactions() >= sip::limits::MAX_TRANSACTIONS);
    // Even without any room the far end hears the BYE.
    world.nodes[0].endpoint.hang_up(now, out, None).unwrap();
    assert_eq!(world.nodes[0].endpoint.calls(), 0);
    world.run_for(50);
    assert!(matches!(
        &world.fresh(1)[..],
        [Event::Ended { end, .. }] if end.by == Side::Remote
    ));
}

#[test]
fn long_names_are_told_apart() {
    let mut guesses = Guesses::default();
    let from = stranger().ip();
    let name = |number: usize| format!("{number:06}{}", "x".repeat(60_000));
    // Names that differ in their last letter only are different accounts.
    let (one, other) = (name(1), name(1) + "y");
    for _ in 0..MAX_WRONG_GUESSES {
        guesses.wrong(Millis(2), &one, from);
    }
    assert!(guesses.silenced(Millis(2), &one, from));
    assert!(!guesses.silenced(Millis(2), &other, from));
}

#[test]
fn a_guesser_has_one_count_for_all_addresses_of_its_ipv6_net() {
    let mut guesses = Guesses::default();
    let at = |text: &str| text.parse().unwrap();
    for host in 0..MAX_WRONG_GUESSES {
        guesses.wrong(Millis(1), "anna", at(&format!("2001:db8:1:2::{host:x}")));
    }
    assert!(guesses.silenced(Millis(1), "anna", at("2001:db8:1:2:ffff::1")));
    assert!(!guesses.silenced(Millis(1), "anna", at("2001:db8:1:3::1")));
    assert!(!guesses.silenced(Millis(1), "anna", at("192.0.2.1")));
}

fn server() -> DigestServer {
    let anna = ("anna".to_owned(), Secret::Password("secret".to_owned()));
    let accounts: HashMap<_, _> = [anna].into();
    DigestServer::new(Auth {
        realm: "us".to_owned(),
        nonce_key: [3; 32],
        algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
        passwords: Arc::new(accounts),
    })
}

/// A request with the right password in the words of RFC 2069: no qop, and a count that no digest
/// covers.
fn without_qop(server: &DigestServer, count: u32) -> Request {
    let mut response = Response::new(401);
    let mut ids = SeededIds::from_number(1);
    server.challenge(Millis(0), false, &mut ids, &mut response.headers);
    let (_, challenge) = response.headers.challenges().remove(0);
    let algorithm = challenge.algorithm.unwrap();
    let hashed = sip::digest::ha1(algorithm, b"anna", b"us", b"secret");
    let uri = Bytes::from_static(b"sip:us.example");
    let input = sip::digest::DigestInput {
        method: b"REGISTER",
        uri: &uri,
        nonce: &challenge.nonce,
        qop: None,
    };
    let answer = sip::digest::request_digest(algorithm, &hashed, input);
    let nonce = String::from_utf8(challenge.nonce.to_vec()).unwrap();
    let text = format!(
        "Digest username=\"anna\", realm=\"us\", nonce=\"{nonce}\", uri=\"sip:us.example\", \
         response=\"{answer}\", algorithm=SHA-256, nc={count:08x}"
    );
    assert!(Credentials::parse(&Bytes::from(text.clone())).is_ok());
    let mut request = Request::new(Method::Register, uri);
    request.headers.push(HeaderName::Authorization, text);
    request
}

#[test]
fn credentials_without_qop_are_challenged_again_whatever_they_say() {
    let mut server = server();
    // Taken once, they could be sent again with the next count and another Contact.
    for count in 1..=3 {
        let request = without_qop(&server, count);
        assert_eq!(server.check(Millis(1), &request), Verdict::Missing);
    }
    // What every phone since RFC 3261 sends is fine.
    let mut response = Response::new(401);
    let mut ids = SeededIds::from_number(2);
    server.challenge(Millis(0), false, &mut ids, &mut response.headers);
    let login = Login::new("anna", "secret");
    let mut client = DigestClient::default();
    client.absorb(&response, Some(&login));
    let mut request = Request::new(Method::Register, Bytes::from_static(b"sip:us.example"));
    client.apply(&mut request, Some(&login), &mut ids);
    let right = Verdict::Right("anna".to_owned());
    assert_eq!(server.check(Millis(1), &request), right);
    assert_eq!(
        server.check(Millis(1), &request),
        Verdict::Stale,
        "a replay"
    );
}

#[test]
fn only_whole_messages_count_as_speaking() {
    let conn = sip::ConnId(7);
    let mut config = node_config(1);
    config.local.tcp = Some(addr(1));
    let mut endpoint = sip::Endpoint::new(config, Box::new(SeededIds::from_number(1)));
    let source = Source::tcp(stranger(), conn);
    let mut say = |octets: &'static [u8]| {
        let _ = endpoint.receive(Millis(1), source, &Bytes::from_static(octets));
        let answered = endpoint.poll_transmit().is_some();
        (answered, endpoint.messages_on(conn))
    };
    assert_eq!(say(b"\r\n\r\n"), (true, 0), "a keep-alive is no message");
    assert_eq!(say(b"OPTIONS sip:a@b SIP/2.0\r\nl: 0\r\n"), (false, 0));
    // Without Via there is nobody to answer, but it was a message.
    assert_eq!(say(b"\r\n"), (false, 1));
}
