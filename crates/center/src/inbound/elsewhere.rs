//! Figures of the queues over all nodes: what this node does not count itself is read from the rows.

use super::desks::{self, Desks};
use crate::live::Setting;
use crate::shared::Shared;
use crate::tasks::pause;
use domain::time::{SECOND_MS, UtcMs};
use std::sync::Arc;

/// Between two looks, ms.
const LOOK_MS: u64 = 2_000;

/// First instant of the campaign's day.
fn day_start(setting: &Setting, now: UtcMs) -> UtcMs {
    let zone = &setting.zone;
    let start = now.in_zone(zone).start_of_day();
    start.map_or(now, |z| z.timestamp().into())
}

/// Looks until the center stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let mut told = Desks::default();
    while pause(&mut stop, LOOK_MS).await {
        desks::look(&shared, &mut told).await;
        let Ok(running) = shared.post.call(|engine, _| engine.running()).await else {
            continue;
        };
        let takes = |s: &&Arc<Setting>| s.campaign.params.inbound.blended;
        for setting in running.iter().filter(takes) {
            look(&shared, setting).await;
            heed(&shared, setting).await;
        }
    }
}

/// Where the packs of its callers ask something of a campaign's line: the callers of its day, of every node.
async fn heed(shared: &Shared, setting: &Setting) {
    let (id, since) = (setting.id(), day_start(setting, shared.now()));
    let duty = shared.post.call(move |engine, _| engine.duty_of(id)).await;
    let Ok(Some(duty)) = duty else { return };
    let store = &shared.out.store;
    match store.inbound_count(id, since, duty.within_ms).await {
        Ok(count) => {
            shared
                .post
                .tell(move |engine, _| engine.line_counted(id, since, count))
                .await;
        }
        Err(error) => shared.mind(&error).await,
    }
}

async fn look(shared: &Shared, setting: &Setting) {
    let (id, since) = (setting.id(), day_start(setting, shared.now()));
    let from = shared
        .post
        .call(move |engine, now| engine.queue_day(now, id, since))
        .await;
    let Ok(from) = from else { return };
    let within_ms = setting.campaign.params.inbound.service_level_s * SECOND_MS;
    let own = (shared.config.node.as_str(), from);
    match shared
        .out
        .store
        .inbound_elsewhere(id, since, own, within_ms)
        .await
    {
        Ok(count) => {
            shared
                .post
                .tell(move |engine, _| engine.queue_elsewhere(id, since, count))
                .await;
        }
        Err(error) => shared.mind(&error).await,
    }
}
