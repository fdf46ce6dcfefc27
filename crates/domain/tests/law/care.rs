//! Golden cases of what is particular to a person or a list: wishes and wider hours, marks, external
//! lists, visits, messages, the harder reading of Colombia; and of decisions made again.

use crate::case::{CO, Case, MX, US, allowed, at, deferred, id, refused};
use domain::entity::{
    BlockReason, Channel, Consent, Decision, LedgerKind, ListState, PartyRole, Preference,
    PreferenceKind, Suppression, SuppressionKind,
};
use domain::ids::{ClientId, ConsentId, DebtorId, PointId, PreferenceId, SuppressionId};
use domain::law::{
    EMBEDDED_HOLIDAYS, EMBEDDED_PACKS, EMBEDDED_PREFIXES, Replayed, RuleBook, points_then,
};
use domain::rules::disclosure::HIDES;
use domain::time::{DAY_MS, UtcMs};
use std::sync::Arc;

const NOON: &str = "2026-11-24T12:00";

fn prefer(case: &mut Case, kind: PreferenceKind) -> &mut Preference {
    let n = case.facts.preferences.len() as u128;
    case.facts.preferences.push(Preference {
        id: PreferenceId(id(6_000 + n)),
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
    case.facts.preferences.last_mut().expect("just pushed")
}

fn between(case: &mut Case, kind: PreferenceKind, from: &str, to: &str) {
    let wish = prefer(case, kind);
    wish.from = Some(from.into());
    wish.to = Some(to.into());
}

fn consent(case: &mut Case, channel: Channel, purpose: &str, granted_at: UtcMs) {
    case.facts.consents.push(Consent {
        id: ConsentId(id(5_500)),
        debtor_id: DebtorId(id(1)),
        channel,
        purpose: purpose.into(),
        granted_at,
        until: None,
        revoked_at: None,
        proof: "llamada 3".into(),
        revoke_proof: None,
    });
}

/// The book with one pack's text changed.
fn book(file: &str, from: &str, to: &str) -> Arc<RuleBook> {
    let packs: Vec<(&str, String)> = EMBEDDED_PACKS
        .iter()
        .map(|(name, text)| {
            let text = if *name == file {
                assert!(text.contains(from), "{file} has no {from}");
                text.replacen(from, to, 1)
            } else {
                (*text).to_owned()
            };
            (*name, text)
        })
        .collect();
    let book = RuleBook::load(&packs, EMBEDDED_HOLIDAYS, EMBEDDED_PREFIXES);
    Arc::new(book.expect("the packs"))
}

#[test]
fn hours_that_the_debtor_asked_for_narrow_the_legal_ones() {
    let mut case = Case::new(MX);
    between(&mut case, PreferenceKind::OnlyBetween, "16:00", "20:00");
    deferred(
        &case.judge_at(NOON, MX.zone),
        BlockReason::Window,
        "house/preference",
        at("2026-11-24T16:00", MX.zone),
    );
    allowed(&case.judge_at("2026-11-24T16:00", MX.zone));
    let mut case = Case::new(MX);
    between(&mut case, PreferenceKind::NotBetween, "11:00", "13:00");
    deferred(
        &case.judge_at(NOON, MX.zone),
        BlockReason::Window,
        "house/preference",
        at("2026-11-24T13:00", MX.zone),
    );
    case.facts.preferences[0].days = vec!["mon".into()];
    allowed(&case.judge_at(NOON, MX.zone));
    case.facts.preferences[0].days.clear();
    case.facts.preferences[0].revoked_at = Some(at("2026-11-24T11:59", MX.zone));
    allowed(&case.judge_at(NOON, MX.zone));
}

#[test]
fn a_wish_that_cannot_be_read_closes_the_day() {
    let mut case = Case::new(MX);
    between(&mut case, PreferenceKind::OnlyBetween, "dusk", "20:00");
    refused(
        &case.judge_at("2026-11-24T17:00", MX.zone),
        BlockReason::Window,
        "house/preference",
    );
}

#[test]
fn hours_are_widened_only_where_the_pack_lets_him() {
    let evening = "2026-11-24T20:00";
    let mut case = Case::new(CO);
    refused(
        &case.judge_at(evening, CO.zone),
        BlockReason::Window,
        "co/windows",
    );
    between(&mut case, PreferenceKind::WiderHours, "19:00", "21:00");
    allowed(&case.judge_at(evening, CO.zone));
    refused(
        &case.judge_at("2026-12-08T20:00", CO.zone),
        BlockReason::Window,
        "co/holidays",
    );
    // Mexico's pack has no such instrument.
    let mut case = Case::new(MX);
    between(&mut case, PreferenceKind::WiderHours, "05:00", "23:00");
    refused(
        &case.judge_at("2026-11-24T06:30", MX.zone),
        BlockReason::Window,
        "mx-condusef/windows",
    );
}

#[test]
fn channels_and_places_he_asked_to_be_left_out() {
    let mut case = Case::new(MX);
    prefer(&mut case, PreferenceKind::NotChannel).channel = Some(Channel::Sms);
    allowed(&case.judge_at(NOON, MX.zone));
    case.facts.preferences[0].channel = Some(Channel::Call);
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Rule, "house/preference/channel");
    let mut case = Case::new(MX);
    prefer(&mut case, PreferenceKind::OnlyChannel).channel = Some(Channel::Email);
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Rule, "house/preference/channel");
    let mut case = Case::new(MX);
    prefer(&mut case, PreferenceKind::NotPoint).point_id = Some(PointId(id(55)));
    allowed(&case.judge_at(NOON, MX.zone));
    case.facts.preferences[0].point_id = Some(PointId(id(5)));
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Rule, "house/preference/point");
}

