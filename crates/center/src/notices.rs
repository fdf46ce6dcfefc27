//! What one person is told at once, on whichever node he is signed in.

use domain::entity::{DebtStage, Role, Stage};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, UserId};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Notices that a slow socket may be behind; what it misses stands in its user's morning review.
const NOTICES: usize = 256;

/// The event that tells of a late case.
pub(crate) const RAISED: &str = "escalation.raised";

/// A debt has stood in its stage for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateCase {
    /// Whose debt.
    pub client_id: ClientId,
    /// Who owes.
    pub debtor_id: DebtorId,
    /// Which debt.
    pub debt_id: DebtId,
    /// The stage.
    pub stage: Stage,
    /// When it had to have left it.
    pub deadline: Option<UtcMs>,
    /// Who is told; without one the client's managers are.
    pub owner_id: Option<UserId>,
}

impl LateCase {
    pub(crate) fn of(row: &DebtStage) -> Self {
        Self {
            client_id: row.client_id,
            debtor_id: row.debtor_id,
            debt_id: row.debt_id,
            stage: row.stage,
            deadline: row.deadline,
            owner_id: row.owner_id,
        }
    }

    /// Whether a login is told; `client` is the only one whose rows it may see.
    #[must_use]
    pub fn is_for(&self, user: UserId, role: Role, client: Option<ClientId>) -> bool {
        let named = self
            .owner_id
            .map_or(role == Role::Manager, |owner| owner == user);
        named && client.is_none_or(|own| own == self.client_id)
    }
}

/// Where this node's sockets hear of them.
#[derive(Debug)]
pub(crate) struct Notices {
    late: broadcast::Sender<Arc<LateCase>>,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            late: broadcast::channel(NOTICES).0,
        }
    }
}

impl Notices {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<LateCase>> {
        self.late.subscribe()
    }

    /// Passes on what the log tells, whichever node wrote it.
    pub(crate) fn hear(&self, event: &NewEvent) {
        if event.kind != RAISED {
            return;
        }
        match serde_json::from_value::<LateCase>(event.data.clone()) {
            Ok(case) => {
                // Nobody is signed in here: nothing to pass on.
                let _ = self.late.send(Arc::new(case));
            }
            Err(error) => tracing::warn!(%error, "late case not read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_late_case_is_its_owner_s_else_the_managers_row_15() {
        let id = Uuid::from_u128;
        let (own, other) = (ClientId(id(1)), ClientId(id(2)));
        let (owner, somebody) = (UserId(id(3)), UserId(id(4)));
        let mut case = LateCase {
            client_id: own,
            debtor_id: DebtorId(id(5)),
            debt_id: DebtId(id(6)),
            stage: Stage::Extrajudicial,
            deadline: Some(UtcMs(0)),
            owner_id: Some(owner),
        };
        assert!(case.is_for(owner, Role::Agent, None));
        assert!(
            !case.is_for(somebody, Role::Manager, None),
            "it has its owner"
        );
        assert!(!case.is_for(owner, Role::Supervisor, Some(other)));
        case.owner_id = None;
        assert!(case.is_for(somebody, Role::Manager, Some(own)));
        assert!(!case.is_for(somebody, Role::Manager, Some(other)));
        assert!(!case.is_for(somebody, Role::Supervisor, None));
    }
}
