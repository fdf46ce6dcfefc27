//! Who talks: invariant 06.

use super::{Breach, breach};
use crate::store::Tables;
use domain::ids::{AgentId, AttemptId};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// 06: an agent talks in one call at a time.
pub(super) fn one_call_an_agent(tables: &Tables, out: &mut Vec<Breach>) {
    let mut talks: BTreeMap<AgentId, Vec<(UtcMs, UtcMs, AttemptId)>> = BTreeMap::new();
    for attempt in tables.attempts.values() {
        if let (Some(agent), Some(from)) = (attempt.agent_id, attempt.bridged_at) {
            let to = attempt.ended_at.unwrap_or(UtcMs(i64::MAX)).max(from);
            talks.entry(agent).or_default().push((from, to, attempt.id));
        }
    }
    for (agent, mut list) in talks {
        list.sort();
        if let Some(pair) = list.windows(2).find(|w| w[1].0 < w[0].1) {
            breach(
                out,
                6,
                format!("agent {agent} was in two calls at once: {pair:?}"),
            );
        }
    }
}
