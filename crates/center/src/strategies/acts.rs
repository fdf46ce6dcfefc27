//! Calls and letters of strategies before the law: asked alike where they are planned and where they are tried.

use super::plan::asked;
use crate::messages::rule_of;
use crate::plans::letters::{action as letter, at_his_contract};
use crate::shared::Shared;
use domain::entity::{BlockReason, Channel, CheckPoint, Decision, StepAction};
use domain::ids::VerdictId;
use domain::law::Action;
use domain::ports::store::ContactFacts;
use domain::time::{DAY_MS, UtcMs};

/// How long after its instant a call or a letter is still worth making, ms: over a long weekend [H].
const WORTH_MS: i64 = 4 * DAY_MS;

/// What becomes of a call or a letter.
pub(super) enum Fate {
    /// It is made, at the instant.
    At(UtcMs),
    /// The law takes it out: the rule, and its words in Spanish and English.
    Out(String, String, String),
    /// A hold that ends silences it, told alike: it is looked at again, since money may end the hold early.
    Wait(String, String, String),
}

/// How a step that is no message reaches the debtor; `None` = it does not: a person looks at the case.
pub(super) const fn channel_of(action: StepAction) -> Option<Channel> {
    match action {
        StepAction::Call => Some(Channel::Call),
        StepAction::Letter => Some(Channel::Letter),
        StepAction::Message | StepAction::Review | StepAction::HandOver => None,
    }
}

/// What the law and the ledger make of a call, or else a letter, at its instant. Both are asked again when it is
/// made.
pub(super) fn fate(shared: &Shared, facts: &ContactFacts, channel: Channel, due: UtcMs) -> Fate {
    let id = VerdictId(shared.id());
    let calls = channel == Channel::Call;
    let verdict = if calls {
        let action = Action {
            check_point: CheckPoint::Load,
            agent_reserved: true,
            ..asked(channel, id, due)
        };
        shared.out.law.judge(facts, &action)
    } else {
        let there = at_his_contract(facts.clone());
        shared.out.law.judge(&there, &letter(&there, id.0, due))
    };
    match verdict.decision {
        Decision::Defer { until } if until < due.plus_ms(WORTH_MS) => Fate::At(until),
        decision if decision.permits(calls) => Fate::At(due),
        _ => {
            let (es, en) = verdict.reason().unwrap_or_default();
            let (rule, es, en) = (rule_of(&verdict), es.to_owned(), en.to_owned());
            match (verdict.blocked, verdict.next_legal_at) {
                (Some(BlockReason::Hold), Some(_)) => Fate::Wait(rule, es, en),
                _ => Fate::Out(rule, es, en),
            }
        }
    }
}
