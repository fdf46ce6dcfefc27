//! The model says what its records say, shrinks what is thin, forgets, and chooses fairly.

use super::TryResult::{NoAnswer, RightParty};
use super::*;
use crate::time::{DAY_MS, HOUR_MS, UtcMs};
use jiff::civil::time;
use jiff::tz::TimeZone;

/// Monday 2026-11-23, 00:00 UTC.
const MONDAY: UtcMs = UtcMs(1_795_392_000_000);

pub(super) fn at(day: i64, hour: i64) -> UtcMs {
    MONDAY.plus_ms(day * DAY_MS + hour * HOUR_MS)
}

pub(super) fn seen(at: UtcMs, result: TryResult) -> Observation {
    Observation {
        campaign: None,
        at,
        slot: Slot::at(at, &TimeZone::UTC),
        result,
        traits: None,
        last: None,
        forecast: None,
    }
}

pub(super) fn tried(at: UtcMs, result: TryResult) -> Tried {
    Tried {
        at,
        slot: Slot::at(at, &TimeZone::UTC),
        result,
    }
}

/// Of a number of which nothing is known, which leaves the level as it is.
pub(super) const PLAIN: Traits = Traits {
    confidence: 67,
    given_by_debtor: false,
    added_at: UtcMs(0),
    source: PointSource::Import,
};

fn point(tries: &[Tried]) -> PointView<'_> {
    PointView {
        tries,
        traits: PLAIN,
    }
}

pub(super) fn chance(model: &AnswerModel, tries: &[Tried], traits: Traits, when: UtcMs) -> Chance {
    let slot = Slot::at(when, &TimeZone::UTC);
    model.chance(None, &PointView { tries, traits }, slot, when)
}

fn right(model: &AnswerModel, tries: &[Tried], when: UtcMs) -> f64 {
    chance(model, tries, PLAIN, when).right_party
}

/// A model that saw `hits` of 20 at every hour of two weeks, by `rate(hour)` of 20.
pub(super) fn taught(rate: impl Fn(i64) -> i64) -> AnswerModel {
    let mut model = AnswerModel::default();
    let mut calls = Vec::new();
    for day in -14..0 {
        for hour in 9..20 {
            let result = |n| match n < rate(hour) {
                true => RightParty,
                false => NoAnswer,
            };
            calls.extend((0..20).map(|n| seen(at(day, hour), result(n))));
        }
    }
    model.learn(&calls);
    model
}

#[test]
fn what_was_never_tried_is_the_prior_of_the_level_above() {
    let blank = AnswerModel::default();
    let prior = blank.params().prior_right_party;
    let slot = Slot::at(at(0, 10), &TimeZone::UTC);
    assert!((blank.level_rate(None, slot) - prior).abs() < 1e-9);
    let model = taught(|hour| if hour >= 17 { 8 } else { 2 });
    let level = model.level_rate(None, Slot::at(at(0, 18), &TimeZone::UTC));
    assert!((0.3..0.45).contains(&level), "{level}");
    let fresh = right(&model, &[], at(0, 18));
    assert!((fresh / level - 1.0).abs() < 0.02, "{fresh} {level}");
    assert!(right(&model, &[], at(0, 10)) < 0.16);
    // Another campaign of the portfolio speaks with the portfolio's voice.
    let other = crate::ids::CampaignId(uuid::Uuid::from_u128(7));
    assert!((model.level_rate(Some(other), slot) - model.level_rate(None, slot)).abs() < 1e-9);
}

#[test]
fn own_tries_move_the_forecast_at_their_hour_most() {
    let model = taught(|_| 4);
    let evenings: Vec<Tried> = (-4..0).map(|day| tried(at(day, 18), RightParty)).collect();
    let (evening, morning) = (
        right(&model, &evenings, at(0, 18)),
        right(&model, &evenings, at(0, 9)),
    );
    let fresh = right(&model, &[], at(0, 18));
    assert!(evening > morning + 0.1, "{evening} {morning}");
    assert!(morning > fresh && evening < 0.95);
    let deaf: Vec<Tried> = (-4..0).map(|day| tried(at(day, 10), NoAnswer)).collect();
    assert!(right(&model, &deaf, at(0, 10)) < right(&model, &deaf, at(0, 18)));
}

#[test]
fn old_tries_are_forgotten() {
    let model = taught(|_| 4);
    let fresh = right(&model, &[], at(0, 18));
    let new = right(&model, &[tried(at(-1, 18), RightParty)], at(0, 18));
    let old = right(&model, &[tried(at(-400, 18), RightParty)], at(0, 18));
    assert!(
        new > old && (old - fresh).abs() < 0.01,
        "{new} {old} {fresh}"
    );
}

