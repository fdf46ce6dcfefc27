//! The event bus between nodes: carries copies of what the store's event log holds.

use crate::event::Event;
use async_trait::async_trait;
use tokio::sync::broadcast;

/// Why the bus failed. Losing the bus loses nothing: consumers catch up from the store by cursor.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The bus is out of reach.
    #[error("event bus: {0}")]
    Unavailable(String),
}

/// At least once, ordered per subject; consumers are idempotent by event id.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Hands a batch of stored events to every node, this one too.
    async fn publish(&self, batch: &[Event]) -> Result<(), BusError>;
    /// Events from now on. A lagging receiver sees `Lagged` and catches up from the store.
    fn subscribe(&self) -> broadcast::Receiver<Event>;
    /// Whether the bus works now (for `/readyz`).
    async fn healthy(&self) -> Result<(), BusError>;
}
