//! Presumptions that a person with the right relaxed (law.md §2.7): for one call by hand, with who, right and reason in
//! its record. What is no presumption is never relaxed.

use super::Action;
use super::book::RuleBook;
use super::caps::Case;
use super::finding::Finding;
use super::pack::{RuleKind, Scope};
use crate::entity::{CheckPoint, Override, OverrideSeen, RuleHit};

/// The override of a rule that this action may use: in force, for a call that a person dials himself, and not used up
/// by a contact since.
fn usable<'a>(case: &Case<'a>, action: &Action, rule: &str) -> Option<&'a Override> {
    let by_hand = action.check_point == CheckPoint::Manual && action.agent_reserved;
    if !by_hand {
        return None;
    }
    let used = |over: &Override| {
        case.facts
            .ledger
            .iter()
            .any(|row| row.at >= over.granted_at && case.in_scope(Scope::Person, row, None))
    };
    case.facts
        .overrides
        .iter()
        .find(|over| over.rule == rule && over.active_at(action.now) && !used(over))
}

/// What a rule said, without what was relaxed of it; `rule` is its id without what follows (`…/min_gap`).
pub(crate) fn sift(
    case: &Case<'_>,
    action: &Action,
    (kind, rule): (RuleKind, &str),
    found: Vec<Finding>,
) -> (Vec<Finding>, Vec<(RuleHit, OverrideSeen)>) {
    if kind != RuleKind::Presumption || found.is_empty() {
        return (found, Vec::new());
    }
    let Some(over) = usable(case, action, rule) else {
        return (found, Vec::new());
    };
    let relaxed = found
        .into_iter()
        .map(|finding| {
            let hit = RuleHit {
                es: format!("{} (presunción relajada: {})", finding.es, over.reason),
                en: format!("{} (presumption relaxed: {})", finding.en, over.reason),
                rule: finding.rule.clone(),
                refused: false,
            };
            let seen = OverrideSeen {
                id: over.id,
                rule: finding.rule,
                by: over.granted_by.clone(),
                right: over.granted_right.clone(),
                reason: over.reason.clone(),
            };
            (hit, seen)
        })
        .collect();
    (Vec::new(), relaxed)
}

impl RuleBook {
    /// Whether a rule, as `us-federal/reg_f_7in7`, is a presumption in every version of its pack; `None` when no pack
    /// has it.
    #[must_use]
    pub fn is_presumption(&self, rule: &str) -> Option<bool> {
        let (pack, id) = rule.split_once('/')?;
        let kinds: Vec<bool> = self
            .packs
            .iter()
            .filter(|p| p.pack.id == pack)
            .flat_map(|p| {
                let caps = p.pack.caps.iter().filter(|c| c.id == id);
                let caps = caps.map(|c| c.kind == RuleKind::Presumption);
                let rests = p.pack.cooloff.iter().filter(|c| c.id == id);
                caps.chain(rests.map(|c| c.kind == Some(RuleKind::Presumption)))
                    .collect::<Vec<_>>()
            })
            .collect();
        (!kinds.is_empty()).then(|| kinds.iter().all(|presumption| *presumption))
    }

    /// Every rule of the packs that is a presumption.
    #[must_use]
    pub fn presumptions(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for loaded in &self.packs {
            let caps = loaded.pack.caps.iter().map(|c| &c.id);
            for id in caps.chain(loaded.pack.cooloff.iter().map(|c| &c.id)) {
                let rule = format!("{}/{id}", loaded.pack.id);
                if self.is_presumption(&rule) == Some(true) && !found.contains(&rule) {
                    found.push(rule);
                }
            }
        }
        found
    }
}
