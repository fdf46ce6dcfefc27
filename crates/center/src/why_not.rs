//! Why a debtor is not dialed now: the law's verdict on each of his numbers, where he stands in each
//! campaign, and what holds the campaigns themselves back.

use crate::best_time;
use crate::error::CenterError;
use crate::feeder::zone_or_utc;
use crate::floor::shown;
use crate::shared::Shared;
use crate::view::{ItemRow, Problem, WhyNot};
use crate::words;
use domain::entity::{
    CallerSeen, Campaign, CampaignStatus, Channel, CheckPoint, Circumstances, Verdict,
};
use domain::ids::{CampaignId, DebtorId, PointId, VerdictId};
use domain::law::{Action, points_then};
use domain::ports::Store;
use domain::ports::store::{ContactFacts, ItemState, StoreError};
use domain::time::{SECOND_MS, UtcMs};
use std::sync::Arc;

/// Most decisions of a debtor that are asked how his points stood then.
const DECISIONS_MAX: u32 = 1_000;

/// Problems of a campaign that tell of its other debtors: his own verdicts and his item say it of him.
const OF_OTHERS: [&str; 2] = ["nothing_dialable", "window_closed"];

/// Reasons in both languages, each once.
#[derive(Default)]
struct Reasons {
    es: Vec<String>,
    en: Vec<String>,
}

impl Reasons {
    fn add(&mut self, es: impl Into<String>, en: impl Into<String>) {
        let es = es.into();
        if !self.es.contains(&es) {
            self.es.push(es);
            self.en.push(en.into());
        }
    }
}

/// The facts of now, or as they were.
async fn facts_of(
    store: &Arc<dyn Store>,
    debtor: DebtorId,
    at: Option<UtcMs>,
    now: UtcMs,
) -> Result<ContactFacts, StoreError> {
    let Some(then) = at else {
        return store.contact_facts(debtor, now).await;
    };
    let mut facts = store.facts_at(debtor, then).await?;
    let decisions = store.verdicts_of(debtor, DECISIONS_MAX).await?;
    points_then(&mut facts, &decisions, then);
    Ok(facts)
}

