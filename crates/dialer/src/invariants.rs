//! The house's invariants that the brain answers for (house.md §4: 01, 05, 06, 07, 08), as one
//! predicate over its state. Watched in production once a second and by every test after each step.

use crate::call::Phase;
use crate::engine::Dialer;
use domain::rules::agent_state::AgentState;
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// Slack for a timer that fires late, ms.
const LATE_MS: i64 = 2_000;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Id of house.md §4.
    pub id: &'static str,
    /// What is wrong, with ids only.
    pub what: String,
}

impl Dialer {
    /// 05: lines and starts within what was granted.
    fn trunk_breaches(&self, now: UtcMs, found: &mut Vec<Breach>) {
        let mut breach = |id, what: String| found.push(Breach { id, what });
        for (id, trunk) in &self.lines.trunks {
            let used = self.calls.values();
            let used = used.filter(|c| c.trunk == *id && !c.inbound).count();
            if used > trunk.granted.channels as usize || used != trunk.in_use as usize {
                breach(
                    "05",
                    format!("trunk {id} has {used} calls, {} counted", trunk.in_use),
                );
            }
            if trunk.gate.in_last_second(now) > trunk.granted.cps {
                breach(
                    "05",
                    format!(
                        "trunk {id} starts faster than {} a second",
                        trunk.granted.cps
                    ),
                );
            }
        }
    }

    /// Every invariant that does not hold at `now`.
    #[must_use]
    pub fn breaches(&self, now: UtcMs) -> Vec<Breach> {
        let mut found = Vec::new();
        self.trunk_breaches(now, &mut found);
        let mut breach = |id, what: String| found.push(Breach { id, what });

        let mut persons = BTreeSet::new();
        for call in self.calls.values() {
            if !persons.insert(call.item.person) {
                breach(
                    "01",
                    format!("two live attempts of person {}", call.item.person),
                );
            }
            if now.since_ms(call.deadline()) > LATE_MS {
                breach(
                    "07",
                    format!("call {} is stuck in {:?}", call.attempt, call.phase),
                );
            }
            let joined = call.phase == Phase::Connected;
            let agent = call.agent.and_then(|id| self.agents.get(&id));
            let talks = agent.is_some_and(|a| {
                a.call == Some(call.attempt)
                    && matches!(
                        a.machine.underlying(),
                        AgentState::Talking | AgentState::Hold
                    )
            });
            if joined && !talks {
                breach(
                    "06",
                    format!(
                        "call {} is joined but its agent does not talk",
                        call.attempt
                    ),
                );
            }
        }
        for (id, agent) in &self.agents {
            let talks = matches!(
                agent.machine.underlying(),
                AgentState::Talking | AgentState::Hold
            );
            let call = agent.call.and_then(|a| self.calls.get(&a));
            if talks && call.is_none_or(|c| !matches!(c.phase, Phase::Connected | Phase::Ending)) {
                breach("06", format!("agent {id} talks without a joined call"));
            }
            if agent.state() == AgentState::Wrapup && agent.wrap.is_none() {
                breach("08", format!("agent {id} wraps up nothing"));
            }
            if agent.deadline().is_some_and(|d| now.since_ms(d) > LATE_MS) {
                breach("07", format!("agent {id} is stuck in {}", agent.state()));
            }
        }
        found
    }
}
