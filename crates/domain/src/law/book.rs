//! The rule book: packs, holiday table and prefix table, read and checked once.

use super::calendar::{CalendarId, Holidays};
use super::caller::Classes;
use super::pack::{self, HolidayPolicy, LoadedPack, fault};
use super::stack::{NoPack, Place, newest, select};
use super::zones::PrefixZones;
use crate::ValueError;
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Most packs of a book.
pub const PACKS_MAX: usize = 1_000;

macro_rules! config {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/", $path))
    };
}

/// The packs compiled in: file name and text.
pub const EMBEDDED_PACKS: &[(&str, &str)] = &[
    ("ar.json", config!("rulepacks/ar.json")),
    ("br-sp.json", config!("rulepacks/br-sp.json")),
    ("cl.json", config!("rulepacks/cl.json")),
    ("co.json", config!("rulepacks/co.json")),
    ("ec.json", config!("rulepacks/ec.json")),
    ("es.json", config!("rulepacks/es.json")),
    ("gb.json", config!("rulepacks/gb.json")),
    ("mx-condusef.json", config!("rulepacks/mx-condusef.json")),
    ("mx-profeco.json", config!("rulepacks/mx-profeco.json")),
    ("pe.json", config!("rulepacks/pe.json")),
    ("us-federal.json", config!("rulepacks/us-federal.json")),
    ("us-ma.json", config!("rulepacks/us-ma.json")),
];
/// The holiday table compiled in.
pub const EMBEDDED_HOLIDAYS: &str = config!("holidays.csv");
/// The prefix table compiled in.
pub const EMBEDDED_PREFIXES: &str = config!("phone_prefix_timezones.txt");

/// Packs, calendars and zones: with [`super::Judge`] the pure function from facts to verdict.
#[derive(Debug, Clone)]
pub struct RuleBook {
    pub(crate) packs: Vec<LoadedPack>,
    pub(crate) calendars: Holidays,
    pub(crate) prefixes: PrefixZones,
    /// Pack of places that have none.
    default: Option<String>,
    /// Hashes of the two tables, for the record of each decision.
    marks: (String, String),
    /// Classes of number shown that this installation demands where a pack leaves it open, by pack.
    pub(crate) classes: Classes,
}

/// What screens and the API show of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackInfo {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
    /// Name with its law.
    pub name: String,
    /// Standing of the text.
    pub status: String,
    /// Countries and subdivisions.
    pub jurisdiction: Vec<String>,
    /// Pack it adds to.
    pub stacks_on: Option<String>,
    /// First local date in force, `YYYY-MM-DD`.
    pub valid_from: String,
    /// Last local date in force.
    pub valid_to: Option<String>,
    /// To be looked at again by.
    pub review_by: String,
    /// Who signed it; none = unsigned, shown on every screen that uses the pack.
    pub legal_signoff: Option<String>,
    /// Whether it is signed.
    pub signed: bool,
    /// Whether `review_by` is past (UTC date).
    pub overdue: bool,
    /// Whether it is in force on the UTC date.
    pub in_force: bool,
    /// SHA-256 of the file, hex.
    pub hash: String,
    /// Sections read but not judged here.
    pub unjudged: Vec<String>,
    /// Fields that change nothing here, each with the reason.
    pub beside: Vec<(&'static str, &'static str)>,
    /// Authority's register that numbers, collectors and complaints belong in (`REDECO`).
    pub registered_list: Option<String>,
}

impl RuleBook {
    /// The book of the packs and tables compiled into the program.
    ///
    /// # Errors
    /// Never with the files shipped (a test reads them all); the error names file and field.
    pub fn embedded() -> Result<Self, ValueError> {
        Self::load(EMBEDDED_PACKS, EMBEDDED_HOLIDAYS, EMBEDDED_PREFIXES)
    }

