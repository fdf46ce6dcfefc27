//! Days on which a campaign works: within the law's hours, by the date where the debtor is.

use crate::case::{Case, MX, allowed, at, deferred, refused};
use domain::entity::{BlockReason, CampaignSchedule, DayHours};
use domain::law::pack::Day;

const ZONE: &str = "America/Mexico_City";
const RULE: &str = "campaign/schedule";

fn scheduled(schedule: CampaignSchedule) -> Case {
    let mut case = Case::new(MX);
    case.action.campaign_window = Some(("09:00".into(), "20:00".into()));
    case.action.circumstances.schedule = schedule;
    case
}

#[test]
fn a_day_that_no_line_names_is_closed_and_the_next_is_told() {
    let case = scheduled(CampaignSchedule {
        hours: vec![
            DayHours::of(&[Day::Tue], "10:00", "12:00"),
            DayHours::of(&[Day::Tue], "16:00", "18:00"),
            DayHours::of(&[Day::Fri], "09:00", "21:00"),
        ],
        ..CampaignSchedule::default()
    });
    // 24 November 2026 is a Tuesday.
    let window = "campaign/window";
    let judge = |when: &str| case.judge_at(when, ZONE);
    let until = |when: &str| at(when, ZONE);
    deferred(
        &judge("2026-11-24T09:59:59.999"),
        BlockReason::Window,
        window,
        until("2026-11-24T10:00"),
    );
    allowed(&judge("2026-11-24T10:00"));
    allowed(&judge("2026-11-24T11:59:35"));
    deferred(
        &judge("2026-11-24T12:00"),
        BlockReason::Window,
        window,
        until("2026-11-24T16:00"),
    );
    allowed(&judge("2026-11-24T16:00"));
    deferred(
        &judge("2026-11-25T10:00"),
        BlockReason::Window,
        RULE,
        until("2026-11-27T09:00"),
    );
    allowed(&judge("2026-11-27T20:30"));
}

#[test]
fn it_never_widens_the_hours_of_the_law() {
    let all = [
        Day::Mon,
        Day::Tue,
        Day::Wed,
        Day::Thu,
        Day::Fri,
        Day::Sat,
        Day::Sun,
    ];
    let case = scheduled(CampaignSchedule {
        hours: vec![DayHours::of(&all, "00:00", "24:00")],
        ..CampaignSchedule::default()
    });
    allowed(&case.judge_at("2026-11-24T07:00", ZONE));
    refused(
        &case.judge_at("2026-11-24T06:59", ZONE),
        BlockReason::Window,
        "mx-condusef/windows",
    );
    refused(
        &case.judge_at("2026-11-28T12:00", ZONE),
        BlockReason::Window,
        "mx-condusef/windows",
    );
}

#[test]
fn dates_begin_end_and_rest() {
    let date = |text: &str| text.parse().expect("a date");
    let case = scheduled(CampaignSchedule {
        from: Some(date("2026-11-25")),
        until: Some(date("2026-12-01")),
        days_off: vec![date("2026-11-26")],
        ..CampaignSchedule::default()
    });
    let until = |when: &str| at(when, ZONE);
    deferred(
        &case.judge_at("2026-11-24T10:00", ZONE),
        BlockReason::Window,
        RULE,
        until("2026-11-25T09:00"),
    );
    allowed(&case.judge_at("2026-11-25T09:00", ZONE));
    deferred(
        &case.judge_at("2026-11-26T10:00", ZONE),
        BlockReason::Window,
        RULE,
        until("2026-11-27T09:00"),
    );
    allowed(&case.judge_at("2026-12-01T19:59:35", ZONE));
    // Over: nothing comes after it.
    let over = case.judge_at("2026-12-02T10:00", ZONE);
    refused(&over, BlockReason::Window, RULE);
    assert_eq!(over.next_legal_at, None);
}

#[test]
fn the_date_is_that_of_where_he_is() {
    let date = |text: &str| text.parse().expect("a date");
    let mut case = scheduled(CampaignSchedule {
        from: Some(date("2026-11-25")),
        ..CampaignSchedule::default()
    });
    case.action.campaign_window = Some(("00:00".into(), "24:00".into()));
    case.facts.debtor.told_zone = Some("America/Tijuana".into());
    case.facts.debtor.told_zone_at = Some(at("2026-01-01T00:00", ZONE));
    // The 25th in the capital, still the 24th in Tijuana; its own law's hours are 7 to 22 there.
    refused(
        &case.judge_at("2026-11-24T23:30", "America/Mexico_City"),
        BlockReason::Window,
        RULE,
    );
    allowed(&case.judge_at("2026-11-25T09:00", "America/Mexico_City"));
}

#[test]
fn hours_that_cannot_be_read_call_nobody() {
    let case = scheduled(CampaignSchedule {
        hours: vec![DayHours::of(&[Day::Tue], "10", "12:00")],
        ..CampaignSchedule::default()
    });
    refused(
        &case.judge_at("2026-11-24T11:00", ZONE),
        BlockReason::Rule,
        "campaign/window",
    );
}
