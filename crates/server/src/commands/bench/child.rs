//! A part of a bench as a child: this program again, spoken to by lines of JSON.

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

/// Longest wait for an answer of a part; setting up a thousand calls is within it.
const ANSWER: Duration = Duration::from_secs(120);

/// A running part; dropping it kills it.
pub(super) struct PartProcess {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl PartProcess {
    /// Starts `marcador bench part ARGS`.
    pub(super) fn start(args: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("own path")?;
        let mut child = Command::new(program)
            .args(["bench", "part"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("start a part of the bench")?;
        let input = child.stdin.take().context("its input")?;
        let output = child.stdout.take().context("its output")?;
        Ok(Self {
            child,
            input,
            lines: BufReader::new(output).lines(),
        })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the part has ended")
    }

    /// Tells it something.
    pub(super) async fn tell(&mut self, what: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_string(what)?;
        line.push('\n');
        self.input.write_all(line.as_bytes()).await?;
        Ok(self.input.flush().await?)
    }

    /// Its next answer.
    pub(super) async fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let Ok(line) = tokio::time::timeout(ANSWER, self.lines.next_line()).await else {
            bail!(
                "a part of the bench gave no answer in {} s",
                ANSWER.as_secs()
            );
        };
        let line = line?.context("a part of the bench ended early")?;
        serde_json::from_str(&line).with_context(|| format!("a part of the bench said: {line}"))
    }

    /// Waits for its end.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        drop(self.input);
        let ended = tokio::time::timeout(ANSWER, self.child.wait()).await;
        let status = ended.context("a part of the bench did not end")??;
        if !status.success() {
            bail!("a part of the bench failed: {status}");
        }
        Ok(())
    }
}

/// The part's side: its standard input, line by line, read by a thread of its own.
pub(super) struct Told(mpsc::Receiver<String>);

impl Told {
    pub(super) fn new() -> Self {
        let (told, lines) = mpsc::channel(1);
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if told.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    /// The next line; an error when nobody is there any more.
    pub(super) async fn next(&mut self) -> anyhow::Result<String> {
        self.0.recv().await.context("the bench has ended")
    }
}

/// Says a line of JSON to the bench.
pub(super) fn say(what: &impl Serialize) -> anyhow::Result<()> {
    crate::commands::say(serde_json::to_string(what)?);
    Ok(())
}