#[test]
fn marks_of_persons_who_need_care() {
    let mut case = Case::new(MX);
    prefer(&mut case, PreferenceKind::Elderly);
    let verdict = case.judge_at(NOON, MX.zone);
    assert_eq!(
        verdict.decision,
        Decision::AllowAgentOnly,
        "he owes it himself"
    );
    case.facts.points[0].role = PartyRole::Aval;
    let no = case.judge_at(NOON, MX.zone);
    refused(
        &no,
        BlockReason::Rule,
        "mx-condusef/parties.forbidden/elderly",
    );
    let mut case = Case::new(MX);
    prefer(&mut case, PreferenceKind::Minor);
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Rule, "house/vulnerable/minor");
    let mut case = Case::new(MX);
    prefer(&mut case, PreferenceKind::Health);
    case.book = book(
        "mx-condusef.json",
        "\"opening\": {",
        "\"vulnerable\": {\"marks\": [\"health\"], \"effect\": \"writing_only\", \
            \"confidence\": \"house\"}, \"opening\": {",
    );
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Rule, "mx-condusef/vulnerable/health");
}

fn on_list(case: &mut Case, name: &str) {
    case.facts.suppressions.push(Suppression {
        id: SuppressionId(id(7_000)),
        client_id: None,
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: case.facts.points[0].value.clone(),
        reason: format!("list:{name}"),
        created_at: UtcMs(0),
        lifted_at: None,
    });
}

#[test]
fn an_external_list_binds_unless_the_pack_says_that_it_is_not_about_collection() {
    let mut case = Case::new(MX);
    on_list(&mut case, "REPEP");
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Suppressed, "house/dnc/REPEP");
    let section = |binds: bool, age: &str| {
        book(
            "mx-condusef.json",
            "\"opening\": {",
            &format!(
                "\"dnc\": {{\"lists\": [{{\"list\": \"REPEP\", \"binds_collection\": {binds}{age}}}], \
                    \"confidence\": \"source\"}}, \"opening\": {{"
            ),
        )
    };
    case.book = section(false, "");
    allowed(&case.judge_at(NOON, MX.zone));
    case.book = section(true, "");
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Suppressed, "mx-condusef/dnc/REPEP");
    // A binding list that is not there, or too old, denies everybody.
    case.facts.suppressions.clear();
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Rule, "mx-condusef/dnc/REPEP/list");
    let now = at(NOON, MX.zone);
    case.facts.lists.push(ListState {
        name: "repep".into(),
        client_id: None,
        as_of: now.plus_ms(-31 * DAY_MS),
    });
    allowed(&case.judge_at(NOON, MX.zone));
    case.book = section(true, ", \"max_age_days\": 30");
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Rule, "mx-condusef/dnc/REPEP/list");
}

#[test]
fn a_person_is_listed_over_all_his_debtors_and_clients() {
    let mut case = Case::new(MX);
    on_list(&mut case, "x");
    let row = &mut case.facts.suppressions[0];
    row.kind = SuppressionKind::Person;
    row.reason = "request".into();
    row.value = case.facts.debtor.person_id.to_string().into();
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Suppressed, "suppression/person");
    case.facts.suppressions[0].client_id = Some(ClientId(id(33)));
    allowed(&case.judge_at(NOON, MX.zone));
}

