//! Golden cases of the hours: every pack on both sides of every edge, holidays, deferrals, zones and
//! the days on which clocks change.

use crate::case::{CL, CO, Case, Home, MX, RING_MS, US, allowed, at, deferred, refused};
use domain::entity::{BlockReason, CreditorKind, Decision};
use domain::law::{EMBEDDED_HOLIDAYS, EMBEDDED_PACKS, EMBEDDED_PREFIXES, RuleBook};
use domain::time::UtcMs;
use proptest::prelude::*;
use std::sync::Arc;

/// What law.md §3 says of a pack: hours on Tuesday 2026-11-24, Saturday 28, Sunday 29, and one
/// holiday with the working day after it.
struct Golden {
    pack: &'static str,
    home: Home,
    week: (&'static str, &'static str),
    saturday: Option<(&'static str, &'static str)>,
    sunday: Option<(&'static str, &'static str)>,
    holiday: &'static str,
    holiday_open: bool,
    working: &'static str,
}

const fn home(
    country: &'static str,
    subdivision: Option<&'static str>,
    phone: &'static str,
    zone: &'static str,
) -> Home {
    Home {
        country,
        subdivision,
        phone,
        kind: CreditorKind::Financial,
        zone,
    }
}

const BLOCKED: Golden = Golden {
    pack: "",
    home: MX,
    week: ("07:00", "22:00"),
    saturday: None,
    sunday: None,
    holiday: "2027-01-01",
    holiday_open: false,
    working: "2027-01-04",
};

const GOLDEN: [Golden; 12] = [
    Golden {
        pack: "us-federal",
        home: US,
        week: ("08:00", "21:00"),
        saturday: Some(("08:00", "21:00")),
        sunday: Some(("08:00", "21:00")),
        holiday: "2026-12-25",
        holiday_open: true,
        ..BLOCKED
    },
    Golden {
        pack: "us-ma",
        home: home("US", Some("MA"), "+16175550123", "America/New_York"),
        week: ("08:00", "21:00"),
        saturday: Some(("08:00", "21:00")),
        sunday: Some(("08:00", "21:00")),
        holiday: "2026-11-26",
        holiday_open: true,
        ..BLOCKED
    },
    Golden {
        pack: "gb",
        home: home("GB", Some("ENG"), "+442071838750", "Europe/London"),
        week: ("08:00", "21:00"),
        saturday: Some(("10:00", "16:00")),
        holiday: "2026-12-28",
        ..BLOCKED
    },
    Golden {
        pack: "es",
        home: home("ES", Some("MD"), "+34911234567", "Europe/Madrid"),
        week: ("09:00", "21:00"),
        holiday: "2026-12-07",
        working: "2026-12-09",
        ..BLOCKED
    },
    Golden {
        pack: "mx-condusef",
        holiday: "2027-02-01",
        ..BLOCKED
    },
    Golden {
        pack: "mx-profeco",
        home: Home {
            kind: CreditorKind::Commercial,
            ..MX
        },
        holiday: "2026-12-25",
        ..BLOCKED
    },
    Golden {
        pack: "co",
        home: CO,
        week: ("07:00", "19:00"),
        saturday: Some(("08:00", "15:00")),
        holiday: "2027-01-11",
        working: "2027-01-12",
        ..BLOCKED
    },
    Golden {
        pack: "cl",
        home: CL,
        week: ("08:00", "20:00"),
        holiday: "2026-12-08",
        ..BLOCKED
    },
    Golden {
        pack: "pe",
        home: home("PE", None, "+5115551234", "America/Lima"),
        week: ("07:00", "20:00"),
        holiday: "2026-12-09",
        ..BLOCKED
    },
    Golden {
        pack: "ar",
        home: home(
            "AR",
            None,
            "+541143211234",
            "America/Argentina/Buenos_Aires",
        ),
        week: ("09:00", "20:00"),
        holiday: "2026-12-07",
        ..BLOCKED
    },
    Golden {
        pack: "br-sp",
        home: home("BR", Some("SP"), "+5511987654321", "America/Sao_Paulo"),
        week: ("08:00", "20:00"),
        saturday: Some(("08:00", "14:00")),
        holiday: "2027-07-09",
        working: "2027-07-12",
        ..BLOCKED
    },
    Golden {
        pack: "ec",
        home: home("EC", None, "+59322345678", "America/Guayaquil"),
        week: ("07:00", "20:00"),
        holiday: "2027-02-08",
        working: "2027-02-10",
        ..BLOCKED
    },
];

