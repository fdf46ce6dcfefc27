//! The hours in which callers are taken, in words that can be said.

use crate::entity::Language;
use crate::time::UtcMs;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// Minutes of a day.
const DAY_MIN: u16 = 24 * 60;
/// Stretches that are so near to each other are one, ms.
const NEAR_MS: i64 = 60_000;

/// Weekdays with the same hours: first, last, hours.
type Days<'a> = (usize, usize, &'a [(u16, u16)]);

/// Open hours of each weekday, Monday first: from, until, in minutes of the local day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpeningHours([Vec<(u16, u16)>; 7]);

/// Minutes of the local day at an instant.
fn minute_of(at: UtcMs, zone: &TimeZone) -> u16 {
    let local = at.in_zone(zone);
    u16::try_from(local.hour()).unwrap_or(0) * 60 + u16::try_from(local.minute()).unwrap_or(0)
}

fn place_of(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)
}

/// Spans in order, those that meet or overlap joined.
fn joined(mut spans: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    spans.sort_unstable();
    let mut out: Vec<(u16, u16)> = Vec::new();
    for (from, until) in spans {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => out.push((from, until)),
        }
    }
    out
}

impl OpeningHours {
    /// From stretches of time (from, until) in order, as they fall on weekdays of a zone. A weekday is open when it is in
    /// any week, so that two weeks make up for a holiday.
    #[must_use]
    pub fn of(stretches: &[(UtcMs, UtcMs)], zone: &TimeZone) -> Self {
        let mut whole: Vec<(UtcMs, UtcMs)> = Vec::new();
        for (from, until) in stretches.iter().filter(|(from, until)| from < until) {
            match whole.last_mut() {
                Some(last) if from.since_ms(last.1) <= NEAR_MS => last.1 = last.1.max(*until),
                _ => whole.push((*from, *until)),
            }
        }
        let mut days = Self::default();
        for (from, until) in whole {
            days.add(from, until, zone);
        }
        days.0 = days.0.map(joined);
        days
    }

    /// One stretch, cut at each local midnight.
    fn add(&mut self, from: UtcMs, until: UtcMs, zone: &TimeZone) {
        let mut at = from;
        // A stretch of weeks is open all of them.
        for _ in 0..=7 {
            let local = at.in_zone(zone);
            let next = local.tomorrow().and_then(|z| z.start_of_day());
            let Ok(next) = next.map(|z| UtcMs::from(z.timestamp())) else {
                return;
            };
            let end = if until < next {
                minute_of(until, zone)
            } else {
                DAY_MIN
            };
            let begin = minute_of(at, zone);
            if begin < end
                && let Some(day) = self.0.get_mut(place_of(local.weekday()))
            {
                day.push((begin, end));
            }
            if until <= next {
                return;
            }
            at = next;
        }
    }

    /// Weekdays with the same hours that follow each other: first, last, hours. Closed days are left out.
    fn groups(&self) -> Vec<Days<'_>> {
        let mut groups: Vec<Days<'_>> = Vec::new();
        for (day, spans) in self.0.iter().enumerate().filter(|(_, s)| !s.is_empty()) {
            match groups.last_mut() {
                Some(last) if last.1 + 1 == day && last.2 == spans.as_slice() => last.1 = day,
                _ => groups.push((day, day, spans)),
            }
        }
        groups
    }

    /// As a sentence to be said; `None` where nothing is open.
    #[must_use]
    pub fn in_words(&self, language: Language) -> Option<String> {
        let words = Words::of(language);
        let part = |(first, last, spans): &Days<'_>| {
            let hours: Vec<String> = spans.iter().map(|s| words.span(*s)).collect();
            let hours = hours.join(words.and);
            format!("{} {hours}", words.days(*first, *last))
        };
        let parts: Vec<String> = self.groups().iter().map(part).collect();
        let (last, before) = parts.split_last()?;
        let list = if before.is_empty() {
            last.clone()
        } else {
            format!("{},{}{last}", before.join(", "), words.and)
        };
        Some(format!("{} {list}.", words.begin))
    }
}

/// How hours are said in a language.
struct Words {
    language: Language,
    begin: &'static str,
    and: &'static str,
    every_day: &'static str,
    all_day: &'static str,
    names: [&'static str; 7],
}

impl Words {
    const fn of(language: Language) -> Self {
        match language {
            Language::Es => Self {
                language,
                begin: "Le atendemos",
                and: " y ",
                every_day: "todos los días",
                all_day: "todo el día",
                names: [
                    "lunes",
                    "martes",
                    "miércoles",
                    "jueves",
                    "viernes",
                    "sábado",
                    "domingo",
                ],
            },
            Language::Pt => Self {
                language,
                begin: "Atendemos",
                and: " e ",
                every_day: "todos os dias",
                all_day: "o dia todo",
                names: [
                    "segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo",
                ],
            },
            Language::En => Self {
                language,
                begin: "We are open",
                and: " and ",
                every_day: "every day",
                all_day: "all day",
                names: [
                    "Monday",
                    "Tuesday",
                    "Wednesday",
                    "Thursday",
                    "Friday",
                    "Saturday",
                    "Sunday",
                ],
            },
        }
    }

