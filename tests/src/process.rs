//! The real program as a child process.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Hang guard for a demo to come up.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The built program: beside this test's own folder.
///
/// # Errors
/// When it has not been built.
pub fn program() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("MARCADOR_BIN") {
        return Ok(PathBuf::from(path));
    }
    beside("marcador").context("the program 'marcador' is not built: run cargo build first")
}

/// A built example of any room, as `cargo test --workspace` leaves it.
///
/// # Errors
/// When it has not been built.
pub fn example(name: &str) -> anyhow::Result<PathBuf> {
    beside(&format!("examples/{name}")).with_context(|| {
        format!("the example '{name}' is not built: run cargo build --workspace --examples first")
    })
}

/// A file in one of the folders above this test's own.
fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let me = std::env::current_exe()?;
    let mut folders = me.ancestors().skip(1).take(3);
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()));
    found.context("not there")
}

/// Whether the long process tests are asked for.
#[must_use]
pub fn long_tests() -> bool {
    std::env::var_os("MARCADOR_PROCESS_TESTS").is_some()
}

/// One login that the demo made.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Login {
    /// Name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// What a running demo tells in `demo.json` of its data folder.
#[derive(Debug, Clone, Deserialize)]
pub struct DemoInfo {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// SIP address of the server; a compressed day has no telephone and no agent who signs in.
    #[serde(default)]
    pub sip: String,
    /// SIP address of its carrier.
    #[serde(default)]
    pub carrier: String,
    /// Process id of the carrier.
    #[serde(default)]
    pub carrier_pid: u32,
    /// An agent.
    #[serde(default)]
    pub agent: Login,
    /// A supervisor.
    pub supervisor: Login,
    /// A campaign manager.
    pub manager: Login,
    /// The admin.
    pub admin: Login,
}

/// A running demo; killed when dropped.
pub struct Demo {
    child: Child,
    /// Its data folder.
    pub dir: PathBuf,
    /// What it told.
    pub info: DemoInfo,
}

impl Demo {
    /// Starts `marcador demo --data DIR --http 127.0.0.1:0 --headless ARGS` and waits until it told
    /// its addresses.
    ///
    /// # Errors
    /// When it does not come up within a minute, with its log's end.
    pub fn start(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Self> {
        let told = dir.join("demo.json");
        let _ = std::fs::remove_file(&told);
        std::fs::create_dir_all(dir)?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("demo.log"))?;
        let child = Command::new(program()?)
            .args(["demo", "--http", "127.0.0.1:0", "--headless", "--data"])
            .arg(dir)
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start the demo")?;
        let mut demo = Self {
            child,
            dir: dir.to_path_buf(),
            info: DemoInfo::empty(),
        };
        let since = Instant::now();
        loop {
            if let Ok(text) = std::fs::read_to_string(&told)
                && let Ok(info) = serde_json::from_str(&text)
            {
                demo.info = info;
                return Ok(demo);
            }
            if let Some(status) = demo.child.try_wait()? {
                bail!("the demo ended at once ({status}): {}", demo.log_end());
            }
            if since.elapsed() > START_LIMIT {
                bail!("the demo did not come up: {}", demo.log_end());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// When it does not within `limit`, or ends with a failure.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<()> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("the demo failed ({status}): {}", self.log_end());
            }
            if since.elapsed() > limit {
                bail!("the demo did not end in {limit:?}: {}", self.log_end());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// kill -9.
    ///
    /// # Errors
    /// When the process is gone already.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The last lines it wrote.
    #[must_use]
    pub fn log_end(&self) -> String {
        let text = std::fs::read_to_string(self.dir.join("demo.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl DemoInfo {
    fn empty() -> Self {
        let login = || Login {
            username: String::new(),
            password: String::new(),
        };
        Self {
            url: String::new(),
            sip: String::new(),
            carrier: String::new(),
            carrier_pid: 0,
            agent: login(),
            supervisor: login(),
            manager: login(),
            admin: login(),
        }
    }
}

/// Runs the program to its end and gives (exit code, stdout, stderr).
///
/// # Errors
/// When it cannot be started.
pub fn run(args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<(i32, String, String)> {
    let output = Command::new(program()?)
        .args(args)
        .envs(env.iter().copied())
        .output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    ))
}
