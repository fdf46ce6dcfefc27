//! The detector: verdicts corrected, losses known.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use domain::ids::{AttemptId, CampaignId};
use domain::rules::detector::{Known, Truth};
use std::sync::Arc;

impl CenterHandle {
    /// Keeps what a judged call really was, as somebody says who heard it. `true` where a person turns
    /// out to have been hung up on: the call is abandoned from now on, in every formula. An agent who
    /// says "machine" of his own call is free of it at once (`NC.BZ`), judged or not.
    ///
    /// # Errors
    /// `not_your_call` for an agent; not found for a call that was not judged.
    pub async fn tell_truth(
        &self,
        actor: Actor,
        attempt: AttemptId,
        truth: Truth,
    ) -> Result<bool, CenterError> {
        crate::amd::tell_truth(Arc::clone(&self.inner.shared), actor, attempt, truth).await
    }

    /// Abandonment a campaign aims at now, percent, without the persons its detector takes; `None` where it forecasts
    /// nothing or is not dialed here.
    ///
    /// # Errors
    /// The center is shutting down.
    pub async fn aims_at(&self, campaign: CampaignId) -> Result<Option<f64>, CenterError> {
        let aim = self
            .inner
            .shared
            .post
            .call(move |engine, _| engine.aims_at(campaign))
            .await?;
        Ok(aim)
    }

    /// What is known of the persons a campaign lost since it was last turned back.
    ///
    /// # Errors
    /// The database's.
    pub async fn detector_known(&self, campaign: CampaignId) -> Result<Known, CenterError> {
        crate::amd::known(&self.inner.shared, campaign).await
    }
}
