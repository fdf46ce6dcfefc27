//! House rules as tests: arrows, sizes, licences, sources, banned words, the top level.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot read the tree has failed"
)]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use marcador_tests::house::{ARROWS, DEV_ARROWS, sources, top};
use std::collections::BTreeSet;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(top().join("Cargo.toml"))
        // What other systems would need is neither built nor there.
        .other_options(vec![
            "--locked".into(),
            "--offline".into(),
            "--filter-platform".into(),
            host(),
        ])
        .exec()
        .expect("cargo metadata")
}

fn host() -> String {
    let output = std::process::Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|l| l.strip_prefix("host: "))
        .expect("a host")
        .to_owned()
}

fn row<'a>(table: &'a [(&str, &'a [&str])], name: &str) -> Option<&'a [&'a str]> {
    table
        .iter()
        .find(|(room, _)| *room == name)
        .map(|(_, to)| *to)
}

#[test]
fn arrows_between_rooms_are_those_of_the_ground_plan() {
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata
        .workspace_packages()
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(may) = row(ARROWS, &package.name) else {
            faults.push(format!("{} is no room of the ground plan", package.name));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|d| ours.contains(&d.name))
        {
            let dev = dependency.kind == DependencyKind::Development;
            let allowed = may.contains(&dependency.name.as_str())
                || (dev
                    && row(DEV_ARROWS, &package.name)
                        .is_some_and(|extra| extra.contains(&dependency.name.as_str())));
            if !allowed {
                faults.push(format!(
                    "{} -> {} (dev: {dev})",
                    package.name, dependency.name
                ));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "arrows not in the ground plan: {faults:#?}"
    );
}

#[test]
fn files_are_small() {
    let faults: Vec<String> = sources(&["rs", "ts", "svelte", "mjs"])
        .into_iter()
        .filter(|(_, text)| text.lines().count() > FILE_LINES_MAX)
        .filter(|(_, text)| {
            !text
                .lines()
                .take(5)
                .any(|l| l.contains("longer than the house limit:"))
        })
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(
        faults.is_empty(),
        "files over {FILE_LINES_MAX} lines without a reason ('longer than the house limit: …') in their first lines: {faults:#?}"
    );
}

/// Length of each function by indentation: from its `fn` line to the first line that closes at the
/// same indent. `rustfmt` keeps that shape true for the whole tree.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let is_fn = [
            "fn ",
            "pub fn ",
            "async fn ",
            "pub async fn ",
            "pub(crate) fn ",
            "pub(super) fn ",
            "pub(crate) async fn ",
            "pub(super) async fn ",
        ]
        .iter()
        .any(|p| body.starts_with(p));
        // A declaration in a trait has no body.
        let ends = |l: &&&str| l.ends_with(['{', '}', ';']);
        let declared = lines[at..]
            .iter()
            .find(ends)
            .is_some_and(|l| l.ends_with(';'));
        if !is_fn || declared {
            continue;
        }
        let indent = line.len() - body.len();
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(len) = lines[at..].iter().position(|l| **l == close)
            && len + 1 > FUNCTION_LINES_MAX
        {
            found.push((at + 1, len + 1));
        }
    }
    found
}

#[test]
fn functions_are_short() {
    let mut faults = Vec::new();
    for (path, text) in sources(&["rs"]) {
        for (line, length) in long_functions(&text) {
            faults.push(format!("{}:{line}: {length} lines", path.display()));
        }
    }
    assert!(
        faults.is_empty(),
        "functions over {FUNCTION_LINES_MAX} lines: {faults:#?}"
    );
}

#[test]
fn the_length_check_sees_a_long_function() {
    let body = "    let x = 1;\n".repeat(FUNCTION_LINES_MAX);
    assert_eq!(
        long_functions(&format!("fn long() {{\n{body}}}\n")).len(),
        1
    );
    assert!(long_functions("fn short() {\n}\n").is_empty());
}

