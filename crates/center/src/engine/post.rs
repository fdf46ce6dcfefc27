//! The way into the engine task.

use super::Engine;
use crate::error::CenterError;
use domain::time::UtcMs;
use tokio::sync::{mpsc, oneshot};

/// Something to be done inside the engine task.
pub(crate) type Order = Box<dyn FnOnce(&mut Engine, UtcMs) + Send>;

/// Two bounded queues: what people ask is refused when full, outcomes of our own tasks wait.
#[derive(Clone)]
pub(crate) struct Post {
    asks: mpsc::Sender<Order>,
    done: mpsc::Sender<Order>,
    size: usize,
}

impl Post {
    pub(crate) const fn new(
        asks: mpsc::Sender<Order>,
        done: mpsc::Sender<Order>,
        size: usize,
    ) -> Self {
        Self { asks, done, size }
    }

    /// Runs `ask` in the engine task and waits for its answer.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Engine, UtcMs) -> T + Send + 'static,
    ) -> Result<T, CenterError> {
        let (answer, wait) = oneshot::channel();
        self.push(move |engine, now| {
            // Who asked may have gone away; what was asked is done all the same.
            let _ = answer.send(ask(engine, now));
        })?;
        wait.await.map_err(|_| CenterError::Stopped)
    }

    /// The same of a task of our own that must have its answer: it waits while the engine has no room.
    pub(crate) async fn learn<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Engine, UtcMs) -> T + Send + 'static,
    ) -> Result<T, CenterError> {
        let (answer, wait) = oneshot::channel();
        self.tell(move |engine, now| {
            // The task that asked ends with the center alone.
            let _ = answer.send(ask(engine, now));
        })
        .await;
        wait.await.map_err(|_| CenterError::Stopped)
    }

    /// Runs `ask` in the engine task without waiting.
    pub(crate) fn push(
        &self,
        ask: impl FnOnce(&mut Engine, UtcMs) + Send + 'static,
    ) -> Result<(), CenterError> {
        self.asks.try_send(Box::new(ask)).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => CenterError::Overloaded(self.size),
            mpsc::error::TrySendError::Closed(_) => CenterError::Stopped,
        })
    }

    /// Tells the engine what became of a task; waits while its queue is full.
    pub(crate) async fn tell(&self, done: impl FnOnce(&mut Engine, UtcMs) + Send + 'static) {
        // A closed queue means that the center has stopped: nobody is left to tell.
        let _ = self.done.send(Box::new(done)).await;
    }
}
