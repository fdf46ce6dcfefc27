//! What is told: invariants 11 and 12.

use super::{Breach, breach};
use crate::store::Tables;
use std::collections::{BTreeMap, BTreeSet};

/// 11: folding the events gives the state: each attempt was told dialed once and ended once.
pub(super) fn events_tell_the_same(tables: &Tables, out: &mut Vec<Breach>) {
    let mut told: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for event in &tables.events {
        let counts = told.entry(event.event.subject.as_str()).or_default();
        match event.event.kind.as_str() {
            "attempt.dialed" => counts.0 += 1,
            "attempt.ended" => counts.1 += 1,
            _ => {}
        }
    }
    for attempt in tables.attempts.values() {
        let subject = format!("attempt:{}", attempt.id);
        let expected = (1, u32::from(attempt.state.is_closed()));
        let seen = told.get(subject.as_str()).copied().unwrap_or_default();
        if seen != expected {
            breach(
                out,
                11,
                format!("{subject}: told (dialed, ended) {seen:?}, is {expected:?}"),
            );
        }
    }
}

/// 12: no event is stored twice.
pub(super) fn events_are_unique(tables: &Tables, out: &mut Vec<Breach>) {
    let mut ids = BTreeSet::new();
    for event in &tables.events {
        if !ids.insert(event.event.id) {
            breach(out, 12, format!("event {} is stored twice", event.event.id));
        }
    }
}
