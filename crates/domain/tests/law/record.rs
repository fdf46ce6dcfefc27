//! What the record of a decision holds (law.md §7), and that it can be made again from it.

use crate::case::{Case, MX, US, allowed, at, id, refused};
use domain::entity::{
    AbandonSeen, BlockReason, CallerSeen, CheckPoint, Circumstances, ClockSeen, LedgerKind,
    Override, RELAX_RIGHT, Verdict,
};
use domain::ids::{CallerIdId, ClientId, DebtorId, OverrideId, PartyId};
use domain::law::Replayed;
use domain::time::{HOUR_MS, UtcMs};

const ZONE: &str = "America/Mexico_City";

fn circumstances() -> Circumstances {
    Circumstances {
        asked_by: Some("agent:7".into()),
        clock: Some(ClockSeen {
            mono_ms: 86_400_000,
            drift_ms: -40,
        }),
        caller: Some(CallerSeen {
            id: Some(CallerIdId(id(81))),
            number: "+525550000001".into(),
            country: "MX".into(),
            registered: true,
            why: "home".into(),
            ..CallerSeen::default()
        }),
        abandonment: Some(AbandonSeen {
            formula: "plain_day".into(),
            numerator_m: 2_000,
            denominator_m: 90_000,
            cap_bp: 300,
            mode: "predictive".into(),
        }),
        action: Some("attempt:1".into()),
        reserved_until: Some(UtcMs(99)),
        ..Circumstances::default()
    }
}

#[test]
fn the_record_says_who_when_with_what_and_under_which_tables() {
    let mut case = Case::new(MX);
    case.action.circumstances = circumstances();
    case.facts.ledger.clear();
    let started = at("2026-11-24T10:00", ZONE);
    let row = case.row(LedgerKind::Conversation, started).id;
    let verdict = case.judge_at("2026-11-24T11:00", ZONE);
    refused(&verdict, BlockReason::Cap, "mx-condusef/after_conversation");
    let record = verdict.record.as_deref().expect("a record");
    assert_eq!(record.circumstances, circumstances());
    assert_eq!(record.client, Some(ClientId(id(3))));
    assert_eq!(record.parties, vec![PartyId(id(7))]);
    assert_eq!(
        (record.authorised, record.given_by_debtor),
        (Some(true), Some(true))
    );
    assert!(record.zone_data.starts_with("20"), "{}", record.zone_data);
    let [rest] = &record.started[..] else {
        panic!("one rest stands in the way: {:?}", record.started);
    };
    assert_eq!(rest.rule, "mx-condusef/after_conversation");
    assert_eq!((rest.row, rest.at), (row, started));
    assert_eq!(rest.until, started.plus_ms(24 * HOUR_MS));
    assert_eq!(verdict.packs[0].hash.len(), 64);
    assert_eq!(verdict.zones[0].local, "2026-11-24T11:00:00-06:00");
}

#[test]
fn a_decision_is_made_again_from_its_record_as_it_is_stored() {
    let mut case = Case::new(MX);
    case.action.circumstances = circumstances();
    let verdict = case.judge_at("2026-11-24T11:00", ZONE);
    allowed(&verdict);
    let text = serde_json::to_string(&verdict).expect("is written");
    let stored: Verdict = serde_json::from_str(&text).expect("is read");
    assert_eq!(stored, verdict);
    assert_eq!(
        Replayed::of(&*case.book, &case.facts, &stored).differences,
        Vec::<String>::new()
    );
    // Another number was shown: the same facts say another thing.
    let mut other = stored.clone();
    let record = other.record.as_deref_mut().expect("a record");
    record
        .circumstances
        .caller
        .as_mut()
        .expect("a number")
        .registered = false;
    assert!(!Replayed::of(&*case.book, &case.facts, &other).same);
}

#[test]
fn a_record_of_a_version_before_is_read_and_made_again() {
    let case = Case::new(MX);
    let verdict = case.judge_at("2026-11-24T11:00", ZONE);
    let mut text = serde_json::to_value(&verdict).expect("is written");
    let record = text["record"].as_object_mut().expect("a record");
    for name in [
        "client",
        "parties",
        "authorised",
        "given_by_debtor",
        "zone_data",
        "started",
        "overrides",
        "circumstances",
    ] {
        record.remove(name);
    }
    let stored: Verdict = serde_json::from_value(text).expect("is read");
    assert!(Replayed::of(&*case.book, &case.facts, &stored).same);
}

