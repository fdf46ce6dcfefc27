//! The engine task.

use crate::error::CenterError;
use domain::time::UtcMs;
use tokio::sync::{mpsc, oneshot};

/// Something to be done inside the engine task.
pub(crate) type Order = Box<dyn FnOnce(&mut Engine, UtcMs) + Send>;

/// The way into the engine task.
#[derive(Clone)]
pub(crate) struct Post {
    asks: mpsc::Sender<Order>,
    size: usize,
}

impl Post {
    pub(crate) fn new(asks: mpsc::Sender<Order>, size: usize) -> Self {
        Self { asks, size }
    }

    /// Runs `ask` in the engine task and waits for its answer; refused when the queue is full.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Engine, UtcMs) -> T + Send + 'static,
    ) -> Result<T, CenterError> {
        let (answer, wait) = oneshot::channel();
        let order: Order = Box::new(move |engine, now| {
            // Who asked may have gone away; what was asked is done all the same.
            let _ = answer.send(ask(engine, now));
        });
        self.asks.try_send(order).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => CenterError::Overloaded(self.size),
            mpsc::error::TrySendError::Closed(_) => CenterError::Stopped,
        })?;
        wait.await.map_err(|_| CenterError::Stopped)
    }
}

/// The brain and the live tables.
pub(crate) struct Engine {}
