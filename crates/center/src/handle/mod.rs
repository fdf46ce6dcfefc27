//! What other rooms hold of the center.

mod agents;
mod amd;
mod board;
mod calls;
mod campaigns;
mod floor;
mod law;
mod messages;
mod plans;
mod receipts;
mod segments;
mod stops;
mod timed;
mod visits;

pub use messages::{HookError, Preview};
pub(crate) use timed::StoreTimes;

use crate::asks::Actor;
use crate::config::{CenterConfig, StartError};
use crate::engine::{Post, Seen};
use crate::error::CenterError;
use crate::ports::Ports;
use crate::shared::Shared;
use domain::ids::AttemptId;
use domain::ports::MonitorMode;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Starts a center.
#[derive(Debug, Clone, Copy)]
pub struct Center;

/// The way to a running center; clones are cheap. When the last one is dropped without a shutdown the
/// tasks end where they are, as in a crash.
#[derive(Clone)]
pub struct CenterHandle {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) times: Arc<StoreTimes>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) running: Mutex<Vec<JoinHandle<()>>>,
}

impl Center {
    /// Registers the node, recovers what a dead process left, primes the guard, starts every task and
    /// takes up the campaigns that run.
    ///
    /// # Errors
    /// When the database refuses or is away.
    pub async fn start(config: CenterConfig, ports: Ports) -> Result<CenterHandle, StartError> {
        crate::start::start(config, ports).await
    }
}

impl CenterHandle {
    fn post(&self) -> &Post {
        &self.inner.shared.post
    }

    /// Runs `work` to its end also when who asked goes away in the middle of it.
    async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, CenterError>> + Send + 'static,
    ) -> Result<T, CenterError> {
        tokio::spawn(work).await.map_err(|_| CenterError::Stopped)?
    }
}

impl Inner {
    /// Who listened to what is written down.
    fn audit_monitor(&self, actor: Actor, attempt: AttemptId, mode: Option<MonitorMode>) {
        let data = json!({"action": "monitor", "mode": mode});
        let subject = format!("attempt:{attempt}");
        self.shared.journal(
            self.shared
                .event(None, actor, "audit.written", subject, data),
        );
    }
}
