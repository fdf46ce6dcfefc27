//! Starts the demo, a fresh service for the first sign-in and services that speak HTTPS, and walks through their screens in
//! Chromium (tests/browser/walk.mjs).

mod secured;

use anyhow::{Context as _, ensure};
use marcador_tests::house::top;
use marcador_tests::process::{Demo, Login};
use marcador_tests::service::Service;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Parts in which browsers are phones.
const SOUND: [&str; 2] = ["phone", "monitor"];
/// The part in which debtors call.
const CALLERS: &str = "callers";
/// The part on services of its own.
const SECURED: &str = "secured";

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
key_file = "{at}/recordings.key"
[sip]
bind = ["udp://127.0.0.1:0"]
[auth]
secret_file = "{at}/marcador.secret"
"#
    );
    std::fs::write(&config, text)?;
    Service::start(dir, &config.display().to_string())
}

/// The walk in Chromium at that address.
fn walk_at(url: &str, dir: &Path, parts: &[String]) -> Command {
    let mut node = Command::new("node");
    node.arg("walk.mjs")
        .args(parts)
        .current_dir(top().join("tests/browser"))
        .env("MARCADOR_URL", url);
    if std::env::var_os("SHOTS").is_none() {
        node.env("SHOTS", dir.join("shots"));
    }
    node
}

/// The walk through a demo.
fn walk(demo: &Demo, parts: &[String]) -> Command {
    let login = |l: &Login| format!("{}:{}", l.username, l.password);
    let mut node = walk_at(&demo.info.url, &demo.dir, parts);
    node.env("AGENT_LOGIN", login(&demo.info.agent))
        .env("SUPERVISOR_LOGIN", login(&demo.info.supervisor))
        .env("MANAGER_LOGIN", login(&demo.info.manager))
        .env("ADMIN_LOGIN", login(&demo.info.admin));
    node
}

/// `log_end` tells the program's last lines.
fn run(mut node: Command, log_end: impl FnOnce() -> String) -> anyhow::Result<()> {
    let status = node.status().context("node")?;
    ensure!(
        status.success(),
        "the walk failed; the program's last lines:\n{}",
        log_end()
    );
    Ok(())
}

/// Everybody answers soon, talks for minutes and waits with patience.
fn talkers() -> anyhow::Result<String> {
    let usual = std::fs::read_to_string(top().join("sip-test/profiles/default.json"))?;
    let mut people: Value = serde_json::from_str(&usual)?;
    let shares = people["shares"].as_object_mut().context("shares")?;
    for (kind, share) in shares {
        *share = json!(if kind == "human" { 1.0 } else { 0.0 });
    }
    people["ring_ms"]["median"] = json!(1_500);
    people["early_hangup_share"] = json!(0.0);
    people["early_media_share"] = json!(0.0);
    people["talk_s"] = json!([[0.01, 240.0], [0.99, 300.0]]);
    people["patience_s"] = json!([[600.0, 0.999]]);
    Ok(people.to_string())
}

/// A part in which browsers are phones has a demo of its own.
fn sound(part: &str) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let people = dir.path().join("people.json");
    std::fs::write(&people, talkers()?)?;
    let people = people.display().to_string();
    let args = [
        "--agents",
        "1",
        "--seconds",
        "600",
        "--mode",
        "progressive",
        "--keep-heard",
        "--people",
        &people,
    ];
    let demo = Demo::start(dir.path(), &args, &[])?;
    let mut node = walk(&demo, &[part.to_owned()]);
    node.env("PHONE_HEARD", dir.path().join("heard"));
    run(node, || demo.log_end())
}

/// Everybody calls and nobody is dialed.
fn callers() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let args = [
        "--agents",
        "1",
        "--seconds",
        "600",
        "--mode",
        "manual",
        "--callers",
        "24",
    ];
    let demo = Demo::start(dir.path(), &args, &[])?;
    run(walk(&demo, &[CALLERS.to_owned()]), || demo.log_end())
}

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let (heard, others): (Vec<String>, Vec<String>) = wanted
        .iter()
        .filter(|part| ![CALLERS, SECURED].contains(&part.as_str()))
        .cloned()
        .partition(|part| SOUND.contains(&part.as_str()));
    // A part that fails hides no other.
    let mut ends = Vec::new();
    if wanted.is_empty() || !others.is_empty() {
        ends.push(faces(&others));
    }
    let asked = |name: &str| wanted.is_empty() || wanted.iter().any(|part| part == name);
    if asked(CALLERS) {
        ends.push(callers());
    }
    if asked(SECURED) {
        ends.push(secured::run());
    }
    for part in SOUND {
        if wanted.is_empty() || heard.iter().any(|name| name == part) {
            ends.push(sound(part));
        }
    }
    ends.into_iter().collect()
}

/// All other parts.
fn faces(parts: &[String]) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    // Few agents, so that the person at the screen gets calls soon; their sound is judged, and nothing done on it.
    let args = ["--agents", "3", "--seconds", "1500", "--amd", "shadow"];
    let demo = Demo::start(dir.path(), &args, &[])?;
    let empty = tempfile::tempdir()?;
    let service = fresh(empty.path())?;
    let mut node = walk(&demo, parts);
    node.env("ENROL_URL", &service.url)
        .env("ENROL_LOGIN", format!("admin:{}", service.admin_password));
    run(node, || demo.log_end())
}