#[test]
fn visits_in_colombia_need_the_product_and_the_consent() {
    let mut case = Case::new(CO);
    case.action.channel = Channel::Visit;
    case.facts.points[0].channel = Channel::Visit;
    let no = case.judge_at(NOON, CO.zone);
    refused(&no, BlockReason::Rule, "co/visits");
    consent(&mut case, Channel::Visit, "contact", UtcMs(0));
    let no = case.judge_at(NOON, CO.zone);
    refused(&no, BlockReason::Rule, "co/visits");
    case.facts.debts[0].product = "Microcrédito rural".into();
    let verdict = case.judge_at(NOON, CO.zone);
    assert!(
        !verdict
            .rules
            .iter()
            .any(|r| r.refused && r.rule == "co/visits"),
        "{:#?}",
        verdict.rules
    );
}

#[test]
fn a_recording_to_which_all_must_agree_waits_for_the_debtor() {
    let mut case = Case::new(US);
    let now = at(NOON, US.zone);
    let asks = |case: &Case| case.book.duties(&case.facts, now).all_party_consent;
    assert!(!asks(&case), "no shipped pack wants it");
    let announced = "\"announce\": true,";
    let wanted = "\"announce\": true, \"all_party_consent\": true,";
    case.book = book("us-federal.json", announced, wanted);
    assert!(asks(&case));
    consent(&mut case, Channel::Call, "recording", now);
    assert!(!asks(&case), "he agreed");
    case.facts.consents[0].granted_at = now.plus_ms(1);
    assert!(asks(&case), "he will agree");
    case.facts.consents[0].granted_at = now.plus_ms(-2);
    case.facts.consents[0].revoked_at = Some(now);
    assert!(asks(&case), "he took it back");
}

#[test]
fn an_sms_in_the_united_states_needs_a_fresh_check_of_the_number() {
    let mut case = Case::new(US);
    case.action.channel = Channel::Sms;
    let no = case.judge_at(NOON, US.zone);
    refused(&no, BlockReason::Rule, "us-federal/messages/number_check");
    let now = at(NOON, US.zone);
    consent(
        &mut case,
        Channel::Sms,
        "number_check",
        now.plus_ms(-60 * DAY_MS),
    );
    let no = case.judge(now);
    refused(&no, BlockReason::Rule, "us-federal/messages/number_check");
    case.facts.consents[0].granted_at = now.plus_ms(-60 * DAY_MS + 1);
    let verdict = case.judge(now);
    allowed(&verdict);
    assert!(
        verdict
            .rules
            .iter()
            .any(|r| r.rule == "us-federal/messages/optout")
    );
}

#[test]
fn colombias_harder_reading_counts_from_the_first_attempt() {
    let mut case = Case::new(CO);
    case.row(LedgerKind::Attempt, at("2026-11-24T08:00", CO.zone));
    allowed(&case.judge_at(NOON, CO.zone));
    case.book = book(
        "co.json",
        "\"enabled\": false,\n    \"effect\"",
        "\"enabled\": true, \"effect\"",
    );
    deferred(
        &case.judge_at(NOON, CO.zone),
        BlockReason::Cap,
        "co/strict_mode/one_action_day",
        at("2026-11-25T07:00", CO.zone),
    );
    allowed(&case.judge_at("2026-11-25T07:00", CO.zone));
    case.facts.ledger[0].channel = Channel::Email;
    case.facts.ledger[0].kind = LedgerKind::Message;
    deferred(
        &case.judge_at("2026-11-25T09:00", CO.zone),
        BlockReason::Cap,
        "co/strict_mode/one_channel_week",
        at("2026-11-30T07:00", CO.zone),
    );
}

#[test]
fn a_stored_decision_can_be_made_again_and_a_changed_fact_shows() {
    let mut case = Case::new(MX);
    case.row(LedgerKind::Attempt, at("2026-11-24T09:00", MX.zone));
    case.action.attempts_per_day = Some(4);
    case.action.campaign_window = Some(("09:00".into(), "20:00".into()));
    let stored = case.judge_at(NOON, MX.zone);
    let text = serde_json::to_string(&stored).expect("written");
    let stored = serde_json::from_str(&text).expect("read back");
    let again = Replayed::of(&*case.book, &case.facts, &stored);
    assert!(again.same, "{:?}", again.differences);
    assert_eq!(again.verdict, stored);
    case.facts.ledger.clear();
    let other = Replayed::of(&*case.book, &case.facts, &stored);
    assert!(!other.same);
    let told = other.differences.join("; ");
    assert!(
        told.contains("counter mx-condusef/attempts_day: 1 → 0"),
        "{told}"
    );
}

