//! Doors for the fuzzers in `fuzz/`, which are outside: what hostile datagrams meet first. Their
//! corpus is also run by the tests below.

#[cfg(feature = "webrtc")]
mod past_ice;
mod trail;

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

/// Packets of a browser whose check has passed: into its handshake or its protected sound, or bending
/// what it sends itself. No panic; what was changed is not heard; the browser's own sound goes on.
#[cfg(feature = "webrtc")]
pub fn past_ice(data: &[u8]) {
    past_ice::run(data);
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

/// A message of a call whose trail is kept: bounded, printable, without a digit run that could be a number,
/// and of the call that the endpoint takes it for.
pub fn trail(data: &[u8]) {
    trail::run(data);
}

/// The type of an INFO's body in the first line, then the body: a key is one of the sixteen and stands in
/// it, whatever case and parameters its type has.
pub fn info(data: &[u8]) {
    let end = data.iter().position(|b| *b == b'\n');
    let (kind, body) = data.split_at(end.unwrap_or(data.len()));
    let kind = kind.trim_ascii_end();
    let body = body.get(1..).unwrap_or_default();
    let key = crate::engine::info_key(kind, body);
    if let Some(key) = key {
        assert!(crate::plane::key_event(key).is_some());
        let octet = u8::try_from(key).expect("a key is ASCII");
        assert!(body.contains(&octet), "{key} was pressed by nobody");
    }
    let louder = [&kind.to_ascii_uppercase(), &b";charset=utf-8"[..]].concat();
    assert_eq!(crate::engine::info_key(&louder, body), key);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Inputs bent from a corpus; `MARCADOR_MUTATIONS` asks for another number.
    const BENT: u64 = 20_000;
    /// The same where each may cost a handshake.
    #[cfg(feature = "webrtc")]
    const SHAKEN: u64 = 1_000;
    /// Longest of them, octets.
    const LONGEST: usize = 2_000;

    fn corpus(of: &str, run: impl Fn(&[u8])) {
        corpus_bent(of, BENT, run);
    }

    fn corpus_bent(of: &str, bent: u64, run: impl Fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(of);
        let paths = std::fs::read_dir(folder).expect("a corpus");
        let mut paths: Vec<_> = paths.map(|entry| entry.expect("reads").path()).collect();
        paths.sort();
        let files: Vec<Vec<u8>> = paths
            .iter()
            .map(|path| std::fs::read(path).expect("reads"))
            .collect();
        assert!(files.len() >= 4, "{of} has a corpus");
        for bytes in &files {
            run(bytes);
            // Every cut of it too.
            (0..bytes.len()).for_each(|end| run(&bytes[..end]));
        }
        let count = std::env::var("MARCADOR_MUTATIONS").ok();
        let count = count.map_or(bent, |text| text.parse().expect("a number"));
        // The same ones in each run.
        let mut dice = Dice(0x5EED);
        for _ in 0..count {
            run(&dice.bend(&files));
        }
    }

    /// Xorshift.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 16).expect("fits") % most.max(1)
        }

        fn octet(&mut self) -> u8 {
            u8::try_from(self.below(256)).expect("fits")
        }

        /// One of the files, changed in one to six places.
        fn bend(&mut self, files: &[Vec<u8>]) -> Vec<u8> {
            let mut input = files[self.below(files.len())].clone();
            for _ in 0..=self.below(6) {
                let at = self.below(input.len() + 1);
                match self.below(5) {
                    0 => {
                        let bit = self.below(8);
                        input.get_mut(at).into_iter().for_each(|b| *b ^= 1 << bit);
                    }
                    1 => {
                        let octet = self.octet();
                        input.get_mut(at).into_iter().for_each(|b| *b = octet);
                    }
                    2 => input.truncate(at),
                    3 => {
                        let more: Vec<u8> = (0..self.below(40)).map(|_| self.octet()).collect();
                        drop(input.splice(at..at, more));
                    }
                    _ => {
                        let other = &files[self.below(files.len())];
                        let from = self.below(other.len());
                        input.truncate(at);
                        input.extend_from_slice(&other[from..]);
                    }
                }
            }
            input.truncate(LONGEST);
            input
        }
    }

    #[cfg(feature = "webrtc")]
    #[test]
    fn the_browsers_port_stands_its_corpus() {
        corpus("browsers", super::browsers_port);
    }

    #[cfg(feature = "webrtc")]
    #[test]
    fn a_browsers_connection_stands_its_corpus() {
        corpus_bent("past_ice", SHAKEN, super::past_ice);
    }

    #[test]
    fn a_leg_stands_its_corpus() {
        corpus("leg", super::leg);
    }

    #[test]
    fn a_trail_stands_its_corpus() {
        corpus("trail", super::trail);
    }

    #[test]
    fn keys_by_info_stand_their_corpus() {
        corpus("info", super::info);
    }
}
