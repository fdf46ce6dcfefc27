//! What past attempts tell of pacing and of the next call to the same number, in memory.

use super::Tables;
use domain::entity::{Attempt, AttemptState, DialMode, Direction};
use domain::ids::{DebtorId, PointId};
use domain::ports::store::{
    AttemptFilter, PAST_SLOT_MS, PastAttempts, PastCall, PastCount, PastTimes,
};
use domain::time::{HOUR_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet};

fn slot(at: UtcMs, width_ms: i64) -> UtcMs {
    UtcMs(at.0.div_euclid(width_ms) * width_ms)
}

fn paced(a: &Attempt) -> bool {
    a.state.is_closed() && a.direction == Direction::Outbound && a.mode != DialMode::Manual
}

/// Counts and times of the attempts of the filter.
pub(super) fn past(t: &Tables, filter: &AttemptFilter, timed_max: u32) -> PastAttempts {
    let mut rows: Vec<&Attempt> = t
        .attempts
        .values()
        .filter(|a| filter.client_id.is_none_or(|c| a.client_id == c))
        .filter(|a| filter.campaign_id.is_none_or(|c| a.campaign_id == Some(c)))
        .filter(|a| filter.debtor_id.is_none_or(|d| a.debtor_id == d))
        .filter(|a| filter.since.is_none_or(|s| a.opened_at >= s))
        .filter(|a| paced(a))
        .collect();
    rows.sort_by_key(|a| (a.opened_at, a.id));
    let mut counts: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    let mut agents: BTreeMap<UtcMs, BTreeSet<_>> = BTreeMap::new();
    let mut times = Vec::new();
    for a in rows {
        let Some(result) = a.result else { continue };
        let key = (slot(a.opened_at, PAST_SLOT_MS), result.as_str());
        let sums = counts.entry((key, result)).or_default();
        sums.0 += 1;
        sums.1 += u64::from(a.bridged_at.is_some());
        if let (Some(at), Some(agent)) = (a.bridged_at, a.agent_id) {
            agents.entry(slot(at, HOUR_MS)).or_default().insert(agent);
        }
        times.push(PastTimes {
            result,
            invite_at: a.invite_at,
            ringing_at: a.ringing_at,
            answered_at: a.answered_at,
            bridged_at: a.bridged_at,
            ended_at: a.ended_at,
            disposed_at: a.disposed_at,
        });
    }
    let step = times.len().div_ceil(timed_max.max(1) as usize).max(1);
    let count = |(((from, _), result), (attempts, joined))| PastCount {
        from,
        result,
        attempts,
        joined,
    };
    PastAttempts {
        counts: counts.into_iter().map(count).collect(),
        agents: agents
            .into_iter()
            .map(|(at, who)| (at, who.len() as u64))
            .collect(),
        timed: times.into_iter().skip(step - 1).step_by(step).collect(),
    }
}

fn call(t: &Tables, a: &Attempt) -> Option<PastCall> {
    let point = t.points.get(&a.point_id)?;
    let left = a.state == AttemptState::Ended && a.invite_at.is_some();
    let result = a
        .result
        .filter(|_| left && a.direction == Direction::Outbound)?;
    Some(PastCall {
        id: a.id,
        debtor_id: a.debtor_id,
        point_id: a.point_id,
        at: a.opened_at,
        result,
        identified: a.identity_at.is_some(),
        disposition: a.disposition.clone(),
        source: point.source.clone(),
        added_at: point.added_at,
        confidence: point.confidence,
        given_by_debtor: point.given_by_debtor,
    })
}

/// The newest calls of each point of debtors.
pub(super) fn calls(t: &Tables, debtors: &[DebtorId], since: UtcMs, most: u32) -> Vec<PastCall> {
    let whose: BTreeSet<DebtorId> = debtors.iter().copied().collect();
    let mut found = Vec::new();
    for debtor in whose {
        let mut own: Vec<PastCall> = t
            .attempts
            .of(debtor)
            .filter(|a| a.opened_at >= since)
            .filter_map(|a| call(t, a))
            .collect();
        own.sort_by_key(|c| (c.at, c.id));
        let mut left: BTreeMap<PointId, usize> = BTreeMap::new();
        for c in &own {
            *left.entry(c.point_id).or_default() += 1;
        }
        own.retain(|c| {
            let rest = left.entry(c.point_id).or_default();
            *rest = rest.saturating_sub(1);
            *rest < most as usize
        });
        found.extend(own);
    }
    found
}
