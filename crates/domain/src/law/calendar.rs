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

impl Holidays {
    /// Reads the table.
    ///
    /// # Errors
    /// Names the line and what would be right.
    pub fn parse(csv: &str) -> Result<Self, ValueError> {
        let bad = |line: usize, reason: &str| {
            ValueError::malformed("holiday table", format!("line {line}: {reason}"))
        };
        let mut table = Self::default();
        let mut lines = csv.lines().enumerate();
        match lines.next() {
            Some((_, "country,subdivision,date,name")) => {}
            _ => return Err(bad(1, "expected the header country,subdivision,date,name")),
        }
        for (n, text) in lines {
            let line = n + 1;
            if text.trim().is_empty() {
                continue;
            }
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
            let date: Date = date
                .parse()
                .map_err(|_| bad(line, "date: expected YYYY-MM-DD"))?;
            let key = (country.to_owned(), sub.to_owned());
            table
                .years
                .insert((key.0.clone(), key.1.clone(), date.year()));
            table
                .days
                .entry(key)
                .or_default()
                .insert(date, name.trim_matches('"').to_owned());
        }
        Ok(table)
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
            Some(sub) => match self.one(&id.country, sub, date) {
                holiday @ DayKind::Holiday(_) => holiday,
                _ => DayKind::Working,
            },
            None => DayKind::Working,
        }
    }
}
