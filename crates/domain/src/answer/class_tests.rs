//! What a try came to, the day of the week, the age and the source of a point: each moves the forecast its way.

use super::TryResult::{Busy, Machine, NoAnswer, Person, RightParty};
use super::tests::{PLAIN, at, chance, seen, taught, tried};
use super::*;
use crate::entity::CallResult;
use crate::time::{DAY_MS, UtcMs};

/// Calls of six weeks, ten at each hour, of which the first `hits(day)` reach the right party; `with` adds what is
/// known of each.
fn six_weeks(
    model: &mut AnswerModel,
    hits: impl Fn(i64) -> i64,
    with: impl Fn(i64, i64, Observation) -> Observation,
) {
    let mut calls = Vec::new();
    for day in -42..0 {
        for hour in 9..20 {
            for n in 0..10 {
                let result = if n < hits(day) { RightParty } else { NoAnswer };
                calls.push(with(day, n, seen(at(day, hour), result)));
            }
        }
    }
    model.learn(&calls);
}

#[test]
fn results_are_told_apart() {
    let of = TryResult::of;
    assert_eq!(of(CallResult::Human, true, None), Some(RightParty));
    assert_eq!(
        of(CallResult::Human, false, Some("CD.PP")),
        Some(RightParty)
    );
    assert_eq!(of(CallResult::Human, false, Some("CI.MT")), Some(Person));
    assert_eq!(of(CallResult::Abandoned, false, None), Some(Person));
    // The agent heard a mailbox that was taken for a person.
    assert_eq!(of(CallResult::Human, false, Some("NC.BZ")), Some(Machine));
    assert_eq!(of(CallResult::MachineBeep, false, None), Some(Machine));
    assert_eq!(of(CallResult::Busy, false, None), Some(Busy));
    assert_eq!(of(CallResult::Unreachable, false, None), Some(NoAnswer));
    for nothing in [
        CallResult::Congestion,
        CallResult::Cancelled,
        CallResult::BlockedCap,
        CallResult::Unknown,
    ] {
        assert_eq!(of(nothing, false, None), None, "{nothing}");
    }
}

#[test]
fn a_number_that_somebody_else_answers_is_live_and_no_nearer_to_the_right_party() {
    let model = taught(|_| 4);
    let now = at(0, 18);
    let of = |result| {
        let tries: Vec<Tried> = (-6..0).map(|day| tried(at(day, 18), result)).collect();
        chance(&model, &tries, PLAIN, now)
    };
    let fresh = chance(&model, &[], PLAIN, now);
    let (other, own, nobody) = (of(Person), of(RightParty), of(NoAnswer));
    assert!(other.live > fresh.live + 0.1, "{other:?} {fresh:?}");
    assert!(other.right_party < fresh.right_party, "{other:?} {fresh:?}");
    assert!(own.live > fresh.live + 0.1 && own.right_party > fresh.right_party + 0.1);
    assert!(nobody.live < fresh.live && nobody.right_party < fresh.right_party);
    for one in [fresh, other, own, nobody] {
        assert!(one.live >= one.right_party, "{one:?}");
    }
}

#[test]
fn a_day_of_the_week_that_answers_more_is_known_for_it() {
    // Mondays answer twice as often as other days; day -42 is a Monday.
    let mut model = AnswerModel::default();
    six_weeks(
        &mut model,
        |day| if day % 7 == 0 { 4 } else { 2 },
        |_, _, one| one,
    );
    let of = |day| chance(&model, &[], PLAIN, at(day, 12));
    let (monday, tuesday) = (of(0), of(1));
    assert!(
        monday.right_party > 1.25 * tuesday.right_party,
        "{monday:?} {tuesday:?}"
    );
    // Shrunk: not all of the difference is said.
    assert!(monday.right_party < 2.0 * tuesday.right_party);
    assert!(monday.live > 1.25 * tuesday.live);
    // The others stay alike, and the weekend has its own hours.
    let friday = of(4);
    assert!((tuesday.right_party / friday.right_party - 1.0).abs() < 0.1);
}

#[test]
fn a_few_calls_make_no_day_of_the_week_special() {
    let mut model = AnswerModel::default();
    let day = |day: i64, rate: i64| {
        let result = move |n| if n < rate { RightParty } else { NoAnswer };
        (0..100).map(move |n| seen(at(day, 12), result(n)))
    };
    // A week in which Wednesday brought half more.
    let calls: Vec<Observation> = (-14..0)
        .flat_map(|d| day(d, if d == -5 { 30 } else { 20 }))
        .collect();
    model.learn(&calls);
    let of = |day| chance(&model, &[], PLAIN, at(day, 12)).right_party;
    let more = of(2) / of(1);
    assert!((1.0..1.12).contains(&more), "{more}");
}

