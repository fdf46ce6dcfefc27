//! Visits, as they are planned, recorded and cancelled.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::visits::{self, VisitAsk, VisitTold};
use domain::entity::Visit;
use domain::ids::VisitId;
use std::sync::Arc;

impl CenterHandle {
    /// Plans a visit: judged at its instant, and counted from now on.
    ///
    /// # Errors
    /// `visit_time`, `visit_address`, `visit_waits`, `visit_stopped`; `blocked_*` with the rules that refused.
    pub async fn plan_visit(&self, actor: Actor, ask: VisitAsk) -> Result<Visit, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(visits::plan(shared, actor, ask)).await
    }

    /// Records what came of a planned visit.
    ///
    /// # Errors
    /// `NotFound`; `visit_told` names what cannot be so; `visit_over`.
    pub async fn record_visit(
        &self,
        actor: Actor,
        id: VisitId,
        told: VisitTold,
    ) -> Result<Visit, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(visits::record(shared, actor, (id, told)))
            .await
    }

    /// Gives a planned visit back, to which nobody went.
    ///
    /// # Errors
    /// `NotFound`; `visit_over`.
    pub async fn cancel_visit(
        &self,
        actor: Actor,
        id: VisitId,
        reason: String,
    ) -> Result<Visit, CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(visits::cancel(shared, actor, (id, reason)))
            .await
    }
}
