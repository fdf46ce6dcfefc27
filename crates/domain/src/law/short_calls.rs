//! The rule on short calls that binds a debtor's company (law.md §4, `anatel_short`).

use super::book::{RuleBook, today};
use super::stack::Place;
use crate::ports::store::ContactFacts;
use crate::time::{SECOND_MS, UtcMs};

/// From how many calls of a day on, and at what share of short ones, the network blocks the company. A date until
/// which it is known to hold ends nothing: whether it holds after that is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortCallRule {
    /// Longest short call from its answer, ms. Who does not answer, and a machine, are short whatever they last.
    pub max_ms: i64,
    /// Share that blocks, percent.
    pub cap_pct: f64,
    /// Calls of the day from which it counts.
    pub day_min: u32,
}

impl ShortCallRule {
    /// What holds where both do.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            max_ms: self.max_ms.max(other.max_ms),
            cap_pct: self.cap_pct.min(other.cap_pct),
            day_min: self.day_min.min(other.day_min),
        }
    }
}

impl RuleBook {
    /// The rule on short calls of a debtor's packs at `now`, the strictest; `None` where none has one.
    #[must_use]
    pub fn short_calls(&self, facts: &ContactFacts, now: UtcMs) -> Option<ShortCallRule> {
        self.short_calls_at(&Place::of(&facts.debtor, &facts.portfolio), now)
    }

    /// The rule on short calls of a place at `now`.
    #[must_use]
    pub fn short_calls_at(&self, place: &Place, now: UtcMs) -> Option<ShortCallRule> {
        let packs = self.packs_at(place, &[today(now)]).ok()?;
        let rule = |pack: &super::pack::Pack| {
            let telco = pack.telco.as_ref()?;
            Some(ShortCallRule {
                max_ms: i64::from(telco.short_call_max_s?) * SECOND_MS,
                cap_pct: telco.short_ratio_block_percent?,
                day_min: telco.short_calls_day_min?,
            })
        };
        let rules = packs.iter().filter_map(|p| rule(&p.pack));
        rules.reduce(ShortCallRule::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_packs_have_the_rule_where_the_law_has_it() {
        let book = RuleBook::embedded().expect("is read");
        let at = "2026-11-25T16:00:00Z".parse().expect("an instant");
        let of = |country: &str, subdivision: Option<&str>| {
            book.short_calls_at(&Place::financial(country, subdivision), at)
        };
        let rule = ShortCallRule {
            max_ms: 6_000,
            cap_pct: 85.0,
            day_min: 100_000,
        };
        assert_eq!(of("BR", Some("SP")), Some(rule));
        assert_eq!(of("MX", None), None);
        let stricter = ShortCallRule {
            max_ms: 3_000,
            cap_pct: 80.0,
            day_min: 200_000,
        };
        let both = ShortCallRule {
            cap_pct: 80.0,
            ..rule
        };
        assert_eq!(rule.and(stricter), both);
    }
}
