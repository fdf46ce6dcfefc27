//! Invariant 04: over the legal cap on abandonment the mode has been lowered (law.md §4).

use super::{Breach, Limits, breach};
use crate::store::Tables;
use domain::entity::{Attempt, CallResult, DialMode, Direction};
use domain::ids::CampaignId;
use domain::time::{DAY_MS, HOUR_MS, SECOND_MS, UtcMs};
use std::collections::BTreeMap;

/// Cap of the packs of the simulated debtors, abandoned per hundred live answers.
const CAP_PER_HUNDRED: usize = 3;
/// Live answers from which the quotient itself binds.
const ANSWERS_LEAST: usize = 100;
/// From a call's fate until the brain must have counted it.
const COUNTED_MS: i64 = 3 * SECOND_MS;

/// 04: after a hundred live answers of a campaign and local day, while more than the cap of them were
/// abandoned, no call is started without an agent reserved for it. What is not yet counted for sure is
/// taken in the campaign's favour.
pub(super) fn over_the_cap_agents_come_first(
    tables: &Tables,
    limits: &Limits,
    out: &mut Vec<Breach>,
) {
    let mut days: BTreeMap<(CampaignId, i64), Vec<&Attempt>> = BTreeMap::new();
    // Who called us, and who only hears a message, was not to be given to an agent.
    let ours = |a: &&Attempt| a.direction == Direction::Outbound && a.mode != DialMode::Agentless;
    for row in tables.attempts.values().filter(ours) {
        let Some(campaign) = row.campaign_id else {
            continue;
        };
        let day = (row.opened_at.0 + limits.zone_offset_h * HOUR_MS).div_euclid(DAY_MS);
        days.entry((campaign, day)).or_default().push(row);
    }
    for rows in days.into_values() {
        for start in rows.iter().filter(|a| over_dialed(a)) {
            if let Some((abandoned, answers)) = over(&rows, start.opened_at) {
                breach(
                    out,
                    4,
                    format!(
                        "{} dialed without an agent at {abandoned} abandoned of {answers}",
                        start.id
                    ),
                );
                return;
            }
        }
    }
}

fn over_dialed(row: &Attempt) -> bool {
    !row.agent_reserved && matches!(row.mode, DialMode::Power | DialMode::Predictive)
}

/// Whether the agent found a machine: no live answer (law.md §4, `Ag`), neither in the quotient nor among the
/// hundred answers from which it binds.
fn machine(row: &Attempt) -> bool {
    let code = row.disposition.as_deref().unwrap_or_default();
    code == "NC.BZ" || code.starts_with("NC.BZ.")
}

/// Abandoned and live answers at an instant, when they are over the cap for sure.
fn over(rows: &[&Attempt], at: UtcMs) -> Option<(usize, usize)> {
    let begun = |then: Option<UtcMs>| then.is_some_and(|t| t <= at);
    let sure = |then: Option<UtcMs>| then.is_some_and(|t| t.plus_ms(COUNTED_MS) <= at);
    let (mut abandoned, mut handled, mut answers) = (0, 0, 0);
    for row in rows {
        if row.result == Some(CallResult::Abandoned) {
            abandoned += usize::from(sure(row.ended_at));
            answers += usize::from(begun(row.answered_at));
            continue;
        }
        // Until the agent's word is counted, the machine he was given is an answer that was handled.
        let told = machine(row) && sure(row.disposed_at);
        handled += usize::from(sure(row.bridged_at) && !machine(row));
        answers += usize::from(begun(row.bridged_at) && !told);
    }
    (abandoned + handled >= ANSWERS_LEAST && abandoned * 100 > CAP_PER_HUNDRED * answers)
        .then_some((abandoned, answers))
}
