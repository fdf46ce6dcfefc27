//! The 49 messages of RFC 4475, rebuilt from the text of the RFC: 48 as files, `mpart01` below,
//! whose signature is binary. Each goes through parser and endpoint; the table says with which
//! end. `-` is no answer at all.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use common::{addr, node_config};
use sip::header::Algorithm;
use sip::msg::{Message, Uri, parse_datagram};
use sip::ua::{Auth, Event, RegistrarRules, Secret};
use sip::{Endpoint, Millis, SeededIds, Source};

/// Name, whether it is well formed, and our answer.
const TABLE: [(&str, bool, &str); 49] = [
    // §3.1.1: valid
    ("wsinv", true, "481"), // carries a To tag nobody knows
    ("intmeth", true, "501"),
    ("esc01", true, "100 and a call"),
    ("escnull", true, "401"),
    ("esc02", true, "501"),
    ("lwsdisp", true, "200"),
    ("longreq", true, "100 and a call"),
    ("dblreq", true, "401"),
    ("semiuri", true, "200"),
    ("transports", true, "200"),
    ("mpart01", true, "405"),
    ("unreason", true, "-"),
    ("noreason", true, "-"),
    // §3.1.2: invalid
    ("badinv01", false, "-"), // the Via that should lead the answer is the broken one
    ("clerr", false, "400"),
    ("ncl", false, "400"),
    ("scalar02", false, "400"),
    ("scalarlg", false, "-"),
    ("quotbal", false, "400"),
    ("ltgtruri", false, "400"),
    ("lwsruri", false, "400"),
    ("lwsstart", false, "400"),
    ("trws", false, "400"),
    ("escruri", false, "400"),
    ("baddate", false, "100 and a call"), // the RFC would have it refused only by who needs the Date: we read none
    ("regbadct", false, "400"),
    ("badaspec", false, "200"), // the RFC allows to skip the spaces
    ("baddn", false, "400"),
    ("badvers", false, "505"),
    ("mismatch01", false, "400"),
    ("mismatch02", false, "400"),
    ("bigcode", false, "-"),
    // §3.2: transaction layer
    ("badbranch", true, "200"), // taken as a branch of RFC 2543
    // §3.3: application layer
    ("insuf", false, "400"),
    ("unkscm", true, "416"),
    ("novelsc", true, "416"),
    ("unksm2", true, "401"),
    ("bext01", true, "420"),
    ("invut", true, "415"),
    ("regaut01", true, "401"),
    ("multi01", false, "400"),
    ("mcl01", false, "400"),
    ("bcast", true, "-"),
    ("zeromf", true, "200"), // for us, not to be forwarded
    ("cparam01", true, "401"),
    ("cparam02", true, "401"),
    ("regescrt", true, "401"),
    ("sdp01", true, "406"),
    // §3.4: RFC 2543
    ("inv2543", true, "100 and a call"),
];

fn messages() -> BTreeMap<String, Bytes> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let mut found: BTreeMap<String, Bytes> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "dat"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, Bytes::from(std::fs::read(path).unwrap()))
        })
        .collect();
    found.insert("mpart01".to_owned(), mpart01());
    found
}

