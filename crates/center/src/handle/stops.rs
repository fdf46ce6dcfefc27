//! What stops contact. Each commits to the store first, then withdraws queued and ringing contacts.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use domain::entity::{Hold, Payment, Suppression};
use domain::ids::{AgentId, DebtorId, TrunkId};
use domain::ports::store::PaymentOutcome;

impl CenterHandle {
    /// Posts money.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for another currency.
    pub async fn post_payment(
        &self,
        actor: Actor,
        payment: Payment,
    ) -> Result<PaymentOutcome, CenterError> {
        let _ = (actor, payment);
        Err(CenterError::Stopped)
    }

    /// Places a hold.
    ///
    /// # Errors
    /// The database away.
    pub async fn place_hold(&self, actor: Actor, hold: Hold) -> Result<(), CenterError> {
        let _ = (actor, hold);
        Err(CenterError::Stopped)
    }

    /// Lists a number or document.
    ///
    /// # Errors
    /// The database away.
    pub async fn suppress(&self, actor: Actor, row: Suppression) -> Result<(), CenterError> {
        let _ = (actor, row);
        Err(CenterError::Stopped)
    }

    /// Other changes (consent revoked, point bad, data changed): he leaves the hopper and is judged anew.
    pub async fn debtor_changed(&self, debtor: DebtorId) {
        let _ = debtor;
    }

    /// The trunk's row changed.
    pub async fn trunk_changed(&self, id: TrunkId) {
        let _ = id;
    }

    /// The agent's row changed.
    pub async fn agent_changed(&self, id: AgentId) {
        let _ = id;
    }
}
