//! Health of caller ids: one that was shown too often, or that nobody answers any more, rests.

use crate::campaigns;
use crate::floor::shown;
use crate::live::Setting;
use crate::shared::Shared;
use domain::entity::{CallerId, CampaignParams};
use domain::ids::{CallerIdId, ClientId};
use domain::ports::store::{CallerHealth, CallerRest, StoreError};
use domain::time::{MINUTE_MS, UtcMs};
use serde_json::json;
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;

/// Fewer calls say nothing about how often a number is answered.
const CALLS_LEAST: u64 = 20;

/// Why a caller id is to rest; `None` = it may go on.
fn reason(params: &CampaignParams, health: &CallerHealth) -> Option<&'static str> {
    let most = params.caller_rest_calls.and_then(|n| u64::try_from(n).ok());
    if most.is_some_and(|n| health.calls >= n) {
        return Some("calls");
    }
    let least = params.caller_rest_below_pct?;
    #[expect(clippy::cast_precision_loss, reason = "calls of hours")]
    let share = 100.0 * health.answered as f64 / health.calls.max(1) as f64;
    (health.calls >= CALLS_LEAST && share < least).then_some("answers")
}

/// Those of a pool that go to rest now. The last one that is awake never does, the best of those that
/// should stays: a call must show some number.
fn due(
    params: &CampaignParams,
    pool: &BTreeSet<CallerIdId>,
    all: &[CallerHealth],
    now: UtcMs,
) -> Vec<(CallerHealth, &'static str)> {
    let awake: Vec<&CallerHealth> = all
        .iter()
        .filter(|h| pool.contains(&h.caller_id))
        .filter(|h| h.rest.as_ref().is_none_or(|r| r.until <= now))
        .collect();
    let mut tired: Vec<(CallerHealth, &'static str)> = awake
        .iter()
        .filter_map(|h| Some(((*h).clone(), reason(params, h)?)))
        .collect();
    // Least answered first, so that the best of them is the one left awake.
    tired.sort_by_key(|(h, _)| (h.answered * 1000 / h.calls.max(1), h.caller_id));
    tired.truncate(awake.len().saturating_sub(1));
    tired
}

/// One look at the caller ids of every campaign that dials here.
pub(crate) async fn round(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let Ok(running) = shared.post.call(|engine, _| engine.running()).await else {
        return Ok(());
    };
    let mut seen: BTreeMap<(ClientId, i64), Vec<CallerHealth>> = BTreeMap::new();
    for setting in running {
        let params = &setting.campaign.params;
        let key = (setting.client.id, params.caller_window_min);
        let now = shared.now();
        if let Entry::Vacant(place) = seen.entry(key) {
            let since = now.plus_ms(-params.caller_window_min.max(1) * MINUTE_MS);
            let all = shared.out.store.caller_health(key.0, since).await?;
            for health in &all {
                let until = health.rest.as_ref().map(|r| r.until);
                let until = until.filter(|until| *until > now);
                shared.floor.note_rest(health.caller_id, until);
                if let Some(at) = health.callback_at {
                    shared.floor.note_reached(health.caller_id, at);
                }
            }
            place.insert(all);
        }
        refresh(shared, &setting).await;
        let pool: BTreeSet<CallerIdId> = setting.callers.iter().map(|c| c.id).collect();
        let found = seen.get(&key).map(|all| due(params, &pool, all, now));
        for (health, why) in found.unwrap_or_default() {
            rest(shared, &setting, &health, why, now).await?;
        }
    }
    Ok(())
}

/// What the law looks at of a number, without when it was last called: that is noted beside it.
fn marks(row: &CallerId) -> CallerId {
    CallerId {
        callback_at: None,
        ..row.clone()
    }
}

/// A campaign whose numbers were changed shows them as they are now.
async fn refresh(shared: &Arc<Shared>, setting: &Setting) {
    let Ok(now) = shown::callers_of(shared, &setting.campaign).await else {
        return;
    };
    let same = now.iter().map(marks).eq(setting.callers.iter().map(marks));
    if !same && let Err(error) = campaigns::changed(Arc::clone(shared), setting.id()).await {
        tracing::warn!(campaign = %setting.id(), reason = %error, "its numbers were changed and are not read anew");
    }
}

async fn rest(
    shared: &Arc<Shared>,
    setting: &Setting,
    health: &CallerHealth,
    why: &str,
    now: UtcMs,
) -> Result<(), StoreError> {
    let minutes = setting.campaign.params.caller_rest_min.max(1);
    let row = CallerRest {
        caller_id: health.caller_id,
        since: now,
        until: now.plus_ms(minutes * MINUTE_MS),
        reason: why.to_owned(),
        calls: i64::try_from(health.calls).unwrap_or(i64::MAX),
        answered: i64::try_from(health.answered).unwrap_or(i64::MAX),
    };
    let data = json!({
        "campaign_id": setting.id(), "reason": why, "until": row.until,
        "calls": row.calls, "answered": row.answered,
    });
    let subject = format!("caller_id:{}", row.caller_id);
    let client = Some(setting.client.id);
    let event = shared.event(client, shared.actor(), "caller_id.rested", subject, data);
    shared.out.store.rest_caller_id(&row, &[event]).await?;
    shared.floor.note_rest(row.caller_id, Some(row.until));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(id: u128, calls: u64, answered: u64) -> CallerHealth {
        CallerHealth {
            caller_id: CallerIdId(uuid::Uuid::from_u128(id)),
            calls,
            answered,
            rest: None,
            callback_at: None,
        }
    }

    #[test]
    fn the_tired_rest_and_one_stays_awake() {
        let params = CampaignParams {
            caller_rest_calls: Some(100),
            caller_rest_below_pct: Some(10.0),
            ..CampaignParams::default()
        };
        let now = UtcMs(1_000);
        let all = [
            health(1, 100, 30),
            health(2, 40, 2),
            health(3, 19, 0),
            health(4, 99, 30),
        ];
        let pool: BTreeSet<_> = all.iter().map(|h| h.caller_id).collect();
        let named = |found: &[(CallerHealth, &'static str)]| -> Vec<(u128, &'static str)> {
            found
                .iter()
                .map(|(h, why)| (h.caller_id.0.as_u128(), *why))
                .collect()
        };
        let found = due(&params, &pool, &all, now);
        assert_eq!(named(&found), vec![(2, "answers"), (1, "calls")]);
        // Of a pool of tired ones the best stays.
        let two: BTreeSet<_> = all[..2].iter().map(|h| h.caller_id).collect();
        assert_eq!(named(&due(&params, &two, &all, now)), vec![(2, "answers")]);
        // Who rests already neither counts as awake nor is told again.
        let mut slept = all.clone();
        slept[1].rest = Some(CallerRest {
            caller_id: slept[1].caller_id,
            since: UtcMs(0),
            until: UtcMs(2_000),
            reason: "answers".into(),
            calls: 40,
            answered: 2,
        });
        assert!(due(&params, &two, &slept, now).is_empty());
        assert!(due(&CampaignParams::default(), &pool, &all, now).is_empty());
    }
}
