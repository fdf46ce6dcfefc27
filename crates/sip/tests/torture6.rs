//! The twelve messages of RFC 5118 (IPv6), lengths of three bodies mended, through parser and
//! endpoint; the table says with which end.
//! `-` is no answer at all.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use common::{addr, node_config};
use sip::header::Algorithm;
use sip::msg::{Message, parse_datagram};
use sip::sdp::{LocalMedia, read_offer};
use sip::ua::{Auth, Event, RegistrarRules, Secret};
use sip::{Endpoint, Millis, SeededIds, Source};

/// Name, whether the RFC calls it well formed, our answer.
const TABLE: [(&str, bool, &str); 12] = [
    ("ipv6-good", true, "401"),                     // §4.1
    ("ipv6-bad", false, "400"),                     // §4.2
    ("port-ambiguous", true, "401"),                // §4.3: 5070 is part of the address
    ("port-unambiguous", true, "401"),              // §4.4
    ("via-received-param-with-delim", true, "481"), // §4.5: a tag nobody knows
    ("via-received-param-no-delim", true, "200"),   // §4.5
    ("ipv6-in-sdp", true, "100 and a call"),        // §4.6
    ("mult-ip-in-header", true, "481"),             // §4.7
    ("mult-ip-in-sdp", true, "100 and a call"),     // §4.8
    ("ipv4-mapped-ipv6", true, "100 and a call"),   // §4.9
    ("ipv6-bug-abnf-3-colons", true, "200"),        // §4.10: to be tolerated
    ("ipv6-correct-abnf-2-colons", true, "200"),    // §4.10
];

fn message(name: &str) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture6");
    Bytes::from(std::fs::read(folder.join(name).with_extension("dat")).unwrap())
}

fn answer(octets: &Bytes) -> String {
    let mut config = node_config(1);
    config.auth = Some(Auth {
        realm: "example.com".to_owned(),
        nonce_key: [7; 32],
        algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
        passwords: Arc::new(HashMap::<String, Secret>::new()),
    });
    config.registrar = Some(RegistrarRules::default());
    let mut endpoint = Endpoint::new(config, Box::new(SeededIds::from_number(1)));
    let _ = endpoint.receive(Millis(0), Source::udp(addr(9)), octets);
    let mut said = Vec::new();
    while let Some(out) = endpoint.poll_transmit() {
        assert_eq!(
            out.target.dest.ip(),
            addr(9).ip(),
            "answers go where the request came from"
        );
        match parse_datagram(&out.bytes).unwrap() {
            Message::Response(response) => said.push(response.code.to_string()),
            Message::Request(request) => panic!("a request: {request:?}"),
        }
    }
    let mut said = if said.is_empty() {
        "-".to_owned()
    } else {
        said.join(" ")
    };
    while let Some(event) = endpoint.poll_event() {
        assert!(matches!(event, Event::Incoming(_)), "{event:?}");
        said.push_str(" and a call");
    }
    said
}

#[test]
fn every_message_gets_its_verdict() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture6");
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.filter(|f| f.as_ref().unwrap().path().extension().is_some());
    assert_eq!(files.count(), TABLE.len());
    for (name, _, expected) in TABLE {
        assert_eq!(answer(&message(name)), expected, "{name}");
    }
}

#[test]
fn valid_ones_print_and_parse_the_same() {
    for (name, _, _) in TABLE.iter().filter(|(_, valid, _)| *valid) {
        let first = parse_datagram(&message(name)).unwrap();
        assert!(first.flaw().is_none(), "{name}");
        let again = parse_datagram(&first.to_bytes()).unwrap();
        assert_eq!(first.to_bytes(), again.to_bytes(), "{name}");
        let Message::Request(request) = first else {
            panic!("{name} is a request")
        };
        let uri = request.target().unwrap();
        let twice = sip::msg::Uri::parse(&uri.to_bytes()).unwrap();
        assert!(uri.same_as(&twice), "{name}");
    }
}

#[test]
fn addresses_are_read_as_the_rfc_says() {
    let target = |name: &str| match parse_datagram(&message(name)).unwrap() {
        Message::Request(request) => request.target().unwrap(),
        Message::Response(_) => panic!("{name} is a request"),
    };
    assert_eq!(target("port-ambiguous").port, None);
    assert_eq!(target("port-unambiguous").port, Some(5070));
    let colons = target("ipv6-bug-abnf-3-colons");
    assert!(colons.same_as(&target("ipv6-correct-abnf-2-colons")));
    assert_eq!(
        colons.host, "[2001:db8::192.0.2.1]",
        "told on as it should be"
    );
    let local = LocalMedia::new(addr(1), 1);
    let body = |name: &str| parse_datagram(&message(name)).unwrap().body().clone();
    let both = read_offer(&body("mult-ip-in-sdp"), &local).unwrap();
    assert_eq!(both.addr.to_string(), "192.0.2.1:22334");
    for name in ["ipv6-in-sdp", "ipv4-mapped-ipv6"] {
        assert!(
            read_offer(&body(name), &local).is_err(),
            "{name}: no codec of ours"
        );
    }
}
