//! The fuzz target `header` as a stable test, body and all: its corpus with verdicts, mutations of it by seed, and
//! noise. No value is fatal, and what is read prints and reads the same.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::{ProptestConfig, any, proptest};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sip::msg::{HeaderName, Headers, Method};

#[path = "../fuzz/bodies/header.rs"]
mod body;

/// What the grammars are made of.
const SIGNS: &[u8] = b" \t\",;<>@%:=?[]";

fn corpus() -> BTreeMap<String, Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/header");
    let files = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files
        .map(|path| (name(&path), std::fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn the_corpus_keeps_its_verdicts() {
    let refused: Vec<String> = corpus()
        .into_iter()
        .filter(|(_, field)| !body::verdict(field))
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "authorization_cut",
        "colon",
        "content_type_open",
        "cseq_huge",
        "empty",
        "from_open",
        "max_forwards_300",
        "min_se_negative",
        "rack_short",
        "reason_no_token",
        "replaces_twice",
        "retry_after_text",
        "session_expires_text",
        "to_many_params",
        "via_no_host",
        "via_quote_open",
    ];
    assert_eq!(refused, expected);
}

#[test]
fn no_mutation_of_the_corpus_is_fatal() {
    let corpus: Vec<Vec<u8>> = corpus().into_values().filter(|f| f.len() > 3).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..40_000 {
        let mut field = corpus[rng.random_range(0..corpus.len())].clone();
        for _ in 0..rng.random_range(1..5) {
            let at = rng.random_range(0..field.len());
            match rng.random_range(0..4) {
                0 => field[at] = rng.random(),
                1 => field.truncate(at.max(1)),
                2 => {
                    let other = &corpus[rng.random_range(0..corpus.len())];
                    field.extend_from_slice(&other[other.len() / 2..]);
                }
                _ => field.insert(at, SIGNS[rng.random_range(0..SIGNS.len())]),
            }
        }
        body::run(&field);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn noise_is_read_or_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        body::run(&noise);
        for name in ["Via: ", "From: ", "RAck: ", "Refer-To: ", "Replaces: ", "Authorization: "] {
            body::run(&[name.as_bytes(), &noise].concat());
        }
    }
}

#[test]
fn methods_are_allowed_by_name_over_all_fields() {
    let of = |fields: &[&'static str], method: &Method| {
        let mut headers = Headers::default();
        for field in fields {
            headers.push(HeaderName::Allow, *field);
        }
        headers.allows(method)
    };
    assert_eq!(of(&[], &Method::Update), None, "nobody said anything");
    let two = ["INVITE,ACK ,  UPDATE", "BYE"];
    assert_eq!(of(&two, &Method::Update), Some(true));
    assert_eq!(of(&two, &Method::Bye), Some(true));
    assert_eq!(of(&two, &Method::Prack), Some(false));
    // A method's name has a case (RFC 3261 section 7.1), and a part of one is none.
    for other in ["update", "UPDATES", "XUPDATE", ""] {
        assert_eq!(of(&[other], &Method::Update), Some(false), "{other}");
    }
}
