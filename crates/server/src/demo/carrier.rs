//! The demo's carrier: this program again, as a process of its own, that ends by itself when its
//! standard input closes.

use crate::cli::DemoArgs;
use anyhow::Context as _;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// The running carrier; dropping it closes its input and so ends it.
pub(super) struct CarrierProcess {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(super) address: String,
}

/// Starts the carrier on a free port with its log in `log` and, where wished, what debtors hear beside it.
///
/// # Errors
/// When the program cannot be started again.
pub(super) fn spawn(log: &Path, demo: &DemoArgs) -> anyhow::Result<CarrierProcess> {
    let address = format!("127.0.0.1:{}", super::ports::free_sip_port()?);
    let program = std::env::current_exe().context("own path")?;
    let mut command = Command::new(program);
    command
        .args(["carrier", "--child"])
        .args(["--bind", &address])
        .args(["--seed", &demo.seed.to_string()])
        .arg("--log")
        .arg(log)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    if let Some(people) = &demo.people {
        command.arg("--profile").arg(people);
    }
    if let Some(calls) = &demo.calls {
        // What does not fit is told here: the child's own words come when the demo is up.
        sip_test::carrier::Calls::load(calls)?;
        command.arg("--calls").arg(calls);
    }
    if demo.amd != crate::cli::Detection::Off {
        command.arg("--greets");
    }
    if demo.keep_heard {
        command.arg("--heard").arg(log.with_file_name("heard"));
    }
    if let Some(seconds) = demo.seconds {
        command.args(["--seconds", &(seconds + 60).to_string()]);
    }
    let child = command.spawn().context("start the carrier")?;
    Ok(CarrierProcess { child, address })
}

impl CarrierProcess {
    /// Its process id; 0 once it has ended.
    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Closes its input and waits for its end.
    pub(super) async fn stop(mut self) {
        drop(self.child.stdin.take());
        let wait = tokio::time::timeout(std::time::Duration::from_secs(5), self.child.wait()).await;
        if wait.is_err() {
            tracing::warn!("the carrier did not end by itself");
            let _ = self.child.kill().await;
        }
    }
}
