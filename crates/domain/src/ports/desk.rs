//! The agent's screen as the engine sees it.

use crate::ids::{AgentId, AttemptId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Why a card could not be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The agent has no open screen.
    #[error("agent has no open screen")]
    NotConnected,
    /// The socket did not take the bytes in time.
    #[error("agent's screen did not take the card in time")]
    Slow,
}

/// The screen-pop, already projected for the agent (amounts, creditor and product are absent until
/// identity is ticked). `body` is the whole `{"t":"pop",…}` object of the wire protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The attempt it is about.
    pub attempt_id: AttemptId,
    /// The message.
    pub body: serde_json::Value,
}

/// Agents' screens.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Writes the card to the agent's socket; returns the instant at which its bytes were written.
    async fn pop(&self, agent: AgentId, card: Card) -> Result<UtcMs, DeskError>;
    /// Sends any other message of the agent's own topic at once; dropped when not connected.
    fn tell(&self, agent: AgentId, message: serde_json::Value);
}
