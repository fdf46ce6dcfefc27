//! The fuzzers' corpus as stable tests, through the fuzz targets' own bodies (`header` is in `headers.rs`): every
//! file is read or refused, it and each beginning of it are never fatal, and the verdicts stay what they are (those of
//! the messages of RFC 4475 and RFC 5118 are in `torture.rs` and `torture6.rs`).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use sip::msg::{Frame, StreamFramer};
use sip::sdp::{LocalMedia, answer, read_offer};

#[path = "../fuzz/bodies/message.rs"]
mod message_body;
#[path = "../fuzz/bodies/sdp.rs"]
mod sdp_body;
#[path = "../fuzz/bodies/stream.rs"]
mod stream_body;

fn corpus(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .map(|path| (name(&path), std::fs::read(&path).unwrap()))
        .collect()
}

/// The body on the file and on each beginning of it: what a cut leaves is an input too.
fn each_beginning(octets: &[u8], body: impl Fn(&[u8])) {
    (0..=octets.len()).for_each(|end| body(&octets[..end]));
}

#[test]
fn message() {
    for folder in ["tests/torture", "tests/torture6"] {
        let found = corpus(folder);
        assert!(found.len() >= 12, "{folder} has a corpus");
        for octets in found.values() {
            each_beginning(octets, message_body::run);
        }
    }
}

/// The descriptions of the corpus that this side refuses; the answer to each other one is of what was read.
fn refused_by(local: &LocalMedia) -> Vec<String> {
    let mut refused = Vec::new();
    for (name, octets) in corpus("fuzz/corpus/sdp") {
        match answer(&octets, local) {
            Ok(made) => {
                assert_eq!(read_offer(&octets, local).unwrap(), made.remote, "{name}");
                assert!(
                    std::str::from_utf8(&made.sdp)
                        .unwrap()
                        .starts_with("v=0\r\n"),
                    "{name}"
                );
            }
            Err(_) => refused.push(name),
        }
    }
    refused
}

#[test]
fn sdp() {
    let found = corpus("fuzz/corpus/sdp");
    for octets in found.values() {
        each_beginning(octets, sdp_body::run);
    }
    let [clear, secured] = sdp_body::ours();
    let expected = [
        "crypto_line",
        "empty",
        "host_name",
        "keys",
        "keys_cut",
        "keys_mki",
        "keys_short_suite",
        "keys_unencrypted",
        "many_lines",
        "no_address",
        "no_media",
        "opus_only",
        "port_0",
        "port_lies",
        "srtp",
        "version_9",
    ];
    assert_eq!(refused_by(&clear), expected);
    let mut taken: Vec<&str> = found.keys().map(String::as_str).collect();
    let refused = refused_by(&secured);
    taken.retain(|name| !refused.iter().any(|no| no == name));
    assert_eq!(taken, ["keys", "keys_beside_clear", "keys_short_suite"]);
}

/// `m` for a message, `p` for a ping, `!` where the stream is lost.
fn frames(octets: &[u8]) -> String {
    let mut framer = StreamFramer::new();
    let mut out = String::new();
    for frame in framer.push(octets) {
        out.push(match frame {
            Ok(Frame::Message(_)) => 'm',
            Ok(Frame::Ping) => 'p',
            Err(_) => '!',
        });
    }
    out
}

#[test]
fn stream() {
    let found: Vec<(String, String)> = corpus("fuzz/corpus/stream")
        .into_iter()
        .map(|(name, octets)| {
            each_beginning(&octets, stream_body::run);
            (name, frames(&octets))
        })
        .collect();
    let expected = [
        ("cut", ""),
        ("length_huge", "!"),
        ("length_lies", "mm"),
        ("length_missing", "!"),
        ("line_ends_around", "mm"),
        ("noise", ""),
        ("one", "m"),
        ("ping_between", "mpm"),
        ("two_glued", "mm"),
    ];
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(n, f)| (n.as_str(), f.as_str()))
        .collect();
    assert_eq!(found, expected);
}
