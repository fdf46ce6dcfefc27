//! The golden tables: a file a pack, a line a case, written from the article or the pack's own rule that
//! the line names. `golden/README.md` gives the form.

use crate::case::{Case, Home, at, debt, id, point};
use domain::entity::{
    CallerSeen, Channel, CheckPoint, Consent, CreditorKind, Decision, HoldKind, HoldScope,
    LedgerKind, Override, PartyRole, PointClass, Preference, PreferenceKind, RELAX_RIGHT, Verdict,
    VoicemailPart, VoicemailTemplate,
};
use domain::ids::{
    AttemptId, CampaignId, ClientId, ConsentId, DebtId, DebtorId, OverrideId, PersonId, PointId,
    PreferenceId, VoicemailId,
};
use domain::law::{ClientLaw, ContractTerms};
use domain::pii::Pii;
use domain::rules::limited::may_be_left;
use domain::time::{HOUR_MS, SECOND_MS, UtcMs};
use std::collections::BTreeSet;
use std::sync::Arc;

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
    pub(crate) line: usize,
    pub(crate) law: &'a str,
    say: &'a str,
    pub(crate) when: &'a str,
    pub(crate) set: Vec<&'a str>,
    pub(crate) expect: &'a str,
}

pub(crate) struct Table<'a> {
    pub(crate) home: Home,
    pub(crate) laws: BTreeSet<&'a str>,
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

/// What he asked for, or what is known of him.
fn prefer(case: &mut Case, kind: PreferenceKind) {
    case.facts.preferences.push(Preference {
        id: PreferenceId(id(8_000)),
        debtor_id: DebtorId(id(1)),
        kind,
        channel: None,
        point_id: None,
        days: Vec::new(),
        from: None,
        to: None,
        recorded_at: UtcMs(0),
        until: None,
        revoked_at: None,
        proof: "acta 7".into(),
    });
}

/// `KIND [person|debt|point [FROM [UNTIL]]]`
fn held(case: &mut Case, words: &[&str], zone: &str) {
    let scope = match words.get(1).copied().unwrap_or("person") {
        "debt" => HoldScope::Debt,
        "point" => HoldScope::Point,
        _ => HoldScope::Debtor,
    };
    let since = words.get(2).map_or(UtcMs(0), |w| at(w, zone));
    let hold = case.hold(text_of::<HoldKind>(words[0]), scope, since);
    hold.until = words.get(3).map(|w| at(w, zone));
}

/// A contract of the client that switches the pack's harder reading on.
fn strict() -> Arc<ClientLaw> {
    Arc::new(ClientLaw {
        client_id: ClientId(id(3)),
        version: 1,
        terms: ContractTerms {
            strict_mode: true,
            ..ContractTerms::default()
        },
        updated_at: UtcMs(0),
        updated_by: "user:1".into(),
    })
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
        "second" => {
            let mut second = point(6, first);
            second.role = words.get(2).map_or(second.role, |role| text_of(role));
            case.facts.points.push(second);
        }
        "use" => case.action.point_id = Some(PointId(id(text_of::<u128>(first)))),
        "hold" => held(case, &words[1..], zone),
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
        "product" => case.facts.debts[0].product = words[1..].join(" "),
        "mark" => prefer(case, text_of(first)),
        "wider" => {
            prefer(case, PreferenceKind::WiderHours);
            let wish = case.facts.preferences.last_mut().expect("just pushed");
            (wish.from, wish.to) = (
                Some(first.to_owned()),
                words.get(2).map(|w| (*w).to_owned()),
            );
        }
        "strict" => case.facts.client_law = Some(strict()),
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

/// What is wrong with the network's rule on short calls of his packs, if anything: longest short call in seconds, share
/// that blocks in percent, calls of the day from which it counts.
fn short_fault(case: &Case, row: &Row<'_>, wanted: &str, zone: &str) -> Option<String> {
    let found = case.book.short_calls(&case.facts, at(row.when, zone));
    let right = match wanted.split_whitespace().collect::<Vec<_>>()[..] {
        ["none"] => found.is_none(),
        [seconds, percent, calls] => found.is_some_and(|rule| {
            rule.max_ms == text_of::<i64>(seconds) * SECOND_MS
                && rule.cap_pct.total_cmp(&text_of(percent)).is_eq()
                && rule.day_min == text_of::<u32>(calls)
        }),
        _ => panic!("'{wanted}' is neither none nor three numbers"),
    };
    (!right).then(|| format!("wanted {wanted}, got {found:?}"))
}

/// What is wrong with what his packs ask of the line that he calls, if anything: share in percent, in time in seconds,
/// a person in seconds.
fn inbound_fault(case: &Case, row: &Row<'_>, wanted: &str, zone: &str) -> Option<String> {
    let found = case.book.inbound_duty(&case.facts, at(row.when, zone));
    let right = match wanted.split_whitespace().collect::<Vec<_>>()[..] {
        ["none"] => found.is_none(),
        [percent, within, human] => found.is_some_and(|duty| {
            duty.target_pct.total_cmp(&text_of(percent)).is_eq()
                && duty.within_ms == text_of::<i64>(within) * SECOND_MS
                && duty.human_ms == Some(text_of::<i64>(human) * SECOND_MS)
        }),
        _ => panic!("'{wanted}' is neither none nor three numbers"),
    };
    (!right).then(|| format!("wanted {wanted}, got {found:?}"))
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
            let fault = match row.expect.split_once(' ') {
                Some(("mailbox", wanted)) => mailbox_fault(&case, row, wanted, zone),
                Some(("short", wanted)) => short_fault(&case, row, wanted, zone),
                Some(("inbound", wanted)) => inbound_fault(&case, row, wanted, zone),
                _ => fault(&case.judge_at(row.when, zone), row.expect, zone),
            };
            if let Some(fault) = fault {
                faults.push(format!("{pack}.txt:{} {}: {fault}", row.line, row.say));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
