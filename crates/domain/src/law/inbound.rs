//! Duties of the line on which debtors call us (law.md §1 `inbound`, §3 Spain).

use super::book::{RuleBook, today};
use super::local::date_of;
use super::pack::{InboundSection, LoadedPack};
use crate::ports::store::ContactFacts;
use crate::time::{SECOND_MS, UtcMs};
use jiff::civil::Date;

/// Calls of the day below which a share says nothing.
const CALLS_LEAST: u64 = 20;

/// What is asked of the line that a debtor calls; the strictest of his packs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InboundDuty {
    /// Share of the calls that an agent has to take in time, percent.
    pub target_pct: f64,
    /// In time, ms.
    pub within_ms: i64,
    /// Longest wait of who asked for a person, ms; who waits in a queue did. `None` = no pack says.
    pub human_ms: Option<i64>,
}

impl InboundDuty {
    fn of(section: &InboundSection) -> Option<Self> {
        Some(Self {
            target_pct: section.answered_percent_target?,
            within_ms: i64::from(section.within_s?) * SECOND_MS,
            human_ms: section.human_on_request_s.map(|s| i64::from(s) * SECOND_MS),
        })
    }

    /// What holds where both do.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let humans = self.human_ms.into_iter().chain(other.human_ms);
        Self {
            target_pct: self.target_pct.max(other.target_pct),
            within_ms: self.within_ms.min(other.within_ms),
            human_ms: humans.min(),
        }
    }

    /// Whether too few of the day's calls were taken in time; a few calls say nothing.
    #[must_use]
    pub fn missed(&self, in_time: u64, calls: u64) -> bool {
        let float = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        calls >= CALLS_LEAST && float(in_time) * 100.0 < self.target_pct * float(calls)
    }

    /// Whether somebody waits for a person longer than he may.
    #[must_use]
    pub fn waits_too_long(&self, wait_ms: i64) -> bool {
        self.human_ms.is_some_and(|most| wait_ms > most)
    }
}

impl RuleBook {
    /// What the debtor's packs ask of the line that he calls; `None` where none does, or none does yet on the date where
    /// he is.
    #[must_use]
    pub fn inbound_duty(&self, facts: &ContactFacts, now: UtcMs) -> Option<InboundDuty> {
        let zone = crate::time::zone(&self.zone_of(facts)).ok();
        let date = zone.map_or_else(|| today(now), |tz| date_of(now, &tz));
        let packs = self.stack_of(facts, &[date]).ok()?;
        let begun = |section: &&InboundSection| {
            let from = section.from.as_deref();
            let from = from.and_then(|day| day.parse::<Date>().ok());
            from.is_none_or(|from| from <= date)
        };
        let section = |loaded: &&LoadedPack| loaded.pack.inbound.clone();
        let all: Vec<InboundSection> = packs.iter().filter_map(section).collect();
        let duties = all.iter().filter(begun).filter_map(InboundDuty::of);
        duties.reduce(InboundDuty::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::EMBEDDED_PACKS;
    use crate::law::pack::parse;

    /// Ley 10/2025 art. 8: 95 % within three minutes, a person within three.
    const SPAIN: InboundDuty = InboundDuty {
        target_pct: 95.0,
        within_ms: 180_000,
        human_ms: Some(180_000),
    };

    #[test]
    fn the_share_is_missed_below_its_target_and_not_at_it() {
        assert!(!SPAIN.missed(95, 100) && !SPAIN.missed(19, 20));
        assert!(SPAIN.missed(94, 100) && SPAIN.missed(18, 20));
        assert!(!SPAIN.missed(0, 19), "a few calls say nothing");
        assert!(!SPAIN.missed(0, 0), "nobody called");
    }

    #[test]
    fn a_person_comes_within_three_minutes() {
        assert!(!SPAIN.waits_too_long(180_000));
        assert!(SPAIN.waits_too_long(180_001));
        let silent = InboundDuty {
            human_ms: None,
            ..SPAIN
        };
        assert!(!silent.waits_too_long(i64::MAX));
        let strict = InboundDuty {
            target_pct: 90.0,
            within_ms: 20_000,
            human_ms: None,
        };
        let both = InboundDuty {
            within_ms: 20_000,
            ..SPAIN
        };
        assert_eq!(SPAIN.and(strict), both);
        assert_eq!(strict.and(SPAIN), both);
    }

    #[test]
    fn half_a_duty_is_refused_by_its_name() {
        let (file, text) = EMBEDDED_PACKS
            .iter()
            .find(|(name, _)| *name == "es.json")
            .expect("the pack");
        for (from, to, field) in [
            (
                "\"answered_percent_target\": 95,",
                "",
                "inbound.answered_percent_target",
            ),
            ("\"within_s\": 180,", "", "inbound.within_s"),
            ("2026-12-28", "2026-12-32", "inbound.from"),
        ] {
            assert!(text.contains(from), "{from}");
            let half = parse(file, &text.replacen(from, to, 1));
            let error = half.expect_err("it is half").to_string();
            assert!(error.contains(field), "{error}");
        }
    }
}
