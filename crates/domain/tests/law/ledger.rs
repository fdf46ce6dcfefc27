//! Golden cases of the contact ledger: caps per person, debt, day and week over all numbers, least
//! gaps, cool-offs after a conversation and after an answer that heard nobody.

use crate::case::{CL, CO, Case, Home, MX, US, allowed, at, debt, deferred, id, point, refused};
use domain::entity::{
    BlockReason, Channel, Consent, CreditorKind, Decision, LedgerKind, PointClass,
};
use domain::ids::{ClientId, ConsentId, DebtId, DebtorId, PersonId, PointId};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

const CAP: BlockReason = BlockReason::Cap;

/// An attempt at a local time; the caller changes what its case is about.
fn tried(case: &mut Case, local: &str, zone: &str) {
    case.row(LedgerKind::Attempt, at(local, zone));
}

#[test]
fn a_day_holds_three_attempts_over_numbers_campaigns_and_clients() {
    let mut case = Case::new(MX);
    case.facts.points.push(point(6, "+525587654321"));
    tried(&mut case, "2026-11-24T08:00", MX.zone);
    let second = case.row(LedgerKind::Attempt, at("2026-11-24T10:00", MX.zone));
    second.point_id = Some(PointId(id(6)));
    second.address = "+525587654321".into();
    allowed(&case.judge_at("2026-11-24T11:00", MX.zone));
    // The third was made by another client to the same person under another file.
    let third = case.row(LedgerKind::Attempt, at("2026-11-24T11:00", MX.zone));
    third.client_id = ClientId(id(33));
    third.debtor_id = DebtorId(id(11));
    third.debts = vec![DebtId(id(44))];
    let tomorrow = at("2026-11-25T07:00", MX.zone);
    deferred(
        &case.judge_at("2026-11-24T12:00", MX.zone),
        CAP,
        "mx-condusef/attempts_day",
        tomorrow,
    );
    case.action.point_id = Some(PointId(id(6)));
    refused(
        &case.judge_at("2026-11-24T12:00", MX.zone),
        CAP,
        "mx-condusef/attempts_day",
    );
    allowed(&case.judge(tomorrow));
}

#[test]
fn another_persons_attempts_do_not_count() {
    let mut case = Case::new(MX);
    for hour in 8..12 {
        let row = case.row(
            LedgerKind::Attempt,
            at(&format!("2026-11-24T{hour:02}:00"), MX.zone),
        );
        row.person_id = PersonId(id(22));
        row.debtor_id = DebtorId(id(11));
    }
    allowed(&case.judge_at("2026-11-24T13:00", MX.zone));
}

#[test]
fn a_week_is_seven_local_days_and_a_lost_fate_counts() {
    let mut case = Case::new(MX);
    for day in 24..=27 {
        tried(&mut case, &format!("2026-11-{day}T09:00"), MX.zone);
    }
    for local in ["2026-11-24T10:00", "2026-11-25T10:00"] {
        tried(&mut case, local, MX.zone);
    }
    allowed(&case.judge_at("2026-11-30T12:00", MX.zone));
    // The seventh: whether it reached the network is not known, so it did.
    tried(&mut case, "2026-11-27T10:00", MX.zone);
    // The 24th leaves the window on Tuesday, 1 December.
    deferred(
        &case.judge_at("2026-11-30T12:00", MX.zone),
        CAP,
        "mx-condusef/attempts_week",
        at("2026-12-01T07:00", MX.zone),
    );
    allowed(&case.judge_at("2026-12-01T07:00", MX.zone));
}

#[test]
fn the_campaigns_own_limit_a_day_comes_on_top() {
    let mut case = Case::new(MX);
    case.action.attempts_per_day = Some(1);
    allowed(&case.judge_at("2026-11-24T12:00", MX.zone));
    tried(&mut case, "2026-11-24T08:00", MX.zone);
    deferred(
        &case.judge_at("2026-11-24T12:00", MX.zone),
        CAP,
        "campaign/attempts_per_day",
        at("2026-11-25T07:00", MX.zone),
    );
    case.action.attempts_per_day = Some(2);
    allowed(&case.judge_at("2026-11-24T12:00", MX.zone));
}

#[test]
fn the_day_of_the_cap_is_the_debtors_day_in_every_zone() {
    // 23:30 in Cancún is still 20:30 in Tijuana: where he may be in either, the attempt counts until
    // the later midnight.
    let mut case = Case::new(Home {
        phone: "+526641234567",
        ..MX
    });
    case.facts.debtor.address_zone = Some("America/Cancun".into());
    for hour in [10, 11, 12] {
        tried(
            &mut case,
            &format!("2026-11-24T{hour}:00"),
            "America/Tijuana",
        );
    }
    deferred(
        &case.judge_at("2026-11-24T13:00", "America/Tijuana"),
        CAP,
        "mx-condusef/attempts_day",
        at("2026-11-25T07:00", "America/Tijuana"),
    );
}