    fn days(&self, first: usize, last: usize) -> String {
        let name = |n: usize| self.names.get(n).copied().unwrap_or_default();
        if (first, last) == (0, 6) {
            return self.every_day.to_owned();
        }
        if first == last {
            return name(first).to_owned();
        }
        if first + 1 == last {
            return format!("{}{}{}", name(first), self.and, name(last));
        }
        match self.language {
            Language::En => format!("{} to {}", name(first), name(last)),
            Language::Es | Language::Pt => format!("de {} a {}", name(first), name(last)),
        }
    }

    fn span(&self, (from, until): (u16, u16)) -> String {
        if (from, until) == (0, DAY_MIN) {
            return self.all_day.to_owned();
        }
        match self.language {
            Language::En => format!("from {} to {}", twelve(from), twelve(until)),
            Language::Es => format!("de {} a {} horas", clock(from), clock(until)),
            Language::Pt => format!("das {} às {} horas", clock(from), clock(until)),
        }
    }
}

fn clock(minute: u16) -> String {
    match (minute / 60, minute % 60) {
        (hour, 0) => hour.to_string(),
        (hour, rest) => format!("{hour}:{rest:02}"),
    }
}

fn twelve(minute: u16) -> String {
    let hour = minute / 60 % 24;
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = if hour.is_multiple_of(12) {
        12
    } else {
        hour % 12
    };
    match minute % 60 {
        0 => format!("{hour} {half}"),
        rest => format!("{hour}:{rest:02} {half}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, zone};

    /// Monday 23 November 2026, midnight in Bogotá.
    fn monday() -> UtcMs {
        "2026-11-23T00:00:00-05:00".parse().unwrap()
    }

    fn bogota() -> TimeZone {
        zone("America/Bogota").unwrap()
    }

    fn open(days: &[(i64, i64, i64)]) -> OpeningHours {
        let stretch = |(day, from, until): &(i64, i64, i64)| {
            let at = |min: i64| monday().plus_ms(day * DAY_MS + min * MINUTE_MS);
            (at(*from), at(*until).plus_ms(1))
        };
        let all: Vec<(UtcMs, UtcMs)> = days.iter().map(stretch).collect();
        OpeningHours::of(&all, &bogota())
    }

    const WEEK: [(i64, i64, i64); 6] = [
        (0, 540, 1_140),
        (1, 540, 1_140),
        (2, 540, 1_140),
        (3, 540, 1_140),
        (4, 540, 1_140),
        (5, 570, 900),
    ];

    #[test]
    fn a_week_is_said_in_each_language() {
        let hours = open(&WEEK);
        for (language, words) in [
            (
                Language::Es,
                "Le atendemos de lunes a viernes de 9 a 19 horas, y sábado de 9:30 a 15 horas.",
            ),
            (
                Language::En,
                "We are open Monday to Friday from 9 AM to 7 PM, and Saturday from 9:30 AM to 3 PM.",
            ),
            (
                Language::Pt,
                "Atendemos de segunda a sexta das 9 às 19 horas, e sábado das 9:30 às 15 horas.",
            ),
        ] {
            assert_eq!(hours.in_words(language).as_deref(), Some(words));
        }
    }

    #[test]
    fn a_holiday_of_one_week_is_no_closed_weekday() {
        let mut weeks: Vec<(i64, i64, i64)> = WEEK[1..].to_vec();
        weeks.extend(WEEK.map(|(day, from, until)| (day + 7, from, until)));
        assert_eq!(open(&weeks), open(&WEEK));
    }

    #[test]
    fn other_weeks() {
        let es = |days: &[(i64, i64, i64)]| open(days).in_words(Language::Es);
        let all: Vec<(i64, i64, i64)> = (0..7).map(|day| (day, 480, 1_200)).collect();
        assert_eq!(
            es(&all).unwrap(),
            "Le atendemos todos los días de 8 a 20 horas."
        );
        assert_eq!(
            es(&[(0, 540, 780), (0, 900, 1_080)]).unwrap(),
            "Le atendemos lunes de 9 a 13 horas y de 15 a 18 horas."
        );
        assert_eq!(
            es(&[(5, 540, 780), (6, 540, 780)]).unwrap(),
            "Le atendemos sábado y domingo de 9 a 13 horas."
        );
        assert_eq!(es(&[]), None);
        let night = [(
            monday().plus_ms(22 * HOUR_MS),
            monday().plus_ms(26 * HOUR_MS),
        )];
        let night = OpeningHours::of(&night, &bogota());
        assert_eq!(
            night.in_words(Language::En).unwrap(),
            "We are open Monday from 10 PM to 12 AM, and Tuesday from 12 AM to 2 AM."
        );
        let round = [(monday(), monday().plus_ms(30 * DAY_MS))];
        let round = OpeningHours::of(&round, &bogota());
        assert_eq!(
            round.in_words(Language::Es).unwrap(),
            "Le atendemos todos los días todo el día."
        );
    }

    /// A day of 23 hours has its hours all the same.
    #[test]
    fn days_that_change_their_clock() {
        let zone = zone("Europe/Madrid").unwrap();
        let sunday: (UtcMs, UtcMs) = (
            "2026-03-29T09:00:00+02:00".parse().unwrap(),
            "2026-03-29T20:00:00+02:00".parse().unwrap(),
        );
        let hours = OpeningHours::of(&[sunday], &zone);
        assert_eq!(
            hours.in_words(Language::Es).unwrap(),
            "Le atendemos domingo de 9 a 20 horas."
        );
    }
}
