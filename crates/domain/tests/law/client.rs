//! The layer of a client's contract: it stacks on the packs, and only ever makes them stricter (law.md §2.2).

use crate::case::{CO, Case, Home, MX, allowed, at, deferred, id, refused};
use domain::entity::{BlockReason, Channel, LedgerKind, Verdict};
use domain::ids::ClientId;
use domain::law::{ClientLaw, ContractTerms, EMBEDDED_PACKS, Replayed, RuleBook, pack};
use domain::time::UtcMs;
use serde_json::{Value, json};
use std::sync::Arc;

/// A Tuesday.
const NOON: &str = "2026-11-24T12:00";
const EIGHT: &str = "2026-11-24T08:00";

fn terms(text: Value) -> ContractTerms {
    serde_json::from_value(text).expect("terms")
}

fn law(version: i32, text: Value) -> Arc<ClientLaw> {
    Arc::new(ClientLaw {
        client_id: ClientId(id(3)),
        version,
        terms: terms(text),
        updated_at: UtcMs(0),
        updated_by: "user:1".into(),
    })
}

fn under(home: Home, text: Value) -> Case {
    let mut case = Case::new(home);
    case.facts.client_law = Some(law(1, text));
    case
}

/// Calls on weekdays from nine to five.
fn office_hours() -> Value {
    let days = ["mon", "tue", "wed", "thu", "fri"];
    json!({"strict_mode": false, "caps": [],
        "windows": [{"days": days, "from": "09:00", "to": "17:00", "channels": ["call"]}]})
}

fn cap(more: &Value) -> Value {
    let mut cap = json!({"id": "tries", "scope": "creditor_person", "counts": "attempt", "limit": 1,
        "window": {"calendar_day": 1}, "channels": ["call"]});
    let fields = more.as_object().expect("fields").clone();
    cap.as_object_mut().expect("a cap").extend(fields);
    json!({"strict_mode": false, "windows": [], "caps": [cap]})
}

fn strict() -> Value {
    json!({"strict_mode": true, "windows": [], "caps": []})
}

fn rules(verdict: &Verdict) -> Vec<(String, bool, String)> {
    let hits = verdict.rules.iter();
    hits.map(|r| (r.rule.clone(), r.refused, r.en.clone()))
        .collect()
}

#[test]
fn narrower_hours_bind_the_channels_they_name() {
    let mut case = under(CO, office_hours());
    let early = case.judge_at(EIGHT, CO.zone);
    let nine = at("2026-11-24T09:00", CO.zone);
    deferred(&early, BlockReason::Window, "client/windows", nine);
    let told = &early.rules[0];
    assert!(told.es.starts_with("contrato del cliente: "), "{}", told.es);
    assert!(told.en.starts_with("client contract: "), "{}", told.en);
    let named = early.packs.iter().find(|p| p.id == "client");
    assert_eq!(named.expect("the layer is told").version, "1");
    allowed(&case.judge(nine));
    // The ring time of 25 s may not pass five o'clock.
    allowed(&case.judge_at("2026-11-24T16:59:35", CO.zone));
    let late = case.judge_at("2026-11-24T16:59:36", CO.zone);
    refused(&late, BlockReason::Window, "client/windows");
    // Colombia lets Saturdays be used, the contract does not; Monday at nine is next.
    let saturday = case.judge_at("2026-11-28T10:00", CO.zone);
    let monday = at("2026-11-30T09:00", CO.zone);
    deferred(&saturday, BlockReason::Window, "client/windows", monday);
    case.action.channel = Channel::Sms;
    let with = case.judge_at(EIGHT, CO.zone);
    case.facts.client_law = None;
    assert_eq!(rules(&with), rules(&case.judge_at(EIGHT, CO.zone)));
}

#[test]
fn what_is_laxer_than_the_law_changes_nothing() {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let all = ["call", "sms", "whatsapp", "email", "visit"];
    let lax = json!({"strict_mode": false,
        "windows": [{"days": days, "from": "00:00", "to": "24:00", "channels": all}],
        "caps": [{"id": "many", "scope": "person", "counts": "attempt", "limit": 100,
            "window": {"calendar_day": 1}, "channels": ["call"]}]});
    for home in [CO, MX] {
        let mut case = under(home, lax.clone());
        // Three attempts today: as many as either pack lets be.
        for hour in ["2026-11-24T08:00", "2026-11-24T09:00", "2026-11-24T10:00"] {
            let row = case.row(LedgerKind::Attempt, at(hour, home.zone));
            row.debts.clear();
        }
        let instants = [
            "2026-11-24T06:59",
            NOON,
            "2026-11-24T21:59",
            "2026-11-25T07:00",
            "2026-11-28T16:00",
            "2026-11-29T12:00",
        ];
        for local in instants {
            let with = case.judge_at(local, home.zone);
            let law = case.facts.client_law.take();
            let without = case.judge_at(local, home.zone);
            case.facts.client_law = law;
            assert_eq!(with.decision, without.decision, "{local}");
            assert_eq!(with.blocked, without.blocked, "{local}");
            assert_eq!(rules(&with), rules(&without), "{local}");
        }
    }
}

#[test]
fn a_cap_of_the_contract_counts_this_clients_attempts() {
    let mut case = under(MX, cap(&json!({})));
    case.row(LedgerKind::Attempt, at(EIGHT, MX.zone)).client_id = ClientId(id(33));
    allowed(&case.judge_at(NOON, MX.zone));
    case.row(LedgerKind::Attempt, at("2026-11-24T09:00", MX.zone));
    let verdict = case.judge_at(NOON, MX.zone);
    let tomorrow = at("2026-11-25T07:00", MX.zone);
    deferred(&verdict, BlockReason::Cap, "client/tries", tomorrow);
    let counter = verdict.counters.iter().find(|c| c.rule == "client/tries");
    let counter = counter.expect("the counter is kept");
    assert_eq!((counter.value, counter.limit), (1, 1));
    allowed(&case.judge(tomorrow));
}