#[test]
fn nothing_is_left_over() {
    let marks = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X"].concat(),
    ];
    let calls = [
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
        ["dbg", "!("].concat(),
        ["#[allow", "("].concat(),
        ["#![allow", "("].concat(),
        ["#[ign", "ore"].concat(),
    ];
    let mut faults = Vec::new();
    for (path, text) in sources(&["rs", "ts", "svelte"]) {
        for (number, line) in text.lines().enumerate() {
            // Marks are left in comments; in code the same letters may be a word or a currency.
            let comment = line.split_once("//").map_or("", |(_, c)| c);
            let marked = comment
                .split(|c: char| !c.is_alphanumeric())
                .find(|w| marks.iter().any(|m| m == w));
            if let Some(word) = marked.or_else(|| {
                calls
                    .iter()
                    .find(|w| line.contains(w.as_str()))
                    .map(String::as_str)
            }) {
                faults.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "left-overs: {faults:#?}");
}

#[test]
fn the_top_level_is_as_planned() {
    let planned = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "config",
        "crates",
        "migrations",
        "sip-test",
        "tests",
    ];
    let output = std::process::Command::new("git")
        .args(["ls-tree", "--name-only", "HEAD"])
        .current_dir(top())
        .output()
        .expect("git ls-tree");
    let text = String::from_utf8_lossy(&output.stdout);
    let extra: Vec<&str> = text
        .lines()
        .filter(|n| !n.starts_with('.') && !planned.contains(n))
        .collect();
    assert!(extra.is_empty(), "not in the ground plan: {extra:?}");
}

#[test]
fn every_room_says_what_it_is() {
    let mut faults = Vec::new();
    for (room, _) in ARROWS {
        let folder = match *room {
            "marcador" => "crates/server".to_owned(),
            "marcador-tests" => "tests".to_owned(),
            "sip-test" => "sip-test".to_owned(),
            other => format!("crates/{other}"),
        };
        if !top().join(&folder).join("README.md").is_file() {
            faults.push(folder);
        }
    }
    assert!(faults.is_empty(), "folders without a README.md: {faults:?}");
}

