//! What the board shows of plans and stages.

use super::Engine;
use crate::view::AskRow;
use domain::ids::ClientId;

impl Engine {
    /// An ask waits for an answer, or does so no more.
    pub(crate) fn plan_told(&mut self, mut row: AskRow, waits: bool) {
        if let Some(entry) = row.agent_id.and_then(|id| self.agents.get(&id)) {
            row.agent.clone_from(&entry.agent.name);
        }
        self.board.ask(row, waits);
    }

    /// How many debts are past the deadline of their stage.
    pub(crate) fn late_cases(&mut self, by_client: Vec<(ClientId, u64)>) {
        if self.board.late_cases != by_client {
            self.board.late_cases = by_client;
            self.board.touch();
        }
    }
}
