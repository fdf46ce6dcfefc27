//! Why a debtor is not dialed now: the law's verdict on each of his numbers, where he stands in each
//! campaign, and what holds the campaigns themselves back. Of another instant the law alone speaks, with the hours
//! that the campaign asked about had then: what campaigns do and which numbers rest is of now.

mod then;

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
use domain::law::Action;
use domain::ports::store::{ContactFacts, ItemState, StoreError};
use domain::time::{SECOND_MS, UtcMs};
use std::sync::Arc;

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

pub(crate) async fn why_not(
    shared: Arc<Shared>,
    debtor: DebtorId,
    campaign: Option<CampaignId>,
    at: Option<UtcMs>,
) -> Result<WhyNot, CenterError> {
    let (store, now) = (&shared.out.store, shared.now());
    let facts = match at {
        Some(at) => then::facts(store, debtor, at).await?,
        None => store.contact_facts(debtor, now).await?,
    };
    let asked = match campaign {
        Some(id) => Some(store.get_campaign(id).await?),
        None => None,
    };
    let found = places(&shared, debtor, campaign).await?;
    let mut reasons = Reasons::default();
    if at.is_none() && found.is_empty() {
        nowhere(asked.is_some(), &mut reasons);
    }
    let (ours, caller) = with(&shared, (asked, &found), &facts, (at, now)).await?;
    let verdicts = judge(&shared, &facts, (ours.as_ref(), caller), at.unwrap_or(now));
    for verdict in &verdicts {
        if let Some((es, en)) = verdict.reason() {
            reasons.add(es, en);
        }
    }
    let open = verdicts.iter().any(|v| v.decision.permits(true));
    let (mut rows, mut advice) = (Vec::new(), Vec::new());
    for (row, item) in found {
        let told = match at {
            None => best_time::told(&shared, &row, &item, &facts, (now, open)).await?,
            Some(_) => None,
        };
        let (stands, problems) = stand(&shared, &row, item).await?;
        if at.is_none() {
            held(
                &shared,
                &row,
                (&stands, &problems),
                &facts,
                now,
                &mut reasons,
            );
        }
        advice.extend(told.map(|(es, en)| (stands.campaign.clone(), es, en)));
        rows.push(stands);
    }
    if reasons.es.is_empty() {
        let (es, en) = nothing(at.is_some());
        reasons.add(es, en);
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

/// The campaign whose hours count, and the number that its call would show: today the campaign asked about, or his only
/// one; at another time the one asked about, as it was, and no number.
async fn with(
    shared: &Shared,
    (asked, found): (Option<Campaign>, &[(Campaign, ItemState)]),
    facts: &ContactFacts,
    (at, now): (Option<UtcMs>, UtcMs),
) -> Result<(Option<Campaign>, Option<CallerSeen>), StoreError> {
    match (at, asked) {
        (Some(at), Some(row)) => Ok((then::settings(shared, row, at).await?, None)),
        (Some(_), None) => Ok((None, None)),
        (None, asked) => {
            let ours = alone(found, asked.map(|row| row.id));
            let caller = shown_by(shared, ours, facts, now).await;
            Ok((ours.cloned(), caller))
        }
    }
}

/// Campaigns that hold him, the one asked about alone.
async fn places(
    shared: &Shared,
    debtor: DebtorId,
    campaign: Option<CampaignId>,
) -> Result<Vec<(Campaign, ItemState)>, StoreError> {
    let store = &shared.out.store;
    let mut items = store.items_of(debtor).await?;
    items.retain(|i| campaign.is_none_or(|id| i.campaign_id == id));
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        match store.get_campaign(item.campaign_id).await {
            Ok(row) => found.push((row, item)),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn nowhere(one_asked: bool, reasons: &mut Reasons) {
    if one_asked {
        reasons.add(
            "no está en la campaña: su segmento no lo incluye",
            "he is not in the campaign: its segment does not hold him",
        );
    } else {
        reasons.add("no está en ninguna campaña", "he is in no campaign");
    }
}

/// What is said when nothing stands in the way.
const fn nothing(another_time: bool) -> (&'static str, &'static str) {
    if another_time {
        (
            "nada lo impide en ese momento",
            "nothing forbids it at that moment",
        )
    } else {
        (
            "nada lo impide: se marcará cuando llegue su turno",
            "nothing forbids it: he is dialed when his turn comes",
        )
    }
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

/// One verdict a number, as of a call by hand, with the hours of the campaign.
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
async fn stand(
    shared: &Shared,
    campaign: &Campaign,
    item: ItemState,
) -> Result<(ItemRow, Vec<Problem>), CenterError> {
    let (id, debtor) = (campaign.id, item.debtor_id);
    let (in_hopper, problems): (bool, Vec<Problem>) = shared
        .post
        .call(move |engine, now| (engine.in_hopper(id, debtor), engine.problems(now, id)))
        .await?;
    let row = ItemRow {
        campaign_id: id,
        campaign: campaign.name.clone(),
        status: campaign.status.to_string(),
        next_at: item.next_at,
        priority: item.priority,
        attempts: item.attempts,
        last_result: item.last_result.map(|r| r.to_string()),
        done: item.done,
        note: item.note,
        in_hopper,
    };
    Ok((row, problems))
}

/// Reasons of his place and of the campaign.
fn held(
    shared: &Shared,
    campaign: &Campaign,
    (item, problems): (&ItemRow, &[Problem]),
    facts: &ContactFacts,
    now: UtcMs,
    reasons: &mut Reasons,
) {
    let name = &campaign.name;
    let waits = item.done || item.next_at > now;
    if waits && !item.in_hopper {
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
}
