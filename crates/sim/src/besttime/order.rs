//! The orders compared.

use super::people::Person;
use domain::answer::{
    AnswerModel, Due, Entry, Forecast, Outlook, Passes, PointSource, PointView, Slot, Traits,
    Tried, Why, choose, hours_ahead, weigh,
};
use domain::time::UtcMs;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use rand::Rng;
use rand::seq::SliceRandom as _;

/// Who comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the model: `best_time`.
    BestTime,
    /// By chance.
    Random,
    /// Oldest debt first, always the same: `dpd`.
    Dpd,
}

/// What the model's order keeps of one debtor, as the product does: his tries and his passes.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) tries: Vec<Tried>,
    pub(super) passes: Passes,
    pub(super) forecast: Option<Forecast>,
}

/// All numbers of the world are alike: its people differ in their hours alone.
pub(super) const TRAITS: Traits = Traits {
    confidence: 67,
    given_by_debtor: false,
    added_at: UtcMs(0),
    source: PointSource::Import,
};

/// An hour of the world.
pub(super) struct Hour<'a> {
    pub(super) now: UtcMs,
    pub(super) window: (Time, Time),
    pub(super) lines: usize,
    /// Whether an instant is one of calling.
    pub(super) lawful: &'a dyn Fn(UtcMs) -> bool,
    pub(super) seed: u64,
}

/// Chooses among `open` whom to call in this hour, and whether it was at random to know the hour.
pub(super) fn pick(
    order: Order,
    people: &[Person],
    kept: &mut [Kept],
    mut open: Vec<usize>,
    model: &AnswerModel,
    hour: &Hour<'_>,
    rng: &mut impl Rng,
) -> Vec<(usize, bool)> {
    match order {
        Order::Random => open.shuffle(rng),
        Order::Dpd => open.sort_by_key(|who| (std::cmp::Reverse(people[*who].dpd), *who)),
        Order::BestTime => return by_model(people, kept, &open, model, hour),
    }
    open.truncate(hour.lines);
    open.into_iter().map(|who| (who, false)).collect()
}

fn by_model(
    people: &[Person],
    kept: &mut [Kept],
    open: &[usize],
    model: &AnswerModel,
    hour: &Hour<'_>,
) -> Vec<(usize, bool)> {
    let params = model.params();
    let ahead = hours_ahead(hour.now, &TimeZone::UTC, hour.window, params.look_days);
    let mut entries = Vec::with_capacity(open.len());
    for who in open {
        let case = Outlook {
            campaign: None,
            point: PointView {
                tries: &kept[*who].tries,
                traits: TRAITS,
            },
            zone: &TimeZone::UTC,
            window: hour.window,
            stake: people[*who].amount_minor,
        };
        let worth = weigh(model, &case, &ahead, hour.now, hour.lawful);
        kept[*who].forecast = Some(worth.now.raw);
        let passed = kept[*who].passes.due(hour.now, params);
        entries.push(Entry {
            value: worth.value,
            due: passed.then_some(Due::Waited),
            hold: worth.hold,
        });
    }
    let chosen = choose(&entries, hour.lines, params, hour.seed);
    let called: Vec<(usize, bool)> = chosen
        .iter()
        .map(|c| (open[c.index], c.why == Why::Explore))
        .collect();
    for who in open {
        let passes = &mut kept[*who].passes;
        *passes = if called.iter().any(|c| c.0 == *who) {
            Passes::default()
        } else {
            passes.again(hour.now)
        };
    }
    called
}

/// The slot of an instant: the world lives in UTC.
pub(super) fn slot(at: UtcMs) -> Slot {
    Slot::at(at, &TimeZone::UTC)
}
