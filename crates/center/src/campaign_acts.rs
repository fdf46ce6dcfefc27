//! What people do to campaigns: start, pause, resume, stop. Each changes the state of the settings that are stored
//! then, so that a change of settings at the same time is not taken back.

use crate::asks::Actor;
use crate::campaigns::{adopt, check_mode, check_trunks, setting};
use crate::error::CenterError;
use crate::live::Setting;
use crate::shared::Shared;
use crate::view::CampaignReport;
use domain::entity::CampaignStatus;
use domain::ids::CampaignId;
use domain::ports::store::RefillReport;
use serde_json::json;
use std::sync::Arc;

/// How often an act begins anew where another change of the campaign came between its reading and its writing.
pub(crate) const ACT_TRIES: u32 = 5;

/// What a person does to a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Start,
    Pause,
    Resume,
    Stop,
}

impl Act {
    const fn event(self) -> &'static str {
        match self {
            Self::Start => "campaign.started",
            Self::Pause => "campaign.paused",
            Self::Resume => "campaign.resumed",
            Self::Stop => "campaign.stopped",
        }
    }

    /// The status it leads to; `None` when it does not fit the one before.
    const fn leads(self, from: CampaignStatus) -> Option<CampaignStatus> {
        use CampaignStatus::{Draft, Paused, Running, Stopped};
        match (self, from) {
            (Self::Start, Draft | Stopped | Paused) | (Self::Resume, Paused) => Some(Running),
            // Said again it takes a node's campaign up again, which a restart may have left.
            (Self::Start | Self::Resume, Running) => Some(Running),
            (Self::Pause, Running | Paused) => Some(Paused),
            (Self::Stop, Running | Paused | Stopped) => Some(Stopped),
            _ => None,
        }
    }
}

/// A campaign that others change as often as it is read.
pub(crate) fn changed_meanwhile() -> CenterError {
    CenterError::conflict(
        "version_conflict",
        "the campaign was changed meanwhile, again and again: try again",
    )
}

/// Start, pause, resume, stop.
pub(crate) async fn act(
    shared: Arc<Shared>,
    actor: Actor,
    id: CampaignId,
    act: Act,
) -> Result<CampaignReport, CenterError> {
    let mut written = None;
    for _ in 0..ACT_TRIES {
        written = write(&shared, actor, id, act).await?;
        if written.is_some() {
            break;
        }
    }
    let (rows, taken) = written.ok_or_else(changed_meanwhile)?;
    let rows = Arc::new(rows);
    let problems = if rows.campaign.status == CampaignStatus::Running {
        adopt(&shared, Arc::clone(&rows)).await?
    } else {
        let cancel = act == Act::Stop;
        let left = Arc::clone(&rows);
        shared
            .post
            .call(move |engine, now| engine.leave(now, left, cancel))
            .await?
    };
    Ok(CampaignReport {
        campaign: rows.campaign.clone(),
        refill: taken,
        problems,
    })
}

/// Takes the debtors in and stores the state over the version that was read; `None` where another was faster.
async fn write(
    shared: &Arc<Shared>,
    actor: Actor,
    id: CampaignId,
    act: Act,
) -> Result<Option<(Setting, Option<RefillReport>)>, CenterError> {
    let store = &shared.out.store;
    let mut campaign = store.get_campaign(id).await?;
    let from = campaign.status;
    let Some(to) = act.leads(from) else {
        return Err(CenterError::conflict(
            "wrong_state",
            format!("a campaign that is {from} cannot be changed so"),
        ));
    };
    if to == CampaignStatus::Running {
        check_mode(&campaign)?;
        if from != to {
            crate::ring::fits(&shared.out, &campaign).await?;
        }
    }
    campaign.status = to;
    let mut rows = setting(shared, campaign).await?;
    let mut taken = None;
    if to == CampaignStatus::Running {
        check_trunks(shared, &rows).await?;
        if from != to {
            crate::agentless::same(shared, &rows).await?;
        }
        let report = store
            .refill_parts(&rows.campaign, &rows.parts, shared.now(), &[])
            .await?;
        taken = Some(report);
    }
    if from != to {
        let was = rows.campaign.version;
        rows.campaign.version += 1;
        rows.campaign.updated_at = shared.now();
        let data = json!({"from": from, "to": to});
        let client = Some(rows.client.id);
        let event = shared.event(client, actor, act.event(), format!("campaign:{id}"), data);
        shared.told_here(&event);
        let settled = store
            .settle_campaign(&rows.campaign, None, was, &[event])
            .await?;
        if !settled {
            return Ok(None);
        }
    }
    Ok(Some((rows, taken)))
}