#[test]
fn a_gap_of_the_contract_is_kept_and_its_clause_named() {
    let more = json!({"limit": 9, "min_gap_days": 2, "source": "Cláusula 7"});
    let mut case = under(MX, cap(&more));
    case.row(LedgerKind::Attempt, at(EIGHT, MX.zone));
    let verdict = case.judge_at("2026-11-25T12:00", MX.zone);
    let over = at("2026-11-26T08:00", MX.zone);
    deferred(&verdict, BlockReason::Cap, "client/tries/min_gap", over);
    assert!(verdict.rules[0].en.starts_with("Cláusula 7"));
    allowed(&case.judge(over));
}

/// Ley 2300 as the financial supervisor reads it, for the client who wants it: from the first attempt one action a day, and
/// after a contact no other channel in the week.
#[test]
fn a_client_switches_the_harder_reading_on_for_his_own_debtors() {
    let mut case = Case::new(CO);
    case.row(LedgerKind::Attempt, at(EIGHT, CO.zone));
    allowed(&case.judge_at(NOON, CO.zone));
    case.facts.client_law = Some(law(1, strict()));
    let verdict = case.judge_at(NOON, CO.zone);
    let tomorrow = at("2026-11-25T07:00", CO.zone);
    let rule = "co/strict_mode/one_action_day";
    deferred(&verdict, BlockReason::Cap, rule, tomorrow);
    assert!(verdict.packs.iter().any(|p| p.id == "client"));
    // Another channel on Tuesday closes the telephone until Sunday; what another client did does not.
    let row = &mut case.facts.ledger[0];
    (row.kind, row.channel) = (LedgerKind::Message, Channel::Email);
    let friday = at("2026-11-27T12:00", CO.zone);
    let week = "co/strict_mode/one_channel_week";
    refused(&case.judge(friday), BlockReason::Cap, week);
    case.facts.ledger[0].client_id = ClientId(id(33));
    allowed(&case.judge(friday));
    // Mexico's packs have no harder reading.
    let mut mexican = under(MX, strict());
    mexican.row(LedgerKind::Attempt, at(EIGHT, MX.zone));
    allowed(&mexican.judge_at(NOON, MX.zone));
}

#[test]
fn a_decision_is_made_again_with_the_version_of_its_time() {
    let mut case = under(CO, office_hours());
    let stored = case.judge_at(EIGHT, CO.zone);
    let text = serde_json::to_string(&stored).expect("written");
    let stored = serde_json::from_str(&text).expect("read back");
    let again = Replayed::of(&*case.book, &case.facts, &stored);
    assert!(again.same, "{:?}", again.differences);
    case.facts.client_law = Some(law(2, strict()));
    let other = Replayed::of(&*case.book, &case.facts, &stored);
    let told = other.differences.join("; ");
    assert!(!other.same && told.contains("pack client: 1#"), "{told}");
    case.facts.client_law = None;
    let none = Replayed::of(&*case.book, &case.facts, &stored);
    assert!(none.differences.iter().any(|d| d.ends_with("gone")));
}

#[test]
fn who_may_be_called_now_keeps_to_the_contract() {
    let case = under(CO, office_hours());
    let mut action = case.action.clone();
    action.point_id = None;
    action.now = at(EIGHT, CO.zone);
    let (from, until) = case.book.callable(&case.facts, &action);
    assert_eq!(from, at("2026-11-24T09:00", CO.zone));
    let last = at("2026-11-24T17:00", CO.zone).plus_ms(1 - action.ring_timeout_ms);
    assert_eq!(until, last);
}

#[test]
fn a_fault_is_named() {
    let wrong = [
        (cap(&json!({"limit": 0})), "caps[0].limit"),
        (cap(&json!({"channels": []})), "caps[0].channels"),
        (cap(&json!({"id": "windows"})), "caps[0].id"),
        (cap(&json!({"id": "a/b"})), "caps[0].id"),
        (cap(&json!({"source": " "})), "caps[0].source"),
        (cap(&json!({"min_gap_days": 46})), "caps[0].min_gap_days"),
        (
            cap(&json!({"window": {"rolling_days": 46}})),
            "caps[0].window",
        ),
    ];
    for (text, field) in wrong {
        let error = terms(text).check().expect_err(field).to_string();
        assert!(error.contains(field), "{error}");
    }
    let mut twice = terms(cap(&json!({})));
    twice.caps.push(twice.caps[0].clone());
    let error = twice.check().expect_err("twice").to_string();
    assert!(error.contains("caps[1].id"), "{error}");
    let mut back = terms(office_hours());
    back.windows[0].to = "09:00".into();
    let error = back.check().expect_err("back").to_string();
    assert!(error.contains("windows[0].to"), "{error}");
    assert!(terms(office_hours()).check().is_ok());
    let unknown = serde_json::from_value::<ContractTerms>(cap(&json!({"exclusions": []})));
    let error = unknown.expect_err("unknown").to_string();
    assert!(error.contains("exclusions"), "{error}");
}

#[test]
fn no_pack_takes_the_name_of_the_layer() {
    let (_, text) = EMBEDDED_PACKS.iter().find(|p| p.0 == "co.json").unwrap();
    let text = text.replacen("\"id\": \"co\"", "\"id\": \"client\"", 1);
    assert!(pack::parse("own.json", &text).is_err());
    let known = RuleBook::embedded().expect("packs").presumptions();
    assert!(!known.iter().any(|rule| rule.starts_with("client/")));
}
