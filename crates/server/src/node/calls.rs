//! The thread on which calls are carried: the engine and the steps of each call, apart from what screens and programmes
//! ask. A step that waits for the database or the telephone side goes on where it was woken; among several threads
//! each wake-up woke a second one, to see whether there was more to do.

use anyhow::Context as _;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The running thread; it ends with this.
#[derive(Debug)]
pub(crate) struct Calls {
    handle: Handle,
    _ends: oneshot::Sender<()>,
}

impl Calls {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (ends, ended) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("calls".to_owned())
            .spawn(move || {
                let _ = runtime.block_on(ended);
                // Leftovers that block must not hold the exit.
                runtime.shutdown_background();
            })
            .context("thread of the calls")?;
        Ok(Self {
            handle,
            _ends: ends,
        })
    }

    /// Where tasks go that belong on it.
    pub(crate) const fn handle(&self) -> &Handle {
        &self.handle
    }
}
