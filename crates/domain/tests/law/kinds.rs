//! Every pack's table has each kind of case that the product is asked to show: days on which clocks change, ends of
//! weeks, the second number of one person, another campaign, messages beside calls; each said yes to and no to.

use crate::golden::{Row, TABLES, read};
use jiff::civil::{Date, DateTime};
use std::collections::BTreeSet;

/// What each table needs.
const KINDS: [&str; 5] = [
    "daylight saving",
    "week's end",
    "second number",
    "other campaign",
    "message and call",
];
/// Words of what was done.
const ACTS: [&str; 6] = [
    "attempt",
    "conversation",
    "message",
    "visit",
    "abandoned",
    "reply",
];

fn moment(text: &str) -> DateTime {
    text.parse().expect("a local time")
}

/// Acts of a case: the word, its day, its options.
fn acts<'a>(row: &'a Row<'_>) -> impl Iterator<Item = (&'a str, Date, Vec<&'a str>)> {
    row.set.iter().filter_map(|what| {
        let mut words = what.split_whitespace();
        let first = words.next()?;
        let when = words.next().filter(|_| ACTS.contains(&first))?;
        Some((first, moment(when).date(), words.collect()))
    })
}

fn monday(date: Date) -> Date {
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.saturating_sub(jiff::Span::new().days(back))
}

/// Whether the clock that goes where he is changed within the three days before, or does on the day itself.
fn clocks_change(row: &Row<'_>, home: &str) -> bool {
    let told = row.set.iter().find_map(|what| what.strip_prefix("told "));
    let zone = domain::time::zone(told.unwrap_or(home)).expect("a zone");
    let date = moment(row.when).date();
    let offset = |days: i64| {
        let day = date.saturating_add(jiff::Span::new().days(days));
        let noon = zone.to_ambiguous_zoned(day.at(12, 0, 0, 0));
        noon.compatible().expect("an instant").offset()
    };
    offset(-3) != offset(1)
}

fn kinds(row: &Row<'_>, home: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    if clocks_change(row, home) {
        found.push(KINDS[0]);
    }
    let week = monday(moment(row.when).date());
    if acts(row).any(|(_, day, _)| monday(day) != week) {
        found.push(KINDS[1]);
    }
    let option = |key: &str| acts(row).any(|(_, _, all)| all.iter().any(|o| o.starts_with(key)));
    if option("phone=") || row.set.iter().any(|what| what.starts_with("second ")) {
        found.push(KINDS[2]);
    }
    if option("campaign=") {
        found.push(KINDS[3]);
    }
    let written = row
        .set
        .iter()
        .any(|what| what.starts_with("channel ") || what.starts_with("by "));
    let called = |word: &str| matches!(word, "attempt" | "conversation");
    let sent = |word: &str| matches!(word, "message" | "reply");
    let both = acts(row).any(|(word, ..)| if written { called(word) } else { sent(word) });
    if both {
        found.push(KINDS[4]);
    }
    found
}

#[test]
fn every_table_has_every_kind_on_both_sides() {
    let mut missing = Vec::new();
    for (pack, text) in TABLES {
        let table = read(text);
        let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
        for row in &table.rows {
            let yes = row.expect == "allow";
            seen.extend(
                kinds(row, table.home.zone)
                    .into_iter()
                    .map(|kind| (kind, yes)),
            );
        }
        for kind in KINDS {
            for (yes, side) in [(true, "allowed"), (false, "refused")] {
                if !seen.contains(&(kind, yes)) {
                    missing.push(format!("{pack}: no case of {kind} that is {side}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
