//! What a file says about itself: delimiter, meanings of its columns, conventions of its numbers.

use super::column::recognise_in;
use super::lines::{Line, Lines};
use super::{ColumnMap, Target, amount, date};
use crate::entity::ImportKind;
use serde::Serialize;

/// Rows looked at to find the delimiter.
const PROBE_ROWS: usize = 20;
/// Signs that may separate columns.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// What was found in the header and the first rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detected {
    /// The map: given parts as they are, the others as far as the file is clear.
    pub map: ColumnMap,
    /// Headers without a meaning; they are not read.
    pub unknown: Vec<String>,
    /// Needed meanings that no column has, as [`super::ImportFault::Missing`] would say.
    pub missing: Vec<String>,
}

/// The delimiter of a text's beginning: the one that splits most rows alike into known columns.
/// `None` when none gives at least two columns.
#[must_use]
pub fn delimiter(text: &str) -> Option<char> {
    let score = |delimiter: char| {
        let mut lines = Lines::new(delimiter);
        lines.push(text);
        // The last row may be cut; it is not looked at.
        let rows: Vec<Vec<String>> = std::iter::from_fn(|| lines.next_line())
            .take(PROBE_ROWS)
            .filter_map(|line| match line {
                Line::Row { fields, .. } => Some(fields),
                Line::Broken { .. } => None,
            })
            .collect();
        let header = rows.first().cloned().or_else(|| {
            lines.end();
            match lines.next_line() {
                Some(Line::Row { fields, .. }) => Some(fields),
                _ => None,
            }
        })?;
        let known = |kind: &ImportKind| {
            let named = |h: &&String| recognise_in(*kind, h).is_some();
            header.iter().filter(named).count()
        };
        let known = ImportKind::ALL.iter().map(known).max();
        let alike = rows.iter().filter(|r| r.len() == header.len()).count();
        (header.len() > 1).then_some((known, alike, header.len()))
    };
    DELIMITERS
        .into_iter()
        .filter_map(|d| score(d).map(|s| (s, d)))
        .max_by_key(|(s, d)| (*s, *d == ','))
        .map(|(_, d)| d)
}

/// Reads the header and some rows of a portfolio's file; `given` is what the user said, which always holds.
#[must_use]
pub fn detect(header: &[String], rows: &[Vec<String>], given: &ColumnMap) -> Detected {
    detect_as(ImportKind::Portfolio, (header, rows), given)
}

/// As [`detect`], of a file of a kind.
#[must_use]
pub fn detect_as(
    kind: ImportKind,
    (header, rows): (&[String], &[Vec<String>]),
    given: &ColumnMap,
) -> Detected {
    let mut map = given.clone();
    if map.columns.is_empty() {
        for name in header {
            // Two of one meaning are both named: which of them holds is not for us to say, and a map says it.
            if let Some(target) = recognise_in(kind, name) {
                map.columns.insert(clean(name).to_owned(), target);
            }
        }
    }
    let cells = |wanted: fn(Target) -> bool| {
        let columns: Vec<usize> = header
            .iter()
            .enumerate()
            .filter(|(_, name)| meaning(&map, name).is_some_and(wanted))
            .map(|(at, _)| at)
            .collect();
        rows.iter().flat_map(move |row| {
            columns
                .clone()
                .into_iter()
                .filter_map(move |at| row.get(at))
        })
    };
    let decimal = agreed(cells(Target::is_money).filter_map(|v| amount::evidence(v)));
    let dated = |t| {
        use Target::{ConsentDate, ConsentUntil, DueDate, StatuteDate};
        matches!(t, DueDate | StatuteDate | ConsentDate | ConsentUntil)
    };
    let dates = agreed(cells(dated).filter_map(|v| date::evidence(v)));
    map.decimal = given.decimal.or(decimal);
    map.dates = given.dates.or(dates);
    let unknown = header
        .iter()
        .filter(|name| meaning(&map, name).is_none())
        .map(|name| clean(name).to_owned())
        .collect();
    let missing = match kind {
        ImportKind::Portfolio => missing(&map, header),
        ImportKind::Consents => missing_consents(&map, header),
    };
    Detected {
        map,
        unknown,
        missing,
    }
}

/// Tells headers apart: the same names, in any order and letter case, are the same header.
#[must_use]
pub fn fingerprint(header: &[String]) -> String {
    let mut names: Vec<String> = header.iter().map(|h| clean(h).to_lowercase()).collect();
    names.sort_unstable();
    let text = names.join("\u{1f}");
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes());
    id.simple().to_string()
}

/// One answer when all agree.
fn agreed<T: PartialEq>(mut votes: impl Iterator<Item = T>) -> Option<T> {
    let first = votes.next()?;
    votes.all(|vote| vote == first).then_some(first)
}

/// A header as it is shown and looked up.
pub(super) fn clean(name: &str) -> &str {
    name.trim_start_matches('\u{feff}').trim()
}

/// The meaning of a header in a map: by its exact name, else by the same name in plain letters.
pub(super) fn meaning(map: &ColumnMap, header: &str) -> Option<Target> {
    let header = clean(header);
    map.columns.get(header).copied().or_else(|| {
        let plain = super::column::plain(header);
        let same = |name: &&String| !plain.is_empty() && super::column::plain(name) == plain;
        map.columns
            .keys()
            .find(same)
            .and_then(|name| map.columns.get(name))
            .copied()
    })
}

