//! What one rule says about an action.

use crate::entity::{BlockReason, RuleHit};
use crate::time::UtcMs;

/// What a rule demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// No, with no known end.
    Forbid,
    /// No before this instant; a hold with an end is still no deferral, but its end is shown.
    HoldUntil(UtcMs),
    /// Not before this instant.
    Until(UtcMs),
    /// Not now: the hours are closed.
    Closed,
    /// Only with an agent reserved first.
    AgentOnly,
}

/// A rule that spoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) es: String,
    pub(crate) en: String,
    pub(crate) reason: BlockReason,
    pub(crate) effect: Effect,
}

impl Finding {
    pub(crate) fn new(
        reason: BlockReason,
        effect: Effect,
        rule: impl Into<String>,
        (es, en): (String, String),
    ) -> Self {
        Self {
            rule: rule.into(),
            es,
            en,
            reason,
            effect,
        }
    }

    /// A refusal by rule that time does not lift.
    pub(crate) fn forbid(rule: impl Into<String>, texts: (String, String)) -> Self {
        Self::new(BlockReason::Rule, Effect::Forbid, rule, texts)
    }

    /// Order in which reasons are given: what time does not lift comes first.
    pub(crate) const fn rank(&self) -> u8 {
        match (self.effect, self.reason) {
            (Effect::AgentOnly, _) => 5,
            (_, BlockReason::Suppressed) => 0,
            (_, BlockReason::Hold) => 1,
            (_, BlockReason::Rule) => 2,
            (_, BlockReason::Cap) => 3,
            (_, BlockReason::Window) => 4,
        }
    }

    pub(crate) fn into_hit(self) -> RuleHit {
        let refused = self.effect != Effect::AgentOnly;
        RuleHit {
            rule: self.rule,
            es: self.es,
            en: self.en,
            refused,
        }
    }
}

/// Both languages of one fixed text.
pub(crate) fn both(es: &str, en: &str) -> (String, String) {
    (es.to_owned(), en.to_owned())
}
