//! Both errors counted, and the place of a page.

use super::*;

#[test]
fn both_errors_are_counted_against_the_agents_codes() {
    let row = |class: &str, code: Option<&str>, calls| HeardCount {
        campaign_id: None,
        trunk_id: TrunkId(uuid::Uuid::nil()),
        class: class.to_owned(),
        disposition: code.map(str::to_owned),
        had_agent: true,
        acted: Acted::Shadow,
        truth: None,
        early: false,
        slice: 0,
        calls,
    };
    let counts = [
        row("human", Some("CD.PP.TOTAL"), 90),
        row("unknown", Some("CI.TN"), 8),
        row("machine", Some("CD.NP"), 2),
        row("machine", Some("NC.BZ"), 24),
        HeardCount {
            early: true,
            ..row("machine", Some("NC.BZ"), 6)
        },
        HeardCount {
            early: true,
            ..row("human", None, 7)
        },
        row("human", Some("NC.BZ.DEJADO"), 10),
        row("human", None, 5),
        row("machine", Some("NC.ST"), 1),
        // The system's own code of a call that nobody heard tells nothing; who listened does.
        HeardCount {
            had_agent: false,
            acted: Acted::Checked,
            ..row("machine", Some("NC.CA"), 3)
        },
        HeardCount {
            acted: Acted::Hangup,
            ..row("machine", Some("NC.BZ"), 40)
        },
        HeardCount {
            acted: Acted::Hangup,
            truth: Some(Truth::Person),
            ..row("machine", Some("NC.AD"), 1)
        },
    ];
    let all = by(&counts, |r| r.campaign_id);
    let errors = all[0].1.errors();
    assert_eq!((errors.judged, errors.untold), (197, 56));
    let parts = |s: Share| (s.numerator, s.denominator);
    assert_eq!(parts(errors.humans_lost), (3, 101));
    assert_eq!(parts(errors.humans_unknown), (8, 101));
    assert_eq!(parts(errors.machines_missed), (10, 40));
    assert_eq!(parts(errors.machines_early), (6, 40));
    assert_eq!((errors.ended, errors.persons_ended), (41, 1));
    assert_eq!(share(2, 100).low_pct, 0.55);
    assert_eq!(share(0, 0).high_pct, 100.0);
}

#[test]
fn days_are_local_and_as_long_as_the_clocks_make_them() {
    let runs_of = |zone: &str, day: &str, days: i64| {
        let zone = domain::time::zone(zone).expect("a zone");
        let first = domain::segment::day_of_date(day).expect("a day");
        let told = |run: &days::Run| (run.day_ms / domain::time::HOUR_MS, run.before);
        let runs = days::runs(first, days, &zone);
        let begins = runs.first().map(|run| run.from);
        (begins, runs.iter().map(told).collect::<Vec<_>>())
    };
    let at = |text: &str| text.parse::<UtcMs>().ok();
    assert_eq!(
        runs_of("America/Mexico_City", "2026-11-20", 7),
        (at("2026-11-20T06:00:00Z"), vec![(24, 0)])
    );
    // Chile puts its clocks forward on 6 September.
    assert_eq!(
        runs_of("America/Santiago", "2026-09-04", 5),
        (at("2026-09-04T04:00:00Z"), vec![(24, 0), (23, 2), (24, 3)])
    );
}

#[test]
fn cursors_come_back_and_strangers_are_refused() {
    let id = AttemptId(uuid::Uuid::from_u128(7));
    assert_eq!(
        place(Some(&format!("42~{id}"))).ok(),
        Some(Some((UtcMs(42), id)))
    );
    assert!(place(Some("42")).is_err() && place(Some("x~y")).is_err());
    assert_eq!(place(None).ok(), Some(None));
}
