//! Order `best_time`: learns who answers when from the campaign's own attempts, weighs a call now against
//! the best later hour, keeps the best of the debtors reserved and says why (domain::answer).

use crate::feeder::{campaign_action, zone_or_utc};
use crate::live::{Setting, Stocked};
use crate::shared::Shared;
use dialer::Item;
use domain::answer::{
    AnswerModel, Choice, Entry, Observation, Outlook, Passes, PointView, Slot, Tried, Why, Worth,
    choose, hours_ahead, weigh, why_not_yet, why_now,
};
use domain::entity::{
    Attempt, AttemptState, CallResult, Campaign, CampaignParams, Channel, CheckPoint, ContactPoint,
    LedgerKind,
};
use domain::ids::{CampaignId, ClientId, DebtorId, VerdictId};
use domain::ports::store::{AttemptFilter, ContactFacts, ItemState, PageRequest, StoreError};
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Order key of terms.md §10.
const KEY: &str = "best_time";
/// Debtors reserved for each one asked for: a choice of two, at little more work.
const RESERVED_FOR_ONE: u32 = 2;
/// An attempt is learned from this long after it began, ms: by then it is over and disposed.
const SETTLED_MS: i64 = 30 * MINUTE_MS;
/// Least time between two readings of a campaign's attempts, ms.
const LEARN_EVERY_MS: i64 = 5 * MINUTE_MS;
/// How far back the first reading goes, ms: one and a half half-lives of the levels.
const LEARN_BACK_MS: i64 = 45 * DAY_MS;
/// Rows of a page of attempts.
const PAGE: u32 = 500;
/// Most pages of one reading; the next one goes on from there.
const PAGES_MAX: usize = 20;
/// Most forecasts that wait for their outcome; beyond, they are forgotten and learned from no more.
const FORECASTS_MAX: usize = 50_000;

/// Whether the campaign chooses by the best time to call.
pub(crate) fn wanted(params: &CampaignParams) -> bool {
    params.order.iter().any(|key| key == KEY)
}

/// Debtors to reserve and, of those, most to keep.
pub(crate) fn sizes(limit: u32, most: u32) -> (u32, usize) {
    let asked = limit.saturating_mul(RESERVED_FOR_ONE).min(most);
    let keep = limit.min(most / RESERVED_FOR_ONE);
    (asked, usize::try_from(keep).unwrap_or(usize::MAX))
}

#[derive(Default)]
struct Known {
    model: AnswerModel,
    /// Attempts of each campaign begun before this were learned from.
    read: BTreeMap<CampaignId, UtcMs>,
    /// The last forecast for a debtor and when it was made.
    forecasts: BTreeMap<DebtorId, (UtcMs, f64)>,
}

/// What this node knows of answers, per client. It is read again from the attempts after a start.
#[derive(Default)]
pub(crate) struct Answers(Mutex<BTreeMap<ClientId, Known>>);

impl Answers {
    fn with<T>(&self, client: ClientId, work: impl FnOnce(&mut Known) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(client).or_default())
    }
}

/// What came of an attempt; `None` when it says nothing about the person (still open, withdrawn, blocked,
/// never at the number). The slot is of the campaign's zone: an attempt's row has no other.
fn outcome(attempt: &Attempt, zone: &TimeZone) -> Option<Observation> {
    let result = attempt.result?;
    let said = attempt.state == AttemptState::Ended
        && attempt.invite_at.is_some()
        && !result.never_reached()
        && !matches!(result, CallResult::Cancelled | CallResult::Unknown);
    let direct = |code: &String| code.starts_with("CD.");
    said.then(|| Observation {
        campaign: attempt.campaign_id,
        at: attempt.opened_at,
        slot: Slot::at(attempt.opened_at, zone),
        live: result.is_live_answer(),
        right_party: attempt.identity_at.is_some()
            || attempt.disposition.as_ref().is_some_and(direct),
        forecast: None,
    })
}

