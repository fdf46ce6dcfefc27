//! A call's place of the agent changing hands: what is asked and what is to be done.

use domain::ids::{AgentId, CampaignId};

/// To whom a call is handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandTo {
    /// An agent.
    Agent(AgentId),
    /// Whoever is free for a campaign.
    Queue(CampaignId),
}

/// What happens to the agent's place of a joined call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// The agent asks a second one.
    Ask {
        /** To whom. */
        to: HandTo,
        /** He gets the call at once; else he is consulted first. */
        takes: bool,
        /** Longest wait for a queue, ms. */
        wait_ms: i64,
    },
    /// A supervisor who is signed in as an agent takes the call.
    Seize(AgentId),
    /// The second agent is on the call.
    Joined(AgentId),
    /// The second agent gets the call.
    Give,
    /// The second agent is let go.
    Drop,
    /// The call is handed out: to a number (`None`), or to a supervisor who is no agent at work.
    Out(Option<AgentId>),
}

/// What is to be done about the agent's place of a joined call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandStep {
    /// Show the card to the second agent and bring him in to be consulted.
    Consult(AgentId),
    /// Join the second agent with the debtor: he has the card.
    Swap(AgentId),
    /// The call has another holder.
    Given {
        /** Before. */
        from: AgentId,
        /** Now. */
        to: AgentId,
    },
    /// The call stays where it is.
    Off {
        /** Who was asked. */
        agent: Option<AgentId>,
        /** Why. */
        why: &'static str,
    },
}
