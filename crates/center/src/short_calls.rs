//! Short calls of the company's day, counted for the campaigns whose packs have a rule on them (law.md §4): every
//! node's calls, from the store, so that a start or another node changes nothing.

use crate::campaigns::day_bounds;
use crate::live::Setting;
use crate::shared::Shared;
use crate::tasks::pause;
use crate::view::Problem;
use dialer::{Input, ShortDay};
use domain::ids::CampaignId;
use domain::law::ShortCallRule;
use domain::ports::store::{ShortCount, StoreError};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Between two looks for campaigns whose day was not counted yet, ms: until it is they do not dial.
const LOOK_MS: u64 = 1_000;
/// Looks between two counts of the others.
const LOOKS: u32 = 10;
/// Calls that began so long ago have their end and their code: whole hours of them are counted once, ms.
const SETTLED_MS: i64 = 3 * HOUR_MS;

/// A campaign that asks for a count.
pub(crate) struct ShortAsk {
    pub(crate) setting: Arc<Setting>,
    pub(crate) rule: ShortCallRule,
    /// Whether it has one already.
    pub(crate) counted: bool,
}

/// Short calls of the company's day with the rule on them (law.md §4, `anatel_short`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShortCalls {
    /// Not answered, not answered yet, machines, or over at once.
    pub numerator: u64,
    /// All calls of the day, of every campaign and client.
    pub denominator: u64,
    /// Share that has the company blocked, percent.
    pub cap_pct: f64,
    /// Calls of the day from which it counts.
    pub day_min: u32,
}

/// The day as the board shows it; `None` before it was counted.
pub(crate) fn row(day: ShortDay) -> Option<ShortCalls> {
    let counted = day.counted?;
    Some(ShortCalls {
        numerator: counted.short,
        denominator: counted.calls,
        cap_pct: day.rule.cap_pct,
        day_min: day.rule.day_min,
    })
}

/// What the board says of a campaign that the rule stops.
pub(crate) fn problem(day: ShortDay) -> Problem {
    let Some(counted) = day.counted else {
        return Problem {
            code: "short_calls",
            es: "se cuentan las llamadas cortas del día antes de marcar".to_owned(),
            en: "the short calls of the day are counted before it dials".to_owned(),
        };
    };
    let (short, calls, cap) = (counted.short, counted.calls, day.rule.cap_pct);
    Problem {
        code: "short_calls",
        es: format!(
            "no se marca: {short} de {calls} llamadas de hoy son cortas y la red bloquea a la empresa desde {cap} %"
        ),
        en: format!(
            "it does not dial: {short} of {calls} calls today are short, and the network blocks the company from {cap} %"
        ),
    }
}

/// The day's begin and the limit: what a count depends on.
type Key = (UtcMs, i64);

/// What is counted for good: until when, and how many.
type Settled = BTreeMap<Key, (UtcMs, ShortCount)>;

/// Counts until the center stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let (mut settled, mut months) = (Settled::new(), Months::new());
    let mut looks = 0_u32;
    while pause(&mut stop, LOOK_MS).await {
        looks = looks.wrapping_add(1);
        let Ok(asks) = shared.post.call(|engine, _| engine.short_asks()).await else {
            continue;
        };
        let due = |ask: &ShortAsk| !ask.counted || looks.is_multiple_of(LOOKS);
        for (key, asked) in rounds(shared.now(), asks.into_iter().filter(due)) {
            if let Err(error) = tell(&shared, (&mut settled, &mut months), key, asked).await {
                shared.mind(&error).await;
            }
        }
        let old = shared.now().plus_ms(-2 * DAY_MS);
        settled.retain(|(began, _), _| *began >= old);
        months.retain(|(_, today), _| *today >= old);
    }
}

/// Calls of a month before a day of it: they are over and stay what they are.
type Months = BTreeMap<(UtcMs, UtcMs), u64>;

/// The month's calls before today, counted once a day.
async fn before_today(
    shared: &Shared,
    months: &mut Months,
    (month, today): (UtcMs, UtcMs),
) -> Result<u64, StoreError> {
    if let Some(calls) = months.get(&(month, today)) {
        return Ok(*calls);
    }
    let counted = if month < today {
        let store = &shared.out.store;
        store
            .short_calls(month, today, shared.now(), 0)
            .await?
            .calls
    } else {
        0
    };
    months.insert((month, today), counted);
    Ok(counted)
}

/// Campaigns that ask for a count, and when their month began.
type Asked = (Vec<CampaignId>, UtcMs);

/// The begin of the month where the campaign is.
fn month_of(now: UtcMs, zone: &TimeZone) -> Option<UtcMs> {
    let first = now.in_zone(zone).first_of_month().ok()?;
    first.start_of_day().ok().map(|z| z.timestamp().into())
}

/// Who is to be told which count: the company's day is one, however many campaigns ask for it.
fn rounds(now: UtcMs, asks: impl Iterator<Item = ShortAsk>) -> BTreeMap<Key, Asked> {
    let mut rounds: BTreeMap<Key, Asked> = BTreeMap::new();
    for ask in asks {
        let (began, _) = day_bounds(now, &ask.setting.zone);
        let key = (began, ask.rule.max_ms);
        let month = month_of(now, &ask.setting.zone).unwrap_or(began);
        let asked = rounds.entry(key).or_insert((Vec::new(), month));
        asked.0.push(ask.setting.id());
    }
    rounds
}

async fn tell(
    shared: &Shared,
    (settled, months): (&mut Settled, &mut Months),
    (began, max_ms): Key,
    (campaigns, month): Asked,
) -> Result<(), StoreError> {
    let counted = count(shared, settled, began, max_ms).await?;
    // From so many of the month on each number shown has to be signed.
    let earlier = before_today(shared, months, (month, began)).await?;
    shared.floor.note_month(earlier + counted.calls);
    shared
        .post
        .tell(move |engine, now| {
            for campaign in campaigns {
                engine.take(now, Input::ShortCalls { campaign, counted });
            }
        })
        .await;
    Ok(())
}

async fn count(
    shared: &Shared,
    settled: &mut Settled,
    began: UtcMs,
    max_ms: i64,
) -> Result<ShortCount, StoreError> {
    let (store, now) = (&shared.out.store, shared.now());
    let (upto, sum) = settled
        .entry((began, max_ms))
        .or_insert((began, ShortCount::default()));
    let hour = now.plus_ms(-SETTLED_MS).0.div_euclid(HOUR_MS) * HOUR_MS;
    if UtcMs(hour) > *upto {
        let more = store.short_calls(*upto, UtcMs(hour), now, max_ms).await?;
        *sum = sum.plus(more);
        *upto = UtcMs(hour);
    }
    let rest = store.short_calls(*upto, now.plus_ms(1), now, max_ms);
    Ok(sum.plus(rest.await?))
}