/// Both sides of opening and of closing: half-open hours, and the ring time must fit before the end.
#[track_caller]
fn edges(case: &Case, pack: &str, day: &str, (from, to): (&str, &str), zone: &str) {
    let rule = format!("{pack}/windows");
    let (open, close) = (
        at(&format!("{day}T{from}"), zone),
        at(&format!("{day}T{to}"), zone),
    );
    deferred(
        &case.judge(open.plus_ms(-1)),
        BlockReason::Window,
        &rule,
        open,
    );
    allowed(&case.judge(open));
    allowed(&case.judge(close.plus_ms(-RING_MS)));
    for late in [close.plus_ms(-RING_MS + 1), close] {
        refused(&case.judge(late), BlockReason::Window, &rule);
    }
}

#[test]
fn every_pack_opens_and_closes_to_the_millisecond() {
    for golden in &GOLDEN {
        let case = Case::new(golden.home);
        let zone = golden.home.zone;
        let days = [
            ("2026-11-24", Some(golden.week)),
            ("2026-11-28", golden.saturday),
            ("2026-11-29", golden.sunday),
        ];
        let rule = format!("{}/windows", golden.pack);
        for (day, hours) in days {
            let noon = case.judge_at(&format!("{day}T12:00"), zone);
            match hours {
                Some(hours) => edges(&case, golden.pack, day, hours, zone),
                None => refused(&noon, BlockReason::Window, &rule),
            }
        }
        let verdict = case.judge_at("2026-11-24T12:00", zone);
        assert!(
            verdict.packs.iter().any(|p| p.id == golden.pack),
            "{}",
            golden.pack
        );
    }
}

#[test]
fn every_pack_knows_its_holidays() {
    for golden in &GOLDEN {
        let case = Case::new(golden.home);
        let noon = |day: &str| case.judge_at(&format!("{day}T12:00"), golden.home.zone);
        if golden.holiday_open {
            allowed(&noon(golden.holiday));
        } else {
            refused(
                &noon(golden.holiday),
                BlockReason::Window,
                &format!("{}/holidays", golden.pack),
            );
        }
        allowed(&noon(golden.working));
    }
}

#[test]
fn a_refusal_by_the_hour_names_the_next_opening() {
    let case = Case::new(MX);
    let zone = MX.zone;
    // Friday night waits for Monday; the Monday of Constitution Day makes it Tuesday.
    deferred(
        &case.judge_at("2026-11-27T21:59:50", zone),
        BlockReason::Window,
        "mx-condusef/windows",
        at("2026-11-30T07:00", zone),
    );
    deferred(
        &case.judge_at("2027-01-29T22:30", zone),
        BlockReason::Window,
        "mx-condusef/windows",
        at("2027-02-02T07:00", zone),
    );
    deferred(
        &case.judge_at("2027-02-01T10:00", zone),
        BlockReason::Window,
        "mx-condusef/holidays",
        at("2027-02-02T07:00", zone),
    );
}

#[test]
fn the_campaign_may_only_narrow_the_hours() {
    let mut case = Case::new(MX);
    case.action.campaign_window = Some(("06:00".into(), "18:00".into()));
    let zone = MX.zone;
    refused(
        &case.judge_at("2026-11-24T06:30", zone),
        BlockReason::Window,
        "mx-condusef/windows",
    );
    allowed(&case.judge_at("2026-11-24T07:00", zone));
    allowed(&case.judge(at("2026-11-24T18:00", zone).plus_ms(-RING_MS)));
    deferred(
        &case.judge_at("2026-11-24T18:00", zone),
        BlockReason::Window,
        "campaign/window",
        at("2026-11-25T07:00", zone),
    );
    case.action.campaign_window = Some(("18:00".into(), "10:00".into()));
    refused(
        &case.judge_at("2026-11-24T12:00", zone),
        BlockReason::Rule,
        "campaign/window",
    );
}