/// As [`missing`], of a file of consents.
pub(super) fn missing_consents(map: &ColumnMap, header: &[String]) -> Vec<String> {
    let has = |target: Target| {
        let column = |name: &String| meaning(map, name) == Some(target);
        map.defaults.contains_key(&target) || header.iter().any(column)
    };
    let mut missing = Vec::new();
    if !has(Target::ExternalRef) && !has(Target::Document) {
        missing.push(format!("{} or {}", Target::ExternalRef, Target::Document));
    }
    let needed = super::columns_of(ImportKind::Consents);
    for column in needed.iter().filter(|c| c.required) {
        if column.name.parse().is_ok_and(|target| !has(target)) {
            missing.push(column.name.to_owned());
        }
    }
    missing
}

/// Needed meanings that neither a column nor a default gives.
pub(super) fn missing(map: &ColumnMap, header: &[String]) -> Vec<String> {
    let has = |target: Target| {
        map.defaults.contains_key(&target)
            || header.iter().any(|name| meaning(map, name) == Some(target))
    };
    let mut missing = Vec::new();
    for column in super::columns().iter().filter(|c| c.required) {
        if column.name.parse().is_ok_and(|target| !has(target)) {
            missing.push(column.name.to_owned());
        }
    }
    for (a, b, or) in [
        (Target::Principal, Target::Balance, None),
        (Target::DueDate, Target::DaysPastDue, Some(Target::Items)),
    ] {
        if !has(a) && !has(b) && !or.is_some_and(has) {
            missing.push(format!("{a} or {b}"));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{DateOrder, Decimal};

    fn strings(row: &[&str]) -> Vec<String> {
        row.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn delimiters() {
        for (text, want) in [
            ("nombre,saldo\nAna,1\n", Some(',')),
            ("nombre;saldo\n\"Ruiz, Ana\";1,5\nLuis;2,5\n", Some(';')),
            ("nombre\tsaldo\nAna\t1,5\n", Some('\t')),
            ("nombre|saldo\nAna|1\n", Some('|')),
            ("nombre;saldo,total;x\nAna;1,5;2\n", Some(';')),
            ("nombre;saldo", Some(';')),
            ("nombre\nAna\n", None),
            ("", None),
        ] {
            assert_eq!(delimiter(text), want, "{text}");
        }
    }

    #[test]
    fn a_spanish_file_is_understood() {
        let header = strings(&[
            "\u{feff}Id deudor",
            "No crédito",
            "Nombre",
            "País",
            "Saldo",
            "Vencimiento",
            "Celular",
            "Notas",
        ]);
        let rows = [
            strings(&[
                "1",
                "A",
                "Ana",
                "MX",
                "1.234",
                "03/04/2026",
                "5500001234",
                "",
            ]),
            strings(&[
                "2",
                "B",
                "Luis",
                "MX",
                "10,5",
                "23/04/2026",
                "5500001235",
                "",
            ]),
        ];
        let found = detect(&header, &rows, &ColumnMap::default());
        assert_eq!(found.map.columns["Id deudor"], Target::ExternalRef);
        assert_eq!(
            (found.map.decimal, found.map.dates),
            (Some(Decimal::Comma), Some(DateOrder::Dmy))
        );
        assert_eq!(
            (found.unknown, found.missing),
            (vec!["Notas".to_owned()], vec![])
        );
    }

    #[test]
    fn what_contradicts_itself_is_not_clear() {
        let header = strings(&["saldo", "vencimiento"]);
        let rows = [
            strings(&["1,5", "23/04/2026"]),
            strings(&["1.5", "04/23/2026"]),
        ];
        let found = detect(&header, &rows, &ColumnMap::default());
        assert_eq!((found.map.decimal, found.map.dates), (None, None));
        assert_eq!(
            found.missing,
            ["external_ref", "debt_ref", "name", "country"]
        );
        let given = ColumnMap {
            decimal: Some(Decimal::Comma),
            ..ColumnMap::default()
        };
        assert_eq!(
            detect(&header, &rows, &given).map.decimal,
            Some(Decimal::Comma)
        );
    }

    #[test]
    fn two_columns_of_one_meaning_are_both_named() {
        let header = strings(&["saldo", "Importe", "telefono 1", "telefono 2"]);
        let found = detect(&header, &[], &ColumnMap::default());
        let balance: Vec<&str> = found
            .map
            .columns
            .iter()
            .filter(|(_, t)| **t == Target::Balance)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(balance, ["Importe", "saldo"]);
        assert!(
            found.unknown.is_empty(),
            "neither is passed over: {:?}",
            found.unknown
        );
    }

    #[test]
    fn the_same_names_are_the_same_header() {
        let one = fingerprint(&strings(&["\u{feff}Id", "Saldo", "Año"]));
        assert_eq!(one, fingerprint(&strings(&["AÑO", " saldo ", "ID"])));
        assert_ne!(one, fingerprint(&strings(&["Id", "Saldo"])));
        assert_ne!(one, fingerprint(&strings(&["Id", "Saldo", "Ano"])));
        assert_eq!(one.len(), 32);
    }

    #[test]
    fn a_given_map_is_not_extended() {
        let header = strings(&["Nombre", "saldo", "Cliente"]);
        let given = ColumnMap::of(&[("nombre", Target::Name), ("Cliente", Target::ExternalRef)]);
        let found = detect(&header, &[], &given);
        assert_eq!(found.unknown, ["saldo"]);
        assert!(found.missing.contains(&"principal or balance".to_owned()));
    }
}
