//! Dates as files write them.

use jiff::civil::Date;

crate::text_enum! {
    /// Order of day and month in dates like 03/04/2026.
    pub enum DateOrder {
        /// Day first.
        Dmy = "dmy",
        /// Month first.
        Mdy = "mdy",
    }
}

/// Years a due date may have.
const YEARS: std::ops::RangeInclusive<i16> = 1950..=2150;

const EXPECTED: &str = "not a date: expected YYYY-MM-DD or DD/MM/YYYY";

enum Shape {
    Iso(i16, i8, i8),
    Mixed(i8, i8, i16),
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EXPECTED.into());
    }
    text.parse().map_err(|_| EXPECTED.into())
}

fn shape(text: &str) -> Result<Shape, String> {
    let text = text.trim();
    if super::amount::is_sheet_error(text) {
        return Err(super::amount::SHEET_ERROR.into());
    }
    // A midnight that spreadsheets add.
    let date = text.split([' ', 'T']).next().unwrap_or("");
    let digits = date.bytes().all(|b| b.is_ascii_digit());
    if digits && date.len() == 8 {
        return Ok(Shape::Iso(
            number(&date[..4])?,
            number(&date[4..6])?,
            number(&date[6..])?,
        ));
    }
    if digits && (4..=6).contains(&date.len()) {
        return Err("a day count of a spreadsheet: export the column as YYYY-MM-DD".into());
    }
    let mark = date
        .chars()
        .find(|c| matches!(c, '-' | '/' | '.'))
        .ok_or(EXPECTED)?;
    let parts: Vec<&str> = date.split(mark).collect();
    let [a, b, c] = parts[..] else {
        return Err(EXPECTED.into());
    };
    match (a.len(), b.len(), c.len()) {
        (4, 1..=2, 1..=2) => Ok(Shape::Iso(number(a)?, number(b)?, number(c)?)),
        (1..=2, 1..=2, 4) => Ok(Shape::Mixed(number(a)?, number(b)?, number(c)?)),
        (1..=2, 1..=2, 2) => Err("a year of two digits: expected four".into()),
        _ => Err(EXPECTED.into()),
    }
}

/// The order that a value shows by itself, if any.
pub(super) fn evidence(text: &str) -> Option<DateOrder> {
    match shape(text).ok()? {
        Shape::Mixed(13..=31, 1..=12, _) => Some(DateOrder::Dmy),
        Shape::Mixed(1..=12, 13..=31, _) => Some(DateOrder::Mdy),
        _ => None,
    }
}

/// Reads a date. `order` is the convention of the file or map, when known.
///
/// # Errors
/// Says what is wrong and what would be right.
pub(super) fn parse(text: &str, order: Option<DateOrder>) -> Result<Date, String> {
    let (year, month, day) = match shape(text)? {
        Shape::Iso(year, month, day) => (year, month, day),
        Shape::Mixed(a, b, year) => match order.or_else(|| evidence(text)) {
            Some(DateOrder::Dmy) => (year, b, a),
            Some(DateOrder::Mdy) => (year, a, b),
            None if a == b => (year, a, b),
            None => {
                return Err("can be read in two ways (day or month first): say in the map which order dates have".into());
            }
        },
    };
    if !YEARS.contains(&year) {
        return Err(format!("year {year} is out of range"));
    }
    Date::new(year, month, day).map_err(|_| "no such day in the calendar".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let day = |y, m, d| Ok(jiff::civil::date(y, m, d));
        for (text, order, want) in [
            ("2026-11-03", None, day(2026, 11, 3)),
            ("2026-11-03 00:00:00", None, day(2026, 11, 3)),
            ("2026-11-03T00:00:00", None, day(2026, 11, 3)),
            ("20261103", None, day(2026, 11, 3)),
            ("2026/1/3", None, day(2026, 1, 3)),
            ("03/11/2026", Some(DateOrder::Dmy), day(2026, 11, 3)),
            ("03/11/2026", Some(DateOrder::Mdy), day(2026, 3, 11)),
            ("3.11.2026", Some(DateOrder::Dmy), day(2026, 11, 3)),
            ("23/11/2026", None, day(2026, 11, 23)),
            ("11-23-2026", None, day(2026, 11, 23)),
            ("04/04/2026", None, day(2026, 4, 4)),
        ] {
            assert_eq!(parse(text, order), want, "{text}");
        }
        for (text, part) in [
            ("03/11/2026", "two ways"),
            ("30/02/2026", "no such day"),
            ("2026-02-30", "no such day"),
            ("45985", "day count"),
            ("03/11/26", "two digits"),
            ("0026-01-01", "out of range"),
            ("mañana", "expected"),
            ("", "expected"),
            ("1/2/3/2026", "expected"),
            ("+1-02-2026", "expected"),
            ("#N/A", "spreadsheet"),
        ] {
            let reason = parse(text, None).expect_err(text);
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }
}