#[test]
fn subdivisions_add_their_own_holidays() {
    let madrid = Case::new(GOLDEN[3].home);
    let catalonia = Case::new(home("ES", Some("CT"), "+34931234567", "Europe/Madrid"));
    let unknown = Case::new(home("ES", None, "+34911234567", "Europe/Madrid"));
    let noon = "2026-12-07T12:00";
    refused(
        &madrid.judge_at(noon, "Europe/Madrid"),
        BlockReason::Window,
        "es/holidays",
    );
    allowed(&catalonia.judge_at(noon, "Europe/Madrid"));
    // Where his region's table is not known, no day may be taken for a working day.
    refused(
        &unknown.judge_at(noon, "Europe/Madrid"),
        BlockReason::Rule,
        "es/holidays",
    );
    let scotland = Case::new(home("GB", Some("SCT"), "+441312345678", "Europe/London"));
    refused(
        &scotland.judge_at("2026-11-30T12:00", "Europe/London"),
        BlockReason::Window,
        "gb/holidays",
    );
    allowed(&Case::new(GOLDEN[2].home).judge_at("2026-11-30T12:00", "Europe/London"));
}

#[test]
fn a_year_without_a_table_denies() {
    let case = Case::new(CO);
    refused(
        &case.judge_at("2031-03-04T12:00", CO.zone),
        BlockReason::Rule,
        "co/holidays",
    );
    // The federal pack allows holidays, so it needs no table.
    allowed(&Case::new(US).judge_at("2031-03-04T12:00", US.zone));
}

#[test]
fn every_zone_he_may_be_in_must_be_open() {
    // A Tijuana number and an address in Cancún: 07:00 in the west to 22:00 in the east.
    let mut case = Case::new(Home {
        phone: "+526641234567",
        ..MX
    });
    case.facts.debtor.address_zone = Some("America/Cancun".into());
    let west = "America/Tijuana";
    let verdict = case.judge_at("2026-11-24T06:59:59", west);
    deferred(
        &verdict,
        BlockReason::Window,
        "mx-condusef/windows",
        at("2026-11-24T07:00", west),
    );
    let seen: Vec<&str> = verdict.zones.iter().map(|z| z.zone.as_str()).collect();
    assert_eq!(seen, ["America/Tijuana", "America/Cancun"]);
    allowed(&case.judge_at("2026-11-24T07:00", west));
    let close = at("2026-11-24T22:00", "America/Cancun");
    allowed(&case.judge(close.plus_ms(-RING_MS)));
    refused(
        &case.judge(close.plus_ms(-RING_MS + 1)),
        BlockReason::Window,
        "mx-condusef/windows",
    );
}

#[test]
fn each_current_address_counts() {
    let mut case = Case::new(Home {
        phone: "+526641234567",
        ..MX
    });
    let west = "America/Tijuana";
    case.facts.address_zones = vec![west.into(), "America/Cancun".into()];
    // 20:30 in the west is 22:30 at his other address.
    refused(
        &case.judge_at("2026-11-24T20:30", west),
        BlockReason::Window,
        "mx-condusef/windows",
    );
    case.facts.address_zones.pop();
    allowed(&case.judge_at("2026-11-24T20:30", west));
}

#[test]
fn a_told_zone_replaces_the_others_only_with_its_date() {
    let mut case = Case::new(Home {
        phone: "+526641234567",
        ..MX
    });
    case.facts.debtor.told_zone = Some("America/Cancun".into());
    // 06:00 in Tijuana is 09:00 in Cancún.
    let early = at("2026-11-24T06:00", "America/Tijuana");
    refused(
        &case.judge(early),
        BlockReason::Window,
        "mx-condusef/windows",
    );
    case.facts.debtor.told_zone_at = Some(UtcMs(1_795_000_000_000));
    let verdict = case.judge(early);
    allowed(&verdict);
    assert_eq!(verdict.zones.len(), 1);
    assert_eq!(verdict.zones[0].evidence, "told");
}

#[test]
fn without_a_zone_or_with_an_unknown_one_it_denies() {
    let nowhere = Case::new(Home {
        phone: "+999123456789",
        ..MX
    });
    refused(
        &nowhere.judge_at("2026-11-24T12:00", MX.zone),
        BlockReason::Rule,
        "house/no_zone",
    );
    let mut wrong = Case::new(MX);
    wrong.facts.debtor.address_zone = Some("America/Macondo".into());
    refused(
        &wrong.judge_at("2026-11-24T12:00", MX.zone),
        BlockReason::Rule,
        "house/unknown_zone",
    );
}

