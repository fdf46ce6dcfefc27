//! Retry rules (terms.md §11): when and where to try again after a result. Caps and windows of the
//! law always apply after the rule.

use crate::entity::{CallResult, RetryOverride};
use crate::time::{MINUTE_MS, UtcMs};
use jiff::tz::TimeZone;

/// How the delay grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DelayMode {
    /// The same delay each time.
    Fixed,
    /// Times this factor for each earlier try with the same result.
    Multiply(f64),
}

crate::text_enum! {
    /// Which part of the day the next try prefers.
    pub enum DayPart {
        /// Any.
        Same = "same",
        /// Another half of the day than the last try; the halves meet at 14:00.
        Other = "other",
        /// Before 12:00.
        Morning = "morning",
        /// From 12:00 to 18:00.
        Afternoon = "afternoon",
        /// From 18:00 on.
        Evening = "evening",
    }
}

crate::text_enum! {
    /// Where the next try goes.
    pub enum Then {
        /// The same point again.
        SamePoint = "same_point",
        /// The next point of the ladder.
        NextPoint = "next_point",
        /// Nowhere: the debtor leaves the campaign.
        Stop = "stop",
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryRule {
    /// Minutes until the next try.
    pub delay_min: i64,
    /// Growth.
    pub mode: DelayMode,
    /// Most tries with this result a local day.
    pub max_per_day: u32,
    /// Most tries with this result on one point.
    pub max_total: u32,
    /// Part of the day.
    pub day_part: DayPart,
    /// Where next.
    pub then: Then,
    /// Whether the point is proved bad.
    pub point_bad: bool,
}

const fn rule(
    delay_min: i64,
    mode: DelayMode,
    max_per_day: u32,
    max_total: u32,
    day_part: DayPart,
    then: Then,
) -> RetryRule {
    RetryRule {
        delay_min,
        mode,
        max_per_day,
        max_total,
        day_part,
        then,
        point_bad: false,
    }
}

/// Hours that an abandoned number rests when its pack names none (law.md §5).
pub const DROP_BLOCK_H: i64 = 72;
/// Hours until the next try after a conversation that was not disposed (NC.ST: as after a conversation).
pub const AFTER_CONVERSATION_H: i64 = 24;
/// First hour of the afternoon; the day has two parts.
const AFTERNOON_H: i8 = 14;
/// Longest delay a growing rule may reach: two weeks.
const DELAY_MAX_MIN: i64 = 14 * 24 * 60;

/// The house table; `None` for results after which the rule is somewhere else: `human` (the
/// disposition decides), `cancelled` and the other `blocked_*` (at once, the verdict decides). An
/// attempt is `blocked_rule` where the telephone side never calls such a number.
#[must_use]
pub const fn standard_rule(result: CallResult) -> Option<RetryRule> {
    use CallResult as R;
    use DayPart::{Other, Same};
    use DelayMode::{Fixed, Multiply};
    use Then::{NextPoint, SamePoint};
    match result {
        R::Busy => Some(rule(15, Fixed, 3, 8, Same, NextPoint)),
        R::NoAnswer => Some(rule(180, Multiply(1.5), 2, 8, Other, NextPoint)),
        R::MachineBeep | R::MachineNoBeep => Some(rule(240, Fixed, 1, 5, Other, NextPoint)),
        R::HangupEarly | R::DeadAir | R::OneWayAudio => {
            Some(rule(1440, Fixed, 1, 3, Other, SamePoint))
        }
        R::Rejected | R::BlockedRule => Some(rule(1440, Fixed, 1, 2, Other, NextPoint)),
        R::Unreachable => Some(rule(1440, Multiply(2.0), 1, 4, Other, NextPoint)),
        R::Congestion | R::TrunkFault => Some(rule(5, Multiply(2.0), 3, 6, Same, SamePoint)),
        R::InvalidNumber | R::Fax => Some(RetryRule {
            point_bad: true,
            ..rule(0, Fixed, 1, 1, Same, NextPoint)
        }),
        R::Abandoned => Some(rule(DROP_BLOCK_H * 60, Fixed, 1, 2, Same, SamePoint)),
        R::Unknown => Some(rule(1440, Fixed, 1, 3, Other, SamePoint)),
        R::Human
        | R::Cancelled
        | R::BlockedWindow
        | R::BlockedCap
        | R::BlockedHold
        | R::BlockedSuppressed => None,
    }
}

/// What is known when a try is over. Counts include the try itself.
#[derive(Debug, Clone)]
pub struct RetryCase {
    /// Its result.
    pub result: CallResult,
    /// Its end.
    pub at: UtcMs,
    /// Tries of this debtor with this result in the campaign this local day.
    pub same_today: u32,
    /// Tries on this point with this result in the campaign.
    pub same_on_point: u32,
    /// The debtor's zone.
    pub zone: TimeZone,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryStep {
    /// Not before.
    pub next_at: UtcMs,
    /// Go on to the next point of the ladder (else the same one).
    pub next_point: bool,
    /// The point is proved bad.
    pub point_bad: bool,
    /// The rule's total on this point is used up: it is not tried again in this campaign.
    pub point_spent: bool,
    /// The rule ends the campaign for him.
    pub stop: bool,
}

fn delay_ms(rule: &RetryRule, tries: u32) -> i64 {
    let mut minutes = rule.delay_min;
    if let DelayMode::Multiply(factor) = rule.mode {
        // Thousandths, so that the sum stays in whole numbers.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "factors of the table are below 10"
        )]
        let thousandths = (factor * 1000.0) as i64;
        for _ in 1..tries {
            minutes = (minutes.saturating_mul(thousandths) / 1000).min(DELAY_MAX_MIN);
        }
    }
    minutes.saturating_mul(MINUTE_MS)
}

fn afternoon(at: UtcMs, zone: &TimeZone) -> bool {
    at.in_zone(zone).hour() >= AFTERNOON_H
}

/// Start of the local day after `at`; falls back to 24 h later when the zone has no such midnight.
fn next_day(at: UtcMs, zone: &TimeZone) -> UtcMs {
    at.in_zone(zone)
        .tomorrow()
        .and_then(|z| z.start_of_day())
        .map_or(at.plus_ms(crate::time::DAY_MS), |z| z.timestamp().into())
}

/// Moves `next` on to the other part of the day than `last`.
fn other_part(next: UtcMs, last: UtcMs, zone: &TimeZone) -> UtcMs {
    let was_afternoon = afternoon(last, zone);
    if afternoon(next, zone) != was_afternoon {
        return next;
    }
    if was_afternoon {
        return next_day(next, zone);
    }
    let noon = next
        .in_zone(zone)
        .with()
        .hour(AFTERNOON_H)
        .minute(0)
        .second(0)
        .subsec_nanosecond(0)
        .build();
    noon.map_or(next, |z| next.max(z.timestamp().into()))
}

/// Noon, in the parts of a day that a campaign's own rules name.
const NOON_H: i8 = 12;
/// First hour of the evening there.
const EVENING_H: i8 = 18;

/// Part of the day: 0 morning, 1 afternoon, 2 evening, by a campaign's own rules.
#[must_use]
pub fn part_of_day(at: UtcMs, zone: &TimeZone) -> u8 {
    match at.in_zone(zone).hour() {
        ..NOON_H => 0,
        NOON_H..EVENING_H => 1,
        _ => 2,
    }
}

/// The first instant from `next` on in that part of the day.
fn in_part(next: UtcMs, part: u8, zone: &TimeZone) -> UtcMs {
    let now = part_of_day(next, zone);
    if now == part {
        return next;
    }
    let from = if now < part {
        next
    } else {
        next_day(next, zone)
    };
    let hour = match part {
        0 => return from,
        1 => NOON_H,
        _ => EVENING_H,
    };
    let built = from
        .in_zone(zone)
        .with()
        .hour(hour)
        .minute(0)
        .second(0)
        .subsec_nanosecond(0)
        .build();
    built.map_or(from, |z| from.max(z.timestamp().into()))
}

/// A campaign's own row in the form of the table.
fn own_rule(own: &RetryOverride) -> RetryRule {
    let mode = if own.factor > 1.0 {
        DelayMode::Multiply(own.factor)
    } else {
        DelayMode::Fixed
    };
    rule(
        own.delay_min,
        mode,
        own.max_per_day,
        own.max_total,
        own.day_part,
        own.then,
    )
}

/// The rule after a result: the campaign's own, else the house table's. A point that is proved bad
/// stays so, whatever a campaign says.
#[must_use]
pub fn rule_for(result: CallResult, own: &[RetryOverride]) -> Option<RetryRule> {
    let house = standard_rule(result)?;
    let found = own.iter().find(|r| r.result == result);
    Some(match found {
        Some(_) if house.point_bad => house,
        Some(found) => own_rule(found),
        None => house,
    })
}

/// The next step after a try, `None` when the table has no row for its result.
#[must_use]
pub fn after(case: &RetryCase) -> Option<RetryStep> {
    after_by(case, &[])
}

/// As [`after`], with a campaign's own rules.
#[must_use]
pub fn after_by(case: &RetryCase, own: &[RetryOverride]) -> Option<RetryStep> {
    let rule = rule_for(case.result, own)?;
    let mut next_at = case.at.plus_ms(delay_ms(&rule, case.same_on_point.max(1)));
    if rule.day_part == DayPart::Other {
        next_at = other_part(next_at, case.at, &case.zone);
    }
    if case.same_today >= rule.max_per_day && !rule.point_bad {
        next_at = next_at.max(next_day(case.at, &case.zone));
    }
    next_at = match rule.day_part {
        DayPart::Same | DayPart::Other => next_at,
        DayPart::Morning => in_part(next_at, 0, &case.zone),
        DayPart::Afternoon => in_part(next_at, 1, &case.zone),
        DayPart::Evening => in_part(next_at, 2, &case.zone),
    };
    Some(RetryStep {
        next_at,
        next_point: rule.then == Then::NextPoint,
        point_bad: rule.point_bad,
        point_spent: case.same_on_point >= rule.max_total,
        stop: rule.then == Then::Stop,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{HOUR_MS, zone};

    fn step(result: CallResult, local: &str, same_today: u32, same_on_point: u32) -> RetryStep {
        let zone = zone("America/Bogota").unwrap();
        let at: UtcMs = format!("2026-11-23T{local}:00-05:00").parse().unwrap();
        after(&RetryCase {
            result,
            at,
            same_today,
            same_on_point,
            zone,
        })
        .unwrap()
    }

    fn local(at: UtcMs) -> String {
        at.in_zone(&zone("America/Bogota").unwrap())
            .strftime("%d %H:%M")
            .to_string()
    }

    #[test]
    fn busy_comes_back_in_a_quarter_of_an_hour_three_times_a_day() {
        let s = step(CallResult::Busy, "09:00", 1, 1);
        assert_eq!(local(s.next_at), "23 09:15");
        assert!(s.next_point && !s.point_spent);
        assert_eq!(
            local(step(CallResult::Busy, "09:00", 3, 3).next_at),
            "24 00:00"
        );
        assert!(step(CallResult::Busy, "09:00", 1, 8).point_spent);
    }

    #[test]
    fn no_answer_grows_and_changes_the_part_of_the_day() {
        assert_eq!(
            local(step(CallResult::NoAnswer, "09:00", 1, 1).next_at),
            "23 14:00"
        );
        assert_eq!(
            local(step(CallResult::NoAnswer, "12:00", 1, 1).next_at),
            "23 15:00"
        );
        assert_eq!(
            local(step(CallResult::NoAnswer, "15:00", 1, 1).next_at),
            "24 00:00"
        );
        let third = step(CallResult::NoAnswer, "09:00", 1, 3);
        assert_eq!(
            third
                .next_at
                .since_ms(step(CallResult::Busy, "09:00", 1, 1).next_at)
                + 15 * MINUTE_MS,
            405 * MINUTE_MS
        );
    }

    #[test]
    fn rows_of_the_table() {
        let bad = step(CallResult::InvalidNumber, "09:00", 1, 1);
        assert!(bad.point_bad && bad.point_spent && bad.next_point);
        assert_eq!(local(bad.next_at), "23 09:00");
        let dropped = step(CallResult::Abandoned, "09:00", 1, 1);
        assert_eq!(local(dropped.next_at), "26 09:00");
        assert!(!dropped.next_point);
        let jam = step(CallResult::Congestion, "09:00", 1, 2);
        assert_eq!(local(jam.next_at), "23 09:10");
        let early = step(CallResult::HangupEarly, "09:00", 1, 1);
        assert_eq!(local(early.next_at), "24 14:00");
        let off = step(CallResult::Unreachable, "09:00", 1, 2);
        assert!(off.next_at.since_ms(UtcMs(0)) > 48 * HOUR_MS);
        for result in [
            CallResult::Human,
            CallResult::Cancelled,
            CallResult::BlockedCap,
        ] {
            assert!(standard_rule(result).is_none());
        }
    }

    #[test]
    fn a_campaign_has_its_own_rules_with_parts_of_the_day() {
        let own = |day_part, then| {
            [RetryOverride {
                result: CallResult::NoAnswer,
                delay_min: 60,
                factor: 2.0,
                max_per_day: 9,
                max_total: 3,
                day_part,
                then,
            }]
        };
        let case = |local: &str, tries| RetryCase {
            result: CallResult::NoAnswer,
            at: format!("2026-11-23T{local}:00-05:00").parse().unwrap(),
            same_today: tries,
            same_on_point: tries,
            zone: zone("America/Bogota").unwrap(),
        };
        for (at, tries, part, want) in [
            ("09:00", 1, DayPart::Same, "23 10:00"),
            ("09:00", 2, DayPart::Same, "23 11:00"),
            ("09:00", 1, DayPart::Evening, "23 18:00"),
            ("09:00", 1, DayPart::Afternoon, "23 12:00"),
            ("09:00", 1, DayPart::Morning, "23 10:00"),
            ("11:30", 1, DayPart::Morning, "24 00:00"),
            ("19:30", 1, DayPart::Afternoon, "24 12:00"),
        ] {
            let step = after_by(&case(at, tries), &own(part, Then::SamePoint)).unwrap();
            assert_eq!(local(step.next_at), want, "{at} {part}");
            assert!(!step.next_point && !step.stop);
        }
        let stop = after_by(&case("09:00", 1), &own(DayPart::Same, Then::Stop)).unwrap();
        assert!(stop.stop);
        // What the network proves is not a campaign's to say.
        let mut bad = own(DayPart::Same, Then::SamePoint);
        bad[0].result = CallResult::InvalidNumber;
        let mut proved = case("09:00", 1);
        proved.result = CallResult::InvalidNumber;
        assert!(after_by(&proved, &bad).unwrap().point_bad);
    }
}
