//! Agents' screens: one bounded queue per agent between the engine and the socket task.

use async_trait::async_trait;
use domain::ids::AgentId;
use domain::ports::{Card, Clock, Desk, DeskError};
use domain::time::UtcMs;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Messages that may wait for one agent's socket; when full the card fails and other messages are
/// dropped, and the socket task sees the queue closed at its next registration.
pub const DESK_QUEUE: usize = 256;
/// A card not written in this time goes to another agent, ms.
pub const CARD_WRITE_MS: u64 = 300;

/// One message for the socket.
#[derive(Debug)]
pub struct DeskMessage {
    /// The JSON text to write.
    pub body: Arc<str>,
    /// When set, the socket task answers with the instant at which the bytes were written.
    pub written: Option<oneshot::Sender<UtcMs>>,
}

/// The socket task's end.
#[derive(Debug)]
pub struct DeskLink {
    /// Messages to write, in order.
    pub messages: mpsc::Receiver<DeskMessage>,
    /// Names this registration; a newer one of the same agent replaces it.
    pub generation: u64,
}

#[derive(Debug, Default)]
struct Links {
    next: u64,
    open: HashMap<AgentId, (u64, mpsc::Sender<DeskMessage>)>,
}

/// The `Desk` port over the sockets of this node.
#[derive(Debug, Default)]
pub struct DeskHub {
    links: Mutex<Links>,
}

impl DeskHub {
    /// A hub without sockets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        match self.links.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// Registers an agent's socket; an older one of the same agent ends (its receiver closes).
    pub fn register(&self, agent: AgentId) -> DeskLink {
        let (sender, messages) = mpsc::channel(DESK_QUEUE);
        let mut links = self.links();
        links.next += 1;
        let generation = links.next;
        links.open.insert(agent, (generation, sender));
        DeskLink {
            messages,
            generation,
        }
    }

    /// Takes a registration away; `false` when a newer one has replaced it.
    pub fn unregister(&self, agent: AgentId, generation: u64) -> bool {
        let mut links = self.links();
        let ours = links
            .open
            .get(&agent)
            .is_some_and(|(known, _)| *known == generation);
        if ours {
            links.open.remove(&agent);
        }
        ours
    }

    /// Whether the agent has a socket here.
    pub fn connected(&self, agent: AgentId) -> bool {
        self.links().open.contains_key(&agent)
    }

    fn sender(&self, agent: AgentId) -> Option<mpsc::Sender<DeskMessage>> {
        self.links().open.get(&agent).map(|(_, s)| s.clone())
    }
}

#[async_trait]
impl Desk for DeskHub {
    async fn pop(&self, agent: AgentId, card: Card) -> Result<UtcMs, DeskError> {
        let sender = self.sender(agent).ok_or(DeskError::NotConnected)?;
        let (written, answer) = oneshot::channel();
        let message = DeskMessage {
            body: card.body.to_string().into(),
            written: Some(written),
        };
        sender.try_send(message).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => DeskError::Slow,
            mpsc::error::TrySendError::Closed(_) => DeskError::NotConnected,
        })?;
        match tokio::time::timeout(Duration::from_millis(CARD_WRITE_MS), answer).await {
            Ok(Ok(at)) => Ok(at),
            Ok(Err(_)) => Err(DeskError::NotConnected),
            Err(_) => Err(DeskError::Slow),
        }
    }

    fn tell(&self, agent: AgentId, message: serde_json::Value) {
        let Some(sender) = self.sender(agent) else {
            return;
        };
        let message = DeskMessage {
            body: message.to_string().into(),
            written: None,
        };
        match sender.try_send(message) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                tracing::warn!(agent = %agent, "agent's socket queue is full: message dropped");
            }
            // His screen is gone: its link is told of, and what it missed comes when it is back.
            Err(mpsc::error::TrySendError::Closed(_)) => {
                tracing::debug!(agent = %agent, "agent's socket is closed: message dropped");
            }
        }
    }
}

/// Answers the instant of writing with a clock; for the socket task.
impl DeskMessage {
    /// Tells the engine that the bytes are written.
    pub fn mark_written(self, clock: &dyn Clock) {
        if let Some(written) = self.written {
            // The engine may have given up waiting; then nobody needs the instant.
            let _ = written.send(clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::AttemptId;
    use serde_json::json;
    use uuid::Uuid;

    fn card() -> Card {
        Card {
            attempt_id: AttemptId(Uuid::nil()),
            body: json!({"t": "pop"}),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_card_is_written_or_late_or_homeless() {
        let hub = Arc::new(DeskHub::new());
        let agent = AgentId(Uuid::from_u128(7));
        assert_eq!(hub.pop(agent, card()).await, Err(DeskError::NotConnected));

        let mut link = hub.register(agent);
        let late = hub.pop(agent, card()).await;
        assert_eq!(late, Err(DeskError::Slow));
        assert!(link.messages.recv().await.is_some());

        let popping = tokio::spawn({
            let hub = Arc::clone(&hub);
            async move { hub.pop(agent, card()).await }
        });
        let message = link.messages.recv().await.expect("the card");
        assert_eq!(&*message.body, r#"{"t":"pop"}"#);
        message
            .written
            .expect("a card wants an answer")
            .send(UtcMs(42))
            .expect("the engine waits");
        assert_eq!(popping.await.expect("joins"), Ok(UtcMs(42)));
    }

    #[tokio::test]
    async fn a_second_socket_ends_the_first() {
        let hub = DeskHub::new();
        let agent = AgentId(Uuid::from_u128(7));
        let mut first = hub.register(agent);
        let second = hub.register(agent);
        assert!(first.messages.recv().await.is_none());
        assert!(!hub.unregister(agent, first.generation));
        assert!(hub.connected(agent));
        assert!(hub.unregister(agent, second.generation));
        assert!(!hub.connected(agent));
    }
}
