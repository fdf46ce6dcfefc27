//! Golden cases of who may be contacted at all: holds, lists, parties, points, and the denials where
//! something that the law needs is missing.

use crate::case::{CO, Case, Home, MX, US, allowed, at, debt, deferred, id, refused};
use domain::entity::{
    BlockReason, Channel, Consent, CreditorKind, DebtStatus, Decision, HoldKind, HoldScope,
    LadderKey, PartyRole, PointClass, Suppression, SuppressionKind,
};
use domain::ids::{ClientId, ConsentId, DebtId, DebtorId, PointId, SuppressionId};
use domain::law::{EMBEDDED_HOLIDAYS, EMBEDDED_PACKS, EMBEDDED_PREFIXES, RuleBook};
use domain::rules::ladder::order_points;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use std::sync::Arc;

const NOON: &str = "2026-11-24T12:00";

fn noon(case: &Case) -> domain::entity::Verdict {
    case.judge_at(NOON, MX.zone)
}

#[test]
fn every_hold_stops_calls_whether_or_not_a_pack_lists_it() {
    let start = at("2026-11-20T12:00", MX.zone);
    for kind in HoldKind::ALL {
        let mut case = Case::new(MX);
        case.hold(*kind, HoldScope::Debtor, start);
        refused(
            &noon(&case),
            BlockReason::Hold,
            &format!("house/hold/{kind}"),
        );
        case.facts.holds[0].lifted_at = Some(at("2026-11-24T11:00", MX.zone));
        allowed(&noon(&case));
    }
    let mut case = Case::new(US);
    case.hold(HoldKind::Cease, HoldScope::Debtor, start);
    refused(
        &case.judge_at(NOON, US.zone),
        BlockReason::Hold,
        "us-federal/hold/cease",
    );
}

#[test]
fn a_hold_is_half_open_and_no_deferral() {
    let mut case = Case::new(MX);
    let (from, until) = (
        at("2026-11-24T10:00", MX.zone),
        at("2026-11-24T15:00", MX.zone),
    );
    case.hold(HoldKind::Moratorium, HoldScope::Debtor, from)
        .until = Some(until);
    allowed(&case.judge(from.plus_ms(-1)));
    for now in [from, until.plus_ms(-1)] {
        let verdict = case.judge(now);
        refused(&verdict, BlockReason::Hold, "house/hold/moratorium");
        assert_eq!(verdict.decision, Decision::Deny);
        assert_eq!(verdict.next_legal_at, Some(until), "the end is shown");
    }
    allowed(&case.judge(until));
}

/// Breathing space is sixty days (gb.json, `holds.list`): who wrote down fewer reads the same end as the law.
#[test]
fn the_end_of_a_hold_is_never_before_the_one_that_the_law_fixes() {
    let from = at("2026-11-24T10:00", MX.zone);
    let days = |n: i64| from.plus_ms(n * DAY_MS);
    let gb = Home {
        country: "GB",
        subdivision: Some("ENG"),
        phone: "+442071838750",
        kind: CreditorKind::Financial,
        zone: "Europe/London",
    };
    for (home, kind, asked, want) in [
        (gb, HoldKind::Moratorium, Some(10), Some(60)),
        (gb, HoldKind::Moratorium, Some(90), Some(90)),
        (gb, HoldKind::Moratorium, None, None),
        (gb, HoldKind::Dispute, Some(10), Some(10)),
        (MX, HoldKind::Moratorium, Some(10), Some(10)),
    ] {
        let mut case = Case::new(home);
        case.hold(kind, HoldScope::Debtor, from).until = asked.map(days);
        let hold = case.facts.holds[0].clone();
        let end = case.book.hold_end(&case.facts, &hold);
        assert_eq!(end, want.map(days), "{kind} for {asked:?} days");
    }
}

#[test]
fn holds_bind_their_debt_or_point_only() {
    let start = at("2026-11-20T12:00", MX.zone);
    let mut case = Case::new(MX);
    case.facts.debts.push(debt(44));
    case.hold(HoldKind::Dispute, HoldScope::Debt, start);
    allowed(&noon(&case));
    case.hold(HoldKind::Promise, HoldScope::Debt, start).debt_id = Some(DebtId(id(44)));
    refused(&noon(&case), BlockReason::Hold, "house/hold/dispute");

    let mut case = Case::new(MX);
    case.hold(HoldKind::Cease, HoldScope::Point, start).point_id = Some(PointId(id(55)));
    allowed(&noon(&case));
    case.facts.holds[0].point_id = Some(PointId(id(5)));
    refused(&noon(&case), BlockReason::Hold, "house/hold/cease");
}