pub(crate) async fn why_not(
    shared: Arc<Shared>,
    debtor: DebtorId,
    campaign: Option<CampaignId>,
    at: Option<UtcMs>,
) -> Result<WhyNot, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let facts = facts_of(store, debtor, at, now).await?;
    let mut items = store.items_of(debtor).await?;
    if let Some(id) = campaign {
        store.get_campaign(id).await?;
        items.retain(|i| i.campaign_id == id);
    }
    let mut found: Vec<(Campaign, ItemState)> = Vec::new();
    for item in items {
        match store.get_campaign(item.campaign_id).await {
            Ok(row) => found.push((row, item)),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut reasons = Reasons::default();
    if let (Some(_), true) = (campaign, found.is_empty()) {
        reasons.add(
            "no está en la campaña: su segmento no lo incluye",
            "he is not in the campaign: its segment does not hold him",
        );
    } else if found.is_empty() {
        reasons.add("no está en ninguna campaña", "he is in no campaign");
    }
    let ours = alone(&found, campaign);
    let caller = shown_by(&shared, ours, &facts, at.unwrap_or(now)).await;
    let verdicts = judge(&shared, &facts, (ours, caller), at.unwrap_or(now));
    for verdict in &verdicts {
        if let Some((es, en)) = verdict.reason() {
            reasons.add(es, en);
        }
    }
    let open = verdicts.iter().any(|v| v.decision.permits(true));
    let (mut rows, mut advice) = (Vec::new(), Vec::new());
    for (row, item) in found {
        // Of another instant only the law speaks: the forecast is of now.
        let told = match at {
            None => best_time::told(&shared, &row, &item, &facts, (now, open)).await?,
            Some(_) => None,
        };
        let stands = place(&shared, row, item, &facts, now, &mut reasons).await?;
        advice.extend(told.map(|(es, en)| (stands.campaign.clone(), es, en)));
        rows.push(stands);
    }
    if reasons.es.is_empty() {
        reasons.add(
            "nada lo impide: se marcará cuando llegue su turno",
            "nothing forbids it: he is dialed when his turn comes",
        );
    }
    for (name, es, en) in advice {
        reasons.add(format!("{name}: {es}"), format!("{name}: {en}"));
    }
    let next = verdicts.iter().filter_map(|v| v.next_legal_at).min();
    Ok(WhyNot {
        next_legal_at: if open { Some(at.unwrap_or(now)) } else { next },
        verdicts,
        items: rows,
        reasons_es: reasons.es,
        reasons_en: reasons.en,
    })
}

/// The number that the campaign's call would show.
async fn shown_by(
    shared: &Shared,
    campaign: Option<&Campaign>,
    facts: &ContactFacts,
    now: UtcMs,
) -> Option<CallerSeen> {
    let setting = crate::campaigns::setting(shared, campaign?.clone()).await;
    Some(shown::choose(shared, &setting.ok()?, facts, None, now))
}

/// The campaign asked about, or his only one.
fn alone(found: &[(Campaign, ItemState)], campaign: Option<CampaignId>) -> Option<&Campaign> {
    match (campaign, found) {
        (Some(_), [(row, _), ..]) | (None, [(row, _)]) => Some(row),
        _ => None,
    }
}

/// One verdict a number, as of a call by hand; with the hours of the campaign asked about, or of his
/// only one.
fn judge(
    shared: &Shared,
    facts: &ContactFacts,
    (ours, caller): (Option<&Campaign>, Option<CallerSeen>),
    now: UtcMs,
) -> Vec<Verdict> {
    let law = shared.out.law.call_law(facts, now);
    let mut points: Vec<Option<PointId>> = facts
        .points
        .iter()
        .filter(|p| p.channel == Channel::Call)
        .map(|p| Some(p.id))
        .collect();
    if points.is_empty() {
        points.push(None);
    }
    let ring = ours
        .map_or(0, |c| c.params.ring_timeout_s * SECOND_MS)
        .max(law.ring_min_ms);
    points
        .into_iter()
        .map(|point_id| {
            let action = Action {
                verdict_id: VerdictId(shared.id()),
                check_point: CheckPoint::Manual,
                channel: Channel::Call,
                point_id,
                campaign_id: ours.map(|c| c.id),
                campaign_window: ours
                    .map(|c| (c.params.window_from.clone(), c.params.window_to.clone())),
                circumstances: Circumstances {
                    schedule: ours.map(|c| c.params.schedule.clone()).unwrap_or_default(),
                    zone_policy: ours.map(|c| c.params.zone_policy).unwrap_or_default(),
                    caller: caller.clone(),
                    ..Circumstances::default()
                },
                attempts_per_day: ours.and_then(|c| c.params.attempts_per_day),
                ring_timeout_ms: ring,
                agent_reserved: true,
                now,
            };
            shared.out.law.judge(facts, &action)
        })
        .collect()
}

/// Where he stands in one campaign, and what holds it back.
async fn place(
    shared: &Shared,
    campaign: Campaign,
    item: ItemState,
    facts: &ContactFacts,
    now: UtcMs,
    reasons: &mut Reasons,
) -> Result<ItemRow, CenterError> {
    let (id, debtor) = (campaign.id, facts.debtor.id);
    let (in_hopper, problems): (bool, Vec<Problem>) = shared
        .post
        .call(move |engine, now| (engine.in_hopper(id, debtor), engine.problems(now, id)))
        .await?;
    let name = &campaign.name;
    let waits = item.done || item.next_at > now;
    if waits && !in_hopper {
        let (es, en) = words::note(&item.note).unwrap_or(("espera su turno", "waits for his turn"));
        if item.done {
            reasons.add(format!("{name}: {es}"), format!("{name}: {en}"));
        } else {
            let zone = zone_or_utc(&shared.out.law.zone_of(facts));
            let at = words::local(item.next_at, &zone);
            reasons.add(
                format!("{name}: {es}; no antes del {}", at.0),
                format!("{name}: {en}; not before {}", at.1),
            );
        }
    }
    if let Some((es, en)) = words::status(campaign.status) {
        reasons.add(format!("{name}: {es}"), format!("{name}: {en}"));
    }
    if campaign.status == CampaignStatus::Running {
        let own = problems.iter().filter(|p| !OF_OTHERS.contains(&p.code));
        for problem in own {
            let (es, en) = (&problem.es, &problem.en);
            reasons.add(format!("{name}: {es}"), format!("{name}: {en}"));
        }
    }
    Ok(ItemRow {
        campaign_id: id,
        campaign: campaign.name,
        status: campaign.status.to_string(),
        next_at: item.next_at,
        priority: item.priority,
        attempts: item.attempts,
        last_result: item.last_result.map(|r| r.to_string()),
        done: item.done,
        note: item.note,
        in_hopper,
    })
}
