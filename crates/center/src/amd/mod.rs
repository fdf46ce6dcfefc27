//! The detector beside the engine: what is known of its losses turns it off, carriers' recordings are
//! learned, verdicts are corrected.

mod learn;
mod leave;
mod tell;

pub(crate) use learn::{Met, distrust, heard_again, learn, prime, tell as tell_trunk};
pub(crate) use leave::leave;
pub(crate) use tell::{count, tell_truth};

use crate::campaign_acts::{ACT_TRIES, changed_meanwhile};
use crate::campaigns;
use crate::error::CenterError;
use crate::live::{CallCtx, Setting};
use crate::shared::Shared;
use crate::tasks::pause;
use dialer::Input;
use domain::entity::{AmdMode, Campaign, CampaignVersion, DialMode, VersionState};
use domain::ids::{CampaignId, CampaignVersionId};
use domain::rules::detector::Known;
use domain::time::{DAY_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;

/// Between two looks at the losses, ms.
const LOOK_MS: u64 = 30_000;
/// How far back the losses are counted, ms.
const BACK_MS: i64 = 30 * DAY_MS;

/// Watches the losses of campaigns that act on verdicts until the center stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    prime(&shared).await;
    let mut stop = shared.stop.clone();
    while pause(&mut stop, LOOK_MS).await {
        let Ok(running) = shared.post.call(|engine, _| engine.running()).await else {
            continue;
        };
        let acts = |s: &&Arc<Setting>| s.campaign.params.amd == AmdMode::On;
        for setting in running.iter().filter(acts) {
            if let Err(error) = look(&shared, setting).await {
                tracing::warn!(campaign = %setting.id(), reason = %error, "losses of the detector not counted");
            }
        }
    }
}

/// Where the campaign was last turned back: what was known then is not held against it twice.
fn mark(campaign: CampaignId) -> String {
    format!("amd_shadowed:{campaign}")
}

/// When the campaign was last turned back; 0 when never.
async fn turned(shared: &Shared, campaign: CampaignId) -> Result<UtcMs, CenterError> {
    let at = shared.out.store.get_setting(&mark(campaign)).await?;
    Ok(at.and_then(|t| t.parse().ok()).map_or(UtcMs(0), UtcMs))
}

/// What is known of a campaign's calls since it was last turned back.
pub(crate) async fn known(shared: &Shared, campaign: CampaignId) -> Result<Known, CenterError> {
    let turned = turned(shared, campaign).await?;
    let since = shared.now().plus_ms(-BACK_MS).max(turned);
    counted(shared, campaign, since).await
}

/// What is known of a campaign's calls since then.
async fn counted(
    shared: &Shared,
    campaign: CampaignId,
    since: UtcMs,
) -> Result<Known, CenterError> {
    let mut known = Known::default();
    let store = &shared.out.store;
    let counts = store
        .heard_counts(since, shared.now().plus_ms(1), BACK_MS + 1)
        .await?;
    for row in counts.iter().filter(|c| c.campaign_id == Some(campaign)) {
        known.add(&row.class, row.acted, row.known(), row.calls);
    }
    Ok(known)
}

/// Turns a campaign back to looking on where it loses more persons than it may; else its pacing is told what it loses.
async fn look(shared: &Arc<Shared>, setting: &Setting) -> Result<(), CenterError> {
    let (id, limit) = (setting.id(), setting.campaign.params.amd_fp_limit_pct);
    let since = shared.now().plus_ms(-BACK_MS);
    let turned = turned(shared, id).await?;
    let known = counted(shared, id, since.max(turned)).await?;
    if known.passes(limit) {
        return turn_back(shared, setting, known.lost_pct()).await;
    }
    let all = if turned <= since {
        known
    } else {
        counted(shared, id, since).await?
    };
    tell_pacing(shared, id, &all).await;
    Ok(())
}

