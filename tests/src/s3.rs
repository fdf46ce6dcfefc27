//! An S3 server that is not ours: moto's, from PyPI, in a virtual environment of its own.

use anyhow::{Context as _, bail, ensure};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest start of the server.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server; killed when dropped. What it holds is in its memory.
pub struct S3Server {
    child: Child,
    port: u16,
}

/// The program of `MARCADOR_TEST_MOTO`, or one that is installed below `dir` now.
fn program(dir: &Path) -> anyhow::Result<PathBuf> {
    if let Some(found) = std::env::var_os("MARCADOR_TEST_MOTO") {
        return Ok(found.into());
    }
    let home = dir.join("moto");
    let run = |command: &mut Command| -> anyhow::Result<()> {
        let said = command.output()?;
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        ensure!(said.status.success(), "{command:?}: {text}");
        Ok(())
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    run(Command::new(home.join("bin/pip")).args(["install", "-q", "moto[server,s3]"]))?;
    Ok(home.join("bin/moto_server"))
}

impl S3Server {
    /// Starts it on a port with an empty bucket.
    ///
    /// # Errors
    /// When it cannot be installed or does not answer within a minute.
    pub fn start(dir: &Path, port: u16, bucket: &str) -> anyhow::Result<Self> {
        let log = std::fs::File::create(dir.join("s3.log"))?;
        let child = Command::new(program(dir)?)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start moto_server")?;
        let server = Self { child, port };
        let since = Instant::now();
        while server.ask("PUT", &format!("/{bucket}")).is_err() {
            if since.elapsed() > START_LIMIT {
                bail!("moto_server does not answer");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(server)
    }

    /// The address for `[recordings] url`.
    #[must_use]
    pub fn url(port: u16, bucket: &str) -> String {
        format!("s3://{bucket}/voices?region=us-east-1&endpoint=http://127.0.0.1:{port}")
    }

    /// Keys in the bucket.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn keys(&self, bucket: &str) -> anyhow::Result<Vec<String>> {
        let text = self.ask("GET", &format!("/{bucket}?list-type=2&max-keys=1000"))?;
        let keys = text.split("<Key>").skip(1);
        Ok(keys
            .filter_map(|k| k.split_once("</Key>").map(|(k, _)| k.to_owned()))
            .collect())
    }

    fn ask(&self, method: &str, path: &str) -> anyhow::Result<String> {
        let mut link = TcpStream::connect(("127.0.0.1", self.port))?;
        link.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            link,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        link.read_to_string(&mut text)?;
        ensure!(text.starts_with("HTTP/1.1 200"), "{text}");
        Ok(text)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
