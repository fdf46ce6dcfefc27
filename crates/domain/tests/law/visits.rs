//! Visits in the ledger: planned for a day to come, made to who owes or to nobody, given back; and their hours.

use crate::case::{CL, CO, Case, Home, allowed, at, deferred, refused};
use domain::entity::{BlockReason, Channel, CreditorKind, LedgerKind};
use domain::law::pack::{CapWindow, Counts, Scope};
use domain::law::{ClientLaw, ContractTerms, TermCap, at_his_contract};
use std::sync::Arc;

const CAP: BlockReason = BlockReason::Cap;
const WEEK: &str = "cl/voice_or_visit_week";
const PE: Home = Home {
    country: "PE",
    subdivision: None,
    phone: "+51912345678",
    kind: CreditorKind::Financial,
    zone: "America/Lima",
};
const EC: Home = Home {
    country: "EC",
    subdivision: None,
    phone: "+593991234567",
    kind: CreditorKind::Financial,
    zone: "America/Guayaquil",
};

/// A visit in the ledger; `met` as the row says it.
fn visited(case: &mut Case, local: &str, zone: &str, met: Option<bool>) {
    let row = case.row(LedgerKind::Visit, at(local, zone));
    row.channel = Channel::Visit;
    row.attempt_id = None;
    row.reached_network = met;
}

/// A visit that was given back.
fn given_back(case: &mut Case, local: &str, zone: &str) {
    visited(case, local, zone, Some(false));
    case.facts.ledger.last_mut().expect("the row").kind = LedgerKind::Withdrawn;
}

/// The same debtor, asked about a visit to him.
fn at_home(home: Home) -> Case {
    let mut case = Case::new(home);
    case.facts = at_his_contract(case.facts);
    let point = case.facts.points.last().expect("his address");
    case.action.point_id = Some(point.id);
    case.action.channel = Channel::Visit;
    case.action.agent_reserved = true;
    case
}

#[test]
fn in_chile_a_visit_and_a_call_share_the_contact_of_the_week() {
    let monday = at("2026-11-30T08:00", CL.zone);
    for met in [None, Some(true)] {
        let mut case = Case::new(CL);
        visited(&mut case, "2026-11-24T10:00", CL.zone, met);
        let verdict = case.judge_at("2026-11-25T10:00", CL.zone);
        deferred(&verdict, CAP, WEEK, monday);
        allowed(&case.judge(monday));
    }
    let mut talked = at_home(CL);
    talked.row(LedgerKind::Conversation, at("2026-11-24T10:00", CL.zone));
    deferred(
        &talked.judge_at("2026-11-25T10:00", CL.zone),
        CAP,
        WEEK,
        monday,
    );
    allowed(&talked.judge(monday));
}

#[test]
fn a_visit_that_met_who_owes_was_a_talk_with_him() {
    let mut case = Case::new(CL);
    visited(&mut case, "2026-11-24T10:00", CL.zone, Some(true));
    let verdict = case.judge_at("2026-11-25T10:00", CL.zone);
    refused(&verdict, CAP, "cl/after_conversation");
    // Colombia: no other channel in the week.
    let mut case = Case::new(CO);
    visited(&mut case, "2026-11-24T10:00", CO.zone, Some(true));
    let verdict = case.judge_at("2026-11-26T10:00", CO.zone);
    refused(&verdict, CAP, "co/one_channel_week");
}

#[test]
fn one_that_met_nobody_is_an_action_and_no_contact() {
    let mut case = Case::new(CL);
    visited(&mut case, "2026-11-24T10:00", CL.zone, Some(false));
    allowed(&case.judge_at("2026-11-25T10:00", CL.zone));
    let mut case = Case::new(EC);
    visited(&mut case, "2026-11-24T09:00", EC.zone, Some(false));
    let verdict = case.judge_at("2026-11-24T15:00", EC.zone);
    refused(&verdict, CAP, "ec/one_per_day_strict");
}

#[test]
fn one_that_was_given_back_counts_nowhere() {
    for home in [CL, CO, EC] {
        let mut case = Case::new(home);
        given_back(&mut case, "2026-11-24T09:00", home.zone);
        allowed(&case.judge_at("2026-11-24T15:00", home.zone));
    }
}

