//! Campaigns: start, pause, resume, stop, and why somebody is not dialed.

use super::CenterHandle;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::view;
use domain::ids::{CampaignId, DebtorId};

impl CenterHandle {
    /// Starts a campaign: fills it from its segment and dials.
    ///
    /// # Errors
    /// `wrong_state`, `mode_unavailable`, `bad_expression`.
    pub async fn start_campaign(
        &self,
        actor: Actor,
        id: CampaignId,
    ) -> Result<view::CampaignReport, CenterError> {
        let _ = (actor, id);
        Err(CenterError::Stopped)
    }

    /// Pauses a campaign: nothing new is dialed, calls that ring go on.
    ///
    /// # Errors
    /// `wrong_state`.
    pub async fn pause_campaign(
        &self,
        actor: Actor,
        id: CampaignId,
    ) -> Result<view::CampaignReport, CenterError> {
        let _ = (actor, id);
        Err(CenterError::Stopped)
    }

    /// Dials again after a pause.
    ///
    /// # Errors
    /// `wrong_state`.
    pub async fn resume_campaign(
        &self,
        actor: Actor,
        id: CampaignId,
    ) -> Result<view::CampaignReport, CenterError> {
        let _ = (actor, id);
        Err(CenterError::Stopped)
    }

    /// Ends a campaign: what rings is withdrawn, what was reserved is given back.
    ///
    /// # Errors
    /// `wrong_state`.
    pub async fn stop_campaign(
        &self,
        actor: Actor,
        id: CampaignId,
    ) -> Result<view::CampaignReport, CenterError> {
        let _ = (actor, id);
        Err(CenterError::Stopped)
    }

    /// After a change of the campaign was stored.
    ///
    /// # Errors
    /// `NotFound`, `mode_unavailable`.
    pub async fn campaign_changed(&self, id: CampaignId) -> Result<(), CenterError> {
        let _ = id;
        Err(CenterError::Stopped)
    }

    /// The campaign as the board shows it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn campaign_row(&self, id: CampaignId) -> Result<view::CampaignRow, CenterError> {
        let _ = id;
        Err(CenterError::Stopped)
    }

    /// What the campaign will dial next.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn hopper(&self, id: CampaignId) -> Result<view::HopperView, CenterError> {
        let _ = id;
        Err(CenterError::Stopped)
    }

    /// Why a debtor is not dialed now, in both languages.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn why_not(
        &self,
        debtor: DebtorId,
        campaign: Option<CampaignId>,
    ) -> Result<view::WhyNot, CenterError> {
        let _ = (debtor, campaign);
        Err(CenterError::Stopped)
    }
}
