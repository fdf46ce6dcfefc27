//! The notice that follows the first communication, where a table of a pack does not show it.

use crate::case::{Case, MX, US, allowed, at, debt, id, refused};
use domain::entity::{BlockReason, Channel, CheckPoint, Consent, LedgerKind, Verdict};
use domain::ids::{ConsentId, DebtId, DebtorId};
use domain::law::Action;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

const RULE: &str = "us-federal/opening.validation_notice";
const NOON: &str = "2026-11-24T12:00";

fn new_york(local: &str) -> UtcMs {
    at(local, US.zone)
}

fn sent(case: &mut Case, local: &str) {
    case.facts.consents.push(Consent {
        id: ConsentId(id(5_000)),
        debtor_id: DebtorId(id(1)),
        channel: Channel::Letter,
        purpose: "validation_notice".into(),
        granted_at: new_york(local),
        until: None,
        revoked_at: None,
        proof: "carta 7".into(),
        revoke_proof: None,
    });
}

/// Whether the verdict tells of the notice, and that it may go on.
fn owed(verdict: &Verdict) -> bool {
    verdict.rules.iter().any(|r| r.rule == RULE && !r.refused)
}

#[test]
fn a_talk_that_the_ledger_forgot_began_the_days_all_the_same() {
    let mut case = Case::new(US);
    case.facts.points[0].last_rpc_at = Some(new_york("2026-09-01T10:00"));
    refused(&case.judge_at(NOON, US.zone), BlockReason::Rule, RULE);
    sent(&mut case, "2026-09-02T10:00");
    allowed(&case.judge_at(NOON, US.zone));
    case.facts.consents.clear();
    // It was a talk of before this debt was here.
    case.facts.debts[0].created_at = new_york("2026-10-01T10:00");
    allowed(&case.judge_at(NOON, US.zone));
}

#[test]
fn a_debt_that_came_later_needs_a_notice_of_its_own() {
    let mut case = Case::new(US);
    sent(&mut case, "2026-01-10T10:00");
    let mut later = debt(44);
    later.created_at = new_york("2026-11-01T10:00");
    case.facts.debts.push(later);
    case.row(LedgerKind::Message, new_york("2026-11-10T10:00"))
        .debts = vec![DebtId(id(44))];
    refused(&case.judge_at(NOON, US.zone), BlockReason::Rule, RULE);
    // Of the first alone it would be enough.
    case.facts.ledger[0].debts = vec![DebtId(id(4))];
    allowed(&case.judge_at(NOON, US.zone));
    case.facts.ledger[0].debts = vec![DebtId(id(44))];
    // Mailed thirty days before the debt was loaded, clocks were an hour ahead then; and a millisecond earlier.
    case.facts.consents.clear();
    sent(&mut case, "2026-10-02T11:00");
    allowed(&case.judge_at(NOON, US.zone));
    case.facts.consents.clear();
    sent(&mut case, "2026-10-02T10:59:59.999");
    refused(&case.judge_at(NOON, US.zone), BlockReason::Rule, RULE);
}

#[test]
fn it_is_told_before_its_days_are_over_and_in_a_talk_under_way() {
    let mut case = Case::new(US);
    let told = new_york("2026-11-20T12:00");
    case.row(LedgerKind::Message, told).channel = Channel::Email;
    let verdict = case.judge(told.plus_ms(5 * DAY_MS - 1));
    allowed(&verdict);
    assert!(owed(&verdict), "{:#?}", verdict.rules);
    refused(
        &case.judge(told.plus_ms(5 * DAY_MS)),
        BlockReason::Rule,
        RULE,
    );
    case.action.check_point = CheckPoint::Transfer;
    let verdict = case.judge(told.plus_ms(5 * DAY_MS));
    allowed(&verdict);
    assert!(owed(&verdict), "{:#?}", verdict.rules);
}

#[test]
fn he_may_be_called_until_its_days_are_over() {
    let mut case = Case::new(US);
    let told = new_york("2026-11-20T12:00");
    case.row(LedgerKind::Message, told).channel = Channel::Email;
    let due = told.plus_ms(5 * DAY_MS);
    let action = Action {
        now: due.plus_ms(-HOUR_MS),
        ..case.action.clone()
    };
    assert_eq!(
        case.book.callable(&case.facts, &action),
        (due.plus_ms(-HOUR_MS), due)
    );
}

#[test]
fn the_card_asks_for_it_until_it_went_out() {
    let mut case = Case::new(US);
    let days = |case: &Case| {
        let duties = case.book.duties(&case.facts, new_york(NOON));
        duties.notice_within_days
    };
    assert_eq!(days(&case), Some(5));
    sent(&mut case, "2026-11-24T12:00:00.001");
    assert_eq!(days(&case), Some(5));
    case.facts.consents.clear();
    sent(&mut case, NOON);
    assert_eq!(days(&case), None);
}

#[test]
fn where_no_pack_asks_for_it_none_is_owed() {
    let mut case = Case::new(MX);
    case.row(LedgerKind::Conversation, at("2026-11-10T12:00", MX.zone));
    let verdict = case.judge_at(NOON, MX.zone);
    allowed(&verdict);
    assert!(!owed(&verdict));
}