/// A signed MESSAGE: text, then a PKCS #7 signature with all octet values, NUL, CR and LF too.
fn mpart01() -> Bytes {
    let mut body = b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: binary\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n\
        Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        .to_vec();
    body.extend_from_slice(&[
        0x30, 0x82, 0x01, 0x52, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
    ]);
    body.extend(0..=255_u8);
    body.extend_from_slice(b"\r\n\r\n\0\0\r\n--7a9cbec02ceef655--\r\n");
    let mut message = format!(
        "MESSAGE sip:kumiko@example.org SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport\r\n\
         Max-Forwards: 70\r\nRoute: <sip:127.0.0.1:5080>\r\n\
         Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuL\r\n\
         Contact: <sip:fluffy@127.0.0.1:5070>\r\nTo: <sip:kumiko@example.org>\r\n\
         From: <sip:fluffy@example.com>;tag=2fb0dcc9\r\nCall-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..\r\n\
         CSeq: 1 MESSAGE\r\nContent-Transfer-Encoding: binary\r\n\
         Content-Type: multipart/mixed;boundary=7a9cbec02ceef655\r\n\
         Date: Sat, 15 Oct 2005 04:44:56 GMT\r\nUser-Agent: SIPimp.org/0.2.5 (curses)\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    message.extend_from_slice(&body);
    Bytes::from(message)
}

fn endpoint() -> Endpoint {
    let mut config = node_config(1);
    config.auth = Some(Auth {
        realm: "example.com".to_owned(),
        nonce_key: [7; 32],
        algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
        passwords: Arc::new(HashMap::<String, Secret>::new()),
    });
    config.registrar = Some(RegistrarRules::default());
    Endpoint::new(config, Box::new(SeededIds::from_number(1)))
}

/// True when everything in the message that we read follows its grammar.
fn well_formed(octets: &Bytes) -> bool {
    let Ok(message) = parse_datagram(octets) else {
        return false;
    };
    let headers = message.headers();
    let target = match &message {
        Message::Request(request) => {
            let method = headers
                .cseq()
                .is_ok_and(|cseq| cseq.method == request.method);
            method && request.target().is_ok()
        }
        Message::Response(_) => true,
    };
    message.flaw().is_none()
        && target
        && headers.vias().is_ok_and(|vias| !vias.is_empty())
        && headers.from().is_ok()
        && headers.to().is_ok()
        && headers.call_id().is_ok()
        && headers.max_forwards().is_ok()
        && headers.contacts().is_ok()
        && headers.content_type().is_ok()
}

fn answer(octets: &Bytes) -> String {
    let mut endpoint = endpoint();
    let _ = endpoint.receive(Millis(0), Source::udp(addr(9)), octets);
    let mut codes = Vec::new();
    while let Some(out) = endpoint.poll_transmit() {
        match parse_datagram(&out.bytes).expect("what we send can be read") {
            Message::Response(response) => codes.push(response.code.to_string()),
            Message::Request(request) => panic!("a request: {request:?}"),
        }
    }
    let mut said = if codes.is_empty() {
        "-".to_owned()
    } else {
        codes.join(" ")
    };
    while let Some(event) = endpoint.poll_event() {
        assert!(matches!(event, Event::Incoming(_)), "{event:?}");
        said.push_str(" and a call");
    }
    said
}

#[test]
fn every_message_gets_its_verdict() {
    let messages = messages();
    assert_eq!(messages.len(), 49);
    for (name, _, expected) in TABLE {
        assert_eq!(answer(&messages[name]), expected, "{name}");
    }
}

#[test]
fn every_valid_message_parses_and_prints_and_parses_the_same() {
    let messages = messages();
    for (name, valid, _) in TABLE.iter().filter(|(_, valid, _)| *valid) {
        let octets = &messages[*name];
        assert!(*valid && well_formed(octets), "{name} is valid");
        let first = parse_datagram(octets).unwrap();
        let printed = first.to_bytes();
        let second = parse_datagram(&printed).unwrap();
        assert_eq!(printed, second.to_bytes(), "{name}");
        assert_eq!(first.headers().cseq(), second.headers().cseq(), "{name}");
        assert_eq!(first.body(), second.body(), "{name}");
    }
}

#[test]
fn what_the_rfc_says_about_some_fields() {
    let messages = messages();
    let parse = |name: &str| parse_datagram(&messages[name]).unwrap();
    let wsinv = parse("wsinv");
    assert_eq!(wsinv.headers().vias().unwrap().len(), 3);
    assert_eq!(
        wsinv.headers().from().unwrap().display.unwrap(),
        "J Rosenberg \\\""
    );
    assert_eq!(wsinv.headers().max_forwards().unwrap(), Some(68));
    assert_eq!(
        wsinv.headers().contacts().unwrap()[0]
            .display
            .as_ref()
            .unwrap(),
        "Quoted string \"\""
    );
    let Message::Request(semiuri) = parse("semiuri") else {
        panic!()
    };
    let uri = semiuri.target().unwrap();
    assert_eq!(uri.user.as_ref().unwrap(), "user;par=u%40example.net");
    assert_eq!(uri.host, "example.com");
    let Message::Request(esc01) = parse("esc01") else {
        panic!()
    };
    assert_eq!(
        esc01.target().unwrap().user_text().unwrap(),
        "sips:user@example.com"
    );
    let same: Uri = "sip:user@example.com".parse().unwrap();
    assert!(esc01.headers.to().unwrap().uri.same_as(&same));
    let escnull = parse("escnull");
    assert_eq!(escnull.headers().contacts().unwrap().len(), 2);
    let Message::Response(unreason) = parse("unreason") else {
        panic!()
    };
    assert!(
        std::str::from_utf8(&unreason.phrase)
            .unwrap()
            .ends_with("простое")
    );
    let Message::Response(noreason) = parse("noreason") else {
        panic!()
    };
    assert!(noreason.phrase.is_empty());
    assert!(
        parse("dblreq").body().is_empty(),
        "octets after the body are no part of it"
    );
    let cparam = |name: &str| parse(name).headers().contacts().unwrap().remove(0);
    assert!(cparam("cparam01").params.has("unknownparam"));
    assert!(cparam("cparam02").uri.params.has("unknownparam"));
}

#[test]
fn no_cut_of_any_message_is_fatal() {
    for (name, octets) in messages() {
        for end in 0..octets.len() {
            let cut = octets.slice(..end);
            if let Ok(message) = parse_datagram(&cut) {
                assert!(!message.to_bytes().is_empty(), "{name}");
            }
        }
        answer(&octets.slice(..octets.len() / 2));
    }
}