#[test]
fn a_clock_in_doubt_calls_nobody() {
    let mut case = Case::new(MX);
    for (drift_ms, doubt) in [
        (60_000, false),
        (60_001, true),
        (-60_000, false),
        (-60_001, true),
    ] {
        case.action.circumstances.clock = Some(ClockSeen {
            mono_ms: 1,
            drift_ms,
        });
        let verdict = case.judge_at("2026-11-24T11:00", ZONE);
        if doubt {
            refused(&verdict, BlockReason::Rule, "house/clock");
        } else {
            allowed(&verdict);
        }
    }
}

#[test]
fn who_relaxed_a_presumption_stands_in_the_record() {
    let mut case = Case::new(US);
    let zone = US.zone;
    case.row(LedgerKind::Conversation, at("2026-11-24T10:00", zone));
    let granted_at = at("2026-11-25T09:30", zone);
    case.facts.overrides.push(Override {
        id: OverrideId(id(70)),
        client_id: ClientId(id(3)),
        debtor_id: DebtorId(id(1)),
        rule: "us-federal/reg_f_after_conversation".into(),
        reason: "he asked to be called today".into(),
        granted_by: "user:5".into(),
        granted_right: RELAX_RIGHT.into(),
        granted_at,
        until: granted_at.plus_ms(HOUR_MS),
        withdrawn_at: None,
    });
    case.action.check_point = CheckPoint::Manual;
    case.action.agent_reserved = true;
    let verdict = case.judge_at("2026-11-25T10:00", zone);
    allowed(&verdict);
    let record = verdict.record.as_deref().expect("a record");
    let [seen] = &record.overrides[..] else {
        panic!("one was used: {:?}", record.overrides);
    };
    assert_eq!(
        (seen.by.as_str(), seen.right.as_str()),
        ("user:5", RELAX_RIGHT)
    );
    assert_eq!(seen.reason, "he asked to be called today");
    let told = verdict
        .rules
        .iter()
        .find(|r| r.rule == seen.rule)
        .expect("the rule is told");
    assert!(
        !told.refused && told.es.contains("presunción relajada"),
        "{told:?}"
    );
    // What is taken back holds no more.
    case.facts.overrides[0].withdrawn_at = Some(granted_at.plus_ms(1));
    let verdict = case.judge_at("2026-11-25T10:00", zone);
    refused(
        &verdict,
        BlockReason::Cap,
        "us-federal/reg_f_after_conversation",
    );
    assert_eq!(
        case.book.is_presumption("us-federal/reg_f_7in7"),
        Some(true)
    );
    assert_eq!(case.book.is_presumption("us-ma/ma_home"), Some(false));
    assert_eq!(case.book.is_presumption("us-federal/windows"), None);
    assert_eq!(
        case.book.presumptions(),
        [
            "us-federal/reg_f_7in7",
            "us-federal/reg_f_after_conversation"
        ]
    );
}

#[test]
fn an_installation_may_ask_for_a_class_of_number() {
    let mut case = Case::new(crate::case::Home {
        country: "ES",
        subdivision: Some("MD"),
        phone: "+34911234567",
        kind: domain::entity::CreditorKind::Financial,
        zone: "Europe/Madrid",
    });
    let shown = |number: &str| CallerSeen {
        number: number.to_owned(),
        country: "ES".into(),
        ..CallerSeen::default()
    };
    let callers = [
        shown("+34911234567"),
        shown("+34900123456"),
        shown("+34612345678"),
    ];
    let now = at("2026-11-24T11:00", "Europe/Madrid");
    assert_eq!(
        case.book.callers_fit(&case.facts, &callers, now),
        [true, true, false]
    );
    let strict = (*case.book)
        .clone()
        .with_classes("es=toll_free")
        .expect("a class");
    assert_eq!(
        strict.callers_fit(&case.facts, &callers, now),
        [false, true, false]
    );
    case.book = std::sync::Arc::new(strict);
    case.action.circumstances.caller = Some(shown("+34911234567"));
    refused(
        &case.judge(now),
        BlockReason::Rule,
        "es/caller_id.number_class",
    );
}
