//! Fills hoppers: reserves due debtors, judges each, hands over who may be dialed, gives the others
//! back with their reason and next instant.

use crate::asked;
use crate::best_time::{self, Histories};
use crate::floor::turns::turn;
use crate::floor::{Around, around, shown};
use crate::ladder::ladder;
use crate::live::{LastFeed, Setting, Stocked};
use crate::owed;
use crate::ports::CallLaw;
use crate::scribe::REFUSED_AGAIN_MS;
use crate::shared::{Shared, persist};
use dialer::Item;
use domain::entity::{
    BlockReason, Campaign, Channel, CheckPoint, Circumstances, ContactPoint, Decision, DialMode,
    Verdict,
};
use domain::event::NewEvent;
use domain::ids::{AgentId, DebtorId, PointId, VerdictId};
use domain::law::Action;
use domain::ports::store::{CallbackRow, Candidate, ItemState, ReserveRequest, StoreError};
use domain::time::{MINUTE_MS, SECOND_MS, UtcMs};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Most debtors reserved in one go: a hopper's worth, judged in some ten milliseconds.
const RESERVE_MAX: u32 = 200;
/// Before a debtor is looked at again whose call could show no number that the law lets be shown, ms.
const SHOWN_AGAIN_MS: i64 = 10 * MINUTE_MS;
/// Longest wait before a refused debtor is judged again at the earliest, ms.
const REFUSED_LEAST_MS: i64 = MINUTE_MS;

/// Longest wait of an own call-back in a hopper for its agent: half a minute, after which the brain gives back what is
/// stale, a minute before its end.
const OWN_WAITS_MS: i64 = MINUTE_MS + 30 * SECOND_MS;

/// What one feeding brought.
#[derive(Default)]
pub(crate) struct Fed {
    pub(crate) stocked: Vec<(Item, Stocked)>,
    pub(crate) last: LastFeed,
    /// The source may hold more that is due now.
    pub(crate) more: bool,
}

/// Reads the zone, falling back to UTC for a name nobody knows.
pub(crate) fn zone_or_utc(name: &str) -> TimeZone {
    domain::time::zone(name).unwrap_or(TimeZone::UTC)
}

/// Agent of an agreed call-back, from the item's note.
pub(crate) fn own_agent(note: &str) -> Option<AgentId> {
    CallbackRow::agent_of(note)
}

/// What is asked of the law for a call of the campaign.
pub(crate) fn action(
    setting: &Setting,
    id: VerdictId,
    check_point: CheckPoint,
    point: Option<PointId>,
    ring_timeout_ms: i64,
    now: UtcMs,
) -> Action {
    campaign_action(
        &setting.campaign,
        id,
        check_point,
        point,
        ring_timeout_ms,
        now,
    )
}

/// The same, of a campaign by itself.
pub(crate) fn campaign_action(
    campaign: &Campaign,
    id: VerdictId,
    check_point: CheckPoint,
    point: Option<PointId>,
    ring_timeout_ms: i64,
    now: UtcMs,
) -> Action {
    let params = &campaign.params;
    Action {
        verdict_id: id,
        check_point,
        channel: Channel::Call,
        point_id: point,
        campaign_id: Some(campaign.id),
        campaign_window: Some((params.window_from.clone(), params.window_to.clone())),
        attempts_per_day: params.attempts_per_day,
        ring_timeout_ms,
        circumstances: Circumstances {
            schedule: params.schedule.clone(),
            zone_policy: params.zone_policy,
            ..Circumstances::default()
        },
        agent_reserved: !matches!(
            params.mode,
            DialMode::Power | DialMode::Predictive | DialMode::Agentless
        ),
        now,
    }
}

/// When the campaign's hours end today where the debtor is.
fn closes_at(setting: &Setting, zone: &TimeZone, now: UtcMs) -> Option<UtcMs> {
    let (params, date) = (&setting.campaign.params, now.in_zone(zone).date());
    let plain = (params.window_from.as_str(), params.window_to.as_str());
    let spans = params.schedule.hours_of(date, plain).ok()?;
    // Of several stretches the one he is in, else the last.
    let at = now.in_zone(zone).strftime("%H:%M").to_string();
    let open = spans
        .iter()
        .find(|s| s.0 <= at.as_str() && at.as_str() < s.1);
    let to = open.or(spans.last())?.1;
    let end = if to == "24:00" {
        date.tomorrow().ok()?.to_datetime(Time::midnight())
    } else {
        date.to_datetime(to.parse::<Time>().ok()?)
    };
    end.to_zoned(zone.clone())
        .ok()
        .map(|z| z.timestamp().into())
}

