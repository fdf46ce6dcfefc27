//! The invariants of the house as predicates over what a run left behind: the store's tables and the
//! carrier's own log. Ids are those of the house's list; each has a planted breach in its tests.

mod abandonment;
pub(crate) mod acts;
mod agents;
mod calls;
mod contacts;
mod events;

use crate::store::Tables;
use crate::trunk::Invite;
use domain::entity::AttemptState;
use domain::time::UtcMs;

/// One invariant seen broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Number of the invariant in the house's list.
    pub invariant: u8,
    /// What was seen.
    pub what: String,
}

/// What a run promised to keep; the checkers count for themselves.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Lines of the trunk.
    pub channels: usize,
    /// Starts a second of the trunk.
    pub starts_per_s: usize,
    /// Longest time from the brain's order to its INVITE, ms; `None` where nothing bounds it (the database
    /// was away).
    pub late_ms: Option<i64>,
    /// Attempts per person in a local day (of `zone_offset_h`).
    pub attempts_per_day: usize,
    /// Attempts per person in seven consecutive local days.
    pub attempts_per_week: usize,
    /// Hours from UTC of the zone all debtors of the run live in.
    pub zone_offset_h: i64,
    /// From this instant on everything must be quiet.
    pub quiet_at: UtcMs,
    /// Whether the process was killed: what was open then has no further say.
    pub crashed: bool,
}

/// Runs every checker.
#[must_use]
pub fn check_all(tables: &Tables, invites: &[Invite], limits: &Limits) -> Vec<Breach> {
    let mut breaches = Vec::new();
    contacts::one_live_attempt(tables, &mut breaches);
    contacts::invites_are_durable_and_allowed(tables, invites, &mut breaches);
    contacts::caps_hold(tables, invites, limits, &mut breaches);
    contacts::paid_and_held_are_left_alone(tables, invites, &mut breaches);
    calls::lines_within_limits(tables, invites, limits, &mut breaches);
    calls::ended_attempts_are_whole(tables, limits, &mut breaches);
    calls::answered_calls_are_recorded(tables, &mut breaches);
    calls::nothing_is_left(tables, &mut breaches);
    abandonment::over_the_cap_agents_come_first(tables, limits, &mut breaches);
    agents::one_call_an_agent(tables, &mut breaches);
    events::events_tell_the_same(tables, &mut breaches);
    events::events_are_unique(tables, &mut breaches);
    breaches
}

pub(crate) fn breach(into: &mut Vec<Breach>, invariant: u8, what: impl Into<String>) {
    into.push(Breach {
        invariant,
        what: what.into(),
    });
}

/// Attempts with their span on the wire: from the commit to the end.
pub(crate) fn spans(
    tables: &Tables,
) -> impl Iterator<Item = (&domain::entity::Attempt, UtcMs, UtcMs)> {
    tables.attempts.values().map(|a| {
        let end = a.ended_at.unwrap_or(UtcMs(i64::MAX));
        (a, a.opened_at, end)
    })
}

pub(crate) fn is_unknown(state: AttemptState) -> bool {
    state == AttemptState::Unknown
}

#[cfg(test)]
mod planted;
#[cfg(test)]
mod planted_acts;
