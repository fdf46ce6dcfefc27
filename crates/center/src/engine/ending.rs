//! The end of the node: calls ended, agents signed out, attempts let go.

use super::Engine;
use dialer::{Gate, Input, Phase, Wish};
use domain::ids::{AgentId, AttemptId};
use domain::rules::agent_state::AgentState;
use domain::time::UtcMs;

impl Engine {
    /// Calls that hold a line.
    pub(crate) fn calls_up(&self) -> usize {
        self.brain.calls().count()
    }

    /// No new calls, and those that are up end.
    pub(crate) fn end_calls(&mut self, now: UtcMs) {
        self.gate(now, Gate::Draining, true);
        let up: Vec<AttemptId> = self
            .brain
            .calls()
            .filter(|c| c.phase != Phase::Ending)
            .map(|c| c.attempt)
            .collect();
        for attempt in up {
            self.take(now, Input::HangUp(attempt));
        }
    }

    /// Agents are told that they are signed out.
    pub(crate) fn sign_out_all(&mut self, now: UtcMs) {
        let here: Vec<AgentId> = self
            .brain
            .agents()
            .filter(|(_, s)| s.state() != AgentState::Offline)
            .map(|(id, _)| id)
            .collect();
        for agent in here {
            self.take(
                now,
                Input::Wish {
                    agent,
                    wish: Wish::Logout,
                },
            );
        }
    }

    /// Drops every attempt: its writer ends once it has written what it holds.
    pub(crate) fn let_go(&mut self, now: UtcMs) {
        for agent in std::mem::take(&mut self.dirty) {
            self.tell_me(now, agent);
        }
        self.calls.clear();
    }

    /// Round trip of a ping of the protocol: a figure for the board, no word of the page.
    pub(crate) fn agent_rtt(&mut self, agent: AgentId, ms: u32) {
        if let Some(entry) = self.agents.get_mut(&agent) {
            entry.rtt_ms = Some(ms);
            self.board.agent(agent);
        }
    }
}
