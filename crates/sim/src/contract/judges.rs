//! Judges who need no rule book.

use domain::entity::{Decision, Verdict};
use domain::law::{Action, Judge};
use domain::ports::store::ContactFacts;

/// A verdict for an action.
#[must_use]
pub fn verdict(facts: &ContactFacts, action: &Action, decision: Decision) -> Verdict {
    use domain::entity::{BlockReason, PackRef, RuleHit};
    let refused = !decision.permits(true);
    Verdict {
        id: action.verdict_id,
        at: action.now,
        check_point: action.check_point,
        debtor_id: facts.debtor.id,
        point_id: action.point_id,
        campaign_id: action.campaign_id,
        channel: action.channel,
        decision,
        blocked: refused.then_some(BlockReason::Cap),
        rules: vec![RuleHit {
            rule: "suite/rule".into(),
            es: "por la prueba".into(),
            en: "by the suite".into(),
            refused,
        }],
        packs: vec![PackRef {
            id: "suite".into(),
            version: "1".into(),
            hash: "00".into(),
            unjudged: vec![],
        }],
        zones: vec![],
        counters: vec![],
        next_legal_at: None,
        record: None,
    }
}

/// A judge who allows everything.
#[derive(Debug)]
pub struct Allow;

impl Judge for Allow {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        verdict(facts, action, Decision::Allow)
    }
}

/// A judge who refuses everything.
#[derive(Debug)]
pub struct Refuse;

impl Judge for Refuse {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        verdict(facts, action, Decision::Deny)
    }
}

/// A judge who allows so many attempts per person, whoever made them; an active hold refuses too.
#[derive(Debug)]
pub struct Cap(pub usize);

impl Judge for Cap {
    fn judge(&self, facts: &ContactFacts, action: &Action) -> Verdict {
        let made = facts
            .ledger
            .iter()
            .filter(|r| r.reached_network != Some(false))
            .count();
        let held = facts.holds.iter().any(|h| h.active_at(action.now));
        let listed = facts.suppressions.iter().any(|s| s.lifted_at.is_none());
        let decision = if made < self.0 && !held && !listed {
            Decision::Allow
        } else {
            Decision::Deny
        };
        verdict(facts, action, decision)
    }
}