/// How many debtors a hopper wants, and of how many of them with an agreed call-back at most.
pub(crate) type Want = (u32, Option<u32>);

/// Feeds once. Errors of the store end it; what was judged so far is kept.
pub(crate) async fn feed(
    shared: &Shared,
    setting: &Arc<Setting>,
    (want, agreed_max): Want,
) -> Result<Fed, StoreError> {
    let now = shared.now();
    let best_time = best_time::wanted(&setting.campaign.params);
    let mut limit = want.clamp(1, RESERVE_MAX);
    let mut keep = limit as usize;
    if best_time {
        (limit, keep) = best_time::sizes(limit, RESERVE_MAX);
    }
    // The forecast weighs each call by its number's own chance of an answer.
    let weighed = setting.campaign.params.mode == DialMode::Predictive;
    if best_time || weighed {
        learn(shared, setting).await;
    }
    let until = now.plus_ms(shared.config.contact_lease_ms);
    let request = ReserveRequest {
        campaign: setting.campaign.clone(),
        node: shared.config.node.clone(),
        fence: shared.fence,
        limit,
        parts: shared.floor.parts(setting, limit),
        agreed_max,
        now,
        until,
    };
    let mut candidates = shared.out.store.reserve_contacts(&request).await?;
    owed::of_candidates(shared, &mut candidates, now).await?;
    shared.floor.took(setting, &candidates);
    let around = around(shared, &candidates).await?;
    let mut fed = Fed {
        more: candidates.len() >= limit as usize,
        ..Fed::default()
    };
    fed.last.reserved = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    for candidate in candidates {
        sort(shared, setting, candidate, &around, (now, until), &mut fed).await;
    }
    by_the_hour(shared, setting, &mut fed, (best_time, weighed, keep), now).await;
    fed.last.allowed = u32::try_from(fed.stocked.len()).unwrap_or(u32::MAX);
    Ok(fed)
}

/// Of those who may be dialed, whoever has a better hour is put off: by the campaign's order `best_time`, or where the
/// law rations his contacts. A forecast (`weighed`) is told how likely each of the others is to answer.
async fn by_the_hour(
    shared: &Shared,
    setting: &Setting,
    fed: &mut Fed,
    (best_time, weighed, keep): (bool, bool, usize),
    now: UtcMs,
) {
    let mut open = fed.stocked.iter();
    let scarce = !best_time && open.any(|(_, s)| best_time::rationed(shared, &s.facts, now));
    if scarce && !weighed {
        learn(shared, setting).await;
    }
    let asked = fed.stocked.iter();
    let asked: Vec<DebtorId> = asked
        .filter(|_| best_time || scarce || weighed)
        .map(|(item, _)| item.debtor)
        .collect();
    let known = Histories::read(shared, &asked, now).await;
    if best_time || scarce {
        let open = (std::mem::take(&mut fed.stocked), &known);
        let (kept, later) = match best_time {
            true => best_time::sift(shared, setting, open, keep, now),
            false => best_time::sift_rationed(shared, setting, open, now),
        };
        fed.stocked = kept;
        for item in later {
            give_back(shared, &item, None).await;
        }
    }
    if weighed {
        for (item, stocked) in &mut fed.stocked {
            item.answer = Some(best_time::live(shared, setting, (stocked, &known), now));
        }
    }
}

/// Learns who answers when; what was learned before still chooses where that fails.
async fn learn(shared: &Shared, setting: &Setting) {
    if let Err(error) = best_time::learn(shared, setting).await {
        tracing::debug!(reason = %error, "attempts not read: nothing new learned of answers");
    }
}

/// One reserved debtor: to the hopper, or back with his reason.
async fn sort(
    shared: &Shared,
    setting: &Arc<Setting>,
    mut candidate: Candidate,
    around: &Around,
    (now, until): (UtcMs, UtcMs),
    fed: &mut Fed,
) {
    let first = match turn(shared, setting, &mut candidate, around, now).await {
        Ok(first) => first,
        Err(item) => return give_back(shared, &item, None).await,
    };
    match consider(shared, setting, candidate, now, until) {
        Considered::Allowed(mut item, stocked) => {
            (item.own_agent, item.own_only) = (first.agent, first.only);
            item.avoid = shared.floor.failed_of(item.debtor, now);
            if first.only {
                // His agent may be gone by then: whose turn it is is asked again.
                item.lease_until = item.lease_until.min(now.plus_ms(OWN_WAITS_MS));
            }
            fed.stocked.push((*item, *stocked));
        }
        Considered::Back(item, verdict) => {
            if let Some(verdict) = &verdict {
                note_refusal(&mut fed.last, verdict);
            }
            give_back(shared, &item, verdict.as_deref()).await;
        }
    }
}

