//! New debtors of a campaign's segments: all the time, or once a day; and its end when it is not always on.

use crate::asks::Actor;
use crate::campaign_acts::{Act, act};
use crate::campaigns::tell_day;
use crate::error::CenterError;
use crate::live::Setting;
use crate::shared::Shared;
use domain::entity::RefillMode;
use domain::ports::store::{RefillReport, StoreError};
use std::sync::Arc;

/// Takes the segment's new debtors in and tells the engine the counts.
pub(crate) async fn refill(
    shared: &Arc<Shared>,
    setting: &Setting,
) -> Result<RefillReport, StoreError> {
    let (store, now) = (&shared.out.store, shared.now());
    let report = store
        .refill_parts(&setting.campaign, &setting.parts, now, &[])
        .await?;
    let (id, counts) = (setting.id(), store.item_counts(setting.id(), now).await?);
    shared
        .post
        .tell(move |engine, _| engine.set_counts(id, counts))
        .await;
    Ok(report)
}

/// Whether a campaign is to be filled now.
enum Due {
    No,
    Always,
    /// The setting that says for which day it was filled last, and today.
    Daily(String, String),
}

async fn refill_due(shared: &Shared, setting: &Setting) -> Result<Due, StoreError> {
    let params = &setting.campaign.params;
    if params.refill == RefillMode::Continuous {
        return Ok(Due::Always);
    }
    let local = shared.now().in_zone(&setting.zone);
    let from: jiff::civil::Time = params
        .refill_at
        .parse()
        .unwrap_or(jiff::civil::Time::midnight());
    if local.time() < from {
        return Ok(Due::No);
    }
    let (key, today) = (
        format!("refilled:{}", setting.id()),
        local.date().to_string(),
    );
    let store = &shared.out.store;
    if store.get_setting(&key).await?.as_deref() == Some(today.as_str()) {
        return Ok(Due::No);
    }
    Ok(Due::Daily(key, today))
}

/// A campaign that is not always on stops by itself when nobody is left in it.
async fn stop_when_done(shared: &Arc<Shared>, setting: &Setting) -> Result<(), CenterError> {
    if setting.campaign.params.always_on {
        return Ok(());
    }
    let counts = shared
        .out
        .store
        .item_counts(setting.id(), shared.now())
        .await?;
    if counts.due + counts.later + counts.leased > 0 {
        return Ok(());
    }
    tracing::info!(campaign = %setting.id(), "nobody is left: the campaign stops");
    act(Arc::clone(shared), Actor::System, setting.id(), Act::Stop)
        .await
        .map(drop)
}

/// One round of a running campaign.
pub(crate) async fn round(shared: &Arc<Shared>, setting: &Setting) -> Result<(), CenterError> {
    tell_day(shared, setting).await;
    match refill_due(shared, setting).await? {
        // Whoever is due before the next round is woken, also where new debtors come once a day.
        Due::No => {
            let store = &shared.out.store;
            store.wake_items(setting.id(), shared.now()).await?;
        }
        Due::Always => {
            refill(shared, setting).await?;
        }
        Due::Daily(key, today) => {
            refill(shared, setting).await?;
            // Afterwards: a day whose filling failed is tried again.
            shared.out.store.put_setting(&key, &today).await?;
        }
    }
    stop_when_done(shared, setting).await
}
