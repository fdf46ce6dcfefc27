//! The program as a user calls it: its exit status and its words.

use std::path::Path;
use std::process::{Command, Output};

/// Where the program's database is.
pub(crate) fn database(dir: &Path) -> String {
    format!("sqlite://{}", dir.join("m.db").display())
}

pub(crate) fn marcador(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_marcador"))
        .args(args)
        .current_dir(dir)
        .env("MARCADOR__DATABASE__URL", database(dir))
        .env("MARCADOR__AUTH__SECRET_FILE", dir.join("m.secret"))
        .output()
        .expect("runs")
}

pub(crate) fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Its words, after an exit with that status.
pub(crate) fn done(dir: &Path, args: &[&str], code: i32) -> String {
    let output = marcador(dir, args);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{args:?}: {}",
        told(&output)
    );
    told(&output)
}
