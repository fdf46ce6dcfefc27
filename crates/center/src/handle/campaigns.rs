//! Campaigns: start, pause, resume, stop, and why somebody is not dialed.

use super::CenterHandle;
use crate::asks::Actor;
use crate::campaign_acts::{Act, act};
use crate::campaigns;
use crate::error::CenterError;
use crate::view;
use crate::what_if::{self, History, Refusals};
use domain::entity::{Campaign, CampaignParams, Language, VoicemailTemplate};
use domain::ids::{CampaignId, ClientId, DebtorId};
use domain::ports::PlayWhat;
use domain::rules::voicemail::{Facts, render};
use std::collections::BTreeMap;
use std::sync::Arc;

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
        let shared = Arc::clone(&self.inner.shared);
        self.detached(act(shared, actor, id, Act::Start)).await
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
        let shared = Arc::clone(&self.inner.shared);
        self.detached(act(shared, actor, id, Act::Pause)).await
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
        let shared = Arc::clone(&self.inner.shared);
        self.detached(act(shared, actor, id, Act::Resume)).await
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
        let shared = Arc::clone(&self.inner.shared);
        self.detached(act(shared, actor, id, Act::Stop)).await
    }

    /// SHA-256 (hex) of a message's recording by the language it is told in, as it is played now to a client's
    /// debtors; empty without one.
    pub async fn message_sounds(
        &self,
        client: ClientId,
        message: &str,
    ) -> BTreeMap<String, String> {
        crate::agentless::sounds(&self.inner.shared, client, message).await
    }

    /// A client's message as it is heard now by who speaks a language, as a WAV file; `None` without a recording.
    pub async fn message_sound(
        &self,
        client: ClientId,
        language: Language,
        message: &str,
    ) -> Option<Vec<u8>> {
        let what = PlayWhat::Spoken {
            parts: vec![message.to_owned()],
            language: crate::inbound::tongue(language).to_owned(),
            client: client.to_string(),
        };
        self.inner.shared.out.trunk.wav_of(what).await
    }

    /// A message for mailboxes as it is heard now, told with the client's call-back number; `None` where a part can be
    /// neither played nor spoken, or the company's name tells of a debt.
    ///
    /// # Errors
    /// `NotFound` without its client.
    pub async fn voicemail_sound(
        &self,
        template: &VoicemailTemplate,
    ) -> Result<Option<Vec<u8>>, CenterError> {
        let shared = &self.inner.shared;
        let client = shared.out.store.get_client(template.client_id).await?;
        let facts = Facts {
            company: &shared.config.company,
            number: &client.callback_number,
        };
        let Some(parts) = render(template, &facts) else {
            return Ok(None);
        };
        let what = PlayWhat::Voicemail {
            language: template.language.as_str().to_owned(),
            parts,
        };
        Ok(shared.out.trunk.wav_of(what).await)
    }

    /// After a change of the campaign was stored.
    ///
    /// # Errors
    /// `NotFound`, `mode_unavailable`.
    pub async fn campaign_changed(&self, id: CampaignId) -> Result<(), CenterError> {
        let shared = Arc::clone(&self.inner.shared);
        self.detached(campaigns::changed(shared, id)).await
    }

    /// The campaign as the board shows it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn campaign_row(&self, id: CampaignId) -> Result<view::CampaignRow, CenterError> {
        let row = self
            .post()
            .call(move |engine, now| engine.campaign_row(now, id))
            .await?;
        if let Some(row) = row {
            return Ok(row);
        }
        // Made after the start and never started: known from now on.
        self.campaign_changed(id).await?;
        let row = self
            .post()
            .call(move |engine, now| engine.campaign_row(now, id))
            .await?;
        row.ok_or(CenterError::NotFound("campaign"))
    }

    /// What the campaign will dial next.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn hopper(&self, id: CampaignId) -> Result<view::HopperView, CenterError> {
        let store = &self.inner.shared.out.store;
        store.get_campaign(id).await?;
        let counts = store.item_counts(id, self.inner.shared.now()).await?;
        let items = self
            .post()
            .call(move |engine, _| engine.hopper_rows(id))
            .await?;
        Ok(view::HopperView { items, counts })
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
        let shared = Arc::clone(&self.inner.shared);
        self.detached(crate::why_not::why_not(shared, debtor, campaign, None))
            .await
    }

    /// What a forecast of a campaign needs: history, ration, a sample of debtors.
    ///
    /// # Errors
    /// `NotFound`, `bad_expression`.
    pub async fn history(&self, campaign: &Campaign) -> Result<History, CenterError> {
        let out = &self.inner.shared.out;
        what_if::history(&*out.store, &*out.law, campaign, out.now()).await
    }

    /// Whether the packs of its debtors let the dialer ring no longer than the campaign says; to be asked before
    /// another ring time is put in force.
    ///
    /// # Errors
    /// `ring_too_short` with the packs' figure, `NotFound`, `bad_expression`.
    pub async fn ring_fits(&self, campaign: &Campaign) -> Result<(), CenterError> {
        crate::ring::fits(&self.inner.shared.out, campaign).await
    }

    /// What the law says of the history's sample in a shift of those parameters.
    #[must_use]
    pub fn refusals(
        &self,
        history: &History,
        id: CampaignId,
        params: &CampaignParams,
        from_h: f64,
        hours: f64,
    ) -> Refusals {
        let law = &self.inner.shared.out.law;
        history.refusals(&**law, id, params, from_h, hours)
    }
}