#[test]
fn licences_bans_and_sources_hold() {
    let deny: toml::Value =
        toml::from_str(&std::fs::read_to_string(top().join(".deny.toml")).expect(".deny.toml"))
            .expect(".deny.toml parses");
    let strings = |v: &toml::Value| -> Vec<String> {
        v.as_array()
            .map(|a| {
                a.iter()
                    .filter_map(|x| x.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default()
    };
    let allowed = strings(&deny["licenses"]["allow"]);
    let banned: Vec<String> = deny["bans"]["deny"]
        .as_array()
        .map(|a| {
            a.iter()
                .filter_map(|x| x["name"].as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    let mut faults = Vec::new();
    for package in metadata().packages {
        let id = format!("{} {}", package.name, package.version);
        let licence = package.license.clone().unwrap_or_default();
        if !licence_ok(&licence, &allowed) && package.license_file.is_none() {
            faults.push(format!("{id}: licence '{licence}'"));
        }
        if banned.iter().any(|b| *b == package.name.to_string()) {
            faults.push(format!("{id}: banned"));
        }
        if let Some(source) = &package.source
            && !source.is_crates_io()
        {
            faults.push(format!("{id}: comes from outside the registry"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// `A OR (B AND C)`: one alternative whose every part is allowed.
fn licence_ok(expression: &str, allowed: &[String]) -> bool {
    let clean = expression.replace(['(', ')'], " ").replace('/', " OR ");
    clean.split(" OR ").any(|alternative| {
        !alternative.trim().is_empty()
            && alternative
                .split(" AND ")
                .all(|part| allowed.iter().any(|a| a == part.trim()))
    })
}

#[test]
fn the_licence_check_refuses_what_is_not_listed() {
    let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned()];
    assert!(licence_ok("GPL-3.0 OR MIT", &allowed));
    assert!(licence_ok("MIT AND Apache-2.0", &allowed));
    assert!(!licence_ok("GPL-3.0", &allowed));
    assert!(!licence_ok("MIT AND GPL-3.0", &allowed));
    assert!(!licence_ok("", &allowed));
}

/// Whatever comes from the network, and the fuzz target that it meets first.
const PARSERS: [(&str, &str, &str); 9] = [
    ("SIP message", "sip", "message"),
    ("SIP header", "sip", "header"),
    ("SIP stream", "sip", "stream"),
    ("SDP", "sip", "sdp"),
    ("RTP", "media", "rtp"),
    ("RTCP", "media", "rtcp"),
    ("STUN", "voice", "browsers"),
    ("DTLS", "voice", "past_ice"),
    ("SRTP", "media", "srtp"),
];

fn read(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn files_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// What is wrong with a target: it may be no more than one line over a body, since the line itself is built by
/// fuzzers alone; the body has to be compiled and run over the target's corpus by a test of the room.
fn fault_of(room: &str, target: &str) -> Option<&'static str> {
    let home = top().join("crates").join(room);
    let line = read(&home.join(format!("fuzz/fuzz_targets/{target}.rs")));
    let line: String = line
        .lines()
        .filter(|l| !l.starts_with("//!") && *l != "#![no_main]")
        .collect();
    let over = |call: &str| format!("libfuzzer_sys::fuzz_target!(|data: &[u8]| {call}(data));");
    let body = format!("bodies/{target}.rs");
    let fine = if room == "voice" {
        // Its bodies reach what only the room itself sees.
        let doors = read(&home.join("src/fuzzing.rs"));
        let call = line
            .split_once("voice::fuzzing::")
            .and_then(|(_, rest)| rest.split_once("(data)"))
            .map_or("", |(call, _)| call);
        let runs = ["", " SHAKEN,"].map(|bent| format!("\"{target}\",{bent} super::{call});"));
        line == over(&format!("voice::fuzzing::{call}"))
            && doors.contains(&format!("pub fn {call}(data: &[u8])"))
            && runs.iter().any(|run| doors.contains(run))
    } else {
        let tests: String = files_in(&home.join("tests"))
            .iter()
            .map(|path| read(path))
            .collect();
        line == format!("#[path = \"../{body}\"]mod body;{}", over("body::run"))
            && read(&home.join("fuzz").join(&body)).contains("pub(crate) fn run(")
            && tests.contains(&format!("#[path = \"../fuzz/{body}\"]"))
    };
    let corpus = match target {
        "message" => "tests/torture".to_owned(),
        other => format!("fuzz/corpus/{other}"),
    };
    if !fine {
        Some("is not one line over a body that a stable test runs")
    } else if files_in(&home.join(corpus)).is_empty() {
        Some("has no corpus")
    } else {
        None
    }
}

#[test]
fn every_fuzz_target_has_a_corpus_and_a_stable_test() {
    let mut faults = Vec::new();
    let mut known = BTreeSet::new();
    for room in ["sip", "media", "voice"] {
        let fuzz = top().join("crates").join(room).join("fuzz");
        let manifest: toml::Value =
            toml::from_str(&read(&fuzz.join("Cargo.toml"))).expect("a manifest");
        let bins = manifest["bin"].as_array().expect("targets");
        let built: BTreeSet<&str> = bins.iter().filter_map(|b| b["path"].as_str()).collect();
        for path in files_in(&fuzz.join("fuzz_targets")) {
            let target = path.file_stem().expect("a name").to_string_lossy();
            if !built.contains(format!("fuzz_targets/{target}.rs").as_str()) {
                faults.push(format!("{room} {target}: is not in the manifest"));
            }
            if let Some(fault) = fault_of(room, &target) {
                faults.push(format!("{room} {target}: {fault}"));
            }
            known.insert(format!("{room} {target}"));
        }
        if built.len() != files_in(&fuzz.join("fuzz_targets")).len() {
            faults.push(format!("{room}: a target of the manifest has no file"));
        }
    }
    for (what, room, target) in PARSERS {
        if !known.contains(&format!("{room} {target}")) {
            faults.push(format!("{what}: no fuzz target {room} {target}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
