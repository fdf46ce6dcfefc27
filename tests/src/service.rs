//! The product's own `marcador serve` as a child process.

use crate::process::program;
use anyhow::{Context as _, bail};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A running service; killed when dropped.
pub struct Service {
    child: Child,
    /// Kept open: what it prints later must find somebody who listens.
    _out: BufReader<ChildStdout>,
    /// Password of the first admin, as printed once at the first start; empty where another had started before.
    pub admin_password: String,
    /// `http://ADDRESS` of screens and API.
    pub url: String,
}

impl Service {
    /// Starts `marcador serve --config CONFIG` on an empty database and waits until it told the first
    /// admin's password and its address. What it logs goes to `serve.log` in `dir`.
    ///
    /// # Errors
    /// When it ends before that, with its log.
    pub fn start(dir: &Path, config: &str) -> anyhow::Result<Self> {
        let service = Self::join(dir, config)?;
        if service.admin_password.is_empty() {
            bail!("the database is not empty: no password was told");
        }
        Ok(service)
    }

    /// Starts one more on a database that may have people already. What it logs goes to `serve.log` in `dir`.
    ///
    /// # Errors
    /// When it ends before it told its address, with its log.
    pub fn join(dir: &Path, config: &str) -> anyhow::Result<Self> {
        let log_file = dir.join("serve.log");
        let mut child = Command::new(program()?)
            .args(["serve", "--config", config])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log_file)?)
            .spawn()
            .context("start the service")?;
        let mut out = BufReader::new(child.stdout.take().context("its output")?);
        if let Some((admin_password, url)) = told(&mut out)? {
            return Ok(Self {
                child,
                _out: out,
                admin_password,
                url,
            });
        }
        let _ = child.kill();
        let _ = child.wait();
        let log = std::fs::read_to_string(log_file).unwrap_or_default();
        bail!("the service ended: {log}")
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in mid-work (`STOP`), or lets it go on (`CONT`), as a machine that hangs does.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn freeze(&self, on: bool) -> anyhow::Result<()> {
        let signal = if on { "-STOP" } else { "-CONT" };
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()?;
        anyhow::ensure!(status.success(), "kill {signal}: {status}");
        Ok(())
    }

    /// Asks it to end in good order (TERM) and tells whether it said that all was well.
    ///
    /// # Errors
    /// When it does not end within `limit`.
    pub fn stop(&mut self, limit: Duration) -> anyhow::Result<bool> {
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        let since = Instant::now();
        while since.elapsed() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the service did not end in {limit:?}")
    }
}

/// The first admin's password and the address, as they are printed.
fn told(out: &mut BufReader<ChildStdout>) -> anyhow::Result<Option<(String, String)>> {
    let mut password = None;
    for line in out.by_ref().lines() {
        let line = line?;
        if let Some((_, rest)) = line.split_once("password '") {
            password = rest.split('\'').next().map(str::to_owned);
        }
        if let Some(url) = line.strip_prefix("screens and API: ") {
            return Ok(Some((password.unwrap_or_default(), url.trim().to_owned())));
        }
    }
    Ok(None)
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
