//! Doors for the fuzzers in `fuzz/`, which are outside: what hostile datagrams meet first. Their
//! corpus is also run by the tests below.

use crate::config::Codec;
use crate::plane::{Agreed, LegId};
use std::net::SocketAddr;
use std::time::Instant;

/// Octets of one datagram in an input that holds several.
const PIECE: usize = 200;

fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    // A long input is one datagram, as the network would bring it.
    data.chunks(if data.len() > PIECE * 8 {
        usize::MAX
    } else {
        PIECE
    })
}

/// Datagrams at the browsers' port (STUN, DTLS, SRTP told apart as RFC 7983): nobody who does not
/// know a connection's password comes through.
#[cfg(feature = "webrtc")]
pub fn browsers_port(data: &[u8]) {
    use crate::webrtc::{Front, Hub};
    use std::cell::RefCell;
    use std::sync::Arc;
    thread_local! {
        static HUB: RefCell<Option<Hub>> = const { RefCell::new(None) };
    }
    HUB.with_borrow_mut(|kept| {
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        if kept.is_none() {
            *kept = Front::open(here, &[here.ip()]).ok().map(|front| {
                let mut hub = Hub::new(Arc::new(front), Instant::now());
                hub.put(LegId(1), "ours", "a password that no input can know");
                hub
            });
        }
        let Some(hub) = kept else { return };
        for (n, datagram) in (1_u16..).zip(pieces(data)) {
            let from = SocketAddr::from(([10, 0, 0, 9], n));
            assert_eq!(hub.route(datagram, from, Instant::now()), None);
        }
    });
}

/// Datagrams at a leg's ports, from its far end: first as RTP, then as RTCP.
pub fn leg(data: &[u8]) {
    let from = SocketAddr::from(([10, 0, 0, 9], 4_000));
    let agreed = Agreed {
        remote: from,
        codec: Codec::Pcma,
        dtmf: Some(101),
        send: true,
        receive: true,
        secured: None,
    };
    crate::plane::hear_all(agreed, pieces(data), from, Instant::now());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn corpus(of: &str, run: impl Fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(of);
        let mut files = 0;
        for entry in std::fs::read_dir(folder).expect("a corpus") {
            let path = entry.expect("reads").path();
            let bytes = std::fs::read(path).expect("reads");
            run(&bytes);
            // Every cut of it too.
            (0..bytes.len()).for_each(|end| run(&bytes[..end]));
            files += 1;
        }
        assert!(files >= 4, "{of} has a corpus");
    }

    #[cfg(feature = "webrtc")]
    #[test]
    fn the_browsers_port_stands_its_corpus() {
        corpus("browsers", super::browsers_port);
    }

    #[test]
    fn a_leg_stands_its_corpus() {
        corpus("leg", super::leg);
    }
}