#[test]
fn the_hours_follow_the_clock_change() {
    let case = Case::new(US);
    // Clocks go forward at 02:00 on 2027-03-14: eight in the morning is 12:00Z, the day before 13:00Z.
    for (utc, open) in [
        ("2027-03-13T12:59:59.999Z", false),
        ("2027-03-13T13:00:00.000Z", true),
        ("2027-03-14T11:59:59.999Z", false),
        ("2027-03-14T12:00:00.000Z", true),
        ("2027-11-06T12:00:00.000Z", true),
        ("2027-11-07T12:59:59.999Z", false),
        ("2027-11-07T13:00:00.000Z", true),
    ] {
        let now: UtcMs = utc.parse().expect("an instant");
        assert_eq!(case.judge(now).decision.permits(false), open, "{utc}");
    }
}

/// The federal pack with other hours.
fn with_hours(from: &str, to: &str) -> Case {
    let mut case = Case::new(US);
    let packs: Vec<(String, String)> = EMBEDDED_PACKS
        .iter()
        .filter(|(file, _)| *file == "us-federal.json")
        .map(|(file, text)| {
            let text = text.replace("\"08:00\"", &format!("\"{from}\""));
            (
                (*file).to_owned(),
                text.replace("\"21:00\"", &format!("\"{to}\"")),
            )
        })
        .collect();
    case.book = Arc::new(
        RuleBook::load(&packs, EMBEDDED_HOLIDAYS, EMBEDDED_PREFIXES)
            .expect("a pack with other hours"),
    );
    case
}

#[test]
fn skipped_and_repeated_hours_are_read_strictly() {
    // 02:30 does not exist on 2027-03-14: it opens at 03:30 daylight time, an hour later on the clock.
    // 01:30 comes twice on 2027-11-07: opening waits for the second one, closing takes the first.
    for (from, to, utc, open) in [
        ("02:30", "21:00", "2027-03-14T07:29:59.999Z", false),
        ("02:30", "21:00", "2027-03-14T07:30:00.000Z", true),
        ("01:30", "21:00", "2027-11-07T05:30:00.000Z", false),
        ("01:30", "21:00", "2027-11-07T06:30:00.000Z", true),
        ("00:10", "01:30", "2027-11-07T05:29:00.000Z", true),
        ("00:10", "01:30", "2027-11-07T05:30:00.000Z", false),
        ("00:10", "01:30", "2027-11-07T06:20:00.000Z", false),
    ] {
        let now: UtcMs = utc.parse().expect("an instant");
        let decision = with_hours(from, to).judge(now).decision;
        assert_eq!(decision.permits(false), open, "{from} to {to} at {utc}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever the instant and the ring time, an allowed call rings inside the hours on a working
    /// weekday, and a deferred one may be made at the instant that was named.
    #[test]
    fn an_allowed_call_rings_inside_the_hours(
        minute in 0_i64..120 * 24 * 60,
        ms in 0_i64..60_000,
        ring_ms in 0_i64..90_000,
    ) {
        let mut case = Case::new(CO);
        case.action.ring_timeout_ms = ring_ms;
        let now = at("2026-11-22T00:00", CO.zone).plus_ms(minute * 60_000 + ms);
        let verdict = case.judge(now);
        match verdict.decision {
            Decision::Allow => {
                let tz = domain::time::zone(CO.zone).expect("a zone");
                let (start, end) = (now.in_zone(&tz), now.plus_ms(ring_ms).in_zone(&tz));
                let weekday = start.weekday().to_monday_zero_offset();
                prop_assert!(weekday < 6, "a Sunday");
                let (from, to) = if weekday == 5 { (8, 15) } else { (7, 19) };
                prop_assert!(start.hour() >= from);
                let closing = start.date().at(to, 0, 0, 0);
                prop_assert!(end.datetime() <= closing && start.datetime() < closing);
            }
            Decision::Defer { until } => {
                prop_assert!(until > now);
                prop_assert!(case.judge(until).decision.permits(false), "{until}");
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
