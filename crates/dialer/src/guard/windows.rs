//! What was counted, by windows: the last hour, the local day, 24 hours, up to 31 days. Each scope holds
//! the same answers three times, in minutes, quarters and hours, so that any window is a short sum.

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Live answers by fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Not given to an agent in time (A, and D0 of the formulas).
    pub abandoned: u64,
    /// Given to an agent and no machine (H, L).
    pub handled: u64,
    /// Machines that agents found (Ag).
    pub machines: u64,
}

impl Tally {
    /// A + H.
    #[must_use]
    pub const fn answers(&self) -> u64 {
        self.abandoned + self.handled
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            abandoned: self.abandoned + other.abandoned,
            handled: self.handled + other.handled,
            machines: self.machines + other.machines,
        }
    }
}

/// A span over which abandonment is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// The last 60 minutes.
    Hour,
    /// The campaign's local day so far.
    Day,
    /// The last 24 hours.
    Hours24,
    /// So many days back, at most 31.
    Days(u16),
}

impl Window {
    /// The windows that are published for every campaign.
    pub const PUBLISHED: [Self; 4] = [Self::Hour, Self::Day, Self::Hours24, Self::Days(30)];

    /// Stable code: `hour`, `day`, `24h`, `30d`.
    #[must_use]
    pub fn code(self) -> Cow<'static, str> {
        match self {
            Self::Hour => "hour".into(),
            Self::Day => "day".into(),
            Self::Hours24 => "24h".into(),
            Self::Days(n) => format!("{n}d").into(),
        }
    }
}

/// A local day and when dialing ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    /// Its first instant.
    pub(crate) began: UtcMs,
    /// The next day's first instant.
    pub(crate) ends: UtcMs,
    /// When the last debtor's hours end, as far as known.
    pub(crate) closes: Option<UtcMs>,
}

impl Day {
    /// The day at `now`; days are taken as 24 hours until the shell tells the next one's bounds.
    pub(crate) fn roll(&mut self, now: UtcMs) {
        while now >= self.ends {
            self.began = self.ends;
            self.ends = self.ends.plus_ms(DAY_MS);
            self.closes = None;
        }
    }

    /// Time in which answers may still come, ms.
    pub(crate) fn left_ms(&self, now: UtcMs) -> i64 {
        let end = self
            .closes
            .filter(|at| *at > now)
            .map_or(self.ends, |at| at.min(self.ends));
        end.since_ms(now).max(0)
    }
}

/// Counts by slots of one width, oldest first.
#[derive(Debug, Clone)]
struct Series {
    width_ms: i64,
    keep_ms: i64,
    slots: VecDeque<(i64, Tally)>,
}

impl Series {
    const fn new(width_ms: i64, keep_ms: i64) -> Self {
        Self {
            width_ms,
            keep_ms,
            slots: VecDeque::new(),
        }
    }

    fn slot(&mut self, at: UtcMs) -> &mut Tally {
        let index = at.0.div_euclid(self.width_ms);
        let place = match self.slots.binary_search_by_key(&index, |s| s.0) {
            Ok(place) => place,
            Err(place) => {
                self.slots.insert(place, (index, Tally::default()));
                place
            }
        };
        &mut self.slots[place].1
    }

    /// The slot of an instant, when it is still kept.
    fn known(&mut self, at: UtcMs) -> Option<&mut Tally> {
        let index = at.0.div_euclid(self.width_ms);
        let place = self.slots.binary_search_by_key(&index, |s| s.0).ok()?;
        self.slots.get_mut(place).map(|s| &mut s.1)
    }

    fn forget(&mut self, now: UtcMs) {
        let oldest = now.plus_ms(-self.keep_ms).0.div_euclid(self.width_ms);
        while self.slots.front().is_some_and(|s| s.0 < oldest) {
            self.slots.pop_front();
        }
    }

    /// Everything in slots that end after `from`: at most one slot more than asked for, never less.
    fn since(&self, from: UtcMs) -> Tally {
        let first = from.0.div_euclid(self.width_ms);
        let start = self.slots.partition_point(|s| s.0 < first);
        self.slots
            .range(start..)
            .fold(Tally::default(), |sum, s| sum.plus(&s.1))
    }

    fn first(&self) -> Option<UtcMs> {
        self.slots.front().map(|s| UtcMs(s.0 * self.width_ms))
    }
}

/// How long quarters are kept: the longest local day.
const QUARTERS_KEPT_MS: i64 = 26 * HOUR_MS;
/// How long hours are kept: the longest legal window.
const HOURS_KEPT_MS: i64 = 31 * DAY_MS;

/// Counts of one scope: a campaign, a client, the installation.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    minutes: Series,
    quarters: Series,
    hours: Series,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            minutes: Series::new(MINUTE_MS, HOUR_MS),
            // Every zone's midnight falls on a quarter of an hour.
            quarters: Series::new(15 * MINUTE_MS, QUARTERS_KEPT_MS),
            hours: Series::new(HOUR_MS, HOURS_KEPT_MS),
        }
    }
}

impl Scope {
    /// Counts what happened at `at`; a slot wider than a minute is known by the hour only.
    pub(crate) fn add(&mut self, now: UtcMs, at: UtcMs, width_ms: i64, counts: &Tally) {
        for series in [&mut self.minutes, &mut self.quarters, &mut self.hours] {
            if width_ms <= series.width_ms {
                let slot = series.slot(at);
                *slot = slot.plus(counts);
            }
            series.forget(now);
        }
    }

    pub(crate) fn count(&mut self, now: UtcMs, at: UtcMs, abandoned: bool) {
        let one = Tally {
            abandoned: u64::from(abandoned),
            handled: u64::from(!abandoned),
            machines: 0,
        };
        self.add(now, at, 0, &one);
    }

    /// What an agent was given at `at` was a machine.
    pub(crate) fn machine(&mut self, at: UtcMs) {
        for series in [&mut self.minutes, &mut self.quarters, &mut self.hours] {
            if let Some(slot) = series.known(at)
                && slot.handled > 0
            {
                slot.handled -= 1;
                slot.machines += 1;
            }
        }
    }

    /// What was abandoned at `at` was a machine.
    pub(crate) fn take_back(&mut self, at: UtcMs) {
        for series in [&mut self.minutes, &mut self.quarters, &mut self.hours] {
            if let Some(slot) = series.known(at) {
                slot.abandoned = slot.abandoned.saturating_sub(1);
            }
        }
    }

    /// Counts of a window at `now`.
    pub(crate) fn tally(&self, window: Window, now: UtcMs, day: &Day) -> Tally {
        match window {
            Window::Hour => self.minutes.since(now.plus_ms(1 - HOUR_MS)),
            Window::Day => self.quarters.since(day.began),
            Window::Hours24 => self.quarters.since(now.plus_ms(1 - DAY_MS)),
            Window::Days(n) => self.hours.since(now.plus_ms(1 - i64::from(n) * DAY_MS)),
        }
    }

    /// How long answers of the last hour have been seen, ms.
    pub(crate) fn seen_ms(&self, now: UtcMs) -> i64 {
        let first = self.hours.first().unwrap_or(now);
        let first = self.minutes.first().map_or(first, |minute| {
            // An hour's slot says nothing finer: the first minute does, while it is the first hour.
            if now.since_ms(first) < 2 * HOUR_MS {
                minute
            } else {
                first
            }
        });
        now.since_ms(first).clamp(0, HOUR_MS)
    }
}
