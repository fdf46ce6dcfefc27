//! The fuzzers' corpus as stable tests (the messages of RFC 4475 are in `torture.rs`): every file is
//! read or refused, none is fatal, and the verdicts stay what they are.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use sip::msg::{Frame, StreamFramer};
use sip::sdp::{LocalMedia, answer, read_answer, read_offer};

fn corpus(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(folder);
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .map(|path| (name(&path), std::fs::read(&path).unwrap()))
        .collect()
}

fn local() -> LocalMedia {
    LocalMedia::new(([127, 0, 0, 1], 4_000).into(), 1)
}

#[test]
fn sdp() {
    let mut refused = Vec::new();
    for (name, octets) in corpus("sdp") {
        let _ = read_answer(&octets, &local());
        match answer(&octets, &local()) {
            Ok(made) => {
                assert_eq!(
                    read_offer(&octets, &local()).unwrap(),
                    made.remote,
                    "{name}"
                );
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
    let expected = [
        "empty",
        "host_name",
        "many_lines",
        "no_address",
        "no_media",
        "opus_only",
        "port_0",
        "port_lies",
        "srtp",
        "version_9",
    ];
    assert_eq!(refused, expected);
}

/// `m` for a message, `p` for a ping, `!` where the stream is lost.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let mut framer = StreamFramer::new();
    let mut out = String::new();
    for frame in pieces.flat_map(|piece| framer.push(piece)) {
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
    let found: Vec<(String, String)> = corpus("stream")
        .into_iter()
        .map(|(name, octets)| {
            let whole = frames(std::iter::once(octets.as_slice()));
            assert_eq!(whole, frames(octets.chunks(7)), "{name}");
            (name, whole)
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