/// The event of a stored decision that led to no attempt; the others are told with their attempt.
fn recorded(shared: &Shared, verdict: &Verdict) -> NewEvent {
    let data = serde_json::json!({
        "verdict_id": verdict.id, "campaign_id": verdict.campaign_id,
        "decision": verdict.decision.as_str(), "blocked": verdict.blocked,
        "check_point": verdict.check_point, "next_legal_at": verdict.next_legal_at,
    });
    let subject = format!("debtor:{}", verdict.debtor_id);
    shared.event(None, shared.actor(), "verdict.recorded", subject, data)
}

async fn give_back(shared: &Shared, item: &ItemState, verdict: Option<&Verdict>) {
    let store = &shared.out.store;
    let events: Vec<NewEvent> = verdict.iter().map(|v| recorded(shared, v)).collect();
    let done = persist!(shared, store.release_contact(item, verdict, &events));
    if let Err(error) = done {
        shared.fault("item not given back", &error);
    }
}

fn note_refusal(last: &mut LastFeed, verdict: &Verdict) {
    *last
        .blocked
        .entry(crate::words::block(verdict.blocked).to_owned())
        .or_insert(0) += 1;
    last.next = [last.next, verdict.next_legal_at]
        .into_iter()
        .flatten()
        .min();
    if let Some((es, en)) = verdict.reason() {
        let both = (es.to_owned(), en.to_owned());
        *last.reasons.entry(both).or_insert(0) += 1;
    }
}

enum Considered {
    Allowed(Box<Item>, Box<Stocked>),
    Back(Box<ItemState>, Option<Box<Verdict>>),
}

/// What stands in the way without asking the law: limits of the campaign.
fn spent(
    setting: &Setting,
    candidate: &Candidate,
    points: &[&ContactPoint],
) -> Option<&'static str> {
    let params = &setting.campaign.params;
    // The message was one of them: the agent whom he asked for out of it is owed all the same.
    let owed = params.mode == DialMode::Agentless && CallbackRow::is_agreed(&candidate.item);
    if candidate.item.attempts >= params.attempts_per_debtor && !owed {
        return Some("attempts_per_debtor");
    }
    let had_one = candidate
        .facts
        .points
        .iter()
        .any(|p| p.channel == Channel::Call);
    (points.is_empty() && had_one).then_some("points_spent")
}

/// Whether the message of an agentless campaign is approved in the language that the debtor would hear.
fn spoken_to(setting: &Setting, candidate: &Candidate) -> bool {
    let tongue = crate::inbound::tongue(candidate.facts.debtor.language);
    let approved = &setting.campaign.params.agentless;
    crate::agentless::approved_sound(approved, tongue).is_some()
}

/// Nobody is called to be told nothing.
fn without_words(mut item: ItemState, now: UtcMs) -> Considered {
    item.next_at = now.plus_ms(REFUSED_AGAIN_MS);
    "no_message_in_language".clone_into(&mut item.note);
    Considered::Back(Box::new(item), None)
}

fn consider(
    shared: &Shared,
    setting: &Arc<Setting>,
    candidate: Candidate,
    now: UtcMs,
    until: UtcMs,
) -> Considered {
    let params = &setting.campaign.params;
    let zone = zone_or_utc(&shared.out.law.zone_of(&candidate.facts));
    let points = ladder(
        &candidate.facts,
        params,
        &candidate.point_attempts,
        candidate.item.next_point,
        (now, &zone),
    );
    if let Some(note) = spent(setting, &candidate, &points) {
        let mut item = candidate.item;
        item.done = true;
        note.clone_into(&mut item.note);
        return Considered::Back(Box::new(item), None);
    }
    let law = shared.out.law.call_law(&candidate.facts, now);
    let ring_ms = (params.ring_timeout_s * SECOND_MS).max(law.ring_min_ms);
    let check = if candidate.item.note.starts_with("callback") {
        CheckPoint::Callback
    } else {
        CheckPoint::Hopper
    };
    let first = points.first().map(|p| p.id);
    let caller = shown::choose(shared, setting, &candidate.facts, first, now);
    let mut best: Option<Verdict> = None;
    let mut asked: Vec<Option<PointId>> = points.iter().map(|p| Some(p.id)).collect();
    if asked.is_empty() {
        asked.push(None);
    }
    // A message is told by nobody: what the law gives to an agent alone is not for it. Who was promised a call
    // talks with an agent here too.
    let alone = params.mode == DialMode::Agentless;
    let promised = alone && CallbackRow::is_agreed(&candidate.item);
    let with_agent = !alone || promised;
    if !with_agent && !spoken_to(setting, &candidate) {
        return without_words(candidate.item, now);
    }
    for point in asked {
        let mut action = action(setting, VerdictId(shared.id()), check, point, ring_ms, now);
        action.agent_reserved |= promised;
        asked::by(shared, &mut action, shared.actor());
        action.circumstances.caller = Some(caller.clone());
        action.circumstances.reserved_until = Some(until);
        let verdict = shared.out.law.judge(&candidate.facts, &action);
        let chosen = points
            .iter()
            .find(|p| Some(p.id) == point)
            .map(|p| (*p).clone());
        if let (true, Some(point)) = (verdict.decision.permits(with_agent), chosen) {
            let (mut item, stocked) =
                allowed(shared, setting, candidate, point, &verdict, &law, until);
            item.agent_only |= promised;
            return Considered::Allowed(Box::new(item), Box::new(stocked));
        }
        let later = |v: &Verdict| v.next_legal_at.unwrap_or(UtcMs(i64::MAX));
        if best.as_ref().is_none_or(|b| later(&verdict) < later(b)) {
            best = Some(verdict);
        }
    }
    put_off(candidate.item, best, now)
}

