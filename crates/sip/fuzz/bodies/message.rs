//! A datagram, parsed with every typed header, printed and parsed again, then given to an endpoint.
//! Start it with the messages of RFC 4475: `cargo +nightly fuzz run message tests/torture`.

use bytes::Bytes;
use sip::ua::Config;
use sip::{Endpoint, Millis, SeededIds, Source};

/// One input.
pub(crate) fn run(data: &[u8]) {
    let octets = Bytes::copy_from_slice(data);
    if let Ok(message) = sip::msg::parse_datagram(&octets) {
        let headers = message.headers();
        let _ = (
            headers.vias(),
            headers.from(),
            headers.to(),
            headers.contacts(),
        );
        let _ = (headers.cseq(), headers.call_id(), headers.max_forwards());
        let printed = message.to_bytes();
        let again = sip::msg::parse_datagram(&printed).expect("what we print can be read");
        assert_eq!(printed, again.to_bytes());
    }
    let here = ([127, 0, 0, 1], 5060).into();
    let peer = ([127, 0, 0, 1], 5070).into();
    let mut endpoint = Endpoint::new(Config::new(here), Box::new(SeededIds::from_number(1)));
    let _ = endpoint.receive(Millis(0), Source::udp(peer), &octets);
    while endpoint.poll_event().is_some() {}
    while endpoint.poll_transmit().is_some() {}
    endpoint.on_timer(Millis(64_000));
}