#[test]
fn seven_in_seven_counts_per_debt_and_only_what_reached_him() {
    let mut case = Case::new(US);
    case.facts.debts.push(debt(44));
    for day in 24..=30 {
        tried(&mut case, &format!("2026-11-{day}T09:00"), US.zone);
    }
    let noon = "2026-11-30T12:00";
    // One debt is full: a call would be about it too.
    deferred(
        &case.judge_at(noon, US.zone),
        CAP,
        "us-federal/reg_f_7in7",
        at("2026-12-01T08:00", US.zone),
    );
    // Seven about two debts are not seven about one.
    for row in case.facts.ledger.iter_mut().take(2) {
        row.debts = vec![DebtId(id(44))];
    }
    allowed(&case.judge_at(noon, US.zone));
    for row in &mut case.facts.ledger {
        row.debts = vec![DebtId(id(4))];
    }
    refused(&case.judge_at(noon, US.zone), CAP, "us-federal/reg_f_7in7");
    case.facts.ledger[3].reached_network = Some(false);
    allowed(&case.judge_at(noon, US.zone));
    case.facts.ledger[3].reached_network = Some(true);
    refused(&case.judge_at(noon, US.zone), CAP, "us-federal/reg_f_7in7");
}

#[test]
fn consent_of_the_last_seven_days_takes_a_call_out_of_the_cap() {
    let mut case = Case::new(US);
    for day in 24..=30 {
        tried(&mut case, &format!("2026-11-{day}T09:00"), US.zone);
    }
    let noon = "2026-11-30T12:00";
    let consent = |granted: UtcMs| Consent {
        id: ConsentId(id(8)),
        debtor_id: DebtorId(id(1)),
        channel: Channel::Call,
        purpose: "call_within_7_days".into(),
        granted_at: granted,
        until: None,
        revoked_at: None,
        proof: "recording".into(),
        revoke_proof: None,
    };
    // Given before the last call, not before the others.
    case.facts.consents = vec![consent(at("2026-11-29T12:00", US.zone))];
    allowed(&case.judge_at(noon, US.zone));
    // Given more than seven days before that call.
    case.facts.consents = vec![consent(at("2026-11-16T08:00", US.zone))];
    refused(&case.judge_at(noon, US.zone), CAP, "us-federal/reg_f_7in7");
}

#[test]
fn massachusetts_counts_home_and_elsewhere_apart() {
    let home = Home {
        subdivision: Some("MA"),
        phone: "+16175550123",
        ..US
    };
    let mut case = Case::new(home);
    for local in ["2026-11-24T09:00", "2026-11-25T09:00"] {
        tried(&mut case, local, US.zone);
    }
    let noon = "2026-11-27T12:00";
    deferred(
        &case.judge_at(noon, US.zone),
        CAP,
        "us-ma/ma_home",
        at("2026-12-01T08:00", US.zone),
    );
    let mut work = point(6, "+16175550999");
    work.class = PointClass::Work;
    case.facts.points.push(work);
    case.action.point_id = Some(PointId(id(6)));
    allowed(&case.judge_at(noon, US.zone));
    for row in &mut case.facts.ledger {
        row.class = PointClass::Work;
    }
    // Elsewhere it is two in thirty days.
    deferred(
        &case.judge_at(noon, US.zone),
        CAP,
        "us-ma/ma_elsewhere",
        at("2026-12-24T08:00", US.zone),
    );
    // A number of unknown class may be the home or not: both caps take it.
    for row in &mut case.facts.ledger {
        row.class = PointClass::Other;
    }
    refused(&case.judge_at(noon, US.zone), CAP, "us-ma/ma_elsewhere");
    case.action.point_id = Some(PointId(id(5)));
    refused(&case.judge_at(noon, US.zone), CAP, "us-ma/ma_home");
}

#[test]
fn debtors_of_an_unknown_state_get_the_overlay_too() {
    let case = Case::new(Home {
        subdivision: None,
        ..US
    });
    let verdict = case.judge_at("2026-11-24T12:00", US.zone);
    let ids: Vec<&str> = verdict.packs.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["us-federal", "us-ma"]);
    let new_york = Case::new(US).judge_at("2026-11-24T12:00", US.zone);
    assert_eq!(new_york.packs.len(), 1);
}

