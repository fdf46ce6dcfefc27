//! Starts the demo and walks through its screens in Chromium (tests/browser/walk.mjs).

use anyhow::{Context as _, ensure};
use marcador_tests::house::top;
use marcador_tests::process::{Demo, Login};
use std::process::Command;

fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    // Few agents, so that the person at the screen gets calls soon.
    let demo = Demo::start(dir.path(), &["--agents", "3", "--seconds", "900"], &[])?;
    let login = |l: &Login| format!("{}:{}", l.username, l.password);
    let shots =
        std::env::var("SHOTS").unwrap_or_else(|_| dir.path().join("shots").display().to_string());
    let status = Command::new("node")
        .arg("walk.mjs")
        .current_dir(top().join("tests/browser"))
        .env("MARCADOR_URL", &demo.info.url)
        .env("AGENT_LOGIN", login(&demo.info.agent))
        .env("SUPERVISOR_LOGIN", login(&demo.info.supervisor))
        .env("MANAGER_LOGIN", login(&demo.info.manager))
        .env("SHOTS", shots)
        .status()
        .context("node")?;
    ensure!(
        status.success(),
        "the walk failed; the demo's last lines:\n{}",
        demo.log_end()
    );
    Ok(())
}
