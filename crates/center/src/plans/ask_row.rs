//! An ask as the board shows it.

use domain::ids::{AgentId, ClientId, DebtorId, PlanId};
use serde::Serialize;

/// An agent asks for more than he may give; a supervisor answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskRow {
    /// The plan that waits.
    pub plan_id: PlanId,
    /// Whose terms.
    pub client_id: ClientId,
    /// With whom he talks.
    pub debtor_id: DebtorId,
    /// Who asks.
    pub agent_id: Option<AgentId>,
    /// His name, when he is signed in here.
    pub agent: String,
    /// Currency of the amounts.
    pub currency: String,
    /// Owed, minor units.
    pub balance_minor: i64,
    /// To be forgiven, minor units.
    pub quita_minor: i64,
    /// To be paid, minor units.
    pub agreed_minor: i64,
    /// Instalments, the down payment among them.
    pub parts: usize,
    /// The least role that may answer.
    pub needs_role: Option<String>,
    /// Why he asks.
    pub reason: String,
    /// Asked at, epoch ms.
    pub asked_at: i64,
    /// Over at, epoch ms.
    pub until: i64,
}