/// What is known of the whole month is told to the pacing of a campaign that acts on verdicts from now on: what it was
/// turned back for is planned with, though it is not held against it twice.
pub(crate) async fn plan_with(shared: &Shared, campaign: CampaignId) {
    let since = shared.now().plus_ms(-BACK_MS);
    match counted(shared, campaign, since).await {
        Ok(known) => tell_pacing(shared, campaign, &known).await,
        Err(error) => {
            tracing::warn!(campaign = %campaign, reason = %error, "losses of the detector not counted");
        }
    }
}

async fn tell_pacing(shared: &Shared, campaign: CampaignId, known: &Known) {
    let pct = known.measured_pct().unwrap_or(0.0);
    shared
        .post
        .tell(move |engine, now| engine.take(now, Input::Loses(campaign, pct)))
        .await;
}

/// The settings that look on instead of acting, stored over the version that was read; `None` where it does not act.
async fn looks_on(
    shared: &Shared,
    id: CampaignId,
    loss: f64,
) -> Result<Option<Campaign>, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    for _ in 0..ACT_TRIES {
        let mut row = store.get_campaign(id).await?;
        if row.params.amd != AmdMode::On {
            return Ok(None);
        }
        let limit = row.params.amd_fp_limit_pct;
        let was = row.version;
        row.params.amd = AmdMode::Shadow;
        row.version += 1;
        row.updated_at = now;
        let data =
            json!({"amd": "shadow", "why": "humans_lost", "loss_pct": loss, "limit_pct": limit});
        let client = Some(row.client_id);
        let subject = format!("campaign:{id}");
        let event = shared.event(client, shared.actor(), "campaign.changed", subject, data);
        shared.told_here(&event);
        store.put_setting(&mark(id), &now.0.to_string()).await?;
        let version = version(shared, &row);
        let settled = store
            .settle_campaign(&row, Some(&version), was, &[event])
            .await?;
        if settled {
            return Ok(Some(row));
        }
    }
    Err(changed_meanwhile())
}

async fn turn_back(shared: &Arc<Shared>, setting: &Setting, loss: f64) -> Result<(), CenterError> {
    let id = setting.id();
    let Some(row) = looks_on(shared, id, loss).await? else {
        return Ok(());
    };
    let limit = row.params.amd_fp_limit_pct;
    let words = (
        format!(
            "{}: la detección de buzones pasó de actuar a solo observar: perdió {loss:.1} % de las personas, el límite es {limit} %",
            row.name
        ),
        format!(
            "{}: machine detection went back from acting to looking on: it lost {loss:.1} % of the persons, the limit is {limit} %",
            row.name
        ),
    );
    campaigns::changed(Arc::clone(shared), id).await?;
    shared
        .post
        .tell(move |engine, now| engine.alarm(now, alarm_of(id), "amd_shadowed", words))
        .await;
    Ok(())
}

/// The version that the campaign is now: it can be looked up, and gone back from.
fn version(shared: &Shared, row: &Campaign) -> CampaignVersion {
    CampaignVersion {
        id: CampaignVersionId(shared.id()),
        campaign_id: row.id,
        client_id: row.client_id,
        name: row.name.clone(),
        segment_id: row.segment_id,
        script_id: row.script_id,
        params: row.params.clone(),
        state: VersionState::Published,
        version: Some(row.version),
        based_on: None,
        restores: None,
        note: "amd: on → shadow".to_owned(),
        made_by: None,
        created_at: row.updated_at,
        published_at: Some(row.updated_at),
    }
}

/// Whether a call's message may be on no mailbox: it is told by nobody, and the debtor's packs let none be left, or none
/// whose words are not known, as a recording's. What sounds like a machine is then hung up on, whatever the campaign
/// does with sounds otherwise.
pub(crate) fn spares_mailboxes(shared: &Shared, ctx: &CallCtx, now: UtcMs) -> bool {
    if ctx.task.mode != DialMode::Agentless {
        return false;
    }
    let duties = shared.out.law.duties(&ctx.stocked.facts, now);
    duties.no_voicemail || duties.voicemail_limited || !duties.voicemail_must.is_empty()
}

/// Name of the alarm of a campaign that was turned back.
pub(crate) fn alarm_of(campaign: CampaignId) -> String {
    format!("amd_shadowed:{campaign}")
}