#[test]
fn a_planned_visit_uses_up_its_own_week_and_no_other() {
    let mut case = Case::new(CL);
    visited(&mut case, "2026-11-27T10:00", CL.zone, None);
    let verdict = case.judge_at("2026-11-24T10:00", CL.zone);
    refused(&verdict, CAP, WEEK);
    assert_eq!(
        verdict
            .counters
            .iter()
            .find(|c| c.rule == WEEK)
            .map(|c| c.value),
        Some(1)
    );
    let mut case = Case::new(CL);
    visited(&mut case, "2026-12-01T10:00", CL.zone, None);
    allowed(&case.judge_at("2026-11-24T10:00", CL.zone));
    // And of a visit it is known what will have been by then.
    let mut visit = at_home(CL);
    visit.row(LedgerKind::Conversation, at("2026-11-24T10:00", CL.zone));
    let verdict = visit.judge_at("2026-11-27T10:00", CL.zone);
    refused(&verdict, CAP, WEEK);
    // Ecuador: an action a day.
    let mut case = Case::new(EC);
    visited(&mut case, "2026-11-25T10:00", EC.zone, None);
    allowed(&case.judge_at("2026-11-24T15:00", EC.zone));
    let verdict = case.judge_at("2026-11-25T09:00", EC.zone);
    refused(&verdict, CAP, "ec/one_per_day_strict");
}

/// A contract: a contact in so many days, so many days apart.
fn contract(window: CapWindow, gap: Option<u16>) -> Arc<ClientLaw> {
    let cap = TermCap {
        id: "contactos".into(),
        scope: Scope::Person,
        counts: Counts::Contact,
        limit: 1,
        window,
        channels: vec![Channel::Call, Channel::Visit],
        min_gap_days: gap,
        source: None,
    };
    let client = Case::new(PE).facts.debtor.client_id;
    Arc::new(ClientLaw {
        terms: ContractTerms {
            caps: vec![cap],
            ..ContractTerms::default()
        },
        ..ClientLaw::none(client)
    })
}

#[test]
fn a_rolling_cap_and_a_gap_look_ahead_as_far_as_they_reach() {
    let asked = |planned: &str, window, gap| {
        let mut case = Case::new(PE);
        case.facts.client_law = Some(contract(window, gap));
        visited(&mut case, planned, PE.zone, None);
        case.judge_at("2026-11-24T10:00", PE.zone)
    };
    let three = CapWindow::RollingDays(3);
    refused(
        &asked("2026-11-26T10:00", three, None),
        CAP,
        "client/contactos",
    );
    allowed(&asked("2026-11-27T10:00", three, None));
    let day = CapWindow::CalendarDay(1);
    let gap = asked("2026-11-25T15:00", day, Some(2));
    let until = at("2026-11-27T15:00", PE.zone);
    deferred(&gap, CAP, "client/contactos/min_gap", until);
    allowed(&asked("2026-11-27T10:00", day, Some(2)));
}

#[test]
fn peru_keeps_its_visits_to_working_days() {
    let case = at_home(PE);
    allowed(&case.judge_at("2026-11-27T10:00", PE.zone));
    for closed in ["2026-11-27T20:00", "2026-11-28T10:00", "2026-11-29T10:00"] {
        let verdict = case.judge_at(closed, PE.zone);
        refused(&verdict, BlockReason::Window, "pe/windows");
    }
}

#[test]
fn the_harder_reading_counts_a_fruitless_visit_and_keeps_days_apart() {
    let strict = |planned: &str, met| {
        let mut case = Case::new(CO);
        let client = case.facts.debtor.client_id;
        case.facts.client_law = Some(Arc::new(ClientLaw {
            terms: ContractTerms {
                strict_mode: true,
                ..ContractTerms::default()
            },
            ..ClientLaw::none(client)
        }));
        visited(&mut case, planned, CO.zone, met);
        case.judge_at("2026-11-24T15:00", CO.zone)
    };
    let rule = "co/strict_mode/one_action_day";
    refused(&strict("2026-11-24T09:00", Some(false)), CAP, rule);
    let ahead = strict("2026-11-26T09:00", None);
    refused(&ahead, CAP, "co/strict_mode/one_channel_week");
    assert!(
        !ahead.rules.iter().any(|r| r.rule == rule),
        "{:#?}",
        ahead.rules
    );
    allowed(&strict("2026-12-01T09:00", None));
}