    /// Reads packs `(file name, JSON text)`, a holiday table (`country,subdivision,date,name`) and a
    /// prefix table (`prefix|zone&zone`).
    ///
    /// # Errors
    /// Names the file, the field and what would be right.
    pub fn load(
        packs: &[(impl AsRef<str>, impl AsRef<str>)],
        holidays_csv: &str,
        prefix_table: &str,
    ) -> Result<Self, ValueError> {
        if packs.len() > PACKS_MAX {
            return Err(fault("packs", "", &format!("more than {PACKS_MAX} files")));
        }
        let calendars = Holidays::parse(holidays_csv)?;
        let mut book = Self {
            packs: Vec::new(),
            calendars,
            prefixes: PrefixZones::parse(prefix_table)?,
            default: None,
            marks: (mark(holidays_csv), mark(prefix_table)),
            classes: Classes::new(),
        };
        for (file, text) in packs {
            let loaded = pack::load(file.as_ref(), text.as_ref())?;
            book.admit(file.as_ref(), &loaded)?;
            book.packs.push(loaded);
        }
        for (n, loaded) in book.packs.iter().enumerate() {
            if let Some(base) = &loaded.pack.stacks_on
                && !book.packs.iter().any(|p| &p.pack.id == base)
            {
                let file = packs.get(n).map_or("pack", |p| p.0.as_ref());
                return Err(fault(
                    file,
                    "stacks_on",
                    &format!("there is no pack '{base}'"),
                ));
            }
        }
        Ok(book)
    }

    /// The same book with changes to its holidays, of the table's form: days decreed late, days moved. Decisions
    /// tell such a table from the one without.
    ///
    /// # Errors
    /// Names the line and what would be right.
    pub fn with_holidays(mut self, csv: &str) -> Result<Self, ValueError> {
        self.calendars.amend(csv)?;
        self.marks.0 = mark(&format!("{}\n{csv}", self.marks.0));
        Ok(self)
    }

    /// The same book with a pack of last resort: it binds debtors of countries that have none. Without
    /// one such a debtor is never contacted.
    ///
    /// # Errors
    /// When the book has no pack of that id, or it is one that only adds to another.
    pub fn with_default(mut self, id: &str) -> Result<Self, ValueError> {
        let known = |p: &&LoadedPack| p.pack.stacks_on.is_none();
        if !self.packs.iter().filter(known).any(|p| p.pack.id == id) {
            let ids: Vec<&str> = self
                .packs
                .iter()
                .filter(known)
                .map(|p| p.pack.id.as_str())
                .collect();
            return Err(ValueError::unknown_name("default pack", id, &ids));
        }
        self.default = Some(id.to_owned());
        Ok(self)
    }

    /// The same book with classes of number (`es=fixed, …`) for packs that leave the class to the installation.
    ///
    /// # Errors
    /// A pack that is not there, a class nobody knows.
    pub fn with_classes(mut self, text: &str) -> Result<Self, ValueError> {
        let known: Vec<&str> = self.packs.iter().map(|p| p.pack.id.as_str()).collect();
        self.classes = super::caller::classes(text, &known)?;
        Ok(self)
    }

    /// The packs that bind at a place; the pack of last resort where it has none.
    pub(crate) fn packs_at(
        &self,
        place: &Place,
        dates: &[Date],
    ) -> Result<Vec<&LoadedPack>, NoPack> {
        match (select(&self.packs, place, dates), &self.default) {
            (Err(NoPack::Place(label)), Some(id)) => newest(&self.packs, id, dates)
                .map(|p| vec![p])
                .ok_or(NoPack::Place(label)),
            (found, _) => found,
        }
    }

