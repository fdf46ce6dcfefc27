//! Order `best_time`: weighs a call now against the best later hour by what is known of who answers when,
//! keeps the best of the debtors reserved and says why (domain::answer).

mod history;
mod learn;

pub(crate) use history::Histories;
pub(crate) use learn::learn;

use crate::error::CenterError;
use crate::feeder::{campaign_action, zone_or_utc};
use crate::live::{Setting, Stocked};
use crate::shared::Shared;
use dialer::Item;
use domain::answer::{
    AnswerModel, Choice, Due, Entry, Forecast, Outlook, Passes, PointView, Slot, Why, Worth,
    better_hour, choose, hours_ahead, weigh, why_not_yet, why_now,
};
use domain::entity::{Campaign, CampaignParams, CampaignStatus, CheckPoint, ContactPoint};
use domain::ids::{CampaignId, ClientId, DebtorId, VerdictId};
use domain::law::Place;
use domain::ports::store::{ContactFacts, ItemState};
use domain::rules::worth::worth as in_cents;
use domain::time::{MINUTE_MS, UtcMs};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Order key of terms.md §10.
const KEY: &str = "best_time";
/// Debtors reserved for each one asked for: a choice of two, at little more work.
const RESERVED_FOR_ONE: u32 = 2;
/// Most forecasts that wait for their outcome; beyond, they are forgotten and learned from no more.
const FORECASTS_MAX: usize = 50_000;

/// Whether the campaign chooses by the best time to call.
pub(crate) fn wanted(params: &CampaignParams) -> bool {
    params.order.iter().any(|key| key == KEY)
}

/// Whether the debtor's own packs ration contacts by phone: then his hour is chosen under any order of the campaign,
/// whenever it was made and whichever countries its portfolio holds.
pub(crate) fn rationed(shared: &Shared, facts: &ContactFacts, now: UtcMs) -> bool {
    let place = Place::of(&facts.debtor, &facts.portfolio);
    shared.out.law.rations(&place, now)
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
    forecasts: BTreeMap<DebtorId, (UtcMs, Forecast)>,
}

impl Known {
    /// Remembers forecasts until their calls are learned from.
    fn note(&mut self, now: UtcMs, made: impl IntoIterator<Item = (DebtorId, Forecast)>) {
        for (debtor, said) in made {
            if self.forecasts.len() >= FORECASTS_MAX && !self.forecasts.contains_key(&debtor) {
                self.forecasts.clear();
            }
            self.forecasts.insert(debtor, (now, said));
        }
    }

    /// Takes the forecast that was made for a call of an instant.
    fn forecast_for(&mut self, debtor: DebtorId, at: UtcMs) -> Option<Forecast> {
        let (_, said) = *self
            .forecasts
            .get(&debtor)
            .filter(|(made, _)| *made <= at)?;
        self.forecasts.remove(&debtor);
        Some(said)
    }
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

/// The campaign's hours as local times; `24:00` is the last moment of the day.
fn window(params: &CampaignParams) -> (Time, Time) {
    let plain = (params.window_from.as_str(), params.window_to.as_str());
    let (from, to) = params.schedule.widest(plain);
    let time = |text: &str, other| text.parse::<Time>().unwrap_or(other);
    (time(from, Time::midnight()), time(to, Time::MAX))
}

/// Weighs a call to a point now against later, under the law.
fn worth(
    shared: &Shared,
    campaign: &Campaign,
    facts: &ContactFacts,
    (point, known): (&ContactPoint, &Histories),
    now: UtcMs,
) -> (Worth, TimeZone) {
    let zone = zone_or_utc(&shared.out.law.zone_of(facts));
    let tries = known.tries(point.id, &zone);
    let ring = shared.out.law.call_law(facts, now).ring_min_ms;
    let hours = window(&campaign.params);
    let lawful = |at: UtcMs| {
        let id = VerdictId(shared.id());
        let asked = campaign_action(campaign, id, CheckPoint::Hopper, Some(point.id), ring, at);
        shared.out.law.judge(facts, &asked).decision.permits(true)
    };
    let owed = facts.debts.iter();
    let owed = owed.map(|d| in_cents(d.balance_minor(), d.currency));
    let stake = owed.fold(0, i64::saturating_add);
    let worth = shared.answers.with(campaign.client_id, |known| {
        let ahead = hours_ahead(now, &zone, hours, known.model.params().look_days);
        let case = Outlook {
            campaign: Some(campaign.id),
            point: PointView {
                tries: &tries,
                traits: history::traits(point),
            },
            zone: &zone,
            window: hours,
            stake,
        };
        weigh(&known.model, &case, &ahead, now, lawful)
    });
    (worth, zone)
}

/// Probability that a person answers a call to a stocked debtor's point now, noted as said of it.
pub(crate) fn live(
    shared: &Shared,
    setting: &Setting,
    (stocked, known): (&Stocked, &Histories),
    now: UtcMs,
) -> f64 {
    let zone = zone_or_utc(&shared.out.law.zone_of(&stocked.facts));
    let tries = known.tries(stocked.point.id, &zone);
    let view = PointView {
        tries: &tries,
        traits: history::traits(&stocked.point),
    };
    shared.answers.with(setting.client.id, |known| {
        let slot = Slot::at(now, &zone);
        let chance = known.model.chance(Some(setting.id()), &view, slot, now);
        known.note(now, [(stocked.facts.debtor.id, chance.raw)]);
        chance.live
    })
}

/// Whether he goes before all others: agreed, at the head of the queue, or passed over long enough.
fn due(shared: &Shared, client: ClientId, item: &ItemState, now: UtcMs) -> Option<Due> {
    if item.priority > 0 || item.note.starts_with("callback") {
        return Some(Due::Agreed);
    }
    let passes = Passes::read(&item.note);
    let waited = |known: &mut Known| passes.due(now, known.model.params());
    let waited = shared.answers.with(client, waited);
    waited.then_some(Due::Waited)
}

/// Of the debtors that may be dialed, those to dial, and the items to give back for a better hour.
pub(crate) fn sift(
    shared: &Shared,
    setting: &Setting,
    (open, known): (Vec<(Item, Stocked)>, &Histories),
    keep: usize,
    now: UtcMs,
) -> (Vec<(Item, Stocked)>, Vec<ItemState>) {
    let client = setting.client.id;
    let worths: Vec<Worth> = open
        .iter()
        .map(|(_, s)| {
            let point = (&s.point, known);
            worth(shared, &setting.campaign, &s.facts, point, now).0
        })
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
        let said = kept.iter().map(|choice| {
            let debtor = open[choice.index].1.facts.debtor.id;
            (debtor, worths[choice.index].now.raw)
        });
        known.note(now, said);
        (kept, known.model.params().look_again_min * MINUTE_MS)
    });
    split(open, &kept, |at, item| {
        let again = now.plus_ms(look_again_ms);
        let best = worths[at].later.as_ref().map_or(again, |later| later.at);
        item.next_at = again.min(best).max(now.plus_ms(MINUTE_MS));
        if entries[at].due.is_none() {
            item.note = Passes::read(&item.note).again(now).note();
        }
    })
}

