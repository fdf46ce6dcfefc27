//! Messages that are not quite right: the torture messages of RFC 4475 and 5118 and well-formed requests of each kind,
//! changed here and there. What a seed makes it makes again.

use rand::Rng;
use std::net::SocketAddr;
use std::path::Path;

/// Longest that is made, octets: what a datagram takes.
const LONGEST: usize = 60_000;
/// Requests there are, one of each.
const METHODS: [&str; 13] = [
    "INVITE",
    "OPTIONS",
    "REGISTER",
    "BYE",
    "CANCEL",
    "ACK",
    "UPDATE",
    "PRACK",
    "REFER",
    "INFO",
    "NOTIFY",
    "SUBSCRIBE",
    "MESSAGE",
];
/// What parsers stumble over.
const ODD: [&[u8]; 8] = [
    b"\r\n\r\n",
    b"\0",
    b"\xff\xfe",
    b"99999999999999999999",
    b"-1",
    b"%00%0d%0a",
    b"\"",
    b"<<<<>>>>",
];
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                   m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

/// What is changed: the messages in these folders (`*.dat`), and a request of each kind to `server`.
///
/// # Errors
/// A folder or a message in it cannot be read.
pub fn seeds(server: SocketAddr, folders: &[&Path]) -> std::io::Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for folder in folders {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            paths.push(entry?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|end| end == "dat"));
        // In an order that is none of the disk's, so that a seed makes the same everywhere.
        paths.sort();
        for path in paths {
            all.push(std::fs::read(path)?);
        }
    }
    all.extend(METHODS.map(|method| request(method, server).into_bytes()));
    Ok(all)
}

fn request(method: &str, server: SocketAddr) -> String {
    format!(
        "{method} sip:+525550001000@{server} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5999;branch=z9hG4bKmut;rport\r\nMax-Forwards: 70\r\n\
         From: \"x\" <sip:a@b>;tag=1\r\nTo: <sip:agent1@{server}>\r\nCall-ID: mutation\r\n\
         CSeq: 1 {method}\r\nContact: <sip:a@127.0.0.1:5999>\r\nSupported: timer, 100rel\r\n\
         Session-Expires: 1800\r\nRAck: 1 1 INVITE\r\nRefer-To: <sip:x@y?Replaces=a%3Bto-tag%3D1>\r\n\
         Replaces: a;to-tag=1;from-tag=2\r\nAuthorization: Digest username=\"agent1\", realm=\"marcador\", \
         nonce=\"00\", uri=\"sip:x\", response=\"00\", nc=00000001, cnonce=\"x\", qop=auth\r\n\
         Reason: Q.850;cause=16\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
}

/// One of the seeds with a few changes anywhere: octets, cuts, repeats, lengths, other messages' parts.
pub fn mutate(rng: &mut impl Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = one(rng, seeds).to_vec();
    // Names of their own, so that repeats are not all swallowed as such.
    let own = format!("{:016x}", rng.random::<u64>());
    if rng.random_bool(0.5) {
        octets = replace(&octets, b"z9hG4bK", format!("z9hG4bK{own}").as_bytes());
        octets = replace(&octets, b"Call-ID: ", format!("Call-ID: {own}").as_bytes());
    }
    for _ in 0..rng.random_range(0..6) {
        if octets.is_empty() {
            break;
        }
        change(rng, seeds, &mut octets);
    }
    octets.truncate(LONGEST);
    octets
}

fn one<'a>(rng: &mut impl Rng, seeds: &'a [Vec<u8>]) -> &'a [u8] {
    let at = rng.random_range(0..seeds.len().max(1));
    seeds.get(at).map_or(&[], Vec::as_slice)
}

fn change(rng: &mut impl Rng, seeds: &[Vec<u8>], octets: &mut Vec<u8>) {
    let at = rng.random_range(0..octets.len());
    match rng.random_range(0..8) {
        0 => octets[at] = rng.random(),
        1 => octets.truncate(at),
        2 => {
            let end = (at + rng.random_range(1..64)).min(octets.len());
            let part = octets[at..end].to_vec();
            for _ in 0..rng.random_range(1..40) {
                octets.splice(at..at, part.iter().copied());
            }
        }
        3 => {
            let end = (at + rng.random_range(1..32)).min(octets.len());
            octets.drain(at..end);
        }
        4 => {
            let odd = ODD[rng.random_range(0..ODD.len())];
            octets.splice(at..at, odd.iter().copied());
        }
        5 => {
            let other = one(rng, seeds);
            let from = rng.random_range(0..other.len().max(1));
            octets.truncate(at);
            octets.extend_from_slice(other.get(from..).unwrap_or_default());
        }
        6 => {
            let length = format!("Content-Length: {}", rng.random::<i32>());
            *octets = replace(octets, b"Content-Length: ", length.as_bytes());
        }
        _ => octets[at] ^= 1 << rng.random_range(0..8),
    }
}

fn replace(octets: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let found = octets.windows(what.len()).position(|w| w == what);
    let Some(at) = found else {
        return octets.to_vec();
    };
    [&octets[..at], with, &octets[at + what.len()..]].concat()
}