#[test]
fn a_point_that_was_spoilt_since_is_good_at_a_decision_and_before() {
    let mut case = Case::new(MX);
    let stored = case.judge_at(NOON, MX.zone);
    allowed(&stored);
    case.facts.points[0].bad = true;
    let spoilt = case.judge_at("2026-11-25T12:00", MX.zone);
    refused(&spoilt, BlockReason::Rule, "house/bad_point");
    for decision in [&stored, &spoilt] {
        let again = Replayed::of(&*case.book, &case.facts, decision);
        assert!(again.same, "{:?}", again.differences);
    }
    let decisions = [spoilt.clone(), stored.clone()];
    let bad = |at: UtcMs| {
        let mut facts = case.facts.clone();
        points_then(&mut facts, &decisions, at);
        facts.points[0].bad
    };
    assert!(!bad(stored.at.plus_ms(-1)), "good when it was asked next");
    assert!(!bad(stored.at));
    assert!(bad(stored.at.plus_ms(1)), "nobody knows when it was spoilt");
    assert!(bad(spoilt.at) && bad(spoilt.at.plus_ms(1)));
}

#[test]
fn a_pack_on_trial_takes_the_place_of_its_versions_on_any_day() {
    let mut case = Case::new(MX);
    let (_, text) = EMBEDDED_PACKS
        .iter()
        .find(|(name, _)| *name == "mx-condusef.json")
        .expect("the pack");
    let version = text
        .split("\"version\": \"")
        .nth(1)
        .and_then(|t| t.split('"').next());
    let next = text
        .replacen(version.expect("a version"), "2027.1", 1)
        .replacen("\"limit\": 3", "\"limit\": 1", 1)
        .replacen("\"valid_from\": \"2", "\"valid_from\": \"3", 1);
    case.row(LedgerKind::Attempt, at("2026-11-24T09:00", MX.zone));
    allowed(&case.judge_at(NOON, MX.zone));
    case.book = Arc::new(case.book.trial("mx-condusef.json", &next).expect("whole"));
    let no = case.judge_at(NOON, MX.zone);
    refused(&no, BlockReason::Cap, "mx-condusef/attempts_day");
    assert!(no.packs.iter().any(|p| p.version == "2027.1"));
    let broken = case
        .book
        .trial("new.json", &next.replacen("\"limit\"", "\"limits\"", 1));
    let told = broken.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(
        told.contains("new.json") && told.contains("limits"),
        "{told}"
    );
}

#[test]
fn what_is_seen_unopened_hides_the_debt_unless_every_pack_lets_the_channel_show_it() {
    let hides = |case: &mut Case, channel: Channel| {
        case.action.channel = channel;
        let verdict = case.judge_at(NOON, MX.zone);
        let found = verdict.rules.iter().find(|r| r.rule.ends_with(HIDES));
        found.map(|r| (r.rule.clone(), r.refused))
    };
    let mut floor = Case::new(MX);
    // Its pack says nothing of third parties: the house asks.
    let rule = "house/messages/preview".to_owned();
    for channel in [Channel::Sms, Channel::Whatsapp] {
        assert_eq!(hides(&mut floor, channel), Some((rule.clone(), false)));
    }
    assert_eq!(
        hides(&mut floor, Channel::Call),
        None,
        "who is called is asked who he is"
    );
    let (rule_co, mut colombia) = ("co/messages/preview".to_owned(), Case::new(CO));
    assert_eq!(hides(&mut colombia, Channel::Sms), Some((rule_co, false)));
    let shows = "{\n  \"messages\": {\"may_show\": [\"whatsapp\"], \"confidence\": \"house\"},";
    let mut open = Case::new(MX);
    open.book = book("mx-condusef.json", "{", shows);
    assert_eq!(hides(&mut open, Channel::Whatsapp), None);
    assert_eq!(hides(&mut open, Channel::Sms), Some((rule, false)));
    assert!(open.book.may_show(Channel::Whatsapp) && !open.book.may_show(Channel::Sms));
}
