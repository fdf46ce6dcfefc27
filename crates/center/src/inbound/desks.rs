//! Which node the agents of a campaign sit on: each node tells where its own are, so that who calls in on another one
//! is called back by them in his place.

use super::route;
use crate::error::CenterError;
use crate::live::Stocked;
use crate::shared::Shared;
use crate::{campaigns, owed};
use dialer::{CallRules, Item};
use domain::entity::{CampaignStatus, DebtStatus};
use domain::ids::{AgentId, CampaignId};
use domain::ports::store::{
    AttemptFilter, CallbackRow, ItemState, PAGE_LIMIT_MAX, PageRequest, PlaceKept, StoreError,
};
use domain::time::{DAY_MS, SECOND_MS, UtcMs};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Settings under which nodes tell: this, then the node's name.
const KEY: &str = "desks:";
/// A node tells again after that time, ms, where nothing has changed.
const AGAIN_MS: i64 = 5 * SECOND_MS;
/// Who has told nothing for so long is not counted on, ms.
const GONE_MS: i64 = 15 * SECOND_MS;

/// Agents who take calls of a campaign on another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Desk {
    pub(crate) node: String,
    /// Fence of that node.
    pub(crate) fence: i64,
    /// How many are at work.
    pub(crate) agents: u32,
}

/// What a node tells.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// When, epoch ms.
    at: i64,
    fence: i64,
    agents: BTreeMap<CampaignId, u32>,
    /// Everybody who is signed in there.
    #[serde(default)]
    signed_in: BTreeSet<AgentId>,
}

/// Who sits where on the other nodes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// Of each campaign the node with the most agents at work.
    pub(crate) desks: BTreeMap<CampaignId, Desk>,
    /// Agents who are signed in.
    pub(crate) signed_in: BTreeSet<AgentId>,
}

/// What this node told last.
#[derive(Default)]
pub(super) struct Desks(Told);

/// What the others tell, as far as they still do.
fn heard(own: &str, told: Vec<(String, String)>, now: UtcMs) -> Elsewhere {
    let mut signed_in = BTreeSet::new();
    let mut found: BTreeMap<CampaignId, Desk> = BTreeMap::new();
    for (key, text) in told {
        let Some(node) = key.strip_prefix(KEY).filter(|node| *node != own) else {
            continue;
        };
        let Ok(told) = serde_json::from_str::<Told>(&text) else {
            continue;
        };
        if now.since_ms(UtcMs(told.at)) > GONE_MS {
            continue;
        }
        signed_in.extend(told.signed_in);
        for (campaign, agents) in told.agents {
            let before = found.get(&campaign).map_or(0, |desk| desk.agents);
            if agents > before {
                let (node, fence) = (node.to_owned(), told.fence);
                found.insert(
                    campaign,
                    Desk {
                        node,
                        fence,
                        agents,
                    },
                );
            }
        }
    }
    Elsewhere {
        desks: found,
        signed_in,
    }
}

/// One look: tells where the agents of this node work, hears it of the others, and takes the places that they gave
/// and those that it kept itself before it was started anew.
pub(super) async fn look(shared: &Arc<Shared>, last: &mut Desks) {
    let Ok((nodes, agents, signed_in)) = shared.post.call(|engine, _| engine.desks_here()).await
    else {
        return;
    };
    // A node alone has nobody to tell.
    let alone = nodes <= 1;
    let heard = if alone {
        Ok(Elsewhere::default())
    } else {
        talk(shared, (agents, signed_in), last).await
    };
    match heard {
        Ok(heard) => {
            shared
                .post
                .tell(move |engine, _| engine.desks_elsewhere(heard))
                .await;
        }
        Err(error) => return shared.mind(&error).await,
    }
    // Also alone: places of before it was started anew are its own.
    if let Err(error) = take(shared).await {
        shared.mind(&error).await;
    }
}

async fn talk(
    shared: &Shared,
    (agents, signed_in): (BTreeMap<CampaignId, u32>, BTreeSet<AgentId>),
    last: &mut Desks,
) -> Result<Elsewhere, StoreError> {
    let (store, now, node) = (&shared.out.store, shared.now(), &shared.config.node);
    let same = last.0.agents == agents && last.0.signed_in == signed_in;
    if !same || now.since_ms(UtcMs(last.0.at)) >= AGAIN_MS {
        let told = Told {
            at: now.0,
            fence: shared.fence,
            agents,
            signed_in,
        };
        let text = serde_json::to_string(&told).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        store.put_setting(&format!("{KEY}{node}"), &text).await?;
        last.0 = told;
    }
    Ok(heard(node, store.settings_under(KEY).await?, now))
}

