//! Public holidays per country and subdivision. A year without rows is unknown, never "no holidays".

use crate::ValueError;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Most rows of a holiday table; 19 countries over six years have 1,578.
pub const HOLIDAY_ROWS_MAX: usize = 100_000;

/// The holiday table: `country,subdivision,date,name`, national and subdivision rows add up.
#[derive(Debug, Clone, Default)]
pub struct Holidays {
    days: BTreeMap<(String, String), BTreeMap<Date, String>>,
    years: BTreeSet<(String, String, i16)>,
}

/// The answer of the table for one local date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayKind {
    /// No holiday.
    Working,
    /// A holiday, by name.
    Holiday(String),
    /// The table has no rows for that place and year (`ES-AR 2026`), or the place is not known.
    Unknown(String),
}

/// A pack's calendar id, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CalendarId {
    pub(crate) country: String,
    pub(crate) subdivision: Option<String>,
    pub(crate) of_debtor: bool,
}

impl CalendarId {
    /// `CO`, `BR-SP`, `ES+subdivision`.
    pub(crate) fn parse(id: &str) -> Self {
        if let Some(country) = id.strip_suffix("+subdivision") {
            return Self {
                country: country.to_owned(),
                subdivision: None,
                of_debtor: true,
            };
        }
        let (country, subdivision) = id
            .split_once('-')
            .map_or((id, None), |(c, s)| (c, Some(s.to_owned())));
        Self {
            country: country.to_owned(),
            subdivision,
            of_debtor: false,
        }
    }
}

const HEADER: &str = "country,subdivision,date,name";
/// What stands in the third field of a change.
const AMENDED: &str =
    "date: expected YYYY-MM-DD, or YYYY without a name where the year's table is whole";

fn bad(line: usize, reason: &str) -> ValueError {
    ValueError::malformed("holiday table", format!("line {line}: {reason}"))
}

/// One row; a date that is none stays as it is written.
struct Row<'a> {
    place: (String, String),
    date: Result<Date, &'a str>,
    name: String,
}

/// The rows of a table with their lines.
fn rows(csv: &str) -> impl Iterator<Item = Result<(usize, Row<'_>), ValueError>> {
    let mut lines = csv.lines().enumerate();
    let head = lines
        .next()
        .map(|(_, text)| text.trim_start_matches('\u{feff}').trim());
    let fault = (head != Some(HEADER))
        .then(|| Err(bad(1, "expected the header country,subdivision,date,name")));
    let rest = lines
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(n, text)| row(n + 1, text.trim_end()).map(|row| (n + 1, row)));
    fault.into_iter().chain(rest)
}

fn row(line: usize, text: &str) -> Result<Row<'_>, ValueError> {
    if line > HOLIDAY_ROWS_MAX {
        return Err(bad(line, &format!("more than {HOLIDAY_ROWS_MAX} rows")));
    }
    let mut parts = text.splitn(4, ',');
    let (Some(country), Some(sub), Some(date), Some(name)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad(
            line,
            "expected four fields: country,subdivision,date,name",
        ));
    };
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(bad(line, "country: expected two capital letters, as CO"));
    }
    Ok(Row {
        place: (country.to_owned(), sub.to_owned()),
        date: date.parse().map_err(|_| date),
        name: name.trim_matches('"').to_owned(),
    })
}

impl Holidays {
    /// Reads the table.
    ///
    /// # Errors
    /// Names the line and what would be right.
    pub fn parse(csv: &str) -> Result<Self, ValueError> {
        let mut table = Self::default();
        for row in rows(csv) {
            let (line, row) = row?;
            let date = row
                .date
                .map_err(|_| bad(line, "date: expected YYYY-MM-DD"))?;
            let year = (row.place.0.clone(), row.place.1.clone(), date.year());
            table.years.insert(year);
            let days = table.days.entry(row.place).or_default();
            days.insert(date, row.name);
        }
        Ok(table)
    }

    /// Changes the table by another of the same form: a day that was decreed is added, one without a name is a
    /// working day after all. A year that the table does not have stays unknown, so that one day of it is not
    /// taken for all of them, unless a row with the bare year as its date (`CO,,2031,`) says that it is whole.
    ///
    /// # Errors
    /// Names the line and what would be right.
    pub fn amend(&mut self, csv: &str) -> Result<(), ValueError> {
        for row in rows(csv) {
            let (line, row) = row?;
            let days = self.days.entry(row.place.clone()).or_default();
            match (row.date, row.name.is_empty()) {
                (Ok(date), true) => {
                    let had = days.remove(&date);
                    had.ok_or_else(|| {
                        bad(
                            line,
                            "no holiday of the table: a day that is added has a name",
                        )
                    })?;
                }
                (Ok(date), false) => {
                    days.insert(date, row.name);
                }
                (Err(text), true) => {
                    let year = text.parse::<i16>().ok().filter(|_| text.len() == 4);
                    let year = year.ok_or_else(|| bad(line, AMENDED))?;
                    self.years.insert((row.place.0, row.place.1, year));
                }
                (Err(_), false) => return Err(bad(line, AMENDED)),
            }
        }
        Ok(())
    }

    /// Whether the table knows the place at all.
    pub(crate) fn knows(&self, country: &str, subdivision: Option<&str>) -> bool {
        self.days
            .contains_key(&(country.to_owned(), subdivision.unwrap_or("").to_owned()))
    }

