//! What a class of calls is more or less than the rest, learnt at the portfolio's level: the day of the week,
//! the age of the point, its source, what the last try came to.

use super::curve::faded;
use super::slot::WORKDAYS;
use super::traits::{AGES, SOURCES};
use super::tried::MISSES;
use super::{AnswerParams, Slot, Traits, Tried};
use crate::time::{DAY_MS, UtcMs};

/// Kinds of classes: day of the week, age, source, what the last try came to.
const KINDS: usize = 4;
/// Classes of the kind that has most.
const CLASSES: usize = 5;
const _: () = assert!(WORKDAYS <= CLASSES && AGES <= CLASSES);
const _: () = assert!(SOURCES <= CLASSES && MISSES <= CLASSES);

/// The classes of one call; `None` where it has none of a kind: nothing is said of it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classes([Option<usize>; KINDS]);

impl Classes {
    /// Of the day alone.
    pub(super) const fn of_day(slot: Slot) -> Self {
        Self([slot.workday(), None, None, None])
    }

    /// Of a point at an instant, whatever the day.
    pub(super) fn of_point(at: UtcMs, traits: &Traits, p: &AnswerParams) -> Self {
        let age = traits.age(at, &p.age_edges_d);
        Self([None, age, Some(traits.source.index()), None])
    }

    /// Of what the newest try before an instant came to.
    pub(super) fn of_last(at: UtcMs, last: Option<&Tried>, p: &AnswerParams) -> Self {
        let recent = last.filter(|l| at.since_ms(l.at) <= p.after_days * DAY_MS);
        let after = recent.and_then(|l| l.result.missed());
        Self([None, None, None, after])
    }

    /// Those of both; none is in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|kind| self.0[kind].or(other.0[kind])))
    }
}

/// Hits against what was expected, by class, forgetting with time.
#[derive(Debug, Clone, Copy, Default)]
struct Table {
    hits: [f64; CLASSES],
    expected: [f64; CLASSES],
}

impl Table {
    fn fade(&mut self, left: f64) {
        for cell in self.hits.iter_mut().chain(&mut self.expected) {
            *cell *= left;
        }
    }

    /// What each class is against the mean of all, by as many hits as `worth` shrunk to it.
    fn factors(&self, worth: f64, most: f64) -> [f64; CLASSES] {
        let (hits, expected): (f64, f64) = (self.hits.iter().sum(), self.expected.iter().sum());
        if hits <= 0.0 || expected <= 0.0 {
            return [1.0; CLASSES];
        }
        // What all classes were expected too low or too high is the level's to learn, not theirs.
        let all = hits / expected;
        std::array::from_fn(|class| {
            let factor = (worth + self.hits[class]) / (worth + self.expected[class] * all);
            factor.clamp(1.0 / most, most)
        })
    }
}

/// The factors of right parties, or of live answers.
#[derive(Debug, Clone)]
pub(super) struct Factors {
    tables: [Table; KINDS],
    learnt: [[f64; CLASSES]; KINDS],
    as_of: UtcMs,
}

impl Default for Factors {
    fn default() -> Self {
        Self {
            tables: [Table::default(); KINDS],
            learnt: [[1.0; CLASSES]; KINDS],
            as_of: UtcMs(i64::MIN / 2),
        }
    }
}

impl Factors {
    fn each(&self, classes: Classes) -> [f64; KINDS] {
        std::array::from_fn(|kind| {
            classes.0[kind].map_or(1.0, |class| self.learnt[kind][class % CLASSES])
        })
    }

    /// The factor of a call.
    pub(super) fn of(&self, classes: Classes) -> f64 {
        self.each(classes).iter().product()
    }

    /// Counts a call of which `expected` was said, these factors included. Calls may come in any order of time.
    pub(super) fn observe(
        &mut self,
        at: UtcMs,
        classes: Classes,
        hit: bool,
        expected: f64,
        half_life_d: f64,
    ) {
        let mut weight = 1.0;
        if at > self.as_of {
            let left = faded(at.since_ms(self.as_of), half_life_d);
            for table in &mut self.tables {
                table.fade(left);
            }
            self.as_of = at;
        } else {
            weight = faded(self.as_of.since_ms(at), half_life_d);
        }
        let said = self.each(classes);
        for (kind, table) in self.tables.iter_mut().enumerate() {
            let Some(class) = classes.0[kind] else {
                continue;
            };
            // Without this kind's own say: a class is held against calls that are alike in all else.
            table.expected[class % CLASSES] += weight * expected / said[kind];
            table.hits[class % CLASSES] += weight * f64::from(u8::from(hit));
        }
    }

    /// Reads the factors anew from what was counted.
    pub(super) fn settle(&mut self, p: &AnswerParams) {
        let worth = [p.weekday_hits, p.age_hits, p.source_hits, p.after_hits];
        for (kind, table) in self.tables.iter().enumerate() {
            self.learnt[kind] = table.factors(worth[kind], p.factor_most);
        }
    }
}
