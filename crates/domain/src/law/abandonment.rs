//! The abandonment rule and the least ring time that bind a debtor (law.md §4).

use super::book::{RuleBook, today};
use super::cooloff::HOUSE_ABANDONED_BLOCK_H;
use super::pack::{AbandonClock, CapWindow, FormulaId, LoadedPack};
use super::stack::Place;
use crate::ports::store::ContactFacts;
use crate::time::{SECOND_MS, UtcMs};
use serde::Serialize;

/// House cap in percent, where no pack has one.
const HOUSE_CAP_PERCENT: f64 = 3.0;
/// House limit from answer to agent or message, seconds.
const HOUSE_AGENT_WITHIN_S: u32 = 2;
/// House least ring time, seconds.
const HOUSE_RING_MIN_S: u32 = 20;

/// The rule in force for a debtor or a country: the strictest of its packs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AbandonmentRule {
    /// Pack it comes from; `house` where none says.
    pub pack: String,
    /// Most, percent.
    pub cap_percent: f64,
    /// Aim, percent, where the pack has one.
    pub target_percent: Option<f64>,
    /// Formula.
    pub formula_id: FormulaId,
    /// Days of the window: 1 = the calendar day, 7 = the week, n = rolling days.
    pub window_days: u16,
    /// Whether the window is the local calendar day.
    pub calendar_day: bool,
    /// Milliseconds from the clock's start to an agent or message.
    pub agent_within_ms: i64,
    /// Clock.
    pub clock: AbandonClock,
    /// Least ring time, milliseconds.
    pub ring_min_ms: i64,
    /// What the message says.
    pub message_must: Vec<String>,
    /// What it never says.
    pub message_must_not: Vec<String>,
    /// Hours in which the number is dialed again only with an agent reserved.
    pub retry_block_h: u32,
}

impl AbandonmentRule {
    fn house() -> Self {
        Self {
            pack: "house".into(),
            cap_percent: HOUSE_CAP_PERCENT,
            target_percent: None,
            formula_id: FormulaId::PlainDay,
            window_days: 1,
            calendar_day: true,
            agent_within_ms: i64::from(HOUSE_AGENT_WITHIN_S) * SECOND_MS,
            clock: AbandonClock::Answer,
            ring_min_ms: i64::from(HOUSE_RING_MIN_S) * SECOND_MS,
            message_must: ["company_name", "callback_number", "optout"]
                .map(Into::into)
                .to_vec(),
            message_must_not: ["debt", "marketing"].map(Into::into).to_vec(),
            retry_block_h: HOUSE_ABANDONED_BLOCK_H,
        }
    }

    fn of(packs: &[&LoadedPack]) -> Self {
        let rules: Vec<_> = packs
            .iter()
            .filter_map(|p| p.pack.abandonment.as_ref().map(|rule| (&p.pack.id, rule)))
            .collect();
        let Some((id, strict)) = rules
            .iter()
            .min_by(|a, b| a.1.cap_percent.total_cmp(&b.1.cap_percent))
        else {
            return Self::house();
        };
        let (window_days, calendar_day) = match strict.window {
            CapWindow::RollingDays(n) => (n, false),
            CapWindow::CalendarDay(_) => (1, true),
            CapWindow::CalendarWeek(_) => (7, false),
        };
        let within = rules.iter().map(|r| r.1.agent_within_s).min();
        let ring = rules.iter().map(|r| r.1.ring_min_s).max();
        let block = rules.iter().filter_map(|r| r.1.retry_block_h).max();
        let union = |get: fn(&super::pack::Abandonment) -> &Vec<String>| {
            let mut all: Vec<String> = Vec::new();
            for word in rules.iter().flat_map(|r| get(r.1)) {
                if !all.contains(word) {
                    all.push(word.clone());
                }
            }
            all
        };
        Self {
            pack: (*id).clone(),
            cap_percent: strict.cap_percent,
            target_percent: rules
                .iter()
                .filter_map(|r| r.1.target_percent)
                .min_by(f64::total_cmp),
            formula_id: strict.formula_id,
            window_days,
            calendar_day,
            agent_within_ms: i64::from(within.unwrap_or(HOUSE_AGENT_WITHIN_S)) * SECOND_MS,
            clock: strict.clock,
            ring_min_ms: i64::from(ring.unwrap_or(HOUSE_RING_MIN_S)) * SECOND_MS,
            message_must: union(|r| &r.message_must),
            message_must_not: union(|r| &r.message_must_not),
            retry_block_h: block.unwrap_or(HOUSE_ABANDONED_BLOCK_H),
        }
    }
}

impl RuleBook {
    /// The abandonment rule of a debtor at `now`; the house's where no pack is in force.
    #[must_use]
    pub fn abandonment_rule(&self, facts: &ContactFacts, now: UtcMs) -> AbandonmentRule {
        self.abandonment_rule_at(&Place::of(&facts.debtor, &facts.portfolio), now)
    }

    /// The abandonment rule of a place at `now`.
    #[must_use]
    pub fn abandonment_rule_at(&self, place: &Place, now: UtcMs) -> AbandonmentRule {
        self.packs_at(place, &[today(now)]).map_or_else(
            |_| AbandonmentRule::house(),
            |packs| AbandonmentRule::of(&packs),
        )
    }

    /// Least time in milliseconds that a call to the debtor must ring before it is given up.
    #[must_use]
    pub fn ring_min_ms(&self, facts: &ContactFacts, now: UtcMs) -> i64 {
        self.abandonment_rule(facts, now).ring_min_ms
    }
}

#[cfg(test)]
mod tests {
    use crate::law::EMBEDDED_PACKS;
    use crate::law::pack::parse;

    #[test]
    fn a_clock_that_its_formula_does_not_have_is_refused_by_its_name() {
        let (ours, other) = ("\"clock\": \"answer\"", "\"clock\": \"end_of_greeting\"");
        for (file, from, to) in [("gb.json", ours, other), ("us-federal.json", other, ours)] {
            let (_, text) = EMBEDDED_PACKS
                .iter()
                .find(|(name, _)| *name == file)
                .expect("the pack");
            assert!(text.contains(from), "{file}");
            let wrong = parse(file, &text.replacen(from, to, 1));
            let error = wrong.expect_err("in vain").to_string();
            assert!(error.contains("abandonment.clock"), "{error}");
        }
    }
}
