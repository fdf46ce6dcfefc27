//! A call that an agent dials by hand: judged first like any other.

use crate::asked;
use crate::error::CenterError;
use crate::feeder;
use crate::floor::shown;
use crate::live::{Setting, Stocked};
use crate::shared::Shared;
use crate::{campaigns, words};
use dialer::Item;
use domain::entity::{CampaignStatus, CheckPoint, Verdict};
use domain::ids::{AgentId, CampaignId, DebtorId, PointId, VerdictId};
use domain::law::Action;
use domain::ports::store::{ContactFacts, ItemState};
use domain::time::{MINUTE_MS, SECOND_MS, UtcMs};
use std::sync::Arc;

/// Reservation of a call by hand, ms: it is dialed at once.
const LEASE_MS: i64 = 15 * MINUTE_MS;

/// The campaign a call by hand belongs to: one that holds the debtor and that the agent serves, running
/// ones first; else any of the client's that the agent serves.
async fn choose(
    shared: &Shared,
    agent: AgentId,
    facts: &ContactFacts,
) -> Result<(domain::entity::Campaign, Option<ItemState>), CenterError> {
    let store = &shared.out.store;
    let agent = store.get_agent(agent).await?;
    let serves = |id: CampaignId| agent.campaigns.is_empty() || agent.campaigns.contains(&id);
    let mut found = Vec::new();
    for item in store.items_of(facts.debtor.id).await? {
        if serves(item.campaign_id) {
            found.push((store.get_campaign(item.campaign_id).await?, Some(item)));
        }
    }
    if found.is_empty() {
        let ours = domain::ports::store::ListFilter {
            client_id: Some(facts.debtor.client_id),
            ..Default::default()
        };
        let page = domain::ports::PageRequest {
            limit: 500,
            cursor: None,
        };
        let all = store.list_campaigns(&ours, &page).await?.items;
        found.extend(all.into_iter().filter(|c| serves(c.id)).map(|c| (c, None)));
    }
    found.sort_by_key(|(c, _)| (c.status != CampaignStatus::Running, c.id));
    found.into_iter().next().ok_or_else(|| {
        CenterError::conflict(
            "no_campaign",
            "the debtor's client has no campaign that you work for",
        )
    })
}

/// What is asked of the law for a call that an agent dials.
fn question(
    shared: &Shared,
    setting: &Setting,
    (point, agent): (Option<PointId>, AgentId),
    ring_ms: i64,
    now: UtcMs,
) -> Action {
    let id = VerdictId(shared.id());
    let mut action = feeder::action(setting, id, CheckPoint::Manual, point, ring_ms, now);
    action.agent_reserved = true;
    asked::by(shared, &mut action, format!("agent:{agent}"));
    action
}

pub(crate) async fn dial(
    shared: Arc<Shared>,
    agent: AgentId,
    debtor: DebtorId,
    point: PointId,
) -> Result<Verdict, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let facts = Arc::new(crate::owed::facts_of(store.as_ref(), debtor, now).await?);
    let point = facts
        .points
        .iter()
        .find(|p| p.id == point)
        .cloned()
        .ok_or(CenterError::NotFound("point of this debtor"))?;
    let (campaign, item) = choose(&shared, agent, &facts).await?;
    let rules = campaigns::rules(&campaign);
    let setting = Arc::new(campaigns::setting(&shared, campaign).await?);
    let law = shared.out.law.call_law(&facts, now);
    let ring_ms = (setting.campaign.params.ring_timeout_s * SECOND_MS).max(law.ring_min_ms);
    let point_id = Some(point.id);
    let mut action = question(&shared, &setting, (point_id, agent), ring_ms, now);
    action.circumstances.caller = Some(shown::choose(&shared, &setting, &facts, point_id, now));
    let verdict = shared.out.law.judge(&facts, &action);
    if !verdict.decision.permits(true) {
        return Err(blocked(&shared, &setting, &verdict).await?);
    }
    let in_campaign = item.is_some();
    let state = item.unwrap_or_else(|| fresh(setting.id(), debtor, now));
    let order = Item {
        campaign: setting.id(),
        client: setting.client.id,
        debtor,
        person: facts.debtor.person_id,
        point: point.id,
        agent_only: true,
        ring_min_ms: law.ring_min_ms,
        agent_within_ms: law.agent_within_ms,
        lease_until: now.plus_ms(LEASE_MS),
        priority: state.priority,
        own_agent: Some(agent),
        own_only: false,
        abandon: law.abandon,
        short_calls: law.short_calls,
        closes_at: None,
        language: facts.debtor.language,
        avoid: None,
        answer: None,
    };
    let stocked = Stocked {
        setting,
        state,
        in_campaign,
        facts,
        point,
        point_attempts: Vec::new(),
        verdict_id: verdict.id,
        decision: verdict.decision.as_str(),
        reason: (String::new(), String::new()),
        since: now,
        closes_at: None,
        why: None,
    };
    let post = &shared.post;
    post.call(move |engine, now| engine.manual(now, agent, order, stocked, rules))
        .await??;
    Ok(verdict)
}

/// Stores the refusal and says it in both languages.
async fn blocked(
    shared: &Shared,
    setting: &Setting,
    verdict: &Verdict,
) -> Result<CenterError, CenterError> {
    let store = &shared.out.store;
    store.record_verdict(verdict, setting.client.id).await?;
    let (code, campaign) = (words::block(verdict.blocked), setting.id());
    shared
        .post
        .tell(move |engine, _| engine.count_blocked(Some(campaign), code, 1))
        .await;
    let (es, en) = verdict
        .reason()
        .unwrap_or(("una regla lo impide", "a rule forbids it"));
    Ok(CenterError::Blocked {
        code,
        es: es.to_owned(),
        en: en.to_owned(),
    })
}

pub(crate) fn fresh(campaign_id: CampaignId, debtor_id: DebtorId, now: UtcMs) -> ItemState {
    ItemState {
        campaign_id,
        debtor_id,
        next_at: now,
        priority: 0,
        attempts: 0,
        last_result: None,
        next_point: None,
        done: false,
        note: String::new(),
    }
}