/// Takes the places that are this node's and that it does not keep yet: of callers of other nodes whose agents sit
/// here, and its own of before.
async fn take(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let (store, node) = (&shared.out.store, &shared.config.node);
    let places = store.places_of(node, shared.fence).await?;
    let stand = places.clone();
    shared
        .post
        .tell(move |engine, now| engine.places_stand(now, &stand))
        .await;
    for place in places {
        let asked = place.clone();
        let kept = shared
            .post
            .call(move |engine, _| engine.keeps_place(&asked))
            .await;
        if kept.unwrap_or(true) || on_a_call(shared, &place).await? {
            continue;
        }
        match ready(shared, &place).await {
            Ok(Some((item, rules, stocked))) => {
                shared
                    .post
                    .tell(move |engine, now| engine.take_place(now, place, item, rules, stocked))
                    .await;
            }
            // Something else was agreed with him since, or nobody here may call him: what is written of him stands.
            Ok(None) => store.drop_place(&place).await?,
            Err(CenterError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(campaign = %place.campaign, reason = %error, "a caller's place is not taken");
                store.drop_place(&place).await?;
            }
        }
    }
    Ok(())
}

/// Whether the call in which he asked is still up.
async fn on_a_call(shared: &Shared, place: &PlaceKept) -> Result<bool, StoreError> {
    let filter = AttemptFilter {
        debtor_id: Some(place.debtor),
        since: Some(place.since.plus_ms(-DAY_MS)),
        ..AttemptFilter::default()
    };
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let rows = shared.out.store.list_attempts(&filter, &page).await?.items;
    Ok(rows.iter().any(|a| !a.state.is_closed()))
}

/// What calling him takes; `None` where he is not to be called from this place.
async fn ready(
    shared: &Shared,
    place: &PlaceKept,
) -> Result<Option<(Item, CallRules, Stocked)>, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let state = crate::ops::stored_item(shared, place.campaign, place.debtor).await?;
    let stands = |item: &ItemState| {
        CallbackRow::is_agreed(item) && item.next_at == place.until && now < place.until
    };
    let Some(state) = state.filter(stands) else {
        return Ok(None);
    };
    let campaign = store.get_campaign(place.campaign).await?;
    if campaign.status != CampaignStatus::Running {
        return Ok(None);
    }
    let facts = owed::facts_of(store.as_ref(), place.debtor, now).await?;
    let named = |id| facts.points.iter().find(|p| p.id == id);
    let Some(point) = state.next_point.and_then(named).cloned() else {
        return Ok(None);
    };
    let rules = campaigns::rules(&campaign);
    let setting = Arc::new(campaigns::setting(shared, campaign).await?);
    // Money, a hold or a list may have come while he was on the way here.
    let open = facts.debts.iter().any(|d| d.status == DebtStatus::Open);
    let verdict = route::law(shared, &setting, &facts, &point, now);
    if !open || !verdict.decision.permits(true) {
        return Ok(None);
    }
    let (item, stocked) = route::seated(shared, (setting, facts, point), Some(state), now);
    Ok(Some((item, rules, stocked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_node_with_the_most_agents_is_asked_while_it_tells() {
        let campaign = CampaignId(Uuid::from_u128(7));
        let told = |at, agents_of: u32| {
            let agents = BTreeMap::from([(campaign, agents_of)]);
            let told = Told {
                at,
                fence: 3,
                agents,
                signed_in: BTreeSet::from([AgentId(Uuid::from_u128(u128::from(agents_of)))]),
            };
            serde_json::to_string(&told).unwrap()
        };
        let row = |node: &str, text| (format!("{KEY}{node}"), text);
        let rows = vec![
            row("here", told(100_000, 9)),
            row("few", told(100_000, 1)),
            row("most", told(100_000 - GONE_MS, 2)),
            row("gone", told(100_000 - GONE_MS - 1, 8)),
            row("nobody", told(100_000, 0)),
            row("odd", "{".to_owned()),
        ];
        let found = heard("here", rows, UtcMs(100_000));
        let desk = Desk {
            node: "most".to_owned(),
            fence: 3,
            agents: 2,
        };
        assert_eq!(found.desks, BTreeMap::from([(campaign, desk)]));
        let told_of = [0, 1, 2].map(|n| AgentId(Uuid::from_u128(n)));
        assert_eq!(
            found.signed_in,
            BTreeSet::from(told_of),
            "of those who tell"
        );
        let rows = vec![row("nobody", told(100_000, 0))];
        assert!(heard("here", rows, UtcMs(100_000)).desks.is_empty());
    }
}
