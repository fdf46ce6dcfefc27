//! Items that carry their chance of an answer: a small team's calls are picked by it once it has proved
//! itself, and nobody waits for ever.

use super::rig::{Rig, in_mode};
use domain::entity::DialMode;
use domain::ids::AttemptId;
use domain::time::{SECOND_MS, UtcMs};
use std::collections::BTreeMap;

/// First identity of the rig's debtors.
const DEBTORS: u128 = 0xDD00_0000;
/// How long a number may wait after its first pass, ms: the rule's ten minutes, until a line is due again.
const WAIT_MAX_MS: i64 = 700 * SECOND_MS;

fn chance(n: u128) -> f64 {
    if n.is_multiple_of(4) { 0.6 } else { 0.06 }
}

/// Whether debtor `n` answers: as often as his chance says.
fn answers(n: u128) -> bool {
    let lot = u32::try_from(n * 2_654_435_761 % 1_000).unwrap_or(0);
    f64::from(lot) / 1_000.0 < chance(n)
}

/// An hour of five agents: when each debtor was dialed, in that order.
fn hour() -> Vec<(u128, UtcMs)> {
    let mut rig = Rig::with_trunk(100, 100);
    rig.answers = Some(chance);
    rig.run(in_mode(DialMode::Predictive));
    rig.ready(1..=5);
    let mut order = Vec::new();
    let mut due: BTreeMap<AttemptId, (UtcMs, bool)> = BTreeMap::new();
    let mut talks: Vec<(AttemptId, UtcMs)> = Vec::new();
    for step in 0..7_200_i64 {
        rig.pass(500);
        let now = rig.now;
        for task in rig.dials().split_off(order.len()) {
            let n = task.item.debtor.0.as_u128() - DEBTORS;
            order.push((n, now));
            rig.opened(task.attempt);
            let rings = 4 + i64::try_from(n * 7 % 9).unwrap_or(0);
            due.insert(task.attempt, (now.plus_ms(rings * SECOND_MS), answers(n)));
        }
        let ripe: Vec<(AttemptId, bool)> = due
            .iter()
            .filter(|(_, (at, _))| *at <= now)
            .map(|(attempt, (_, live))| (*attempt, *live))
            .collect();
        for (attempt, live) in ripe {
            due.remove(&attempt);
            let free = (1..=5).any(|a| {
                let session = rig.brain.agent(super::rig::agent(a));
                session.is_some_and(|s| s.takes_calls())
            });
            // A person who would find nobody hangs up in time: abandonment is tested elsewhere.
            if live && free {
                rig.answer(attempt);
                rig.join(attempt);
                let talk = 30 + step % 60;
                talks.push((attempt, now.plus_ms(talk * SECOND_MS)));
            } else {
                rig.end(attempt, 486);
            }
        }
        let (over, on): (Vec<_>, Vec<_>) = talks.into_iter().partition(|(_, until)| *until <= now);
        talks = on;
        for (attempt, _) in over {
            rig.end(attempt, 200);
            rig.dispose(attempt);
        }
    }
    order
}

#[test]
fn picked_by_their_chance_and_none_waits_for_ever() {
    let order = hour();
    assert!(order.len() > 300, "{} dials", order.len());
    // Nothing is known at first: the queue's order holds.
    let first: Vec<u128> = order.iter().take(20).map(|d| d.0).collect();
    assert!(first.is_sorted(), "{first:?}");
    // Later the order is the policy's.
    let later = &order[order.len() / 2..];
    let turns = later.windows(2).filter(|w| w[1].0 < w[0].0).count();
    assert!(turns > later.len() / 20, "{turns} of {}", later.len());
    for (at, (n, when)) in order.iter().enumerate() {
        let passed = order[..at].iter().find(|d| d.0 > *n);
        let waited = passed.map_or(0, |d| when.since_ms(d.1));
        assert!(waited <= WAIT_MAX_MS, "debtor {n} waited {waited} ms");
    }
    // Who is not dialed yet was passed over no longer than that either.
    let (end, most) = order.last().map_or((UtcMs(0), 0), |d| (d.1, d.0));
    for n in (1..most).filter(|n| order.iter().all(|d| d.0 != *n)) {
        let passed = order.iter().find(|d| d.0 > n);
        let waited = passed.map_or(0, |d| end.since_ms(d.1));
        assert!(waited <= WAIT_MAX_MS, "debtor {n} waits for {waited} ms");
    }
}