#[test]
fn some_holds_close_some_channels() {
    let start = at("2026-11-20T12:00", MX.zone);
    let on = |kind: HoldKind, optout: Option<Channel>, channel: Channel| {
        let mut case = Case::new(MX);
        case.action.channel = channel;
        case.hold(kind, HoldScope::Debtor, start).channel = optout;
        noon(&case).decision.permits(true)
    };
    assert!(!on(HoldKind::Promise, None, Channel::Call));
    assert!(on(HoldKind::Promise, None, Channel::Sms), "its reminders");
    assert!(!on(
        HoldKind::ChannelOptout,
        Some(Channel::Call),
        Channel::Call
    ));
    assert!(on(
        HoldKind::ChannelOptout,
        Some(Channel::Sms),
        Channel::Call
    ));
    assert!(!on(HoldKind::ChannelOptout, None, Channel::Call));
    assert!(!on(HoldKind::WritingOnly, None, Channel::Call));
}

#[test]
fn a_debtor_who_owes_nothing_is_left_alone() {
    let mut case = Case::new(MX);
    case.facts.debts[0].status = DebtStatus::Paid;
    refused(&noon(&case), BlockReason::Hold, "house/debt/paid");
    case.facts.debts.clear();
    refused(&noon(&case), BlockReason::Rule, "house/no_open_debt");
}

fn listed(kind: SuppressionKind, value: &str) -> Suppression {
    Suppression {
        id: SuppressionId(id(8)),
        client_id: None,
        debtor_id: None,
        kind,
        value: value.into(),
        reason: "optout".into(),
        created_at: UtcMs(0),
        lifted_at: None,
    }
}

#[test]
fn the_companys_list_always_binds() {
    let mut case = Case::new(MX);
    case.facts.suppressions = vec![listed(SuppressionKind::Phone, "+525512345678")];
    refused(&noon(&case), BlockReason::Suppressed, "suppression/phone");
    // A document is the same however it is written.
    case.facts.suppressions = vec![listed(SuppressionKind::Document, "aaa-010101-aaa")];
    refused(
        &noon(&case),
        BlockReason::Suppressed,
        "suppression/document",
    );
    case.facts.suppressions = vec![listed(SuppressionKind::Phone, "+525500000000")];
    allowed(&noon(&case));
    let theirs = Suppression {
        client_id: Some(ClientId(id(33))),
        ..listed(SuppressionKind::Phone, "+525512345678")
    };
    let his = Suppression {
        debtor_id: Some(DebtorId(id(11))),
        client_id: None,
        ..theirs.clone()
    };
    let lifted = Suppression {
        lifted_at: Some(UtcMs(1)),
        ..listed(SuppressionKind::Phone, "+525512345678")
    };
    case.facts.suppressions = vec![theirs, his, lifted];
    allowed(&noon(&case));
}

#[test]
fn only_the_parties_a_pack_names_and_never_a_reference() {
    let role = |home: Home, role: PartyRole| {
        let mut case = Case::new(home);
        case.facts.points[0].role = role;
        case.judge_at(NOON, home.zone)
    };
    allowed(&role(MX, PartyRole::Aval));
    refused(
        &role(MX, PartyRole::Spouse),
        BlockReason::Rule,
        "mx-condusef/parties",
    );
    allowed(&role(US, PartyRole::Spouse));
    refused(
        &role(CO, PartyRole::Fiador),
        BlockReason::Rule,
        "co/parties",
    );
    for home in [MX, US, CO] {
        refused(
            &role(home, PartyRole::Reference),
            BlockReason::Rule,
            "house/parties.reference",
        );
    }
    // São Paulo's pack is silent: the house speaks to the main debtor alone.
    let sp = Home {
        country: "BR",
        subdivision: Some("SP"),
        phone: "+5511987654321",
        kind: CreditorKind::Financial,
        zone: "America/Sao_Paulo",
    };
    refused(
        &role(sp, PartyRole::Aval),
        BlockReason::Rule,
        "house/parties",
    );
}

