//! The golden tables: a file a pack, a line a case, written from the article or the pack's own rule that
//! the line names. `golden/README.md` gives the form.

use crate::case::{Case, Home, at, debt, id, point};
use domain::entity::{
    CallerSeen, Channel, CheckPoint, Consent, CreditorKind, Decision, HoldKind, HoldScope,
    LedgerKind, Override, PartyRole, PointClass, RELAX_RIGHT, Verdict, VoicemailPart,
    VoicemailTemplate,
};
use domain::ids::{
    AttemptId, CampaignId, ClientId, ConsentId, DebtId, DebtorId, OverrideId, PersonId, PointId,
    VoicemailId,
};
use domain::law::EMBEDDED_PACKS;
use domain::pii::Pii;
use domain::rules::limited::may_be_left;
use domain::time::{HOUR_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet};

/// Least cases of a pack.
const LEAST_CASES: usize = 20;

pub(crate) const TABLES: [(&str, &str); 12] = [
    ("ar", include_str!("golden/ar.txt")),
    ("br-sp", include_str!("golden/br-sp.txt")),
    ("cl", include_str!("golden/cl.txt")),
    ("co", include_str!("golden/co.txt")),
    ("ec", include_str!("golden/ec.txt")),
    ("es", include_str!("golden/es.txt")),
    ("gb", include_str!("golden/gb.txt")),
    ("mx-condusef", include_str!("golden/mx-condusef.txt")),
    ("mx-profeco", include_str!("golden/mx-profeco.txt")),
    ("pe", include_str!("golden/pe.txt")),
    ("us-federal", include_str!("golden/us-federal.txt")),
    ("us-ma", include_str!("golden/us-ma.txt")),
];

/// One line of a table.
pub(crate) struct Row<'a> {
    line: usize,
    law: &'a str,
    say: &'a str,
    pub(crate) when: &'a str,
    pub(crate) set: Vec<&'a str>,
    pub(crate) expect: &'a str,
}

pub(crate) struct Table<'a> {
    pub(crate) home: Home,
    laws: BTreeSet<&'a str>,
    pub(crate) rows: Vec<Row<'a>>,
}

fn text_of<T: std::str::FromStr>(word: &str) -> T {
    match word.parse() {
        Ok(value) => value,
        Err(_) => panic!("'{word}' is no {}", std::any::type_name::<T>()),
    }
}

