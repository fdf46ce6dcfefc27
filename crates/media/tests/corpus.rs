//! The fuzzers' corpus as stable tests, through the fuzz targets' own bodies: every file is read or refused, it and each
//! beginning of it are never fatal, and the verdicts stay what they are.
#![expect(clippy::unwrap_used, reason = "tests may fail by panic")]

use std::collections::BTreeMap;
use std::path::Path;

#[path = "../fuzz/bodies/comfort.rs"]
mod comfort_body;
#[path = "../fuzz/bodies/dtmf.rs"]
mod dtmf_body;
#[path = "../fuzz/bodies/rtcp.rs"]
mod rtcp_body;
#[path = "../fuzz/bodies/rtp.rs"]
mod rtp_body;
#[path = "../fuzz/bodies/srtp.rs"]
mod srtp_body;
#[path = "../fuzz/bodies/wav.rs"]
mod wav_body;

/// What `judge` says of each file, once it and each beginning of it have been through the target's body.
fn verdicts(
    folder: &str,
    body: impl Fn(&[u8]),
    judge: impl Fn(&[u8]) -> bool,
) -> BTreeMap<String, bool> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(folder);
    let found: BTreeMap<String, bool> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| {
            let name = p.file_name().unwrap().to_string_lossy().into_owned();
            let octets = std::fs::read(&p).unwrap();
            (0..=octets.len()).for_each(|end| body(&octets[..end]));
            (name, judge(&octets))
        })
        .collect();
    assert!(found.len() >= 4, "{folder} has a corpus");
    found
}

fn refused(found: &BTreeMap<String, bool>) -> Vec<&str> {
    found
        .iter()
        .filter(|(_, ok)| !**ok)
        .map(|(name, _)| name.as_str())
        .collect()
}

#[test]
fn rtp() {
    let found = verdicts("rtp", rtp_body::run, |b| media::rtp::parse(b).is_ok());
    let expected = [
        "csrc_cut",
        "extension_cut",
        "padding_long",
        "padding_zero",
        "short",
        "version_1",
    ];
    assert_eq!(refused(&found), expected);
}

#[test]
fn rtcp() {
    let found = verdicts("rtcp", rtcp_body::run, |b| media::rtcp::parse(b).is_ok());
    let expected = ["length_lies", "rr_count_lies", "sr_cut"];
    assert_eq!(refused(&found), expected);
}

#[test]
fn dtmf() {
    let found = verdicts("dtmf", dtmf_body::run, |b| {
        media::dtmf::Event::parse(&b[4..]).is_ok()
    });
    assert_eq!(refused(&found), ["flash", "short"]);
}

#[test]
fn wav() {
    let found = verdicts("wav", wav_body::run, |b| {
        media::prompt::Prompt::from_wav(b).is_ok()
    });
    let expected = [
        "bits_0",
        "bits_7",
        "cut",
        "no_channels",
        "rate_0",
        "size_lies",
    ];
    assert_eq!(refused(&found), expected);
}

#[test]
fn srtp() {
    use media::srtp::{Keys, Suite, Unprotect};
    let mut master = [0; 30];
    for (i, pair) in "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"
        .as_bytes()
        .chunks(2)
        .enumerate()
    {
        master[i] = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    }
    let far = || Unprotect::new(Suite::AesCm128HmacSha1_80, &Keys::new(master));
    let found = verdicts("srtp", srtp_body::run, |b| {
        far().rtp(&mut b.to_vec()).is_ok()
    });
    let expected = [
        "bent",
        "csrc_lies",
        "empty",
        "extension_lies",
        "header_only",
        "tag_cut",
        "version_1",
    ];
    assert_eq!(refused(&found), expected);
    let found = verdicts("srtcp", srtp_body::run, |b| {
        far().rtcp(&mut b.to_vec()).is_ok()
    });
    assert_eq!(
        refused(&found),
        ["clear", "no_index", "short", "version_0"],
        "nothing in clear is taken"
    );
}

#[test]
fn comfort() {
    let found = verdicts("comfort", comfort_body::run, |b| {
        media::comfort::Description::parse(b).is_ok()
    });
    assert_eq!(refused(&found), ["empty", "level_128"]);
}
