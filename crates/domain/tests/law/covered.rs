//! Every rule of a pack that can refuse speaks in its table, and each table says yes and no.

use crate::golden::{Row, TABLES, Table, read};
use domain::law::EMBEDDED_PACKS;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Least cases of a pack.
const LEAST_CASES: usize = 20;

/// Where a pack's file may say something, and the rule or the word by which its table then has a case.
const SECTIONS: [(&str, &str); 18] = [
    ("/caller_id/prefix", "PACK/caller_id.prefix"),
    (
        "/caller_id/registered_list",
        "PACK/caller_id.registered_list",
    ),
    (
        "/caller_id/must_accept_callback",
        "PACK/caller_id.must_accept_callback",
    ),
    ("/caller_id/mobile_origin", "PACK/caller_id.mobile_origin"),
    ("/caller_id/withheld", "house/caller_id"),
    (
        "/telco/authentication_over_calls_month",
        "PACK/caller_id.signature",
    ),
    ("/telco/short_call_max_s", "short"),
    ("/parties/allowed", "PACK/parties"),
    ("/parties/points", "PACK/parties.points"),
    ("/voicemail", "mailbox"),
    ("/consent", "PACK/consent"),
    (
        "/messages/sms_reassigned_check_days",
        "PACK/messages/number_check",
    ),
    (
        "/opening/validation_notice_within_days",
        "PACK/opening.validation_notice",
    ),
    ("/inbound", "inbound"),
    ("/channel_authorisation", "PACK/channel_authorisation"),
    ("/visits", "PACK/visits"),
    ("/strict_mode", "PACK/strict_mode/one_action_day"),
    ("/strict_mode", "PACK/strict_mode/one_channel_week"),
];

/// Every rule of a pack that can refuse speaks in its table, and each table says yes and no.
#[test]
fn the_tables_cover_every_rule_of_their_packs() {
    let listed: BTreeSet<&str> = TABLES.iter().map(|(pack, _)| *pack).collect();
    let known: BTreeSet<&str> = EMBEDDED_PACKS
        .iter()
        .map(|(name, _)| name.trim_end_matches(".json"))
        .collect();
    assert_eq!(listed, known);
    let mut missing = Vec::new();
    for (pack, text) in TABLES {
        let table = read(text);
        assert!(table.rows.len() >= LEAST_CASES, "{pack}");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &table.rows {
            assert!(
                table.laws.contains(row.law),
                "{pack}.txt:{}: {}",
                row.line,
                row.law
            );
            let word = row.expect.split(' ').next().unwrap_or_default();
            *counts.entry(word).or_default() += 1;
        }
        let no = table.rows.len() - counts.get("allow").copied().unwrap_or(0);
        assert!(counts.get("allow").is_some_and(|n| *n >= 6), "{pack}");
        assert!(no >= 6, "{pack}");
        missing.extend(uncovered(pack, &table));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Rules of a pack of which its table has no case, and what it allows without one.
fn uncovered(pack: &str, table: &Table<'_>) -> Vec<String> {
    let named = |rule: &str| {
        let spoken = |r: &Row<'_>| r.expect.split(' ').any(|w| w == rule);
        table.rows.iter().any(spoken)
    };
    let allowed = |what: &str| {
        let fits = |r: &Row<'_>| r.expect == "allow" && r.set.contains(&what);
        table.rows.iter().any(fits)
    };
    let file = file_of(pack);
    let rules = refusing_rules(pack, &file);
    let roles = texts(&file["parties"]["allowed"]).filter(|role| *role != "titular");
    let asked = roles.map(|role| format!("role {role}"));
    let left_out = |exclusion: &&str| {
        let word = excluded_by(exclusion);
        let fits = |r: &Row<'_>| r.expect == "allow" && r.set.iter().any(|w| w.contains(word));
        !table.rows.iter().any(fits)
    };
    let counted = file["caps"].as_array().into_iter().flatten();
    let counted: Vec<String> = counted
        .flat_map(|cap| texts(&cap["exclusions"]))
        .filter(left_out)
        .map(|exclusion| format!("{pack}.txt leaves out nothing by {exclusion}"))
        .collect();
    let denied = rules.into_iter().filter(|rule| !named(rule));
    let silent = asked.filter(|what| !allowed(what));
    let widened =
        |r: &Row<'_>| r.expect == "allow" && r.set.iter().any(|w| w.starts_with("wider "));
    let narrow = !file["wider_hours"].is_null() && !table.rows.iter().any(widened);
    denied
        .map(|rule| format!("{pack}.txt has no case of {rule}"))
        .chain(silent.map(|what| format!("{pack}.txt allows no {what}")))
        .chain(narrow.then(|| format!("{pack}.txt widens no hours")))
        .chain(counted)
        .collect()
}

/// The word of a case by which an exclusion of a cap shows.
fn excluded_by(exclusion: &str) -> &'static str {
    match exclusion {
        "direct_prior_consent_last_7d" => "consent call_within_7_days",
        "did_not_connect_to_number" => "network=no",
        "professionals" => "attorney",
        other => panic!("no word for the exclusion '{other}'"),
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn file_of(pack: &str) -> Value {
    let (_, text) = EMBEDDED_PACKS
        .iter()
        .find(|(name, _)| name.trim_end_matches(".json") == pack)
        .expect("the pack");
    serde_json::from_str(text).expect("json")
}

/// Ids of what a pack's own file can refuse by.
fn refusing_rules(pack: &str, file: &Value) -> Vec<String> {
    let mut rules = vec![format!("{pack}/windows")];
    for section in ["caps", "cooloff"] {
        for rule in file[section].as_array().into_iter().flatten() {
            let id = rule["id"].as_str().expect("an id");
            rules.push(format!("{pack}/{id}"));
            if !rule["min_gap_days"].is_null() {
                rules.push(format!("{pack}/{id}/min_gap"));
            }
        }
    }
    let holds = file["holds"]["list"].as_array().into_iter().flatten();
    rules
        .extend(holds.filter_map(|h| h["hold"].as_str().map(|kind| format!("{pack}/hold/{kind}"))));
    if file["holidays"]["policy"] == "block" {
        rules.push(format!("{pack}/holidays"));
    }
    for (place, rule) in SECTIONS {
        if file.pointer(place).is_some_and(|found| !found.is_null()) {
            rules.push(rule.replace("PACK", pack));
        }
    }
    // Where a cool-off says the same of a number, that one speaks.
    let abandoned = |rule: &Value| rule["after"] == "abandoned";
    let own = file["cooloff"]
        .as_array()
        .into_iter()
        .flatten()
        .any(abandoned);
    if !file["abandonment"]["retry_block_h"].is_null() && !own {
        rules.push(format!("{pack}/abandonment.retry_block"));
    }
    let forbidden: Vec<&str> = texts(&file["parties"]["forbidden"]).collect();
    if forbidden.contains(&"elderly_unless_debtor") {
        rules.push(format!("{pack}/parties.forbidden/elderly"));
    }
    if forbidden.contains(&"minors") {
        rules.push("house/vulnerable/minor".to_owned());
    }
    rules
}