#[test]
fn points_must_be_given_authorised_and_good() {
    let mut case = Case::new(MX);
    case.facts.points[0].given_by_debtor = false;
    refused(
        &noon(&case),
        BlockReason::Rule,
        "mx-condusef/parties.points",
    );
    let mut case = Case::new(CO);
    case.facts.points[0].authorised = false;
    refused(
        &case.judge_at(NOON, CO.zone),
        BlockReason::Rule,
        "co/channel_authorisation",
    );
    let mut case = Case::new(MX);
    case.facts.points[0].bad = true;
    refused(&noon(&case), BlockReason::Rule, "house/bad_point");
    case.action.point_id = Some(PointId(id(77)));
    refused(&noon(&case), BlockReason::Rule, "house/unknown_point");
    case.action.point_id = None;
    case.facts.points.clear();
    refused(&noon(&case), BlockReason::Rule, "house/no_point");
}

#[test]
fn without_a_point_the_best_of_his_numbers_is_judged() {
    let mut case = Case::new(MX);
    case.facts.points[0].bad = true;
    case.facts
        .points
        .push(crate::case::point(6, "+525587654321"));
    case.action.point_id = None;
    let verdict = noon(&case);
    allowed(&verdict);
    assert_eq!(verdict.point_id, Some(PointId(id(6))));
}

#[test]
fn a_message_goes_to_the_debtor_himself_unless_somebody_chose_the_point() {
    let mut case = Case::new(MX);
    case.action.channel = Channel::Sms;
    case.facts.points[0].role = PartyRole::Aval;
    let chosen = noon(&case);
    allowed(&chosen);
    case.action.point_id = None;
    refused(&noon(&case), BlockReason::Rule, "house/no_point");
    let mut own = crate::case::point(6, "+525587654321");
    own.position = 9;
    case.facts.points.push(own);
    let verdict = noon(&case);
    allowed(&verdict);
    assert_eq!(verdict.point_id, Some(PointId(id(6))));
}

#[test]
fn the_numbers_of_who_owes_with_him_come_behind_his_own() {
    let mut case = Case::new(MX);
    let (mut aval, mut own) = (
        crate::case::point(6, "+525587654321"),
        crate::case::point(7, "+525587654322"),
    );
    (aval.role, aval.confidence) = (PartyRole::Aval, 100);
    own.confidence = 1;
    case.facts.points = vec![aval, own];
    let mut points: Vec<_> = case.facts.points.iter().collect();
    let zone = jiff::tz::TimeZone::UTC;
    let keys = [LadderKey::Confidence];
    order_points(&mut points, &keys, &case.facts, UtcMs(0), &zone);
    let order: Vec<_> = points.iter().map(|p| p.role).collect();
    assert_eq!(order, [PartyRole::Titular, PartyRole::Aval]);
}

#[test]
fn a_channel_that_was_taken_back_is_not_authorised_by_the_points_own_mark() {
    let mut case = Case::new(CO);
    allowed(&noon(&case));
    let consent = |granted: &str, revoked: Option<&str>| Consent {
        id: ConsentId(id(8)),
        debtor_id: DebtorId(id(1)),
        channel: Channel::Call,
        purpose: "contact".into(),
        granted_at: at(granted, CO.zone),
        until: None,
        revoked_at: revoked.map(|t| at(t, CO.zone)),
        proof: "form".into(),
        revoke_proof: None,
    };
    let day = "2026-11-20T09:00";
    case.facts.consents.push(consent(day, Some(day)));
    let rule = "co/channel_authorisation";
    refused(&noon(&case), BlockReason::Rule, rule);
    case.facts.consents.push(consent("2026-11-23T09:00", None));
    allowed(&noon(&case));
    // His consent is his own.
    case.facts.points[0].role = PartyRole::Codeudor;
    case.facts.points[0].authorised = false;
    refused(&noon(&case), BlockReason::Rule, rule);
}

#[test]
fn a_mobile_without_consent_to_a_recorded_voice_gets_an_agent_first() {
    let mut case = Case::new(US);
    case.facts.points[0].class = PointClass::Mobile;
    let verdict = case.judge_at(NOON, US.zone);
    assert_eq!(verdict.decision, Decision::AllowAgentOnly);
    case.facts.consents.push(Consent {
        id: ConsentId(id(8)),
        debtor_id: DebtorId(id(1)),
        channel: Channel::Call,
        purpose: "prerecorded".into(),
        granted_at: UtcMs(0),
        until: None,
        revoked_at: None,
        proof: "form".into(),
        revoke_proof: None,
    });
    allowed(&case.judge_at(NOON, US.zone));
    case.facts.consents[0].revoked_at = Some(at("2026-11-24T11:00", US.zone));
    assert_eq!(
        case.judge_at(NOON, US.zone).decision,
        Decision::AllowAgentOnly
    );
}

