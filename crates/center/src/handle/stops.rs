//! What stops contact. Each commits to the store first, then withdraws queued and ringing contacts.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::stops;
use domain::entity::{Hold, Payment, Suppression};
use domain::ids::{AgentId, DebtorId, TrunkId};
use domain::ports::store::PaymentOutcome;
use std::sync::Arc;

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
        let shared = Arc::clone(&self.inner.shared);
        self.detached(stops::payment(shared, actor, payment)).await
    }

    /// Places a hold.
    ///
    /// # Errors
    /// The database away.
    pub async fn place_hold(&self, actor: Actor, hold: Hold) -> Result<(), CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(stops::hold(shared, actor, hold)).await
    }

    /// Lists a number or document.
    ///
    /// # Errors
    /// The database away.
    pub async fn suppress(&self, actor: Actor, row: Suppression) -> Result<(), CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(stops::suppress(shared, actor, row)).await
    }

    /// Other changes (consent revoked, point bad, data changed): he leaves the hopper and is judged anew.
    pub async fn debtor_changed(&self, debtor: DebtorId) {
        let shared = Arc::clone(&self.inner.shared);
        stops::changed(shared, debtor).await;
    }

    /// The trunk's row changed.
    pub async fn trunk_changed(&self, id: TrunkId) {
        let shared = &self.inner.shared;
        match shared.out.store.get_trunk(id).await {
            Ok(row) => {
                shared
                    .post
                    .tell(move |engine, now| engine.put_trunk(now, row))
                    .await
            }
            Err(error) => tracing::warn!(trunk = %id, reason = %error, "changed trunk not read"),
        }
    }

    /// The agent's row changed.
    pub async fn agent_changed(&self, id: AgentId) {
        let shared = &self.inner.shared;
        match shared.out.store.get_agent(id).await {
            Ok(row) => {
                shared
                    .post
                    .tell(move |engine, now| engine.agent_changed(now, row))
                    .await
            }
            Err(error) => tracing::warn!(agent = %id, reason = %error, "changed agent not read"),
        }
    }
}
