//! Decisions made again: the same question to the same facts must have the same answer (law.md §2.11).

use super::{Action, Judge, at_his_contract, points_then};
use crate::entity::{Channel, DecisionRecord, Verdict};
use crate::ports::store::ContactFacts;
use serde::Serialize;

/// What making a decision again showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Whether decision, reason, refusing rules and counters are the same.
    pub same: bool,
    /// What differs, in words.
    pub differences: Vec<String>,
    /// The answer now.
    pub verdict: Verdict,
}

/// The question behind a stored decision. Decisions of versions that kept no record are asked with the
/// campaign left out.
#[must_use]
pub fn action_of(verdict: &Verdict) -> Action {
    let none = DecisionRecord {
        agent_reserved: true,
        ..DecisionRecord::default()
    };
    let record = verdict.record.as_deref().unwrap_or(&none);
    Action {
        verdict_id: verdict.id,
        check_point: verdict.check_point,
        channel: verdict.channel,
        point_id: verdict.point_id,
        campaign_id: verdict.campaign_id,
        campaign_window: record.campaign_window.clone(),
        attempts_per_day: record.attempts_per_day,
        ring_timeout_ms: record.ring_timeout_ms,
        agent_reserved: record.agent_reserved,
        now: verdict.at,
        circumstances: record.circumstances.clone(),
    }
}

fn refusing(verdict: &Verdict) -> Vec<&str> {
    let refused = verdict.rules.iter().filter(|r| r.refused);
    refused.map(|r| r.rule.as_str()).collect()
}

impl Replayed {
    /// Judges a stored decision again with facts as they were at its instant. Whether its point was bad then, it
    /// says itself.
    #[must_use]
    pub fn of(judge: &dyn Judge, facts: &ContactFacts, stored: &Verdict) -> Self {
        let mut facts = match stored.channel {
            Channel::Letter | Channel::Visit => at_his_contract(facts.clone()),
            _ => facts.clone(),
        };
        points_then(&mut facts, std::slice::from_ref(stored), stored.at);
        let verdict = judge.judge(&facts, &action_of(stored));
        let mut differences = Vec::new();
        let mut note = |what: &str, was: String, is: String| {
            if was != is {
                differences.push(format!("{what}: {was} → {is}"));
            }
        };
        let text = |v: &Verdict| v.decision.as_str().to_owned();
        note("decision", text(stored), text(&verdict));
        let until = |v: &Verdict| v.next_legal_at.map(|t| t.to_string()).unwrap_or_default();
        note("next_legal_at", until(stored), until(&verdict));
        let rules = |v: &Verdict| refusing(v).join(", ");
        note("rules", rules(stored), rules(&verdict));
        for was in &stored.counters {
            let is = verdict.counters.iter().find(|c| c.rule == was.rule);
            let value = is.map_or_else(|| "gone".to_owned(), |c| c.value.to_string());
            note(
                &format!("counter {}", was.rule),
                was.value.to_string(),
                value,
            );
        }
        for was in &stored.packs {
            let is = verdict.packs.iter().find(|p| p.id == was.id);
            let name =
                |version: &str, hash: &str| format!("{version}#{}", &hash[..hash.len().min(12)]);
            let now = is.map_or_else(|| "gone".to_owned(), |p| name(&p.version, &p.hash));
            note(
                &format!("pack {}", was.id),
                name(&was.version, &was.hash),
                now,
            );
        }
        Self {
            same: differences.is_empty(),
            differences,
            verdict,
        }
    }
}
