//! The bus of an installation with one node.

use async_trait::async_trait;
use domain::event::Event;
use domain::ports::{Bus, BusError};
use tokio::sync::broadcast;

/// Events kept for a slow subscriber before it is told that it lags and reads the store.
pub(crate) const QUEUE_EVENTS: usize = 4_096;

/// A bus inside one process: a bounded ring. A subscriber that falls behind loses the oldest events
/// and is told so (`Lagged`).
#[derive(Debug)]
pub struct LocalBus {
    sender: broadcast::Sender<Event>,
}

impl LocalBus {
    /// An empty bus.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sender: broadcast::channel(QUEUE_EVENTS).0,
        }
    }
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, batch: &[Event]) -> Result<(), BusError> {
        for event in batch {
            // No subscriber is no fault: the store holds the event.
            let _ = self.sender.send(event.clone());
        }
        Ok(())
    }

    fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    async fn healthy(&self) -> Result<(), BusError> {
        Ok(())
    }
}
