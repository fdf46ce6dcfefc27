//! TERM and Ctrl-C.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals as one.
pub(crate) struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on both are caught.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