fn home(words: &[&'static str]) -> Home {
    let [country, subdivision, phone, kind, zone] = words else {
        panic!("home wants country, subdivision or -, phone, kind of creditor, zone: {words:?}");
    };
    Home {
        country,
        subdivision: (*subdivision != "-").then_some(subdivision),
        phone,
        kind: if *kind == "commercial" {
            CreditorKind::Commercial
        } else {
            CreditorKind::Financial
        },
        zone,
    }
}

pub(crate) fn read(text: &'static str) -> Table<'static> {
    let mut table = Table {
        home: crate::case::MX,
        laws: BTreeSet::new(),
        rows: Vec::new(),
    };
    for (n, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(words) = line.strip_prefix("home ") {
            table.home = home(&words.split(' ').collect::<Vec<_>>());
        } else if let Some(law) = line.strip_prefix("law ") {
            let (tag, _) = law.split_once(" = ").expect("law TAG = what it says");
            table.laws.insert(tag);
        } else {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [law, say, when, set, expect] = cells[..] else {
                panic!("line {}: five cells, not {}", n + 1, cells.len());
            };
            let set = set.split(';').map(str::trim).filter(|s| !s.is_empty());
            table.rows.push(Row {
                line: n + 1,
                law,
                say,
                when,
                set: set.collect(),
                expect,
            });
        }
    }
    table
}

/// `attempt 2026-11-24T09:00 client=2 debt=2 phone=… person=2 network=no channel=sms class=mobile`
fn history(case: &mut Case, kind: LedgerKind, words: &[&str], zone: &str) {
    let [when, options @ ..] = words else {
        panic!("an act needs its instant");
    };
    let row = case.row(kind, at(when, zone));
    for option in options {
        let (key, value) = option.split_once('=').expect("key=value");
        match key {
            "client" => row.client_id = ClientId(id(300 + text_of::<u128>(value))),
            "debt" => row.debts = vec![DebtId(id(40 + text_of::<u128>(value)))],
            "phone" => (row.address, row.point_id) = (Pii(value.to_owned()), None),
            "person" => {
                row.person_id = PersonId(id(20 + text_of::<u128>(value)));
                row.debtor_id = DebtorId(id(10 + text_of::<u128>(value)));
            }
            "network" => row.reached_network = Some(value == "yes"),
            "channel" => row.channel = text_of(value),
            "class" => row.class = text_of(value),
            "campaign" => row.campaign_id = Some(CampaignId(id(700 + text_of::<u128>(value)))),
            "attempt" => row.attempt_id = Some(AttemptId(id(9_000 + text_of::<u128>(value)))),
            other => panic!("unknown key '{other}' of an act"),
        }
    }
}

/// A presumption relaxed for an hour.
fn relax(case: &mut Case, rule: &str, since: &str, zone: &str) {
    let granted_at = at(since, zone);
    case.facts.overrides.push(Override {
        id: OverrideId(id(7_000)),
        client_id: ClientId(id(3)),
        debtor_id: DebtorId(id(1)),
        rule: rule.to_owned(),
        reason: "lo pidió".into(),
        granted_by: "user:1".into(),
        granted_right: RELAX_RIGHT.into(),
        granted_at,
        until: granted_at.plus_ms(HOUR_MS),
        withdrawn_at: None,
    });
}

fn set(case: &mut Case, what: &str, zone: &str) {
    let words: Vec<&str> = what.split_whitespace().collect();
    let first = words.get(1).copied().unwrap_or_default();
    let point_0 = &mut case.facts.points[0];
    match words[0] {
        "attempt" | "conversation" | "message" | "visit" | "abandoned" | "reply" => {
            history(case, text_of(words[0]), &words[1..], zone);
        }
        "role" => point_0.role = text_of::<PartyRole>(first),
        "class" => point_0.class = text_of::<PointClass>(first),
        "given" => point_0.given_by_debtor = first == "yes",
        "authorised" => point_0.authorised = first == "yes",
        "bad" => point_0.bad = true,
        "phone" => point_0.value = Pii(first.to_owned()),
        "channel" => case.action.channel = text_of::<Channel>(first),
        // The point itself is of that channel.
        "by" => {
            point_0.channel = text_of::<Channel>(first);
            case.action.channel = text_of::<Channel>(first);
        }
        "address" => case.facts.debtor.address_zone = Some(first.to_owned()),
        "told" => {
            case.facts.debtor.told_zone = Some(first.to_owned());
            case.facts.debtor.told_zone_at = Some(UtcMs(0));
        }
        "subdivision" => {
            case.facts.debtor.subdivision = (first != "-").then(|| first.to_owned());
        }
        "debts" => case.facts.debts.push(debt(40 + text_of::<u128>(first))),
        "second" => case.facts.points.push(point(6, first)),
        "use" => case.action.point_id = Some(PointId(id(text_of::<u128>(first)))),
        "hold" => {
            let scope = match words.get(2).copied().unwrap_or("person") {
                "debt" => HoldScope::Debt,
                "point" => HoldScope::Point,
                _ => HoldScope::Debtor,
            };
            case.hold(text_of::<HoldKind>(first), scope, UtcMs(0));
        }
        "consent" => case.facts.consents.push(Consent {
            id: ConsentId(id(5_000)),
            debtor_id: DebtorId(id(1)),
            channel: case.action.channel,
            purpose: first.to_owned(),
            granted_at: words.get(2).map_or(UtcMs(0), |w| at(w, zone)),
            until: None,
            revoked_at: words.get(3).map(|w| at(w, zone)),
            proof: String::new(),
            revoke_proof: None,
        }),
        "shown" => case.action.circumstances.caller = Some(shown(&words[1..], zone)),
        "by_hand" => {
            case.action.check_point = CheckPoint::Manual;
            case.action.agent_reserved = true;
        }
        "relaxed" => relax(case, first, words.get(2).expect("since"), zone),
        // Read by the verdict on it.
        "says" => {}
        other => panic!("unknown setting '{other}'"),
    }
}

/// `+566001234567 CL registered signed tested=TIME month=N`; `-` = no number.
fn shown(words: &[&str], zone: &str) -> CallerSeen {
    let [number, country, options @ ..] = words else {
        panic!("a number shown needs itself and its country");
    };
    let mut caller = CallerSeen {
        number: number.trim_start_matches('-').to_owned(),
        country: (*country).to_owned(),
        ..CallerSeen::default()
    };
    for option in options {
        match option.split_once('=') {
            None if *option == "registered" => caller.registered = true,
            None if *option == "signed" => caller.signed = true,
            Some(("tested", when)) => caller.callback_at = Some(at(when, zone)),
            Some(("month", calls)) => caller.month_calls = Some(text_of(calls)),
            _ => panic!("unknown option '{option}' of a number shown"),
        }
    }
    caller
}

/// What is wrong with a verdict, if anything.
fn fault(verdict: &Verdict, expect: &str, zone: &str) -> Option<String> {
    let words: Vec<&str> = expect.split_whitespace().collect();
    let spoke = |rule: &str| verdict.rules.iter().any(|r| r.refused && r.rule == rule);
    let right = match words[..] {
        ["allow"] => verdict.decision == Decision::Allow && verdict.blocked.is_none(),
        ["agent", rule] => {
            verdict.decision == Decision::AllowAgentOnly
                && verdict.rules.iter().any(|r| r.rule == rule)
        }
        ["refuse", rule] => !verdict.decision.permits(true) && spoke(rule),
        ["deny", rule] => verdict.decision == Decision::Deny && spoke(rule),
        ["defer", rule, until] => {
            let until = at(until, zone);
            verdict.decision == Decision::Defer { until } && spoke(rule)
        }
        _ => panic!("'{expect}' is none of allow, agent, refuse, deny, defer"),
    };
    (!right).then(|| {
        let refused: Vec<&str> = verdict
            .rules
            .iter()
            .filter(|r| r.refused)
            .map(|r| r.rule.as_str())
            .collect();
        let until = match verdict.decision {
            Decision::Defer { until } => {
                let tz = domain::time::zone(zone).expect("a zone");
                let instant = jiff::Timestamp::from_millisecond(until.0).expect("an instant");
                instant.to_zoned(tz).datetime().to_string()
            }
            _ => String::new(),
        };
        format!(
            "wanted {expect}, got {} {refused:?} {until}",
            verdict.decision.as_str()
        )
    })
}

/// What is wrong with whether a message may be left on his mailbox, if anything.
fn mailbox_fault(case: &Case, row: &Row<'_>, wanted: &str, zone: &str) -> Option<String> {
    let said = row.set.iter().find_map(|what| what.strip_prefix("says "));
    let template = VoicemailTemplate {
        id: VoicemailId(id(6_000)),
        client_id: case.facts.debtor.client_id,
        name: "buzón".into(),
        language: case.facts.debtor.language,
        parts: vec![VoicemailPart::Text {
            text: said.expect("a mailbox needs what is said").to_owned(),
        }],
        person: "Ana Ruiz".into(),
        approved_by: None,
        version: 1,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    };
    let duties = case.book.duties(&case.facts, at(row.when, zone));
    let left = may_be_left(&template, "Servicios Norte", &duties);
    let right = match wanted {
        "yes" => left.is_ok(),
        "no" => left.is_err(),
        _ => panic!("'{wanted}' is neither yes nor no"),
    };
    (!right).then(|| format!("wanted {wanted}, got {left:?}"))
}

#[test]
fn every_golden_case_has_its_verdict() {
    let mut faults = Vec::new();
    for (pack, text) in TABLES {
        let table = read(text);
        for row in &table.rows {
            let mut case = Case::new(table.home);
            for what in &row.set {
                set(&mut case, what, table.home.zone);
            }
            let zone = table.home.zone;
            let fault = match row.expect.strip_prefix("mailbox ") {
                Some(wanted) => mailbox_fault(&case, row, wanted, zone),
                None => fault(&case.judge_at(row.when, zone), row.expect, zone),
            };
            if let Some(fault) = fault {
                faults.push(format!("{pack}.txt:{} {}: {fault}", row.line, row.say));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every rule of a pack that can refuse speaks in its table, and each table says yes and no.
#[test]
fn the_tables_cover_every_rule_of_their_packs() {
    let listed: BTreeSet<&str> = TABLES.iter().map(|(pack, _)| *pack).collect();
    let known: BTreeSet<&str> = EMBEDDED_PACKS
        .iter()
        .map(|(name, _)| name.trim_end_matches(".json"))
        .collect();
    assert_eq!(listed, known);
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
        for rule in refusing_rules(pack) {
            assert!(
                table
                    .rows
                    .iter()
                    .any(|r| r.expect.split(' ').any(|w| w == rule)),
                "{pack}.txt has no case of {rule}"
            );
        }
    }
}

/// Ids of what a pack's own file can refuse by: hours, holidays that block, caps, cool-offs, parties.
fn refusing_rules(pack: &str) -> Vec<String> {
    let (_, text) = EMBEDDED_PACKS
        .iter()
        .find(|(name, _)| name.trim_end_matches(".json") == pack)
        .expect("the pack");
    let file: serde_json::Value = serde_json::from_str(text).expect("json");
    let mut rules = vec![format!("{pack}/windows")];
    if file["holidays"]["policy"] == "block" {
        rules.push(format!("{pack}/holidays"));
    }
    for section in ["caps", "cooloff"] {
        for rule in file[section].as_array().into_iter().flatten() {
            let id = rule["id"].as_str().expect("an id");
            rules.push(format!("{pack}/{id}"));
        }
    }
    for part in [
        "prefix",
        "registered_list",
        "must_accept_callback",
        "mobile_origin",
    ] {
        if !file["caller_id"][part].is_null() {
            rules.push(format!("{pack}/caller_id.{part}"));
        }
    }
    if !file["telco"]["authentication_over_calls_month"].is_null() {
        rules.push(format!("{pack}/caller_id.signature"));
    }
    if file["parties"].is_object() {
        rules.push(format!("{pack}/parties"));
    }
    if file["voicemail"].is_object() {
        rules.push("mailbox".to_owned());
    }
    rules
}
