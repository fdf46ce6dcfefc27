//! What the packs ask of the conversation itself: shown on the card, asked of the disposition.

use crate::asks::DisposeAsk;
use crate::dispose::Case;
use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::Attempt;
use domain::ids::AttemptId;
use domain::law::Duties;
use domain::rules::disposition::{
    REASONED_CODES, carries_opening, is_reason, wants_reason, without_opening,
};
use serde::Serialize;

/// Whether no earlier conversation carried the facts of the first contact.
fn is_first(attempts: &[Attempt], now: Option<AttemptId>) -> bool {
    let carried = |a: &Attempt| a.disposition.as_deref().is_some_and(carries_opening);
    let mut earlier = attempts.iter().filter(|a| Some(a.id) != now);
    !earlier.any(carried)
}

/// What the packs ask of a conversation with this debtor now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conduct {
    /// As the packs say it.
    #[serde(flatten)]
    pub duties: Duties,
    /// The facts are still owed: no conversation has carried them.
    pub first_contact: bool,
    /// Codes, with their leaves, that are saved without the facts.
    pub without_facts: Vec<&'static str>,
    /// Codes whose leaves are not offered, for they tell what may not be asked.
    pub hidden_leaves: &'static [&'static str],
}

impl Conduct {
    /// Of a debtor with such attempts; `now` is the one that is under way.
    pub(crate) fn of(duties: Duties, attempts: &[Attempt], now: Option<AttemptId>) -> Self {
        let hidden_leaves: &[&str] = if duties.may_ask_reason() {
            &[]
        } else {
            REASONED_CODES
        };
        Self {
            first_contact: !duties.must_say.is_empty() && is_first(attempts, now),
            without_facts: without_opening().collect(),
            hidden_leaves,
            duties,
        }
    }
}

/// A disposition that the debtor's packs do not let stand: a reason that may not be asked, none where it may be, a first
/// contact whose facts were not told.
pub(crate) async fn heed(
    shared: &Shared,
    case: &Case,
    ask: &DisposeAsk,
) -> Result<(), CenterError> {
    let duties = shared.out.law.duties(&case.facts, case.now);
    if is_reason(&ask.code) && !duties.may_ask_reason() {
        return Err(CenterError::invalid(
            "reason_forbidden",
            "code",
            "a rule pack of the debtor forbids to ask why he did not pay",
        ));
    }
    if wants_reason(&ask.code) && duties.may_ask_reason() {
        return Err(CenterError::invalid(
            "required_leaf",
            "code",
            format!("{} needs one of its leaves: why he did not pay", ask.code),
        ));
    }
    let asked = |fact: &String| duties.must_say.contains(fact);
    if let Some(other) = ask.told_facts.iter().find(|fact| !asked(fact)) {
        return Err(CenterError::invalid(
            "unknown_fact",
            "told_facts",
            format!("'{other}' is no fact that the debtor's packs ask for"),
        ));
    }
    let untold = duties.untold(&ask.told_facts);
    if untold.is_empty() || !carries_opening(&ask.code) {
        return Ok(());
    }
    let file = shared.out.store.debtor_file(case.attempt.debtor_id).await?;
    if !is_first(&file.attempts, Some(case.attempt.id)) {
        return Ok(());
    }
    Err(CenterError::invalid(
        "first_contact",
        "told_facts",
        format!(
            "at the first contact still to be told: {}",
            untold.join(", ")
        ),
    ))
}