/// As [`sift`] of a campaign with another order: of the rationed alone, as many as there are; who goes keeps his place
/// in that order.
pub(crate) fn sift_rationed(
    shared: &Shared,
    setting: &Setting,
    (open, known): (Vec<(Item, Stocked)>, &Histories),
    now: UtcMs,
) -> (Vec<(Item, Stocked)>, Vec<ItemState>) {
    let places = open.iter().zip(0_usize..);
    let places: BTreeMap<DebtorId, usize> =
        places.map(|((item, _), at)| (item.debtor, at)).collect();
    let (scarce, free): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|(_, stocked)| rationed(shared, &stocked.facts, now));
    let keep = scarce.len();
    let (mut kept, later) = sift(shared, setting, (scarce, known), keep, now);
    kept.extend(free);
    kept.sort_by_key(|(item, _)| places.get(&item.debtor).copied());
    (kept, later)
}

/// Those chosen, in the order of the choice and each with its reason, and the others' items with their wait.
fn split(
    open: Vec<(Item, Stocked)>,
    kept: &[Choice],
    wait: impl Fn(usize, &mut ItemState),
) -> (Vec<(Item, Stocked)>, Vec<ItemState>) {
    let mut open: Vec<Option<(Item, Stocked)>> = open.into_iter().map(Some).collect();
    let chosen = kept.iter().filter_map(|choice| {
        let (item, mut stocked) = open[choice.index].take()?;
        stocked.why = Some(choice.why);
        Some((item, stocked))
    });
    let chosen = chosen.collect();
    let back = open.into_iter().enumerate().filter_map(|(at, left)| {
        let mut item = left?.1.state;
        wait(at, &mut item);
        Some(item)
    });
    let back = back.collect();
    (chosen, back)
}

/// Why now or why not yet (Spanish, English); `open` whether the law lets him be called now. `None` where the
/// campaign has another order and nothing rations him, or it does not run, he has left it or has no number left, or nothing better is known of
/// whom nobody may call now.
pub(crate) async fn told(
    shared: &Shared,
    campaign: &Campaign,
    item: &ItemState,
    facts: &ContactFacts,
    (now, open): (UtcMs, bool),
) -> Result<Option<(String, String)>, CenterError> {
    let place = (now, &zone_or_utc(&shared.out.law.zone_of(facts)));
    let points = crate::ladder::ladder(facts, &campaign.params, &[], item.next_point, place);
    let runs = campaign.status == CampaignStatus::Running;
    let chosen_by_hour = wanted(&campaign.params) || rationed(shared, facts, now);
    let asked = chosen_by_hour && runs && !item.done;
    let Some(point) = points.first().filter(|_| asked) else {
        return Ok(None);
    };
    let (id, debtor) = (campaign.id, facts.debtor.id);
    let asked = shared.post.call(move |e, _| e.chosen(id, debtor));
    let chosen: Option<Option<Why>> = asked.await?;
    let known = Histories::read(shared, &[debtor], now).await;
    let (worth, zone) = worth(shared, campaign, facts, (point, &known), now);
    let passed = item.note.starts_with(Passes::NOTE);
    let put_off = chosen.is_none() && item.next_at > now;
    let turn = due(shared, campaign.client_id, item, now);
    if !open || (put_off && !passed) {
        let told = better_hour(&worth, &zone, item.next_at.max(now));
        return Ok(told.filter(|_| !matches!(turn, Some(Due::Agreed))));
    }
    let waits = worth.value < 0.0 || worth.hold || passed;
    Ok(Some(match chosen {
        // As it was when he was taken: what is worth most may be another meanwhile.
        Some(Some(why)) => why_now(&worth, why, &zone),
        _ if !put_off && turn.is_some() => why_now(&worth, Why::Due, &zone),
        None if waits => why_not_yet(&worth, &zone),
        _ => why_now(&worth, Why::Value, &zone),
    }))
}