/// Learns from the campaign's attempts that settled since the last reading: one paged query a campaign
/// and some minutes, whichever node dialed them.
pub(crate) async fn learn(shared: &Shared, setting: &Setting) -> Result<(), StoreError> {
    let (client, campaign, now) = (setting.client.id, setting.id(), shared.now());
    let known = &shared.answers;
    let from = known
        .with(client, |k| k.read.get(&campaign).copied())
        .unwrap_or(now.plus_ms(-LEARN_BACK_MS));
    let mut to = now.plus_ms(-SETTLED_MS);
    if to.since_ms(from) < LEARN_EVERY_MS {
        return Ok(());
    }
    let filter = AttemptFilter {
        campaign_id: Some(campaign),
        since: Some(from),
        ..AttemptFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE,
        cursor: None,
    };
    let mut rows = Vec::new();
    for _ in 0..PAGES_MAX {
        let got = shared.out.store.list_attempts(&filter, &page).await?;
        rows.extend(got.items);
        page.cursor = got.next_cursor;
        if page.cursor.is_none() || rows.last().is_some_and(|a| a.opened_at >= to) {
            break;
        }
    }
    if let (Some(_), Some(last)) = (&page.cursor, rows.last()) {
        to = to.min(last.opened_at);
    }
    rows.retain(|a| a.opened_at < to);
    known.with(client, |k| {
        if k.read.get(&campaign).is_some_and(|read| *read != from) {
            // Another feeding of this campaign read the same rows meanwhile.
            return;
        }
        let mut seen = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(mut one) = outcome(row, &setting.zone) else {
                continue;
            };
            if let Some((at, said)) = k.forecasts.get(&row.debtor_id).copied()
                && at <= row.opened_at
            {
                k.forecasts.remove(&row.debtor_id);
                one.forecast = Some(said);
            }
            seen.push(one);
        }
        k.model.learn(&seen);
        k.read.insert(campaign, to);
    });
    Ok(())
}

/// The point's tries in the ledger, which the facts hold.
fn tries(facts: &ContactFacts, point: &ContactPoint, zone: &TimeZone) -> Vec<Tried> {
    let ours = facts
        .ledger
        .iter()
        .filter(|r| r.channel == Channel::Call && r.point_id == Some(point.id));
    let spoken: BTreeSet<_> = ours
        .clone()
        .filter(|r| r.kind == LedgerKind::Conversation)
        .filter_map(|r| r.attempt_id)
        .collect();
    ours.filter(|r| r.kind == LedgerKind::Attempt && r.reached_network != Some(false))
        .map(|r| Tried {
            at: r.at,
            slot: Slot::at(r.at, zone),
            right_party: r.attempt_id.is_some_and(|id| spoken.contains(&id)),
        })
        .collect()
}

/// The campaign's hours as local times; `24:00` is the last moment of the day.
fn window(params: &CampaignParams) -> (Time, Time) {
    let time = |text: &str, other| text.parse::<Time>().unwrap_or(other);
    (
        time(&params.window_from, Time::midnight()),
        time(&params.window_to, Time::MAX),
    )
}

/// Weighs a call to a point now against later, under the law.
pub(crate) fn worth(
    shared: &Shared,
    campaign: &Campaign,
    facts: &ContactFacts,
    point: &ContactPoint,
    now: UtcMs,
) -> (Worth, TimeZone) {
    let zone = zone_or_utc(&shared.out.law.zone_of(facts));
    let tries = tries(facts, point, &zone);
    let ring = shared.out.law.call_law(facts, now).ring_min_ms;
    let hours = window(&campaign.params);
    let lawful = |at: UtcMs| {
        let id = VerdictId(shared.id());
        let asked = campaign_action(campaign, id, CheckPoint::Hopper, Some(point.id), ring, at);
        shared.out.law.judge(facts, &asked).decision.permits(true)
    };
    let worth = shared.answers.with(campaign.client_id, |known| {
        let ahead = hours_ahead(now, &zone, hours, known.model.params().look_days);
        let case = Outlook {
            campaign: Some(campaign.id),
            point: PointView {
                tries: &tries,
                confidence: point.confidence,
                given_by_debtor: point.given_by_debtor,
            },
            zone: &zone,
            window: hours,
            amount_minor: facts.debts.iter().map(|d| d.balance_minor()).sum(),
        };
        weigh(&known.model, &case, &ahead, now, lawful)
    });
    (worth, zone)
}

