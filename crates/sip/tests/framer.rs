//! Streams: messages cut and glued anywhere, keep-alives, lengths that lie.
#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use proptest::prelude::*;
use sip::limits::MAX_MESSAGE;
use sip::msg::{Frame, Message, StreamFramer};
use sip::ua::{Config, Received};
use sip::{ConnId, Endpoint, Millis, SeededIds, SipError, Source};

fn message(number: usize, body: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK{number}\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:a@b>\r\nCall-ID: c{number}\r\nCSeq: 1 OPTIONS\r\nl: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn bodies(frames: Vec<Result<Frame, SipError>>) -> Vec<String> {
    let body = |frame: Result<Frame, SipError>| match frame.unwrap() {
        Frame::Message(message) => String::from_utf8(message.body().to_vec()).unwrap(),
        Frame::Ping => "ping".to_owned(),
    };
    frames.into_iter().map(body).collect()
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_messages(
        texts in prop::collection::vec("[ -~\r\n]{0,80}", 1..5),
        cuts in prop::collection::vec(1_usize..200, 0..40),
    ) {
        let stream: Vec<u8> =
            texts.iter().enumerate().flat_map(|(number, text)| message(number, text)).collect();
        let mut framer = StreamFramer::new();
        let mut found = Vec::new();
        let mut at = 0;
        for cut in cuts {
            let end = (at + cut).min(stream.len());
            found.extend(bodies(framer.push(&stream[at..end])));
            at = end;
        }
        found.extend(bodies(framer.push(&stream[at..])));
        prop_assert_eq!(found, texts);
        prop_assert_eq!(framer.pending(), 0);
    }

    #[test]
    fn garbage_never_panics(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let mut framer = StreamFramer::new();
        for chunk in chunks {
            let _ = framer.push(&chunk);
        }
    }
}

#[test]
fn keep_alives_are_pings_also_when_cut() {
    let mut framer = StreamFramer::new();
    assert!(framer.push(b"\r").is_empty());
    assert!(framer.push(b"\n\r").is_empty());
    assert_eq!(bodies(framer.push(b"\n")), ["ping"]);
    let mut glued = b"\r\n\r\n".to_vec();
    glued.extend(message(1, "x"));
    assert_eq!(bodies(framer.push(&glued)), ["ping", "x"]);
}

#[test]
fn a_line_end_before_a_message_is_no_half_of_a_ping_after_it() {
    let mut stream = b"\r\n".to_vec();
    stream.extend(message(1, "x"));
    stream.extend(b"\r\n");
    stream.extend(message(2, "y"));
    for size in 1..stream.len() {
        let mut framer = StreamFramer::new();
        let found = stream.chunks(size).flat_map(|piece| framer.push(piece));
        assert_eq!(bodies(found.collect()), ["x", "y"], "cut by {size}");
    }
}

/// Whether an error is the expected one.
type Fits = fn(&SipError) -> bool;

#[test]
fn lengths_that_lie_close_the_stream() {
    let cases: [(&str, Fits); 5] = [
        ("l: -1\r\n", |e| matches!(e, SipError::ContentLength(_))),
        ("l: 1\r\nContent-Length: 2\r\n", |e| {
            matches!(e, SipError::ContentLength(_))
        }),
        ("l: 99999999999999999999999\r\n", |e| {
            matches!(e, SipError::ContentLength(_))
        }),
        ("l: 70000\r\n", |e| matches!(e, SipError::TooLong(_))),
        ("", |e| matches!(e, SipError::Missing("Content-Length"))),
    ];
    for (length, fits) in cases {
        let mut framer = StreamFramer::new();
        let text = format!("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n{length}\r\n");
        let frames = framer.push(text.as_bytes());
        assert!(
            matches!(&frames[..], [Err(error)] if fits(error)),
            "{length}: {frames:?}"
        );
        assert!(
            framer.push(&message(1, "later")).is_empty(),
            "nothing after an error"
        );
    }
}

#[test]
fn a_head_without_end_is_bounded() {
    let mut framer = StreamFramer::new();
    let mut frames = framer.push(b"OPTIONS sip:a@b SIP/2.0\r\n");
    let line = [b'a'; 1_000];
    for _ in 0..MAX_MESSAGE / 1_000 + 1 {
        frames.extend(framer.push(&line));
    }
    assert!(matches!(frames.last(), Some(Err(SipError::TooLong(_)))));
    assert!(framer.pending() < MAX_MESSAGE);
}

#[test]
fn a_broken_stream_closes_alone() {
    let address = std::net::SocketAddr::from(([10, 0, 0, 1], 5_060));
    let mut config = Config::new(address);
    config.local.tcp = Some(address);
    let mut endpoint = Endpoint::new(config, Box::new(SeededIds::from_number(1)));
    let good = Source::tcp(address, ConnId(1));
    let bad = Source::tcp(address, ConnId(2));
    let half = message(1, "hello");
    assert_eq!(
        endpoint.receive(Millis(0), good, &Bytes::copy_from_slice(&half[..50])),
        Received::Keep
    );
    let broken = Bytes::from_static(b"not sip at all\r\n\r\n");
    assert_eq!(endpoint.receive(Millis(0), bad, &broken), Received::Close);
    assert_eq!(
        endpoint.receive(Millis(0), good, &Bytes::copy_from_slice(&half[50..])),
        Received::Keep
    );
    let out = endpoint.poll_transmit().unwrap();
    assert!(out.bytes.starts_with(b"SIP/2.0 200"));
    assert_eq!(out.target.conn, Some(ConnId(1)));
    assert_eq!(
        endpoint.receive(Millis(0), good, &Bytes::from_static(b"\r\n\r\n")),
        Received::Keep
    );
    assert_eq!(&endpoint.poll_transmit().unwrap().bytes[..], b"\r\n");
    assert!(matches!(
        sip::msg::parse_datagram(&out.bytes),
        Ok(Message::Response(_))
    ));
}
