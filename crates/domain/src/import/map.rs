//! The column map: what each column of a file means, and the file's conventions.

use super::{DateOrder, Decimal, PhoneRepair, Target};
use crate::ValueError;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A column map. Its JSON is either the columns alone, `{"Nombre": "name", …}`, or the whole:
/// `{"columns": {…}, "decimal": "comma", "dates": "dmy", "defaults": {"country": "MX"}, "delimiter":
/// ";", "encoding": "windows-1252", "repair": ["lost_zero"], "sheet": "Hoja1", "formulas": "stored"}`. What is not said
/// is detected where the file is clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ColumnMap {
    /// Header of the file → meaning. Empty: detected by name.
    pub columns: BTreeMap<String, Target>,
    /// Values of meanings that have no column.
    pub defaults: BTreeMap<Target, String>,
    /// Sign between decimals.
    pub decimal: Option<Decimal>,
    /// Order of day and month.
    pub dates: Option<DateOrder>,
    /// Sign between columns.
    pub delimiter: Option<char>,
    /// Encoding by its WHATWG label (`utf-8`, `windows-1252`, `utf-16le`).
    pub encoding: Option<String>,
    /// What a spreadsheet did to phones that is to be mended; empty: such phones are refused.
    pub repair: BTreeSet<PhoneRepair>,
    /// Name of the sheet of a workbook; without it a workbook must have one sheet only.
    pub sheet: Option<String>,
    /// What is done with cells of a workbook that hold formulas; without it they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formulas: Option<Formulas>,
}

crate::text_enum! {
    /// What is done with a formula of a workbook.
    pub enum Formulas {
        /// Its cell is refused.
        Refused = "refused",
        /// The result is taken that was stored with it, as the spreadsheet last showed it.
        Stored = "stored",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    columns: BTreeMap<String, Target>,
    #[serde(default)]
    defaults: BTreeMap<Target, String>,
    decimal: Option<Decimal>,
    dates: Option<DateOrder>,
    delimiter: Option<char>,
    encoding: Option<String>,
    #[serde(default)]
    repair: BTreeSet<PhoneRepair>,
    sheet: Option<String>,
    formulas: Option<Formulas>,
}

impl<'de> Deserialize<'de> for ColumnMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let value = serde_json::Value::deserialize(deserializer)?;
        let whole = value
            .get("columns")
            .is_some_and(serde_json::Value::is_object);
        if !whole {
            let columns = serde_json::from_value(value).map_err(D::Error::custom)?;
            return Ok(Self {
                columns,
                ..Self::default()
            });
        }
        let whole: Whole = serde_json::from_value(value).map_err(D::Error::custom)?;
        if whole
            .delimiter
            .is_some_and(|d| !matches!(d, ',' | ';' | '\t' | '|'))
        {
            return Err(D::Error::custom("delimiter: expected , ; tab or |"));
        }
        Ok(Self {
            columns: whole.columns,
            defaults: whole.defaults,
            decimal: whole.decimal,
            dates: whole.dates,
            delimiter: whole.delimiter,
            encoding: whole.encoding,
            repair: whole.repair,
            sheet: whole.sheet,
            formulas: whole.formulas,
        })
    }
}

impl ColumnMap {
    /// Reads a map from JSON.
    ///
    /// # Errors
    /// Says which key or value is wrong and which are known.
    pub fn from_json(text: &str) -> Result<Self, ValueError> {
        serde_json::from_str(text).map_err(|e| ValueError::malformed("column map", e.to_string()))
    }

    /// A map of columns alone.
    #[must_use]
    pub fn of(columns: &[(&str, Target)]) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|(name, target)| ((*name).to_owned(), *target))
                .collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_printed() {
        let short =
            ColumnMap::from_json(r#"{"Nombre":"name","Cel":"phone_mobile"}"#).expect("short");
        assert_eq!(short.columns["Nombre"], Target::Name);
        let whole = r#"{"columns":{"columns":"name"},"defaults":{"country":"MX"},"decimal":"comma","dates":"dmy","delimiter":";","encoding":"utf-8","repair":["double_prefix","lost_zero"],"sheet":"Hoja1","formulas":"stored"}"#;
        let map = ColumnMap::from_json(whole).expect("whole");
        assert_eq!(
            (map.decimal, map.dates),
            (Some(Decimal::Comma), Some(DateOrder::Dmy))
        );
        let again = serde_json::to_string(&map).expect("prints");
        assert_eq!(ColumnMap::from_json(&again).expect("reads"), map);
        let odd = ColumnMap::from_json(r#"{"columns":"name"}"#).expect("a column of that name");
        assert_eq!(odd.columns["columns"], Target::Name);
    }

    #[test]
    fn faults_name_what_is_wrong() {
        for (text, part) in [
            (r#"{"Nombre":"nombre"}"#, "expected one of external_ref"),
            (
                r#"{"columns":{},"decimals":"comma"}"#,
                "unknown field `decimals`",
            ),
            (r#"{"columns":{},"delimiter":"x"}"#, "expected , ; tab"),
            (r#"{"columns":{},"repair":["guess"]}"#, "lost_zero"),
            (r#"{"columns":{},"formulas":"guess"}"#, "stored"),
            ("[]", "column map"),
            ("{", "column map"),
        ] {
            let error = ColumnMap::from_json(text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