    /// Pack of places that have none.
    pub(crate) fn default_pack(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Hashes of the holiday and prefix tables, 16 hex digits each.
    pub(crate) fn table_marks(&self) -> (&str, &str) {
        (&self.marks.0, &self.marks.1)
    }

    /// The same book with a pack on trial in the place of every version of it, in force on any date: what
    /// it would have said of days before it comes into force.
    ///
    /// # Errors
    /// Names the file, the field and what would be right.
    pub fn trial(&self, file: &str, text: &str) -> Result<Self, ValueError> {
        self.check(file, text, UtcMs(0))?;
        let mut loaded = pack::load(file, text)?;
        loaded.pack.valid_from = Date::MIN;
        loaded.pack.valid_to = None;
        let mut book = self.clone();
        book.packs.retain(|p| p.pack.id != loaded.pack.id);
        book.packs.push(loaded);
        Ok(book)
    }

    /// Checks a pack against the book without taking it in.
    ///
    /// # Errors
    /// Names the file, the field and what would be right.
    pub fn check(&self, file: &str, text: &str, now: UtcMs) -> Result<PackInfo, ValueError> {
        let loaded = pack::load(file, text)?;
        let same = |p: &LoadedPack| p.pack.id == loaded.pack.id && p.hash == loaded.hash;
        if !self.packs.iter().any(same) {
            self.admit(file, &loaded)?;
        }
        if let Some(base) = &loaded.pack.stacks_on
            && !self.packs.iter().any(|p| &p.pack.id == base)
        {
            return Err(fault(
                file,
                "stacks_on",
                &format!("there is no pack '{base}'"),
            ));
        }
        Ok(info(&loaded, today(now)))
    }

    fn admit(&self, file: &str, loaded: &LoadedPack) -> Result<(), ValueError> {
        let pack = &loaded.pack;
        if self
            .packs
            .iter()
            .any(|p| p.pack.id == pack.id && p.pack.version == pack.version)
        {
            return Err(fault(
                file,
                "version",
                &format!(
                    "pack {} has version {} already; packs are never edited in place",
                    pack.id, pack.version
                ),
            ));
        }
        if pack.holidays.policy == HolidayPolicy::Block {
            let id = CalendarId::parse(&pack.holidays.calendar);
            let known = self.calendars.knows(&id.country, None)
                && (id.subdivision.is_none()
                    || self.calendars.knows(&id.country, id.subdivision.as_deref()));
            if !known {
                return Err(fault(
                    file,
                    "holidays.calendar",
                    &format!("'{}' is not in the holiday table", pack.holidays.calendar),
                ));
            }
        }
        Ok(())
    }

    /// Every pack of the book, with the flags that screens show.
    #[must_use]
    pub fn packs(&self, now: UtcMs) -> Vec<PackInfo> {
        self.packs.iter().map(|p| info(p, today(now))).collect()
    }

    /// Zones of a phone number by its prefix.
    #[must_use]
    pub fn zones_of(&self, number: &str) -> Vec<String> {
        self.prefixes.names_of(number)
    }

    /// The packs of a debtor at `now`, judged by the dates of his candidate zones; by the UTC date
    /// when he has none.
    pub(crate) fn stack_of(
        &self,
        facts: &ContactFacts,
        dates: &[Date],
    ) -> Result<Vec<&LoadedPack>, NoPack> {
        self.packs_at(&Place::of(&facts.debtor, &facts.portfolio), dates)
    }
}

/// First 16 hex digits of a table's SHA-256.
fn mark(text: &str) -> String {
    let mut hex = hex::encode(Sha256::digest(text.as_bytes()));
    hex.truncate(16);
    hex
}

/// The UTC date.
pub(crate) fn today(now: UtcMs) -> Date {
    now.in_zone(&jiff::tz::TimeZone::UTC).date()
}

fn info(loaded: &LoadedPack, today: Date) -> PackInfo {
    let pack = &loaded.pack;
    PackInfo {
        id: pack.id.clone(),
        version: pack.version.clone(),
        name: pack.name.clone(),
        status: pack.status.clone(),
        jurisdiction: pack.jurisdiction.clone(),
        stacks_on: pack.stacks_on.clone(),
        valid_from: pack.valid_from.to_string(),
        valid_to: pack.valid_to.map(|d| d.to_string()),
        review_by: pack.review_by.to_string(),
        legal_signoff: pack.legal_signoff.clone(),
        signed: pack.legal_signoff.is_some(),
        overdue: pack.review_by < today,
        in_force: pack.valid_from <= today && pack.valid_to.is_none_or(|to| today <= to),
        hash: loaded.hash.clone(),
        unjudged: loaded.unjudged.clone(),
        beside: pack.beside(),
        registered_list: pack
            .caller_id
            .as_ref()
            .and_then(|c| c.registered_list.clone()),
    }
}