#[test]
fn colombia_one_contact_a_day_of_that_creditor_whatever_the_channel() {
    let mut case = Case::new(CO);
    let sms = case.row(LedgerKind::Message, at("2026-11-24T08:00", CO.zone));
    sms.channel = Channel::Sms;
    sms.attempt_id = None;
    deferred(
        &case.judge_at("2026-11-24T10:00", CO.zone),
        CAP,
        "co/one_contact_day",
        at("2026-11-25T07:00", CO.zone),
    );
    case.facts.ledger[0].client_id = ClientId(id(33));
    allowed(&case.judge_at("2026-11-24T10:00", CO.zone));
    // Attempts that met nobody are no contact: three a day.
    case.facts.ledger.clear();
    for hour in [8, 9] {
        tried(&mut case, &format!("2026-11-24T{hour:02}:00"), CO.zone);
    }
    allowed(&case.judge_at("2026-11-24T10:00", CO.zone));
    tried(&mut case, "2026-11-24T10:00", CO.zone);
    refused(
        &case.judge_at("2026-11-24T11:00", CO.zone),
        CAP,
        "co/attempts_day",
    );
}

#[test]
fn colombia_keeps_one_channel_after_direct_contact_until_sunday() {
    let mut case = Case::new(CO);
    let reply = case.row(LedgerKind::Reply, at("2026-11-24T08:00", CO.zone));
    reply.channel = Channel::Whatsapp;
    reply.attempt_id = None;
    let monday = at("2026-11-30T07:00", CO.zone);
    deferred(
        &case.judge_at("2026-11-26T10:00", CO.zone),
        CAP,
        "co/one_channel_week",
        monday,
    );
    allowed(&case.judge(monday));
    // What he asked to be told may be told, once, on the channel he asked for.
    case.facts.consents.push(Consent {
        id: ConsentId(id(8)),
        debtor_id: DebtorId(id(1)),
        channel: Channel::Call,
        purpose: "information_request".into(),
        granted_at: at("2026-11-25T09:00", CO.zone),
        until: None,
        revoked_at: None,
        proof: "chat".into(),
        revoke_proof: None,
    });
    allowed(&case.judge_at("2026-11-26T10:00", CO.zone));
    tried(&mut case, "2026-11-26T09:00", CO.zone);
    refused(
        &case.judge_at("2026-11-26T10:00", CO.zone),
        CAP,
        "co/one_channel_week",
    );
    // The channel he used stays open.
    case.facts.ledger.clear();
    case.facts.consents.clear();
    case.row(LedgerKind::Conversation, at("2026-11-24T08:00", CO.zone));
    allowed(&case.judge_at("2026-11-26T10:00", CO.zone));
}

#[test]
fn chile_one_attempt_a_day_five_a_week_and_silence_after_talking() {
    let mut case = Case::new(CL);
    tried(&mut case, "2026-11-23T09:00", CL.zone);
    deferred(
        &case.judge_at("2026-11-23T15:00", CL.zone),
        CAP,
        "cl/attempts_day",
        at("2026-11-24T08:00", CL.zone),
    );
    allowed(&case.judge_at("2026-11-24T08:00", CL.zone));
    for day in 24..=26 {
        tried(&mut case, &format!("2026-11-{day}T09:00"), CL.zone);
    }
    allowed(&case.judge_at("2026-11-27T09:00", CL.zone));
    // A fifth of the week, by hand, on Thursday evening: the week is full until Monday.
    tried(&mut case, "2026-11-26T19:00", CL.zone);
    deferred(
        &case.judge_at("2026-11-27T09:00", CL.zone),
        CAP,
        "cl/attempts_week",
        at("2026-11-30T08:00", CL.zone),
    );
    case.facts.ledger.clear();
    case.row(LedgerKind::Conversation, at("2026-11-24T10:00", CL.zone));
    deferred(
        &case.judge_at("2026-11-27T10:00", CL.zone),
        CAP,
        "cl/after_conversation",
        at("2026-11-30T08:00", CL.zone),
    );
}

#[test]
fn chile_two_messages_a_week_two_days_apart() {
    let mut case = Case::new(CL);
    case.action.channel = Channel::Sms;
    let sent = |case: &mut Case, local: &str| {
        let row = case.row(LedgerKind::Message, at(local, CL.zone));
        row.channel = Channel::Email;
        row.attempt_id = None;
    };
    sent(&mut case, "2026-11-23T10:00");
    let after_gap = at("2026-11-25T10:00", CL.zone);
    deferred(
        &case.judge_at("2026-11-24T12:00", CL.zone),
        CAP,
        "cl/remote_week/min_gap",
        after_gap,
    );
    refused(
        &case.judge(after_gap.plus_ms(-1)),
        CAP,
        "cl/remote_week/min_gap",
    );
    allowed(&case.judge(after_gap));
    sent(&mut case, "2026-11-25T10:00");
    deferred(
        &case.judge_at("2026-11-27T12:00", CL.zone),
        CAP,
        "cl/remote_week",
        at("2026-11-30T08:00", CL.zone),
    );
}