#[test]
fn a_surer_point_is_worth_more() {
    let model = taught(|_| 4);
    let of = |confidence, given_by_debtor| {
        let traits = Traits {
            confidence,
            given_by_debtor,
            ..PLAIN
        };
        chance(&model, &[], traits, at(0, 12)).right_party
    };
    assert!(of(20, false) < of(80, false) && of(80, false) < of(80, true));
    let one = chance(&model, &[], PLAIN, at(0, 12));
    assert!(one.live >= one.right_party);
}

#[test]
fn forecasts_that_are_twice_too_high_are_halved_and_stay_in_order() {
    let mut record = Calibration::default();
    assert!((record.correct(0.3) - 0.3).abs() < 1e-12);
    for n in 0..4_000_u32 {
        let said = f64::from(n % 8) * 0.05 + 0.02;
        let hit = f64::from(n * 37 % 1_000) / 1_000.0 < said / 2.0;
        record.observe(said, hit, 4_000.0, 15.0);
    }
    let half = record.correct(0.25);
    assert!((0.09..0.17).contains(&half), "{half}");
    let line: Vec<f64> = (1_u8..100)
        .map(|p| record.correct(f64::from(p) / 100.0))
        .collect();
    assert!(line.windows(2).all(|w| w[0] <= w[1] + 1e-12));
}

#[test]
fn the_record_shows_what_was_said_against_what_came() {
    let mut record = Calibration::default();
    assert!(record.table().is_empty() && record.error().is_none());
    for n in 0..8_000_u32 {
        let said = if n % 2 == 0 { 0.05 } else { 0.4 };
        // Half of what is said comes.
        let hit = f64::from(n * 37 % 1_000) / 1_000.0 < said / 2.0;
        record.observe(said, hit, 4_000.0, 15.0);
    }
    // What is said now is corrected: the record of it is near what came.
    for row in record.table().iter().filter(|r| r.forecasts > 500.0) {
        assert!((row.said - row.came).abs() < 0.05, "{row:?}");
    }
    assert!(
        record.error().is_some_and(|e| e < 0.05),
        "{:?}",
        record.error()
    );
}

#[test]
fn one_try_moves_a_forecast_a_little() {
    let model = taught(|_| 3);
    let fresh = right(&model, &[], at(0, 18));
    let hit = right(&model, &[tried(at(-1, 18), RightParty)], at(0, 18));
    let miss = right(&model, &[tried(at(-1, 18), NoAnswer)], at(0, 18));
    assert!(
        miss < fresh && fresh < hit && hit < fresh + 0.12,
        "{miss} {fresh} {hit}"
    );
}

fn worth(model: &AnswerModel, when: UtcMs, law: impl FnMut(UtcMs) -> bool) -> Worth {
    let window = (time(9, 0, 0, 0), time(20, 0, 0, 0));
    let case = Outlook {
        campaign: None,
        point: point(&[]),
        zone: &TimeZone::UTC,
        window,
        stake: 100_000,
    };
    let ahead = hours_ahead(when, &TimeZone::UTC, window, model.params().look_days);
    weigh(model, &case, &ahead, when, law)
}

#[test]
fn a_call_in_a_bad_hour_waits_for_the_better_one_and_says_so() {
    let model = taught(|hour| if hour >= 17 { 8 } else { 2 });
    let morning = worth(&model, at(0, 10), |_| true);
    let evening = worth(&model, at(0, 18), |_| true);
    assert!(morning.value < 0.0 && morning.hold && evening.value > 0.0 && !evening.hold);
    let later = morning.later.map(|l| Slot::at(l.at, &TimeZone::UTC).hour);
    assert!(later.is_some_and(|h| h >= 17), "{later:?}");
    let (es, en) = why_not_yet(&morning, &TimeZone::UTC);
    assert!(es.starts_with("por qué todavía no: mejor el 23/11"), "{es}");
    assert!(en.starts_with("why not yet: better at 23/11"), "{en}");
    // Of whom nobody may call now only the hour to come is told, and none before he may be called.
    let told = better_hour(&morning, &TimeZone::UTC, at(0, 10));
    let (es, en) = told.unwrap_or_default();
    assert!(es.contains("ahora no se puede; mejor el 23/11"), "{es}");
    assert!(en.contains("it cannot be now; better at 23/11"), "{en}");
    assert!(better_hour(&morning, &TimeZone::UTC, at(300, 10)).is_none());
    let (es, en) = why_now(&evening, Why::Value, &TimeZone::UTC);
    assert!(es.starts_with("por qué ahora") && en.starts_with("why now"));
    // Where the law leaves no later hour, now is the time.
    let only = worth(&model, at(0, 10), |_| false);
    assert!(only.later.is_none() && only.value > 0.0 && !only.hold);
}

