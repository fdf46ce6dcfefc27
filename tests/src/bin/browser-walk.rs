//! Starts the demo, and a fresh service for the first sign-in, and walks through its screens in Chromium (tests/browser/walk.mjs).

use anyhow::{Context as _, ensure};
use marcador_tests::house::top;
use marcador_tests::process::{Demo, Login};
use marcador_tests::service::Service;
use std::path::Path;
use std::process::Command;

/// A fresh installation as it is by default: its admin needs a second factor. Ports are chosen by the system.
fn fresh(dir: &Path) -> anyhow::Result<Service> {
    let at = dir.display();
    let config = dir.join("marcador.toml");
    let text = format!(
        r#"[http]
bind = "127.0.0.1:0"
[database]
url = "sqlite://{at}/marcador.db"
[recordings]
url = "file://{at}/recordings"
[sip]
bind = ["udp://127.0.0.1:0"]
[auth]
secret_file = "{at}/marcador.secret"
"#
    );
    std::fs::write(&config, text)?;
    Service::start(dir, &config.display().to_string())
}

fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    // Few agents, so that the person at the screen gets calls soon.
    let demo = Demo::start(dir.path(), &["--agents", "3", "--seconds", "900"], &[])?;
    let empty = tempfile::tempdir()?;
    let service = fresh(empty.path())?;
    let login = |l: &Login| format!("{}:{}", l.username, l.password);
    let shots =
        std::env::var("SHOTS").unwrap_or_else(|_| dir.path().join("shots").display().to_string());
    let status = Command::new("node")
        .arg("walk.mjs")
        .args(std::env::args().skip(1))
        .current_dir(top().join("tests/browser"))
        .env("MARCADOR_URL", &demo.info.url)
        .env("AGENT_LOGIN", login(&demo.info.agent))
        .env("SUPERVISOR_LOGIN", login(&demo.info.supervisor))
        .env("MANAGER_LOGIN", login(&demo.info.manager))
        .env("ENROL_URL", &service.url)
        .env("ENROL_LOGIN", format!("admin:{}", service.admin_password))
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