#[test]
fn ecuador_any_action_uses_up_the_day() {
    let ec = Home {
        country: "EC",
        subdivision: None,
        phone: "+59322345678",
        kind: CreditorKind::Financial,
        zone: "America/Guayaquil",
    };
    for (kind, channel) in [
        (LedgerKind::Attempt, Channel::Call),
        (LedgerKind::Message, Channel::Email),
        (LedgerKind::Visit, Channel::Visit),
    ] {
        let mut case = Case::new(ec);
        allowed(&case.judge_at("2026-11-24T12:00", ec.zone));
        case.row(kind, at("2026-11-24T08:00", ec.zone)).channel = channel;
        deferred(
            &case.judge_at("2026-11-24T12:00", ec.zone),
            CAP,
            "ec/one_per_day_strict",
            at("2026-11-25T07:00", ec.zone),
        );
    }
}

#[test]
fn peru_and_argentina_two_a_day() {
    for (country, phone, zone) in [
        ("PE", "+5115551234", "America/Lima"),
        ("AR", "+541143211234", "America/Argentina/Buenos_Aires"),
    ] {
        let mut case = Case::new(Home {
            country,
            subdivision: None,
            phone,
            kind: CreditorKind::Financial,
            zone,
        });
        tried(&mut case, "2026-11-24T10:00", zone);
        allowed(&case.judge_at("2026-11-24T12:00", zone));
        tried(&mut case, "2026-11-24T11:00", zone);
        let rule = format!("{}/attempts_day", country.to_lowercase());
        refused(&case.judge_at("2026-11-24T12:00", zone), CAP, &rule);
    }
}

#[test]
fn after_a_conversation_the_debt_rests_a_day() {
    let mut case = Case::new(MX);
    let talked = at("2026-11-24T10:00", MX.zone);
    case.row(LedgerKind::Conversation, talked);
    let free = talked.plus_ms(DAY_MS);
    deferred(
        &case.judge(free.plus_ms(-1)),
        CAP,
        "mx-condusef/after_conversation",
        free,
    );
    allowed(&case.judge(free));
    // It was about another debt of his.
    case.facts.ledger[0].debts = vec![DebtId(id(44))];
    allowed(&case.judge(talked.plus_ms(HOUR_MS)));
}

#[test]
fn the_day_of_the_conversation_is_day_one_of_seven() {
    let mut case = Case::new(US);
    case.row(LedgerKind::Conversation, at("2026-11-24T20:00", US.zone));
    // The notice of the law followed it.
    case.facts.consents.push(Consent {
        id: ConsentId(id(8)),
        debtor_id: DebtorId(id(1)),
        channel: Channel::Letter,
        purpose: "validation_notice".into(),
        granted_at: at("2026-11-25T10:00", US.zone),
        until: None,
        revoked_at: None,
        proof: "carta 7".into(),
        revoke_proof: None,
    });
    let free = at("2026-12-01T08:00", US.zone);
    deferred(
        &case.judge_at("2026-11-30T12:00", US.zone),
        CAP,
        "us-federal/reg_f_after_conversation",
        free,
    );
    allowed(&case.judge(free));
}

#[test]
fn a_number_that_heard_nobody_gets_an_agent_first_for_three_days() {
    let gb = Home {
        country: "GB",
        subdivision: Some("ENG"),
        phone: "+442071838750",
        kind: CreditorKind::Financial,
        zone: "Europe/London",
    };
    for (home, rule) in [
        (gb, "gb/after_abandoned"),
        (MX, "mx-condusef/abandonment.retry_block"),
    ] {
        let mut case = Case::new(home);
        let left = at("2026-11-24T10:00", home.zone);
        case.row(LedgerKind::Abandoned, left);
        let free = left.plus_ms(72 * HOUR_MS);
        let verdict = case.judge(free.plus_ms(-1));
        assert_eq!(verdict.decision, Decision::AllowAgentOnly, "{verdict:#?}");
        assert!(verdict.decision.permits(true) && !verdict.decision.permits(false));
        assert!(verdict.rules.iter().any(|r| r.rule == rule), "{rule}");
        allowed(&case.judge(free));
        // Another number of his is not the one that rang in vain.
        case.facts.points.push(point(6, "+525587654321"));
        case.facts.ledger[0].address = "+525587654321".into();
        allowed(&case.judge(free.plus_ms(-1)));
    }
}