/// Back with what refused him, until it may be otherwise.
fn put_off(mut item: ItemState, best: Option<Verdict>, now: UtcMs) -> Considered {
    let next = best.as_ref().and_then(|v| v.next_legal_at);
    item.next_at = next
        .unwrap_or(now.plus_ms(again_ms(best.as_ref())))
        .max(now.plus_ms(REFUSED_LEAST_MS));
    let item = refused(item, best.as_ref());
    Considered::Back(Box::new(item), best.map(Box::new))
}

/// Before he is looked at again where the law names no instant. A number that may not be shown is soon another one.
fn again_ms(verdict: Option<&Verdict>) -> i64 {
    match crate::words::refusal(verdict) {
        crate::words::NO_NUMBER => SHOWN_AGAIN_MS,
        _ => REFUSED_AGAIN_MS,
    }
}

/// What is noted of a refusal, so that a campaign's reasons are counted by it. An agreed call-back that the hours or a cap only put off stays one.
pub(crate) fn refused(mut item: ItemState, verdict: Option<&Verdict>) -> ItemState {
    let blocked = verdict.and_then(|v| v.blocked);
    let agreed = item.note.starts_with("callback");
    if agreed && matches!(blocked, Some(BlockReason::Window | BlockReason::Cap)) {
        item.note = CallbackRow::note_of(own_agent(&item.note));
        return item;
    }
    if agreed {
        item.priority = 0;
    }
    crate::words::refusal(verdict).clone_into(&mut item.note);
    item
}

fn allowed(
    shared: &Shared,
    setting: &Arc<Setting>,
    candidate: Candidate,
    point: ContactPoint,
    verdict: &Verdict,
    law: &CallLaw,
    until: UtcMs,
) -> (Item, Stocked) {
    let facts = Arc::new(candidate.facts);
    let zone = zone_or_utc(&shared.out.law.zone_of(&facts));
    let said = |pick: fn(&domain::entity::RuleHit) -> &String| {
        verdict
            .rules
            .iter()
            .map(pick)
            .next()
            .cloned()
            .unwrap_or_default()
    };
    let item = Item {
        campaign: setting.id(),
        client: setting.client.id,
        debtor: facts.debtor.id,
        person: facts.debtor.person_id,
        point: point.id,
        // Who was promised a call is not called to wait for an agent.
        agent_only: verdict.decision == Decision::AllowAgentOnly
            || CallbackRow::is_agreed(&candidate.item),
        ring_min_ms: law.ring_min_ms,
        agent_within_ms: law.agent_within_ms,
        lease_until: until,
        priority: candidate.item.priority,
        own_agent: own_agent(&candidate.item.note),
        own_only: false,
        abandon: law.abandon,
        short_calls: law.short_calls,
        closes_at: closes_at(setting, &zone, verdict.at),
        language: facts.debtor.language,
        avoid: None,
        answer: None,
    };
    let stocked = Stocked {
        setting: Arc::clone(setting),
        state: candidate.item,
        in_campaign: true,
        point,
        point_attempts: candidate.point_attempts,
        verdict_id: verdict.id,
        decision: verdict.decision.as_str(),
        reason: (said(|r| &r.es), said(|r| &r.en)),
        since: verdict.at,
        closes_at: closes_at(setting, &zone, verdict.at),
        facts,
        why: None,
    };
    (item, stocked)
}
