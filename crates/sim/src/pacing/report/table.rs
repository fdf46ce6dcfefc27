//! The rows as tables of text.

use super::Row;
use std::fmt::Write as _;

/// Occupancy and abandonment of a row, or nothing where it was not run.
fn half(row: Option<&Row>) -> String {
    row.map_or_else(
        || format!("{:^44}", "–"),
        |r| {
            format!(
                "{:6.2} ±{:4.2}  {:5.2} ({:4.2}–{:5.2})  {:5.1}  {:5.1}",
                100.0 * r.occupancy.0,
                100.0 * r.occupancy.1,
                100.0 * r.abandonment,
                100.0 * r.abandonment_interval.0,
                100.0 * r.abandonment_interval.1,
                100.0 * r.worst_hour,
                100.0 * r.first_5_min,
            )
        },
    )
}

/// Waits, spells and contacts of a row.
fn more(row: Option<&Row>) -> String {
    row.map_or_else(
        || format!("{:^32}", "–"),
        |r| {
            format!(
                "{:5.2} / {:4.2}  {:7.1}  {:10.2}",
                r.wait_p50_s, r.wait_p99_s, r.idle_spell_s, r.contacts_per_agent_hour
            )
        },
    )
}

/// Two tables: what counts, and what else agents and people feel; each policy without and with the hard
/// stop of the law beside each other.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let key = (row.scenario.as_str(), row.policy.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let find = |key: &(&str, &str), stop: bool| {
        let same = |r: &&Row| (r.scenario.as_str(), r.policy.as_str()) == *key;
        rows.iter().filter(same).find(|r| r.hard_stop == stop)
    };
    let wide = keys.iter().map(|k| k.1.chars().count()).max().unwrap_or(6);
    let mut text = String::new();
    let title = "occ %  ±se    aband % (95 %)       worst h  first 5 min";
    let _ = writeln!(
        text,
        "{:wide$}  without hard stop: {title}   | with hard stop: the same",
        ""
    );
    let mut last = "";
    for key in &keys {
        if key.0 != last {
            last = key.0;
            let _ = writeln!(text, "{last}");
        }
        let _ = writeln!(
            text,
            "  {:wide$}  {}  |  {}",
            key.1,
            half(find(key, false)),
            half(find(key, true))
        );
    }
    let _ = writeln!(
        text,
        "\n{:wide$}  without hard stop: wait p50/p99 s, idle spell s, contacts/agent hour | with",
        ""
    );
    last = "";
    for key in &keys {
        if key.0 != last {
            last = key.0;
            let _ = writeln!(text, "{last}");
        }
        let _ = writeln!(
            text,
            "  {:wide$}  {}  |  {}",
            key.1,
            more(find(key, false)),
            more(find(key, true))
        );
    }
    let slowest = rows
        .iter()
        .filter_map(|r| Some((r.decision_max_ms?, r.decision_p99_ms?)))
        .fold((0.0, 0.0), |a: (f64, f64), b| (a.0.max(b.0), a.1.max(b.1)));
    if slowest.0 > 0.0 {
        let (most, p99) = slowest;
        let _ = writeln!(
            text,
            "\ndecisions: largest p99 of a run {p99:.3} ms, longest of all {most:.3} ms (all processors busy)"
        );
    }
    text
}