/// Probability that a person answers a call to a stocked debtor's point now.
pub(crate) fn live(shared: &Shared, setting: &Setting, stocked: &Stocked, now: UtcMs) -> f64 {
    let zone = zone_or_utc(&shared.out.law.zone_of(&stocked.facts));
    let tries = tries(&stocked.facts, &stocked.point, &zone);
    let view = PointView {
        tries: &tries,
        confidence: stocked.point.confidence,
        given_by_debtor: stocked.point.given_by_debtor,
    };
    shared.answers.with(setting.client.id, |known| {
        let slot = Slot::at(now, &zone);
        let chance = known.model.chance(Some(setting.id()), &view, slot, now);
        chance.live
    })
}

/// Whether he goes before all others: agreed, at the head of the queue, or passed over long enough.
fn due(shared: &Shared, client: ClientId, item: &ItemState, now: UtcMs) -> bool {
    let passes = Passes::read(&item.note);
    item.priority > 0
        || item.note.starts_with("callback")
        || shared
            .answers
            .with(client, |k| passes.due(now, k.model.params()))
}

/// Of the debtors that may be dialed, those to dial, and the items to give back for a better hour.
pub(crate) fn sift(
    shared: &Shared,
    setting: &Setting,
    open: Vec<(Item, Stocked)>,
    keep: usize,
    now: UtcMs,
) -> (Vec<(Item, Stocked)>, Vec<ItemState>) {
    let client = setting.client.id;
    let worths: Vec<Worth> = open
        .iter()
        .map(|(_, s)| worth(shared, &setting.campaign, &s.facts, &s.point, now).0)
        .collect();
    let entries: Vec<Entry> = open
        .iter()
        .zip(&worths)
        .map(|((_, stocked), worth)| Entry {
            value: worth.value,
            due: due(shared, client, &stocked.state, now),
            hold: worth.hold,
        })
        .collect();
    let (_, seed) = shared.id().as_u64_pair();
    let (kept, look_again_ms) = shared.answers.with(client, |known| {
        let kept = choose(&entries, keep, known.model.params(), seed);
        if known.forecasts.len() + kept.len() > FORECASTS_MAX {
            known.forecasts.clear();
        }
        for choice in &kept {
            let debtor = open[choice.index].1.facts.debtor.id;
            let said = worths[choice.index].now.raw;
            known.forecasts.insert(debtor, (now, said));
        }
        (kept, known.model.params().look_again_min * MINUTE_MS)
    });
    split(open, &kept, |at, item| {
        let again = now.plus_ms(look_again_ms);
        let best = worths[at].later.as_ref().map_or(again, |later| later.at);
        item.next_at = again.min(best).max(now.plus_ms(MINUTE_MS));
        if !entries[at].due {
            item.note = Passes::read(&item.note).again(now).note();
        }
    })
}

/// Those chosen, in the order of the choice, and the others' items with their wait.
fn split(
    open: Vec<(Item, Stocked)>,
    kept: &[Choice],
    wait: impl Fn(usize, &mut ItemState),
) -> (Vec<(Item, Stocked)>, Vec<ItemState>) {
    let mut open: Vec<Option<(Item, Stocked)>> = open.into_iter().map(Some).collect();
    let chosen = kept.iter().filter_map(|c| open[c.index].take()).collect();
    let back = open.into_iter().enumerate().filter_map(|(at, left)| {
        let mut item = left?.1.state;
        wait(at, &mut item);
        Some(item)
    });
    let back = back.collect();
    (chosen, back)
}

/// Why now or why not yet (Spanish, English), for a debtor of a campaign in this order.
pub(crate) fn told(
    shared: &Shared,
    campaign: &Campaign,
    item: &ItemState,
    facts: &ContactFacts,
    chosen: bool,
    now: UtcMs,
) -> Option<(String, String)> {
    let place = (now, &zone_or_utc(&shared.out.law.zone_of(facts)));
    let points = crate::ladder::ladder(facts, &campaign.params, &[], item.next_point, place);
    let (worth, zone) = worth(shared, campaign, facts, points.first()?, now);
    Some(if due(shared, campaign.client_id, item, now) {
        why_now(&worth, Why::Due, &zone)
    } else if chosen {
        why_now(&worth, Why::Value, &zone)
    } else if worth.value < 0.0 || worth.hold || item.note.starts_with(Passes::NOTE) {
        why_not_yet(&worth, &zone)
    } else {
        why_now(&worth, Why::Value, &zone)
    })
}
