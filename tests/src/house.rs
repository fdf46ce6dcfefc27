//! The house's own rules as data: which room may know which, and where the files are.

use std::path::{Path, PathBuf};

/// The top folder of the project.
#[must_use]
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// A room and the rooms it may depend on (dev-dependencies are listed apart, in [`DEV_ARROWS`]).
pub const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("dialer", &["domain"]),
    ("sip", &[]),
    ("media", &[]),
    ("vault", &[]),
    ("papers", &["domain"]),
    ("voice", &["domain", "sip", "media", "vault"]),
    ("store", &["domain", "vault"]),
    ("gateways", &["domain"]),
    ("center", &["domain", "dialer"]),
    ("api", &["domain", "center", "papers"]),
    ("web", &[]),
    ("sim", &["domain", "dialer", "center"]),
    ("sip-test", &["sip", "media"]),
    (
        "marcador",
        &[
            "domain", "dialer", "sip", "media", "vault", "voice", "store", "gateways", "center",
            "api", "web", "sim", "sip-test",
        ],
    ),
    ("marcador-tests", &[]),
];

/// What tests may use beyond the arrows: contract suites and process-level tests.
pub const DEV_ARROWS: &[(&str, &[&str])] = &[
    ("api", &["store", "sim", "dialer"]),
    ("center", &["sim"]),
    ("store", &["sim"]),
    ("marcador-tests", &["sip", "media", "sip-test", "domain"]),
];

/// Every source file of ours, with its text; generated ones (`*.gen.*`, never committed) are not ours.
#[must_use]
pub fn sources(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["crates", "sip-test", "tests"] {
        walk(&top().join(folder), extensions, &mut found);
    }
    found
}

fn walk(dir: &Path, extensions: &[&str], found: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let skip = ["node_modules", "target", "dist", "corpus", "artifacts"];
        if path.is_dir() {
            if !skip.iter().any(|s| name == *s) {
                walk(&path, extensions, found);
            }
        } else if !name.to_string_lossy().contains(".gen.")
            && path
                .extension()
                .is_some_and(|e| extensions.iter().any(|x| e == *x))
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            found.push((path, text));
        }
    }
}
