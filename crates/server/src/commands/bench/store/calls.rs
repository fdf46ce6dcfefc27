//! Steps of calls on a thread of their own, as a node carries them (`node/calls.rs`): what the database answers wakes that
//! thread and no other one first.

use tokio::runtime::{Builder, Runtime};

/// What the thread runs.
pub(super) struct Calls(Runtime);

impl Calls {
    /// Makes it.
    ///
    /// # Errors
    /// When the system gives no event queue.
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(Builder::new_current_thread().enable_all().build()?))
    }

    /// Runs it there to its end; whoever reads beside it has the threads of the program.
    ///
    /// # Errors
    /// Its own, and when it panics.
    pub(super) fn carry<T: Send>(
        &self,
        what: impl Future<Output = anyhow::Result<T>> + Send,
    ) -> anyhow::Result<T> {
        std::thread::scope(|scope| {
            let there = scope.spawn(|| self.0.block_on(what));
            let done = there.join();
            done.unwrap_or_else(|_| Err(anyhow::anyhow!("the thread of the calls panicked")))
        })
    }
}