#[test]
fn young_numbers_answer_more_where_the_portfolio_shows_it() {
    let aged = |days: i64, when: UtcMs| Traits {
        added_at: when.plus_ms(-days * DAY_MS),
        ..PLAIN
    };
    // Every other call is to a number of ten days; those answer three times as often as those of three years.
    let mut model = AnswerModel::default();
    six_weeks(
        &mut model,
        |_| 4,
        |_, n, mut one| {
            // Of the first four of ten, who answer, three are young; of the six others two.
            let young = matches!(n, 0 | 1 | 2 | 8 | 9);
            one.traits = Some(aged(if young { 10 } else { 1_100 }, one.at));
            one
        },
    );
    let now = at(0, 12);
    let of = |days| chance(&model, &[], aged(days, now), now).right_party;
    assert!(of(10) > 1.5 * of(1_100), "{} {}", of(10), of(1_100));
    // An age of which nothing was seen, and one that is not known, are the portfolio's mean.
    let unknown = chance(&model, &[], PLAIN, now).right_party;
    assert!((of(100) / unknown - 1.0).abs() < 1e-9);
    assert!(of(1_100) < unknown && unknown < of(10));
}

#[test]
fn a_better_source_is_known_for_it() {
    let from = |source| Traits { source, ..PLAIN };
    let mut model = AnswerModel::default();
    six_weeks(
        &mut model,
        |_| 4,
        |_, n, mut one| {
            let said = matches!(n, 0 | 1 | 2 | 8 | 9);
            one.traits = Some(from(match said {
                true => PointSource::of("debtor"),
                false => PointSource::of("import"),
            }));
            one
        },
    );
    let of = |source| chance(&model, &[], from(source), at(0, 12));
    let (said, filed) = (of(PointSource::Debtor), of(PointSource::Import));
    assert!(
        said.right_party > 1.5 * filed.right_party,
        "{said:?} {filed:?}"
    );
    assert!(said.live > 1.5 * filed.live);
    let other = of(PointSource::of("a list nobody knows"));
    assert!(filed.right_party < other.right_party && other.right_party < said.right_party);
}

#[test]
fn after_a_busy_line_somebody_answers_more_where_the_portfolio_shows_it() {
    let mut model = AnswerModel::default();
    six_weeks(
        &mut model,
        |_| 4,
        |_, n, mut one| {
            // Whoever was busy the day before answers three in five times, who was not there one in five.
            let busy = matches!(n, 0 | 1 | 2 | 8 | 9);
            let before = one.at.plus_ms(-DAY_MS);
            one.last = Some(tried(before, if busy { Busy } else { NoAnswer }));
            one
        },
    );
    let now = at(0, 12);
    let of = |days: i64, result| {
        let tries = [tried(now.plus_ms(-days * DAY_MS), result)];
        chance(&model, &tries, PLAIN, now)
    };
    let (busy, nobody, mailbox) = (of(1, Busy), of(1, NoAnswer), of(1, Machine));
    assert!(
        busy.right_party > 1.4 * nobody.right_party,
        "{busy:?} {nobody:?}"
    );
    assert!(busy.live > 1.4 * nobody.live);
    // Of mailboxes nothing was seen: a miss like any other.
    assert!(nobody.live < mailbox.live && mailbox.live < busy.live);
    // Two weeks later it says no more than that it failed.
    assert!((of(14, Busy).live / of(14, Machine).live - 1.0).abs() < 1e-9);
}

#[test]
fn forecasts_of_a_person_are_calibrated_by_their_own_record() {
    let mut model = taught(|_| 5);
    let now = at(0, 12);
    let before = chance(&model, &[], PLAIN, now);
    // Twice as many people answer as is said; the right party is as said.
    let calls: Vec<Observation> = (0..2_000)
        .map(|n| {
            let mut one = seen(now, if n % 4 == 0 { RightParty } else { NoAnswer });
            if n % 4 == 1 {
                one.result = Person;
            }
            one.forecast = Some(before.raw);
            one
        })
        .collect();
    model.learn(&calls);
    let record = model.live_calibration();
    let corrected = record.correct(before.raw.live);
    assert!(corrected > 1.5 * before.raw.live, "{corrected} {before:?}");
    let right = model.calibration().correct(before.raw.right_party);
    assert!(
        (right / before.raw.right_party - 1.0).abs() < 0.1,
        "{right}"
    );
}