#[test]
fn hours_ahead_are_those_of_the_window_in_the_zone() {
    let zone = crate::time::zone("America/Bogota").unwrap_or(TimeZone::UTC);
    let window = (time(9, 0, 0, 0), time(12, 0, 0, 0));
    let ahead = hours_ahead(at(0, 15).plus_ms(1), &zone, window, 1);
    // 15:00 UTC is 10:00 there: 11 today, 9 and 10 tomorrow.
    let hours: Vec<u8> = ahead.iter().map(|(_, s)| s.hour).collect();
    assert_eq!(hours, [11, 9, 10]);
}

#[test]
fn the_choice_is_by_value_with_its_share_by_chance() {
    let entries: Vec<Entry> = (0..200)
        .map(|n| Entry {
            value: f64::from(n),
            due: (n == 3).then_some(Due::Waited),
            hold: n < 2,
        })
        .collect();
    let params = AnswerParams::default();
    let mut explored = 0;
    for seed in 0..500 {
        let kept = choose(&entries, 20, &params, seed);
        assert_eq!(kept, choose(&entries, 20, &params, seed));
        assert_eq!((kept[0].index, kept[0].why), (3, Why::Due));
        let mut once: Vec<usize> = kept.iter().map(|c| c.index).collect();
        once.sort_unstable();
        once.dedup();
        assert_eq!((kept.len(), once.len()), (20, 20));
        explored += kept.iter().filter(|c| c.why == Why::Explore).count();
    }
    // 500 × 20 places: one of each choice, two of every fifth; 600 expected.
    assert!((550..=650).contains(&explored), "{explored}");
    // Both are held; one of four places is filled all the same.
    let quiet = AnswerParams {
        explore_share: 0.0,
        ..params
    };
    assert_eq!(choose(&entries[..2], 2, &quiet, 1).len(), 1);
}

/// Of `keep` places a seed: those by chance, and those agreed who were left out, over 500 seeds.
fn explored(entries: &[Entry], keep: usize) -> (usize, usize) {
    let params = AnswerParams::default();
    let agreed = |e: &Entry| usize::from(e.due == Some(Due::Agreed));
    let all: usize = entries.iter().map(agreed).sum();
    (0..500).fold((0, 0), |(chance, out), seed| {
        let kept = choose(entries, keep, &params, seed);
        let lots = kept.iter().filter(|c| c.why == Why::Explore).count();
        let came: usize = kept.iter().map(|c| agreed(&entries[c.index])).sum();
        (chance + lots, out + all - came)
    })
}

#[test]
fn chance_keeps_its_share_where_many_are_due_and_takes_no_agreed_place() {
    let of = |waited: usize, agreed: usize| -> Vec<Entry> {
        let due = |n| match n {
            n if n < agreed => Some(Due::Agreed),
            n if n < agreed + waited => Some(Due::Waited),
            _ => None,
        };
        let entry = |n| Entry {
            value: 0.0,
            due: due(n),
            hold: false,
        };
        (0..40).map(entry).collect()
    };
    // 500 × 20 places: 500 are one in twenty, at least one of each choice.
    for (waited, agreed) in [(0, 0), (10, 0), (30, 0), (40, 0), (5, 10), (0, 15)] {
        let (chance, out) = explored(&of(waited, agreed), 20);
        assert!(chance >= 500, "{waited} {agreed}: {chance}");
        assert_eq!(out, 0, "{waited} {agreed}");
    }
    // Who was agreed with is called, whatever chance says.
    assert_eq!(explored(&of(0, 20), 20), (0, 0));
}

#[test]
fn passes_are_counted_in_the_note_and_end() {
    let params = AnswerParams::default();
    let mut passes = Passes::read("retry");
    assert_eq!(passes, Passes::default());
    for _ in 0..params.passes_max {
        assert!(!passes.due(at(0, 10), &params));
        passes = Passes::read(&passes.again(at(0, 10)).note());
    }
    assert!(passes.due(at(0, 10), &params));
    let once = Passes::default().again(at(0, 10));
    assert!(!once.due(at(1, 10), &params) && once.due(at(3, 10), &params));
}