#[test]
fn no_pack_or_none_in_force_denies() {
    let france = Case::new(Home {
        country: "FR",
        phone: "+33123456789",
        zone: "Europe/Paris",
        ..MX
    });
    refused(
        &france.judge_at(NOON, "Europe/Paris"),
        BlockReason::Rule,
        "house/no_pack",
    );
    // The packs are in force from 2026-11-22.
    let case = Case::new(MX);
    refused(
        &case.judge_at("2026-11-20T12:00", MX.zone),
        BlockReason::Rule,
        "house/no_pack_in_force",
    );
    // Brazil has a pack for São Paulo only.
    let rio = Case::new(Home {
        country: "BR",
        subdivision: Some("RJ"),
        phone: "+5521987654321",
        zone: "America/Sao_Paulo",
        ..MX
    });
    refused(
        &rio.judge_at(NOON, "America/Sao_Paulo"),
        BlockReason::Rule,
        "house/no_pack",
    );
}

fn book_with(file: &str, from: &str, to: &str) -> Result<Arc<RuleBook>, domain::ValueError> {
    let packs: Vec<(String, String)> = EMBEDDED_PACKS
        .iter()
        .filter(|(name, _)| *name == file)
        .map(|(name, text)| {
            assert!(text.contains(from), "{file} has no {from}");
            ((*name).to_owned(), text.replacen(from, to, 1))
        })
        .collect();
    RuleBook::load(&packs, EMBEDDED_HOLIDAYS, EMBEDDED_PREFIXES).map(Arc::new)
}

#[test]
fn a_field_that_nobody_knows_is_refused_by_its_name_at_any_depth() {
    let opening = "\"opening\": {";
    for (wrong, name) in [
        ("\"moonlight\": {}, \"opening\": {", "moonlight"),
        ("\"opening\": {\"sing\": true,", "sing"),
        (
            "\"vulnerable\": {\"rule\": \"minors\"}, \"opening\": {",
            "rule",
        ),
    ] {
        let unknown = book_with("mx-condusef.json", opening, wrong);
        let text = unknown.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            text.contains("mx-condusef.json") && text.contains(name),
            "{text}"
        );
    }
}

#[test]
fn the_gravest_reason_comes_first_and_every_reason_is_kept() {
    let mut case = Case::new(MX);
    case.hold(HoldKind::Dispute, HoldScope::Debtor, UtcMs(0));
    let verdict = case.judge_at("2026-11-24T23:00", MX.zone);
    refused(&verdict, BlockReason::Hold, "house/hold/dispute");
    refused(&verdict, BlockReason::Hold, "mx-condusef/windows");
    assert_eq!(verdict.decision, Decision::Deny, "a hold is no deferral");
    let (es, en) = verdict.reason().expect("a reason in two languages");
    assert!(!es.is_empty() && !en.is_empty() && es != en);
}

#[test]
fn the_same_facts_give_the_same_verdict() {
    let mut case = Case::new(MX);
    case.row(
        domain::entity::LedgerKind::Attempt,
        at("2026-11-24T09:00", MX.zone),
    );
    let now = at(NOON, MX.zone);
    let first = case.judge(now);
    assert_eq!(first, case.judge(now));
    // The record names packs with their hash, zones with local time and the counters tested.
    assert_eq!(first.packs[0].hash.len(), 64);
    assert_eq!(first.zones[0].local, "2026-11-24T12:00:00-06:00");
    let day = first
        .counters
        .iter()
        .find(|c| c.rule == "mx-condusef/attempts_day")
        .expect("the counter of the day");
    assert_eq!((day.value, day.limit), (1, 3));
    assert_eq!(day.to.since_ms(day.from), 24 * HOUR_MS);
    deferred(
        &case.judge_at("2026-11-24T23:00", MX.zone),
        BlockReason::Window,
        "mx-condusef/windows",
        at("2026-11-25T07:00", MX.zone),
    );
}