    fn one(&self, country: &str, sub: &str, date: Date) -> DayKind {
        if !self
            .years
            .contains(&(country.to_owned(), sub.to_owned(), date.year()))
        {
            let place = if sub.is_empty() {
                country.to_owned()
            } else {
                format!("{country}-{sub}")
            };
            return DayKind::Unknown(format!("{place} {}", date.year()));
        }
        self.named(country, sub, date)
    }

    /// A holiday where the table names one.
    fn named(&self, country: &str, sub: &str, date: Date) -> DayKind {
        self.days
            .get(&(country.to_owned(), sub.to_owned()))
            .and_then(|days| days.get(&date))
            .map_or(DayKind::Working, |name| DayKind::Holiday(name.clone()))
    }

    /// What `date` is under calendar `id` for a debtor of `subdivision`. The debtor's own
    /// subdivision's days always add up when the table has them; `+subdivision` demands them.
    pub(crate) fn day(&self, id: &CalendarId, subdivision: Option<&str>, date: Date) -> DayKind {
        let national = self.one(&id.country, "", date);
        if national != DayKind::Working {
            return national;
        }
        if let Some(sub) = &id.subdivision {
            let day = self.one(&id.country, sub, date);
            if day != DayKind::Working {
                return day;
            }
        }
        match subdivision {
            Some(sub) if id.of_debtor => self.one(&id.country, sub, date),
            None if id.of_debtor => DayKind::Unknown(format!("{}-? {}", id.country, date.year())),
            // Of a subdivision whose year is not known a day that was decreed is known all the same.
            Some(sub) => self.named(&id.country, sub, date),
            None => DayKind::Working,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "country,subdivision,date,name\nCO,,2026-01-01,New Year\nCO,,2026-06-29,Peter\n\
        ES,,2026-01-01,New Year\nES,MD,2026-05-02,Madrid\n";

    fn day(table: &Holidays, id: &str, sub: Option<&str>, date: &str) -> DayKind {
        table.day(&CalendarId::parse(id), sub, date.parse().expect("date"))
    }

    #[test]
    fn a_decreed_day_is_added_and_a_moved_one_taken_out() {
        let mut table = Holidays::parse(TABLE).expect("table");
        assert_eq!(day(&table, "CO", None, "2026-06-30"), DayKind::Working);
        let changes = "country,subdivision,date,name\nCO,,2026-06-30,Bridge\nCO,,2026-06-29,\n\
            ES,MD,2026-11-09,Almudena\n";
        table.amend(changes).expect("changes");
        let bridge = DayKind::Holiday("Bridge".into());
        assert_eq!(day(&table, "CO", None, "2026-06-30"), bridge);
        assert_eq!(day(&table, "CO", None, "2026-06-29"), DayKind::Working);
        // Of a place whose days the table does not have.
        let region = "country,subdivision,date,name\nCO,BOY,2026-11-09,Bridge\n";
        table.amend(region).expect("changes");
        assert_eq!(day(&table, "CO", Some("BOY"), "2026-11-09"), bridge);
        assert_eq!(
            day(&table, "CO", Some("BOY"), "2026-11-10"),
            DayKind::Working
        );
        let local = DayKind::Holiday("Almudena".into());
        assert_eq!(
            day(&table, "ES+subdivision", Some("MD"), "2026-11-09"),
            local
        );
        assert_eq!(
            day(&table, "CO", None, "2026-01-01"),
            DayKind::Holiday("New Year".into())
        );
    }

    #[test]
    fn one_day_of_an_unknown_year_does_not_make_it_known() {
        let mut table = Holidays::parse(TABLE).expect("table");
        let unknown = DayKind::Unknown("CO 2031".into());
        table
            .amend("country,subdivision,date,name\nCO,,2031-06-30,Bridge\n")
            .expect("a day");
        assert_eq!(day(&table, "CO", None, "2031-06-30"), unknown);
        assert_eq!(day(&table, "CO", None, "2031-07-01"), unknown);
        table
            .amend("country,subdivision,date,name\nCO,,2031,\n")
            .expect("whole");
        assert_eq!(
            day(&table, "CO", None, "2031-06-30"),
            DayKind::Holiday("Bridge".into())
        );
        assert_eq!(day(&table, "CO", None, "2031-07-01"), DayKind::Working);
    }

    #[test]
    fn faults_name_their_line() {
        let head = "country,subdivision,date,name\n";
        for (text, part) in [
            ("country,date\n".to_owned(), "line 1: expected the header"),
            (
                format!("{head}CO,,2026-06-30\n"),
                "line 2: expected four fields",
            ),
            (format!("{head}\nCO,,30/06/2026,Bridge\n"), "line 3: date"),
            (format!("{head}CO,,2031,Whole\n"), "line 2: date"),
            (format!("{head}co,,2026-06-30,Bridge\n"), "line 2: country"),
            (format!("{head}CO,,2026-06-30,\n"), "line 2: no holiday"),
        ] {
            let fault = Holidays::default().amend(&text).expect_err(&text);
            assert!(fault.to_string().contains(part), "{text}: {fault}");
        }
        let year = format!("{head}CO,,2031,\n");
        assert!(Holidays::parse(&year).is_err(), "the table itself has days");
    }
}
